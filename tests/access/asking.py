"""Sending every request of the matrix, one after the other, and undoing each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.access.matrix import Route, Rule
from tests.access.world import MISSING, World

HANDLER = ClientHandler(enforce_csrf_checks=False)
"""Of every browser here: one stack of middleware serves all people, as it does in a serving process."""
OURS, THEIRS, ABSENT = "ours", "theirs", "missing"


def all_routes() -> dict[str, URLPattern]:
    """Every named address by its name; an address without a name is found as ``UNNAMED <pattern>``."""
    return dict(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], space: str, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        if isinstance(each, URLResolver):
            inner = f"{space}{each.namespace}:" if each.namespace else space
            yield from _walk(each.url_patterns, inner, prefix + str(each.pattern))
        else:
            yield (space + each.name if each.name else f"{space}UNNAMED {prefix}{each.pattern}"), each


@dataclass(frozen=True)
class Answer:
    """What came back. ``login``: a redirect to the log-in."""

    status: int
    body: bytes
    headers: str
    login: bool

    def holds(self, word: str) -> bool:
        return word.encode() in self.body or word in self.headers


def client_of(world: World, role: str) -> Client:
    """A browser of that person, logged in when the world was built."""
    client = Client(raise_request_exception=False)
    client.handler = HANDLER
    if role in world.sessions:
        client.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[role]
    return client


def ask(
    world: World, role: str, method: str, url: str, body: dict[str, Any], *, as_json: bool = False, fragment: bool = False
) -> Answer:
    """One request of one person, whose effects are undone."""
    headers = {"Idempotency-Key": "matrix", "Accept-Language": "en", **({"HX-Request": "true"} if fragment else {})}
    with transaction.atomic():
        client = client_of(world, role)
        if as_json and method != "GET":
            response = client.generic(method, url, json.dumps(body), content_type="application/json", headers=headers)
        elif method == "GET":
            response = client.get(url, headers=headers)
        else:
            response = client.post(url, body, headers=headers)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        transaction.set_rollback(True)
    location = response.headers.get("Location", "") + response.headers.get("HX-Redirect", "")
    login = response.status_code in {302, 204} and "/accounts/login/" in location
    return Answer(response.status_code, content, str(response.headers), login)


def address(world: World, name: str, route: Route, target: str) -> str:
    """The route's address for our object, for theirs, or for one that is not there."""
    values = dict(route.extra)
    if route.kind:
        values |= dict(zip(route.params, _ids(world, route, target), strict=True))
    opening = "starts_at=2026-11-25T00:00:00%2B08:00&ends_at=2026-11-26T00:00:00%2B08:00"
    places = {
        "opening": opening,
        "instrument": world.cast.xrd.pk,
        "version": world.versions["DEMO-QH-V"].pk,
        "payee": world.cast.lab.pk,
    }
    return reverse(name, kwargs=values) + route.query.format(**places)


def _ids(world: World, route: Route, target: str) -> tuple[Any, ...]:
    ours, theirs = world.objects[route.kind]
    found = {OURS: ours, THEIRS: theirs, ABSENT: _missing(ours)}[target]
    return found if isinstance(found, tuple) else (found,)


def _missing(like: Any) -> Any:
    if isinstance(like, tuple):
        return tuple(_missing(each) for each in like)
    return MISSING if isinstance(like, int) else "no-such-thing"


def fault(rule: Rule, route: Route, role: str, target: str, answer: Answer, *, is_api: bool) -> str:
    """What is wrong with the answer, or nothing."""
    may = {OURS: rule.may, THEIRS: rule.may_theirs, ABSENT: frozenset()}[target] if route.kind else rule.may
    if answer.status >= 500 and answer.status not in rule.ok:
        return f"broke with {answer.status}"
    if role in may:
        return "" if answer.status in rule.ok and not answer.login else f"was refused with {answer.status}{_login(answer)}"
    if role == "anonymous" and not rule.public and "anonymous" not in rule.may | rule.may_theirs:
        fine = answer.status == 401 if is_api else answer.login
        return "" if fine else f"was not asked to log in but got {answer.status}"
    if answer.login:
        return "was sent to the log-in"
    expected = _refusal(rule, route, role, target)
    return "" if answer.status == expected else f"got {answer.status} instead of {expected}"


def _refusal(rule: Rule, route: Route, role: str, target: str) -> int:
    if not route.kind or (rule.role_first and role not in rule.may | rule.may_theirs):
        return 403
    sees = {OURS: route.sees[0], THEIRS: route.sees[1], ABSENT: frozenset()}[target]
    return 403 if role in sees else 404


def _login(answer: Answer) -> str:
    return " (log-in)" if answer.login else ""
