"""What the first page shows: instrument classes and programmes for everybody, what waits and what comes next for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billing.claims import findings, worklist
from billing.claims.services.office import OFFICE
from billing.firms import income_queries
from billing.firms import queries as firm_queries
from billing.models import Award, ProgrammeVersion
from billing.settlement.queries import BOARD_ROLES, READER_ROLES, statements_visible
from billing.settlement.rules.period import first_day
from billing.vouchers import queries as voucher_queries
from billing.vouchers.queries import ISSUED_BY
from booking.models import Reservation
from booking.queries import approval_inbox, my_reservations, sessions_of_day
from booking.queries import samples as sample_queries
from booking.queries import usage as usage_queries
from booking.queries.reservations import requests_waiting
from booking.queries.unassisted import unassisted
from booking.rules.states import ReservationState
from config.kernel.access import Actor, Role, visible_to
from frontend.display import platform_zone
from instruments.models import JoinRequest
from instruments.queries import counts_by_class, my_organisations, verification_queue
from instruments.rules.classification import instrument_classes

CLASSES_SHOWN = 9
SESSIONS_SHOWN = 5
PROGRAMMES_SHOWN = 3
_AHEAD = (ReservationState.REQUESTED, ReservationState.APPROVED, ReservationState.IN_USE)

_MODES: dict[str, Promise | str] = {
    "deducted_now": _("Taken off your bill at once"),
    "refunded_later": _("Refunded to you later"),
    "paid_beside": _("Paid to the institution that owns the instrument"),
}
_STEPS: dict[str, Promise | str] = {
    "suspended": _("is suspended: nobody can book for it. The operator can tell you why."),
    "wait": _("is being verified. You can look and ask for quotes meanwhile; subsidies follow."),
    "complete_profile": _("has an incomplete profile. Place and size decide about its subsidies."),
    "hand_in_licence": _("is not verified yet. Hand in the licence, and subsidies become possible."),
}


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class of instruments with how many can be found."""

    code: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class ProgrammeCard:
    """A programme in force, in the reader's language."""

    code: str
    name: str
    issuer: str
    mode: Promise | str
    last_day: date


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that waits for somebody, with the place where it is worked off."""

    label: Promise | str
    value: int
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What an organisation should do next."""

    name: str
    text: Promise | str
    url: str


def popular_classes(actor: Actor, now: datetime) -> list[ClassCount]:
    """The classes with the most instruments, most first."""
    counts = counts_by_class(actor, now)
    english = _is_english()
    found = [
        ClassCount(code, each.en if english else each.zh, counts[code])
        for code, each in instrument_classes().items()
        if counts.get(code)
    ]
    return sorted(found, key=lambda each: -each.count)[:CLASSES_SHOWN]


def programme_cards(actor: Actor, today: date) -> list[ProgrammeCard]:
    """Published programmes in force on a day, by code."""
    rows = visible_to(ProgrammeVersion.objects.filter(published_at__isnull=False, valid__contains=today), actor)
    versions = rows.select_related("programme").order_by("programme__code")[:PROGRAMMES_SHOWN]
    return [_card(version) for version in versions]


def next_sessions(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """The next reservations of the actor's organisations, soonest first."""
    return my_reservations(actor).filter(state__in=_AHEAD, ends_at__gte=now).order_by("starts_at", "pk")[:SESSIONS_SHOWN]


def lab_sessions(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Today's sessions that are not over, on the instruments the actor manages."""
    zone = platform_zone()
    return sessions_of_day(actor, now.astimezone(zone).date(), zone).filter(ends_at__gte=now)[:SESSIONS_SHOWN]


def tiles(actor: Actor, now: datetime) -> list[Tile]:
    """What waits for the actor, role by role."""
    found: list[Tile] = []
    if actor.has(Role.RESEARCHER, Role.FIRM_ADMIN):
        mine = my_reservations(actor).filter(ends_at__gte=now)
        waiting = mine.filter(state=ReservationState.REQUESTED).count()
        approved = mine.filter(state=ReservationState.APPROVED).count()
        found.append(Tile(_("Approved, ahead of you"), approved, "calendar-event", reverse("reservation_list")))
        found.append(Tile(_("Waiting for a laboratory"), waiting, "hourglass", reverse("reservation_list")))
        reviews = usage_queries.my_reviews(actor, now).count()
        if reviews:
            found.append(
                Tile(_("Sessions to agree on"), reviews, "flag", f"{reverse('reservation_list')}?show=all&state=completed")
            )
    if actor.has(Role.LAB_MANAGER):
        zone = platform_zone()
        today = sessions_of_day(actor, now.astimezone(zone).date(), zone).count()
        found.append(Tile(_("Requests to decide"), approval_inbox(actor).count(), "inbox", reverse("approval_inbox")))
        found.append(Tile(_("Sessions today"), today, "clock", reverse("sessions_today")))
        alone = unassisted(actor, now).count()
        if alone:
            found.append(Tile(_("Sessions in which nobody assists"), alone, "users", reverse("unassisted_list")))
        asked = sample_queries.waiting_count(actor)
        if asked:
            found.append(Tile(_("Sample jobs to answer"), asked, "flask", reverse("approval_samples")))
        odd = usage_queries.problem_count(actor)
        if odd:
            found.append(Tile(_("Use that does not add up"), odd, "alert-triangle", reverse("session_problems")))
    elif actor.has(Role.FIRM_ADMIN) and (waiting := requests_waiting(actor).count()):
        found.append(Tile(_("Requests to decide"), waiting, "inbox", reverse("approval_inbox")))
    if actor.has(Role.FIRM_ADMIN, Role.LAB_MANAGER):
        joining = visible_to(JoinRequest.objects.filter(decided_at=None), actor).exclude(user=actor.user_id).count()
        if joining:
            found.append(Tile(_("People asking to join"), joining, "user-plus", reverse("organisation_list")))
    if actor.has(Role.OPERATOR):
        found.append(
            Tile(_("Licences to check"), verification_queue(actor).count(), "shield-check", reverse("verification_queue"))
        )
    if actor.has(*OFFICE):
        found += _claims_waiting(actor, now)
    found += _handed_in(actor)
    if actor.has(*BOARD_ROLES):
        month = first_day(now.astimezone(platform_zone()).date())
        due = visible_to(Award.objects.filter(service_on__lt=month, statement_line__isnull=True), actor).count()
        found.append(Tile(_("Subsidies of past months, on no statement yet"), due, "coins", reverse("finance_period")))
    if actor.has(*READER_ROLES):
        found.append(
            Tile(_("Settlement statements"), statements_visible(actor).count(), "file-invoice", reverse("statement_list"))
        )
    return found


def _handed_in(actor: Actor) -> list[Tile]:
    """What organisations handed in and the actor's office looks at; nothing where nothing waits."""
    waiting: list[tuple[Promise, QuerySet[Any], str, str]] = []
    if actor.has(*ISSUED_BY):
        waiting.append((_("Voucher applications"), voucher_queries.waiting(actor), "receipt-refund", "application_list"))
    if actor.has(Role.OPERATOR):
        waiting.append((_("Facts of firms to check"), firm_queries.queue(actor), "building", "declaration_queue"))
    if actor.has(Role.PROGRAMME_OFFICER):
        waiting.append((_("Figures of income to check"), income_queries.queue(actor), "cash", "income_queue"))
    counted = [(word, rows.count(), icon, reverse(place)) for word, rows, icon, place in waiting]
    return [Tile(*each) for each in counted if each[1]]


def _claims_waiting(actor: Actor, now: datetime) -> list[Tile]:
    """Claims, payment lists and findings of inspectors of which the next step is the actor's."""
    claims = sum(each.claims for each in worklist.mine(actor, now))
    lists = worklist.my_lists(actor, now)
    url = reverse("claim_batch_list")
    found = [Tile(_("Claims that wait for you"), claims, "receipt-refund", url)]
    if lists.to_sign:
        found.append(Tile(_("Payment lists to sign"), len(lists.to_sign), "pencil", url))
    if lists.to_record:
        found.append(Tile(_("Payment lists to write down"), len(lists.to_record), "cash", url))
    if differing := findings.mine(actor, now):
        found.append(Tile(_("Findings of inspectors to answer"), len(differing), "shield-check", url))
    return found


def advices(actor: Actor) -> list[Advice]:
    """What the person's organisations should do next."""
    return [
        Advice(
            mine.organisation.name, _STEPS[mine.next_step], reverse("organisation_detail", kwargs={"pk": mine.organisation.pk})
        )
        for mine in my_organisations(actor)
        if mine.next_step in _STEPS
    ]


def _card(version: ProgrammeVersion) -> ProgrammeCard:
    document = version.document
    return ProgrammeCard(
        code=version.programme.code,
        name=_in_language(document["name"]),
        issuer=_in_language(document["issuer"]),
        mode=_MODES[document["settlement"]["mode"]],
        last_day=version.last_on,
    )


def _in_language(texts: dict[str, str]) -> str:
    return texts.get("en" if _is_english() else "zh") or texts["zh"]


def _is_english() -> bool:
    return (get_language() or "").startswith("en")
