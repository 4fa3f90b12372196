"""Samples of the demo's firms at its labs: a job in every state that a page shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from billing.pricing import sample_prices
from booking.models import Sample, SampleJob
from booking.rules.samples import Direction, ExtraEvent, Remains, SampleStep
from booking.services import sample_extras, sample_jobs, sample_reports, sample_steps
from booking.services.enquiry_files import Attachment
from booking.services.sample_jobs import Wish
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from instruments.models import Resource, ResourceKind

#: How far each job of the demo has come.
_REACHED = ("asked", "accepted", "received", "preparing", "tested", "reported", "closed")
_STEPS = {"received": SampleStep.RECEIVE, "preparing": SampleStep.PREPARE, "tested": SampleStep.TEST}


def send(people: People, now: datetime) -> dict[str, int]:
    """Play the jobs of the first firm at the first lab; returns how many there are."""
    items = items_of(people, now)
    for place, job in enumerate(words("samples")["jobs"]):
        if items:
            play(people, items[place % len(items)], job, now, f"demo-samples-{place}")
    return {"sample jobs": SampleJob.objects.count()}


def items_of(people: People, now: datetime) -> list[Resource]:
    """The first lab's published test items whose price counts samples."""
    rows = Resource.objects.filter(organisation=people.owners[0], kind=ResourceKind.TEST_ITEM, published=True)
    found = list(rows.select_related("test_item", "organisation").order_by("pk"))
    counted = sample_prices.counted([each.pk for each in found], now.date())
    return [each for each in found if each.pk in counted]


def play(people: People, item: Resource, told: dict[str, Any], now: datetime, key: str) -> None:
    """One job of the first firm at the first lab, as far as it is told."""
    firm, lab = people.customers[0], people.owners[0]
    asker, manager = people.actor(firm, Role.RESEARCHER), people.actor(lab, Role.LAB_MANAGER)
    at = now - timedelta(days=told["days_ago"], hours=told["hours"])
    arrives = sample_jobs.local_day(lab.pk, at) + timedelta(days=told["arrives"])
    names = tuple(told["names"])
    wish = Wish(item.pk, firm.pk, told["samples"], arrives, names=names, note=told["note"], hazards=told["hazards"])
    pk = sample_jobs.ask(asker, wish, at, idempotency_key=key).pk
    at += timedelta(hours=1)
    if told["life"] == "refused":
        sample_jobs.refuse(manager, pk, told["reason"], at)
    elif told["life"] != "asked":
        sample_jobs.accept(manager, pk, at)
        _work(manager, asker, pk, told, at)


def _work(manager: Actor, asker: Actor, pk: int, told: dict[str, Any], at: datetime) -> None:
    """Parcels, scans, charges and the report, a day or so apart; a job that is being prepared has one sample tested already."""
    if "parcel" in told:
        carrier, number = told["parcel"]
        sample_steps.note_parcel(asker, pk, Direction.TO_LAB, carrier, number, at + timedelta(hours=2))
    ids = list(Sample.objects.filter(job_id=pk).order_by("position").values_list("pk", flat=True))
    last = _REACHED.index(told["life"])
    for days, (state, step) in enumerate(_STEPS.items(), start=told["arrives"]):
        if _REACHED.index(state) <= last:
            sample_steps.take(manager, ids, step, at + timedelta(days=days))
    at += timedelta(days=told["arrives"] + 3)
    if "extra" in told:
        kind, text, fen = told["extra"]
        sample_extras.propose(manager, pk, kind, text, fen, at)
    if "extra_agreed" in told:
        kind, text, fen = told["extra_agreed"]
        extra = sample_extras.propose(manager, pk, kind, text, fen, at)
        sample_extras.answer(asker, extra.pk, ExtraEvent.AGREE, at + timedelta(hours=1))
    if last >= _REACHED.index("reported"):
        at += timedelta(days=7)
        written = words("samples")["report"].format(reference=SampleJob.objects.get(pk=pk).reference)
        report = Attachment(written.encode(), "report.csv")
        sample_reports.report(manager, pk, report, told["report_note"], at)
    if told["life"] == "closed":
        sample_reports.close(asker, pk, at + timedelta(days=1))
        carrier, number = told["parcel_back"]
        sample_steps.note_parcel(manager, pk, Direction.BACK, carrier, number, at + timedelta(days=2))
        sample_steps.set_remains(manager, ids, Remains.RETURNED, at + timedelta(days=2))
