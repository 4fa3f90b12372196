"""The national service records of an owner: agreed sessions, also those that nobody was charged for, and closed sample jobs.

They name people, so only who runs or accounts for the lab reads them. A fixed number of queries however many there are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q

from billing.settlement.exports import plain_cell
from booking.models import Reservation, SampleJob, SessionRating, UsageSession
from booking.queries.utilisation import READERS, Days, period_for
from booking.rules.samples import JobState, SampleState
from booking.rules.service_facts import direction_of, fund_source_of, fund_sources
from booking.rules.use_period import Period, Span
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Forbidden
from instruments.models import Instrument, Organisation, OrganisationKind
from instruments.rules.own_numbers import own_number
from instruments.rules.spending import is_in_house
from instruments.rules.standards import service_record
from instruments.rules.standards.service_record import SAMPLES, ServiceFacts
from instruments.services.answer_time import zone_of_owner


def asked(actor: Actor, owner_id: int, span: Span, days: Days, now: datetime) -> tuple[Period, list[dict[str, str]]]:
    """The records of services that began in the days that people name (local days of the platform), by start.

    Raises NotFound, Forbidden, Refusal ``utilisation.*`` for the days.
    """
    owner = get_visible(Organisation.objects.filter(kind=OrganisationKind.OWNER), actor, pk=owner_id)
    if owner.pk not in actor.organisations(*READERS):
        raise Forbidden.of("access.role_needed", roles=[str(role) for role in READERS])
    period = period_for(owner, span, days, now)
    code = owner.identifiers.filter(scheme="uscc").values_list("value", flat=True).first() or ""
    found = [*_sessions(actor, owner, code, period), *_jobs(actor, owner, code, period)]
    return period, [
        service_record.service_record(facts) for facts in sorted(found, key=lambda facts: (facts.starts, facts.reference))
    ]


def as_csv(records: Iterable[dict[str, str]]) -> bytes:
    """With the Chinese headings, in UTF-8 with a byte order mark."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([heading for _key, heading in service_record.columns()])
    for record in records:
        writer.writerow([plain_cell(value) for value in record.values()])
    return out.getvalue().encode("utf-8-sig")


def _bounds(period: Period) -> tuple[datetime, datetime]:
    zone = ZoneInfo(settings.TIME_ZONE)
    first, after = period.first_on, period.last_on + timedelta(days=1)
    return datetime(first.year, first.month, first.day, tzinfo=zone), datetime(after.year, after.month, after.day, tzinfo=zone)


def _sessions(actor: Actor, owner: Organisation, code: str, period: Period) -> Iterable[ServiceFacts]:
    rows = visible_to(Reservation.objects.all(), actor).filter(
        instrument__organisation=owner, session__agreed_at__isnull=False, session__actual_starts_at__range=_bounds(period)
    )
    wanted = ("session", "instrument__site", "organisation", "requested_by", "rating", "charge", "commission")
    for row in rows.select_related(*wanted).defer("charge__inputs", "charge__result"):
        session, charge = row.session, getattr(row, "charge", None)
        during = session.billable or session.actual or session.booked
        zone = ZoneInfo(row.instrument.site.time_zone)
        yield ServiceFacts(
            owner_code=code,
            instrument_number=_number(row.instrument),
            reference=row.reference,
            amount_fen=charge.gross_fen if charge is not None else None,
            starts=during.starts_at.astimezone(zone),
            ends=during.ends_at.astimezone(zone),
            minutes=_minutes(session),
            samples=0,
            content=row.purpose,
            way=row.service_mode,
            **_said(row),
            stars=_stars(row),
            inside=is_in_house(row.organisation_id, owner.pk),
            signed=hasattr(row, "commission"),
        )


def _minutes(session: UsageSession) -> int:
    """What was billed; of what nobody was charged for, how long it was used."""
    if session.billable is not None:
        return session.billable_minutes or 0
    return -(-session.actual.seconds // 60) if session.actual is not None else 0


def _jobs(actor: Actor, owner: Organisation, code: str, period: Period) -> Iterable[ServiceFacts]:
    """On the first instrument behind the test item, where there is one; from the receipt of the samples to the end of the tests."""
    rows = visible_to(SampleJob.objects.all(), actor).filter(lab=owner, state=JobState.CLOSED, tested_at__range=_bounds(period))
    rows = rows.annotate(tested=Count("samples", filter=Q(samples__state=SampleState.TESTED)))
    rows = rows.select_related("resource", "organisation", "requested_by", "rating", "charge", "commission")
    zone = zone_of_owner(owner.pk)
    for row in rows.prefetch_related("resource__test_item__instruments").defer("charge__inputs", "charge__result"):
        charge, behind = getattr(row, "charge", None), list(row.resource.test_item.instruments.all())
        ends = (row.tested_at or row.asked_at).astimezone(zone)
        yield ServiceFacts(
            owner_code=code,
            instrument_number=_number(min(behind, key=lambda one: one.pk)) if behind else "",
            reference=row.reference,
            amount_fen=charge.gross_fen if charge is not None else None,
            starts=(row.received_at or row.asked_at).astimezone(zone),
            ends=ends,
            minutes=0,
            samples=row.tested,
            content=row.resource.name,
            way=SAMPLES,
            **_said(row),
            stars=_stars(row),
            inside=is_in_house(row.organisation_id, owner.pk),
            signed=hasattr(row, "commission"),
        )


def _stars(row: Reservation | SampleJob) -> int:
    """Those of a rating that is not hidden; 0 without."""
    rating: SessionRating | None = getattr(row, "rating", None)
    return rating.stars if rating is not None and rating.hidden_at is None else 0


def _said(row: Reservation | SampleJob) -> dict[str, Any]:
    """Who was served and what was said, or is derived, of what it was for."""
    names = {each.code: each.name for each in fund_sources()}
    return {
        "research_project": row.research_project,
        "fund_source": names[fund_source_of(row.fund_source, row.research_project)],
        "person": str(row.requested_by),
        "email": row.requested_by.email,
        "customer": row.organisation.name,
        "direction": direction_of(row.service_direction, row.organisation.kind).value,
    }


def _number(instrument: Instrument) -> str:
    return instrument.inner_id or own_number(instrument.pk, instrument.created_at)
