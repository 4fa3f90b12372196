"""Which column of a registry file means which of our fields: a map is data, a row is read by it.

The document is described for people in ``docs/import.md``. Built-in maps are in ``data/registry_maps.json``.
"""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.kernel.errors import Reason, Refusal
from instruments.rules import details_values, registry_details, registry_values
from instruments.rules.facility_values import FACILITY_FIELDS, facility_of
from instruments.rules.identifiers import OrganisationIdentifier, Scheme, identify
from instruments.rules.own_numbers import is_own_number
from instruments.rules.registry_file import DELIMITERS, Row, header_key
from instruments.rules.registry_hours import DayWindow, HoursPerDay, hours_per_day
from instruments.rules.registry_values import INSTRUMENT_FIELDS, LIST_LENGTHS, clean_fields
from instruments.rules.resource_rows import kept_columns

ORGANISATION_FIELDS = frozenset({"organisation.name", "organisation.identifier"})
SITE_FIELDS = frozenset({"site.name", "site.address", "site.region_code"})
CUSTOMS_FIELDS = frozenset(f"customs.{name}" for name in details_values.CUSTOMS_FIELDS)
FUNDING_FIELDS = frozenset({"fundings"} | {f"fundings.{source}_fen" for source in details_values.FUNDING_SOURCES})
FACILITY_TARGETS = frozenset(f"facility.{name}" for name in FACILITY_FIELDS)
#: ``own_number`` is the number that our own export gave the instrument; it names rows without an owner's number.
OWN_NUMBER = "own_number"
TARGETS = (
    INSTRUMENT_FIELDS | ORGANISATION_FIELDS | SITE_FIELDS | CUSTOMS_FIELDS | FUNDING_FIELDS | FACILITY_TARGETS | {OWN_NUMBER}
)
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
        "keeps_unread",
        "own_list",
        "hours_per_day",
    }
)
_SOURCE_KEYS = frozenset(
    {"column", "first_of", "join", "constant", "separator", "before", "after", "values", "other", "default", "unit", "cut"}
    | {"list", "codes", "shown", "exact", "keeps_finer"}
)
#: What a source may be in a map of a list that is no list of instruments.
PLAIN_SOURCE_KEYS = _SOURCE_KEYS - {"unit", "codes", "shown", "exact", "keeps_finer"}
_SCHEMES = ("gbt13745", "iso3166", "gbt2260", "panet")
_FORMULA_STARTS = frozenset("=+-@")
_OWN_LISTS = ("uniquip", "open_data")
_ORIGINS = ("column", "first_of", "join", "constant")
_UNITS = ("fen", "yuan", "10k_yuan")
#: Codecs of names of hosts and of program texts.
_NO_ENCODINGS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
_DATA = Path(__file__).with_name("data") / "registry_maps.json"
_DELETED = frozenset("\u00ad\u200b\u2060\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one field comes from.

    ``columns`` are header keys; ``joined`` puts all of them together, otherwise the first that holds something counts.
    ``before`` and ``after`` keep the part on that side of the first such text (a blank stands for any blank).
    ``values`` translates whole values; ``other`` stands for those that are not listed (None: they are refused). ``list`` holds
    the characters that separate the entries of a list. ``codes`` is the scheme whose codes the names stand for. While the cell
    still says what the column ``shown`` says, the column ``exact`` counts (as it is stored: amounts in fen, entries of a list on
    lines of their own). ``keeps_finer``: a stored value that only says more exactly what the cell says stays.
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
    list: str = ""
    codes: str = ""
    shown: str = ""
    exact: str = ""
    keeps_finer: bool = False


@dataclass(frozen=True, slots=True)
class MapWords:
    """What may stand in the maps of one kind of list: the fields that they fill and those that they need, the keys beside them, the
    keys of a source."""

    targets: frozenset[str]
    needed: tuple[str, ...]
    keys: frozenset[str] = _MAP_KEYS
    source_keys: frozenset[str] = _SOURCE_KEYS


@dataclass(frozen=True, slots=True)
class ImportMap:
    """A checked map document. ``repeated_numbers`` is first, last or refuse; ``organisations`` is existing or create. ``keeps_unread``:
    columns that no field takes are kept with the instrument, so that nothing is lost on the way out. ``own_list``: which of our own lists
    has these columns; what a row says as that list says it of the instrument changes nothing."""

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
    keeps_unread: bool = False
    own_list: str = ""
    hours: HoursPerDay | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The header keys that are read."""
        read = {column for source in self.fields.values() for column in source.columns}
        return frozenset(read | ({self.hours.column} if self.hours else set()))

    @property
    def known(self) -> frozenset[str]:
        """The header keys of all columns that the map names, also of those that it leaves out on purpose."""
        return self.columns | self.helpers | self.ignored | frozenset(self.identity)

    @property
    def helpers(self) -> frozenset[str]:
        """Header keys of columns that only say more exactly what others say."""
        return frozenset(key for source in self.fields.values() for key in (source.shown, source.exact) if key)

    @property
    def coarse(self) -> frozenset[str]:
        """The fields whose finer stored values stay."""
        return frozenset(name for name, source in self.fields.items() if source.keeps_finer)

    @property
    def names_organisations(self) -> bool:
        """Whether each row says to whom its instrument belongs."""
        return bool(ORGANISATION_FIELDS & set(self.fields))


@dataclass(frozen=True, slots=True)
class RowValues:
    """One row, read: clean instrument fields, whose it is and where it stands, or every reason against it.

    ``identity`` is the text that names the row when it has no number; ``notes`` say what was mended. ``customs``, ``facility``,
    ``fundings`` (amount in fen by source, None where only the source is said) and ``windows`` are None where the map does not read them;
    ``extra`` are cells that are kept as they stand, by header. Without ``says_where`` the place of the instrument stays as it is.
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
    own_number: str = ""
    customs: Mapping[str, Any] | None = None
    facility: Mapping[str, Any] | None = None
    fundings: Mapping[str, int | None] | None = None
    windows: tuple[DayWindow, ...] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    says_where: bool = True


def no_codes(scheme: str, text: str) -> str | None:
    """A resolver for maps without ``codes``: knows nothing."""
    return None


@cache
def builtin_map(name: str) -> ImportMap:
    """The built-in map of this name; one that is ``like`` another has its fields, and its own in their place."""
    documents = json.loads(_DATA.read_text(encoding="utf-8"))
    document = dict(documents[name])
    if like := document.pop("like", ""):
        fields = documents[like]["fields"] | document["fields"]
        document = documents[like] | document | {"fields": fields}
    return parse_map(document)


#: Those of lists of instruments.
OF_INSTRUMENTS = MapWords(TARGETS, ("name",))


def parse_map(document: Any, words: MapWords = OF_INSTRUMENTS) -> ImportMap:
    """Check a map document. Raises Refusal ``import.map_*`` that names the place."""
    if not isinstance(document, dict) or not isinstance(document.get("fields"), dict):
        raise Refusal.of("import.map_shape", "map")
    _only(document, words.keys, "")
    _only(document["fields"], words.targets, "fields")
    fields = {name: _source(name, source, words.source_keys) for name, source in document["fields"].items()}
    Refusal.raise_any(
        [Reason("import.map_needs", {"place": f"fields.{name}"}, "map") for name in words.needed if name not in fields]
    )
    parsed = ImportMap(
        title=str(document.get("title", "")),
        fields=fields,
        encoding=_encoding(str(document.get("encoding", ""))),
        delimiter=_choice(document, "delimiter", ",", DELIMITERS),
        time_zone=time_zone(str(document.get("time_zone", ""))),
        repeated_numbers=_choice(document, "repeated_numbers", "first", ("first", "last", "refuse")),
        organisations=_choice(document, "organisations", "existing", ("existing", "create")),
        organisation_scheme=_choice(document, "organisation_scheme", "", ("", *(scheme.value for scheme in Scheme))),
        identity=tuple(_headers(document, "identity")),
        optional_columns=document.get("optional_columns") is True,
        keeps_unread=document.get("keeps_unread") is True,
        own_list=_choice(document, "own_list", "", ("", *_OWN_LISTS)),
        ignored=frozenset(_headers(document, "ignored")),
        hours=None if "hours_per_day" not in document else hours_per_day(document["hours_per_day"]),
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


def is_encoding(name: str) -> bool:
    """Whether a file of text may be in it: codecs of other things, some of which take for ever, are none."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    try:
        b"a".decode(name)
    except UnicodeError:  # one byte is too little for it
        pass
    except (LookupError, ValueError):  # codecs such as zip are none of text
        return False
    return codec.name.replace("_", "-") not in _NO_ENCODINGS


def _encoding(name: str) -> str:
    if name and not is_encoding(name):
        raise Refusal.of("import.encoding_unknown", "encoding", name=name[:40])
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
        source = _without_helpers(source, present)
        missing = [column for column in source.columns if column not in present]
        if plan.optional_columns and missing and len(missing) == len(source.columns) and name != "name":
            continue
        if len(missing) == len(source.columns) > 0 or (missing and not plan.optional_columns):
            reasons.append(Reason("import.column_missing", {"columns": missing, "for_field": name}, name))
        fields[name] = source
    others = {"identity": plan.identity, "hours_per_day": (plan.hours.column,) if plan.hours else ()}
    reasons += [
        Reason("import.column_missing", {"columns": [column], "for_field": name}, name)
        for name, columns in others.items()
        for column in columns
        if column not in present
    ]
    Refusal.raise_any(reasons)
    return replace(plan, fields=fields)


def with_constants(plan: ImportMap, constants: Mapping[str, str]) -> ImportMap:
    """The map (fitted to a file) with a value for each row whose cell is empty or whose column the file lacks, as our own CSV
    understands it. What the map sets itself stays."""
    fields = dict(plan.fields)
    for name, value in constants.items():
        if name not in fields:
            fields[name] = Source(constant=value)
        elif fields[name].constant is None:
            fields[name] = replace(fields[name], default=value)
    return replace(plan, fields=fields)


def _without_helpers(source: Source, present: set[str]) -> Source:
    """The source without helper columns that the file does not have."""
    return source if {source.shown, source.exact} <= present else replace(source, shown="", exact="")


def read_row(plan: ImportMap, row: Row, code_of: Callable[[str, str], str | None] = no_codes) -> RowValues:
    """Read one row; never raises for what a cell holds. ``code_of(scheme, name)`` knows the codes that names stand for."""
    notes: list[Reason] = []
    reasons: list[Reason] = []
    cells = {header_key(header): mended_cell(value, header, notes) for header, value in row.cells.items()}
    given: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    for name, source in plan.fields.items():
        if source.columns and not any(column in cells for column in source.columns):
            continue  # a column that only some rows have: theirs say nothing about it
        try:
            text, unit = value_of(source, cells, name, notes, code_of)
            if name in INSTRUMENT_FIELDS:
                given[name] = _typed(name, text, source, unit)
            else:
                beside[name] = _BESIDE[name](text) if name in _BESIDE else registry_details.typed(name, text)
        except Refusal as refusal:
            reasons += refusal.reasons
    ours = _own_number(plan, given, beside)
    cleaned = clean_fields(given)
    identifier = _identifier(plan, beside.get("organisation.identifier", ""), reasons)
    windows = _windows(plan, cells, reasons)
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
        reasons=(*reasons, *cleaned.reasons, *_region_reasons(beside.get("site.region_code", ""), code_of)),
        own_number=ours,
        customs=registry_details.customs_of(beside),
        facility=facility_of(beside),
        fundings=registry_details.fundings_of(beside),
        windows=windows,
        extra=_extra(plan, row.cells, cells),
    )


def _own_number(plan: ImportMap, given: dict[str, Any], beside: Mapping[str, Any]) -> str:
    """The number of our own export. Where it stands in the column of the owner's numbers, the row says one of the two: ours is taken out of
    ``given``."""
    ours = str(beside.get(OWN_NUMBER, ""))
    numbers, own = plan.fields.get("inner_id"), plan.fields.get(OWN_NUMBER)
    if numbers is None or own is None or numbers.columns != own.columns:
        return ours
    if not is_own_number(ours):
        return ""
    given.pop("inner_id", None)
    return ours


def _extra(plan: ImportMap, headers: Iterable[str], mended: Mapping[str, str]) -> dict[str, str]:
    """The cells of columns that no field takes, mended as all are, as far as they say something."""
    if not plan.keeps_unread:
        return {}
    known = plan.known
    cells = {header: text for header in headers if (text := mended[header_key(header)])}
    return kept_columns(cells, [header for header in cells if header_key(header) in known])


def _windows(plan: ImportMap, cells: Mapping[str, str], reasons: list[Reason]) -> tuple[DayWindow, ...] | None:
    """The weekly windows of a row, None where the map reads none."""
    if plan.hours is None:
        return None
    text = header_key(cells.get(plan.hours.column, ""))
    if text and text not in plan.hours.windows:
        params = {"text": text[:60], "known": sorted(plan.hours.windows)}
        reasons.append(Reason("import.value_unknown", params, "hours_per_day"))
    return plan.hours.windows.get(text, ())


def _region_reasons(code: str, code_of: Callable[[str, str], str | None]) -> list[Reason]:
    """A division that nobody knows is refused, as long as there is a list to look into."""
    if code and code_of is not no_codes and code_of("gbt2260", code) is None:
        return [Reason("codes.division_unknown", {"text": code}, "site.region_code")]
    return []


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


def value_of(
    source: Source,
    cells: Mapping[str, str],
    name: str,
    notes: list[Reason],
    code_of: Callable[[str, str], str | None] = no_codes,
) -> tuple[str, str]:
    """The text of a field, and the unit that an amount is in. Codes of a list are joined by its first separator. ``cells`` by header key.

    Raises Refusal ``import.value_unknown``, ``import.name_unknown``, ``codes.division_unknown``.
    """
    if source.constant is not None:
        return source.constant, source.unit
    parts = [text for column in source.columns if (text := cells.get(column, "").strip())]
    text = source.separator.join(parts) if source.joined else next(iter(parts), "")
    if source.exact and text == cells.get(source.shown, ""):
        exact = cells.get(source.exact, "")
        return (exact.replace("\n", source.list[:1]) if source.list else exact), "fen"
    if source.before:
        text = _partition(text, source.before)[0]
    if source.after:
        text = _partition(text, source.after)[1]
    entries = [text] if not source.list else [entry for part in _split(text, source.list) if (entry := part.strip())]
    if source.values is not None:
        entries = [_translated(source, entry, name) for entry in entries]
    if source.codes:
        entries = [_code(source, entry, name, code_of) for entry in entries]
    text = (source.list[:1] or " ").join(entries) or source.default
    if source.cut is not None and len(text) > source.cut:
        notes.append(Reason("import.cut", {"length": len(text), "kept": source.cut}, name))
        text = text[: source.cut].rstrip()
    return text, source.unit


def _split(text: str, separators: str) -> list[str]:
    """The entries of a list; where a bar may separate them and does, nothing else counts."""
    if "|" in separators and "|" in text:
        return text.split("|")
    return re.split("[" + re.escape(separators) + "]", text)


def _translated(source: Source, text: str, name: str) -> str:
    if source.values is None or not text:
        return text
    known = source.values.get(header_key(text), source.other)
    if known is None:
        raise Refusal.of("import.value_unknown", name, text=text[:60], known=sorted(source.values))
    return known


def _code(source: Source, text: str, name: str, code_of: Callable[[str, str], str | None]) -> str:
    """The code that a name stands for."""
    if not text:
        return text
    code = code_of(source.codes, text)
    if code is None:
        reason = "codes.division_unknown" if source.codes == "gbt2260" else "import.name_unknown"
        raise Refusal.of(reason, name, text=text[:60])
    return code


def _partition(text: str, mark: str) -> tuple[str, str]:
    parts = re.split(r"\s+" if mark == " " else re.escape(mark), text, maxsplit=1)
    return parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""


def _typed(name: str, text: str, source: Source, unit: str) -> Any:
    if name == "original_value_fen":
        return registry_values.money_fen(text, unit)
    if name in {"commissioned_on", "purchased_on"}:
        return registry_values.day(text, name)
    if name == "service_modes":
        return [mode.strip() for mode in re.split(r"[,;|\s]+", text) if mode.strip()]
    if name in LIST_LENGTHS:
        return _split(text, source.list[:1] or ",;|\uff0c\uff1b\u3001")
    if name == "status":
        return text or "normal"
    if name in {"published", "training_needed"}:
        return registry_details.flag(name, text) or False
    if name in {"imported", "customs_supervised"}:
        return registry_details.flag(name, text)
    return text


def mended_cell(value: str, header: str, notes: list[Reason]) -> str:
    """A cell in NFC without characters that nobody sees; text that was decoded twice is decoded right.

    The apostrophe before what looks like a formula, which exports write, is taken off.
    """
    if value[:1] == "'" and value.lstrip("'")[:1] in _FORMULA_STARTS:
        value = value[1:]
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


def _source(name: str, document: Any, known: frozenset[str]) -> Source:
    place = f"fields.{name}"
    if isinstance(document, str):
        document = {"column": document}
    if not isinstance(document, dict):
        raise Refusal.of("import.map_source", "map", place=place)
    _only(document, known, place)
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
        document.get("codes", "") in ("", *_SCHEMES),
        ("shown" in document) == ("exact" in document),
        all(isinstance(document.get(key, ""), str) for key in ("list", "shown", "exact")),
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
        list=document.get("list", ""),
        codes=document.get("codes", ""),
        shown=header_key(document.get("shown", "")),
        exact=header_key(document.get("exact", "")),
        keeps_finer=document.get("keeps_finer") is True,
    )


def _only(document: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    unknown = sorted(set(document) - known)
    if unknown:
        where = f"{place}.{unknown[0]}" if place else unknown[0]
        raise Refusal.of("import.map_unknown_key", "map", place=where, known=sorted(known))


def _headers(document: Mapping[str, Any], key: str) -> list[str]:
    """The header keys of a list of columns."""
    listed = document.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(column, str) for column in listed):
        raise Refusal.of("import.map_source", "map", place=key)
    return [header_key(column) for column in listed]


def _choice(document: Mapping[str, Any], key: str, default: str, known: Sequence[str]) -> str:
    value = document.get(key, default)
    if value not in known:
        raise Refusal.of("import.map_choice", "map", place=key, known=list(known))
    return str(value)


_BESIDE: dict[str, Callable[[str], Any]] = {
    "organisation.name": lambda text: registry_values.clean_text(text, 200, "organisation.name"),
    "organisation.identifier": lambda text: text,
    "site.name": lambda text: registry_values.clean_text(text, 200, "site.name"),
    "site.address": lambda text: registry_values.clean_text(text, 300, "site.address"),
    "site.region_code": lambda text: registry_values.region_code(text, "site.region_code"),
    OWN_NUMBER: lambda text: text[:60],
}
