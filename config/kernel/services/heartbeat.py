"""What ran when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.kernel.models import Heartbeat

#: Under which name the job says what it found of what must always be true (``checked``, and ``broken``: how many by name).
CHECKED = "booking.check_invariants"


def beat(name: str, now: datetime, **detail: Any) -> None:
    """Remember that ``name`` ran at ``now``."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now, "detail": detail})


def forget(name: str) -> None:
    """Drop what is known of ``name``, so that its next beat is surely a new one."""
    Heartbeat.objects.filter(name=name).delete()
