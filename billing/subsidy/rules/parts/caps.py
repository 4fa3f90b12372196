"""Caps: what is counted together (a session, a firm's year, an instrument's year, a pool ...) and how much of it there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, Rounding, parse_yuan, round_fen
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Balance, Unmet
from billing.subsidy.rules.parts.conditions import Condition, condition_faults, parse_condition


class CapPer(StrEnum):
    """What is counted together under one cap. All but those of a single piece of work are kept on an account; those of an order or a
    contract where the facts name one."""

    ORDER = "order"
    SESSION = "session"
    CONTRACT = "contract"
    PAYMENT = "payment"
    FIRM_YEAR = "firm_year"
    TEAM_YEAR = "team_year"
    APPLICANT_YEAR = "applicant_year"
    PERSON_YEAR = "person_year"
    CONTROLLER_YEAR = "controller_year"
    INSTRUMENT_YEAR = "instrument_year"
    OWNER_YEAR = "owner_year"
    VOUCHER = "voucher"
    UNIT_TOTAL = "unit_total"
    POOL = "pool"


#: A cap that only concerns one kind of applicant.
_ONLY_FOR = {CapPer.FIRM_YEAR: "firm", CapPer.TEAM_YEAR: "team"}
#: Caps of a single piece of work: no account is kept for them.
_OF_ONE_PIECE = frozenset({CapPer.ORDER, CapPer.SESSION, CapPer.CONTRACT, CapPer.PAYMENT})
#: Of these, caps of several pieces where the facts name what they belong to: an account is kept for each name (ADR 53).
_OF_WHAT_IS_NAMED = frozenset({CapPer.ORDER, CapPer.CONTRACT})
#: The fact that tells whose cap it is; a pool is everybody's, a session or payment is one claim, and so is what names no order or
#: contract.
SUBJECT = {
    CapPer.ORDER: "service.order",
    CapPer.CONTRACT: "service.contract_number",
    CapPer.FIRM_YEAR: "applicant.id",
    CapPer.TEAM_YEAR: "applicant.id",
    CapPer.APPLICANT_YEAR: "applicant.id",
    CapPer.PERSON_YEAR: "service.person",
    CapPer.CONTROLLER_YEAR: "applicant.controller",
    CapPer.INSTRUMENT_YEAR: "instrument.id",
    CapPer.OWNER_YEAR: "provider.id",
    CapPer.VOUCHER: "request.voucher",
    CapPer.UNIT_TOTAL: "applicant.id",
}
#: Caps that begin anew with every year.
YEARLY = frozenset(per for per in CapPer if per.value.endswith("_year"))
Balances = Mapping[str, Balance]


@dataclass(frozen=True, slots=True)
class LimitCase:
    """The limit of those of whom a condition holds."""

    when: Condition
    limit_fen: int


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap. ``limit_fen`` is the document's limit (None: only configuration sets one); ``configured`` means that an
    account's own limit replaces it, otherwise the lower of the two holds. ``payer`` empty: joint over all payers.
    ``on_account``: every award draws on an account of this cap; ``if_named``: one whose facts name an order or contract does.
    ``only_for``: the kind of applicant it limits, or empty.

    ``when``: whom it concerns (a condition that cannot be told: it does). ``cases``: other limits by condition; ``limit_fen`` is then
    the highest of all. ``share_of``: the limit is a ``share`` of that cap's limit. ``pro_rata``: a batch divides it in proportion.
    ``selective``: it does not concern everybody. ``pool_of``: the version whose pool this is (empty: its own); ``new_money``: it is said
    to be another one than that of an earlier version of the year.
    """

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
    when: Condition | None = None
    cases: tuple[LimitCase, ...] = ()
    otherwise_fen: int | None = None
    share: Decimal | None = None
    share_of: Cap | None = None
    pro_rata: bool = False
    selective: bool = True
    pool_of: str = ""
    new_money: bool = False
    if_named: bool = False

    def is_counted(self, facts: Facts) -> bool:
        """Whether an award to these facts draws on an account of this cap."""
        return self.on_account or (self.if_named and _named(self.per, facts) is not None)

    def concerns(self, applicant_kind: str | None) -> bool:
        """A yearly cap of firms is for firms, of teams for teams; the others are for everybody."""
        return not self.only_for or self.only_for == applicant_kind

    def applies(self, facts: Facts) -> bool:
        """Whether the cap limits this request."""
        if self.only_for and self.only_for != facts.applicant.kind:
            return False
        return self.when is None or self.when.holds(facts, []) is not False

    def limit(self, balance: Balance | None, facts: Facts | None = None, balances: Balances | None = None) -> int | None:
        """The limit in force (fen), or None for no limit. ``facts`` choose among cases, ``balances`` know the cap it is a share of."""
        own = balance.limit_fen if balance is not None else None
        document_fen = self.limit_fen
        if self.cases and facts is not None:
            document_fen = self._case(facts)
        elif self.share_of is not None:
            document_fen = self._part(facts, balances or {})
        if own is None or (document_fen is not None and not self.configured):
            return document_fen if own is None else min(own, document_fen or 0)
        return own

    def room(self, balance: Balance | None, facts: Facts | None = None, balances: Balances | None = None) -> int | None:
        """What is left (fen, never negative), or None for no limit."""
        limit = self.limit(balance, facts, balances)
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

    def _case(self, facts: Facts) -> int | None:
        for case in self.cases:
            if case.when.holds(facts, []):
                return case.limit_fen
        return self.otherwise_fen

    def _part(self, facts: Facts | None, balances: Balances) -> int | None:
        whole_cap = self.share_of
        if whole_cap is None or self.share is None:
            return None
        whole = whole_cap.limit(balances.get(whole_cap.id), facts, balances)
        return None if whole is None else round_fen(EXACT.multiply(Decimal(whole), self.share), Rounding.DOWN)


def parse_caps(documents: Sequence[Mapping[str, Any]], basis: str) -> list[Cap]:
    """The caps that valid pieces of a document describe, in their order."""
    caps = {document["id"]: parse_cap(document, basis) for document in documents}
    for document in documents:
        limit = document["limit"]
        if isinstance(limit, Mapping) and "share" in limit:
            own = caps[document["id"]]
            caps[own.id] = replace(own, share=Decimal(limit["share"]), share_of=caps[limit["of"]])
    return list(caps.values())


def parse_cap(document: Mapping[str, Any], basis: str) -> Cap:
    """The cap that a valid piece of a document describes, but for the cap it may be a share of."""
    limit = document["limit"]
    worked = isinstance(limit, Mapping)
    configured = worked and limit.get("configured", False)
    per = CapPer(document["per"])
    cases = tuple(
        LimitCase(parse_condition(each["when"], basis), parse_yuan(each["limit"]))
        for each in (limit.get("cases", ()) if worked else ())
    )
    otherwise = parse_yuan(limit["otherwise"]) if worked and "otherwise" in limit else None
    return Cap(
        id=document["id"],
        clause=document["clause"],
        per=per,
        limit_fen=_highest(limit, cases, otherwise),
        configured=configured,
        refuse_when_unset=configured and limit.get("when_unset") == "refuse",
        payer=document.get("payer", ""),
        partial=document["when_short"] == "partial",
        on_account=per not in _OF_ONE_PIECE,
        only_for=_ONLY_FOR.get(per, ""),
        when=parse_condition(document["when"], basis) if "when" in document else None,
        cases=cases,
        otherwise_fen=otherwise,
        pro_rata=document.get("divided") == "pro_rata",
        selective=per in _ONLY_FOR or "when" in document,
        pool_of=document.get("pool_of", ""),
        new_money=document.get("new_money", False),
        if_named=per in _OF_WHAT_IS_NAMED,
    )


def _named(per: CapPer, facts: Facts) -> str | None:
    paper = facts.service.paper
    return paper.order if per is CapPer.ORDER else paper.contract_number


def _highest(limit: Any, cases: Sequence[LimitCase], otherwise: int | None) -> int | None:
    """The document's own limit; of several the highest, which is what an account may hold; None where one of them is no limit."""
    if cases:
        return None if otherwise is None else max(otherwise, *(case.limit_fen for case in cases))
    own = limit.get("default") if isinstance(limit, Mapping) else limit
    return None if own is None else parse_yuan(own)


def cap_faults(documents: Sequence[Mapping[str, Any]], payers: set[str]) -> list[Fault]:
    """What the schema cannot say: ids are unique, payers exist, conditions make sense, a share is of another cap with a figure."""
    faults = []
    seen: dict[str, Mapping[str, Any]] = {}
    for place, cap in enumerate(documents):
        path = f"$.caps[{place}]"
        if cap["id"] in seen:
            faults.append(Fault(f"{path}.id", f"the id {cap['id']!r} is taken"))
        if cap.get("payer", next(iter(payers), "")) not in payers:
            faults.append(
                Fault(f"{path}.payer", f"{cap['payer']!r} is not one of the payers; they are {', '.join(sorted(payers))}")
            )
        if "when" in cap:
            faults += condition_faults(cap["when"], f"{path}.when")
        if "divided" in cap and cap["per"] != CapPer.POOL:
            faults.append(
                Fault(f"{path}.divided", 'only a pool can be divided over a batch; leave it out, or write "per": "pool"')
            )
        faults += [
            Fault(f"{path}.{name}", f'only a pool has {name!r}; leave it out, or write "per": "pool"')
            for name in ("pool_of", "new_money")
            if name in cap and cap["per"] != CapPer.POOL
        ]
        if "pool_of" in cap and cap.get("new_money"):
            faults.append(
                Fault(f"{path}.new_money", "it is either the money of another version or new money; leave one of the two out")
            )
        faults += _limit_faults(cap["limit"], seen, f"{path}.limit")
        seen[cap["id"]] = cap
    return faults


def _limit_faults(limit: Any, before: Mapping[str, Mapping[str, Any]], path: str) -> list[Fault]:
    if not isinstance(limit, Mapping):
        return []
    faults = [
        fault
        for place, each in enumerate(limit.get("cases", ()))
        for fault in condition_faults(each["when"], f"{path}.cases[{place}].when")
    ]
    if "of" in limit and limit["of"] not in before:
        faults.append(Fault(f"{path}.of", f"there is no cap {limit['of']!r} before this one; name one that stands further up"))
    return faults
