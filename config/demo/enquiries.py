"""Questions of the demo's firms to its labs, with what became of them: every state of threads, quotations and commission sheets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from billing.ordering import queries
from billing.ordering.models import CommissionSheet
from billing.ordering.rules.lines import LineInput, LineKind
from billing.ordering.services import quotations, sheets
from billing.ordering.services.quotations import QuotationInput
from billing.ordering.services.sheets import SheetInput
from booking.models import Enquiry
from booking.services import enquiries
from booking.services.enquiries import Question, UnmetNeed
from booking.services.enquiry_files import Attachment
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from instruments.models import Instrument

_LABS_ASKED = 3
_DAYS_VALID = 21


def ask(people: People, stocked: Sequence[Instrument], now: datetime) -> dict[str, int]:
    """Play the threads of the first firm with the first lab, and a need put to several; returns how many there are by kind."""
    lab = people.owners[0]
    own = [one for one in stocked if one.organisation_id == lab.pk and one.published and one.price_versions.exists()]
    threads = words("enquiries")["threads"]
    for place, thread in reversed([*enumerate(threads)]):  # the oldest first: what is numbered later is of a later moment
        _thread(people, own[place % len(own)], thread, now - timedelta(days=place * 4, hours=3 + place), place)
    _need(people, now - timedelta(days=1, hours=2))
    return {"questions": Enquiry.objects.count(), "commission sheets": CommissionSheet.objects.count()}


def _thread(people: People, instrument: Instrument, thread: dict[str, Any], asked_at: datetime, place: int) -> None:
    firm, lab = people.customers[0], people.owners[0]
    asker, manager = people.actor(firm, Role.RESEARCHER), people.actor(lab, Role.LAB_MANAGER)
    question = Question(firm.pk, thread["subject"], thread["question"], instrument.pk)
    files = [Attachment(thread["file"][1].encode(), thread["file"][0])] if "file" in thread else []
    pk = enquiries.ask(asker, question, files, asked_at, idempotency_key=f"demo-{place}").pk
    answered_at = asked_at + timedelta(hours=2)
    for number, answer in enumerate(thread["answers"]):
        enquiries.write(manager, pk, answer, (), answered_at, idempotency_key=f"demo-{place}-{number}")
    if thread["answers"]:
        enquiries.mark_seen(manager, pk)
    if "quotation" in thread:
        _offer(people, pk, instrument, thread, answered_at, place)


def _offer(people: People, enquiry_id: int, instrument: Instrument, thread: dict[str, Any], at: datetime, place: int) -> None:
    """The quotation of a thread, taken to the state in which the demo shows it."""
    firm, lab = people.customers[0], people.owners[0]
    asker, manager = people.actor(firm, Role.RESEARCHER), people.actor(lab, Role.LAB_MANAGER)
    offered = thread["quotation"]
    lines = tuple(_line(each, instrument) for each in offered["lines"])
    last_day = quotations.local_today(at) + timedelta(days=_DAYS_VALID)
    given = QuotationInput(offered["title"], last_day, lines, offered["tax"], offered["terms"])
    quotation = quotations.draft(manager, enquiry_id, given, at, idempotency_key=f"demo-quotation-{place}").pk
    sent_at = at + timedelta(hours=1)
    quotations.send(manager, quotation, "", sent_at)
    if thread["life"] == "declined":
        quotations.decline(asker, quotation, thread["decline"], sent_at + timedelta(hours=3))
    elif thread["life"] != "sent":
        _order(people, quotation, thread, sent_at + timedelta(hours=4), place)


def _line(each: list[Any], instrument: Instrument) -> LineInput:
    kind, quantity, description, unit, fen = each
    if kind == "i":
        return LineInput(LineKind.INSTRUMENT_TIME.value, quantity, instrument.pk, description, unit, fen)
    return LineInput(LineKind.OTHER.value, quantity, None, description, unit, fen)


def _order(people: People, quotation_id: int, thread: dict[str, Any], at: datetime, place: int) -> None:
    firm, lab = people.customers[0], people.owners[0]
    asker, manager = people.actor(firm, Role.RESEARCHER), people.actor(lab, Role.LAB_MANAGER)
    pk = quotations.accept(asker, quotation_id, None, at, idempotency_key=f"demo-accept-{place}").pk
    agreed = SheetInput(
        terms=thread["quotation"]["terms"],
        confidentiality=thread["confidential"],
        report_form=thread["report"],
        report_note=thread["note"],
        sample_handling=thread["sample"],
    )
    sheets.fill(asker, pk, agreed, at)
    sheet = sheets.issue(manager, pk, at + timedelta(hours=1))
    _attach(asker, sheet, at + timedelta(hours=2))
    if thread["life"] == "in_force":
        sheets.sign(manager, pk, sheet.content_sha256, at + timedelta(hours=3))
        administrator = people.actor(firm, Role.FIRM_ADMIN)
        sheets.sign(administrator, pk, sheet.content_sha256, at + timedelta(hours=5))


def _attach(asker: Actor, sheet: CommissionSheet, at: datetime) -> None:
    """The latest reservation of the two sides that belongs to no commission yet."""
    for reservation in queries.linkable_reservations(asker, sheet)[:1]:
        sheets.link(asker, sheet.pk, reservation.pk, at)


def _need(people: People, at: datetime) -> None:
    told = words("enquiries")
    firm = people.customers[0]
    labs = tuple(owner.pk for owner in people.owners[:_LABS_ASKED])
    need = UnmetNeed(firm.pk, told["subject_need"], told["text_need"], labs, told["technique"], "")
    pk = enquiries.post_need(people.actor(firm, Role.RESEARCHER), need, (), at, idempotency_key="demo-need").pk
    other = people.owners[1]
    thread = Enquiry.objects.get(need_id=pk, lab=other)
    manager = people.actor(other, Role.LAB_MANAGER)
    enquiries.write(manager, thread.pk, told["need_answer"], (), at + timedelta(hours=5), idempotency_key="demo-need-answer")
