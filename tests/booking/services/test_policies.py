"""What a lab says in layers holds for its instruments, and only for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override as speaking

from booking.invariants import policies_follow_layers
from booking.models import InstrumentPolicy, PolicyLayer, Reservation
from booking.queries import policies as policy_queries
from booking.services import licences, policies, reservations, transitions
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.models import AuditEntry
from instruments.models import CatalogueEntry, Instrument
from instruments.services import registry
from tests.booking.services.test_reservation_flow import ask
from tests.heads import with_head

WEEKLY = {"subject": "organisation", "measure": "minutes", "period": "week", "most": 240, "peak_only": False}
NIGHT = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 18 * 60, "until_minute": 8 * 60}


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


@pytest.fixture
def wang(cast):
    return cast.actor("wang")


@pytest.fixture
def lab(cast):
    return Scope(cast.lab.pk)


def one(cast) -> Scope:
    return Scope(cast.lab.pk, instrument_id=cast.xrd.pk)


def test_the_strictest_layer_decides_whether_a_request_is_refused(cast, wang, lab, slot):
    policies.say(wang, one(cast), {"max_minutes": 480}, cast.now)
    assert ask(cast, slot(8, 12)).state == "requested"
    policies.say(wang, Scope(cast.lab.pk, "0103"), {"max_minutes": 120}, cast.now)
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(13, 17), key="k2")
    assert codes(refused) == ["booking.too_long"]
    policies.say(wang, Scope(cast.lab.pk, "0199"), {"max_minutes": 60}, cast.now)
    assert ask(cast, slot(13, 15), key="k3").state == "requested"


def test_a_layer_that_is_taken_back_leaves_the_others(cast, wang, lab):
    policies.say(wang, lab, {"notice_minutes": 600}, cast.now)
    policies.say(wang, one(cast), {"notice_minutes": 60}, cast.now)
    policies.say(wang, lab, {}, cast.now)
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).notice_minutes == 60


def test_a_new_instrument_of_the_lab_has_the_labs_rules_from_the_start(cast, wang, lab):
    policies.say(wang, lab, {"notice_minutes": 600}, cast.now)
    made = registry.create_instrument(
        wang, cast.site.pk, registry.InstrumentFields(name="Raman microscope", class_code="0103"), cast.now
    )
    assert InstrumentPolicy.objects.get(instrument=made).notice_minutes == 600


def test_what_the_catalogue_shows_follows(cast, wang, lab):
    policies.say(wang, lab, {"approval_required": False}, cast.now)
    assert not CatalogueEntry.objects.get(instrument=cast.xrd).approval_needed
    policies.say(wang, one(cast), {"approval_required": True}, cast.now)
    assert CatalogueEntry.objects.get(instrument=cast.xrd).approval_needed


def test_a_quota_of_the_lab_counts_all_its_instruments(cast, wang, lab, slot):
    second = registry.create_instrument(wang, cast.site.pk, registry.InstrumentFields(name="Raman", class_code="0104"), cast.now)
    Instrument.objects.filter(pk=second.pk).update(calendar_id=cast.xrd.calendar_id, published=True)
    policies.say(wang, lab, {"quotas": [WEEKLY]}, cast.now)
    ask(cast, slot(8, 11))
    there = ReservationRequest(second.pk, cast.firm.pk, slot(12, 14), "assisted")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(cast.actor("zhao"), there, cast.now, idempotency_key="k2")
    assert codes(refused) == ["quota.organisation_minutes"]
    with speaking("en"):
        assert "yours has 3 h and 1 h are left" in reason_sentence(refused.value.reasons[0])
    mine = ReservationRequest(cast.xrd.pk, cast.other_firm.pk, slot(12, 14), "assisted")
    assert reservations.reserve(cast.actor("he"), mine, cast.now, idempotency_key="k").state == "requested"


def test_what_was_given_up_no_longer_counts(cast, wang, lab, slot):
    policies.say(wang, lab, {"quotas": [WEEKLY]}, cast.now)
    first = ask(cast, slot(8, 12))
    with pytest.raises(Refusal):
        ask(cast, slot(13, 14), key="k2")
    transitions.cancel(cast.actor("lin"), first.reservation_id, cast.now)
    assert ask(cast, slot(13, 14), key="k2").state == "requested"


def test_the_labs_people_override_the_labs_rules_with_a_reason_that_is_kept(cast, wang, lab, slot):
    with_head(cast)
    policies.say(wang, lab, {"max_minutes": 120, "quotas": [WEEKLY | {"most": 60}]}, cast.now)
    asked = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 15), "self_operated")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(wang, asked, cast.now, idempotency_key="k1")
    assert codes(refused) == ["booking.too_long", "quota.organisation_minutes"]
    anyway = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 15), "self_operated", override_reason="Beam time was lost")
    made = reservations.reserve(wang, anyway, cast.now, idempotency_key="k2")
    rules = ["booking.too_long", "quota.organisation_minutes"]
    reservation = Reservation.objects.get(pk=made.reservation_id)
    step = reservation.transitions.get(action="request")
    assert (step.reason, step.passed_over) == ("Beam time was lost", rules)
    audited = AuditEntry.objects.get(action="reservation.request", object_id=str(reservation.pk))
    assert (audited.reason, audited.after["passed_over"]) == ("Beam time was lost", rules)


def test_nobody_overrides_what_is_closed_or_what_is_not_theirs(cast, wang, lab, slot):
    night = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(21, 22), "self_operated", override_reason="Please")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(wang, night, cast.now, idempotency_key="k1")
    assert codes(refused) == ["booking.outside_opening_hours"]
    policies.say(wang, lab, {"max_minutes": 120}, cast.now)
    long = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 15), "self_operated", override_reason="Please")
    with pytest.raises(Forbidden):
        reservations.reserve(cast.actor("lin"), long, cast.now, idempotency_key="k2")


def test_nights_only_for_the_licensed(cast, wang, lab, slot):
    policies.say(wang, lab, {"licensed_times": [NIGHT]}, cast.now)
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(17, 19))
    assert codes(refused) == ["booking.off_hours_licence"]
    assert ask(cast, slot(16, 18), key="k2").state == "requested"


def test_rules_are_for_the_labs_managers(cast, lab):
    for name in ("li", "lin", "zhou"):
        with pytest.raises(Forbidden):
            policies.say(cast.actor(name), lab, {"max_minutes": 60}, cast.now)
    with pytest.raises(NotFound):
        policies.say(cast.actor("wang"), Scope(cast.lab.pk, instrument_id=99_999_999), {"max_minutes": 60}, cast.now)


def test_rules_that_nothing_satisfies_are_refused_and_nothing_changes(cast, wang, lab):
    policies.say(wang, one(cast), {"max_minutes": 120}, cast.now)
    with pytest.raises(Refusal) as refused:
        policies.say(wang, lab, {"min_minutes": 300}, cast.now)
    assert "policy.layers_contradict" in codes(refused)
    assert PolicyLayer.objects.count() == 1
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).min_minutes == 60


def test_the_check_finds_a_policy_that_does_not_follow_its_layers(cast, wang, lab):
    policies.say(wang, lab, {"notice_minutes": 600}, cast.now)
    assert not policies_follow_layers().violations
    InstrumentPolicy.objects.update(notice_minutes=10)
    assert policies_follow_layers().violations


def test_changes_are_in_the_audit_trail_before_and_after(cast, wang, lab):
    policies.say(wang, lab, {"notice_minutes": 600}, cast.now)
    policies.say(wang, lab, {"notice_minutes": 300}, cast.now + timedelta(minutes=1), "Term begins")
    entry = AuditEntry.objects.filter(action="policy.say").latest("pk")
    assert (entry.before, entry.after, entry.reason) == ({"notice_minutes": 600}, {"notice_minutes": 300}, "Term begins")


def test_a_layer_is_for_one_thing_that_there_is(cast, wang):
    for scope, code in ((Scope(cast.lab.pk, "0103", cast.xrd.pk), "policy.one_scope"), (Scope(cast.lab.pk, "00"), "policy.class_unknown"),
                        (Scope(cast.lab.pk, "01x"), "policy.class_unknown")):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            policies.say(wang, scope, {"max_minutes": 60}, cast.now)
        assert codes(refused) == [code]


def test_classes_without_an_instrument_are_checked_with_the_lab(cast, wang, lab):
    policies.say(wang, Scope(cast.lab.pk, "0299"), {"max_minutes": 120}, cast.now)
    policies.say(wang, one(cast), {"max_minutes": 480}, cast.now)
    with pytest.raises(Refusal) as refused:
        policies.say(wang, lab, {"min_minutes": 300}, cast.now)
    assert codes(refused)[0] == "policy.classes_contradict"
    with pytest.raises(Refusal) as refused:
        policies.say(wang, Scope(cast.lab.pk, "02"), {"min_minutes": 240}, cast.now)
    assert codes(refused)[0] == "policy.classes_contradict"
    assert PolicyLayer.objects.count() == 2


def test_a_policy_that_no_layer_asked_for_is_kept_as_the_instruments_own_word(cast, wang, lab):
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=5, max_minutes=120, approval_required=False)
    policies.say(wang, Scope(cast.lab.pk, "0103"), {"notice_minutes": 0, "hold_minutes": 5}, cast.now)
    row = InstrumentPolicy.objects.get(instrument=cast.xrd)
    assert (row.notice_minutes, row.max_minutes, row.approval_required, row.rules) == (5, 120, False, {"hold_minutes": 5})
    said = {"notice_minutes": 5, "max_minutes": 120, "approval_required": False}
    assert PolicyLayer.objects.get(instrument=cast.xrd).said == said
    policies.say(wang, lab, {"max_minutes": 480}, cast.now)
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).max_minutes == 120
    assert not policies_follow_layers().violations
    policies.say(wang, one(cast), {}, cast.now)
    policies.say(wang, lab, {"max_minutes": 240}, cast.now)
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).max_minutes == 240


def test_many_instruments_follow_in_a_fixed_number_of_statements(cast, wang, lab, django_assert_max_num_queries):
    for number in range(12):
        registry.create_instrument(wang, cast.site.pk, registry.InstrumentFields(name=f"R{number}", class_code="0104"), cast.now)
    ids = list(Instrument.objects.filter(organisation=cast.lab).values_list("pk", flat=True))
    PolicyLayer.objects.create(organisation=cast.lab, said={"notice_minutes": 7}, changed_at=cast.now)
    with django_assert_max_num_queries(4):
        assert len(policies.follow_instruments(ids)) == len(ids)
    PolicyLayer.objects.update(said={"notice_minutes": 8})
    with django_assert_max_num_queries(6):
        assert len(policies.follow_instruments(ids)) == len(ids)
    assert not policies_follow_layers().violations


def test_a_policy_that_is_adopted_is_in_the_audit_by_whose_word(cast, wang, lab):
    InstrumentPolicy.objects.create(instrument=cast.xrd, max_minutes=240)
    policies.say(wang, lab, {"notice_minutes": 600}, cast.now)
    layer = PolicyLayer.objects.get(instrument=cast.xrd)
    written = AuditEntry.objects.get(action="policy.adopt")
    assert (written.object_id, written.actor, written.after) == (str(layer.pk), cast.users["wang"], {"max_minutes": 240})


def touched(cast, wang, lab, said, now=None) -> list[tuple[int, list[str]]]:
    """What a change would touch: the booking's place in the order of their starts, and the codes of what it would break."""
    order = list(Reservation.objects.order_by("starts_at").values_list("pk", flat=True))
    found, count = policy_queries.touched(wang, lab, said, now or cast.now)
    assert count == len(found)
    return [(order.index(one.reservation.pk), [reason.code for reason in one.reasons]) for one in found]


def test_a_change_says_which_bookings_lack_the_licence_that_it_asks_for(cast, wang, lab, slot):
    ask(cast, slot(9, 11), key="k1")
    ask(cast, slot(12, 14), who="he", firm=cast.other_firm, key="k2")
    assert touched(cast, wang, lab, {"licence_needed": True}) == [
        (0, ["booking.licence_needed"]),
        (1, ["booking.licence_needed"]),
    ]
    licences.grant(wang, cast.xrd.pk, "lin@example.org", "self", "Seen at work", None, cast.now)
    assert touched(cast, wang, lab, {"licence_needed": True}) == [(1, ["booking.licence_needed"])]
    from_noon = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 720, "until_minute": 1440}
    assert touched(cast, wang, lab, {"licensed_times": [from_noon]}) == [(1, ["booking.off_hours_licence"])]


def test_a_change_says_which_bookings_of_one_person_would_lie_too_close(cast, wang, lab, slot):
    ask(cast, slot(9, 11), key="k0")
    ask(cast, slot(12, 13), key="k1")
    ask(cast, slot(13, 14), who="he", firm=cast.other_firm, key="k2")
    ask(cast, slot(18, 19), key="k3")
    assert touched(cast, wang, lab, {"cool_off_minutes": 60}) == []
    assert touched(cast, wang, lab, {"cool_off_minutes": 61}) == [(0, ["booking.cool_off"]), (1, ["booking.cool_off"])]
    policies.say(wang, lab, {"cool_off_minutes": 61}, cast.now)
    assert touched(cast, wang, lab, {"cool_off_minutes": 90}) == [], "they break the old rules as well"


def test_what_has_begun_and_what_was_given_up_count_for_the_cool_off_as_for_a_booking(cast, wang, lab, slot):
    ask(cast, slot(9, 11), key="k0")
    later = ask(cast, slot(12, 13), key="k1")
    while_it_runs = slot(10, 11).starts_at
    assert touched(cast, wang, lab, {"cool_off_minutes": 90}, while_it_runs) == [(1, ["booking.cool_off"])]
    transitions.cancel(cast.actor("lin"), later.reservation_id, cast.now)
    ask(cast, slot(15, 16), key="k2")
    assert touched(cast, wang, lab, {"cool_off_minutes": 150}, while_it_runs) == []


def test_a_change_says_which_customers_would_have_booked_too_far_ahead(cast, wang, lab, slot):
    with_head(cast)
    ask(cast, slot(9, 11, 7), key="k0")
    ask(cast, slot(9, 11, 8), who="wang", firm=cast.lab, key="k1")
    assert touched(cast, wang, lab, {"horizons": {"firm": 9}}) == []
    assert touched(cast, wang, lab, {"horizons": {"firm": 8}}) == [(0, ["booking.beyond_horizon"])]
    assert touched(cast, wang, lab, {"horizon_days": 8}) == [(0, ["booking.beyond_horizon"]), (1, ["booking.beyond_horizon"])]


def test_a_look_at_a_change_takes_as_many_queries_for_four_bookings_as_for_two(cast, wang, lab, slot):
    said, counts = {"cool_off_minutes": 60, "horizons": {"firm": 8}, "quotas": [quota(60)]}, []
    for first in (9, 13):
        for hour in (first, first + 2):
            ask(cast, slot(hour, hour + 1), key=f"k{hour}")
        with CaptureQueriesContext(connection) as captured:
            touched(cast, wang, lab, said)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_change_says_whose_buffers_would_meet(cast, wang, lab, slot):
    for place, (first, last) in enumerate(((9, 11), (11.5, 13), (15, 16))):
        ask(cast, slot(first, last), key=f"k{place}")
    assert touched(cast, wang, lab, {"buffer_after_minutes": 30}) == []
    assert touched(cast, wang, lab, {"buffer_after_minutes": 45}) == [(0, ["policy.buffer_taken"]), (1, ["policy.buffer_taken"])]


def quota(most, *, subject="organisation", measure="minutes", period="week", peak_only=False):
    return {"subject": subject, "measure": measure, "period": period, "most": most, "peak_only": peak_only}


def test_a_change_says_which_bookings_would_go_beyond_a_quota_the_later_asked_ones(cast, wang, lab, slot):
    """Three of three hours each in a week, the earliest one asked for last; another firm's, and another week's, count for themselves."""
    ask(cast, slot(9, 12, 1), key="k1")
    ask(cast, slot(9, 12, 2), key="k2")
    ask(cast, slot(9, 12), key="k0")
    ask(cast, slot(13, 16), who="he", firm=cast.other_firm, key="other")
    ask(cast, slot(9, 12, 7), key="next week")
    assert touched(cast, wang, lab, {"quotas": [quota(9 * 60)]}) == []
    assert touched(cast, wang, lab, {"quotas": [quota(9 * 60 - 1)]}) == [(0, ["quota.organisation_minutes"])]
    assert touched(cast, wang, lab, {"quotas": [quota(3 * 60)]}) == [
        (0, ["quota.organisation_minutes"]),
        (3, ["quota.organisation_minutes"]),
    ]
    found, _count = policy_queries.touched(wang, lab, {"quotas": [quota(8 * 60)]}, cast.now)
    assert {name: found[0].reasons[0].params[name] for name in ("used_minutes", "left_minutes", "wanted_minutes")} == {
        "used_minutes": 360, "left_minutes": 120, "wanted_minutes": 180,
    }  # fmt: skip
    ahead = quota(3, measure="count", period="ahead", subject="person")
    assert touched(cast, wang, lab, {"quotas": [ahead]}) == [(4, ["quota.person_count_ahead"])]


def test_what_was_used_counts_and_what_was_given_up_does_not(cast, wang, lab, slot):
    used = ask(cast, slot(9, 11), key="k0").reservation_id
    gone = ask(cast, slot(12, 14), key="k1").reservation_id
    ask(cast, slot(9, 11, 1), key="k2")
    transitions.approve(wang, used, cast.now)
    transitions.check_in(wang, used, slot(9, 11).starts_at)
    transitions.check_out(wang, used, slot(9, 11).ends_at)
    that_evening, said = slot(19, 20).starts_at, {"quotas": [quota(3 * 60)]}
    assert touched(cast, wang, lab, said, that_evening) == [(2, ["quota.organisation_minutes"])]
    Reservation.objects.filter(pk=gone).update(state="cancelled")
    assert touched(cast, wang, lab, {"quotas": [quota(4 * 60)]}, that_evening) == []


def test_a_quota_that_was_broken_before_or_does_not_count_the_time_touches_nothing(cast, wang, lab, slot):
    for place, first in enumerate((9, 12)):
        ask(cast, slot(first, first + 2), key=f"k{place}")
    morning = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 0, "until_minute": 720}
    at_peak = {"quotas": [quota(60, peak_only=True)], "peak": [morning]}
    assert touched(cast, wang, lab, at_peak) == [(0, ["quota.organisation_minutes"])]
    always = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 0, "until_minute": 1440}
    assert touched(cast, wang, lab, {"quotas": [quota(60)], "unlimited": [always]}) == []
    policies.say(wang, lab, {"quotas": [quota(180)]}, cast.now)
    assert touched(cast, wang, lab, {"quotas": [quota(150)]}) == [], "it breaks the old rule as well"
    assert touched(cast, wang, lab, {"quotas": [quota(110)]}) == [(0, ["quota.organisation_minutes"])]
