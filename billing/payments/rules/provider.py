"""What a payment provider says of one of its sessions, in our words, and whether that is what we asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CURRENCY = "cny"


class SessionState(StrEnum):
    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class RefundFact:
    """A refund that the provider has made (``done``), failed to make, or is still making (neither)."""

    ref: str
    amount_fen: int
    key: str
    done: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """``state``: open, won or lost."""

    ref: str
    amount_fen: int
    reason: str
    state: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session as it is at the provider now. ``key`` is the one that we wrote down before asking; empty: it is none of ours. ``paid_at``:
    when the provider took the money, where it says so."""

    session_ref: str
    key: str
    state: SessionState
    amount_fen: int
    currency: str
    live: bool
    intent_ref: str
    url: str
    refunds: tuple[RefundFact, ...] = ()
    disputes: tuple[DisputeFact, ...] = ()
    paid_at: datetime | None = None

    @property
    def back_fen(self) -> int:
        """What went back of it, in fen: refunds that were made, and what its payer's bank took."""
        refunds = sum(each.amount_fen for each in self.refunds if each.done)
        return refunds + sum(each.amount_fen for each in self.disputes if each.state == "lost")


@dataclass(frozen=True, slots=True)
class EventHead:
    """Which object an event of the provider is about."""

    ref: str
    kind: str
    object_ref: str
    account_ref: str
    live: bool
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What we asked for, and in which mode."""

    key: str
    amount_fen: int
    live: bool


def mismatch(asked: Asked, facts: SessionFacts) -> str:
    """Why what the provider says cannot be taken as the payment that was asked for, as a code; empty where it can."""
    if facts.key != asked.key:
        return "provider.other_key"
    if facts.live != asked.live:
        return "provider.other_mode"
    if facts.currency.lower() != CURRENCY:
        return "provider.other_currency"
    if facts.amount_fen != asked.amount_fen:
        return "provider.other_amount"
    return ""


def foreign_event(head: EventHead, account_ref: str, live: bool) -> str:
    """Why an event is not for this platform, as a code; empty where it is. Events of one's own account name none."""
    if head.account_ref and head.account_ref != account_ref:
        return "provider.other_account"
    if head.live != live:
        return "provider.other_mode"
    return ""
