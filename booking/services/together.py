"""Several instruments at once: looked at together, asked for in one transaction, all or none.

Their calendars are locked first, in the order of their ids, so that two who ask for the same instruments in another order wait for each
other instead of for ever; then each goes the way of a single request (``reservations.reserve_one``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from booking import ports
from booking.models import Reservation, ReservationGroup
from booking.rules.assistance import ASSISTED
from booking.rules.assisting_together import Session, arranged, one_by_one
from booking.rules.length import require_length
from booking.rules.quota import Booked
from booking.rules.service_facts import UNSAID, Said
from booking.services import assisting, conflicts, deciders, only_with_approval, reservations, spending
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.many_times import Look, Verdict
from booking.services.refusing import BOOKING_ROLES
from booking.services.reservations import Part, ReservationRequest
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation

ROUTE = "booking.together"
LEAST, MOST = 2, 5


@dataclass(frozen=True, slots=True)
class Place:
    """One instrument with its time, what is used besides it, and the figures that the customer saw for it."""

    instrument_id: int
    during: TimeRange
    service_mode: str
    expected: ports.ExpectedFigures = ports.NOTHING_EXPECTED
    addons: ports.Addons = ports.NO_ADDONS


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is asked for together, on the account of one customer and paid from one fund card or none. ``places`` are of different
    instruments. ``override_reason``: why somebody books in spite of the rules of the lab whose manager they are; at other labs it says
    nothing. ``service_direction``, ``fund_source``: what the national record asks."""

    organisation_id: int
    places: tuple[Place, ...]
    purpose: str = ""
    research_project: str = ""
    fund_card_id: int | None = None
    override_reason: str = ""
    service_direction: str = ""
    fund_source: str = ""
    said: Said = UNSAID
    """What programmes that ask are told of each place."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One instrument of the report."""

    place: Place
    context: BookingContext
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class BundleReport:
    """``rows`` in the order in which they were asked for."""

    customer: Organisation
    rows: list[PlaceRow]

    @property
    def is_possible(self) -> bool:
        """Whether all can be had."""
        return all(row.verdict.is_free for row in self.rows)


@dataclass(frozen=True, slots=True)
class BookedTogether:
    """The reservations in the order of the places, each with its state."""

    group_id: int
    reservations: tuple[tuple[int, str], ...]
    replayed: bool


def in_order(contexts: Iterable[BookingContext]) -> list[BookingContext]:
    """How they are booked one after the other: labs in order, so that two never wait for each other's quotas."""
    return sorted(contexts, key=lambda one: (one.instrument.organisation_id, one.instrument.pk))


def report(actor: Actor, bundle: Bundle, now: datetime) -> BundleReport:
    """What would become of each place; those before it at the same lab count for quotas. Nothing is written or locked; the
    queries grow with the places (``MOST`` at most). Raises NotFound, Forbidden, Refusal ``together.*``."""
    customer = _checked(actor, bundle)
    contexts = booking_context.load_many(actor, [one.instrument_id for one in bundle.places], customer)
    places = {one.instrument_id: one for one in bundle.places}
    if len(contexts) != len(places):
        raise NotFound.of("access.not_found", model="instrument")
    held = only_with_approval.applied_to_all(list(contexts.values()), actor.user_id, customer.pk, now)
    contexts = {one.instrument.pk: one for one in held}
    overriding = _overriding(actor, bundle, contexts)
    booked: dict[int, list[Booked]] = defaultdict(list)  # by lab: a quota counts over the instruments of its own
    blocked: dict[int, list[TimeRange]] = defaultdict(list)
    helping: dict[int, list[TimeRange]] = defaultdict(list)  # by person: nobody assists on two instruments at a time
    ordered = in_order(contexts.values())
    chosen = _who_assists(actor, places, ordered, now)
    undecided = deciders.reasons_of_each(actor, ordered, customer.pk)
    verdicts: dict[int, Verdict] = {}
    for context in ordered:
        place, calendar_id = places[context.instrument.pk], context.instrument.calendar_id
        at_lab = booked[context.instrument.organisation_id]
        overrides = place.instrument_id in overriding
        look = Look(context, actor.user_id, customer, [place.during], place.service_mode, now, helping, overrides=overrides)
        (verdict,) = look.at_all([place.during], elsewhere=at_lab, taken=blocked[calendar_id])
        (unpaid,) = spending.reasons_seen(actor, context, customer.pk, bundle.fund_card_id, [place.during], now)
        verdicts[place.instrument_id] = verdict.also_against([*unpaid, *undecided.get(place.instrument_id, [])])
        if verdict.is_free:
            at_lab.append(look.booked(place.during))
            blocked[calendar_id] += [context.policy.occupied(place.during)] if look.blocks else []
            helper_id = chosen.get(place.instrument_id, look.helper_of(place.during)) if look.blocks else None
            if helper_id is not None:
                helping[helper_id].append(context.policy.occupied(place.during))
    return BundleReport(
        customer, [PlaceRow(one, contexts[one.instrument_id], verdicts[one.instrument_id]) for one in bundle.places]
    )


def _overriding(actor: Actor, bundle: Bundle, contexts: Mapping[int, BookingContext]) -> frozenset[int]:
    """The instruments whose labs' rules the reason of the bundle passes over. Raises Forbidden for who manages none of the labs."""
    if not bundle.override_reason.strip():
        return frozenset()
    found = frozenset(pk for pk, one in contexts.items() if reservations.may_override(actor, one.instrument))
    if not found:
        reservations.require_may_override(actor, next(iter(contexts.values())).instrument)
    return found


def _who_assists(actor: Actor, places: Mapping[int, Place], contexts: Iterable[BookingContext], now: datetime) -> dict[int, int]:
    """By instrument, in a way that gives somebody to every place that needs them: who is asked first is not taken from where nobody else
    can. Where not all can have somebody, as many as can one after the other; nothing where there is nothing to choose: two queries at
    most."""
    asked = []
    for context in contexts:
        place = places[context.instrument.pk]
        if place.service_mode == ASSISTED and context.policy.request_blocks:
            occupied, week = context.policy.occupied(place.during), assisting.week_of(place.during.starts_at, context.zone)
            asked.append(assisting.Asked(place.instrument_id, occupied, week, holder_id=actor.user_id or 0))
    if len(asked) < LEAST:
        return {}
    sessions = {
        one.instrument_id: Session(places[one.instrument_id].during, one.window, one.week, tuple(helpers))
        for one, helpers in zip(asked, assisting.helpers_of_many(asked, now), strict=True)
        if helpers
    }
    wanted = list(sessions.values())
    found = zip(sessions, arranged(wanted) or one_by_one(wanted), strict=True)
    return {instrument_id: helper_id for instrument_id, helper_id in found if helper_id is not None}


def _checked(actor: Actor, bundle: Bundle) -> Organisation:
    """The customer, for a bundle that makes sense."""
    if bundle.organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    if not LEAST <= len(bundle.places) <= MOST:
        raise Refusal.of("together.how_many", "places", least=LEAST, most=MOST)
    if len({one.instrument_id for one in bundle.places}) != len(bundle.places):
        raise Refusal.of("together.twice", "places")
    for place in bundle.places:
        require_length(place.during.duration)
    return Organisation.objects.get(pk=bundle.organisation_id)


def ask(actor: Actor, bundle: Bundle, now: datetime, *, idempotency_key: str) -> BookedTogether:
    """Ask for all places at once, all or none.

    Raises NotFound, Forbidden, Refusal ``together.*``, Conflict ``together.not_all`` with the instrument that cannot be had any more and
    the reasons against it (look at a fresh report), Busy.
    """
    shared = reservations.cleaned(_request(bundle, bundle.places[0])) if bundle.places else None
    _checked(actor, bundle)
    if shared is not None:
        bundle = replace(
            bundle,
            purpose=shared.purpose,
            research_project=shared.research_project,
            override_reason=shared.override_reason,
        )

    def effect() -> dict[str, Any]:
        group, made = _ask(actor, bundle, now)
        return {"group": group.pk, "reservations": [[one.pk, str(one.state)] for one in made]}

    payload = [_request(bundle, place).payload() for place in bundle.places]
    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return BookedTogether(result["group"], tuple((pk, state) for pk, state in result["reservations"]), replayed)


def _request(bundle: Bundle, place: Place) -> ReservationRequest:
    return ReservationRequest(
        place.instrument_id,
        bundle.organisation_id,
        place.during,
        place.service_mode,
        bundle.purpose,
        bundle.research_project,
        place.expected,
        override_reason=bundle.override_reason,
        fund_card_id=bundle.fund_card_id,
        service_direction=bundle.service_direction,
        fund_source=bundle.fund_source,
        said=bundle.said,
        addons=place.addons,
    )


_LOCK = """
SELECT c.id FROM schedule_calendar c JOIN instruments_instrument i ON i.calendar_id = c.id
 WHERE i.id = ANY(%s) ORDER BY c.id FOR NO KEY UPDATE OF c
"""


def _ask(actor: Actor, bundle: Bundle, now: datetime) -> tuple[ReservationGroup, list[Reservation]]:
    places = {one.instrument_id: one for one in bundle.places}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(places)])
    contexts = booking_context.load_many(actor, list(places))
    if len(contexts) != len(places):
        raise NotFound.of("access.not_found", model="instrument")
    group = ReservationGroup.objects.create(
        organisation_id=bundle.organisation_id, requested_by_id=actor.person_id, created_at=now
    )
    overriding = _overriding(actor, bundle, contexts)
    ordered = in_order(contexts.values())
    chosen = _who_assists(actor, places, ordered, now)
    made: dict[int, Reservation] = {}
    for instrument in (one.instrument for one in ordered):
        part = Part(group_id=group.pk, helper_id=chosen.get(instrument.pk))
        asked = bundle if instrument.pk in overriding else replace(bundle, override_reason="")
        made[instrument.pk] = _ask_one(actor, asked, places[instrument.pk], instrument, part, now)
    audit.record(actor, "group.request", group, now, after={"reservations": sorted(one.pk for one in made.values())})
    return group, [made[one.instrument_id] for one in bundle.places]


def _ask_one(actor: Actor, bundle: Bundle, place: Place, instrument: Instrument, part: Part, now: datetime) -> Reservation:
    named = {"instrument": instrument.name, "instrument_en": instrument.name_en}
    with conflicts.undoing_all(Reason("together.not_all", named, "places"), instrument=place.instrument_id):
        return reservations.reserve_one(actor, _request(bundle, place), now, part)
