"""Every row x every role, for the models whose rows the world of the addresses has: what each role may see, no more and no less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from billing.models import (
    BookingFee,
    CommissionCharge,
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    FeeRelief,
    PriceVersion,
    QuotationLine,
)
from booking.models import (
    AccessListEntry,
    CourseScope,
    CreditRules,
    Delegation,
    DowntimeEffect,
    EnquiryMessage,
    EnquirySeen,
    ImportedBooking,
    LabEntry,
    LicenceGap,
    PolicyLayer,
    RejectReason,
    RequestDecision,
    ReservationChange,
    SampleDay,
    SampleParcel,
    SuggestedTime,
    TrainingCourse,
)
from config.kernel.access import NOBODY as VISITOR
from config.kernel.access import visible_to
from instruments.models import SpendingRules
from instruments.queries import actor_for
from tests.access import world_rows
from tests.access.rows import ROWS, Rows
from tests.access.world import ROLES, World
from tests.turns import in_turns

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def full(world: World, django_db_blocker: Any) -> Iterator[World]:
    """The world, with what no address of the matrix has needed of both sides so far: once for the tests of a module."""
    with django_db_blocker.unblock(), transaction.atomic():
        _complete(world)
        connection.check_constraints()
        world.actors = {role: VISITOR if (one := world.person(role)) is None else actor_for(one) for role in ROLES}
        yield world
        transaction.set_rollback(True)


def _complete(world: World) -> None:
    cast, now = world.cast, world.cast.now
    sides = ((cast.lab, cast.xrd, cast.users["lin"], cast.users["wang"]),
             (world.other_lab, world.other_instrument, cast.users["he"], cast.users["bo"]))  # fmt: skip
    for place, (lab, instrument, asker, manager) in enumerate(sides):
        SpendingRules.objects.create(organisation=lab)
        CreditRules.objects.create(organisation=lab, document={}, changed_by=manager, changed_at=now)
        PolicyLayer.objects.create(organisation=lab, class_code="010301", changed_at=now, changed_by=manager)
        message = EnquiryMessage.objects.get(pk=_first_message(world, place))
        EnquirySeen.objects.create(enquiry_id=message.enquiry_id, user=asker, message=message)
        gone = TrainingCourse.objects.create(
            organisation=lab, title="Gone", level="self", active=False, created_by=manager, created_at=now
        )
        CourseScope.objects.create(course=gone, instrument=instrument)
        LicenceGap.objects.create(reservation_id=world.objects["reservation:approved"][place], told_at=now)
        _decided(lab, world.objects["reservation:approved"][place], asker, manager, now)
        _left_unused(world, place, instrument, now)
        _out_of_service(world, place, now)
        _sent(world, place, world.objects["test_item"][place], manager, now)
        _charged_by_order(world, place, manager, now)
        for kind, sheet in (("requested", "draft"), ("approved", "signed")):
            CommissionReservation.objects.create(
                sheet_id=world.objects[f"commission:{sheet}"][place],
                reservation_id=world.objects[f"reservation:{kind}"][place],
                linked_by=manager,
                linked_at=now,
            )
    CreditRules.objects.create(organisation=None, document={}, changed_by=cast.users["zhou"], changed_at=now)
    for customer, person in ((cast.firm, cast.users["lin"]), (cast.other_firm, cast.users["he"])):
        for about in ({"customer": customer}, {"person": person}):
            AccessListEntry.objects.create(verdict="deny", reason="x", created_by=cast.users["zhou"], created_at=now, **about)
    world_rows.build(world, now)


def _left_unused(world: World, place: int, instrument: Any, now: datetime) -> None:
    """A fee of which a part falls away, and where a booking came from."""
    left, used = (world.objects[f"reservation:{kind}"][place] for kind in ("approved", "requested"))
    later = now + timedelta(hours=1)
    version = PriceVersion.objects.order_by("pk")[0]
    figures = {"gross_fen": 100, "deducted_fen": 0, "refunded_fen": 0, "payable_now_fen": 100, "final_cost_fen": 100}
    frozen = {"estimate": False, "inputs": {}, "inputs_sha256": "", "result": {}, "engine_version": 1, "created_at": now}
    fee = BookingFee.objects.create(
        reservation_id=left, kind="no_show", price_version=version, calendar_id=instrument.calendar_id, starts_at=now, ends_at=later,
        **figures, **frozen,
    )  # fmt: skip
    said = {"inputs": {}, "inputs_sha256": "", "result": {}, "created_at": now}
    FeeRelief.objects.create(fee=fee, cause="taken_again", used_by_id=used, amount_fen=50, **said)
    ImportedBooking.objects.create(
        reservation_id=left,
        organisation=instrument.organisation,
        line=1,
        source_key="1",
        source_starts_at=now,
        source_ends_at=later,
    )
    LabEntry.objects.create(reservation_id=left, entered_by=world.cast.users["wang"], entered_at=now)


def _out_of_service(world: World, place: int, now: datetime) -> None:
    reservation_id = world.objects["reservation:approved"][place]
    DowntimeEffect.objects.create(
        downtime_id=world.objects["downtime"][place], reservation_id=reservation_id, choice="keep", became="kept", at=now
    )


def _sent(world: World, place: int, item: int, manager: Any, now: datetime) -> None:
    """A parcel, a day on which samples are measured, and the commissions to which they belong."""
    asked, reported = (world.objects[kind][place] for kind in ("sample_job", "sample_job:reported"))
    SampleParcel.objects.create(job_id=asked, direction="to_lab", carrier="x", number="1", noted_by=manager, noted_at=now)
    SampleDay.objects.create(job_id=asked, resource_id=item, day=now.date(), samples=1)
    for kind, job in (("draft", asked), ("signed", reported)):
        sheet = world.objects[f"commission:{kind}"][place]
        CommissionSampleJob.objects.create(sheet_id=sheet, sample_job_id=job, linked_by=manager, linked_at=now)


def _charged_by_order(world: World, place: int, manager: Any, now: datetime) -> None:
    """A line of a commission that was charged, whatever may be charged of it."""
    sheet = CommissionSheet.objects.get(pk=world.objects["commission:signed"][place])
    line = QuotationLine.objects.filter(quotation_id=sheet.quotation_id).earliest("pk")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        CommissionCharge.objects.create(
            sheet=sheet,
            line=line,
            session_extra_id=world.objects["session_extra"][place],
            quantity=1,
            charged_by=manager,
            charged_at=now,
        )
        cursor.execute("SET LOCAL session_replication_role = origin")


def _decided(lab: Any, reservation_id: int, absent: Any, manager: Any, now: datetime) -> None:
    """What a lab's inbox keeps."""
    later = now + timedelta(days=1)
    Delegation.objects.create(organisation=lab, manager=absent, deputy=manager, starts_at=now, ends_at=later, created_at=now)
    RejectReason.objects.create(organisation=lab, place=0, text="x")
    RequestDecision.objects.create(
        reservation_id=reservation_id, action="approve", decided_by=manager, decided_at=now, final_at=now, told_at=now
    )
    change = ReservationChange.objects.filter(reservation__instrument__organisation=lab).order_by("pk")[0]
    SuggestedTime.objects.create(change=change, starts_at=now, ends_at=later)


def _first_message(world: World, place: int) -> int:
    return (
        EnquiryMessage.objects.filter(enquiry_id=world.objects["enquiry"][place]).order_by("pk").values_list("pk", flat=True)[0]
    )


def rows_of(world: World, label: str, rows: Rows, ours: bool) -> list[int]:
    if not rows.side:
        return list(apps.get_model(label)._default_manager.filter(**rows.where).values_list("pk", flat=True)) if ours else []
    office = world.cast.office if ours else world.other_office
    pair = (world.cast.lab, world.cast.firm, office) if ours else (world.other_lab, world.cast.other_firm, office)
    found = apps.get_model(label)._default_manager.filter(**rows.where, **{f"{rows.side}__in": [one.pk for one in pair]})
    return list(found.distinct().values_list("pk", flat=True))


def faults_of(world: World, label: str) -> list[str]:
    """One sentence for each set of rows of which somebody sees too much or too little."""
    faults, everything = [], apps.get_model(label)._default_manager.all()
    seen = {role: set(visible_to(everything, actor).values_list("pk", flat=True)) for role, actor in world.actors.items()}
    for rows in ROWS[label]:
        for ours, may in ((True, rows.ours), (False, rows.theirs)):
            wanted = set(rows_of(world, label, rows, ours))
            faults += [
                f"{role} sees {sorted(wanted & seen[role])} of {sorted(wanted)}, {'ours' if ours else 'theirs'} {rows.where}"
                for role in ROLES
                if not ((wanted <= seen[role]) if role in may else wanted.isdisjoint(seen[role]))
            ]
    return faults


@pytest.mark.parametrize("label", sorted(ROWS))
def test_each_role_sees_its_part_of_the_rows(full, label):
    assert faults_of(full, label) == []


@pytest.mark.parametrize("label", sorted(ROWS))
def test_every_row_is_said_to_be_somebodys_once_and_both_sides_have_some(full, label):
    said = [(rows, ours, rows_of(full, label, rows, ours)) for rows in ROWS[label] for ours in (True, False)]
    assert all(found for rows, ours, found in said if ours or rows.side)
    times = Counter(pk for _rows, _ours, found in said for pk in found)
    assert times == Counter(apps.get_model(label)._default_manager.values_list("pk", flat=True))


@pytest.mark.parametrize("label", in_turns(sorted(ROWS), 4))
def test_without_its_scope_a_model_fails(full, monkeypatch, label):
    """Negative control: rows that everybody sees, and rows that nobody does, are noticed. In ``make test`` for each fourth model."""
    from config.kernel import access

    found = []
    for scope in (lambda rows, actor: rows, lambda rows, actor: rows.none()):
        monkeypatch.setitem(access._scopes, apps.get_model(label), scope)
        found.append(faults_of(full, label) != [])
    open_to_all = all(set(ROLES) == rows.ours == rows.theirs for rows in ROWS[label])
    assert found == [not open_to_all, True]
