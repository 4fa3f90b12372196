"""Plots as SVG, made on the server: every plot stands beside a table with its figures, so that nobody needs to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from frontend import display

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 12, 12, 32, 30
_LABELS = 7
"""So many words fit below a plot."""
_HALF_A_WORD = 44
"""A month below a plot reaches so far to each side on a phone, where its letters are largest beside the picture."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``number`` chooses its colour and its dashes."""

    label: str
    number: int
    points: str
    ends_at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    number: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on an axis."""

    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """``title`` says in one sentence what is to be seen. ``limit_y`` is the height of a limit, None without one."""

    title: str
    lines: Sequence[Line]
    bars: Sequence[Bar]
    marks: Sequence[Mark]
    top_text: str
    limit_y: int | None
    limit_text: str
    baseline: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def line_plot(
    title: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[int]]],
    limit_fen: int | None = None,
    limit_text: str = "",
) -> Plot:
    """Amounts (fen) over the places of ``labels``; a limit that lies far above everything is left out of the picture."""
    largest = max([1, *(value for _name, values in series for value in values)])
    shown = limit_fen if limit_fen is not None and limit_fen <= 4 * largest else None
    top = max(largest, shown or 0)
    lines = []
    for number, (name, values) in enumerate(series):
        places = [(_x(place, len(values)), _y(value, top)) for place, value in enumerate(values)]
        lines.append(Line(name, number, " ".join(f"{x},{y}" for x, y in places), places[-1] if places else (0, 0)))
    limit_y = _y(shown, top) if shown is not None else None
    return Plot(title, lines, (), _marks(labels), display.yuan(top), limit_y, limit_text)


def bar_plot(title: str, labels: Sequence[str], values: Sequence[int]) -> Plot:
    """Amounts (fen) as bars."""
    top = max([1, *values])
    step = (WIDTH - _LEFT - _RIGHT) // max(1, len(values))
    bars = [
        Bar(0, _LEFT + place * step + step // 8, _y(value, top), max(1, step * 3 // 4), HEIGHT - _BOTTOM - _y(value, top))
        for place, value in enumerate(values)
    ]
    marks = [Mark(_within(_LEFT + place * step + step // 2), text) for place, text in _some(labels)]
    return Plot(title, (), bars, marks, display.yuan(top), None, "")


def _marks(labels: Sequence[str]) -> list[Mark]:
    return [Mark(_within(_x(place, len(labels))), text) for place, text in _some(labels)]


def _within(x: int) -> int:
    """So that a word around it is whole."""
    return min(max(x, _HALF_A_WORD), WIDTH - _HALF_A_WORD)


def _some(labels: Sequence[str]) -> list[tuple[int, str]]:
    every = -(-len(labels) // _LABELS) if labels else 1
    return [(place, text) for place, text in enumerate(labels) if place % every == 0]


def _x(place: int, count: int) -> int:
    span = WIDTH - _LEFT - _RIGHT - 40
    return _LEFT + 20 + (span * place // (count - 1) if count > 1 else span // 2)


def _y(value: int, top: int) -> int:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * max(0, value) // top
