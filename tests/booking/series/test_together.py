"""Several instruments at once: all or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.pricing.models import PriceVersion
from billing.settlement import together_figures
from billing.settlement.models import Quote
from billing.settlement.series_figures import expected_of
from booking.models import Reservation, ReservationGroup
from booking.services import policies, together
from booking.services.policies import Scope
from booking.services.together import Bundle, Place
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Instrument, Membership, Organisation
from instruments.services import catalogue, research_groups
from tests.booking.services.test_reservation_flow import ask
from tests.concurrency.world import add_instrument
from tests.conftest import PRICE
from tests.heads import with_head


@pytest.fixture
def sem(cast):
    return add_instrument(cast, "Electron microscope")


@pytest.fixture
def bundle(cast, sem, slot):
    """``bundle()``: the diffractometer from nine to eleven and the microscope from eleven to twelve."""

    def make(**more) -> Bundle:
        places = (Place(cast.xrd.pk, slot(9, 11), "self_operated"), Place(sem.pk, slot(11, 12), "self_operated"))
        return Bundle(cast.firm.pk, more.pop("places", places), "lithium salts", **more)

    return make


def seen(cast, bundle) -> Bundle:
    """The same with the figures that are shown for it."""
    shown = together_figures.report(cast.actor("lin"), bundle, cast.now)
    places = tuple(
        Place(one.row.place.instrument_id, one.row.place.during, one.row.place.service_mode, expected_of(one.figures))
        for one in shown.rows
    )
    return Bundle(bundle.organisation_id, places, bundle.purpose)


def book(cast, bundle, key="b1"):
    return together.ask(cast.actor("lin"), bundle, cast.now, idempotency_key=key)


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def test_all_are_asked_for_at_once_and_know_each_other(cast, programmes, bundle):
    made = book(cast, seen(cast, bundle()))
    rows = Reservation.objects.filter(group_id=made.group_id).order_by("starts_at")
    assert [(one.pk, one.state) for one in rows] == list(made.reservations)
    assert {one.purpose for one in rows} == {"lithium salts"}
    assert Quote.objects.filter(reservation__group_id=made.group_id).count() == 2
    assert book(cast, bundle()).replayed


def test_the_report_names_what_is_taken_and_nothing_is_booked_of_it(cast, programmes, bundle, slot):
    wanted = seen(cast, bundle())
    ask(cast, slot(10, 11), who="he", firm=cast.other_firm)
    first, second = together_figures.report(cast.actor("lin"), bundle(), cast.now).rows
    assert first.row.verdict.taken and first.row.verdict.instead == slot(8, 10) and second.is_possible
    with pytest.raises(Conflict) as refused:
        book(cast, wanted)
    assert codes(refused) == ["together.not_all", "booking.taken"]
    assert refused.value.extra == {"instrument": cast.xrd.pk}
    assert not ReservationGroup.objects.exists() and Reservation.objects.count() == 1


def test_a_quota_of_the_lab_counts_over_all_of_them(cast, programmes, bundle):
    quota = {"subject": "person", "measure": "count", "period": "day", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    shown = together_figures.report(cast.actor("lin"), bundle(), cast.now)
    assert [one.is_possible for one in shown.rows] == [True, False] and not shown.is_possible
    with pytest.raises(Conflict) as refused:
        book(cast, bundle())
    assert codes(refused) == ["together.not_all", "quota.person_count"]


def test_a_quota_of_one_lab_does_not_count_what_is_booked_at_another(cast, programmes, bundle, sem):
    lab = Organisation.objects.create(
        kind="owner", name="Zangbo Institute", status="verified", verified_at=cast.now, name_key="zangbo", created_at=cast.now
    )
    Membership.objects.create(user=cast.users["wang"], organisation=lab, role=Role.LAB_MANAGER, created_at=cast.now)
    Instrument.objects.filter(pk=sem.pk).update(organisation=lab)
    catalogue.refresh_instruments([sem.pk], cast.now)
    quota = {"subject": "person", "measure": "count", "period": "day", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), Scope(lab.pk), {"quotas": [quota]}, cast.now)
    shown = together_figures.report(cast.actor("lin"), bundle(), cast.now)
    assert shown.is_possible and len(book(cast, seen(cast, bundle())).reservations) == 2


def test_where_the_owner_asks_its_own_people_for_a_card_the_report_says_so(cast, programmes, bundle):
    with_head(cast)
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    own = replace(bundle(), organisation_id=cast.lab.pk)
    shown = together_figures.report(cast.actor("wang"), own, cast.now)
    assert [[reason.code for reason in one.row.verdict.reasons] for one in shown.rows] == [["card.needed"]] * 2
    assert not shown.is_possible and together_figures.report(cast.actor("lin"), bundle(), cast.now).is_possible


@pytest.fixture
def twin(cast):
    """Another instrument on the calendar of the diffractometer."""
    made = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Twin", class_code="010301",
        service_modes=["self_operated"], created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip
    PriceVersion.objects.create(instrument=made, effective_from=date(2025, 1, 1), document=PRICE, published_at=cast.now)
    catalogue.refresh_instruments([made.pk], cast.now)
    return made


def test_instruments_that_share_a_calendar_exclude_each_other(cast, programmes, bundle, twin, slot):
    places = tuple(Place(one, slot(9, 11), "self_operated") for one in (cast.xrd.pk, twin.pk))
    shown = together_figures.report(cast.actor("lin"), bundle(places=places), cast.now)
    assert [one.row.verdict.taken for one in shown.rows] == [False, True]
    with pytest.raises(Conflict) as refused:
        book(cast, bundle(places=places))
    assert codes(refused) == ["together.not_all", "booking.taken"]
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"pending_blocks": False}, cast.now)
    assert together_figures.report(cast.actor("lin"), bundle(places=places), cast.now).is_possible
    assert len(book(cast, seen(cast, bundle(places=places))).reservations) == 2


@pytest.mark.parametrize("approval", [True, False])
def test_the_figures_are_those_that_are_written(cast, programmes, bundle, approval):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": approval}, cast.now)
    wanted = seen(cast, bundle())
    made = book(cast, wanted)
    for place, (pk, _state) in zip(wanted.places, made.reservations, strict=True):
        quote = Quote.objects.filter(reservation_id=pk).latest("revision")
        assert (quote.payable_now_fen, quote.final_cost_fen) == (place.expected.payable_now_fen, place.expected.final_cost_fen)


def test_what_makes_no_sense_is_refused(cast, bundle, slot):
    one = Place(cast.xrd.pk, slot(9, 11), "self_operated")
    for places, code in (((one,), "together.how_many"), ((one, one), "together.twice")):
        with pytest.raises(Refusal) as refused:
            book(cast, bundle(places=places))
        assert codes(refused) == [code]
    with pytest.raises(NotFound):
        book(cast, bundle(places=(one, Place(10**9, slot(9, 11), "self_operated"))))
    with pytest.raises(Forbidden):
        together.ask(cast.actor("he"), bundle(), cast.now, idempotency_key="x")
