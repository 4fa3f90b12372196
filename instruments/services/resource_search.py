"""The words by which a resource is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instruments.models import Organisation
from instruments.services import search_tokens

_TEXTS = ("method", "standard", "condition", "group", "matrix", "spatial", "publisher", "source", "type")
_DESCRIPTORS = (
    "ACCENUMB",
    "ACCENAME",
    "GENUS",
    "SPECIES",
    "CROPNAME",
    "ORIGCTY",
    "COLLSITE",
    "INSTCODE",
    "catalogNumber",
    "scientificName",
    "vernacularName",
    "institutionCode",
    "countryCode",
    "locality",
)


def search_vector(core: Mapping[str, Any], part: Mapping[str, Any], owner: Organisation) -> str:
    """The tsvector literal of a resource with these values: its names first, then everything else that names it."""
    others = [core.get("inner_id", ""), owner.name, owner.name_en, *core.get("keywords", ())]
    others += [str(part.get(name) or "") for name in _TEXTS]
    others += [analyte["name"] for analyte in part.get("analytes", ())]
    others += [*part.get("creators", ()), *part.get("media_types", ())]
    others += [row["scheme"] for row in part.get("qualifications", ())]
    descriptors = part.get("descriptors", {})
    others += [descriptors[name] for name in _DESCRIPTORS if name in descriptors]
    return search_tokens.vector([core.get("name") or "", core.get("name_en") or ""], others)
