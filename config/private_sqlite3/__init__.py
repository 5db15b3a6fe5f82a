"""Django's SQLite backend, whose files nobody but the user of the desk can read."""
