"""The requests that wait for a lab, with how long each waits and what about it deserves a second look: a fixed number of statements
however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import Coalesce

from booking import licence_queries
from booking.models import Reservation, ReservationTransition
from booking.queries import samples
from booking.queries.reservations import approval_inbox, requests_waiting
from booking.queries.spending import awaiting_leader
from booking.rules.deciding import Age, Risk, age_of, is_at_night
from booking.rules.leaving import Fault
from booking.rules.policy import BookingPolicy
from booking.rules.policy_layers import HOUSE
from booking.rules.quota import Booked, quota_reason
from booking.rules.standing import Asked, looks_at
from booking.rules.states import GIVEN_UP, IN_REVIEW, Action, ReservationState
from booking.rules.week_time import lies_within
from booking.services.context import policy_for
from config.kernel.access import Actor, visible_to
from config.kernel.time_range import TimeRange
from instruments.models import OrganisationStatus

SHOWN_AT_ONCE = 40
"""More than one person clears in a sitting."""
_SHOWN = ("instrument__site", "instrument__policy", "organisation", "requested_by", "booked_by", "series")
"""What is shown of a request, or decides what is: nothing more is read for hundreds of them."""
_LAST_PAGE = 10**6
"""The database cannot count to every number that an address may hold."""
_USED = (*IN_REVIEW, ReservationState.AGREED, ReservationState.IN_USE)
_OVER = (*_USED, ReservationState.NO_SHOW, ReservationState.CANCELLED, ReservationState.REJECTED)
"""The states that the history counts."""


@dataclass(frozen=True, slots=True)
class Together:
    """What was asked for together: a series on one instrument, or a group of several instruments; neither: everything."""

    series_id: int | None = None
    group_id: int | None = None

    @property
    def filters(self) -> dict[str, int]:
        """The part of the requests that it names."""
        named = {"series_id": self.series_id, "group_id": self.group_id}
        return {name: pk for name, pk in named.items() if pk is not None}


EVERYTHING = Together()


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits. ``own``: the actor asked for it or booked it for somebody, and a colleague has to decide; ``suggested``: the
    customer was asked to take another time, so that the lab has answered; ``questioned``: it was asked something and has not answered;
    ``awaits_leader``: the leader of the group that pays has to
    agree first; ``group_size``: so many instruments were asked for together with it, itself among them (0: it was asked for alone);
    ``yes_awaited``: the lab entered it, and the customer has not said yes."""

    reservation: Reservation
    age: Age
    risks: tuple[Risk, ...]
    own: bool
    suggested: bool = False
    questioned: bool = False
    awaits_leader: bool = False
    group_size: int = 0
    yes_awaited: bool = False

    @property
    def overdue(self) -> bool:
        return self.age.overdue and not (self.suggested or self.awaits_leader or self.yes_awaited)


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Inbox(Generic[Row]):
    """One page of what waits, ``page`` of ``pages`` counted from 1; ``total`` wait in all, and ``beside`` in the other inbox of a lab: that
    of sample jobs where these are requests for time, and the other way round."""

    rows: Sequence[Row]
    total: int
    page: int
    beside: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // SHOWN_AT_ONCE))


@dataclass(frozen=True, slots=True)
class History:
    """What a person, or everybody of an organisation, did at the lab before."""

    used: int
    missed: int
    cancelled_late: int
    rejected: int

    @property
    def is_first(self) -> bool:
        return not (self.used or self.missed or self.cancelled_late)


def waiting(actor: Actor) -> QuerySet[Reservation]:
    """The requests that wait for the actor's labs, those that begin soonest first, as ``pending_of`` takes them."""
    of_group = requests_waiting(actor).filter(group_id=OuterRef("group_id")).order_by().values("group_id")
    size = Subquery(of_group.annotate(size=Count("pk")).values("size"))
    return approval_inbox(actor).annotate(group_size=size).select_related(None).select_related(*_SHOWN)


def inbox(actor: Actor, now: datetime, page: int = 1, together: Together = EVERYTHING) -> Inbox[Pending]:
    """A page of what waits, or of what of it was asked for ``together``; a page that is not there is the last."""
    # First which ones: counting all and looking closely at a page of them in one statement would take longer to plan than to run.
    of_all = requests_waiting(actor).filter(**together.filters)
    rows = of_all.annotate(total=Window(Count("pk")), beside=samples.how_many_wait(actor)).values_list("pk", "total", "beside")
    found, page = page_of(rows, page, lambda: of_all.order_by().count())
    if not found:
        return Inbox([], 0, page, samples.waiting_count(actor))
    shown = waiting(actor).filter(pk__in=[pk for pk, *_counted in found])
    return Inbox(pending_of(actor, list(shown), now), found[0][1], page, found[0][2])


def page_of(rows: Any, page: int, count: Callable[[], int]) -> tuple[list[Any], int]:
    """(rows, which page it is) of a page of ``rows``; a page that is not there is the last, for which they are counted."""
    page = min(max(1, page), _LAST_PAGE)
    first = (page - 1) * SHOWN_AT_ONCE
    found = list(rows[first : first + SHOWN_AT_ONCE])
    if not found and page > 1:
        return page_of(rows, -(-count() // SHOWN_AT_ONCE), count)
    return found, page


def pending_of(actor: Actor, rows: Sequence[Reservation], now: datetime) -> list[Pending]:
    """Rows of ``waiting`` with their ages and risks."""
    policies = {row.instrument_id: policy_for(row.instrument) for row in rows}
    untrained = licence_queries.without_licence(rows)
    over = _over_quota(rows, policies, now)
    unagreed = awaiting_leader(actor, rows)
    return [
        Pending(
            row,
            age_of(row.waits_since, policies[row.instrument_id], now),  # type: ignore[attr-defined]  # annotated by approval_inbox
            tuple(_risks(row, untrained=row.pk in untrained, over_quota=row.pk in over)),
            row.is_of(actor.user_id),
            row.other_time_proposed,  # type: ignore[attr-defined]  # annotated by approval_inbox
            row.question_asked,  # type: ignore[attr-defined]
            row.pk in unagreed,
            row.group_size or 0,  # type: ignore[attr-defined]  # annotated by waiting
            row.yes_awaited,  # type: ignore[attr-defined]  # annotated by approval_inbox
        )
        for row in rows
    ]


def _risks(row: Reservation, *, untrained: bool, over_quota: bool) -> Iterable[Risk]:
    zone = ZoneInfo(row.instrument.site.time_zone)
    found = {
        Risk.SUSPENDED: row.organisation.status == OrganisationStatus.SUSPENDED,
        Risk.LEFT: row.has_left,  # type: ignore[attr-defined]
        Risk.CONFLICT: row.has_rival,  # type: ignore[attr-defined]  # annotated by approval_inbox
        Risk.UNTRAINED: untrained,
        Risk.OVER_QUOTA: over_quota,
        Risk.NIGHT: is_at_night(row.during, zone),
        Risk.UNVERIFIED: row.organisation.status not in (OrganisationStatus.VERIFIED, OrganisationStatus.SUSPENDED),
        Risk.FIRST_TIME: row.is_first,  # type: ignore[attr-defined]
    }
    return (risk for risk, holds in found.items() if holds)


# --- Quotas of many requests -------------------------------------------------------------------------------------------
def _over_quota(rows: Sequence[Reservation], policies: dict[int, BookingPolicy], now: datetime) -> frozenset[int]:
    """The ids of those that go beyond a quota of the lab, counted with everything else that is booked: one statement, or none."""
    asked = {row.pk: (policies[row.instrument_id], _asked(row, now)) for row in rows if policies[row.instrument_id].quotas}
    spans = {pk: span for pk, (policy, one) in asked.items() if (span := looks_at(policy, one))}
    limited = [row for row in rows if row.pk in spans]
    if not limited:
        return frozenset()
    span = TimeRange(min(one.starts_at for one in spans.values()), max(one.ends_at for one in spans.values()))
    others = _booked_by(limited, span)
    return frozenset(row.pk for row in limited if _breaks_quota(*asked[row.pk], _of(others, row)))


def _asked(row: Reservation, now: datetime) -> Asked:
    who = Booked(row.during, row.requested_by_id, row.organisation_id, row.instrument_id, row.instrument.class_code)
    return Asked(who, "", row.service_mode, ZoneInfo(row.instrument.site.time_zone), now)


def _breaks_quota(policy: BookingPolicy, asked: Asked, others: Sequence[Booked]) -> bool:
    if lies_within(policy.unlimited, asked.during, asked.zone):
        return False
    return any(quota_reason(quota, others, asked.booked, policy.peak, asked.zone, asked.now) for quota in policy.quotas)


_Others = dict[tuple[str, int, int], dict[int, Booked]]


def _booked_by(rows: Sequence[Reservation], span: TimeRange) -> _Others:
    """What the people and the organisations of ``rows`` have booked at those labs: by (whose, owner, person or organisation) and id."""
    found = Reservation.objects.filter(
        Q(organisation_id__in={row.organisation_id for row in rows})
        | Q(requested_by_id__in={row.requested_by_id for row in rows}),
        instrument__organisation_id__in={row.instrument.organisation_id for row in rows},
        starts_at__gte=span.starts_at,
        starts_at__lt=span.ends_at,
    ).exclude(state__in=GIVEN_UP)
    names = ("pk", "starts_at", "ends_at", "requested_by_id", "organisation_id", "instrument_id", "instrument__class_code")
    others: _Others = defaultdict(dict)
    for pk, starts_at, ends_at, *who, owner in found.values_list(*names, "instrument__organisation_id"):
        booked = Booked(TimeRange(starts_at, ends_at), *who)
        others["person", owner, who[0]][pk] = booked
        others["organisation", owner, who[1]][pk] = booked
    return others


def _of(others: _Others, row: Reservation) -> list[Booked]:
    owner = row.instrument.organisation_id
    known = others["person", owner, row.requested_by_id] | others["organisation", owner, row.organisation_id]
    return [booked for pk, booked in known.items() if pk != row.pk]


# --- What is known of who asks ------------------------------------------------------------------------------------------
def histories(actor: Actor, reservation: Reservation) -> tuple[History, History]:
    """(the person's, everybody's of the organisation) at the owner of the instrument, without this request."""
    owner_id = reservation.instrument.organisation_id
    rows = visible_to(Reservation.objects.filter(instrument__organisation_id=owner_id), actor).exclude(pk=reservation.pk)
    mine = Q(requested_by_id=reservation.requested_by_id)
    rows = rows.filter(mine | Q(organisation_id=reservation.organisation_id), state__in=_OVER)
    what = {
        "used": Q(state__in=_USED),
        "missed": Q(state=ReservationState.NO_SHOW, imported=False),
        "cancelled_late": Q(state=ReservationState.CANCELLED) & Q(Exists(_late_cancellations())),
        "rejected": Q(state=ReservationState.REJECTED),
    }
    whose = {"person": mine, "organisation": Q(organisation_id=reservation.organisation_id)}
    counts = rows.aggregate(
        **{f"{who}_{name}": Count("pk", filter=each & Q(holds)) for who, each in whose.items() for name, holds in what.items()}
    )
    person, organisation = (History(**{name: counts[f"{who}_{name}"] for name in what}) for who in whose)
    return person, organisation


def _late_cancellations() -> QuerySet[ReservationTransition]:
    """That whoever had asked for an approved time gave it back too late, by what held then; of what was given back before that was noted
    the lab's rules of now say it."""
    house = Value(HOUSE.cancel_notice_minutes)
    notice = Coalesce(OuterRef("instrument__policy__cancel_notice_minutes"), house) * Value(timedelta(minutes=1))
    late = ExpressionWrapper(OuterRef("starts_at") - notice, output_field=DateTimeField())
    by_rules_of_now = Q(actor_id=OuterRef("requested_by_id"), at__gt=late)
    return ReservationTransition.objects.filter(
        reservation_id=OuterRef("pk"),
        reservation__imported=False,
        action=Action.CANCEL,
        from_state=ReservationState.APPROVED,
    ).filter(Q(fault=Fault.LATE_CANCEL) | Q(by_rules_of_now, fault=None))
