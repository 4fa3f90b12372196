"""The page on which a booking changes places with another one."""

from __future__ import annotations

from booking.models import Reservation
from tests.frontend.acting import query_count, words


def during(pk: int) -> object:
    return Reservation.objects.get(pk=pk).during


def choice(pk: int) -> str:
    return f"{pk}/{start(pk)}"


def start(pk: int) -> str:
    return Reservation.objects.get(pk=pk).starts_at.isoformat()


def test_a_customer_chooses_an_own_booking_and_both_have_their_new_times(as_, ask, slot, programmes):
    one, other = ask(9, 11), ask(14, 16)
    lin = as_("lin")
    assert f"/bookings/{one}/swap" in lin.get(f"/bookings/{one}/move").content.decode()
    shown = lin.get(f"/bookings/{one}/swap").content.decode()
    assert choice(other) in shown and choice(one) not in shown
    sent = {"other": choice(other), "starts_at": start(one)}
    key = "6f0b2c0e-6d57-4f43-9d3e-0f1f3c1b7a11"
    answer = lin.post(f"/bookings/{one}/swap", {**sent, "key": key})
    assert answer.status_code == 302 and (during(one), during(other)) == (slot(14, 16), slot(9, 11))
    again = lin.post(f"/bookings/{one}/swap", {**sent, "key": key.replace("6", "7")})
    assert again.status_code == 409 and "Reload the page" in words(again)


def test_a_refusal_keeps_what_the_lab_typed(as_, approved, ask, slot, programmes):
    one, other = approved(9, 11), ask(14, 16)
    wang = as_("wang")
    key = "6f0b2c0e-6d57-4f43-9d3e-0f1f3c1b7a12"
    answer = wang.post(
        f"/bookings/{one}/swap", {"other": choice(other), "starts_at": start(one), "reason": "Both said yes", "key": key}
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "tick that they have agreed" in words(answer)
    assert "Both said yes</textarea>" in page and f'value="{choice(other)}" required checked' in page
    assert (during(one), during(other)) == (slot(9, 11), slot(14, 16))
    for wrong in ("", "x/y", "9" * 30, "\u0663"):
        assert wang.post(f"/bookings/{one}/swap", {"other": wrong, "reason": "r", "key": key}).status_code == 422
    sent = {"other": choice(other), "starts_at": start(one), "reason": "r", "agreed": "yes", "key": key}
    for unreadable in ({"starts_at": ""}, {"other": f"{other}/soon"}):
        answer = wang.post(f"/bookings/{one}/swap", sent | unreadable)
        assert answer.status_code == 422 and during(one) == slot(9, 11)
    assert wang.post(f"/bookings/{one}/swap", sent).status_code == 302
    assert during(one) == slot(14, 16)


def test_who_has_nothing_to_swap_with_reads_what_to_do(as_, approved, ask, programmes):
    one = approved(9, 11)
    ask(14, 16)
    page = as_("lin").get(f"/bookings/{one}/swap")
    assert "Ask the lab to swap the others" in words(page) and f'href="/bookings/{one}/move"' in page.content.decode()


def test_the_list_asks_no_more_for_more_bookings(as_, ask, programmes):
    one = ask(9, 10)
    lin = as_("lin")
    ask(11, 12)
    few = query_count(lin, f"/bookings/{one}/swap")
    for hour in (13, 14, 15, 16):
        ask(hour, hour + 1)
    assert query_count(lin, f"/bookings/{one}/swap") == few


def test_what_both_cost_stands_beside_the_choice_before_anything_is_swapped(as_, ask, slot, programmes):
    one, other = ask(9, 11), ask(14, 15)
    lin = as_("lin")
    address = f"/bookings/{one}/swap"
    assert "Choose a booking to see what both would cost." in words(lin.get(address))
    part = lin.get(address, {"other": choice(other)}, headers={"HX-Request": "true"})
    assert "Final cost now" in words(part) and "<h1" not in part.content.decode()
    whole = lin.get(address, {"other": other})
    assert "After the swap" in words(whole) and f'value="{choice(other)}" required checked' in whole.content.decode()
    assert (during(one), during(other)) == (slot(9, 11), slot(14, 15))


def test_why_it_cannot_be_is_said_beside_the_choice_with_the_booking_that_is_meant(as_, ask, slot, programmes, cast):
    one, other = ask(9, 12), ask(14, 15)
    ask(16, 17, who="he", firm=cast.other_firm)
    part = words(as_("lin").get(f"/bookings/{one}/swap", {"other": other}, headers={"HX-Request": "true"}))
    assert f"{Reservation.objects.get(pk=one).reference}: Its new time" in part
