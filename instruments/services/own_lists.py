"""Our own lists that come back: what they say because we wrote it is told apart from what somebody changed in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from django.conf import settings
from django.utils import timezone

from instruments.queries import codes, public_records
from instruments.rules.registry_file import Row, header_key
from instruments.rules.registry_map import OWN_NUMBER, ImportMap, RowValues, read_row
from instruments.rules.standards.public import PublicInstrument
from instruments.rules.standards.tables import OPEN_DATA_HEAD, UNIQUIP_HEAD, open_data_row, uniquip_row

_ROWS: Mapping[str, tuple[Sequence[str], Callable[[PublicInstrument], Sequence[str]]]] = {
    "uniquip": (UNIQUIP_HEAD, uniquip_row),
    "open_data": (OPEN_DATA_HEAD, open_data_row),
}


def without_own_addresses(row: Row, plan: ImportMap) -> Row:
    """The row without addresses of this platform in columns that are only joined to others or only kept: our own list writes them anew."""
    start = f"{settings.PUBLIC_URL}/"
    if not any(text.startswith(start) for text in row.cells.values()):
        return row
    taken = {column for source in plan.fields.values() if not source.joined for column in source.columns} | plan.helpers
    cells = {
        header: "" if text.startswith(start) and header_key(header) not in taken else text for header, text in row.cells.items()
    }
    return Row(row.line, cells)


def own_rows(plan: ImportMap, instrument_ids: Sequence[int], now: datetime) -> dict[int, RowValues]:
    """What our own list says of instruments now, by id, as ``plan`` reads it; nothing where the file is none of our lists."""
    if OWN_NUMBER not in plan.fields or plan.own_list not in _ROWS:
        return {}
    headers, row_of = _ROWS[plan.own_list]
    fields = {name: replace(source, default="") for name, source in plan.fields.items() if source.constant is None}
    bare, today = replace(plan, fields=fields), timezone.localdate(now)
    code_of = cache(lambda scheme, text: codes.code_of(scheme, text, today))
    found = {}
    for one in public_records.records_of(instrument_ids, now):
        row = Row(0, dict(zip(headers, row_of(one), strict=True)))
        found[one.id] = read_row(bare, without_own_addresses(row, bare), code_of)
    return found


def changed_in(row: RowValues, own: RowValues | None) -> RowValues:
    """The row without what our own list says just so of its instrument: what is stored says it better, and stays."""
    if own is None:
        return row
    return replace(
        row,
        fields={name: value for name, value in row.fields.items() if name not in own.fields or own.fields[name] != value},
        extra={header: text for header, text in row.extra.items() if own.extra.get(header) != text},
        says_where=(row.site_name, row.site_address, row.site_region) != (own.site_name, own.site_address, own.site_region),
    )
