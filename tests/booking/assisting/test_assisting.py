"""Sessions with assistance take the calendar of somebody of the lab: chosen with the booking, moved and freed with it, told of it."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pgtrigger
import pytest
from django.db import IntegrityError, transaction
from django.utils import translation
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentPolicy, Occupancy, Reservation
from booking.queries import assistants as queries
from booking.queries import free_slots
from booking.queries.day_counts import count_by_day
from booking.queries.finding import find_earliest, next_times
from booking.rules.time_search import TimeSearch
from booking.services import assistants, assisting, availability, changes, decisions, reservations, swaps, together, transitions
from booking.services.changes import ChangeRequest
from booking.services.context import load
from booking.services.decision_rows import How
from booking.services.many_times import Look
from booking.services.reservations import ReservationRequest
from booking.services.swaps import Swap
from booking.services.together import Bundle, Place
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.messages import reason_sentence
from config.kernel.models import AuditEntry
from instruments.models import Membership, Notice, User
from instruments.notice_events import event_of
from instruments.services import catalogue
from instruments.services.weekly_hours import WeeklyWindow
from tests.booking.services.test_statements import statements
from tests.concurrency.world import add_instrument

SHANGHAI = ZoneInfo("Asia/Shanghai")
FAR = 7  # Wednesday 2 December


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


class Lab:
    """``wang``'s lab with Hu and Ma, who assist on the cast's instrument and on a second one."""

    def __init__(self, cast, slot):
        self.cast, self.slot, self.keys = cast, slot, 0
        self.wang = cast.actor("wang")
        for name in ("hu", "ma"):
            cast.users[name] = User.objects.create(
                email=f"{name}@example.org", full_name=name.title(), password="!", language="en"
            )
            Membership.objects.create(user=cast.users[name], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
        self.second = add_instrument(cast, "Second XRD")
        self.second.service_modes = ["self_operated", "assisted"]
        self.second.save()

    def name(self, who, *instruments):
        rows = [assistants.name(self.wang, one.pk, self.cast.users[who].pk, self.cast.now) for one in instruments]
        return rows[0].assistant

    def ask(self, first, last, instrument=None, day=FAR, mode="assisted", who="lin"):
        self.keys += 1
        firm = self.cast.other_firm if who == "he" else self.cast.firm
        request = ReservationRequest((instrument or self.cast.xrd).pk, firm.pk, self.slot(first, last, day), mode)
        made = reservations.reserve(self.cast.actor(who), request, self.cast.now, idempotency_key=f"a{self.keys}")
        return Reservation.objects.get(pk=made.reservation_id)

    def approve(self, one, **more):
        transitions.approve(self.wang, one.pk, self.cast.now, **more)
        return one

    def move(self, one, first, last, who="wang", **more):
        self.keys += 1
        request = ChangeRequest(one.pk, self.slot(first, last, FAR), reason="as agreed", **({"agreed": True} | more))
        return changes.change(self.cast.actor(who), request, self.cast.now, idempotency_key=f"m{self.keys}")

    def publish(self, *modes):
        """The second instrument is used in these ways, and is found."""
        self.second.service_modes = list(modes)
        self.second.save()
        catalogue.refresh_instruments([self.second.pk], self.cast.now)
        availability.rebuild([self.second.calendar_id], self.cast.now)

    def earliest(self, day, mode, hours=1):
        """The hour of the day at which find-a-time has the second instrument for so long."""
        search = TimeSearch(60 * hours, day, day, text=self.second.name, service_mode=mode)
        (row,) = find_earliest(self.cast.actor("lin"), search, self.cast.now, 5, customer=self.cast.firm).rows
        return row.during.starts_at.astimezone(SHANGHAI).hour

    def counts(self, day, mode):
        """How often the second instrument is counted on the day and the day after, in a way of service."""
        search = TimeSearch(60, day, day + timedelta(days=1), text=self.second.name, service_mode=mode)
        return [one.count for one in count_by_day(self.cast.actor("lin"), search, self.cast.now, self.cast.firm)]

    def next_hour(self, day):
        """The hour of the next free time from the day on, as on the cards of a search."""
        since = self.slot(0, 1, FAR).starts_at
        (row,) = next_times(self.cast.actor("lin"), [self.second.pk], 60, since, self.cast.now, self.cast.firm)
        assert row.during.starts_at.astimezone(SHANGHAI).date() == day
        return row.during.starts_at.astimezone(SHANGHAI).hour

    def who(self, *bookings):
        """By name, with whether it keeps them from anything else."""
        found = {
            one.reservation_id: (one.calendar.assistant.person.full_name, one.blocking)
            for one in Occupancy.objects.filter(source="assistance").select_related("calendar__assistant__person")
        }
        return [found.get(one.pk) for one in bookings]


@pytest.fixture
def lab(cast, programmes, slot):
    yield Lab(cast, slot)
    found = {name: check().violations for name, check in registered().items() if name.startswith("booking.")}
    assert {name: texts for name, texts in found.items() if texts} == {}


def told(person) -> list[str]:
    return list(Notice.objects.filter(user=person, event__startswith="assist.").order_by("pk").values_list("event", flat=True))


def test_the_one_who_assists_goes_with_the_booking_until_it_gives_its_time_back(lab, cast, slot):
    """Two instruments and two people: chosen by the week's minutes, moved, swapped, changed by the lab, freed and taken again."""
    before = lab.approve(lab.ask(8, 9))
    assert lab.who(before) == [None]  # as before anybody was named
    _hu, _ma = lab.name("hu", cast.xrd, lab.second), lab.name("ma", cast.xrd)
    first = lab.ask(9, 11)
    second = lab.ask(11, 12)
    assert lab.who(first, second) == [("Hu", True), ("Ma", True)]  # Hu has two hours of that week by then
    alone = lab.ask(13, 15, mode="self_operated")
    assert lab.who(alone) == [None]
    assert told(cast.users["hu"]) == []  # nothing is sure yet
    lab.approve(first), lab.approve(second)
    assert told(cast.users["hu"]) == ["assist.approved"] == told(cast.users["ma"])

    # Hu is on the first instrument, so the second has nobody at that time: its own refusal, with the nearest time that has somebody.
    with pytest.raises(Conflict) as refused:
        lab.ask(10, 11, lab.second, who="he")
    assert codes(refused) == ["booking.nobody_assists_but_then"]
    assert refused.value.extra["alternatives"][0][0].endswith("T11:00:00+08:00")
    with translation.override("zh-hans"):
        assert "11" in reason_sentence(refused.value.reasons[0])
    lin = cast.actor("lin")
    context = load(lin, lab.second.pk, lock=False)
    look = Look(context, lin.user_id, cast.firm, [slot(10, 11, FAR), slot(11, 12, FAR)], "assisted", cast.now)
    found = look.at_all([slot(10, 11, FAR), slot(11, 12, FAR)])
    assert [[one.code for one in verdict.reasons] for verdict in found] == [["booking.nobody_assists"], []]
    assert found[0].instead == slot(9 - 1, 9, FAR)  # 11 to 12 is taken by then
    day = date(2026, 12, 2)
    rows = {
        mode: {one.range: one.why for one in free_slots(lin, lab.second.pk, day, 1, cast.now, None, mode).days[0].shown}
        for mode in ("assisted", "self_operated")
    }
    assert (
        {one for one, why in rows["assisted"].items() if why != rows["self_operated"][one]}
        == {one for one, why in rows["assisted"].items() if why == "booking.nobody_assists"}
        == {one for one in rows["assisted"] if one.overlaps(slot(9, 11, FAR))}
    )
    # Find a time: in assisted mode the first one at which somebody can; and what is used with assistance alone has no other times.
    lab.publish("self_operated", "assisted")
    found = {mode: lab.earliest(day, mode, hours=2) for mode in ("assisted", "self_operated", "")}
    assert found == {"assisted": 11, "self_operated": 8, "": 8}
    # The counts above the days: none on a day on which everybody is away.
    counted = {mode: lab.counts(day, mode) for mode in ("assisted", "self_operated", "")}
    assert counted == {"assisted": [1, 1], "self_operated": [1, 1], "": [1, 1]}
    away = [assistants.add_absence(lab.wang, one.pk, slot(0, 24, FAR + 1), "fair", cast.now) for one in (_hu, _ma)]
    assert lab.counts(day, "assisted") == [1, 0] and lab.counts(day, "self_operated") == lab.counts(day, "") == [1, 1]
    lab.publish("assisted")
    assert lab.counts(day, "") == [1, 0]
    lab.publish("self_operated", "assisted")
    for one, who in zip(away, (_hu, _ma), strict=True):
        assistants.remove_absence(lab.wang, who.pk, one.pk, cast.now)
    lab.ask(8, 9, lab.second, mode="self_operated")
    assert lab.earliest(day, "assisted") == 11 and lab.next_hour(day) == 9
    lab.publish("assisted")
    assert lab.earliest(day, "") == lab.next_hour(day) == 11
    lab.publish("self_operated", "assisted")
    assert lab.who(lab.ask(10, 11, lab.second, mode="self_operated", who="he")) == [None]

    # It moves with the booking: the same person where they can, another where they cannot.
    lab.move(first, 15, 17)
    assert lab.who(first) == [("Hu", True)] and told(cast.users["hu"])[-1] == "assist.moved"
    evening = lab.approve(lab.ask(18, 19, lab.second))
    lab.move(first, 17, 19)
    assert lab.who(first, evening) == [("Ma", True), ("Hu", True)]
    assert told(cast.users["hu"])[-1] == "assist.relieved" and told(cast.users["ma"])[-1] == "assist.moved"
    calendars = {code: event_of(code).calendar(first.pk, "x@example.org") for code in ("assist.relieved", "assist.moved")}
    assert [one.method for one in calendars.values()] == ["CANCEL", "REQUEST"]
    with pytest.raises(Conflict) as refused:
        lab.ask(18, 20, who="he")
    assert codes(refused) == ["booking.just_taken"]  # the instrument itself is taken: that is said, not that nobody assists


def test_what_nobody_can_assist_in_is_not_moved_there_swapped_or_proposed(lab, cast, slot):
    hu = lab.name("hu", cast.xrd, lab.second)
    second = lab.approve(lab.ask(10, 12))
    lab.approve(lab.ask(9, 10))
    other = lab.approve(lab.ask(14, 15, lab.second))
    for agreed in (True, False):
        with pytest.raises(Conflict) as refused:
            lab.move(other, 9, 10, agreed=agreed)
        assert codes(refused) == ["booking.nobody_assists_but_then"]
    assert lab.who(other) == [("Hu", True)] and Reservation.objects.get(pk=other.pk).during == slot(14, 15, FAR)
    swaps.swap(lab.wang, Swap(lab.approve(lab.ask(16, 17)).pk, second.pk, "both agreed", True), cast.now, idempotency_key="s")
    assert lab.who(second) == [("Hu", True)] and Reservation.objects.get(pk=second.pk).during == slot(16, 18, FAR)
    with pytest.raises(Conflict) as refused:  # two hours of Hu, from 14 on, are not free: the second instrument has one of them
        lab.move(second, 14, 16)
    assert codes(refused) == ["booking.nobody_assists_but_then"]
    assert hu.calendar_id == Occupancy.objects.get(reservation=other, source="assistance").calendar_id
    # Two instruments at the same time, all or none: one person cannot be at both.
    bundle = Bundle(cast.firm.pk, tuple(Place(one.pk, slot(8, 9, FAR), "assisted") for one in (cast.xrd, lab.second)))
    looked = together.report(cast.actor("lin"), bundle, cast.now)
    assert [[one.code for one in row.verdict.reasons] for row in looked.rows] == [[], ["booking.nobody_assists"]]
    with pytest.raises(Conflict) as refused:
        together.ask(cast.actor("lin"), bundle, cast.now, idempotency_key="t")
    assert codes(refused) == ["together.not_all", "booking.nobody_assists"]
    assert Occupancy.objects.filter(source="assistance").count() == 4
    # With Ma, who can do the first alone, Hu is left for the second, though Ma has more to do in that week.
    ma = lab.name("ma", cast.xrd)
    for first in (12, 14, 16):
        assistants.choose(lab.wang, lab.approve(lab.ask(first, first + 2, day=FAR + 1)).pk, ma.pk, cast.now)
    looked = together.report(cast.actor("lin"), bundle, cast.now)
    assert [row.verdict.reasons for row in looked.rows] == [(), ()]
    # One that nobody can do at all takes nothing from the others.
    third = add_instrument(cast, "Third XRD")
    third.service_modes = ["assisted"]
    third.save()
    wang = assistants.name(lab.wang, third.pk, cast.users["wang"].pk, cast.now).assistant
    assistants.add_absence(lab.wang, wang.pk, slot(8, 9, FAR), "", cast.now)
    three = Bundle(cast.firm.pk, (*bundle.places, Place(third.pk, slot(8, 9, FAR), "assisted")))
    looked = together.report(cast.actor("lin"), three, cast.now)
    assert [[one.code for one in row.verdict.reasons] for row in looked.rows] == [[], [], ["booking.nobody_assists"]]
    made = together.ask(cast.actor("lin"), bundle, cast.now, idempotency_key="t2").reservations
    assert lab.who(*Reservation.objects.filter(pk__in=[pk for pk, _state in made]).order_by("pk")) == [("Ma", True), ("Hu", True)]


def test_the_time_of_who_assists_is_free_again_with_that_of_the_booking(lab, cast, slot):
    """Cancelled, rejected, expired, missed and come late; early starts and longer sessions count it too."""
    lab.name("hu", cast.xrd, lab.second)
    hu = cast.users["hu"]
    gone = lab.approve(lab.ask(9, 10))
    transitions.cancel(lab.wang, gone.pk, cast.now, "a pump failed")
    refused_one, late = lab.ask(10, 11), lab.ask(11, 12)
    transitions.reject(lab.wang, refused_one.pk, cast.now, "no such samples")
    transitions.expire_due(late.starts_at)
    assert lab.who(gone, refused_one, late) == [("Hu", False)] * 3
    assert told(hu) == ["assist.approved", "assist.cancelled"]
    missed = lab.approve(lab.ask(13, 15))
    transitions.mark_no_shows_due(missed.starts_at + timedelta(hours=1))
    assert lab.who(missed) == [("Hu", False)] and told(hu)[-1] == "assist.no_show"
    instead = lab.ask(14, 16, lab.second)
    assert lab.who(instead) == [("Hu", True)]
    # Who comes late is let in by the lab, which is there; Hu is not, and stays where Hu is.
    transitions.check_in(lab.wang, missed.pk, missed.starts_at + timedelta(minutes=70))
    assert lab.who(missed, instead) == [None, ("Hu", True)]
    transitions.check_out(lab.wang, missed.pk, missed.ends_at)

    early = lab.approve(lab.ask(16, 17))
    row = Occupancy.objects.get(reservation=early, source="assistance")
    transitions.check_in(lab.wang, early.pk, early.starts_at - timedelta(minutes=10))
    assert Occupancy.objects.get(pk=row.pk).during == row.during  # Hu has the other session until 16:00
    assert Occupancy.objects.get(reservation=early, source="reservation").during == row.during


def test_a_request_that_keeps_nobody_out_keeps_nobody_from_others_and_gets_who_is_free_when_it_is_approved(lab, cast, slot):
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"pending_blocks": False})
    cast.xrd.refresh_from_db()
    hu, ma = lab.name("hu", cast.xrd, lab.second), lab.name("ma", cast.xrd)
    waiting, rival = lab.ask(9, 11), lab.ask(9, 11, who="he")
    assert lab.who(waiting, rival) == [("Hu", False)] * 2
    taken = lab.ask(10, 12, lab.second)
    assert lab.who(taken) == [("Hu", True)]
    lab.approve(waiting)
    assert lab.who(waiting, rival) == [("Ma", True), ("Hu", False)]
    assert told(cast.users["ma"]) == ["assist.approved"] and told(cast.users["hu"]) == []
    # With nobody left it is not approved, and nothing changed.
    alone = lab.ask(13, 14)
    for one in (hu, ma):
        assistants.add_absence(lab.wang, one.pk, slot(12, 16, FAR), "fair", cast.now)
    with pytest.raises(Conflict) as refused:
        lab.approve(alone)
    assert codes(refused) == ["booking.nobody_assists_but_then"] and Reservation.objects.get(pk=alone.pk).state == "requested"


def test_the_lab_says_who_may_assist_when_they_work_and_who_takes_a_session(lab, cast, slot):
    hu = lab.name("hu", cast.xrd, lab.second)
    for people, code in (("lin", "assistant.not_of_the_lab"), ("hu", "assistant.named_already")):
        with pytest.raises(Refusal) as refused:
            lab.name(people, cast.xrd)
        assert codes(refused) == [code]
    with pytest.raises(Forbidden):
        assistants.name(cast.actor("lin"), cast.xrd.pk, cast.users["hu"].pk, cast.now)
    # Hours of work: Wednesdays from 13 to 18 alone. What was given stays; what is asked for anew obeys.
    given = lab.approve(lab.ask(9, 10))
    own = cast.actor("hu")
    assistants.set_hours(own, hu.pk, [WeeklyWindow(2, time(13), time(18))], cast.now)
    assert queries.hours_of(hu) == [WeeklyWindow(2, time(13), time(18))] and lab.who(given) == [("Hu", True)]
    with pytest.raises(Conflict) as refused:
        lab.ask(10, 11)
    assert refused.value.extra["alternatives"][0][0].startswith("2026-12-02T13:00")
    with pytest.raises(Refusal) as refused:
        assistants.set_hours(own, hu.pk, [WeeklyWindow(2, time(13), time(18)), WeeklyWindow(2, time(17), time(19))], cast.now)
    assert codes(refused) == ["calendar.windows_overlap"]
    ma = lab.name("ma", cast.xrd)
    # The lab may give a session to somebody outside of their hours, never to somebody who has something else.
    afternoon = lab.approve(lab.ask(14, 15, lab.second))
    elsewhere = lab.approve(lab.ask(14, 15))
    assert lab.who(given, afternoon, elsewhere) == [("Hu", True), ("Hu", True), ("Ma", True)]
    with pytest.raises(Conflict) as refused:
        assistants.choose(lab.wang, elsewhere.pk, hu.pk, cast.now)
    assert codes(refused) == ["assistant.busy"] and lab.who(elsewhere) == [("Ma", True)]
    assert [(one.name, one.is_chosen, one.can, one.is_free) for one in queries.choices(elsewhere, cast.now)] == [
        ("Hu", False, False, False), ("Ma", True, True, True),
    ]  # fmt: skip
    assert assistants.choose(lab.wang, given.pk, ma.pk, cast.now) == "Ma"
    assert told(cast.users["ma"])[-1] == "assist.given" and told(cast.users["hu"])[-1] == "assist.relieved"
    pending = lab.ask(16, 17)
    lab.approve(pending, assistant_id=ma.pk)
    assert lab.who(pending) == [("Ma", True)]
    for pk, who, code in (
        (lab.ask(17, 18, mode="self_operated").pk, ma.pk, "assistant.not_assisted"),
        (given.pk, 0, "assistant.not_named"),
    ):
        with pytest.raises(Refusal) as refused:
            assistants.choose(lab.wang, pk, who, cast.now)
        assert codes(refused) == [code]
    with pytest.raises(Forbidden):
        assistants.choose(cast.actor("lin"), given.pk, hu.pk, cast.now)
    with pytest.raises(NotFound):
        assistants.choose(cast.actor("he"), given.pk, hu.pk, cast.now)
    # Absences: refused over sessions, with these; afterwards nobody is given anything in them.
    with pytest.raises(Conflict) as refused:
        assistants.add_absence(own, hu.pk, slot(14.5, 20, FAR), "", cast.now)
    assert codes(refused) == ["assistant.absence_clashes"]
    assert refused.value.reasons[0].params == {"count": 1, "bookings": Reservation.objects.get(pk=afternoon.pk).reference}
    away = assistants.add_absence(own, hu.pk, slot(15, 20, FAR), "dentist", cast.now)
    with pytest.raises(Conflict):
        lab.ask(15, 16, lab.second)
    with pytest.raises(NotFound):
        assistants.remove_absence(cast.actor("lin"), hu.pk, away.pk, cast.now)
    assistants.remove_absence(lab.wang, hu.pk, away.pk, cast.now)
    assert lab.who(lab.ask(15, 16, lab.second)) == [("Hu", True)]
    for during, code in ((slot(9, 10, -5), "assistant.absence_over"), (slot(9, 9 + 24 * 400, FAR), "assistant.absence_too_long")):
        with pytest.raises(Refusal) as refused:
            assistants.add_absence(own, hu.pk, during, "", cast.now)
        assert codes(refused) == [code]
    # Taken out only when nothing is theirs any more; who leaves the lab is chosen for nothing.
    with pytest.raises(Conflict) as refused:
        assistants.unname(lab.wang, cast.xrd.pk, ma.pk, cast.now)
    assert codes(refused) == ["assistant.has_sessions"] and refused.value.reasons[0].params["count"] == 3
    Membership.objects.filter(user=cast.users["ma"]).delete()
    assert [one.counts for one in queries.of_instrument(lab.wang, cast.xrd)] == [True, False]
    assert lab.who(lab.ask(13, 14)) == [("Hu", True)]
    assert {"assistant.name", "assistant.hours", "assistant.absence", "assistant.absence_over", "reservation.assistant"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


def test_the_database_refuses_two_places_at_once_and_what_does_not_follow_its_booking(lab, cast, slot):
    """The guards by themselves, whoever writes; each with what happens without it."""
    hu = lab.name("hu", cast.xrd, lab.second)
    one, other = lab.ask(9, 11), lab.ask(13, 15, lab.second)
    during = TimestamptzRange(slot(10, 12, FAR).starts_at, slot(10, 12, FAR).ends_at)
    rows = Occupancy.objects.filter(reservation=other)
    with pytest.raises(IntegrityError, match="has something else then"), transaction.atomic():
        rows.filter(source="reservation").update(during=during)
    with pytest.raises(IntegrityError, match="occupancy_no_overlap"), transaction.atomic():
        rows.filter(source="assistance").update(during=during)
    with pytest.raises(IntegrityError, match="occupancy_assistance_once"), transaction.atomic():
        Occupancy.objects.create(calendar_id=hu.calendar_id, during=during, blocking=False, source="assistance", reservation=one)
    with pytest.raises(IntegrityError, match="occupancy_assistance_in_booking"), transaction.atomic():
        Occupancy.objects.create(calendar_id=hu.calendar_id, during=during, blocking=False, source="assistance")
    with transaction.atomic():
        with pgtrigger.ignore("booking.Occupancy:assistance_follows"):  # control: Hu is left behind, and the invariant says so
            rows.filter(source="reservation").update(during=during)
        assert len(registered()["booking.assistance_follows_bookings"]().violations) == 1
        transaction.set_rollback(True)


def test_an_instrument_without_anybody_named_costs_a_booking_no_statement_more(lab, cast, slot):
    def asked(mode, first):
        return len(statements(lambda: lab.ask(first, first + 1, mode=mode)))

    lab.ask(8, 9)
    before = asked("assisted", 9)
    assert asked("self_operated", 10) == before
    lab.name("hu", cast.xrd), lab.name("ma", cast.xrd)
    one = asked("assisted", 11)
    assert one <= before + 3 and asked("self_operated", 12) == before


def test_who_has_left_the_lab_is_neither_shown_to_it_nor_sent_to_a_session_that_is_approved_later(lab, cast, slot):
    hu, ma = lab.name("hu", cast.xrd, lab.second), lab.name("ma", cast.xrd)
    waits, elsewhere = lab.ask(9, 11), lab.ask(13, 14, lab.second)
    assert lab.who(waits, elsewhere) == [("Hu", True), ("Hu", True)]
    Membership.objects.filter(user=cast.users["hu"]).delete()
    for work in (
        lambda: assistants.add_absence(lab.wang, hu.pk, slot(8, 9, FAR), "", cast.now),
        lambda: assistants.set_hours(lab.wang, hu.pk, [], cast.now),
    ):
        with pytest.raises(NotFound):
            work()
    assistants.set_hours(lab.wang, ma.pk, [], cast.now)  # of who is still there it is as it was
    lab.approve(waits)
    assert lab.who(waits) == [("Ma", True)] and told(cast.users["ma"]) == ["assist.approved"] and told(cast.users["hu"]) == []
    lab.approve(elsewhere)  # nobody is left who has to assist there
    assert lab.who(elsewhere) == [None]


def test_a_rejection_that_is_taken_back_gets_somebody_else_where_the_first_one_is_taken(lab, cast, slot):
    lab.name("hu", cast.xrd, lab.second), lab.name("ma", cast.xrd)
    request = lab.ask(9, 11)
    transitions.reject(lab.wang, request.pk, cast.now, "no", How(undo=True))
    rival = lab.ask(9, 11, lab.second, who="he")
    assert lab.who(request, rival) == [("Hu", False), ("Hu", True)]
    decisions.take_back(lab.wang, request.pk, cast.now)
    assert lab.who(request, rival) == [("Ma", True), ("Hu", True)]


def test_a_calendar_is_looked_at_no_further_than_to_the_last_day_that_is_searched(lab, cast, slot, monkeypatch):
    hu = lab.name("hu", lab.second)
    lab.publish("assisted")
    assistants.add_absence(lab.wang, hu.pk, slot(0, 48, FAR), "", cast.now)
    looked, as_before = [], assisting.helpers_of_many

    def helpers_of_many(asked, now):
        looked.extend(asked)
        return as_before(asked, now)

    monkeypatch.setattr(assisting, "helpers_of_many", helpers_of_many)

    def found(last_on):
        looked.clear()
        search = TimeSearch(60, date(2026, 12, 2), last_on, text=lab.second.name, service_mode="assisted")
        return [one.during for one in find_earliest(cast.actor("lin"), search, cast.now, 5, customer=cast.firm).rows]

    assert found(date(2026, 12, 2)) == [] and len(looked) == 1
    assert found(date(2026, 12, 3)) == [] and len(looked) == 2  # control: the first window ends in the afternoon of that day
    assert found(date(2026, 12, 4)) == [slot(8, 9, FAR + 2)] and len(looked) == 2


def test_a_week_of_work_has_so_many_windows_at_most(lab, cast):
    hu = lab.name("hu", cast.xrd)
    windows = [WeeklyWindow(day, time(hour), time(hour, 30)) for day in range(7) for hour in range(11)]
    with pytest.raises(Refusal) as refused:
        assistants.set_hours(cast.actor("hu"), hu.pk, windows, cast.now)
    assert codes(refused) == ["assistant.too_many_windows"]
    assistants.set_hours(cast.actor("hu"), hu.pk, windows[: assistants.MOST_WINDOWS], cast.now)
    assert len(queries.hours_of(hu)) == assistants.MOST_WINDOWS
