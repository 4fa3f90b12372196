"""Caps: per order, per firm or team and year, in total, and budget pools, joint or of one payer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules.outcome import Balance, Unmet


class CapPer(StrEnum):
    """What is counted together under one cap. Everything but ``order`` is kept on an account."""

    ORDER = "order"
    FIRM_YEAR = "firm_year"
    TEAM_YEAR = "team_year"
    UNIT_TOTAL = "unit_total"
    POOL = "pool"


#: A cap that only concerns one kind of applicant.
_ONLY_FOR = {CapPer.FIRM_YEAR: "firm", CapPer.TEAM_YEAR: "team"}


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap. ``limit_fen`` is the document's limit (None: only configuration sets one); ``configured`` means that an
    account's own limit replaces it, otherwise the lower of the two holds. ``payer`` empty: joint over all payers.
    ``on_account``: an award draws on an account of this cap. ``only_for``: the kind of applicant it limits, or empty."""

    id: str
    clause: str
    per: CapPer
    limit_fen: int | None
    configured: bool
    refuse_when_unset: bool
    payer: str
    partial: bool
    on_account: bool
    only_for: str

    def concerns(self, applicant_kind: str | None) -> bool:
        """A yearly cap of firms is for firms, of teams for teams; the others are for everybody."""
        return not self.only_for or self.only_for == applicant_kind

    def limit(self, balance: Balance | None) -> int | None:
        """The limit in force (fen), or None for no limit."""
        own = balance.limit_fen if balance is not None else None
        if own is None or (self.limit_fen is not None and not self.configured):
            return self.limit_fen if own is None else min(own, self.limit_fen or 0)
        return own

    def room(self, balance: Balance | None) -> int | None:
        """What is left (fen, never negative), or None for no limit."""
        limit = self.limit(balance)
        if limit is None:
            return None
        return max(0, limit - (balance.used_fen if balance is not None else 0))

    def check(self, balance: Balance | None) -> Unmet | None:
        """An Unmet when configuration should have set a limit and has not."""
        if self.refuse_when_unset and self.limit(balance) is None:
            return Unmet(self.clause, "subsidy.unmet.limit_not_set", {"cap": self.id})
        return None

    def short(self, room_fen: int, needed_fen: int) -> Unmet:
        """The refusal of a cap that gives all or nothing."""
        params = {"cap": self.id, "per": self.per.value, "left_fen": room_fen, "needed_fen": needed_fen}
        return Unmet(self.clause, "subsidy.unmet.cap_short", params)


def parse_cap(document: Mapping[str, Any]) -> Cap:
    """The cap that a valid piece of a document describes."""
    limit = document["limit"]
    configured = isinstance(limit, Mapping)
    own = limit.get("default") if isinstance(limit, Mapping) else limit
    per = CapPer(document["per"])
    return Cap(
        id=document["id"],
        clause=document["clause"],
        per=per,
        limit_fen=None if own is None else parse_yuan(own),
        configured=configured,
        refuse_when_unset=configured and limit.get("when_unset") == "refuse",
        payer=document.get("payer", ""),
        partial=document["when_short"] == "partial",
        on_account=per is not CapPer.ORDER,
        only_for=_ONLY_FOR.get(per, ""),
    )


def cap_faults(documents: list[Mapping[str, Any]], payers: set[str]) -> list[Fault]:
    """What the schema cannot say: ids are unique and a cap's payer is one of the payers."""
    faults = []
    seen: set[str] = set()
    for place, cap in enumerate(documents):
        if cap["id"] in seen:
            faults.append(Fault(f"$.caps[{place}].id", f"the id {cap['id']!r} is taken"))
        seen.add(cap["id"])
        if cap.get("payer", next(iter(payers))) not in payers:
            faults.append(Fault(f"$.caps[{place}].payer", f"{cap['payer']!r} is not one of the payers"))
    return faults
