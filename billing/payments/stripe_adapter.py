"""The one door to Stripe, through its own library. Opaque ids only go there; what comes back is put in our words at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

import stripe

from billing.payments.provider import ForgedEvent, NotThere, ProviderConfig, ProviderError, SessionRequest, UnknownObject
from billing.payments.rules.provider import CURRENCY, DisputeFact, EventHead, RefundFact, SessionFacts, SessionState

T = TypeVar("T")
#: How old, and how far ahead of our clock, a signature may be. The library looks at its age alone.
TOLERANCE_SECONDS = 300
_KEY = "jishi_key"
_STATES = {"open": SessionState.OPEN, "expired": SessionState.EXPIRED, "complete": SessionState.OPEN}
_DISPUTES = {"won": "won", "lost": "lost", "warning_closed": "won"}
_PAGE = 100


class StripeProvider:
    """``billing.payments.provider.PaymentProvider`` at Stripe. Settings: ``ProviderConfig``."""

    code = "stripe"

    def __init__(self, config: ProviderConfig) -> None:
        self.live = config.live
        self.account_ref = config.account
        self._secrets = config.webhook_secrets
        bases: Any = {"api": config.api_base} if config.api_base else {}
        self._client = stripe.StripeClient(config.key, base_addresses=bases, max_network_retries=2)

    def start(self, asked: SessionRequest) -> SessionFacts:
        metadata = {_KEY: asked.key}
        price = {"currency": CURRENCY, "unit_amount": asked.amount_fen, "product_data": {"name": asked.reference}}
        params: Any = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "client_reference_id": asked.reference,
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "success_url": asked.success_url,
            "cancel_url": asked.cancel_url,
        }
        found = _asked(lambda: self._client.v1.checkout.sessions.create(params, {"idempotency_key": asked.key}))
        return self._facts(found)

    def expire(self, session_ref: str) -> None:
        _asked(lambda: self._client.v1.checkout.sessions.expire(session_ref))

    def fetch(self, session_ref: str) -> SessionFacts:
        return self._facts(_asked(lambda: self._client.v1.checkout.sessions.retrieve(session_ref)))

    def session_of(self, object_ref: str) -> str:
        if object_ref.startswith("cs_"):
            return object_ref
        session = self._session_paid_by(self._intent_of(object_ref))
        return str(session["id"]) if session is not None else ""

    def refund(self, intent_ref: str, amount_fen: int, key: str) -> None:
        params: Any = {"payment_intent": intent_ref, "amount": amount_fen, "metadata": {_KEY: key}}
        _asked(lambda: self._client.v1.refunds.create(params, {"idempotency_key": key}))

    def sessions_since(self, since: datetime) -> Iterator[SessionFacts]:
        params: Any = {"created": {"gte": int(since.timestamp())}, "limit": _PAGE}
        page = _asked(lambda: self._client.v1.checkout.sessions.list(params))
        for session in _on_every_page(page):
            yield self._facts(session)

    def sessions_back_since(self, since: datetime) -> Iterator[SessionFacts]:
        params: Any = {"created": {"gte": int(since.timestamp())}, "limit": _PAGE}
        pages = (_asked(lambda: self._client.v1.refunds.list(params)), _asked(lambda: self._client.v1.disputes.list(params)))
        intents = {str(_get(each, "payment_intent") or "") for page in pages for each in _on_every_page(page)}
        for intent in sorted(intents):
            session = self._session_paid_by(intent)
            if session is not None:
                yield self._facts(session)

    def read_event(self, body: bytes, signature: str, now: datetime) -> EventHead:
        event = _first_valid(body, signature, self._secrets)
        signed_at = _signed_at(signature)
        if signed_at is None or signed_at > now.timestamp() + TOLERANCE_SECONDS:
            raise ForgedEvent("from the future")
        try:
            return EventHead(
                ref=str(event["id"]),
                kind=str(event["type"]),
                object_ref=str(event["data"]["object"]["id"]),
                account_ref=str(_get(event, "account") or ""),
                live=bool(event["livemode"]),
                happened_at=datetime.fromtimestamp(int(event["created"]), UTC),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ForgedEvent("not an event") from error

    def _intent_of(self, object_ref: str) -> str:
        kind = object_ref.partition("_")[0]
        if kind == "pi":
            return object_ref
        readers: dict[str, Callable[[], Any]] = {
            **dict.fromkeys(("ch", "py"), lambda: self._client.v1.charges.retrieve(object_ref)),
            **dict.fromkeys(("re", "pyr"), lambda: self._client.v1.refunds.retrieve(object_ref)),
            "dp": lambda: self._client.v1.disputes.retrieve(object_ref),
            "du": lambda: self._client.v1.disputes.retrieve(object_ref),
        }
        if kind not in readers:
            raise UnknownObject(kind)
        return str(_get(_asked(readers[kind]), "payment_intent") or "")

    def _session_paid_by(self, intent: str) -> Any:
        """The session that an intent pays, None where it pays none (or none is named)."""
        if not intent:
            return None
        params: Any = {"payment_intent": intent, "limit": 1}
        found = _asked(lambda: self._client.v1.checkout.sessions.list(params)).data
        return found[0] if found else None

    def _facts(self, session: Any) -> SessionFacts:
        paid = session["payment_status"] == "paid"
        intent = str(_get(session, "payment_intent") or "")
        metadata = _get(session, "metadata") or {}
        return SessionFacts(
            session_ref=str(session["id"]),
            key=str(_get(metadata, _KEY) or ""),
            state=SessionState.PAID if paid else _STATES.get(str(_get(session, "status")), SessionState.OPEN),
            amount_fen=int(
                _get(session, "amount_total") or 0
            ),  # a session that only sets a payer up, for others of the account, has none
            currency=str(_get(session, "currency") or ""),
            live=bool(session["livemode"]),
            intent_ref=intent,
            url=str(_get(session, "url") or ""),
            refunds=self._refunds(intent) if paid and intent else (),
            disputes=self._disputes(intent) if paid and intent else (),
            paid_at=self._paid_at(intent) if paid and intent else None,
        )

    def _paid_at(self, intent: str) -> datetime | None:
        """When the charge of an intent that went through was made; a session says only when it was opened."""
        params: Any = {"payment_intent": intent, "limit": _PAGE}
        page = _asked(lambda: self._client.v1.charges.list(params))
        made = [int(each["created"]) for each in _on_every_page(page) if each["status"] == "succeeded"]
        return datetime.fromtimestamp(min(made), UTC) if made else None

    def _refunds(self, intent: str) -> tuple[RefundFact, ...]:
        params: Any = {"payment_intent": intent, "limit": _PAGE}
        page = _asked(lambda: self._client.v1.refunds.list(params))
        found = [
            RefundFact(
                ref=str(each["id"]),
                amount_fen=int(each["amount"]),
                key=str(_get(_get(each, "metadata") or {}, _KEY) or ""),
                done=each["status"] == "succeeded",
                failed=each["status"] in ("failed", "canceled"),
            )
            for each in _on_every_page(page)
        ]
        return tuple(sorted(found, key=lambda one: one.ref))

    def _disputes(self, intent: str) -> tuple[DisputeFact, ...]:
        params: Any = {"payment_intent": intent, "limit": _PAGE}
        page = _asked(lambda: self._client.v1.disputes.list(params))
        return tuple(
            DisputeFact(
                ref=str(each["id"]),
                amount_fen=int(each["amount"]),
                reason=str(each["reason"])[:100],
                state=_DISPUTES.get(str(each["status"]), "open"),
                opened_at=datetime.fromtimestamp(int(each["created"]), UTC),
            )
            for each in _on_every_page(page)
        )


def _get(thing: Any, name: str) -> Any:
    """A field that may be missing, of the library's objects and of plain mappings alike."""
    return thing[name] if name in thing else None  # noqa: SIM401  (the library's objects have no get)


def _asked(call: Callable[[], T]) -> T:
    """An answer of Stripe, or ProviderError with a code of ours."""
    try:
        return call()
    except stripe.IdempotencyError as error:
        raise ProviderError("provider.key_reused", for_good=True) from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        raise ProviderError("provider.unreachable", for_good=False) from error
    except stripe.InvalidRequestError as error:
        if error.http_status == HTTPStatus.NOT_FOUND or error.code == "resource_missing":
            raise NotThere from error
        raise ProviderError("provider.refused", for_good=True) from error
    except stripe.StripeError as error:
        raise ProviderError("provider.unreachable", for_good=False) from error


def _on_every_page(page: Any) -> Iterator[Any]:
    """What is on a page of a list and on those that follow. Turning it is asking, too: raises ProviderError, also where a page comes
    again, for such a list would have no end."""
    last_ids: set[str] = set()
    while page.data:
        yield from page.data
        if not page.has_more:
            return
        last = str(page.data[-1]["id"])
        if last in last_ids:
            raise ProviderError("provider.unreachable", for_good=False)
        last_ids.add(last)
        page = _asked(page.next_page)


def _first_valid(body: bytes, signature: str, secrets: tuple[str, ...]) -> Any:
    """The event, under one of the secrets: two hold while one replaces the other. Raises ForgedEvent."""
    for secret in secrets:
        try:
            return stripe.Webhook.construct_event(body, signature, secret, tolerance=TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
            raise ForgedEvent("unreadable") from error
    raise ForgedEvent("no secret fits")


def _signed_at(signature: str) -> int | None:
    """When it was signed (seconds since 1970), as the header says."""
    for part in signature.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) < 13:
            return int(value)
    return None
