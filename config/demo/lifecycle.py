"""What the demo's first lab has agreed with itself and with its customers: its rules, and a booking that is to move."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from booking import queries
from booking.models import Reservation
from booking.rules.series import SeriesRule
from booking.rules.states import ReservationState
from booking.services import changes, consents, deputies, policies, reject_reasons, reservations, series, together, waiting
from booking.services import context as booking_context
from booking.services.changes import ChangeRequest
from booking.services.deputies import Absence
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.together import Bundle, Place
from booking.services.waiting import Wish
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.wall_time import local_day

LAB_RULES = {
    "quotas": [
        {"subject": "organisation", "measure": "minutes", "period": "week", "most": 3600, "peak_only": False},
        {"subject": "person", "measure": "count", "period": "ahead", "most": 40, "peak_only": False},
    ],
    "peak": [{"weekdays": [1, 2, 3, 4, 5], "from_minute": 540, "until_minute": 1020}],
    "answer_minutes": 480,
}
#: What the lab need not look at on one of its instruments.
AT_ONCE = {"auto_approval": {"who": "proven", "most_minutes": 240, "week_minutes": 2400, "most_fen": 5_000_00}}
CLASS_RULES = {"horizons": {"firm": 45}, "late_may_use": True}


def agree(people: People, today: date, now: datetime) -> dict[str, int]:
    """Write the first lab's layers of rules and let one of its customers ask for another time; counts of both."""
    lab = people.owners[0]
    manager = people.actor(lab, Role.LAB_MANAGER)
    policies.say(manager, Scope(lab.pk), LAB_RULES, now)
    policies.say(manager, Scope(lab.pk, "01"), CLASS_RULES, now)
    told = {"rules of labs": 2, "asked to move": _ask_to_move(people, now), "waiting": _wait(people, today, now)}
    told |= {"times of a series": _repeat(people, today, now), "booked together": _together(people, today, now)}
    told |= {"booked for a colleague": _for_each_other(people, today, now), "booked at once": _at_once(people, today, now)}
    return told | {"other times suggested": _suggest(people, now), "standing in": _stand_in(people, today, now)}


def _together(people: People, today: date, now: datetime) -> int:
    """The first firm asks for two instruments of the first lab at once, on the first day on which both can be had."""
    firm, lab = people.customers[0], people.owners[0]
    researcher = people.actor(firm, Role.RESEARCHER)
    instruments = Instrument.objects.filter(organisation=lab, status="normal", published=True).order_by("pk")[3:5]
    zone = ZoneInfo(settings.TIME_ZONE)
    for days in range(9, 25):
        start = local_day(today + timedelta(days=days), zone).starts_at + timedelta(hours=10)
        during = TimeRange(start, start + timedelta(hours=2))
        places = tuple(Place(one.pk, during, one.service_modes[0]) for one in instruments)
        bundle = Bundle(firm.pk, places, words("people")["purposes"][1])
        if together.report(researcher, bundle, now).is_possible:
            return len(together.ask(researcher, bundle, now, idempotency_key="demo-together").reservations)
    return 0


def _repeat(people: People, today: date, now: datetime) -> int:
    """The first firm asks for an afternoon every week, six times; times that others have are left out. How many it got."""
    firm, lab = people.customers[0], people.owners[0]
    researcher = people.actor(firm, Role.RESEARCHER)
    instrument = Instrument.objects.filter(organisation=lab, status="normal", published=True).order_by("pk")[2]
    day = today + timedelta(days=7)
    start = datetime.combine(day - timedelta(days=max(day.weekday() - 4, 0)), time(14))
    rule = SeriesRule(start, start + timedelta(hours=2), count=6)
    wish = series.Wish(instrument.pk, firm.pk, rule, instrument.service_modes[0], words("people")["purposes"][0])
    shown = series.report(researcher, wish, now)
    picks = [series.Pick(row.occurrence.ordinal, row.during) for row in shown.wanted if row.during]
    return len(series.ask(researcher, wish, picks, now, idempotency_key="demo-series").reservation_ids) if picks else 0


def _stand_in(people: People, today: date, now: datetime) -> int:
    """The first lab keeps sentences of its own, and somebody answers in its manager's place next week where there is a colleague."""
    lab = people.owners[0]
    manager = people.actor(lab, Role.LAB_MANAGER)
    reject_reasons.keep(manager, lab.pk, [(one["zh"], one["en"]) for one in words("people")["ready_reasons"]], now)
    colleague = deputies.colleagues(manager, lab.pk).first()
    if colleague is None:
        return 0
    deputies.name(manager, lab.pk, colleague.pk, Absence(today + timedelta(days=7), today + timedelta(days=11)), now)
    return 1


def _suggest(people: People, now: datetime) -> int:
    """For the last of the first lab's requests its manager suggests other times."""
    manager = people.actor(people.owners[0], Role.LAB_MANAGER)
    rows = queries.approval_inbox(manager).reverse()
    reason = words("people")["reject_reasons"][0]
    for row in rows:
        times = queries.free_instead(manager, row, now, changes.MOST_TIMES)
        if not times:
            continue
        first, *others = times
        wish = ChangeRequest(row.pk, first, reason=reason, others=tuple(others))
        try:
            return int(changes.change(manager, wish, now, idempotency_key="demo-suggest").state == "open")
        except Refusal:
            continue
    return 0


def _for_each_other(people: People, today: date, now: datetime) -> int:
    """The first firm's researcher and administrator book for each other; of the first of these bookings how many there are."""
    firm, lab = people.customers[0], people.owners[0]
    taker, giver = people.actor(firm, Role.RESEARCHER), people.actor(firm, Role.FIRM_ADMIN)
    consents.give(giver, firm.pk, taker.person_id, today + timedelta(days=90), now)
    consents.give(taker, firm.pk, giver.person_id, today + timedelta(days=30), now)
    zone, purpose = ZoneInfo(settings.TIME_ZONE), words("people")["purposes"][3]
    instrument = Instrument.objects.filter(organisation=lab, status="normal", published=True).order_by("pk")[1]
    for days in range(6, 25):
        start = local_day(today + timedelta(days=days), zone).starts_at + timedelta(hours=14)
        during = TimeRange(start, start + timedelta(hours=2))
        asked = ReservationRequest(
            instrument.pk, firm.pk, during, instrument.service_modes[0], purpose, for_person_id=giver.person_id
        )
        try:
            return int(bool(reservations.reserve(taker, asked, now, idempotency_key=f"demo-colleague-{days}")))
        except Refusal:
            continue
    return 0


def _at_once(people: People, today: date, now: datetime) -> int:
    """On the first lab's last instrument whose requests it looks at, those of who has used something of the lab's before count at once from
    now on; how many of the first firm's researcher do so, who asks for an hour."""
    firm, lab = people.customers[0], people.owners[0]
    researcher, manager = people.actor(firm, Role.RESEARCHER), people.actor(lab, Role.LAB_MANAGER)
    rows = Instrument.objects.filter(organisation=lab, status="normal", published=True, policy__approval_required=True)
    instrument = rows.order_by("-pk")[0]
    scope = Scope(lab.pk, instrument_id=instrument.pk)
    policies.say(manager, scope, policies.spoken(scope) | AT_ONCE, now)
    zone = ZoneInfo(settings.TIME_ZONE)
    for days in range(5, 25):
        start = local_day(today + timedelta(days=days), zone).starts_at + timedelta(hours=11)
        during = TimeRange(start, start + timedelta(hours=1))
        asked = ReservationRequest(instrument.pk, firm.pk, during, instrument.service_modes[0], words("people")["purposes"][2])
        try:
            made = reservations.reserve(researcher, asked, now, idempotency_key=f"demo-at-once-{days}")
        except Refusal:
            continue
        return int(made.state == ReservationState.APPROVED)
    return 0


def _wait(people: People, today: date, now: datetime) -> int:
    """The first firm waits for two instruments of the first lab: for one it is offered a time, for the other it waits."""
    firm, lab = people.customers[0], people.owners[0]
    researcher = people.actor(firm, Role.RESEARCHER)
    zone = ZoneInfo(settings.TIME_ZONE)
    instruments = Instrument.objects.filter(organisation=lab, status="normal", published=True).order_by("pk")[:2]
    for place, instrument in enumerate(instruments):
        first = local_day(today + timedelta(days=10 + place), zone).starts_at
        window = TimeRange(first, first + timedelta(days=7))
        waiting.join(researcher, Wish(instrument.pk, firm.pk, window, 120, instrument.service_modes[0]), now)
        if place == 0:
            waiting.offer_free_time(now)
    return len(instruments)


def _ask_to_move(people: People, now: datetime) -> int:
    """The first approved booking ahead that can move by a day or more does ask for it: of an instrument whose lab approves, any other
    booking would move at once."""
    rows = Reservation.objects.filter(
        instrument__organisation_id=people.owners[0].pk, state="approved", starts_at__gt=now + timedelta(days=1)
    ).order_by("starts_at", "pk")
    for row in rows:
        if not booking_context.load_unlocked(row.instrument_id).policy.approval_required:
            continue
        researcher = people.actors[row.organisation_id, Role.RESEARCHER]
        for days in range(1, 8):
            later = timedelta(days=days)
            wish = ChangeRequest(row.pk, TimeRange(row.starts_at + later, row.ends_at + later))
            try:
                return int(changes.change(researcher, wish, now, idempotency_key=f"demo-move-{days}").state == "open")
            except Refusal:
                continue
    return 0
