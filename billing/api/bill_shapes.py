"""What bills and payments look like over the API. Amounts are fen, days local ISO dates, instants UTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from billing.bills.models import CreditNote
from billing.bills.queries import standing_for
from billing.bills.rules.crediting import CreditReason
from billing.bills.rules.standing import BillState
from billing.payments.models import Allocation, BankStatement
from billing.payments.queries import CertainMatch, standing
from billing.payments.rules.bank_rows import LAYOUTS
from billing.payments.services import giving_certain
from billing.payments.services.giving_certain import Given
from config.kernel.access import Actor
from config.kernel.api.fields import Day, Id, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from config.kernel.messages import reason_sentence

_TEXT = 2000  # longer is refused as input; the service says what really fits


class BillTotalsIn(StrictSerializer):
    """The totals that were looked at, and of which lines (as a proposal says it); when they differ, nothing is issued (409)."""

    line_count = WholeNumber()
    total_fen = WholeNumber()
    lines_sha256 = Text(max_length=64, required=False, default="", allow_blank=True)


class BillIn(StrictSerializer):
    owner = Id(help_text="The institution that bills.")
    customer = Id()
    until_on = Day(help_text="Everything that was charged up to and with this day.")
    due_days = WholeNumber(default=30, help_text="Days to pay, 0 to 60.")
    expected = BillTotalsIn(required=False, allow_null=True)


class BillParameters(PageParameters):
    open = serializers.BooleanField(required=False, help_text="Only those of which something is to pay.")


class ReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, help_text="The other side reads it.")


class WriteOffIn(StrictSerializer):
    reason = Text(max_length=_TEXT, help_text="Who looks at the owner's books reads it; the customer does not.")
    amount_fen = WholeNumber(
        min_value=1,
        required=False,
        default=None,
        allow_null=True,
        help_text="Empty: all that is expected still. The rest stays due.",
    )


class CreditIn(StrictSerializer):
    position = WholeNumber(help_text="The line of the bill.")
    amount_fen = WholeNumber()
    reason_code = serializers.ChoiceField(choices=[each.value for each in CreditReason])
    reason = Text(max_length=_TEXT, help_text="The customer reads it.")
    expected_subsidy_fen = WholeNumber(
        required=False, allow_null=True, default=None, help_text="The subsidy that was seen to go back."
    )
    expected_freed_fen = WholeNumber(
        required=False, allow_null=True, default=None, help_text="What was seen to become free of money that was paid already."
    )
    expected_card_fen = WholeNumber(
        required=False, allow_null=True, default=None, help_text="What was seen to go back to a fund card."
    )


class BillOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    reference = serializers.CharField(help_text="To be written on the transfer.")
    owner = serializers.IntegerField()
    customer = serializers.IntegerField()
    until_on = serializers.DateField()
    due_on = serializers.DateField()
    issued_at = serializers.DateTimeField()
    total_fen = serializers.IntegerField()
    credited_fen = serializers.IntegerField()
    paid_fen = serializers.IntegerField()
    open_fen = serializers.IntegerField()
    written_off_fen = serializers.IntegerField(help_text="What the owner gave up of it in its books; to the customer always 0.")
    state = serializers.ChoiceField(choices=[each.value for each in BillState])
    render_state = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the frozen content.")


class BillDetailOut(BillOut):
    content = serializers.DictField(help_text="Everything the PDF and the XLSX show, frozen at issue.")


class MoneyMadeOut(serializers.Serializer):
    id = serializers.IntegerField()


class CreditOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    amount_fen = serializers.IntegerField()
    subsidy_fen = serializers.IntegerField()


class StatementFileIn(StrictSerializer):
    owner = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    file = serializers.FileField(help_text="CSV in UTF-8 or GBK, at most 5 MB.")
    layout = serializers.ChoiceField(
        choices=[each.code for each in LAYOUTS], required=False, default="", help_text="Empty: found out from the headings."
    )
    same = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        default=list,
        help_text="Fingerprints of rows in doubt that are payments taken in before.",
    )
    other = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        default=list,
        help_text="Fingerprints of rows in doubt that are payments of their own.",
    )


class StatementTakenOut(serializers.Serializer):
    id = serializers.IntegerField()
    known = serializers.BooleanField(help_text="This very file had been taken in before.")
    taken = serializers.IntegerField()
    known_rows = serializers.IntegerField()
    outgoing_rows = serializers.IntegerField()
    taken_fen = serializers.IntegerField()


class PaymentParameters(PageParameters):
    free = serializers.BooleanField(required=False, help_text="Only those of which something is given to no bill.")


class PaymentOut(serializers.Serializer):
    id = serializers.IntegerField()
    owner = serializers.IntegerField()
    method = serializers.CharField()
    received_on = serializers.DateField()
    payer_name = serializers.CharField()
    remark = serializers.CharField()
    amount_fen = serializers.IntegerField()
    given_fen = serializers.IntegerField()
    returned_fen = serializers.IntegerField()
    promised_fen = serializers.IntegerField(help_text="The payment service was asked to send it back and has not done it yet.")
    prepaid_fen = serializers.IntegerField(help_text="Kept for the customer as prepaid.")
    free_fen = serializers.IntegerField()


class GiveIn(StrictSerializer):
    bill = Id()
    amount_fen = WholeNumber()


class MatchIn(StrictSerializer):
    payment = Id()
    bill = Id()
    amount_fen = WholeNumber()


class GiveCertainIn(StrictSerializer):
    matches = serializers.ListField(
        child=MatchIn(), max_length=giving_certain.MOST, help_text="As they were read; each is given by itself."
    )


class MatchOut(serializers.Serializer):
    payment = serializers.IntegerField()
    bill = serializers.IntegerField()
    amount_fen = serializers.IntegerField()


class CertainOut(serializers.Serializer):
    matches = MatchOut(many=True)
    total_fen = serializers.IntegerField()


class MatchGivenOut(MatchOut):
    done = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField())


class CertainGivenOut(serializers.Serializer):
    matches = MatchGivenOut(many=True)


class RefundIn(StrictSerializer):
    amount_fen = WholeNumber()
    reason = Text(max_length=_TEXT)


class AllocationOut(serializers.Serializer):
    id = serializers.IntegerField()
    payment = serializers.IntegerField()
    bill = serializers.IntegerField()
    amount_fen = serializers.IntegerField()


def bill_json(actor: Actor, bill: Any) -> dict[str, Any]:
    """A bill from ``queries.bills_visible``, as the actor may see where it stands."""
    stands = standing_for(actor, bill)
    return {
        "id": bill.pk,
        "number": bill.number,
        "reference": bill.reference,
        "owner": bill.owner_id,
        "customer": bill.customer_id,
        "until_on": bill.until_on.isoformat(),
        "due_on": bill.due_on.isoformat(),
        "issued_at": bill.issued_at,
        "total_fen": bill.total_fen,
        "credited_fen": stands.credited_fen,
        "paid_fen": stands.paid_fen,
        "open_fen": stands.open_fen,
        "written_off_fen": stands.written_off_fen,
        "state": stands.state.value,
        "render_state": bill.render_state,
        "sha256": bill.content_sha256,
    }


def credit_json(note: CreditNote) -> dict[str, Any]:
    """A credit note that was just issued."""
    subsidy = note.content["totals"]["subsidy_fen"]
    return {"id": note.pk, "number": note.number, "amount_fen": note.total_fen, "subsidy_fen": subsidy}


def taken_json(statement: BankStatement, known: bool) -> dict[str, Any]:
    """What a bank's list brought."""
    return {
        "id": statement.pk,
        "known": known,
        "taken": 0 if known else statement.taken_count,
        "known_rows": statement.row_count - statement.outgoing_count if known else statement.known_count,
        "outgoing_rows": statement.outgoing_count,
        "taken_fen": 0 if known else statement.taken_fen,
    }


def payment_json(payment: Any) -> dict[str, Any]:
    """A payment from ``queries.payments_visible``."""
    stands = standing(payment)
    return {
        "id": payment.pk,
        "owner": payment.owner_id,
        "method": payment.method,
        "received_on": payment.received_on.isoformat(),
        "payer_name": payment.payer_name,
        "remark": payment.remark,
        "amount_fen": stands.amount_fen,
        "given_fen": stands.given_fen,
        "returned_fen": stands.returned_fen,
        "promised_fen": stands.promised_fen,
        "prepaid_fen": stands.prepaid_fen,
        "free_fen": stands.free_fen,
    }


def certain_json(found: Sequence[CertainMatch]) -> dict[str, Any]:
    """What may be given without a second look."""
    matches = [{"payment": each.payment.pk, "bill": each.bill.bill_id, "amount_fen": each.amount_fen} for each in found]
    return {"matches": matches, "total_fen": sum(each.amount_fen for each in found)}


def given_json(report: Sequence[Given]) -> dict[str, Any]:
    """What became of each match."""
    return {
        "matches": [
            {
                "payment": each.wanted.payment_id,
                "bill": each.wanted.bill_id,
                "amount_fen": each.wanted.amount_fen,
                "done": each.done,
                "problems": [reason_sentence(reason) for reason in each.reasons],
            }
            for each in report
        ]
    }


def allocation_json(row: Allocation) -> dict[str, Any]:
    """What was given to a bill, or (below zero) taken back."""
    return {"id": row.pk, "payment": row.payment_id, "bill": row.bill_id, "amount_fen": row.amount_fen}
