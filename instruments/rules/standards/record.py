"""A data set or a work of literature as plain values, for the builders of exchange documents. No personal data but authors' names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation, by its names and its address on the platform."""

    name: str
    name_en: str
    url: str


@dataclass(frozen=True, slots=True)
class Tool:
    """An instrument that stands behind it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Record:
    """``url`` is the page on the platform; dates are ISO 8601 texts, ``issued`` may be a year or a month; sizes are bytes."""

    url: str
    identifier: str
    name: str
    name_en: str
    description: str
    description_en: str
    keywords: tuple[str, ...]
    publisher: Party
    creators: tuple[str, ...]
    licence: str
    access_terms: str
    doi: str
    cstr: str
    issued: str
    modified: str
    tools: tuple[Tool, ...]
    version: str = ""
    media_types: tuple[str, ...] = ()
    size_bytes: int | None = None
    temporal_from: str = ""
    temporal_to: str = ""
    spatial: str = ""
    landing_page: str = ""
    type: str = ""
    language: str = ""
    source: str = ""
    rights: str = ""
    house: str = ""

    @property
    def doi_url(self) -> str:
        """The DOI as an address, or nothing."""
        plain = self.doi.removeprefix("https://doi.org/").removeprefix("doi:")
        return f"https://doi.org/{plain}" if plain else ""

    @property
    def cstr_url(self) -> str:
        """The CSTR identifier as an address, or nothing."""
        plain = self.cstr.removeprefix("https://cstr.cn/").removeprefix("CSTR:")
        return f"https://cstr.cn/{plain}" if plain else ""
