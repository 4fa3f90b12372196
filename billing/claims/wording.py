"""Codes of claims in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from billing.claims.rules.checks import DECLARATION, CheckCode
from billing.claims.rules.review import Asked, Level
from billing.claims.rules.sampling import Method
from billing.claims.rules.states import ClaimEvent
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.rules.waiting import Work
from billing.wording import REVERSAL_CAUSES

Word = Promise | str

CAUSES: Mapping[str, Word] = REVERSAL_CAUSES
METHODS: Mapping[str, Word] = {
    Method.AMOUNT: pgettext_lazy("how a sample is drawn", "By amount: every yuan alike"),
    Method.RANDOM: pgettext_lazy("how a sample is drawn", "At random: every claim alike"),
}
LEVELS: Mapping[str, Word] = {
    Level.COUNTY: pgettext_lazy("level of a review", "County"),
    Level.ZONE: pgettext_lazy("level of a review", "Policy zone"),
    Level.PREFECTURE: pgettext_lazy("level of a review", "Prefecture"),
    Level.PROVINCE: pgettext_lazy("level of a review", "Province"),
    Level.PAYMENT: pgettext_lazy("level of a review", "Payment"),
}
ASKED: Mapping[str, Word] = {
    Asked.BANK_ACCOUNT: pgettext_lazy("asked of a claim", "Bank account of the organisation"),
    Asked.INVOICE_NUMBER: pgettext_lazy("asked of a claim", "Number of the invoice"),
    Asked.INVOICE_FILE: pgettext_lazy("asked of a claim", "Copy of the invoice"),
    Asked.REPORT: pgettext_lazy("asked of a claim", "Report"),
    Asked.CONTRACT: pgettext_lazy("asked of a claim", "Contract"),
    Asked.PAYMENT_PROOF: pgettext_lazy("asked of a claim", "Proof of payment"),
    "other": pgettext_lazy("asked of a claim", "Something else"),
    DECLARATION: pgettext_lazy("asked of a claim", "What else was received or does not count (to declare)"),
}
CHECKS: Mapping[str, Word] = {
    CheckCode.EVIDENCE: pgettext_lazy("check of a claim", "Evidence is there"),
    CheckCode.FILE_TWICE: pgettext_lazy("check of a claim", "Each file with one claim, for one service"),
    CheckCode.INVOICE: pgettext_lazy("check of a claim", "Numbers of invoices are there"),
    CheckCode.INVOICE_TWICE: pgettext_lazy("check of a claim", "Each invoice in one claim only"),
    CheckCode.INVOICE_RECORDED: pgettext_lazy("check of a claim", "Each invoice is recorded here"),
    CheckCode.INVOICE_BILL: pgettext_lazy("check of a claim", "Each invoice is that of the bill of its service"),
    CheckCode.INVOICE_COUNTS: pgettext_lazy("check of a claim", "No invoice was taken back by a red-letter one"),
    CheckCode.INVOICE_TOTAL: pgettext_lazy("check of a claim", "No invoice is below the fee"),
    CheckCode.INVOICE_BUYER: pgettext_lazy("check of a claim", "Each invoice is made out to the customer"),
    CheckCode.WINDOW: pgettext_lazy("check of a claim", "Days lie in the batch and its window"),
    CheckCode.VALIDITY: pgettext_lazy("check of a claim", "The programme was valid"),
    CheckCode.YEAR: pgettext_lazy("check of a claim", "Counted in the year of the invoice or the claim"),
    CheckCode.ELIGIBLE: pgettext_lazy(
        "check of a claim", "Eligible when it was used, and still on the days of invoice and claim"
    ),
    CheckCode.DAYS: pgettext_lazy("check of a claim", "Days of claim and invoice as the programme asks"),
    CheckCode.BANK: pgettext_lazy("check of a claim", "Bank account is there"),
    CheckCode.ACCOUNT: pgettext_lazy("check of a claim", "Bank account is the one that was handed in"),
    CheckCode.RELATED: pgettext_lazy("check of a claim", "Firm and provider do not belong together"),
    CheckCode.CREDIT: pgettext_lazy("check of a claim", "The credit standing still allows it"),
    CheckCode.LEDGER: pgettext_lazy("check of a claim", "Awards are what the ledger says"),
    CheckCode.HELD: pgettext_lazy("check of a claim", "Finance holds nothing of it back"),
    CheckCode.OBJECTION: pgettext_lazy("check of a claim", "No objection waits"),
}
EVENTS: Mapping[str, Word] = {
    ClaimEvent.FILL: pgettext_lazy("step of a claim", "Filled with what can be claimed"),
    ClaimEvent.COMPLETE: pgettext_lazy("step of a claim", "Completed"),
    ClaimEvent.SUBMIT: pgettext_lazy("step of a claim", "Handed in"),
    ClaimEvent.BEGIN: pgettext_lazy("step of a claim", "Review begun"),
    ClaimEvent.PASS: pgettext_lazy("step of a claim", "Passed"),
    ClaimEvent.SEND_BACK: pgettext_lazy("step of a claim", "Sent back to be completed"),
    ClaimEvent.LINE: pgettext_lazy("step of a claim", "Line changed"),
    ClaimEvent.PUBLICISE: pgettext_lazy("step of a claim", "Made public"),
    ClaimEvent.APPROVE: pgettext_lazy("step of a claim", "Approved"),
    ClaimEvent.LIST: pgettext_lazy("step of a claim", "Put on a payment list"),
    ClaimEvent.UNLIST: pgettext_lazy("step of a claim", "Payment list cancelled"),
    ClaimEvent.SETTLE: pgettext_lazy("step of a claim", "Settled, nothing to pay"),
    ClaimEvent.PAY: pgettext_lazy("step of a claim", "Paid"),
    ClaimEvent.PAY_PART: pgettext_lazy("step of a claim", "Paid in part"),
    ClaimEvent.PAY_FAIL: pgettext_lazy("step of a claim", "Payment failed"),
    ClaimEvent.RECHECK: pgettext_lazy("step of a claim", "Looked at again"),
    ClaimEvent.REJECT: pgettext_lazy("step of a claim", "Rejected"),
    ClaimEvent.WITHDRAW: pgettext_lazy("step of a claim", "Withdrawn"),
    ClaimEvent.PAID_BACK: pgettext_lazy("step of a claim", "Paid back: less is taken off"),
}
LINES: Mapping[str, Word] = {
    LineKind.AWARD: pgettext_lazy("line of a claim", "Subsidy"),
    LineKind.CLAWBACK: pgettext_lazy("line of a claim", "Taken back"),
    LineKind.BATCH_RULE: pgettext_lazy("line of a claim", "Rule over the batch"),
}
STANDINGS: Mapping[str, Word] = {
    Standing.INCLUDED: pgettext_lazy("line of a claim", "Counts"),
    Standing.EXCLUDED: pgettext_lazy("line of a claim", "Left out"),
    Standing.POSTPONED: pgettext_lazy("line of a claim", "Postponed"),
    Standing.REPLACED: pgettext_lazy("line of a claim", "Replaced"),
}
WORK: Mapping[str, Word] = {
    Work.CLOSE: pgettext_lazy("next for claims", "Close the batch"),
    Work.REVIEW: pgettext_lazy("next for claims", "Review"),
    Work.PUBLICISE: pgettext_lazy("next for claims", "Make public"),
    Work.APPROVE: pgettext_lazy("next for claims", "Approve"),
    Work.LIST: pgettext_lazy("next for claims", "Put on a payment list"),
}
