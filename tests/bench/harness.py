"""What every figure of ``make bench`` shares: a database of its own, a stage to measure on, percentiles, and the table."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

#: Monday 09:00 in Shanghai; measured sessions lie after it.
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``baseline`` was measured in the same run; ``ratio`` is value / baseline. Where ``value`` is server time,
    ``clock`` is what the clock on the wall said, which waits for everybody else on the machine too."""

    name: str
    value: float
    unit: str
    goal: str
    met: bool
    baseline: float | None = None
    baseline_is: str = ""
    clock: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: ``server`` is processor time of this process and of its database process together, which is all that a request needs
    where everything is in memory; ``clock`` is the time of the clock, the same on a machine that does nothing else."""

    server: float
    clock: float


def took(work: Callable[[], object]) -> Took:
    """What ``work`` needs, its statements over Django's connection included (but not helpers of theirs). Needs the database on this
    machine, and a connection that stays."""
    connection.ensure_connection()
    schedule = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    database, process, began = _nanoseconds(schedule), time.process_time_ns(), time.perf_counter()
    work()
    clock = time.perf_counter() - began
    used = time.process_time_ns() - process + _nanoseconds(schedule) - database
    return Took(used / 1e9, clock)


def _nanoseconds(schedule: Path) -> int:
    """How long a process has been on a processor so far (Linux)."""
    return int(schedule.read_text().split()[0])


def seconds_for(work: Callable[[], object]) -> float:
    """Wall time of ``work`` with the garbage collector at rest."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def best_of(times: int, work: Callable[[], object]) -> float:
    """The shortest of several runs: what the code needs when the machine does nothing else."""
    return min(seconds_for(work) for _ in range(times))


def on_cpu(process: Path) -> float:
    """Seconds that a process was on a CPU: the first of the nanoseconds in its ``schedstat``."""
    return int(process.read_text(encoding="ascii").split()[0]) / 1e9


def busy_seconds(times: int, work: Callable[[], object]) -> float:
    """The least CPU time that one of several runs took here and in the database process of this thread's connection: what the server
    needs, whatever else the machine does meanwhile. Where the system does not say (not Linux), the shortest by the clock."""
    connection.ensure_connection()
    database = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    if not database.exists():
        return best_of(times, work)
    return min(_busy(database, work) for _ in range(times))


def _busy(database: Path, work: Callable[[], object]) -> float:
    gc.collect()
    there, here = on_cpu(database), time.process_time()
    work()
    return time.process_time() - here + on_cpu(database) - there


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def hours_from_now(now: datetime = NOW) -> Iterator[tuple[datetime, datetime]]:
    """One-hour slots, each after the other, from two days ahead."""
    start = now + timedelta(days=2)
    while True:
        yield start, start + timedelta(hours=1)
        start += timedelta(hours=1)


@contextmanager
def silent_garbage() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def print_table(figures: Sequence[Figure], write: Callable[[str], object]) -> None:
    """A Markdown table, as it stands in docs/performance.md."""
    write("| figure | measured | baseline in the same run | ratio | goal | met |")
    write("|---|---|---|---|---|---|")
    for figure in figures:
        ratio = f"{figure.ratio:.2f}x" if figure.ratio is not None else ""
        baseline = f"{figure.baseline:,.3g} {figure.unit} ({figure.baseline_is})" if figure.baseline is not None else ""
        clock = f" ({figure.clock:,.3g} by the clock)" if figure.clock is not None else ""
        write(
            f"| {figure.name} | {figure.value:,.4g} {figure.unit}{clock} | {baseline} | {ratio} | {figure.goal}"
            f" | {'yes' if figure.met else 'NO'} |"
        )


def write_json(figures: Sequence[Figure], path: Path, about: dict[str, Any]) -> None:
    rows = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": about, "figures": rows}, indent=1) + "\n", encoding="utf-8")
