"""Whether a value in a document suits the fact it is compared with, and what to write where it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules.fact_fields import FactField, FactKind
from billing.subsidy.rules.facts import allowed_values, is_day

#: Facts with a single value.
VALUE_KINDS = frozenset(
    {FactKind.TEXT, FactKind.NUMBER, FactKind.MONEY, FactKind.DAY, FactKind.FLAG, FactKind.SHARE, FactKind.OPEN}
)
_SHARE = re.compile(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?")
_MONTH_DAY = re.compile(r"[0-9]{2}-[0-9]{2}")
#: A year in which every day of a yearly window exists.
_LEAP_YEAR = "2024-"


@cache
def _allowed(path: str) -> tuple[str, ...]:
    return allowed_values(path)


def value_fault(value: Any, fact: FactField) -> str:
    """What is wrong with a value for this fact and how to write it, or nothing."""
    if fact.kind is FactKind.FLAG and not isinstance(value, bool):
        return f"{fact.path} is true or false; write it without quotes"
    if fact.kind is FactKind.NUMBER and (isinstance(value, bool) or not isinstance(value, int)):
        return f"{fact.path} is a whole number; write it without quotes and without a point"
    if fact.kind is FactKind.MONEY and not _is_money(value):
        return f'{fact.path} is an amount of yuan; write a whole number or text such as "499.99"'
    if fact.kind is FactKind.DAY and not (isinstance(value, str) and is_day(value)):
        return f"{fact.path} is a day; write YYYY-MM-DD"
    if fact.kind is FactKind.SHARE and not (isinstance(value, str) and _SHARE.fullmatch(value)):
        return f'{fact.path} is a rate from 0 to 1; write it as text, "0.4" for 40 %'
    if fact.kind is FactKind.TEXT:
        return _text_fault(value, fact)
    if fact.kind is FactKind.OPEN and not isinstance(value, str | int | bool):
        return f"{fact.path} is text, a whole number, true or false"
    return ""


def _text_fault(value: Any, fact: FactField) -> str:
    if not isinstance(value, str):
        return f"{fact.path} is a text; write it in quotes"
    allowed = _allowed(fact.path)
    if not allowed or value in allowed:
        return ""
    near = get_close_matches(value, allowed) or [each for each in allowed if value and each.startswith(value)]
    guess = f"; did you mean {near[0]!r}?" if near else ""
    return f"{value!r} is never found there; {fact.path} is one of {', '.join(allowed)}{guess}"


def _is_money(value: Any) -> bool:
    try:
        return parse_yuan(value) >= 0
    except (TypeError, ValueError):
        return False


def window_faults(window: Mapping[str, str], path: str) -> list[Fault]:
    """What is wrong with a window of days: both ends are days, or both are days of every year."""
    ends = {name: window[name] for name in ("from", "to")}
    yearly = {name: bool(_MONTH_DAY.fullmatch(text)) for name, text in ends.items()}
    faults = [
        Fault(f"{path}.{name}", f"{text!r} is not a day; write YYYY-MM-DD, or MM-DD for every year")
        for name, text in ends.items()
        if not is_day(_LEAP_YEAR + text if yearly[name] else text)
    ]
    if not faults and yearly["from"] != yearly["to"]:
        faults.append(Fault(path, "write both ends as YYYY-MM-DD, or both as MM-DD for every year"))
    if not faults and not yearly["from"] and ends["to"] < ends["from"]:
        faults.append(Fault(f"{path}.to", "the window ends before it begins"))
    return faults
