"""A person without a mouse: only keys are pressed, and where the focus is must be seen at every step."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

_FOCUS = """async () => {
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const marked = [element, element.closest("label"), element.parentElement].filter(Boolean);
  const outlined = (one) => getComputedStyle(one).outlineStyle !== "none" && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
  let ring = marked.some((one) => outlined(one)) || getComputedStyle(element).boxShadow !== "none";
  for (let one = element; one && !ring; one = one.parentElement) ring = outlined(one);  // a card is marked as a whole
  const box = (element.closest("label") && element.getBoundingClientRect().width <= 1 ? element.closest("label") : element)
    .getBoundingClientRect();
  const x = Math.max(0, box.left) + Math.min(box.width, 20) / 2, y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  return {
    what: element.outerHTML.slice(0, 140),
    ring,
    box: [box.left, box.top, box.width, box.height].map(Math.round),
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    covered: top !== null && !marked.some((one) => one === top || one.contains(top) || top.contains(one)),
  };
}"""


LOOKS = 5
"""So often is looked again for a focus that is outside the window, or taken away by following a ``#fragment``."""


class Keyboard:
    """Keys on one page. ``steps`` counts the stops of the focus that were looked at."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def look(self) -> dict[str, Any]:
        """Where the focus is; it must be marked, in the window and not behind something else."""
        focus: dict[str, Any] | None = self.page.evaluate(_FOCUS)
        for _ in range(LOOKS):  # a window that is still being drawn follows the focus a moment later
            if focus is not None and focus["seen"]:
                break
            self.page.wait_for_timeout(100)
            focus = self.page.evaluate(_FOCUS)
        assert focus is not None, f"the focus is nowhere on {self.page.url}"
        assert focus["ring"], f"the focus cannot be seen on {self.page.url}: {focus}"
        assert focus["seen"], f"the focus is outside the window on {self.page.url}: {focus}"
        assert not focus["covered"], f"something covers the focus on {self.page.url}: {focus}"
        self.steps += 1
        return focus

    def tab_to(self, target: Locator, *, most: int = 60, key: str = "Tab") -> None:
        """Press Tab until ``target`` has the focus, looking at every stop on the way."""
        for _ in range(most):
            self.press(key)
            self.look()
            if target.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError(f"{target} is not reached with {most} presses of {key} on {self.page.url}")

    def skip_to_content(self) -> None:
        """The first Tab of a page shows the skip link; Enter leads past the navigation."""
        self.press("Tab")
        assert "skip" in self.look()["what"]
        self.press("Enter")
        assert self.page.evaluate("() => document.activeElement.id") == "content"

    def go(self, target: Locator, *, most: int = 60, key: str = "Enter") -> None:
        """Tab to a link or a button and press it."""
        self.tab_to(target, most=most)
        self.press(key)
