"""A published version ends before the last day of its document: because the next one begins, or because the programme is stopped (ADR 59).

A version may end from today on and not earlier: a day that is over was quoted and charged by its rules. A successor may begin today (the
version before it then ends yesterday: what was booked for today before stays with it); without a successor today is the earliest last day.
The document stays as it is, and what was promised under it stays promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from psycopg.types.range import DateRange

from billing.subsidy.end_models import VersionEnd
from billing.subsidy.models import ProgrammeVersion
from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from instruments.services.catalogue_jobs import ask_for_rebuild

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """``version`` would hold until ``last_on`` instead of ``last_before``."""

    version: ProgrammeVersion
    last_before: date
    last_on: date


@dataclass(frozen=True, slots=True)
class Beside:
    """What publishing for some days does to the other versions of the programme: it ends one, or ``reasons`` say why it cannot be."""

    ends: Ending | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who publishes has seen that ``version_id`` ends (None: nothing ends); the author handed that in at ``asked_at``."""

    version_id: int | None
    asked_at: datetime


def today_of(now: datetime) -> date:
    """The day in the platform's zone."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def beside(programme_id: int, days: DateRange, today: date) -> Beside:
    """What publishing a version of a programme for ``days`` would do to the published ones; one query."""
    rows = ProgrammeVersion.objects.filter(programme_id=programme_id, published_at__isnull=False, valid__overlap=days)
    found = [_beside_one(other, cast("date", days.lower), today) for other in rows.defer("document").order_by("valid")]
    reasons = tuple(each for each in found if isinstance(each, Reason))
    return Beside(next((each for each in found if isinstance(each, Ending)), None) if not reasons else None, reasons)


def _beside_one(other: ProgrammeVersion, first_day: date, today: date) -> Ending | Reason:
    if other.valid.lower >= first_day:
        code = "programme.overlaps"
    elif first_day < today:
        code = "programme.ends_in_the_past"
    else:
        return Ending(other, other.last_on, first_day - DAY)
    params = {"label": other.label, "first_on": other.valid.lower.isoformat(), "last_on": other.last_on.isoformat()}
    earliest = {"earliest_on": max(today, other.valid.lower + DAY).isoformat()} if code == "programme.ends_in_the_past" else {}
    return Reason(code, params | earliest, "$.validity")


def refuse_unconfirmed(ends: Ending | None, confirmed_id: int | None) -> None:
    """Raises Refusal ``programme.ending_unconfirmed`` or ``programme.ends_nothing`` (``ends``) where what was confirmed is not what would
    end."""
    if ends is not None and ends.version.pk != confirmed_id:
        days = {"last_on": ends.last_on.isoformat(), "before_on": ends.last_before.isoformat()}
        raise Refusal.of("programme.ending_unconfirmed", "ends", label=ends.version.label, **days)
    if ends is None and confirmed_id is not None:
        raise Refusal.of("programme.ends_nothing", "ends")


def end_for(actor: Actor, successor: ProgrammeVersion, ends: Ending, asked_at: datetime, now: datetime) -> VersionEnd:
    """End a version for the one that the actor publishes next in this transaction, proposed by that one's author."""
    row = VersionEnd.objects.create(
        version=ends.version,
        successor=successor,
        last_before=ends.last_before,
        last_on=ends.last_on,
        state=VersionEnd.State.SET,
        asked_by_id=cast("int", successor.author_id),
        asked_at=asked_at,
        decided_by_id=actor.user_id,
        decided_at=now,
    )
    shorten(actor, row, now)
    return row


def shorten(actor: Actor, row: VersionEnd, now: datetime) -> None:
    """Let the version hold as a record that was set says. Every selection goes by these days from now on."""
    version = row.version
    version.valid = DateRange(version.valid.lower, row.last_on + DAY)
    version.save(update_fields=["valid"])
    successor = None if row.successor is None else row.successor.label
    before, after = {"last_on": row.last_before.isoformat()}, {"last_on": row.last_on.isoformat(), "successor": successor}
    audit.record(actor, "programme.end", version, now, before=before, after=after, reason=row.reason)
    ask_for_rebuild()


def another_took_over(programme_id: int, expected: date, on: date) -> bool:
    """Whether one version of a programme holds on the day that was expected, and another one on the day that it became."""
    rows = ProgrammeVersion.objects.filter(programme_id=programme_id, published_at__isnull=False)
    return rows.filter(Q(valid__contains=expected) | Q(valid__contains=on)).count() > 1
