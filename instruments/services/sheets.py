"""Many instruments at once: an owner's table is downloaded, filled in elsewhere, handed in, looked at, and saved as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language, override

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.field_wording import CHOICE_NAMES, DETAIL_COLUMN_NAMES, FIELD_NAMES, NO, YES
from instruments.models import Instrument, InstrumentChange, InstrumentSheet, Site
from instruments.rules.details_values import CUSTOMS_FIELDS
from instruments.rules.persistent_ids import kept_ids, without_kept
from instruments.rules.registry_values import clean_fields
from instruments.rules.sheet_cells import KINDS as FIELD_KINDS
from instruments.rules.sheet_cells import Kind, to_cell
from instruments.rules.sheet_details import DETAIL_KINDS, clean_details, customs_of, detail_values, fundings_of
from instruments.services import instrument_edits, instrument_reviews, sheet_writing
from instruments.services.instrument_changes import class_reasons, jsonable, needs_review, owner_institution, require_manager
from instruments.services.instrument_edits import Edit
from instruments.services.sheet_plan import CellChange, Part, Planner, RowPlan, SheetPlan, in_part, keys_of, parts_of, read_table
from instruments.services.sheet_writing import Column

#: Every column that there is, in the order of the form; publication is a matter of its own.
COLUMNS: tuple[str, ...] = (*(name for name in FIELD_NAMES if name != "published"), *DETAIL_KINDS)
KINDS = FIELD_KINDS | DETAIL_KINDS
DEFAULT_COLUMNS = ("name", "name_en", "inner_id", "class_code", "technique", "technical_indicators", "functions", "status")
_ALWAYS = "name"


# --- Out --------------------------------------------------------------------------------------------------------------
def parts(actor: Actor, organisation_id: int) -> list[Part]:
    """The tables in which the owner's instruments go out."""
    return parts_of(_instruments(actor, organisation_id).count())


def download(actor: Actor, organisation_id: int, names: Sequence[str], part: int = 1) -> bytes:
    """A part of the owner's instruments as a workbook with the named columns; the name is always among them.

    Raises Forbidden, NotFound (no such part), Refusal ``instrument.owner_unknown``.
    """
    owner = _owner(actor, organisation_id)
    chosen = [name for name in COLUMNS if name in {*names, _ALWAYS}]
    words = {name: _words(name, organisation_id) for name in chosen}
    columns = [Column(name, KINDS[name], column_name(name), tuple(words[name].values())) for name in chosen]
    both = {name: _all_words(name, organisation_id) for name in chosen}
    rows = []
    for instrument in in_part(_instruments(actor, organisation_id), part):
        stored = _stored(instrument)
        cells = [to_cell(name, stored(name), words[name], KINDS[name]) for name in chosen]
        rows.append((keys_of(instrument, dict(zip(chosen, cells, strict=True)), KINDS, both), cells))
    return sheet_writing.workbook(owner.name_en if _english() and owner.name_en else owner.name, columns, rows)


# --- In ---------------------------------------------------------------------------------------------------------------
@whole
def hand_in(actor: Actor, organisation_id: int, content: bytes, now: datetime) -> InstrumentSheet:
    """Keep a filled-in table so that it can be looked at; nothing of it is saved yet.

    Raises Forbidden, Refusal ``sheet.*`` at ``file``.
    """
    owner = _owner(actor, organisation_id)
    read_table(content, COLUMNS)
    stored = files.store(
        content,
        file_name=f"instruments-{owner.pk}.xlsx",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        user_id=actor.user_id,
        now=now,
    )
    return InstrumentSheet.objects.create(organisation=owner, file=stored, uploaded_by_id=actor.person_id, uploaded_at=now)


def plan(actor: Actor, sheet: InstrumentSheet) -> SheetPlan:
    """What a table would change now, row by row, and everything that stands against it."""
    table, owner = read_table(files.read(sheet.file), COLUMNS), sheet.organisation
    known = {str(each.pk): each for each in _instruments(actor, owner.pk).filter(pk__in=table.ids)}
    words = {name: _all_words(name, owner.pk) for name in table.places.values() if name in KINDS}
    return _Planner(table, known, KINDS, words, review=needs_review(actor, owner)).plan()


def sheet_for(actor: Actor, sheet_id: int) -> InstrumentSheet:
    """A table that was handed in. Raises NotFound."""
    return get_visible(InstrumentSheet.objects.filter(kind="").select_related("organisation", "file"), actor, pk=sheet_id)


@whole
def apply(actor: Actor, sheet_id: int, now: datetime, *, submit: bool = True) -> SheetPlan:
    """Save everything in a table, or nothing. What the operator looks at first becomes drafts, handed in when ``submit``.

    Raises NotFound, Forbidden, Conflict ``sheet.applied_already``, ``sheet.not_applied`` (look at the plan again), Refusal
    ``sheet.nothing_to_do``.
    """
    sheet = sheet_for(actor, sheet_id)
    require_manager(actor, sheet.organisation_id)
    if InstrumentSheet.objects.filter(pk=sheet.pk, applied_at=None).update(applied_at=now) != 1:
        raise Conflict.of("sheet.applied_already")
    found = plan(actor, sheet)
    if found.problems:
        raise Conflict.of("sheet.not_applied")
    if not found.rows:
        raise Refusal.of("sheet.nothing_to_do")
    for row in found.rows:
        try:
            change = _save(actor, row, now)
        except Refusal as refusal:
            raise Conflict.of("sheet.not_applied") from refusal
        if change is not None and submit:
            instrument_reviews.submit(actor, change.pk, now)
    audit.record(actor, "instrument_sheet.apply", sheet, now, after={"rows": len(found.rows), "sha256": sheet.file.sha256})
    return found


def _save(actor: Actor, row: RowPlan, now: datetime) -> InstrumentChange | None:
    """Save what a row changes; the draft of what is looked at first, if any. Customs and funding apply at once."""
    fields = {name: value for name, value in row.values.items() if name not in DETAIL_KINDS}
    paid = {name: value for name, value in row.values.items() if name.startswith("funding_")}
    fundings = None
    if paid:
        stored = _stored(row.subject)
        fundings = fundings_of({name: paid.get(name, stored(name)) for name in DETAIL_KINDS if name.startswith("funding_")})
    edit = Edit(fields, customs=customs_of(row.values), fundings=fundings, seen=row.seen)
    if not fields:
        instrument_edits.save_details(actor, row.subject.pk, edit, now)
        return None
    return instrument_edits.save(actor, row.subject.pk, edit, now).change


class _Planner(Planner):
    """Instruments, with all reasons of a row at once."""

    def differing(self, subject: Instrument, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[CellChange, ...]]:
        own = {name: value for name, value in values.items() if name != "site_id" and name not in DETAIL_KINDS}
        cleaned = clean_fields(own)
        details, reasons = clean_details({name: value for name, value in values.items() if name in DETAIL_KINDS})
        kept = without_kept(cleaned.reasons, kept_ids([(subject.doi, subject.cstr)]))
        Refusal.raise_any([*kept, *class_reasons(cleaned.values.get("class_code", "")), *reasons])
        clean = cleaned.values | ({"site_id": values["site_id"]} if "site_id" in values else {}) | details
        stored = _stored(subject)
        differing = {name: value for name, value in clean.items() if stored(name) != value}
        before = jsonable({name: stored(name) for name in differing})
        after = jsonable(differing)
        return differing, tuple(CellChange(name, before[name], after[name]) for name in differing)


# --- Words ------------------------------------------------------------------------------------------------------------
def _owner(actor: Actor, organisation_id: int) -> Any:
    require_manager(actor, organisation_id)
    return owner_institution(organisation_id)


def column_name(name: str) -> str:
    """What a column is called."""
    return str(FIELD_NAMES.get(name) or DETAIL_COLUMN_NAMES[name])


def _stored(instrument: Instrument) -> Callable[[str], Any]:
    """What stands in a column now, by its name."""
    record = getattr(instrument, "customs", None)
    customs = None if record is None else {name: getattr(record, name) for name in CUSTOMS_FIELDS}
    details = detail_values(customs, {one.source: one.amount_fen for one in instrument.fundings.all()})
    return lambda name: details[name] if name in details else getattr(instrument, name)


def _instruments(actor: Actor, organisation_id: int) -> QuerySet[Instrument]:
    rows = visible_to(Instrument.objects.filter(organisation_id=organisation_id), actor)
    return rows.select_related("customs").prefetch_related("fundings").order_by("name_pinyin", "pk")


def _words(name: str, organisation_id: int) -> dict[str, str]:
    """The words of a field's values in the language that is active, by code."""
    if KINDS[name] is Kind.PLACE:
        return {str(pk): text for pk, text in Site.objects.filter(organisation_id=organisation_id).values_list("pk", "name")}
    if KINDS[name] in (Kind.FLAG, Kind.MAYBE):
        return {"yes": str(YES), "no": str(NO)}
    return {code: str(word) for code, word in CHOICE_NAMES.get(name, {}).items()}


def _all_words(name: str, organisation_id: int) -> list[dict[str, str]]:
    return [_in(language, lambda: _words(name, organisation_id)) for language, _label in settings.LANGUAGES]


def _in(language: str, work: Callable[[], dict[str, str]]) -> dict[str, str]:
    with override(language):
        return work()


def _english() -> bool:
    return (get_language() or "").startswith("en")
