"""Which column of a registry file means which of our fields: a map is data, a row is read by it.

The document is described for people in ``docs/import.md``. Built-in maps are in ``data/registry_maps.json``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.kernel.errors import Reason, Refusal
from instruments.rules import registry_values
from instruments.rules.identifiers import OrganisationIdentifier, Scheme, identify
from instruments.rules.registry_file import Row, header_key
from instruments.rules.registry_values import INSTRUMENT_FIELDS, clean_fields

ORGANISATION_FIELDS = frozenset({"organisation.name", "organisation.identifier"})
SITE_FIELDS = frozenset({"site.name", "site.address", "site.region_code"})
TARGETS = INSTRUMENT_FIELDS | ORGANISATION_FIELDS | SITE_FIELDS
_MAP_KEYS = frozenset(
    {
        "title",
        "encoding",
        "delimiter",
        "time_zone",
        "repeated_numbers",
        "organisations",
        "organisation_scheme",
        "identity",
        "optional_columns",
        "fields",
        "ignored",
    }
)
_SOURCE_KEYS = frozenset(
    {"column", "first_of", "join", "constant", "separator", "before", "after", "values", "other", "default", "unit", "cut"}
)
_ORIGINS = ("column", "first_of", "join", "constant")
_UNITS = ("fen", "yuan", "10k_yuan")
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0", ""})
_DATA = Path(__file__).with_name("data") / "registry_maps.json"
_DELETED = frozenset("\u00ad\u200b\u2060\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one field comes from.

    ``columns`` are header keys; ``joined`` puts all of them together, otherwise the first that holds something counts.
    ``before`` and ``after`` keep the part on that side of the first such text (a blank stands for any blank).
    ``values`` translates whole values; ``other`` stands for those that are not listed (None: they are refused).
    """

    columns: tuple[str, ...] = ()
    joined: bool = False
    constant: str | None = None
    separator: str = " "
    before: str = ""
    after: str = ""
    values: Mapping[str, str] | None = None
    other: str | None = None
    default: str = ""
    unit: str = "yuan"
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class ImportMap:
    """A checked map document. ``repeated_numbers`` is first, last or refuse; ``organisations`` is existing or create."""

    title: str
    fields: Mapping[str, Source]
    encoding: str = ""
    delimiter: str = ","
    time_zone: str = ""
    repeated_numbers: str = "first"
    organisations: str = "existing"
    organisation_scheme: str = ""
    identity: tuple[str, ...] = ()
    optional_columns: bool = False
    ignored: frozenset[str] = frozenset()

    @property
    def columns(self) -> frozenset[str]:
        """The header keys that are read."""
        return frozenset(column for source in self.fields.values() for column in source.columns)

    @property
    def names_organisations(self) -> bool:
        """Whether each row says to whom its instrument belongs."""
        return bool(ORGANISATION_FIELDS & set(self.fields))


@dataclass(frozen=True, slots=True)
class RowValues:
    """One row, read: clean instrument fields, whose it is and where it stands, or every reason against it.

    ``identity`` is the text that names the row when it has no number; ``notes`` say what was mended.
    """

    line: int
    fields: dict[str, Any]
    organisation_name: str
    organisation_identifier: OrganisationIdentifier | None
    site_name: str
    site_address: str
    site_region: str
    identity: str
    notes: tuple[Reason, ...] = field(default=())
    reasons: tuple[Reason, ...] = field(default=())


@cache
def builtin_map(name: str) -> ImportMap:
    """The built-in map ``uniquip`` or ``csv``."""
    return parse_map(json.loads(_DATA.read_text(encoding="utf-8"))[name])


def parse_map(document: Any) -> ImportMap:
    """Check a map document. Raises Refusal ``import.map_*`` that names the place."""
    if not isinstance(document, dict) or not isinstance(document.get("fields"), dict):
        raise Refusal.of("import.map_shape", "map")
    _only(document, _MAP_KEYS, "")
    _only(document["fields"], TARGETS, "fields")
    fields = {name: _source(name, source) for name, source in document["fields"].items()}
    if "name" not in fields:
        raise Refusal.of("import.map_needs", "map", place="fields.name")
    parsed = ImportMap(
        title=str(document.get("title", "")),
        fields=fields,
        encoding=str(document.get("encoding", "")),
        delimiter=_choice(document, "delimiter", ",", (",", ";", "\t", "|")),
        time_zone=time_zone(str(document.get("time_zone", ""))),
        repeated_numbers=_choice(document, "repeated_numbers", "first", ("first", "last", "refuse")),
        organisations=_choice(document, "organisations", "existing", ("existing", "create")),
        organisation_scheme=_choice(document, "organisation_scheme", "", ("", *(scheme.value for scheme in Scheme))),
        identity=tuple(header_key(str(column)) for column in document.get("identity", [])),
        optional_columns=document.get("optional_columns") is True,
        ignored=frozenset(header_key(str(column)) for column in document.get("ignored", [])),
    )
    if "organisation.identifier" in fields and not parsed.organisation_scheme:
        raise Refusal.of("import.map_needs", "map", place="organisation_scheme")
    return parsed


def time_zone(name: str) -> str:
    """``name`` when it is empty or an IANA zone. Raises Refusal ``import.time_zone_unknown``."""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal.of("import.time_zone_unknown", "time_zone", name=name[:60]) from None
    return name


def fitted(plan: ImportMap, headers: Sequence[str]) -> ImportMap:
    """The map for a file with these headers: with optional columns, a field that none of them gives is left out of it.

    Raises Refusal ``import.column_missing`` for every other column that the map names and the file does not have; the name must
    come from somewhere.
    """
    present = {header_key(header) for header in headers}
    fields: dict[str, Source] = {}
    reasons = []
    for name, source in plan.fields.items():
        missing = [column for column in source.columns if column not in present]
        if plan.optional_columns and missing and len(missing) == len(source.columns) and name != "name":
            continue
        if len(missing) == len(source.columns) > 0 or (missing and not plan.optional_columns):
            reasons.append(Reason("import.column_missing", {"columns": missing, "for_field": name}, name))
        fields[name] = source
    reasons += [
        Reason("import.column_missing", {"columns": [column], "for_field": "identity"}, "identity")
        for column in plan.identity
        if column not in present
    ]
    Refusal.raise_any(reasons)
    return replace(plan, fields=fields)


def read_row(plan: ImportMap, row: Row) -> RowValues:
    """Read one row; never raises for what a cell holds."""
    notes: list[Reason] = []
    reasons: list[Reason] = []
    cells = {header_key(header): _mended(value, header, notes) for header, value in row.cells.items()}
    given: dict[str, Any] = {}
    beside: dict[str, str] = {}
    for name, source in plan.fields.items():
        try:
            text = _value_of(source, cells, name, notes)
            if name in INSTRUMENT_FIELDS:
                given[name] = _typed(name, text, source)
            else:
                beside[name] = _BESIDE[name](text)
        except Refusal as refusal:
            reasons += refusal.reasons
    cleaned = clean_fields(given)
    identifier = _identifier(plan, beside.get("organisation.identifier", ""), reasons)
    return RowValues(
        line=row.line,
        fields=cleaned.values,
        organisation_name=beside.get("organisation.name", ""),
        organisation_identifier=identifier,
        site_name=beside.get("site.name", ""),
        site_address=beside.get("site.address", ""),
        site_region=beside.get("site.region_code", ""),
        identity=_identity(plan, cells),
        notes=tuple(notes),
        reasons=(*reasons, *cleaned.reasons),
    )


def _identity(plan: ImportMap, cells: Mapping[str, str]) -> str:
    """The columns that name a row, by sorted header: the order of columns in the file does not matter."""
    columns = sorted(plan.identity or (plan.columns & set(cells)))
    return "\x1e".join(f"{column}\x1f{' '.join(cells.get(column, '').split())}" for column in columns)


def _identifier(plan: ImportMap, text: str, reasons: list[Reason]) -> OrganisationIdentifier | None:
    if not text:
        return None
    try:
        return identify(Scheme(plan.organisation_scheme), text)
    except Refusal as refusal:
        reasons += [Reason(reason.code, reason.params, "organisation.identifier") for reason in refusal.reasons]
        return None


def _value_of(source: Source, cells: Mapping[str, str], name: str, notes: list[Reason]) -> str:
    if source.constant is not None:
        return source.constant
    parts = [text for column in source.columns if (text := cells.get(column, "").strip())]
    text = source.separator.join(parts) if source.joined else next(iter(parts), "")
    if source.before:
        text = _partition(text, source.before)[0]
    if source.after:
        text = _partition(text, source.after)[1]
    if source.values is not None and text:
        known = source.values.get(header_key(text), source.other)
        if known is None:
            raise Refusal.of("import.value_unknown", name, text=text[:60], known=sorted(source.values))
        text = known
    text = text or source.default
    if source.cut is not None and len(text) > source.cut:
        notes.append(Reason("import.cut", {"length": len(text), "kept": source.cut}, name))
        text = text[: source.cut].rstrip()
    return text


def _partition(text: str, mark: str) -> tuple[str, str]:
    parts = re.split(r"\s+" if mark == " " else re.escape(mark), text, maxsplit=1)
    return parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""


def _typed(name: str, text: str, source: Source) -> Any:
    if name == "original_value_fen":
        return registry_values.money_fen(text, source.unit)
    if name == "commissioned_on":
        return registry_values.day(text)
    if name == "service_modes":
        return [mode.strip() for mode in re.split(r"[,;|\s]+", text) if mode.strip()]
    if name == "status":
        return text or "normal"
    if name == "published":
        folded = text.casefold()
        if folded not in _TRUE | _FALSE:
            raise Refusal.of("import.value_unknown", name, text=text[:60], known=sorted((_TRUE | _FALSE) - {""}))
        return folded in _TRUE
    return text


def _mended(value: str, header: str, notes: list[Reason]) -> str:
    """A cell in NFC without characters that nobody sees; text that was decoded twice is decoded right."""
    if value.isprintable():
        return value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()
    text = value
    if any("\x80" <= character <= "\x9f" for character in text):
        try:
            text = text.encode("latin-1").decode("utf-8")
            notes.append(Reason("import.mended_double_encoding", {"column": header}, header))
        except UnicodeError:
            pass
    kept = "".join(character for character in text if not _is_dirt(character))
    if kept != text:
        gone = sorted({f"U+{ord(character):04X}" for character in text if _is_dirt(character)})
        notes.append(Reason("import.mended_invisible", {"column": header, "code_points": gone}, header))
    return unicodedata.normalize("NFC", kept).strip()


def _is_dirt(character: str) -> bool:
    return character in _DELETED or (unicodedata.category(character) == "Cc" and character not in "\t\n\r\x0b\x0c\x85")


def _source(name: str, document: Any) -> Source:
    place = f"fields.{name}"
    if isinstance(document, str):
        document = {"column": document}
    if not isinstance(document, dict):
        raise Refusal.of("import.map_source", "map", place=place)
    _only(document, _SOURCE_KEYS, place)
    if sum(origin in document for origin in _ORIGINS) != 1:
        raise Refusal.of("import.map_source", "map", place=place)
    listed = document.get("first_of") or document.get("join") or ([document["column"]] if "column" in document else [])
    values = document.get("values")
    cut = document.get("cut")
    shapes = (
        isinstance(listed, list) and all(isinstance(column, str) and column.strip() for column in listed),
        "constant" in document or bool(listed),
        values is None or isinstance(values, dict),
        cut is None or (isinstance(cut, int) and cut > 0),
        document.get("unit", "yuan") in _UNITS,
    )
    if not all(shapes):
        raise Refusal.of("import.map_source", "map", place=place)
    return Source(
        columns=tuple(header_key(column) for column in listed),
        joined="join" in document,
        constant=str(document["constant"]) if "constant" in document else None,
        separator=str(document.get("separator", " ")),
        before=str(document.get("before", "")),
        after=str(document.get("after", "")),
        values=None if values is None else {header_key(str(key)): str(value) for key, value in values.items()},
        other=None if document.get("other") is None else str(document["other"]),
        default=str(document.get("default", "")),
        unit=str(document.get("unit", "yuan")),
        cut=cut,
    )


def _only(document: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    unknown = sorted(set(document) - known)
    if unknown:
        where = f"{place}.{unknown[0]}" if place else unknown[0]
        raise Refusal.of("import.map_unknown_key", "map", place=where, known=sorted(known))


def _choice(document: Mapping[str, Any], key: str, default: str, known: Sequence[str]) -> str:
    value = document.get(key, default)
    if value not in known:
        raise Refusal.of("import.map_choice", "map", place=key, known=list(known))
    return str(value)


_BESIDE: dict[str, Callable[[str], str]] = {
    "organisation.name": lambda text: registry_values.clean_text(text, 200, "organisation.name"),
    "organisation.identifier": lambda text: text,
    "site.name": lambda text: registry_values.clean_text(text, 200, "site.name"),
    "site.address": lambda text: registry_values.clean_text(text, 300, "site.address"),
    "site.region_code": lambda text: registry_values.region_code(text, "site.region_code"),
}
