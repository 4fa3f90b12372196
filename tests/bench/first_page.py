"""*page*: the first page of results in a synthetic country, in Chromium: what its scripts weigh and when its largest part is painted.

Server and browser share the cores. Every visit is one of a new visitor, whose browser has nothing in its cache. Half of the visits are
as fast as is said, or faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from gzip import compress
from statistics import median

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import databases
from tests.bench.harness import Figure, percentile
from tests.browser.chromium import ARGUMENTS, WHOLE, installed
from tests.concurrency.harness import serving
from tests.databases import CommittedDatabase

VISITS = 20
#: Address and what a row of its results is.
PAGES = {
    "search": ("/search/?q=spectroscopy", ".finds h3"),
    "find a time": ("/find-a-time/?hours=3&technique=jishi:sem&region_code=440000", ".time-row h3"),
}
MOST_PAINT_MS, MOST_SCRIPT_KB = 1_000, 150
_PAINT = """() => new Promise((told) => new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime))
  .observe({type: "largest-contentful-paint", buffered: true}))"""


def figures(name: str, instruments: int) -> list[Figure]:
    """For each page of the country in the database ``name``; two server processes."""
    found: list[Figure] = []
    with serving(CommittedDatabase(name, databases.own_host()), workers=2) as server, _chromium() as browser:
        for page, (path, row) in PAGES.items():
            found += _figures_of(page, instruments, *_visited(browser, f"http://127.0.0.1:{server.port}{path}", row))
    return found


def _figures_of(page: str, instruments: int, painted: list[float], scripts: float) -> list[Figure]:
    paint, clock = median(painted), percentile(painted, 0.95)
    size = f"{instruments:,} instruments"
    return [
        Figure(
            f"{page}, largest paint, {size}, half of the visits",
            paint,
            "ms",
            f"<= {MOST_PAINT_MS:,}",
            paint <= MOST_PAINT_MS,
            clock=clock,
        ),
        Figure(f"{page}, scripts, gzipped, {size}", scripts, "kB", f"<= {MOST_SCRIPT_KB}", scripts <= MOST_SCRIPT_KB),
    ]


def _visited(browser: Browser, address: str, row: str) -> tuple[list[float], float]:
    """When the largest part was painted (ms) on each visit but the first, and all scripts of one visit together (kB)."""
    painted: list[float] = []
    scripts = 0.0
    for _ in range(VISITS + 1):
        context = browser.new_context(locale="zh-CN")
        page = context.new_page()
        loaded: list[bytes] = []
        page.on("response", lambda one, loaded=loaded: loaded.append(one.body()) if _is_script(one.url) else None)  # type: ignore[misc]
        answer = page.goto(address, wait_until="load")
        assert answer is not None and answer.status == 200, answer
        assert page.locator(row).count(), f"no results at {address}"
        painted.append(page.evaluate(_PAINT))
        scripts = sum(len(compress(body)) for body in loaded) / 1000
        context.close()
    return painted[1:], scripts


def _is_script(url: str) -> bool:
    return url.split("?")[0].endswith(".js")


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = installed(WHOLE)  # what people have
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
