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

from tests.browser.pages import PAGES, Shown
from tests.browser.visitors import LANGUAGES, Visitors

FOLDER = settings.BASE_DIR / "screenshots"
README_PICTURES = settings.BASE_DIR / "docs" / "images"
WIDTHS = (1440, 390)
LONGEST_PX = 6000
README_SIZE = (1280, 860)
README = {"home": ("home", ""), "quote": ("instrument_detail", "quote")}


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
        visitor.open(path_of(visitors, page))
        height = min(visitor.page.evaluate("() => document.documentElement.scrollHeight"), LONGEST_PX)
        name = f"{page.name}.{page.personas[0]}.{language}.{width}.png"
        clip = {"x": 0, "y": 0, "width": width, "height": max(height, 600)}
        visitor.page.screenshot(path=folder / name, full_page=True, clip=clip, animations="disabled")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", README)
def test_pictures_of_the_readme(visitors: Visitors, name: str) -> None:
    route, variant = README[name]
    shown = next(page for page in PAGES if (page.route, page.variant) == (route, variant))
    persona = "anonymous" if name == "home" else "researcher"
    visitor = visitors.get(persona, "zh-hans", README_SIZE[0])
    visitor.open(path_of(visitors, shown))
    README_PICTURES.mkdir(parents=True, exist_ok=True)
    README_PICTURES.joinpath(f"{name}.png").write_bytes(small(taken(visitor.page)))


def path_of(visitors: Visitors, page: Shown) -> str:
    with visitors.site.data():
        return page.path()


def taken(page: Page) -> bytes:
    page.set_viewport_size({"width": README_SIZE[0], "height": README_SIZE[1]})
    return page.screenshot(animations="disabled")


def small(picture: bytes) -> bytes:
    """The same picture with 256 colours, which is enough for pages."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
