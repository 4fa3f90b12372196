"""What the record of a large research facility may hold, for forms and imports alike: typed values in, clean values or reasons out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from config.kernel.errors import Refusal
from instruments.rules import registry_values
from instruments.rules.registry_values import Cleaned, checked_as, clean_text, cleaned_by

#: The lines of text with their lengths.
TEXTS: dict[str, int] = {
    "abbreviation": 100,
    "supervising_department": 200,
    "host_institution": 200,
    "approving_department": 200,
    "contact_unit": 200,
    "contact_title": 100,
    "scientist_name": 100,
    "scientist_phone": 50,
    "scientist_unit": 200,
    "scientist_title": 100,
    "manager_name": 100,
    "manager_phone": 50,
    "manager_unit": 200,
    "manager_title": 100,
}
LONG_TEXTS: dict[str, int] = {"domestic_users": 1000, "foreign_users": 1000}
EMAILS = ("scientist_email", "manager_email")
URLS = (
    "website",
    "video_url",
    "layout_url",
    "key_parts_url",
    "second_layout_url",
    "experiment_url",
    "organisation_rules_url",
    "fee_rules_url",
    "application_rules_url",
)
#: The national codes of these choices are 1, 2 and 1, 2, 3 (``nrii_device.construction`` and ``.device_category``), in this order.
CHOICES: dict[str, tuple[str, ...]] = {
    "construction": ("under_construction", "built"),
    "category": ("special", "public", "welfare"),
}
FACILITY_FIELDS = (*CHOICES, "accepted_on", *TEXTS, *LONG_TEXTS, *EMAILS, *URLS)
#: What everybody may read; the rest names persons.
PUBLIC_FIELDS = (
    "abbreviation", "construction", "category", "accepted_on", "supervising_department", "host_institution",
    "approving_department", "domestic_users", "foreign_users", *URLS,
)  # fmt: skip


#: How a proposed change names a field of the record, and the record itself.
PROPOSED = "facility_"
IS_FACILITY = "facility"


def shows(changed: Iterable[str], *, is_new: bool) -> bool:
    """Whether everybody sees that these fields change; that an instrument becomes a facility is seen."""
    return is_new or any(name in PUBLIC_FIELDS for name in changed)


def facility_apart(given: Mapping[str, Any], *, is_new: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What applies at once, and what a proposal holds, by its names, where the operator looks first.

    The persons of a facility that is known apply at once; an instrument becomes one with all that its first sheet says, or not at all.
    """
    if is_new:
        return {}, {IS_FACILITY: True} | {f"{PROPOSED}{name}": value for name, value in given.items()}
    at_once = {name: value for name, value in given.items() if name not in PUBLIC_FIELDS}
    return at_once, {f"{PROPOSED}{name}": value for name, value in given.items() if name not in at_once}


def proposed_facility(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of the record in a proposal, by their own names; None when it says nothing of a facility."""
    found = {name.removeprefix(PROPOSED): value for name, value in values.items() if name.startswith(PROPOSED)}
    return found if found or IS_FACILITY in values else None


def empty_facility() -> dict[str, Any]:
    """What the record of a facility holds when nobody said anything."""
    return dict.fromkeys(FACILITY_FIELDS, "") | {"accepted_on": None}


def clean_facility(given: Mapping[str, Any]) -> Cleaned:
    """Check the fields that were given: texts, and a date or None for ``accepted_on``. Unknown names raise KeyError."""
    return cleaned_by(_CLEANERS, given)


def typed(field: str, text: str) -> Any:
    """The clean value of ``facility.<field>`` from a cell. Raises Refusal with the field's whole name."""
    short = field.removeprefix("facility.")
    value = registry_values.day(text, field) if short == "accepted_on" else text
    return _CLEANERS[short](value, field)


def facility_of(beside: Mapping[str, Any]) -> dict[str, Any] | None:
    """The facility's fields of a row by name; None when the map reads none of them."""
    found = {name.removeprefix("facility."): value for name, value in beside.items() if name.startswith("facility.")}
    return found or None


def _short(field: str) -> str:
    return field.removeprefix("facility.")


def _line(value: str, field: str) -> str:
    return clean_text(value, TEXTS[_short(field)], field)


def _lines(value: str, field: str) -> str:
    return clean_text(value, LONG_TEXTS[_short(field)], field, lines=True)


def _choice(value: str, field: str) -> str:
    known = CHOICES[_short(field)]
    if value and value not in known:
        raise Refusal.of("instrument.choice_unknown", field, text=str(value)[:40], known=list(known))
    return str(value)


_CLEANERS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(TEXTS, _line),
    **dict.fromkeys(LONG_TEXTS, _lines),
    **dict.fromkeys(CHOICES, _choice),
    **dict.fromkeys(URLS, checked_as("service_url")),
    **dict.fromkeys(EMAILS, checked_as("contact_email")),
    "accepted_on": checked_as("commissioned_on"),
}
