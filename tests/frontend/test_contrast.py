"""The palette of ``tokens.css``: every pair of text and ground that the components use is readable, light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "frontend" / "assets" / "css" / "tokens.css"
TEXT_PAIRS = [
    ("text", "page"),
    ("text", "surface"),
    ("text", "sunken"),
    ("text-soft", "page"),
    ("text-soft", "surface"),
    ("text-soft", "sunken"),
    ("link", "page"),
    ("link", "surface"),
    ("link", "sunken"),
    ("primary-hover", "surface"),
    ("primary-hover", "sunken"),
    ("on-primary", "primary"),
    ("on-primary", "primary-hover"),
    ("on-primary-soft", "primary-soft"),
    ("accent", "surface"),
    ("accent", "page"),
    ("on-accent-soft", "accent-soft"),
    ("good", "surface"),
    ("good", "page"),
    ("on-good-soft", "good-soft"),
    ("on-warn-soft", "warn-soft"),
    ("bad", "surface"),
    ("bad", "page"),
    ("on-bad", "bad"),
    ("on-bad", "bad-hover"),
    ("on-bad-soft", "bad-soft"),
    ("on-calm-soft", "calm-soft"),
    ("on-hero", "hero-from"),
    ("on-hero", "hero-to"),
    ("on-hero-soft", "hero-from"),
    ("on-hero-soft", "hero-to"),
]
EDGE_PAIRS = [("line-strong", "surface"), ("focus", "page"), ("focus", "surface"), ("primary", "sunken")]


def palette(theme: str) -> dict[str, str]:
    """The colours of a theme by token name."""
    css = TOKENS.read_text(encoding="utf-8")
    block = re.search(r'\[data-bs-theme="' + theme + r'"\] \{(.*?)\n\}', css, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block.group(1)))


def luminance(colour: str) -> float:
    channels = [int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio."""
    lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(theme: str, text: str, ground: str) -> None:
    colours = palette(theme)
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_that_carry_meaning_stand_out(theme: str, edge: str, ground: str) -> None:
    colours = palette(theme)
    assert contrast(colours[edge], colours[ground]) >= 3


def test_the_measure_itself_knows_bad_pairs() -> None:
    assert contrast("#777777", "#ffffff") < 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
