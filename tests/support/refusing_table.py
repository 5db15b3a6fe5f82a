"""Makes the database refuse statements on one table, as a trigger or a full disk does."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models


@contextmanager
def refusing(model: type[models.Model], verb: str) -> Iterator[None]:
    """Refuse every INSERT, UPDATE or DELETE of a model's rows within the block, with IntegrityError."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"CREATE TRIGGER refused BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END")
        else:
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE 'refused' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            cursor.execute(f"CREATE TRIGGER refused BEFORE {verb} ON {table} EXECUTE FUNCTION refuse()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER refused")
            else:
                cursor.execute(f"DROP TRIGGER refused ON {table}")
                cursor.execute("DROP FUNCTION refuse()")
