"""Where one reserve spends its time in the process, for ``python -m tests.bench --profile``: by our own functions, with all that each
calls, and by what drivers and frameworks do for them. The profiler makes every call dearer, so the shares count and not the times."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterator

from django.conf import settings

from config.kernel.time_range import TimeRange
from tests.bench.harness import hours_from_now, silent_garbage
from tests.bench.reserve import reserve_one
from tests.bench.stage import Stage

WARM, COUNT, SHOWN = 60, 200, 36
#: Of others' functions those that say what is waited for, and what the ORM costs.
OTHERS = {
    ("psycopg/connection.py", "wait"): "waiting for the database",
    ("psycopg/cursor.py", "execute"): "all statements, their values bound",
    ("django/db/models/query.py", "_fetch_all"): "rows by the ORM",
    ("django/db/backends/base/base.py", "commit"): "commit",
    ("procrastinate/jobs.py", "batch_defer"): "the job's row",
}


def reserve_profile(stage: Stage) -> str:
    """Lines with the share of a reserve, and the place."""
    hours = hours_from_now()
    profiler = cProfile.Profile()
    with silent_garbage():
        for number in range(WARM + COUNT):
            if number == WARM:
                profiler.enable()
            reserve_one(stage, stage.instruments[0], TimeRange(*next(hours)), f"profile {number}")
        profiler.disable()
    stats = pstats.Stats(profiler)
    whole = max(time for _name, time in _times(stats))
    rows = sorted(_times(stats), key=lambda row: -row[1])[:SHOWN]
    calls = stats.total_calls / COUNT  # type: ignore[attr-defined]  # not in the stubs
    return "\n".join([*(f"{time / whole:6.1%}  {name}" for name, time in rows), f"{calls:,.0f} calls of functions in all"])


def _times(stats: pstats.Stats) -> Iterator[tuple[str, float]]:
    """Each place that is shown, with the seconds that it and all it calls took."""
    own, bench = f"{settings.BASE_DIR}/", f"{settings.BASE_DIR}/tests/"
    for (path, _line, name), (_, _, _, cumulated, _) in stats.stats.items():  # type: ignore[attr-defined]  # as above
        other = next((says for (end, called), says in OTHERS.items() if path.endswith(end) and called == name), None)
        if other is not None:
            yield other, cumulated
        elif path.startswith(own) and "/site-packages/" not in path and not path.startswith(bench):
            yield f"{path.removeprefix(own)} {name}", cumulated
