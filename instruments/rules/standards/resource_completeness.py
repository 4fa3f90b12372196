"""What the record of a test item, a data set, a work of literature or an accession needs for reports, kind by kind.

Each requirement names the element of the standard that asks for it. The identifier, the description and the keywords are core elements of
GB/T 30523-2023 (core metadata of science and technology resources); DCAT 3 and Dublin Core have them too. A test item stands in a schedule
of accredited abilities (CMA, CNAS) with object, parameter and method. MCPD v2.1 and Darwin Core leave every descriptor open but the
number: those listed here say what an accession is, where it is from and how it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from instruments.rules.resource_values import DATASET, GERMPLASM, LITERATURE, TEST_ITEM

MCPD, DARWIN_CORE = "mcpd", "dwc"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a record has to say. ``any_of`` are fields of the core or the typed part, one of which is enough; with ``standard`` it
    is asked of accessions of that standard alone, and ``any_of`` are its descriptors. ``asked_by`` is the element in its standard's words;
    nothing where no standard asks, but who orders needs it.
    """

    field: str
    any_of: tuple[str, ...]
    asked_by: str
    standard: str = ""


def requirements(kind: str) -> tuple[Requirement, ...]:
    """What is asked of a kind, in the order in which it is told."""
    return _REQUIRED[kind]


def requirement_of(kind: str, field: str) -> Requirement | None:
    """The requirement of that name; None for a name that is none of the kind's."""
    return next((one for one in _REQUIRED[kind] if one.field == field), None)


def _one(field: str, asked_by: str = "") -> Requirement:
    return Requirement(field, (field,), asked_by)


def _descriptors(standard: str, prefix: str, names: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(name, (name,), f"{prefix}{name}", standard) for name in names.split())


_REQUIRED: dict[str, tuple[Requirement, ...]] = {
    TEST_ITEM: (
        _one("analytes", "CMA/CNAS 项目/参数"),
        _one("matrix", "CMA/CNAS 检测对象"),
        Requirement("standard", ("standard", "method"), "CMA/CNAS 检测标准(方法)"),
        _one("description", "GB/T 30523 描述"),
        _one("keywords", "GB/T 30523 关键词"),
        _one("sample_amount"),
        _one("turnaround_days"),
        _one("instrument_ids"),
    ),
    DATASET: (
        Requirement("identifier", ("doi", "cstr"), "DCAT 3 dcterms:identifier"),
        _one("description", "DCAT 3 dcterms:description"),
        _one("keywords", "DCAT 3 dcat:keyword"),
        _one("creators", "DCAT 3 dcterms:creator"),
        _one("issued_on", "DCAT 3 dcterms:issued"),
        _one("licence", "DCAT 3 dcterms:license"),
        _one("access_terms", "DCAT 3 dcterms:accessRights"),
        Requirement("contact_name", ("contact_name", "contact_email", "contact_phone"), "DCAT 3 dcat:contactPoint"),
        _one("media_types", "DCAT 3 dcat:mediaType"),
    ),
    LITERATURE: (
        Requirement("identifier", ("doi", "cstr"), "Dublin Core identifier"),
        _one("creators", "Dublin Core creator"),
        _one("issued", "Dublin Core date"),
        _one("type", "Dublin Core type"),
        _one("language", "Dublin Core language"),
        Requirement("publisher", ("publisher", "source"), "Dublin Core publisher"),
        _one("keywords", "Dublin Core subject"),
        _one("description", "Dublin Core description"),
        Requirement("rights", ("rights", "licence"), "Dublin Core rights"),
    ),
    GERMPLASM: (
        *_descriptors(
            MCPD,
            "MCPD v2.1 ",
            "INSTCODE ACCENUMB GENUS SPECIES CROPNAME ACQDATE ORIGCTY SAMPSTAT COLLSRC DUPLSITE STORAGE MLSSTAT",
        ),
        *_descriptors(
            DARWIN_CORE,
            "Darwin Core dwc:",
            "occurrenceID basisOfRecord institutionCode catalogNumber scientificName kingdom eventDate countryCode preparations",
        ),
    ),
}
