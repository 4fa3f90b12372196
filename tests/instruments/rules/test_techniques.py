from __future__ import annotations

import csv
from pathlib import Path

from instruments.rules.techniques import techniques


def test_every_technique_has_names_and_parents_of_the_list() -> None:
    for code, technique in techniques().items():
        assert technique.code == code
        assert technique.zh
        assert technique.en
        assert code not in technique.parents
        assert set(technique.parents) <= set(techniques())


def test_an_abbreviation_stands_for_one_technique_only() -> None:
    names = [name.casefold() for one in techniques().values() for name in (one.zh, one.en, *one.aliases)]
    assert sorted(names) == sorted(set(names))


def test_panet_codes_are_those_of_the_ontology(shared_data: Path) -> None:
    with (shared_data / "codes" / "panet-techniques.csv").open(encoding="utf-8", newline="") as file:
        labels = {row[1].rsplit("/", 1)[-1]: row[2].casefold() for row in csv.reader(file) if len(row) > 2}
    for code, technique in techniques().items():
        if code.startswith("PaNET"):
            assert labels[code] == technique.en.casefold()
