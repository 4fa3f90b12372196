"""The one door to payment providers. Everything behind it can be switched off: bills are paid by bank transfer then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings

from billing.payments.rules.provider import EventHead, SessionFacts


class ProviderError(Exception):
    """The provider did not answer, or refused; ``code`` is ours (``provider.*``). ``for_good``: asking again will not help."""

    def __init__(self, code: str, *, for_good: bool) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


class NotThere(ProviderError):
    """The provider answers and does not know the object: not yet, or not any more."""

    def __init__(self) -> None:
        super().__init__("provider.not_there", for_good=True)


class ForgedEvent(Exception):
    """An event whose signature, age or form does not hold."""


class UnknownObject(Exception):
    """An object of a kind that we do not know how to ask for."""


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """What ``config.env.stripe`` read: the secret key and its mode, the secrets under which events are signed, the account's id, the
    unified code of the institution whose account it is, and another server than the usual (empty: the usual)."""

    key: str
    live: bool
    webhook_secrets: tuple[str, ...]
    account: str
    payee: str
    api_base: str


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What the customer is to pay. ``key`` makes asking again the same asking; ``reference`` is opaque and says nothing of anybody."""

    key: str
    reference: str
    amount_fen: int
    success_url: str
    cancel_url: str


class PaymentProvider(Protocol):
    """Every call may raise ProviderError; none is made inside a transaction."""

    code: str
    live: bool
    account_ref: str

    def start(self, asked: SessionRequest) -> SessionFacts:
        """Ask for a session in which the customer pays."""
        ...

    def expire(self, session_ref: str) -> None:
        """Close a session that nobody has paid."""
        ...

    def fetch(self, session_ref: str) -> SessionFacts:
        """A session with its refunds and disputes, as it is now."""
        ...

    def session_of(self, object_ref: str) -> str:
        """The session to which an object of the provider (session, intent, charge, refund, dispute) belongs; empty: to none.
        Raises UnknownObject."""
        ...

    def refund(self, intent_ref: str, amount_fen: int, key: str) -> None:
        """Ask for money to go back."""
        ...

    def sessions_since(self, since: datetime) -> Iterator[SessionFacts]:
        """Every session that was made since, with its refunds and disputes."""
        ...

    def sessions_back_since(self, since: datetime) -> Iterator[SessionFacts]:
        """Every session, however old, of which a refund or a dispute was made since; each once."""
        ...

    def read_event(self, body: bytes, signature: str, now: datetime) -> EventHead:
        """The head of an event, from its raw body. Raises ForgedEvent."""
        ...


def configured() -> PaymentProvider | None:
    """The provider of this installation; None where payments online are off."""
    if settings.STRIPE is None:
        return None
    from billing.payments.stripe_adapter import StripeProvider  # only here: the library takes a while to load and is rarely on

    return StripeProvider(ProviderConfig(**settings.STRIPE))


def payee_code() -> str:
    """The unified code of the institution whose bills can be paid online; empty where payments online are off."""
    return "" if settings.STRIPE is None else str(settings.STRIPE["payee"])
