"""Mistakes are made where they mean something, have names that last, and change the function that they are made in."""

from __future__ import annotations

import json
from pathlib import Path
from types import FunctionType

import pytest

from tests.mutation.__main__ import EQUIVALENT, PACKAGES, ROOT
from tests.mutation.sites import Site, sites_of

SOURCE = '''
class Cap:
    """At most 3."""

    def cut(self, amount: int, most: int = 5) -> int:
        """Never above ``most``."""
        if amount < 0:
            raise ValueError(f"{amount - 1} is below 0")
        return min(amount, most) if amount and most else 7


def shares(parts: list[int]) -> list[tuple[int, int]]:
    return list(zip(parts, [part + part for part in parts], strict=True))
'''


@pytest.fixture
def sites(tmp_path: Path) -> dict[str, Site]:
    path = tmp_path / "rule.py"
    path.write_text(SOURCE, encoding="utf-8")
    return {site.name: site for site in sites_of(path, tmp_path)}


def test_only_what_a_function_does_is_mistaken(sites: dict[str, Site]) -> None:
    assert sorted(name.removeprefix("rule.py::") for name in sites) == [
        "Cap.cut::0 -> 1",
        "Cap.cut::7 -> 8",
        "Cap.cut::amount < 0 -> amount <= 0",
        "Cap.cut::amount < 0 -> amount >= 0",
        "Cap.cut::amount and most -> amount or most",
        "Cap.cut::min(amount, most) -> max(amount, most)",
        "Cap.cut::min(amount, most) if amount and most else 7 -> min(amount, most) if not (amount and most) else 7",
        "shares::part + part -> part - part",
    ]


def test_a_mistake_is_in_the_code_that_takes_the_place_of_the_function(sites: dict[str, Site], tmp_path: Path) -> None:
    def shares(parts: list[int]) -> list[tuple[int, int]]:
        raise AssertionError(parts)

    assert isinstance(shares, FunctionType)
    shares.__code__ = sites["rule.py::shares::part + part -> part - part"].code(tmp_path)
    assert shares([2, 3]) == [(2, 0), (3, 0)]


def test_every_excuse_is_of_a_mistake_that_can_be_made() -> None:
    excused: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    paths = {ROOT / name.split("::")[0] for name in excused}
    possible = {site.name for path in paths for site in sites_of(path, ROOT)}
    assert set(excused) - possible == set()
    assert all(name.startswith(PACKAGES) and reason for name, reason in excused.items())
