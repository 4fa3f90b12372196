"""What a price that is not in force yet would have made of the last quarter: the sessions and sample jobs that were charged, priced anew.

Only the price is computed again, by the same function as a charge; subsidies and fees are not. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from billing.pricing.customers import customer_of
from billing.pricing.drafts import Written
from billing.pricing.public_days import use_of
from billing.pricing.rules.counted import CountedTerms
from billing.pricing.rules.pricing import price_session
from billing.pricing.rules.samples import SamplePrice, price_samples
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.subjects import Subject
from billing.settlement.models import Charge
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange

#: So many of the newest charges are priced anew for a page.
MOST = 2_000
SHOWN = 10
_QUARTER_MONTHS = 3


class Effect(NamedTuple):
    """One session or job: what it was charged before subsidies, and what it would be; None where its customer would have no price."""

    reference: str
    customer: str
    customer_class: str
    was_fen: int
    becomes_fen: int | None


@dataclass(frozen=True, slots=True)
class ClassEffect:
    """The sessions of one class (under the new price) together."""

    customer_class: str
    count: int
    was_fen: int
    becomes_fen: int


@dataclass(frozen=True, slots=True)
class Effects:
    """From ``first_on`` to ``last_on`` (local days, both included). ``left_out``: there were more than ``MOST``; ``unpriced``: without a
    price under the new one, and in no sum. ``largest`` are the ``SHOWN`` sessions that change most."""

    first_on: date
    last_on: date
    count: int
    was_fen: int
    becomes_fen: int
    classes: tuple[ClassEffect, ...]
    largest: tuple[Effect, ...]
    unpriced: int
    left_out: bool


def quarter_before(today: date) -> tuple[date, date]:
    """The first and the last day of the calendar quarter before the one of ``today``."""
    first_month = (today.month - 1) // _QUARTER_MONTHS * _QUARTER_MONTHS + 1
    last_on = today.replace(month=first_month, day=1) - timedelta(days=1)
    return last_on.replace(month=last_on.month - _QUARTER_MONTHS + 1, day=1), last_on


def effects_of(subject: Subject, made: Written, now: datetime) -> Effects:
    """The last quarter under ``made``: one query, whatever the number of sessions."""
    first_on, last_on = quarter_before(subject.today(now))
    begins, ends = (datetime.combine(day, time(), subject.zone) for day in (first_on, last_on + timedelta(days=1)))
    if made.terms is not None:
        found = list(_jobs(subject, made.terms, begins, ends))
    else:
        assert made.schedule is not None
        found = list(_sessions(subject, made.schedule, begins, ends))
    priced = [each for each in found[:MOST] if each.becomes_fen is not None]
    return Effects(
        first_on,
        last_on,
        len(priced),
        sum(each.was_fen for each in priced),
        sum(each.becomes_fen or 0 for each in priced),
        tuple(_by_class(priced)),
        tuple(sorted(priced, key=lambda each: -abs((each.becomes_fen or 0) - each.was_fen))[:SHOWN]),
        len(found[:MOST]) - len(priced),
        len(found) > MOST,
    )


def _by_class(effects: Iterable[Effect]) -> Iterator[ClassEffect]:
    groups: dict[str, list[Effect]] = {}
    for each in effects:
        groups.setdefault(each.customer_class, []).append(each)
    for name, rows in sorted(groups.items()):
        yield ClassEffect(name, len(rows), sum(row.was_fen for row in rows), sum(row.becomes_fen or 0 for row in rows))


def _sessions(subject: Subject, schedule: PriceSchedule, begins: datetime, ends: datetime) -> Iterator[Effect]:
    rows = Charge.objects.filter(
        reservation__instrument_id__in=[row.pk for row in subject.instruments],
        reservation__starts_at__gte=begins,
        reservation__starts_at__lt=ends,
    )
    for row in rows.select_related("reservation__organisation").order_by("-reservation__starts_at")[: MOST + 1]:
        reservation = row.reservation
        if reservation is None or row.inputs.get("nothing"):
            continue
        name = schedule.class_of(customer_of(reservation.organisation, subject.organisation_id))
        during = TimeRange(*(datetime.fromisoformat(row.inputs[end]) for end in ("starts_at", "ends_at")))
        zone = ZoneInfo(row.inputs["zone"])
        try:
            becomes: int | None = price_session(
                schedule, during, zone, name, use_of(schedule, reservation.service_mode, during, zone)
            ).gross_fen
        except Refusal:
            becomes = None
        yield Effect(reservation.reference, reservation.organisation.name, name, row.gross_fen, becomes)


def _jobs(subject: Subject, terms: CountedTerms, begins: datetime, ends: datetime) -> Iterator[Effect]:
    price = SamplePrice.of_terms(terms)
    rows = Charge.objects.filter(
        sample_job__resource_id__in=[row.pk for row in subject.test_items], created_at__gte=begins, created_at__lt=ends
    )
    for row in rows.select_related("sample_job__organisation").order_by("-created_at")[: MOST + 1]:
        job = row.sample_job
        if job is None:
            continue
        name = price.class_of(customer_of(job.organisation, subject.organisation_id))
        beyond = sum(each["amount_fen"] for each in row.inputs["extras"])
        on = date.fromisoformat(row.inputs["local_on"])
        try:
            becomes: int | None = price_samples(price, row.inputs["samples"], row.inputs["elements"], name, on).gross_fen + beyond
        except Refusal:
            becomes = None
        yield Effect(job.reference, job.organisation.name, name, row.gross_fen, becomes)
