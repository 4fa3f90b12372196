"""Take in germplasm accessions: MCPD v2.1, extracts of genebanks, Darwin Core."""

from __future__ import annotations

from datetime import datetime

from config.kernel.access import Actor
from instruments.models import ResourceKind
from instruments.rules.germplasm_rows import columns_of, known_headers, mapped, read_rows
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest, open_file, take_in


def import_germplasm(actor: Actor, request: ResourceImportRequest, now: datetime) -> ImportReport:
    """Read the file, then write all of it in one transaction, unless a row is refused or it is a dry run.

    The standard follows from the headers, or from the request's mapping. Raises Refusal ``import.*`` when the file cannot be read as a
    table at all or has no column for the accession's number, and Forbidden when the actor may not change the owner's resources.
    """
    opened = open_file(actor, request, known_headers())
    laid = opened.laid
    columns = columns_of(opened.table.headers) if laid is None else mapped(laid.columns)
    rows = read_rows(opened.table if laid is None else laid.table, columns, request.constants, request.progress)
    covers = [*columns.meanings.values(), *request.constants]
    return take_in(actor, request, opened, ResourceKind.GERMPLASM, rows, columns.meanings, now, covers=covers)
