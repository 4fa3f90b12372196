"""Much at once: what costs most for each row is built over all rows at the end, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction

_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid = %s::regclass AND NOT indisunique AND NOT indisexclusion ORDER BY indexrelid"""
_FOREIGN_KEYS = """
SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'f' ORDER BY oid"""


@contextmanager
def built_afterwards(*written: type[models.Model]) -> Iterator[None]:
    """Within it the tables have no plain indexes and no foreign keys; at its end they are made as they were, which checks every row.

    One transaction: whatever fails, the tables are left as they were found. Keys, unique and exclusion constraints and triggers stay
    all the time.
    """
    tables = [connection.ops.quote_name(model._meta.db_table) for model in written]
    with transaction.atomic(), connection.cursor() as cursor:
        afterwards: list[str] = []
        for table in tables:
            cursor.execute(_FOREIGN_KEYS, [table])
            keys = cursor.fetchall()
            cursor.execute(_INDEXES, [table])
            indexes = cursor.fetchall()
            drops = [f"DROP CONSTRAINT {name}" for name, _ in keys]
            if drops:
                cursor.execute(f"ALTER TABLE {table} {', '.join(drops)}")
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
            afterwards += [definition for _, definition in indexes]
            afterwards += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for name, definition in keys]
        yield
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for statement in afterwards:
            cursor.execute(statement)
