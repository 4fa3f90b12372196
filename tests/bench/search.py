"""*search*: text search with facets, and suggestions, over a catalogue of 1,500, 15,000 and (``--large``) 150,000 instruments.

The catalogue is filled by plain SQL with names, classes, regions and models in a realistic spread (a few names are very frequent), and
made by the same rebuild that operators run. Each figure is the 95th percentile over a mix of what people type.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from config.kernel.access import NOBODY
from instruments.models import Instrument
from instruments.queries import search_catalogue
from instruments.queries.suggesting import suggest
from instruments.rules.search_state import CatalogueSearch
from instruments.rules.techniques import techniques
from instruments.services import catalogue, search_tokens, vocabulary
from tests.bench.harness import NOW, Figure, percentile

SIZES = (1_500, 15_000)
LARGE = 150_000
ROUNDS = 12
GOAL_MS = 100
SUGGEST_GOAL_MS = 40
BATCH = 5_000
_TYPED = ("xi", "dian", "XRD", "spectro", "smdz", "microscop", "spectromter", "analyser", "QX-12", "Inst", "li", "plasma")


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured at one size, in ms; ``bare`` is the indexed SQL for the same words without facets."""

    instruments: int
    search: float
    bare: float
    suggest: float
    filled_s: float
    by_query: dict[str, float]


def figures(sizes: Sequence[int] = SIZES) -> list[Figure]:
    """Fill up to each size in turn and measure there; the growth compares the last size with the first."""
    measured = [measure(size) for size in sizes]
    found = []
    for one in measured:
        name = f"search with facets, {one.instruments:,} instruments, p95"
        goal = f"<= {GOAL_MS} ms"
        found.append(Figure(name, one.search, "ms", goal, one.search <= GOAL_MS, one.bare, "the words alone by the index"))
        name = f"suggestions, {one.instruments:,} instruments, p95"
        found.append(Figure(name, one.suggest, "ms", f"<= {SUGGEST_GOAL_MS} ms", one.suggest <= SUGGEST_GOAL_MS))
    if len(measured) > 1:
        first, last = measured[0], measured[-1]
        times = last.instruments / first.instruments
        growth = last.search / first.search
        name = f"search, growth from {first.instruments:,} to {last.instruments:,}"
        found.append(Figure(name, growth, "x", f"< {times:g}x", growth < times))
    return found


def measure(instruments: int) -> Size:
    """Fill up to a size, rebuild, and measure."""
    began = time.perf_counter()
    fill(instruments)
    catalogue.rebuild(NOW)
    vocabulary.rebuild_vocabulary()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE instruments_catalogueentry")
        cursor.execute("VACUUM ANALYZE instruments_searchterm")
    filled_s = time.perf_counter() - began
    asked = queries()
    by_query = {name: percentile(times, 0.95) for name, times in _timed(asked).items()}
    every = [one for times in _timed(asked).values() for one in times]
    words = {name: _bare(search) for name, search in asked_for().items() if search.text}
    bare = [one for times in _timed(words).values() for one in times]
    typed = _timed({text: lambda text=text: suggest(text) for text in _TYPED})  # type: ignore[misc]
    suggested = [one for times in typed.values() for one in times]
    by_query |= {f"suggest {name}": percentile(times, 0.95) for name, times in typed.items()}
    return Size(instruments, percentile(every, 0.95), percentile(bare, 0.95), percentile(suggested, 0.95), filled_s, by_query)


def asked_for() -> dict[str, CatalogueSearch]:
    """What people look for: nothing in particular, frequent and rare words, filters, things that are not there."""
    names = [one.zh for one in techniques().values()]
    model = _model(7)
    return {
        "everything": CatalogueSearch(),
        "instruments": CatalogueSearch(kind="instrument"),
        "a class": CatalogueSearch(class_code="01"),
        "a class in a region": CatalogueSearch(class_code="01", region_code="630100"),
        "three filters": CatalogueSearch(class_code="01", region_code="630000", service_mode="assisted"),
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
        "page 20": CatalogueSearch(text="analyser"),
    }


def queries() -> dict[str, Callable[[], object]]:
    return {
        name: lambda search=search, page=20 if name == "page 20" else 1: search_catalogue(NOBODY, search, NOW, page)  # type: ignore[misc]
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


# --- Filling ----------------------------------------------------------------------------------------------------------
def fill(upto: int) -> None:
    """Instruments numbered up to ``upto``, with owners (one in a hundred) and places; those that are there stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM instruments_instrument")
        (there,) = cursor.fetchone()
        for start in range(there, upto, BATCH):
            rows = [_row(number) for number in range(start, min(start + BATCH, upto))]
            owners = sorted({row["owner"] for row in rows})
            cursor.execute(_OWNERS, [json.dumps([{"number": number, "region": _region(number)} for number in owners])])
            columns = [column for column in _defaults() if column != "id"]
            sql = _INSTRUMENTS.format(columns=", ".join(columns), values=", ".join(f"one.{column}" for column in columns))
            cursor.execute(sql, {"rows": json.dumps([_defaults() | row for row in rows]), "now": NOW})
        cursor.execute("ANALYZE")


def _defaults() -> dict[str, Any]:
    """A value for every column of an instrument."""
    empty = {field.column: None if field.null else field.get_default() for field in Instrument._meta.fields}
    return empty | {"created_at": NOW.isoformat(), "updated_at": NOW.isoformat()}


def _row(number: int) -> dict[str, Any]:
    dice = random.Random(number)
    names = _names()
    frequent = min(int(dice.paretovariate(0.6)) - 1, len(names) - 1)
    zh, en, technique, code = names[frequent if dice.random() < 0.7 else dice.randrange(len(names))]
    own = "" if dice.random() < 0.4 else f" {_model(dice.randrange(10_000))}"
    return {
        "owner": min(int(dice.paretovariate(0.5)), 5 + number // 100),
        "number": number,
        "name": zh + own,
        "name_en": en + own,
        "class_code": code,
        "model": _model(number % 4000),
        "technique": technique,
        "inner_id": f"B-{number}",
        "service_modes": sorted(dice.sample(["self_operated", "assisted", "commissioned", "remote"], 1 + number % 3)),
        "status": "under_repair" if number % 40 == 0 else "normal",
        "training_needed": number % 5 == 0,
        "open": number % 3 > 0,
    }


def _names() -> list[tuple[str, str, str, str]]:
    """Chinese and English name, technique and class code: of the shipped techniques and of the demo's instruments."""
    if not _KEPT:
        path = settings.BASE_DIR / "config" / "demo" / "data" / "instruments.json"
        demo = json.loads(path.read_text(encoding="utf-8"))
        _KEPT.extend((one["zh"], one["en"], one["technique"], one["code"]) for one in demo)
        for place, one in enumerate(techniques().values()):
            _KEPT.append((one.zh, f"{one.en} analyser", one.aliases[0] if one.aliases else "", f"{place % 15 + 1:02d}"))
    return _KEPT


_KEPT: list[tuple[str, str, str, str]] = []


def _model(number: int) -> str:
    return f"{'QXZJMA'[number % 6]}{'XLRT'[number % 4]}-{number * 37 % 9973}"


def _region(number: int) -> str:
    return ("630104", "632801", "110108", "310115", "440305", "510107", "630102", "420111", "610113", "320102")[number % 10]


_OWNERS = """
WITH wanted AS (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS w(number int, region text)),
made AS (
    INSERT INTO instruments_organisation (kind, status, name, name_en, name_key, name_pinyin, owner_class, region_code, policy_zones,
                                          quality_grade, address, bank_name, bank_account_name, bank_account_number, created_at,
                                          verified_at)
    SELECT 'owner', 'verified', 'Bench Institute ' || number, 'Bench Institute ' || number, 'bench ' || number, 'bench ' || number, '',
           region, '[]', '', '', '', '', '', now(), now()
      FROM wanted WHERE NOT EXISTS (SELECT 1 FROM instruments_organisation o WHERE o.name_key = 'bench ' || number)
    RETURNING id, region_code)
INSERT INTO instruments_site (organisation_id, name, name_en, time_zone, region_code, address)
SELECT id, 'Campus', 'Campus', 'Asia/Shanghai', region_code, '' FROM made"""

_INSTRUMENTS = """
WITH wanted AS (SELECT (row ->> 'owner')::int AS owner, (row ->> 'number')::int AS number, (row ->> 'open')::bool AS open, row
                  FROM jsonb_array_elements(%(rows)s::jsonb) AS row),
calendars AS (
    INSERT INTO schedule_calendar (name, slug) SELECT 'bench', 'bench-' || number FROM wanted RETURNING id, slug),
events AS (
    INSERT INTO schedule_event (calendar_id, title, description, color_event, start, "end", created_on, updated_on)
    SELECT c.id, 'opening', '', '', %(now)s, %(now)s, now(), now() FROM calendars c JOIN wanted w ON c.slug = 'bench-' || w.number
     WHERE w.open RETURNING id, calendar_id),
entries AS (
    INSERT INTO instruments_calendarentry (event_id, calendar_id, kind, time_zone, reason, priority, audiences, season_name)
    SELECT id, calendar_id, 'opening', 'Asia/Shanghai', '', 9, '[]', '' FROM events),
instruments AS (
    INSERT INTO instruments_instrument ({columns})
    SELECT {values}
      FROM wanted w
      JOIN calendars c ON c.slug = 'bench-' || w.number
      JOIN instruments_organisation o ON o.name_key = 'bench ' || w.owner
      JOIN instruments_site s ON s.organisation_id = o.id
     CROSS JOIN LATERAL jsonb_populate_record(NULL::instruments_instrument, w.row || jsonb_build_object(
           'organisation_id', o.id, 'site_id', s.id, 'calendar_id', c.id)) AS one
    RETURNING id)
INSERT INTO billing_priceversion (instrument_id, effective_from, document, published_at)
SELECT id, '2025-01-01', jsonb_build_object('rates', jsonb_build_object('firm_sme', (40 + id %% 1500)::text)), %(now)s
  FROM instruments WHERE id %% 5 > 0"""
