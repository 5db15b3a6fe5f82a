"""The Django project: settings, routes, middleware, error responses and the web server.

settings, environment, env_file, wsgi      The project. Open settings.py first.
middleware, exceptions, error_*            A request's way in, and its error response.
parsers, request_bodies                    Strict JSON in, JSON out.
health, readiness, json_logging            Probes and logs.
gunicorn, worker, incoming_request         The web server. postgresql/, private_sqlite3/: the databases.
"""
