"""How the first lab's own people pay: two groups, three fund cards, sessions of the last weeks, and one that waits for the leader."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing.cards import services as cards
from billing.cards.services import CardFacts
from booking.models import Reservation
from booking.queries.spending import waiting_for
from booking.rules.states import ReservationState
from booking.services import reservations, transitions, usage_review
from booking.services.reservations import ReservationRequest
from config.demo.organisations import People
from config.demo.registry import HANDS_ON
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import FundCard, Instrument
from instruments.services import research_groups

HOUR = timedelta(hours=1)
_SESSIONS, _LOOK_BACK = 9, 45


def spend(people: People, stocked: list[Instrument], today: date, now: datetime) -> dict[str, int]:
    """Play it through the services; what came of it."""
    lab = people.owners[0]
    opened = _open(people, today, now)
    own = [one for one in stocked if one.organisation_id == lab.pk][HANDS_ON + 1 :]
    used = _use(people, own, opened, now)
    _ask(people, own, opened, now)
    leader = people.actors[lab.pk, Role.RESEARCHER]
    return {"fund cards": len(opened), "internal sessions": used, "waiting for a leader": waiting_for(leader).count()}


def _open(people: People, today: date, now: datetime) -> list[FundCard]:
    lab, said = people.owners[0], words("spending")
    finance, since = people.actor(lab, Role.OWNER_FINANCE), now - timedelta(days=60)
    first, last = date(today.year - 1, 1, 1), date(today.year + 1, 12, 31)
    groups = []
    for each in said["groups"]:
        leader, member = (people.actors[lab.pk, each[part]] for part in ("leader", "member"))
        threshold = _fen(each["threshold_yuan"])
        group = research_groups.create_group(finance, lab.pk, each["name"], leader.person_id, threshold, since)
        research_groups.set_member(finance, group.pk, member.person_id, first, None, since)
        groups.append(group)
    return [
        cards.open_card(
            finance,
            groups[each["group"]].pk,
            CardFacts(each["number"], each["title"], first, last, _fen(each["budget_yuan"]), _fen(each["threshold_yuan"])),
            since,
        )
        for each in said["cards"]
    ]


def _fen(yuan: int | None) -> int | None:
    return None if yuan is None else yuan * 100


def _use(people: People, own: list[Instrument], opened: list[FundCard], now: datetime) -> int:
    """Short sessions of both groups in the last weeks, agreed and charged; the oldest first."""
    lab, said = people.owners[0], words("spending")
    people_of = [(people.actors[lab.pk, "group_member"], opened[0]), (people.actors[lab.pk, "second_member"], opened[2])]
    made = 0
    for days in range(_LOOK_BACK, 1, -4):
        for instrument in own:
            if made == _SESSIONS:
                return made
            person, card = people_of[made % 2]
            start = (now - timedelta(days=days)).replace(hour=1, minute=0, second=0, microsecond=0)
            during = TimeRange(start, start + (1 + made % 2) * HOUR)
            pk = _booked(person, lab.pk, instrument, during, card, start - timedelta(days=2), said["purposes"][made % 3])
            if pk is not None and _charged(people.actor(lab, Role.LAB_MANAGER), person, pk, during):
                made += 1
                break
    return made


def _booked(
    person: Actor, lab_id: int, instrument: Instrument, during: TimeRange, card: FundCard, at: datetime, purpose: str
) -> int | None:
    """The reservation's id; None where the instrument cannot be had then."""
    mode = "assisted" if "assisted" in instrument.service_modes else (instrument.service_modes or ["assisted"])[0]
    request = ReservationRequest(instrument.pk, lab_id, during, mode, purpose, words("spending")["project"], fund_card_id=card.pk)
    try:
        return reservations.reserve(
            person, request, at, idempotency_key=f"demo-card-{instrument.pk}-{during.starts_at}"
        ).reservation_id
    except Refusal:
        return None


def _charged(manager: Actor, person: Actor, pk: int, during: TimeRange) -> bool:
    """From the request to the slip; a request that waits for its leader is taken back."""
    before = during.starts_at - timedelta(days=1)
    try:
        if Reservation.objects.get(pk=pk).state == ReservationState.REQUESTED:
            transitions.approve(manager, pk, before)
    except Refusal:
        transitions.cancel(person, pk, before)
        return False
    transitions.check_in(manager, pk, during.starts_at, words("spending")["bench"])
    transitions.check_out(manager, pk, during.ends_at)
    return usage_review.agree(person, pk, during.ends_at)


def _ask(people: People, own: list[Instrument], opened: list[FundCard], now: datetime) -> None:
    """A booking on the card whose leader is always asked, and one more that the lab decides on."""
    lab, said = people.owners[0], words("spending")
    wishes = ((people.actors[lab.pk, "group_member"], opened[1]), (people.actors[lab.pk, "second_member"], opened[2]))
    for place, (person, card) in enumerate(wishes):
        for days in range(3, 12):
            start = (now + timedelta(days=days)).replace(hour=2, minute=0, second=0, microsecond=0)
            during = TimeRange(start, start + 2 * HOUR)
            tried = (_booked(person, lab.pk, one, during, card, now, said["purposes"][place]) for one in own)
            if next((pk for pk in tried if pk is not None), None) is not None:
                break
