"""What the fields of an instrument are called, in forms, previews and reports (source words; translated where they are shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

FIELD_NAMES: dict[str, Promise | str] = {
    "inner_id": _("Your own number"),
    "name": _("Name"),
    "name_en": _("Name in English"),
    "class_code": _("Class"),
    "manufacturer": _("Manufacturer"),
    "model": _("Model"),
    "nation_code": pgettext_lazy("instrument field", "Country of origin"),
    "original_value_fen": _("Original value in yuan"),
    "original_value_10k_yuan": pgettext_lazy("instrument field", "Original value in 10,000 yuan"),
    "commissioned_on": _("In service since"),
    "purchased_on": pgettext_lazy("instrument field", "Bought on"),
    "acquisition": pgettext_lazy("instrument field", "How it was acquired"),
    "use_type": pgettext_lazy("instrument field", "General or special use"),
    "technique": _("Technique"),
    "technique_codes": pgettext_lazy("instrument field", "Techniques by code"),
    "subject_codes": pgettext_lazy("instrument field", "Subjects"),
    "keywords": pgettext_lazy("instrument field", "Keywords"),
    "description": _("What it is for"),
    "description_en": _("What it is for, in English"),
    "technical_indicators": pgettext_lazy("instrument field", "Technical indicators"),
    "functions": pgettext_lazy("instrument field", "Main functions"),
    "service_content": pgettext_lazy("instrument field", "What is offered"),
    "service_modes": _("Ways of service"),
    "share_mode": pgettext_lazy("instrument field", "With whom it is shared"),
    "access_terms": pgettext_lazy("instrument field", "Terms of access"),
    "fee_note": pgettext_lazy("instrument field", "Charges in words"),
    "achievements": pgettext_lazy("instrument field", "Achievements"),
    "status": _("Running state"),
    "published": _("Shown to everybody"),
    "training_needed": pgettext_lazy("instrument field", "Training is needed"),
    "site.name": _("Place"),
    "site.address": pgettext_lazy("instrument field", "Street and house"),
    "site.region_code": pgettext_lazy("instrument field", "Division"),
    "site_id": _("Place"),
    "department": pgettext_lazy("instrument field", "Department"),
    "affiliation": pgettext_lazy("instrument field", "Belongs to a centre, facility or key laboratory"),
    "affiliation_name": pgettext_lazy("instrument field", "Name of that centre, facility or laboratory"),
    "contact_name": _("Contact"),
    "contact_phone": _("Telephone"),
    "contact_email": _("E-mail"),
    "contact_address": pgettext_lazy("instrument field", "Postal address"),
    "contact_postal_code": pgettext_lazy("instrument field", "Postal code"),
    "asset_number": pgettext_lazy("instrument field", "Asset number"),
    "accessories": pgettext_lazy("instrument field", "Accessories"),
    "imported": pgettext_lazy("instrument field", "Imported from abroad"),
    "customs_supervised": pgettext_lazy("instrument field", "Under customs supervision"),
    "customs.declaration_number": pgettext_lazy("instrument field", "Number of the customs declaration"),
    "customs.item_number": pgettext_lazy("instrument field", "Item of the customs declaration"),
    "customs.declared_name": pgettext_lazy("instrument field", "Name on the customs declaration"),
    "customs.released_on": pgettext_lazy("instrument field", "Released by customs on"),
    "customs.exemption_number": pgettext_lazy("instrument field", "Number of the tax exemption"),
    "customs.contract_number": pgettext_lazy("instrument field", "Number of the contract"),
    "customs.port": pgettext_lazy("instrument field", "Port of entry"),
    "customs.customs_office": pgettext_lazy("instrument field", "Customs office"),
    "customs.hs_code": pgettext_lazy("instrument field", "HS code"),
    "customs.may_share": pgettext_lazy("instrument field", "Customs allows sharing"),
    "customs.may_charge": pgettext_lazy("instrument field", "Customs allows charging"),
    "fundings": pgettext_lazy("instrument field", "Who paid for it"),
    "effect_1": pgettext_lazy("instrument field", "Effect 1"),
    "effect_2": pgettext_lazy("instrument field", "Effect 2"),
    "service_url": pgettext_lazy("instrument field", "Address of the booking page"),
    "doi": pgettext_lazy("instrument field", "DOI"),
    "cstr": pgettext_lazy("instrument field", "CSTR"),
    "hours": pgettext_lazy("instrument field", "Opening hours"),
    "hours_per_day": pgettext_lazy("instrument field", "Opening hours"),
    "photo": pgettext_lazy("instrument field", "Picture"),
    "organisation.name": pgettext_lazy("instrument field", "Owner"),
    "organisation.identifier": pgettext_lazy("instrument field", "The owner's code"),
    "file": pgettext_lazy("instrument field", "File"),
}


def field_name(field: str) -> str:
    """What a field is called; columns of a file and others keep their own name."""
    return str(FIELD_NAMES.get(field, field))


def choice_name(code: object) -> str:
    return field_name(str(code))
