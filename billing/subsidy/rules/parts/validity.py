"""The days on which a version may be used, counted on the date that its document names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet, missing


@dataclass(frozen=True, slots=True)
class Validity:
    """From ``first_day`` to ``last_day``, both included. ``date_basis`` also selects the year of the caps."""

    clause: str
    first_day: date
    last_day: date
    date_basis: str

    def basis_on(self, facts: Facts) -> date | None:
        """The date that counts, or None while it is not known."""
        found: date | None = getattr(facts.service, self.date_basis + "_on")
        return found

    def check(self, facts: Facts) -> Step | Unmet:
        on = self.basis_on(facts)
        if on is None:
            return missing(self.clause, f"service.{self.date_basis}_on")
        params = {"basis": self.date_basis, "on": on.isoformat()}
        if self.first_day <= on <= self.last_day:
            return Step("gate", self.clause, "subsidy.step.validity", params, 0)
        params |= {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}
        return Unmet(self.clause, "subsidy.unmet.validity", params)
