"""An instrument out of service over the API: the same service as the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from booking.models import Downtime, DowntimeEffect, Reservation
from booking.rules.downtime import DowntimeKind
from booking.services import downtimes, maintenance_plans
from booking.services.maintenance_plans import PlanFields
from instruments.models import TestItem
from tests.api.conftest import codes
from tests.booking.finding.labs import labs  # noqa: F401
from tests.booking.samples.conftest import Work, make_item
from tests.mailbox import mails

UNTIL = "2026-11-25T18:00:00+08:00"


def test_what_it_hits_is_shown_decided_and_reported(api, booked, cast):
    pk = booked(9, 12)
    lab = api("wang", "manage")
    address = f"instruments/{cast.xrd.pk}/downtimes/"
    (hit,) = lab.get(f"{address}hits/?starts_at=2026-11-25T01:00:00Z&ends_at=2026-11-25T10:00:00Z").json()["hits"]
    assert hit["reservation"] == pk and hit["choices"] == ["keep", "offer", "cancel"] and len(hit["times"]) == 3
    body = {"kind": "breakdown", "ends_at": UNTIL}
    unseen = lab.post(address, body, key="a")
    assert unseen.status_code == 409 and codes(unseen) == {"downtime.others_hit"} and not Downtime.objects.exists()
    decided = {"reservation": pk, "choice": "offer", "times": hit["times"]}
    made = lab.post(address, body | {"seen": [pk], "decisions": [decided]}, key="b")
    assert made.status_code == 201 and [one["became"] for one in made.json()["bookings"]] == ["offered"]
    again = lab.post(
        f"downtimes/{made.json()['id']}/decisions/", {"decisions": [{"reservation": pk, "choice": "cancel"}]}, key="c"
    )
    assert again.json()["bookings"][0]["became"] == "cancelled" and Reservation.objects.get(pk=pk).state == "cancelled"
    assert lab.post(f"downtimes/{made.json()['id']}/until/", {"ends_at": "2026-11-25T12:00:00+08:00"}, key="d").status_code == 200
    assert lab.post(f"downtimes/{made.json()['id']}/close/", {}, key="e").json()["closed_at"]
    late = lab.post(f"downtimes/{made.json()['id']}/close/", {}, key="f")
    assert late.status_code == 422 and codes(late) == {"downtime.closed"}


def test_an_equal_instrument_is_shown_and_named_to_the_customer(api, booked, cast, labs):  # noqa: F811
    pk = booked(9, 12)
    twin = labs.add("Twin")
    lab, address = api("wang", "manage"), f"instruments/{cast.xrd.pk}/downtimes/"
    (hit,) = lab.get(f"{address}hits/?starts_at=2026-11-25T01:00:00Z&ends_at=2026-11-25T10:00:00Z").json()["hits"]
    assert hit["elsewhere"] == {"instrument": twin.pk, "starts_at": "2026-11-25T09:00:00+08:00"}
    assert (hit["runs"], hit["only_proposed"]) == (False, False)
    body = {"kind": "breakdown", "ends_at": UNTIL, "seen": [pk]}
    for bad in ({"instrument": twin.pk}, {"instrument": twin.pk, "starts_at": "0001-01-01T00:00:00+08:00"}, "Twin"):
        decided = {"reservation": pk, "choice": "keep", "elsewhere": bad}
        assert lab.post(address, body | {"decisions": [decided]}, key="a").status_code == 400
    decided = {"reservation": pk, "choice": "keep", "elsewhere": hit["elsewhere"]}
    assert lab.post(address, body | {"decisions": [decided]}, key="a").status_code == 201
    (told,) = [one["text"] for one in mails() if one["to"] == ["lin@example.org"] and "waits" in one["subject"]]
    assert "Another one is free: Twin, from Wed 25 Nov 2026, 09:00" in told


def test_bad_input_is_refused_and_says_why(api, cast):
    lab = api("wang", "manage")
    address = f"instruments/{cast.xrd.pk}/downtimes/"
    for body in ({"kind": "nap", "ends_at": UNTIL}, {"kind": "other"}, {"kind": "other", "ends_at": UNTIL, "extra": 1}):
        assert lab.post(address, body, key="x").status_code == 400
    over = lab.post(address, {"kind": "breakdown", "ends_at": "2026-11-01T12:00:00+08:00"}, key="y")
    assert over.status_code == 422 and codes(over) == {"downtime.over"}
    assert lab.get(f"{address}hits/?starts_at=2026-11-25T01:00:00Z").status_code == 400


def test_planned_work_without_a_start_begins_now_and_is_one_call_however_often_it_is_sent(api, cast, monkeypatch):
    lab = api("wang", "manage")
    address, body = f"instruments/{cast.xrd.pk}/downtimes/", {"kind": "service", "ends_at": UNTIL}
    first = lab.post(address, body, key="s")
    monkeypatch.setattr(timezone, "now", lambda: cast.now + timedelta(minutes=2))
    again = lab.post(address, body, key="s")
    assert (first.status_code, again.status_code) == (201, 201) and first.json()["id"] == again.json()["id"]
    named = lab.post(address, body | {"starts_at": "2026-11-25T09:00:00+08:00"}, key="s")
    assert named.status_code == 422 and codes(named) == {"idempotency.other_payload"}


def test_planned_work_names_the_plan_that_it_counts_for(api, cast):
    fields = PlanFields("Lamp", DowntimeKind.SERVICE, 6, None, 3000)
    plan = maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, fields, cast.now)
    address, body = f"instruments/{cast.xrd.pk}/downtimes/", {"kind": "service", "ends_at": UNTIL, "plan": plan.pk}
    assert api("wang", "manage").post(address, body, key="p").status_code == 201
    assert Downtime.objects.get().plan_id == plan.pk
    assert api("wang", "manage").post(address, body | {"plan": plan.pk + 1}, key="q").status_code == 404


def test_a_call_that_was_cut_off_is_sent_again_and_does_only_what_is_left(api, booked, cast, monkeypatch):
    first, second = booked(9, 11), booked(12, 14)
    lab = api("wang", "manage")
    made = lab.post(
        f"instruments/{cast.xrd.pk}/downtimes/", {"kind": "breakdown", "ends_at": UNTIL, "seen": [first, second]}, key="a"
    )
    address = f"downtimes/{made.json()['id']}/decisions/"
    body = {"decisions": [{"reservation": first, "choice": "keep"}, {"reservation": second, "choice": "cancel"}]}
    with monkeypatch.context() as cut:
        whole = downtimes._deal_with

        def until_the_second(actor, downtime, locked, decision, now):
            if locked.pk == second:
                raise ConnectionError("cut off")
            return whole(actor, downtime, locked, decision, now)

        cut.setattr(downtimes, "_deal_with", until_the_second)
        with pytest.raises(ConnectionError):
            lab.post(address, body, key="b")
    assert [one.became for one in DowntimeEffect.objects.all()] == ["kept"], "what is done stays done"
    again = lab.post(address, body, key="b")
    assert [one["became"] for one in again.json()["bookings"]] == ["kept", "cancelled"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert sum("waits" in one["subject"] for one in mails() if one["to"] == ["lin@example.org"]) == 1
    lab.post(f"downtimes/{made.json()['id']}/close/", {}, key="c")
    assert lab.post(address, body, key="b").status_code == 200, "everything was done before it was closed"
    other = lab.post(address, {"decisions": body["decisions"][:1]}, key="b")
    assert other.status_code == 422 and codes(other) == {"idempotency.other_payload"}
    late = lab.post(address, body, key="d")
    assert late.status_code == 422 and codes(late) == {"downtime.closed"}


def test_a_call_that_is_sent_again_leaves_alone_what_was_decided_since(api, booked, cast):
    first = booked(9, 11)
    lab = api("wang", "manage")
    made = lab.post(f"instruments/{cast.xrd.pk}/downtimes/", {"kind": "breakdown", "ends_at": UNTIL, "seen": [first]}, key="a")
    address = f"downtimes/{made.json()['id']}/decisions/"
    keep, cancel = ({"decisions": [{"reservation": first, "choice": choice}]} for choice in ("keep", "cancel"))
    assert lab.post(address, keep, key="b").json()["bookings"][0]["became"] == "kept"
    assert lab.post(address, cancel, key="c").json()["bookings"][0]["became"] == "cancelled"
    told = len(mails())
    again = lab.post(address, keep, key="b")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json()["bookings"][0]["became"], len(mails())) == ("cancelled", told)


def test_promised_results_at_risk_are_told_and_moved_with_a_reason(api, cast, programmes):
    work = Work(cast, make_item(cast))
    TestItem.objects.get(pk=work.item.pk).instruments.add(cast.xrd)
    job = work.accept(work.ask(5))
    window = "starts_at=2026-11-23T10:00:00%2B08:00&ends_at=2026-11-30T18:00:00%2B08:00"
    hits = api("wang").get(f"instruments/{cast.xrd.pk}/downtimes/hits/?{window}").json()
    assert (hits["hits"], hits["more_sample_jobs"]) == ([], 0)
    assert hits["sample_jobs"] == [
        {
            "sample_job": job.pk, "reference": job.reference, "state": "accepted", "promised_on": "2026-11-30", "falls_due": True,
            "samples_lost": 5, "suggested_on": "2026-12-01",
        }
    ]  # fmt: skip
    path = f"sample-jobs/{job.pk}/promise/"
    sooner = api("wang").post(path, {"promised_on": "2026-11-27", "reason": "Tube"})
    assert sooner.status_code == 422 and sooner.json()["code"] == "samples.promise_not_later"
    unsaid = api("wang").post(path, {"promised_on": "2026-12-01"})
    assert [(one["code"], one["field"]) for one in unsaid.json()["errors"]] == [("samples.reason_missing", "reason")]
    assert api("lin").post(path, {"promised_on": "2026-12-01", "reason": "Tube"}).status_code == 403
    assert api("wang").post(path, {"promised_on": "2026-12-01", "reason": "Tube"}).json()["promised_on"] == "2026-12-01"
