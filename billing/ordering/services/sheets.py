"""Commission sheets: filled in, issued, signed by both sides, finished. The one writer of their state; page, API and demo alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from billing.ledger.rules.documents import sha256_of
from billing.ordering.models import CommissionReservation, CommissionSheet, CommissionSignature
from billing.ordering.papers import COMMISSION
from billing.ordering.rules import content as contents
from billing.ordering.rules.numbers import Series
from billing.ordering.rules.sheets import (
    Confidentiality,
    Method,
    ReportForm,
    SampleHandling,
    SheetEvent,
    SheetState,
    next_state,
)
from billing.ordering.services import documents, mails, time_links
from billing.ordering.services.numbering import next_number
from billing.ordering.services.parties import party_of
from billing.ordering.services.quotations import REASON_LENGTH, TERMS_LENGTH, local_today
from billing.papers import codes
from billing.settlement.models import RenderState
from booking.models import Reservation
from booking.queries.enquiries import customer_contact
from booking.rules.enquiries import Side
from booking.services.enquiry_sides import own_sides, require_side
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit, files, transactions
from instruments.models import User
from instruments.rules.registry_values import clean_text
from instruments.services import uploads

NOTE_LENGTH = 500
#: Who may bind a side with a signature.
SIGNATORIES: Mapping[Side, tuple[Role, ...]] = {Side.CUSTOMER: (Role.FIRM_ADMIN,), Side.LAB: (Role.LAB_MANAGER,)}


@dataclass(frozen=True, slots=True)
class SheetInput:
    """What the two sides agree on. Codes are those of ``billing.ordering.rules.sheets``; ``due_on`` is a local day."""

    terms: str = ""
    confidentiality: str = Confidentiality.ORDINARY.value
    confidentiality_note: str = ""
    report_form: str = ReportForm.ELECTRONIC.value
    report_note: str = ""
    sample_handling: str = SampleHandling.RETURN.value
    sample_note: str = ""
    due_on: date | None = None


@transactions.whole
def fill(actor: Actor, sheet_id: int, given: SheetInput, now: datetime) -> CommissionSheet:
    """Write down what is agreed; both sides may until it is issued.

    Raises NotFound, Forbidden, Refusal ``commission.illegal_transition``, ``commission.*``, ``name.*`` with every reason.
    """
    sheet = _locked(actor, sheet_id)
    require_side(actor, sheet.organisation_id, sheet.lab_id)
    next_state(SheetState(sheet.state), SheetEvent.EDIT)
    fields = _checked(given, local_today(now))
    before = {name: str(getattr(sheet, name) or "") for name in fields}
    for name, value in fields.items():
        setattr(sheet, name, value)
    sheet.save()
    after = {name: str(value or "") for name, value in fields.items()}
    audit.record(actor, "commission.fill", sheet, now, before=before, after=after)
    return sheet


@transactions.whole
def issue(actor: Actor, sheet_id: int, now: datetime) -> CommissionSheet:
    """Number it, copy the parties and freeze it: from here on it is signed or cancelled, not changed. The lab's managers do this.

    Raises NotFound, Forbidden, Refusal ``commission.illegal_transition``.
    """
    sheet = _locked(actor, sheet_id)
    actor.require_in(sheet.lab_id, Role.LAB_MANAGER)
    state = next_state(SheetState(sheet.state), SheetEvent.ISSUE)
    today = local_today(now)
    sheet.number = next_number(Series.COMMISSION, today)
    sheet.content = codes.with_code(_content(actor, sheet, today))
    sheet.content_sha256 = sha256_of(sheet.content)
    sheet.state, sheet.issued_by_id, sheet.issued_at = state, actor.person_id, now
    sheet.save()
    codes.register(COMMISSION, sheet.pk, sheet.content, now)
    audit.record(actor, "commission.issue", sheet, now, after={"number": sheet.number, "sha256": sheet.content_sha256})
    documents.queue(sheet)
    mails.tell_sheet(sheet, "issued", Side.LAB, now)
    return sheet


def sign(actor: Actor, sheet_id: int, seen_sha256: str, now: datetime, *, side: Side | None = None) -> CommissionSheet:
    """Sign for one's side in the system: ``side``, or the first of one's own that has not signed. ``seen_sha256`` is the fingerprint of
    the content that was read. Nobody signs for both sides: a contract is between two.

    Raises NotFound, Forbidden ``commission.not_signatory``, ``commission.side_of_another``, Refusal
    ``commission.illegal_transition``, ``commission.signed_already``, ``commission.one_person``, Conflict
    ``commission.content_differs``.
    """
    return _sign(actor, sheet_id, seen_sha256, side, now, None)


def hand_in_scan(actor: Actor, sheet_id: int, content: bytes, now: datetime, *, side: Side | None = None) -> CommissionSheet:
    """Hand in the sealed paper instead: a PDF or picture, kept with its SHA-256, that binds the side that hands it in.

    Raises as ``sign`` does, and Refusal ``upload.*``.
    """
    get_visible(CommissionSheet.objects.all(), actor, pk=sheet_id)
    clean = uploads.clean_document(content)
    return _sign(actor, sheet_id, None, side, now, clean)


@transactions.whole
def cancel(actor: Actor, sheet_id: int, reason: str, now: datetime) -> CommissionSheet:
    """Call it off before both sides have signed; either side may, with a reason.

    Raises NotFound, Forbidden, Refusal ``commission.illegal_transition``, ``commission.reason_missing``, ``name.*``,
    ``commission.has_bookings``.
    """
    sheet = _locked(actor, sheet_id)
    side = require_side(actor, sheet.organisation_id, sheet.lab_id)
    state = next_state(SheetState(sheet.state), SheetEvent.CANCEL)
    if priced := time_links.priced_by(sheet):
        raise Refusal.of("commission.has_bookings", references=", ".join(priced))
    words = clean_text(reason, REASON_LENGTH, "reason", lines=True)
    if not words:
        raise Refusal.of("commission.reason_missing", "reason")
    _end(actor, sheet, SheetEvent.CANCEL, state, now, words)
    mails.tell_sheet(sheet, "cancelled", side, now)
    return sheet


@transactions.whole
def finish(actor: Actor, sheet_id: int, now: datetime) -> CommissionSheet:
    """The lab says that everything on it is done. Raises NotFound, Forbidden, Refusal ``commission.illegal_transition``."""
    sheet = _locked(actor, sheet_id)
    actor.require_in(sheet.lab_id, Role.LAB_MANAGER)
    state = next_state(SheetState(sheet.state), SheetEvent.FINISH)
    _end(actor, sheet, SheetEvent.FINISH, state, now, "")
    mails.tell_sheet(sheet, "finished", Side.LAB, now)
    return sheet


@transactions.whole
def link(actor: Actor, sheet_id: int, reservation_id: int, now: datetime) -> CommissionReservation:
    """Attach a reservation of this customer on an instrument of this lab; it belongs to one commission at most, and costs what the
    commission says its time costs.

    Raises NotFound, Forbidden, Refusal ``commission.illegal_transition``, ``commission.other_parties``, ``commission.linked_already``,
    ``commission.beyond_the_line``, ``commission.dearer``, Conflict ``card.not_enough_left``.
    """
    sheet = _locked(actor, sheet_id)
    require_side(actor, sheet.organisation_id, sheet.lab_id)
    next_state(SheetState(sheet.state), SheetEvent.LINK)
    reservation = get_visible(_to_price(), actor, pk=reservation_id)
    if (reservation.organisation_id, reservation.instrument.organisation_id) != (sheet.organisation_id, sheet.lab_id):
        raise Refusal.of("commission.other_parties", "reservation")
    if CommissionReservation.objects.filter(reservation=reservation).exists():
        raise Refusal.of("commission.linked_already", "reservation")
    made = CommissionReservation.objects.create(sheet=sheet, reservation=reservation, linked_by_id=actor.person_id, linked_at=now)
    priced = time_links.price_by(sheet, reservation, actor, now)
    audit.record(actor, "commission.link", sheet, now, after={"reservation": reservation.reference, "priced": priced})
    return made


@transactions.whole
def unlink(actor: Actor, sheet_id: int, reservation_id: int, now: datetime) -> None:
    """Take a reservation off again, until both sides have signed; it costs what the list says again. Raises NotFound, Forbidden,
    Refusal ``commission.illegal_transition``, ``commission.priced`` where that is more."""
    sheet = _locked(actor, sheet_id)
    require_side(actor, sheet.organisation_id, sheet.lab_id)
    next_state(SheetState(sheet.state), SheetEvent.UNLINK)
    row = get_visible(CommissionReservation.objects.all(), actor, sheet=sheet, reservation_id=reservation_id)
    reservation = _to_price().get(pk=reservation_id)
    time_links.price_by_list(reservation, actor, now)
    audit.record(actor, "commission.unlink", sheet, now, before={"reservation": reservation.reference})
    row.delete()


def signed_by(signatures: Iterable[CommissionSignature]) -> dict[Side, int]:
    """Which side has signed, and by whom (the person's id)."""
    return {Side(row.side): row.signed_by_id for row in signatures}


def signing_sides(actor: Actor, sheet: CommissionSheet, signed: Mapping[Side, int]) -> tuple[Side, ...]:
    """For which sides the actor may sign now, where ``signed`` says who has: one person never signs for both."""
    if actor.user_id in signed.values():
        return ()
    return tuple(side for side in _bindable(actor, sheet) if side not in signed)


def _bindable(actor: Actor, sheet: CommissionSheet) -> tuple[Side, ...]:
    return own_sides(actor, sheet.organisation_id, sheet.lab_id, SIGNATORIES)


def _chosen_side(actor: Actor, sheet: CommissionSheet, signed: Mapping[Side, int], wanted: Side | None) -> Side:
    """The side that this signature binds: ``wanted``, or the first of the actor's that has not signed. Raises what ``sign`` raises."""
    own = _bindable(actor, sheet)
    if wanted is not None and wanted not in own:
        raise Forbidden.of("commission.side_of_another", "side")
    free = [side for side in own if side not in signed and wanted in (None, side)]
    if not free:
        raise Refusal.of("commission.signed_already")
    if actor.user_id in signed.values():
        raise Refusal.of("commission.one_person")
    return free[0]


@transactions.whole
def _sign(
    actor: Actor, sheet_id: int, seen_sha256: str | None, wanted: Side | None, now: datetime, scan: uploads.CleanFile | None
) -> CommissionSheet:
    sheet = _locked(actor, sheet_id)
    if not _bindable(actor, sheet):
        raise Forbidden.of("commission.not_signatory")
    signed = signed_by(sheet.signatures.all())
    event = SheetEvent.BIND if signed else SheetEvent.SIGN
    state = next_state(SheetState(sheet.state), event)
    side = _chosen_side(actor, sheet, signed, wanted)
    if seen_sha256 is not None and seen_sha256 != sheet.content_sha256:
        raise Conflict.of("commission.content_differs")
    stored = None
    if scan is not None:
        name = f"{sheet.number}-{side.value}.{scan.extension}"
        stored = files.store(scan.content, file_name=name, media_type=scan.media_type, user_id=actor.user_id, now=now)
    signature = CommissionSignature.objects.create(
        sheet=sheet,
        side=side,
        method=Method.SYSTEM if stored is None else Method.SCAN,
        signed_by_id=actor.person_id,
        name=actor.name[:100],
        signed_at=now,
        content_sha256=sheet.content_sha256,
        scan=stored,
        scan_sha256=stored.sha256 if stored is not None else "",
    )
    after = {"side": side.value, "method": signature.method, "sha256": sheet.content_sha256, "scan": signature.scan_sha256}
    audit.record(actor, "commission.sign", sheet, now, after=after)
    if event is SheetEvent.BIND:
        sheet.state, sheet.in_force_at, sheet.render_state = state, now, RenderState.QUEUED
        sheet.save(update_fields=["state", "in_force_at", "render_state"])
        audit.record(actor, "commission.in_force", sheet, now, after={"state": state.value})
        documents.queue(sheet)
        time_links.tell_contract(sheet, _to_price(), actor, now)
    mails.tell_sheet(sheet, "in_force" if event is SheetEvent.BIND else "signed", side, now)
    return sheet


def _end(actor: Actor, sheet: CommissionSheet, event: SheetEvent, state: SheetState, now: datetime, reason: str) -> None:
    before = sheet.state
    sheet.state, sheet.ended_by_id, sheet.ended_at = state, actor.user_id, now
    changed = ["state", "ended_by", "ended_at"]
    if event is SheetEvent.CANCEL:
        sheet.reason = reason
        changed.append("reason")
    sheet.save(update_fields=changed)
    action = f"commission.{event.value}"
    audit.record(actor, action, sheet, now, before={"state": before}, after={"state": state.value}, reason=reason)


def _to_price() -> QuerySet[Reservation]:
    """Reservations to be locked, as they are by then, with whatever a price asks of them."""
    rows = Reservation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("instrument__site", "instrument__organisation", "organisation")


def _locked(actor: Actor, sheet_id: int) -> CommissionSheet:
    rows = CommissionSheet.objects.select_for_update(of=("self",), no_key=True)
    return get_visible(rows.select_related("quotation__enquiry", "lab", "organisation"), actor, pk=sheet_id)


def _checked(given: SheetInput, today: date) -> dict[str, Any]:
    reasons: list[Reason] = []
    found: dict[str, Any] = {}
    codes: tuple[tuple[str, list[str]], ...] = (
        ("confidentiality", [each.value for each in Confidentiality]),
        ("report_form", [each.value for each in ReportForm]),
        ("sample_handling", [each.value for each in SampleHandling]),
    )
    for name, known in codes:
        found[name] = getattr(given, name)
        if found[name] not in known:
            reasons.append(Reason("commission.choice_unknown", {"known": known}, name))
    texts = (
        ("terms", TERMS_LENGTH),
        ("confidentiality_note", NOTE_LENGTH),
        ("report_note", NOTE_LENGTH),
        ("sample_note", NOTE_LENGTH),
    )
    for name, length in texts:
        try:
            found[name] = clean_text(getattr(given, name), length, name, lines=True)
        except Refusal as refusal:
            reasons += refusal.reasons
    found["due_on"] = given.due_on
    if given.due_on is not None and given.due_on < today:
        reasons.append(Reason("commission.due_in_the_past", {}, "due_on"))
    Refusal.raise_any(reasons)
    return found


def _content(actor: Actor, sheet: CommissionSheet, today: date) -> dict[str, Any]:
    enquiry = sheet.quotation.enquiry
    heading = contents.Heading(
        number=sheet.number or "",
        title=sheet.title,
        made_on=today,
        lab=party_of(sheet.lab, User.objects.get(pk=actor.person_id), bank=True),
        customer=party_of(sheet.organisation, customer_contact(enquiry)),
        subject=enquiry.subject,
    )
    agreement = contents.Agreement(
        confidentiality=sheet.confidentiality,
        confidentiality_note=sheet.confidentiality_note,
        report_form=sheet.report_form,
        report_note=sheet.report_note,
        sample_handling=sheet.sample_handling,
        sample_note=sheet.sample_note,
        due_on=sheet.due_on,
    )
    return contents.sheet_content(heading, sheet.quotation.content or {}, sheet.terms, agreement)
