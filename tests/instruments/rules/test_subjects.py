"""The disciplines that are shipped are those of the standard."""

from __future__ import annotations

import csv
from pathlib import Path

from instruments.rules.subjects import DIGITS, subjects


def test_the_top_disciplines_are_those_of_the_standard(shared_data: Path) -> None:
    with (shared_data / "codes" / "gbt13745-level1-subjects.csv").open(encoding="utf-8-sig") as file:
        wanted = {row["code"]: row["name_zh"] for row in csv.DictReader(file)}
    assert {one.code: one.zh for one in subjects().values()} == wanted
    assert all(len(one.code) == DIGITS and one.en.isascii() for one in subjects().values())
    assert len({one.en for one in subjects().values()}) == len(wanted)
