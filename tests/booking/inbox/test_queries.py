"""What the inbox says about each request, and how it counts what is known of who asks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.models import InstrumentPolicy, Occupancy, PolicyLayer, Reservation, ReservationTransition
from booking.queries import inbox as inbox_queries
from booking.rules.deciding import Risk
from booking.services import policies, transitions
from booking.services.policies import Scope
from instruments.models import Organisation, User
from instruments.services import members


def risks(cast, pk: int) -> set[str]:
    rows = inbox_queries.inbox(cast.actor("wang"), cast.now).rows
    return set(next(one.risks for one in rows if one.reservation.pk == pk))


def test_it_is_overdue_from_the_promised_time_on(cast, ask):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"answer_minutes": 60}, cast.now)
    ask(9, 12)
    for minutes, overdue in ((59, False), (60, True)):
        (row,) = inbox_queries.inbox(cast.actor("wang"), cast.now + timedelta(minutes=minutes)).rows
        assert (row.age.minutes, row.age.promise_minutes, row.age.overdue) == (minutes, 60, overdue)
    assert PolicyLayer.objects.exists()


def test_who_goes_beyond_a_quota_by_now_is_marked(cast, ask):
    first, second = ask(9, 12), ask(13, 15)
    quota = {"subject": "person", "measure": "minutes", "period": "day", "most": 299, "peak_only": False}
    assert Risk.OVER_QUOTA not in risks(cast, second)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    assert Risk.OVER_QUOTA in risks(cast, first) & risks(cast, second)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota | {"most": 300}]}, cast.now)
    assert Risk.OVER_QUOTA not in risks(cast, first) | risks(cast, second)


@pytest.mark.parametrize("blocks", [False, True])
def test_a_rival_is_seen_whether_it_competes_or_blocks_the_time_and_no_other_booking_is(cast, ask, blocks):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    asked, rival, other = ask(9, 12), ask(10, 12, who="he"), ask(13, 15, who="he")
    Occupancy.objects.filter(reservation=rival).update(blocking=blocks)
    marked = {pk for pk in (asked, rival, other) if Risk.CONFLICT in risks(cast, pk)}
    assert marked == {asked, rival}
    Reservation.objects.filter(pk=rival).update(state="expired")
    assert Risk.CONFLICT not in risks(cast, asked)


def test_who_is_suspended_or_has_left_is_marked(cast, ask):
    asked, other = ask(9, 12), ask(13, 15, who="he")
    assert not {Risk.SUSPENDED, Risk.LEFT} & (risks(cast, asked) | risks(cast, other))
    Organisation.objects.filter(pk=cast.other_firm.pk).update(status="suspended")
    members.remove_member(cast.actor("zhao"), cast.firm.pk, cast.users["lin"].pk, cast.now)
    assert Risk.LEFT in risks(cast, asked) and Risk.SUSPENDED not in risks(cast, asked)
    assert Risk.SUSPENDED in risks(cast, other) and not {Risk.LEFT, Risk.UNVERIFIED} & risks(cast, other)


def test_a_person_whose_account_is_closed_has_left(cast, ask):
    asked = ask(9, 12)
    User.objects.filter(pk=cast.users["lin"].pk).update(is_active=False)
    assert Risk.LEFT in risks(cast, asked)


def test_pages_go_on_where_the_first_ends_and_a_page_too_far_is_the_last(cast, ask, monkeypatch):
    monkeypatch.setattr(inbox_queries, "SHOWN_AT_ONCE", 2)
    ids = [ask(hour, hour + 1) for hour in (9, 10, 11)]
    pages = [inbox_queries.inbox(cast.actor("wang"), cast.now, page) for page in (1, 2, 10**18, -1)]
    assert [[one.reservation.pk for one in page.rows] for page in pages] == [ids[:2], ids[2:], ids[2:], ids[:2]]
    assert [(page.total, page.pages, page.page) for page in pages[:3]] == [(3, 2, 1), (3, 2, 2), (3, 2, 2)]


def test_only_the_requests_of_ones_own_labs_are_there(cast, ask):
    ask(9, 12)
    assert inbox_queries.inbox(cast.actor("li"), cast.now).total == 0
    assert inbox_queries.inbox(cast.actor("lin"), cast.now).total == 0


@pytest.mark.parametrize(("before", "late"), [(timedelta(hours=23), 1), (timedelta(hours=24), 0)])
def test_the_history_counts_what_was_used_missed_and_given_back_late(cast, charged, approved, ask, before, late):
    InstrumentPolicy.objects.create(instrument=cast.xrd, cancel_notice_minutes=1440)
    charged(8, 9)
    missed, given_back, by_lab = approved(9, 10), approved(10, 11), approved(11, 12)
    transitions.mark_no_show(cast.actor("wang"), missed, Reservation.objects.get(pk=missed).ends_at)
    transitions.cancel(cast.actor("lin"), given_back, Reservation.objects.get(pk=given_back).starts_at - before)
    transitions.cancel(cast.actor("wang"), by_lab, Reservation.objects.get(pk=by_lab).starts_at, "The lamp broke.")
    transitions.reject(cast.actor("wang"), ask(14, 15), cast.now, "No.")
    waiting = Reservation.objects.select_related("instrument").get(pk=ask(15, 16))
    person, organisation = inbox_queries.histories(cast.actor("wang"), waiting)
    assert (person.used, person.missed, person.cancelled_late, person.rejected) == (1, 1, late, 1)
    assert organisation == person and not person.is_first


@pytest.mark.parametrize(("then", "now", "late"), [(0, 1440, 0), (1440, 0, 1)])
def test_what_was_given_back_late_is_judged_by_the_notice_of_then(cast, approved, ask, then, now, late):
    InstrumentPolicy.objects.create(instrument=cast.xrd, cancel_notice_minutes=then)
    pk = approved(10, 11)
    transitions.cancel(cast.actor("lin"), pk, Reservation.objects.get(pk=pk).starts_at - timedelta(hours=1))
    InstrumentPolicy.objects.update(cancel_notice_minutes=now)
    waiting = Reservation.objects.select_related("instrument").get(pk=ask(15, 16))
    assert inbox_queries.histories(cast.actor("wang"), waiting)[0].cancelled_late == late


def test_of_what_was_given_back_before_faults_were_noted_the_rules_of_now_say_it(cast, approved, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, cancel_notice_minutes=1440)
    given_back = Reservation.objects.get(pk=approved(10, 11))
    Reservation.objects.filter(pk=given_back.pk).update(state="cancelled")
    ReservationTransition.objects.create(
        reservation=given_back, action="cancel", from_state="approved", to_state="cancelled", actor=given_back.requested_by,
        at=given_back.starts_at - timedelta(hours=1),
    )  # fmt: skip
    waiting = Reservation.objects.select_related("instrument").get(pk=ask(15, 16))
    assert inbox_queries.histories(cast.actor("wang"), waiting)[0].cancelled_late == 1
