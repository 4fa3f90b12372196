"""Commission sheets: agreed by both, frozen at issue, binding with two signatures, and evidence from then on."""

from __future__ import annotations

import io
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from PIL import Image

from billing.ledger.rules.documents import sha256_of
from billing.ordering import queries
from billing.ordering.models import CommissionReservation, CommissionSheet, CommissionSignature
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import sheets
from billing.ordering.services.sheets import SheetInput
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import OrganisationIdentifier

SCAN = b"%PDF-1.4 sealed"
AGREED = SheetInput(
    "Ten days.", "results", "Delete raw data after a year.", "both", "CMA stamp", "dispose", "Contains HF", date(2026, 12, 20)
)


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture
def booked(cast, slot):
    """A reservation of Lin (or another) on the diffractometer."""

    def make(who="lin", first=9):
        firm = cast.other_firm if who == "he" else cast.firm
        request = ReservationRequest(cast.xrd.pk, firm.pk, slot(first, first + 2), "self_operated", "salts")
        return reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=f"{who}{first}").reservation_id

    return make


def test_both_sides_fill_it_in_until_the_lab_issues_it(cast, accepted):
    sheet = accepted()
    sheets.fill(cast.actor("lin"), sheet.pk, AGREED, cast.now)
    sheets.fill(cast.actor("wang"), sheet.pk, AGREED, cast.now)
    with pytest.raises(Forbidden):
        sheets.issue(cast.actor("zhao"), sheet.pk, cast.now)
    sheets.issue(cast.actor("wang"), sheet.pk, cast.now)
    for who in ("lin", "wang"):
        with pytest.raises(Refusal) as refused:
            sheets.fill(cast.actor(who), sheet.pk, AGREED, cast.now)
        assert codes(refused) == {"commission.illegal_transition"}


def test_issuing_numbers_it_and_copies_the_parties_as_they_stand(cast, accepted):
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value="91630100MA00000151")
    cast.lab.bank_account_number = "6222 0000"
    cast.lab.save()
    sheet = accepted()
    sheets.fill(cast.actor("lin"), sheet.pk, AGREED, cast.now)
    sheet = sheets.issue(cast.actor("wang"), sheet.pk, cast.now)
    content = sheet.content
    assert (sheet.number, sheet.state, sha256_of(content)) == ("WT-2026-000001", "issued", sheet.content_sha256)
    assert (content["customer"]["code"], content["lab"]["bank_account_number"]) == ("91630100MA00000151", "6222 0000")
    assert (content["quotation"], content["sample_handling"], content["due_on"]) == ("BJ-2026-000001", "dispose", "2026-12-20")
    cast.firm.name = "Renamed"
    cast.firm.save()
    assert CommissionSheet.objects.get(pk=sheet.pk).content["customer"]["name"] == "Gaoyuan Lithium"


def test_it_is_in_force_when_both_sides_have_signed_what_they_read(cast, issued):
    sheet = issued()
    sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.in_force_at) == ("issued", None)
    sheets.sign(cast.actor("wang"), sheet.pk, sheet.content_sha256, cast.now)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.in_force_at) == ("in_force", cast.now)
    signed = {(row.side, row.name, row.method, row.content_sha256) for row in CommissionSignature.objects.all()}
    assert signed == {
        ("customer", "Zhao", "system", sheet.content_sha256),
        ("lab", "Wang", "system", sheet.content_sha256),
    }


def test_only_who_may_bind_a_side_signs_once_and_only_what_was_read(cast, issued):
    sheet = issued()
    for who in ("lin", "li"):
        with pytest.raises(Forbidden) as refused:
            sheets.sign(cast.actor(who), sheet.pk, sheet.content_sha256, cast.now)
        assert codes(refused) == {"commission.not_signatory"}
    with pytest.raises(Conflict) as refused:
        sheets.sign(cast.actor("zhao"), sheet.pk, "0" * 64, cast.now)
    assert codes(refused) == {"commission.content_differs"}
    sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)
    assert codes(refused) == {"commission.signed_already"}


def test_a_sealed_scan_counts_as_the_signature_of_who_hands_it_in(cast, issued):
    sheet = issued()
    out = io.BytesIO()
    Image.new("RGB", (40, 60), "white").save(out, "JPEG")
    sheets.hand_in_scan(cast.actor("wang"), sheet.pk, SCAN, cast.now)
    sheet = sheets.hand_in_scan(cast.actor("zhao"), sheet.pk, out.getvalue(), cast.now)
    assert sheet.state == "in_force"
    for who in ("lin", "wang", "wu"):
        stored, content = queries.scan_for(cast.actor(who), sheet.pk, "lab")
        assert content == SCAN
    row = CommissionSignature.objects.get(side="lab")
    assert (row.method, row.scan_sha256) == ("scan", stored.sha256)
    with pytest.raises(NotFound):
        queries.scan_for(cast.actor("he"), sheet.pk, "lab")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "upload.empty"), (b"MZ", "upload.unknown_type"), (b"\x89PNG\r\n\x1a\nx", "upload.unreadable_image")],
)
def test_what_is_no_scan_signs_nothing(cast, issued, content, code):
    sheet = issued()
    with pytest.raises(Refusal) as refused:
        sheets.hand_in_scan(cast.actor("zhao"), sheet.pk, content, cast.now)
    assert codes(refused) == {code}
    assert not CommissionSignature.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_commissionsheet SET content = '{}'",
        "UPDATE billing_commissionsheet SET total_fen = 1",
        "UPDATE billing_commissionsheet SET terms = 'x'",
        "UPDATE billing_commissionsheet SET state = 'draft'",
        "UPDATE billing_commissionsheet SET state = 'cancelled'",
        "UPDATE billing_commissionsheet SET in_force_at = NULL",
        "UPDATE billing_commissionsheet SET reason = 'x'",
        "DELETE FROM billing_commissionsheet",
        "UPDATE billing_commissionsignature SET name = 'x'",
        "DELETE FROM billing_commissionsignature",
        "DELETE FROM billing_commissionreservation",
        "UPDATE billing_commissionreservation SET linked_at = now()",
        "TRUNCATE billing_commissionsignature",
    ],
)
def test_what_both_sides_signed_cannot_be_changed_by_whoever_writes(cast, in_force, booked, statement):
    sheet = in_force()
    sheets.link(cast.actor("lin"), sheet.pk, booked(), cast.now)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_issued_sheet_keeps_its_content_too(issued):
    issued()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_commissionsheet SET title = 'x'")


def test_either_side_cancels_with_a_reason_before_both_have_signed_and_not_after(cast, issued, in_force):
    sheet = issued()
    with pytest.raises(Refusal) as refused:
        sheets.cancel(cast.actor("lin"), sheet.pk, " ", cast.now)
    assert codes(refused) == {"commission.reason_missing"}
    assert sheets.cancel(cast.actor("lin"), sheet.pk, "No samples", cast.now).state == "cancelled"
    signed = in_force()
    with pytest.raises(Refusal) as refused:
        sheets.cancel(cast.actor("wang"), signed.pk, "x", cast.now)
    assert codes(refused) == {"commission.illegal_transition"}
    assert sheets.finish(cast.actor("wang"), signed.pk, cast.now).state == "finished"


def test_reservations_of_the_two_sides_are_attached_by_either_once(cast, accepted, booked):
    sheet = accepted("lin", LineInput("instrument_time", "4", cast.xrd.pk))
    first, second = booked(), booked(first=12)
    sheets.link(cast.actor("lin"), sheet.pk, first, cast.now)
    sheets.link(cast.actor("wang"), sheet.pk, second, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.link(cast.actor("wang"), sheet.pk, second, cast.now)
    assert codes(refused) == {"commission.linked_already"}
    sheets.unlink(cast.actor("lin"), sheet.pk, second, cast.now)
    assert [row.reservation_id for row in CommissionReservation.objects.all()] == [first]
    assert [each.pk for each in queries.linkable_reservations(cast.actor("lin"), sheet)] == [second]
    assert AuditEntry.objects.filter(action="commission.unlink").count() == 1


def test_somebody_elses_reservation_does_not_belong_here(cast, issued, booked):
    sheet, foreign = issued(), booked("he", 15)
    with pytest.raises(NotFound):
        sheets.link(cast.actor("lin"), sheet.pk, foreign, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.link(cast.actor("wang"), sheet.pk, foreign, cast.now)  # the lab sees both
    assert codes(refused) == {"commission.other_parties"}


def test_after_both_have_signed_reservations_are_added_and_not_taken_off(cast, in_force, booked):
    sheet, pk = in_force(), booked()
    sheets.link(cast.actor("lin"), sheet.pk, pk, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.unlink(cast.actor("lin"), sheet.pk, pk, cast.now)
    assert codes(refused) == {"commission.illegal_transition"}


def test_others_find_no_sheet_and_supervisors_find_it_as_evidence(cast, issued, in_force):
    waiting, signed = issued(), in_force()
    for who in ("he", "zhou"):
        with pytest.raises(NotFound):
            queries.sheet_for(cast.actor(who), signed.pk)
    for who in ("chen", "qian", "wu"):
        assert queries.sheet_for(cast.actor(who), signed.pk).pk == signed.pk
        with pytest.raises(NotFound):
            queries.sheet_for(cast.actor(who), waiting.pk)
        with pytest.raises(Forbidden):
            sheets.finish(cast.actor(who), signed.pk, cast.now)


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        (SheetInput(confidentiality="top"), "confidentiality", "commission.choice_unknown"),
        (SheetInput(report_form=""), "report_form", "commission.choice_unknown"),
        (SheetInput(sample_handling="eat"), "sample_handling", "commission.choice_unknown"),
        (SheetInput(sample_note="x" * 501), "sample_note", "name.too_long"),
        (SheetInput(due_on=date(2026, 11, 22)), "due_on", "commission.due_in_the_past"),
    ],
)
def test_bad_input_is_named_at_its_field(cast, accepted, given, field, code):
    with pytest.raises(Refusal) as refused:
        sheets.fill(cast.actor("lin"), accepted().pk, given, cast.now)
    assert [(reason.field, reason.code) for reason in refused.value.reasons] == [(field, code)]
