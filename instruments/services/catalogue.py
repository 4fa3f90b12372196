"""The one writer of the catalogue: the flat rows that search, facets and find-a-time read.

Everybody who changes what an entry shows calls ``refresh_*`` in the same transaction. A batch is a handful of statements, and an
entry is written only when something of it differs. ``rebuild`` makes all entries anew; ``differences`` says which of them are
not what a rebuild would make (``manage.py check_invariants``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from config.kernel.services.transactions import whole
from instruments import catalogue_ports as ports
from instruments.models import (
    BESIDE_TECHNIQUES,
    BOOKABLE_STATUSES,
    POLICY_NUMBERS,
    CatalogueEntry,
    CodeScheme,
    Instrument,
    Resource,
    TestItem,
)
from instruments.ports import instruments_changed
from instruments.queries import codes
from instruments.queries.techniques import known_techniques
from instruments.rules import facets, synonyms
from instruments.rules.techniques import techniques, with_wider
from instruments.services import search_tokens
from instruments.services.catalogue_rows import InstrumentRow, ResourceRow, instrument_rows, resource_rows

BATCH = 1000
_PINYIN_LENGTH = 600
_COLUMNS = (
    "kind",
    "instrument_id",
    "resource_id",
    "organisation_id",
    "calendar_id",
    "name",
    "name_en",
    "name_pinyin",
    "search",
    "facets",
    "behind",
    "class_code",
    "region_code",
    "zones",
    "technique_codes",
    "service_modes",
    "status",
    "public",
    "bookable",
    "training_needed",
    "approval_needed",
    "price_from_fen",
    "price_unit",
    "subsidy_eligible",
    *POLICY_NUMBERS,
)
Entry = dict[str, Any]


@dataclass(slots=True)
class _Gathered:
    instruments: set[int] = field(default_factory=set)
    resources: set[int] = field(default_factory=set)


_gathered: ContextVar[_Gathered | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering(now: datetime) -> Iterator[None]:
    """For loading much through the usual services: within it entries wait, and at its end each is made once, as of ``now``.

    Part of the caller's transaction; nothing within may read the catalogue.
    """
    gathered = _Gathered()
    token = _gathered.set(gathered)
    try:
        yield
    finally:
        _gathered.reset(token)
    show_instruments(gathered.instruments, now)
    refresh_resources(gathered.resources, now)


@whole
def refresh_instruments(instrument_ids: Iterable[int], now: datetime) -> int:
    """Tell that these instruments are new or different, and make their entries what the rows say; returns how many were written.
    Ids without a row are ignored."""
    ids = sorted(set(instrument_ids))
    instruments_changed(ids)
    return show_instruments(ids, now)


@whole
def show_instruments(instrument_ids: Iterable[int], now: datetime) -> int:
    """As ``refresh_instruments`` where the instruments themselves stayed as they are: prices, hours, policies or tests changed."""
    ids = sorted(set(instrument_ids))
    gathered = _gathered.get()
    if gathered is not None:
        gathered.instruments.update(ids)
        return 0
    return sum(_write("instrument", _instrument_entries(batch, dict.fromkeys(batch, now)), now) for batch in _batches(ids))


@whole
def refresh_with_tests(instrument_ids: Iterable[int], now: datetime) -> int:
    """As ``refresh_instruments`` where technique codes or place changed: a test item without its own has those of its instruments."""
    ids = sorted(set(instrument_ids))
    measured = sorted(set(TestItem.objects.filter(instruments__in=ids).values_list("pk", flat=True)))
    items = sum(_write("resource", _resource_entries(batch, dict.fromkeys(batch, now)), now) for batch in _batches(measured))
    return refresh_instruments(ids, now) + items


_OPEN_OTHERWISE = """
SELECT i.id FROM instruments_instrument i LEFT JOIN instruments_catalogueentry e ON e.instrument_id = i.id
 WHERE i.calendar_id = ANY(%s) AND e.bookable IS DISTINCT FROM (i.status = ANY(%s) AND EXISTS (
       SELECT FROM instruments_calendarentry o
        WHERE o.calendar_id = i.calendar_id AND o.kind = 'opening' AND o.removed_at IS NULL))"""


_BESIDE = ", ".join(BESIDE_TECHNIQUES)
_SAID, _FOUND = (
    f"SELECT id, substr(facet, 3), {_BESIDE} FROM instruments_catalogueentry, unnest(facets) facet"  # noqa: S608  (our own names)
    " WHERE public AND instrument_id IS NOT NULL AND facet LIKE 't:%'",
    f"SELECT entry_id, technique, {_BESIDE} FROM instruments_cataloguetechnique",  # noqa: S608
)
_OTHERWISE_BY_TECHNIQUE = f"""
SELECT DISTINCT instrument_id FROM (({_SAID} EXCEPT {_FOUND}) UNION ALL ({_FOUND} EXCEPT {_SAID})) apart ORDER BY 1"""  # noqa: S608


@whole
def refresh_calendars(calendar_ids: Iterable[int], now: datetime) -> int:
    """As ``refresh_instruments`` for those of these calendars that got opening hours or lost them; a closure changes no entry."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_OTHERWISE, [list(calendar_ids), sorted(BOOKABLE_STATUSES)])
        ids = [pk for (pk,) in cursor.fetchall()]
    return show_instruments(ids, now) if ids else 0


def follow_calendars(calendar_ids: Sequence[int]) -> None:
    """The listener of ``ports.calendar_changed``."""
    refresh_calendars(calendar_ids, timezone.now())


@whole
def refresh_resources(resource_ids: Iterable[int], now: datetime) -> int:
    """As ``refresh_instruments`` for the other resources, and for the instruments that are or were behind them: they are found by
    what they measure."""
    ids = sorted(set(resource_ids))
    gathered = _gathered.get()
    if gathered is not None:
        gathered.resources.update(ids)
        return 0
    before = CatalogueEntry.objects.filter(resource__in=ids).values_list("behind", flat=True)
    touched = {instrument for behind in before for instrument in behind}
    written = 0
    for batch in _batches(ids):
        entries = list(_resource_entries(batch, dict.fromkeys(batch, now)))
        touched |= {instrument for entry in entries for instrument in entry["behind"]}
        written += _write("resource", entries, now)
    return written + (show_instruments(touched, now) if touched else 0)


@whole
def refresh_owner(organisation_id: int, now: datetime) -> int:
    """As ``refresh_instruments`` for everything of an owner: its name, zones, standing or region changed."""
    return rebuild(now, organisation_id)


def rebuild(now: datetime, organisation_id: int | None = None, said: Callable[[int], None] | None = None) -> int:
    """Make the entries of one owner, or of all, what the rows say; returns how many were written. Memory is bounded by a batch;
    ``said`` hears after each how many were looked at."""
    looked = written = 0
    for kind, ids in _everything(organisation_id):
        written += _in_one(lambda kind=kind, ids=ids: _write(kind, _MADE[kind](ids, dict.fromkeys(ids, now)), now))
        looked += len(ids)
        if said is not None:
            said(looked)
    if organisation_id is None:
        _in_one(_mend_techniques)
    return written


def _mend_techniques() -> None:
    """The rows by technique what the entries say, should something else have changed them: the database keeps them otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM instruments_cataloguetechnique t USING ({_FOUND} EXCEPT {_SAID}) apart"  # noqa: S608  (our own names)
            " WHERE (t.entry_id, t.technique) = (apart.entry_id, apart.technique)"
        )
        cursor.execute(f"INSERT INTO instruments_cataloguetechnique (entry_id, technique, {_BESIDE}) {_SAID} EXCEPT {_FOUND}")


def _everything(organisation_id: int | None) -> Iterator[tuple[str, list[int]]]:
    """All ids in batches of one kind: instruments, then resources."""
    for kind, model in (("instrument", Instrument), ("resource", Resource)):
        yield from ((kind, ids) for ids in _all_ids(model, organisation_id))


_in_one = whole(lambda work: work())


def differences() -> Iterator[str]:
    """A sentence for each entry that is missing or not what a rebuild would make of it, as of the instant when it was written, and for
    each that is not found by its techniques."""
    for kind, ids in _everything(None):
        yield from _differences(kind, ids)
    with connection.cursor() as cursor:
        cursor.execute(_OTHERWISE_BY_TECHNIQUE)
        yield from (f"instrument {pk} is not found by its techniques as its entry says" for (pk,) in cursor.fetchall())


def _differences(kind: str, ids: Sequence[int]) -> Iterator[str]:
    column = f"{kind}_id"
    written_at = dict(CatalogueEntry.objects.filter(**{f"{column}__in": ids}).values_list(column, "updated_at"))
    for pk in ids:
        if pk not in written_at:
            yield f"{kind} {pk} is not in the catalogue"
    fresh = list(_MADE[kind]([pk for pk in ids if pk in written_at], written_at))
    compared = ", ".join(f"CASE WHEN old.{name} IS DISTINCT FROM new.{name} THEN '{name}' END" for name in _COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT old.{column}, concat_ws(', ', {compared}) FROM instruments_catalogueentry old"  # noqa: S608  (our own names)
            f" JOIN jsonb_populate_recordset(NULL::instruments_catalogueentry, %s::jsonb) new ON old.{column} = new.{column}"
            f" WHERE ({_listed('old')}) IS DISTINCT FROM ({_listed('new')})",
            [_json(fresh)],
        )
        for pk, names in cursor.fetchall():
            yield f"the entry of {kind} {pk} is stale: {names}"


def _write(kind: str, entries: Iterable[Entry], now: datetime) -> int:
    """Insert or update; what does not differ is left as it is, its ``updated_at`` too. Rows are taken in order of ids."""
    at = now.isoformat()  # to the microsecond: what was written in the same instant counts as known by then
    records = [entry | {"updated_at": at, "public_at": at if entry["public"] else None} for entry in entries]
    if not records:
        return 0
    names = ", ".join((*_COLUMNS, "updated_at", "public_at"))
    changed = ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS, "updated_at"))
    since = "CASE WHEN excluded.public THEN coalesce(old.public_at, excluded.public_at) END"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO instruments_catalogueentry AS old ({names}) SELECT {names}"  # noqa: S608  (names of our own fields)
            f" FROM jsonb_populate_recordset(NULL::instruments_catalogueentry, %s::jsonb) ORDER BY {kind}_id"
            f" ON CONFLICT ({kind}_id) DO UPDATE SET {changed}, public_at = {since}"
            f" WHERE ({_listed('old')}) IS DISTINCT FROM ({_listed('excluded')})",
            [_json(records)],
        )
        return int(cursor.rowcount)


def _instrument_entries(ids: Sequence[int], as_of: Mapping[int, datetime]) -> Iterator[Entry]:
    facts = dict(ports.instrument_facts({pk: as_of[pk] for pk in ids}))
    for row in instrument_rows(ids):
        told = row.technique_codes or synonyms.techniques_in(f"{row.name} \n {row.name_en} \n {row.technique}")
        yield _entry(
            instrument_id=row.id,
            calendar_id=row.calendar_id,
            kind=row.kind,
            search=_instrument_words(row, told),
            techniques=told,
            class_code=row.class_code,
            region_code=row.region_code,
            service_modes=sorted(row.service_modes),
            status=row.status,
            public=row.published and not row.suspended,
            bookable=row.is_open and row.status in BOOKABLE_STATUSES,
            training_needed=row.training_needed,
            row=row,
            **facts[row.id],
        )


def _resource_entries(ids: Sequence[int], as_of: Mapping[int, datetime]) -> Iterator[Entry]:
    facts = dict(ports.resource_facts({pk: as_of[pk] for pk in ids}))
    for row in resource_rows(ids):
        told = synonyms.techniques_in(f"{row.name} \n {row.name_en} \n {row.method}") if row.kind == "test_item" else []
        mine = facts[row.id]
        yield _entry(
            resource_id=row.id,
            kind=row.kind,
            search=_resource_words(row),
            techniques=told or row.behind_techniques,
            region_code=row.region_code,
            service_modes=["commissioned"] if row.kind == "test_item" else [],
            public=row.published and not row.suspended,
            behind=sorted(row.behind),
            approval_needed=True,
            row=row,
            **mine | {"price_unit": (mine["price_unit"] or row.price_unit) if mine["price_from_fen"] is not None else ""},
        )


def _entry(row: InstrumentRow | ResourceRow, techniques: Sequence[str], **given: Any) -> Entry:
    """An entry with what every kind has, and the facets that follow."""
    entry: Entry = dict.fromkeys(("instrument_id", "resource_id", "calendar_id", *POLICY_NUMBERS))
    entry |= {"behind": [], "class_code": "", "status": "", "bookable": False, "training_needed": False}
    entry |= {"organisation_id": row.owner_id, "name": row.name, "name_en": row.name_en, "zones": sorted(row.zones)}
    entry |= {"name_pinyin": sort_key(row.name), "technique_codes": sorted(set(techniques))} | given
    traits = facets.Traits(
        kind=entry["kind"],
        owner=row.owner_id,
        technique_codes=tuple(with_wider(entry["technique_codes"], known_techniques())),
        zones=tuple(entry["zones"]),
        service_modes=tuple(entry["service_modes"]),
        **{
            name: entry[name]
            for name in (
                "class_code",
                "region_code",
                "status",
                "bookable",
                "training_needed",
                "price_from_fen",
                "subsidy_eligible",
            )
        },
    )
    return entry | {"facets": facets.facet_values(traits)}


_MADE = {"instrument": _instrument_entries, "resource": _resource_entries}


def sort_key(name: str) -> str:
    """By what a name is sorted."""
    return search_tokens.sort_key(name)[:_PINYIN_LENGTH]


def _instrument_words(row: InstrumentRow, technique_codes: Sequence[str]) -> str:
    measured = [text for item in row.measures for text in _item_texts(item)]
    return search_tokens.vector(
        [row.name, row.name_en],
        [
            row.model,
            row.manufacturer,
            row.technique,
            row.inner_id,
            *row.keywords,
            *_technique_names(technique_codes),
            *measured,
        ],
        [row.owner_name, row.owner_name_en, row.site_name, *_class_names(row.class_code)],
        [row.description, row.description_en, row.functions, row.service_content, row.technical_indicators],
        [*_technique_tokens(technique_codes), *(token for item in row.measures for token in _analyte_tokens(item))],
    )


def _resource_words(row: ResourceRow) -> str:
    marks = [row.inner_id, row.method, row.standard, row.creators, row.taxon, row.details, *row.keywords]
    item = {"matrix": row.matrix, "analytes": row.analytes}
    return search_tokens.vector(
        [row.name, row.name_en],
        [*marks, *_item_texts(item)],
        [row.owner_name, row.owner_name_en],
        [row.description, row.description_en],
        _analyte_tokens(item),
    )


def _item_texts(item: Mapping[str, Any]) -> list[str]:
    return [item.get("name") or "", item.get("matrix") or "", *(str(one.get("name", "")) for one in item.get("analytes") or [])]


def _analyte_tokens(item: Mapping[str, Any]) -> list[str]:
    """The elements that a test item measures, whatever they are called there."""
    named = (synonyms.element_named(str(one.get("name", ""))) for one in item.get("analytes") or [])
    return [element.concept for element in named if element is not None]


def _class_names(class_code: str) -> list[str]:
    """The names of a class and of the wider ones around it, in both languages, as far as a list has them."""
    today = timezone.localdate()
    found = (codes.entry_of(CodeScheme.INSTRUMENT_CLASS, code, today) for code in facets.class_path(class_code))
    return list(dict.fromkeys(name for one in found if one is not None for name in (one.zh, one.en) if name))


def _technique_tokens(technique_codes: Sequence[str]) -> list[str]:
    return [synonyms.technique_concept(code) for code in with_wider(technique_codes, known_techniques())]


def _technique_names(technique_codes: Sequence[str]) -> list[str]:
    """The names of techniques that only the operator's list knows, with the wider ones: the others are found by what they have in
    common with a word."""
    known = known_techniques()
    found = (known.get(code) for code in with_wider(technique_codes, known) if code not in techniques())
    return [name for one in found if one is not None for name in synonyms.forms_of(one)]


def _listed(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _COLUMNS)


def _json(entries: Iterable[Entry]) -> str:
    return json.dumps(list(entries), ensure_ascii=False)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _all_ids(model: type[Instrument] | type[Resource], organisation_id: int | None) -> Iterator[list[int]]:
    """Ids in order, a batch at a time: each batch is asked for by the last id before it."""
    rows = model._default_manager.order_by("pk")
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    last = 0
    while ids := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]
