"""The invented province is as true as a real one has to be: what an operator runs on it finds nothing."""

from __future__ import annotations

import json
from pathlib import Path

from config.kernel import invariants
from tests.browser.stage import AS_LOADED
from tests.databases import CommittedDatabase


def test_every_invariant_holds_on_the_demo_as_it_is_loaded(template: CommittedDatabase, home: Path) -> None:
    """The stage asks them all between loading the demo and adding to it."""
    found = json.loads((home / AS_LOADED).read_text(encoding="utf-8"))
    assert set(found) == set(invariants.registered())
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
