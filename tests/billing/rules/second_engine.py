"""A second implementation of the subsidy engine, which shares no code with the first: documents and facts as they were typed, fractions
instead of decimals, no compiling, no steps. Slow and plain; it says what each payer pays (fen), or None where the request is refused.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

Json = dict[str, Any]
MONEY_GROUPS = {"amounts", "other_amounts", "batch"}
MONEY = {"fee", "subsidised", "annual_revenue", "original_value"}
MINUTES = {"machine_hours": "minutes", "external_machine_hours": "external_minutes"}


def fen(yuan: str | int) -> Fraction:
    return Fraction(yuan) * 100


def fact(facts: Json, path: str) -> Any:
    group, _, name = path.partition(".")
    value = facts.get(group, {}).get(name)
    if value is not None and (group in MONEY_GROUPS or name in MONEY) and path != "amounts.lines":
        return fen(value)
    return value


def holds(condition: Json, facts: Json) -> bool | None:
    if "not" in condition:
        inner = holds(condition["not"], facts)
        return None if inner is None else not inner
    for word, ends in (("all", False), ("any", True)):
        if word in condition:
            answers = [holds(each, facts) for each in condition[word]]
            return ends if ends in answers else None if None in answers else not ends
    path = condition["fact"]
    value = fact(facts, path)
    if "has_any" in condition:
        return bool(set(value or ()) & set(condition["has_any"]))
    if value is None:
        return {"yes": True, "no": False}.get(condition.get("if_unknown", ""))
    wanted = {name: fen(each) if isinstance(value, Fraction) else each for name, each in condition.items() if name in COMPARED}
    tests = [COMPARED[name](value, each) for name, each in wanted.items()]
    if "any_of" in condition:
        tests.append(value in condition["any_of"])
    if "starts_with" in condition:
        tests.append(any(value[: len(each)] == each for each in condition["starts_with"]))
    return all(tests)


COMPARED = {
    "is": lambda found, wanted: found == wanted,
    "at_least": lambda found, wanted: found >= wanted,
    "below": lambda found, wanted: found < wanted,
}


def rounded(value: Fraction, mode: str, step: int = 1) -> int:
    units = value / step
    low = math.floor(units)
    rest = units - low
    up = {
        "down": False,
        "up": rest > 0,
        "half_up": rest >= Fraction(1, 2),
        "half_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1),
    }[mode]
    return (low + up) * step


def step_of(said: str) -> int:
    return {"fen": 1, "yuan": 100}.get(said, 0) or int(said) * 100


def shared(total: int, weights: list[Fraction]) -> list[int]:
    """Largest remainder, one left-over unit at a time."""
    exact = [total * weight / sum(weights) for weight in weights]
    parts = [math.floor(each) for each in exact]
    while sum(parts) < total:
        gaps = [each - part for each, part in zip(exact, parts, strict=True)]
        parts[gaps.index(max(gaps))] += 1
    return parts


class Refusal(Exception):
    """The request is refused."""


def slices(pieces: list[Json], start: Fraction, size: Fraction, read: Any) -> list[tuple[Fraction, Json]]:
    """How much of ``size``, counted from ``start``, lies in each piece."""
    found, low = [], Fraction(0)
    for piece in pieces:
        high = read(piece["up_to"]) if "up_to" in piece else start + size + 1
        found.append((max(Fraction(0), min(start + size, high) - max(start, low)), piece))
        low = high
    return found


def rate_amount(rate: Any, base: Fraction, facts: Json) -> Fraction:
    if isinstance(rate, str):
        return base * Fraction(rate)
    kind = rate["type"]
    if kind == "flat":
        return base * Fraction(rate["rate"])
    if kind == "chosen":
        low, high = Fraction(rate.get("at_least", "0")), Fraction(rate["at_most"])
        asked = facts.get("request", {}).get("rate")
        if asked is None and rate["when_not_chosen"] == "refuse":
            raise Refusal
        usual = high if rate["when_not_chosen"] == "highest" else low
        return base * (usual if asked is None else max(low, min(high, Fraction(asked))))
    if kind == "tiers":
        start = fact(facts, rate["continues"]) or Fraction(0) if "continues" in rate else Fraction(0)
        return sum((size * Fraction(piece["rate"]) for size, piece in slices(rate["tiers"], start, base, fen)), Fraction(0))
    if kind == "brackets":
        piece = next(each for each in rate["brackets"] if "up_to" not in each or base <= fen(each["up_to"]))
        return base * Fraction(piece["rate"]) if "rate" in piece else fen(piece["amount"])
    if kind == "per_unit":
        size = base if rate.get("part_units", "exact") == "exact" else Fraction(rounded(base, rate["part_units"]))
        start = Fraction(fact(facts, rate["continues"]) or 0, 60) if "continues" in rate else Fraction(0)
        pieces = rate.get("tiers") or [{"amount": rate["amount"]}]
        return sum((units * fen(piece["amount"]) for units, piece in slices(pieces, start, size, Fraction)), Fraction(0))
    if kind == "fixed":
        return fen(rate["amount"])
    if kind == "face_value":
        return min(fen(rate["amount"]), base * (1 - Fraction(rate["own_share"])))
    if kind == "vouchers":
        most = min(facts["quantities"]["vouchers"], rate["most"])
        fits = [
            count
            for count in range(most + 1)
            if count * fen(rate["face_value"]) + math.ceil(count * Fraction(rate["co_funded_share"])) * fen(rate["own_money"])
            <= base
        ]
        return max(fits) * fen(rate["face_value"])
    if kind == "stacked":
        return sum((base * Fraction(level["rate"]) for level in paying(rate, facts)), Fraction(0))
    if kind == "ex_post":
        pool, claims = fact(facts, "batch.pool"), fact(facts, "batch.claims")
        if pool is None or claims is None:
            return base * Fraction(rate["assume"])
        low, high = Fraction(rate["at_least"]), Fraction(rate["at_most"])
        share = min(high, max(low, pool / claims)) if claims else high
        if "decimals" in rate:
            share = Fraction(rounded(share * 10 ** rate["decimals"], rate.get("rounding", "down")), 10 ** rate["decimals"])
        return base * share
    answers = [(holds(case["when"], facts), case["rate"]) for case in rate["cases"]]
    if kind == "best_of":
        worth = [rate_amount(each, base, facts) for answer, each in answers if answer]
        if not worth:
            raise Refusal
        return max(worth)
    for answer, each in answers:
        if answer is None:
            raise Refusal
        if answer:
            return rate_amount(each, base, facts)
    if "otherwise" not in rate:
        raise Refusal
    return rate_amount(rate["otherwise"], base, facts)


def paying(rate: Json, facts: Json) -> list[Json]:
    return [level for level in rate["levels"] if "when" not in level or holds(level["when"], facts)]


def adjusted(piece: Json, amount: Fraction, base: Fraction, facts: Json) -> Fraction:
    kind = piece["type"]
    if "when" in piece and not holds(piece["when"], facts):
        return amount
    if kind == "quality_factor":
        grade = fact(facts, piece.get("of", "quality.grade")) or piece["assume"]
        if grade not in piece["factors"]:
            raise Refusal
        return amount * Fraction(piece["factors"][grade])
    if kind == "uplift":
        return amount + base * Fraction(piece["points"])
    if kind == "rate_limit":
        whole = fact(facts, piece["of"]) if "of" in piece else base
        if whole is None:
            raise Refusal
        most = whole * Fraction(piece["rate"]) - sum(fact(facts, each) or 0 for each in piece.get("counting", ()))
        return min(amount, max(Fraction(0), most))
    if kind == "factor":
        return amount * Fraction(piece["factor"])
    if kind in ("bonus", "first_use_bonus"):
        wanted = kind == "bonus" or facts.get("applicant", {}).get("first_use")
        return amount + fen(piece["amount"]) if wanted and (amount or not piece["only_with_subsidy"]) else amount
    if kind == "asked_limit":
        asked = fact(facts, "amounts.asked")
        return amount if asked is None else min(amount, asked)
    if kind == "deduct":
        return max(Fraction(0), amount - (fact(facts, piece["of"]) or 0))
    return amount if amount >= fen(piece["amount"]) else Fraction(0)


def base_of(document: Json, facts: Json) -> Fraction:
    base = document["base"]
    if "quantity" in base:
        unit = base["quantity"]
        return Fraction(facts["quantities"][MINUTES.get(unit, unit)], 60 if unit in MINUTES else 1)
    whole = min(fact(facts, f"amounts.{name}") for name in base.get("least_of", [base.get("amount")]))
    for name in base.get("less", ()):
        whole = max(Fraction(0), whole - (fact(facts, f"amounts.{name}") or 0))
    if base.get("minimum_charge") == "excluded":
        whole = max(Fraction(0), whole - (fact(facts, "amounts.minimum_top_up") or 0))
    whole = max(Fraction(0), whole - fen(base.get("only_above", 0)))
    return min(whole, fen(base["at_most"])) if "at_most" in base else whole


class Caps:
    """What caps leave, by the document and the balances as they were typed."""

    def __init__(self, document: Json, facts: Json, balances: Json) -> None:
        self.facts, self.balances = facts, balances
        self.caps = {cap["id"]: cap for cap in document["caps"]}

    def limit(self, cap: Json) -> Fraction | None:
        own = self.balances.get(cap["id"], {}).get("limit")
        said = cap["limit"]
        if isinstance(said, dict) and said.get("configured"):
            said = own if own is not None else said.get("default")
            return None if said is None else fen(said)
        if isinstance(said, dict) and "share" in said:
            whole = self.limit(self.caps[said["of"]])
            said_fen = None if whole is None else Fraction(math.floor(whole * Fraction(said["share"])))
        elif isinstance(said, dict):
            chosen = [case["limit"] for case in said["cases"] if holds(case["when"], self.facts)] + [said.get("otherwise")]
            said_fen = None if chosen[0] is None else fen(chosen[0])
        else:
            said_fen = fen(said)
        known = [each for each in (said_fen, None if own is None else fen(own)) if each is not None]
        return min(known, default=None)

    def room(self, cap: Json) -> Fraction | None:
        kinds = {"firm_year": "firm", "team_year": "team"}
        kind = self.facts.get("applicant", {}).get("kind")
        if kinds.get(cap["per"], kind) != kind or ("when" in cap and holds(cap["when"], self.facts) is False):
            return None
        limit = self.limit(cap)
        return None if limit is None else max(Fraction(0), limit - fen(self.balances.get(cap["id"], {}).get("used", 0)))

    def cut(self, amount: int, payer: str, step: int) -> int:
        """The amount under every cap of a payer (or the joint ones), in their order."""
        for cap in self.caps.values():
            room = self.room(cap)
            if cap.get("payer", "") == payer and room is not None and amount > room:
                if cap["when_short"] == "refuse":
                    raise Refusal
                amount = math.floor(room / step) * step
        return amount

    def least(self, payer: str) -> Fraction | None:
        rooms = [self.room(cap) for cap in self.caps.values() if cap.get("payer") == payer]
        return min((room for room in rooms if room is not None), default=None)


def split(payers: Json, total: int, rate: Json, facts: Json, caps: Caps) -> dict[str, int]:
    rule = payers["rule"]
    if rule == "cases":
        for case in payers["cases"]:
            if holds(case["when"], facts):
                return split(case["payers"], total, rate, facts, caps)
        return split(payers["otherwise"], total, rate, facts, caps)
    if rule == "in_order":
        found = {}
        for each in payers["order"]:
            room = caps.least(each["payer"])
            ends = [Fraction(total)] + ([room] if room is not None else [])
            ends += [fact(facts, each["up_to"]) or Fraction(0)] if "up_to" in each else []
            found[each["payer"]] = int(min(ends))
            total -= found[each["payer"]]
        return found
    if rule == "by_level":
        levels = [level for level in paying(rate, facts) if Fraction(level["rate"])]
        parts = shared(total, [Fraction(level["rate"]) for level in levels]) if levels else []
        return {level["payer"]: part for level, part in zip(levels, parts, strict=True)}
    names = [each["payer"] for each in payers["shares"]]
    shares = [Fraction(each["share"]) for each in payers["shares"]]
    if rule == "largest_remainder":
        return dict(zip(names, shared(total, shares), strict=True))
    found, left = {}, total
    for name, share in zip(names, shares, strict=True):
        if name != payers["rest"]:
            found[name] = min(left, rounded(total * share, payers["rounding"], step_of(payers.get("step", "fen"))))
            left -= found[name]
    return found | {payers["rest"]: left}


def pays(document: Json, facts: Json, balances: Json) -> dict[str, int] | None:
    """What each payer pays (fen; those who pay nothing may be left out), or None for a refusal."""
    try:
        return _pays(document, facts, balances)
    except Refusal:
        return None


def _pays(document: Json, facts: Json, balances: Json) -> dict[str, int]:
    for gate in document["gates"]:
        if gate["type"] == "condition" and not holds(gate["when"], facts):
            raise Refusal
    base, caps = base_of(document, facts), Caps(document, facts, balances)
    amount = rate_amount(document["rate"], base, facts)
    for piece in document["adjustments"]:
        amount = adjusted(piece, amount, base, facts)
    step = step_of(document["rounding"]["step"])
    total = rounded(amount, document["rounding"]["mode"], step)
    cost = base if "quantity" not in document["base"] else fact(facts, "amounts.fee") or Fraction(0)
    free = document["settlement"]["mode"] == "paid_beside"

    def within(value: int) -> int:
        return value if free or value <= cost else math.floor(cost / step) * step

    payers = document["payers"]
    if payers["rule"] != "match":
        total = caps.cut(within(total), "", step)
        parts = split(payers, total, document["rate"], facts, caps)
        return {payer: caps.cut(part, payer, step) for payer, part in parts.items()}
    parts = {payers["lead"]: caps.cut(within(total), payers["lead"], step)}
    for each in payers["matches"]:
        active = "when" not in each or holds(each["when"], facts)
        wanted = rounded(parts[payers["lead"]] * Fraction(each["ratio"]), payers["rounding"]) if active else 0
        parts[each["payer"]] = caps.cut(wanted, each["payer"], step)
    whole = sum(parts.values())
    left = caps.cut(within(whole), "", step)
    if left < whole and payers["gives_way"] == "proportional":
        return dict(zip(parts, shared(left, [Fraction(part) for part in parts.values()]), strict=True))
    for payer in reversed(list(parts)):
        cut = min(parts[payer], whole - left)
        parts[payer] -= cut
        whole -= cut
    return parts


def batch_of_contracts(document: Json, claims: list[Json], cap_id: str) -> list[int]:
    """What each claim gets (fen) where one joint cap is per contract: those of one number share it, one without is by itself."""
    used: dict[str, Fraction] = {}
    found = []
    for facts in claims:
        number = facts["service"].get("contract_number")
        before = used.get(number, Fraction(0)) if number else Fraction(0)
        parts = pays(document, facts, {cap_id: {"used": str(before / 100)}})
        found.append(sum((parts or {}).values()))
        if number:
            used[number] = before + found[-1]
    return found
