"""On what terms a customer may book anew at an owner: asked when something is asked for, in one query, behind one door.

What knows about bills, reminders and prepaid money stands above settlement and registers itself here at start-up
(``billing.dunning.services.terms``); without it nobody is held to anything.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from billing.ledger.models import Account
from billing.prepaid.rules.standing import Standing
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
    """Who knows about it: the terms of what is asked for, one statement where nothing is special; and how a customer stands with several
    owners, a fixed number."""

    def terms_of(self, asking: Asking, now: datetime) -> Terms: ...

    def standing_at(self, owner_ids: Collection[int], customer_id: int, person_id: int | None, now: datetime) -> Standing: ...


NO_TERMS = Terms()
_asked: list[Knows] = []


def register(knows: Knows) -> None:
    """The one who knows; the last counts."""
    _asked[:] = [knows]


def terms_of(asking: Asking, now: datetime) -> Terms:
    """The terms on which it is asked for."""
    return _asked[0].terms_of(asking, now) if _asked and asking.owner_id != asking.customer_id else NO_TERMS


def standing_at(owner_ids: Collection[int], customer_id: int, person_id: int | None, now: datetime) -> Standing:
    """How the customer, and a person of it, stand with the owners."""
    others = {one for one in owner_ids if one != customer_id}
    return _asked[0].standing_at(others, customer_id, person_id, now) if _asked and others else Standing(customer_id)
