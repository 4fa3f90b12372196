"""From the sums of simulations to what a page shows: cost over time, coverage, who gets how much, who wins and who loses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.sandbox.rules.variants import AGAINST, STEPS, TRIED

Json = dict[str, Any]
TOP = 20
"""So many winners, losers and owners are named."""
MOST_GROUPS = 60
OTHERS = "others"
_NOTHING = (0, 0, 0, 0)


def report(states: Mapping[str, Mapping[str, Any]], sizes_of: Mapping[str, str], budgets: Mapping[str, int | None]) -> Json:
    """``states`` by variant (TRIED, perhaps AGAINST, STEPS); ``sizes_of`` the size of each customer; ``budgets`` by variant, in fen."""
    tried, against = states[TRIED], states.get(AGAINST)
    return {
        "totals": {name: _total(state, budgets.get(name)) for name, state in states.items() if name not in STEPS},
        "months": _months(tried, against),
        "sizes": _groups("sizes", tried, against),
        "regions": _groups("regions", tried, against),
        "owners": _groups("owners", tried, against, TOP),
        "refused": sorted(([code, count] for code, count in tried["refused"].items()), key=lambda each: (-each[1], each[0])),
        "cuts": sorted(([code, count] for code, count in tried["cuts"].items()), key=lambda each: (-each[1], each[0])),
        "change": _change(tried, against, sizes_of) if against is not None else None,
        "steps": {name: _total(state, budgets.get(name)) for name, state in states.items() if name in STEPS},
    }


def _total(state: Mapping[str, Any], budget_fen: int | None) -> Json:
    sessions, subsidised, fen, gross = state["total"]
    return {
        "sessions": sessions,
        "subsidised_sessions": subsidised,
        "firms": len(state["firms"]),
        "subsidised_firms": sum(1 for counts in state["firms"].values() if counts[1]),
        "cost_fen": fen,
        "gross_fen": gross,
        "estimate_fen": state["estimate_fen"],
        "budget_fen": budget_fen,
        "short_since": state["short_since"],
    }


def _months(tried: Mapping[str, Any], against: Mapping[str, Any] | None) -> list[Json]:
    """In their order, with what was spent up to the end of each."""
    other = against["months"] if against is not None else {}
    rows, spent, other_spent = [], 0, 0
    for month in sorted({*tried["months"], *other}):
        sessions, subsidised, fen, _gross = tried["months"].get(month, _NOTHING)
        other_fen = other.get(month, _NOTHING)[2]
        spent, other_spent = spent + fen, other_spent + other_fen
        rows.append(
            {
                "month": month,
                "sessions": sessions,
                "subsidised_sessions": subsidised,
                "cost_fen": fen,
                "spent_fen": spent,
                "against_fen": other_fen,
                "against_spent_fen": other_spent,
            }
        )
    return rows


def _groups(name: str, tried: Mapping[str, Any], against: Mapping[str, Any] | None, most: int = MOST_GROUPS) -> list[Json]:
    """Those with the largest subsidy first; what is beyond ``most`` stands together at the end."""
    other = against[name] if against is not None else {}
    rows = []
    for code, (sessions, subsidised, fen, gross) in tried[name].items():
        row = {"code": code, "sessions": sessions, "subsidised_sessions": subsidised, "cost_fen": fen, "gross_fen": gross}
        rows.append(row | {"against_fen": other.get(code, _NOTHING)[2]})
    rows.sort(key=lambda each: (-each["cost_fen"], -each["gross_fen"], each["code"]))
    if len(rows) <= most:
        return rows
    rest = rows[most:]
    summed: Json = {name: sum(each[name] for each in rest) for name in rest[0] if name != "code"}
    return [*rows[:most], {"code": OTHERS, **summed}]


def _change(tried: Mapping[str, Any], against: Mapping[str, Any], sizes_of: Mapping[str, str]) -> Json:
    """Customer by customer: who gets more, less or the same."""
    differences = []
    sizes: dict[str, Json] = {}
    for firm, counts in tried["firms"].items():
        before = against["firms"].get(firm, (0, 0, 0))[2]
        difference = counts[2] - before
        size = sizes_of.get(firm, "unknown")
        row = sizes.setdefault(size, {"code": size, "win": 0, "lose": 0, "same": 0, "win_fen": 0, "lose_fen": 0})
        side = "win" if difference > 0 else "lose" if difference < 0 else "same"
        row[side] += 1
        if difference:
            row[f"{side}_fen"] += abs(difference)
            differences.append({"firm": int(firm), "tried_fen": counts[2], "against_fen": before, "difference_fen": difference})
    differences.sort(key=lambda each: (-each["difference_fen"], each["firm"]))
    return {
        "sizes": sorted(sizes.values(), key=lambda each: (-(each["win"] + each["lose"] + each["same"]), each["code"])),
        "winners": [each for each in differences[:TOP] if each["difference_fen"] > 0],
        "losers": [each for each in differences[::-1][:TOP] if each["difference_fen"] < 0],
    }
