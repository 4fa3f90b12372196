"""Worked examples inside a programme's document: they must come out before anyone publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from billing.ledger.rules.documents import Document
from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules.batch import Claim, Opening, evaluate_batch
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.example_faults import merged_facts
from billing.subsidy.rules.example_left import left_of_award, left_of_batch, left_of_one
from billing.subsidy.rules.facts import Facts, parse_facts
from billing.subsidy.rules.outcome import Award, Balance, Outcome, Refused, SettlementMode
from billing.subsidy.rules.programme import Programme, parse_programme
from instruments.rules.firm_size import size_class

#: Single amounts that an example can expect, in yuan; what comes out is compared in fen under the name with ``_fen``.
AMOUNTS = ("total", "computed", "base", "deducted", "refunded", "beside", "payable_now", "final_cost")
#: Amounts by name: payer, payee, cap, claim.
NAMED_AMOUNTS = ("payers", "payees", "left", "claims")
_AS_WRITTEN = ("refused", "binding", "estimate")


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One worked example: what was expected, what came out (amounts in fen), and whether all of it agrees.

    Both mappings have the keys the example names: ``total_fen``, ``payers_fen``, ``refused``, ``binding``, ``estimate`` ...; what a
    single claim of a batch was expected to give stands under ``claim ID: ...``. ``outcome`` is that of the (first) claim,
    ``outcomes`` are those of all, by id (empty for an example of one claim).
    """

    title: str
    passed: bool
    expected: Mapping[str, Any]
    actual: Mapping[str, Any]
    outcome: Outcome
    outcomes: Mapping[str, Outcome]


def check_examples(document: Document) -> list[ExampleResult]:
    """Run every worked example. Raises DocumentError when the document, its examples included, is wrong."""
    programme = parse_programme(document)
    return [run_example(programme, example) for example in document["examples"]]


def run_example(programme: Programme, example: Mapping[str, Any]) -> ExampleResult:
    """Run one example of a valid document."""
    if "claims" in example:
        return _run_batch(programme, example)
    facts = _as_known(parse_facts(example["facts"]))
    balances = {cap: _balance(balance) for cap, balance in example.get("balances", {}).items()}
    outcome = evaluate(programme, facts, balances)
    expected = _expected(example["expect"])
    found = _found(programme, facts, outcome, left_of_one(programme, facts, balances, outcome))
    actual = {name: _as_asked(name, found.get(name), value) for name, value in expected.items()}
    return ExampleResult(example["title"], actual == expected, expected, actual, outcome, {})


def _run_batch(programme: Programme, example: Mapping[str, Any]) -> ExampleResult:
    common = example.get("facts", {})
    claims = [Claim(each["id"], _as_known(parse_facts(merged_facts(common, each["facts"])))) for each in example["claims"]]
    batch = evaluate_batch(programme, claims, _opening(example.get("balances", {})))
    expected = _expected(example["expect"])
    left = {name: left_of_award(programme, outcome) for name, outcome in batch.outcomes.items()}
    each = {claim.id: _found(programme, claim.facts, batch.outcomes[claim.id], left[claim.id]) for claim in claims}
    whole = _sum_of(list(each.values())) | {"claims_fen": {name: found["total_fen"] for name, found in each.items()}}
    whole["left_fen"] = left_of_batch(left.values(), batch.outcomes.values(), batch.steps)
    actual = {name: _as_asked(name, whole.get(name), value) for name, value in expected.items()}
    for claim in example["claims"]:
        for name, value in _expected(claim.get("expect", {})).items():
            expected[f"claim {claim['id']}: {name}"] = value
            actual[f"claim {claim['id']}: {name}"] = _as_asked(name, each[claim["id"]].get(name), value)
    first = batch.outcomes[claims[0].id]
    return ExampleResult(example["title"], actual == expected, expected, actual, first, batch.outcomes)


def _as_known(facts: Facts) -> Facts:
    """The facts as the platform would have them: the size class follows from industry and figures where it is not given."""
    firm, own = facts.applicant, facts.applicant.profile
    if firm.size is not None or firm.kind not in (None, "firm"):
        return facts
    size = size_class(own.industry_code, own.staff, own.annual_revenue, own.total_assets)
    return replace(facts, applicant=replace(firm, size=size))


def _as_asked(name: str, found: Any, expected: Any) -> Any:
    """What came out in the form it is compared in: by name, nil is the same whether it is written or left out; of what is left under
    the caps only those that are named, and a cap that limited nothing has no figure, which is not nil."""
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return found
    if name == "left_fen":
        return {each: found.get(each) for each in expected}
    return {each: found.get(each, 0) for each in expected} | {each: value for each, value in found.items() if value}


def _opening(document: Mapping[str, Any]) -> Opening:
    subjects = {
        (cap, subject): _balance(own) for cap, balance in document.items() for subject, own in balance.get("of", {}).items()
    }
    caps = {cap: _balance(balance) for cap, balance in document.items() if balance.keys() & {"used", "limit"}}
    return Opening(caps, subjects)


def _balance(document: Mapping[str, Any]) -> Balance:
    limit = document.get("limit")
    return Balance(None if limit is None else parse_yuan(limit), parse_yuan(document.get("used", 0)))


def _expected(document: Mapping[str, Any]) -> dict[str, Any]:
    expected: dict[str, Any] = {name: document[name] for name in _AS_WRITTEN if name in document}
    if "refused" in expected:
        expected["refused"] = sorted(set(expected["refused"]))
    for name in AMOUNTS:
        if name in document:
            expected[f"{name}_fen"] = parse_yuan(document[name])
    for name in NAMED_AMOUNTS:
        if name in document:
            expected[f"{name}_fen"] = {key: parse_yuan(amount) for key, amount in document[name].items()}
    return expected


def _found(programme: Programme, facts: Facts, outcome: Outcome, left: Mapping[str, int]) -> dict[str, Any]:
    """Everything that an example could expect of one claim."""
    price = price_of(programme, facts)
    if isinstance(outcome, Refused):
        nothing = dict.fromkeys((f"{name}_fen" for name in AMOUNTS), 0)
        codes = sorted({reason.code for reason in outcome.reasons})
        known = {"payers_fen": {}, "payees_fen": {}, "left_fen": dict(left), "refused": codes, "binding": [], "estimate": False}
        return nothing | known | {"payable_now_fen": price, "final_cost_fen": price}
    deducted = outcome.given_fen(SettlementMode.DEDUCTED_NOW)
    refunded = outcome.given_fen(SettlementMode.REFUNDED_LATER)
    return {
        "total_fen": outcome.total_fen,
        "computed_fen": outcome.computed_fen,
        "base_fen": outcome.base_fen,
        "deducted_fen": deducted,
        "refunded_fen": refunded,
        "beside_fen": outcome.given_fen(SettlementMode.PAID_BESIDE),
        "payable_now_fen": max(0, price - deducted),
        "final_cost_fen": max(0, price - deducted - refunded),
        "payers_fen": _by(outcome, "payer"),
        "payees_fen": _by(outcome, "payee"),
        "left_fen": dict(left),
        "refused": [],
        "binding": list(outcome.binding_caps),
        "estimate": outcome.estimate,
    }


def price_of(programme: Programme, facts: Facts) -> int:
    """What the customer would pay without any subsidy (fen): the fee where it is known, else the amount that is the base."""
    if facts.amounts.fee is not None:
        return facts.amounts.fee
    return programme.base.whole(facts) if programme.base.check(facts) is None else 0


def _by(award: Award, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in award.lines:
        key = str(getattr(line, name))
        found[key] = found.get(key, 0) + line.amount_fen
    return found


def _sum_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of all claims of a batch together."""
    whole: dict[str, Any] = {f"{name}_fen": sum(each[f"{name}_fen"] for each in found) for name in AMOUNTS}
    for name in ("payers_fen", "payees_fen"):
        keys = dict.fromkeys(key for each in found for key in each[name])
        whole[name] = {key: sum(each[name].get(key, 0) for each in found) for key in keys}
    whole["binding"] = list(dict.fromkeys(cap for each in found for cap in each["binding"]))
    whole["refused"] = sorted({code for each in found for code in each["refused"]})
    whole["estimate"] = any(each["estimate"] for each in found)
    return whole
