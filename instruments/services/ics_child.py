"""The process in which an iCalendar file is worked out: it can be stopped and has limits of its own, whatever the file makes it do.

Reads from standard input one line of JSON (zone, window) and then the file, answers one JSON document on standard output. Needs
neither Django nor the database.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.ics_reading import IcsFile, IcsRow, TooCostly, read_ics

CPU_SECONDS = 8
MEMORY_BYTES = 768 * 1024**2
SERIES_SECONDS = 0.5


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":  # elsewhere the limit is either not kept or forbids what is mapped already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGVTALRM, _too_costly)
    asked = json.loads(sys.stdin.buffer.readline())
    window = TimeRange(*(datetime.fromisoformat(each) for each in asked["window"]))
    try:
        answer = written(read_ics(sys.stdin.buffer.read(), ZoneInfo(asked["zone"]), window, _bounded))
    except Refusal as refusal:
        answer = {"refusal": [[reason.code, reason.params, reason.field] for reason in refusal.reasons]}
    json.dump(answer, sys.stdout)


@contextmanager
def _bounded() -> Iterator[None]:
    """Half a second of work for each series."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SERIES_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _too_costly(*_: object) -> None:
    raise TooCostly


def written(file: IcsFile) -> dict[str, Any]:
    """The file as JSON."""
    return {"title": file.title, "rows": [_written_row(row) for row in file.rows]}


def _written_row(row: IcsRow) -> list[Any]:
    starts, ends = (moment.isoformat() if moment else None for moment in (row.starts_at, row.ends_at))
    reason = [row.reason.code, row.reason.params] if row.reason else None
    return [row.line, row.fate, row.uid, row.recurrence, row.title, starts, ends, row.all_day, row.cancelled, reason]


def read_back(answer: dict[str, Any]) -> IcsFile:
    """What ``written`` wrote. Raises the Refusal that the file met."""
    if "refusal" in answer:
        raise Refusal(*(Reason(code, params, field) for code, params, field in answer["refusal"]))
    return IcsFile(answer["title"], tuple(_row(values) for values in answer["rows"]))


def _row(values: list[Any]) -> IcsRow:
    line, fate, uid, recurrence, title, starts, ends, all_day, cancelled, reason = values
    starts_at, ends_at = (datetime.fromisoformat(each) if each else None for each in (starts, ends))
    return IcsRow(line, fate, uid, recurrence, title, starts_at, ends_at, all_day, cancelled, Reason(*reason) if reason else None)


if __name__ == "__main__":
    main()
