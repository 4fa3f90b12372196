"""Mark-up and scripts in every name, purpose and note: shown as text on every page, run on none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.checks import rendered
from tests.browser.pages import PAGES
from tests.browser.running_site import Site, running
from tests.browser.visitors import Visitors
from tests.databases import CommittedDatabase
from tests.turns import in_turns

CALL = "window.hacked=%d"
SHAPES = (
    "<script>{}</script>",
    "</script><script>{}</script>",
    "</title><script>{}</script>",
    "</textarea><script>{}</script>",
    "<img src=x onerror={}>",
    '"><img src=x onerror="{}">',
    "'><svg onload='{}'>",
    '" autofocus onfocus="{}" x="',
    "' onmouseover='{}' y='",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<details open ontoggle={}>",
    "<iframe srcdoc='<script>parent.{}</script>'>",
    "<a href=javascript:{}>x</a>",
    "javascript:{}",
    "{{{{constructor.constructor('{}')()}}}}",
    "${{{}}}",
    "<style>@import'x'</style><body onload={}>",
    "<math><mtext></table><mglyph><style><img src onerror={}>",
    "<input type=image src=x onerror={}>",
    "<div hx-get=/ hx-trigger=load hx-on::load={}>",
    "<b data-hx-on:click={}>bold</b>",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e",
    "<!--><script>{}</script-->",
    "<noscript><p title='</noscript><img src=x onerror={}>'>",
    "\u202e<script>{}</script>\u202c",
)
PAYLOADS = [shape.format(CALL % number) for number, shape in zip(range(200), cycle(SHAPES), strict=False)]


@pytest.fixture(scope="module")
def hostile(template: CommittedDatabase, home: Path, django_db_blocker: Any) -> Iterator[tuple[Site, list[str]]]:
    """A platform whose every free text is one of the payloads, and the paths of ``PAGES`` in it."""
    with running(template, "hostile", home, django_db_blocker, worker=False) as site:
        with site.data():
            paths = [page.path() for page in PAGES]
            poison()
        yield site, paths


def poison() -> None:
    from booking.models import Reservation
    from instruments.models import Instrument, JoinRequest, Organisation, User
    from instruments.models import Site as Place

    fields: dict[Any, tuple[str, ...]] = {
        Instrument: ("name", "name_en", "description", "description_en", "model", "manufacturer", "contact_name"),
        Organisation: ("name", "name_en", "address", "bank_name"),
        Place: ("name", "name_en", "address"),
        User: ("full_name",),
        JoinRequest: ("note",),
        Reservation: ("purpose", "research_project"),
    }
    supply = cycle(PAYLOADS)
    for model, names in fields.items():
        rows = list(model.objects.order_by("pk"))
        for row in rows:
            for name in names:
                longest = model._meta.get_field(name).max_length
                payload = next(each for each in supply if longest is None or len(each) <= longest)
                if getattr(row, name) or name != "name_en":
                    setattr(row, name, payload)
        model.objects.bulk_update(rows, names, batch_size=200)


TURNS = 16


@pytest.mark.parametrize("turn", in_turns(range(TURNS), TURNS))
def test_no_page_runs_what_stands_in_a_name(chromium: Browser, hostile: tuple[Site, list[str]], turn: int) -> None:
    """Every sixteenth page in ``make test``, the others in ``make proof``."""
    site, paths = hostile
    visitors = Visitors(chromium, site)
    shown: set[str] = set()
    try:
        for page, path in list(zip(PAGES, paths, strict=True))[turn::TURNS]:
            visitor = visitors.get(page.personas[0], "en")
            visitor.page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
            visitor.open(path)
            rendered(visitor, "en")
            assert visitor.page.evaluate("() => window.hacked ?? null") is None, path
            text = visitor.page.locator("body").inner_text()
            shown |= {payload for payload in PAYLOADS if payload in text}
    finally:
        visitors.close()
    assert len(shown) > 50, "hardly a payload was seen; the pages do not show what was poisoned"


def test_a_script_that_ran_would_be_seen(chromium: Browser, hostile: tuple[Site, list[str]]) -> None:
    """The control: the same check on a page that does run one."""
    visitors = Visitors(chromium, hostile[0])
    visitor = visitors.get("anonymous", "en")
    visitor.open("/")
    visitor.page.evaluate(f"() => {{ {CALL % 7} }}")
    assert visitor.page.evaluate("() => window.hacked ?? null") == 7
    visitor.page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=8\">') }")
    visitor.page.wait_for_timeout(200)
    assert visitor.page.evaluate("() => window.hacked") == 7, "the content security policy lets inline handlers run"
    assert any("Content Security Policy" in fault for fault in visitor.faults.found)
    visitors.close()
