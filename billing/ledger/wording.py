"""What accounts, movements and their reasons are called."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

Word = Promise | str

ACCOUNTS: dict[str, Word] = {
    "pool": pgettext_lazy("kind of account", "Budget"),
    "voucher_quota": pgettext_lazy("kind of account", "Quota of vouchers"),
    "voucher": pgettext_lazy("kind of account", "Voucher"),
    "firm_year": pgettext_lazy("kind of account", "Yearly limit of a firm"),
    "team_year": pgettext_lazy("kind of account", "Yearly limit of a team"),
    "applicant_year": pgettext_lazy("kind of account", "Yearly limit of an applicant"),
    "person_year": pgettext_lazy("kind of account", "Yearly limit of a person"),
    "controller_year": pgettext_lazy("kind of account", "Yearly limit of a controller"),
    "instrument_year": pgettext_lazy("kind of account", "Yearly limit of an instrument"),
    "owner_year": pgettext_lazy("kind of account", "Yearly limit of an owner"),
    "order": pgettext_lazy("kind of account", "Limit of an order"),
    "contract": pgettext_lazy("kind of account", "Limit of a contract"),
    "subsidy_due": pgettext_lazy("kind of account", "Subsidy owed to a payee"),
    "subsidy_granted": pgettext_lazy("kind of account", "Subsidy approved"),
    "subsidy_paid": pgettext_lazy("kind of account", "Subsidy paid"),
    "surplus_held": pgettext_lazy("kind of account", "Money of payees that came too much"),
    "surplus_owed": pgettext_lazy("kind of account", "Sent too much by a payee, and owed to it"),
    "unit_total": pgettext_lazy("kind of account", "Total limit of an applicant"),
}
KINDS: dict[str, Word] = {
    "grant": pgettext_lazy("movement", "Came in"),
    "hold": pgettext_lazy("movement", "Kept for a booking"),
    "post": pgettext_lazy("movement", "Spent"),
    "void": pgettext_lazy("movement", "Kept no longer"),
    "expire": pgettext_lazy("movement", "Kept no longer"),
    "reverse": pgettext_lazy("movement", "Given back"),
    "refund": pgettext_lazy("movement", "Came back"),
}
REASONS: dict[str, Word] = {
    "limit": pgettext_lazy("reason of a movement", "The limit was set"),
    "top_up": pgettext_lazy("reason of a movement", "Topped up"),
    "quota": pgettext_lazy("reason of a movement", "Quota of an announcement"),
    "issue": pgettext_lazy("reason of a movement", "Voucher issued"),
    "recognise": pgettext_lazy("reason of a movement", "Voucher of a partner region"),
    "return": pgettext_lazy("reason of a movement", "Voucher given back"),
    "lapse": pgettext_lazy("reason of a movement", "Its last day was over"),
    "close": pgettext_lazy("reason of a movement", "Account closed"),
    "opening": pgettext_lazy("reason of a movement", "Received before or elsewhere"),
    "approve": pgettext_lazy("reason of a movement", "Booking approved"),
    "accept": pgettext_lazy("reason of a movement", "Samples accepted"),
    "agree": pgettext_lazy("reason of a movement", "Use agreed"),
    "move": pgettext_lazy("reason of a movement", "Booking moved"),
    "extend": pgettext_lazy("reason of a movement", "Booking extended"),
    "cancel": pgettext_lazy("reason of a movement", "Booking cancelled"),
    "claim_approve": pgettext_lazy("reason of a movement", "Claim approved"),
    "clawback_repaid": pgettext_lazy("reason of a movement", "Claw-back paid back"),
    "clawback_unpaid": pgettext_lazy("reason of a movement", "Payment of a claw-back undone"),
    "surplus_refunded": pgettext_lazy("reason of a movement", "Sent too much and sent back"),
    "surplus_not_refunded": pgettext_lazy("reason of a movement", "Sending back undone"),
    "claim_pay": pgettext_lazy("reason of a movement", "Claim paid"),
    "dispute": pgettext_lazy("reason of a movement", "Dispute after the claim"),
    "recheck": pgettext_lazy("reason of a movement", "Re-check of a claim"),
    "batch_rule": pgettext_lazy("reason of a movement", "Rule over the batch"),
    "not_claimable": pgettext_lazy("reason of a movement", "Not claimable"),
    "declared": pgettext_lazy("reason of a movement", "Less by what was declared with the claim"),
    "reject": pgettext_lazy("reason of a movement", "Booking rejected"),
    "mark_no_show": pgettext_lazy("reason of a movement", "Nobody came"),
    "written_off": pgettext_lazy("reason of a movement", "Written off"),
    "taken_back": pgettext_lazy("reason of a movement", "Write-off taken back"),
    "met": pgettext_lazy("reason of a movement", "Paid or credited after all"),
    "bill_issue": pgettext_lazy("reason of a movement", "Bill issued"),
    "bill_void": pgettext_lazy("reason of a movement", "Bill made void"),
    "credit_note": pgettext_lazy("reason of a movement", "Credited"),
    "bank_import": pgettext_lazy("reason of a movement", "Came in by bank transfer"),
    "by_hand": pgettext_lazy("reason of a movement", "Entered by hand and confirmed"),
    "undone": pgettext_lazy("reason of a movement", "Entry by hand taken back"),
    "checkout_paid": pgettext_lazy("reason of a movement", "Paid online"),
    "payment_give": pgettext_lazy("reason of a movement", "Given to the bill"),
    "payment_undo": pgettext_lazy("reason of a movement", "Taken from the bill again"),
    "refund": pgettext_lazy("reason of a movement", "Sent back"),
    "prepaid_deposit": pgettext_lazy("reason of a movement", "Kept as prepaid money"),
    "prepaid_capture": pgettext_lazy("reason of a movement", "Prepaid money taken for the bill"),
    "prepaid_withdraw": pgettext_lazy("reason of a movement", "Prepaid money no longer kept"),
    "month_exclude": pgettext_lazy("reason of a movement", "Excluded from the month"),
    "budget": pgettext_lazy("reason of a movement", "The budget of the card was set"),
    "request": pgettext_lazy("reason of a movement", "Booking asked for"),
    "reprice": pgettext_lazy("reason of a movement", "Priced again"),
    "card": pgettext_lazy("reason of a movement", "Another fund card was chosen"),
    "extra": pgettext_lazy("reason of a movement", "Something more was agreed"),
    "charged_on": pgettext_lazy("reason of a movement", "Counted by the day of the charge"),
    "fee_fell_away": pgettext_lazy("reason of a movement", "Fee fell away"),
    "expire": pgettext_lazy("reason of a movement", "Booking expired"),
    "take_back": pgettext_lazy("reason of a movement", "Approval taken back"),
    "undo_import": pgettext_lazy("reason of a movement", "Import undone"),
    "ask": pgettext_lazy("reason of a movement", "Sample job asked for"),
    "requote": pgettext_lazy("reason of a movement", "New price of the lab"),
    "accept_quote": pgettext_lazy("reason of a movement", "New price accepted"),
    "refuse": pgettext_lazy("reason of a movement", "Sample job refused"),
    "fail": pgettext_lazy("reason of a movement", "Sample job failed"),
}
# What a reason is called when something else than an account or a booking gave it.
OF_SOURCE: dict[tuple[str, str], Word] = {
    ("sample_job", "close"): pgettext_lazy("reason of a movement", "Samples done and charged"),
    ("sample_job", "cancel"): pgettext_lazy("reason of a movement", "Sample job cancelled"),
    ("sample_job", "lapse"): pgettext_lazy("reason of a movement", "Sample job lapsed"),
    ("reservation", "accept"): pgettext_lazy("reason of a movement", "New price accepted"),
    ("refund", "dispute"): pgettext_lazy("reason of a movement", "Taken back by the payer's bank"),
    ("opening_balance", "taken_back"): pgettext_lazy("reason of a movement", "Opening balance taken back"),
}


def account_word(kind: str) -> Word:
    """What an account of a kind is called; a kind of a programme's own keeps its code."""
    return ACCOUNTS.get(kind, kind)


def reason_word(reason: str, source_type: str = "") -> Word:
    """Why something moved, by what moved it; a reason without a word keeps its code."""
    return OF_SOURCE.get((source_type, reason)) or REASONS.get(reason, reason)
