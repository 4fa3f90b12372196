"""Which row of a file is which instrument, and what becomes of rows that name the same one again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from config.kernel.errors import Reason
from instruments.rules.registry_map import RowValues


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row with its key among its owner's instruments, or the line of the row that counts instead of it."""

    row: RowValues
    owner: Hashable
    key: str
    same_as_line: int | None = None
    differs_in: tuple[str, ...] = ()


def plan_rows(
    rows: Sequence[RowValues], owner_of: Callable[[RowValues], Hashable], repeated_numbers: str
) -> tuple[list[PlannedRow], list[tuple[RowValues, Reason]]]:
    """The key of every row, and the rows refused because their number comes twice.

    With the owner's number that number is the key; the same number again is the same instrument, and ``first`` or ``last`` of
    its rows counts (or all but the first are refused). Without a number the number of our own export is the key, else the row's
    hash and an ordinal, so that identical rows stay as many instruments as there are rows, today and when the file comes again.
    """
    planned: list[PlannedRow] = []
    refused: list[tuple[RowValues, Reason]] = []
    position: dict[tuple[Hashable, str], int] = {}
    ordinals: dict[tuple[Hashable, str], int] = {}
    for row in rows:
        owner = owner_of(row)
        number = row.fields.get("inner_id", "")
        if not number and not row.own_number:
            digest = hashlib.sha256(row.identity.encode()).hexdigest()[:40]
            ordinals[owner, digest] = ordinal = ordinals.get((owner, digest), 0) + 1
            planned.append(PlannedRow(row, owner, f"row:{digest}:{ordinal}"))
            continue
        key = f"no:{number}" if number else f"own:{row.own_number}"
        earlier = position.setdefault((owner, key), len(planned))
        if earlier == len(planned):
            planned.append(PlannedRow(row, owner, key))
            continue
        first = planned[earlier]
        if repeated_numbers == "refuse":
            params = {"number": number or row.own_number, "first_line": first.row.line}
            refused.append((row, Reason("import.number_twice", params, "inner_id")))
        elif repeated_numbers == "last":
            differs = _differences(first.row, row)
            planned[earlier] = PlannedRow(first.row, owner, key, row.line, differs)
            position[owner, key] = len(planned)
            planned.append(PlannedRow(row, owner, key))
        else:
            planned.append(PlannedRow(row, owner, key, first.row.line, _differences(first.row, row)))
    return planned, refused


def _differences(one: RowValues, other: RowValues) -> tuple[str, ...]:
    """The fields in which two rows of one instrument disagree."""
    names = [name for name in one.fields if one.fields[name] != other.fields.get(name)]
    beside = {"site_name": "site.name", "site_address": "site.address", "site_region": "site.region_code"}
    return (*names, *(shown for name, shown in beside.items() if getattr(one, name) != getattr(other, name)))
