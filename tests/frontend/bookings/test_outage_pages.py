"""The pages of an outage: shown before it is said, decided booking by booking, reported, changed, ended."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from booking.models import Downtime, Reservation
from booking.rules.downtime import DowntimeKind
from booking.services import maintenance_plans, transitions
from booking.services.maintenance_plans import PlanFields

BROKEN = {"kind": "breakdown", "ends_local": "2026-11-25T18:00", "note": "Tube"}


@pytest.fixture
def wang(as_):
    return as_("wang")


def page(answer) -> str:
    return answer.content.decode()


def address(cast) -> str:
    return reverse("instrument_maintenance", args=[cast.xrd.pk])


def test_it_is_shown_first_and_what_was_chosen_stays_chosen(cast, programmes, wang, approved):
    pk = approved(9, 12)
    form = BROKEN | {"key": str(uuid4())}
    shown = page(wang.post(address(cast), form | {"action": "check"}))
    assert f'name="choice_{pk}"' in shown and shown.count(f'name="times_{pk}"') == 3 and "costs nothing" in shown
    refused = wang.post(address(cast), form)
    assert refused.status_code == 409 and not Downtime.objects.exists() and "Nothing is done yet" in page(refused)
    chosen = {"seen": [pk], f"choice_{pk}": "cancel", "words": "Sorry!"}
    again = page(wang.post(address(cast), form | chosen | {"action": "check"}))
    assert f'name="choice_{pk}" value="cancel" checked' in again and "Sorry!" in again
    done = wang.post(address(cast), form | chosen, follow=True)
    assert Reservation.objects.get(pk=pk).state == "cancelled" and "cancelled, nothing to pay" in page(done)
    assert "Under repair" in page(done)


def test_what_is_left_is_decided_later_and_failures_say_why(cast, programmes, wang, approved):
    first, second = approved(9, 11), approved(13, 15, who="he")
    wang.post(address(cast), BROKEN | {"key": str(uuid4()), "seen": [first, second]})
    row = Downtime.objects.get()
    shown = page(wang.get(reverse("downtime_detail", args=[row.pk])))
    assert "To be decided" in shown and f'name="choice_{first}"' in shown
    bad = {f"choice_{first}": "offer", f"times_{first}": "2026-11-25T10:00:00+08:00/2026-11-25T12:00:00+08:00"}
    sent = {"seen": [first, second], f"choice_{second}": "keep"} | bad
    after = page(wang.post(reverse("downtime_decide", args=[row.pk]), sent, follow=True))
    assert "1 booking is dealt with" in after and "nothing done" in after and "lies in the outage" in after
    nonsense = {"seen": [first], f"choice_{first}": "offer", f"times_{first}": "x/y"}
    assert wang.post(reverse("downtime_decide", args=[row.pk]), nonsense).status_code == 422


def test_a_session_that_goes_on_is_not_to_be_decided_and_one_that_broke_off_is(cast, programmes, as_, approved, clock):
    pk = approved(9, 12)
    running = Reservation.objects.get(pk=pk)
    transitions.check_in(cast.actor("wang"), pk, running.starts_at)
    clock.now = running.starts_at
    wang = as_("wang")
    planned = {"kind": "service", "starts_local": "2026-11-25T10:00", "ends_local": "2026-11-25T11:00", "note": "Pump"}
    shown = page(wang.post(address(cast), planned | {"key": str(uuid4()), "seen": [pk]}, follow=True))
    assert "it goes on." in shown and "In use now" not in shown and "To be decided" not in shown
    Downtime.objects.create(
        instrument=cast.xrd, kind="breakdown", starts_at=running.starts_at, ends_at=running.ends_at,
        made_by=cast.users["wang"], made_at=cast.now,
    )  # fmt: skip
    broke = Downtime.objects.get(kind="breakdown")
    assert "In use now" in page(wang.get(reverse("downtime_detail", args=[broke.pk])))


def test_a_later_end_shows_what_it_hits_before_it_counts(cast, programmes, wang, approved):
    late = approved(18, 19)
    wang.post(address(cast), BROKEN | {"key": str(uuid4()), "ends_local": "2026-11-25T12:00"})
    row = Downtime.objects.get()
    until = reverse("downtime_prolong", args=[row.pk])
    first = wang.post(until, {"ends_local": "2026-11-25T19:00"})
    assert first.status_code == 409 and f'name="seen" value="{late}"' in page(first)
    assert "Gaoyuan Lithium</li>" in page(first), "listed only: nothing can be chosen before it counts"
    assert f'name="choice_{late}"' not in page(first)
    assert wang.post(until, {"ends_local": "2026-11-25T19:00", "seen": [late]}).status_code == 302
    row.refresh_from_db()
    assert f"{row.ends_at:%H:%M}" == "11:00"
    assert wang.post(until, {"ends_local": "x"}).status_code == 422


def test_it_works_again_and_one_press_takes_that_back(cast, wang):
    wang.post(address(cast), BROKEN | {"key": str(uuid4())})
    row = Downtime.objects.get()
    gone = wang.post(reverse("downtime_close", args=[row.pk]))
    cast.xrd.refresh_from_db()
    assert cast.xrd.status == "normal" and 'value="Tube"' in page(wang.get(gone["Location"]))
    assert wang.post(reverse("downtime_close", args=[row.pk])).status_code == 422


def test_planned_work_needs_a_start_and_the_typing_stays(cast, wang):
    answer = wang.post(address(cast), BROKEN | {"kind": "calibration", "key": str(uuid4())})
    assert answer.status_code == 422 and "Say when it begins" in page(answer) and 'value="Tube"' in page(answer)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "2026-11-25T09:00:00", "soon", ""])
def test_an_equal_instrument_at_no_time_that_can_be_read_is_refused_before_anything_is_done(cast, programmes, wang, approved, at):
    pk = approved(9, 12)
    sent = {"seen": [pk], f"choice_{pk}": "keep", f"elsewhere_{pk}": f"{cast.xrd.pk}/{at}"}
    answer = wang.post(address(cast), BROKEN | {"key": str(uuid4())} | sent)
    assert answer.status_code == 422 and "Give the time" in page(answer) and not Downtime.objects.exists()


def test_one_press_takes_back_everything_that_was_said_however_long_it_is(cast, wang):
    fields = PlanFields("Lamp", DowntimeKind.SERVICE, 6, None, 3000)
    plan = maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, fields, cast.now)
    words = {"words": "\u706f" * 400, "words_en": "Lamp " * 70, "for_plan": plan.pk}
    planned = {"kind": "service", "starts_local": "2026-11-25T09:00", "ends_local": "2026-11-25T18:00", "note": "Lamp"}
    assert wang.post(address(cast), planned | words | {"key": str(uuid4())}).status_code == 302
    row = Downtime.objects.get()
    gone = wang.post(reverse("downtime_close", args=[row.pk]))
    shown = page(wang.get(gone["Location"]))
    assert len(gone["Location"]) < 100 and row.words in shown and row.words_en in shown
    assert f'<option value="{plan.pk}" selected' in shown and 'value="2026-11-25T09:00' in shown
    assert wang.get(f"{address(cast)}?again={row.pk + 1}").status_code == 404
