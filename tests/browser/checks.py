"""What every page must pass, in this order: it is really there, it is accessible, nothing sticks out to the side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from playwright.sync_api import Page, Response

from tests.browser.visitors import AXE, DOCUMENT_LANGUAGES, Visitor

WCAG_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGE_COLOURS = {"light": "rgb(244, 247, 247)", "dark": "rgb(11, 23, 28)"}
"""The token --page of each theme, as the browser computes it: the stylesheet has arrived and is ours."""

_STATE = """() => {
  const heading = document.querySelector("h1");
  const style = getComputedStyle(document.body);
  const root = document.documentElement;
  return {
    lang: root.lang,
    title: document.title,
    headings: document.querySelectorAll("h1").length,
    heading: heading ? heading.innerText.trim() : "",
    colour: style.backgroundColor,
    height: heading ? heading.getBoundingClientRect().height : 0,
    mains: document.querySelectorAll("main").length,
    words: document.querySelector("main")?.innerText.length ?? 0,
  };
}"""

# Style sheets are not fetched once more: of the rules that apply none reads them.
_AXE = """async ([tags, contrast, sizes, within, without]) => {
  const result = await axe.run({include: [[within || "html"]], exclude: without.map((part) => [part])}, {
    runOnly: {type: "tag", values: tags},
    rules: {"target-size": {enabled: sizes}, "color-contrast": {enabled: contrast}},
    resultTypes: ["violations"],
    preload: {assets: ["media"]},
  });
  return result.violations.flatMap((violation) => violation.nodes.map((node) =>
    `${violation.id} (${violation.impact}): ${violation.help}\\n    ${node.target.join(" ")}\\n    ${node.html.slice(0, 240)}\\n    ` +
    [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ")));
}"""

_OVERFLOW = """async () => {
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  const root = document.documentElement, width = root.clientWidth;
  if (root.scrollWidth <= width) return [];
  const within = (element) => {
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement)
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(one).overflowX)) return true;
    return false;
  };
  const wide = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && box.right > width + 1 && !within(element);
  });
  return [`${root.scrollWidth} px of content on ${width} px`, ...wide.slice(0, 6).map((element) => element.outerHTML.slice(0, 160))];
}"""


def rendered(visitor: Visitor, language: str, theme: str | None = "light") -> None:
    """The sentinel: a page whose styles or scripts never came must not pass for accessible. ``theme`` None: forced colours."""
    visitor.page.wait_for_load_state("load")  # a key may have led to another page a moment ago
    state = visitor.page.evaluate(_STATE)
    assert state["lang"] == DOCUMENT_LANGUAGES[language], state
    assert state["headings"] == 1 and state["heading"] and state["height"] > 10, state
    assert state["mains"] == 1 and state["words"] > 9, state
    assert state["title"].strip(" ·") and not state["title"].startswith(" ·"), state
    if theme is not None:
        assert state["colour"] == PAGE_COLOURS[theme], state
    assert visitor.page.evaluate("() => typeof window.htmx") == "object", "our script has not run"
    assert visitor.faults.found == [], "\n".join(visitor.faults.found)


def guarded(response: Response) -> None:
    """The headers that keep a page's scripts and frames ours."""
    headers = response.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy, policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@cache
def axe() -> str:
    """The checker's script, whose value is nothing: it goes only into pages that are checked, not into all that a journey passes."""
    return AXE.read_text() + "\n;undefined;"


FRAME = (".site-head", ".site-foot")
"""What is the same on all pages of a person."""


def violations(
    page: Page, *, contrast: bool = True, sizes: bool = True, within: str = "", without: Sequence[str] = ()
) -> list[str]:
    """What axe finds against WCAG 2.0 to 2.2, A and AA, on the page or within an element of it, or on the page ``without`` some.

    Without ``contrast`` where the person's own colours replace ours: axe reads the styles, not what is painted. ``sizes``: of targets.
    These two rules look at where everything stands and take as long as all the others.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe())
    found: list[str] = page.evaluate(_AXE, [WCAG_TAGS, contrast, sizes, within, list(without)])
    return found


def accessible(page: Page, *, contrast: bool = True, sizes: bool = True, within: str = "", without: Sequence[str] = ()) -> None:
    found = violations(page, contrast=contrast, sizes=sizes, within=within, without=without)
    assert not found, f"{len(found)} violations on {page.url}\n" + "\n".join(found)


def content_accessible(page: Page) -> None:
    """The same for what a journey has made of a page: its frame is that of all pages of the person (``test_every_page``)."""
    accessible(page, without=FRAME)


def overflow(page: Page) -> list[str]:
    """What sticks out to the right of the window; empty when nothing can be scrolled sideways."""
    found: list[str] = page.evaluate(_OVERFLOW)
    return found


def settled_overflow(page: Page) -> list[str]:
    """As ``overflow``, once everything has come to rest after the window changed its width."""
    for _ in range(5):
        found = overflow(page)
        if not found:
            return []
        page.wait_for_timeout(60)
    return found


def fits(page: Page, *widths: int) -> None:
    """Nothing sticks out at any of the widths; afterwards the window is as before."""
    before = page.viewport_size
    assert before is not None
    try:
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            found = settled_overflow(page)
            assert not found, f"{page.url} at {width} px: " + "\n".join(found)
    finally:
        page.set_viewport_size(before)
