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
    "billing_repayment": "row of a bank's list",
    "billing_surplusrefund": "reference of a transfer",
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
    "billing_account": "ledger: its key is what finds it",
    "billing_numberseries": "ledger: its key is what finds it",
    "billing_transfer": "ledger",
    "billing_ledgerseal": "ledger",
}
#: Tables of the frame, which name nobody.
NOT_OURS = frozenset({"django_migrations", "django_content_type", "auth_permission", "auth_group", "kernel_cache"})
#: Columns that hold nothing but the name of a person.
NAME_COLUMNS = frozenset({"actor_name", "contact_name", "full_name"})
#: table -> (the column with the address, what in the same row tells of the same person and has no name in it). These become empty.
BESIDE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "instruments_instrument": ("contact_email", ("contact_phone",)),
    "instruments_resource": ("contact_email", ("contact_phone",)),
}
#: table -> (the column with the address, the column with the name): both are replaced whole, for whoever wrote them need not have written
#: them as the account does.
WHOLE: Mapping[str, tuple[str, str]] = {"billing_objection": ("contact", "name")}
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
    return not one_latin_word(name) and (len(name) >= LONG_NAME or " " in name)


def one_latin_word(name: str) -> bool:
    """Whether a name may as well be a role, a state or another word of our own (``finance``, ``draft``): it has no blank and none but
    ASCII signs, as all of these. It is replaced only in ``NAME_COLUMNS``."""
    return name.isascii() and not any(letter.isspace() for letter in name)
