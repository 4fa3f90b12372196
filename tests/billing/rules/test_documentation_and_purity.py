"""What docs/programmes.md shows is run, and the rules stay what they claim to be: no float, clock, random or framework."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from billing.pricing.rules import parse_schedule
from billing.subsidy.rules import MESSAGES, check_examples

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "programmes.md").read_text(encoding="utf-8")
SOURCES = [
    path for package in ("ledger", "pricing", "subsidy") for path in sorted((ROOT / "billing" / package / "rules").rglob("*.py"))
]
FORBIDDEN_MODULES = {"django", "rest_framework", "random", "time", "secrets", "uuid", "socket", "psycopg"}
CLOCKS = {"now", "utcnow", "today", "localtime"}


def shown(kind: str) -> dict[str, Any]:
    [text] = re.findall(rf"```json {kind}\n(.*?)```", GUIDE, re.DOTALL)
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_programme_in_the_guide_is_valid_and_its_examples_come_out() -> None:
    results = check_examples(shown("programme"))
    assert [each.passed for each in results] == [True, True, True]


SHORT = [json.loads(text) for text in re.findall(r"```json example\n(.*?)```", GUIDE, re.DOTALL)]


@pytest.mark.parametrize("fields", SHORT, ids=[each["examples"][0]["title"] for each in SHORT])
def test_every_short_document_in_the_guide_is_valid_and_its_examples_come_out(fields: dict[str, Any]) -> None:
    plain = shown("programme") | {"gates": [], "caps": []} | fields
    wrong = [(each.title, each.expected, each.actual) for each in check_examples(plain) if not each.passed]
    assert wrong == []


def test_the_guide_shows_every_kind_of_rate_and_payer_at_work() -> None:
    schema = json.loads((ROOT / "billing" / "subsidy" / "schema" / "programme.schema.json").read_text(encoding="utf-8"))
    at_work = json.dumps([shown("programme"), *SHORT])
    rates = [name for name in schema["$defs"]["rate"]["properties"]["type"]["enum"] if f'"type": "{name}"' not in at_work]
    payers = [name for name in schema["$defs"]["payers_rule"]["properties"]["rule"]["enum"] if f'"rule": "{name}"' not in at_work]
    assert rates == [] and payers == []


def test_the_price_schedule_in_the_guide_is_valid() -> None:
    assert parse_schedule(shown("schedule")).customer_classes == ("inside", "academic", "firm_sme", "firm_large", "team")


def test_every_code_of_a_refusal_is_in_the_guide() -> None:
    codes = [key.removeprefix("subsidy.unmet") for key in MESSAGES if key.startswith("subsidy.unmet.")]
    assert [code for code in codes if f"{code}`" not in GUIDE] == []


@pytest.mark.parametrize("kind", ["programme", "facts"])
def test_every_kind_of_part_and_every_fact_is_in_the_guide(kind: str) -> None:
    schema = json.loads((ROOT / "billing" / "subsidy" / "schema" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    if kind == "facts":
        names = [name for group in schema["properties"].values() for name in group.get("properties", {})]
    else:
        parts = ("gate", "rate", "adjustment")
        names = [name for part in parts for name in schema["$defs"][part]["properties"]["type"]["enum"]]
        names += schema["$defs"]["cap"]["properties"]["per"]["enum"]
        names += schema["$defs"]["payers_rule"]["properties"]["rule"]["enum"]
        names += [name for name in schema["$defs"]["condition"]["properties"] if name != "fact"]
    assert [name for name in names if f"`{name}`" not in GUIDE and f'"{name}"' not in GUIDE] == []


def impurities(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [name for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"float {node.value}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            found.append("float()")
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            found.append(node.attr)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rules_of_money_know_no_float_clock_chance_or_framework(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


def test_an_impurity_would_be_seen() -> None:
    source = "import random\nfrom django.db import models\nx = 0.5\ny = datetime.now()\nz = float('1')"
    assert sorted(impurities(source)) == ["django.db", "float 0.5", "float()", "now", "random"]
