"""Every code that the sources raise has a sentence, and every sentence has somebody who raises its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from config.kernel import messages

PLACES = ("config", "instruments", "booking", "billing", "frontend")
WORDS = ("messages.py", "registry_messages.py")
#: Who makes a reason -> which of its arguments is the code.
MAKERS = {"Reason": 0, "Unmet": 1} | {f"{kind}.of": 0 for kind in ("Refusal", "NotFound", "Forbidden", "Conflict", "Busy")}


@cache
def sources() -> dict[str, ast.Module]:
    """Our modules by path, without migrations and without those that register sentences."""
    files = [path for place in PLACES for path in sorted((settings.BASE_DIR / place).rglob("*.py"))]
    shown = [path for path in files if "migrations" not in path.parts and "node_modules" not in path.parts]
    return {str(path): ast.parse(path.read_text()) for path in shown if path.name not in WORDS or "kernel" in path.parts}


def texts(module: ast.AST) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def raised(module: ast.AST) -> Iterator[str]:
    """The codes that are written out where a reason is made."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and (place := MAKERS.get(ast.unparse(node.func))) is not None:
            code = node.args[place] if len(node.args) > place else None
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


def used(module: ast.AST) -> set[str]:
    """Every text of a module, and what its beginnings (``"import.organisation_" + kind``) make of the others."""
    found = set(texts(module))
    beginnings = {text for text in found if text.endswith((".", "_")) and "." in text}
    return found | {beginning + text for beginning in beginnings for text in found}


def registrations() -> Iterator[str]:
    """The keys of the dictionaries given to ``register`` in the modules of sentences."""
    for place in PLACES:
        for path in (settings.BASE_DIR / place).rglob("*messages.py"):
            for node in ast.walk(ast.parse(Path(path).read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "register" and isinstance(node.args[0], ast.Dict):
                    yield from (key.value for key in node.args[0].keys if isinstance(key, ast.Constant))


def test_every_code_that_is_raised_has_a_sentence():
    codes = {code: path for path, module in sources().items() for code in raised(module)}
    assert len(codes) > 100
    assert {code: path for code, path in codes.items() if code not in messages.codes()} == {}


def test_every_sentence_is_somebodys():
    kernel_words = settings.BASE_DIR / "config" / "kernel" / "messages.py"
    spoken = set().union(*(used(module) for path, module in sources().items() if path != str(kernel_words)))
    assert sorted(messages.codes() - spoken) == []


def test_the_sentences_are_those_of_the_modules_of_sentences():
    assert set(registrations()) == set(messages.codes())


def test_a_code_is_registered_once():
    with pytest.raises(RuntimeError, match="registered twice"):
        messages.register({"access.not_found": "again"})


def test_a_code_without_a_sentence_is_shown_as_it_is():
    assert messages.sentence("nobody.registered_this", {}) == "nobody.registered_this"
