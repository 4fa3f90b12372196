"""Which browser is driven: Debian's Chromium. Its headless shell, of the same sources, draws the same pages without what a desktop needs,
in two thirds of the time; it comes first where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

WHOLE = ("chromium", "chromium-browser")
NAMES = ("chromium-headless-shell", *WHOLE)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What a page runs, checks included, is over before optimising it would pay.
    "--js-flags=--no-turbofan,--no-maglev",
]


class NoBrowser(RuntimeError):
    """Says what to install."""


def installed(names: Sequence[str] = NAMES) -> str:
    """The path of the first of the browsers that is there. Raises `NoBrowser`."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise NoBrowser("Chromium is not installed (Debian: apt-get install chromium).")
