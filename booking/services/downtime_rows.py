"""What a downtime takes of its calendar, and which reservations it covers: read and written as part of the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from psycopg.types.range import TimestamptzRange

from booking.models import Downtime, Occupancy, OccupancySource, Reservation
from booking.rules.downtime import DowntimeKind
from booking.rules.subscribed import numbered
from config.kernel.access import Actor
from config.kernel.services import audit
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange, subtract
from instruments.models import BOOKABLE_STATUSES, Instrument


def expected_again(instruments: Iterable[Instrument]) -> dict[int, datetime]:
    """From when those of the instruments that do not run now are expected to, by id, where their labs said so: also an end that has
    passed while nobody closed it. One query, and none while all run."""
    down = [one.pk for one in instruments if one.status not in BOOKABLE_STATUSES]
    return dict(_breakdowns(down).values_list("instrument_id", "ends_at")) if down else {}


def works_again_at(instrument: Instrument, now: datetime) -> datetime | None:
    """When an instrument that does not run now is expected to, where its lab said so: everybody may know. No query while it runs."""
    if instrument.status in BOOKABLE_STATUSES:
        return None
    return _breakdowns([instrument.pk]).filter(ends_at__gt=now).values_list("ends_at", flat=True).first()


def _breakdowns(instrument_ids: Collection[int]) -> QuerySet[Downtime]:
    """The open one of each, where the instrument can be booked again once it is over."""
    return Downtime.objects.filter(
        instrument_id__in=instrument_ids, kind=DowntimeKind.BREAKDOWN, closed_at=None, status_before__in=BOOKABLE_STATUSES
    )


_REACHING = """
FROM booking_downtime d JOIN instruments_instrument o ON o.id = d.instrument_id
WHERE d.closed_at IS NULL AND d.ends_at > lower({during}) AND d.starts_at < upper({during}) AND o.calendar_id = {calendar}
"""
_WITHOUT_IT = "AND NOT EXISTS (SELECT FROM booking_occupancy taken WHERE taken.downtime_id = d.id AND taken.during && {during})"


def any_in(calendar: str, during: str) -> str:
    """SQL for another statement: whether an open downtime of that calendar reaches into ``during``."""
    return f"EXISTS (SELECT {_REACHING.format(calendar=calendar, during=during)})"


def any_kept_in(calendar: str, during: str) -> str:
    """SQL for another statement: whether ``kept_in`` would find one."""
    where = {"calendar": calendar, "during": during}
    return f"EXISTS (SELECT {_REACHING.format(**where)} {_WITHOUT_IT.format(**where)})"


_ASKED = {"calendar": "%(calendar)s", "during": "%(during)s::tstzrange"}
_KEPT_IN = f"""
SELECT d.starts_at, d.ends_at {_REACHING.format(**_ASKED)} {_WITHOUT_IT.format(**_ASKED)} ORDER BY d.starts_at, d.id LIMIT 1
"""


def in_the_way(calendar_id: int, during: TimeRange) -> list[TimeRange]:
    """The open downtimes of the calendar that reach into ``during``, now or planned, by start."""
    return [one.during for one in _open_in(during).filter(instrument__calendar_id=calendar_id)]


def kept_in(calendar_id: int, during: TimeRange) -> TimeRange | None:
    """The first open downtime that reaches into ``during`` without having taken any of that: somebody else keeps it, or did until now.

    A new reservation asks this where ``any_in`` says that there may be one.
    """
    values: dict[str, Any] = {"calendar": calendar_id, "during": TimestamptzRange(during.starts_at, during.ends_at)}
    with planned_once() as cursor:
        cursor.execute(_KEPT_IN, values)
        found = cursor.fetchone()
    return TimeRange(*found) if found else None


def _open_in(during: TimeRange) -> QuerySet[Downtime]:
    rows = Downtime.objects.filter(closed_at=None, ends_at__gt=during.starts_at)
    return rows.filter(starts_at__lt=during.ends_at).order_by("starts_at", "pk")


def could_be_used(reservation: Reservation) -> bool:
    """Whether the instrument is to run in the whole of the reservation's own time, as far as anybody said: a booking behind a repair is
    a promise like any other."""
    instrument = reservation.instrument
    again = expected_again([instrument]).get(instrument.pk)
    runs = instrument.status in BOOKABLE_STATUSES or (again is not None and again <= reservation.starts_at)
    return runs and not _open_in(reservation.during).filter(instrument=instrument).exists()


def covers(reservation: Reservation, now: datetime) -> bool:
    """Whether a reservation that was to begin by now cannot, because its instrument is out of service: nobody is blamed for not coming."""
    return covering(reservation, now) is not None


def covering(reservation: Reservation, now: datetime) -> Downtime | None:
    """The open downtime that keeps the reservation from beginning; what began before planned work goes on until that."""
    keeps_from_beginning = Q(starts_at__lte=reservation.starts_at) | Q(
        kind=DowntimeKind.BREAKDOWN, starts_at__lt=reservation.ends_at
    )
    rows = Downtime.objects.filter(keeps_from_beginning, instrument_id=reservation.instrument_id)
    return rows.filter(closed_at=None, starts_at__lte=now, ends_at__gt=reservation.starts_at).order_by("starts_at", "pk").first()


def insert(
    actor: Actor,
    instrument: Instrument,
    kind: DowntimeKind,
    during: TimeRange,
    note: str,
    now: datetime,
    *,
    words: str = "",
    words_en: str = "",
    status_before: str = "",
) -> Downtime:
    """A new downtime, which takes what is free of its time, with its line in the audit. The calendar is locked and rid of holds there,
    the texts are clean, and whether the actor may was asked."""
    row = Downtime.objects.create(
        instrument=instrument,
        kind=kind,
        starts_at=during.starts_at,
        ends_at=during.ends_at,
        note=note,
        words=words,
        words_en=words_en,
        status_before=status_before,
        made_by_id=actor.person_id,
        made_at=now,
    )
    fill(row, instrument.calendar_id)
    after = {"kind": row.kind, "starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat()}
    audit.record(actor, "downtime.declare", row, now, after=after, reason=row.note)
    return row


def fill(downtime: Downtime, calendar_id: int) -> bool:
    """Take everything of the downtime that nothing else takes, and nothing more; whether anything changed. The calendar is locked."""
    rows = Occupancy.objects.filter(downtime=downtime).values_list("pk", "during", "piece")
    ours = {TimeRange(during.lower, during.upper): (pk, piece or 0) for pk, during, piece in rows}
    others = Occupancy.objects.filter(
        calendar_id=calendar_id, blocking=True, during__overlap=TimestamptzRange(downtime.starts_at, downtime.ends_at)
    ).exclude(downtime=downtime)
    taken = [TimeRange(during.lower, during.upper) for during in others.values_list("during", flat=True)]
    wanted = subtract([downtime.during], taken)
    gone = [pk for during, (pk, _piece) in ours.items() if during not in wanted]
    fresh = [during for during in wanted if during not in ours]
    numbers = numbered(wanted, {during: piece for during, (_pk, piece) in ours.items()})
    if gone:
        Occupancy.objects.filter(pk__in=gone).delete()
    Occupancy.objects.bulk_create(
        Occupancy(
            calendar_id=calendar_id,
            during=TimestamptzRange(during.starts_at, during.ends_at),
            blocking=True,
            source=OccupancySource.MAINTENANCE,
            note=downtime.note,
            downtime=downtime,
            piece=numbers[during],
        )
        for during in fresh
    )
    return bool(gone or fresh)


def is_hit(reservation: Reservation, downtime: Downtime) -> bool:
    """Whether the reservation's own time, buffers included, reaches into that of its instrument's ``downtime``; what is only proposed for
    it does not count."""
    if reservation.instrument_id != downtime.instrument_id:
        return False
    span = TimestamptzRange(downtime.starts_at, downtime.ends_at)
    return reservation.occupancies.filter(source=OccupancySource.RESERVATION, during__overlap=span).exists()
