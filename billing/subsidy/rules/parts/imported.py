"""Whether a programme covers sessions that came with a lab's own list: they were not booked here, so no document does unless it says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet


@dataclass(frozen=True, slots=True)
class ImportedSessions:
    """``clause`` is the one that says it, or, where the document says nothing, the one that says on which days it is valid."""

    clause: str
    allowed: bool

    def check(self, facts: Facts) -> Step | Unmet | None:
        if not facts.service.imported:
            return None
        if self.allowed:
            return Step("gate", self.clause, "subsidy.step.imported", {}, 0)
        return Unmet(self.clause, "subsidy.unmet.imported", {})


def parse_imported(document: Mapping[str, Any]) -> ImportedSessions:
    """Read from a whole programme: ``imported_sessions`` may be absent."""
    said = document.get("imported_sessions")
    if said is None:
        return ImportedSessions(document["validity"]["clause"], allowed=False)
    return ImportedSessions(said["clause"], said["allowed"])
