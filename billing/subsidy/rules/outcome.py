"""What evaluating a programme gives: an award, or a refusal with every unmet gate.

Both, and what they are made of, are named tuples as a ``Step`` is: every session makes them, and a frozen dataclass of as many fields
takes five times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from billing.pricing.rules.steps import Step


class SettlementMode(StrEnum):
    """When the money moves. It decides ``payable_now`` and ``final_cost`` (architecture.md section 6)."""

    DEDUCTED_NOW = "deducted_now"
    """Taken off the bill; the provider redeems it."""
    REFUNDED_LATER = "refunded_later"
    """The firm pays in full and is paid back after its claim."""
    PAID_BESIDE = "paid_beside"
    """Paid to the owner beside the bill: a reward, or service that government buys. It changes nothing for the customer."""


class Payee(StrEnum):
    """Who receives the public money. ``firm`` is the applicant, a team without a licence included."""

    PROVIDER = "provider"
    FIRM = "firm"


_HOME = "partner:"


def home_payer(platform_id: str) -> str:
    """Who pays what is drawn on a recognised voucher, as lines of an award name it: the region of the partner's platform."""
    return f"{_HOME}{platform_id}"


def home_platform(payer: str) -> str:
    """The platform whose region pays its own voucher; empty for a treasury of the programme's."""
    return payer.removeprefix(_HOME) if payer.startswith(_HOME) else ""


class Home(NamedTuple):
    """A region elsewhere that pays what is drawn on its own voucher, and how much of that is left (fen)."""

    payer: str
    left_fen: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account of limited money says before this award.

    ``limit_fen``: the account's own limit (an issued quota, a budget, a configured cap); None leaves the document's.
    ``used_fen``: posted and held so far. ``promised_fen``: what is held of it for this very award, where the award is worked out
    again later: no more is given, and the rest of it is cut off. ``homes``: who pays the first of what is drawn here instead of the
    document's payers, in the order in which it is drawn: vouchers of other regions that are recognised.
    """

    limit_fen: int | None = None
    used_fen: int = 0
    promised_fen: int | None = None
    homes: tuple[Home, ...] = ()


class PayerLine(NamedTuple):
    """What one payer pays to one payee."""

    payer: str
    payee: Payee
    amount_fen: int


class SideAward(NamedTuple):
    """What one side of a programme of several sides gives: its id, when the money moves, to whom, and how much (fen) on how many of the
    award's lines, which stand in the order of the sides."""

    side: str
    mode: SettlementMode
    payee: Payee
    total_fen: int
    lines: int


class Unmet(NamedTuple):
    """A condition that was not met. ``code`` and ``params`` choose the sentence (message_keys.py)."""

    clause: str
    code: str
    params: dict[str, Any]


class Award(NamedTuple):
    """A subsidy. ``total_fen`` is the sum of ``lines`` and may be nil when a cap is used up.

    ``base_fen``: the amount that was eligible. ``computed_fen``: rounded, before any cap. ``basis_on``: the date that
    selected the version and the cap year. ``estimate``: a quality grade was assumed. ``binding_caps``: ids of the caps
    that cut, in the order of cutting. ``draws``: cap id -> fen to hold on that account; ``left_after``: cap id -> fen
    left on it afterwards. ``sides``: of a programme with several sides what each gives, None where there is one; ``mode`` and
    ``payee`` are then those of the first that gives something.
    """

    programme: str
    version: str
    mode: SettlementMode
    payee: Payee
    lines: tuple[PayerLine, ...]
    total_fen: int
    base_fen: int
    computed_fen: int
    basis_on: date
    estimate: bool
    binding_caps: tuple[str, ...]
    left_after: Mapping[str, int]
    draws: Mapping[str, int]
    steps: tuple[Step, ...]
    sides: tuple[SideAward, ...] | None = None

    def given_fen(self, mode: SettlementMode) -> int:
        """What moves in one way, in fen."""
        if self.sides is None:
            return self.total_fen if self.mode is mode else 0
        return sum(side.total_fen for side in self.sides if side.mode is mode)

    @property
    def off_cost_fen(self) -> int:
        """What makes the service cheaper for the customer, at once or later."""
        return self.given_fen(SettlementMode.DEDUCTED_NOW) + self.given_fen(SettlementMode.REFUNDED_LATER)


class Refused(NamedTuple):
    """No subsidy. ``reasons`` holds every unmet condition, ``steps`` what was found met before that."""

    programme: str
    version: str
    reasons: tuple[Unmet, ...]
    steps: tuple[Step, ...]


Outcome = Award | Refused


#: The code of a refusal for a fact that nobody knows; ``params`` name the fact.
FACT_MISSING = "subsidy.unmet.fact_missing"


def missing(clause: str, fact: str) -> Unmet:
    """The refusal for a rule that needs a fact nobody gave."""
    return Unmet(clause, FACT_MISSING, {"fact": fact})


def home_parts(homes: Sequence[Home], amount_fen: int) -> dict[str, int]:
    """What each home pays of an amount, one after the other, as far as their money goes (fen)."""
    parts: dict[str, int] = {}
    for home in homes:
        part = min(amount_fen, home.left_fen)
        if part > 0:
            parts[home.payer] = parts.get(home.payer, 0) + part
            amount_fen -= part
    return parts


def paid_by_homes(award: Award) -> dict[str, int]:
    """What regions that recognised vouchers come from pay of an award (fen)."""
    found: dict[str, int] = {}
    for line in award.lines:
        if home_platform(line.payer):
            found[line.payer] = found.get(line.payer, 0) + line.amount_fen
    return found


def homes_left(homes: Sequence[Home], amount_fen: int) -> tuple[Home, ...]:
    """The homes after an amount was drawn on them, as ``home_parts`` draws it."""
    left = []
    for home in homes:
        part = min(amount_fen, home.left_fen)
        left.append(home._replace(left_fen=home.left_fen - part))
        amount_fen -= part
    return tuple(left)
