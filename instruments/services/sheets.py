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
from instruments.field_wording import CHOICE_NAMES, FIELD_NAMES, NO, YES
from instruments.models import Instrument, InstrumentSheet, Site
from instruments.rules.registry_values import clean_fields
from instruments.rules.sheet_cells import KINDS, Kind, to_cell
from instruments.services import instrument_edits, instrument_reviews, sheet_writing
from instruments.services.instrument_changes import class_reasons, jsonable, needs_review, owner_institution, require_manager
from instruments.services.instrument_edits import Edit
from instruments.services.sheet_plan import CellChange, Planner, SheetPlan, keys_of, read_table
from instruments.services.sheet_writing import Column

#: Every column that there is, in the order of the form; publication is a matter of its own.
COLUMNS: tuple[str, ...] = tuple(name for name in FIELD_NAMES if name != "published")
DEFAULT_COLUMNS = ("name", "name_en", "inner_id", "class_code", "technique", "technical_indicators", "functions", "status")
_ALWAYS = "name"


# --- Out --------------------------------------------------------------------------------------------------------------
def download(actor: Actor, organisation_id: int, names: Sequence[str]) -> bytes:
    """The owner's instruments as a workbook with the named columns; the name is always among them.

    Raises Forbidden, Refusal ``instrument.owner_unknown``.
    """
    owner = _owner(actor, organisation_id)
    chosen = [name for name in COLUMNS if name in {*names, _ALWAYS}]
    words = {name: _words(name, organisation_id) for name in chosen}
    columns = [Column(name, KINDS[name], str(FIELD_NAMES[name]), tuple(words[name].values())) for name in chosen]
    both = {name: _all_words(name, organisation_id) for name in chosen}
    rows = []
    for instrument in _instruments(actor, organisation_id):
        cells = [to_cell(name, getattr(instrument, name), words[name]) for name in chosen]
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
    known = {str(each.pk): each for each in _instruments(actor, owner.pk)}
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
            saved = instrument_edits.save(actor, row.subject.pk, Edit(row.values, seen=row.seen), now)
        except Refusal as refusal:
            raise Conflict.of("sheet.not_applied") from refusal
        if saved.change is not None and submit:
            instrument_reviews.submit(actor, saved.change.pk, now)
    audit.record(actor, "instrument_sheet.apply", sheet, now, after={"rows": len(found.rows), "sha256": sheet.file.sha256})
    return found


class _Planner(Planner):
    """Instruments, with all reasons of a row at once."""

    def differing(self, subject: Instrument, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[CellChange, ...]]:
        cleaned = clean_fields({name: value for name, value in values.items() if name != "site_id"})
        Refusal.raise_any([*cleaned.reasons, *class_reasons(cleaned.values.get("class_code", ""))])
        clean = cleaned.values | ({"site_id": values["site_id"]} if "site_id" in values else {})
        differing = {name: value for name, value in clean.items() if getattr(subject, name) != value}
        before = jsonable({name: getattr(subject, name) for name in differing})
        after = jsonable(differing)
        return differing, tuple(CellChange(name, before[name], after[name]) for name in differing)


# --- Words ------------------------------------------------------------------------------------------------------------
def _owner(actor: Actor, organisation_id: int) -> Any:
    require_manager(actor, organisation_id)
    return owner_institution(organisation_id)


def _instruments(actor: Actor, organisation_id: int) -> QuerySet[Instrument]:
    rows = visible_to(Instrument.objects.filter(organisation_id=organisation_id), actor)
    return rows.order_by("name_pinyin", "pk")


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
