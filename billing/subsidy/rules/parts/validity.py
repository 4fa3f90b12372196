"""The days on which a version may be used, counted on the date that its document names; and windows of other dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.fact_fields import FactField, fact_field
from billing.subsidy.rules.facts import Facts, is_day
from billing.subsidy.rules.outcome import Unmet, missing
from billing.subsidy.rules.parts.conditions import is_day_fact
from billing.subsidy.rules.parts.days import add_days, add_months, in_window
from billing.subsidy.rules.parts.values import window_faults

APPROVAL = "approval"
BILLED = ("invoice", "claim")
"""Date bases that nobody knows while a service is promised."""


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


@dataclass(frozen=True, slots=True)
class Window:
    """A date lies in one of the windows, several a year where the document says so (``08-01`` to ``09-15`` comes every year)."""

    clause: str
    date: FactField
    windows: tuple[tuple[str, str], ...]

    def check(self, facts: Facts) -> Step | Unmet:
        on = self.date.read(facts)
        if on is None:
            return missing(self.clause, self.date.path)
        params: dict[str, Any] = {"fact": self.date.path, "on": on.isoformat()}
        if any(in_window(on, first, last) for first, last in self.windows):
            return Step("gate", self.clause, "subsidy.step.window", params, 0)
        params["windows"] = [f"{first} – {last}" for first, last in self.windows]
        return Unmet(self.clause, "subsidy.unmet.window", params)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A date lies within so many months or days after another: the life of a voucher, a deadline after an invoice.

    Counted from ``since``; ``included``: the last day itself is still in time.
    """

    clause: str
    date: FactField
    since: FactField
    months: int
    days: int
    included: bool

    def check(self, facts: Facts) -> Step | Unmet:
        on, since = self.date.read(facts), self.since.read(facts)
        if on is None or since is None:
            return missing(self.clause, self.date.path if on is None else self.since.path)
        end = add_days(add_months(since, self.months), self.days)
        last = end if self.included else end - timedelta(days=1)
        params = {"fact": self.date.path, "on": on.isoformat(), "since": self.since.path, "last_day": last.isoformat()}
        if since <= on <= last:
            return Step("gate", self.clause, "subsidy.step.lifetime", params, 0)
        return Unmet(self.clause, "subsidy.unmet.lifetime", params)


def parse_windows(document: Mapping[str, Any]) -> tuple[Window | Lifetime, ...]:
    """The further windows of a document's validity."""
    days = document["validity"]
    found: list[Window | Lifetime] = []
    for each in days.get("windows", ()):
        clause = each.get("clause", days["clause"])
        on = _day(each["date"])
        if "any_of" in each:
            found.append(Window(clause, on, tuple((one["from"], one["to"]) for one in each["any_of"])))
        else:
            life = each["within"]
            included = life["last_day"] == "included"
            found.append(Lifetime(clause, on, _day(life["after"]), life.get("months", 0), life.get("days", 0), included))
    return tuple(found)


def _day(path: str) -> FactField:
    field = fact_field(path)
    if field is None:
        raise ValueError(f"there is no fact {path!r}")
    return field


def validity_faults(days: Mapping[str, Any]) -> list[Fault]:
    """What the schema cannot say: days exist and follow each other, windows are of days."""
    faults = list(_order_faults(days))
    for place, each in enumerate(days.get("windows", ())):
        faults += _window_faults(each, f"$.validity.windows[{place}]")
    return faults


def _order_faults(days: Mapping[str, str]) -> Iterator[Fault]:
    wrong = [name for name in ("first_day", "last_day") if not is_day(days[name])]
    for name in wrong:
        yield Fault(f"$.validity.{name}", f"{days[name]!r} is not a day of the calendar")
    if not wrong and days["first_day"] > days["last_day"]:
        yield Fault("$.validity.last_day", "the last day lies before the first")


def _window_faults(each: Mapping[str, Any], path: str) -> Sequence[Fault]:
    faults = []
    named = [(f"{path}.date", each["date"])]
    if "within" in each:
        named.append((f"{path}.within.after", each["within"]["after"]))
    for where, fact in named:
        if not is_day_fact(fact):
            faults.append(Fault(where, f"{fact!r} is not a fact that is a day, such as service.claim_on"))
    if ("any_of" in each) == ("within" in each):
        faults.append(Fault(path, "write exactly one of 'any_of' (windows) and 'within' (a time after another date)"))
    for place, window in enumerate(each.get("any_of", ())):
        faults += window_faults(window, f"{path}.any_of[{place}]")
    if "within" in each and ("months" in each["within"]) == ("days" in each["within"]):
        faults.append(Fault(f"{path}.within", "write exactly one of 'months' and 'days'"))
    return faults
