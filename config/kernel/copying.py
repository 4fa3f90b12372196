"""Rows by COPY: a row is what is given, and the model's own defaults for everything else. None is NULL, as Django saves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from django.db import connection
from django.db.models import Field, JSONField, Model
from psycopg import sql

from config.kernel.json_text import json_text


class JsonText(str):
    """The value of a JSON column as its text, for whoever has written it already."""

    __slots__ = ()

    @classmethod
    def of(cls, value: object) -> JsonText:
        return cls(json_text(value))


def copy_rows(model: type[Model], rows: Iterable[Mapping[str, Any]], now: datetime | None = None) -> int:
    """Write the rows (by attribute names, with their ids) in one COPY; returns how many. Constraints and triggers hold as ever. ``now``:
    for what the model dates itself."""
    fields: list[Field[Any, Any]] = [field for field in model._meta.concrete_fields if not field.generated]
    usual = {field.attname: _default(field, now) for field in fields}
    columns = sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields)
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), columns)
    json_fields = [field.attname for field in fields if isinstance(field, JSONField)]
    return copy_in(command, (_values(usual, row, json_fields) for row in rows))


def _values(usual: Mapping[str, Any], row: Mapping[str, Any], json_fields: Sequence[str]) -> list[Any]:
    values = {**usual, **row}
    for name in json_fields:
        if values[name] is not None and type(values[name]) is not JsonText:
            values[name] = JsonText.of(values[name])
    return [*values.values()]


def copy_in(command: sql.Composable | LiteralString, rows: Iterable[Sequence[Any]]) -> int:
    """Rows by one COPY; returns how many. What the database refuses is raised as Django raises it, so that whoever waited for a lock in
    vain is told so and a deadlock is tried again as with every other statement."""
    count = 0
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(command) as copy:
        for count, row in enumerate(rows, start=1):  # noqa: B007  (what it is at the end counts)
            copy.write_row(row)
    return count


def next_ids(model: type[Model], count: int) -> list[int]:
    """That many ids of a table which nobody else gets, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH ids AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence)"
            " SELECT nextval(sequence) FROM ids, generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return sorted(pk for (pk,) in cursor.fetchall())


def after_ids(model: type[Model]) -> None:
    """Let the sequence go on after the ids that were given."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT coalesce(max(id), 1) FROM {}))").format(
                sql.Literal(table), sql.Identifier(table)
            )
        )


def _default(field: Field[Any, Any], now: datetime | None) -> Any:
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return now
    return field.get_default()
