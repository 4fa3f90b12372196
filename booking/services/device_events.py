"""Taking in what devices tell: each event once, in whatever order and however late it comes, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db.models import Max, Min, Q

from booking.models import DeviceEvent, DeviceKey, DeviceRun, RunState
from booking.rules import device_clock
from booking.rules.device_runs import DeviceEvent as ToldEvent
from booking.rules.device_runs import EventKind, Run, runs_of
from booking.services import device_matching
from config.kernel.errors import Refusal
from config.kernel.services import transactions
from config.kernel.services.parking import each_parked
from instruments.models import Instrument

MOST_EVENTS = 500
OLDEST = timedelta(days=90)
"""Older events help nobody any more: their month is closed."""
AHEAD = timedelta(minutes=5)
"""How far after our now an event may lie, by our clock."""
REACH = timedelta(days=2)
"""No run is longer; events further apart have nothing to do with each other."""
UNDECIDED = (RunState.MATCHED, RunState.OPEN)


@dataclass(frozen=True, slots=True)
class Told:
    """One event. ``event_id`` is the device's own; ``at`` by its clock; ``instrument_id`` may be left out with the key of one."""

    event_id: str
    kind: EventKind
    at: datetime
    instrument_id: int | None = None
    device: str = ""
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """``sent_at``: what the device took for now when it sent."""

    sent_at: datetime
    events: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one event: ``stored``, ``repeated`` or ``refused`` with a code."""

    event_id: str
    result: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    skew_seconds: int
    fates: list[Fate]


def receive(key: DeviceKey, batch: Batch, now: datetime) -> Receipt:
    """Store a batch and draw the conclusions, one transaction per instrument; the same batch twice changes nothing.

    Codes of a refused event: ``device.instrument_unknown``, ``device.event_too_old``, ``device.event_in_future``,
    ``device.event_differs`` (the id was used for another event). Raises Refusal ``device.too_many_events`` (``events``),
    ``device.clock_unmeasurable`` (``sent_at``).
    """
    if len(batch.events) > MOST_EVENTS:
        raise Refusal.of("device.too_many_events", "events", maximum=MOST_EVENTS)
    skew = device_clock.skew(batch.sent_at, now)
    if not device_clock.is_measurable(skew):
        raise Refusal.of("device.clock_unmeasurable", "sent_at", years=device_clock.MEASURABLE.days // 365)
    known = _instruments(key, batch.events)
    fates: dict[int, Fate] = {}
    places: dict[int, list[int]] = {}
    for place, told in enumerate(batch.events):
        instrument_id = told.instrument_id if told.instrument_id is not None else key.instrument_id
        code = _fault(told, known.get(instrument_id or 0), skew, now)
        if code:
            fates[place] = Fate(told.event_id, "refused", code)
        else:
            places.setdefault(instrument_id or 0, []).append(place)
    for instrument_id in sorted(places):
        rows = [(place, batch.events[place]) for place in places[instrument_id]]
        fates |= transactions.run(partial(_take_in, key, known[instrument_id], rows, skew, now))
    DeviceKey.objects.filter(pk=key.pk).update(seen_at=now, skew_seconds=int(skew.total_seconds()))
    return Receipt(int(skew.total_seconds()), [fates[place] for place in range(len(batch.events))])


def reconsider_silent(now: datetime) -> int:
    """Look again at runs without a stop from which nothing was heard for a while; returns how many changed. Safe to repeat."""
    quiet = DeviceRun.objects.filter(state=RunState.MATCHED, ends_at__isnull=True, heard_at__gte=now - OLDEST)
    runs = list(quiet.select_related("instrument").order_by("pk"))
    return each_parked(runs, lambda run: device_matching.reconsider(run.instrument, run.pk, now), "run of a device")


def _instruments(key: DeviceKey, events: Iterable[Told]) -> dict[int, Instrument]:
    """Those of the named instruments that the key may speak for."""
    wanted = {told.instrument_id or key.instrument_id or 0 for told in events}
    rows = Instrument.objects.filter(pk__in=wanted, organisation_id=key.organisation_id)
    if key.instrument_id is not None:
        rows = rows.filter(pk=key.instrument_id)
    return {one.pk: one for one in rows}


def _fault(told: Told, instrument: Instrument | None, skew: timedelta, now: datetime) -> str:
    if instrument is None:
        return "device.instrument_unknown"
    at = device_clock.corrected(told.at, skew)
    if at < now - OLDEST:
        return "device.event_too_old"
    return "device.event_in_future" if at > now + AHEAD else ""


def _take_in(
    key: DeviceKey, instrument: Instrument, rows: Sequence[tuple[int, Told]], skew: timedelta, now: datetime
) -> dict[int, Fate]:
    device_matching.lock_calendar(instrument)
    known = _stored(instrument, [told for _place, told in rows])
    fates: dict[int, Fate] = {}
    fresh: dict[tuple[str, str], DeviceEvent] = {}
    for place, told in rows:
        name = (told.device, told.event_id)
        before = known.get(name) or fresh.get(name)
        if before is None:
            fresh[name] = _row(key, instrument, told, skew, now)
            fates[place] = Fate(told.event_id, "stored")
        elif (before.kind, before.device_at, before.value) == (told.kind.value, told.at, told.value):
            fates[place] = Fate(told.event_id, "repeated")
        else:
            fates[place] = Fate(told.event_id, "refused", "device.event_differs")
    DeviceEvent.objects.bulk_create(fresh.values())
    for device in sorted({device for device, _event_id in fresh}):
        _rebuild(instrument, device, [one for one in fresh.values() if one.device == device], now)
    return fates


def _stored(instrument: Instrument, events: Sequence[Told]) -> dict[tuple[str, str], DeviceEvent]:
    rows = DeviceEvent.objects.filter(instrument=instrument, event_id__in=[told.event_id for told in events])
    return {(one.device, one.event_id): one for one in rows}


def _row(key: DeviceKey, instrument: Instrument, told: Told, skew: timedelta, now: datetime) -> DeviceEvent:
    return DeviceEvent(
        key=key,
        instrument=instrument,
        device=told.device,
        event_id=told.event_id,
        kind=told.kind.value,
        device_at=told.at,
        at=device_clock.corrected(told.at, skew),
        arrived_at=now,
        skew_seconds=int(skew.total_seconds()),
        value=told.value,
    )


def _rebuild(instrument: Instrument, device: str, fresh: Sequence[DeviceEvent], now: datetime) -> None:
    """The runs around the new events, anew from all events that no person has decided about."""
    first, last = min(one.at for one in fresh) - REACH, max(one.at for one in fresh) + REACH
    span = DeviceEvent.objects.filter(instrument=instrument, device=device, at__range=(first, last))
    spanned = span.aggregate(first=Min("run__starts_at"), last=Max("run__heard_at"))
    whole = Q(at__range=(min(spanned["first"] or first, first), max(spanned["last"] or last, last)))
    free = Q(run__isnull=True) | Q(run__state__in=UNDECIDED)
    rows = {one.pk: one for one in DeviceEvent.objects.filter(whole, free, instrument=instrument, device=device)}
    told = [ToldEvent(one.pk, EventKind(one.kind), one.at) for one in rows.values()]
    before = {one.run_id for one in rows.values() if one.run_id is not None}
    used: set[int] = set()
    touched = {one.pk for one in fresh}
    for run in runs_of(told):
        row = _run_row(instrument, device, run, rows, used, now)
        DeviceEvent.objects.filter(pk__in=run.keys).exclude(run=row).update(run=row)
        if touched & set(run.keys) or row.pk not in before:
            device_matching.settle(instrument, row, run, now)
    DeviceRun.objects.filter(pk__in=before - used).delete()


def _run_row(
    instrument: Instrument, device: str, run: Run, rows: Mapping[int, DeviceEvent], used: set[int], now: datetime
) -> DeviceRun:
    """The stored row of a run: that of one of its events which no earlier run has taken, or a new one."""
    known = [rows[key].run_id for key in run.keys]
    pk = next((one for one in known if one is not None and one not in used), None)
    skews = [rows[key].skew_seconds for key in run.keys]
    facts = {
        "starts_at": run.starts_at,
        "ends_at": run.ends_at,
        "heard_at": run.heard_at,
        "started": run.started,
        "skew_seconds": max(skews, key=abs),
    }
    if pk is None:
        problem = "no_reservation"
        row = DeviceRun.objects.create(
            instrument=instrument, device=device, state=RunState.OPEN, problem=problem, noticed_at=now, **facts
        )
    else:
        DeviceRun.objects.filter(pk=pk).update(**facts)
        row = DeviceRun.objects.get(pk=pk)
    used.add(row.pk)
    return row
