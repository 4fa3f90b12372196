"""A price as the form types it, and as the document that it means: flat texts by field name in, a document of format 2 out, and back.

What cannot be read (``abc`` for an amount) goes into the document as it was typed, so that the check of the document tells it with its
path; ``field_of`` says which field of the form a path came from. Fields: ``class-0-rate``, ``band-1-from``,
``step-0-percent``, ``addon-0-rate-1`` ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from billing.pricing.rules.counted import COUNTED_UNITS
from billing.pricing.rules.customer_class import ACADEMIC, FIRM_LARGE, FIRM_SME, INSIDE, TEAM
from billing.pricing.rules.schedule import OPERATED_MODES

Typed = Mapping[str, str | list[str]]
Document = dict[str, Any]

#: What a row of the form may say of who is in a class, and the conditions that it means.
WHO: Mapping[str, Mapping[str, Any]] = {
    INSIDE: {"own": True},
    ACADEMIC: {"kinds": ["government", "owner"]},
    TEAM: {"kinds": ["team"]},
    FIRM_SME: {"kinds": ["firm"], "sizes": ["medium", "micro", "small"]},
    "firm_small": {"kinds": ["firm"], "sizes": ["micro", "small"]},
    FIRM_LARGE: {"kinds": ["firm"]},
    "everybody": {},
}
#: Rows of these alone, without anything more, are the platform's own classes.
_PLATFORM = (INSIDE, ACADEMIC, TEAM, FIRM_SME, FIRM_LARGE)
_FEES = {"late": "late_cancel", "noshow": "no_show"}


#: What the form has fields for.
_PARTS = frozenset(
    {
        "format", "currency", "unit", "unit_minutes", "step_minutes", "rates", "classes", "steps", "bands", "holidays", "setup",
        "operator", "addons", "minimum", "tax", "fees", "rounding",
    }
)  # fmt: skip


class NotTyped(ValueError):
    """Raised where a document says something that the form has no field for."""


def document_of(typed: Typed, currency: str) -> Document:
    """The document that was typed."""
    unit = _text(typed, "unit") or "hour"
    codes = dict(_codes(typed))
    made: Document = {
        "format": 2,
        "currency": currency,
        "unit": unit,
        "rates": {code: _text(typed, f"class-{row}-rate") for row, code in codes.items()},
        "rounding": {"step": _text(typed, "rounding_step") or "fen", "mode": _text(typed, "rounding_mode") or "half_up"},
    }
    if _has_own_classes(typed, codes):
        made["classes"] = [_class(typed, row, code) for row, code in codes.items()]
    made |= _steps(typed, codes)
    setup = {code: _text(typed, f"class-{row}-setup") for row, code in codes.items()}
    if any(setup.values()):
        made["setup"] = {code: text or "0" for code, text in setup.items()}
    minimum = _filled(typed, {"minutes": "minimum_minutes", "amount": "minimum_amount"})
    if minimum:
        made["minimum"] = {name: _whole(text) if name == "minutes" else text for name, text in minimum.items()}
    if tax := _text(typed, "tax_percent"):
        made["tax"] = {"rate": _ratio(tax), "included": _text(typed, "tax_included") != "added"}
    return made if unit in COUNTED_UNITS else made | _of_time(typed, codes, unit)


def _of_time(typed: Typed, codes: Mapping[int, str], unit: str) -> Document:
    """The parts that only time on an instrument has."""
    made: Document = {}
    if unit != "hour" and (minutes := _text(typed, "unit_minutes")):
        made["unit_minutes"] = _whole(minutes)
    if step := _text(typed, "step_minutes"):
        made["step_minutes"] = _whole(step)
    if bands := [_band(typed, row, codes) for row in _rows(typed, "band", ("from", "to"))]:
        made["bands"] = bands
    if addons := [_addon(typed, row, codes) for row in _addon_rows(typed, codes)]:
        made["addons"] = addons
    if _text(typed, "knows_holidays"):
        weekday = _text(typed, "makeup_weekday")
        made["holidays"] = {"makeup_weekday": _whole(weekday)} if weekday else {}
    operator = {code: _text(typed, f"class-{row}-operator") for row, code in codes.items()}
    if any(operator.values()):
        made["operator"] = {"rates": {code: text or "0" for code, text in operator.items()}}
        if modes := _list(typed, "operator_modes"):
            made["operator"]["modes"] = modes
    fees = {}
    for short, kind in _FEES.items():
        if share := _text(typed, f"{short}_percent"):
            more = _filled(typed, {"at_least": f"{short}_least", "at_most": f"{short}_most"})
            fees[kind] = {"share": _ratio(share), **more}
    return made | ({"fees": fees} if fees else {})


def typed_of(document: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """What the form shows for a document of any format. Raises NotTyped where the form has no field for something."""
    if others := document.keys() - _PARTS:
        raise NotTyped(f"the form has no field for {sorted(others)}")
    typed: dict[str, str | list[str]] = {
        "unit": document.get("unit", "hour"),
        "unit_minutes": str(document.get("unit_minutes", "")),
        "step_minutes": str(document.get("step_minutes", "")),
        "minimum_minutes": str(document.get("minimum", {}).get("minutes", "")),
        "minimum_amount": str(document.get("minimum", {}).get("amount", "")),
        "rounding_step": document["rounding"]["step"],
        "rounding_mode": document["rounding"]["mode"],
    }
    typed |= _typed_classes(document)
    for row, step in enumerate(document.get("steps", [])):
        typed[f"step-{row}-up_to"] = step.get("up_to", "")
        typed |= _typed_price(f"step-{row}", step, document)
    for row, band in enumerate(document.get("bands", [])):
        typed |= _typed_band(f"band-{row}", band, document)
    for row, addon in enumerate(document.get("addons", [])):
        typed |= _typed_addon(f"addon-{row}", addon, document)
    if "holidays" in document:
        typed |= {"knows_holidays": "on", "makeup_weekday": str(document["holidays"].get("makeup_weekday", ""))}
    if "operator" in document:
        typed["operator_modes"] = list(document["operator"].get("modes", OPERATED_MODES))
    if "tax" in document:
        typed |= {
            "tax_percent": _percent(document["tax"]["rate"]),
            "tax_included": "included" if document["tax"]["included"] else "added",
        }
    for short, kind in _FEES.items():
        if fee := document.get("fees", {}).get(kind):
            typed |= {f"{short}_percent": _percent(fee["share"])}
            typed |= {f"{short}_{end}": str(fee[f"at_{end}"]) for end in ("least", "most") if f"at_{end}" in fee}
    return typed


def field_of(path: str, typed: Typed) -> str:
    """The field of the form that a JSON path of ``document_of(typed)`` came from; empty where none did."""
    rows = {code: row for row, code in _codes(typed)}
    if found := re.match(r"\$\.(rates|setup|operator\.rates)\.(\w+)", path):
        name = {"rates": "rate", "setup": "setup"}.get(found[1], "operator")
        return f"class-{rows[found[2]]}-{name}" if found[2] in rows else ""
    if found := re.match(r"\$\.classes\[(\d+)\](?:\.when\.(\w+))?", path):
        row = list(rows.values())[int(found[1])]
        return f"class-{row}-{found[2]}" if found[2] in ("regions", "zones") else f"class-{row}-who"
    if found := re.match(r"\$\.(bands|steps)\[(\d+)\](?:\.(\w+))?(?:\.(\w+))?", path):
        return _field_of_row(found, typed, rows)
    if found := re.match(r"\$\.addons\[(\d+)\](?:\.(\w+))?(?:\.(\w+))?", path):
        row = list(_addon_rows(typed, rows.values()))[int(found[1])]
        place = rows.get(found[3] or "", next(iter(rows.values()), 0))
        return f"addon-{row}-rate-{place}" if found[2] == "rates" else f"addon-{row}-name_zh"
    if found := re.match(r"\$\.fees\.(\w+)\.?(\w*)", path):
        short = {kind: short for short, kind in _FEES.items()}.get(found[1], "")
        return f"{short}_" + {"at_least": "least", "at_most": "most"}.get(found[2], "percent")
    plain = {
        "$.rates": "class-0-rate", "$.unit": "unit", "$.unit_minutes": "unit_minutes", "$.step_minutes": "step_minutes",
        "$.minimum.minutes": "minimum_minutes", "$.minimum.amount": "minimum_amount", "$.tax.rate": "tax_percent",
        "$.steps": "step-0-percent", "$.holidays.makeup_weekday": "makeup_weekday",
    }  # fmt: skip
    return plain.get(path, "")


def _field_of_row(found: re.Match[str], typed: Typed, rows: Mapping[str, int]) -> str:
    kind = {"bands": "band", "steps": "step"}[found[1]]
    row = list(_rows(typed, kind, ("from", "to") if kind == "band" else ("percent", "up_to")))[int(found[2])]
    part = found[3] or ("from" if kind == "band" else "up_to")
    if part == "rates" and found[4] in rows:
        return f"{kind}-{row}-rate-{rows[found[4]]}"
    names = {"ratio": "percent", "rates": "percent", "name": "name_zh", "code": "name_zh"}
    return f"{kind}-{row}-{names.get(part, part)}"


def codes_of(typed: Typed) -> dict[int, str]:
    """The code of the class of each row that has a rate, by row."""
    return dict(_codes(typed))


def rows_of(typed: Typed, kind: str) -> int:
    """How many rows of a kind (``class``, ``band``, ``step``, ``addon``) were typed, to the last with anything in it; at most a hundred."""
    found = [int(match[1]) for name, value in typed.items() if value and (match := re.match(rf"{kind}-([0-9]{{1,2}})-", name))]
    return max(found, default=-1) + 1


def _rows(typed: Typed, kind: str, needs: Sequence[str]) -> Iterator[int]:
    """The rows in which one of the fields ``needs`` is filled."""
    for row in range(rows_of(typed, kind)):
        if any(_text(typed, f"{kind}-{row}-{name}") for name in needs):
            yield row


def _codes(typed: Typed) -> Iterator[tuple[int, str]]:
    """Each row of a class that has a rate, with the code of the class: its own, that of who is in it, or one made for it."""
    seen: set[str] = set()
    for row in _rows(typed, "class", ("rate",)):
        who = _text(typed, f"class-{row}-who")
        code = _text(typed, f"class-{row}-code") or (who if who in _PLATFORM else f"class_{row + 1}")
        if code in seen:
            code = f"class_{row + 1}"
        seen.add(code)
        yield row, code


def _has_own_classes(typed: Typed, codes: Mapping[int, str]) -> bool:
    own = ("regions", "zones", "verified", "name_zh", "name_en", "evidence_zh", "evidence_en")
    return any(
        code != _text(typed, f"class-{row}-who") or any(_text(typed, f"class-{row}-{name}") for name in own)
        for row, code in codes.items()
    )


def _class(typed: Typed, row: int, code: str) -> Document:
    when: Document = dict(WHO.get(_text(typed, f"class-{row}-who"), {}))
    for name in ("regions", "zones"):
        if parts := [part for part in re.split(r"[\s,，、;；]+", _text(typed, f"class-{row}-{name}")) if part]:
            when[name] = parts
    if _text(typed, f"class-{row}-verified"):
        when["verified"] = True
    texts = {part: _texts(typed, f"class-{row}-{part}") for part in ("name", "evidence")}
    return {"code": code, **{part: text for part, text in texts.items() if text}, **({"when": when} if when else {})}


def _texts(typed: Typed, prefix: str) -> Document:
    """A text in both languages; where only one is typed it stands for the other."""
    zh, en = _text(typed, f"{prefix}_zh"), _text(typed, f"{prefix}_en")
    return {"zh": zh or en, "en": en or zh} if zh or en else {}


def _steps(typed: Typed, codes: Mapping[int, str]) -> Document:
    steps = []
    for row in _rows(typed, "step", ("percent", "up_to", *(f"rate-{one}" for one in codes))):
        up_to = _text(typed, f"step-{row}-up_to")
        steps.append(({"up_to": up_to} if up_to else {}) | _price(typed, f"step-{row}", codes))
    return {"steps": steps} if steps else {}


def _price(typed: Typed, prefix: str, codes: Mapping[int, str]) -> Document:
    """A share of the rates, or rates of its own."""
    rates = {code: _text(typed, f"{prefix}-rate-{row}") for row, code in codes.items()}
    percent = _text(typed, f"{prefix}-percent")
    return {"rates": rates} if any(rates.values()) and not percent else {"ratio": _ratio(percent)}


def _band(typed: Typed, row: int, codes: Mapping[int, str]) -> Document:
    prefix = f"band-{row}"
    name = _texts(typed, f"{prefix}-name")
    made: Document = {
        "code": _text(typed, f"{prefix}-code") or f"band_{row + 1}",
        "weekdays": sorted(int(day) for day in _list(typed, f"{prefix}-weekdays") if day.isdecimal()),
        "from": _text(typed, f"{prefix}-from"),
        "to": _text(typed, f"{prefix}-to"),
        **_price(typed, prefix, codes),
    }
    return made | ({"name": name} if name else {}) | ({"holidays": True} if _text(typed, f"{prefix}-holidays") else {})


def _addon_rows(typed: Typed, classes: Iterable[int]) -> Iterator[int]:
    return _rows(typed, "addon", ("name_zh", "name_en", *(f"rate-{one}" for one in classes)))


def _addon(typed: Typed, row: int, codes: Mapping[int, str]) -> Document:
    """What may be used besides the time; a class without an amount gets it for nothing where another has one."""
    rates = {code: _text(typed, f"addon-{row}-rate-{place}") for place, code in codes.items()}
    some = any(rates.values())
    return {
        "code": _text(typed, f"addon-{row}-code") or f"addon_{row + 1}",
        "name": _texts(typed, f"addon-{row}-name"),
        "rates": {code: text or "0" for code, text in rates.items()} if some else rates,
    }


def _typed_addon(prefix: str, addon: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, str | list[str]]:
    names: dict[str, str | list[str]] = {f"{prefix}-name_{language}": text for language, text in addon["name"].items()}
    return {f"{prefix}-code": addon["code"]} | names | _typed_price(prefix, addon, document)


def _typed_classes(document: Mapping[str, Any]) -> dict[str, str | list[str]]:
    typed: dict[str, str | list[str]] = {}
    named = [{"code": code, "when": {"platform": code}} for code in _in_order(document["rates"])]
    classes = document.get("classes") or named
    for row, each in enumerate(classes):
        code, when = each["code"], dict(each.get("when", {}))
        prefix = f"class-{row}"
        for name in ("regions", "zones"):
            if name in when:
                typed[f"{prefix}-{name}"] = " ".join(when.pop(name))
        if when.pop("verified", None):
            typed[f"{prefix}-verified"] = "on"
        typed[f"{prefix}-who"] = _who(when)
        typed[f"{prefix}-code"] = code
        for part in ("name", "evidence"):
            typed |= {f"{prefix}-{part}_{language}": text for language, text in each.get(part, {}).items()}
        typed[f"{prefix}-rate"] = str(document["rates"][code])
        beside = {"setup": document.get("setup", {}), "operator": document.get("operator", {}).get("rates", {})}
        typed |= {f"{prefix}-{name}": str(rates[code]) for name, rates in beside.items() if code in rates}
    return typed


def _in_order(codes: Iterable[str]) -> list[str]:
    """Codes of the platform's classes in its order (a database keeps none), others behind them."""
    return sorted(codes, key=lambda code: (_PLATFORM.index(code) if code in _PLATFORM else len(_PLATFORM), code))


def _who(when: Mapping[str, Any]) -> str:
    if "platform" in when:
        if when["platform"] in _PLATFORM:
            return str(when["platform"])
        raise NotTyped(f"the class {when['platform']!r} has no conditions")
    plain = {name: sorted(value) if isinstance(value, list) else value for name, value in when.items()}
    for who, conditions in WHO.items():
        if plain == conditions:
            return who
    raise NotTyped(f"no row of the form means {plain}")


def _typed_price(prefix: str, part: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, str | list[str]]:
    if "ratio" in part:
        return {f"{prefix}-percent": _percent(part["ratio"])}
    codes = [each["code"] for each in document.get("classes", [])] or _in_order(document["rates"])
    return {f"{prefix}-rate-{codes.index(code)}": str(amount) for code, amount in part["rates"].items()}


def _typed_band(prefix: str, band: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, str | list[str]]:
    typed: dict[str, str | list[str]] = {
        f"{prefix}-code": band["code"],
        f"{prefix}-weekdays": [str(day) for day in band["weekdays"]],
        f"{prefix}-from": band["from"],
        f"{prefix}-to": band["to"],
    }
    typed |= {f"{prefix}-name_{language}": text for language, text in band.get("name", {}).items()}
    if band.get("holidays"):
        typed[f"{prefix}-holidays"] = "on"
    return typed | _typed_price(prefix, band, document)


def _ratio(percent: str) -> str:
    """``"12.5"`` per cent as the text of a ratio; what is no number stays as it is."""
    try:
        return f"{(Decimal(percent) / 100).normalize():f}"
    except InvalidOperation:
        return percent


def _percent(ratio: str) -> str:
    return f"{(Decimal(ratio) * 100).normalize():f}"


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _filled(typed: Typed, names: Mapping[str, str]) -> dict[str, str]:
    """The texts of the fields that have one, by the names they go under."""
    return {name: text for name, field in names.items() if (text := _text(typed, field))}


def _text(typed: Typed, name: str) -> str:
    value = typed.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _list(typed: Typed, name: str) -> list[str]:
    value = typed.get(name, [])
    return value if isinstance(value, list) else [value] if value else []
