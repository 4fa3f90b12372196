"""``python -m tests.bench`` (``make bench``): measure every figure, print the table, write JSON, and fail when a goal is missed.

Runs on a database of its own on the embedded server, thrown away and made anew each time. ``--only reserve`` measures one part;
``--json FILE`` says where the figures go (default ``var/bench.json``).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

DATABASE = "jishi_bench"
PARTS = (
    "find",
    "reserve",
    "approve",
    "quote",
    "charge",
    "pool",
    "keep",
    "feed",
    "inbox",
    "timeline",
    "engine",
    "statement",
    "search",
    "page",
    "use",
    "month",
    "bills",
    "office",
    "demo",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument(
        "--large",
        action="store_true",
        help="find and search among 150,000 instruments too: half an hour",
    )
    parser.add_argument("--profile", action="store_true", help="no figures: where one reserve spends its time in the process")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"))
    options = parser.parse_args()
    os.environ["JISHI_DATABASE"] = DATABASE
    os.environ.pop("DATABASE_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    _fresh_database()
    from tests.bench import harness, profiled, stage

    if options.profile:
        print(profiled.reserve_profile(stage.build(1)))
        return 0
    figures = _measure(options.only or PARTS, large=options.large)
    harness.print_table(figures, print)
    about = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    harness.write_json(figures, options.json, about)
    missed = [figure.name for figure in figures if not figure.met]
    for name in missed:
        print(f"goal missed: {name}", file=sys.stderr)
    return 1 if missed else 0


def _fresh_database() -> None:
    """A new, migrated, empty database beside the others."""
    from tests import databases

    host = databases.own_host()
    databases.drop(host, DATABASE)
    databases.create(host, DATABASE, databases.migrated(host))


def _measure(parts: list[str] | tuple[str, ...], *, large: bool = False) -> list:  # type: ignore[type-arg]
    from tests.bench import (
        approve,
        bills,
        charging,
        country,
        demo,
        engine,
        feed,
        hot_pool,
        inbox,
        keeping,
        month,
        office,
        quoting,
        reserve,
        stage,
        statement,
        timeline,
        use,
    )

    figures = []
    if {"find", "search", "page"} & set(parts):
        figures += country.figures(DATABASE, parts, (*country.SIZES, country.LARGE) if large else country.SIZES)
    if "engine" in parts:
        figures += engine.figures()
    if "statement" in parts:
        figures += statement.figures()
    if {"reserve", "approve", "quote", "charge", "keep", "feed", "inbox", "timeline", "use", "month", "bills", "office"} & set(
        parts
    ):
        built = stage.build(feed.INSTRUMENTS)
        if "reserve" in parts:
            figures += reserve.in_process(built) + reserve.with_all_rules(built) + reserve.over_http(built)
        if "approve" in parts:
            figures += approve.figures(built)
        if "quote" in parts:
            figures += quoting.figures(built)
        if "charge" in parts:
            figures += charging.figures(built)
        if "keep" in parts:
            figures += keeping.figures(built)
        if "feed" in parts:
            figures += feed.figures(built)
        if "inbox" in parts:
            figures += inbox.figures(built)
        if "timeline" in parts:
            figures += timeline.figures(built)
        if "use" in parts:
            figures += use.figures(built)
        if "month" in parts:
            figures += month.figures(built)
        if "bills" in parts:
            figures += bills.figures(built)
        if "office" in parts:
            figures += office.figures(built)
    if "pool" in parts:
        figures += hot_pool.figures()
    if "demo" in parts:
        figures += demo.figures()
    return figures


if __name__ == "__main__":
    sys.exit(main())
