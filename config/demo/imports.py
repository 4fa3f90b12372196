"""Files that a lab of the demo has handed over: one written, one waiting for a decision, one for its columns, one unreadable."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from instruments.models import Instrument, Membership
from instruments.services import import_runs
from instruments.services.import_runs import Asked

COMPLETED = 5
ZONE = ZoneInfo("Asia/Shanghai")
WEEKS_BACK, WEEKS_AHEAD = 5, 2


def hand_over(people: People, now: datetime) -> None:
    """The files of the first lab, hour by hour."""
    owner = people.owners[0]
    manager = people.actor(owner, Role.LAB_MANAGER)
    _complete(people, now - timedelta(hours=7))
    bring_over(people, now - timedelta(hours=7))
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


def bring_over(people: People, now: datetime) -> None:
    """What the first lab kept before it came: Sunday mornings of the last weeks and the next ones, and a list that needs mending."""
    owner, said = people.owners[0], words("bringing")
    manager = people.actor(owner, Role.LAB_MANAGER)
    rows = list(_kept_before(people, now))
    run = import_runs.start(manager, Asked("bookings", "booking_list", owner.pk), _list(rows), said["done"]["file"], now)
    import_runs.work(run.pk, now)
    import_runs.confirm(manager, run.pk, now)
    import_runs.work(run.pk, now)
    wrong = [[f"Y-{place}", said["preview"]["unknown"] if place else row[1], *row[2:]] for place, row in enumerate(rows[:2])]
    kept = import_runs.start(manager, Asked("bookings", "booking_list", owner.pk), _list(wrong), said["preview"]["file"], now)
    import_runs.work(kept.pk, now)


def _kept_before(people: People, now: datetime) -> Iterable[list[str]]:
    said = words("bringing")["done"]
    of_firm = Membership.objects.filter(organisation=people.customers[0], role=Role.RESEARCHER).order_by("pk")
    email = of_firm.values_list("user__email", flat=True).first() or ""
    priced = Instrument.objects.filter(organisation=people.owners[0], status="normal", price_versions__isnull=False)
    number = priced.order_by("pk").values_list("inner_id", flat=True).first() or ""
    today = now.astimezone(ZONE).date()
    sunday = today - timedelta(days=today.isoweekday() % 7)
    for week in range(-WEEKS_BACK, WEEKS_AHEAD + 1):
        if not week:
            continue
        starts = datetime.combine(sunday + timedelta(weeks=week), time(5))
        ends = starts + timedelta(hours=2)
        evidence = said["evidence"].format(page=40 + week)
        yield [
            f"L-{100 + week}",
            email,
            number,
            f"{starts:%Y-%m-%d %H:%M}",
            f"{ends:%Y-%m-%d %H:%M}",
            said["purpose"],
            evidence,
            "",
        ]


def _list(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([words("bringing")["done"]["head"], *rows])
    return out.getvalue().encode()
