"""*search*: text search with facets, and suggestions, in a synthetic country, against the words alone by their index.

Each figure is the 95th percentile over a mix of what people type.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from config.kernel.access import NOBODY
from instruments.models import Instrument
from instruments.queries import search_catalogue
from instruments.queries.suggesting import suggest
from instruments.rules.search_state import CatalogueSearch
from instruments.rules.techniques import techniques
from instruments.services import search_tokens
from tests.bench.harness import Figure, percentile

ROUNDS = 12
GOAL_MS = 100
SUGGEST_GOAL_MS = 40
_TYPED = ("xi", "dian", "XRD", "spectro", "smdz", "microscop", "spectromter", "instrument", "QX-12", "Exam", "li", "plasma")


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured at one size, in ms; ``bare`` is the indexed SQL for the same words without facets."""

    instruments: int
    search: float
    bare: float
    suggest: float
    by_query: dict[str, float]


def measure(instruments: int) -> Size:
    """All timings in the current database, which holds a country."""
    by_query = _timed(queries(timezone.now()))
    words = {name: _bare(search) for name, search in asked_for().items() if search.text}
    typed = _timed({text: lambda text=text: suggest(text) for text in _TYPED})  # type: ignore[misc]
    slowest = {name: percentile(times, 0.95) for name, times in (by_query | typed).items()}
    return Size(instruments, _p95(by_query), _p95(_timed(words)), _p95(typed), slowest)


def figures_of(measured: Size) -> list[Figure]:
    """The table's lines of one size."""
    size = f"{measured.instruments:,} instruments"
    return [
        Figure(f"search with facets, {size}, p95", measured.search, "ms", f"<= {GOAL_MS}", measured.search <= GOAL_MS,
               measured.bare, "the words alone by the index"),
        Figure(f"suggestions, {size}, p95", measured.suggest, "ms", f"<= {SUGGEST_GOAL_MS}", measured.suggest <= SUGGEST_GOAL_MS),
    ]  # fmt: skip


def growth(small: Size, large: Size) -> Figure:
    """How much more a search costs in a country that is so much larger."""
    times = large.instruments / small.instruments
    grown = large.search / small.search
    name = f"search with facets, {small.instruments:,} -> {large.instruments:,} instruments"
    return Figure(name, grown, "times", f"< {times:g} times", grown < times)


def _p95(times: dict[str, list[float]]) -> float:
    return percentile([one for each in times.values() for one in each], 0.95)


def asked_for() -> dict[str, CatalogueSearch]:
    """What people look for: nothing in particular, frequent and rare words, filters, things that are not there."""
    names = [one.zh for one in techniques().values()]
    model = Instrument.objects.order_by("pk").values_list("model", flat=True)[6]
    return {
        "everything": CatalogueSearch(),
        "instruments": CatalogueSearch(kind="instrument"),
        "a class": CatalogueSearch(class_code="01"),
        "a class in a region": CatalogueSearch(class_code="01", region_code="630100"),
        "three filters": CatalogueSearch(class_code="01", region_code="630000", service_mode="assisted"),
        "three common filters": CatalogueSearch(class_code="01", region_code="440000", service_mode="assisted"),
        "free within a week": CatalogueSearch(next_free="7"),
        "a class free within a week": CatalogueSearch(class_code="06", region_code="320000", next_free="7"),
        "by price": CatalogueSearch(class_code="03", sort="price"),
        "frequent word": CatalogueSearch(text="spectroscopy"),
        "frequent word, newest": CatalogueSearch(text="spectroscopy", sort="newest"),
        "abbreviation": CatalogueSearch(text="XRD"),
        "technique and filters": CatalogueSearch(text="XRD", region_code="630000", service_mode="assisted"),
        "Chinese name": CatalogueSearch(text=names[3]),
        "Chinese name and region": CatalogueSearch(text=f"{names[12]}", region_code="110000"),
        "pinyin": CatalogueSearch(text="dianzi"),
        "initials": CatalogueSearch(text="xsxys"),
        "model": CatalogueSearch(text=model),
        "natural words": CatalogueSearch(text="XRD, 3 hours, next week, near Golmud"),
        "what is measured": CatalogueSearch(text="brine, Li and Mg, 12 samples"),
        "owner's name": CatalogueSearch(text="Institute 12"),
        "not there": CatalogueSearch(text="qwertz uiop"),
        "page 20": CatalogueSearch(text="instrument"),
    }


def queries(now: datetime) -> dict[str, Callable[[], object]]:
    return {
        name: lambda search=search, page=20 if name == "page 20" else 1: search_catalogue(NOBODY, search, now, page)  # type: ignore[misc]
        for name, search in asked_for().items()
    }


def _bare(search: CatalogueSearch) -> Callable[[], object]:
    asked = search_tokens.query(search.text)

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, name FROM instruments_catalogueentry WHERE public AND search @@ %s::tsquery"
                " ORDER BY name_pinyin, id LIMIT 24",
                [asked],
            )
            cursor.fetchall()

    return run


def _timed(works: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of each run, after one to warm up; the works take turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for round_number in range(ROUNDS + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if round_number:
                times[name].append((time.perf_counter() - began) * 1000)
    return times
