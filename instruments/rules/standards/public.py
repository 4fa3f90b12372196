"""What the public may know about an instrument: the one value that every public format is made of.

Contact persons are not part of it: nobody is asked whether their name may be copied into the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from instruments.rules.own_numbers import own_number
from instruments.rules.persistent_ids import bare_doi

LICENCE_NAME = "Creative Commons Attribution 4.0 International"
LICENCE_ID = "CC-BY-4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
#: What DataCite and PIDINST write where something is not known.
UNKNOWN = ":unav"


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its names; ``en`` may be empty."""

    code: str
    zh: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class PublicInstrument:
    """A published instrument. ``url`` is the whole address of its page, ``photo_url`` may be empty, texts are as stored.

    ``owner_scheme`` is uscc, ror, uk-ukprn or foreign-registration (empty without a code).
    ``kind`` is instrument or facility. ``classes`` hold its class (one or
    none), ``techniques`` its techniques by code. ``attributes`` are columns of an imported list that no field takes, by header.
    """

    id: int
    url: str
    name: str
    name_en: str
    owner: str
    owner_en: str
    owner_scheme: str
    owner_code: str
    manufacturer: str
    model: str
    description: str
    description_en: str
    functions: str
    technical_indicators: str
    service_content: str
    access_terms: str
    technique: str
    service_modes: tuple[str, ...]
    status: str
    bookable: bool
    classes: tuple[Named, ...]
    techniques: tuple[Named, ...]
    keywords: tuple[str, ...]
    commissioned_on: date | None
    nation_code: str
    site: str
    address: str
    region_code: str
    region: str
    latitude: Decimal | None
    longitude: Decimal | None
    inner_id: str
    doi: str
    cstr: str
    photo_url: str
    created_at: datetime
    updated_at: datetime
    kind: str = "instrument"
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def identifier(self) -> tuple[str, str]:
        """Its identifier and the kind of it: a DOI where it has one, else the address of its page."""
        return (bare_doi(self.doi), "DOI") if self.doi else (self.url, "URL")

    @property
    def own_number(self) -> str:
        """The number by which our own lists know it again."""
        return own_number(self.id, self.created_at)

    @property
    def about(self) -> str:
        """Its description, or what it does where there is none."""
        return self.description or self.functions or self.service_content
