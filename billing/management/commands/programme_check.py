"""``manage.py programme_check FILE...``: whether programme documents are valid, and whether their worked examples come out."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils.translation import override

from billing.ledger.rules.documents import DocumentError
from billing.ledger.rules.money import yuan
from billing.subsidy.rules.examples import ExampleResult, check_examples
from billing.subsidy.rules.message_keys import MESSAGES
from billing.subsidy.rules.outcome import Award, Outcome, Refused
from billing.subsidy.rules.without_effect import warnings_of
from billing.wording import step_sentence
from config.kernel.messages import sentence

#: Exit codes: all well, an example does not come out, a document cannot be used.
WELL, WRONG, UNUSABLE = 0, 1, 2
#: Steps before the amount: conditions that were met.
CONDITIONS = ("validity", "gate")


class Unreadable(ValueError):
    """A file that holds no JSON object, with the place where reading stopped."""


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file. A name that stands twice in one object is refused: one of the two would be lost."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal, object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise Unreadable("the file is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise Unreadable(f"the file cannot be opened: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}, column {error.colno}: {error.msg}; the file is not JSON up to there") from None
    except RecursionError:
        raise Unreadable("the file is nested too deeply") from None
    if not isinstance(content, dict):
        raise Unreadable("the file holds no JSON object {…}")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"the field {twice!r} stands twice in one object; leave one out")
    return found


class Command(BaseCommand):
    help = (
        "Check programme documents (docs/programmes.md): every fault with its field and what to write, and every worked example with "
        "what was expected and what came out; what no booking can meet or feed is a warning. Exit code 0: all well; 1: an example does "
        "not come out; 2: a document cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a programme document (JSON)")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        unusable = passed = failed = 0
        for path in files:
            results = self._file(path)
            if results is None:
                unusable += 1
                continue
            passed += sum(result.passed for result in results)
            failed += sum(not result.passed for result in results)
        counted = f"{_count(len(files), 'document')}: {_count(len(files) - unusable, 'valid', '')}, {unusable} with faults; "
        self.stdout.write(counted + f"{_count(passed + failed, 'example')}: {passed} passed, {failed} failed.")
        code = UNUSABLE if unusable else WRONG if failed else WELL
        if code:
            sys.exit(code)

    def _file(self, path: Path) -> list[ExampleResult] | None:
        """Tell what is to be told about one file; None where it cannot be used."""
        try:
            document = read(path)
            results = check_examples(document)
        except Unreadable as error:
            self.stdout.write(f"{path}: {error}")
            return None
        except DocumentError as error:
            self.stdout.write(f"{path}: {_count(len(error.faults), 'fault')}")
            for fault in error.faults:
                self.stdout.write(f"  {fault.path}: {fault.message}")
            return None
        self.stdout.write(f"{path}: {document['code']} {document['version']}")
        with override("en"):
            for each in warnings_of(document):
                self.stdout.write(f"  warning: {each.path}: {sentence(each.code, each.params)}")
        for result in results:
            self.stdout.write(f"  {'pass' if result.passed else 'FAIL'}  {result.title}")
            if not result.passed:
                with override("en"):
                    for line in difference(result):
                        self.stdout.write(f"        {line}")
        if not results:
            self.stdout.write("  There is no worked example; nothing shows that the document does what is meant.")
        return results


def difference(result: ExampleResult) -> list[str]:
    """Each figure that is not as expected, by payer, payee or claim where it is one, and why nothing was granted."""
    lines = []
    for name, expected in result.expected.items():
        actual = result.actual[name]
        if expected == actual:
            continue
        if isinstance(expected, Mapping):
            keys = dict.fromkeys([*expected, *(actual or {})])
            pairs = [(f"{_label(name)} {key}", expected.get(key, 0), (actual or {}).get(key, 0)) for key in keys]
        else:
            pairs = [(_label(name), expected, actual)]
        lines += [
            f"{label}: expected {_shown(name, wanted)}, got {_shown(name, got)}" for label, wanted, got in pairs if wanted != got
        ]
    return [*lines, *_reasons(result), *_working(result)]


def _by_claim(result: ExampleResult) -> list[tuple[str, Outcome]]:
    """Every outcome with what stands before its lines: the claim, where there are several."""
    outcomes = result.outcomes or {"": result.outcome}
    return [(f"claim {name}: " if name else "", outcome) for name, outcome in outcomes.items()]


def _working(result: ExampleResult) -> list[str]:
    """Of what was granted the working from the base on, as the applicant would read it: it shows where a figure went another way."""
    return [
        f"{claim}clause {step.clause}: {_sentence(step.key, step.params)} → {yuan(step.amount_fen)}"
        for claim, outcome in _by_claim(result)
        if isinstance(outcome, Award)
        for step in outcome.steps
        if step.part not in CONDITIONS
    ]


def _reasons(result: ExampleResult) -> list[str]:
    """Of what was refused although something else was expected: every reason in words."""
    return [
        f"{claim}refused under clause {reason.clause}: {reason.code} – {_sentence(reason.code, reason.params)}"
        for claim, outcome in _by_claim(result)
        if isinstance(outcome, Refused)
        for reason in outcome.reasons
    ]


def _sentence(code: str, params: Mapping[str, Any]) -> str:
    """A reason or a step in words. Places are named from the database, which whoever only writes documents need not have made: then
    by code."""
    try:
        return step_sentence(code, params)
    except DatabaseError:
        return MESSAGES[code].sentence % params


def _label(name: str) -> str:
    return name.removesuffix("_fen").replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if name.endswith("_fen") and isinstance(value, int):
        return yuan(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(each) for each in value) or "none"
    if value is None:
        return "no figure: it limits nothing here" if name.endswith("left_fen") else "nothing"
    return str(value)


def _count(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}{plural}"
