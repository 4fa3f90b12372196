"""Free times over all instruments: what is found is the truth of the calendars, whichever way it was looked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.models import Downtime, InstrumentPolicy, Occupancy, Reservation
from booking.queries import candidates, finding
from booking.queries.finding import find_earliest, find_nearest, median_answer_hours
from booking.queries.relaxing import blocked
from booking.rules.downtime import DowntimeKind
from booking.rules.slots import first_fit, free_ranges
from booking.rules.time_search import ELSEWHERE, SAME_COUNTY, SAME_PREFECTURE, SAME_PROVINCE, TimeSearch
from booking.services import availability, downtimes, late_entry, reservations, transitions
from booking.services import context as booking_context
from booking.services import policies as said
from booking.services.downtimes import Outage
from booking.services.refusing import refusal_reasons
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership, Organisation
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.rules.wall_time import local_day
from instruments.services import catalogue, schedule_store
from tests.booking.availability.building import occupy

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(candidates, "FEW", request.param)
    return int(request.param)


def names(found: finding.Found) -> list[str]:
    return [row.instrument.name for row in found.rows]


def starts(found: finding.Found) -> list[str]:
    return [f"{row.during.starts_at.astimezone(row.context.zone):%a %H:%M}" for row in found.rows]


@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_the_earliest_times_come_first_and_keep_notice_grid_and_length(few, labs, cast, search, slot):
    labs.add("Evening", opens=13, closes=22)
    labs.add("Late notice", policy={"notice_minutes": 24 * 60})
    labs.add("Only short", policy={"max_minutes": 60})
    labs.add("Whole hours", policy={"granularity_minutes": 60, "notice_minutes": 10})
    found = find_earliest(NOBODY, search(2), cast.now, 10)
    assert names(found) == ["Whole hours", "X-ray diffractometer", "Evening", "Late notice"]
    assert starts(found) == ["Mon 10:00", "Mon 11:00", "Mon 13:00", "Tue 09:00"]
    assert found.exact
    assert not found.more
    occupy(cast.xrd.calendar_id, slot(0, 24, day=-2))
    assert starts(find_earliest(NOBODY, search(2), cast.now, 10))[-1] == "Tue 09:00"


@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_hidden_broken_closed_and_suspended_instruments_are_not_found(few, labs, cast, search):
    labs.add("Hidden", published=False)
    labs.add("Broken", status="under_repair")
    assert names(find_earliest(NOBODY, search(), cast.now, 10)) == ["X-ray diffractometer"]
    Organisation.objects.filter(pk=cast.lab.pk).update(status="suspended")
    assert names(find_earliest(NOBODY, search(), cast.now, 10)) == []  # the last word, before the flat table knows it


@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_every_filter_narrows(few, labs, cast, search):
    labs.add("SEM", region="632801", techniques=("jishi:sem",), class_code="010102", service_modes=["remote"])
    labs.add("Assisted", training_needed=True, policy={"approval_required": False})
    now = cast.now
    expected: dict[str, list[tuple[Any, list[str]]]] = {
        "technique": [("jishi:sem", ["SEM"]), ("jishi:tem", [])],
        "class_code": [("0101", ["SEM"]), ("02", [])],
        "region_code": [("632800", ["SEM"]), ("630000", ["X-ray diffractometer", "SEM", "Assisted"]), ("990000", [])],
        "service_mode": [("remote", ["SEM"])],
        "owner": [(cast.lab.pk, ["X-ray diffractometer", "SEM", "Assisted"]), (cast.firm.pk, [])],
        "no_training": [(True, ["X-ray diffractometer", "SEM"])],
        "no_approval": [(True, ["Assisted"])],
        "zone": [("high-tech", [])],
        "text": [("%_'", [])],
    }
    for name, cases in expected.items():
        for value, wanted in cases:
            assert names(find_earliest(NOBODY, search(**{name: value}), now, 10)) == wanted, (name, value)


@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_a_time_over_midnight_and_one_of_several_days_are_found(few, labs, cast, search, slot):
    lab = labs.add("Always", opens=0, closes=24, weekdays=(0, 1, 2, 3, 4, 5, 6), policy={"max_minutes": 4 * 24 * 60})
    occupy(lab.calendar_id, TimeRange(cast.now, slot(22, 23).starts_at))
    occupy(lab.calendar_id, slot(2, 3, day=1))
    found = find_earliest(NOBODY, search(4, owner=cast.lab.pk), cast.now, 10)
    assert dict(zip(names(found), starts(found), strict=True))["Always"] == "Wed 22:00"
    found = find_earliest(NOBODY, search(60), cast.now, 10)
    assert (names(found), starts(found)) == (["Always"], ["Thu 03:00"])


def test_buffers_are_known_only_to_the_last_word_and_it_looks_further(labs, cast, search, slot):
    lab = labs.add("Buffered", policy={"buffer_before_minutes": 30, "buffer_after_minutes": 30, "notice_minutes": 0})
    occupy(lab.calendar_id, TimeRange(cast.now, slot(9, 10, day=-1).starts_at))  # until Tuesday 9:00
    for hour in (11, 13, 15):
        occupy(lab.calendar_id, slot(hour, hour + 0.25, day=-1))
    found = find_earliest(NOBODY, search(2, no_training=True), cast.now, 10)
    assert dict(zip(names(found), starts(found), strict=True))["Buffered"] == "Wed 09:00"


def test_a_page_costs_the_same_number_of_statements_however_many_rows(labs, cast, search):
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            find_earliest(NOBODY, search(), cast.now, 20)
        return len(queries)

    alone = statements()
    for number in range(12):
        labs.add(f"SEM {number}")
    assert statements() == alone <= 5


def test_by_technique_and_place_alone_no_entry_is_read(labs, cast, search):
    labs.add("SEM", region="632801", techniques=("jishi:sem",))
    labs.add("Near", region="630121", techniques=("jishi:sem",))

    def tables(**filters: Any) -> tuple[list[str], bool]:
        with CaptureQueriesContext(connection) as queries:
            found = names(find_earliest(NOBODY, search(technique="jishi:sem", **filters), cast.now, 20, beside="632800"))
        return found, "FROM instruments_catalogueentry" in queries[0]["sql"]

    assert tables() == tables(region_code="630100") == (["Near"], False)
    assert tables(text="Near") == tables(owner=cast.lab.pk) == (["Near"], True)


@given(st.lists(st.tuples(st.sampled_from([0, 60, 300, 1440, 2880]), st.sampled_from([8, 9, 13])), min_size=9, max_size=14))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_those_that_are_not_looked_at_for_their_notice_are_never_among_the_earliest(labs, cast, search, policies):
    """Of so many, eight are looked at first where one is asked for."""
    with transaction.atomic():
        for number, (notice, opens) in enumerate(policies):
            labs.add(f"I{number}", opens=opens, policy={"notice_minutes": notice, "granularity_minutes": 60})
        asked = search(2)
        everything = candidates.earliest(asked, cast.now, 50).rows
        assert len(everything) == len(policies) + 1
        for limit in (1, 2):
            some = candidates.earliest(asked, cast.now, limit)
            assert some.rows == everything[:limit]
            assert some.sure_until is not None and some.sure_until <= everything[limit].fits_at
        transaction.set_rollback(True)


def test_who_asks_for_more_notice_and_opens_sooner_is_among_the_earliest(labs, cast, search):
    for number in range(9):
        labs.add(f"I{number}", opens=13, policy={"notice_minutes": 0}, techniques=("jishi:sem",))
    labs.add("Sooner", policy={"notice_minutes": 60}, techniques=("jishi:sem",))
    (first,) = candidates.earliest(search(2, technique="jishi:sem"), cast.now, 1).rows
    assert Instrument.objects.get(pk=first.instrument_id).name == "Sooner"


def test_a_policy_that_changes_is_known_to_finding_at_once(labs, cast, search):
    lab = labs.add("SEM", techniques=("jishi:sem",), policy={"max_minutes": 60})
    assert names(find_earliest(NOBODY, search(2, technique="jishi:sem"), cast.now, 20)) == []
    for settings_of, wanted in (({"max_minutes": 240}, ["SEM"]), ({"max_minutes": 60}, [])):
        said.say(cast.actor("wang"), said.Scope(cast.lab.pk, instrument_id=lab.pk), settings_of, cast.now)
        assert names(find_earliest(NOBODY, search(2, technique="jishi:sem"), cast.now, 20)) == wanted


def test_more_is_said_when_there_are_more(labs, cast, search):
    for number in range(4):
        labs.add(f"SEM {number}")
    found = find_earliest(NOBODY, search(), cast.now, 3)
    assert (len(found.rows), found.more, found.exact) == (3, True, True)


def test_nearest_first_by_divisions_then_earliest(labs, cast, search):
    labs.add("Far", region="110105", opens=8)
    labs.add("Province", region="632801", opens=8)
    labs.add("Prefecture", region="630121", opens=8)
    labs.add("County", region="630104", opens=13)
    found = find_nearest(NOBODY, search(first=1), cast.now, 10, "630104")
    assert names(found) == ["X-ray diffractometer", "County", "Prefecture", "Province", "Far"]
    assert [row.nearness for row in found.rows] == [SAME_COUNTY, SAME_COUNTY, SAME_PREFECTURE, SAME_PROVINCE, ELSEWHERE]
    assert names(find_nearest(NOBODY, search(first=1, region_code="632800"), cast.now, 10, "630104")) == ["Province"]
    assert names(find_nearest(NOBODY, search(first=1), cast.now, 3, "630104")) == names(found)[:3]
    assert not find_nearest(NOBODY, search(first=1), cast.now, 5, "630104").more
    assert find_nearest(NOBODY, search(first=1), cast.now, 4, "630104").more


def test_how_long_a_lab_takes_to_answer_is_the_median(cast, slot):
    for number, hours in enumerate((1, 3, 26)):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(8 + 2 * number, 10 + 2 * number), "self_operated")
        made = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=f"k{number}")
        transitions.reject(cast.actor("wang"), made.reservation_id, cast.now + timedelta(hours=hours), "full")
    assert median_answer_hours([cast.xrd.pk, 999]) == {cast.xrd.pk: 3.0}
    assert median_answer_hours([]) == {}


def test_what_was_written_down_afterwards_or_brought_along_is_no_answer(cast, slot):
    past = slot(9, 10)
    entry = late_entry.Entry(cast.xrd.pk, cast.firm.pk, cast.users["lin"].pk, past, "assisted", "log", "forgot")
    late_entry.enter(cast.actor("wang"), entry, past.ends_at)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(11, 12), "self_operated")
    made = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    transitions.approve(cast.actor("wang"), made.reservation_id, cast.now + timedelta(hours=2))
    assert median_answer_hours([cast.xrd.pk]) == {cast.xrd.pk: 2.0}
    Reservation.objects.filter(pk=made.reservation_id).update(imported=True)
    assert median_answer_hours([cast.xrd.pk]) == {}


# --- Days -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_days_say_how_many_are_free_and_the_lowest_price(few, labs, cast, search, slot):
    labs.add("Cheap", price=PRICE_OF_100)
    days = candidates.count_by_day(search(last=6), cast.now)
    assert [day.count for day in days] == [2, 2, 2, 2, 2, 1, 1]
    assert [day.price_from_fen for day in days[3:6]] == [10_000, 10_000, 30_000]
    occupy(cast.xrd.calendar_id, slot(8, 20))
    assert candidates.count_by_day(search(last=6), cast.now)[2].count == 1


PRICE_OF_100 = {
    "format": 1, "currency": "CNY", "rates": {"inside": "50", "academic": "100", "firm_sme": "100", "firm_large": "100", "team": "100"},
    "bands": [], "minimum": {"minutes": 30, "amount": "0"}, "rounding": {"step": "fen", "mode": "half_up"},
}  # fmt: skip


# --- Nothing ----------------------------------------------------------------------------------------------------------
def test_nothing_found_names_what_blocks_most_and_ways_out(labs, cast, search):
    labs.add("SEM", region="632801", techniques=("jishi:sem",))
    labs.add("TEM", region="632801", techniques=("jishi:tem",))
    said = blocked(NOBODY, search(technique="jishi:sem", region_code="630100"), cast.now)
    assert said.matching == 0
    assert [(way.what, way.count) for way in said.ways] == [("technique", 1), ("region_code", 1)]
    said = blocked(NOBODY, search(9.5, last=0, technique="jishi:sem"), cast.now)
    assert said.matching == 1
    assert [way.what for way in said.ways] == ["duration"]
    assert said.ways[0].search.duration_minutes == 360  # nine to five, of which two hours are the lab's notice
    assert said.blocking == ()


def test_filters_that_block_together_are_named_together_the_fewest_first(labs, cast, search):
    labs.add("SEM", region="632801", techniques=("jishi:sem",), class_code="010102")
    said = blocked(NOBODY, search(technique="jishi:tem", class_code="02", last=6), cast.now)
    assert [(way.what, way.left_out, way.count) for way in said.ways] == [("filters", ("technique", "class_code"), 2)]
    assert said.blocking == ("technique", "class_code")
    said = blocked(NOBODY, search(technique="jishi:sem", class_code="02", region_code="630100", last=6), cast.now)
    assert said.blocking == ("class_code", "region_code")
    assert said.ways[0].search == search(technique="jishi:sem", last=6)
    said = blocked(NOBODY, search(text="SEM", class_code="02", region_code="630100", no_approval=True, last=6), cast.now)
    assert said.blocking == ("class_code", "region_code", "no_approval")  # the words are kept as long as something has them


def test_a_way_out_counts_only_what_was_looked_at(labs, cast, search, slot):
    for number in range(3):
        lab = labs.add(f"Buffered {number}", region="632801", policy={"buffer_before_minutes": 60, "notice_minutes": 0})
        for day in range(-2, 20):
            occupy(lab.calendar_id, slot(12, 13, day=day))  # three or four hours are free, three with the buffer
    labs.add("SEM", region="632801", techniques=("jishi:sem",))
    nowhere = search(3.5, region_code="110000", last=6)
    assert len(candidates.earliest(search(3.5, last=6), cast.now, 10).rows) == 5
    assert [(way.what, way.count) for way in blocked(NOBODY, nowhere, cast.now).ways] == [("region_code", 2)]
    empty = search(3.5, text="Buffered", region_code="110000", last=6)
    assert [way.what for way in blocked(NOBODY, empty, cast.now).ways] == ["filters"]


def test_ways_out_cost_as_many_statements_with_many_instruments_as_with_few(labs, cast, search):
    asked = search(2, technique="jishi:sem", region_code="632800", last=6)

    ways: list[dict[str, tuple[int, bool]]] = []

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            ways.append({way.what: (way.count, way.more) for way in blocked(NOBODY, asked, cast.now).ways})
        return len(queries)

    labs.add("SEM", techniques=("jishi:sem",))
    labs.add("TEM", region="632801", techniques=("jishi:tem",))
    few = statements()
    for number in range(20):
        labs.add(f"SEM {number}", techniques=("jishi:sem",))
    assert statements() == few
    assert ways == [{"technique": (1, False), "region_code": (1, False)}, {"technique": (1, False), "region_code": (12, True)}]


def test_more_days_are_a_way_out(labs, cast, search, slot):
    occupy(cast.xrd.calendar_id, TimeRange(cast.now, slot(8, 9, day=3).starts_at))
    said = blocked(NOBODY, search(last=2), cast.now)
    assert [way.what for way in said.ways] == ["days"]


# --- What cannot be asked ---------------------------------------------------------------------------------------------
def test_what_makes_no_sense_is_refused_with_every_reason(search):
    with pytest.raises(Refusal) as refused:
        search(0.1, first=5, last=1)
    assert [reason.code for reason in refused.value.reasons] == [
        "time_search.duration_out_of_range",
        "time_search.last_before_first",
    ]
    with pytest.raises(Refusal):
        search(2, last=62)


# --- Against brute force ----------------------------------------------------------------------------------------------
def brute_force(search: TimeSearch, now: datetime) -> list[tuple[datetime, int]]:
    """The first bookable start on every instrument that is asked for, from the calendars alone."""
    found = []
    rows = Instrument.objects.filter(
        published=True, status="normal", site__region_code__startswith=search.region_code.rstrip("0")
    )
    for instrument in rows.filter(technique_codes__contains=[search.technique] if search.technique else []):
        context = booking_context.load(NOBODY, instrument.pk, lock=False)
        first, last = local_day(search.first_on, context.zone), local_day(search.last_on, context.zone)
        window = TimeRange(first.starts_at, last.ends_at + timedelta(days=2))
        busy = [
            TimeRange(row.during.lower, row.during.upper)
            for row in Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True)
        ]
        free = free_ranges(context.opening(window), busy, context.policy, now)
        length = timedelta(minutes=search.duration_minutes)
        fit = first_fit(length, free, context.policy, context.zone, now, TimeRange(first.starts_at, last.ends_at))
        if fit is not None:
            found.append((fit.starts_at, instrument.pk))
    return sorted(found)


policies = st.fixed_dictionaries(
    {
        "granularity_minutes": st.sampled_from([15, 30, 60]),
        "min_minutes": st.just(60),
        "max_minutes": st.sampled_from([120, 480, 1440]),
        "notice_minutes": st.sampled_from([0, 60, 1440]),
        "horizon_days": st.sampled_from([2, 60]),
        "buffer_before_minutes": st.sampled_from([0, 15]),
        "buffer_after_minutes": st.sampled_from([0, 30]),
    }
)
worlds = st.lists(
    st.tuples(
        st.sampled_from([(8, 18), (9, 12), (0, 24), (13, 22)]),
        policies,
        st.lists(st.tuples(st.integers(0, 24 * 12), st.integers(1, 60)), max_size=10),
        st.fixed_dictionaries(
            {"region": st.sampled_from(["630104", "632801"]), "techniques": st.sampled_from([(), ("jishi:sem",)])}
        ),
    ),
    min_size=1,
    max_size=4,
)
wanted = st.sampled_from(
    [{}, {"technique": "jishi:sem"}, {"technique": "jishi:sem", "region_code": "630100"}, {"region_code": "632800"}]
)


@given(worlds, wanted, st.sampled_from([60, 90, 180, 480, 1200]), st.integers(0, 3), st.sampled_from([3000, 0]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_found_is_what_looking_at_every_calendar_finds(
    labs, cast, search, monkeypatch, world, filters, minutes, first, few
):
    monkeypatch.setattr(candidates, "FEW", few)
    with transaction.atomic():
        for number, ((opens, closes), policy, taken, kind) in enumerate(world):
            week = (0, 1, 2, 3, 4, 5, 6)
            instrument = labs.add(f"I{number}", opens=opens, closes=closes, weekdays=week, policy=policy, **kind)
            until = cast.now
            for start, length in sorted(taken):
                begins = max(until, cast.now + timedelta(minutes=5 * start))
                until = begins + timedelta(minutes=5 * length)
                occupy(instrument.calendar_id, TimeRange(begins, until))
        asked = search(minutes / 60, first=first, last=first + 3, **filters)
        found = find_earliest(NOBODY, asked, cast.now, 10)
        assert [(row.during.starts_at, row.instrument.pk) for row in found.rows] == brute_force(asked, cast.now)
        assert InstrumentPolicy.objects.count() == len(world)
        transaction.set_rollback(True)


# --- Against the rules of a booking -----------------------------------------------------------------------------------
NIGHTS = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 20 * 60, "until_minute": 8 * 60}
WEEKEND = {"weekdays": [6, 7], "from_minute": 0, "until_minute": 1440}


@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_a_long_run_at_night_is_found_where_no_longest_length_counts(few, labs, cast, search):
    labs.add("Night", opens=0, closes=24, weekdays=(0, 1, 2, 3, 4, 5, 6), policy={"rules": {"unlimited": [NIGHTS]}})
    labs.add("Day", opens=0, closes=24, weekdays=(0, 1, 2, 3, 4, 5, 6), policy={})
    found = find_earliest(NOBODY, search(12), cast.now, 10)
    assert (names(found), starts(found)) == (["Night"], ["Mon 20:00"])
    assert names(find_earliest(NOBODY, search(12.5), cast.now, 10)) == []
    entry = Instrument.objects.get(name="Night")
    (card,) = finding.next_times(NOBODY, [entry.pk], 720, cast.now, cast.now, None)
    assert f"{card.during.starts_at.astimezone(card.context.zone):%a %H:%M}" == "Mon 20:00"


def test_a_grid_that_does_not_divide_the_day_begins_anew_at_midnight(labs, cast, search):
    whole_day = {"opens": 0, "closes": 24, "weekdays": (0, 1, 2, 3, 4, 5, 6), "techniques": ("jishi:sem",)}
    labs.add("Long steps", policy={"granularity_minutes": 105, "min_minutes": 105}, **whole_day)
    found = find_earliest(NOBODY, search(3, technique="jishi:sem"), cast.now, 10)
    assert (names(found), starts(found)) == (["Long steps"], ["Mon 21:00"])


def test_what_begins_at_midnight_by_its_grid_is_not_behind_what_begins_later(labs, cast, search):
    sevens = {"granularity_minutes": 420, "min_minutes": 420}
    lab = labs.add("Sevens", opens=22, closes=32, weekdays=(0, 1, 2, 3, 4, 5, 6), techniques=("jishi:sem",), policy=sevens)
    occupy(lab.calendar_id, TimeRange(cast.now - timedelta(hours=12), cast.now))  # what is left of the night before
    for hour in (1, 2):
        labs.add(f"From {hour}", opens=hour, closes=hour + 7, techniques=("jishi:sem",))
    (first,) = candidates.earliest(search(7, technique="jishi:sem"), cast.now, 1).rows
    assert first.fits_at == local_day(cast.now.date() + timedelta(days=1), ZoneInfo("Asia/Shanghai")).starts_at


def allowed(search: TimeSearch, now: datetime, customer: Organisation) -> dict[int, datetime]:
    """By instrument the first instant at which the rules of a booking have nothing against it, whoever asks: each quarter of an hour is
    tried."""
    found = {}
    for instrument in Instrument.objects.filter(published=True):
        context = booking_context.load(NOBODY, instrument.pk, lock=False)
        context = replace(context, has_outages=False, has_assistants=False, keeps_standing=False)
        busy = [
            TimeRange(row.during.lower, row.during.upper)
            for row in Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True)
        ]
        at = max(local_day(search.first_on, context.zone).starts_at, now)
        while at < local_day(search.last_on, context.zone).ends_at:
            during = TimeRange(at, at + timedelta(minutes=search.duration_minutes))
            taken = any(one.overlaps(context.policy.occupied(during)) for one in busy)
            if not taken and not refusal_reasons(context, None, customer, during, "self_operated", now):
                found[instrument.pk] = at
                break
            at += timedelta(minutes=15)
    return found


long_policies = st.fixed_dictionaries(
    {
        "granularity_minutes": st.sampled_from([15, 60, 105, 420]),
        "max_minutes": st.just(480),
        "notice_minutes": st.sampled_from([0, 1440]),
        "buffer_after_minutes": st.sampled_from([0, 30]),
        "rules": st.fixed_dictionaries(
            {}, optional={"unlimited": st.lists(st.sampled_from([NIGHTS, WEEKEND]), min_size=1, max_size=2)}
        ),
    }
)


@given(
    st.lists(st.tuples(st.sampled_from([(8, 18), (0, 24)]), long_policies, st.lists(st.integers(0, 120), max_size=4)), min_size=1,
             max_size=3),
    st.sampled_from([60, 180, 480, 720, 1800, 2880]),
    st.sampled_from([3000, 0]),
)  # fmt: skip
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_offered_is_what_the_rules_of_a_booking_take_and_nothing_of_that_is_hidden(
    labs, cast, search, monkeypatch, world, minutes, few
):
    monkeypatch.setattr(candidates, "FEW", few)
    with transaction.atomic():
        for number, ((opens, closes), policy, taken) in enumerate(world):
            instrument = labs.add(
                f"I{number}",
                opens=opens,
                closes=closes,
                weekdays=(0, 1, 2, 3, 4, 5, 6),
                policy=policy | {"min_minutes": policy["granularity_minutes"]},
            )
            for hour in set(taken):
                occupy(instrument.calendar_id, TimeRange(cast.now + timedelta(hours=hour), cast.now + timedelta(hours=hour + 1)))
        asked = search(minutes / 60, first=1, last=5)
        found = find_earliest(NOBODY, asked, cast.now, 10, customer=cast.firm)
        offered = {row.instrument.pk: row.during.starts_at for row in found.rows}
        assert offered == allowed(asked, cast.now, cast.firm)
        transaction.set_rollback(True)


def test_a_time_is_found_only_where_it_is_open_to_the_customer_who_is_meant(cast, search):
    calendar_id = schedule_store.create_calendar("Evenings")
    daily = Recurrence(frequency="weekly", interval=1, weekdays=(0, 1, 2, 3, 4, 5, 6), until=None, count=None)
    start = datetime(2025, 1, 6, 20, 0)
    evening = CalendarEntry(EntryKind.OPENING, start, start.replace(hour=22), daily, audiences=frozenset({"academic"}))
    schedule_store.add_entry(calendar_id, "Asia/Shanghai", evening)
    made = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=calendar_id, name="Night owl", created_at=cast.now, updated_at=cast.now
    )
    catalogue.refresh_instruments([made.pk], cast.now)
    availability.rebuild([calendar_id], cast.now)
    lin, academy = cast.actor("lin"), Organisation(kind="owner")
    Membership.objects.create(user=cast.users["lin"], organisation=cast.lab, role="researcher", created_at=cast.now)
    wanted = search(2, text="owl")
    assert names(find_earliest(lin, wanted, cast.now, 5, customer=academy)) == ["Night owl"]
    assert names(find_earliest(lin, wanted, cast.now, 5, customer=cast.firm)) == []
    assert names(find_nearest(lin, wanted, cast.now, 5, "630104", academy)) == ["Night owl"]
    assert names(find_nearest(lin, wanted, cast.now, 5, "630104", cast.firm)) == []


def test_a_wider_technique_finds_what_has_a_narrower_one(cast, search):
    Instrument.objects.filter(pk=cast.xrd.pk).update(technique_codes=["PaNET01216"])
    catalogue.refresh_instruments([cast.xrd.pk], cast.now)
    availability.rebuild([cast.xrd.calendar_id], cast.now)
    assert names(find_earliest(NOBODY, search(technique="PaNET01022"), cast.now, 5)) == ["X-ray diffractometer"]
    assert names(find_earliest(NOBODY, search(technique="PaNET01069"), cast.now, 5)) == []


@pytest.mark.parametrize("few", [3000, 0], indirect=True)
def test_what_is_being_repaired_is_found_for_times_behind_the_repair(few, labs, cast, search, slot):
    labs.derive()
    outage = Outage(DowntimeKind.BREAKDOWN, TimeRange(cast.now, slot(11, 12).starts_at), "Tube")
    row = downtimes.declare(cast.actor("wang"), cast.xrd.pk, outage, cast.now, idempotency_key="d")
    labs.derive()
    assert starts(find_earliest(NOBODY, search(2), cast.now, 10)) == ["Wed 11:00"]
    downtimes.prolong(cast.actor("wang"), row.pk, slot(14, 15).starts_at, (), cast.now)
    labs.derive()
    assert starts(find_earliest(NOBODY, search(2), cast.now, 10)) == ["Wed 14:00"]
    Downtime.objects.update(status_before="frequently_faulty")
    assert starts(find_earliest(NOBODY, search(2), cast.now, 10)) == []
