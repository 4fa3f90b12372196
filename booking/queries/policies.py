"""What a lab's rules are, what a change of them would touch, and what they say to somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet

from booking.licence_queries import levels_held_at
from booking.models import PolicyLayer, Reservation
from booking.rules.licensing import ASKED
from booking.rules.policy import BookingPolicy, broken_rules
from booking.rules.policy_layers import Combined, Layer, read_settings
from booking.rules.quota import Booked, Limits, beyond, period_around
from booking.rules.standing import Asked, CoolOff, HorizonOfAudience, Licensed, Rule, Standing
from booking.rules.states import GIVEN_UP, ReservationState
from booking.rules.week_time import lies_within
from booking.services import assisting, auto_approval, only_with_approval, policies
from booking.services import context as booking_context
from booking.services.context import policy_for
from booking.services.policies import Scope
from booking.services.refusing import BOOKING_ROLES, refusal_reasons
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation, OrganisationKind, User
from instruments.queries import actor_for
from instruments.rules.audience import audience_of

#: More than one page of them nobody reads before a change; how many there are beyond is said.
MOST_TOUCHED = 100
RECENT_PEOPLE = 50
#: Kinds of organisations as which rules can be tried without being anybody.
STRANGERS = (OrganisationKind.FIRM, OrganisationKind.TEAM, OrganisationKind.OWNER)


@dataclass(frozen=True, slots=True)
class Touched:
    """A booking ahead that the new rules would not allow, and which of them it breaks."""

    reservation: Reservation
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person, for an organisation on whose account they book. ``by_address``: found by their exact address, which is their ``name``."""

    person_id: int
    name: str
    organisation_id: int
    organisation: str
    by_address: bool = False

    @property
    def key(self) -> str:
        """By what a page names it."""
        return f"{self.person_id}-{self.organisation_id}"


def lab_of(actor: Actor, organisation_id: int) -> Organisation:
    """The owner whose rules the actor keeps. Raises NotFound, Forbidden."""
    lab = get_visible(Organisation.objects.all(), actor, pk=organisation_id)
    actor.require_in(lab.pk, Role.LAB_MANAGER)
    return lab


def instruments_of(actor: Actor, lab: Organisation) -> QuerySet[Instrument]:
    """The lab's instruments, by name."""
    return visible_to(Instrument.objects.filter(organisation=lab), actor).order_by("name_pinyin", "pk")


def layers_of(actor: Actor, organisation_id: int) -> list[PolicyLayer]:
    """What the lab says: for all, for classes, for single instruments by name; what says nothing is left out."""
    rows = visible_to(PolicyLayer.objects.filter(organisation_id=organisation_id), actor).exclude(said={})
    return sorted(
        rows.select_related("instrument", "changed_by"),
        key=lambda layer: (
            layer.instrument_id is not None,
            layer.class_code,
            layer.instrument.name_pinyin if layer.instrument else "",
        ),
    )


def effective(actor: Actor, instrument_id: int) -> tuple[Instrument, Combined]:
    """What holds for an instrument of a lab that the actor keeps, and by which layers' word. Raises NotFound."""
    instrument = get_visible(Instrument.objects.select_related("site", "organisation", "policy"), actor, pk=instrument_id)
    lab_of(actor, instrument.organisation_id)
    layers = PolicyLayer.objects.filter(organisation_id=instrument.organisation_id)
    return instrument, policies.combined(instrument, map(policies.read_layer, layers))


def touched(actor: Actor, scope: Scope, said: Mapping[str, Any], now: datetime) -> tuple[list[Touched], int]:
    """The bookings ahead that would newly break the rules if the scope's layer said this; (the first of them, how many in all).

    Looked at are the time itself, how far ahead that customer may book, buffers towards other bookings of the instrument, the cool-off
    between two of one person, the licences of those who operate it or are at it, and quotas: within one, what was asked for first comes
    first. Raises Forbidden and the Refusals of ``policies.say``.
    """
    owner = lab_of(actor, scope.organisation_id)
    layers = [Layer("", scope.counted, read_settings(said, scope.counted))]
    stored = [*PolicyLayer.objects.filter(organisation=owner), *policies.adopted(owner.pk, scope, now)]
    layers += [one for one in map(policies.read_layer, stored) if one.counted != scope.counted]
    instruments = Instrument.objects.filter(scope.instruments(), organisation=owner).select_related("policy", "site")
    pairs = {
        one.pk: (policy_for(one), policies.combined(one, layers).policy, ZoneInfo(one.site.time_zone)) for one in instruments
    }
    policies.refuse_contradictions(scope, [one for one in layers if one.counted.instrument_id is None])
    ahead = Reservation.objects.filter(
        instrument__in=pairs, state__in=[ReservationState.REQUESTED, ReservationState.APPROVED], starts_at__gt=now
    )
    rows = list(ahead.select_related("instrument__site", "organisation").order_by("starts_at", "pk"))
    licensed = [row for row in rows if _asks_licences(*pairs[row.instrument_id][:2]) and row.service_mode in ASKED]
    licences, named = _licences(licensed), assisting.named_of(row.instrument_id for row in licensed)
    close = {
        pk
        for instrument in _by_instrument(rows).values()
        for pk in _too_close(instrument, *pairs[instrument[0].instrument_id][:2])
    }
    others = _others_of_person([row for row in rows if _asks_cool_off(*pairs[row.instrument_id][:2])], pairs, now)
    over = _over_quotas([row for row in rows if _asks_quotas(*pairs[row.instrument_id][:2])], pairs, owner, now)
    found = []
    for row in rows:
        held = licences.get((row.requested_by_id, row.instrument_id), {}).get(row.starts_at, frozenset())
        beside = [one for pk, one in others.get((row.requested_by_id, row.instrument_id), {}).items() if pk != row.pk]
        standing = Standing(others=beside, licences=held)
        reasons = _newly_broken(row, *pairs[row.instrument_id], standing, attended=row.instrument_id in named)
        reasons += [Reason("policy.buffer_taken", {}, "buffer_before_minutes")] if row.pk in close else []
        reasons += over.get(row.pk, [])
        if reasons:
            found.append(Touched(row, reasons))
    return found[:MOST_TOUCHED], len(found)


#: What the rules ask of who booked, as far as a change can be seen to touch it.
_OF_WHO_ASKS: tuple[Rule, ...] = (HorizonOfAudience(), CoolOff(), Licensed())


def _newly_broken(
    row: Reservation, old: BookingPolicy, new: BookingPolicy, zone: ZoneInfo, standing: Standing, *, attended: bool
) -> list[Reason]:
    """What the booking breaks of the new rules, judged as of when it was asked for, and did not break of the old ones."""
    owns = row.organisation_id == row.instrument.organisation_id
    audience = audience_of(row.organisation.kind, is_owner=owns)
    asked = Asked(_booked(row), audience, row.service_mode, zone, row.created_at, attended)

    def broken(policy: BookingPolicy) -> list[Reason]:
        of_time = broken_rules(policy, row.during, zone, row.created_at)
        known = {reason.code for reason in of_time}
        of_person = [rule.reason(policy, asked, standing) for rule in _OF_WHO_ASKS]
        return [*of_time, *(reason for reason in of_person if reason is not None and reason.code not in known)]

    before = {reason.code for reason in broken(old)}
    return [reason for reason in broken(new) if reason.code not in before]


def _booked(row: Reservation) -> Booked:
    return Booked(row.during, row.requested_by_id, row.organisation_id, row.instrument_id, row.instrument.class_code)


def _asks_cool_off(old: BookingPolicy, new: BookingPolicy) -> bool:
    """Whether the new rules keep two bookings of a person further apart than the old ones, or at other times."""
    return (old.cool_off_minutes, old.unlimited) != (new.cool_off_minutes, new.unlimited) and new.cool_off_minutes > 0


def _others_of_person(
    ahead: Sequence[Reservation], pairs: Mapping[int, tuple[BookingPolicy, BookingPolicy, ZoneInfo]], now: datetime
) -> dict[tuple[int, int], dict[int, Booked]]:
    """What those who asked have of the instrument, by (person, instrument) and id: what lies ahead, and what has begun or ended so lately
    that it is too near; one query, or none."""
    if not ahead:
        return {}
    longest = max(timedelta(minutes=pairs[row.instrument_id][1].cool_off_minutes) for row in ahead)
    begun = Reservation.objects.filter(
        instrument__in={row.instrument_id for row in ahead},
        requested_by__in={row.requested_by_id for row in ahead},
        starts_at__lte=now,
        ends_at__gt=now - longest,
    ).exclude(state__in=GIVEN_UP)
    found: dict[tuple[int, int], dict[int, Booked]] = defaultdict(dict)
    for row in [*ahead, *begun.select_related("instrument")]:
        found[row.requested_by_id, row.instrument_id][row.pk] = _booked(row)
    return found


def _asks_quotas(old: BookingPolicy, new: BookingPolicy) -> bool:
    """Whether the new rules count something else than the old ones."""
    return (old.quotas, old.peak, old.unlimited) != (new.quotas, new.peak, new.unlimited) and bool(new.quotas)


def _over_quotas(
    ahead: Sequence[Reservation],
    pairs: Mapping[int, tuple[BookingPolicy, BookingPolicy, ZoneInfo]],
    owner: Organisation,
    now: datetime,
) -> dict[int, list[Reason]]:
    """What goes beyond a new quota and did not go beyond the old ones, by id; counted with what was asked for before it. One query, or
    none."""
    if not ahead:
        return {}
    new = _limits(ahead, {pk: (policy, zone) for pk, (_old, policy, zone) in pairs.items()})
    old = _limits(ahead, {pk: (policy, zone) for pk, (policy, _new, zone) in pairs.items()})
    periods = {quota.period for one in new.values() for quota in one.quotas}
    soonest = min(row.starts_at for row in ahead)
    first = min([now, *(period_around(period, soonest, one.zone, now)[0] for period in periods for one in new.values())])
    rows = Reservation.objects.filter(
        Q(organisation_id__in={row.organisation_id for row in ahead})
        | Q(requested_by_id__in={row.requested_by_id for row in ahead}),
        instrument__organisation=owner,
        starts_at__gte=first,
    ).exclude(state__in=GIVEN_UP)
    names = ("pk", "starts_at", "ends_at", "requested_by_id", "organisation_id", "instrument_id", "instrument__class_code")
    booked = [
        (pk, Booked(TimeRange(starts_at, ends_at), *who))
        for pk, starts_at, ends_at, *who in rows.order_by("created_at", "pk").values_list(*names)
    ]
    before = {pk: {reason.code for reason in reasons} for pk, reasons in beyond(booked, old, now).items()}
    after = beyond(booked, new, now)
    return {pk: [one for one in reasons if one.code not in before.get(pk, ())] for pk, reasons in after.items()}


def _limits(rows: Sequence[Reservation], policies_of: Mapping[int, tuple[BookingPolicy, ZoneInfo]]) -> dict[int, Limits]:
    """The quotas for each booking by its instrument's policy; without those at times for which none counts."""
    found = {}
    for row in rows:
        policy, zone = policies_of[row.instrument_id]
        if not lies_within(policy.unlimited, row.during, zone):
            found[row.pk] = Limits(tuple(policy.quotas), tuple(policy.peak), zone)
    return found


def _asks_licences(old: BookingPolicy, new: BookingPolicy) -> bool:
    """Whether the new rules say something else of licences than the old ones."""
    asked = [(one.licence_needed, one.assisted_licence_needed, one.licensed_times) for one in (old, new)]
    return asked[0] != asked[1]


def _licences(rows: Sequence[Reservation]) -> dict[tuple[int, int], dict[datetime, frozenset[str]]]:
    """What those who asked hold at the starts of their bookings, by (person, instrument): a query for each of these."""
    moments: dict[tuple[int, int], set[datetime]] = defaultdict(set)
    for row in rows:
        moments[row.requested_by_id, row.instrument_id].add(row.starts_at)
    return {key: levels_held_at(*key, wanted) for key, wanted in moments.items()}


def _by_instrument(rows: Sequence[Reservation]) -> dict[int, list[Reservation]]:
    found: dict[int, list[Reservation]] = defaultdict(list)
    for row in rows:
        found[row.instrument_id].append(row)
    return found


def _too_close(rows: Sequence[Reservation], old: BookingPolicy, new: BookingPolicy) -> set[int]:
    """Of one instrument's bookings, by their start, those whose new buffers meet another's, which the old ones did not."""
    return {
        one.pk
        for first, second in pairwise(rows)
        if new.occupied(first.during).overlaps(new.occupied(second.during))
        and not old.occupied(first.during).overlaps(old.occupied(second.during))
        for one in (first, second)
    }


def people_of(actor: Actor, organisation_id: int) -> list[Somebody]:
    """Who booked at the lab lately, newest first."""
    rows = visible_to(Reservation.objects.filter(instrument__organisation_id=organisation_id), actor)
    recent = (
        rows.values("requested_by", "requested_by__full_name", "organisation", "organisation__name")
        .annotate(last=Max("created_at"))
        .order_by("-last")[:RECENT_PEOPLE]
    )
    return [
        Somebody(one["requested_by"], one["requested_by__full_name"], one["organisation"], one["organisation__name"])
        for one in recent
    ]


def somebody(actor: Actor, lab_id: int, person_id: int, organisation_id: int) -> Somebody:
    """A person who has booked at the lab for the organisation, however long ago. Raises NotFound."""
    rows = visible_to(Reservation.objects.filter(instrument__organisation_id=lab_id), actor)
    booked = rows.filter(requested_by=person_id, organisation=organisation_id).select_related("requested_by", "organisation")
    one = booked.first()
    if one is None:
        raise NotFound.of("access.not_found", model="user")
    return Somebody(person_id, one.requested_by.full_name, organisation_id, one.organisation.name)


def known_by(actor: Actor, lab_id: int, email: str) -> list[Somebody]:
    """Who has exactly this address, once for each organisation for which they may book, by its name. Nobody is looked for by a part of it,
    and no more is told of them than that: they are called by the address.

    Raises NotFound, Forbidden, Refusal ``policy.email_unknown``, ``policy.email_books_for_nobody`` (``email``).
    """
    lab_of(actor, lab_id)
    address = email.strip().lower()
    person = User.objects.filter(email=address, is_active=True).first() if address else None
    if person is None:
        raise Refusal.of("policy.email_unknown", "email")
    own = actor_for(person).organisations(*BOOKING_ROLES)
    found = Organisation.objects.filter(pk__in=own).order_by("name_pinyin", "name", "pk")
    if not found:
        raise Refusal.of("policy.email_books_for_nobody", "email")
    return [Somebody(person.pk, address, one.pk, one.name) for one in found]


@dataclass(frozen=True, slots=True)
class Tried:
    """What would be said to somebody: ``against`` is everything that forbids it. With nothing against it, it counts at once unless the lab
    looks at each request, ``looks_for`` these reasons."""

    against: list[Reason]
    looks_for: list[Reason]
    approval_required: bool

    @property
    def at_once(self) -> bool:
        """Whether it would count without anybody of the lab looking at it."""
        return not self.against and (not self.approval_required or not self.looks_for)


def tried(
    actor: Actor,
    instrument_id: int,
    who: Somebody | str,
    during: TimeRange,
    service_mode: str,
    now: datetime,
    price: Callable[[Instrument, Organisation], int | None],
) -> Tried:
    """What would be said to somebody who asked for ``during`` now: a person of ``people_of`` or ``known_by``, or anybody of a kind of
    organisation ("firm", "team", "owner") who has booked nothing yet. ``price`` says what a customer would pay now. Nothing is written.
    Raises NotFound.
    """
    context = booking_context.load(actor, instrument_id, lock=False)
    lab_of(actor, context.instrument.organisation_id)
    if isinstance(who, Somebody):
        person_id, customer = who.person_id, Organisation.objects.get(pk=who.organisation_id)
    else:
        person_id, customer = 0, Organisation(pk=0, kind=who)
    against = refusal_reasons(context, person_id, customer, during, service_mode, now)
    if booking_context.busy_ranges(context.instrument.calendar_id, context.policy.occupied(during)):
        against.append(Reason("booking.taken", {}, "starts_at"))
    looks_for: list[Reason] = []
    by_rules = context
    context = only_with_approval.applied(context, person_id, customer.pk, now)
    if not against and context is not by_rules:
        looks_for = [Reason("at_once.only_with_approval")]
    elif not against and context.policy.approval_required:
        fen = price(context.instrument, customer) if isinstance(who, Somebody) else None
        looks_for = auto_approval.looked_at_for(context.for_customer(customer), person_id, during, fen)
    return Tried(against, looks_for, context.policy.approval_required)
