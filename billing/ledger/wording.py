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
    "subsidy_due": pgettext_lazy("kind of account", "Subsidy owed to a payee"),
    "subsidy_granted": pgettext_lazy("kind of account", "Subsidy approved"),
    "subsidy_paid": pgettext_lazy("kind of account", "Subsidy paid"),
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
    "claim_pay": pgettext_lazy("reason of a movement", "Claim paid"),
    "dispute": pgettext_lazy("reason of a movement", "Dispute after the claim"),
    "recheck": pgettext_lazy("reason of a movement", "Re-check of a claim"),
    "batch_rule": pgettext_lazy("reason of a movement", "Rule over the batch"),
    "not_claimable": pgettext_lazy("reason of a movement", "Not claimable"),
    "reject": pgettext_lazy("reason of a movement", "Booking rejected"),
    "mark_no_show": pgettext_lazy("reason of a movement", "Nobody came"),
    "written_off": pgettext_lazy("reason of a movement", "Written off"),
    "taken_back": pgettext_lazy("reason of a movement", "Write-off taken back"),
    "met": pgettext_lazy("reason of a movement", "Paid or credited after all"),
}
# What a reason is called when something else than an account or a booking gave it.
OF_SOURCE: dict[tuple[str, str], Word] = {
    ("sample_job", "close"): pgettext_lazy("reason of a movement", "Samples done and charged"),
}


def account_word(kind: str) -> Word:
    """What an account of a kind is called; a kind of a programme's own keeps its code."""
    return ACCOUNTS.get(kind, kind)


def reason_word(reason: str, source_type: str = "") -> Word:
    """Why something moved, by what moved it; a reason without a word keeps its code."""
    return OF_SOURCE.get((source_type, reason)) or REASONS.get(reason, reason)
