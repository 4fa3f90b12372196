"""Files that a lab of the demo has handed over: one written, one waiting for a decision, one for its columns, one unreadable."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from instruments.services import import_runs
from instruments.services.import_runs import Asked


def hand_over(people: People, now: datetime) -> None:
    """The files of the first lab, hour by hour."""
    owner = people.owners[0]
    manager = people.actor(owner, Role.LAB_MANAGER)
    for place, each in enumerate(words("imports")):
        at = now - timedelta(hours=6 - place)
        run = import_runs.start(manager, Asked("instruments", each["layout"], owner.pk), each["text"].encode(), each["name"], at)
        import_runs.work(run.pk, at)
        if each["state"] == "done":
            import_runs.confirm(manager, run.pk, at)
            import_runs.work(run.pk, at)
