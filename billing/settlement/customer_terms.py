"""On what terms a customer may book anew at an owner: asked when something is asked for, in one query, behind one door.

What knows about bills, reminders and prepaid money stands above settlement and registers itself here at start-up
(``billing.dunning.services.terms``); without it nobody is held to anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

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


NO_TERMS = Terms()
_asked: list[Callable[[Asking, datetime], Terms]] = []


def register(terms_of: Callable[[Asking, datetime], Terms]) -> None:
    """The one who knows; the last counts."""
    _asked[:] = [terms_of]


def terms_of(asking: Asking, now: datetime) -> Terms:
    """The terms on which it is asked for."""
    return _asked[0](asking, now) if _asked and asking.owner_id != asking.customer_id else NO_TERMS
