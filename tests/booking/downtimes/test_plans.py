"""Maintenance that comes again: when it is due, one press for its next time, one reminder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from booking.models import Downtime, MaintenancePlan, Occupancy
from booking.queries import downtimes as downtime_queries
from booking.rules.downtime import DowntimeKind, due_of
from booking.services import downtimes, maintenance_plans, transitions
from booking.services.maintenance_plans import PlanFields
from config.kernel.errors import Forbidden, NotFound, Refusal
from tests.booking.usage.conftest import wrong
from tests.frontend.acting import as_, clock  # noqa: F401
from tests.mailbox import mails

ZONE = ZoneInfo("Asia/Shanghai")
LAMP = PlanFields("Change the lamp", DowntimeKind.CONSUMABLES, 6, None, 120)


@pytest.fixture
def lamp(cast):
    return maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, LAMP, cast.now)


def reminders() -> int:
    return sum("maintenance is due" in one["subject"] for one in mails() if one["to"] == ["wang@example.org"])


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(1, 120))
def test_months_later_is_the_same_day_and_hour_or_the_last_day(moment, months):
    last_at = moment.replace(tzinfo=ZONE)
    at = due_of(last_at.astimezone(UTC), 0, months, None, ZONE).at
    count = moment.year * 12 + moment.month + months
    assert at is not None and at.year * 12 + at.month == count and at.time() == moment.time()
    assert at.day == moment.day or (at.day < moment.day and (at + timedelta(days=1)).day == 1)


def test_one_press_keeps_the_next_free_time_and_it_counts_anew(cast, slot, booked, lamp):
    today = slot(9, 11, day=-2)  # it is nine o'clock there
    row = maintenance_plans.make_block(cast.actor("wang"), lamp.pk, cast.now)
    assert (row.during, row.kind, row.plan_id) == (today, "consumables", lamp.pk) and wrong() == {}
    ((_plan, due),) = downtime_queries.plans_of(cast.actor("wang"), cast.xrd)
    assert due.at is not None and f"{due.at:%Y-%m-%d %H:%M}" == "2027-05-23 11:00"
    with pytest.raises(Refusal, match=r"plan\.made_already"):
        maintenance_plans.make_block(cast.actor("wang"), lamp.pk, cast.now)


def test_what_was_called_off_before_it_began_does_not_count(cast, slot, lamp):
    (before,) = (one.at for _plan, one in downtime_queries.plans_of(cast.actor("wang"), cast.xrd))
    late = slot(20, 21).starts_at  # closed until the next morning
    row = maintenance_plans.make_block(cast.actor("wang"), lamp.pk, late)
    assert row.starts_at == slot(8, 9, day=1).starts_at
    downtimes.close(cast.actor("wang"), row.pk, late)
    (after,) = (one.at for _plan, one in downtime_queries.plans_of(cast.actor("wang"), cast.xrd))
    assert after == before and not Occupancy.objects.exists()


def test_the_lab_is_reminded_once_before_it_is_due(cast, lamp):
    due = datetime(2027, 5, 23, 1, tzinfo=UTC)
    assert maintenance_plans.remind_due(due - timedelta(days=15)) == 0
    assert [maintenance_plans.remind_due(due - timedelta(days=days)) for days in (14, 13)] == [1, 0]
    assert reminders() == 1
    maintenance_plans.make_block(cast.actor("wang"), lamp.pk, due - timedelta(days=13))
    assert maintenance_plans.remind_due(due - timedelta(days=12)) == 0
    assert maintenance_plans.remind_due(due + timedelta(days=180)) == 1, "and again before the next time"


def test_hours_of_use_count_since_the_last_time(cast, slot, booked):
    often = PlanFields("Clean the stage", DowntimeKind.SERVICE, None, 4, 60)
    maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, often, cast.now)
    used = booked(9, 13)
    assert maintenance_plans.remind_due(cast.now) == 0
    transitions.check_in(cast.actor("wang"), used.pk, used.starts_at)
    transitions.check_out(cast.actor("wang"), used.pk, used.ends_at)
    ((_plan, due),) = downtime_queries.plans_of(cast.actor("wang"), cast.xrd)
    assert (due.at, due.hours_left) == (None, 0) and maintenance_plans.remind_due(used.ends_at) == 1


def test_what_ended_early_counts_from_then(cast, slot, booked):
    """Both the months and the hours: what was used after the early end was used after the work."""
    both = PlanFields("Clean the stage", DowntimeKind.SERVICE, 1, 4, 240)
    plan = maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, both, cast.now)
    row = maintenance_plans.make_block(cast.actor("wang"), plan.pk, cast.now)
    assert row.during == slot(9, 13, day=-2)
    early = row.starts_at + timedelta(hours=1)
    downtimes.close(cast.actor("wang"), row.pk, early)
    ((_plan, due),) = downtime_queries.plans_of(cast.actor("wang"), cast.xrd)
    assert due.at is not None and f"{due.at:%m-%d %H:%M}" == "12-23 10:00" and due.hours_left == 4
    used = booked(11, 13, day=-2)
    transitions.check_in(cast.actor("wang"), used.pk, used.starts_at)
    transitions.check_out(cast.actor("wang"), used.pk, used.ends_at)
    ((_plan, due),) = downtime_queries.plans_of(cast.actor("wang"), cast.xrd)
    assert due.hours_left == 2


def test_when_many_plans_are_due_is_one_query_and_only_those_near_are_locked(cast, slot, booked):
    wang, often = cast.actor("wang"), PlanFields("Clean the stage", DowntimeKind.SERVICE, None, 4, 60)
    for fields in (LAMP, often, often, LAMP):
        maintenance_plans.add(wang, cast.xrd.pk, fields, cast.now)
    plans = list(downtime_queries.plans(wang))
    with CaptureQueriesContext(connection) as asked:
        assert len(maintenance_plans.due_of_all(plans)) == 4
    assert len(asked) == 1

    def locked(now):
        with CaptureQueriesContext(connection) as told:
            done = maintenance_plans.remind_due(now)
        return done, sum("FOR UPDATE" in one["sql"] and "maintenanceplan" in one["sql"] for one in told)

    assert locked(cast.now) == (0, 0)
    used = booked(9, 13)
    transitions.check_in(wang, used.pk, used.starts_at)
    transitions.check_out(wang, used.pk, used.ends_at)
    assert locked(used.ends_at) == (2, 2)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"every_months": None}, "plan.never"),
        ({"every_months": 121}, "plan.out_of_range"),
        ({"duration_minutes": 0}, "plan.out_of_range"),
        ({"kind": DowntimeKind.BREAKDOWN}, "plan.breakdown"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(cast, changes, code):
    from dataclasses import replace

    with pytest.raises(Refusal, match=code.replace(".", r"\.")):
        maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, replace(LAMP, **changes), cast.now)


def test_plans_are_the_labs_and_no_list_without_end(cast, lamp):
    with pytest.raises(Forbidden):
        maintenance_plans.add(cast.actor("lin"), cast.xrd.pk, LAMP, cast.now)
    for act in (maintenance_plans.make_block, maintenance_plans.remove):
        with pytest.raises(NotFound):
            act(cast.actor("lin"), lamp.pk, cast.now)
    for _number in range(maintenance_plans.MOST - 1):
        maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, LAMP, cast.now)
    with pytest.raises(Refusal, match=r"plan\.too_many"):
        maintenance_plans.add(cast.actor("wang"), cast.xrd.pk, LAMP, cast.now)


def test_the_page_keeps_plans_makes_their_time_and_takes_them_back(cast, as_):  # noqa: F811
    wang, address = as_("wang"), reverse("instrument_maintenance", args=[cast.xrd.pk])
    add = reverse("maintenance_plan_add", args=[cast.xrd.pk])
    typed = {"name": "Lamp", "kind": "consumables", "duration_minutes": "90", "remind_days": "7"}
    refused = wang.post(add, typed)
    assert refused.status_code == 422 and 'value="Lamp"' in refused.content.decode()
    assert wang.post(add, typed | {"every_months": "3"}).status_code == 302
    plan = MaintenancePlan.objects.get()
    assert "Keep a free time for it" in wang.get(address).content.decode()
    assert wang.post(reverse("maintenance_plan_next", args=[plan.pk])).status_code == 302 and Downtime.objects.count() == 1
    assert wang.post(reverse("maintenance_plan_next", args=[plan.pk])).status_code == 422
    gone = wang.post(reverse("maintenance_plan_remove", args=[plan.pk]))
    assert not MaintenancePlan.objects.exists() and 'value="Lamp"' in wang.get(gone["Location"]).content.decode()
    assert Downtime.objects.get().plan_id is None


def test_work_that_is_planned_by_hand_counts_for_the_plan_that_it_names(cast, slot, lamp, breaks):
    """What is longer than the instrument is open in one piece has no free time: the form names the plan instead."""
    MaintenancePlan.objects.filter(pk=lamp.pk).update(duration_minutes=24 * 60, reminded_at=cast.now)
    with pytest.raises(Refusal, match=r"plan\.no_time"):
        maintenance_plans.make_block(cast.actor("wang"), lamp.pk, cast.now)
    made = breaks(slot(9, 10, day=3).ends_at, kind=DowntimeKind.SERVICE, starts_at=slot(9, 10).starts_at, plan_id=lamp.pk)
    lamp.refresh_from_db()
    assert made.plan_id == lamp.pk and lamp.reminded_at is None
    ((_plan, due),) = downtime_queries.plans_of(cast.actor("wang"), cast.xrd)
    assert due.at is not None and f"{due.at:%m-%d %H:%M}" == f"{made.ends_at + timedelta(hours=8):05-%d %H:%M}"
    with pytest.raises(Refusal, match=r"plan\.breakdown"):
        breaks(slot(11, 12).ends_at, plan_id=lamp.pk)
    with pytest.raises(NotFound):
        breaks(slot(11, 12).ends_at, kind=DowntimeKind.SERVICE, starts_at=slot(11, 12).starts_at, plan_id=lamp.pk + 999)


def test_the_page_that_finds_no_free_time_holds_the_plan_in_its_form(cast, as_, lamp, slot):  # noqa: F811
    MaintenancePlan.objects.filter(pk=lamp.pk).update(duration_minutes=24 * 60)
    shown = as_("wang").post(reverse("maintenance_plan_next", args=[lamp.pk])).content.decode()
    assert f'<option value="{lamp.pk}" selected>Change the lamp' in shown and 'value="Change the lamp"' in shown
    sent = {
        "kind": "consumables",
        "starts_local": "2026-11-25T09:00",
        "ends_local": "2026-11-27T09:00",
        "note": "Lamp",
        "key": str(uuid4()),
    }
    address = reverse("instrument_maintenance", args=[cast.xrd.pk])
    wrong_plan = as_("wang").post(address, sent | {"for_plan": "987654", "action": "plan"})
    assert wrong_plan.status_code == 422 and not Downtime.objects.exists()
    as_("wang").post(address, sent | {"for_plan": lamp.pk, "action": "plan"})
    assert Downtime.objects.get().plan_id == lamp.pk
