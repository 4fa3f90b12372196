"""Statements that the database plans once for each connection instead of each time.

For hand-written statements of hot paths: planning a join of six tables takes it longer than answering one. Their values are sent beside
the text, so each parameter needs one type that the database can tell: cast it (``%(name)s::bigint``) where it stands alone or in places of
different types, and name every column, as a kept plan cannot change what it returns.
"""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from psycopg.pq import Format


class _Logged(CursorDebugWrapper):
    """Django asks a cursor for the text that it sent; this one sends text and values apart, so they are put together for the log."""

    def execute(self, sql: Any, params: Any = None) -> Any:
        with self.debug_sql(self.db.ops.compose_sql(sql, params)):
            return CursorWrapper.execute(self, sql, params)


def planned_once(*, binary: bool = False) -> CursorWrapper:
    """A cursor as ``connection.cursor()`` gives, to be closed by ``with``. From the second time on (``JISHI_PREPARED_STATEMENTS``) the
    connection keeps the statement ready, and the database a plan for it where that is no worse than a new one each time.

    ``binary``: rows come as the database holds them. Hundreds of instants are read in a tenth of the time; JSON then comes as values and
    not as text, as Django's fields want it.
    """
    connection = connections[DEFAULT_DB_ALIAS]  # the proxy ``django.db.connection`` looks it up at each word
    connection.close_if_health_check_failed()
    if connection.connection is None:
        connection.ensure_connection()
    bare: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    if binary:
        bare.format = Format.BINARY
    return _Logged(bare, connection) if connection.queries_logged else connection.make_cursor(bare)
