"""In which order the tests come (``tests/conftest.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.conftest import with_races_between


@dataclass(frozen=True)
class Item:
    path: Path
    name: int


def items(*folders: str) -> list[pytest.Item]:
    """Four of each folder, in two files, but of the races one file each."""
    made = [Item(Path(f"{folder}/test_{number // 2}.py"), number) for folder in folders for number in range(4)]
    return cast("list[pytest.Item]", made)


USUAL = items("tests/config", "tests/access", "tests/billing", "tests/booking")
RACES = items("tests/concurrency")


def test_each_file_of_races_stands_together_where_one_folder_ends_and_another_begins() -> None:
    mixed = with_races_between([*RACES, *USUAL])
    assert [item for item in mixed if item in USUAL] == USUAL
    folders = [item.path.parent.name for item in mixed]
    assert folders == [
        *["concurrency"] * 2,
        *["config"] * 4,
        *["access"] * 4,
        *["concurrency"] * 2,
        *["billing"] * 4,
        *["booking"] * 4,
    ]
    assert [item for item in mixed if item in RACES] == RACES


def test_races_alone_and_tests_without_races_stay_as_they_are() -> None:
    assert with_races_between(RACES) == RACES
    assert with_races_between(USUAL) == USUAL
    assert with_races_between([]) == []
