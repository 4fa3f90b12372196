"""The forms that pages show: found on the pages of the world, filled in, sent where every service refuses, and looked for in the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.paginator import Paginator
from django.db import transaction
from django.urls import resolve
from lxml import html

from config.kernel.errors import Refusal
from config.kernel.services import transactions
from frontend import once
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
    """A form as somebody was shown it on a page. ``route``: where it is sent, at ``action``; ``paged``: the page has a list in pages."""

    route: str
    action: str
    role: str
    page: str
    element: Any
    paged: bool = False

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


def filled(form: Any, *, sums: bool = False) -> tuple[dict[str, list[str]], set[Entry]]:
    """What is sent, and what of it a person entered: other text in each field, the last of each choice, every tick; the first of
    its buttons is pressed. ``sums``: a number where one is asked for, else text everywhere."""
    sent: dict[str, list[str]] = {}
    for name, value in form.form_values():
        sent.setdefault(name, []).append(value)
    for pressed in form.xpath("(.//button[@name][not(@type) or @type='submit'][not(@disabled)])[1]"):
        sent.setdefault(pressed.get("name"), []).append(pressed.get("value", ""))
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
            kind_of = one.get("type", "text") if one.tag == "input" else "text"
            kind_of = "number" if sums and one.get("inputmode") in {"decimal", "numeric"} else kind_of
            value = TEXTS[kind_of].format(10 + number % 18)
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


def page_of(world: World, role: str, url: str) -> tuple[Any, bool]:
    """The page, None where it is refused or none; and whether anything on it is shown in pages."""
    asked: list[Paginator] = []
    get_page = Paginator.get_page
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Paginator, "get_page", lambda self, number: asked.append(self) or get_page(self, number))
        response = client_of(world, role).get(url, headers={"Accept-Language": "en"})
        body = b"" if response.streaming else response.content
        transaction.set_rollback(True)
    if response.status_code != 200 or not body or "text/html" not in response["Content-Type"]:
        return None, False
    return html.document_fromstring(body), bool(asked)


def shown_on(page: Any, role: str, url: str, paged: bool = False) -> list[Shown]:
    """The forms of a page that are posted."""
    found = []
    for form in page.forms:
        button = next(iter(form.xpath(".//button[@formaction]")), form)
        action = urljoin(url, form.get("action") or button.get("formaction") or form.get("hx-post") or "")
        posts = form.method == "POST" or form.get("hx-post")
        if posts and (route := view_of(action)) not in FRAME:
            found.append(Shown(route, action, role, url, form, paged))
    return found


@cache
def _named(path: str) -> str:
    return resolve(path).view_name


def view_of(address: str) -> str:
    """The name of the page at an address of ours."""
    return _named(urlsplit(address).path)


def is_opened(name: str) -> bool:
    """Whether a page can be looked at: its address does not only take forms."""
    return name not in PAGES or "GET" in PAGES[name].methods


def astray(page: Any, shown: Shown) -> set[str]:
    """What leads nowhere on the page that a refused form answers with: to addresses that only take forms, where one looks, and to the
    form's own, where another form is sent without saying where. The choice of a language leads back to where it was made."""
    looked: list[str] = [one.get("href") for one in page.xpath("//a[@href]")]
    looked += [one.get("hx-get") for one in page.xpath("//*[@hx-get]")]
    looked += [one.value for one in page.xpath("//form[contains(@action, 'language')]//input[@name='next']")]
    sent = []
    for form in page.forms:
        buttons = form.xpath(".//button[not(@type) or @type='submit'][not(@disabled)]")
        says = form.get("action") or form.get("hx-post") or all(one.get("formaction") for one in buttons)
        if form.method == "GET" and not form.get("hx-get"):
            looked.append(form.get("action") or "")
        elif not says and not is_opened(shown.route):
            sent.append("a form without an address")
    places = {
        one: urljoin(shown.action, one) for one in set(looked) if not one.startswith(("#", "mailto:", "tel:", "http", "data:"))
    }
    return {one for one, place in places.items() if not is_opened(view_of(place))} | set(sent)


#: Forms that only choose what the next page shows, where they are whole.
LOOKS_FIRST = frozenset({"bill_credit", "quotation_create", "quotation_edit"})


def refuse_everything(patch: pytest.MonkeyPatch, asked: list[bool]) -> None:
    """No service writes: each is refused once it comes to its transaction, which is noted."""

    def refused(work: Any) -> Any:
        asked.append(True)
        raise Refusal.of("booking.purpose_needed")

    patch.setattr(transactions, "run", refused)
    patch.setattr(once, "key_of", lambda _request: "")  # whether the form was sent before is not what is refused here


@dataclass(frozen=True)
class Answer:
    """What came of a form that was refused. ``lost``: what was entered and stands in no form of the answer; ``astray``: what leads
    nowhere there; ``by_service``: a service refused it and not its own form; ``at``: the pages of lists that are shown."""

    lost: set[Entry]
    astray: set[str]
    by_service: bool
    at: tuple[str, ...]


def refused(world: World, shown: Shown, *, sums: bool = False) -> Answer:
    """What comes of a form that is filled in (``sums``: as ``filled`` has it) and refused, by its own form or by its service."""
    sent, entered = filled(shown.element, sums=sums)
    asked: list[bool] = []
    headers = {"Accept-Language": "en", "Referer": f"http://testserver{shown.page}"}
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        refuse_everything(patch, asked)
        response = client_of(world, shown.role).post(shown.action, sent, headers=headers)
        transaction.set_rollback(True)
    assert response.status_code < 500, (shown.route, response.status_code)
    if response.status_code == 302 and shown.route in LOOKS_FIRST:
        response = client_of(world, shown.role).get(response["Location"], headers=headers)
    elif (response.status_code < 400 and shown.route not in LOOKS_FIRST) or response.status_code == 405:
        return Answer(entered, set(), bool(asked), ())  # a refused form answers in place
    page = html.document_fromstring(response.content)
    stands = {entry for form in page.forms for entry in entries(form)}
    return Answer(entered - stands, astray(page, shown), bool(asked), shown_pages(page))


def shown_pages(page: Any) -> tuple[str, ...]:
    """Which page of each list is shown."""
    return tuple(one.text_content().strip() for one in page.xpath("//ul[@class='pages']//*[@aria-current='page']"))


def beyond(world: World, shown: Shown) -> Iterator[tuple[Shown, tuple[str, ...]]]:
    """The forms of the second page of each list on the page of a form, when each page has one row; with the pages that are shown."""
    first, _paged = page_of(world, shown.role, shown.page)
    known = {each.action for each in shown_on(first, shown.role, shown.page)}
    for link in first.xpath("//ul[@class='pages']//a[@rel='next']/@href"):
        url = urljoin(shown.page, link)
        page, _paged = page_of(world, shown.role, url)
        for each in shown_on(page, shown.role, url):
            if each.action.partition("?")[0] not in {one.partition("?")[0] for one in known}:
                yield each, shown_pages(page)


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
                page, paged = page_of(world, role, url)
                for shown in shown_on(page, role, url, paged) if page is not None else ():
                    found.setdefault(shown.key, (place, shown))
    return found
