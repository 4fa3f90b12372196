"""Every refusal that the code can raise has a sentence, and is raised with every value that its sentence shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from config.kernel import messages

ROOT = Path(settings.BASE_DIR)
SOURCES = sorted(
    path
    for folder in ("config/kernel", "instruments", "booking", "billing", "frontend")
    for path in ROOT.glob(f"{folder}/**/*.py")
)
REFUSALS = {"Refusal", "NotFound", "Forbidden", "Conflict", "Busy"}


def raised(source: str) -> Iterator[tuple[int, str, set[str] | None]]:
    """(line, code, names of its values or None when they are not written out) of every refusal and reason in ``source``."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        code, called = node.args[0].value, node.func
        if isinstance(called, ast.Attribute) and called.attr == "of" and getattr(called.value, "id", "") in REFUSALS:
            names = {keyword.arg for keyword in node.keywords}
            yield node.lineno, code, None if None in names else names - {"field"}
        elif isinstance(called, ast.Name) and called.id == "Reason":
            values = node.args[1] if len(node.args) > 1 else ast.Dict(keys=[], values=[])
            literal = isinstance(values, ast.Dict) and all(isinstance(key, ast.Constant) for key in values.keys)
            yield node.lineno, code, {key.value for key in values.keys} if literal else None


def shown(code: str) -> set[str]:
    """The values in the sentence of ``code``."""
    return set(re.findall(r"%\((\w+)\)", str(messages._sentences[code])))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_refusal_has_its_sentence_and_the_values_for_it(path):
    wrong = []
    for line, code, names in raised(path.read_text(encoding="utf-8")):
        if code not in messages.codes():
            wrong.append((line, code, "no sentence"))
        elif names is not None and not shown(code) <= names:
            wrong.append((line, code, shown(code) - names))
    assert wrong == []


def test_the_check_sees_what_is_missing():
    assert list(raised('raise Refusal.of("a.b", field="x", n=1)')) == [(1, "a.b", {"n"})]
    assert list(raised('Reason("a.b", {"n": 1}, "x")')) == [(1, "a.b", {"n"})]
    assert list(raised('Reason("a.b")')) == [(1, "a.b", set())]
    assert list(raised('Reason("a.b", values)')) == [(1, "a.b", None)]
    assert shown("join.asked_already") == {"name"}
