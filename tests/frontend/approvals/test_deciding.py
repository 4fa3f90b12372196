"""Deciding several requests at once, taking back, and what a request in full shows of who asks."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.models import InstrumentPolicy, Reservation
from booking.rules.deciding import Verdict
from booking.services import changes, inbox, transitions
from booking.services.changes import ChangeRequest
from config.kernel.time_range import TimeRange
from frontend.presenters.inbox import _day_row as day_row
from tests.frontend.acting import words


def states(*ids: int) -> list[str]:
    return [Reservation.objects.get(pk=pk).state for pk in ids]


def chosen(response) -> list[str]:
    return re.findall(r'name="chosen" value="(\d+)" checked', response.content.decode())


def test_what_cannot_be_approved_with_the_others_stays_chosen_and_says_why(as_, cast, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    good, winner, rival = ask(9, 10), ask(14, 16), ask(14, 16, who="he")
    response = as_("wang").post("/approvals/decide", {"chosen": [good, winner, rival], "verdict": "approve"})
    text = words(response)
    assert response.status_code == 200 and "2 done, 1 not:" in text and "was just taken" in text
    assert states(good, winner, rival) == ["approved", "approved", "requested"] and chosen(response) == [str(rival)]
    assert "2 requests approved. It is told in 10 seconds." in text


def test_one_that_moved_since_the_list_was_shown_is_not_decided_with_the_others(as_, cast, ask):
    same, moved = ask(9, 10), ask(14, 16)
    shown = as_("wang").get("/approvals/").content.decode()
    seen = dict(re.findall(r'name="(seen-\d+)" value="([^"]+)"', shown))
    assert set(seen) == {f"seen-{same}", f"seen-{moved}"}
    row = Reservation.objects.get(pk=moved)
    later = TimeRange(row.starts_at + timedelta(hours=1), row.ends_at + timedelta(hours=1))
    changes.change(cast.actor("lin"), ChangeRequest(moved, later), cast.now, idempotency_key="m")
    response = as_("wang").post("/approvals/decide", {"chosen": [same, moved], "verdict": "approve"} | seen)
    assert states(same, moved) == ["approved", "requested"] and chosen(response) == [str(moved)]
    spoilt = {f"seen-{moved}": "x/y"}
    as_("wang").post("/approvals/decide", {"chosen": [moved], "verdict": "approve"} | spoilt)
    assert states(moved) == ["approved"]


def test_all_that_was_chosen_is_taken_back_with_one_press_while_there_is_time(as_, ask, clock):
    first, second = ask(9, 10), ask(11, 12)
    client = as_("wang")
    client.post("/approvals/decide", {"chosen": [first, second], "verdict": "reject", "template": "operator"})
    assert states(first, second) == ["rejected", "rejected"]
    clock.now += timedelta(seconds=9)
    assert "2 requests declined. It is told in 1 second." in words(client.get("/approvals/"))
    response = client.post("/approvals/take-back", {"chosen": [first, second]}, follow=True)
    assert "Taken back: 2 requests wait again." in words(response) and states(first, second) == ["requested", "requested"]
    client.post(f"/bookings/{first}/approve", {"from": "detail"})
    assert "1 request approved." in words(client.get(f"/bookings/{first}/"))
    clock.now += timedelta(seconds=10)
    assert "1 request approved." not in words(client.get(f"/bookings/{first}/"))
    late = client.post("/approvals/take-back", {"chosen": [first]})
    assert late.status_code == 409 and "This has been told already" in words(late) and states(first) == ["approved"]


def test_without_a_reason_nothing_is_rejected_and_what_was_chosen_stays(as_, ask):
    first = ask(9, 10)
    response = as_("wang").post("/approvals/decide", {"chosen": [first], "verdict": "reject"})
    assert response.status_code == 422 and "Give a reason" in words(response) and chosen(response) == [str(first)]
    assert as_("wang").post("/approvals/decide", {"chosen": ["x", "9" * 30]}).status_code == 422
    assert states(first) == ["requested"]


def test_a_rejection_that_is_refused_keeps_what_was_typed(as_, ask):
    ask(9, 10)
    response = as_("wang").post("/approvals/decide", {"verdict": "reject", "template": "operator", "reason": "The lamp broke."})
    html = response.content.decode()
    assert response.status_code == 422 and "Choose at least one request" in words(response)
    assert ">The lamp broke.</textarea>" in html and 'value="operator" checked' in html


@pytest.fixture
def compete(cast):
    """The lab lets requests compete for a time."""
    return InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)


def pressed(response, key: str) -> dict[str, str]:
    """What the form behind a key sends."""
    (form,) = [one for one in re.findall(r"<form.*?</form>", response.content.decode(), re.DOTALL) if f'data-key="{key}"' in one]
    return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', form))


def test_the_key_approves_one_of_rivals_and_declines_the_others_that_were_named_before(as_, ask, compete):
    winner, rival, other = ask(9, 12), ask(10, 12, who="he"), ask(14, 15)
    client = as_("wang")
    page = client.get(f"/approvals/?selected={winner}")
    assert "Approve this, decline 1 other" in words(page)
    assert re.search(r"Approving declines them: Lianhe[^<]*, Wed 25 Nov 2026, 10:00–12:00", words(page)), words(page)
    client.post(f"/bookings/{winner}/approve", pressed(page, "a"))
    assert states(winner, rival, other) == ["approved", "rejected", "requested"]
    assert "1 request approved. 1 request declined." in words(client.get("/approvals/"))
    assert "1 request approved. 1 request declined." in words(client.get(f"/bookings/{winner}/"))  # taken back as it was done
    client.post("/approvals/take-back", {"chosen": [rival, winner]})
    assert states(winner, rival) == ["requested", "requested"]


def test_the_other_button_lets_the_rivals_wait(as_, ask, compete):
    winner, rival = ask(9, 12), ask(10, 12, who="he")
    client = as_("wang")
    assert "Approve this, let the others wait" in words(client.get(f"/approvals/?selected={winner}"))
    client.post(f"/bookings/{winner}/approve", {"rivals": "keep"})
    assert states(winner, rival) == ["approved", "requested"]


def test_where_requests_do_not_compete_the_key_declines_nobody(as_, ask, compete):
    winner, rival = ask(9, 12), ask(10, 12, who="he")
    InstrumentPolicy.objects.update(pending_blocks=True)  # by rules that came after both had asked
    client = as_("wang")
    page = client.get(f"/approvals/?selected={winner}")
    assert "Approve and tell the customer" in words(page) and "Others want this time:" in words(page)
    client.post(f"/bookings/{winner}/approve", pressed(page, "a"))
    assert states(winner, rival) == ["approved", "requested"]


def test_the_card_of_the_booking_names_and_declines_rivals_too(as_, ask, compete):
    winner, rival = ask(9, 12), ask(10, 12, who="he")
    client = as_("wang")
    page = words(client.get(f"/bookings/{winner}/"))
    assert "Others want this time. Approving declines them: Lianhe" in page and "Approve this, decline 1 other" in page
    client.post(f"/bookings/{winner}/approve", {"from": "detail"})
    assert states(winner, rival) == ["approved", "rejected"]


def behind(response, place: str) -> dict[str, list[str]]:
    """What the form in that part of the page sends."""
    (form,) = re.findall(r"<form.*?</form>", response.content.decode().partition(f'id="{place}"')[2], re.DOTALL)[:1]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([a-z0-9_-]+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(value)
    return fields


def test_many_at_once_name_their_rivals_first_and_decline_them_but_not_those_that_were_chosen_too(as_, ask, compete):
    first, rival, second, chosen_rival = ask(9, 12), ask(10, 12, who="he"), ask(13, 15), ask(14, 16, who="he")
    client = as_("wang")
    asked = client.post("/approvals/decide", {"chosen": [first, second, chosen_rival], "verdict": "approve"})
    assert states(first, rival, second, chosen_rival) == ["requested"] * 4, "named before anything is decided"
    said = words(asked)
    assert "Nothing is approved yet: 1 other wants the same time" in said and "are named before anything is approved" in said
    assert re.search(r"\(chosen\) Lianhe[^<]*, Wed 25 Nov 2026, 10:00–12:00", said), said
    assert asked.content.decode().count('data-key="A"') == 1
    response = client.post("/approvals/decide", behind(asked, "naming"))
    assert states(first, rival, second, chosen_rival) == ["approved", "rejected", "approved", "requested"]
    assert "3 done, 1 not:" in words(response) and "1 other that wanted the same time was declined." in words(response)


def test_many_at_once_can_let_their_rivals_wait(as_, ask, compete):
    first, rival = ask(9, 12), ask(10, 12, who="he")
    client = as_("wang")
    asked = client.post("/approvals/decide", {"chosen": [first], "verdict": "approve"})
    assert "Approve the chosen, let the others wait" in words(asked)
    client.post("/approvals/decide", behind(asked, "naming") | {"rivals": "keep"})
    assert states(first, rival) == ["approved", "requested"]


def test_who_asked_after_the_rivals_were_named_is_named_before_anything_is_decided(as_, ask, compete):
    first, rival = ask(9, 12), ask(10, 12, who="he")
    client = as_("wang")
    asked = behind(client.post("/approvals/decide", {"chosen": [first], "verdict": "approve"}), "naming")
    late = ask(9, 10, who="he")
    again = client.post("/approvals/decide", asked)
    assert "2 others want the same time" in words(again) and states(first, rival, late) == ["requested"] * 3
    client.post("/approvals/decide", behind(again, "naming"))
    assert states(first, rival, late) == ["approved", "rejected", "rejected"]


def test_many_without_rivals_are_approved_at_once_and_the_time_that_was_looked_at_is_kept_through_the_naming(
    as_, cast, ask, slot, compete
):
    alone = ask(13, 14)
    client = as_("wang")
    client.post("/approvals/decide", {"chosen": [alone], "verdict": "approve"})
    assert states(alone) == ["approved"]
    first, _rival = ask(9, 12), ask(10, 12, who="he")
    seen = f"{slot(9, 12).starts_at.isoformat()}/{slot(9, 12).ends_at.isoformat()}"
    asked = behind(client.post("/approvals/decide", {"chosen": [first], f"seen-{first}": seen, "verdict": "approve"}), "naming")
    changes.change(cast.actor("lin"), ChangeRequest(first, slot(8, 11)), cast.now, idempotency_key="moved")
    response = client.post("/approvals/decide", asked)
    assert response.status_code == 409 and states(first) == ["requested"]


def test_rivals_of_many_are_found_by_two_queries_and_only_where_requests_compete(cast, ask, compete, django_assert_num_queries):
    chosen = [ask(8, 9), ask(10, 11), ask(12, 13)]
    rivals = [ask(hour, hour + 1, who="he") for hour in (8, 10, 12)]
    wang, he = cast.actor("wang"), cast.actor("he")
    with django_assert_num_queries(2):
        found = inbox.rivals_of_all(wang, chosen)
    assert [(one.request.pk, [each.pk for each in one.rivals]) for one in found] == [
        (own, [rival]) for own, rival in zip(chosen, rivals, strict=True)
    ]
    assert inbox.rivals_of_all(he, chosen) == [], "he sees none of those that were chosen"
    InstrumentPolicy.objects.update(pending_blocks=True)
    assert inbox.rivals_of_all(wang, chosen) == []


def test_a_rival_that_moved_before_it_was_declined_stays_and_is_reported(as_, cast, ask, slot, monkeypatch):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    winner, rival = ask(9, 12), ask(10, 12, who="he")
    rivals_of = inbox.rivals_of

    def found_while_it_moves(*args, **options):
        found = rivals_of(*args, **options)
        changes.change(cast.actor("he"), ChangeRequest(rival, slot(14, 16)), cast.now, idempotency_key="away")
        return found

    monkeypatch.setattr(inbox, "rivals_of", found_while_it_moves)
    response = as_("wang").post(f"/bookings/{winner}/approve", {"rivals": "decline"})
    assert response.status_code == 200 and "1 done, 1 not:" in words(response)
    assert states(winner, rival) == ["approved", "requested"]


def test_rivals_are_those_of_the_time_that_was_approved(cast, ask, slot, monkeypatch):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    winner, before, after = ask(9, 12), ask(9, 11, who="he"), ask(14, 15, who="he")
    approve = transitions.approve

    def approve_once_it_moved(*args, **options):
        changes.change(cast.actor("lin"), ChangeRequest(winner, slot(13, 16)), cast.now, idempotency_key="later")
        return approve(*args, **options)

    monkeypatch.setattr(transitions, "approve", approve_once_it_moved)
    found = inbox.decide(cast.actor("wang"), winner, inbox.Wish(Verdict.APPROVE), cast.now)
    assert [one.pk for one in found.rivals] == [after]
    assert states(winner, before, after) == ["approved", "requested", "rejected"]


def test_the_request_in_full_shows_history_promise_and_a_strip_of_the_day(as_, charged, ask, clock):
    charged(8, 9)
    pk = ask(9, 12)
    clock.now += timedelta(hours=25)
    response = as_("wang").get(f"/approvals/?selected={pk}")
    text = words(response)
    assert "Lin: 1 session" in text and "1 day · promised within 1 day" in text and "Overdue" in text
    assert '<rect class="strip-own" x="375" y="4" width="125" height="12">' in response.content.decode()


def test_what_goes_on_past_midnight_is_shown_with_its_part_of_the_day(ask, slot):
    reservation, zone = Reservation.objects.get(pk=ask(9, 12)), ZoneInfo("Asia/Shanghai")
    day = slot(0, 24)
    for during, shown in ((slot(-6, 8), "00:00–08:00"), (slot(20, 40), "20:00–24:00"), (slot(-6, 40), "00:00–24:00")):
        assert day_row((during, None, "maintenance", 0), reservation, day, zone).words == shown
    own = day_row((reservation.during, reservation.organisation, "requested", reservation.pk), reservation, day, zone)
    assert own.words == "09:00–12:00"
