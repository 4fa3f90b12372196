"""From the headings of a foreign list to a mapping: a guess by names that people use, and the document that a choice makes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from instruments.rules.registry_file import header_key

#: What a column can be chosen for. ``original_value_10k_yuan`` is the value in 10,000 yuan.
VALUE_10K = "original_value_10k_yuan"
CHOICES: tuple[str, ...] = (
    "inner_id",
    "name",
    "name_en",
    "class_code",
    "manufacturer",
    "model",
    "nation_code",
    "original_value_fen",
    VALUE_10K,
    "commissioned_on",
    "purchased_on",
    "acquisition",
    "use_type",
    "technique",
    "technique_codes",
    "subject_codes",
    "keywords",
    "description",
    "description_en",
    "technical_indicators",
    "functions",
    "service_content",
    "service_modes",
    "share_mode",
    "access_terms",
    "fee_note",
    "achievements",
    "status",
    "published",
    "training_needed",
    "site.name",
    "site.address",
    "site.region_code",
    "department",
    "contact_name",
    "contact_phone",
    "contact_email",
    "contact_address",
    "contact_postal_code",
    "asset_number",
    "fixed_asset_code",
    "accessories",
    "certification",
    "known_users",
    "imported",
    "customs_supervised",
    "doi",
    "cstr",
    "service_url",
    "organisation.name",
)
_MAPS = Path(__file__).with_name("data") / "registry_maps.json"
_NAMES = Path(__file__).with_name("data") / "heading_names.json"


def guess(headers: Sequence[str], choices: Sequence[str] = CHOICES) -> dict[str, str]:
    """The choice for each heading that has a known name; each choice once, the first heading takes it."""
    return guess_by(_known_names(), headers, choices)


def guess_by(names: Mapping[str, str], headers: Sequence[str], choices: Collection[str]) -> dict[str, str]:
    """As ``guess``; ``names`` are the choices by header key."""
    found: dict[str, str] = {}
    for header in headers:
        choice = names.get(header_key(header), "")
        if choice in choices and choice not in found.values():
            found[header] = choice
    return found


def document_of(chosen: Mapping[str, str], title: str, delimiter: str = ",") -> dict[str, Any]:
    """The map document that reads each heading as what was chosen for it; headings without a choice are left out on purpose."""
    fields: dict[str, Any] = {}
    for header, choice in chosen.items():
        if choice == VALUE_10K:
            fields["original_value_fen"] = {"column": header, "unit": "10k_yuan"}
        elif choice:
            more = {key: value for key, value in _source(choice).items() if key not in {"first_of", "column", "unit"}}
            fields[choice] = {"column": header, **more}
    return {
        "title": title,
        "delimiter": delimiter,
        "fields": fields,
        "ignored": [header for header, choice in chosen.items() if not choice],
    }


def _source(choice: str) -> dict[str, Any]:
    """How our own CSV reads the field: the words and lists that it understands."""
    source = _csv_fields().get(choice, {})
    return source if isinstance(source, dict) else {}


@cache
def _csv_fields() -> dict[str, Any]:
    return dict(json.loads(_MAPS.read_text(encoding="utf-8"))["csv"]["fields"])


@cache
def _known_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for choice, source in _csv_fields().items():
        listed = [source] if isinstance(source, str) else source.get("first_of") or [source["column"]]
        for name in (choice, *listed):
            names.setdefault(header_key(name), VALUE_10K if choice == "original_value_fen" and name != choice else choice)
    for choice, others in json.loads(_NAMES.read_text(encoding="utf-8"))["names"].items():
        for name in others:
            names.setdefault(header_key(name), choice)
    return names
