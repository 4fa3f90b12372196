"""The two sides of a document as they stand now, to be copied into it."""

from __future__ import annotations

from billing.ordering.rules.content import Party
from instruments.models import Organisation, OrganisationIdentifier, User


def party_of(organisation: Organisation, contact: User | None, *, bank: bool = False) -> Party:
    """An organisation with its identifier (the unified code before any other); ``bank`` adds where money is paid to."""
    rows = OrganisationIdentifier.objects.filter(organisation=organisation).order_by("scheme")
    codes = list(rows.values_list("scheme", "value"))
    scheme, code = next((each for each in codes if each[0] == "uscc"), codes[0] if codes else ("", ""))
    return Party(
        name=organisation.name,
        name_en=organisation.name_en,
        scheme=scheme,
        code=code,
        address=organisation.address,
        contact=str(contact) if contact is not None else "",
        contact_email=contact.email if contact is not None else "",
        bank_name=organisation.bank_name if bank else "",
        bank_account_name=organisation.bank_account_name if bank else "",
        bank_account_number=organisation.bank_account_number if bank else "",
    )
