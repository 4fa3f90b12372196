"""The page behind the code at an instrument, and the lab's pages about use."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from booking.models import CheckInPoint, DeviceRun, InstrumentPolicy, Reservation, UsageAdjustment
from booking.rules.device_runs import EventKind
from booking.services import check_in_points, device_events, device_keys, transitions
from booking.services.device_events import Batch, Told
from config.kernel.access import Role
from instruments.models import Membership, Site, User
from tests.frontend.acting import words

MINUTE = timedelta(minutes=1)


@pytest.fixture
def here(as_, cast, clock):
    """``here("lin")``: a browser that has just read the code, and the address it was led to."""

    def stand(name="lin"):
        point = check_in_points.ensure(cast.actor("wang"), cast.xrd.pk, clock.now)
        client = as_(name)
        return client, client.get(f"/here/at/{point.code}/").headers["Location"]

    return stand


def proof(address: str) -> str:
    return re.search(r"s=([^&]+)", address)[1].replace("%3A", ":")


def test_a_visitor_logs_in_first_and_a_code_that_is_not_used_leads_nowhere(as_):
    assert as_().get("/here/at/x/").headers["Location"].startswith("/accounts/login/")
    response = as_("lin").get("/here/at/x/")
    assert response.status_code == 404 and "This code is not in use any more" in words(response)


@pytest.mark.parametrize("given", ["", "x", "a:b:c", "%00", "é" * 300])
def test_a_proof_that_is_none_says_to_scan_again(as_, given):
    for response in (as_("lin").get(f"/here/?s={given}"), as_("lin").post("/here/start", {"s": given, "reservation": 1})):
        assert response.status_code == 422 and "Scan the code again" in words(response)


def test_the_page_grows_old(here, clock, approved):
    client, address = here()
    assert client.get(address).status_code == 200
    clock.now += 15 * MINUTE
    assert client.get(address).status_code == 422


def test_one_starts_goes_on_and_ends(here, cast, clock, slot, approved, programmes):
    pk = approved(9, 11)
    check_in_points.set_ticks(cast.actor("wang"), cast.xrd.pk, ["Gloves <on>"], clock.now)
    clock.now = slot(9, 11).starts_at - 20 * MINUTE
    client, address = here()
    text = words(client.get(address))
    assert "You are early" in text and "it costs nothing more" in text and "Gloves <on>" in text
    sent = {"s": proof(address), "reservation": pk}
    missing = client.post("/here/start", sent)
    assert missing.status_code == 422 and "Confirm every point first" in words(missing)
    assert client.post("/here/start", sent | {"ticks": "Gloves <on>"}).status_code == 302
    text = words(client.get(address))
    assert "Your session is running" in text and "until 11:30" in text and "subsidy" in text
    form = re.search(r'name="ends_at" value="([^"]+)".*?payable_now_fen" value="(\d+)".*?final_cost_fen" value="(\d+)"',
                     client.get(address).content.decode(), re.DOTALL)  # fmt: skip
    asked = {"ends_at": form[1], "expected_payable_now_fen": "1", "expected_final_cost_fen": form[3]}
    dearer = client.post("/here/extend", sent | asked)
    assert dearer.status_code == 409
    assert client.post("/here/extend", sent | asked | {"expected_payable_now_fen": form[2]}).status_code == 302
    assert Reservation.objects.get().ends_at == slot(9, 11.5).ends_at
    clock.now = slot(9, 11.5).ends_at
    client, address = here()
    assert client.post("/here/end", {"s": proof(address), "reservation": pk, "agrees": "yes"}).status_code == 302
    assert "You have agreed" in words(client.get(address))
    lab = words(client.get("/sessions/to-agree/"))
    assert "This needs another role" in lab
    assert client.post("/here/report", {"s": proof(address), "text": " "}).status_code == 422


def test_who_stands_at_one_instrument_does_nothing_about_another(here, cast, clock, slot, as_, approved, twin):
    pk, other = approved(9, 11), twin()
    clock.now = slot(9, 11).starts_at
    code = check_in_points.ensure(cast.actor("wang"), other.pk, clock.now).code
    elsewhere = proof(as_("lin").get(f"/here/at/{code}/").headers["Location"])
    client, address = here()
    sent, wrong = {"s": proof(address), "reservation": pk}, {"s": elsewhere, "reservation": pk}
    state = Reservation.objects.values_list("state", flat=True)
    assert client.post("/here/start", wrong).status_code == 404 and state.get() == "approved"
    client.post("/here/start", sent)
    longer = {"ends_at": slot(9, 12).ends_at.isoformat()}
    assert (
        client.post("/here/extend", wrong | longer).status_code == 404
        and Reservation.objects.get().ends_at == slot(9, 11).ends_at
    )
    assert client.post("/here/end", wrong).status_code == 404 and state.get() == "in_use"
    client.post("/here/end", sent)
    assert client.post("/here/agree", wrong).status_code == 404
    assert not Reservation.objects.get().session.customer_agreed_at
    assert client.post("/here/agree", sent).status_code == 302


def test_a_colleague_reads_whose_time_it_is_and_an_administrator_starts_it(here, cast, clock, slot, approved):
    user = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    cast.users["mei"] = user
    pk = approved(9, 11)
    clock.now = slot(9, 11).starts_at
    client, address = here("mei")
    page = client.get(address)
    assert "This time is booked for Lin" in words(page) and "It is your time" not in words(page)
    assert "/here/start" not in page.content.decode()
    refused = client.post("/here/start", {"s": proof(address), "reservation": pk})
    assert refused.status_code == 403 and "This time is Lin's" in words(refused)
    client, address = here("zhao")
    assert "It is the time of Lin" in words(client.get(address))
    assert client.post("/here/start", {"s": proof(address), "reservation": pk}).status_code == 302
    assert "The session of Lin is running" in words(client.get(address))
    clock.now = slot(9, 11).ends_at
    client, address = here("zhao")
    client.post("/here/end", {"s": proof(address), "reservation": pk})
    text = words(client.get(address))
    assert "The last session of Lin" in text and "Agree to these times" in text


def test_at_the_wrong_time_one_reads_when_it_is_and_whether_the_instrument_is_free(here, cast, clock, slot, approved):
    pk = approved(14, 16)
    approved(9, 11, who="he")
    clock.now = slot(10, 11).starts_at
    client, address = here()
    text = words(client.get(address))
    assert "Your session is later" in text and "taken until 11:00" in text and "Lianhe" not in text
    refused = client.post("/here/start", {"s": proof(address), "reservation": pk})
    assert refused.status_code == 422 and "Too early" in words(refused)
    assert client.post("/here/start", {"s": proof(address), "reservation": "x"}).status_code == 404


def test_a_booking_of_somebody_else_cannot_be_started(here, slot, clock, approved):
    pk = approved(9, 11)
    clock.now = slot(9, 11).starts_at
    client, address = here("he")
    assert "You have no booking here" in words(client.get(address))
    assert client.post("/here/start", {"s": proof(address), "reservation": pk}).status_code == 404


def test_the_page_shows_the_clock_of_the_site(here, cast, clock, slot, approved):
    pk = approved(11, 13)
    Site.objects.filter(pk=cast.xrd.site_id).update(time_zone="Asia/Urumqi")
    clock.now = slot(11, 13).starts_at
    transitions.check_in(cast.actor("wang"), pk, clock.now)
    _client, elsewhere = here("he")
    client, address = here()
    assert "until 11:30" in words(client.get(address))
    assert "taken until 11:00" in words(_client.get(elsewhere))


def test_who_comes_too_late_reads_why_nothing_can_be_started(here, cast, clock, slot, approved):
    pk = approved(9, 12)
    clock.now = slot(9, 12).starts_at + 40 * MINUTE
    transitions.mark_no_shows_due(clock.now)
    client, address = here()
    assert "You are late, and the time is still free" in words(client.get(address))
    approved(11, 12, who="he")
    text = words(client.get(address))
    assert "still free" not in text and f"Nobody came for {Reservation.objects.get(pk=pk).reference} in time" in text


def test_why_a_session_cannot_go_on_is_said_as_it_is(here, cast, clock, slot, approved):
    pk = approved(9, 11)
    clock.now = slot(9, 11).starts_at
    transitions.check_in(cast.actor("wang"), pk, clock.now)
    policy = InstrumentPolicy.objects.create(instrument=cast.xrd, rules={"licence_needed": True})
    client, address = here()
    text = words(client.get(address))
    assert "licence" in text and "Nothing is free" not in text
    policy.delete()
    approved(11, 12, who="he")
    assert "Nothing is free after your session." in words(client.get(address))


# --- The lab's pages --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["to-agree", "problems", "write-down", "codes", "devices"])
def test_the_labs_pages_are_the_labs_and_say_so_when_nothing_waits(as_, path):
    assert as_("wang").get(f"/sessions/{path}/").status_code == 200
    assert as_("lin").get(f"/sessions/{path}/").status_code == 403
    assert as_().get(f"/sessions/{path}/").status_code == 302


def test_the_customer_asks_for_other_times_and_what_was_typed_stays_when_it_is_wrong(as_, cast, approved, clock, slot):
    pk = approved(9, 11)
    transitions.check_in(cast.actor("wang"), pk, slot(9, 11).starts_at)
    clock.now = slot(9, 11).ends_at
    transitions.check_out(cast.actor("wang"), pk, clock.now)
    sent = {"asks": "1", "on": "2026-11-25", "from": "09:00", "to": "25:00", "reason": "The lamp failed"}
    wrong = as_("lin").post(f"/bookings/{pk}/other-times", sent)
    assert wrong.status_code == 422 and "The lamp failed" in wrong.content.decode() and 'value="25:00"' in wrong.content.decode()
    assert as_("lin").post(f"/bookings/{pk}/other-times", sent | {"to": "10:00"}).status_code == 302
    answer = as_("wang").post(f"/bookings/{pk}/answer", {"answer_is": "refuse", "answer": ""})
    assert answer.status_code == 422 and "Give a reason" in words(answer)
    assert as_("wang").post(f"/bookings/{pk}/answer", {"answer_is": "accept"}).status_code == 302
    assert "1 h" in words(as_("lin").get(f"/bookings/{pk}/")) and Reservation.objects.get().state == "agreed"


def test_a_run_is_written_down_from_the_queue(as_, cast, slot, clock, ask):
    ask(15, 16)  # Lin is known to the lab
    key = device_keys.issue(cast.actor("wang"), cast.lab.pk, cast.xrd.pk, "PC", cast.now)[0]
    during = slot(9, 10)
    clock.now = during.ends_at
    told = (Told("a", EventKind.START, during.starts_at), Told("b", EventKind.STOP, during.ends_at))
    device_events.receive(key, Batch(clock.now, told), clock.now)
    run = DeviceRun.objects.get()
    shown = words(as_("wang").get("/sessions/problems/"))
    assert "No booking" in shown and "09:00 began a" in shown and "10:00 stopped b" in shown
    form = as_("wang").get(f"/sessions/write-down/?run={run.pk}").content.decode()
    assert 'value="09:00"' in form and "start a" in form
    sent = {"run": run.pk, "customer": f"{cast.firm.pk}-{cast.users['lin'].pk}", "on": "2026-11-25", "from": "09:00", "to": "10:00",
            "service_mode": "assisted", "evidence": "log", "reason": ""}  # fmt: skip
    wrong = as_("wang").post("/sessions/write-down/", sent)
    assert wrong.status_code == 422 and "Give a reason" in words(wrong)
    done = as_("wang").post("/sessions/write-down/", sent | {"reason": "Asked by phone"})
    assert done.status_code == 302
    assert "Written down afterwards" in words(as_("lin").get(done.headers["Location"]))
    assert as_("wang").get(f"/sessions/write-down/?run={run.pk}").status_code == 404, "it is settled"


def test_use_over_midnight_is_filled_in_with_both_days(as_, cast, clock, slot, approved):
    key = device_keys.issue(cast.actor("wang"), cast.lab.pk, cast.xrd.pk, "PC", cast.now)[0]
    during = slot(22, 30)
    clock.now = during.ends_at
    told = (Told("a", EventKind.START, during.starts_at), Told("b", EventKind.STOP, during.ends_at))
    device_events.receive(key, Batch(clock.now, told), clock.now)
    form = as_("wang").get(f"/sessions/write-down/?run={DeviceRun.objects.get().pk}").content.decode()
    assert 'name="on" required value="2026-11-25"' in form and 'name="to_on" value="2026-11-26"' in form
    sent = {"run": DeviceRun.objects.get().pk, "customer": f"{cast.firm.pk}-{cast.users['lin'].pk}", "on": "2026-11-25",
            "from": "22:00", "to": "06:00", "to_on": "2026-11-26", "service_mode": "assisted", "evidence": "log",
            "reason": "forgot"}  # fmt: skip
    done = as_("wang").post("/sessions/write-down/", sent)
    assert done.status_code == 302
    made = Reservation.objects.get()
    assert made.during == during
    wish = as_("lin").get(done.headers["Location"]).content.decode()
    assert 'id="adjust-to-on" name="to_on" value="2026-11-26"' in wish
    asked = {"asks": "1", "on": "2026-11-25", "from": "22:00", "to": "05:00", "to_on": "2026-11-26", "reason": "The lamp failed"}
    assert as_("lin").post(f"/bookings/{made.pk}/other-times", asked).status_code == 302
    assert UsageAdjustment.objects.get().ends_at == during.ends_at - 60 * MINUTE


def test_codes_are_made_renewed_and_drawn(as_, cast):
    client = as_("wang")
    assert client.post(f"/sessions/codes/{cast.xrd.pk}/renew").status_code == 302
    first = CheckInPoint.objects.get().code
    assert client.get(f"/sessions/codes/{cast.xrd.pk}/code.svg")["Content-Type"] == "image/svg+xml"
    client.post(f"/sessions/codes/{cast.xrd.pk}/renew")
    assert CheckInPoint.objects.get().code != first
    many = client.post(f"/sessions/codes/{cast.xrd.pk}/points", {"ticks": "\n".join(f"Point {n}" for n in range(13))})
    assert many.status_code == 422 and "Point 12" in many.content.decode()
    assert client.post(f"/sessions/codes/{cast.xrd.pk}/points", {"ticks": "Gloves on\n\nDoor shut"}).status_code == 302
    assert CheckInPoint.objects.get().ticks == ["Gloves on", "Door shut"]


def test_a_device_key_is_shown_once(as_, cast):
    made = as_("wang").post("/sessions/devices/", {"name": "Control PC", "scope": f"one-{cast.xrd.pk}"})
    key = re.search(r'value="(jishi_dev_[^"]+)"', made.content.decode())[1]
    assert key not in as_("wang").get("/sessions/devices/").content.decode()
    assert as_("wang").post("/sessions/devices/", {"name": "x", "scope": "one-999"}).status_code == 404
    assert as_("wang").post("/sessions/devices/", {"name": "", "scope": f"lab-{cast.lab.pk}"}).status_code == 422
