"""``make screenshots``: a picture of every page, desktop and phone, in both languages, into ``screenshots/``.

Also regenerates the two pictures of the README. Not a test: pytest only provides the running platform.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import Page

from tests.browser.pages import PAGES, at, demo_instrument
from tests.browser.visitors import LANGUAGES, Visitors

FOLDER = settings.BASE_DIR / "screenshots"
README_PICTURES = settings.BASE_DIR / "docs" / "images"
WIDTHS = (1440, 390)
USUAL_PX = 844
LONGEST_PX = 6000
README_WIDTH = 1280


@pytest.fixture(scope="session")
def folder() -> Path:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    return FOLDER


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures(visitors: Visitors, folder: Path, language: str, width: int) -> None:
    for page in PAGES:
        visitor = visitors.get(page.personas[0], language, width)
        with visitors.site.data():
            path = page.path()
        visitor.open(path)
        name = f"{page.name}.{page.personas[0]}.{language}.{width}.png"
        whole_page(visitor.page, width).screenshot(path=folder / name, animations="disabled")


def whole_page(page: Page, width: int) -> Page:
    """Make the window as high as the page, so that what sticks to its edges is at the edges of the picture."""
    page.set_viewport_size({"width": width, "height": USUAL_PX})
    height = page.evaluate("() => document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(max(height, USUAL_PX), LONGEST_PX)})
    return page


def test_picture_of_the_home_page(visitors: Visitors) -> None:
    visitor = visitors.get("anonymous", "zh-hans", README_WIDTH)
    visitor.open(at("home"))
    keep("home", visitor.page, 860)


def test_picture_of_a_quote(visitors: Visitors) -> None:
    """Three hours from the first free time, chosen as a person does."""
    visitor = visitors.get("researcher", "zh-hans", README_WIDTH)
    with visitors.site.data():
        path = at("instrument_detail", demo_instrument())
    visitor.open(path)
    page = visitor.page
    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        page.locator("#slots a.slot").first.click()
    begins = int(page.locator("#booking-from").input_value().split(":")[0])
    with page.expect_response(lambda response: "/quotes/preview" in response.url):
        page.locator("#booking-to").fill(f"{begins + 3:02d}{page.locator('#booking-from').input_value()[2:]}")
    page.locator("#quote .price-final").wait_for()
    page.evaluate("() => document.activeElement.blur()")
    keep("quote", page, 1260, at="#slots")


def keep(name: str, page: Page, height: int, at: str = "body") -> None:
    """The page from the element ``at`` on as a small picture for the README."""
    page.set_viewport_size({"width": README_WIDTH, "height": height})
    page.locator(at).evaluate("(element) => element.scrollIntoView({ block: 'start', behavior: 'instant' })")
    README_PICTURES.mkdir(parents=True, exist_ok=True)
    README_PICTURES.joinpath(f"{name}.png").write_bytes(small(page.screenshot(animations="disabled")))


def small(picture: bytes) -> bytes:
    """The same picture with 256 colours, which is enough for pages."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
