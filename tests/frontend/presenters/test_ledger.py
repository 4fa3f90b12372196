"""Every source of money and every kind of account that the code can write has words, and every source a place where it is read."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import translation

from billing.bills.models import ReversalCause, WriteOffKind
from billing.ledger.wording import reason_word
from billing.payments.models import RefundKind
from billing.sources import WAYS
from billing.subsidy.rules.parts.caps import CapPer
from booking.rules.samples import JobEvent
from booking.rules.states import Action
from frontend.presenters.ledger import SOURCES, account_word

ROOT = Path(__file__).resolve().parents[3]
#: What a module says that is no name or text of its own: which values it may have.
SAID = {
    "source.type": set(),  # another source's, handed on
    "_kind(paying)": {"reservation", "sample_job"},
    "cap.per.value": {each.value for each in CapPer},
    "account.kind": set(),  # of an account that is there
}
#: Reasons that are said as the value of one of these.
NAMED_REASONS = {
    *(each.value for kind in (WriteOffKind, ReversalCause, RefundKind) for each in kind),
    *(each.value for each in (Action.REJECT, Action.CANCEL, Action.MARK_NO_SHOW, Action.EXPIRE, Action.TAKE_BACK)),
    Action.UNDO_IMPORT.value,
    *(each.value for each in (JobEvent.CANCEL, JobEvent.REFUSE, JobEvent.LAPSE, JobEvent.FAIL)),
    "return",  # of a voucher: ``life.end``
}
#: Sources of which nobody can read more than the posting says, each with the reason why.
NOWHERE: dict[str, str] = {}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the code that moves money, with its module."""
    for path in sorted([*(ROOT / "billing").rglob("*.py"), *(ROOT / "booking").rglob("*.py")]):
        if "migrations" in path.parts:
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield module, node


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def values(module: str, node: ast.expr) -> set[str]:
    """What an argument may be."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    said = ast.unparse(node)
    if said in SAID:
        return SAID[said]
    found: object = importlib.import_module(module)
    for name in said.split("."):
        assert hasattr(found, name), f"{module} says {said}, of which this test does not know what it may be"
        found = getattr(found, name)
    return {str(found)}


def source_types() -> set[str]:
    found: set[str] = set()
    for module, call in calls():
        if name_of(call) == "Source" and call.args:
            found |= values(module, call.args[0])
        if name_of(call) == "replace" and call.args and ast.unparse(call.args[0]) == "source":
            found |= {value for each in call.keywords if each.arg == "type" for value in values(module, each.value)}
    return found


def account_kinds() -> set[str]:
    return {
        value
        for module, call in calls()
        if name_of(call) == "AccountSpec" and len(call.args) > 1
        for value in values(module, call.args[1])
    }


def reasons() -> set[tuple[str, str]]:
    """(type of source or "", code) of every reason that is said as a text where money moves."""
    found = set()
    for module, call in calls():
        name, texts = name_of(call), [each.value for each in call.args if isinstance(each, ast.Constant)]
        if name == "Source" and len(call.args) > 2 and isinstance(call.args[2], ast.Constant):
            (of,) = values(module, call.args[0]) or {""}
            found.add((of, str(call.args[2].value)))
        elif name == "_source" or ast.unparse(call.func).startswith("card_money."):
            found |= {("", text) for text in texts if isinstance(text, str)}
    return found


def test_every_source_that_the_code_writes_has_words_and_a_place_where_it_is_read() -> None:
    written = source_types()
    assert {"reservation", "payout", "charge", "spending_limit", "fund_card"} <= written
    assert written <= WAYS.keys() | NOWHERE.keys(), "a source of money has neither a place nor a reason why it has none"
    assert SOURCES.keys() == WAYS.keys() | NOWHERE.keys() == written


def test_a_source_without_a_place_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAID, "_kind(paying)", {"a_type_of_its_own"})
    assert "a_type_of_its_own" in source_types() - WAYS.keys()


def test_every_kind_of_account_that_the_code_opens_has_a_word() -> None:
    opened = account_kinds() - {CapPer.SESSION.value, CapPer.PAYMENT.value}
    assert {"order", "contract", "prepaid", "spending_limit", "elsewhere", "subsidy_due", "firm_year"} <= opened
    with translation.override("en"):
        assert [kind for kind in sorted(opened) if str(account_word(kind)) == kind] == []


def test_every_reason_that_the_code_gives_has_a_word() -> None:
    given = reasons() | {("", each) for each in NAMED_REASONS}
    assert ("bill", "bill_issue") in given and ("", "fee_fell_away") in given
    with translation.override("en"):
        assert sorted(each for each in given if str(reason_word(each[1], each[0])) == each[1]) == []


def test_every_place_is_an_address() -> None:
    assert reverse("group_detail", args=[1]) and reverse("partner_list") and reverse("month_draft", args=[1])
