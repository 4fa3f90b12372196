"""``/healthz``: is the platform able to work? For load balancers and people; no log-in, no secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.checks import migrations_pending
from config.kernel.models import Heartbeat
from config.kernel.services.heartbeat import CHECKED

WORKER_SILENT_AFTER = timedelta(seconds=180)
#: The job that looks at the rows runs each hour; later than this, it fails or does not come to its end.
UNCHECKED_AFTER = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Health:
    """``problems`` is empty when all is well; ``facts`` are JSON-able."""

    problems: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database, schema and worker are well, else 503; the JSON says which."""
    health = look(timezone.now())
    body = {"status": "ok" if not health.problems else "failing", "problems": list(health.problems), **health.facts}
    return JsonResponse(body, status=200 if not health.problems else 503)


def look(now: datetime) -> Health:
    """Ask the database once for everything the page shows."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if _pending_migrations():
            return Health(("migrations",), {"database": "ok", "migrations": "pending"})
        beats = {beat.name: beat for beat in Heartbeat.objects.all()}
        failed_jobs, waiting_jobs = _jobs()
    except DatabaseError:
        return Health(("database",), {"database": "unreachable"})
    worker = beats.pop("worker", None)
    age = (now - worker.at).total_seconds() if worker else None
    silent = age is None or age > WORKER_SILENT_AFTER.total_seconds()
    return Health(
        ("worker",) if silent else (),
        {
            "database": "ok",
            "migrations": "applied",
            "worker_heartbeat_age_seconds": None if age is None else round(age),
            **_checked(beats.get(CHECKED), now),
            "periodic_last_run_at": {name: beat.at.isoformat() for name, beat in sorted(beats.items())},
            "jobs_failed": failed_jobs,
            "jobs_waiting": waiting_jobs,
        },
    )


def _checked(beat: Heartbeat | None, now: datetime) -> dict[str, Any]:
    """What the job that looks at the rows found, names and numbers alone, and whether it was lately. It is a warning and no failure:
    nobody is served better by a server that is taken out of service for it."""
    late = beat is None or now - beat.at > UNCHECKED_AFTER
    warnings = ["invariants_unchecked"] if late else []
    if beat is None:
        return {"warnings": warnings, "invariants": None}
    broken = beat.detail.get("broken", {})
    found = {"checked_at": beat.at.isoformat(), "checked": beat.detail.get("checked", 0), "broken": broken}
    return {"warnings": ["invariants", *warnings] if broken else warnings, "invariants": found}


_schema_seen: list[bool] = []


def _pending_migrations() -> bool:
    """Whether the schema is older than the code. Once it was complete, this process does not ask again."""
    if _schema_seen:
        return False
    if migrations_pending():
        return True
    _schema_seen.append(True)
    return False


def _jobs() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'todo') FROM procrastinate_jobs"
            " WHERE status IN ('failed', 'todo')"
        )
        failed, waiting = cursor.fetchone()
    return int(failed), int(waiting)
