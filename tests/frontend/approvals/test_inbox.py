"""The lab's inbox."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentPolicy, Occupancy, Reservation, ReservationGroup, ReservationSeries, ReservationTransition
from booking.services import changes, transitions
from tests.frontend.acting import query_count, words
from tests.heads import with_head


def test_an_empty_inbox_is_done(as_):
    assert "All done" in words(as_("wang").get("/approvals/"))


@pytest.mark.parametrize("name", ["lin", "qian", "zhou"])
def test_only_lab_managers_have_an_inbox(as_, name):
    assert as_(name).get("/approvals/").status_code == 403


def test_a_visitor_is_led_to_log_in(as_):
    assert as_().get("/approvals/").headers["Location"] == "/accounts/login/?next=/approvals/"


def test_a_request_says_who_what_when_and_what_it_costs(as_, programmes, ask, clock):
    ask(9, 12, purpose="brine")
    clock.now += timedelta(hours=5)
    text = words(as_("wang").get("/approvals/"))
    for part in ("Gaoyuan Lithium", "X-ray diffractometer", "Wed 25 Nov 2026, 09:00–12:00", "waits 5 h", "First time here", "brine",
                 "lin@example.org", "Pay now ¥720.00", "The instrument's day", "this request"):  # fmt: skip
        assert part in text


def test_chips_warn_of_rivals_and_of_firms_that_are_not_verified(as_, cast, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    ask(9, 12)
    client = as_("wang")
    text = words(client.get("/approvals/"))
    assert "Others want this time" not in text and "Not verified" not in text
    cast.other_firm.status = "claimed"
    cast.other_firm.save()
    other = ask(10, 12, who="he")
    text = words(client.get(f"/approvals/?selected={other}"))
    assert "Others want this time" in text and "Not verified" in text
    assert "09:00–12:00 Gaoyuan Lithium same time" in text


# --- What was asked for together ----------------------------------------------------------------------------------------
@pytest.fixture
def series(cast):
    """``series([ids], planned=12)``: requests of Lin become the times of a series, from its third on."""

    def make(ids: list[int], planned: int = 12) -> int:
        whose = {"organisation": cast.firm, "requested_by": cast.users["lin"], "created_at": cast.now}
        made = ReservationSeries.objects.create(instrument=cast.xrd, rule={}, zone="Asia/Shanghai", planned=planned, **whose)
        for place, pk in enumerate(ids, start=3):
            Reservation.objects.filter(pk=pk).update(series=made, ordinal=place)
        return made.pk

    return make


@pytest.fixture
def group(cast):
    def make(ids: list[int]) -> int:
        whose = {"organisation": cast.firm, "requested_by": cast.users["lin"], "created_at": cast.now}
        made = ReservationGroup.objects.create(**whose)
        Reservation.objects.filter(pk__in=ids).update(group=made)
        return made.pk

    return make


def chosen(response) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="chosen" value="(\d+)" checked', response.content.decode())]


def test_the_times_of_a_series_say_so_and_are_chosen_with_one_link(as_, ask, series):
    first, other, second = ask(9, 10), ask(11, 12), ask(9, 10, 1)
    pk, client = series([first, second]), as_("wang")
    page = client.get(f"/approvals/?selected={first}")
    assert "Series: 3 of 12" in words(page) and "Series: 4 of 12" in words(page) and chosen(page) == []
    assert f'href="/approvals/?series={pk}">Choose all of this series' in page.content.decode()
    all_of_it = client.get(f"/approvals/?series={pk}")
    assert chosen(all_of_it) == [first, second] and f"choose-{other}" not in all_of_it.content.decode()
    assert f"?selected={second}&amp;series={pk}" in all_of_it.content.decode()
    client.post("/approvals/decide", {"chosen": chosen(all_of_it), "verdict": "approve"})
    assert set(Reservation.objects.filter(state="approved").values_list("pk", flat=True)) == {first, second}


def test_several_instruments_together_say_so_and_are_chosen_with_one_link(as_, ask, group):
    ids, other = [ask(9, 10), ask(11, 12), ask(13, 14)], ask(15, 16)
    pk, client = group(ids), as_("wang")
    page = client.get(f"/approvals/?selected={ids[0]}")
    assert words(page).count("With 2 other instruments") == 3
    assert f'href="/approvals/?group={pk}">Choose all that were asked for together' in page.content.decode()
    assert chosen(client.get(f"/approvals/?group={pk}")) == ids
    assert "Choose all that were asked" not in words(client.get(f"/approvals/?selected={other}"))


@pytest.mark.parametrize("query", ["series=999999", "group=999999", "series=x", "group=-1", "series=" + "9" * 30])
def test_what_is_not_there_shows_all_and_chooses_nothing(as_, ask, query):
    first, second = ask(9, 10), ask(11, 12)
    page = as_("wang").get(f"/approvals/?{query}")
    assert page.status_code == 200 and chosen(page) == []
    assert all(f"choose-{pk}" in page.content.decode() for pk in (first, second))


def test_ones_own_times_of_a_series_are_shown_and_not_chosen(as_, cast, ask, series):
    with_head(cast)
    own, other = ask(9, 10, who="wang", firm=cast.lab), ask(11, 12)
    page = as_("wang").get(f"/approvals/?series={series([own, other])}")
    assert chosen(page) == [other] and f"choose-{own}" in page.content.decode()


def test_chips_of_series_and_groups_take_no_query_more(as_, ask, series, group):
    client, ids = as_("wang"), [ask(hour, hour + 1) for hour in (9, 11, 13, 15)]
    before = query_count(client, "/approvals/")
    series(ids[:2])
    group(ids[2:])
    assert query_count(client, "/approvals/") == before


def test_a_known_customer_is_not_called_new(as_, charged, ask):
    charged(8, 9)
    ask(9, 12)
    assert "First time here" not in words(as_("wang").get("/approvals/"))


@pytest.mark.parametrize(("source", "name"), [("maintenance", "Maintenance"), ("subscribed", "Another calendar")])
def test_what_the_lab_takes_itself_stands_in_the_day(as_, cast, ask, slot, source, name):
    ask(9, 12)
    blocked = slot(14, 16)
    during = TimestamptzRange(blocked.starts_at, blocked.ends_at)
    Occupancy.objects.create(calendar_id=cast.xrd.calendar_id, during=during, source=source, blocking=True)
    assert f"14:00–16:00 the lab {name}" in words(as_("wang").get("/approvals/"))


def test_approving_goes_on_to_the_next_request(as_, ask):
    first, second = ask(9, 10), ask(11, 12)
    client = as_("wang")
    html = client.get("/approvals/").content.decode()
    assert 'data-key="a"' in html and f'data-step="{second}" data-key="j"' in html
    response = client.post(f"/bookings/{first}/approve", {"next_id": second})
    assert (response.status_code, response.headers["Location"]) == (302, f"/approvals/?selected={second}")
    assert Reservation.objects.get(pk=first).state == "approved"
    assert "1 request approved. It is told in 10 seconds." in words(client.get(response.headers["Location"]))


def test_rejecting_takes_a_ready_sentence_and_own_words(as_, ask):
    pk = ask(9, 10)
    as_("wang").post(f"/bookings/{pk}/reject", {"template": "operator", "reason": "Try Friday.\x00"})
    reason = ReservationTransition.objects.get(action="reject").reason
    assert reason == "The operator is not available then; please choose another time. Try Friday."


def test_rejecting_without_a_reason_is_refused_beside_the_request(as_, ask):
    pk = ask(9, 10)
    response = as_("wang").post(f"/bookings/{pk}/reject", {"template": "", "reason": " "})
    assert response.status_code == 422 and "Give a reason" in words(response) and "X-ray diffractometer" in words(response)
    assert Reservation.objects.get().state == "requested"


def test_from_its_own_page_a_request_is_decided_there(as_, ask):
    pk = ask(9, 10)
    response = as_("wang").post(f"/bookings/{pk}/reject", {"from": "detail"})
    assert response.status_code == 422 and "What happened and what comes next" in words(response)
    assert as_("wang").post(f"/bookings/{pk}/approve", {"from": "detail"}).headers["Location"] == f"/bookings/{pk}/"


def test_a_time_that_somebody_else_got_is_a_conflict_shown_in_the_inbox(as_, cast, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    first, second = ask(9, 12), ask(10, 12, who="he")
    transitions.approve(cast.actor("wang"), first, cast.now)
    response = as_("wang").post(f"/bookings/{second}/approve")
    assert response.status_code == 409 and "was just taken" in words(response)
    assert Reservation.objects.get(pk=second).state == "requested"


def test_approving_twice_is_answered_and_changes_nothing(as_, approved):
    response = as_("wang").post(f"/bookings/{approved(9, 12)}/approve")
    assert response.status_code == 422 and "cannot be done any more" in words(response)
    assert ReservationTransition.objects.filter(action="approve").count() == 1


def test_what_a_colleague_decided_meanwhile_is_said_by_name_and_not_beside_the_one_that_is_open_now(as_, approved, ask):
    gone, other = approved(9, 12), ask(13, 14)
    reference = Reservation.objects.get(pk=gone).reference
    page = as_("wang").post(f"/bookings/{gone}/reject", {"reason": "We are away"}).content.decode()
    assert f"<li>{reference}: " in page and f'data-opened="{other}"' in page and "We are away" not in page


def test_nobody_approves_the_own_request(as_, cast, ask):
    with_head(cast)
    pk = ask(9, 12, who="wang", firm=cast.lab)
    client = as_("wang")
    page = client.get("/approvals/")
    assert "a colleague has to decide" in words(page) and 'data-key="a"' not in page.content.decode()
    response = client.post(f"/bookings/{pk}/approve")
    assert response.status_code == 422 and "You cannot approve your own request" in words(response)


def test_a_customer_cannot_approve(as_, ask):
    pk = ask(9, 12)
    assert as_("lin").post(f"/bookings/{pk}/approve").status_code == 403
    assert Reservation.objects.get().state == "requested"


@pytest.mark.parametrize("selected", ["x", "0", "999999", "9" * 50, "%00", "%F0%9F%94%AC"])
def test_an_unknown_selection_opens_the_first(as_, ask, selected):
    ask(9, 12)
    response = as_("wang").get(f"/approvals/?selected={selected}")
    assert response.status_code == 200 and "Approve and tell the customer" in words(response)


def test_a_bad_next_request_leads_to_the_inbox(as_, ask):
    response = as_("wang").post(f"/bookings/{ask(9, 12)}/approve", {"next_id": "https://elsewhere.example"})
    assert response.headers["Location"] == "/approvals/"


def test_the_inbox_takes_as_many_queries_for_thirty_as_for_three(as_, ask):
    for hour in (8, 9, 10):
        ask(hour, hour + 1)
    few = query_count(as_("wang"), "/approvals/")
    for day in range(1, 4):
        for hour in range(8, 17):
            ask(hour, hour + 1, day=day)
    assert query_count(as_("wang"), "/approvals/") == few <= 10


@pytest.mark.parametrize("path", ["/approvals/", "/bookings/{pk}"])
def test_a_time_that_was_moved_since_the_page_was_shown_is_not_approved(as_, cast, ask, slot, path):
    pk, client = ask(9, 12), as_("wang")
    page = client.get(path.format(pk=pk), follow=True).content.decode()
    seen = dict(re.findall(r'name="(seen_(?:starts|ends)_at)" value="([^"]+)"', page))
    wish = changes.ChangeRequest(pk, slot(14, 17))
    changes.change(cast.actor("lin"), wish, cast.now, idempotency_key="moved")
    response = client.post(f"/bookings/{pk}/approve", seen)
    assert response.status_code == 409 and "changed this reservation just now" in words(response)
    assert Reservation.objects.get(pk=pk).state == "requested"
