"""Quotations and commission sheets as rows for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.ordering import wording
from billing.ordering.charged import OtherLine
from billing.ordering.models import CommissionCharge, CommissionSheet, CommissionSignature, Quotation, QuotationLine
from billing.ordering.rules.lines import shown_quantity
from billing.ordering.rules.sheets import SheetState
from billing.ordering.services.documents import is_given_up
from billing.settlement.models import RenderState
from booking.rules.enquiries import Side
from config.kernel.messages import sentence
from config.kernel.models import StoredFile
from frontend.presenters.statements import DOCUMENT_STATES
from frontend.templatetags.jishi import bilingual


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line. ``published_fen`` is set where the offered price is not the published one."""

    name: str
    under: str
    kind: str
    quantity: str
    unit: str
    unit_price_fen: int
    published_fen: int | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ChargedPart:
    """So much of a line, charged with a session or a sample job."""

    reference: str
    url: str
    quantity: str
    amount_fen: int
    state: str


@dataclass(frozen=True, slots=True)
class OtherRow:
    """A line for other things: what of it is charged, and where. ``open``: something is left to charge."""

    name: str
    unit: str
    quantity: str
    charged: str
    left: str
    open: bool
    parts: list[ChargedPart]


@dataclass(frozen=True, slots=True)
class OtherRows:
    """The lines for other things of a sheet, and what is to be known of those that were not charged."""

    rows: list[OtherRow]
    note: str

    @property
    def open(self) -> list[OtherRow]:
        return [row for row in self.rows if row.open]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """Where a PDF stands, in the states of ``frontend.states``."""

    state: str
    waiting: bool
    problem: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """One side's place for a signature."""

    side: str
    side_word: str
    name: str
    signature: CommissionSignature | None
    method_word: str


def new_key() -> str:
    """A key for a button that acts once."""
    return str(uuid4())


def lines(rows: Iterable[QuotationLine]) -> list[LineRow]:
    """The lines of a quotation or of the sheet that it became."""
    return [
        LineRow(
            name=row.subject_name or row.description,
            under=row.description if row.subject_name else "",
            kind=wording.kind_word(row.kind),
            quantity=shown_quantity(row.quantity),
            unit=wording.unit_word(row.unit),
            unit_price_fen=row.unit_price_fen,
            published_fen=row.published_fen if row.published_fen not in (None, row.unit_price_fen) else None,
            amount_fen=row.amount_fen,
        )
        for row in rows
    ]


def other_lines(found: Sequence[OtherLine], sheet: CommissionSheet) -> OtherRows | None:
    """What was charged of a sheet's lines for other things; None where it has none, or may still be changed."""
    if not found or sheet.state in (SheetState.DRAFT, SheetState.ISSUED):
        return None
    rows = [
        OtherRow(
            name=each.line.description,
            unit=wording.unit_word(each.line.unit),
            quantity=shown_quantity(each.line.quantity),
            charged=shown_quantity(each.charged) if each.charged else "0",
            left=shown_quantity(each.left) if each.is_open else "0",
            open=each.is_open,
            parts=[_part(charge) for charge in each.charges],
        )
        for each in found
    ]
    return OtherRows(rows, _uncharged(sheet) if any(row.open for row in rows) else "")


def _uncharged(sheet: CommissionSheet) -> str:
    if sheet.state == SheetState.CANCELLED:
        return _("The commission was called off: none of this is charged.")
    if sheet.state == SheetState.FINISHED:
        return _("The commission is done. What was not charged of these lines is not charged any more.")
    return _("The lab charges what is left on the page of a session or a sample job of this commission.")


def _part(charge: CommissionCharge) -> ChargedPart:
    about, extra = charge.about, charge.extra
    page = "reservation_detail" if charge.session_extra_id is not None else "sample_job"
    url = f"{reverse(page, args=[about.pk])}#extras"
    return ChargedPart(about.reference, url, shown_quantity(charge.quantity), extra.amount_fen, extra.state)


def document(made: Quotation | CommissionSheet, stored: StoredFile | None) -> DocumentView:
    """Where the PDF of a document that was sent or issued stands."""
    given_up = is_given_up(made)
    state = DOCUMENT_STATES[RenderState.FAILED if given_up else made.render_state]
    error = "order.render_stopped" if given_up else made.render_error
    problem = sentence(error, {"number": ""}) if error else ""
    return DocumentView(state, state in ("pending", "running"), problem, stored.size_bytes if stored is not None else 0)


def agreed(sheet: CommissionSheet) -> list[tuple[str, str, str]]:
    """(caption, choice, note) of what the two sides agree on."""
    return [
        (_("Confidentiality"), str(wording.CONFIDENTIALITY_NAMES[sheet.confidentiality]), sheet.confidentiality_note),
        (_("Form of the report"), str(wording.REPORT_NAMES[sheet.report_form]), sheet.report_note),
        (_("What is left of the samples"), str(wording.SAMPLE_NAMES[sheet.sample_handling]), sheet.sample_note),
    ]


def signature_boxes(sheet: CommissionSheet) -> list[SignatureBox]:
    """The lab's and the customer's box."""
    signed = {row.side: row for row in sheet.signatures.all()}
    names = {Side.LAB: bilingual(sheet.lab), Side.CUSTOMER: bilingual(sheet.organisation)}
    boxes = []
    for side in (Side.LAB, Side.CUSTOMER):
        found = signed.get(side.value)
        method = str(wording.METHOD_NAMES[found.method]) if found is not None else ""
        boxes.append(SignatureBox(side.value, str(wording.SIDE_NAMES[side.value]), names[side], found, method))
    return boxes


def sides(found: Iterable[Side]) -> list[tuple[str, str]]:
    """(value, word) of sides that can be signed for."""
    return [(side.value, str(wording.SIDE_NAMES[side.value])) for side in found]


def next_words(sheet: CommissionSheet, side: Side | None) -> str:
    """What comes next, for the side that reads."""
    if sheet.state == SheetState.DRAFT:
        if side is Side.LAB:
            return _("Check what is agreed with the customer, then issue the sheet: after that it is signed, not changed.")
        return _(
            "Say how your samples, results and report are to be treated. The lab issues the sheet then, and both sides sign."
        )
    if sheet.state == SheetState.ISSUED:
        return _("The sheet is fixed. It is in force when both sides have signed, here or on paper.")
    if sheet.state == SheetState.IN_FORCE:
        return _("Both sides are bound by it. Reservations can still be attached.")
    return ""


def quotation_life(quotation: Quotation) -> list[dict[str, Any]]:
    """What happened to a quotation, for the timeline."""
    entries = [_entry("pencil", _("Written down"), quotation.created_at, quotation.created_by)]
    if quotation.sent_at is not None:
        entries.append(_entry("send", pgettext("quotation", "Sent"), quotation.sent_at, quotation.sent_by))
    ends = {
        "accepted": ("circle-check", pgettext("quotation", "Accepted")),
        "declined": ("circle-x", pgettext("quotation", "Declined")),
        "expired": ("clock-pause", pgettext("quotation", "Expired")),
        "withdrawn": ("ban", pgettext("quotation", "Withdrawn")),
    }
    if quotation.state in ends:
        symbol, title = ends[quotation.state]
        entries.append(_entry(symbol, title, quotation.ended_at, quotation.ended_by, quotation.reason))
    return entries


def sheet_life(sheet: CommissionSheet) -> list[dict[str, Any]]:
    """What happened to a commission sheet, for the timeline."""
    entries = [_entry("circle-check", _("Ordered: the quotation was accepted"), sheet.created_at, sheet.created_by)]
    if sheet.issued_at is not None:
        entries.append(_entry("file-certificate", pgettext("commission", "Issued"), sheet.issued_at, sheet.issued_by))
    for row in sheet.signatures.all():
        side = str(wording.SIDE_NAMES[row.side])
        title = pgettext("commission", "Signed for the side: %(side)s") % {"side": side}
        entries.append(_entry("pencil", title, row.signed_at, row.signed_by, str(wording.METHOD_NAMES[row.method])))
    if sheet.in_force_at is not None:
        entries.append(_entry("shield-check", pgettext("commission", "In force"), sheet.in_force_at, None))
    if sheet.state == SheetState.FINISHED:
        entries.append(_entry("flag", pgettext("commission", "Done"), sheet.ended_at, sheet.ended_by))
    if sheet.state == SheetState.CANCELLED:
        entries.append(_entry("ban", pgettext("commission", "Cancelled"), sheet.ended_at, sheet.ended_by, sheet.reason))
    return entries


def _entry(icon: str, title: str, at: Any, who: Any, text: str = "") -> dict[str, Any]:
    return {"icon": icon, "title": title, "at": at, "who": str(who) if who is not None else "", "text": text}
