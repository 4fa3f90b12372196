"""Two instruments that exclude each other share a calendar: looked at first, put together, taken apart; and nobody slips between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pgtrigger
import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.urls import reverse
from django.utils import timezone
from psycopg.types.range import TimestamptzRange

from booking.models import CalendarSubscription, Downtime, Occupancy, Reservation
from booking.rules.calendar_sharing import clashes
from booking.rules.downtime import DowntimeKind
from booking.services import availability, calendar_sharing, changes, downtime_rows, late_entry, transitions
from booking.services.calendar_sharing import Taken
from booking.services.changes import ChangeRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.models import CatalogueEntry, FormerCalendar, Instrument, Site
from instruments.services import schedule_store
from tests.booking.services.test_other_instrument import other  # noqa: F401
from tests.booking.services.test_reservation_flow import ask


def on(cast, reserved, instrument):
    """The reservation, of that instrument."""
    Reservation.objects.filter(pk=reserved.reservation_id).update(instrument=instrument)
    Occupancy.objects.filter(reservation_id=reserved.reservation_id).update(calendar_id=instrument.calendar_id)
    return Reservation.objects.get(pk=reserved.reservation_id)


def wrong():
    return [text for name, check in registered().items() if name.startswith("booking.") for text in check().violations]


def test_pairs_that_share_time_are_found_and_no_others():
    class At:
        def __init__(self, first, last, now):
            self.during = TimeRange(now + timedelta(hours=first), now + timedelta(hours=last))

    from tests.conftest import NOW

    mine, theirs = [At(8, 10, NOW), At(1, 3, NOW)], [At(3, 8, NOW), At(9, 12, NOW), At(2, 3, NOW)]
    assert clashes(mine, theirs) == [(mine[1], theirs[2]), (mine[0], theirs[1])]
    assert clashes([], theirs) == []


@pytest.mark.django_db
def test_a_calendar_is_shared_and_taken_apart_with_all_that_hangs_on_it(cast, programmes, other, slot, client, monkeypatch):  # noqa: F811
    monkeypatch.setattr(timezone, "now", lambda: cast.now)  # the pages too: what is over does not move
    wang, second = cast.actor("wang"), other()
    far = 20
    first = ask(cast, slot(9, 11, far))
    transitions.approve(wang, first.reservation_id, cast.now)
    clashing = on(cast, ask(cast, slot(10, 12, far + 7), key="k2"), second)
    against = ask(cast, slot(10, 12, far + 7), key="k3")
    evening = on(cast, ask(cast, slot(13, 14, far + 1), key="k4"), second)
    outage = downtime_rows.insert(wang, second, DowntimeKind.SERVICE, slot(8, 12, far), "lamp", cast.now)
    feed = CalendarSubscription.objects.create(
        calendar_id=second.calendar_id, instrument=second, title="Room", address="https://x.example/r.ics",
        created_by=cast.users["wang"], created_at=cast.now, due_at=cast.now,
    )  # fmt: skip
    own, shared = second.calendar_id, cast.xrd.calendar_id

    # First it is looked at: what stands against it, what goes along.
    told = calendar_sharing.preview(wang, second.pk, cast.xrd.pk, cast.now)
    pairs = {(one.reservation.pk, two.reservation.pk) for one, two in told.clashing}
    assert pairs == {(clashing.pk, against.reservation_id)}
    assert (told.moving, told.followed) == (2, 1)
    assert [one.reservation.pk for one in told.outside] == []
    client.force_login(cast.users["wang"])
    address = reverse("instrument_sharing", args=[second.pk])
    page = client.get(address, {"with": cast.xrd.pk}).content.decode()
    assert clashing.reference in page and "Share this calendar" not in page
    refused = client.post(address, {"with": cast.xrd.pk})
    assert refused.status_code == 409 and clashing.reference in refused.content.decode()
    assert client.post(address).status_code == 422
    with pytest.raises(Conflict) as stopped:
        calendar_sharing.share(wang, second.pk, cast.xrd.pk, cast.now)
    assert stopped.value.reasons[0].params["count"] == 1
    assert Instrument.objects.get(pk=second.pk).calendar_id == own

    # Without the clash they share it: bookings go along, the downtime takes only what the bookings leave.
    transitions.reject(wang, against.reservation_id, cast.now, "both at once")
    assert "Share this calendar" in client.get(address, {"with": cast.xrd.pk}).content.decode()
    assert client.post(address, {"with": cast.xrd.pk}).status_code == 302
    second.refresh_from_db()
    assert second.calendar_id == shared
    assert Occupancy.objects.get(reservation=evening).calendar_id == shared
    feed.refresh_from_db()
    assert feed.calendar_id == shared
    kept = Occupancy.objects.filter(downtime=outage, calendar_id=shared)
    assert [(one.during.upper - one.during.lower) for one in kept.order_by("during")] == [timedelta(hours=1)] * 2
    assert not Occupancy.objects.filter(calendar_id=own).exists()
    assert CatalogueEntry.objects.get(instrument=second).calendar_id == shared
    assert wrong() == []
    assert list(availability.verify([own, shared])) == []
    with pytest.raises(Conflict):  # the time of one keeps the other out
        ask(cast, slot(13, 14, far + 1), key="k5")
    assert cast.xrd.name in client.get(address).content.decode()
    for code, instrument_id, other_id in (("already", second.pk, cast.xrd.pk), ("leave_first", second.pk, other("Third").pk)):
        with pytest.raises(Refusal) as refusal:
            calendar_sharing.share(wang, instrument_id, other_id, cast.now)
        assert refusal.value.reasons[0].code == f"sharing.{code}"

    # Apart again: the same hours, its own bookings, and the other's stay.
    assert client.post(reverse("instrument_sharing_end", args=[second.pk])).status_code == 302
    second.refresh_from_db()
    feed.refresh_from_db()
    assert second.calendar_id not in (own, shared)
    assert feed.calendar_id == second.calendar_id
    assert Occupancy.objects.get(reservation=evening).calendar_id == second.calendar_id
    assert Occupancy.objects.get(reservation_id=first.reservation_id).calendar_id == shared
    assert Downtime.objects.get(pk=outage.pk).occupancies.get().calendar_id == second.calendar_id
    rules = schedule_store.rules_by_calendar([shared, second.calendar_id])
    assert rules[shared] == rules[second.calendar_id]
    ask(cast, slot(13, 14, far + 1), key="k6")  # free for the first one now
    assert wrong() == [] and list(availability.verify([shared, second.calendar_id])) == []
    assert AuditEntry.objects.filter(action__in=["instrument.share_calendar", "instrument.part_calendar"]).count() == 2
    with pytest.raises(Refusal):
        calendar_sharing.part(wang, second.pk, cast.now)


@pytest.mark.django_db
def test_holds_give_way_and_what_has_begun_is_compared_with_what_is_over(cast, programmes, other, slot):  # noqa: F811
    wang, second, shared = cast.actor("wang"), other(), cast.xrd.calendar_id
    over = Reservation.objects.get(pk=ask(cast, slot(9, 10)).reservation_id)
    running = on(cast, ask(cast, slot(11, 14), key="k2"), second)
    for reservation_id in (over.pk, running.pk):
        transitions.approve(wang, reservation_id, cast.now)
    Occupancy.objects.filter(reservation=running).update(during=_range(slot(9, 14)))  # it was begun two hours early
    Occupancy.objects.create(
        calendar_id=shared, during=_range(slot(13, 15)), blocking=True, source="hold", holder=cast.users["lin"],
        held_since=cast.now, expires_at=slot(13, 14).starts_at,
    )  # fmt: skip
    noon = slot(12, 13).starts_at
    with pytest.raises(Conflict) as stopped:
        calendar_sharing.share(wang, second.pk, cast.xrd.pk, noon)
    assert over.reference in stopped.value.reasons[0].params["bookings"]
    transitions.check_in(wang, running.pk, noon)
    evening = slot(14.5, 15).starts_at  # nobody has ended the session
    for change in (
        lambda: calendar_sharing.share(wang, second.pk, cast.xrd.pk, evening),
        lambda: calendar_sharing.part(wang, second.pk, evening),
    ):
        with pytest.raises(Refusal) as refused:
            change()
        assert [one.code for one in refused.value.reasons] == ["sharing.session_runs"]
    Occupancy.objects.filter(reservation=over).update(blocking=False)
    calendar_sharing.share(wang, second.pk, cast.xrd.pk, noon)
    assert Occupancy.objects.get(reservation=running).calendar_id == shared
    assert not Occupancy.objects.filter(source="hold").exists()
    # What is over stayed behind, and nobody can write down that somebody else had the instrument then.
    Occupancy.objects.filter(reservation=running).update(calendar_id=other("Third").calendar_id)
    entry = late_entry.Entry(second.pk, cast.firm.pk, cast.users["lin"].pk, slot(11, 12), "self_operated", "log", "forgot")
    with pytest.raises(Conflict) as taken:
        late_entry.enter(wang, entry, evening)
    assert [one.code for one in taken.value.reasons] == ["usage.entry_taken"]


@pytest.mark.django_db
def test_a_proposed_place_goes_with_the_instrument_that_it_is_on(cast, programmes, other, slot):  # noqa: F811
    wang, second, shared = cast.actor("wang"), other(), cast.xrd.calendar_id
    calendar_sharing.share(wang, second.pk, cast.xrd.pk, cast.now)
    there, here = ask(cast, slot(9, 10)), on(cast, ask(cast, slot(10, 11), key="k2"), Instrument.objects.get(pk=second.pk))
    for reservation_id, during, instrument in ((there.reservation_id, slot(14, 15), second), (here.pk, slot(15, 16), cast.xrd)):
        transitions.approve(wang, reservation_id, cast.now)
        asked = ChangeRequest(reservation_id, during, "weak tube", instrument_id=instrument.pk)
        changes.change(wang, asked, cast.now, idempotency_key=str(reservation_id))
    own = calendar_sharing.part(wang, second.pk, cast.now).calendar_id
    kept = Occupancy.objects.filter(blocking=True).values_list("reservation_id", "source", "calendar_id")
    assert set(kept) == {
        (there.reservation_id, "reservation", shared), (there.reservation_id, "change", own),
        (here.pk, "reservation", own), (here.pk, "change", shared),
    }  # fmt: skip


@pytest.mark.django_db
def test_only_its_lab_shares_it_and_only_where_one_clock_goes(cast, other):  # noqa: F811
    second = other()
    with pytest.raises(Forbidden):
        calendar_sharing.share(cast.actor("lin"), second.pk, cast.xrd.pk, cast.now)
    with pytest.raises(NotFound):
        calendar_sharing.share(cast.actor("wang"), second.pk, 0, cast.now)
    far_west = Site.objects.create(organisation=cast.lab, name="West", time_zone="Asia/Urumqi")
    Instrument.objects.filter(pk=second.pk).update(site=far_west)
    with pytest.raises(Refusal) as refused:
        calendar_sharing.preview(cast.actor("wang"), second.pk, cast.xrd.pk, cast.now)
    assert refused.value.reasons[0].code == "sharing.zone_differs"
    assert calendar_sharing.candidates(cast.actor("wang"), cast.xrd) == []
    assert Taken(TimeRange(cast.now, cast.now + timedelta(hours=1)), "x", None).reservation is None


@pytest.mark.django_db
def test_a_booking_cannot_be_written_on_a_calendar_that_its_instrument_has_left(cast, programmes, other, slot):  # noqa: F811
    reserved = ask(cast, slot(9, 11))
    taken, elsewhere = Occupancy.objects.filter(reservation_id=reserved.reservation_id), other().calendar_id
    taken.update(during=_year(2001), calendar_id=elsewhere)  # what is over stays where it was
    taken.update(during=_year(2901), calendar_id=elsewhere, blocking=False)  # a request that keeps nobody out
    with pytest.raises(OperationalError, match="has left"), transaction.atomic():
        taken.update(blocking=True)
    with pgtrigger.ignore("booking.Occupancy:occupancy_on_own_calendar_update"):  # nothing else refuses it
        taken.update(blocking=True)
    taken.update(during=_year(2901), calendar_id=cast.xrd.calendar_id)


@pytest.mark.django_db
def test_calendars_that_were_left_before_that_was_kept_are_found_in_the_audit_trail(cast, other):  # noqa: F811
    wang, second, third = cast.actor("wang"), other(), other("Third")
    for hours, move in enumerate(
        [
            lambda at: calendar_sharing.share(wang, second.pk, cast.xrd.pk, at),
            lambda at: calendar_sharing.share(wang, third.pk, cast.xrd.pk, at),
            lambda at: calendar_sharing.part(wang, second.pk, at),
            lambda at: calendar_sharing.share(wang, second.pk, cast.xrd.pk, at),
        ]
    ):
        move(cast.now + timedelta(hours=hours))
    kept = list(FormerCalendar.objects.order_by("pk").values_list("instrument_id", "calendar_id", "left_at"))
    assert [row[0] for row in kept] == [second.pk, third.pk, second.pk, second.pk]
    last = FormerCalendar.objects.latest("pk").pk
    with connection.cursor() as cursor:
        cursor.execute(import_module("instruments.migrations.0100_former_codes_and_calendars").FILL)
    filled = FormerCalendar.objects.filter(pk__gt=last).order_by("pk").values_list("instrument_id", "calendar_id", "left_at")
    assert list(filled) == kept


def _year(number):
    first = datetime(number, 1, 1, tzinfo=UTC)
    return TimestamptzRange(first, first + timedelta(hours=1))


def _range(during):
    return TimestamptzRange(during.starts_at, during.ends_at)
