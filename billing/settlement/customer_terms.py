"""On what terms a customer may book anew at an owner: asked when something is asked for, in one query, behind one door.

What knows about bills, reminders and prepaid money stands above settlement and registers itself here at start-up
(``billing.dunning.services.terms``); without it nobody is held to anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
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


class Knows(Protocol):
    """Who knows about it, one statement each where nothing is special. ``blocked_at``: why a customer books nothing anew, by the owners
    where that is so."""

    def terms_of(self, asking: Asking, now: datetime) -> Terms: ...

    def blocked_at(self, owner_ids: Collection[int], customer_id: int, now: datetime) -> Mapping[int, tuple[Reason, ...]]: ...


NO_TERMS = Terms()
_asked: list[Knows] = []


def register(knows: Knows) -> None:
    """The one who knows; the last counts."""
    _asked[:] = [knows]


def terms_of(asking: Asking, now: datetime) -> Terms:
    """The terms on which it is asked for."""
    return _asked[0].terms_of(asking, now) if _asked and asking.owner_id != asking.customer_id else NO_TERMS


def blocked_at(owner_ids: Collection[int], customer_id: int, now: datetime) -> Mapping[int, tuple[Reason, ...]]:
    """Why the customer books nothing anew, by those of the owners where that is so."""
    others = {one for one in owner_ids if one != customer_id}
    return _asked[0].blocked_at(others, customer_id, now) if _asked and others else {}
