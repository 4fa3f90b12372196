"""The checks of ``checks`` find what they are for: each once on a page that was broken on purpose."""

from __future__ import annotations

import pytest

from tests.browser.checks import FRAME, accessible, fits, overflow, rendered, violations
from tests.browser.pages import at
from tests.browser.visitors import Visitor, Visitors


@pytest.fixture
def visitor(visitors: Visitors) -> Visitor:
    return visitors.fresh("anonymous", "en")


def test_a_page_without_its_stylesheet_is_not_taken_for_accessible(visitor: Visitor) -> None:
    visitor.context.route("**/*.css", lambda route: route.abort())
    visitor.open(at("home"))
    with pytest.raises(AssertionError):
        rendered(visitor, "en")


def test_a_page_without_its_script_is_found(visitor: Visitor) -> None:
    visitor.context.route("**/assets/main*.js", lambda route: route.fulfill(status=404, body=""))
    visitor.open(at("home"))
    with pytest.raises(AssertionError, match="script"):
        rendered(visitor, "en")


def test_a_picture_that_is_missing_is_found(visitor: Visitor) -> None:
    visitor.open(at("home"))
    visitor.page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<img alt=\"\" src=\"/static/nothing.png\">')")
    visitor.page.wait_for_timeout(200)
    with pytest.raises(AssertionError, match="404"):
        rendered(visitor, "en")


def test_a_request_to_another_host_is_found(visitor: Visitor) -> None:
    visitor.open(at("home"))
    visitor.page.evaluate("() => fetch('https://example.org/').catch(() => {})")
    visitor.page.wait_for_timeout(200)
    assert any("foreign request" in fault or "Content Security Policy" in fault for fault in visitor.faults.found)


@pytest.mark.parametrize(
    ("markup", "rule"),
    [
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "image-alt"),
        ('<button style=""></button>', "button-name"),
        ('<input id="nameless">', "label"),
        ('<p id="faint">Hardly there</p>', "color-contrast"),
    ],
)
def test_a_violation_is_found(visitor: Visitor, markup: str, rule: str) -> None:
    visitor.open(at("home"))
    assert violations(visitor.page) == []
    visitor.page.evaluate("(markup) => document.querySelector('main').insertAdjacentHTML('beforeend', markup)", markup)
    visitor.page.evaluate("() => document.getElementById('faint')?.style.setProperty('color', '#e8eeee')")
    with pytest.raises(AssertionError, match=rule):
        accessible(visitor.page, without=FRAME)


def test_what_is_wrong_with_the_frame_is_found_where_it_is_looked_at(visitor: Visitor) -> None:
    visitor.open(at("home"))
    visitor.page.evaluate("() => document.querySelector('.site-head').insertAdjacentHTML('beforeend', '<input>')")
    accessible(visitor.page, without=FRAME)
    with pytest.raises(AssertionError, match="label"):
        accessible(visitor.page)


def test_targets_that_are_too_small_are_found(visitor: Visitor) -> None:
    visitor.open(at("home"))
    visitor.page.evaluate(
        """() => {
          const main = document.querySelector("main");
          main.insertAdjacentHTML("beforeend", "<div id=tiny><button>a</button><button>b</button><button>c</button></div>");
          document.querySelectorAll("#tiny button").forEach((button) => Object.assign(button.style,
            {all: "unset", display: "inline-block", width: "12px", height: "12px", fontSize: "9px"}));
        }"""
    )
    with pytest.raises(AssertionError, match="target-size"):
        accessible(visitor.page)


def test_what_sticks_out_is_found(visitor: Visitor) -> None:
    visitor.open(at("home"))
    fits(visitor.page, 390)
    visitor.page.evaluate("() => document.querySelector('main').insertAdjacentHTML('beforeend', '<div id=wide>wide</div>')")
    visitor.page.evaluate("() => document.getElementById('wide').style.setProperty('width', '2000px')")
    assert "wide" in " ".join(overflow(visitor.page))
    with pytest.raises(AssertionError, match="2000"):
        fits(visitor.page, 390)
