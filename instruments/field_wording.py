"""What the fields of an instrument and their values are called, and what its state means (source words; translated where shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from instruments.registry_wording import SERVICE_MODE_NAMES

Word = Promise | str

FIELD_NAMES: dict[str, Word] = {
    "name": _("Name"),
    "name_en": _("Name in English"),
    "inner_id": _("Your own number"),
    "asset_number": _("Asset number"),
    "fixed_asset_code": _("Fixed-asset code"),
    "manufacturer": _("Manufacturer"),
    "model": _("Model"),
    "nation_code": _("Country of origin"),
    "imported": _("Imported"),
    "doi": _("DOI"),
    "cstr": _("CSTR"),
    "site_id": _("Place"),
    "department": _("Department"),
    "technique": _("Technique"),
    "technique_codes": _("Technique codes"),
    "technical_indicators": _("Technical indicators"),
    "functions": _("Main functions"),
    "service_modes": _("Ways of service"),
    "service_content": _("What the service covers"),
    "accessories": _("Main accessories"),
    "certification": _("Certification"),
    "description": _("What it is for"),
    "description_en": _("What it is for, in English"),
    "keywords": _("Keywords"),
    "status": _("Running state"),
    "training_needed": _("Training is needed before using it"),
    "class_code": _("Class"),
    "use_type": _("General or special use"),
    "subject_codes": _("Subjects"),
    "affiliation": _("Belongs to"),
    "affiliation_name": _("Name of what it belongs to"),
    "original_value_fen": _("Original value in yuan"),
    "acquisition": _("How it was acquired"),
    "purchased_on": _("Purchased on"),
    "commissioned_on": _("In service since"),
    "customs_supervised": _("Supervised by customs"),
    "share_mode": _("Sharing"),
    "access_terms": _("Terms of use"),
    "fee_note": _("About fees"),
    "service_url": _("Web address of the service"),
    "contact_name": _("Contact"),
    "contact_phone": _("Telephone"),
    "contact_email": _("E-mail"),
    "contact_address": _("Postal address"),
    "contact_postal_code": _("Postal code"),
    "achievements": _("Results obtained with it"),
    "effect_1": _("Effect of sharing, first example"),
    "effect_2": _("Effect of sharing, second example"),
    "known_users": _("Known users"),
    "published": _("Shown to everybody"),
}
CUSTOMS_NAMES: dict[str, Word] = {
    "declaration_number": _("Declaration number"),
    "item_number": _("Item number in the declaration"),
    "declared_name": _("Name on the declaration"),
    "released_on": _("Released on"),
    "imported_on": _("Imported on"),
    "exemption_number": _("Tax exemption certificate"),
    "exemption_item": _("Item number in the certificate"),
    "contract_number": _("Contract number"),
    "port": _("Port of entry"),
    "customs_office": _("Customs office"),
    "hs_code": _("HS code"),
    "may_share": _("Customs allows sharing"),
    "may_charge": _("Customs allows charging"),
    "supervision_notes": _("Record of customs supervision"),
}
FACILITY_NAMES: dict[str, Word] = {
    "construction": pgettext_lazy("facility", "State of construction"),
    "category": pgettext_lazy("facility", "Category of facility"),
    "abbreviation": pgettext_lazy("facility", "Short name in English"),
    "accepted_on": pgettext_lazy("facility", "Accepted on"),
    "supervising_department": pgettext_lazy("facility", "Supervising department"),
    "host_institution": pgettext_lazy("facility", "Host institution"),
    "approving_department": pgettext_lazy("facility", "Approving department"),
    "website": pgettext_lazy("facility", "Web site"),
    "video_url": pgettext_lazy("facility", "Video that explains it"),
    "domestic_users": pgettext_lazy("facility", "Main users in China"),
    "foreign_users": pgettext_lazy("facility", "Main users abroad"),
    "contact_unit": pgettext_lazy("facility", "Contact: unit"),
    "contact_title": pgettext_lazy("facility", "Contact: position"),
    "scientist_name": pgettext_lazy("facility", "Chief scientist: name"),
    "scientist_phone": pgettext_lazy("facility", "Chief scientist: telephone"),
    "scientist_email": pgettext_lazy("facility", "Chief scientist: e-mail"),
    "scientist_unit": pgettext_lazy("facility", "Chief scientist: unit"),
    "scientist_title": pgettext_lazy("facility", "Chief scientist: position"),
    "manager_name": pgettext_lazy("facility", "Head of operation: name"),
    "manager_phone": pgettext_lazy("facility", "Head of operation: telephone"),
    "manager_email": pgettext_lazy("facility", "Head of operation: e-mail"),
    "manager_unit": pgettext_lazy("facility", "Head of operation: unit"),
    "manager_title": pgettext_lazy("facility", "Head of operation: position"),
    "layout_url": pgettext_lazy("facility", "Address of the layout plan"),
    "key_parts_url": pgettext_lazy("facility", "Address of pictures of key parts"),
    "second_layout_url": pgettext_lazy("facility", "Address of the second layout plan"),
    "experiment_url": pgettext_lazy("facility", "Address of pictures of experiments"),
    "organisation_rules_url": pgettext_lazy("facility", "Address of the rules of organisation"),
    "fee_rules_url": pgettext_lazy("facility", "Address of the rules of fees"),
    "application_rules_url": pgettext_lazy("facility", "Address of the rules of application"),
}
FUNDING_NAMES: dict[str, Word] = {
    "central": pgettext_lazy("source of money", "Central government"),
    "local": pgettext_lazy("source of money", "Local government"),
    "district": pgettext_lazy("source of money", "District or county government"),
    "own": pgettext_lazy("source of money", "Own funds"),
    "loan": pgettext_lazy("source of money", "Loans"),
    "other": pgettext_lazy("source of money", "Other"),
}
STATUS_NAMES: dict[str, Word] = {
    "normal": pgettext_lazy("instrument state", "Running"),
    "occasionally_faulty": pgettext_lazy("instrument state", "Running, occasional faults"),
    "frequently_faulty": pgettext_lazy("instrument state", "Often faulty, not bookable"),
    "under_repair": pgettext_lazy("instrument state", "Under repair"),
    "retired": pgettext_lazy("instrument state", "Retired"),
}
#: What a state means for somebody who wants to book.
STATUS_MEANINGS: dict[str, Word] = {
    "normal": _("It is running and can be booked."),
    "occasionally_faulty": _("It can be booked. It fails now and then: bring samples that can be measured again."),
    "frequently_faulty": _("It fails too often to be booked online. Ask the lab what is possible."),
    "under_repair": _("It is being repaired and cannot be booked now. Bookings that were made stay until the lab cancels them."),
    "retired": _("It is not used any more and cannot be booked."),
}
CHOICE_NAMES: dict[str, dict[str, Word]] = {
    "affiliation": {
        "centre": pgettext_lazy("affiliation", "Instrument centre"),
        "facility": pgettext_lazy("affiliation", "Large research facility"),
        "state_key_lab": pgettext_lazy("affiliation", "State key laboratory"),
        "engineering_centre": pgettext_lazy("affiliation", "Engineering research centre"),
        "germplasm_bank": pgettext_lazy("affiliation", "Germplasm bank"),
    },
    "acquisition": {
        "purchased": pgettext_lazy("acquisition", "Purchased"),
        "developed": pgettext_lazy("acquisition", "Developed"),
        "donated": pgettext_lazy("acquisition", "Donated"),
        "other": pgettext_lazy("acquisition", "Other"),
    },
    "construction": {
        "under_construction": pgettext_lazy("facility", "Under construction"),
        "built": pgettext_lazy("facility", "Built"),
    },
    "category": {
        "special": pgettext_lazy("facility", "Special research facility"),
        "public": pgettext_lazy("facility", "Public experiment facility"),
        "welfare": pgettext_lazy("facility", "Public welfare facility"),
    },
    "use_type": {
        "general": pgettext_lazy("use of an instrument", "General"),
        "special": pgettext_lazy("use of an instrument", "Special"),
    },
    "share_mode": {
        "internal": pgettext_lazy("sharing", "Within the owner"),
        "external": pgettext_lazy("sharing", "With everybody"),
        "not_shared": pgettext_lazy("sharing", "Not shared"),
    },
    "certification": {
        "none": pgettext_lazy("certification", "Not certified"),
        "applied": pgettext_lazy("certification", "Applied for"),
        "certified": pgettext_lazy("certification", "Certified"),
        "expired": pgettext_lazy("certification", "Expired"),
    },
    "status": STATUS_NAMES,
    "service_modes": SERVICE_MODE_NAMES,
}
CENTRE_NAMES: dict[str, Word] = {
    "inner_id": FIELD_NAMES["inner_id"],
    "name": FIELD_NAMES["name"],
    "website": pgettext_lazy("centre", "Website"),
    "founded_on": pgettext_lazy("centre", "Founded on"),
    "subject_codes": FIELD_NAMES["subject_codes"],
    "accredited": pgettext_lazy("centre", "Accredited laboratory"),
    "floor_area_m2": pgettext_lazy("centre", "Floor area in square metres"),
    "introduction": pgettext_lazy("centre", "Introduction"),
    "region_code": pgettext_lazy("instrument field", "Division"),
    **{
        name: FIELD_NAMES[name]
        for name in ("contact_name", "contact_phone", "contact_email", "contact_address", "contact_postal_code")
    },
}
#: The columns of a table of instruments beside their own fields.
DETAIL_COLUMN_NAMES: dict[str, Word] = {
    **{
        f"funding_{source}": format_lazy("{}: {}", pgettext_lazy("column", "Funding in yuan"), word)
        for source, word in FUNDING_NAMES.items()
    },
    **{
        f"customs_{name}": format_lazy("{}: {}", pgettext_lazy("column", "Customs"), word) for name, word in CUSTOMS_NAMES.items()
    },
}
YES, NO = pgettext_lazy("answer", "yes"), pgettext_lazy("answer", "no")
#: What files have besides: parts of the place, the owner, the customs record, money and hours.
_BESIDE: dict[str, Word] = {
    "original_value_10k_yuan": pgettext_lazy("instrument field", "Original value in 10,000 yuan"),
    "site.name": _("Place"),
    "site.address": pgettext_lazy("instrument field", "Street and house"),
    "site.region_code": pgettext_lazy("instrument field", "Division"),
    **{f"customs.{name}": word for name, word in CUSTOMS_NAMES.items()},
    "facility": pgettext_lazy("affiliation", "Large research facility"),
    **{f"facility.{name}": word for name, word in FACILITY_NAMES.items()},
    "fundings": pgettext_lazy("instrument field", "Who paid for it"),
    "hours": pgettext_lazy("instrument field", "Opening hours"),
    "hours_per_day": pgettext_lazy("instrument field", "Opening hours"),
    "photo": pgettext_lazy("instrument field", "Picture"),
    "organisation.name": pgettext_lazy("instrument field", "Owner"),
    "organisation.identifier": pgettext_lazy("instrument field", "The owner's code"),
    "file": pgettext_lazy("instrument field", "File"),
    "analytes": pgettext_lazy("instrument field", "What is measured"),
    "qualifications": pgettext_lazy("instrument field", "Qualifications"),
}


def field_name(field: str) -> str:
    """What a field of a form or a file is called; a column that we do not know keeps its own name."""
    return str(FIELD_NAMES.get(field) or _BESIDE.get(field, field))


def choice_name(code: object) -> str:
    return field_name(str(code))
