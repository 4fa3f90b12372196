"""Files that a lab of the demo has handed over: one written, one waiting for a decision, one for its columns, one unreadable."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from instruments.models import Instrument
from instruments.services import import_runs
from instruments.services.import_runs import Asked

COMPLETED = 5


def hand_over(people: People, now: datetime) -> None:
    """The files of the first lab, hour by hour."""
    owner = people.owners[0]
    manager = people.actor(owner, Role.LAB_MANAGER)
    _complete(people, now - timedelta(hours=7))
    for place, each in enumerate(words("imports")):
        at = now - timedelta(hours=6 - place)
        run = import_runs.start(manager, Asked("instruments", each["layout"], owner.pk), each["text"].encode(), each["name"], at)
        import_runs.work(run.pk, at)
        if each["state"] == "done":
            import_runs.confirm(manager, run.pk, at)
            import_runs.work(run.pk, at)


def _complete(people: People, now: datetime) -> None:
    """A list with what national reporting asks for, of some of the first lab's instruments."""
    owner = people.owners[0]
    manager = people.actor(owner, Role.LAB_MANAGER)
    template = words("national")
    rows = Instrument.objects.filter(organisation=owner).order_by("pk").values_list("inner_id", "name")[:COMPLETED]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["inner_id", "name", *template["fields"]])
    for number, name in rows:
        writer.writerow([number, name, *(text.format(name=name, number=number) for text in template["fields"].values())])
    run = import_runs.start(manager, Asked("instruments", "csv", owner.pk), out.getvalue().encode(), template["file"], now)
    import_runs.work(run.pk, now)
    import_runs.confirm(manager, run.pk, now)
    import_runs.work(run.pk, now)
