"""What is always true of papers that are numbered in a series and rendered, whoever issues them."""

from __future__ import annotations

from config.kernel.invariants import register_sql


def numbers_have_no_gap(name: str, letters: str, table: str, of: str) -> None:
    """The rows of ``table`` bear ``letters``-year-1 to the last number that was given, each once, in the series of ``of`` (SQL of a row)
    and the year."""
    register_sql(
        name,
        counted=f"SELECT count(*) FROM {table}",  # noqa: S608  (our own table names)
        violations=rf"""
            WITH numbered AS (
                SELECT '{letters}/' || {of} || '/' || split_part(number, '-', 2) AS series,
                       split_part(number, '-', 3)::bigint AS place FROM {table}),
            given AS (SELECT key AS series, last FROM billing_numberseries WHERE key LIKE '{letters}/%')
            SELECT format('series %s: last number given %s; %s of {table}, numbered %s to %s', series, given.last, count(place),
                          min(place), max(place))
              FROM numbered FULL JOIN given USING (series)
             GROUP BY series, given.last
            HAVING count(place) IS DISTINCT FROM given.last OR min(place) <> 1 OR max(place) <> given.last
                OR count(DISTINCT place) <> count(place)""",  # noqa: S608
    )


def rendered_have_both_files(name: str, table: str) -> None:
    """What says that its files are made has a PDF and an XLSX."""
    register_sql(
        name,
        counted=f"SELECT count(*) FROM {table} WHERE render_state = 'done'",  # noqa: S608  (our own table names)
        violations=f"""
            SELECT format('%s of {table} is rendered and lacks a file', number)
              FROM {table} WHERE render_state = 'done' AND (pdf_id IS NULL OR xlsx_id IS NULL)""",  # noqa: S608
    )
