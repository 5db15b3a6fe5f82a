"""Django's SQLite backend with private files and one queue for the writes of a process.

`config.settings` names it as the ENGINE.

base            The DatabaseWrapper.
writer_queue    The queue.
"""
