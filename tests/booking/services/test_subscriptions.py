"""A lab's other calendar blocks time here: read from a real server, kept up to date, never over a booking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg.types.range import TimestamptzRange

from booking import calendar_queries, tasks
from booking.models import CalendarSubscription, Occupancy, SubscribedEvent
from booking.services import maintenance, reservations, subscription_refresh, subscriptions, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.messages import sentence
from config.kernel.models import AuditEntry, Heartbeat
from config.kernel.services import outbound
from instruments.models import Notice
from instruments.rules.ics_reading import read_ics
from instruments.services import ics_reader
from tests.concurrency.harness import overlapping_pairs
from tests.instruments.calendars.ics import calendar, event, timed
from tests.kernel.services.neighbour import Neighbour, neighbour, says

pytestmark = pytest.mark.django_db

#: On the day of ``slot``: 10 to 12 and 14 to 15 in Shanghai.
BEAM = timed("20261125T020000Z", "20261125T040000Z", uid="beam", title="Beam time")
VISIT = timed("20261125T060000Z", "20261125T070000Z", uid="visit", title="Visit")


@pytest.fixture(autouse=True)
def _reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; test_ics_reading shows the process of its own."""
    monkeypatch.setattr(ics_reader, "read", read_ics)


@pytest.fixture
def lab(settings: Any) -> Iterator[Neighbour]:
    """The lab's own server."""
    with neighbour(says(calendar(BEAM, VISIT), ETag='"one"')) as server:
        settings.OUTBOUND_ALLOW = frozenset({("127.0.0.1", server.port)})
        yield server


@pytest.fixture
def followed(cast: Any, lab: Neighbour) -> CalendarSubscription:
    """A subscription that has not been read yet."""
    return subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, lab.url(), "Lab calendar", cast.now)


@pytest.fixture
def refresh(followed: CalendarSubscription) -> Any:
    """Read it at a time (the cast's by default), due or not; returns the row."""

    def read(at: datetime) -> CalendarSubscription:
        CalendarSubscription.objects.filter(pk=followed.pk).update(due_at=at)
        subscription_refresh.refresh(followed.pk, at)
        followed.refresh_from_db()
        return followed

    return read


def book(cast: Any, during: Any, key: str = "k", who: str = "lin") -> int:
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", "salts")
    return reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=key).reservation_id


def taken(cast: Any) -> list[tuple[str, str, str]]:
    """What the subscription takes, in Shanghai's hours, with its note."""
    rows = Occupancy.objects.filter(calendar_id=cast.xrd.calendar_id, source="subscribed", blocking=True).order_by("during")
    hours = timedelta(hours=8)
    return [(f"{row.during.lower + hours:%H:%M}", f"{row.during.upper + hours:%H:%M}", row.note) for row in rows]


BOTH = [("10:00", "12:00", "Beam time"), ("14:00", "15:00", "Visit")]


def test_what_stands_in_the_labs_calendar_cannot_be_booked_here(cast, programmes, slot, refresh):
    read = refresh(cast.now)
    assert (read.failures, read.fault_code, read.etag) == (0, "", '"one"')
    assert read.last_ok_at == cast.now and read.due_at == cast.now + timedelta(minutes=15)
    assert taken(cast) == BOTH
    with pytest.raises(Conflict) as refused:
        book(cast, slot(11, 13))
    assert refused.value.reasons[0].code == "booking.just_taken" and refused.value.extra["alternatives"]
    book(cast, slot(12, 14))
    assert overlapping_pairs() == 0


def test_a_booking_that_was_there_first_stays_and_the_overlap_is_shown(cast, programmes, slot, refresh):
    pk = book(cast, slot(11, 13))
    refresh(cast.now)
    assert taken(cast) == [("10:00", "11:00", "Beam time"), ("14:00", "15:00", "Visit")]
    (overlap,) = calendar_queries.overlaps_of(cast.actor("wang"), cast.xrd, cast.now)
    assert overlap.event.title == "Beam time" and overlap.reservation.pk == pk
    assert calendar_queries.overlaps_of(cast.actor("lin"), cast.xrd, cast.now) == []


def test_time_that_becomes_free_goes_to_the_event_at_the_next_look(cast, programmes, slot, refresh):
    pk = book(cast, slot(11, 13))
    refresh(cast.now)
    transitions.cancel(cast.actor("lin"), pk, cast.now)
    assert taken(cast)[0] == ("10:00", "11:00", "Beam time")
    assert subscription_refresh.settle_crowded(cast.now) == 1
    assert taken(cast) == BOTH
    assert calendar_queries.overlaps_of(cast.actor("wang"), cast.xrd, cast.now) == []


def test_conflicts_are_looked_at_again_by_the_periodic_task(cast, programmes, slot, refresh):
    during = slot(11, 13)
    block = maintenance.block(cast.actor("wang"), cast.xrd.pk, during, "Service", cast.now)
    refresh(cast.now)
    (overlap,) = calendar_queries.overlaps_of(cast.actor("wang"), cast.xrd, cast.now)
    assert overlap.reservation is None
    assert subscription_refresh.settle_crowded(cast.now) == 0
    assert taken(cast) == [("10:00", "11:00", "Beam time"), ("14:00", "15:00", "Visit")]
    block.occupancies.all().delete()
    assert subscription_refresh.settle_crowded(cast.now) == 1
    assert taken(cast) == BOTH
    assert not CalendarSubscription.objects.filter(crowded=True).exists()


def test_events_that_move_or_go_free_their_time(cast, lab, refresh):
    refresh(cast.now)
    lab.reply = says(calendar(timed("20261125T050000Z", "20261125T060000Z", uid="beam", title="Beam time")))
    refresh(cast.now + timedelta(minutes=15))
    assert taken(cast) == [("13:00", "14:00", "Beam time")]
    lab.reply = says(calendar(event("STATUS:CANCELLED", body="DTSTART:20261125T050000Z\nDTEND:20261125T060000Z", uid="beam")))
    refresh(cast.now + timedelta(minutes=30))
    assert taken(cast) == [] and not SubscribedEvent.objects.exists()


@pytest.mark.parametrize("again", [says(b"", 304), says(calendar(BEAM, VISIT), ETag='"two"')], ids=["304", "same-bytes"])
def test_an_unchanged_file_writes_no_times(cast, lab, refresh, again):
    refresh(cast.now)
    before = list(Occupancy.objects.order_by("pk").values()), list(SubscribedEvent.objects.values()), AuditEntry.objects.count()
    lab.reply = again
    with CaptureQueriesContext(
        connection,
    ) as queries:
        read = refresh(cast.now + timedelta(minutes=15))
    written = [one["sql"] for one in queries if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert all("booking_calendarsubscription" in one for one in written)
    assert before == (
        list(Occupancy.objects.order_by("pk").values()),
        list(SubscribedEvent.objects.values()),
        AuditEntry.objects.count(),
    )
    assert read.last_ok_at == cast.now + timedelta(minutes=15)
    assert lab.asked[-1][1]["if-none-match"] == '"one"'


def test_an_unchanged_file_is_read_again_before_its_repetitions_run_out(cast, lab, refresh):
    lab.reply = says(calendar(event("RRULE:FREQ=DAILY", body="DTSTART:20261125T020000Z\nDURATION:PT1H")), ETag='"one"')
    refresh(cast.now)
    first = SubscribedEvent.objects.latest("starts_at").starts_at
    refresh(cast.now + timedelta(days=120))
    assert "if-none-match" not in lab.asked[-1][1]
    assert SubscribedEvent.objects.latest("starts_at").starts_at == first + timedelta(days=120)
    assert overlapping_pairs() == 0


def test_a_fault_is_shown_in_words_and_the_times_stay_taken(cast, lab, refresh):
    refresh(cast.now)
    lab.reply = says(b"gone", 404)
    for number, wait in ((1, 30), (2, 60), (3, 120)):
        read = refresh(cast.now)
        assert read.failures == number and read.due_at == cast.now + timedelta(minutes=wait)
    assert read.fault_code == "outbound.status" and "404" in sentence(read.fault_code, read.fault_params)
    assert taken(cast) == BOTH and read.last_ok_at == cast.now
    lab.reply = says(calendar(BEAM))
    assert refresh(cast.now).fault_code == ""


def told(cast) -> list[tuple[str, bool]]:
    """What Wang was told of followed calendars, oldest first, and whether it waits for her."""
    rows = Notice.objects.filter(user=cast.users["wang"], event__startswith="lab.calendar_").order_by("pk")
    return list(rows.values_list("event", "needs_action"))


def test_the_labs_managers_are_told_once_that_a_calendar_fails_and_once_that_it_works(cast, lab, refresh, followed):
    refresh(cast.now)
    lab.reply = says(b"gone", 404)
    for _ in range(2):
        refresh(cast.now)
    assert told(cast) == [], "a server that starts anew is nobody's news"
    for _ in range(3):
        refresh(cast.now)
    assert told(cast) == [("lab.calendar_fails", True)]
    notice = Notice.objects.get(event="lab.calendar_fails")
    assert notice.path == f"/instruments/{cast.xrd.pk}/calendars/" and notice.params["title"] == "Lab calendar"
    assert set(Notice.objects.filter(event="lab.calendar_fails").values_list("user__email", flat=True)) == {"wang@example.org"}
    lab.reply = says(calendar(BEAM))
    for _ in range(2):
        refresh(cast.now)
    assert told(cast) == [("lab.calendar_fails", False), ("lab.calendar_read_again", False)]
    lab.reply = says(b"gone", 404)
    for _ in range(3):
        refresh(cast.now)
    assert told(cast)[2:] == [("lab.calendar_fails", True)], "another fault is told anew"


@pytest.mark.parametrize("how", ["paused", "removed"])
def test_a_calendar_that_is_not_followed_any_more_waits_for_nobody(cast, lab, refresh, followed, how):
    lab.reply = says(b"gone", 404)
    for _ in range(3):
        refresh(cast.now)
    assert told(cast) == [("lab.calendar_fails", True)]
    if how == "removed":
        subscriptions.remove(cast.actor("wang"), followed.pk, cast.now)
        assert told(cast) == [("lab.calendar_fails", False)]
        return
    subscriptions.set_enabled(cast.actor("wang"), followed.pk, False, cast.now)
    assert told(cast) == [("lab.calendar_fails", False)]
    subscriptions.set_enabled(cast.actor("wang"), followed.pk, True, cast.now)
    for _ in range(3):
        refresh(cast.now)
    assert told(cast) == [("lab.calendar_fails", False), ("lab.calendar_fails", True)]


@pytest.mark.parametrize(("content", "code"), [(b"<html>log in</html>", "ics.not_a_calendar"), (b"", "ics.empty"),
                                               (b"BEGIN:VCALENDAR\n" * 99, "ics.too_deep")])  # fmt: skip
def test_what_is_no_calendar_is_a_fault_and_changes_nothing(cast, lab, refresh, content, code):
    refresh(cast.now)
    lab.reply = says(content)
    assert refresh(cast.now).fault_code == code
    assert taken(cast) == BOTH


def test_events_that_cannot_be_read_are_told_and_the_others_count(cast, lab, refresh):
    lab.reply = says(calendar(BEAM, event(body="DTSTART:tomorrow", uid="odd", title="Odd")))
    read = refresh(cast.now)
    assert [row[1:3] for row in read.unread] == [["Odd", "ics.property_unreadable"]]
    assert taken(cast) == BOTH[:1]


def test_overlapping_events_of_several_calendars_take_their_time_once(cast, lab, settings, refresh):
    refresh(cast.now)
    with neighbour(says(calendar(timed("20261125T030000Z", "20261125T063000Z", uid="beam", title="Other")))) as other:
        settings.OUTBOUND_ALLOW |= {("127.0.0.1", other.port)}
        second = subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, other.url(), "Second", cast.now)
        subscription_refresh.refresh(second.pk, cast.now)
    assert [(start, end) for start, end, _ in taken(cast)] == [("10:00", "12:00"), ("12:00", "14:30"), ("14:30", "15:00")]
    subscriptions.remove(cast.actor("wang"), second.pk, cast.now)
    assert taken(cast) == BOTH


def test_pausing_and_removing_free_the_time_and_going_on_takes_it(cast, refresh, followed):
    refresh(cast.now)
    subscriptions.set_enabled(cast.actor("wang"), followed.pk, False, cast.now)
    assert taken(cast) == [] and subscription_refresh.due_ids(cast.now + timedelta(days=2)) == []
    with pytest.raises(Refusal):
        subscriptions.refresh_now(cast.actor("wang"), followed.pk, cast.now)
    subscriptions.set_enabled(cast.actor("wang"), followed.pk, True, cast.now)
    assert taken(cast) == BOTH
    subscriptions.remove(cast.actor("wang"), followed.pk, cast.now)
    assert taken(cast) == [] and not CalendarSubscription.objects.exists()
    entries = AuditEntry.objects.filter(object_type="booking.calendarsubscription").order_by("pk")
    actions = list(entries.values_list("action", flat=True))
    assert [each.partition(".")[2] for each in actions] == ["create", "refresh", "switch", "switch", "remove"]
    assert not any("http" in str(entry.after) for entry in AuditEntry.objects.all())


def test_what_lasts_now_keeps_its_past(cast, lab, slot, refresh):
    refresh(cast.now)
    during = slot(11, 11.5)
    refresh(during.starts_at)
    assert taken(cast) == BOTH
    lab.reply = says(calendar(VISIT))
    refresh(during.starts_at)
    assert taken(cast) == BOTH[1:]
    refresh(slot(16, 17).starts_at)
    assert taken(cast) == BOTH[1:] and not SubscribedEvent.objects.filter(ends_at__gt=slot(16, 17).starts_at).exists()


def test_history_is_cut_out_of_an_event_that_appears_late(cast, lab, slot, refresh):
    refresh(cast.now)
    lab.reply = says(calendar(BEAM, VISIT, timed("20261125T010000Z", "20261125T080000Z", uid="late", title="Late")))
    refresh(slot(13, 14).starts_at)
    assert overlapping_pairs() == 0
    assert BOTH[0] in taken(cast)


def test_only_managers_of_the_instrument_follow_a_calendar_for_it(cast, lab, followed):
    for who in ("lin", "li", "chen"):
        with pytest.raises(Forbidden):
            subscriptions.subscribe(cast.actor(who), cast.xrd.pk, lab.url("/b.ics"), "x", cast.now)
        for act in (subscriptions.refresh_now, subscriptions.remove):
            with pytest.raises(NotFound):
                act(cast.actor(who), followed.pk, cast.now)
    subscriptions.subscribe(cast.actor("zhou"), cast.xrd.pk, lab.url("/b.ics"), "By the operator", cast.now)


@pytest.mark.parametrize(("address", "code"), [
    ("http://169.254.169.254/x.ics", "outbound.not_public"), ("http://10.0.0.8/x.ics", "outbound.not_public"),
    ("ftp://lab.example/x.ics", "outbound.scheme"), ("https://me:secret@lab.example/x.ics", "outbound.user_name"),
    ("lab calendar", "outbound.unreadable"), ("http://127.1/x.ics", "outbound.unreadable"),
])  # fmt: skip
def test_an_address_that_may_not_be_read_is_refused_at_once(cast, address, code):
    with pytest.raises(Refusal) as refused:
        subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, address, "Lab", cast.now)
    assert refused.value.reasons[0].code == code and not CalendarSubscription.objects.exists()


def test_the_same_calendar_is_followed_once_and_not_too_many(cast, lab, followed):
    with pytest.raises(Refusal) as refused:
        subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, lab.url(), "Again", cast.now)
    assert refused.value.reasons[0].code == "subscriptions.known"
    for place in range(subscriptions.MAX_A_CALENDAR - 1):
        subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, lab.url(f"/{place}.ics"), "x", cast.now)
    with pytest.raises(Refusal) as refused:
        subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, lab.url("/more.ics"), "x", cast.now)
    assert refused.value.reasons[0].code == "subscriptions.too_many"


def test_what_is_due_is_queued_once_and_read_by_the_job(cast, lab, followed, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: cast.now)
    with connection.cursor() as cursor:
        tasks.refresh_subscriptions(0)
        tasks.refresh_subscriptions(0)
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'", [subscriptions.TASK])
        assert [json.loads(args) for (args,) in cursor.fetchall()] == [{"subscription_id": followed.pk}]
    tasks.refresh_subscription(followed.pk)
    assert taken(cast) == BOTH and len(lab.asked) == 1
    tasks.refresh_subscription(followed.pk)
    assert len(lab.asked) == 1  # not due again
    assert Heartbeat.objects.get(name="booking.refresh_subscriptions").detail == {"due": 1, "settled": 0}


def test_a_subscription_that_is_removed_while_it_is_read_takes_nothing(cast, lab, followed, monkeypatch):
    def removed_meanwhile(*words: Any, **named: Any) -> outbound.Fetched:
        subscriptions.remove(cast.actor("wang"), followed.pk, cast.now)
        return outbound.Fetched(calendar(BEAM))

    monkeypatch.setattr(outbound, "fetch", removed_meanwhile)
    subscription_refresh.refresh(followed.pk, cast.now)
    assert taken(cast) == []


def test_without_settling_the_guard_of_the_database_refuses_an_overlap(cast, programmes, slot, refresh):
    """Negative control: the constraint stands behind the derived times."""
    refresh(cast.now)
    during = TimestamptzRange(slot(11, 13).starts_at, slot(11, 13).ends_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        Occupancy.objects.create(calendar_id=cast.xrd.calendar_id, during=during, blocking=True, source="subscribed")
