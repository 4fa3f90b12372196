"""Published instruments in the formats of others: one, or all of them as a stream that holds a few at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import indent, tostring

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from config.kernel.access import NOBODY, Actor, M, get_visible, visible_to
from config.kernel.errors import NotFound
from instruments.models import BOOKABLE_STATUSES, CalendarEntry, CalendarEntryKind, FacilityRecord, Instrument, Organisation
from instruments.queries import codes
from instruments.queries.national import (
    managed_instruments,
    national_facts,
    page_address,
    photo_address,
    workbook_of,
)
from instruments.rules.standards import facility, national
from instruments.rules.standards.datacite import datacite_xml
from instruments.rules.standards.national import NationalFacts
from instruments.rules.standards.pidinst import pidinst_json, pidinst_xml
from instruments.rules.standards.public import LICENCE_ID, LICENCE_NAME, LICENCE_URL, Named, PublicInstrument
from instruments.rules.standards.schema_org import schema_org
from instruments.rules.standards.tables import OPEN_DATA_HEAD, UNIQUIP_HEAD, open_data, open_data_row, uniquip_row

_CHUNK = 500
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NATIONAL_FORMATS = ("national.json", "national.xlsx", "customs.json", "facility.json", "facility.xlsx")


@dataclass(frozen=True, slots=True)
class Layout:
    """A public format: its media type, and how one instrument is written; ``head`` and ``tail`` stand around many, ``between`` them."""

    media_type: str
    write: Callable[[PublicInstrument], str]
    head: str = ""
    between: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A file of one instrument."""

    content: bytes
    media_type: str
    file_name: str


def export_one(actor: Actor, instrument_id: int, layout: str, now: datetime) -> Export:
    """An instrument's file: public formats of what the actor sees, the national record for who manages it.

    Raises NotFound (also for a format that is none), Forbidden.
    """
    rows = visible_to(Instrument.objects.filter(pk=instrument_id), actor)
    instrument = rows.select_related("organisation").first()
    if instrument is None or layout not in (*PUBLIC_LAYOUTS, *NATIONAL_FORMATS):
        raise NotFound.of("access.not_found", model="instrument")
    name = f"instrument-{instrument_id}-{layout}"
    if layout in NATIONAL_FORMATS:
        return _national(actor, instrument, layout, name, now)
    found = PUBLIC_LAYOUTS[layout]
    one = public_record(instrument, now)
    return Export(f"{found.head}{found.write(one)}{found.tail}".encode(), found.media_type, name)


def public_record(instrument: Instrument, now: datetime) -> PublicInstrument:
    """The public value of an instrument that the actor was already given (a draft's for its own page)."""
    (one,) = _records(Instrument.objects.filter(pk=instrument.pk), timezone.localdate(now))
    return one


def records_of(instrument_ids: Sequence[int], now: datetime) -> Iterator[PublicInstrument]:
    """The public values of instruments that the caller may change, published or not, in the order of their numbers."""
    return _records(Instrument.objects.filter(pk__in=instrument_ids).order_by("pk"), timezone.localdate(now))


def open_data_stream(layout: str, now: datetime, owner_id: int | None = None) -> Iterator[bytes]:
    """All public instruments, or those of one owner, by number, a few at a time. Raises NotFound for a format or an owner that is none."""
    if layout not in BULK_LAYOUTS:
        raise NotFound.of("access.not_found", model="format")
    found = BULK_LAYOUTS[layout]
    rows = of_owner(visible_to(Instrument.objects.order_by("pk"), NOBODY), owner_id)

    def chunks() -> Iterator[bytes]:
        yield found.head.encode()
        before = ""
        for one in _records(rows, timezone.localdate(now)):
            yield f"{before}{found.write(one)}".encode()
            before = found.between
        yield found.tail.encode()

    return chunks()


def of_owner(rows: QuerySet[M], owner_id: int | None) -> QuerySet[M]:
    """Those of an owner that everybody sees; all where none is meant. Raises NotFound."""
    return rows if owner_id is None else rows.filter(organisation=public_owner(owner_id))


def public_owner(owner_id: int) -> Organisation:
    """An owner that everybody sees. Raises NotFound."""
    return get_visible(Organisation.objects.all(), NOBODY, pk=owner_id)


def _national(actor: Actor, instrument: Instrument, layout: str, name: str, now: datetime) -> Export:
    rows = managed_instruments(actor, instrument.organisation_id).filter(pk=instrument.pk)
    of_facility = layout.startswith("facility")
    if of_facility and not rows.exclude(facility=None).exists():
        raise NotFound.of("access.not_found", model="facility")
    if layout.endswith(".xlsx"):
        return Export(workbook_of(rows, now, facility.SHEET if of_facility else national.SHEET), XLSX, name)
    (facts,) = national_facts(rows, now)
    record = _message(facts, 2 if of_facility else _CUSTOMS if layout.startswith("customs") else 4)
    if record is None:
        raise NotFound.of("access.not_found", model="customs record")
    return Export(_json(record, default=str).encode(), "application/json", name)


def national_messages(actor: Actor, organisation_id: int, now: datetime) -> Iterator[bytes]:
    """All records of an owner as the interface of the national network takes them, a few at a time: a JSON list of large facilities (type
    2) and instruments (type 4), each followed by its record of customs supervision (type 5) where there is one. Raises Forbidden."""
    rows = managed_instruments(actor, organisation_id)

    def chunks() -> Iterator[bytes]:
        before = "[\n"
        for facts in national_facts(rows, now):
            for record in (_message(facts, 4 if facts.facility is None else 2), _message(facts, _CUSTOMS)):
                if record is not None:
                    yield f"{before}{_json(record, default=str)}".encode()
                    before = ",\n"
        yield b"\n]\n" if before == ",\n" else b"[]\n"

    return chunks()


_CUSTOMS = 5


def _message(facts: NationalFacts, of_type: int) -> dict[str, Any] | None:
    """A record with its type number; None where there is none of that type."""
    makers: Mapping[int, Callable[[NationalFacts], Mapping[str, Any] | None]] = {
        2: facility.facility_record,
        4: national.national_record,
        _CUSTOMS: national.customs_record,
    }
    record = makers[of_type](facts)
    return None if record is None else {"instrument": of_type, **record}


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _records(rows: QuerySet[Instrument], today: date) -> Iterator[PublicInstrument]:
    opening = CalendarEntry.objects.filter(calendar_id=OuterRef("calendar_id"), kind=CalendarEntryKind.OPENING)
    wanted = rows.select_related("organisation", "site", "photo").prefetch_related("organisation__identifiers")
    is_facility = Exists(FacilityRecord.objects.filter(instrument=OuterRef("pk")))
    for row in wanted.annotate(is_open=Exists(opening), is_facility=is_facility).iterator(chunk_size=_CHUNK):
        yield _record(row, today)


def _record(row: Any, today: date) -> PublicInstrument:
    owner, site = row.organisation, row.site
    scheme, code = _identifier(owner)
    return PublicInstrument(
        id=row.pk,
        url=page_address(row.pk),
        name=row.name,
        name_en=row.name_en,
        attributes=row.attributes,
        owner=owner.name,
        owner_en=owner.name_en,
        owner_scheme=scheme,
        owner_code=code,
        manufacturer=row.manufacturer,
        model=row.model,
        description=row.description,
        description_en=row.description_en,
        functions=row.functions,
        technical_indicators=row.technical_indicators,
        service_content=row.service_content,
        access_terms=row.access_terms,
        technique=row.technique,
        service_modes=tuple(row.service_modes),
        status=row.status,
        bookable=row.is_open and row.status in BOOKABLE_STATUSES,
        classes=(_named("nrii", row.class_code, today),) if row.class_code else (),
        techniques=tuple(_named("panet", code, today) for code in row.technique_codes),
        keywords=tuple(row.keywords),
        commissioned_on=row.commissioned_on,
        nation_code=row.nation_code,
        site=site.name,
        address=site.address,
        region_code=site.region_code,
        region=" ".join(name for name in codes.division_path(site.region_code, today) if name),
        latitude=site.latitude,
        longitude=site.longitude,
        inner_id=row.inner_id,
        doi=row.doi,
        cstr=row.cstr,
        photo_url=photo_address(row),
        created_at=row.created_at,
        updated_at=timezone.localtime(row.updated_at),
        kind="facility" if row.is_facility else "instrument",
    )


def _identifier(owner: Any) -> tuple[str, str]:
    """The owner's code that says most to others: ROR before the others."""
    known = {one.scheme: one.value for one in owner.identifiers.all()}
    scheme = next((name for name in ("ror", "uscc", "uk-ukprn", "foreign-registration") if name in known), "")
    return scheme, known.get(scheme, "")


def _named(scheme: str, code: str, today: date) -> Named:
    found = codes.entry_of(scheme, code, today)
    if found is None and scheme == "nrii":
        found = codes.entry_of(scheme, code[:2], today)
    return Named(code, found.zh if found else code, found.en if found else "")


def _json(document: Any, **options: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, **options)


def _xml(element: Any) -> str:
    indent(element)
    return tostring(element, encoding="unicode") + "\n"


class _Line:
    """A file that gives back what was written to it last."""

    def write(self, text: str) -> str:
        return text


def _csv(row: list[str] | tuple[str, ...]) -> str:
    return str(csv.writer(_Line()).writerow(row))


_LICENCE: Mapping[str, str] = {"id": LICENCE_ID, "name": LICENCE_NAME, "url": LICENCE_URL}
_BOM = "\ufeff"
_OPEN_DATA_CSV = Layout("text/csv; charset=utf-8", lambda one: _csv(open_data_row(one)), _BOM + _csv(OPEN_DATA_HEAD))
_UNIQUIP = Layout("text/csv; charset=utf-8", lambda one: _csv(uniquip_row(one)), _csv(UNIQUIP_HEAD))
PUBLIC_LAYOUTS: Mapping[str, Layout] = {
    "pidinst.xml": Layout("application/xml", lambda one: _xml(pidinst_xml(one)), _XML),
    "pidinst.json": Layout("application/json", lambda one: _json(pidinst_json(one))),
    "datacite.xml": Layout("application/xml", lambda one: _xml(datacite_xml(one)), _XML),
    "schema.jsonld": Layout("application/ld+json", lambda one: _json(schema_org(one))),
    "uniquip.csv": _UNIQUIP,
    "record.csv": _OPEN_DATA_CSV,
    "record.json": Layout("application/json", lambda one: _json({"licence": _LICENCE, "instrument": open_data(one)})),
}
BULK_LAYOUTS: Mapping[str, Layout] = {
    "csv": _OPEN_DATA_CSV,
    "json": Layout(
        "application/json",
        lambda one: _json(open_data(one)),
        f'{{"licence": {json.dumps(dict(_LICENCE))}, "instruments": [\n',
        ",\n",
        "\n]}\n",
    ),
    "uniquip.csv": _UNIQUIP,
    "pidinst.json": Layout("application/json", lambda one: _json(pidinst_json(one)), "[\n", ",\n", "\n]\n"),
    "schema.jsonld": Layout("application/ld+json", lambda one: _json(schema_org(one)), "[\n", ",\n", "\n]\n"),
    "datacite.xml": Layout("application/xml", lambda one: _xml(datacite_xml(one)), f"{_XML}<resources>\n", "", "</resources>\n"),
    "pidinst.xml": Layout(
        "application/xml", lambda one: _xml(pidinst_xml(one)), f"{_XML}<instruments>\n", "", "</instruments>\n"
    ),
}
