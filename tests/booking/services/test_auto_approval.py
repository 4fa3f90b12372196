"""A lab that approves requests says which of them count at once; the form says so before, and everything else waits as ever."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from booking.models import Licence, Occupancy, Reservation, ReservationTransition
from booking.rules.series import SeriesRule
from booking.services import policies, reservations, series, together, transitions
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.state_writing import lock_row
from booking.services.together import Bundle, Place
from tests.booking.services.test_changes import held
from tests.booking.services.test_reservation_flow import ask
from tests.booking.usage.conftest import wrong
from tests.concurrency.world import add_instrument
from tests.conftest import slot_of
from tests.frontend.acting import as_, clock, words
from tests.heads import with_head

__all__ = ["as_", "clock"]

RULE = {"who": "licensed", "most_minutes": 180, "week_minutes": 300, "most_fen": 800_00}
TIME = {"on": "2026-11-25", "from": "09:00", "to": "12:00"}


@pytest.fixture
def says(cast):
    """``says(**rules)``: the lab's rules for all its instruments."""
    return lambda **rules: policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)


def test_requests_that_a_lab_need_not_look_at_count_at_once_and_no_others(cast, programmes, says, as_):
    says(approval_required=True, pending_blocks=False, auto_approval=RULE)
    page = f"/instruments/{cast.xrd.pk}/"
    waits = ask(cast, slot_of(9, 12), key="unlicensed")
    assert waits.state == "requested" and not Occupancy.objects.get().blocking
    transitions.reject(cast.actor("wang"), waits.reservation_id, cast.now, "Ask for a licence")
    Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], level="self", origin="manual", granted_at=cast.now,
        granted_by=cast.users["wang"], changed_at=cast.now,
    )  # fmt: skip
    shown = words(as_("lin").get(page, TIME))
    assert "Counts at once, no approval needed." in shown and "licence to operate it alone counts at once" in shown

    made = ask(cast, slot_of(9, 12), key="licensed")
    assert made.state == "approved" and held() > 0 and Occupancy.objects.get(reservation_id=made.reservation_id).blocking
    said = ReservationTransition.objects.get(reservation_id=made.reservation_id, action="approve")
    assert (said.actor_id, said.reason) == (None, "policy: such requests need no look")
    assert "The lab approves each request." in words(as_("lin").get(page, TIME | {"from": "13:00", "to": "16:00"}))
    assert ask(cast, slot_of(13, 16), key="week").state == "requested", "five hours in the week are the most"
    assert ask(cast, slot_of(9, 11, 7), key="next").state == "approved", "the week after counts anew"

    ask(cast, slot_of(14, 15, 8), who="he", firm=cast.other_firm, key="rival")
    assert ask(cast, slot_of(14, 15, 8), key="second").state == "requested", "the lab chooses between two"
    says(approval_required=True, auto_approval={"who": "licensed", "most_fen": 1})
    assert ask(cast, slot_of(10, 11, 9), key="dear").state == "requested"
    says(approval_required=True, auto_approval={"who": "nobody"})
    assert ask(cast, slot_of(10, 11, 10), key="nobody").state == "requested"
    assert wrong() == {}


def test_our_own_people_at_once_and_outside_firms_after_a_look(cast, programmes, says, as_):
    with_head(cast)
    says(approval_required=True, pending_blocks=True, auto_approval={"who": "anybody", "customers": ["inside"]})
    assert "The lab approves each request." in words(as_("lin").get(f"/instruments/{cast.xrd.pk}/", TIME))
    assert ask(cast, slot_of(9, 12), key="outside").state == "requested"
    own = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot_of(9, 12, 3), "self_operated")
    assert reservations.reserve(cast.actor("wang"), own, cast.now, idempotency_key="inside").state == "approved"


def test_what_waited_for_somebody_else_counts_by_the_same_rule_and_says_so(cast, programmes, says):
    with_head(cast)
    says(approval_required=True, pending_blocks=True, max_minutes=120)
    plain = ask(cast, slot_of(9, 11), key="plain").reservation_id
    anyway = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot_of(12, 17), "self_operated", override_reason="Beam time was lost")
    overridden = reservations.reserve(cast.actor("wang"), anyway, cast.now, idempotency_key="long").reservation_id
    says(approval_required=True, max_minutes=120, auto_approval={"who": "anybody"})
    assert transitions.approve_without_look(lock_row(plain), cast.now)
    said = ReservationTransition.objects.get(reservation_id=plain, action="approve")
    assert (said.actor_id, said.reason) == (None, transitions.NO_LOOK)
    assert not transitions.approve_without_look(lock_row(overridden), cast.now), "the lab looks at what it overrode"


def test_series_and_several_together_are_looked_at_and_count_in_the_week_of_single_requests(cast, programmes, says):
    says(approval_required=True, auto_approval={"who": "anybody", "week_minutes": 240})
    lin, during = cast.actor("lin"), slot_of(9, 12)
    zone = ZoneInfo("Asia/Shanghai")
    starts, ends = (end.astimezone(zone).replace(tzinfo=None) for end in (during.starts_at, during.ends_at))
    wish = series.Wish(cast.xrd.pk, cast.firm.pk, SeriesRule(starts, ends, count=2), "self_operated")
    picks = [series.Pick(row.occurrence.ordinal, row.during) for row in series.report(lin, wish, cast.now).wanted]
    assert series.ask(lin, wish, picks, cast.now, idempotency_key="series").state == "requested"
    assert ask(cast, slot_of(13, 14), key="fits").state == "approved", "three hours of the series and one more"
    assert ask(cast, slot_of(15, 16), key="full").state == "requested", "the series has three of the four hours of that week"
    other = add_instrument(cast, "Second XRD")
    bundle = Bundle(cast.firm.pk, tuple(Place(one.pk, slot_of(9, 10, 14), "self_operated") for one in (cast.xrd, other)))
    made = together.ask(lin, bundle, cast.now, idempotency_key="both").reservations
    assert {state for pk, state in made if Reservation.objects.get(pk=pk).instrument_id == cast.xrd.pk} == {"requested"}
