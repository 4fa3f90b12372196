"""The forms that pages show: found on the pages of the world, filled in, sent where every service refuses, and looked for in the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.db import transaction
from django.urls import resolve
from lxml import html

from config.kernel.errors import Refusal
from config.kernel.services import transactions
from tests.access.asking import OURS, address, client_of
from tests.access.matrix import PAGES, Route
from tests.access.world import World

Entry = tuple[str, str, str]
"""What stands in a form: text, choice or tick; the field's name; what it holds."""

TEXTS = {
    "text": "kept {}",
    "search": "kept {}",
    "tel": "138000000{}",
    "email": "kept{}@example.org",
    "url": "https://example.org/kept{}",
    "number": "{}",
    "date": "2026-12-{}",
    "time": "11:{}",
    "datetime-local": "2026-12-13T11:{}",
    "month": "20{}-12",
}
"""What is typed into the fields of a type; a number of two digits tells them apart."""
GIVEN_ANEW = {("tick", "overwrite", "yes")}
"""A consent to what the page says, which another page may say otherwise."""
FRAME = {"account_logout", "set_language"}
"""Forms of every page."""


@dataclass(frozen=True)
class Shown:
    """A form as somebody was shown it on a page. ``route``: where it is sent, at ``action``."""

    route: str
    action: str
    role: str
    page: str
    element: Any

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """Tells forms of one address apart by their fields."""
        return self.route, frozenset(self.element.fields.keys())


def fields(form: Any) -> Iterator[tuple[str, Any]]:
    """What people fill in: its kind (text, choice, tick) and its element."""
    for one in form.inputs:
        kind = "text" if one.tag == "textarea" else one.get("type", "text") if one.tag == "input" else one.tag
        if not one.name or one.get("readonly") is not None or one.get("disabled") is not None:
            continue
        if kind in TEXTS:
            yield "text", one
        elif kind == "select" and not one.multiple and len(one.value_options) > 1:
            yield "choice", one
        elif kind in {"checkbox", "radio"}:
            yield "tick", one


def entries(form: Any) -> set[Entry]:
    """What stands in a form."""
    return {
        (kind, one.name, (one.value or "").strip() if kind != "tick" else one.get("value", "on"))
        for kind, one in fields(form)
        if kind != "tick" or one.get("checked") is not None
    }


def filled(form: Any) -> tuple[dict[str, list[str]], set[Entry]]:
    """What is sent, and what of it a person entered: other text in each field, the last of each choice, every tick."""
    sent: dict[str, list[str]] = {}
    for name, value in form.form_values():
        sent.setdefault(name, []).append(value)
    entered: dict[tuple[str, str, str], Entry] = {}
    for number, (kind, one) in enumerate(fields(form), start=10):
        if kind == "tick":
            value = one.get("value", "on")
            is_several = one.get("type") == "checkbox"
            sent[one.name] = [*(sent.get(one.name, []) if is_several else []), value]
        elif kind == "choice":
            value = one.value_options[-1]
            is_several, sent[one.name] = False, [value]
        else:
            value = TEXTS[one.get("type", "text") if one.tag == "input" else "text"].format(10 + number % 18)
            is_several, sent[one.name] = False, [value]
        entered[kind, one.name, value if is_several else ""] = (kind, one.name, value)
    return sent, set(entered.values()) - GIVEN_ANEW


def places(world: World, name: str, route: Route) -> Iterator[tuple[str, str]]:
    """The page of everything of its kind that is ours, in whatever state: (name and kind, address)."""
    base = route.kind.partition(":")[0]
    kinds = [kind for kind in world.objects if kind.partition(":")[0] == base] if base else [""]
    length = len(route.params) if base else 0
    for kind in kinds:
        ours = world.objects[kind][0] if base else ()
        if not base or (len(ours) if isinstance(ours, tuple) else 1) == length:
            yield f"{name} {kind}".strip(), address(world, name, replace(route, kind=kind), OURS)


def shown_on(world: World, role: str, url: str) -> list[Shown]:
    """The forms of a page that are posted; none where the page is refused."""
    with transaction.atomic():
        response = client_of(world, role).get(url, headers={"Accept-Language": "en"})
        body = b"" if response.streaming else response.content
        transaction.set_rollback(True)
    if response.status_code != 200 or not body or "text/html" not in response["Content-Type"]:
        return []
    found = []
    for form in html.document_fromstring(body).forms:
        button = next(iter(form.xpath(".//button[@formaction]")), form)
        action = urljoin(url, form.get("action") or button.get("formaction") or form.get("hx-post") or "")
        posts = form.method == "POST" or form.get("hx-post")
        if (
            posts
            and (route := resolve(urlsplit(action).path).view_name) not in FRAME
            and any(kind == "text" for kind, _ in fields(form))
        ):
            found.append(Shown(route, action, role, url, form))
    return found


#: Forms that only choose what the next page shows.
LOOKS_FIRST = frozenset({"account_statement_issue"})


def refuse_everything(patch: pytest.MonkeyPatch) -> None:
    """No service writes: each is refused once it comes to its transaction."""

    def refused(work: Any) -> Any:
        raise Refusal.of("booking.purpose_needed")

    patch.setattr(transactions, "run", refused)


def lost(world: World, shown: Shown) -> set[Entry]:
    """What was entered into a form that was refused, by its own form or by its service, and does not stand in any form of the answer."""
    sent, entered = filled(shown.element)
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        refuse_everything(patch)
        response = client_of(world, shown.role).post(shown.action, sent, headers={"Accept-Language": "en"}, follow=True)
        transaction.set_rollback(True)
    assert response.status_code < 500, (shown.route, response.status_code)
    if response.redirect_chain and shown.route not in LOOKS_FIRST:
        return entered  # a refused form answers in place
    again = html.document_fromstring(response.content).forms if response.content else []
    return entered - {entry for form in again for entry in entries(form)}


def forms_for(
    world: World, role: str, wanted: Collection[str] | None = None
) -> dict[tuple[str, frozenset[str]], tuple[str, Shown]]:
    """The forms that a role is shown on the pages that are wanted (all: None), with the name of the first page of each."""
    found: dict[tuple[str, frozenset[str]], tuple[str, Shown]] = {}
    for name, route in PAGES.items():
        rule = route.methods.get("GET")
        if rule is None or role not in rule.may:
            continue
        for place, url in places(world, name, route):
            if wanted is None or place in wanted:
                for shown in shown_on(world, role, url):
                    found.setdefault(shown.key, (place, shown))
    return found
