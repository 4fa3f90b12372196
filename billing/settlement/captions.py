"""The captions of a statement's documents: Chinese first, English small beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

Word = Promise | str
CHINESE, ENGLISH = "zh-hans", "en"


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption in both languages; ``en`` is empty where both are the same."""

    zh: str
    en: str

    @property
    def line(self) -> str:
        """Both on one line."""
        return f"{self.zh} {self.en}".rstrip()


def both(word: Word) -> Caption:
    """A word of the catalogue in both languages."""
    with translation.override(CHINESE):
        zh = str(word)
    with translation.override(ENGLISH):
        en = str(word)
    return Caption(zh, "" if en == zh else en)


WORDS: Mapping[str, Word] = {
    "title": pgettext_lazy("statement", "Subsidy settlement statement"),
    "draft": pgettext_lazy("bill document", "Draft"),
    "number": pgettext_lazy("statement", "Number"),
    "period": pgettext_lazy("statement", "Period"),
    "made_on": pgettext_lazy("statement", "Date of issue"),
    "programme": pgettext_lazy("statement", "Subsidy programme"),
    "version": pgettext_lazy("statement", "Version"),
    "issuer": pgettext_lazy("statement", "Programme issued by"),
    "mode": pgettext_lazy("statement", "Way of settlement"),
    "office": pgettext_lazy("statement", "Issuing office"),
    "payee": pgettext_lazy("statement", "Payee"),
    "code": pgettext_lazy("statement", "Unified social credit code"),
    "other_code": pgettext_lazy("statement", "Registration number"),
    "bank": pgettext_lazy("statement", "Bank"),
    "account_name": pgettext_lazy("statement", "Account name"),
    "account_number": pgettext_lazy("statement", "Account number"),
    "external_invoice": pgettext_lazy("statement", "VAT invoice number"),
    "fund_year": pgettext_lazy("claim document", "Budget year"),
    "budget_item": pgettext_lazy("claim document", "Budget item"),
    "edition": pgettext_lazy("statement", "Version of this paper"),
    "batch": pgettext_lazy("statement", "Batch"),
    "publicity_since": pgettext_lazy("statement", "Publicity since the issue"),
    "not_of_the_paper": pgettext_lazy("statement", "Added when the page was asked for; no part of the paper that was issued."),
    "publicity": pgettext_lazy("statement", "Publicity and outcome"),
    "annexes": pgettext_lazy("statement", "Papers behind the lines"),
    "bill": pgettext_lazy("statement annex", "Bill"),
    "paid": pgettext_lazy("statement annex", "Paid of the bill"),
    "invoice": pgettext_lazy("statement annex", "VAT invoice, date"),
    "receipts": pgettext_lazy("statement annex", "Receipts"),
    "other_papers": pgettext_lazy("statement annex", "Commission, reports, publicity"),
    "taken_back": pgettext_lazy("statement", "Taken back of earlier statements since"),
    "taken_back_note": pgettext_lazy("statement", "Told here, no part of the total: it is taken off the payee's claims."),
    "of_statement": pgettext_lazy("statement", "Statement, line"),
    "cause": pgettext_lazy("statement", "Why"),
    "by_paper": pgettext_lazy("statement", "By paper"),
    "on": pgettext_lazy("statement", "On"),
    "amount": pgettext_lazy("statement", "Amount"),
    "sheet_taken_back": pgettext_lazy("statement sheet", "Taken back"),
    "sheet_annexes": pgettext_lazy("statement sheet", "Papers"),
    "not_an_invoice": pgettext_lazy("statement", "This is a settlement statement, not a VAT invoice."),
    "position": pgettext_lazy("statement line", "No."),
    "session": pgettext_lazy("statement line", "Session"),
    "time": pgettext_lazy("statement line", "Time"),
    "starts": pgettext_lazy("statement line", "Start"),
    "ends": pgettext_lazy("statement line", "End"),
    "zone": pgettext_lazy("statement line", "Time zone"),
    "instrument": pgettext_lazy("statement line", "Instrument"),
    "inner_id": pgettext_lazy("statement line", "Instrument number"),
    "owner": pgettext_lazy("statement line", "Owner"),
    "customer": pgettext_lazy("statement line", "Customer"),
    "service_way": pgettext_lazy("statement line", "Service way"),
    "hours": pgettext_lazy("statement line", "Hours"),
    "price": pgettext_lazy("statement line", "List price per hour"),
    "gross": pgettext_lazy("statement line", "Fee"),
    "eligible": pgettext_lazy("statement line", "Eligible"),
    "excluded": pgettext_lazy("statement line", "Excluded"),
    "excluded_why": pgettext_lazy("statement line", "Why excluded"),
    "rate": pgettext_lazy("statement line", "Rate, clauses"),
    "clauses": pgettext_lazy("statement line", "Clauses"),
    "computed": pgettext_lazy("statement line", "Computed"),
    "cut": pgettext_lazy("statement line", "Cut by"),
    "awarded": pgettext_lazy("statement line", "Approved"),
    "credited": pgettext_lazy("statement line", "Credited"),
    "total": pgettext_lazy("statement", "Total"),
    "total_figures": pgettext_lazy("statement", "Total in figures"),
    "total_capitals": pgettext_lazy("statement", "Total in words"),
    "split": pgettext_lazy("statement", "Paid by"),
    "policy": pgettext_lazy("statement", "Clauses applied"),
    "assumed": pgettext_lazy("statement", "assumed"),
    "grade": pgettext_lazy("statement", "Grade"),
    "signatures": pgettext_lazy("statement", "Signatures and seals"),
    "maker": pgettext_lazy("statement", "Made by"),
    "reviewer": pgettext_lazy("statement", "Reviewed by"),
    "approver": pgettext_lazy("statement", "Approved by"),
    "finance": pgettext_lazy("statement", "Finance"),
    "head": pgettext_lazy("statement", "Head of office"),
    "date": pgettext_lazy("statement", "Date"),
    "unit_seal": pgettext_lazy("statement", "Seal of the office"),
    "finance_seal": pgettext_lazy("statement", "Finance seal"),
    "times_in": pgettext_lazy("statement", "Times are local times of the instrument's site"),
    "currency": pgettext_lazy("statement", "Amounts in yuan (CNY)"),
    "content_hash": pgettext_lazy("statement", "Content SHA-256"),
    "check": pgettext_lazy("paper", "Check this paper"),
    "lines": pgettext_lazy("statement", "Lines"),
    "sheet_lines": pgettext_lazy("statement sheet", "Statement"),
    "sheet_policy": pgettext_lazy("statement sheet", "Clauses"),
    "sheet_about": pgettext_lazy("statement sheet", "About this file"),
    "field": pgettext_lazy("statement sheet", "Field"),
    "value": pgettext_lazy("statement sheet", "Value"),
    "clause_text": pgettext_lazy("statement sheet", "Text"),
    "clause_text_en": pgettext_lazy("statement sheet", "English text"),
}


def captions(words: Mapping[str, Word] = WORDS) -> dict[str, Caption]:
    """Every caption in both languages."""
    with translation.override(CHINESE):
        zh = {name: str(word) for name, word in words.items()}
    with translation.override(ENGLISH):
        en = {name: str(word) for name, word in words.items()}
    return {name: Caption(zh[name], "" if en[name] == zh[name] else en[name]) for name in words}
