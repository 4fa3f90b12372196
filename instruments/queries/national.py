"""The national records of an owner's instruments, and the workbook that carries them both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from config.kernel.access import Actor, visible_to
from instruments import ports
from instruments.models import CustomsRecord, FacilityRecord, Instrument
from instruments.queries import codes
from instruments.rules.details_values import CUSTOMS_FIELDS
from instruments.rules.facility_values import FACILITY_FIELDS
from instruments.rules.own_numbers import own_number
from instruments.rules.registry_values import INSTRUMENT_FIELDS
from instruments.rules.standards import facility, national
from instruments.rules.standards.national import Cell, NationalFacts
from instruments.services.instrument_changes import require_manager
from instruments.services.registry_workbook import HELPER_SHEET

_CHUNK = 1000


def managed_instruments(actor: Actor, organisation_id: int) -> QuerySet[Instrument]:
    """All instruments of an owner, drafts too, for those who manage them. Raises Forbidden."""
    require_manager(actor, organisation_id)
    return visible_to(Instrument.objects.filter(organisation_id=organisation_id), actor).order_by("inner_id", "pk")


def national_facts(rows: QuerySet[Instrument], now: datetime) -> Iterator[NationalFacts]:
    """What their records are made of, in the order of ``rows``: a fixed number of queries per thousand.

    The use is that of the last full calendar year.
    """
    today = timezone.localdate(now)
    wanted = rows.select_related("site", "photo").prefetch_related("fundings", "customs", "facility", "organisation__identifiers")
    batch: list[Instrument] = []
    for instrument in wanted.iterator(chunk_size=_CHUNK):
        batch.append(instrument)
        if len(batch) == _CHUNK:
            yield from _facts(batch, today)
            batch = []
    yield from _facts(batch, today)


def national_workbook(actor: Actor, organisation_id: int, now: datetime) -> bytes:
    """The owner's national sheet (``.xlsx``) of instruments with our second sheet beside it. Raises Forbidden."""
    return workbook_of(managed_instruments(actor, organisation_id).filter(facility=None), now)


def facility_workbook(actor: Actor, organisation_id: int, now: datetime) -> bytes:
    """The same of the owner's large facilities, which have a national sheet of their own. Raises Forbidden."""
    return workbook_of(managed_instruments(actor, organisation_id).exclude(facility=None), now, facility.SHEET)


def workbook_of(rows: QuerySet[Instrument], now: datetime, layout: national.Sheet = national.SHEET) -> bytes:
    """The national sheet (of instruments; ``layout``: another) of what the actor was already given."""
    book = Workbook(write_only=True)
    sheet, helper = book.create_sheet(layout.title()), book.create_sheet(HELPER_SHEET)
    sheet.freeze_panes = "D3"
    for head in layout.head():
        sheet.append([text_cell(sheet, text) for text in head])
    helper.append([text_cell(helper, text) for text in layout.helper_head()])
    for facts in national_facts(rows, now):
        sheet.append([text_cell(sheet, value) for value in layout.row(facts)])
        helper.append([text_cell(helper, value) for value in layout.helper_row(facts)])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def text_cell(sheet: Any, value: Cell | None) -> WriteOnlyCell:
    """Text stays text, whatever it begins with; numbers are numbers."""
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def _facts(batch: Sequence[Instrument], today: date) -> Iterator[NationalFacts]:
    use = ports.use().facts_of([one.pk for one in batch], today, today.year - 1) if batch else {}
    for instrument in batch:
        site = instrument.site
        province, city, county = codes.division_path(site.region_code, today)
        used = use.get(instrument.pk, ports.UseFacts())
        identifiers = {one.scheme: one.value for one in instrument.organisation.identifiers.all()}
        yield NationalFacts(
            own_number=own_number(instrument.pk, instrument.created_at),
            values={name: getattr(instrument, name) for name in INSTRUMENT_FIELDS},
            instrument_id=instrument.pk,
            site_id=instrument.site_id,
            owner_code=identifiers.get("uscc", ""),
            site_name=site.name,
            region_code=site.region_code,
            province=province,
            city=city,
            county=county,
            street=site.address,
            longitude=site.longitude,
            latitude=site.latitude,
            nation=codes.name_of("iso3166", instrument.nation_code, today, "zh"),
            subjects=tuple(subject_name(code, today) for code in instrument.subject_codes),
            customs=_customs(instrument),
            facility=_facility(instrument),
            fundings={one.source: one.amount_fen for one in instrument.fundings.all()},
            service_url=page_address(instrument.pk),
            fee_text=used.fee_text,
            image_url=photo_address(instrument),
            run_hours=used.run_hours,
            service_hours=used.service_hours,
            service_income_fen=used.service_income_fen,
        )


def page_address(instrument_id: int) -> str:
    """The whole address of an instrument's page."""
    return settings.PUBLIC_URL + reverse("instrument_detail", args=[instrument_id])


def photo_address(instrument: Instrument) -> str:
    """The whole address of its photo, or nothing."""
    if instrument.photo is None:
        return ""
    version = instrument.photo.sha256[:16]
    return settings.PUBLIC_URL + reverse("instrument_photo", args=[instrument.pk, version])


def subject_name(code: str, today: date) -> str:
    """Its own name, never that of a wider one or of several: what is written has to be read back as the same code."""
    entry = codes.entry_of("gbt13745", code, today)
    return entry.zh if entry is not None and codes.code_of("gbt13745", entry.zh, today) == code else code


def _facility(instrument: Instrument) -> dict[str, Any] | None:
    try:
        record = instrument.facility
    except FacilityRecord.DoesNotExist:
        return None
    return {name: getattr(record, name) for name in FACILITY_FIELDS}


def _customs(instrument: Instrument) -> dict[str, Any]:
    try:
        record = instrument.customs
    except CustomsRecord.DoesNotExist:
        return {}
    return {name: getattr(record, name) for name in CUSTOMS_FIELDS}
