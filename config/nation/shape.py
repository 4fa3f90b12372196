"""The shape of a synthetic country: where instruments stand, of which class they are, how popular each is. Pure and reproducible."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from config.demo.source import words
from instruments.rules.classification import instrument_classes
from instruments.rules.techniques import Technique, techniques

_FILE = Path(__file__).with_name("data") / "nation.json"
#: Classes whose instruments are asked for by technique.
_WITH_TECHNIQUE = frozenset({"01", "02", "04", "06", "09", "11"})
COUNTIES = 8


@cache
def source() -> dict[str, Any]:
    """Weights and words."""
    data: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return data


@dataclass(frozen=True, slots=True)
class Template:
    """What instruments of one kind have in common. ``rate`` is yuan per hour for small firms."""

    class_code: str
    name: str
    name_en: str
    technique: str
    technique_codes: tuple[str, ...]
    rate: int


class Dice:
    """Reproducible choices with the weights of the country."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  (reproducible, not a secret)
        provinces = source()["provinces"]
        self._provinces = provinces
        self._province_weights = list(accumulate(one["weight"] for one in provinces))
        self._classes = list(source()["classes"])
        self._class_weights = list(accumulate(source()["classes"].values()))
        self._templates = {code: _templates_of(code) for code in self._classes}
        self._template_weights = {
            code: list(accumulate(1 / (place + 1) for place in range(len(found)))) for code, found in self._templates.items()
        }

    def county(self) -> str:
        """A division code of six digits, in a province as often as research money is spent there."""
        province = self.random.choices(self._provinces, cum_weights=self._province_weights)[0]
        prefecture = min(int(self.random.expovariate(0.4)), province["prefectures"] - 1) + 1
        return f"{province['code'][:2]}{prefecture:02d}{2 + self.random.randrange(COUNTIES):02d}"

    def template(self) -> Template:
        """A kind of instrument: few kinds are many."""
        code = self.random.choices(self._classes, cum_weights=self._class_weights)[0]
        return self.random.choices(self._templates[code], cum_weights=self._template_weights[code])[0]


def popularity(count: int, total: int, most: int, seed: int) -> list[int]:
    """How many reservations each of ``count`` instruments has, ``total`` together: by Zipf's law, at most ``most`` each.

    Less than ``total`` when all are full.
    """
    total = min(total, count * most)
    low, high = 0.0, float(total) * 10 + 10
    for _ in range(60):
        scale = (low + high) / 2
        if sum(min(most, int(scale / (rank + 1))) for rank in range(count)) < total:
            low = scale
        else:
            high = scale
    counts = [min(most, int(high / (rank + 1))) for rank in range(count)]
    random.Random(seed).shuffle(counts)  # noqa: S311
    return counts


def batches(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


@cache
def _templates_of(class_code: str) -> list[Template]:
    """The demo's instruments of the class and one for each technique; a plain one where there is neither."""
    demo = [
        Template(one["code"], one["zh"], one["en"], one["technique"], codes_of(one["technique"]), one["rate"])
        for one in words("instruments")
        if one["code"].startswith(class_code)
    ]
    leaves = [one for one in techniques().values() if one.parents] if class_code in _WITH_TECHNIQUE else []
    place = sorted(source()["classes"]).index(class_code)
    turned = leaves[place * 5 % len(leaves) :] + leaves[: place * 5 % len(leaves)] if leaves else []
    known = instrument_classes()[class_code]
    plain = [Template(f"{class_code}0101", known.zh, known.en, "", (), 200)] if not demo and not turned else []
    return demo + [_of_technique(class_code, number, one) for number, one in enumerate(turned)] + plain


def _of_technique(class_code: str, number: int, one: Technique) -> Template:
    name = f"{one.zh}{source()['instrument_suffix_zh']}"
    return Template(
        f"{class_code}{number % 20 + 1:02d}01", name, f"{one.en} instrument", one.en, (one.code,), 150 + 25 * (number % 30)
    )


def codes_of(technique: str) -> tuple[str, ...]:
    """The codes of the techniques of the short list that go by this abbreviation."""
    wanted = technique.casefold()
    return tuple(one.code for one in techniques().values() if wanted in {alias.casefold() for alias in one.aliases})
