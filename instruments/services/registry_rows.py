"""The writing half of an import: owners, sites, calendars and instruments in a handful of statements, inside the caller's
transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from instruments.models import (
    FormerIdentifier,
    Instrument,
    InstrumentStatus,
    Organisation,
    OrganisationIdentifier,
    OrganisationKind,
    Site,
)
from instruments.ports import against_retirement, calendar_changed
from instruments.rules.instrument_review import apart
from instruments.rules.names import name_key
from instruments.rules.own_numbers import own_number
from instruments.rules.registry_details import is_same
from instruments.rules.registry_map import SITE_FIELDS, ImportMap
from instruments.rules.registry_plan import PlannedRow
from instruments.rules.registry_values import INSTRUMENT_FIELDS, field_defaults
from instruments.services import catalogue, own_lists, registry_beside, schedule_store, search_tokens
from instruments.services.instrument_changes import jsonable, name_pinyin, needs_review

_SHOWN_NAMES = 20
Change = tuple[int, dict[str, Any], dict[str, Any]]
Known = dict[tuple[int, str], tuple[int, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row that counts; ``changed`` holds the fields that differ, what they were and what they become."""

    fate: str
    instrument_id: int
    owner_name: str
    changed: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """Outcomes by line, what was created beside the instruments, and how many earlier imported ones are not in the file."""

    by_line: dict[int, Outcome]
    organisations_created: tuple[str, ...]
    sites_created: int
    absent: int

    @classmethod
    def nothing(cls) -> Written:
        return cls({}, (), 0, 0)


class RowsRefused(Exception):
    """Rows that cannot be written as the instruments stand now; ``by_line`` has the reasons of each."""

    def __init__(self, by_line: Mapping[int, tuple[Reason, ...]]) -> None:
        super().__init__("rows refused")
        self.by_line = by_line


def write_rows(
    actor: Actor,
    planned: Sequence[PlannedRow],
    plan: ImportMap,
    owner: Organisation | None,
    zone_name: str,
    source: Mapping[str, str],
    now: datetime,
) -> Written:
    """Create and update what the rows say; ``source`` is written into the audit trail with each.

    Only mapped fields are changed. Where the operator looks first (``instrument_changes.needs_review``) new instruments stay drafts, and
    a file that changes what is published is refused. Raises Refusal ``import.organisation_unknown`` /
    ``import.organisation_ambiguous`` / ``import.review_needed``, RowsRefused for rows that would retire what is booked still.
    """
    rows = [one for one in planned if one.same_as_line is None]
    owners, organisations_created = (
        (dict.fromkeys((one.owner for one in rows), owner), ()) if owner is not None else _organisations(actor, rows, plan, now)
    )
    _refuse_same_key(rows, owners)
    ids = sorted({organisation.pk for organisation in owners.values()})
    list(Organisation.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    fields = sorted(INSTRUMENT_FIELDS & set(plan.fields))
    says_where = bool(SITE_FIELDS & set(plan.fields))
    compared = [*fields, "site_id"] if says_where else fields
    known = _known(ids, [*compared, "attributes", "site_id", "site__time_zone", "calendar_id", "published"])
    looked_at_first = frozenset(each.pk for each in owners.values() if needs_review(actor, each))
    matches = _matches(known, owners, rows)
    own = own_lists.own_rows(plan, [match[0] for match in matches if match is not None], now)
    placed = [
        (one if match is None else replace(one, row=own_lists.changed_in(one.row, own.get(match[0]))), match)
        for one, match in zip(rows, matches, strict=True)
    ]
    needed = [one for one, match in placed if match is None or (says_where and one.row.says_where)]
    sites, sites_created = _sites(actor, needed, owners, zone_name, now)
    beside = registry_beside.stored(plan, [match for _one, match in placed if match is not None])
    new: list[tuple[PlannedRow, dict[str, Any]]] = []
    updated: list[Change] = []
    details: list[registry_beside.Details] = []
    by_line: dict[int, Outcome] = {}
    matched: set[int] = set()
    unreviewed = 0
    retired: dict[int, PlannedRow] = {}
    for one, match in placed:
        organisation = owners[one.owner]
        site = sites.get((organisation.pk, one.row.site_name or organisation.name)) if one.row.says_where else None
        values = one.row.fields if site is None else {**one.row.fields, "site_id": site.pk}
        if match is None:
            draft = {"published": False} if organisation.pk in looked_at_first else {}
            one = replace(one, key=_free_key(known, organisation.pk, one))
            new.append((one, values | {"organisation_id": organisation.pk, "attributes": dict(one.row.extra)} | draft))
            continue
        pk, stored = match
        matched.add(pk)
        before = {name: stored[name] for name in compared if name in values and not _same(plan, name, stored, values)}
        if "status" in before and values["status"] == InstrumentStatus.RETIRED:
            retired[pk] = one
        _at_once, reviewed = apart({name: values[name] for name in before})
        kept = {**stored["attributes"], **one.row.extra}
        if kept != stored["attributes"]:
            before["attributes"], values = stored["attributes"], {**values, "attributes": kept}
        key = stored["import_key"] or ("" if one.key.startswith("own:") else _free_key(known, organisation.pk, one))
        more = beside.differences(pk, stored["calendar_id"], one.row)
        seen = bool(reviewed) or registry_beside.shows(more)
        shown = seen and (stored["published"] or bool(reviewed.get("published")))
        unreviewed += shown and organisation.pk in looked_at_first
        if before or stored["import_key"] != key or more:
            after = {name: values[name] for name in before} | {"import_key": key}
            shown_before = before | {"import_key": stored["import_key"]} | {name: was for name, (was, _is) in more.items()}
            updated.append((pk, shown_before, after | {name: becomes for name, (_was, becomes) in more.items()}))
        if more:
            zone = site.time_zone if site is not None and says_where else stored["site__time_zone"]
            details.append(registry_beside.Details(pk, stored["calendar_id"], zone, one.row, is_new=False))
        changed = {name: (was, values[name]) for name, was in before.items()} | more
        fate = "updated" if changed else "unchanged"
        told = tuple((name, *changed[name]) for name in sorted(changed))
        by_line[one.row.line] = Outcome(fate, pk, organisation.name, told)
    _refuse_booked(retired, now)
    if unreviewed:
        raise Refusal.of("import.review_needed", count=unreviewed)
    created = _create(actor, new, source, now)
    _update(actor, updated, source, now)
    for (one, _values), (pk, calendar_id) in zip(new, created, strict=True):
        by_line[one.row.line] = Outcome("created", pk, owners[one.owner].name)
        zone = sites[owners[one.owner].pk, one.row.site_name or owners[one.owner].name].time_zone
        details.append(registry_beside.Details(pk, calendar_id, zone, one.row, is_new=True))
    registry_beside.write(details, beside, now)
    catalogue.refresh_instruments([pk for pk, _ in created], now)
    catalogue.refresh_with_tests([pk for pk, _, _ in updated], now)
    imported = {pk for pk, stored in known.values() if stored["import_key"]}
    return Written(by_line, organisations_created, sites_created, len(imported - matched))


def _refuse_booked(retired: Mapping[int, PlannedRow], now: datetime) -> None:
    """What the file would retire has nothing booked ahead, as on its own page."""
    against = against_retirement(retired, now)
    if against:
        raise RowsRefused({retired[pk].row.line: (_named(reason, retired[pk]),) for pk, reason in against.items()})


def _named(reason: Reason, one: PlannedRow) -> Reason:
    return Reason("import.booked_ahead", {"name": one.row.fields["name"], **reason.params}, "status")


def _same(plan: ImportMap, name: str, stored: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return is_same(name, stored[name], values[name], coarse=name in plan.coarse)


def _matches(
    known: Known, owners: Mapping[Any, Organisation], rows: Sequence[PlannedRow]
) -> list[tuple[int, dict[str, Any]] | None]:
    """The instrument that each row means: the one that has its number now; else, where no other row means it, the one that came from a
    file under its key; else the one to which our own export gave the row's number."""
    found: list[tuple[int, dict[str, Any]] | None] = [None] * len(rows)
    taken: set[int] = set()
    for keys_of in (_by_number, _by_key, _by_own_number):
        for place, one in enumerate(rows):
            match = known.get((owners[one.owner].pk, keys_of(one))) if found[place] is None else None
            if match is not None and match[0] not in taken:
                found[place] = match
                taken.add(match[0])
    return found


def _refuse_same_key(rows: Sequence[PlannedRow], owners: Mapping[Any, Organisation]) -> None:
    """Two rows that name their owner differently may still mean the same owner: then a number counts once for both."""
    first: dict[tuple[int, str], int] = {}
    reasons = []
    for one in rows:
        line = first.setdefault((owners[one.owner].pk, one.key), one.row.line)
        if line != one.row.line:
            params = {"number": one.row.fields.get("inner_id", ""), "first_line": line, "line": one.row.line}
            reasons.append(Reason("import.number_twice_for_owner", params, "inner_id"))
    Refusal.raise_any(reasons[:_SHOWN_NAMES])


def _by_number(one: PlannedRow) -> str:
    return f"number:{one.row.fields.get('inner_id', '')}"


def _by_key(one: PlannedRow) -> str:
    return one.key


def _by_own_number(one: PlannedRow) -> str:
    return f"own:{one.row.own_number}"


def _free_key(known: Known, organisation_id: int, one: PlannedRow) -> str:
    """The key of a row, unless another instrument came from a file under it and has another number since."""
    holder = known.get((organisation_id, one.key))
    return "" if holder is not None and holder[1]["import_key"] == one.key else one.key


def _known(organisation_ids: Sequence[int], names: Sequence[str]) -> Known:
    """The owners' instruments by import key, by the number that they have now and by our own number, with what to compare. Of several with
    one number it means the one that came from a file under it, else one entered by hand, else the first."""
    wanted = list(dict.fromkeys(["pk", "organisation_id", "import_key", "inner_id", "created_at", *names]))
    found: Known = {}
    for row in Instrument.objects.filter(organisation_id__in=organisation_ids).order_by("-pk").values(*wanted):
        match, number = (row["pk"], row), (row["organisation_id"], f"number:{row['inner_id']}")
        if row["import_key"]:
            found[row["organisation_id"], row["import_key"]] = match
        if row["inner_id"] and (number not in found or _rank(row) >= _rank(found[number][1])):
            found[number] = match
        found.setdefault((row["organisation_id"], f"own:{own_number(row['pk'], row['created_at'])}"), match)
    return found


def _rank(row: Mapping[str, Any]) -> int:
    return 2 if row["import_key"] == f"no:{row['inner_id']}" else 0 if row["import_key"] else 1


def _organisations(
    actor: Actor, rows: Sequence[PlannedRow], plan: ImportMap, now: datetime
) -> tuple[dict[Any, Organisation], tuple[str, ...]]:
    """The owner of every row by its key, found by an identifier that it has or had, or by name, created when the map says so."""
    firsts: dict[Any, PlannedRow] = {}
    for one in rows:
        firsts.setdefault(one.owner, one)
    by_identifier = _by_identifier(one.row.organisation_identifier for one in firsts.values())
    keys = {one.row.organisation_name: name_key(one.row.organisation_name)[:400] for one in firsts.values()}
    by_name: dict[str, list[Organisation]] = {}
    for organisation in Organisation.objects.filter(kind=OrganisationKind.OWNER, name_key__in=keys.values()).order_by("pk"):
        by_name.setdefault(organisation.name_key, []).append(organisation)
    owners: dict[Any, Organisation] = {}
    missing: list[PlannedRow] = []
    reasons: list[Reason] = []
    for owner, one in firsts.items():
        identifier = one.row.organisation_identifier
        known = by_identifier.get((identifier.scheme.value, identifier.value)) if identifier is not None else None
        alike = by_name.get(keys[one.row.organisation_name], []) if identifier is None else []
        if known is not None and known.kind != OrganisationKind.OWNER:
            reasons.append(_organisation_reason("no_owner", one))
        elif known is not None:
            owners[owner] = known
        elif len(alike) == 1:
            owners[owner] = alike[0]
        elif alike:
            reasons.append(_organisation_reason("ambiguous", one))
        elif plan.organisations == "create" and one.row.organisation_name:
            missing.append(one)
        else:
            reasons.append(_organisation_reason("unknown", one))
    Refusal.raise_any(reasons[:_SHOWN_NAMES])
    return owners | _create_organisations(actor, missing, now), tuple(one.row.organisation_name for one in missing)


def _by_identifier(named: Iterable[Any]) -> dict[tuple[str, str], Organisation]:
    """Whose the identifiers are, of whatever kind: those that somebody left while they were verified are nobody else's."""
    values = sorted({identifier.value for identifier in named if identifier is not None})
    found: dict[tuple[str, str], Organisation] = {}
    for model in (FormerIdentifier, OrganisationIdentifier):
        for held in model._default_manager.filter(value__in=values).select_related("organisation"):
            found[held.scheme, held.value] = held.organisation
    return found


def _organisation_reason(kind: str, one: PlannedRow) -> Reason:
    identifier = one.row.organisation_identifier
    name = one.row.organisation_name or (identifier.value if identifier else "")
    return Reason(f"import.organisation_{kind}", {"name": name, "line": one.row.line}, "organisation.name")


def _create_organisations(actor: Actor, missing: Sequence[PlannedRow], now: datetime) -> dict[Any, Organisation]:
    """Owners that nobody has claimed a code for: status claimed, so they are not listed as verified."""
    created = Organisation.objects.bulk_create(
        Organisation(
            kind=OrganisationKind.OWNER,
            name=one.row.organisation_name,
            name_key=name_key(one.row.organisation_name)[:400],
            name_pinyin=search_tokens.sort_key(one.row.organisation_name)[:400],
            created_at=now,
        )
        for one in missing
    )
    OrganisationIdentifier.objects.bulk_create(
        OrganisationIdentifier(organisation=organisation, scheme=identifier.scheme.value, value=identifier.value)
        for one, organisation in zip(missing, created, strict=True)
        if (identifier := one.row.organisation_identifier) is not None
    )
    changes: Iterable[Change] = ((organisation.pk, {}, {"name": organisation.name}) for organisation in created)
    audit.record_many(actor, "organisation.import", Organisation, changes, now)
    return {one.owner: organisation for one, organisation in zip(missing, created, strict=True)}


def _sites(
    actor: Actor, rows: Sequence[PlannedRow], owners: Mapping[Any, Organisation], zone_name: str, now: datetime
) -> tuple[dict[tuple[int, str], Site], int]:
    """The site of each (owner, name); a new one takes address and region of the first row that names it."""
    wanted: dict[tuple[int, str], PlannedRow] = {}
    for one in rows:
        organisation = owners[one.owner]
        wanted.setdefault((organisation.pk, one.row.site_name or organisation.name), one)
    found = {
        (site.organisation_id, site.name): site
        for site in Site.objects.filter(organisation_id__in={pk for pk, _ in wanted}).order_by("pk")
    }
    missing = [key for key in wanted if key not in found]
    created = Site.objects.bulk_create(
        Site(
            organisation_id=organisation_id,
            name=name,
            time_zone=zone_name,
            address=wanted[organisation_id, name].row.site_address,
            region_code=wanted[organisation_id, name].row.site_region or owners[wanted[organisation_id, name].owner].region_code,
        )
        for organisation_id, name in missing
    )
    audit.record_many(actor, "site.import", Site, ((site.pk, {}, {"name": site.name}) for site in created), now)
    return found | {(site.organisation_id, site.name): site for site in created}, len(created)


def _create(
    actor: Actor, new: Sequence[tuple[PlannedRow, dict[str, Any]]], source: Mapping[str, str], now: datetime
) -> list[tuple[int, int]]:
    """Insert the instruments with a calendar each; their ids and calendars' ids in the order given."""
    if not new:
        return []
    calendars = schedule_store.create_calendars([values["name"] for _, values in new])
    records = []
    for (one, values), calendar_id in zip(new, calendars, strict=True):
        record = field_defaults() | values
        record |= {
            "calendar_id": calendar_id,
            "import_key": one.key,
            "name_pinyin": name_pinyin(values["name"]),
            "created_at": now,
            "updated_at": now,
        }
        records.append(record)
    names = sorted(records[0])
    rows = _execute(
        f"INSERT INTO instruments_instrument ({', '.join(names)})"  # noqa: S608  (names of our own fields)
        f" SELECT {', '.join(f'new.{name}' for name in names)}"
        " FROM jsonb_populate_recordset(NULL::instruments_instrument, %s::jsonb) WITH ORDINALITY AS new"
        " ORDER BY new.ordinality RETURNING id, calendar_id",
        records,
    )
    id_of = {calendar_id: pk for pk, calendar_id in rows}
    ids = [id_of[calendar_id] for calendar_id in calendars]
    trail: Iterable[Change] = (
        (pk, {}, jsonable(values) | {"line": one.row.line, **source}) for (one, values), pk in zip(new, ids, strict=True)
    )
    audit.record_many(actor, "instrument.import", Instrument, trail, now)
    return list(zip(ids, calendars, strict=True))


def _update(actor: Actor, updated: Sequence[Change], source: Mapping[str, str], now: datetime) -> None:
    """Write the changed fields; one that only becomes known under a key has not changed for anybody."""
    if not updated:
        return
    own = frozenset({*INSTRUMENT_FIELDS, "attributes", "site_id", "import_key"})
    changes: dict[int, dict[str, Any]] = {
        pk: {name: value for name, value in after.items() if name in own} for pk, _, after in updated
    }
    changed = {pk for pk, _, after in updated if set(after) != {"import_key"}}
    stored = Instrument.objects.filter(pk__in=changes)
    names = sorted(own)
    records = []
    moved = []
    for instrument in stored:
        record = {name: getattr(instrument, name) for name in names} | changes[instrument.pk]
        if record["site_id"] != instrument.site_id:
            moved.append(instrument.calendar_id)
        record |= {
            "id": instrument.pk,
            "updated_at": now if instrument.pk in changed else instrument.updated_at,
            "name_pinyin": name_pinyin(record["name"]),
        }
        records.append(record)
    columns = [*names, "updated_at", "name_pinyin"]
    _execute(
        f"UPDATE instruments_instrument AS old SET {', '.join(f'{name} = new.{name}' for name in columns)}"  # noqa: S608
        " FROM jsonb_populate_recordset(NULL::instruments_instrument, %s::jsonb) AS new WHERE old.id = new.id RETURNING old.id",
        records,
    )
    calendar_changed(moved)  # another place may have another clock
    trail = ((pk, jsonable(before), jsonable(after) | dict(source)) for pk, before, after in updated)
    audit.record_many(actor, "instrument.import", Instrument, trail, now)


def _execute(sql: str, records: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(list(records), cls=DjangoJSONEncoder, ensure_ascii=False)])
        return list(cursor.fetchall())
