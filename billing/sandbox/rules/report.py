"""From the sums of simulations to what a page shows: cost over time and by part, coverage, who gets how much, who wins and who loses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from billing.sandbox.rules.variants import AGAINST, STEPS, TRIED

Json = dict[str, Any]
TOP = 20
"""So many winners, losers and owners are named."""
MOST_GROUPS = 60
OTHERS = "others"
_NOTHING = (0, 0, 0, 0)
_UNDRAWN = (0, 0, 0)
SESSIONS, TESTS = "sessions", "tests"
"""The parts that a cost has by what was done."""


def report(
    states: Mapping[str, Mapping[str, Any]],
    sizes_of: Mapping[str, str],
    budgets: Mapping[str, int | None],
    issued: Mapping[str, Mapping[str, int] | None],
    by_windows: Mapping[str, bool],
) -> Json:
    """``states`` by variant (TRIED, perhaps AGAINST, STEPS); ``sizes_of`` the size of each customer; ``budgets`` by variant, in fen;
    ``issued`` by variant what ``purses.issued_under`` says; ``by_windows`` whether its batches are those of its windows for claims."""
    tried, against = states[TRIED], states.get(AGAINST)
    return {
        "totals": {name: _total(state, budgets.get(name)) for name, state in states.items() if name not in STEPS},
        "parts": _parts(tried, against),
        "vouchers": {name: {**found, **_drawn(states[name])} for name, found in issued.items() if found is not None},
        "batches": {
            name: {"by_windows": by_windows.get(name, False), "rows": [_batch(*each) for each in states[name]["batches"]]}
            for name in (TRIED, AGAINST)
            if "batches" in states.get(name, {})
        },
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
        "homes_fen": _drawn(state)["homes_fen"],
        "cut_fen": sum(each[-1] for each in state.get("batches", ())),
        "budget_fen": budget_fen,
        "short_since": state["short_since"],
    }


def _batch(until: str, claims: int, asked_fen: int, cut_claims: int, cut_fen: int) -> Json:
    """``until``: the last day of its window, empty where one batch is of the whole period."""
    return {"until": until, "claims": claims, "asked_fen": asked_fen, "cut_claims": cut_claims, "cut_fen": cut_fen}


def _parts(tried: Mapping[str, Any], against: Mapping[str, Any] | None) -> list[Json]:
    """Sessions and commissioned tests apart."""
    tests = _summed(tried["tests"].values())
    sessions = tuple(whole - part for whole, part in zip(tried["total"], tests, strict=True))
    other_tests = _summed(against["tests"].values())[2] if against is not None else 0
    other_sessions = against["total"][2] - other_tests if against is not None else 0
    rows = ((SESSIONS, sessions, other_sessions), (TESTS, tests, other_tests))
    return [
        {
            "code": code,
            "sessions": sums[0],
            "subsidised_sessions": sums[1],
            "cost_fen": sums[2],
            "gross_fen": sums[3],
            "against_fen": other,
        }
        for code, sums, other in rows
    ]


def _summed(counts: Iterable[Sequence[int]]) -> tuple[int, int, int, int]:
    found = [sum(column) for column in zip(*counts, strict=True)] or _NOTHING
    return found[0], found[1], found[2], found[3]


def _drawn(state: Mapping[str, Any]) -> Json:
    """What services drew on vouchers, and what of it the regions pay that these come from."""
    months = state["drawn"].values()
    return {name: sum(sums[place] for sums in months) for place, name in enumerate(("uses", "drawn_fen", "homes_fen"))}


def _months(tried: Mapping[str, Any], against: Mapping[str, Any] | None) -> list[Json]:
    """In their order, with what was spent up to the end of each; what other regions pay is not spent."""
    other = against["months"] if against is not None else {}
    other_drawn = against["drawn"] if against is not None else {}
    rows, spent, other_spent = [], 0, 0
    for month in sorted({*tried["months"], *other}):
        sessions, subsidised, fen, _gross = tried["months"].get(month, _NOTHING)
        other_fen = other.get(month, _NOTHING)[2]
        _uses, drawn_fen, homes_fen = tried["drawn"].get(month, _UNDRAWN)
        spent += fen - homes_fen
        other_spent += other_fen - other_drawn.get(month, _UNDRAWN)[2]
        rows.append(
            {
                "month": month,
                "sessions": sessions,
                "subsidised_sessions": subsidised,
                "cost_fen": fen,
                "tests_fen": tried["tests"].get(month, _NOTHING)[2],
                "drawn_fen": drawn_fen,
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
