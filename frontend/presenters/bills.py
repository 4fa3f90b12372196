"""Bills, credit notes and payments as rows for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from billing.bills import wording
from billing.bills.models import Bill
from billing.bills.queries import LineStanding, standing_for
from billing.bills.rules.standing import Standing, is_overdue
from billing.payments.difference_models import PaymentDifference
from billing.payments.rules.matching import Confidence, Ground, Suggestion
from billing.payments.services.crediting import Posting
from billing.wording import in_english
from config.kernel.access import Actor
from config.kernel.messages import sentence
from frontend.templatetags.jishi import bilingual

Content = Mapping[str, Any]
Word = Promise | str
GROUNDS: Mapping[str, Word] = {
    Ground.REFERENCE: pgettext_lazy("why a bill is proposed", "payment reference"),
    Ground.NUMBER: pgettext_lazy("why a bill is proposed", "number of the bill"),
    Ground.AMOUNT: pgettext_lazy("why a bill is proposed", "amount"),
    Ground.PAYER: pgettext_lazy("why a bill is proposed", "payer"),
    Ground.ALL_OPEN: pgettext_lazy("why a bill is proposed", "all that the customer owes"),
}
CONFIDENCE: Mapping[str, Word] = {
    Confidence.CERTAIN: pgettext_lazy("how sure", "sure"),
    Confidence.LIKELY: pgettext_lazy("how sure", "likely"),
    Confidence.POSSIBLE: pgettext_lazy("how sure", "possible"),
}
ACCOUNTS: Mapping[str, Word] = {
    "receivable": pgettext_lazy("ledger account", "Owed by the customer"),
    "revenue": pgettext_lazy("ledger account", "Billed"),
    "unassigned": pgettext_lazy("ledger account", "Free money"),
    "awarded": pgettext_lazy("ledger account", "Subsidy given"),
    "card_income": pgettext_lazy("ledger account", "Paid from fund cards"),
    "fund_card": pgettext_lazy("ledger account", "The customer's fund card"),
}
METHODS: Mapping[str, Word] = {
    "bank": pgettext_lazy("way to pay", "Bank transfer"),
    "stripe": pgettext_lazy("way to pay", "Paid online"),
    "hand": pgettext_lazy("way to pay", "Entered by hand"),
}
#: How money that is entered by hand came.
WAYS: Mapping[str, Word] = {
    "cash": pgettext_lazy("way to pay", "Cash"),
    "card": pgettext_lazy("way to pay", "Card terminal"),
    "cheque": pgettext_lazy("way to pay", "Cheque"),
    "slip": pgettext_lazy("way to pay", "Slip of another bank"),
}
LAYOUTS: Mapping[str, Word] = {
    "two_columns": _("One column for money in, one for money out"),
    "direction": _("One amount and a column that says which way"),
    "signed": _("One amount, money out with a minus sign"),
}


DIFFERENCES: Mapping[str, Word] = {
    "quarantined": _("The payment service says something else than was asked for."),
    "paid": _("Paid there and not here, or the other way round."),
    "refunded": _("What went back there is not what went back here."),
    "disputed": _("What the payer's bank asks back is not known here, or not as it stands there."),
    "unknown": _("The payment service has a payment that our books do not know."),
    "only_here": _("Our books have a payment that the payment service does not know."),
    "refund_lost": _("Nobody knows whether this refund was made."),
}


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """Where the payment service and our books disagree. ``why``: more about it (empty: nothing); ``bill``: of which bill, if known."""

    row: PaymentDifference
    word: Word
    why: str
    bill: Bill | None


def difference_rows(rows: Sequence[PaymentDifference]) -> list[DifferenceRow]:
    """The rows of ``open_differences``."""
    return [
        DifferenceRow(
            row, DIFFERENCES[row.code], sentence(row.note, {}) if row.note else "", row.checkout.bill if row.checkout else None
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill of a list; ``overdue``: something is to pay and its day is over."""

    bill: Bill
    standing: Standing
    overdue: bool


def bill_rows(actor: Actor, bills: Sequence[Bill], today: date) -> list[BillRow]:
    """The rows of bills from ``bills_visible``, as the actor may see where they stand."""
    seen = [(bill, standing_for(actor, bill)) for bill in bills]
    return [BillRow(bill, stands, is_overdue(stands, (today - bill.due_on).days)) for bill, stands in seen]


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a bill. ``what``: what it is for beside use; ``url``: its booking or job; times with their own offset."""

    position: int
    url: str
    reference: str
    subject: str
    inner_id: str
    what: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    quantity: str
    unit: str
    gross_fen: int
    deducted_fen: int
    relieved_fen: int
    amount_fen: int
    credited_fen: int = 0
    left_fen: int = 0
    fell_away_fen: int = 0
    purchase_order: str = ""


def line_row(line: Mapping[str, Any], standing: LineStanding | None = None) -> LineRow:
    """A line of a content, with what was credited of it."""
    route = "sample_job" if line["of"] == "sample_job" else "reservation_detail"
    subject = line["subject"]
    return LineRow(
        position=line["position"],
        url=reverse(route, args=[line["place"]]),
        reference=line["reference"],
        subject=(in_english() and subject["name_en"]) or subject["name"],
        inner_id=subject["inner_id"],
        what=wording.what_word(line),
        starts_at=datetime.fromisoformat(line["starts_at"]),
        ends_at=datetime.fromisoformat(line["ends_at"]),
        zone=line["zone"],
        quantity=line["quantity"],
        unit=wording.unit_word(line["unit"]),
        gross_fen=line["gross_fen"],
        deducted_fen=sum(each["amount_fen"] for each in line["deductions"]),
        relieved_fen=line["relieved_fen"],
        amount_fen=line["amount_fen"],
        credited_fen=standing.credited_fen if standing else 0,
        left_fen=standing.left_fen if standing else 0,
        fell_away_fen=standing.fell_away_fen if standing else 0,
        purchase_order=line.get("purchase_order", ""),
    )


@dataclass(frozen=True, slots=True)
class PartyRow:
    name: str
    code: str
    address: str
    bank_name: str
    bank_account_name: str
    bank_account_number: str


def party_row(party: Mapping[str, str]) -> PartyRow:
    """One side of a bill in the reader's language."""
    name = (in_english() and party["name_en"]) or party["name"]
    rest = ("code", "address", "bank_name", "bank_account_name", "bank_account_number")
    return PartyRow(name, *(party[field] for field in rest))


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """What money is probably for, in words."""

    bill_id: int
    number: str
    customer: str
    open_fen: int
    amount_fen: int
    confidence: str
    confidence_word: Word
    grounds: tuple[Word, ...]

    @property
    def words(self) -> str:
        """How sure it is, and why."""
        listed = pgettext("between the items of a list", ", ").join(str(ground) for ground in self.grounds)
        return str(_("%(sure)s: %(grounds)s")) % {"sure": self.confidence_word, "grounds": listed}


def suggestion_rows(found: Sequence[Suggestion], bills: Mapping[int, Any]) -> list[SuggestionRow]:
    """``bills``: ``OpenBill`` by id."""
    return [
        SuggestionRow(
            each.bill_id,
            bills[each.bill_id].number,
            bilingual(bills[each.bill_id], "customer_name"),
            bills[each.bill_id].open_fen,
            each.amount_fen,
            each.confidence.value,
            CONFIDENCE[each.confidence],
            tuple(GROUNDS[ground] for ground in each.grounds),
        )
        for each in found
    ]


def posting_rows(postings: Sequence[Posting]) -> list[tuple[Word, Word, int]]:
    """(debit, credit, fen); a programme is called by its code."""
    return [(ACCOUNTS.get(each.debit, each.debit), ACCOUNTS.get(each.credit, each.credit), each.amount_fen) for each in postings]
