"""Statements that are planned once for each connection."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.statements import planned_once

pytestmark = pytest.mark.django_db
SQL = "SELECT %(number)s::int + length(%(text)s::text)"


def ask(number: int) -> int:
    with planned_once() as cursor:
        cursor.execute(SQL, {"number": number, "text": "it's"})
        return int(cursor.fetchone()[0])


def kept_ready() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [text for (text,) in cursor.fetchall() if "length($2::text)" in text]


def test_what_is_asked_again_is_kept_ready_and_answers_for_other_values() -> None:
    assert [ask(number) for number in range(100, 104)] == [104, 105, 106, 107]
    assert len(kept_ready()) == 1


def test_without_prepared_statements_the_answers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    connection.connection._prepared.clear()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    before = len(kept_ready())
    assert [ask(number) for number in range(4)] == [4, 5, 6, 7]
    assert len(kept_ready()) == before


def test_the_log_of_statements_shows_the_values() -> None:
    with CaptureQueriesContext(connection) as captured:
        ask(7)
    assert captured.captured_queries[0]["sql"] == "SELECT 7::int + length('it''s'::text)"


def test_rows_are_the_same_however_they_are_sent() -> None:
    sql = """
    SELECT '2026-03-29 01:30:00.123456+00'::timestamptz, '1901-12-13 20:45:52+00'::timestamptz, 7::bigint, 'it''s'::text, NULL::int,
           tstzrange('2026-03-29 01:30+00', '2026-03-29 02:30+00'), ARRAY['a', 'b'], true, 1.50::numeric
    """
    rows = []
    for binary in (False, True):
        with planned_once(binary=binary) as cursor:
            cursor.execute(sql)
            rows.append(cursor.fetchall())
    assert rows[0] == rows[1] and repr(rows[1][0][0]) == repr(rows[0][0][0])
