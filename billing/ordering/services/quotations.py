"""Quotations: drafted, sent, and what becomes of them. The one writer of their state; page, API and demo alike."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.ledger.rules.documents import sha256_of
from billing.ledger.rules.money import yuan
from billing.ordering.models import CommissionSheet, Quotation, QuotationLine
from billing.ordering.papers import QUOTATION
from billing.ordering.rules import content as contents
from billing.ordering.rules.lines import (
    DESCRIPTION_LENGTH,
    MOST_TOTAL_FEN,
    LineInput,
    LineKind,
    PricedLine,
    parse_quantity,
    reasons_against,
    total_fen,
)
from billing.ordering.rules.numbers import Series
from billing.ordering.rules.quotations import NEEDS_REASON, QuotationEvent, QuotationState, is_over, next_state, side_of
from billing.ordering.services import documents, mails, prices
from billing.ordering.services.numbering import next_number
from billing.ordering.services.parties import party_of
from billing.ordering.services.prices import Published
from billing.papers import codes
from booking.models import Enquiry
from booking.queries.enquiries import customer_contact
from booking.rules.enquiries import Side
from booking.services import enquiries
from booking.services.enquiries import Written
from booking.services.enquiry_sides import require_on
from config.kernel.access import NOBODY, Actor, Role, get_visible
from config.kernel.date_wording import date_words
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from instruments.models import Instrument, Resource, ResourceKind, User
from instruments.rules.registry_values import clean_text

TITLE_LENGTH, TAX_LENGTH, TERMS_LENGTH, REASON_LENGTH, NOTE_LENGTH = 200, 300, 4000, 500, 1000
MOST_DAYS_VALID = 366
DUE_BATCH = 200
Content = dict[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QuotationInput:
    """What a lab offers. ``valid_until`` is the last local day on which it can be accepted."""

    title: str
    valid_until: date
    lines: tuple[LineInput, ...]
    tax_note: str = ""
    terms: str = ""


@dataclass(frozen=True, slots=True)
class _Checked:
    title: str
    tax_note: str
    terms: str
    valid_until: date
    lines: tuple[PricedLine, ...]


def local_today(now: datetime) -> date:
    """The date in the platform's zone, in which validity ends and years begin."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def draft(actor: Actor, enquiry_id: int, given: QuotationInput, now: datetime, *, idempotency_key: str) -> Written:
    """Write a quotation down in a thread; only the lab sees it until it is sent.

    Raises NotFound, Forbidden, Refusal ``quotation.*`` / ``name.*`` with every reason, ``idempotency.*``.
    """

    def effect() -> dict[str, Any]:
        enquiry = get_visible(Enquiry.objects.select_related("lab", "organisation"), actor, pk=enquiry_id)
        actor.require_in(enquiry.lab_id, Role.LAB_MANAGER)
        checked = _checked(enquiry, given, now)
        quotation = Quotation.objects.create(
            enquiry=enquiry, state=QuotationState.DRAFT, created_by_id=actor.person_id, created_at=now, **_fields(checked)
        )
        _write_lines(quotation, checked.lines)
        audit.record(actor, "quotation.draft", quotation, now, after=_told(checked))
        return {"id": quotation.pk}

    payload = {"enquiry": enquiry_id, **asdict(given)}
    result, replayed = transactions.run(lambda: idempotency.once(actor, "quotation.draft", idempotency_key, payload, now, effect))
    return Written(result["id"], replayed)


@transactions.whole
def edit(actor: Actor, quotation_id: int, given: QuotationInput, now: datetime) -> Quotation:
    """Replace what a draft says. Raises as ``draft`` does, and Refusal ``quotation.illegal_transition``."""
    quotation = _locked(actor, quotation_id)
    _require_side(actor, quotation, QuotationEvent.EDIT)
    next_state(QuotationState(quotation.state), QuotationEvent.EDIT)
    checked = _checked(quotation.enquiry, given, now)
    for name, value in _fields(checked).items():
        setattr(quotation, name, value)
    quotation.save()
    quotation.lines.all().delete()
    _write_lines(quotation, checked.lines)
    audit.record(actor, "quotation.edit", quotation, now, after=_told(checked))
    return quotation


@transactions.whole
def send(actor: Actor, quotation_id: int, note: str, now: datetime) -> Quotation:
    """Number it, freeze it and send it: the thread is answered with it (``note`` or a sentence of ours), and the PDF is made.

    Raises NotFound, Forbidden, Refusal ``quotation.illegal_transition``, ``quotation.validity_over``,
    ``enquiry.illegal_transition``, ``name.*``.
    """
    quotation = _locked(actor, quotation_id)
    _require_side(actor, quotation, QuotationEvent.SEND)
    state = next_state(QuotationState(quotation.state), QuotationEvent.SEND)
    today = local_today(now)
    if is_over(quotation.valid_until, today):
        raise Refusal.of("quotation.validity_over", "valid_until")
    words = clean_text(note, NOTE_LENGTH, "note", lines=True)
    quotation.number = next_number(Series.QUOTATION, today)
    quotation.content = codes.with_code(_content(actor, quotation, today))
    quotation.content_sha256 = sha256_of(quotation.content)
    quotation.state, quotation.sent_by_id, quotation.sent_at = state, actor.person_id, now
    quotation.save()
    codes.register(QUOTATION, quotation.pk, quotation.content, now)
    audit.record(actor, "quotation.send", quotation, now, after={"number": quotation.number, "total_fen": quotation.total_fen})
    documents.queue(quotation)
    enquiries.answer_with(actor, quotation.enquiry_id, words or _covering_words(quotation), now)
    mails.hear_of_sent(quotation, now)
    return quotation


def withdraw(actor: Actor, quotation_id: int, reason: str, now: datetime) -> Quotation:
    """The lab no longer offers it. Raises NotFound, Forbidden, Refusal ``quotation.illegal_transition``, ``name.*``."""
    return _end(actor, quotation_id, QuotationEvent.WITHDRAW, reason, now)


def decline(actor: Actor, quotation_id: int, reason: str, now: datetime) -> Quotation:
    """The customer says no, and why. Raises NotFound, Forbidden, Refusal ``quotation.illegal_transition``,
    ``quotation.reason_missing``, ``name.*``."""
    return _end(actor, quotation_id, QuotationEvent.DECLINE, reason, now)


def accept(actor: Actor, quotation_id: int, expected_total_fen: int | None, now: datetime, *, idempotency_key: str) -> Written:
    """The customer says yes: the quotation becomes a commission sheet, exactly one however often this is asked. The id is the sheet's.

    Raises NotFound, Forbidden, Refusal ``quotation.illegal_transition``, ``quotation.expired``, Conflict ``quotation.figures_differ``
    (other than what was looked at), ``idempotency.*``.
    """

    def effect() -> dict[str, Any]:
        quotation = _locked(actor, quotation_id)
        _require_side(actor, quotation, QuotationEvent.ACCEPT)
        state = next_state(QuotationState(quotation.state), QuotationEvent.ACCEPT)
        if is_over(quotation.valid_until, local_today(now)):
            raise Refusal.of("quotation.expired")
        if expected_total_fen is not None and expected_total_fen != quotation.total_fen:
            raise Conflict.of("quotation.figures_differ", total_fen=quotation.total_fen)
        _move(actor, quotation, QuotationEvent.ACCEPT, state, "", now)
        sheet = CommissionSheet.objects.create(
            quotation=quotation,
            lab_id=quotation.enquiry.lab_id,
            organisation_id=quotation.enquiry.organisation_id,
            state="draft",
            title=quotation.title,
            total_fen=quotation.total_fen,
            terms=quotation.terms,
            created_by_id=actor.person_id,
            created_at=now,
        )
        audit.record(actor, "commission.create", sheet, now, after={"quotation": quotation.number})
        mails.tell_quotation(quotation, "accepted", Side.CUSTOMER, now)
        return {"id": sheet.pk}

    payload = {"quotation": quotation_id, "total_fen": expected_total_fen}
    result, replayed = transactions.run(
        lambda: idempotency.once(actor, "quotation.accept", idempotency_key, payload, now, effect)
    )
    return Written(result["id"], replayed)


def expire_due(now: datetime) -> int:
    """Let every sent quotation lapse whose last day is over; returns how many. Safe to repeat."""
    due = Quotation.objects.filter(state=QuotationState.SENT, valid_until__lt=local_today(now)).order_by("valid_until", "pk")
    handled = 0
    for pk in list(due.values_list("pk", flat=True)[:DUE_BATCH]):

        def work(pk: int = pk) -> bool:
            quotation = Quotation.objects.select_for_update(of=("self",), no_key=True).select_related("enquiry").get(pk=pk)
            if quotation.state != QuotationState.SENT:
                return False
            state = next_state(QuotationState.SENT, QuotationEvent.EXPIRE)
            _move(NOBODY, quotation, QuotationEvent.EXPIRE, state, "", now)
            mails.tell_quotation(quotation, "expired", None, now)
            return True

        try:
            handled += transactions.run(work)
        except Exception:  # one that cannot be closed is left for people to look at; the others go on
            _log.exception("quotation %s could not expire", pk)
    return handled


@transactions.whole
def _end(actor: Actor, quotation_id: int, event: QuotationEvent, reason: str, now: datetime) -> Quotation:
    quotation = _locked(actor, quotation_id)
    _require_side(actor, quotation, event)
    was_draft = quotation.state == QuotationState.DRAFT
    state = next_state(QuotationState(quotation.state), event)
    words = clean_text(reason, REASON_LENGTH, "reason", lines=True)
    if not words and event in NEEDS_REASON:
        raise Refusal.of("quotation.reason_missing", "reason")
    _move(actor, quotation, event, state, words, now)
    if not was_draft:
        mails.tell_quotation(quotation, state.value, side_of(event), now)
    return quotation


def _move(actor: Actor, quotation: Quotation, event: QuotationEvent, state: QuotationState, reason: str, now: datetime) -> None:
    before = quotation.state
    quotation.state, quotation.ended_by_id, quotation.ended_at, quotation.reason = state, actor.user_id, now, reason
    quotation.save(update_fields=["state", "ended_by", "ended_at", "reason"])
    action = f"quotation.{event.value}"
    audit.record(actor, action, quotation, now, before={"state": before}, after={"state": state.value}, reason=reason)


def _locked(actor: Actor, quotation_id: int) -> Quotation:
    rows = Quotation.objects.select_for_update(of=("self",), no_key=True)
    return get_visible(rows.select_related("enquiry__lab", "enquiry__organisation"), actor, pk=quotation_id)


def _require_side(actor: Actor, quotation: Quotation, event: QuotationEvent) -> None:
    require_on(actor, side_of(event), quotation.enquiry.organisation_id, quotation.enquiry.lab_id)


# --- What it says -----------------------------------------------------------------------------------------------------
def _checked(enquiry: Enquiry, given: QuotationInput, now: datetime) -> _Checked:
    """What was typed, in normal form and priced. Raises Refusal with every reason."""
    if enquiry.organisation_id == enquiry.lab_id:
        raise Refusal.of("quotation.own_house")
    today = local_today(now)
    reasons = reasons_against(given.lines)
    texts = {
        name: _text(value, length, name, reasons, lines=lines)
        for name, value, length, lines in (
            ("title", given.title, TITLE_LENGTH, False),
            ("tax_note", given.tax_note, TAX_LENGTH, False),
            ("terms", given.terms, TERMS_LENGTH, True),
        )
    }
    if not texts["title"] and not any(reason.field == "title" for reason in reasons):
        reasons.append(Reason("quotation.title_missing", {}, "title"))
    if not today <= given.valid_until <= today + timedelta(days=MOST_DAYS_VALID):
        reasons.append(Reason("quotation.validity_out_of_range", {"days": MOST_DAYS_VALID}, "valid_until"))
    lines = [] if any(reason.field.startswith("lines") for reason in reasons) else _priced(enquiry, given.lines, today, reasons)
    if total_fen(lines) > MOST_TOTAL_FEN:
        reasons.append(Reason("quotation.total_too_large", {}, "lines"))
    Refusal.raise_any(reasons)
    return _Checked(valid_until=given.valid_until, lines=tuple(lines), **texts)


def _text(value: str, length: int, field: str, reasons: list[Reason], *, lines: bool = False) -> str:
    try:
        return clean_text(value, length, field, lines=lines)
    except Refusal as refusal:
        reasons += refusal.reasons
        return ""


def _priced(enquiry: Enquiry, lines: Sequence[LineInput], today: date, reasons: list[Reason]) -> list[PricedLine]:
    """The lines with names and prices; what they are about has to be the lab's own."""
    instruments = _own_instruments(enquiry.lab_id, lines)
    tests = _own_tests(enquiry.lab_id, lines)
    listed_prices = {
        LineKind.INSTRUMENT_TIME: prices.of_instruments(instruments, enquiry.organisation, today),
        LineKind.TEST: prices.of_tests(tests, enquiry.organisation, today),
    }
    found: list[PricedLine] = []
    for place, line in enumerate(lines):
        field = f"lines.{place}"
        known = {LineKind.INSTRUMENT_TIME: instruments, LineKind.TEST: tests}.get(LineKind(line.kind), {})
        if line.subject_id is not None and line.subject_id not in known:
            reasons.append(Reason("quotation.subject_of_another", {}, f"{field}.subject"))
            continue
        description = _text(line.description, DESCRIPTION_LENGTH, f"{field}.description", reasons)
        published = listed_prices.get(LineKind(line.kind), {}).get(line.subject_id or 0, Published("piece", None))
        price = published.fen if line.unit_price_fen is None else line.unit_price_fen
        quantity = parse_quantity(line.quantity)
        if price is None or quantity is None:
            reasons.append(Reason("quotation.no_published_price", {}, f"{field}.unit_price"))
            continue
        unit = line.unit or published.unit
        listed = published.fen if unit == published.unit else None
        name = known[line.subject_id].name if line.subject_id is not None else ""
        found.append(PricedLine(LineKind(line.kind), line.subject_id, name, description, quantity, unit, price, listed))
    return found


def _own_instruments(lab_id: int, lines: Sequence[LineInput]) -> dict[int, Any]:
    wanted = [line.subject_id for line in lines if line.kind == LineKind.INSTRUMENT_TIME]
    return Instrument.objects.filter(organisation_id=lab_id).in_bulk(wanted)


def _own_tests(lab_id: int, lines: Sequence[LineInput]) -> dict[int, Any]:
    wanted = [line.subject_id for line in lines if line.kind == LineKind.TEST]
    return Resource.objects.filter(organisation_id=lab_id, kind=ResourceKind.TEST_ITEM).in_bulk(wanted)


def _fields(checked: _Checked) -> dict[str, Any]:
    return {
        "title": checked.title,
        "tax_note": checked.tax_note,
        "terms": checked.terms,
        "valid_until": checked.valid_until,
        "total_fen": total_fen(checked.lines),
    }


def _told(checked: _Checked) -> dict[str, Any]:
    """What the audit trail keeps."""
    lines = [[line.kind.value, line.subject_id, str(line.quantity), line.unit, line.unit_price_fen] for line in checked.lines]
    return {**_fields(checked), "valid_until": checked.valid_until.isoformat(), "lines": lines}


def _write_lines(quotation: Quotation, lines: Sequence[PricedLine]) -> None:
    QuotationLine.objects.bulk_create(
        QuotationLine(
            quotation=quotation,
            position=place,
            kind=line.kind.value,
            instrument_id=line.subject_id if line.kind is LineKind.INSTRUMENT_TIME else None,
            resource_id=line.subject_id if line.kind is LineKind.TEST else None,
            subject_name=line.subject_name,
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            unit_price_fen=line.unit_price_fen,
            published_fen=line.published_fen,
            amount_fen=line.amount_fen,
        )
        for place, line in enumerate(lines, start=1)
    )


def lines_of(quotation: Quotation) -> list[PricedLine]:
    """The lines as they are kept, in order."""
    return [
        PricedLine(
            LineKind(row.kind),
            row.instrument_id or row.resource_id,
            row.subject_name,
            row.description,
            row.quantity,
            row.unit,
            row.unit_price_fen,
            row.published_fen,
        )
        for row in quotation.lines.order_by("position")
    ]


def _content(actor: Actor, quotation: Quotation, today: date) -> Content:
    enquiry = quotation.enquiry
    heading = contents.Heading(
        number=quotation.number or "",
        title=quotation.title,
        made_on=today,
        lab=party_of(enquiry.lab, User.objects.get(pk=actor.person_id), bank=True),
        customer=party_of(enquiry.organisation, customer_contact(enquiry)),
        subject=enquiry.subject,
    )
    offer = contents.Offer(quotation.tax_note, quotation.terms, quotation.valid_until)
    return contents.quotation_content(heading, lines_of(quotation), offer)


def _covering_words(quotation: Quotation) -> str:
    """What the thread says where the lab wrote nothing of its own, in the language of who asked."""
    with override(customer_contact(quotation.enquiry).language):
        values = {
            "number": quotation.number,
            "title": quotation.title,
            "total": f"¥{yuan(quotation.total_fen)}",
            "day": date_words(quotation.valid_until),
        }
        return _("Quotation %(number)s: %(title)s, %(total)s in all. It can be accepted until %(day)s.") % values
