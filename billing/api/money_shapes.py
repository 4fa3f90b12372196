"""What prepaid money, reminders, receipts and the ledger look like over the API. Amounts are fen, days local ISO dates, instants UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.dunning.queries import OverdueRow
from billing.dunning.rules.steps import Step
from billing.ledger.books import Sums
from billing.ledger.models import Account, Transfer
from billing.payments.prepaid_models import EntryKind, PrepaidEntry
from billing.payments.prepaid_queries import Balance, LimitRow
from billing.prepaid.models import PrepaidTerms
from config.kernel.api.fields import Day, Id, IdParameter, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer

_TEXT = 2000  # longer is refused as input; the service says what really fits
_STEPS = ", ".join(each.value for each in Step)


# --- Prepaid money and limits ----------------------------------------------------------------------------------------
class PrepaidBalanceOut(serializers.Serializer):
    owner = serializers.IntegerField()
    customer = serializers.IntegerField()
    there_fen = serializers.IntegerField()
    held_fen = serializers.IntegerField(help_text="Kept for bookings and for charges that wait for their bill.")
    left_fen = serializers.IntegerField()


class PrepaidEntryOut(serializers.Serializer):
    id = serializers.IntegerField()
    payment = serializers.IntegerField()
    owner = serializers.IntegerField()
    customer = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    amount_fen = serializers.IntegerField(help_text="Below zero: used.")
    of = serializers.IntegerField(allow_null=True, help_text="The deposit that was used.")
    bill = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class DepositIn(StrictSerializer):
    customer = Id()
    amount_fen = WholeNumber()


class OnlineDepositIn(StrictSerializer):
    """To be paid at the payment service; the institution has to be the one that is paid online here."""

    owner = Id()
    customer = Id()
    amount_fen = WholeNumber()
    back_url = serializers.URLField(max_length=1000, help_text="Where the payment service leads back to.")


class OnlineDepositOut(serializers.Serializer):
    url = serializers.CharField(help_text="Where it is paid; nothing is kept until the payment service has told us.")


class WithdrawIn(StrictSerializer):
    owner = Id()
    customer = Id()
    amount_fen = WholeNumber()
    reason = Text(max_length=_TEXT)


class WithdrawnOut(serializers.Serializer):
    payments = serializers.ListField(child=serializers.IntegerField(), help_text="Of which it goes back.")


class TermsIn(StrictSerializer):
    owner = Id()
    customer = Id(required=False, allow_null=True, default=None, help_text="Null: everybody of whom nothing else is said.")
    asks = serializers.BooleanField(help_text="Whether new bookings have to be covered by prepaid money.")
    reason = Text(max_length=_TEXT)


class TermsOut(serializers.Serializer):
    id = serializers.IntegerField()
    owner = serializers.IntegerField()
    customer = serializers.IntegerField(allow_null=True)
    asks = serializers.BooleanField()
    reason = serializers.CharField()
    set_at = serializers.DateTimeField()


class LimitIn(StrictSerializer):
    """Of one member or of one project, not both."""

    organisation = Id()
    member = Id(required=False, allow_null=True, default=None)
    project = Text(max_length=_TEXT, required=False, default="", allow_blank=True)
    limit_fen = WholeNumber()
    valid_from = Day()
    valid_until = Day()


class LimitFenIn(StrictSerializer):
    limit_fen = WholeNumber()


class LimitOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    member = serializers.IntegerField(allow_null=True)
    project = serializers.CharField()
    limit_fen = serializers.IntegerField()
    spent_fen = serializers.IntegerField()
    held_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()


class AccountCodesIn(StrictSerializer):
    codes = Text(
        max_length=50_000, allow_blank=True, help_text="One ``account = code`` in a line, for example ``receivable = 1122``."
    )


class AccountCodesOut(serializers.Serializer):
    codes = serializers.DictField(child=serializers.CharField(), help_text="By the key of an account, or by how keys begin.")


class OrderNumberIn(StrictSerializer):
    number = Text(max_length=_TEXT, allow_blank=True, help_text="Empty takes it away.")


class OrderNumberOut(serializers.Serializer):
    number = serializers.CharField(allow_blank=True)


def balance_json(row: Balance) -> dict[str, Any]:
    """From ``prepaid_queries.balances``."""
    sides = {"owner": row.owner.pk, "customer": row.customer.pk}
    return {**sides, "there_fen": row.there_fen, "held_fen": row.held_fen, "left_fen": row.left_fen}


def entry_json(row: PrepaidEntry) -> dict[str, Any]:
    """From ``prepaid_queries.entries_visible``."""
    return {
        "id": row.pk,
        "payment": row.payment_id,
        "owner": row.payment.owner_id,
        "customer": row.customer_id,
        "kind": row.kind,
        "amount_fen": row.amount_fen,
        "of": row.of_id,
        "bill": row.bill_id,
        "reason": row.reason,
        "at": row.at,
    }


def terms_json(row: PrepaidTerms) -> dict[str, Any]:
    """What an owner asks of a customer, or of all."""
    names = {"owner": row.owner_id, "customer": row.customer_id, "asks": row.asks}
    return {"id": row.pk, **names, "reason": row.reason, "set_at": row.set_at}


def limit_json(row: LimitRow) -> dict[str, Any]:
    """From ``prepaid_queries.limits``."""
    limit = row.limit
    return {
        "id": limit.pk,
        "organisation": limit.organisation_id,
        "member": limit.member_id,
        "project": limit.project,
        "limit_fen": limit.limit_fen,
        "spent_fen": row.spent_fen,
        "held_fen": row.held_fen,
        "left_fen": row.left_fen,
        "valid_from": limit.valid_from.isoformat(),
        "valid_until": limit.valid_until.isoformat(),
    }


# --- Unpaid bills ----------------------------------------------------------------------------------------------------
class OverdueOut(serializers.Serializer):
    bill = serializers.IntegerField()
    number = serializers.CharField()
    owner = serializers.IntegerField()
    customer = serializers.IntegerField()
    due_on = serializers.DateField()
    days_late = serializers.IntegerField(help_text="Below zero: it is due in so many days.")
    open_fen = serializers.IntegerField()
    last_step = serializers.CharField(allow_blank=True, help_text=_STEPS)
    next_step = serializers.CharField(allow_null=True, help_text=_STEPS)
    next_on = serializers.DateField(allow_null=True)
    blocked = serializers.BooleanField(help_text="It keeps its customer from new bookings.")
    disputed = serializers.BooleanField()
    exempt_until = serializers.DateField(allow_null=True)


class ExemptionIn(StrictSerializer):
    owner = Id()
    customer = Id()
    until_on = Day(help_text="To the end of this day nobody is reminded and nothing blocked; yesterday ends it.")
    reason = Text(max_length=_TEXT)


def overdue_json(row: OverdueRow) -> dict[str, Any]:
    """From ``dunning.queries.rows_of``."""
    step, on = row.upcoming or (None, None)
    return {
        "bill": row.bill.pk,
        "number": row.bill.number,
        "owner": row.bill.owner_id,
        "customer": row.bill.customer_id,
        "due_on": row.bill.due_on.isoformat(),
        "days_late": row.days_late,
        "open_fen": row.open_fen,
        "last_step": row.last,
        "next_step": step.value if step else None,
        "next_on": on.isoformat() if on else None,
        "blocked": row.blocked,
        "disputed": row.dispute is not None,
        "exempt_until": row.exempt_until.isoformat() if row.exempt_until else None,
    }


# --- Receipts and statements of account ------------------------------------------------------------------------------
class ReceiptIn(StrictSerializer):
    payment = Id()
    customer = Id()


class AccountStatementIn(StrictSerializer):
    owner = Id()
    customer = Id()
    first_on = Day()
    last_on = Day()


class CustomerPaperOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    owner = serializers.IntegerField()
    customer = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    issued_at = serializers.DateTimeField()
    render_state = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the frozen content.")


class CustomerPaperDetailOut(CustomerPaperOut):
    content = serializers.DictField(help_text="Everything the PDF and the XLSX show, frozen at issue.")


def paper_json(row: Any) -> dict[str, Any]:
    """A receipt or a statement of account."""
    return {
        "id": row.pk,
        "number": row.number,
        "owner": row.owner_id,
        "customer": row.customer_id,
        "total_fen": row.total_fen,
        "issued_at": row.issued_at,
        "render_state": row.render_state,
        "sha256": row.content_sha256,
    }


# --- The ledger ------------------------------------------------------------------------------------------------------
class PeriodParameters(PageParameters):
    first_on = Day(required=False, help_text="A local day; without it from the first posting on.")
    last_on = Day(required=False, help_text="A local day; without it to the newest posting.")


class AccountParameters(PeriodParameters):
    organisation = IdParameter(required=False)
    programme = serializers.CharField(max_length=60, required=False, help_text="The code of a programme.")
    kind = serializers.CharField(max_length=30, required=False)


class LedgerAccountOut(serializers.Serializer):
    id = serializers.IntegerField()
    key = serializers.CharField()
    kind = serializers.CharField()
    organisation = serializers.IntegerField(allow_null=True)
    programme = serializers.CharField(allow_null=True)
    opening_fen = serializers.IntegerField(help_text="Debits less credits before the period.")
    debit_fen = serializers.IntegerField()
    credit_fen = serializers.IntegerField()
    closing_fen = serializers.IntegerField()


class PostingOut(serializers.Serializer):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    debit = serializers.IntegerField(help_text="The account that is debited.")
    debit_key = serializers.CharField()
    credit = serializers.IntegerField()
    credit_key = serializers.CharField()
    amount_fen = serializers.IntegerField()
    kind = serializers.CharField()
    reason = serializers.CharField()
    cause = serializers.CharField(help_text="What caused it: its kind and number.")


def account_json(row: Account, sums: Sums) -> dict[str, Any]:
    """An account with what was posted on it in the period."""
    return {
        "id": row.pk,
        "key": row.key,
        "kind": row.kind,
        "organisation": row.organisation_id,
        "programme": row.programme.code if row.programme else None,
        "opening_fen": sums.opening_fen,
        "debit_fen": sums.debit_fen,
        "credit_fen": sums.credit_fen,
        "closing_fen": sums.closing_fen,
    }


def posting_json(row: Transfer) -> dict[str, Any]:
    """From ``books.postings``."""
    return {
        "id": row.pk,
        "at": row.at,
        "debit": row.debit_id,
        "debit_key": row.debit.key,
        "credit": row.credit_id,
        "credit_key": row.credit.key,
        "amount_fen": row.amount_fen,
        "kind": row.kind,
        "reason": row.reason,
        "cause": f"{row.source_type}:{row.source_id}",
    }
