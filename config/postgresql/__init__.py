"""Django's PostgreSQL backend with a deadline on every wait. `config.settings` names it as the ENGINE."""
