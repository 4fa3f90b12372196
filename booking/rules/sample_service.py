"""How the service of a sample job went, from what both sides did anyway: its report against the promised day, and what was tested again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from booking.rules.samples import JobState

GRADED = frozenset({JobState.TESTED, JobState.REPORTED, JobState.CLOSED})
"""There is something to grade from the last test on."""


@dataclass(frozen=True, slots=True)
class SampleService:
    """``due_on``: the promised day; ``reported_on``: the day of the first report; both local days of the lab, None while there is none.
    ``retests``: charges for tests done again to which the customer agreed."""

    due_on: date | None
    reported_on: date | None
    retests: int

    @property
    def on_time(self) -> bool | None:
        """Whether the first report came on the promised day or before; None while there is no promise or no report."""
        if self.due_on is None or self.reported_on is None:
            return None
        return self.reported_on <= self.due_on
