from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.settlement.models import Charge, Quote
from booking.models import InstrumentPolicy, Reservation
from config.kernel.services import idempotency
from tests.api.conftest import codes


def test_a_reservation_is_made_once_for_its_key(api, asked):
    lin = api("lin")
    first = lin.post("reservations/", asked(), key="one")
    again = lin.post("reservations/", asked(), key="one")
    assert first.status_code == 201 and "Idempotent-Replayed" not in first.headers
    assert first["Location"] == first.json()["url"] == f"/api/v1/reservations/{first.json()['id']}/"
    assert again.status_code == 200 and again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert Reservation.objects.count() == 1


def test_the_same_key_for_another_reservation_is_refused(api, asked):
    lin = api("lin")
    lin.post("reservations/", asked(9, 10), key="one")
    other = lin.post("reservations/", asked(10, 11), key="one")
    assert other.status_code == 422 and codes(other) == {"idempotency.other_payload"}


def test_without_a_key_nothing_is_booked(api, asked):
    refused = api("lin").post("reservations/", asked(), key=None)
    assert refused.status_code == 422 and codes(refused) == {"idempotency.key_missing"}
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("key", ["a\x00b", "é", "k" * 256])
def test_a_key_that_cannot_be_kept_is_refused(api, asked, key):
    refused = api("lin").post("reservations/", asked(), key=key)
    assert refused.status_code == 422 and codes(refused) <= {"idempotency.key_unreadable", "idempotency.key_too_long"}


def test_taken_time_is_a_conflict_with_alternatives(api, asked, cast):
    api("lin").post("reservations/", asked(9, 11))
    taken = api("he").post("reservations/", asked(10, 12, organisation=cast.other_firm.pk))
    assert taken.status_code == 409 and codes(taken) == {"booking.just_taken"}
    assert taken.json()["alternatives"][0][0] == "2026-11-25T11:00:00+08:00"


def test_the_hot_path_reads_nothing_after_the_write(api, asked, django_assert_max_num_queries, programmes):
    lin = api("lin", "book")
    lin.post("reservations/", asked(8, 9))
    with django_assert_max_num_queries(19) as queries:  # 15, token and actor, two savepoints of the test
        assert lin.post("reservations/", asked(10, 11)).status_code == 201
    last = [query["sql"] for query in queries.captured_queries if "SAVEPOINT" not in query["sql"]][-1]
    assert last.startswith("UPDATE"), "the last statement keeps the answer for the key"


def test_figures_that_were_not_seen_book_nothing(api, asked):
    wrong = api("lin").post("reservations/", asked(expected={"payable_now_fen": 1, "final_cost_fen": 1}))
    assert wrong.status_code == 409 and codes(wrong) == {"billing.figures_differ"}
    assert wrong.json()["payable_now_fen"] == 800_00
    right = api("lin").post("reservations/", asked(expected={"payable_now_fen": 800_00, "final_cost_fen": 800_00}))
    assert right.status_code == 201


def test_a_time_without_offset_is_refused_and_says_how_to_write_it(api, asked):
    refused = api("lin").post("reservations/", asked(starts_at="2026-11-25T09:00:00"))
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["code"], error["field"]) == (400, "input.naive", "starts_at")
    assert "+08:00" in error["detail"]


def test_the_whole_life_over_the_api(api, booked, cast, programmes, slot, monkeypatch):
    reservation = booked(9, 12)
    lab, path = api("wang", "read", "manage"), f"reservations/{reservation}/"
    approved = lab.post(path + "approve/")
    assert approved.status_code == 200 and approved.json() == {"id": reservation, "state": "approved", "declined": []}
    monkeypatch.setattr(timezone, "now", lambda: slot(9, 12).starts_at)
    assert lab.post(path + "check-in/").json()["state"] == "in_use"
    monkeypatch.setattr(timezone, "now", lambda: slot(9, 12).ends_at)
    assert lab.post(path + "check-out/", {"note": "all well"}).json()["state"] == "completed"
    assert api("lin").post(path + "agree/").json()["state"] == "agreed"
    shown = api("lin").get(path).json()
    assert shown["starts_at"] == "2026-11-25T09:00:00+08:00"
    assert [step["to_state"] for step in shown["transitions"]] == ["requested", "approved", "in_use", "completed", "agreed"]
    charge, figures = Charge.objects.get(), shown["figures"]
    assert figures["charged"] and figures["gross_fen"] == charge.gross_fen == 1200_00
    assert figures["payable_now_fen"] == figures["gross_fen"] - figures["deducted_fen"]
    assert figures["final_cost_fen"] == figures["payable_now_fen"] - figures["refunded_fen"] == charge.final_cost_fen


def test_an_action_runs_once_for_its_key(api, booked):
    reservation, lab = booked(), api("wang")
    first = lab.post(f"reservations/{reservation}/approve/", key="a")
    again = lab.post(f"reservations/{reservation}/approve/", key="a")
    assert first.status_code == again.status_code == 200 and again["Idempotent-Replayed"] == "true"
    fresh = lab.post(f"reservations/{reservation}/approve/", key="b")
    assert fresh.status_code == 422 and codes(fresh) == {"booking.illegal_transition"}
    assert lab.post(f"reservations/{reservation}/approve/", key=None).status_code == 422


def test_rejecting_needs_a_reason_and_cancelling_by_the_lab_too(api, booked):
    lab, reservation = api("wang"), booked()
    assert lab.post(f"reservations/{reservation}/reject/").status_code == 400
    assert codes(lab.post(f"reservations/{reservation}/cancel/")) == {"booking.reason_missing"}
    assert lab.post(f"reservations/{reservation}/reject/", {"reason": "broken"}).json()["state"] == "rejected"


def test_a_missed_session_is_marked_after_its_grace(api, booked, slot, monkeypatch):
    reservation, lab = booked(9, 11), api("wang", "manage")
    lab.post(f"reservations/{reservation}/approve/")
    assert codes(lab.post(f"reservations/{reservation}/no-show/")) == {"booking.too_early_for_no_show"}
    monkeypatch.setattr(timezone, "now", lambda: slot(9.5, 11).starts_at)
    assert lab.post(f"reservations/{reservation}/no-show/").json()["state"] == "no_show"


def test_new_figures_are_kept_for_the_customer_although_approving_failed(api, booked, cast, monkeypatch):
    from booking.services import transitions

    reservation = booked()
    shown = Quote.objects.get()

    def ask_again(self, row, actor, now):
        from booking.ports import FiguresChanged

        fields = {name: getattr(shown, name) for name in _QUOTE_FIELDS}
        Quote.objects.create(**fields, reservation=row, revision=2, valid_until=row.starts_at, created_at=now)
        return FiguresChanged(2)

    monkeypatch.setattr(type(transitions.ports.money()), "on_approve", ask_again)
    lab = api("wang")
    first = lab.post(f"reservations/{reservation}/approve/", key="a")
    again = lab.post(f"reservations/{reservation}/approve/", key="a")
    assert first.status_code == again.status_code == 409 and codes(again) == {"booking.figures_changed"}
    assert Quote.objects.filter(revision=2).count() == 1
    assert api("lin").get(f"reservations/{reservation}/").json()["figures"]["waits_for_customer"]
    other = {"expected": {"payable_now_fen": 1, "final_cost_fen": 1}}
    differs = api("lin", "book").post(f"reservations/{reservation}/accept-quote/", other)
    assert differs.status_code == 409 and codes(differs) == {"billing.figures_differ"}
    accepted = api("lin", "book").post(f"reservations/{reservation}/accept-quote/")
    assert accepted.status_code == 200 and accepted.json()["state"] == "requested"
    assert codes(api("lin").post(f"reservations/{reservation}/accept-quote/")) == {"billing.nothing_to_accept"}


_QUOTE_FIELDS = (
    "gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", "final_cost_fen", "estimate", "inputs", "inputs_sha256",
    "result", "engine_version",
)  # fmt: skip


def test_of_two_requests_for_one_time_the_second_cannot_be_approved(api, asked, cast):
    """The exclusion constraint strikes inside the transaction of the key; the loser still hears what is free."""
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    mine = api("lin").post("reservations/", asked(9, 11)).json()["id"]
    theirs = api("he").post("reservations/", asked(9, 11, organisation=cast.other_firm.pk)).json()["id"]
    lab = api("wang")
    assert lab.post(f"reservations/{mine}/approve/", {"rivals": "keep"}).status_code == 200
    late = lab.post(f"reservations/{theirs}/approve/")
    assert late.status_code == 409 and codes(late) == {"booking.just_taken"} and late.json()["alternatives"]
    assert Reservation.objects.get(pk=theirs).state == "requested"


def test_lists_are_narrowed_by_named_filters_only(api, booked, cast):
    first, second = booked(9, 10), booked(12, 13)
    api("wang").post(f"reservations/{second}/approve/")
    lin = api("lin")

    def found(**filters):
        return [row["id"] for row in lin.get("reservations/", **filters).json()["results"]]

    assert found() == [second, first]
    assert found(state="approved") == [second]
    assert found(instrument=cast.xrd.pk, **{"from": "2026-11-25", "to": "2026-11-25"}) == [second, first]
    assert found(**{"from": "2026-11-26"}) == found(to="2026-11-24") == found(instrument=10**6) == []
    unknown = lin.get("reservations/", organisation__name="x")
    assert unknown.status_code == 400 and codes(unknown) == {"input.unknown"}
    twice = lin.client.get("/api/v1/reservations/?state=approved&state=requested")
    assert twice.status_code == 400 and codes(twice) == {"input.repeated"}


@pytest.mark.parametrize(
    "filters",
    [
        {"state": "gone"}, {"instrument": "9" * 30}, {"instrument": "x"}, {"from": "0001-01-01"}, {"to": "9999-12-31"},
        {"from": "2026-02-30"}, {"from": "\x00"}, {"page_size": 0}, {"page_size": 201}, {"page_size": "x"},
    ],
)  # fmt: skip
def test_filters_that_mean_nothing_are_refused(api, filters):
    assert api("lin").get("reservations/", **filters).status_code == 400


def test_pages_are_bounded(api, booked):
    booked(9, 10), booked(10, 11)
    one = api("lin").get("reservations/", page_size=1).json()
    assert one["count"] == 2 and len(one["results"]) == 1 and "page=2" in one["next"]
    assert api("lin").get("reservations/", page=3, page_size=1).status_code == 404
    assert api("lin").get("reservations/", page="x").status_code == 404


def test_a_list_costs_the_same_number_of_queries_however_long(api, booked, django_assert_num_queries):
    lin = api("lin", "read")
    booked(9, 10)
    lin.get("reservations/")
    with django_assert_num_queries(6):  # token, actor, count, rows, quotes, charges
        lin.get("reservations/")
    booked(10, 11), booked(11, 12)
    with django_assert_num_queries(6):
        assert lin.get("reservations/").json()["count"] == 3


def test_a_stored_answer_is_not_given_to_somebody_else(api, asked, cast):
    api("lin").post("reservations/", asked(9, 10), key="shared")
    other = api("he").post("reservations/", asked(11, 12, organisation=cast.other_firm.pk), key="shared")
    assert other.status_code == 201
    assert idempotency.IdempotencyRecord.objects.filter(key="shared").count() == 2


def test_an_early_check_in_says_when_it_opens_in_the_readers_language(api, booked, cast):
    reservation, lab = booked(), api("wang")
    lab.post(f"reservations/{reservation}/approve/")
    early = lab.client.post(
        f"/api/v1/reservations/{reservation}/check-in/",
        {},
        format="json",
        headers={"Idempotency-Key": "k", "Accept-Language": "en"},
    )
    assert early.json()["title"].startswith("Too early")
    assert cast.now + timedelta(hours=1) < Reservation.objects.get().starts_at


def test_a_time_that_was_not_looked_at_is_not_approved(api, booked):
    reservation, lab = booked(9, 12), api("wang")
    times = {"starts_at": "2026-11-25T09:00:00+08:00", "ends_at": "2026-11-25T12:00:00+08:00"}
    wrong = lab.post(f"reservations/{reservation}/approve/", {"seen": times | {"ends_at": "2026-11-25T11:00:00+08:00"}})
    assert wrong.status_code == 409 and codes(wrong) == {"booking.changed_meanwhile"}
    assert lab.post(f"reservations/{reservation}/approve/", {"seen": times}, key="b").json()["state"] == "approved"


# --- For a colleague ----------------------------------------------------------------------------------------------------
def test_a_colleague_agrees_and_is_booked_for_over_the_api(api, cast, asked):
    """Zhao lets Lin book in her name; without that Lin is refused."""
    zhao, lin = cast.users["zhao"], cast.users["lin"]
    body = asked(for_person=zhao.pk)
    refused = api("lin", "book").post("reservations/", body)
    assert (refused.status_code, codes(refused)) == (422, {"consent.missing"})
    colleagues = api("zhao").get("booking-consents/colleagues/?q=lin@").json()["results"]
    assert colleagues == [{"organisation": cast.firm.pk, "taker": lin.pk, "taker_name": "Lin"}]
    assert api("he").get("booking-consents/colleagues/?q=lin@").json()["results"] == []
    everybody = api("zhao").get("booking-consents/colleagues/").json()["results"]
    assert api("zhao").get("booking-consents/colleagues/?q=").json()["results"] == everybody and colleagues[0] in everybody
    given = api("zhao").post("booking-consents/", {"organisation": cast.firm.pk, "taker": lin.pk, "until_on": "2026-12-31"})
    assert given.status_code == 201
    row = api("lin").get("booking-consents/").json()["results"][0]
    assert (row["giver_name"], row["taker_name"], row["until_on"]) == ("Zhao", "Lin", "2026-12-31")
    booked = api("lin", "book").post("reservations/", body).json()
    shown = api("zhao").get(f"reservations/{booked['id']}/").json()
    assert (shown["requested_by"], shown["booked_by"]) == ("Zhao", "Lin")
    assert api("he").post(f"booking-consents/{row['id']}/end/").status_code == 404
    assert api("lin").post(f"booking-consents/{row['id']}/end/").status_code == 200
    assert api("zhao").get("booking-consents/").json()["results"] == []


def test_what_a_booking_is_for_is_corrected_by_the_customer_and_the_lab(api, booked, cast):
    pk = booked(9, 10)
    lin, lab = api("lin"), api("wang", "read", "book")
    done = lin.post(f"reservations/{pk}/facts/", {"purpose": "Brine"}, key="a")
    assert done.status_code == 200
    assert {name: done.json()[name] for name in ("purpose", "fund_source")} == {"purpose": "Brine", "fund_source": ""}
    assert lab.post(f"reservations/{pk}/facts/", {"fund_source": "2"}, key="b").json()["purpose"] == "Brine"
    shown = lin.get(f"reservations/{pk}/").json()
    assert (shown["purpose"], shown["fund_source"]) == ("Brine", "2")
    assert [(step["action"], step["by"]) for step in shown["transitions"]][1:] == [("correct", "Lin"), ("correct", "Wang")]
    assert codes(lin.post(f"reservations/{pk}/facts/", {"fund_source": "99"}, key="c")) == {"service.fund_source_unknown"}
    assert codes(lin.post(f"reservations/{pk}/facts/", {"colour": "red"}, key="d")) == {"input.unknown"}
    assert api("he").post(f"reservations/{pk}/facts/", {"purpose": "x"}, key="e").status_code == 404
