"""Asking for time on an instrument: the one write path of a new reservation (page, API and demo alike)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg.types.range import TimestamptzRange

from booking import ports
from booking.models import Reservation
from booking.rules.length import require_length
from booking.rules.service_facts import UNSAID, Said, kept, said_faults, service_faults
from booking.rules.spending import Wait
from booking.rules.standing import may_be_overridden
from booking.rules.states import ReservationState
from booking.services import (
    assisting,
    auto_approval,
    conflicts,
    consents,
    deciders,
    downtime_rows,
    entering,
    holds,
    notices,
    only_with_approval,
    spending,
    transitions,
)
from booking.services import context as booking_context
from booking.services.context import OVERLAPPING, BookingContext
from booking.services.entering import Entered
from booking.services.refusing import BOOKING_ROLES, refusal_reasons
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import idempotency, transactions
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation
from instruments.rules.names import clean_name
from instruments.rules.spending import FIELD

ROUTE = "booking.reserve"


@dataclass(frozen=True, slots=True)
class ReservationRequest:
    """What is asked for. ``organisation_id`` is the customer on whose account it goes, ``fund_card_id`` what it pays with; ``during``
    is without buffers.

    With an ``override_reason`` the lab's own people book in spite of its own rules; the reason and what was overridden are kept.
    """

    instrument_id: int
    organisation_id: int
    during: TimeRange
    service_mode: str
    purpose: str = ""
    research_project: str = ""
    expected: ports.ExpectedFigures = ports.NOTHING_EXPECTED
    override_reason: str = ""
    fund_card_id: int | None = None
    for_person_id: int | None = None
    """A colleague in whose name it is booked, with their consent: the rules about people and cards are theirs. None: one's own."""
    service_direction: str = ""
    fund_source: str = ""
    """For the national record of the service (``booking.rules.service_facts``); empty: derived when that is written."""
    said: Said = UNSAID
    """What programmes that ask are told: kind of service, way of settlement, rate, answers."""
    addons: ports.Addons = ports.NO_ADDONS
    """What of the price's add-ons is used besides the time; agreed with this."""
    entered: Entered | None = None
    """A manager of the instrument's lab enters it for ``for_person_id``, the customer's person. None: who asks books for an own
    organisation."""

    def payload(self) -> dict[str, Any]:
        """What makes two calls the same for idempotency."""
        return {
            "instrument": self.instrument_id,
            "organisation": self.organisation_id,
            "starts_at": self.during.starts_at.isoformat(),
            "ends_at": self.during.ends_at.isoformat(),
            "service_mode": self.service_mode,
            "purpose": self.purpose,
            "research_project": self.research_project,
            **({"override_reason": self.override_reason} if self.override_reason else {}),
            **({"fund_card": self.fund_card_id} if self.fund_card_id is not None else {}),
            **({"service_direction": self.service_direction} if self.service_direction else {}),
            **({"fund_source": self.fund_source} if self.fund_source else {}),
            **{name: text for name, text in self.said._asdict().items() if text},
            **({"for_person": self.for_person_id} if self.for_person_id is not None else {}),
            **({"entered": [self.entered.email, self.entered.evidence]} if self.entered is not None else {}),
            **({"addons": [list(each) for each in self.addons.chosen]} if self.addons.chosen else {}),
        }


@dataclass(frozen=True, slots=True)
class Reserved:
    """``state`` is "requested", or "approved" where the lab asks for no approval."""

    reservation_id: int
    state: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """With what a reservation is asked for: its place in a series, or the group that it belongs to, and who shall assist in it if they
    can."""

    series_id: int | None = None
    ordinal: int | None = None
    group_id: int | None = None
    helper_id: int | None = None


ALONE = Part()


def reserve(actor: Actor, request: ReservationRequest, now: datetime, *, idempotency_key: str) -> Reserved:
    """Ask for a reservation.

    Raises NotFound (instrument, fund card), Forbidden (not a member of the organisation), Refusal with *every* broken rule, and
    ``consent.missing`` (``for_person``), ``booking.nobody_decides`` (``organisation``; a manager's own request that nobody could decide
    about), ``card.choose`` (one that the colleague does not spend from), Conflict
    ``booking.just_taken``, ``booking.nobody_assists`` with ``extra["alternatives"]`` (ISO pairs in the site's zone; the first one with
    ``extra["elsewhere"]`` too), ``booking.asked_already`` (by the same person, where requests compete), Busy. What the lab enters for
    somebody: Forbidden for others than its managers, and what ``entering.person_of`` raises.
    """
    request = cleaned(request)

    def effect() -> dict[str, Any]:
        reservation = reserve_one(actor, request, now)
        return {"id": reservation.pk, "state": reservation.state}

    asked = (request.instrument_id, request.during, now, request.organisation_id, request.service_mode)
    with conflicts.answered(actor, *asked, equal=True):
        result, replayed = transactions.run(
            lambda: idempotency.once(actor, ROUTE, idempotency_key, request.payload(), now, effect)
        )
    return Reserved(result["id"], result["state"], replayed)


def cleaned(request: ReservationRequest) -> ReservationRequest:
    """The request with its texts on one line each. Raises Refusal for what is too long or no text."""
    purpose = one_line(request.purpose, 500, "purpose")
    project = one_line(request.research_project, 200, "research_project")
    override = one_line(request.override_reason, 300, "override_reason")
    Refusal.raise_any([*service_faults(request.service_direction, request.fund_source), *said_faults(request.said)])
    entered = request.entered
    if entered is not None:
        entered = replace(entered, evidence=one_line(entered.evidence, 300, "customer_yes"))
    request = replace(request, said=kept(request.said), entered=entered)
    return replace(request, purpose=purpose, research_project=project, override_reason=override)


def one_line(text: str, max_length: int, field: str) -> str:
    """The text with single blanks. Raises Refusal ``name.*`` for what is too long or no text."""
    text = " ".join(text.split())
    return clean_name(text, max_length, field=field) if text else ""


def reserve_one(actor: Actor, request: ReservationRequest, now: datetime, part: Part = ALONE) -> Reservation:
    """One reservation as part of the caller's transaction; ``request`` is ``cleaned``. Raises as ``reserve``, ``conflicts.Taken``."""
    entered, customer_id = request.entered, request.organisation_id
    if entered is None and customer_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    require_length(request.during.duration)
    person_id, whose = request.for_person_id, actor
    if entered is not None:  # before anything is locked, and before anybody learns of a customer whose lab this is not
        whose = entering.person_of(actor, request.instrument_id, customer_id, person_id or 0, entered.email)
    context, customer = booking_context.load_for_customer(actor, request.instrument_id, customer_id, request.during)
    if entered is None:
        whose = consents.in_the_name_of(actor, customer_id, person_id, now)
    context = only_with_approval.applied(context, whose.user_id, request.organisation_id, now)
    _refuse_again(request, whose, context)
    asked = (whose.user_id, customer, request.during, request.service_mode)
    reasons = refusal_reasons(context, *asked, now, lock=True, assistance=False)
    reasons += _card_reasons(whose, request, context, now, own=whose is actor)
    passed_over = _passed_over(actor, request, context, reasons)
    reservation = _insert(actor, whose, request, context, customer, now, passed_over, part)
    if context.has_assistants:
        assisting.assign(reservation, context.policy.occupied(request.during), context.zone, now, part.helper_id)
    accepted = entered is None or bool(entered.evidence)
    ports.money().on_request(reservation, actor, request.expected, now, addons=request.addons, accepted=accepted)
    if entered is not None:
        return _entered(actor, reservation, entered, now)
    if whose is not actor:
        notices.defer(reservation, "booked_for_you", now, who=actor.name)
    own = deciders.of_own((actor, whose), context.instrument.organisation_id, request.organisation_id)
    if spending.judge(reservation, now) is Wait.GOES_ON:
        if context.policy.approval_required and not auto_approval.lets(reservation, context, now):
            deciders.require_somebody(own)
        return reservation
    if not context.policy.approval_required:
        transitions.approve_at_once(reservation, now)
    elif not passed_over and auto_approval.lets(reservation, context, now):
        transitions.approve_at_once(reservation, now, transitions.NO_LOOK)
    else:
        deciders.require_somebody(own)
        notices.defer(reservation, "requested", now)
    return reservation


def _entered(actor: Actor, reservation: Reservation, entered: Entered, now: datetime) -> Reservation:
    """What the lab has entered is approved with the customer's yes, once the leader of a group has agreed too; without a yes the customer
    is asked for it first, and nothing is kept of its money."""
    entering.note(actor, reservation, entered.evidence, now)
    if not entered.evidence:
        notices.defer(reservation, "entered_for_you", now, who=actor.name)
        return reservation
    notices.defer(reservation, "entered_as_agreed", now, who=actor.name, evidence=entered.evidence)
    if spending.judge(reservation, now) is not Wait.GOES_ON:
        transitions.approve_as_entered(reservation, actor, now)
    return reservation


def _refuse_again(request: ReservationRequest, whose: Actor, context: BookingContext) -> None:
    """Where requests compete, nothing else keeps a person from competing with themselves, as from two open tabs; elsewhere the time is
    taken. Raises Conflict ``booking.asked_already`` with the request that waits."""
    if context.policy.request_blocks:
        return
    starts_at, ends_at = request.during.starts_at, request.during.ends_at
    same = Reservation.objects.filter(
        instrument=request.instrument_id, requested_by=whose.person_id, starts_at=starts_at, ends_at=ends_at
    )
    first = same.filter(organisation=request.organisation_id, state=ReservationState.REQUESTED).order_by("pk").first()
    if first is not None:
        params = {"reference": first.reference, "reservation_id": first.pk}
        raise Conflict(Reason("booking.asked_already", params, "starts_at"))


def _card_reasons(
    whose: Actor, request: ReservationRequest, context: BookingContext, now: datetime, *, own: bool
) -> list[Reason]:
    """Why it cannot go on the card. One that the colleague does not spend from may well be the actor's own, so it is no secret: another
    has to be chosen. Raises NotFound for a card that is not one's own to spend from."""
    try:
        return spending.reasons_against(whose, context, request.organisation_id, request.fund_card_id, request.during, now)
    except NotFound:
        if own:
            raise
        return [Reason("card.choose", {}, FIELD)]


def may_override(actor: Actor, instrument: Instrument) -> bool:
    """Whether they are of the people of the instrument's lab who may book in spite of its own rules."""
    return instrument.organisation_id in actor.organisations(Role.LAB_MANAGER)


def require_may_override(actor: Actor, instrument: Instrument) -> None:
    """Raises Forbidden for others than the lab's."""
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)


def _passed_over(actor: Actor, request: ReservationRequest, context: BookingContext, reasons: Sequence[Reason]) -> list[str]:
    """The codes of what the lab's own people override; empty where nothing is in the way.

    Raises Refusal with every reason that nobody may override, or that nobody gave a reason for; Forbidden for others than the lab's.
    """
    if not request.override_reason:
        Refusal.raise_any(reasons)
        return []
    require_may_override(actor, context.instrument)
    Refusal.raise_any([reason for reason in reasons if not may_be_overridden(reason)])
    return list(dict.fromkeys(reason.code for reason in reasons))


_INSERT = f"""
WITH reservation AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, booked_by_id, starts_at, ends_at, state, service_mode, purpose,
         research_project, created_at, series_id, ordinal, group_id, fund_card_id, service_direction, fund_source, service_kind,
         settlement, rate, answers)
    SELECT %(instrument)s, %(organisation)s, %(whose)s, %(booked_by)s::bigint, %(starts_at)s, %(ends_at)s, 'requested', %(mode)s,
           %(purpose)s, %(project)s, %(now)s, %(series)s::bigint, %(ordinal)s::smallint, %(group)s::bigint, %(card)s::bigint, %(direction)s,
           %(source)s, %(service_kind)s, %(settlement)s, %(rate)s, %(answers)s
    WHERE NOT {downtime_rows.any_kept_in("%(calendar)s", "%(during)s::tstzrange")}
      AND NOT EXISTS (SELECT FROM booking_occupancy WHERE {OVERLAPPING})
    RETURNING id
), occupancy AS (
    INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
    SELECT %(calendar)s, %(during)s, %(blocking)s, 'reservation', id, '' FROM reservation
), transition AS (
    INSERT INTO booking_reservationtransition (reservation_id, action, from_state, to_state, actor_id, at, reason, passed_over)
    SELECT id, 'request', '', 'requested', %(user)s, %(now)s, %(why)s, %(passed_over)s::varchar[] FROM reservation
), audit AS (
    INSERT INTO kernel_auditentry (at, actor_id, actor_name, action, object_type, object_id, before, after, reason)
    SELECT %(now)s, %(user)s, %(user_name)s, 'reservation.request', 'booking.reservation', id::text, '{{}}', %(after)s,
           %(why)s
    FROM reservation
)
SELECT id FROM reservation
"""  # noqa: S608  (constants only; values are bound)


def _insert(
    actor: Actor,
    whose: Actor,
    request: ReservationRequest,
    context: BookingContext,
    customer: Organisation,
    now: datetime,
    passed_over: list[str],
    part: Part,
) -> Reservation:
    """Reservation, occupancy, history and audit in one round trip, unless somebody has the time (then ``conflicts.Taken``).

    The calendar is locked, so the look before the write is sound; the exclusion constraint stands behind it all the same. An outage that
    was declared while the lock was waited for is found here too.
    """
    occupied = context.policy.occupied(request.during)
    # Who enters something for the lab is nobody of the customer's side; the time that its person keeps is taken for them.
    booked_by_id = None if whose is actor or request.entered is not None else actor.person_id
    holder_id = actor.user_id if request.entered is None else whose.user_id
    values: dict[str, Any] = {
        "instrument": context.instrument.pk,
        "organisation": request.organisation_id,
        "user": actor.user_id,
        "whose": whose.user_id,
        "booked_by": booked_by_id,
        "user_name": actor.name[:200],
        "starts_at": request.during.starts_at,
        "ends_at": request.during.ends_at,
        "mode": request.service_mode,
        "purpose": request.purpose,
        "project": request.research_project,
        "card": request.fund_card_id,
        "direction": request.service_direction,
        **request.said._asdict(),
        "source": request.fund_source,
        "now": now,
        "why": request.override_reason if passed_over else "",
        "passed_over": passed_over or None,
        "series": part.series_id,
        "ordinal": part.ordinal,
        "group": part.group_id,
        "calendar": context.instrument.calendar_id,
        "during": TimestamptzRange(occupied.starts_at, occupied.ends_at),
        "blocking": context.policy.request_blocks,
        "after": json.dumps({"state": "requested", "starts_at": request.during.starts_at.isoformat(),
                             "ends_at": request.during.ends_at.isoformat(),
                             **({"passed_over": passed_over} if passed_over else {})}),
    }  # fmt: skip
    written = _written(values)
    if written is None:  # holds may be in the way that do not count: they are taken away only now that they matter
        offers = holds.clear(context.instrument.calendar_id, occupied, now, holder_id, request.organisation_id)
        written = _written(values)
        if written is None:
            raise conflicts.Taken
        holds.take_offers(offers, written, request.during, now)
    return Reservation(
        pk=written,
        instrument=context.instrument,
        organisation=customer,
        requested_by_id=whose.person_id,
        booked_by_id=booked_by_id,
        starts_at=request.during.starts_at,
        ends_at=request.during.ends_at,
        state=ReservationState.REQUESTED,
        service_mode=request.service_mode,
        purpose=request.purpose,
        research_project=request.research_project,
        fund_card_id=request.fund_card_id,
        service_direction=request.service_direction,
        fund_source=request.fund_source,
        **request.said._asdict(),
        created_at=now,
        series_id=part.series_id,
        ordinal=part.ordinal,
        group_id=part.group_id,
    )


def _written(values: dict[str, Any]) -> int | None:
    """The new reservation's id, or None where the time is taken."""
    with planned_once() as cursor:
        cursor.execute(_INSERT, values)
        row = cursor.fetchone()
        return None if row is None else int(row[0])
