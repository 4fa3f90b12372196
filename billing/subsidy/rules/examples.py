"""Worked examples inside a programme's document: they must come out before anyone publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.ledger.rules.documents import Document
from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.outcome import Balance, Outcome, Refused
from billing.subsidy.rules.programme import Programme, parse_programme


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One worked example: what was expected, what came out (amounts in fen), and whether all of it agrees.

    Both mappings have the keys the example names: ``total_fen``, ``payers_fen``, ``refused``, ``binding``, ``estimate``.
    """

    title: str
    passed: bool
    expected: Mapping[str, Any]
    actual: Mapping[str, Any]
    outcome: Outcome


def check_examples(document: Document) -> list[ExampleResult]:
    """Run every worked example. Raises DocumentError when the document, its examples included, is wrong."""
    programme = parse_programme(document)
    return [_check(programme, example) for example in document["examples"]]


def _check(programme: Programme, example: Mapping[str, Any]) -> ExampleResult:
    balances = {cap: _balance(balance) for cap, balance in example.get("balances", {}).items()}
    outcome = evaluate(programme, parse_facts(example["facts"]), balances)
    expected = _expected(example["expect"])
    found = _found(outcome)
    actual = {name: found[name] for name in expected}
    return ExampleResult(example["title"], actual == expected, expected, actual, outcome)


def _balance(document: Mapping[str, Any]) -> Balance:
    limit = document.get("limit")
    return Balance(None if limit is None else parse_yuan(limit), parse_yuan(document.get("used", 0)))


def _expected(document: Mapping[str, Any]) -> dict[str, Any]:
    expected: dict[str, Any] = {name: document[name] for name in ("refused", "binding", "estimate") if name in document}
    if "refused" in expected:
        expected["refused"] = sorted(expected["refused"])
    if "total" in document:
        expected["total_fen"] = parse_yuan(document["total"])
    if "payers" in document:
        expected["payers_fen"] = {payer: parse_yuan(amount) for payer, amount in document["payers"].items()}
    return expected


def _found(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        codes = sorted(reason.code for reason in outcome.reasons)
        return {"total_fen": 0, "payers_fen": {}, "refused": codes, "binding": [], "estimate": False}
    return {
        "total_fen": outcome.total_fen,
        "payers_fen": {line.payer: line.amount_fen for line in outcome.lines},
        "refused": [],
        "binding": list(outcome.binding_caps),
        "estimate": outcome.estimate,
    }
