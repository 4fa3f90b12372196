"""How long a person's hands and eyes would take for what a script did in the browser.

Keystroke-level model (Card, Moran, Newell: *The keystroke-level model for user performance time*, CACM 23/7, 1980) over the events that
the page really got, and a flat time for reading each page that was opened. What the machine took is added by the clock: a script's own
hands take no time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext

THINK_S, POINT_S, PRESS_S, KEY_S, HOME_S = 1.35, 1.1, 0.2, 0.28, 0.4
"""Deciding on a step, pointing at a thing, the mouse's button down and up, one key of an average typist, a hand between keys and mouse."""
READ_S = 10.0
"""Looking over a page that has newly come."""

_LISTEN = """(() => {
  const typed = new WeakMap();
  const tell = (kind, size) => window.jishiHands && window.jishiHands(kind, size);
  const reloaded = () => performance.getEntriesByType("navigation")[0].type === "reload";  // waiting, not reading
  document.addEventListener("DOMContentLoaded", () => window === window.top && !reloaded() && tell("page", 0));
  document.addEventListener("click", (event) => event.isTrusted && tell("click", 0), true);
  document.addEventListener("change", (event) => {
    const one = event.target;
    if (one.tagName === "SELECT") return tell("choice", 0);
    if (one.type === "file") return tell("choice", 0);
    if ("value" in one && !["checkbox", "radio"].includes(one.type)) {
      const before = typed.get(one) || 0;
      typed.set(one, one.value.length);
      tell("typed", Math.max(1, one.value.length - before));
    }
  }, true);
})()"""


@dataclass
class Hands:
    """What people did since ``part`` was last named: by part and kind, how often, and how many keys."""

    part: str = ""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def watch(self, context: BrowserContext) -> None:
        """Count what happens on the pages of ``context`` from now on."""
        context.expose_binding("jishiHands", lambda _source, kind, size: self._note(kind, size))
        context.add_init_script(_LISTEN)

    def _note(self, kind: str, size: int) -> None:
        counts = self.counts.setdefault(self.part, {})
        counts[kind] = counts.get(kind, 0) + 1
        counts["keys"] = counts.get("keys", 0) + size

    def seconds(self, part: str) -> float:
        """What a person would take for the steps of one part, without waiting for the machine."""
        counts = self.counts.get(part, {})
        pointed = POINT_S + PRESS_S
        return (
            counts.get("page", 0) * READ_S
            + counts.get("click", 0) * (THINK_S + pointed)
            + counts.get("choice", 0) * (THINK_S + 2 * pointed)
            + counts.get("typed", 0) * (THINK_S + pointed + 2 * HOME_S)
            + counts.get("keys", 0) * KEY_S
        )
