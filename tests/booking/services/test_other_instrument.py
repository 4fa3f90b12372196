"""A booking goes to another instrument of its lab: by that one's rules and prices, with both places kept until the customer's yes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError

from billing.ledger.models import Account
from billing.pricing.models import PriceVersion
from billing.settlement.models import Quote
from booking.models import DayAvailability, InstrumentPolicy, Occupancy, Reservation, ReservationChange
from booking.queries.downtimes import preview
from booking.rules.downtime import Choice, DowntimeKind
from booking.services import availability, changes, downtimes, transitions
from booking.services.changes import ChangeRequest
from booking.services.downtimes import Decision, Outage
from config.kernel.access import Role
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.models import AuditEntry
from instruments.models import Instrument, Membership, Notice, User
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import catalogue, schedule_store
from tests.booking.services.test_changes import at, codes, held
from tests.booking.services.test_reservation_flow import ask
from tests.conftest import PRICE


@pytest.fixture
def other(cast):
    """``other()``: a second instrument of the lab, of the same class, always open; ``dear`` costs a hundred times as much."""

    def make(name="Second XRD", owner=None, dear=False):
        calendar_id = schedule_store.create_calendar(name)
        weekly = Recurrence(frequency="weekly", interval=1, weekdays=(0, 1, 2, 3, 4), until=None, count=None)
        start = datetime(2025, 1, 6, 8, 0)
        schedule_store.add_entry(
            calendar_id, cast.site.time_zone, CalendarEntry(EntryKind.OPENING, start, start.replace(hour=20), weekly)
        )
        made = Instrument.objects.create(
            organisation=owner or cast.lab, site=cast.site, calendar_id=calendar_id, name=name, class_code=cast.xrd.class_code,
            service_modes=["self_operated"], created_at=cast.now, updated_at=cast.now,
        )  # fmt: skip
        rates = dict.fromkeys(PRICE["rates"], "40000") if dear else PRICE["rates"]
        price = {"effective_from": date(2025, 1, 1), "published_at": cast.now}
        PriceVersion.objects.create(instrument=made, document={**PRICE, "rates": rates}, **price)
        catalogue.refresh_instruments([made.pk], cast.now)
        availability.rebuild([calendar_id], cast.now)
        return made

    return make


@pytest.fixture
def approved(cast, programmes, slot):
    reserved = ask(cast, slot(9, 12))
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    return reserved


def to(cast, reserved, during, instrument, who="wang", key="m1", **more):
    more.setdefault("reason", "The tube is weak")
    request = ChangeRequest(reserved.reservation_id, during, instrument_id=instrument.pk, **more)
    return changes.change(cast.actor(who), request, cast.now, idempotency_key=key)


def test_the_customer_is_asked_and_both_places_are_kept_until_the_yes(cast, approved, other, slot):
    second = other()
    before = held()
    change = to(cast, approved, slot(9, 12), second)
    assert change.state == "open" and at(approved).instrument == cast.xrd
    told = Notice.objects.get(event="reservation.change_proposed_to_customer")
    assert told.params["new_instrument"] == "Second XRD"
    request = changes.ReservationChange.objects.get(pk=change.change_id)
    assert (request.from_instrument, request.instrument) == (cast.xrd, second)
    for instrument in (cast.xrd, second):
        kept = Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True)
        assert [one.during.lower for one in kept] == [slot(9, 12).starts_at], "both are kept"
    changes.accept(cast.actor("lin"), change.change_id, cast.now)
    moved = at(approved)
    assert (moved.instrument, moved.during, moved.state, held()) == (second, slot(9, 12), "approved", before)
    assert Notice.objects.filter(event="reservation.moved", params__old_instrument=cast.xrd.name).exists()
    assert ask(cast, slot(9, 12), who="he", firm=cast.other_firm, key="k2").state == "requested", "the old place is free"
    noted = AuditEntry.objects.filter(action="reservation.move").latest("pk")
    assert noted.after["instrument"] == str(second.pk)
    found = {name: check().violations for name, check in registered().items() if name.startswith("booking.")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert not DayAvailability.objects.filter(calendar_id=second.calendar_id, free__contains=slot(9, 12).starts_at).exists()


def test_it_is_moved_at_once_when_the_customer_agreed_and_used_and_charged_there(cast, approved, other, slot):
    second = other()
    assert to(cast, approved, slot(10, 12), second, agreed=True).state == "made"
    start = slot(10, 12).starts_at
    transitions.check_in(cast.actor("wang"), approved.reservation_id, start)
    transitions.check_out(cast.actor("wang"), approved.reservation_id, start + timedelta(hours=2))
    assert Quote.objects.filter(reservation_id=approved.reservation_id).latest("revision").gross_fen == 800_00
    with pytest.raises(Refusal) as refused:
        to(cast, approved, slot(10, 12), cast.xrd, key="m2", agreed=True)
    assert codes(refused) == ["booking.illegal_transition"]


def test_what_is_in_the_way_there_is_said_and_nothing_is_lost(cast, approved, other, slot):
    second, foreign = other(), other("Elsewhere", owner=cast.other_firm)
    InstrumentPolicy.objects.create(instrument=second, max_minutes=60)
    transitions.approve(
        cast.actor("wang"), ask(cast, slot(14, 16), who="he", firm=cast.other_firm, key="k2").reservation_id, cast.now
    )
    third = other("Third XRD")
    busy = ReservationChange.objects.count()
    taken = at(ask(cast, slot(16, 17), who="he", firm=cast.other_firm, key="k3"))
    changes.change(
        cast.actor("wang"),
        ChangeRequest(taken.pk, slot(9, 10), "so", True, instrument_id=third.pk),
        cast.now,
        idempotency_key="x",
    )
    with pytest.raises(Conflict) as gone:
        to(cast, approved, slot(9, 12), third, agreed=True)
    assert codes(gone) == ["booking.just_taken"] and gone.value.extra["alternatives"][0][0].startswith("2026-11-25T")
    with pytest.raises(Refusal) as refused:
        to(cast, approved, slot(9, 12), foreign, agreed=True)
    assert codes(refused) == ["change.instrument_of_lab"]
    with pytest.raises(Refusal) as refused:
        to(cast, approved, slot(9, 12), third, who="lin")
    assert codes(refused) == ["change.instrument_of_lab"], "only the lab chooses it"
    Instrument.objects.filter(pk=third.pk).update(service_modes=["sample_job"])
    with pytest.raises(Refusal) as refused:
        to(cast, approved, slot(18, 20), third, agreed=True)
    assert codes(refused) == ["booking.service_mode_unknown"]
    with pytest.raises(NotFound):
        to(cast, approved, slot(9, 12), Instrument(pk=987654), agreed=True)
    assert (at(approved).instrument, at(approved).during) == (cast.xrd, slot(9, 12))
    assert ReservationChange.objects.count() == busy + 1


def test_nothing_becomes_dearer_there_without_the_customers_own_yes(cast, approved, other, slot, client):
    dear = other(dear=True)
    with pytest.raises(Conflict) as refused:
        to(cast, approved, slot(9, 12), dear, agreed=True)
    assert codes(refused) == ["change.dearer"]
    client.force_login(cast.users["wang"])
    body = {"starts_at": slot(9, 12).starts_at.isoformat(), "ends_at": slot(9, 12).ends_at.isoformat(), "instrument": dear.pk}
    looked = client.post(f"/api/v1/reservations/{approved.reservation_id}/changes/look/", body, "application/json").json()
    assert (looked["before"]["gross_fen"], looked["after"]["gross_fen"], looked["dearer"]) == (1200_00, 120_000_00, True)
    assert looked["after"]["subsidy_fen"] == looked["after"]["gross_fen"] - looked["after"]["final_cost_fen"]
    assert Account.objects.filter(held_fen__gt=0).exists() and at(approved).instrument == cast.xrd


def test_the_database_keeps_a_reservation_in_its_lab_and_one_that_began_on_its_instrument(cast, approved, other, slot):
    foreign, second = other("Elsewhere", owner=cast.other_firm), other()
    rows = Reservation.objects.filter(pk=approved.reservation_id)
    with pytest.raises(DatabaseError, match="stays with its lab"), transaction.atomic():
        rows.update(instrument=foreign)
    assert rows.update(instrument=second) == 1 and rows.update(instrument=cast.xrd) == 1, "within the lab it may go"
    rows.update(state="in_use")
    with pytest.raises(DatabaseError, match="keeps its instrument"), transaction.atomic():
        rows.update(instrument=second)
    change = {
        "reservation_id": approved.reservation_id,
        "side": "lab",
        "state": "made",
        "proposed_at": cast.now,
        "answered_at": cast.now,
    }
    times = {"from_starts_at": slot(9, 10).starts_at, "from_ends_at": slot(9, 10).ends_at, "starts_at": slot(9, 10).starts_at,
             "ends_at": slot(9, 10).ends_at}  # fmt: skip
    for wrong in ({"instrument": second}, {"instrument": second, "from_instrument": second}):
        with pytest.raises(IntegrityError, match="reservation_change_of_place"), transaction.atomic():
            ReservationChange.objects.create(**change, **times, **wrong)
    ReservationChange.objects.create(**change, **times, instrument=second, from_instrument=cast.xrd)


def test_an_outage_offers_the_other_instrument_as_the_new_place(cast, approved, other, slot):
    second = other()
    during = slot(9, 18)
    shown = preview(cast.actor("wang"), cast.xrd, during, cast.now)
    (hit,) = shown.hits
    assert Choice.ANOTHER in hit.choices and hit.elsewhere.instrument == second
    place = (second.pk, hit.elsewhere.during.starts_at)
    for choice, elsewhere, became in ((Choice.ANOTHER, None, "failed"), (Choice.ANOTHER, place, "offered")):
        outage = Outage(DowntimeKind.SERVICE, during, decisions={approved.reservation_id: Decision(choice, (), elsewhere)},
                        seen=frozenset({approved.reservation_id}))  # fmt: skip
        row = downtimes.declare(cast.actor("wang"), cast.xrd.pk, outage, cast.now, idempotency_key=f"o{became}")
        assert [one.became for one in row.effects.all()] == [became]
        if became == "failed":
            downtimes.close(cast.actor("wang"), row.pk, cast.now)
    asked = ReservationChange.objects.get(state="open")
    assert (asked.instrument, asked.starts_at) == (second, hit.elsewhere.during.starts_at)
    changes.accept(cast.actor("lin"), asked.pk, cast.now)
    assert at(approved).instrument == second


def test_a_request_keeps_others_out_there_by_the_rules_of_that_place_and_is_approved_where_none_is_asked_for(cast, other, slot):
    competing = {"approval_required": True, "pending_blocks": False}
    InstrumentPolicy.objects.create(instrument=cast.xrd, **competing)
    firm, blocks, free = other("Keeps"), other("Open"), other("Competes")
    InstrumentPolicy.objects.create(instrument=firm, approval_required=True, pending_blocks=True)
    InstrumentPolicy.objects.create(instrument=blocks, approval_required=False, pending_blocks=False)
    InstrumentPolicy.objects.create(instrument=free, **competing)

    def kept():
        return Occupancy.objects.get(reservation_id=asked.reservation_id).blocking

    asked = ask(cast, slot(9, 12))
    assert not kept()
    for step, (instrument, blocking) in enumerate(((firm, True), (free, False), (firm, True))):
        assert to(cast, asked, slot(9, 12), instrument, key=f"r{step}", agreed=True).state == "made"
        assert (kept(), at(asked).state) == (blocking, "requested")
    to(cast, asked, slot(9, 12), blocks, key="last", agreed=True)
    assert (kept(), at(asked).state) == (True, "approved")


def test_an_outage_of_the_proposed_place_shows_the_proposal_and_ends_it(cast, approved, other, slot):
    second = other()
    change = to(cast, approved, slot(9, 12), second)
    planned = Outage(DowntimeKind.SERVICE, slot(8, 18))
    wang = cast.actor("wang")
    (hit,) = preview(wang, second, planned.during, cast.now).hits
    assert (hit.reservation.pk, hit.only_proposed, hit.choices) == (approved.reservation_id, True, (Choice.KEEP,))
    with pytest.raises(Conflict) as unseen:
        downtimes.declare(wang, second.pk, planned, cast.now, idempotency_key="unseen")
    assert codes(unseen) == ["downtime.others_hit"]
    keep = {approved.reservation_id: Decision(Choice.KEEP)}
    outage = Outage(DowntimeKind.SERVICE, slot(8, 18), decisions=keep, seen=frozenset(keep))
    row = downtimes.declare(wang, second.pk, outage, cast.now, idempotency_key="seen")
    assert [one.became for one in row.effects.all()] == ["kept"]
    assert ReservationChange.objects.get(pk=change.change_id).state == "withdrawn"
    assert (at(approved).instrument, at(approved).during, at(approved).state) == (cast.xrd, slot(9, 12), "approved")
    (taken,) = Occupancy.objects.filter(calendar_id=second.calendar_id, blocking=True)
    assert (taken.during.lower, taken.during.upper) == (slot(8, 9).starts_at, slot(17, 18).ends_at), "the outage has all of it"
    told = Notice.objects.filter(event="reservation.change_withdrawn").latest("pk")
    assert second.name in told.params["reason"]
    assert not Notice.objects.filter(event__contains="waits").exists(), "its own instrument works"
    downtimes.close(wang, row.pk, cast.now)
    assert not Notice.objects.filter(event__contains="works_again").exists()


def test_a_wish_of_the_labs_own_person_does_not_move_into_an_outage_that_came_meanwhile(cast, other, slot):
    second = other()
    mei = cast.users["mei"] = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=mei, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    own = ask(cast, slot(9, 12), who="wang", firm=cast.lab)
    transitions.approve(cast.actor("mei"), own.reservation_id, cast.now)
    wish = to(cast, own, slot(9, 12), second)
    assert wish.state == "open"
    outage = Outage(DowntimeKind.SERVICE, slot(8, 18), seen=frozenset({own.reservation_id}))
    downtimes.declare(cast.actor("mei"), second.pk, outage, cast.now, idempotency_key="o")
    with pytest.raises(Refusal) as refused:
        changes.accept(cast.actor("mei"), wish.change_id, cast.now)
    assert codes(refused) == ["downtime.in_the_way"] and at(own).instrument == cast.xrd
