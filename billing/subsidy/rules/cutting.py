"""From the rounded amount to the award: the cost, joint caps, payers, payers' caps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from billing.ledger.rules.money import split_whole
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Award, Balance, Home, Outcome, PayerLine, Refused, SettlementMode, Unmet, home_parts
from billing.subsidy.rules.parts.caps import Cap, CapPer
from billing.subsidy.rules.parts.payers import Splitting
from billing.subsidy.rules.parts.payers_match import Match
from billing.subsidy.rules.programme import Programme


class Worked(NamedTuple):
    """What rate and adjustments made of the base, in fen. ``cost_fen``: what a deduction or refund may never exceed; None where nobody
    knows the fee."""

    computed_fen: int
    base_fen: int
    cost_fen: int | None
    basis_on: date
    estimate: bool


class Cutting:
    """Cuts one amount and divides what is left; every limit that was looked at is told, those that cut are ``binding``.

    What is drawn on a voucher of another region is paid by that region: no payer of the programme shares in it, and no pool is drawn.
    """

    __slots__ = ("accounts", "balances", "binding", "facts", "homes", "homes_fen", "programme", "steps", "unmet")

    def __init__(self, programme: Programme, facts: Facts, balances: Mapping[str, Balance], steps: list[Step]) -> None:
        self.programme = programme
        self.balances = balances
        self.steps = steps
        self.facts = facts
        self.binding: list[str] = []
        self.unmet: list[Unmet] = []
        self.accounts: list[tuple[Cap, int]] = []
        self.homes: tuple[Home, ...] = ()
        self.homes_fen = 0
        for cap in programme.joint_caps:
            balance = balances.get(cap.id)
            if balance is not None and balance.homes and cap.applies(facts):
                self.homes = balance.homes
                self.homes_fen = sum(home.left_fen for home in balance.homes)
                break

    def award(self, worked: Worked, cost_left_fen: int | None) -> Outcome:
        """The award, or a refusal where a cap of all or nothing is short. ``cost_left_fen``: what others leave of the cost."""
        programme = self.programme
        cost = worked.cost_fen
        if cost_left_fen is not None and (cost is None or cost_left_fen < cost):
            cost = cost_left_fen
        limit = None if programme.mode is SettlementMode.PAID_BESIDE else cost
        payers = programme.payers
        computed = worked.computed_fen
        parts = self._matched(payers, computed, limit) if isinstance(payers, Match) else self._split(payers, computed, limit)
        if self.unmet:
            return Refused(programme.code, programme.version, tuple(self.unmet), tuple(self.steps))
        lines = tuple([PayerLine(payer, programme.payee, part) for payer, part in parts.items()])
        total = sum(parts.values())
        self.steps.append(Step("total", payers.clause, "subsidy.step.total", {"total_fen": total}, total))
        draws, left_after = self._draws(total, parts)
        return Award(
            programme.code, programme.version, programme.mode, programme.payee, lines, total, worked.base_fen, worked.computed_fen,
            worked.basis_on, worked.estimate, tuple(self.binding), left_after, draws, tuple(self.steps),
        )  # fmt: skip

    def _split(self, payers: Splitting, computed_fen: int, limit_fen: int | None) -> dict[str, int]:
        """The whole is cut, then divided, then each payer's part is cut."""
        amount = self._within_cost(computed_fen, limit_fen)
        for cap in self.programme.joint_caps:
            amount = self._cut_beside_homes(cap, amount)
        homes = self._of_homes(amount)
        amount -= sum(homes.values())
        if homes and not amount:
            return homes
        parts = payers.parts(amount, self.facts, self._room_of)
        steps, clause = self.steps, payers.clause
        for payer, part in parts.items():
            steps.append(Step("payers", clause, "subsidy.step.payer", {"payer": payer, "part_fen": part}, amount))
        for cap in self.programme.payer_caps:
            if cap.payer in parts:
                parts[cap.payer] = self._cut(cap, parts[cap.payer])
        return {**homes, **parts} if homes else parts

    def _matched(self, payers: Match, lead_fen: int, limit_fen: int | None) -> dict[str, int]:
        """The lead's part is cut, the others match what is left of it within their own caps, then the whole is cut."""
        parts = {payers.lead: self._own_caps(payers.lead, self._within_cost(lead_fen, limit_fen))}
        self._tell(payers.lead, parts[payers.lead], parts[payers.lead])
        for each in payers.matches:
            wanted = payers.matched(parts[payers.lead], each, self.facts)
            params = {"payer": each.payer, "lead": payers.lead, "rate": str(each.ratio), "part_fen": wanted}
            self.steps.append(Step("payers", payers.clause, "subsidy.step.matched", params, sum(parts.values()) + wanted))
            parts[each.payer] = self._own_caps(each.payer, wanted)
        whole = sum(parts.values())
        amount = self._within_cost(whole, limit_fen)
        for cap in self.programme.joint_caps:
            amount = self._cut_beside_homes(cap, amount)
        homes = self._of_homes(amount)
        amount -= sum(homes.values())
        if amount < whole:
            parts = _given_way(parts, whole - amount, last_first=payers.last_first)
            for payer, part in parts.items():
                self._tell(payer, part, amount)
        return {**homes, **parts} if homes else parts

    def _own_caps(self, payer: str, amount: int) -> int:
        for cap in self.programme.payer_caps:
            if cap.payer == payer:
                amount = self._cut(cap, amount)
        return amount

    def _tell(self, payer: str, part: int, amount: int) -> None:
        params = {"payer": payer, "part_fen": part}
        self.steps.append(Step("payers", self.programme.payers.clause, "subsidy.step.payer", params, amount))

    def _within_cost(self, amount: int, cost: int | None) -> int:
        if cost is None or amount <= cost:
            return amount
        amount = self.programme.rounding.floor(cost)
        self.steps.append(Step("cost", self.programme.base.clause, "subsidy.step.within_cost", {"cost_fen": cost}, amount))
        return amount

    def _room_of(self, payer: str) -> int | None:
        """What a payer's own caps leave, None where nothing limits it."""
        rooms = [self._room(cap) for cap in self.programme.payer_caps if cap.payer == payer and cap.applies(self.facts)]
        known = [room for room in rooms if room is not None]
        return min(known) if known else None

    def _room(self, cap: Cap) -> int | None:
        return cap.room(self.balances.get(cap.id), self.facts, self.balances)

    def _of_homes(self, amount: int) -> dict[str, int]:
        """What other regions pay of the amount, told with its payer."""
        if not self.homes_fen:
            return {}
        parts = home_parts(self.homes, amount)
        for payer, part in parts.items():
            params = {"payer": payer, "part_fen": part}
            self.steps.append(Step("payers", self.programme.payers.clause, "subsidy.step.home_pays", params, amount))
        return parts

    def _cut_beside_homes(self, cap: Cap, amount: int) -> int:
        """``_cut``; a pool is asked only for what no other region pays."""
        theirs = min(amount, self.homes_fen) if cap.per is CapPer.POOL else 0
        if not theirs:
            return self._cut(cap, amount)
        if amount == theirs:
            return amount
        left = theirs + self._cut(cap, amount - theirs)
        return amount if left == amount else self.programme.rounding.floor(left)

    def _cut(self, cap: Cap, amount: int) -> int:
        """What the cap leaves of the amount, noted in either case; a cap of all or nothing that is short is unmet."""
        if cap.selective and not cap.applies(self.facts):
            return amount
        balance = self.balances.get(cap.id)
        room = cap.room(balance, self.facts, self.balances)
        if room is None:
            return amount
        if balance is not None and balance.promised_fen is not None:
            amount = self._within_promise(cap, amount, balance.promised_fen)
        if self._is_counted(cap):
            self.accounts.append((cap, room))
        params = {"cap": cap.id, "per": cap.per, "payer": cap.payer, "left_fen": room}
        if amount <= room:
            self.steps.append(Step("cap", cap.clause, "subsidy.step.cap_kept", params, amount))
            return amount
        if not cap.partial:
            self.unmet.append(cap.short(room, amount))
            return amount
        self.binding.append(cap.id)
        params["wanted_fen"] = amount
        amount = self.programme.rounding.floor(room)
        self.steps.append(Step("cap", cap.clause, "subsidy.step.cap_cut", params, amount))
        return amount

    def _is_counted(self, cap: Cap) -> bool:
        return cap.is_counted(self.facts)

    def _within_promise(self, cap: Cap, amount: int, promised_fen: int) -> int:
        """At most what was promised: a cap of all or nothing is not short because more came out later."""
        if amount <= promised_fen:
            return amount
        self.binding.append(cap.id)
        params = {"cap": cap.id, "per": cap.per, "payer": cap.payer, "promised_fen": promised_fen, "wanted_fen": amount}
        amount = self.programme.rounding.floor(promised_fen)
        self.steps.append(Step("cap", cap.clause, "subsidy.step.promise_cut", params, amount))
        return amount

    def _draws(self, total: int, parts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """What the award takes from each account that limits it, and what it leaves there."""
        own = total - sum(home_parts(self.homes, total).values()) if self.homes_fen else total
        draws = {cap.id: parts[cap.payer] if cap.payer else own if cap.per is CapPer.POOL else total for cap, _ in self.accounts}
        return draws, {cap.id: room - draws[cap.id] for cap, room in self.accounts}


def _given_way(parts: Mapping[str, int], excess: int, *, last_first: bool) -> dict[str, int]:
    """The parts with ``excess`` fen less: the last named gives way first, or all in proportion."""
    if not last_first:
        whole = sum(parts.values())
        return dict(zip(parts, split_whole(whole - excess, list(parts.values())), strict=True))
    left = dict(parts)
    for payer in reversed(list(left)):
        cut = min(left[payer], excess)
        left[payer] -= cut
        excess -= cut
    return left
