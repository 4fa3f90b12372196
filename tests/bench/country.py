"""A synthetic country of each size (``manage.py make_nation``) to measure *find*, *search* and *page* in, each in a database of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from tests import databases
from tests.bench import first_page, keeping, nation, search, whole_pages
from tests.bench.harness import Figure, took

DATABASE = "jishi_bench_nation"


@dataclass(frozen=True, slots=True)
class Country:
    """Its size: reservations are spread over so many days."""

    instruments: int
    reservations: int
    days: int = 180


SIZES = (Country(1_500, 15_000), Country(15_000, 150_000))
LARGE = Country(150_000, 5_000_000, 365)
MOST_BUILDING_S = 1_500
#: No statement that is measured takes longer, on however busy a machine.
MOST_STATEMENT_S = 300


def figures(template: str, parts: Collection[str], countries: Sequence[Country]) -> list[Figure]:
    """What is asked for of ``find``, ``search`` and ``page``, in each country, and how it grows from the first to the last; each database
    is a copy of the migrated ``template``."""
    found: list[Figure] = []
    pages: list[Figure] = []
    times: list[nation.Measured] = []
    searches: list[search.Size] = []
    for country in countries:
        with _own_database(template):
            found += _built(country)
            measured_alone()
            if "find" in parts:
                times.append(nation.measure(country.instruments))
            if "search" in parts:
                searches.append(search.measure(country.instruments))
            pages += _whole_pages(country, parts)
            if "find" in parts:
                pages.append(keeping.in_a_country(country.instruments))
            if "page" in parts:
                pages += first_page.figures(DATABASE, country.instruments)
    found += [figure for each in times for figure in nation.figures_of(each)]
    found += [figure for each in searches for figure in search.figures_of(each)]
    found += [nation.growth(times[0], times[-1])] if len(times) > 1 else []
    found += [search.growth(searches[0], searches[-1])] if len(searches) > 1 else []
    return found + pages


@contextmanager
def _own_database(template: str) -> Iterator[None]:
    """A copy of ``template`` as the default database; dropped afterwards."""
    host = databases.own_host()
    connections.close_all()
    databases.drop(host, DATABASE)
    databases.create(host, DATABASE, template)
    with databases.default_is(DATABASE):
        yield
    databases.drop(host, DATABASE)


def measured_alone() -> None:
    """No helpers for statements of this connection, whose time would not be counted (``harness.took``); and an end to a statement that goes
    wrong, so that a run in the largest country ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute(f"SET statement_timeout = {MOST_STATEMENT_S * 1000}")


def _whole_pages(country: Country, parts: Collection[str]) -> list[Figure]:
    today = timezone.now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    asked: dict[str, Sequence[str]] = {}
    if "find" in parts:
        asked["find a time"] = whole_pages.find_pages(today)
    if "search" in parts:
        asked["search"] = whole_pages.search_pages()
    return whole_pages.figures(DATABASE, country.instruments, asked) if asked else []


def _built(country: Country) -> list[Figure]:
    size_of = {"instruments": country.instruments, "reservations": country.reservations, "days": country.days}
    spent = took(lambda: call_command("make_nation", **size_of))
    size = f"{country.instruments:,} instruments with {country.reservations:,} reservations"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (volume,) = cursor.fetchone()
    return [
        Figure(
            f"building {size}", spent.server, "s", f"<= {MOST_BUILDING_S:,}", spent.server <= MOST_BUILDING_S, clock=spent.clock
        ),
        Figure(f"database of {size}", volume / 2**20, "MB", "", True),
    ]
