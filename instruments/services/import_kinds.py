"""What can be taken in on the import page. Another kind is one ``register`` call; see ``instruments.apps``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from instruments import field_wording
from instruments.field_wording import Word
from instruments.models import ImportRun
from instruments.rules import mapping_guess
from instruments.rules.reading_options import AS_IT_COMES, ENCODING, TIME_ZONE, ReadingOptions
from instruments.rules.registry_file import Progress
from instruments.rules.registry_map import builtin_map, parse_map
from instruments.services.registry_import import ImportReport, ImportRequest, import_registry

#: Layouts whose mapping is chosen from the saved ones, or made for the file.
SAVED, NEW = "saved", "new"


class RowLike(Protocol):
    """What became of one row: see ``registry_import.RowFate``."""

    @property
    def line(self) -> int: ...
    @property
    def fate(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def inner_id(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def reasons(self) -> Sequence[Reason]: ...
    @property
    def notes(self) -> Sequence[Reason]: ...


class ReportLike(Protocol):
    """The story of one import: its rows, how many had each fate, and a digest of what it does or would do."""

    @property
    def rows(self) -> Sequence[RowLike]: ...
    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def digest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Order:
    """One run of a kind; ``run_id``: the import that it is done for, if any.

    ``owner_id`` None: each row names its owner. ``expected_digest``: write only what was previewed."""

    content: bytes
    file_name: str
    layout: str
    document: Mapping[str, Any] | None
    owner_id: int | None
    dry_run: bool
    expected_digest: str
    progress: Progress
    run_id: int | None = None
    confirmed_lines: frozenset[int] = frozenset()
    """The lines whose large change of a price was said yes to."""
    options: ReadingOptions = AS_IT_COMES


@dataclass(frozen=True, slots=True)
class ColumnChoices:
    """How a kind maps the columns of a foreign list: what a column can be chosen for, what known headings mean (``guess``), the document
    that a choice makes (chosen by heading, title, delimiter), and ``check``, which raises Refusal for one that is not enough."""

    choices: tuple[str, ...]
    guess: Callable[[Sequence[str], Sequence[str]], dict[str, str]]
    document_of: Callable[[Mapping[str, str], str, str], dict[str, Any]]
    check: Callable[[Mapping[str, Any]], object]


OF_INSTRUMENTS = ColumnChoices(
    mapping_guess.CHOICES,
    mapping_guess.guess,
    mapping_guess.document_of,
    lambda document: parse_map(dict(document)),
)


@dataclass(frozen=True, slots=True)
class ImportKind:
    """``code`` names it, ``layouts`` are the file formats it reads, ``page`` the url name of the page of one of its objects.

    ``run`` takes all rows in, or none; it raises Refusal when the file cannot be read and Conflict ``import.changed_since`` when
    an expected digest does not hold. ``facts`` are values for people, by name. ``columns`` count where a layout is ``SAVED`` or ``NEW``.
    ``names`` are what its columns are called, beside the fields of instruments.
    ``undo`` takes back what an import wrote, within the caller's transaction, and gives values for people with ``undone``, how many; it
    raises Refusal when it cannot. Without it what is written stays. ``takes`` says how a file of it can be told to be read, ``constants``
    which fields may have one value for all rows (``rules.reading_options``). What is not ``of_an_owner`` is the whole platform's, and its
    files are handed over on a page of their own.
    """

    code: str
    layouts: tuple[str, ...]
    run: Callable[[Actor, Order, datetime], ReportLike]
    facts: Callable[[Any], dict[str, Any]] = lambda report: {}
    object_id: Callable[[Any], int | None] = lambda row: None
    page: str = ""
    columns: ColumnChoices = OF_INSTRUMENTS
    names: Mapping[str, Word] = field(default_factory=dict)
    undo: Callable[[Actor, ImportRun, datetime], dict[str, Any]] | None = None
    takes: frozenset[str] = frozenset({ENCODING})
    constants: tuple[str, ...] = ()
    of_an_owner: bool = True


_registered: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> None:
    """Add a kind; once per code, at start-up."""
    if kind.code in _registered:
        raise RuntimeError(f"the import kind {kind.code} is registered twice")
    _registered[kind.code] = kind


def kinds() -> Mapping[str, ImportKind]:
    return _registered


def of_document(document: Mapping[str, Any]) -> str:
    """For which kind a saved mapping was made."""
    return str(document.get("kind", INSTRUMENTS.code))


def kind_of(code: str) -> ImportKind:
    """Raises Refusal ``import.kind_unknown``."""
    if code not in _registered:
        raise Refusal.of("import.kind_unknown", "kind")
    return _registered[code]


def field_name(code: str, field: str) -> str:
    """What a field of a kind's rows is called; one that nobody knows keeps its own name."""
    kind = _registered.get(code)
    return str(kind.names[field]) if kind is not None and field in kind.names else field_wording.field_name(field)


#: What one value can stand for in all rows of a list of instruments.
CONSTANTS = (
    "site.name", "site.address", "site.region_code", "department", "class_code", "technique", "service_modes", "share_mode",
    "use_type", "acquisition", "manufacturer", "nation_code", "contact_name", "contact_phone", "contact_email", "access_terms",
    "status", "training_needed", "published",
)  # fmt: skip


def _run_instruments(actor: Actor, order: Order, now: datetime) -> ReportLike:
    plan = builtin_map(order.layout) if order.document is None else parse_map(dict(order.document))
    request = ImportRequest(
        content=order.content,
        file_name=order.file_name,
        plan=plan,
        owner_id=order.owner_id,
        dry_run=order.dry_run,
        expected_digest=order.expected_digest,
        encoding=order.options.encoding,
        zone_name=order.options.time_zone,
        constants=order.options.constants,
    )
    return import_registry(actor, request, now, order.progress)


def facts_of(report: ImportReport) -> dict[str, Any]:
    """What an import's page says about the file."""
    return {
        "encoding": report.encoding,
        "sureness": report.sureness,
        "other_encodings": list(report.other_encodings),
        "zone_name": report.zone_name,
        "columns_not_read": list(report.columns_not_read),
        "owners_created": len(report.organisations_created),
        "sites_created": report.sites_created,
        "absent": report.absent,
    }


INSTRUMENTS = ImportKind(
    "instruments",
    ("national", "facility", "core_instruments", "csv", "uniquip", SAVED, NEW),
    _run_instruments,
    facts=facts_of,
    object_id=lambda row: row.instrument_id,
    page="instrument_detail",
    takes=frozenset({ENCODING, TIME_ZONE}),
    constants=CONSTANTS,
)
