"""UPDATE ... RETURNING: changes rows and reads them back in one statement, which Django's ORM cannot do."""

from typing import TypeVar, cast

from django.db import connections, models, transaction
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row", bound=models.Model)


def update_returning(rows: "models.QuerySet[Row]", **values: object) -> list[Row]:
    """Update rows as `QuerySet.update` does. Returns them as they are stored then, with every column loaded."""
    query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
    query.add_update_values(values)
    compiler = query.get_compiler(using=rows.db)
    fields = rows.model._meta.concrete_fields
    columns = [field.get_col(rows.model._meta.db_table) for field in fields]
    statement, parameters = compiler.as_sql()
    names = ", ".join(compiler.quote_name_unless_alias(field.column) for field in fields)
    with transaction.mark_for_rollback_on_error(rows.db), connections[rows.db].cursor() as cursor:
        cursor.execute(f"{statement} RETURNING {names}", parameters)
        found = cursor.fetchall()
    converted = compiler.apply_converters(found, compiler.get_converters(columns))
    return [rows.model.from_db(rows.db, [field.attname for field in fields], values) for values in converted]
