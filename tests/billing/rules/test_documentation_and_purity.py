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


def test_the_price_schedule_of_format_2_in_its_guide_is_valid_and_every_part_is_explained() -> None:
    guide = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```json schedule\n(.*?)```", guide, re.DOTALL)
    schedule = parse_schedule(json.loads(text))
    assert schedule.customer_classes == ("inside", "near", "small", "others")
    schema = json.loads((ROOT / "billing/pricing/rules/price_schedule_2.schema.json").read_text(encoding="utf-8"))
    assert [name for name in schema["properties"] if f"`{name}`" not in guide and f'"{name}"' not in guide] == []


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


#: Whatever carries amounts beside the rules: services, models and queries of money, and the pages and forms that show and take them.
AROUND = [
    path
    for app in ("billing", "frontend")
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts and path not in SOURCES
]
#: Floats that are no amounts.
NO_AMOUNTS = {
    "billing/month/rules/progress.py": {"float 0.0"},  # seconds since a run began
    "billing/sandbox/services/running.py": {"float 10.0"},  # after how many seconds a long run writes down where it is
    "billing/settlement/pdf.py": {"float 0.12"},  # seconds that a line of a PDF may take
    "frontend/templatetags/jishi.py": {"float 0.5"},  # a half of a star
}


def floats_of_money(source: str) -> list[str]:
    """Floats, and true divisions of what is named as fen; within ``Decimal(...)`` it is none any more."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"float {node.value}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            found.append("float()")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
            found += [ast.unparse(node)] if any(_fen_in(side) for side in sides) else []
    return found


def _fen_in(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Decimal":
        return False
    name = getattr(node, "attr", getattr(node, "id", ""))
    return name == "fen" or name.endswith("_fen") or any(_fen_in(each) for each in ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rules_of_money_divide_no_fen(path: Path) -> None:
    assert floats_of_money(path.read_text(encoding="utf-8")) == []


def test_what_is_around_the_rules_of_money_knows_no_float_but_those_named_here() -> None:
    found = {str(path.relative_to(ROOT)): set(floats_of_money(path.read_text(encoding="utf-8"))) for path in AROUND}
    assert {path: what for path, what in found.items() if what} == NO_AMOUNTS


def test_a_float_of_money_would_be_seen() -> None:
    faulty = "a = row.asked_fen / 100\nb = 0.1 * limit\nc = x / total_fen(row)\nfen /= 2\n"
    source = faulty + "d = Decimal(row.asked_fen) / 100\ne = seconds / 60\nf = total_fen // 2"
    assert sorted(floats_of_money(source)) == ["fen /= 2", "float 0.1", "row.asked_fen / 100", "x / total_fen(row)"]


def test_an_impurity_would_be_seen() -> None:
    source = "import random\nfrom django.db import models\nx = 0.5\ny = datetime.now()\nz = float('1')"
    assert sorted(impurities(source)) == ["django.db", "float 0.5", "float()", "now", "random"]
