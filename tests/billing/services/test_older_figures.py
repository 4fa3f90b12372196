"""Figures that an older version let wait side by side: the newest stays open, the others say what took their place."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from billing.subsidy import figures
from billing.subsidy.figure_models import CapFigure
from tests.billing.services.test_cap_figures import left_open, setting

pytestmark = pytest.mark.django_db
Publish = Callable[[dict[str, Any]], Any]
FIGURES: str = import_module("billing.migrations.0293_one_figure_waits").FIGURES


def older(cast: Any, version: Any, cap: str, year: int | None, fen: int, who: str) -> CapFigure:
    """As they were kept before."""
    return CapFigure.objects.create(
        version=version, cap_id=cap, year=year, limit_fen=fen, reason="Notice", asked_by=cast.users[who], asked_at=cast.now,
        counts_for=f"{CapFigure.objects.count()}",
    )  # fmt: skip


def test_the_newest_of_each_figure_stays_open_and_nothing_is_lost(cast: Any, publish: Publish) -> None:
    document = left_open()
    clause = document["caps"][0]["clause"]
    document["caps"].append(
        {
            "id": "fund",
            "per": "pool",
            "limit": {"configured": True, "when_unset": "no_limit"},
            "when_short": "partial",
            "clause": clause,
        }
    )
    version = publish(document)
    done = setting(cast, version, 9_00)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX cap_figure_one_waits")
    kept = [older(cast, version, "open", 2026, fen, who) for fen, who in ((50_00, "qian"), (60_00, "chen"), (70_00, "sun"))]
    other = [older(cast, version, "open", 2025, 1_00, "qian"), older(cast, version, "fund", None, 2_00, "qian")]
    with connection.cursor() as cursor:
        cursor.execute(FIGURES)
        cursor.execute("CREATE UNIQUE INDEX ON billing_capfigure (counts_for) WHERE state = 'asked'")
    states = {row.limit_fen: (row.state, row.decided_by_id) for row in CapFigure.objects.all()}
    sun = cast.users["sun"].pk
    assert states == {
        9_00: ("set", done.decided_by_id),
        50_00: ("refused", sun),
        60_00: ("refused", sun),
        70_00: ("asked", None),
        1_00: ("asked", None),
        2_00: ("asked", None),
    }
    assert "newer proposal" in CapFigure.objects.get(pk=kept[0].pk).answer
    for row in [done, *kept, *other]:
        row.refresh_from_db()
        assert row.counts_for == figures.counts_for(version, figures.cap_of(version, row.cap_id), row.year)
