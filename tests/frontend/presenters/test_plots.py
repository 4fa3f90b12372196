"""Plots: what stands below them is whole, also at the edges."""

from __future__ import annotations

import pytest

from frontend.presenters.plots import WIDTH, bar_plot, line_plot

HALF_A_MONTH = 7 * 12 // 2
"""Seven letters of 20 px, in units of the picture."""


@pytest.mark.parametrize("count", [1, 2, 6, 12, 36])
def test_months_below_a_plot_are_whole_and_stand_apart(count: int) -> None:
    labels = [f"2026-{place + 1:02d}" for place in range(count)]
    for plot in (line_plot("Spent", labels, [("As tried", list(range(count)))]), bar_plot("Spent", labels, list(range(count)))):
        places = [mark.place for mark in plot.marks]
        assert min(places) >= HALF_A_MONTH and max(places) <= WIDTH - HALF_A_MONTH
        assert places == sorted(places) and len(set(places)) == len(places)
