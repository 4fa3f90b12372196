"""*search*: text search with facets, and suggestions, in a synthetic country, against the words alone by their index.

Each figure is the 95th percentile over a mix of what people type.
"""

from __future__ import annotations

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
from tests.bench.harness import Figure, Took, percentile, took

ROUNDS = 12
GOAL_MS = 100
SUGGEST_GOAL_MS = 40
_TYPED = ("xi", "dian", "XRD", "spectro", "smdz", "microscop", "spectromter", "instrument", "QX-12", "Exam", "li", "plasma")


Runs = dict[str, list[Took]]


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured at one size, by what was asked for; ``bare`` is the indexed SQL for the same words without facets."""

    instruments: int
    search: Runs
    bare: Runs
    suggest: Runs


def measure(instruments: int) -> Size:
    """All timings in the current database, which holds a country."""
    words = {name: _bare(search) for name, search in asked_for().items() if search.text}
    typed = {text: lambda text=text: suggest(text) for text in _TYPED}  # type: ignore[misc]
    return Size(instruments, _in_turns(queries(timezone.now())), _in_turns(words), _in_turns(typed))


def figures_of(measured: Size) -> list[Figure]:
    """The table's lines of one size."""
    size = f"{measured.instruments:,} instruments"
    search, suggestions = p95_ms(measured.search), p95_ms(measured.suggest)
    return [
        Figure(f"search with facets, {size}, p95", search, "ms", f"<= {GOAL_MS}", search <= GOAL_MS, p95_ms(measured.bare),
               "the words alone by the index", p95_ms(measured.search, "clock")),
        Figure(f"suggestions, {size}, p95", suggestions, "ms", f"<= {SUGGEST_GOAL_MS}", suggestions <= SUGGEST_GOAL_MS,
               clock=p95_ms(measured.suggest, "clock")),
    ]  # fmt: skip


def growth(small: Size, large: Size) -> Figure:
    """How much more a search costs in a country that is so much larger."""
    times = large.instruments / small.instruments
    grown = p95_ms(large.search) / p95_ms(small.search)
    name = f"search with facets, {small.instruments:,} -> {large.instruments:,} instruments"
    return Figure(name, grown, "times", f"< {times:g} times", grown < times)


def p95_ms(runs: Runs, which: str = "server") -> float:
    """Over all that was asked for."""
    return percentile([getattr(one, which) for each in runs.values() for one in each], 0.95) * 1000


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


def _in_turns(works: dict[str, Callable[[], Any]]) -> Runs:
    """What each run took, after one to warm up."""
    runs: Runs = {name: [] for name in works}
    for round_number in range(ROUNDS + 1):
        for name, work in works.items():
            one = took(work)
            if round_number:
                runs[name].append(one)
    return runs
