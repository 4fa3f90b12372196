"""Every page, per role, in both languages: really rendered, no WCAG A or AA violation, nothing sticks out on a phone.

``make test`` makes one visit of each page by whom it is made for, languages in turn, and important pages in one manner or another, in
turn too. ``make proof`` makes all the others: further roles, the other language, every manner of every important page.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Response

from tests.browser import pages
from tests.browser.checks import FRAME, accessible, fits, guarded, rendered
from tests.browser.pages import BEYOND_ROUTES, NOT_PAGES, PAGES, Shown
from tests.browser.visitors import LANGUAGES, SIDES, Visitor, Visitors

SAMPLE = [page for page in PAGES if page.important]
USUAL = "light"
MANNERS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "forced-colours": {"forced_colors": "active"},
    "phone": {"width": 320},
    "dark-phone": {"color_scheme": "dark", "width": 390},
}


def manner_of(page: Shown) -> str:
    """In which manner ``make test`` visits a page: the important ones take turns."""
    return (USUAL, *MANNERS)[SAMPLE.index(page) % (1 + len(MANNERS))] if page.important else USUAL


def languages_of(page: Shown, persona: str) -> tuple[str, ...]:
    """The first of each side reads a page in both languages, since customers, labs and offices are shown other things on it; for the
    others of a side it differs by its frame, so they read it in one, in turn."""
    first = next(one for one in page.personas if SIDES[one] == SIDES[persona])
    return LANGUAGES if persona == first else (LANGUAGES[(page.personas.index(persona) + PAGES.index(page)) % 2],)


def is_made_always(page: Shown, persona: str, language: str) -> bool:
    """Whether a visit in the usual manner belongs to ``make test``."""
    return persona == page.personas[0] and language == LANGUAGES[PAGES.index(page) % 2] and manner_of(page) == USUAL


def marks(always: bool) -> tuple[pytest.MarkDecorator, ...]:
    return () if always else (pytest.mark.proof,)


VISITS = [
    pytest.param(
        page,
        persona,
        language,
        id=f"{page.name}-{persona}-{language}",
        marks=marks(is_made_always(page, persona, language)),
    )
    for persona in dict.fromkeys(persona for page in PAGES for persona in page.personas)
    for language in LANGUAGES
    for page in PAGES
    if persona in page.personas and language in languages_of(page, persona)
]
IN_A_MANNER = [
    pytest.param(page, manner, id=f"{page.name}-{manner}", marks=marks(manner_of(page) == manner))
    for manner in MANNERS
    for page in sorted(SAMPLE, key=lambda page: (page.personas[0], PAGES.index(page) % 2))
]
_paths: dict[Shown, str] = {}
_framed: set[tuple[str, str]] = set()


def go(visitor: Visitor, page: Shown) -> Response:
    """Open the page; a redirect to somewhere else is not the page, unless it is known to lead on."""
    if page not in _paths:
        with visitor.site.data():
            _paths[page] = page.path()
    response = visitor.open(_paths[page])
    assert response.status == page.status, f"{_paths[page]} answers {response.status}"
    arrived = visitor.page.url.removeprefix(visitor.site.address)
    if page.leads_on:
        assert arrived != _paths[page] and resolve(urlsplit(arrived).path).view_name == page.route
    else:
        assert arrived == _paths[page]
    return response


def known_frame(page: Shown, persona: str, language: str) -> tuple[str, ...]:
    """What of a page was looked at on another one before: ``make test`` looks at the frame of a person once in each language."""
    if not is_made_always(page, persona, language) or (persona, language) not in _framed:
        _framed.add((persona, language))
        return ()
    return FRAME


def is_measured(page: Shown, frame: tuple[str, ...]) -> bool:
    """Whether contrast and the sizes of targets, which the style sheet settles for most pages at once, are looked at in the usual manner:
    on each third page, wherever the frame is looked at too, and so in all visits of ``make proof``."""
    return PAGES.index(page) % 3 == 0 or not frame


def test_the_frame_of_a_person_is_looked_at_first_and_in_every_visit_of_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "_framed", set())
    visits = [visit.values for visit in VISITS]
    usual = next(visit for visit in visits if is_made_always(*visit))
    further = next(visit for visit in visits if not is_made_always(*visit))
    assert known_frame(*usual) == () and known_frame(*usual) == FRAME
    assert known_frame(*further) == () and known_frame(*further) == ()
    assert all(is_measured(page, ()) for page in PAGES)
    assert 3 * sum(is_measured(page, FRAME) for page in PAGES) >= len(PAGES)


def test_every_route_is_a_page_or_said_not_to_be_one() -> None:
    known = Counter([*{page.route for page in PAGES} - BEYOND_ROUTES, *NOT_PAGES])
    found = set(pages.routes())
    assert found - set(known) == set(), "add these to PAGES or NOT_PAGES of tests/browser/pages.py"
    assert set(known) - found == set(), "these routes are gone"
    assert [route for route, times in known.items() if times > 1] == []


def test_each_side_of_a_page_is_read_in_both_languages() -> None:
    read: dict[tuple[str, str], set[str]] = {}
    for page in PAGES:
        for persona in page.personas:
            read.setdefault((page.name, SIDES[persona]), set()).update(languages_of(page, persona))
    assert [side for side, languages in read.items() if languages != set(LANGUAGES)] == []


def test_every_page_is_visited_whenever_the_tests_run() -> None:
    assert Counter(visit.values[0] for visit in (*VISITS, *IN_A_MANNER) if not visit.marks) == Counter(PAGES)
    assert {visit.values[1] for visit in IN_A_MANNER if not visit.marks} == set(MANNERS)


def test_a_forgotten_route_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(NOT_PAGES, "statement_retry")
    with pytest.raises(AssertionError, match="statement_retry"):
        test_every_route_is_a_page_or_said_not_to_be_one()


@pytest.mark.parametrize(("page", "persona", "language"), VISITS)
def test_a_page_is_there_and_accessible(visitors: Visitors, page: Shown, persona: str, language: str) -> None:
    visitor = visitors.get(persona, language)
    guarded(go(visitor, page))
    rendered(visitor, language)
    frame = known_frame(page, persona, language)
    measured = is_measured(page, frame)
    accessible(visitor.page, contrast=measured, sizes=measured, without=frame)
    if persona == page.personas[0]:
        fits(visitor.page, *((320,) if is_made_always(page, persona, language) else (390, 320)))


@pytest.mark.parametrize(("page", "manner"), IN_A_MANNER)
def test_an_important_page_in_another_manner(visitors: Visitors, page: Shown, manner: str) -> None:
    language = LANGUAGES[PAGES.index(page) % 2]
    visitor = visitors.get(page.personas[0], language, **MANNERS[manner])
    guarded(go(visitor, page))
    rendered(visitor, language, {"dark": "dark", "dark-phone": "dark", "phone": "light"}.get(manner))
    accessible(visitor.page, contrast=manner != "forced-colours")
    fits(visitor.page, 320)
