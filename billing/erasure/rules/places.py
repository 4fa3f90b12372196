"""Which tables keep a person's name although the person is erased, and why; everything else is searched. Pure."""

from __future__ import annotations

from collections.abc import Mapping

#: table -> why its texts stay. Papers and what they were computed from are accounting records (Accounting Archives Measures: thirty years
#: for vouchers and books); their hashes would no longer hold.
FROZEN: Mapping[str, str] = {
    "instruments_organisation": "name and bank account of a legal entity",
    "billing_bill": "issued paper",
    "billing_creditnote": "issued paper",
    "billing_statement": "issued paper",
    "billing_receipt": "issued paper",
    "billing_accountstatement": "issued paper",
    "billing_internalslip": "issued paper",
    "billing_quotation": "issued paper",
    "billing_commissionsheet": "issued paper",
    "billing_claimsubmission": "issued paper",
    "billing_paymentlist": "issued paper",
    "billing_clawback": "issued paper",
    "billing_publicity": "what was published, with its hash",
    "billing_commissionsignature": "signature of a contract",
    "billing_payment": "row of a bank's list",
    "billing_charge": "what an amount was computed from",
    "billing_quote": "what an amount was computed from",
    "billing_bookingfee": "what an amount was computed from",
    "billing_feerelief": "what an amount was computed from",
    "billing_priceversion": "published price",
    "billing_testitemprice": "published price",
    "billing_programmeversion": "published programme",
    "billing_transfer": "ledger",
    "billing_ledgerseal": "ledger",
}
#: Tables of the frame, which name nobody.
NOT_OURS = frozenset({"django_migrations", "django_content_type", "auth_permission", "auth_group", "kernel_cache"})
#: From this length on (or with a blank in it) a name is looked for inside sentences too; a shorter one only where it stands alone, for it
#: may be a part of another word.
LONG_NAME = 4


def pseudonym(user_id: int) -> str:
    """What stands in place of a name; no other text of the platform looks like it."""
    return f"已注销-{user_id}"


def pseudonymous_address(user_id: int) -> str:
    """What stands in place of an e-mail address; no mail can be sent there (RFC 2606)."""
    return f"erased-{user_id}@erased.invalid"


def inside_sentences(name: str) -> bool:
    """Whether a name is looked for inside longer texts."""
    return len(name) >= LONG_NAME or " " in name
