"""What national reporting still lacks about an instrument: required keys that are empty, and texts that are too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from instruments.rules.standards.facility import facility_fields, facility_record
from instruments.rules.standards.national import (
    NationalFacts,
    RecordField,
    customs_fields,
    national_record,
    record_fields,
)

MISSING, TOO_LONG = "missing", "too_long"
_OF_PLACE = "site."


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is to be mended: our field, why (``missing`` or ``too_long``), and for texts the length and its limit."""

    field: str
    why: str
    length: int = 0
    limit: int = 0

    @property
    def of_place(self) -> bool:
        """Whether it is mended at the place where the instrument stands."""
        return self.field.startswith(_OF_PLACE)


@dataclass(frozen=True, slots=True)
class FieldCount:
    """How many instruments lack a field, or say too much in it."""

    field: str
    missing: int
    too_long: int

    @property
    def of_place(self) -> bool:
        """As ``Gap.of_place``."""
        return self.field.startswith(_OF_PLACE)


def gaps_of(facts: NationalFacts) -> list[Gap]:
    """The gaps of one instrument (or facility), each of our fields once, in the record's order."""
    if facts.facility is not None:
        said = facility_record(facts)
        return list({gap.field: gap for one in facility_fields() if (gap := _gap(one, said[one.key])) is not None}.values())
    record = national_record(facts)
    found = {gap.field: gap for one in record_fields() if (gap := _gap(one, record[one.key])) is not None}
    if facts.values["customs_supervised"]:
        for one in customs_fields():
            gap = _gap(one, facts.customs.get(one.field.removeprefix("customs.")))
            if gap is not None:
                found[gap.field] = gap
    return list(found.values())


def counts_by_field(gaps: Sequence[Sequence[Gap]]) -> list[FieldCount]:
    """The fields that most instruments lack first."""
    missing = Counter(gap.field for each in gaps for gap in each if gap.why == MISSING)
    too_long = Counter(gap.field for each in gaps for gap in each if gap.why == TOO_LONG)
    fields = dict.fromkeys([*missing, *too_long])
    counted = [FieldCount(field, missing[field], too_long[field]) for field in fields]
    return sorted(counted, key=lambda one: (-one.missing - one.too_long, one.field))


def _gap(one: RecordField, value: object) -> Gap | None:
    if value in (None, ""):
        return Gap(one.field, MISSING) if one.required else None
    if one.length and isinstance(value, str) and len(value) > one.length:
        return Gap(one.field, TOO_LONG, len(value), one.length)
    return None
