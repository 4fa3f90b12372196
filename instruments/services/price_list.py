"""A lab's test items as a workbook that an import reads: it can be filled in with new prices and handed back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils.translation import get_language, gettext

from instruments import ports
from instruments.models import Resource, TestItem
from instruments.ports import ListPrice
from instruments.rules.test_item_cells import analytes_cell, qualifications_cell
from instruments.rules.test_item_rows import EXPORTED, headings
from instruments.services.resource_parts import QUALIFICATION_FIELDS
from instruments.services.sheet_writing import plain_workbook


def price_list(resources: Sequence[Resource], on: date) -> bytes:
    """One row for each test item, with the price of the local day ``on`` and the columns of an imported file that no field takes."""
    prefetch_related_objects(resources, "test_item__qualifications")
    prices = ports.sample_prices().list_prices([resource.pk for resource in resources], on)
    others = list(dict.fromkeys(header for resource in resources for header in resource.attributes))
    heads = headings(chinese=(get_language() or "").startswith("zh"))
    rows = [
        [*_cells(resource, prices.get(resource.pk)), *(resource.attributes.get(header, "") for header in others)]
        for resource in resources
    ]
    return plain_workbook(gettext("Price list"), [*heads, *others], rows)


def _cells(resource: Resource, price: ListPrice | None) -> list[Any]:
    """In the order of ``EXPORTED``."""
    item = resource.test_item
    amount = None if price is None or price.amount_fen is None else Decimal(price.amount_fen) / 100
    values = {
        "analytes": analytes_cell(item.analytes),
        "qualifications": qualifications_cell(_qualifications(item)),
        "price": amount,
        "currency": "" if amount is None else settings.CURRENCY,
        "price_unit": item.price_unit if price is None else price.unit,
    }
    for name in EXPORTED:
        if name not in values:
            values[name] = getattr(resource if hasattr(resource, name) else item, name)
    return [values[name] for name in EXPORTED]


def _qualifications(item: TestItem) -> list[dict[str, Any]]:
    rows = sorted(item.qualifications.all(), key=lambda row: row.pk)
    return [{name: getattr(row, name) for name in QUALIFICATION_FIELDS} for row in rows]
