"""What is said of a time that is shown: what the booking itself does with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import AccessListEntry, CreditEvent, CreditRules, InstrumentPolicy, Licence
from booking.queries.eligibility import Shown, eligibility_of
from booking.queries.finding import find_earliest
from booking.rules.eligibility import Eligibility, Outcome
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY, Actor
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(labs: Any, cast: Any, search: Any) -> Callable[..., dict[str, Eligibility]]:
    """``said("lin")``: what each instrument's row says to the person, by its name."""

    def ask(
        who: str = "lin", mode: str = "", customer: Organisation | None = None, fen: int | None = 100
    ) -> dict[str, Eligibility]:
        actor: Actor = cast.actor(who) if who else NOBODY
        customer = customer or cast.firm
        rows = find_earliest(actor, search(2, service_mode=mode), cast.now, 20, customer=customer).rows
        told = eligibility_of(actor, customer, [Shown(row, fen) for row in rows], mode, cast.now)
        return {row.instrument.name: one for row, one in zip(rows, told, strict=True)}

    return ask


def codes(one: Eligibility) -> list[str]:
    return [reason.code for reason in one.reasons]


def booked(cast: Any, instrument: Any, during: TimeRange, who: str = "lin") -> str:
    """What the booking says: the state, or the codes of its refusal."""
    request = ReservationRequest(instrument.pk, cast.firm.pk, during, "self_operated")
    try:
        return reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=f"{instrument.pk}").state
    except Refusal as refusal:
        return " ".join(reason.code for reason in refusal.reasons)


def at_once(labs: Any, name: str = "At once", **rules: Any) -> Any:
    return labs.add(name, policy={"approval_required": False, "rules": rules})


def test_nobody_is_told_to_book_who_is_not_logged_in(labs, cast, said):
    at_once(labs)
    assert said("")["At once"].outcome is Outcome.LOG_IN
    assert said("lin")["At once"].outcome is Outcome.AT_ONCE
    assert said("lin")["X-ray diffractometer"].outcome is Outcome.APPROVAL


def test_who_books_for_no_organisation_is_told_so(labs, cast, said):
    at_once(labs)
    cast.users["lin"].memberships.all().delete()
    one = said("lin")["At once"]
    assert (one.outcome, codes(one)) == (Outcome.REFUSED, ["booking.no_organisation"])


@pytest.mark.parametrize("whole_lab", [True, False])
def test_who_stands_on_a_deny_list_is_refused_with_the_labs_reason_as_by_the_booking(labs, cast, said, whole_lab):
    listed, other = at_once(labs), at_once(labs, "Other")
    AccessListEntry.objects.create(
        organisation=cast.lab,
        instrument=None if whole_lab else listed,
        person=cast.users["lin"],
        verdict="deny",
        reason="broke the tube",
        created_by=cast.users["wang"],
        created_at=cast.now,
    )
    told = said("lin")
    assert (told["At once"].outcome, codes(told["At once"])) == (Outcome.REFUSED, ["measure.listed"])
    assert told["At once"].reasons[0].params == {"note": "broke the tube"}
    assert told["Other"].outcome is (Outcome.REFUSED if whole_lab else Outcome.AT_ONCE)
    start = cast.now + timedelta(hours=3)
    assert booked(cast, listed, TimeRange(start, start + timedelta(hours=2))) == "measure.listed"
    assert (booked(cast, other, TimeRange(start, start + timedelta(hours=2))) == "approved") is not whole_lab


def test_who_is_suspended_for_lost_points_is_refused(labs, cast, said):
    at_once(labs)
    CreditRules.objects.create(
        organisation=cast.lab,
        document={"start_points": 100, "points": {}, "thresholds": [{"below": 60, "kind": "no_booking", "days": 7}]},
        changed_at=cast.now,
        changed_by=cast.users["wang"],
    )
    assert said()["At once"].outcome is Outcome.AT_ONCE
    CreditEvent.objects.create(
        organisation=cast.lab,
        person=cast.users["lin"],
        kind="manual",
        lab_points=-50,
        platform_points=0,
        at=cast.now,
        made_by=cast.users["wang"],
        note="left the door open",
    )
    assert codes(said()["At once"]) == ["measure.credit_until"]


def test_a_quota_that_is_used_up_and_a_cool_off_are_said(labs, cast, said, slot):
    quota = {"subject": "person", "measure": "count", "period": "week", "most": 1, "instrument": None, "class_code": ""}
    full = at_once(labs, "Full", quotas=[quota])
    resting = at_once(labs, "Resting", cool_off_minutes=6 * 24 * 60)
    free = at_once(labs, "Free", quotas=[quota | {"most": 9}])
    assert {one.outcome for name, one in said().items() if name in {"Full", "Resting", "Free"}} == {Outcome.AT_ONCE}
    assert booked(cast, full, slot(9, 11)) == booked(cast, resting, slot(9, 11)) == booked(cast, free, slot(9, 11)) == "approved"
    told = said()
    assert (codes(told["Full"]), codes(told["Resting"])) == (["quota.person_count"], ["booking.cool_off"])
    assert told["Free"].outcome is Outcome.AT_ONCE


@pytest.mark.parametrize(
    ("rule", "fen", "outcome"),
    [
        ({"who": "anybody"}, 100, Outcome.AT_ONCE),
        ({"who": "nobody"}, 100, Outcome.APPROVAL),
        ({"who": "licensed"}, 100, Outcome.APPROVAL),
        ({"who": "proven"}, 100, Outcome.APPROVAL),
        ({"who": "anybody", "most_fen": 99}, 100, Outcome.APPROVAL),
        ({"who": "anybody", "most_fen": 99}, None, Outcome.APPROVAL),
        ({"who": "anybody", "most_minutes": 60}, 100, Outcome.APPROVAL),
        ({"who": "anybody", "week_minutes": 120}, 100, Outcome.AT_ONCE),
    ],
)
def test_what_the_lab_lets_through_without_a_look_is_said_to_be_booked_at_once(labs, cast, said, rule, fen, outcome):
    labs.add("Asked", policy={"rules": {"auto_approval": rule}})
    assert said(fen=fen)["Asked"].outcome is outcome
    assert said(fen=fen)["X-ray diffractometer"].outcome is Outcome.APPROVAL


def test_a_licence_is_asked_of_who_works_alone_and_lets_the_licensed_through(labs, cast, said):
    rules = {"licence_needed": True, "auto_approval": {"who": "licensed"}}
    labs.add("Alone", policy={"rules": rules}, service_modes=["self_operated", "assisted"])
    labs.add("With us", policy={"approval_required": False, "rules": {"licence_needed": True}}, service_modes=["assisted"])
    told = said()
    assert (told["Alone"].outcome, codes(told["Alone"])) == (Outcome.TRAINING, ["booking.licence_needed"])
    assert told["With us"].outcome is Outcome.AT_ONCE
    assert said("")["Alone"].training
    assert not said("")["With us"].training
    assert said(mode="assisted")["Alone"].outcome is Outcome.APPROVAL
    given = {"granted_at": cast.now, "granted_by": cast.users["wang"], "changed_at": cast.now}
    Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], level="self", origin="manual", class_code="0103", **given
    )
    assert said()["Alone"].outcome is Outcome.AT_ONCE


def test_where_nobody_said_for_whom_no_group_of_customers_is_held_against_anybody(labs, cast, search):
    labs.add("Near only for firms", policy={"approval_required": False, "rules": {"horizons": [["firm", 1]]}})
    lin, later = cast.actor("lin"), search(2, first=3, text="Near")
    rows = [Shown(row, 100) for row in find_earliest(lin, later, cast.now, 5).rows]
    assert [one.outcome for one in eligibility_of(lin, None, rows, "", cast.now)] == [Outcome.AT_ONCE]
    (one,) = eligibility_of(lin, cast.firm, rows, "", cast.now)
    assert codes(one) == ["booking.beyond_horizon"]


def test_many_rows_take_as_many_statements_as_one(labs, cast, search):
    everything = {
        "licence_needed": True,
        "auto_approval": {"who": "licensed"},
        "quotas": [{"subject": "person", "measure": "count", "period": "week", "most": 1, "instrument": None, "class_code": ""}],
        "cool_off_minutes": 60,
    }
    for number in range(9):
        labs.add(f"SEM {number}", policy={"rules": everything})
    InstrumentPolicy.objects.update(rules=everything)
    lin = cast.actor("lin")
    rows = [Shown(row, 100) for row in find_earliest(lin, search(2, text="SEM"), cast.now, 20, customer=cast.firm).rows]
    assert len(rows) == 9

    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            eligibility_of(lin, cast.firm, rows[:count], "", cast.now)
        return len(queries)

    statements(1)
    assert statements(9) == statements(1) == 6
    with CaptureQueriesContext(connection) as queries:
        assert {one.outcome for one in eligibility_of(NOBODY, Organisation(kind="firm"), rows, "", cast.now)} == {Outcome.LOG_IN}
    assert len(queries) == 0
