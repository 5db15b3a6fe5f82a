"""Django's SQLite backend with files that are private to the desk's user. `config.settings` names it as the ENGINE."""
