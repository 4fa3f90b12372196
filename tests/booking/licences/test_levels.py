"""Which licence each mode of service needs, at any time and in those that are only for the licensed, wherever the rules are asked."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import translation

from booking.licence_queries import gaps_ahead, without_licence
from booking.models import InstrumentAssistant, Licence, Occupancy, Reservation
from booking.queries import inbox
from booking.queries import policies as queries
from booking.queries.eligibility import Shown, eligibility_of
from booking.queries.finding import find_earliest
from booking.rules.eligibility import Outcome
from booking.rules.series import SeriesRule
from booking.rules.time_search import TimeSearch
from booking.rules.week_time import WeekTime
from booking.services import (
    assistants,
    availability,
    changes,
    context,
    holds,
    licences,
    policies,
    reservations,
    self_service,
    series,
    together,
    training,
    transitions,
    waiting,
)
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.refusing import refusal_reasons
from booking.services.reservations import ReservationRequest
from booking.services.together import Bundle, Place
from config.kernel.access import Role
from config.kernel.errors import Refusal
from frontend.presenters.policy import policy_words
from instruments.models import Membership, User
from instruments.services import catalogue
from tests.concurrency.world import add_instrument

NIGHT = WeekTime((1, 2, 3, 4, 5, 6, 7), 17 * 60, 20 * 60).document()
MODES = ("self_operated", "remote", "assisted", "commissioned")


@pytest.fixture
def lab(cast):
    """``lab(licence_needed=True)``: what the lab says about all its instruments; the cast's is used in every way."""
    cast.xrd.service_modes = list(MODES)
    cast.xrd.save()

    def say(**rules):
        policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)

    return say


@pytest.fixture
def give(cast):
    def make(level, who="lin"):
        Licence.objects.filter(person=cast.users[who]).delete()
        Licence.objects.create(
            organisation=cast.lab, person=cast.users[who], level=level, origin="manual", granted_at=cast.now,
            granted_by=cast.users["wang"], changed_at=cast.now,
        )  # fmt: skip

    return make


@pytest.fixture
def hu(cast):
    """Hu was named to assist."""
    cast.users["hu"] = User.objects.create(email="hu@example.org", full_name="Hu", password="!", language="en")
    Membership.objects.create(user=cast.users["hu"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    return assistants.name(cast.actor("wang"), cast.xrd.pk, cast.users["hu"].pk, cast.now)


def book(cast, during, mode, who="lin"):
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, mode)
    pk = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=str(uuid4())).reservation_id
    return Reservation.objects.get(pk=pk)


def against(cast, during, mode):
    """What a request of Lin's is refused for."""
    loaded = context.load(cast.actor("lin"), cast.xrd.pk, lock=False)
    return [one.code for one in refusal_reasons(loaded, cast.users["lin"].pk, cast.firm, during, mode, cast.now)]


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return [reason.code for reason in caught.value.reasons]


# --- Booking --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("mode", "code"), [
    ("self_operated", ["booking.licence_needed"]), ("remote", ["booking.licence_needed"]), ("assisted", []), ("commissioned", []),
])  # fmt: skip
def test_who_operates_it_there_or_from_elsewhere_needs_the_licence(cast, lab, give, slot, mode, code):
    lab(licence_needed=True)
    assert against(cast, slot(9, 10), mode) == code
    give("assisted")
    assert against(cast, slot(9, 10), mode) == code
    give("self")
    assert book(cast, slot(9, 10), mode).state == "requested"


def test_a_lab_may_ask_for_the_assisted_level_and_higher_ones_include_it(cast, lab, give, slot):
    lab(assisted_licence_needed=True)
    assert [against(cast, slot(9, 10), mode) for mode in MODES] == [[], [], ["booking.assisted_licence_needed"], []]
    for level in ("assisted", "self", "off_hours"):
        give(level)
        assert against(cast, slot(9, 10), "assisted") == []


def test_the_night_is_for_the_licensed_in_every_mode_in_which_they_are_there_or_operate_it(cast, lab, give, slot):
    lab(licensed_times=[NIGHT])
    late = slot(16, 18)
    expected = [["booking.off_hours_licence"], ["booking.off_hours_licence"], ["booking.off_hours_assisted"], []]
    for level in ("assisted", "self"):
        assert [against(cast, late, mode) for mode in MODES] == expected
        give(level)
    assert [against(cast, slot(15, 17), mode) for mode in MODES] == [[]] * 4
    give("off_hours")
    assert [against(cast, late, mode) for mode in MODES] == [[]] * 4


def test_at_night_somebody_of_the_lab_beside_them_does_for_the_licence(cast, lab, slot, hu):
    lab(licensed_times=[NIGHT])
    reservation = book(cast, slot(18, 19), "assisted")
    assert Occupancy.objects.filter(reservation=reservation, source="assistance").exists()
    assert against(cast, slot(18, 19), "assisted") == ["booking.nobody_assists"]  # Hu has this one
    assert against(cast, slot(17, 18), "remote") == ["booking.off_hours_licence"]
    transitions.approve(cast.actor("wang"), reservation.pk, cast.now)
    assert not without_licence([reservation], cast.now)
    self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at)
    assert Reservation.objects.get().state == "in_use"


# --- Everywhere alike -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rules", "mode", "code", "level"), [
    ({"licence_needed": True}, "remote", "booking.licence_needed", "self"),
    ({"assisted_licence_needed": True}, "assisted", "booking.assisted_licence_needed", "assisted"),
    ({"licensed_times": [NIGHT]}, "assisted", "booking.off_hours_assisted", "off_hours"),
])  # fmt: skip
def test_it_is_asked_wherever_a_time_is_asked_for_or_shown(cast, lab, give, slot, rules, mode, code, level):
    lin, during, now = cast.actor("lin"), slot(17, 18), cast.now
    catalogue.refresh_instruments([cast.xrd.pk], now)
    availability.rebuild([cast.xrd.calendar_id], now)
    moving = book(cast, slot(18, 19), mode)
    lab(**rules)
    starts = during.starts_at.replace(tzinfo=None) + timedelta(hours=8)
    rule = SeriesRule(starts, starts + timedelta(hours=1), count=2)
    wish = series.Wish(cast.xrd.pk, cast.firm.pk, rule, mode)
    beside = add_instrument(cast, "Second XRD")
    bundle = Bundle(cast.firm.pk, (Place(cast.xrd.pk, during, mode), Place(beside.pk, slot(9, 10), beside.service_modes[0])))
    change = ChangeRequest(moving.pk, during)

    def shown():
        """What find-a-time says of it, and what "try as somebody" does."""
        day = during.starts_at.date()
        rows = find_earliest(lin, TimeSearch(60, day, day, service_mode=mode), now, 5, customer=cast.firm).rows
        (told,) = eligibility_of(lin, cast.firm, [Shown(row, 100) for row in rows if row.instrument == cast.xrd], mode, now)
        (somebody,) = [one for one in queries.people_of(cast.actor("wang"), cast.lab.pk) if one.person_id == cast.users["lin"].pk]
        tried = queries.tried(cast.actor("wang"), cast.xrd.pk, somebody, during, mode, now, lambda *_: 100)
        return told, [one.code for one in tried.against]

    def said():
        """What a series and several instruments say of it."""
        of_series = [one.code for one in series.report(lin, wish, now).rows[0].verdict.reasons]
        return of_series, [one.code for one in together.report(lin, bundle, now).rows[0].verdict.reasons]

    if code != "booking.off_hours_assisted":  # the earliest time of a day is no time of the night
        told, tried = shown()
        assert (told.outcome, [one.code for one in told.reasons]) == (Outcome.TRAINING, [code])
        assert rows_training(cast, during, mode)
        assert tried == [code]
    assert said() == ([code], [code])
    assert refused(lambda: book(cast, during, mode)) == [code]
    assert refused(lambda: holds.hold(lin, cast.xrd.pk, during, now, cast.firm.pk, mode)) == [code]
    waits = waiting.join(lin, waiting.Wish(cast.xrd.pk, cast.firm.pk, during, 60, mode), now).pk
    assert waiting.offer_free_time(now) == 0
    assert refused(lambda: changes.change(lin, change, now, idempotency_key="m")) == [code]
    (pending,) = inbox.inbox(cast.actor("wang"), now).rows
    assert inbox.Risk.UNTRAINED in pending.risks
    assert without_licence([moving], now) == {moving.pk} == set(gaps_ahead(now, during.ends_at + timedelta(days=1), 10))
    give(level)
    assert said() == ([], [])
    assert waiting.offer_free_time(now) == 1
    waiting.decline(lin, waits, now)
    assert changes.change(lin, change, now, idempotency_key="n").state == "made"
    (pending,) = inbox.inbox(cast.actor("wang"), now).rows
    assert inbox.Risk.UNTRAINED not in pending.risks


def rows_training(cast, during, mode):
    day = during.starts_at.date()
    rows = find_earliest(cast.actor("lin"), TimeSearch(60, day, day, service_mode=mode), cast.now, 5, customer=cast.firm).rows
    return all(row.training_needed(mode) for row in rows if row.instrument == cast.xrd)


@pytest.mark.parametrize(("rules", "mode", "level"), [
    ({"licence_needed": True}, "remote", "self"),
    ({"assisted_licence_needed": True}, "assisted", "assisted"),
    ({"licensed_times": [NIGHT]}, "assisted", "off_hours"),
])  # fmt: skip
def test_who_comes_without_it_does_not_start_and_the_lab_gives_a_reason(cast, lab, give, slot, rules, mode, level):
    pks = [book(cast, slot(first, first + 1), mode).pk for first in (17, 18)]
    for pk in pks:
        transitions.approve(cast.actor("wang"), pk, cast.now)
    lab(**rules)
    first, second = Reservation.objects.order_by("starts_at")
    assert refused(lambda: self_service.start(cast.actor("lin"), first.pk, [], first.starts_at)) == ["licence.needed_to_start"]
    assert refused(lambda: transitions.check_in(cast.actor("wang"), first.pk, first.starts_at)) == ["licence.check_in_refused"]
    transitions.check_in(cast.actor("wang"), first.pk, first.starts_at, "Hu stands beside them")
    transitions.check_out(cast.actor("wang"), first.pk, first.ends_at)
    give(level)
    self_service.start(cast.actor("lin"), second.pk, [], second.starts_at)
    assert licences.lacks_licence(second, cast.users["he"].pk, second.starts_at)


def test_a_change_of_the_rules_says_which_bookings_of_every_mode_lack_the_licence(cast, lab, slot, hu):
    lab()
    remote, assisted, late = (
        book(cast, slot(*hours), mode).pk for hours, mode in (((9, 10), "remote"), ((10, 11), "assisted"), ((18, 19), "assisted"))
    )

    def touched(**rules):
        found, _count = queries.touched(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)
        return {one.reservation.pk: [reason.code for reason in one.reasons] for one in found}

    assert touched(licence_needed=True) == {remote: ["booking.licence_needed"]}
    assert touched(assisted_licence_needed=True) == {pk: ["booking.assisted_licence_needed"] for pk in (assisted, late)}
    assert touched(licensed_times=[NIGHT]) == {}
    InstrumentAssistant.objects.all().delete()
    assert touched(licensed_times=[NIGHT]) == {late: ["booking.off_hours_assisted"]}


# --- Said -----------------------------------------------------------------------------------------------------------------
def test_a_course_for_assisted_use_that_is_required_asks_it_of_who_is_assisted(cast, slot):
    fields = {"title": "First steps", "title_en": "", "description": "", "instrument_ids": (cast.xrd.pk,), "require": True}
    training.create_course(cast.actor("wang"), cast.lab.pk, training.CourseFields(level="assisted", **fields), cast.now)
    cast.xrd.refresh_from_db()
    assert cast.xrd.policy.rules == {"assisted_licence_needed": True}
    assert against(cast, slot(9, 10), "assisted") == ["booking.assisted_licence_needed"]


def test_the_rules_say_it_in_a_sentence(cast, lab):
    lab(assisted_licence_needed=True, licence_needed=True)
    cast.xrd.refresh_from_db()
    with translation.override("en"):
        text = " ".join(map(str, policy_words(policies.policy_of(cast.xrd.policy))))
    assert "To be assisted you need the lab's licence for that; one to work alone counts too." in text
    assert "To operate it, there or remotely, you need the lab's licence." in text
