"""Asking for a time that comes again: looked at as a whole first, then asked for in one transaction, all or nothing.

The report costs a constant number of queries. Asking costs what each reservation costs by itself, because each goes the way of a single
one (``reservations.reserve_one``): the same rules behind the same lock, the same money port, the same history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from booking import ports
from booking.models import Reservation, ReservationSeries
from booking.rules.length import require_length
from booking.rules.series import Occurrence, SeriesRule
from booking.rules.service_facts import UNSAID, Said
from booking.rules.states import ReservationState
from booking.services import conflicts, deciders, leader_news, notices, only_with_approval, reservations, spending
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.many_times import Look, Verdict
from booking.services.refusing import BOOKING_ROLES
from booking.services.reservations import Part, ReservationRequest
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.time_range import TimeRange
from instruments.models import Organisation
from instruments.services.notices import person

ROUTE = "booking.series"


@dataclass(frozen=True, slots=True)
class Wish:
    """What every time of a series shares. ``organisation_id`` is the customer on whose account it goes, ``fund_card_id`` what each
    pays with. ``override_reason``: why the lab's own people book all of them in spite of its rules. ``service_direction``, ``fund_source``:
    what the national record asks."""

    instrument_id: int
    organisation_id: int
    rule: SeriesRule
    service_mode: str
    purpose: str = ""
    research_project: str = ""
    fund_card_id: int | None = None
    override_reason: str = ""
    service_direction: str = ""
    fund_source: str = ""
    said: Said = UNSAID
    """What programmes that ask are told of each time."""
    addons: tuple[tuple[str, int], ...] = ()
    """What is used besides each time: codes of the price's add-ons with how many."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One time that is wanted: the ``ordinal``-th, as planned or at another time, with the figures that the customer saw;
    ``addons_fen``: what its add-ons come to, as they were seen (None: no figure was)."""

    ordinal: int
    during: TimeRange
    expected: ports.ExpectedFigures = ports.NOTHING_EXPECTED
    addons_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One time of the report. ``during`` is what is looked at: the planned time or another that was picked; None where clocks jump over
    the planned one (then there is no verdict). ``wanted``: whether it was picked."""

    occurrence: Occurrence
    during: TimeRange | None
    wanted: bool
    verdict: Verdict | None

    @property
    def is_free(self) -> bool:
        return self.verdict is not None and self.verdict.is_free

    @property
    def is_moved(self) -> bool:
        return self.during != self.occurrence.during


@dataclass(frozen=True, slots=True)
class Report:
    """A series as it would be asked for now; ``rows`` in order, one for each time of the rule."""

    context: BookingContext
    customer: Organisation
    wish: Wish
    rows: list[Row]

    @property
    def wanted(self) -> list[Row]:
        """The rows that would be asked for."""
        return [row for row in self.rows if row.wanted]

    @property
    def is_possible(self) -> bool:
        """Whether all that is wanted can be had, and anything is."""
        return bool(self.wanted) and all(row.is_free for row in self.wanted)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the reservations in order of their ordinals. ``state`` is "approved" where nobody has to
    agree to any of them, and else "requested"."""

    series_id: int
    reservation_ids: tuple[int, ...]
    state: str
    replayed: bool


def report(actor: Actor, wish: Wish, now: datetime, picks: Sequence[Pick] | None = None) -> Report:
    """What would become of each time of a series. Without ``picks`` everything that can be had is wanted.

    What is wanted is looked at in turn, so that quotas count over the series; what is not wanted is looked at by itself beside it. Nothing
    is written or locked. Raises NotFound, Forbidden, Refusal ``series.*``.
    """
    if wish.organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    context = booking_context.load(actor, wish.instrument_id, lock=False, customer_id=wish.organisation_id)
    context = only_with_approval.applied(context, actor.user_id, wish.organisation_id, now)
    overrides = bool(wish.override_reason.strip())
    if overrides:
        reservations.require_may_override(actor, context.instrument)
    customer = Organisation.objects.get(pk=wish.organisation_id)
    occurrences = wish.rule.occurrences(context.zone)
    picked = _by_ordinal(picks, occurrences) if picks is not None else None
    times = [_meant(one, picked) for one in occurrences]
    looked_at = [during for during in times if during is not None]
    if not looked_at:
        raise Refusal.of("series.only_gaps", "starts_at")
    look = Look(context, actor.user_id, customer, looked_at, wish.service_mode, now, overrides=overrides)
    wanted = [one.ordinal in picked if picked is not None else True for one in occurrences]
    payment = spending.reasons_seen(actor, context, customer.pk, wish.fund_card_id, looked_at, now)
    undecided = deciders.reasons_of_each(actor, [context], customer.pk).get(context.instrument.pk, [])
    besides = {during: [*unpaid, *undecided] for during, unpaid in zip(looked_at, payment, strict=True)}
    return Report(context, customer, wish, _rows(look, occurrences, times, wanted, besides, chosen=picked is not None))


def _rows(
    look: Look,
    occurrences: Sequence[Occurrence],
    times: Sequence[TimeRange | None],
    wanted: Sequence[bool],
    besides: Mapping[TimeRange, Sequence[Reason]],
    *,
    chosen: bool,
) -> list[Row]:
    """``besides``: why it could not be paid so, or who asks could have nobody decide about it. ``chosen``: somebody said what is wanted;
    otherwise it is what can be had."""
    known = [place for place, during in enumerate(times) if during is not None]
    turn = [place for place in known if wanted[place]]
    beside = [place for place in known if not wanted[place]]
    found = look.at_all([times[place] for place in turn], [times[place] for place in beside])  # type: ignore[misc]  # none is None
    verdicts = dict(zip([*turn, *beside], (one.also_against(besides[one.during]) for one in found), strict=True))
    rows = []
    for place, occurrence in enumerate(occurrences):
        verdict = verdicts.get(place)
        free = verdict is not None and verdict.is_free
        rows.append(Row(occurrence, times[place], wanted[place] if chosen else free, verdict))
    return rows


def _by_ordinal(picks: Sequence[Pick], occurrences: Sequence[Occurrence]) -> dict[int, Pick]:
    """Raises Refusal ``series.pick_unknown`` for a time that is picked twice or that the rule does not have,
    ``booking.range_too_long``."""
    found = {pick.ordinal: pick for pick in picks}
    if len(found) != len(picks) or not found.keys() <= {one.ordinal for one in occurrences}:
        raise Refusal.of("series.pick_unknown", "picks")
    for pick in picks:
        require_length(pick.during.duration)
    return found


def _meant(occurrence: Occurrence, picked: dict[int, Pick] | None) -> TimeRange | None:
    pick = picked.get(occurrence.ordinal) if picked else None
    return pick.during if pick is not None else occurrence.during


def ask(actor: Actor, wish: Wish, picks: Sequence[Pick], now: datetime, *, idempotency_key: str) -> Asked:
    """Ask for all ``picks`` at once, all or nothing.

    Raises NotFound, Forbidden, Refusal ``series.nothing_picked``, ``series.pick_unknown``, Conflict ``series.not_all`` with the time that
    cannot be had any more and the reasons against it (look at a fresh report), Busy.
    """
    if not picks:
        raise Refusal.of("series.nothing_picked", "picks")
    shared = reservations.cleaned(_request(wish, picks[0]))
    wish = replace(
        wish,
        purpose=shared.purpose,
        research_project=shared.research_project,
        override_reason=shared.override_reason,
    )

    def effect() -> dict[str, Any]:
        made = _ask(actor, wish, picks, now)
        return {"series": made[0].series_id, "reservations": [one.pk for one in made], "state": str(_state(made))}

    payload = {**shared.payload(), "rule": wish.rule.document(), "picks": [_pick_payload(pick) for pick in picks]}
    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return Asked(result["series"], tuple(result["reservations"]), result["state"], replayed)


def _state(made: Sequence[Reservation]) -> ReservationState:
    """Of all together: approved is what has nobody to wait for."""
    approved = all(one.state == ReservationState.APPROVED for one in made)
    return ReservationState.APPROVED if approved else ReservationState.REQUESTED


def _pick_payload(pick: Pick) -> list[Any]:
    return [pick.ordinal, pick.during.starts_at.isoformat(), pick.during.ends_at.isoformat()]


def _request(wish: Wish, pick: Pick) -> ReservationRequest:
    return ReservationRequest(
        wish.instrument_id,
        wish.organisation_id,
        pick.during,
        wish.service_mode,
        wish.purpose,
        wish.research_project,
        pick.expected,
        override_reason=wish.override_reason,
        fund_card_id=wish.fund_card_id,
        service_direction=wish.service_direction,
        fund_source=wish.fund_source,
        said=wish.said,
        addons=ports.Addons(wish.addons, pick.addons_fen),
    )


def _ask(actor: Actor, wish: Wish, picks: Sequence[Pick], now: datetime) -> list[Reservation]:
    if wish.organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    context = booking_context.load(actor, wish.instrument_id, lock=True, customer_id=wish.organisation_id)
    if wish.override_reason.strip():
        reservations.require_may_override(actor, context.instrument)
    occurrences = wish.rule.occurrences(context.zone)
    chosen = _by_ordinal(picks, occurrences)
    series = ReservationSeries.objects.create(
        instrument=context.instrument,
        organisation_id=wish.organisation_id,
        requested_by_id=actor.person_id,
        rule=wish.rule.document(),
        zone=context.zone.key,
        planned=len(occurrences),
        created_at=now,
    )
    with notices.told_together():
        made = [_ask_one(actor, wish, chosen[ordinal], context, series, now) for ordinal in sorted(chosen)]
    after = {"rule": series.rule, "ordinals": sorted(chosen)}
    audit.record(actor, "series.request", series, now, after=after)
    _tell(series, made, now)
    return made


def _ask_one(
    actor: Actor, wish: Wish, pick: Pick, context: BookingContext, series: ReservationSeries, now: datetime
) -> Reservation:
    """Raises Conflict ``series.not_all`` for whatever stands in the way: one that cannot be had undoes all."""
    starts_at = pick.during.starts_at.astimezone(context.zone).isoformat()
    with conflicts.undoing_all(Reason("series.not_all", {"starts_at": starts_at}, "picks"), ordinal=pick.ordinal):
        return reservations.reserve_one(actor, _request(wish, pick), now, Part(series.pk, pick.ordinal))


def _tell(series: ReservationSeries, made: Sequence[Reservation], now: datetime) -> None:
    """The customer hears of those that are approved at once; a leader, once, of those that wait for them; the lab of the others, and of
    these when the leader has agreed."""
    lab = made[0].instrument.organisation_id
    asked = spending.waiting_for_leaders(made)
    waiting = {row.reservation_id for row in asked}
    if asked:
        leader_news.asked_of_series(series, asked, now)
    booked = [one for one in made if one.state == ReservationState.APPROVED]
    ready = [one for one in made if one.state == ReservationState.REQUESTED and one.pk not in waiting]
    if booked:
        notices.tell_of_series(series, booked, {"series.booked": person(series.requested_by_id)}, now)
    if ready:
        who = notices.told_managers(lab, now) | deciders.told_heads(ready[0])
        notices.tell_of_series(series, ready, {notices.SERIES_REQUESTED: who}, now)
