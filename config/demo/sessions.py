"""Six months of the demo's life, in the order in which it happened, through the same services as the pages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.models import Reservation
from booking.queries import downtimes as downtime_queries
from booking.rules.downtime import Choice, DowntimeKind
from booking.services import downtimes, maintenance, maintenance_plans, reservations, transitions, usage_review
from booking.services.downtimes import Decision, Outage
from booking.services.maintenance_plans import PlanFields
from booking.services.reservations import ReservationRequest
from booking.services.state_writing import seen_by
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation

ZONE = ZoneInfo("Asia/Shanghai")
DAYS_BACK = 182
DAYS_AHEAD = 12
#: How many customers ask on a working day, at the start and at the end of the six months, and for one of the days that come.
ASKS_PER_DAY = (0.5, 1.5)
ASKS_AHEAD = 3
LENGTHS_HOURS = (1, 2, 2, 3, 3, 4, 6)
#: Every so often an ask ends otherwise than well.
REJECTED, CANCELLED, MISSED, UNANSWERED = 0.05, 0.07, 0.03, 0.02


@dataclass
class Told:
    """What came of the asks, by state."""

    counts: dict[str, int]

    def add(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class Season:
    """Plays the asks of a span of days."""

    def __init__(self, people: People, instruments: list[Instrument], dice: random.Random, now: datetime) -> None:
        self.people = people
        self.dice = dice
        self.now = now
        self.told = Told({})
        self.instruments = [one for one in instruments if one.status == "normal" and one.price_versions.exists()]
        # A few firms use the platform much more than others, so that yearly caps show.
        self.weights = [8 if place % 9 == 0 else 1 for place in range(len(people.customers))]

    def play(self, today: date) -> dict[str, int]:
        for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
            day = today + timedelta(days=offset)
            if day.weekday() >= 5:
                continue
            for _ in range(self._asks(offset)):
                self._ask(day)
        self._persona_asks(today)
        return self.told.counts

    def _asks(self, offset: int) -> int:
        """How many ask for the day that is so many days from today."""
        first, last = ASKS_PER_DAY
        usual = ASKS_AHEAD if offset > 0 else first + (last - first) * (offset + DAYS_BACK) / DAYS_BACK
        return round(usual) + self.dice.randint(-1, 1)

    def _ask(self, day: date) -> None:
        customer = self.dice.choices(self.people.customers, self.weights)[0]
        instrument = self.dice.choice(self.instruments)
        during = self._during(day, self.dice.randint(9, 16), self.dice.choice(LENGTHS_HOURS))
        asked_at = min(
            during.starts_at - timedelta(days=self.dice.randint(2, 12)), self.now - timedelta(minutes=self.dice.randint(5, 2000))
        )
        reservation = self._reserve(customer, instrument, during, asked_at)
        if reservation is not None:
            self._live(reservation, asked_at)

    def _during(self, day: date, hour: int, hours: int) -> TimeRange:
        starts_at = datetime.combine(day, time(hour), ZONE)
        ends_at = min(starts_at + timedelta(hours=hours), datetime.combine(day, time(18), ZONE))
        return TimeRange(starts_at, ends_at)

    def _reserve(
        self, customer: Organisation, instrument: Instrument, during: TimeRange, asked_at: datetime
    ) -> Reservation | None:
        researcher = self.people.actor(customer, Role.RESEARCHER)
        lists = words("people")
        request = ReservationRequest(
            instrument.pk,
            customer.pk,
            during,
            self.dice.choice(instrument.service_modes),
            self.dice.choice(lists["purposes"]),
            self.dice.choice(lists["projects"]),
        )
        key = f"demo-{instrument.pk}-{during.starts_at.timestamp():.0f}-{customer.pk}"
        try:
            reserved = reservations.reserve(researcher, request, asked_at, idempotency_key=key)
        except Refusal as refusal:
            self.told.add(f"refused: {refusal.reasons[0].code}")
            return None
        return seen_by(researcher, reserved.reservation_id)

    def _live(self, reservation: Reservation, asked_at: datetime) -> None:
        """What became of it, as far as time has come."""
        manager = self.people.actors[reservation.instrument.organisation_id, Role.LAB_MANAGER]
        lot = self.dice.random()
        upcoming = reservation.starts_at > self.now
        if reservation.state == "requested":
            if upcoming and self.dice.random() < 0.45:
                self.told.add("requested")
                return
            in_time = reservation.starts_at - timedelta(minutes=1)
            answered_at = min(asked_at + timedelta(hours=self.dice.randint(1, 30)), self.now, in_time)
            if lot < REJECTED:
                transitions.reject(manager, reservation.pk, answered_at, self.dice.choice(words("people")["reject_reasons"]))
                self.told.add("rejected")
                return
            if lot > 1 - UNANSWERED and not upcoming:
                transitions.expire_due(reservation.starts_at)
                self.told.add("expired")
                return
            transitions.approve(manager, reservation.pk, answered_at)
        if lot < REJECTED + CANCELLED:
            researcher = self.people.actors[reservation.organisation_id, Role.RESEARCHER]
            transitions.cancel(researcher, reservation.pk, min(self.now, reservation.starts_at - timedelta(hours=20)))
            self.told.add("cancelled")
        elif upcoming:
            self.told.add("approved")
        elif lot < REJECTED + CANCELLED + MISSED:
            transitions.mark_no_show(manager, reservation.pk, max(reservation.starts_at + timedelta(minutes=45), asked_at))
            self.told.add("no_show")
        else:
            self._use(reservation)

    def _use(self, reservation: Reservation) -> None:
        manager = self.people.actors[reservation.instrument.organisation_id, Role.LAB_MANAGER]
        came = reservation.starts_at + timedelta(minutes=self.dice.randint(-5, 12))
        if came > self.now:
            self.told.add("approved")
            return
        transitions.check_in(manager, reservation.pk, came)
        left = reservation.ends_at + timedelta(minutes=self.dice.randint(-20, 8))
        if left > self.now:
            self.told.add("in_use")
            return
        transitions.check_out(manager, reservation.pk, left)
        looked_at = left + timedelta(hours=self.dice.randint(2, 40))
        if looked_at > self.now:
            self.told.add("completed")
            return
        usage_review.agree(self.people.actors[reservation.organisation_id, Role.RESEARCHER], reservation.pk, looked_at)
        self.told.add("agreed")

    def _persona_asks(self, today: date) -> None:
        """Something to do for the printed accounts: requests for the first lab, and the first firm's own."""
        firm, lab = self.people.customers[0], self.people.owners[0]
        own = [one for one in self.instruments if one.organisation_id == lab.pk]
        for place, instrument in enumerate(own[:4]):
            day = _workday(today, 2 + place)
            reservation = self._reserve(firm, instrument, self._during(day, 10 + place, 2), self.now)
            self.told.add("requested" if reservation else "persona ask refused")
        self._nobody_answers(firm, own[0], today)
        for hour, instrument in zip((9, 14), own[4:6], strict=False):
            self._today(firm, instrument, today, hour)
        manager = self.people.actor(lab, Role.LAB_MANAGER)
        during = self._during(_workday(today, 5), 9, 9)
        maintenance.block(manager, own[0].pk, during, words("people")["maintenance"], self.now)
        often = PlanFields(words("people")["maintenance"], DowntimeKind.SERVICE, 6, 500, 240)
        maintenance_plans.add(manager, own[0].pk, often, self.now - timedelta(days=170))
        self._breaks_down(firm, manager, own[-1], today)

    def _nobody_answers(self, firm: Organisation, instrument: Instrument, today: date) -> None:
        """One request of the past weeks that went unanswered, whatever the dice say: every state is there at every hour."""
        for days in range(3, 40):
            during = self._during(today - timedelta(days=days), 10, 2)
            reservation = self._reserve(firm, instrument, during, during.starts_at - timedelta(days=3))
            if reservation is not None and reservation.state == "requested":
                transitions.expire_due(during.starts_at)
                self.told.add("expired")
                return

    def _breaks_down(self, firm: Organisation, manager: Actor, instrument: Instrument, today: date) -> None:
        """An instrument of the first lab is broken: one booking waits, one gets other times, one is left to be decided."""
        days = [_workday(today, 1 + place) for place in range(3)]
        for day in days:
            self._reserve(firm, instrument, self._during(day, 10, 2), self.now)
        during = TimeRange(self.now, self._during(days[-1], 17, 1).ends_at)
        found = downtime_queries.preview(manager, instrument, during, self.now).hits
        chosen = zip(found, (Choice.KEEP, Choice.OFFER), strict=False)
        decisions = {hit.reservation.pk: Decision(choice, hit.times) for hit, choice in chosen if choice in hit.choices}
        seen = frozenset(hit.reservation.pk for hit in found)
        note, text = words("people")["broken"], words("people")["broken_words"]
        outage = Outage(DowntimeKind.BREAKDOWN, during, note, text, decisions=decisions, seen=seen)
        downtimes.declare(manager, instrument.pk, outage, self.now, idempotency_key="demo-breakdown")

    def _today(self, firm: Organisation, instrument: Instrument, today: date, hour: int) -> None:
        """A session of today, approved the day before, as far as time has come: one that is over was used. A demo that is loaded in the
        evening would otherwise begin with the printed researcher missing two sessions, and shut out of the lab."""
        manager = self.people.actors[instrument.organisation_id, Role.LAB_MANAGER]
        asked_at = self.now - timedelta(days=2)
        reservation = self._reserve(firm, instrument, self._during(today, hour, 3), asked_at)
        if reservation is None:
            return
        if reservation.state == "requested":
            transitions.approve(manager, reservation.pk, asked_at + timedelta(hours=3))
        self._use(reservation)


def _workday(today: date, ahead: int) -> date:
    """The ``ahead``-th working day after today."""
    day = today
    while ahead:
        day += timedelta(days=1)
        ahead -= day.weekday() < 5
    return day


def start_of(today: date) -> datetime:
    """The instant before which the demo's organisations were founded."""
    return datetime.combine(today - timedelta(days=DAYS_BACK + 40), time(0), UTC)
