"""``python -m tests.bench`` (``make bench``): measure every figure, print the table, write JSON, and fail when a goal is missed.

Runs on a database of its own on the embedded server, thrown away and made anew each time. ``--only reserve`` measures one part;
``--json FILE`` says where the figures go (default ``var/bench.json``).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.harness import Figure

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
    "statements",
    "office",
    "demo",
)
#: Those that share one stage.
ON_STAGE = (
    "reserve", "approve", "quote", "charge", "keep", "feed", "inbox", "timeline", "use", "month", "bills", "statements", "office",
)  # fmt: skip


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
    figures: list[Figure] = []
    try:
        for measured in _measure(options.only or PARTS, large=options.large):
            figures += measured
    finally:
        harness.print_table(figures, print)  # also what was measured before a part broke
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


def _measure(parts: Sequence[str], *, large: bool = False) -> Iterator[list[Figure]]:
    """The figures of one part after the other."""
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
        statements,
        timeline,
        use,
    )

    if {"find", "search", "page"} & set(parts):
        yield country.figures(DATABASE, parts, (*country.SIZES, country.LARGE) if large else country.SIZES)
    if "engine" in parts:
        yield engine.figures()
    if "statement" in parts:
        yield statement.figures()
    if set(ON_STAGE) & set(parts):
        built = stage.build(feed.INSTRUMENTS)
        if "reserve" in parts:
            yield reserve.in_process(built) + reserve.with_all_rules(built) + reserve.over_http(built)
        if "approve" in parts:
            yield approve.figures(built)
        if "quote" in parts:
            yield quoting.figures(built)
        if "charge" in parts:
            yield charging.figures(built)
        if "keep" in parts:
            yield keeping.figures(built)
        if "feed" in parts:
            yield feed.figures(built)
        if "inbox" in parts:
            yield inbox.figures(built)
        if "timeline" in parts:
            yield timeline.figures(built)
        if "use" in parts:
            yield use.figures(built)
        if "month" in parts:
            yield month.figures(built)
        if "bills" in parts:
            yield bills.figures(built)
        if "statements" in parts:
            yield statements.figures(built)
        if "office" in parts:
            yield office.figures(built)
    if "pool" in parts:
        yield hot_pool.figures()
    if "demo" in parts:
        yield demo.figures()


if __name__ == "__main__":
    sys.exit(main())
