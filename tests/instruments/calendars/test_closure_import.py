"""Closures from a calendar file: looked at first, written once, nothing twice, everything accounted for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments import ports, queries
from instruments.models import CalendarEntry, ClosureImport, ImportedClosure, Instrument, Site
from instruments.rules.ics_reading import read_ics
from instruments.rules.opening import expand
from instruments.services import closure_import, ics_reader, opening_hours, registry
from instruments.services.registry import InstrumentFields
from tests.instruments.calendars.ics import calendar, event, timed

pytestmark = pytest.mark.django_db

MAINTENANCE = timed("20261124T000000Z", "20261124T100000Z", uid="m", title="Maintenance")
STUDIES = timed("20261201T000000Z", "20261202T000000Z", uid="s", title="Studies")


@pytest.fixture(autouse=True)
def _here(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in a folder of their own; the reading in this process, whose own process test_ics_reading shows."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": files}
    monkeypatch.setattr(ics_reader, "read", read_ics)


@pytest.fixture
def furnace(cast: Any) -> Instrument:
    return registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields("Tube furnace"), cast.now)


@pytest.fixture
def hand_in(cast: Any) -> Any:
    def make(
        *parts: str, instruments: list[int] | None = None, who: str = "wang", at: datetime | None = None, **named: Any
    ) -> Any:
        chosen = instruments or [cast.xrd.pk]
        return closure_import.hand_in(cast.actor(who), chosen, calendar(*parts), "lab.ics", at or cast.now, **named)

    return make


def fates(cast: Any, handed_in: Any, at: datetime | None = None) -> list[tuple[str, str]]:
    shown = closure_import.preview(cast.actor("wang"), handed_in.pk, at or cast.now)
    return [(row["fate"], row["code"]) for row in shown.rows]


def closed(instrument: Instrument) -> list[tuple[str, str, str]]:
    """The one-off closures in wall time with their reasons."""
    found = sorted(
        (one for one in queries.calendar_of(instrument) if one.entry.kind == "closure" and one.entry.recurrence is None),
        key=lambda one: one.entry.starts_local,
    )
    return [(f"{one.entry.starts_local:%m-%d %H:%M}", f"{one.entry.ends_local:%m-%d %H:%M}", one.reason) for one in found]


def test_nothing_is_closed_before_it_is_confirmed_and_then_all_of_it(cast, hand_in):
    handed_in = hand_in(MAINTENANCE, STUDIES, timed("20261120T000000Z", "20261120T010000Z", uid="past"))
    assert fates(cast, handed_in) == [("skipped", "ics.past"), ("new", ""), ("new", "")]
    assert closed(cast.xrd) == []
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
    assert closed(cast.xrd) == [("11-24 08:00", "11-24 18:00", "Maintenance"), ("12-01 08:00", "12-02 08:00", "Studies")]
    opened = queries.opening_for(cast.actor("lin"), cast.xrd.pk, TimeRange(*_day(cast.now, 1)))
    assert [each.duration for each in opened] == [timedelta(hours=2)]


def _day(now: datetime, ahead: int) -> tuple[datetime, datetime]:
    midnight = datetime(2026, 11, 22, 16, tzinfo=UTC) + timedelta(days=ahead)
    return midnight, midnight + timedelta(days=1)


def test_a_second_import_changes_nothing(cast, hand_in):
    for _ in range(2):
        handed_in = hand_in(MAINTENANCE, STUDIES)
        closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
        before = list(CalendarEntry.objects.order_by("pk").values())
    assert fates(cast, handed_in) == [("known", "closures.known")] * 2
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
    assert list(CalendarEntry.objects.order_by("pk").values()) == before
    assert ImportedClosure.objects.count() == 2


def test_an_event_that_moved_moves_its_closure_and_a_cancelled_one_opens_again(cast, hand_in):
    closure_import.confirm(cast.actor("wang"), hand_in(MAINTENANCE, STUDIES).pk, cast.now)
    moved = timed("20261125T000000Z", "20261125T100000Z", uid="m", title="Maintenance")
    gone = event("STATUS:CANCELLED", body="DTSTART:20261201T000000Z\nDTEND:20261202T000000Z", uid="s")
    handed_in = hand_in(moved, gone)
    assert fates(cast, handed_in) == [("changed", "closures.was"), ("taken_back", "ics.cancelled")]
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
    assert closed(cast.xrd) == [("11-25 08:00", "11-25 18:00", "Maintenance")]


def test_two_events_that_change_places_are_both_closed(cast, hand_in):
    first, second = ("20261124T000000Z", "20261124T010000Z"), ("20261125T000000Z", "20261125T010000Z")
    closure_import.confirm(cast.actor("wang"), hand_in(timed(*first, uid="a"), timed(*second, uid="b")).pk, cast.now)
    closure_import.confirm(cast.actor("wang"), hand_in(timed(*second, uid="a"), timed(*first, uid="b")).pk, cast.now)
    assert [start for start, _, _ in closed(cast.xrd)] == ["11-24 08:00", "11-25 08:00"]


def test_a_closure_made_by_hand_is_not_made_again(cast, hand_in):
    registry.close_between(
        cast.actor("wang"), cast.xrd.pk, datetime(2026, 11, 24, 8), datetime(2026, 11, 24, 18), "Filling", cast.now
    )
    assert fates(cast, hand_in(MAINTENANCE)) == [("known", "closures.known")]


def test_several_instruments_are_closed_at_once_each_calendar_once(cast, hand_in, furnace):
    twin = registry.create_instrument(
        cast.actor("wang"), cast.site.pk, InstrumentFields("Twin"), cast.now, calendar_id=furnace.calendar_id
    )
    heard: list[list[int]] = []
    ports.register_calendar_listener(lambda calendars: heard.append(list(calendars)))
    try:
        handed_in = hand_in(MAINTENANCE, instruments=[cast.xrd.pk, furnace.pk, twin.pk])
        closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
        closure_import.confirm(cast.actor("wang"), hand_in(MAINTENANCE).pk, cast.now)
    finally:
        ports._calendar_listeners.pop()
    assert len(closed(cast.xrd)) == len(closed(furnace)) == len(closed(twin)) == 1
    assert heard == [sorted({cast.xrd.calendar_id, furnace.calendar_id})]
    assert fates(cast, handed_in) == [("new", "")]


def test_an_instrument_that_is_closed_already_does_not_hide_that_another_is_not(cast, hand_in, furnace):
    closure_import.confirm(cast.actor("wang"), hand_in(MAINTENANCE).pk, cast.now)
    handed_in = hand_in(MAINTENANCE, instruments=[cast.xrd.pk, furnace.pk])
    (row,) = closure_import.preview(cast.actor("wang"), handed_in.pk, cast.now).rows
    assert row["fate"] == "new" and row["calendars"] == {"known": 1, "new": 1}
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
    assert len(closed(cast.xrd)) == len(closed(furnace)) == 1


def test_titles_stay_private_when_the_lab_says_so(cast, hand_in):
    closure_import.confirm(cast.actor("wang"), hand_in(MAINTENANCE, with_titles=False).pk, cast.now)
    assert [reason for *_, reason in closed(cast.xrd)] == [""]


def test_the_stored_file_is_read_again_when_confirmed_and_time_has_passed(cast, hand_in):
    handed_in = hand_in(MAINTENANCE, STUDIES)
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now + timedelta(days=3))
    assert [reason for *_, reason in closed(cast.xrd)] == ["Studies"]
    assert fates(cast, handed_in) == [("skipped", "ics.past"), ("new", "")]


def test_what_was_done_is_in_the_audit_trail(cast, hand_in):
    handed_in = hand_in(MAINTENANCE, STUDIES)
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
    entry = AuditEntry.objects.get(action="instrument.closures_imported")
    assert entry.after == {"file": handed_in.file.sha256, "import": handed_in.pk, "new": 2}
    assert entry.actor == cast.users["wang"]


def test_a_closure_that_is_taken_back_may_be_imported_again(cast, hand_in):
    closure_import.confirm(cast.actor("wang"), hand_in(MAINTENANCE).pk, cast.now)
    opening_hours.remove_entry(cast.actor("wang"), cast.xrd.pk, ImportedClosure.objects.get().entry_id, cast.now)
    assert fates(cast, hand_in(MAINTENANCE)) == [("new", "")]


def test_a_stretch_over_a_clock_put_back_is_closed_as_long_as_it_lasts(cast, hand_in):
    site = Site.objects.create(organisation=cast.lab, name="Overseas", time_zone="America/New_York")
    far = registry.create_instrument(cast.actor("wang"), site.pk, InstrumentFields("Far"), cast.now)
    handed_in = hand_in(timed("20271107T053000Z", "20271107T061500Z"), instruments=[far.pk])  # 01:30 until 01:15, an hour later
    closure_import.confirm(cast.actor("wang"), handed_in.pk, cast.now)
    (stored,) = queries.calendar_of(far)
    during = TimeRange(datetime(2027, 11, 7, 5, 30, tzinfo=UTC), datetime(2027, 11, 7, 6, 15, tzinfo=UTC))
    window = TimeRange(during.starts_at - timedelta(days=1), during.ends_at + timedelta(days=1))
    (covered,) = expand(stored.entry, ZoneInfo("America/New_York"), window)
    assert covered.contains(during)


def test_only_who_manages_all_of_the_instruments_may_hand_in_a_file(cast, hand_in, furnace):
    with pytest.raises(Forbidden):
        hand_in(MAINTENANCE, who="lin")
    registry.set_published(cast.actor("wang"), furnace.pk, False, cast.now)
    for instruments in ([furnace.pk], [cast.xrd.pk, 10**9], [cast.xrd.pk, furnace.pk]):
        with pytest.raises((Refusal, Forbidden)):
            hand_in(MAINTENANCE, who="lin", instruments=instruments)
    handed_in = hand_in(MAINTENANCE)
    for who in ("lin", "he", "chen"):
        with pytest.raises(NotFound):
            closure_import.preview(cast.actor(who), handed_in.pk, cast.now)
        with pytest.raises(NotFound):
            closure_import.confirm(cast.actor(who), handed_in.pk, cast.now)
    assert ClosureImport.objects.count() == 1 and closed(cast.xrd) == []


def test_instruments_in_different_zones_take_a_file_each(cast, hand_in):
    site = Site.objects.create(organisation=cast.lab, name="Overseas", time_zone="America/New_York")
    far = registry.create_instrument(cast.actor("wang"), site.pk, InstrumentFields("Far"), cast.now)
    assert far not in closure_import.candidates(cast.actor("wang"), cast.xrd)
    with pytest.raises(Refusal) as refused:
        hand_in(MAINTENANCE, instruments=[cast.xrd.pk, far.pk])
    assert refused.value.reasons[0].code == "closures.zones_differ"


def test_a_broken_file_is_refused_and_nothing_is_kept(cast, hand_in):
    with pytest.raises(Refusal) as refused:
        closure_import.hand_in(cast.actor("wang"), [cast.xrd.pk], b"no calendar", "x.ics", cast.now)
    assert refused.value.reasons[0].field == "file"
    assert not ClosureImport.objects.exists()


def test_a_year_of_a_real_facility_is_closed_event_by_event(cast, shared_data, django_assert_max_num_queries):
    """All thirteen months for one instrument, read as of September 2022, then all of them again."""
    start, cast.site.time_zone = datetime(2022, 8, 15, tzinfo=UTC), "America/New_York"
    cast.site.save()
    files = sorted((shared_data / "usage" / "nsls2-fy23").glob("*.ics"))
    written = {"new": 0, "known": 0, "skipped": 0}
    for _ in range(2):
        for path in files:
            handed_in = closure_import.hand_in(cast.actor("wang"), [cast.xrd.pk], path.read_bytes(), path.name, start)
            shown = closure_import.preview(cast.actor("wang"), handed_in.pk, start)
            written = {fate: number + shown.counts[fate] for fate, number in written.items()}
            with django_assert_max_num_queries(30):
                closure_import.confirm(cast.actor("wang"), handed_in.pk, start)
    assert written == {"new": 100, "known": 100, "skipped": 2}
    assert len(closed(cast.xrd)) == 100
