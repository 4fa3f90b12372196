"""``python -m tests.mutation`` (``make mutation``): do the tests of prices, subsidies and the ledger find small mistakes in the rules?

Makes a sample of mistakes, always the same one for the same code, runs the pure tests against each, prints those that nobody found, and
fails when fewer than 95 of a hundred were found; with ``--all`` when one is missed without a reason. ``equivalent.json`` says of some why
they change nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.mutation.trial import Trials

ROOT = Path(__file__).parents[2]
PACKAGES = ("billing/ledger/rules", "billing/pricing/rules", "billing/subsidy/rules")
#: Left out: forms, wording, and what checks documents and examples for their author. They are tested, but no amount comes out of them.
BESIDE = (
    "checking.py", "describe.py", "example_faults.py", "form_moves.py", "form_tree.py", "message_keys.py", "question_faults.py",
    "shape.py", "shape_faults.py", "typed.py", "typed_costs.py",
)  # fmt: skip
TESTS = "tests/billing"
EQUIVALENT = Path(__file__).parent / "equivalent.json"
SAMPLE = 600
GOAL_PERCENT = 95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="so many mistakes")
    parser.add_argument("--all", action="store_true", help="every mistake there is")
    parser.add_argument("--missed", action="store_true", help="again what the last run missed, added up with what it found")
    parser.add_argument("--only", default="", help="only in files whose path contains this")
    parser.add_argument("--json", type=Path, default=Path("var/mutation.json"))
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    import pytest

    from tests.mutation.sites import sites_of
    from tests.mutation.trial import Trials

    files = [each for package in PACKAGES for each in sorted((ROOT / package).rglob("*.py")) if each.name not in BESIDE]
    every = [site for path in files if options.only in str(path) for site in sites_of(path, ROOT)]
    sites = sorted(every, key=lambda each: each.turn)
    last: dict[str, Any] = json.loads(options.json.read_text(encoding="utf-8")) if options.missed else {}
    if options.missed:
        sites = [site for site in sites if site.name in last["missed"]]
    elif not options.all:
        sites = sites[: options.sample]
    trials = Trials(ROOT, files, sites, partial(print, flush=True))
    began = time.monotonic()
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--assert=plain", "--no-header", TESTS]
    pytest.main(arguments, plugins=[trials])
    if trials.failed:
        print("These tests fail before anything is changed:", *trials.failed, sep="\n  ")
        return 2
    names = {site.name for site in every}
    gone = [name for name in last.get("missed", ()) if name not in names]
    every_one = options.all or (options.missed and last["tried"] == last["possible"])
    return _report(trials, len(every), time.monotonic() - began, options.json, last, gone, every_one=every_one)


def _report(
    trials: Trials,
    possible: int,
    seconds: float,
    path: Path,
    last: Mapping[str, Any],
    gone: Sequence[str] = (),
    *,
    every_one: bool = False,
) -> int:
    """Print and write what came out, on top of what the ``last`` run found; 0 when the goal is met and every mistake could be tried. With
    ``every_one`` no mistake may be missed without a reason, whatever the goal.

    ``gone``: what the last run missed and nobody can make any more, because the line reads otherwise. They stay missed until a whole run:
    to edit a line is not to test it.
    """
    reasons: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    found = [site for site, verdict in trials.verdicts.items() if verdict]
    missed = [site for site, verdict in trials.verdicts.items() if not verdict]
    left = [*(site.name for site in missed if site.name not in reasons or site in trials.untried), *gone]
    excused = len(missed) + len(gone) - len(left) + last.get("change_nothing", 0)
    caught, tried = len(found) + last.get("found", 0), last.get("tried", len(trials.verdicts))
    percent = 100 * caught / max(1, caught + len(left))
    stale = [name for name in reasons if name in {site.name for site in found}]
    for name in stale:
        print(f"found, so take it out of {EQUIVALENT.name}: {name}")
    print("\n| package | mistakes | found | change nothing | missed |\n|---|---|---|---|---|")
    for package in PACKAGES:
        counts = Counter(
            "found" if verdict else "same" if site.name in reasons else "missed"
            for site, verdict in trials.verdicts.items()
            if site.path.startswith(package)
        )
        print(f"| {package} | {counts.total()} | {counts['found']} | {counts['same']} | {counts['missed']} |")
    print(f"\n{trials.tests} tests, {tried:,} of {possible:,} possible mistakes, {seconds:.0f} s")
    print(f"found {caught}, change nothing {excused}, missed {len(left)}: {percent:.1f} % (goal >= {GOAL_PERCENT} %)")
    for name in gone:
        print(f"missed by the last run, and the line reads otherwise now: {name}")
    if trials.untried:
        print(f"{len(trials.untried)} could not be tried to the end: that is a fault of this tool, and they count as missed")
    summary = {
        "tests": trials.tests, "possible": possible, "tried": tried, "found": caught, "change_nothing": excused,
        "missed": left, "percent": round(percent, 2), "seconds": round(seconds),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if every_one and left:
        print(f"each of these needs a test that finds it, or its reason in {EQUIVALENT.name}:", *left, sep="\n  ")
        return 1
    return 0 if percent >= GOAL_PERCENT and not stale and not trials.untried else 1


if __name__ == "__main__":
    sys.exit(main())
