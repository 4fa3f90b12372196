"""Threads, needs, quotations and commission sheets of both sides, in the states that have actions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sheets
from billing.ordering.services.quotations import QuotationInput
from booking.models import EnquiryAttachment
from booking.services import enquiries
from booking.services.enquiries import Question, UnmetNeed
from booking.services.enquiry_files import Attachment
from instruments.queries import actor_for
from tests.handed_out import give

LAST_DAY = date(2026, 12, 20)


def build(world: Any, now: datetime) -> None:
    """Ours is Gaoyuan at the Kunlun lab, theirs Lianhe at the other lab; what each writes carries its word."""
    from tests.access.world import OURS_WORK, THEIRS_WORK

    cast = world.cast
    sides = (
        (cast.actor("lin"), cast.actor("zhao"), cast.firm, cast.actor("wang"), cast.lab, cast.xrd, OURS_WORK),
        (cast.actor("he"), cast.actor("he"), cast.other_firm, actor_for(cast.users["bo"]), world.other_lab, world.other_instrument,
         THEIRS_WORK),
    )  # fmt: skip
    for side in sides:
        for kind, pk in _side(*side, now=now).items():
            world.objects[kind] = (*world.objects.get(kind, ()), pk)


def _side(
    asker: Any, signatory: Any, firm: Any, manager: Any, lab: Any, instrument: Any, mark: str, *, now: datetime
) -> dict[str, int]:
    question = Question(firm.pk, f"about {mark}", f"question {mark}", instrument.pk)
    attached = [Attachment(f"%PDF-1.4 {mark}".encode(), f"{mark}.pdf")]
    enquiry = enquiries.ask(asker, question, attached, now, idempotency_key=f"ask {mark}").pk
    need = UnmetNeed(firm.pk, f"need {mark}", f"text {mark}", (lab.pk,))
    made = {
        "enquiry": enquiry,
        "enquiry_file": EnquiryAttachment.objects.get(message__enquiry_id=enquiry).pk,
        "need": enquiries.post_need(asker, need, (), now, idempotency_key=f"need {mark}").pk,
    }

    def quotation(name: str) -> int:
        line = LineInput("other", "2", None, f"work {mark}", "piece", 5_000)
        given = QuotationInput(f"{name} {mark}", LAST_DAY, (line,), "", f"terms {mark}")
        return quotations.draft(manager, enquiry, given, now, idempotency_key=f"{name} {mark}").pk

    def sent(name: str) -> int:
        return quotations.send(manager, quotation(name), f"note {mark}", now).pk

    def sheet(name: str) -> int:
        return quotations.accept(asker, sent(name), None, now, idempotency_key=f"{name} {mark}").pk

    made |= {"quotation:draft": quotation("draft"), "quotation": sent("sent"), "commission:draft": sheet("filling")}
    made["commission:issued"] = sheets.issue(manager, sheet("issued"), now).pk
    made["commission:signed"] = signed = sheets.issue(manager, sheet("signed"), now).pk
    sheets.hand_in_scan(manager, signed, f"%PDF-1.4 {mark}".encode(), now)
    sheets.sign(signatory, signed, CommissionSheet.objects.get(pk=signed).content_sha256, now)
    give(Quotation.objects.get(pk=made["quotation"]), f"%PDF-1.4 {mark}".encode(), now, "pdf", name="o.pdf")
    give(CommissionSheet.objects.get(pk=signed), f"%PDF-1.4 {mark}".encode(), now, "pdf", "signed_pdf", name="o.pdf")
    return made
