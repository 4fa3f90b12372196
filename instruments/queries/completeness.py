"""How complete an owner's instruments are for national reporting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.kernel.access import Actor
from instruments.queries.national import managed_instruments, national_facts
from instruments.rules.standards.completeness import FieldCount, Gap, counts_by_field, gaps_of


@dataclass(frozen=True, slots=True)
class Incomplete:
    """An instrument with what it lacks, and the place where it stands."""

    id: int
    name: str
    inner_id: str
    gaps: tuple[Gap, ...]
    site_id: int
    name_en: str = ""

    @property
    def lacks_place(self) -> bool:
        """Whether something is to be mended at its place."""
        return any(gap.of_place for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Share:
    """``complete`` of ``total`` records lack nothing."""

    total: int
    complete: int

    @property
    def percent(self) -> int:
        """The share of complete records, rounded down; 100 without records."""
        return self.complete * 100 // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class Completeness(Share):
    """Instruments; ``fields`` and ``instruments`` say what those lack that are not complete, most first. ``facilities`` of them are large
    facilities.
    """

    fields: list[FieldCount]
    instruments: list[Incomplete]
    facilities: int = 0

    def lacking(self, field: str) -> list[Incomplete]:
        """The instruments that lack a field, or say too much in it; all that lack something when none is named."""
        return [one for one in self.instruments if not field or any(gap.field == field for gap in one.gaps)]


def completeness_of(actor: Actor, organisation_id: int, now: datetime) -> Completeness:
    """For who manages the owner's instruments: a fixed number of queries per thousand. Raises Forbidden."""
    rows = managed_instruments(actor, organisation_id).exclude(status="retired")
    gaps: list[tuple[Gap, ...]] = []
    incomplete = []
    facilities = 0
    for facts in national_facts(rows, now):
        facilities += facts.facility is not None
        found = tuple(gaps_of(facts))
        gaps.append(found)
        if found:
            incomplete.append(
                Incomplete(
                    facts.instrument_id,
                    facts.values["name"],
                    facts.values["inner_id"],
                    found,
                    facts.site_id,
                    facts.values["name_en"],
                )
            )
    incomplete.sort(key=lambda one: (-len(one.gaps), one.name, one.id))
    return Completeness(len(gaps), len(gaps) - len(incomplete), counts_by_field(gaps), incomplete, facilities)
