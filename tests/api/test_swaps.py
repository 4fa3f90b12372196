"""Swapping two bookings over the API."""

from __future__ import annotations

from booking.models import Reservation
from booking.services import transitions
from tests.api.conftest import codes


def starts(pk: int) -> object:
    return Reservation.objects.get(pk=pk).starts_at


def test_two_requests_swap_once_for_a_key_and_answer_with_both_changes(api, booked, slot):
    one, other = booked(9, 11), booked(14, 16)
    seen = {"starts_at": slot(9, 11).starts_at.isoformat(), "other_starts_at": slot(14, 16).starts_at.isoformat()}
    answers = [api("lin").post(f"reservations/{one}/swap/", {"other": other, **seen}, key="swap-1") for _twice in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200] and answers[1]["Idempotent-Replayed"] == "true"
    assert answers[0].json() == answers[1].json()
    assert [(row["reservation"], row["state"], row["side"]) for row in answers[0].json()] == [
        (one, "made", "customer"),
        (other, "made", "customer"),
    ]
    assert (starts(one), starts(other)) == (slot(14, 16).starts_at, slot(9, 11).starts_at)


def test_a_start_that_is_another_by_now_is_a_conflict_and_nothing_moves(api, booked, slot):
    one, other = booked(9, 11), booked(14, 16)
    answer = api("lin").post(f"reservations/{one}/swap/", {"other": other, "other_starts_at": slot(15, 16).starts_at.isoformat()})
    assert answer.status_code == 409 and codes(answer) == {"booking.changed_meanwhile"}
    assert (starts(one), starts(other)) == (slot(9, 11).starts_at, slot(14, 16).starts_at)


def test_what_cannot_be_meant_is_refused_with_what_to_do(api, booked, cast, slot):
    one, other = booked(9, 11), booked(14, 16)
    path = f"reservations/{one}/swap/"
    for body in ({}, {"other": "x"}, {"other": 0}, {"other": other, "force": True}, {"other": other, "starts_at": "tomorrow"}):
        assert api("lin").post(path, body).status_code == 400
    assert codes(api("lin").post(path, {"other": other}, key=None)) == {"idempotency.key_missing"}
    assert codes(api("lin").post(path, {"other": one})) == {"swap.same"}
    transitions.approve(cast.actor("wang"), one, cast.now)
    assert codes(api("lin").post(path, {"other": other, "agreed": True})) == {"swap.lab_decides"}
    assert codes(api("wang").post(path, {"other": other, "reason": "Asked for"})) == {"swap.agreed_first"}
    answer = api("wang").post(path, {"other": other, "reason": "Both agreed by phone", "agreed": True})
    assert answer.status_code == 201 and {row["side"] for row in answer.json()} == {"lab"}
    assert starts(one) == slot(14, 16).starts_at


def test_a_strangers_booking_is_not_there_and_a_token_that_only_reads_does_not_swap(api, booked):
    one, other = booked(9, 11), booked(14, 16)
    assert api("he").post(f"reservations/{one}/swap/", {"other": other}).status_code == 404
    assert api("lin").post(f"reservations/{one}/swap/", {"other": 10**9}).status_code == 404
    assert api("wu").post(f"reservations/{one}/swap/", {"other": other}).status_code == 403
    assert api("lin", "read").post(f"reservations/{one}/swap/", {"other": other}).status_code == 403
