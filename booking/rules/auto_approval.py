"""Requests that a lab need not look at: who asks, how long, for how much, and how much of that in a week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from booking.rules.documents import is_whole, items_of, parts_of, word_of
from config.kernel.errors import Reason, Refusal
from instruments.rules.audience import Audience

#: name -> the most that one may say; minutes of a week, and fen.
LIMITS: Mapping[str, int] = {"most_minutes": 31 * 1440, "week_minutes": 7 * 1440, "most_fen": 10_000_000_00}


class Trusted(StrEnum):
    """Whose requests count at once: everybody's, those of who holds the lab's licence to operate the instrument alone, or of who has used
    something of the lab's and agreed to the use. ``nobody`` takes back what a farther layer says."""

    NOBODY = "nobody"
    ANYBODY = "anybody"
    LICENSED = "licensed"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known about one request. ``payable_now_fen``: what the customer would pay (None: there is no price). ``week_minutes``: what
    the person has of the lab in the local week of its start, itself included. ``has_rival``: somebody else waits for the time.
    ``audience``: the group of the customer; empty where no customer was chosen."""

    minutes: int
    payable_now_fen: int | None
    week_minutes: int
    licensed: bool
    proven: bool
    has_rival: bool
    audience: str = ""


@dataclass(frozen=True, slots=True)
class AutoApproval:
    """A limit that is None does not limit; a number may be reached. All have to hold. ``customers``: only requests of these groups count
    at once; none: of all."""

    who: Trusted
    most_minutes: int | None = None
    most_fen: int | None = None
    week_minutes: int | None = None
    customers: tuple[Audience, ...] = ()

    @classmethod
    def read(cls, document: Any) -> AutoApproval:
        """Raises Refusal ``policy.unreadable``, ``policy.part_unknown``, ``policy.out_of_range``."""
        parts = parts_of(document, {"who", "customers", *LIMITS}, {"who"})
        who, customers = Trusted(word_of(parts["who"], list(Trusted))), _customers(parts.get("customers", []))
        return cls(who, **{name: _limit(parts, name) for name in LIMITS}, customers=customers)

    def document(self) -> dict[str, Any]:
        """What ``read`` reads."""
        limits = {name: getattr(self, name) for name in LIMITS if getattr(self, name) is not None}
        customers = {"customers": [each.value for each in self.customers]} if self.customers else {}
        return {"who": self.who.value, **limits, **customers}

    def lets(self, wanted: Wanted) -> bool:
        """Whether the lab need not look at it. Between rivals it always chooses itself."""
        return not self.against(wanted)

    def against(self, wanted: Wanted) -> list[Reason]:
        """Everything for which the lab looks at it itself; nothing: it counts at once."""
        trusted = {
            Trusted.NOBODY: [Reason("at_once.nobody")],
            Trusted.ANYBODY: [],
            Trusted.LICENSED: [] if wanted.licensed else [Reason("at_once.not_licensed")],
            Trusted.PROVEN: [] if wanted.proven else [Reason("at_once.not_proven")],
        }
        found = list(trusted[self.who])
        if self.customers and wanted.audience not in self.customers:
            found.append(Reason("at_once.other_customers", {"open_for": [each.value for each in self.customers]}))
        if wanted.has_rival:
            found.append(Reason("at_once.rival"))
        if not _within(wanted.minutes, self.most_minutes):
            found.append(Reason("at_once.too_long", {"most_minutes": self.most_minutes}))
        if not _within(wanted.week_minutes, self.week_minutes):
            found.append(Reason("at_once.week_full", {"most_minutes": self.week_minutes, "used_minutes": wanted.week_minutes}))
        if self.most_fen is not None and wanted.payable_now_fen is None:
            found.append(Reason("at_once.no_price", {"most_fen": self.most_fen}))
        elif self.most_fen is not None and wanted.payable_now_fen is not None and wanted.payable_now_fen > self.most_fen:
            found.append(Reason("at_once.too_dear", {"most_fen": self.most_fen}))
        return found


def _within(number: int, limit: int | None) -> bool:
    return limit is None or number <= limit


def _customers(value: Any) -> tuple[Audience, ...]:
    named = {word_of(each, list(Audience)) for each in items_of(value, len(Audience))}
    return tuple(each for each in Audience if each.value in named)


def _limit(parts: Mapping[str, Any], name: str) -> int | None:
    value = parts.get(name)
    if value is None:
        return None
    if not is_whole(value):
        raise Refusal.of("policy.unreadable")
    if not 1 <= value <= LIMITS[name]:
        raise Refusal(Reason("policy.out_of_range", {"minimum": 1, "maximum": LIMITS[name]}))
    return int(value)
