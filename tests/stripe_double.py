"""A payment service of our own on loopback that speaks Stripe's API as its library does: form encoding, idempotency keys, lists by page,
signed events. It keeps its state, can lose an answer, lets time go by (``later``: seconds), and never leaves this process.

What the tests do *at* it (a customer pays, a bank disputes) are methods; what the library asks arrives over HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe._http_client import HTTPClient

ACCOUNT = "acct_double1"
SECRETS = ("whsec_" + "a" * 32, "whsec_" + "b" * 32)
KEY = "sk_test_" + "k" * 24


class Double:
    """The service. ``url``: where the library finds it; ``calls``: (method, path, form) of every request."""

    def __init__(self) -> None:
        self._pauses = HTTPClient.INITIAL_DELAY, HTTPClient.MAX_DELAY
        HTTPClient.INITIAL_DELAY = HTTPClient.MAX_DELAY = 0  # the library asks as often again as ever, only at once
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.answered: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.lose_answers = 0
        self.later = 0
        self.down = False
        self._ids = count(1)
        self._lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        HTTPClient.INITIAL_DELAY, HTTPClient.MAX_DELAY = self._pauses

    # --- What happens at the service -----------------------------------------------------------------------------------
    def pay(self, session_id: str) -> None:
        """The customer pays; three events follow."""
        session = self.sessions[session_id]
        assert session["status"] == "open"
        intent, charge = self._id("pi"), self._id("ch")
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent, "url": None}
        self.charges[charge] = {
            "id": charge, "object": "charge", "payment_intent": intent, "amount": session["amount_total"], "status": "succeeded",
            "created": self._time(),
        }  # fmt: skip
        self.event("checkout.session.completed", session)
        self.event("payment_intent.succeeded", {"id": intent, "object": "payment_intent"})
        self.event("charge.succeeded", self.charges[charge])

    def refund(
        self, intent: str, amount: int, metadata: dict[str, str] | None = None, status: str = "succeeded"
    ) -> dict[str, Any]:
        refund = {
            "id": self._id("re"), "object": "refund", "amount": amount, "payment_intent": intent, "status": status,
            "metadata": metadata or {}, "created": self._time(),
        }  # fmt: skip
        self.refunds[refund["id"]] = refund
        self.event("charge.refunded", self.charge_of(intent))
        return refund

    def dispute(self, intent: str, amount: int, status: str = "needs_response") -> dict[str, Any]:
        dispute = {
            "id": self._id("dp"), "object": "dispute", "amount": amount, "payment_intent": intent, "status": status,
            "reason": "fraudulent", "created": self._time(),
        }  # fmt: skip
        self.disputes[dispute["id"]] = dispute
        self.event("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, status: str) -> None:
        self.disputes[dispute_id]["status"] = status
        self.event("charge.dispute.closed", self.disputes[dispute_id])

    def charge_of(self, intent: str) -> dict[str, Any]:
        return next(each for each in self.charges.values() if each["payment_intent"] == intent)

    def event(self, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        event = {
            "id": self._id("evt"), "object": "event", "type": kind, "livemode": False, "created": self._time(),
            "data": {"object": json.loads(json.dumps(thing))},
        }  # fmt: skip
        self.events.append(event)
        return event

    # --- What the library asks -----------------------------------------------------------------------------------------
    def answer(self, method: str, path: str, form: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.calls.append((method, path, form))
            if self.down:
                return 503, _error("api_error", "down")
            if method == "POST" and key:
                mark = hashlib.sha256(json.dumps([path, form], sort_keys=True).encode()).hexdigest()
                if key in self.answered:
                    before, status, body = self.answered[key]
                    return (status, body) if before == mark else (400, _error("idempotency_error", "other parameters"))
                status, body = self._do(method, path, form)
                self.answered[key] = (mark, status, json.loads(json.dumps(body)))
                return status, body
            return self._do(method, path, form)

    def _do(self, method: str, path: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        place = path.removeprefix("/v1/")
        if method == "POST" and place == "checkout/sessions":
            return 200, self._new_session(form)
        if method == "POST" and (found := re.fullmatch(r"checkout/sessions/(\w+)/expire", place)):
            session = self.sessions.get(found[1])
            if session is None or session["status"] != "open":
                return 400, _error("invalid_request_error", "not open")
            session |= {"status": "expired", "url": None}
            return 200, session
        if method == "POST" and place == "refunds":
            return self._new_refund(form)
        tables = {"checkout/sessions": self.sessions, "refunds": self.refunds, "disputes": self.disputes, "charges": self.charges}
        for name, table in tables.items():
            if place == name:
                return 200, _page(name, list(table.values()), form)
            if place.startswith(f"{name}/"):
                thing = table.get(place.removeprefix(f"{name}/"))
                return (200, thing) if thing else (404, _error("invalid_request_error", "No such object"))
        return 404, _error("invalid_request_error", f"no route {path}")

    def _new_session(self, form: dict[str, Any]) -> dict[str, Any]:
        item = form["line_items"]["0"]
        amount = int(item["quantity"]) * int(item["price_data"]["unit_amount"])
        made = self._id("cs_test")
        session = {
            "id": made, "object": "checkout.session", "status": "open", "payment_status": "unpaid", "payment_intent": None,
            "amount_total": amount, "currency": item["price_data"]["currency"], "livemode": False, "created": self._time(),
            "metadata": form["metadata"], "client_reference_id": form["client_reference_id"], "url": f"{self.url}/pay/{made}",
        }  # fmt: skip
        self.sessions[made] = session
        return session

    def _new_refund(self, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        intent, amount = form["payment_intent"], int(form["amount"])
        paid = next((each["amount_total"] for each in self.sessions.values() if each["payment_intent"] == intent), 0)
        gone = sum(each["amount"] for each in self.refunds.values() if each["payment_intent"] == intent)
        if amount > paid - gone:
            return 400, _error("invalid_request_error", "more than is left")
        return 200, self.refund(intent, amount, form.get("metadata"))

    def _time(self) -> int:
        """When something that happens now is made, as the service says it."""
        return int(time.time()) + self.later

    def _id(self, letters: str) -> str:
        return f"{letters}_{next(self._ids):08d}"


def _page(name: str, rows: list[dict[str, Any]], form: dict[str, Any]) -> dict[str, Any]:
    """A list, the newest first, as the service pages it."""
    if "payment_intent" in form:
        rows = [each for each in rows if each["payment_intent"] == form["payment_intent"]]
    if "created" in form:
        rows = [each for each in rows if each["created"] >= int(form["created"]["gte"])]
    rows = rows[::-1]
    if "starting_after" in form:
        rows = rows[[each["id"] for each in rows].index(form["starting_after"]) + 1 :]
    limit = int(form.get("limit", 10))
    return {"object": "list", "url": f"/v1/{name}", "has_more": len(rows) > limit, "data": rows[:limit]}


def _error(kind: str, words: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": words}}


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[0][b]=1`` as the library encodes it."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = re.findall(r"[^\[\]]+", name)
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together: the second of two would wait 40 ms until the first is acknowledged

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            assert self.headers["Authorization"] == f"Bearer {KEY}"
            parts = urlsplit(self.path)
            form = nested(parse_qsl(body or parts.query, keep_blank_values=True))
            key = self.headers.get("Idempotency-Key", "")
            status, answer = double.answer(self.command, parts.path, form, key)
            if double.lose_answers and self.command == "POST":
                double.lose_answers -= 1
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815  (as the library calls them)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def signed(event: dict[str, Any], secret: str = SECRETS[0], at: int | None = None) -> tuple[bytes, str]:
    """The raw body of an event and its signature header."""
    body, at = json.dumps(event).encode(), int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={at},v1={mac}"
