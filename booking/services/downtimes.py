"""An instrument is out of service, now or for planned work: what it takes, when it ends, and what becomes of the bookings in it.

The time is taken first, whole and at once. Then each booking is dealt with by itself, through the services that move, cancel and end
single reservations, so that money, notices and history are theirs; one that fails keeps its place and says why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from booking.models import Downtime, DowntimeEffect, Occupancy, OccupancySource, Reservation, ReservationChange, SampleJob
from booking.rules.changes import ChangeEvent, ChangeState, Side
from booking.rules.downtime import MOST_DECIDED, Became, Choice, DowntimeKind, choices_for, require_length
from booking.rules.sample_days import works_again_on
from booking.rules.states import ReservationState
from booking.services import (
    changes,
    conflicts,
    downtime_news,
    downtime_rows,
    holds,
    maintenance_plans,
    other_instrument,
    sample_promises,
    sessions,
    transitions,
)
from booking.services import context as booking_context
from booking.services.changes import ChangeRequest
from booking.services.sides import require_lab
from booking.services.state_writing import lock_row, seen_by
from config.kernel.access import NOBODY, Actor, Role, get_visible, visible_to
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.parking import each_parked
from config.kernel.time_range import TimeRange
from instruments.models import BOOKABLE_STATUSES, Instrument, InstrumentStatus
from instruments.rules.names import clean_name
from instruments.services import running_state, schedule_store
from instruments.services.answer_time import zone_of_owner

ROUTE, DECIDE_ROUTE = "booking.downtime", "downtime.decide"
NOTE_LENGTH, WORDS_LENGTH = 200, 400
BATCH = 500
_AHEAD = (ReservationState.REQUESTED, ReservationState.APPROVED)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a manager chose for one booking; ``times`` are those that are offered. ``elsewhere`` (instrument's id, from when) names an equal
    instrument to the customer, who can book it there; with ``Choice.ANOTHER`` it is offered as the booking's new place."""

    choice: Choice
    times: tuple[TimeRange, ...] = ()
    elsewhere: tuple[int, datetime] | None = None

    def payload(self) -> list[Any]:
        """What makes two decisions the same for idempotency."""
        times = [[one.starts_at.isoformat(), one.ends_at.isoformat()] for one in self.times]
        return [self.choice.value, times, [self.elsewhere[0], self.elsewhere[1].isoformat()] if self.elsewhere else []]


@dataclass(frozen=True, slots=True)
class Outage:
    """``during`` begins now for a breakdown, whatever it says, and where ``starts_now``: no start was named. ``note`` is for the lab,
    ``words`` (``words_en``) are for the customers. ``plan_id`` is the maintenance that comes again which it counts for (0: none).
    ``seen`` are the bookings that were shown with it; those without a decision keep their place and wait."""

    kind: DowntimeKind
    during: TimeRange
    note: str = ""
    words: str = ""
    words_en: str = ""
    decisions: Mapping[int, Decision] = field(default_factory=dict)
    seen: frozenset[int] = frozenset()
    starts_now: bool = False
    plan_id: int = 0

    def payload(self) -> dict[str, Any]:
        """What makes two calls the same for idempotency."""
        planned = self.kind is not DowntimeKind.BREAKDOWN and not self.starts_now
        return {
            "kind": self.kind.value,
            "from": self.during.starts_at.isoformat() if planned else "",
            "until": self.during.ends_at.isoformat(),
            "note": self.note,
            "words": self.words,
            "words_en": self.words_en,
            "plan": self.plan_id,
        }


def time_of(kind: DowntimeKind, starts_at: datetime | None, ends_at: datetime, now: datetime) -> TimeRange:
    """What an outage takes that ends then: a breakdown, and what names no start, begins now.

    Raises Refusal ``downtime.over``, ``calendar.end_before_start``.
    """
    first = now if starts_at is None or kind is DowntimeKind.BREAKDOWN else starts_at
    if ends_at <= now:
        raise Refusal.of("downtime.over", "ends_local")
    if first >= ends_at:
        raise Refusal.of("calendar.end_before_start", "ends_local")
    return TimeRange(first, ends_at)


def declare(actor: Actor, instrument_id: int, outage: Outage, now: datetime, *, idempotency_key: str) -> Downtime:
    """Take the instrument out of service, then deal with each booking as it was decided; returns the downtime with its effects.

    Raises NotFound, Forbidden, Refusal ``maintenance.too_long``, ``downtime.over``, ``downtime.open_already``, ``plan.breakdown``,
    ``names.*``, Conflict ``downtime.others_hit`` when a booking is hit that was not shown: nothing is done then.
    """
    outage = _cleaned(outage, now)

    def effect() -> dict[str, Any]:
        return {"id": _declare(actor, instrument_id, outage, now).pk}

    result, _replayed = transactions.run(
        lambda: idempotency.once(actor, ROUTE, idempotency_key, {"instrument": instrument_id, **outage.payload()}, now, effect)
    )
    downtime = downtime_of(actor, result["id"])
    done = set(_done(downtime).values_list("reservation_id", flat=True))
    decide_all(actor, downtime.pk, {pk: one for pk, one in outage.decisions.items() if pk not in done}, now)
    return downtime


def _cleaned(outage: Outage, now: datetime) -> Outage:
    during = time_of(outage.kind, outage.during.starts_at, outage.during.ends_at, now)
    require_length(during.duration)
    return Outage(
        outage.kind,
        during,
        clean_name(outage.note, NOTE_LENGTH, field="note") if outage.note.strip() else "",
        clean_name(outage.words, WORDS_LENGTH, field="words") if outage.words.strip() else "",
        clean_name(outage.words_en, WORDS_LENGTH, field="words_en") if outage.words_en.strip() else "",
        outage.decisions,
        outage.seen,
        outage.starts_now,
        outage.plan_id,
    )


def _declare(actor: Actor, instrument_id: int, outage: Outage, now: datetime) -> Downtime:
    context = booking_context.load(actor, instrument_id, lock=True)
    instrument = context.instrument
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
    if outage.kind is DowntimeKind.BREAKDOWN and _open_breakdown(instrument_id) is not None:
        raise Refusal.of("downtime.open_already")
    _refuse_unseen(instrument, outage.during, outage.seen, now)
    plan = maintenance_plans.plan_for(actor, outage.plan_id, instrument_id, outage.kind) if outage.plan_id else None
    holds.clear(instrument.calendar_id, outage.during, now)
    row = downtime_rows.insert(
        actor,
        instrument,
        outage.kind,
        outage.during,
        outage.note,
        now,
        words=outage.words,
        words_en=outage.words_en,
        status_before=_stop(instrument, outage, actor, now),
    )
    if plan is not None:
        maintenance_plans.count(row, plan, now)
    downtime_news.begun(row, len(hit(instrument, row.during, now)), now)
    return row


def _stop(instrument: Instrument, outage: Outage, actor: Actor, now: datetime) -> str:
    """A broken instrument is under repair; returns the running state that comes back, or "". Who had set it under repair by hand
    meant the same."""
    if outage.kind is not DowntimeKind.BREAKDOWN:
        return ""
    if instrument.status == InstrumentStatus.UNDER_REPAIR:
        return InstrumentStatus.NORMAL
    return running_state.follow(
        instrument.pk, InstrumentStatus.UNDER_REPAIR, actor, now, outage.note, only_from=BOOKABLE_STATUSES
    )


def _open_breakdown(instrument_id: int) -> Downtime | None:
    return Downtime.objects.filter(instrument_id=instrument_id, kind=DowntimeKind.BREAKDOWN, closed_at=None).first()


def hit(instrument: Instrument, during: TimeRange, now: datetime) -> list[int]:
    """The ids of what is booked, asked for, in use, or proposed to move into ``during``, also from another instrument, in order of start;
    where that holds now, also of a session that goes on beyond its booked end. What another instrument with the same calendar keeps is
    not hit: that one works."""
    states = [*_AHEAD, ReservationState.IN_USE]
    to_here = ReservationChange.objects.filter(reservation=OuterRef("pk"), state=ChangeState.OPEN, instrument=instrument)
    rows = Reservation.objects.filter(
        Q(instrument=instrument) | Q(Exists(to_here), occupancies__source=OccupancySource.CHANGE),
        occupancies__calendar_id=instrument.calendar_id,
        occupancies__during__overlap=(during.starts_at, during.ends_at),
        state__in=states,
    )
    found = set(rows.values_list("starts_at", "pk"))
    if during.starts_at <= now < during.ends_at:
        running = Reservation.objects.filter(instrument=instrument, state=ReservationState.IN_USE)
        found |= set(running.values_list("starts_at", "pk"))
    return [pk for _starts_at, pk in sorted(found)]


def _refuse_unseen(instrument: Instrument, during: TimeRange, seen: Collection[int], now: datetime) -> None:
    unseen = set(hit(instrument, during, now)[:MOST_DECIDED]) - set(seen)
    if unseen:
        raise Conflict(Reason("downtime.others_hit", {"count": len(unseen)}), extra={"reservations": sorted(unseen)})


# --- Booking by booking -----------------------------------------------------------------------------------------------
def decide_all(actor: Actor, downtime_id: int, decisions: Mapping[int, Decision], now: datetime) -> list[DowntimeEffect]:
    """Do with each booking what was decided, each by itself; sessions that a breakdown interrupts end without a decision.

    What was refused is kept as ``failed`` with its reasons and may be decided again. Raises NotFound, Forbidden, Refusal
    ``downtime.too_many``, ``downtime.closed``.
    """
    return _decide(actor, downtime_id, decisions, now, None)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that may come twice, even at once: what was decided ``since`` it came first is its own doing, or newer, and stays."""

    since: datetime
    again: bool

    def leaves(self, effect: DowntimeEffect | None) -> bool:
        if effect is None or effect.became == Became.FAILED:
            return False
        return effect.at >= self.since if self.again else effect.at > self.since


def _decide(
    actor: Actor, downtime_id: int, decisions: Mapping[int, Decision], now: datetime, call: _Call | None
) -> list[DowntimeEffect]:
    downtime = _require_open(actor, downtime_id, decisions)
    found = visible_to(Reservation.objects.filter(pk__in=hit(downtime.instrument, downtime.during, now)), actor)
    interrupted = interrupted_by(downtime)
    effects = []
    for row in found.order_by("starts_at", "pk"):
        if row.pk in interrupted:
            effects.append(_outcome(actor, downtime, row.pk, None, now, call))
        elif row.pk in decisions:
            effects.append(_outcome(actor, downtime, row.pk, decisions[row.pk], now, call))
    return effects


def decide_once(
    actor: Actor, downtime_id: int, decisions: Mapping[int, Decision], now: datetime, *, idempotency_key: str
) -> bool:
    """As ``decide_all`` under a key, which is kept before the first booking is dealt with: the same call again goes on where the first
    one was cut off, and leaves alone what was decided since. Returns whether it was such a call. Raises Refusal ``idempotency.*`` too."""
    asked = {"downtime": downtime_id, "decisions": {str(pk): one.payload() for pk, one in decisions.items()}}

    def effect() -> dict[str, Any]:
        _require_open(actor, downtime_id, decisions)
        return {"at": now.isoformat()}

    result, replayed = transactions.run(lambda: idempotency.once(actor, DECIDE_ROUTE, idempotency_key, asked, now, effect))
    call, left = _Call(datetime.fromisoformat(result["at"]), again=replayed), decisions
    if replayed:
        known = {one.reservation_id: one for one in downtime_of(actor, downtime_id).effects.all()}
        left = {pk: one for pk, one in decisions.items() if not call.leaves(known.get(pk))}
    if left:
        _decide(actor, downtime_id, left, now, call)
    return replayed


def move_promises(actor: Actor, downtime_id: int, promises: Mapping[int, date], now: datetime) -> dict[int, Refusal | None]:
    """Promise the results of sample jobs (by id) for later days because the instrument is out of service, each by itself, in the order of
    their present days; the customers are told with the outage's words. What was refused, by job, in that order; None: it is done.
    What was promised for that day already is left out: nobody is told of it.

    Raises NotFound, Forbidden, Refusal ``downtime.too_many``, ``downtime.closed``.
    """
    downtime = _require_open(actor, downtime_id, promises)
    lab_id = downtime.instrument.organisation_id
    rows = visible_to(SampleJob.objects.filter(pk__in=promises, lab_id=lab_id), actor).select_related("requested_by")
    works_on = works_again_on(downtime.ends_at, zone_of_owner(lab_id))
    done: dict[int, Refusal | None] = {}
    for job in rows.order_by("promised_on", "pk"):
        reason = downtime_news.reason_for_job(job, downtime)
        try:
            moved = sample_promises.move(actor, job.pk, promises[job.pk], reason, now, works_on=works_on)
        except Refusal as refusal:
            done[job.pk] = refusal
        else:
            if moved:
                done[job.pk] = None
    return done


def _done(downtime: Downtime) -> QuerySet[DowntimeEffect]:
    return downtime.effects.exclude(became=Became.FAILED)


def _require_open(actor: Actor, downtime_id: int, decisions: Collection[int]) -> Downtime:
    downtime = downtime_of(actor, downtime_id)
    actor.require_in(downtime.instrument.organisation_id, Role.LAB_MANAGER)
    if not downtime.is_open:
        raise Refusal.of("downtime.closed")
    if len(decisions) > MOST_DECIDED:
        raise Refusal.of("downtime.too_many", most=MOST_DECIDED)
    return downtime


def interrupted_by(downtime: Downtime) -> set[int]:
    """The ids of what was in use when it broke; who began since then works although it is out of service."""
    if downtime.kind != DowntimeKind.BREAKDOWN:
        return set()
    running = Reservation.objects.filter(instrument_id=downtime.instrument_id, state=ReservationState.IN_USE)
    return set(running.filter(session__actual_starts_at__lte=downtime.starts_at).values_list("pk", flat=True))


def _outcome(
    actor: Actor, downtime: Downtime, pk: int, decision: Decision | None, now: datetime, call: _Call | None
) -> DowntimeEffect:
    choice = decision.choice.value if decision else ""

    def note(became: Became, reasons: list[Any]) -> DowntimeEffect:
        values = {"choice": choice, "became": became.value, "reasons": reasons, "at": now}
        return DowntimeEffect.objects.update_or_create(downtime=downtime, reservation_id=pk, defaults=values)[0]

    def refused(refusal: Refusal) -> DowntimeEffect:
        lock_row(pk)
        return _left(downtime, pk, call) or note(Became.FAILED, [[one.code, one.params] for one in refusal.reasons])

    def work() -> DowntimeEffect:
        locked = other_instrument.locked_for(reservation, elsewhere_id)
        return _left(downtime, pk, call) or note(_deal_with(actor, downtime, locked, decision, now), [])

    reservation = seen_by(actor, pk)
    require_lab(reservation, actor)
    elsewhere_id = downtime.instrument_id if downtime.instrument_id != reservation.instrument_id else None
    try:
        with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id):
            return transactions.run(work)
    except Refusal as refusal:
        found = refusal  # the name of the clause ends with it
    return transactions.run(lambda: refused(found))


def _left(downtime: Downtime, pk: int, call: _Call | None) -> DowntimeEffect | None:
    """What stands for the booking already and stays; the booking is locked."""
    effect = DowntimeEffect.objects.filter(downtime=downtime, reservation_id=pk).first() if call else None
    return effect if call and call.leaves(effect) else None


def _deal_with(actor: Actor, downtime: Downtime, locked: Reservation, decision: Decision | None, now: datetime) -> Became:
    open_row = Downtime.objects.get(pk=downtime.pk)
    if not open_row.is_open:
        raise Refusal.of("downtime.closed")
    became = _act(actor, open_row, locked, decision, now)
    downtime_rows.fill(open_row, downtime.instrument.calendar_id)
    return became


def _act(actor: Actor, downtime: Downtime, locked: Reservation, decision: Decision | None, now: datetime) -> Became:
    if locked.state == ReservationState.IN_USE and decision is None:
        reason = downtime_news.reason_for(locked, downtime)
        sessions.finish(locked, actor, now, sessions.Ending(now, note=reason, fault=True))
        return Became.ENDED
    asks_oneself = locked.is_of(actor.user_id)
    allowed = choices_for(ReservationState(locked.state), locked.starts_at, now, asks_oneself=asks_oneself)
    if not downtime_rows.is_hit(locked, downtime):
        allowed = (Choice.KEEP,)
    if decision is None or decision.choice not in allowed:
        raise Refusal.of("downtime.choice", field="choice")
    named = None if decision.choice is Choice.ANOTHER else decision.elsewhere
    reason = downtime_news.reason_for(locked, downtime, named)
    if decision.choice is Choice.CANCEL:
        transitions.cancel(actor, locked.pk, now, reason, not_to=("lab.reservation_cancelled",))
        return Became.CANCELLED
    _end_proposals(locked, actor, now, reason)
    if decision.choice is Choice.OFFER:
        _offer(actor, downtime, locked, decision.times, now, reason)
        return Became.OFFERED
    if decision.choice is Choice.ANOTHER:
        _offer_another(actor, locked, decision.elsewhere, now, reason)
        return Became.OFFERED
    if downtime_rows.is_hit(locked, downtime):
        downtime_news.waits(locked, downtime, now, decision.elsewhere)
    return Became.KEPT


def _offer(actor: Actor, downtime: Downtime, locked: Reservation, times: Sequence[TimeRange], now: datetime, reason: str) -> None:
    if not times:
        raise Refusal.of("change.no_time", field="time")
    if any(during.overlaps(downtime.during) for during in times):
        raise Refusal.of("downtime.offered_within", field="time")
    first, *others = sorted(set(times))
    changes.change_one(actor, ChangeRequest(locked.pk, first, reason, others=tuple(others), side=Side.LAB), now)


def _offer_another(actor: Actor, locked: Reservation, place: tuple[int, datetime] | None, now: datetime, reason: str) -> None:
    """As long on another instrument of the lab, from then on."""
    if place is None or place[0] == locked.instrument_id:
        raise Refusal.of("change.no_instrument", field="elsewhere")
    instrument_id, starts_at = place
    during = TimeRange(starts_at, starts_at + locked.during.duration)
    changes.change_one(actor, ChangeRequest(locked.pk, during, reason, side=Side.LAB, instrument_id=instrument_id), now)


def _end_proposals(locked: Reservation, actor: Actor, now: datetime, reason: str) -> None:
    """A proposal of either side is overtaken by the outage: it ends, and the other side hears of it."""
    for row in ReservationChange.objects.filter(reservation=locked, state=ChangeState.OPEN):
        event = ChangeEvent.WITHDRAW if row.side == Side.LAB else ChangeEvent.REFUSE
        changes.end_overtaken(row, event, actor, now, reason)


# --- Its end ----------------------------------------------------------------------------------------------------------
def close(actor: Actor, downtime_id: int, now: datetime) -> Downtime:
    """It works again earlier than said (or planned work is called off): the rest of the time is free, the running state comes back,
    and those who wait are told. Raises NotFound, Forbidden, Refusal ``downtime.closed``."""
    downtime = downtime_of(actor, downtime_id)
    actor.require_in(downtime.instrument.organisation_id, Role.LAB_MANAGER)

    def work() -> Downtime:
        return _close(downtime, actor, now)

    return transactions.run(work)


def close_due(now: datetime) -> int:
    """Close what is over; returns how many. Safe to repeat."""
    due = Downtime.objects.filter(closed_at=None, ends_at__lte=now).select_related("instrument").order_by("ends_at")[:BATCH]

    def over(row: Downtime) -> bool:
        schedule_store.lock_calendars([row.instrument.calendar_id])
        fresh = Downtime.objects.get(pk=row.pk)
        return fresh.is_open and fresh.ends_at <= now and bool(_close(row, NOBODY, now))

    return each_parked(list(due), over, "downtime")


def _close(downtime: Downtime, actor: Actor, now: datetime) -> Downtime:
    schedule_store.lock_calendars([downtime.instrument.calendar_id])
    row = Downtime.objects.select_for_update(of=("self",)).select_related("instrument__site", "instrument__organisation")
    fresh = row.get(pk=downtime.pk)
    if not fresh.is_open:
        raise Refusal.of("downtime.closed")
    _release_begun(fresh.instrument_id, now)
    was_until = fresh.ends_at
    fresh.closed_at, fresh.closed_by_id = now, actor.user_id
    fresh.save(update_fields=["closed_at", "closed_by"])
    _give_back(fresh, now)
    if fresh.status_before:
        running_state.follow(
            fresh.instrument_id,
            InstrumentStatus(fresh.status_before),
            actor,
            now,
            "",
            only_from=[InstrumentStatus.UNDER_REPAIR],
        )
    audit.record(actor, "downtime.close", fresh, now, before={"until": was_until.isoformat()})
    downtime_news.over(fresh, _waiting_for(fresh, now, was_until), now)
    return fresh


def _give_back(downtime: Downtime, now: datetime) -> None:
    """What has passed stays as it was; what would still come is free."""
    own = Occupancy.objects.filter(downtime=downtime)
    own.filter(during__startswith__gte=now).delete()
    for row in own.filter(during__endswith__gt=now):
        row.during = (row.during.lower, now)
        row.save(update_fields=["during"])


def _waiting_for(downtime: Downtime, now: datetime, until: datetime) -> list[Reservation]:
    """Those who were told and whose place in it, were its end ``until``, still lies ahead."""
    told = downtime.effects.filter(became__in=[Became.KEPT, Became.OFFERED]).values("reservation_id")
    rows = Reservation.objects.filter(
        pk__in=told, state__in=_AHEAD, starts_at__gte=now, starts_at__lt=until, ends_at__gt=downtime.starts_at
    ).filter(instrument_id=downtime.instrument_id)
    return list(rows.select_related("instrument__site", "organisation").order_by("starts_at", "pk"))


def _tell_new_end(downtime: Downtime, before: datetime, now: datetime) -> None:
    """Those who were told that they wait: it works again before their time, or takes longer than they know."""
    told = _waiting_for(downtime, now, max(before, downtime.ends_at))
    if downtime.ends_at < before:
        downtime_news.free_again([one for one in told if one.starts_at >= downtime.ends_at], now)
    elif downtime.ends_at > before:
        for reservation in told:
            downtime_news.waits(reservation, downtime, now)


def prolong(actor: Actor, downtime_id: int, ends_at: datetime, seen: Collection[int], now: datetime) -> None:
    """It takes until another moment: later takes more time, where the bookings (``seen``: those that were shown) keep their places until
    they are decided; earlier gives time back. No session ends by that.

    Raises NotFound, Forbidden, Refusal ``downtime.closed``, ``downtime.over``, ``maintenance.too_long``, Conflict ``downtime.others_hit``.
    """
    downtime = downtime_of(actor, downtime_id)
    actor.require_in(downtime.instrument.organisation_id, Role.LAB_MANAGER)
    if ends_at <= now or ends_at <= downtime.starts_at:
        raise Refusal.of("downtime.over", "ends_local")
    require_length(ends_at - downtime.starts_at)

    def work() -> None:
        instrument = downtime.instrument
        schedule_store.lock_calendars([instrument.calendar_id])
        fresh = Downtime.objects.select_for_update(of=("self",)).get(pk=downtime_id)
        if not fresh.is_open:
            raise Refusal.of("downtime.closed")
        before = fresh.ends_at
        if ends_at > before:
            _refuse_unseen(instrument, TimeRange(before, ends_at), {*seen, *hit(instrument, fresh.during, now)}, now)
        fresh.ends_at = ends_at
        fresh.save(update_fields=["ends_at"])
        downtime_rows.fill(fresh, instrument.calendar_id)
        audit.record(
            actor, "downtime.prolong", fresh, now, before={"until": before.isoformat()}, after={"until": ends_at.isoformat()}
        )
        _tell_new_end(fresh, before, now)

    transactions.run(work)


# --- What time brings -------------------------------------------------------------------------------------------------
def release_due(now: datetime) -> int:
    """Cancel on the lab's side what was to begin by now on an instrument that is out of service; returns how many. Safe to repeat."""
    down = Downtime.objects.filter(instrument_id=OuterRef("instrument_id"), closed_at=None, starts_at__lte=now)
    due = Reservation.objects.filter(Exists(down), state__in=_AHEAD, starts_at__lte=now)
    ids = list(due.order_by("starts_at").values_list("pk", flat=True)[:BATCH])
    return each_parked(ids, lambda pk: _release(pk, now), "reservation in a downtime")


def _release_begun(instrument_id: int, now: datetime) -> None:
    """As ``release_due`` for one instrument, before its downtime ends: the job may not have come in between. Part of the caller's
    transaction."""
    begun = Reservation.objects.filter(instrument_id=instrument_id, state__in=_AHEAD, starts_at__lte=now)
    for pk in list(begun.order_by("starts_at", "pk").values_list("pk", flat=True)):
        _release(pk, now)


def _release(pk: int, now: datetime) -> bool:
    locked = lock_row(pk)
    downtime = downtime_rows.covering(locked, now)
    if locked.state not in _AHEAD or locked.starts_at > now or downtime is None:
        return False
    transitions.cancel_by_time(locked, now, downtime_news.reason_for(locked, downtime))
    downtime_rows.fill(downtime, locked.instrument.calendar_id)
    became = {"became": Became.CANCELLED.value, "reasons": [], "at": now}
    DowntimeEffect.objects.update_or_create(downtime=downtime, reservation=locked, defaults=became)
    return True


def settle_due(now: datetime) -> int:
    """Open downtimes take what became free of their time; returns how many did. Safe to repeat."""
    rows = Downtime.objects.filter(closed_at=None, ends_at__gt=now).select_related("instrument").order_by("pk")
    done, last = 0, 0

    def settle(row: Downtime) -> bool:
        schedule_store.lock_calendars([row.instrument.calendar_id])
        fresh = Downtime.objects.get(pk=row.pk)
        return fresh.is_open and fresh.ends_at > now and downtime_rows.fill(fresh, row.instrument.calendar_id)

    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        done += each_parked(batch, settle, "downtime")
        last = batch[-1].pk
    return done


def downtime_of(actor: Actor, downtime_id: int) -> Downtime:
    """The downtime with its instrument, when the actor may see it. Raises NotFound."""
    return get_visible(Downtime.objects.select_related("instrument__site", "instrument__organisation"), actor, pk=downtime_id)
