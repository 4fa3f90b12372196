"""What a synthetic country has besides instruments: test items with prices, germplasm, data sets and literature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from billing.pricing.models import TestItemPrice
from config.kernel.copying import after_ids, copy_rows
from config.nation.registry import Made
from config.nation.shape import Dice, source
from instruments.models import DataSet, Germplasm, Literature, Resource, TestItem
from instruments.services import search_tokens

#: One of each kind for so many instruments.
INSTRUMENTS_PER = {"test_item": 5, "germplasm": 30, "literature": 50, "dataset": 100}
_STANDARDS, _DAYS, _UNPRICED = 800, (3, 5, 7, 10), 10
_SINCE = date(2025, 1, 1)


@dataclass(frozen=True, slots=True)
class _Item:
    """A test item: its instrument, what it is measured in (Chinese and English), and how many analytes from which one on."""

    id: int
    one: Made
    matrix: tuple[str, str]
    first: int
    count: int


def write(made: Sequence[Made], seed: int, now: datetime) -> None:
    """Everything that is not booked, of the owners of these instruments. The tables must be empty."""
    dice = Dice(seed + 1)
    with_technique = [one for one in made if one.template.technique_codes]
    count = len(made) // INSTRUMENTS_PER["test_item"] if with_technique else 0
    items = [_item(dice, number, with_technique) for number in range(1, count + 1)]
    others = list(_others(dice, len(items), made))
    copy_rows(Resource, (*(_core(one, now) for one in items), *(core | _dated(now) for _, core, _ in others)), now)
    copy_rows(TestItem, (_test_item(one) for one in items), now)
    links = TestItem.instruments.through
    copy_rows(links, ({"id": one.id, "testitem_id": one.id, "instrument_id": one.one.id} for one in items), now)
    copy_rows(TestItemPrice, (_price(one, now) for one in items if one.id % _UNPRICED), now)
    for part_of in (Germplasm, DataSet, Literature):
        copy_rows(part_of, (part | {"resource_id": core["id"]} for model, core, part in others if model is part_of), now)
    for numbered in (Resource, links, TestItemPrice):
        after_ids(numbered)


def _item(dice: Dice, number: int, instruments: Sequence[Made]) -> _Item:
    words = source()["tests"]
    matrix = words["matrices"][dice.random.randrange(len(words["matrices"]))]
    first, count = dice.random.randrange(len(words["analytes"])), dice.random.randrange(7)
    return _Item(number, dice.random.choice(instruments), (matrix[0], matrix[1]), first, count)


def _core(item: _Item, now: datetime) -> dict[str, Any]:
    words, template = source()["tests"], item.one.template
    name = words["name_zh"] % {"matrix": item.matrix[0], "technique": template.name}
    return {
        "id": item.id, "kind": "test_item", "organisation_id": item.one.site, "inner_id": f"T-{item.id:06d}", "name": name,
        "name_en": words["name_en"] % {"matrix": item.matrix[1], "technique": template.name_en},
        "name_pinyin": search_tokens.sort_key(name), "published": True, **_dated(now),
    }  # fmt: skip


def _dated(now: datetime) -> dict[str, Any]:
    return {"created_at": now, "updated_at": now}


def _test_item(item: _Item) -> dict[str, Any]:
    known = source()["tests"]["analytes"]
    names = [known[(item.first + place) % len(known)] for place in range(item.count)]
    return {
        "resource_id": item.id, "method": item.one.template.technique, "matrix": item.matrix[0],
        "standard": f"GB/T {10000 + item.id % _STANDARDS}", "analytes": [{"name": name, "limit": "0.01", "unit": "mg/L"} for name in names],
        "turnaround_days": _DAYS[item.id % len(_DAYS)], "daily_capacity": 10 + item.id % 40,
        "price_unit": "element" if item.id % 4 == 0 and names else "sample",
    }  # fmt: skip


def _price(item: _Item, now: datetime) -> dict[str, Any]:
    return {
        "id": item.id, "test_item_id": item.id, "effective_from": _SINCE, "unit": _test_item(item)["price_unit"],
        "amount_fen": 100 * (40 + item.id % 400), "published_at": now,
    }  # fmt: skip


def _others(dice: Dice, before: int, made: Sequence[Made]) -> Iterator[tuple[type[Any], dict[str, Any], dict[str, Any]]]:
    """The model of the part, the core and the part of each; their ids follow those of the test items."""
    words = source()
    kinds: tuple[tuple[str, type[Any]], ...] = (("germplasm", Germplasm), ("literature", Literature), ("dataset", DataSet))
    pk = before
    for kind, model in kinds:
        for number in range(1, len(made) // INSTRUMENTS_PER[kind] + 1):
            pk += 1
            owner = dice.random.choice(made).site
            genus, species, name = words["germplasm"][dice.random.randrange(len(words["germplasm"]))]
            if kind == "germplasm":
                names, part = (f"{name} {number}", f"{genus} {species} {number}"), _accession(number, genus, species)
            elif kind == "literature":
                names, part = (f"{words['literature_zh']} {number}", f"{words['literature_en']} {number}"), {"issued": "2025"}
            else:
                names, part = (f"{words['data_set_zh']} {number}", f"{words['data_set_en']} {number}"), {"version": "1.0"}
            core = {
                "id": pk, "kind": kind, "organisation_id": owner, "inner_id": f"{kind[0].upper()}-{number:06d}", "name": names[0],
                "name_en": names[1], "name_pinyin": search_tokens.sort_key(names[0]), "published": True,
            }  # fmt: skip
            yield model, core, part


def _accession(number: int, genus: str, species: str) -> dict[str, Any]:
    descriptors = {"ACCENUMB": f"ACC {number}", "GENUS": genus, "SPECIES": species, "ORIGCTY": "CHN"}
    return {"standard": "mcpd", "genus": genus, "species": species, "origin_country": "CHN", "descriptors": descriptors}
