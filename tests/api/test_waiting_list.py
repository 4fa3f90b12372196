"""The waiting list over the API: the same services as the pages."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import Reservation, WaitEntry
from booking.services import waiting
from tests.api.conftest import codes
from tests.booking.finding.labs import labs  # noqa: F401


@pytest.fixture
def wished(cast, slot):
    """The body of a wish; ``wished(9, 11)`` is exactly 09:00 to 11:00 the day after tomorrow."""

    def make(first=9, last=11, **changes):
        during = slot(first, last)
        times = {"starts_at": during.starts_at.isoformat(), "ends_at": during.ends_at.isoformat()}
        usual = {"instrument": cast.xrd.pk, "organisation": cast.firm.pk, "service_mode": "self_operated"}
        return usual | times | changes

    return make


def test_an_exact_time_is_waited_for_offered_and_accepted_with_the_facts_of_before(api, asked, cast, wished, programmes):
    lin = api("lin", "read", "book")
    lin.post("reservations/", asked(15, 16, research_project="Cells of tomorrow", fund_source="3"))
    made = lin.post("waiting-list/", wished(), key="one")
    assert made.status_code == 201 and lin.post("waiting-list/", wished(), key="one").json() == made.json()
    assert (made.json()["minutes"], made.json()["state"], made.json()["offer"]) == (120, "waiting", None)
    assert waiting.offer_free_time(cast.now) == 1
    (entry,) = lin.get("waiting-list/").json()["results"]
    assert (
        entry["offer"]["starts_at"] == "2026-11-25T09:00:00+08:00" and entry["offer"]["until_at"] == "2026-11-23T10:00:00+08:00"
    )
    taken = lin.post(f"waiting-list/{entry['id']}/accept/").json()
    booked = Reservation.objects.get(pk=taken["reservation"])
    assert (taken["state"], taken["offer"]) == ("taken", None)
    assert (booked.research_project, booked.fund_source, booked.purpose) == ("Cells of tomorrow", "3", "lithium salts")


def test_any_hours_within_a_range_are_waited_for(api, wished, cast):
    made = api("lin").post("waiting-list/", wished(8, 20, minutes=180)).json()
    assert (made["minutes"], made["starts_at"]) == (180, "2026-11-25T08:00:00+08:00")


def test_an_offer_passes_and_an_entry_is_left(api, wished, cast, programmes):
    lin = api("lin")
    pk = lin.post("waiting-list/", wished()).json()["id"]
    assert codes(lin.post(f"waiting-list/{pk}/decline/")) == {"wait.not_now"}
    waiting.offer_free_time(cast.now)
    assert lin.post(f"waiting-list/{pk}/decline/").json()["state"] == "waiting"
    assert lin.post(f"waiting-list/{pk}/leave/").json()["state"] == "withdrawn"
    assert codes(lin.post(f"waiting-list/{pk}/accept/")) == {"wait.not_now"}


def test_anothers_entry_is_nobodys_and_a_token_for_reading_joins_nothing(api, wished):
    pk = api("lin").post("waiting-list/", wished()).json()["id"]
    for answer in ("accept", "decline", "leave"):
        assert api("he").post(f"waiting-list/{pk}/{answer}/").status_code == 404
    assert api("he").get("waiting-list/").json()["results"] == []
    assert api("lin", "read").post("waiting-list/", wished()).status_code == 403
    assert WaitEntry.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends_at": "2026-11-24T00:00:00Z"}, "booking.range_invalid"),
        ({"ends_at": "2027-11-24T00:00:00Z"}, "booking.range_too_long"),
        ({"ends_at": "2027-02-01T00:00:00Z"}, "wait.window"),
        ({"minutes": 7}, "wait.length"),
        ({"minutes": 720}, "wait.length"),
        ({"service_mode": "remote"}, "booking.service_mode_unknown"),
    ],
)
def test_what_cannot_be_waited_for_is_refused_by_name(api, wished, changes, said):
    refused = api("lin").post("waiting-list/", wished(**changes))
    assert refused.status_code == 422 and codes(refused) == {said}, refused.content
    assert not WaitEntry.objects.exists()


def test_minutes_beyond_all_sense_and_unknown_fields_are_bad_input(api, wished):
    for changes in ({"minutes": 0}, {"minutes": 2**62}, {"day": "today"}, {"starts_at": "tomorrow"}):
        assert api("lin").post("waiting-list/", wished(**changes)).status_code == 400


def test_a_list_of_three_takes_as_many_queries_as_one_of_one(api, wished):
    lin, counts = api("lin"), []
    for hour in (9, 11, 13):
        lin.post("waiting-list/", wished(hour, hour + 2))
        with CaptureQueriesContext(connection) as captured:
            assert len(lin.get("waiting-list/").json()["results"]) == len(counts) + 1
        counts.append(len(captured))
    assert len(set(counts)) == 1


# --- Just taken -------------------------------------------------------------------------------------------------------
def test_taken_time_names_an_equal_instrument_and_none_where_there_is_none(api, asked, cast, labs):  # noqa: F811
    api("lin").post("reservations/", asked(9, 11))
    alone = api("he").post("reservations/", asked(10, 12, organisation=cast.other_firm.pk)).json()
    assert alone["elsewhere"] is None
    twin = labs.add("Twin")
    beside = api("he").post("reservations/", asked(10, 12, organisation=cast.other_firm.pk)).json()
    assert beside["elsewhere"]["instrument"] == twin.pk
    assert beside["elsewhere"]["ends_at"] > beside["elsewhere"]["starts_at"] >= "2026-11-25"


def test_an_equal_instrument_is_looked_for_in_as_many_queries_however_many_there_are(api, asked, cast, labs):  # noqa: F811
    api("lin").post("reservations/", asked(9, 11))
    counts = []
    for count in (1, 3):
        for number in range(count):
            labs.add(f"Twin {count}.{number}")
        with CaptureQueriesContext(connection) as captured:
            assert api("he").post("reservations/", asked(10, 12, organisation=cast.other_firm.pk)).status_code == 409
        counts.append(len(captured))
    assert counts[0] == counts[1]
