"""How far long work is, and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` and ``failed`` of ``total``; ``seconds_left`` at the speed of this turn of work (None: not known yet)."""

    total: int
    done: int
    failed: int
    seconds_left: int | None = None

    @property
    def tried(self) -> int:
        return self.done + self.failed


def progress(total: int, done: int, failed: int, turn_done: int, turn_at: datetime | None, now: datetime) -> Progress:
    """``turn_done`` were tried before the present turn of work began at ``turn_at`` (None: it has not)."""
    tried = done + failed
    since = tried - turn_done
    if turn_at is None or since <= 0 or tried >= total:
        return Progress(total, done, failed)
    spent = max(0.0, (now - turn_at).total_seconds())
    return Progress(total, done, failed, round(spent * (total - tried) / since))
