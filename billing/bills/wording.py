"""What the codes of bills and payments are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext, pgettext_lazy

from billing import wording
from billing.bills.rules.content import Tax, tax_rows
from billing.bills.rules.crediting import CreditReason
from billing.ledger.rules.money import yuan

Word = Promise | str
CREDIT_REASONS: Mapping[str, Word] = {
    CreditReason.FEE_FELL_AWAY.value: pgettext_lazy("credit reason", "The fee fell away"),
    CreditReason.WRONG_AMOUNT.value: pgettext_lazy("credit reason", "Wrong amount"),
    CreditReason.POOR_RESULT.value: pgettext_lazy("credit reason", "The result was not good enough"),
    CreditReason.NOT_DELIVERED.value: pgettext_lazy("credit reason", "Not delivered"),
    CreditReason.OTHER.value: pgettext_lazy("credit reason", "Another reason"),
}


def unit_word(unit: str) -> str:
    """What a line counts."""
    return pgettext("unit of a bill", "hours") if unit == "hour" else pgettext("unit of a bill", "samples")


def tax_sentences(content: Mapping[str, Any]) -> list[str]:
    """What a bill says of tax, in the language that is active: a sentence for each rate that its prices name."""
    if content["tax"] == Tax.NOT_SHOWN:
        return [gettext("The published prices do not show tax apart, so neither does this bill. The VAT invoice does.")]
    return [
        gettext("Fees of ¥%(gross)s contain ¥%(tax)s of tax (%(rate)s); without tax they are ¥%(net)s.")
        % {"gross": yuan(row.gross_fen), "tax": yuan(row.tax_fen), "rate": wording.percent(row.rate), "net": yuan(row.net_fen)}
        for row in tax_rows(content)
    ]


def what_word(line: Mapping[str, Any]) -> str:
    """What a line is charged for beside use: a fee and its kind, or nothing; and whether it comes late."""
    fee = str(wording.slip_cause({"cause": line["fee_kind"]})) if line["fee_kind"] else ""
    late = pgettext("line of a bill", "prior period") if line.get("prior_period") else ""
    return " · ".join(filter(None, (fee, late)))


def order_word(line: Mapping[str, Any]) -> str:
    """The customer's purchase-order number of a line, or nothing."""
    number = line.get("purchase_order", "")
    return gettext("Purchase order %(number)s") % {"number": number} if number else ""
