"""On what terms a customer may book anew at an owner: asked when something is asked for, in one query, behind one door.

What knows about bills, reminders and prepaid money stands above settlement and registers itself here at start-up
(``billing.dunning.services.terms``); without it nobody is held to anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from billing.ledger.models import Account
from config.kernel.errors import Reason


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks an owner for what: the customer, the person, the project (empty: none) and the local day on which it begins."""

    owner_id: int
    customer_id: int
    person_id: int
    project: str
    on: date


@dataclass(frozen=True, slots=True)
class Terms:
    """``against``: why nothing new is asked for. ``accounts``: the customer's own that keep the price, opened, not locked."""

    against: tuple[Reason, ...] = ()
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer and a person of it stand with several owners, as far as it is known before something is asked for. By owner:
    ``blocked``, why nothing new is booked there; ``prepaid_fen``, what is left of the prepaid money that it asks for. ``limits``: what is
    left to the person from its first to its last local day. What a project may spend is not known yet."""

    blocked: Mapping[int, tuple[Reason, ...]] = field(default_factory=dict)
    prepaid_fen: Mapping[int, int] = field(default_factory=dict)
    limits: tuple[tuple[date, date, int], ...] = ()

    def against(self, owner_id: int, on: date, amount_fen: int | None) -> tuple[Reason, ...]:
        """Why nothing that begins on that local day and takes so much (None: not known) is booked of an owner."""
        found = self.blocked.get(owner_id, ())
        if amount_fen is None:
            return found
        prepaid = self.prepaid_fen.get(owner_id)
        left = [("prepaid.not_enough_left", prepaid)] if prepaid is not None else []
        left += [("spending.over_limit", fen) for first, last, fen in self.limits if first <= on <= last]
        lacking = (Reason(code, {"needed_fen": amount_fen, "left_fen": fen}) for code, fen in left if fen < amount_fen)
        return (*found, *lacking)


class Knows(Protocol):
    """Who knows about it: the terms of what is asked for, one statement where nothing is special; and how a customer stands with several
    owners, a fixed number."""

    def terms_of(self, asking: Asking, now: datetime) -> Terms: ...

    def standing_at(self, owner_ids: Collection[int], customer_id: int, person_id: int | None, now: datetime) -> Standing: ...


NO_TERMS = Terms()
_AT_HOME = Standing()
_asked: list[Knows] = []


def register(knows: Knows) -> None:
    """The one who knows; the last counts."""
    _asked[:] = [knows]


def terms_of(asking: Asking, now: datetime) -> Terms:
    """The terms on which it is asked for."""
    return _asked[0].terms_of(asking, now) if _asked and asking.owner_id != asking.customer_id else NO_TERMS


def standing_at(owner_ids: Collection[int], customer_id: int, person_id: int | None, now: datetime) -> Mapping[int, Standing]:
    """How the customer, and a person of it, stand with each of the owners; nobody is held to anything by its own organisation."""
    others = {one for one in owner_ids if one != customer_id}
    standing = _asked[0].standing_at(others, customer_id, person_id, now) if _asked and others else _AT_HOME
    return dict.fromkeys(owner_ids, _AT_HOME) | dict.fromkeys(others, standing)
