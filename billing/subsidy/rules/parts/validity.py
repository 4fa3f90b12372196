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
from billing.subsidy.rules.parts.days import add_days, add_months, in_window, window_from
from billing.subsidy.rules.parts.values import window_faults

APPROVAL = "approval"
BILLED = ("invoice", "claim")
"""Date bases that nobody knows while a service is promised."""
Day = date
"""What a class with a field ``date`` calls the type."""
AWAITABLE = {"service.invoice_on": "invoice", "service.claim_on": "claim", "service.payment_on": "payment"}
"""Days that come after a service, by their facts: what ``service.awaited`` calls them while they have not come."""


def is_awaited(day: FactField, facts: Facts) -> bool:
    """Whether a day has not come, so that what it has to be is a condition and not yet judged."""
    return AWAITABLE.get(day.path) in facts.service.paper.awaited


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

    def covers(self, on: date) -> bool:
        """Whether a day is one of the document's."""
        return self.first_day <= on <= self.last_day

    def check(self, facts: Facts) -> Step | Unmet:
        on = self.basis_on(facts)
        if on is None:
            return missing(self.clause, f"service.{self.date_basis}_on")
        params = {"basis": self.date_basis, "on": on.isoformat()}
        if self.covers(on):
            return Step("gate", self.clause, "subsidy.step.validity", params, 0)
        params |= {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}
        return Unmet(self.clause, "subsidy.unmet.validity", params)


@dataclass(frozen=True, slots=True)
class Window:
    """A date lies in one of the windows, several a year where the document says so (``08-01`` to ``09-15`` comes every year). While it is
    awaited, one of them has to come on the day of the service or after it."""

    clause: str
    date: FactField
    windows: tuple[tuple[str, str], ...]

    def check(self, facts: Facts) -> Step | Unmet:
        if is_awaited(self.date, facts):
            return self._open(facts)
        on = self.date.read(facts)
        if on is None:
            return missing(self.clause, self.date.path)
        params: dict[str, Any] = {"fact": self.date.path, "on": on.isoformat()}
        if any(in_window(on, first, last) for first, last in self.windows):
            return Step("gate", self.clause, "subsidy.step.window", params, 0)
        return Unmet(self.clause, "subsidy.unmet.window", params | {"windows": self._told()})

    def estimates(self, facts: Facts) -> bool:
        """What rests on a day that has not come may come to nothing."""
        return is_awaited(self.date, facts)

    def next_from(self, on: Day) -> tuple[Day, Day] | None:
        """The first and the last day of the window that holds on a day or comes next; None where none comes again."""
        coming = (window_from(on, first, last) for first, last in self.windows)
        return min((days for days in coming if days is not None), default=None)

    def is_over(self, facts: Facts, on: Day) -> bool:
        """Whether no day from ``on`` is in time any more."""
        return self.next_from(on) is None

    def _open(self, facts: Facts) -> Step | Unmet:
        since = facts.service.service_on
        if since is None:
            return missing(self.clause, "service.service_on")
        params: dict[str, Any] = {"fact": self.date.path, "windows": self._told()}
        coming = self.next_from(since)
        if coming is None:
            return Unmet(self.clause, "subsidy.unmet.window", params | {"on": since.isoformat()})
        days = {"from_on": max(coming[0], since).isoformat(), "until_on": coming[1].isoformat()}
        return Step("gate", self.clause, "subsidy.step.window_open", params | days, 0)

    def _told(self) -> list[str]:
        return [f"{first} – {last}" for first, last in self.windows]


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
        if is_awaited(self.since, facts):
            params = {"fact": self.date.path, "since": self.since.path, "span": {"months": self.months, "days": self.days}}
            return Step("gate", self.clause, "subsidy.step.lifetime_after", params, 0)
        awaited = is_awaited(self.date, facts)
        # What has not come yet comes with the service at the earliest.
        on, since = facts.service.service_on if awaited else self.date.read(facts), self.since.read(facts)
        if on is None or since is None:
            return missing(self.clause, self.date.path if on is None else self.since.path)
        last = self._last(since)
        params = {"fact": self.date.path, "on": on.isoformat(), "since": self.since.path, "last_day": last.isoformat()}
        if awaited and on <= last:
            return Step("gate", self.clause, "subsidy.step.lifetime_open", params, 0)
        if since <= on <= last:
            return Step("gate", self.clause, "subsidy.step.lifetime", params, 0)
        return Unmet(self.clause, "subsidy.unmet.lifetime", params)

    def estimates(self, facts: Facts) -> bool:
        """What rests on a day that has not come may come to nothing."""
        return is_awaited(self.date, facts) or is_awaited(self.since, facts)

    def is_over(self, facts: Facts, on: Day) -> bool:
        """Whether no day from ``on`` is in time any more; while the day that it is counted from has not come, some is."""
        since = None if is_awaited(self.since, facts) else self.since.read(facts)
        return since is not None and on > self._last(since)

    def _last(self, since: Day) -> Day:
        end = add_days(add_months(since, self.months), self.days)
        return end if self.included else end - timedelta(days=1)


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
