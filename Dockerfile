# The web server, and with another command the sweep and every management command.
# tests/test_dockerfile.py follows these steps without Docker.
FROM python:3.13-slim-bookworm

ENV PATH=/opt/frontdesk/.venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /opt/frontdesk

# What is installed changes less often than what is written: a layer of its own.
COPY requirements.txt ./
RUN python -m venv .venv && .venv/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements.txt

# .dockerignore names what comes along.
COPY . ./
RUN python manage.py collectstatic --noinput --verbosity 0

# New refresh tokens lie here until the database has them: keep a volume on it. Any user may use it,
# because Docker gives a new volume the owner and rights of the folder below it.
RUN mkdir -m 1777 spool
ENV SPOOL_DIR=/opt/frontdesk/spool
VOLUME /opt/frontdesk/spool

# Nobody: owns no file here and has no name. The desk keeps everything else in its database.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["gunicorn", "-c", "config/gunicorn.py", "--bind", "0.0.0.0:8000", "config.wsgi"]
