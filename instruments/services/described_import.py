"""Take in lists of data sets (in the terms of DCAT) and of literature (in those of Dublin Core)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from config.kernel.access import Actor
from instruments.models import Instrument, ResourceKind
from instruments.rules.described_rows import columns_of, known_names, needed, read_rows
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest, open_file, take_in


def import_datasets(actor: Actor, request: ResourceImportRequest, now: datetime) -> ImportReport:
    """As ``_taken_in``, data sets."""
    return _taken_in(ResourceKind.DATASET, actor, request, now)


def import_literature(actor: Actor, request: ResourceImportRequest, now: datetime) -> ImportReport:
    """As ``_taken_in``, literature."""
    return _taken_in(ResourceKind.LITERATURE, actor, request, now)


def _taken_in(kind: ResourceKind, actor: Actor, request: ResourceImportRequest, now: datetime) -> ImportReport:
    """Read the list, then write all of it in one transaction, unless a row is refused or it is a dry run.

    Raises Refusal ``import.*`` when the file cannot be read as a table at all or has no column for names, Forbidden when the actor may not
    change the owner's resources, Conflict ``import.changed_since``.
    """
    opened = open_file(actor, request, frozenset(known_names(kind)))
    laid = opened.laid
    table = opened.table if laid is None else laid.table
    columns = columns_of(kind, table.headers) if laid is None else needed(laid.columns)
    rows = read_rows(kind, table, columns, request.constants, _instruments_of(opened.owner.pk), request.progress)
    return take_in(actor, request, opened, kind, rows, columns.values(), now)


def _instruments_of(organisation_id: int) -> Callable[[str], int | None]:
    """The owner's instruments by their own number, by ours (``#17``), and by name where one alone has it."""
    rows = list(Instrument.objects.filter(organisation_id=organisation_id).values_list("pk", "inner_id", "name").order_by("pk"))
    by_name: dict[str, list[int]] = {}
    for pk, _number, name in rows:
        by_name.setdefault(name.casefold(), []).append(pk)
    known = {name: pks[0] for name, pks in by_name.items() if len(pks) == 1}
    known |= {f"{name.casefold()} #{pk}": pk for pk, _number, name in rows} | {f"#{pk}": pk for pk, _number, _name in rows}
    known |= {number.casefold(): pk for pk, number, _name in rows if number}
    return lambda text: known.get(text.casefold())
