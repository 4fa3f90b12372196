"""Pages and API read through queries: what an actor may see is decided in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
OUTER = sorted(
    path
    for pattern in ("frontend/**/*.py", "instruments/api/**/*.py", "booking/api/**/*.py", "billing/**/api/**/*.py")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
MANAGERS = {"objects", "_default_manager", "_base_manager"}


DOORS = {"visible_to", "get_visible"}


def unscoped(source: str) -> list[int]:
    """Lines that reach a model's manager outside a function that cuts the rows down to what the actor may see.

    ``Model.objects.none()`` only names the model.
    """
    tree = ast.parse(source)
    fine = {
        id(call.func.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "none"
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and _opens_a_door(function):
            fine |= {id(node) for node in ast.walk(function)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS and id(node) not in fine
    ]


def _opens_a_door(function: ast.FunctionDef) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Name) and called.id in DOORS for called in calls)


@pytest.mark.parametrize("path", OUTER, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_or_an_api_view_reaches_no_model_by_itself(path):
    assert unscoped(path.read_text(encoding="utf-8")) == []


def test_the_check_sees_a_model_that_is_reached():
    assert unscoped("rows = Organisation.objects.filter(pk=1)") == [1]
    assert unscoped("def rows(actor):\n    return Organisation.objects.filter(pk=1)") == [2]
    assert unscoped("def rows(actor):\n    return visible_to(Organisation.objects.filter(pk=1), actor)") == []
    assert unscoped("rows = Organisation.objects.none()") == []
    assert len(OUTER) > 20
