"""Take in a lab's price list: test items with their prices."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from config.kernel.access import Actor
from instruments.models import ResourceKind
from instruments.rules.test_item_rows import columns_of, known_headers, needed, read_rows, with_constants
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest, open_file, take_in


def import_test_items(actor: Actor, request: ResourceImportRequest, now: datetime) -> ImportReport:
    """Read the list, then write all of it in one transaction, unless a row is refused or it is a dry run.

    A price is published only where it differs from the one in force. Raises Refusal ``import.*`` when the file cannot be read as a
    table at all or has no column for names or prices, and Forbidden when the actor may not change the owner's resources.
    """
    opened = open_file(actor, request, known_headers())
    laid = opened.laid
    found = (opened.table, columns_of(opened.table.headers)) if laid is None else (laid.table, needed(laid.columns))
    table, columns = with_constants(*found, request.constants)
    rows = read_rows(table, columns, settings.CURRENCY, request.progress)
    return take_in(actor, request, opened, ResourceKind.TEST_ITEM, rows, columns.values(), now)
