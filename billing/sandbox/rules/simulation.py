"""One programme over many sessions, one after the other: what each gets, what is used of every limit, and the sums that a page shows.

Pure, and small enough to be written down and taken up again: ``state`` is plain JSON, and a simulation made from it goes on as if it
had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import (
    NO_CLAIM_AMOUNTS,
    Amounts,
    ClaimAmounts,
    Facts,
    Party,
    Quantities,
    Service,
    parse_facts,
)
from billing.subsidy.rules.outcome import Award, Balance
from billing.subsidy.rules.parts.caps import Cap, CapPer
from billing.subsidy.rules.programme import Programme, parse_programme

UNKNOWN = "unknown"
Counts = dict[str, list[int]]
"""By a code: sessions, subsidised sessions, fen of subsidy, fen of the price."""


class Row(NamedTuple):
    """A charged session. ``facts`` and ``service`` are places in the tables of ``Known``; amounts are fen; ``month`` is YYYY-MM."""

    facts: int
    service: int
    fee_fen: int
    top_up_fen: int
    minutes: int
    customer: int
    owner: int
    instrument: int
    person: int
    month: str


class Known:
    """Facts and services that sessions share, read once each."""

    def __init__(self) -> None:
        self.facts: list[tuple[Facts, Facts]] = []
        self.services: list[Service] = []

    def add(self, facts: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]]) -> None:
        """Facts as their public documents (without amounts), services as their group alone."""
        for document in facts:
            found = parse_facts(document)
            self.facts.append((_first(found, used=False), _first(found, used=True)))
        self.services += [parse_facts({"service": document}).service for document in services]


def _first(facts: Facts, *, used: bool) -> Facts:
    return replace(facts, applicant=replace(facts.applicant, first_use=not used))


class Simulation:
    """``document`` over sessions in the order in which they are given. ``budget_fen`` replaces the budget of its pools.

    ``full``: sums by month, size, region, owner and customer as well; without it only totals.
    """

    def __init__(
        self, document: Mapping[str, Any], budget_fen: int | None, *, full: bool, state: Mapping[str, Any] | None = None
    ) -> None:
        self.programme: Programme = parse_programme(document)
        self.budget_fen = budget_fen
        self.full = full
        kept = state or {}
        self.used: dict[str, int] = dict(kept.get("used", {}))
        self.total: list[int] = list(kept.get("total", (0, 0, 0, 0)))
        self.estimate_fen: int = kept.get("estimate_fen", 0)
        self.firms: dict[int, list[int]] = {int(key): list(value) for key, value in kept.get("firms", {}).items()}
        self.groups: dict[str, Counts] = {name: _copied(kept.get(name, {})) for name in ("months", "sizes", "regions", "owners")}
        self.refused: dict[str, int] = dict(kept.get("refused", {}))
        self.cuts: dict[str, int] = dict(kept.get("cuts", {}))
        self.short_since: str = kept.get("short_since", "")
        self._caps: dict[str | None, tuple[Cap, ...]] = {}

    def state(self) -> dict[str, Any]:
        """Everything that the next session depends on, and the sums so far."""
        return {
            "used": self.used,
            "total": self.total,
            "estimate_fen": self.estimate_fen,
            "firms": {str(key): value for key, value in self.firms.items()},
            **self.groups,
            "refused": self.refused,
            "cuts": self.cuts,
            "short_since": self.short_since,
        }

    def feed(self, rows: Sequence[Row], known: Known) -> None:
        """Take sessions in."""
        for row in rows:
            self._take(row, known)

    def _take(self, row: Row, known: Known) -> None:
        firm = self.firms.get(row.customer)
        if firm is None:
            firm = self.firms[row.customer] = [0, 0, 0]
        base = known.facts[row.facts][firm[1] > 0]
        facts = replace(
            base,
            service=known.services[row.service],
            amounts=self._amounts(row),
            quantities=Quantities(minutes=row.minutes),
        )
        fen = self._awarded(row, facts)
        got = 1 if fen else 0
        firm[0] += 1
        firm[1] += got
        firm[2] += fen
        _count(self.total, got, fen, row.fee_fen)
        if self.full:
            for name, code in (
                ("months", row.month),
                ("sizes", size_of(facts.applicant)),
                ("regions", region_of(facts.applicant)),
                ("owners", str(row.owner)),
            ):
                counts = self.groups[name].get(code)
                if counts is None:
                    counts = self.groups[name][code] = [0, 0, 0, 0]
                _count(counts, got, fen, row.fee_fen)

    def _amounts(self, row: Row) -> Amounts:
        """As when it was charged: what a programme asks of invoice and payment is the price."""
        claim = ClaimAmounts(paid=row.fee_fen, invoice=row.fee_fen) if self.programme.asks_what_was_paid else NO_CLAIM_AMOUNTS
        return Amounts(fee=row.fee_fen, contract=row.fee_fen, minimum_top_up=row.top_up_fen, claim=claim)

    def _awarded(self, row: Row, facts: Facts) -> int:
        """The subsidy of one session (fen), taken off every limit that it draws on."""
        programme, used = self.programme, self.used
        kind = facts.applicant.kind
        caps = self._caps.get(kind)
        if caps is None:
            caps = self._caps[kind] = programme.accounts_for(kind)
        basis_on = programme.validity.basis_on(facts)
        year = programme.cap_year(basis_on) if basis_on is not None else 0
        keys = {cap.id: account_key(cap, row, facts, year) for cap in caps}
        balances = {
            cap.id: Balance(self.budget_fen if cap.per is CapPer.POOL else None, used.get(keys[cap.id], 0)) for cap in caps
        }
        outcome = evaluate(programme, facts, balances, cost_left_fen=row.fee_fen)
        if not isinstance(outcome, Award):
            for reason in outcome.reasons:
                self.refused[reason.code] = self.refused.get(reason.code, 0) + 1
            return 0
        for cap_id, amount in outcome.draws.items():
            if amount:
                key = keys[cap_id]
                used[key] = used.get(key, 0) + amount
        for cap_id in outcome.binding_caps:
            self.cuts[cap_id] = self.cuts.get(cap_id, 0) + 1
            if not self.short_since and any(cap.id == cap_id and cap.per is CapPer.POOL for cap in caps):
                self.short_since = row.month
        if outcome.estimate:
            self.estimate_fen += outcome.total_fen
        return outcome.total_fen


def account_key(cap: Cap, row: Row, facts: Facts, year: int) -> str:
    """Which account of a limit a session draws on: whose it is and, of a yearly one, the year."""
    per = cap.per.value
    if per == CapPer.POOL.value:
        return cap.id
    if per.startswith("instrument"):
        whose = f"i{row.instrument}"
    elif per.startswith("owner"):
        whose = f"o{row.owner}"
    elif per.startswith("person"):
        whose = f"p{row.person}"
    elif "controller" in per:
        profile = facts.applicant.profile
        whose = f"g{profile.controller or profile.id or row.customer}"  # a firm that nobody controls is its own controller
    else:
        whose = str(row.customer)
    return f"{cap.id}:{whose}:{year}" if per.endswith("year") else f"{cap.id}:{whose}"


def size_of(applicant: Party) -> str:
    """The size of a firm, and for others their kind."""
    return applicant.size or UNKNOWN if applicant.kind == "firm" else applicant.kind or UNKNOWN


def region_of(applicant: Party) -> str:
    """The prefecture of the applicant."""
    return f"{applicant.region_code[:4]}00" if applicant.region_code else UNKNOWN


def _count(counts: list[int], got: int, fen: int, fee_fen: int) -> None:
    counts[0] += 1
    counts[1] += got
    counts[2] += fen
    counts[3] += fee_fen


def _copied(counts: Mapping[str, Sequence[int]]) -> Counts:
    return {code: list(values) for code, values in counts.items()}
