"""Programmes nobody wrote: documents of any parts, with facts and balances, for the tests of the engine's promises."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from billing.ledger.rules.money import plain_yuan
from tests.billing.rules.builders import REFUNDED, programme_document

SAYS = {"zh": "条件", "en": "Condition"}
#: Amounts from nothing to 30,000 yuan; drawn by number, because whole ranges are drawn from their lower end too often.
FEN = st.integers(0, 255).map(lambda place: place * 11_764 + place % 7)
YUAN = FEN.map(plain_yuan)
SHARE = st.integers(0, 1000).map(lambda n: "1" if n == 1000 else f"0.{n:03d}")
RATE = st.one_of(SHARE, SHARE, st.integers(1, 7).map(lambda n: f"{n}/7"))
LABELLED = {"fact": "applicant.lists", "has_any": ["listed"]}
SMALL = {"fact": "applicant.size", "any_of": ["micro", "small"], "if_unknown": "no"}
INSIDE = {"fact": "applicant.region_code", "starts_with": ["6301"]}
DEAR = {"fact": "amounts.fee", "at_least": 10000}
YOUNG = {"fact": "other.age", "below": 4}
LEAVES = st.sampled_from([LABELLED, SMALL, INSIDE, DEAR, YOUNG, {"fact": "other.age", "is": 3, "if_unknown": "yes"}])
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)


def rising(fields: st.SearchStrategy[dict[str, Any]], ends: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Tiers that rise, the last without an end."""
    return st.lists(st.tuples(ends, fields), min_size=1, max_size=4, unique_by=lambda pair: pair[0]).map(
        lambda pairs: (
            [
                {"up_to": end if isinstance(end, int) and end < 10_000 else plain_yuan(end), **piece}
                for end, piece in sorted(pairs, key=lambda pair: pair[0])[:-1]
            ]
            + [pairs[-1][1]]
        )
    )


TIERS = st.builds(
    lambda tiers, more: {"type": "tiers", "clause": "1", "tiers": tiers, **more},
    rising(st.fixed_dictionaries({"rate": RATE}), st.integers(10_000, 4_000_000)),
    st.sampled_from([{}, {"continues": "before.fee"}]),
)
BRACKETS = st.builds(
    lambda brackets: {"type": "brackets", "clause": "1", "brackets": brackets},
    rising(
        st.one_of(st.fixed_dictionaries({"rate": RATE}), st.fixed_dictionaries({"amount": YUAN})), st.integers(10_000, 4_000_000)
    ),
)
CHOSEN = st.builds(
    lambda ends, usual: {"type": "chosen", "clause": "1", "at_least": min(ends), "at_most": max(ends), "when_not_chosen": usual},
    st.tuples(SHARE, SHARE),
    st.sampled_from(["highest", "lowest", "refuse"]),
)
FACE = st.builds(lambda face, own: {"type": "face_value", "clause": "1", "amount": face, "own_share": own}, YUAN, SHARE)
VOUCHERS = st.builds(
    lambda face, own, share: {
        "type": "vouchers",
        "clause": "1",
        "face_value": plain_yuan(face + 1),
        "most": 7,
        "co_funded_share": share,
        "own_money": own,
    },
    st.integers(0, 300_000),
    YUAN,
    SHARE,
)
EX_POST = st.builds(
    lambda ends, more: {
        "type": "ex_post",
        "clause": "1",
        "at_least": min(ends),
        "at_most": max(ends),
        "assume": max(ends),
        **more,
    },
    st.tuples(SHARE, SHARE),
    st.sampled_from([{}, {"decimals": 3}, {"decimals": 4, "rounding": "half_up"}]),
)
FLAT = RATE.map(lambda share: {"type": "flat", "clause": "1", "rate": share})
FIXED = YUAN.map(lambda amount: {"type": "fixed", "clause": "1", "amount": amount})
SIMPLE = st.one_of(FLAT, TIERS, BRACKETS, CHOSEN, FACE, VOUCHERS, EX_POST, FIXED)
CASE = st.fixed_dictionaries({"when": CONDITIONS, "says": st.just(SAYS), "rate": st.one_of(RATE, SIMPLE)})
CASES = st.builds(
    lambda cases, more: {"type": "cases", "clause": "1", "cases": cases, **more},
    st.lists(CASE, min_size=1, max_size=3),
    st.one_of(st.just({}), RATE.map(lambda share: {"otherwise": share})),
)
BEST_OF = st.lists(
    st.fixed_dictionaries({"when": CONDITIONS, "says": st.just(SAYS), "rate": st.one_of(RATE, FIXED, TIERS)}),
    min_size=1,
    max_size=3,
).map(lambda cases: {"type": "best_of", "clause": "1", "cases": cases})
OF_AMOUNT = st.one_of(SIMPLE, CASES, BEST_OF)
LEVELS = st.lists(st.integers(1, 300), min_size=1, max_size=3).flatmap(
    lambda rates: st.lists(st.one_of(st.none(), CONDITIONS), min_size=len(rates), max_size=len(rates)).map(
        lambda whens: {
            "type": "stacked",
            "clause": "1",
            "levels": [
                {
                    "payer": payer,
                    "rate": f"0.{rate:03d}" if rate % 2 else f"{rate}/999",
                    **({"when": when, "says": SAYS} if when else {}),
                }
                for payer, rate, when in zip(("county", "city", "province"), rates, whens, strict=False)
            ],
        }
    )
)
PER_UNIT = st.builds(
    lambda tiers, part, more: {"type": "per_unit", "clause": "1", "tiers": tiers, "part_units": part, **more},
    rising(st.fixed_dictionaries({"amount": st.integers(0, 30_000).map(plain_yuan)}), st.integers(1, 60)),
    st.sampled_from(["exact", "up", "down", "half_up"]),
    st.sampled_from([{}, {"continues": "before.minutes"}]),
)
ON = st.one_of(st.just({}), CONDITIONS.map(lambda when: {"when": when, "says": SAYS}))
COUNTING = st.sampled_from(
    [{}, {"counting": ["amounts.other_subsidies"]}, {"counting": ["amounts.other_subsidies", "before.fee"]}]
)
FACTOR = st.integers(0, 20).map(lambda tenths: f"{tenths // 10}.{tenths % 10}")
_ANY_BASE = [
    st.builds(lambda a, b: {"type": "quality_factor", "factors": {"A": a, "B": b}, "assume": "A"}, FACTOR, FACTOR),
    st.builds(lambda amount, only: {"type": "first_use_bonus", "amount": amount, "only_with_subsidy": only}, YUAN, st.booleans()),
    st.just({"type": "asked_limit"}),
    st.builds(lambda factor, on: {"type": "factor", "factor": factor, **on}, FACTOR, ON),
    st.builds(
        lambda amount, only, on: {"type": "bonus", "amount": amount, "only_with_subsidy": only, **on}, YUAN, st.booleans(), ON
    ),
    st.just({"type": "deduct", "of": "amounts.other_subsidies"}),
    st.builds(lambda amount: {"type": "least_award", "amount": amount}, YUAN),
    st.builds(lambda rate, more: {"type": "rate_limit", "rate": rate, "of": "amounts.fee", **more}, RATE, COUNTING),
]
_OF_AMOUNT = [
    st.builds(lambda points, on: {"type": "uplift", "points": points, **on}, SHARE, ON),
    st.builds(lambda rate, more: {"type": "rate_limit", "rate": rate, **more}, RATE, COUNTING),
]


def adjustments(of_amount: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    kinds = st.one_of(*_ANY_BASE, *(_OF_AMOUNT if of_amount else []))
    return st.lists(kinds.map(lambda piece: {**piece, "clause": "1"}), max_size=4)


MODES = st.sampled_from(["half_up", "half_even", "down", "up"])
ROUNDING = st.builds(
    lambda step, mode: {"step": step, "mode": mode, "clause": "1"}, st.sampled_from(["fen", "yuan", "100"]), MODES
)
SHARES = st.one_of(
    st.integers(0, 10).map(
        lambda tenths: [
            {"payer": "county", "share": f"{tenths / 10:.1f}"},
            {"payer": "city", "share": f"{(10 - tenths) / 10:.1f}"},
        ]
    ),
    st.integers(1, 6).map(
        lambda part: [{"payer": "county", "share": f"{part}/7"}, {"payer": "city", "share": f"{7 - part}/7"}],
    ),
)
FIXED_SHARES = st.one_of(
    SHARES.map(lambda shares: {"rule": "largest_remainder", "shares": shares}),
    st.builds(
        lambda shares, mode, step: {"rule": "named_rest", "shares": shares, "rest": "city", "rounding": mode, **step},
        SHARES,
        MODES,
        st.sampled_from([{}, {"step": "yuan"}, {"step": "100"}]),
    ),
    st.just({"rule": "in_order", "order": [{"payer": "county", "up_to": "amounts.lender"}, {"payer": "city"}]}),
)
PAYERS = st.one_of(
    FIXED_SHARES,
    st.builds(
        lambda ratio, on, mode, way: {
            "rule": "match",
            "lead": "county",
            "matches": [{"payer": "city", "ratio": ratio, **on}, {"payer": "province", "ratio": "0.5"}],
            "rounding": mode,
            "gives_way": way,
        },
        FACTOR,
        ON,
        MODES,
        st.sampled_from(["last_first", "proportional"]),
    ),
    st.builds(
        lambda when, one, other: {"rule": "cases", "cases": [{"when": when, "says": SAYS, "payers": one}], "otherwise": other},
        CONDITIONS,
        FIXED_SHARES,
        FIXED_SHARES,
    ),
).map(lambda payers: {**payers, "clause": "1"})
CONFIGURED = st.one_of(
    YUAN.map(lambda amount: {"configured": True, "default": amount}), st.just({"configured": True, "when_unset": "no_limit"})
)
BY_CASE = st.builds(
    lambda when, limit, more: {"cases": [{"when": when, "says": SAYS, "limit": limit}], **more},
    CONDITIONS,
    YUAN,
    st.one_of(st.just({}), YUAN.map(lambda limit: {"otherwise": limit})),
)
PERS = [
    "order", "session", "contract", "firm_year", "team_year", "applicant_year", "controller_year", "instrument_year", "owner_year",
    "voucher", "pool",
]  # fmt: skip


@st.composite
def caps(draw: st.DrawFn, payers: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place in range(draw(st.integers(0, 4))):
        limit = draw(st.one_of(YUAN, CONFIGURED, BY_CASE))
        if found and draw(st.booleans()):
            limit = {"share": draw(SHARE), "of": draw(st.sampled_from([cap["id"] for cap in found]))}
        cap = {"id": f"c{place}", "per": draw(st.sampled_from(PERS)), "limit": limit, "clause": "1", **draw(ON)}
        cap["when_short"] = draw(st.sampled_from(["partial", "partial", "partial", "refuse"]))
        payer = draw(st.sampled_from(["", "", *payers]))
        found.append(cap | ({"payer": payer} if payer else {}))
    return found


NAMES = {"match": ["county", "city", "province"]}
BASES = st.sampled_from(
    [
        {"amount": "fee", "minimum_charge": "included"},
        {"amount": "fee", "minimum_charge": "excluded"},
        {"amount": "paid"},
        {"least_of": ["fee", "paid"], "minimum_charge": "included", "less": ["tax"]},
        {"amount": "paid", "only_above": 100, "at_most": 20000},
    ]
).map(lambda base: {**base, "clause": "1"})
GATES = st.lists(CONDITIONS.map(lambda when: {"type": "condition", "when": when, "says": SAYS, "clause": "1"}), max_size=1)
BESIDE = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"}
DEDUCTED = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "1"}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A valid programme of any parts."""
    kind = draw(st.sampled_from(["amount", "amount", "levels", "quantity"]))
    base, payers = draw(BASES), draw(PAYERS)
    if kind == "quantity":
        base = {"quantity": draw(st.sampled_from(["machine_hours", "samples"])), "clause": "1"}
        rate = draw(st.one_of(PER_UNIT, FIXED))
    else:
        rate = draw(LEVELS if kind == "levels" else OF_AMOUNT)
    names = ["county", "city", *(["province"] if payers["rule"] == "match" else [])]
    if kind == "levels":
        payers = {"rule": "by_level", "clause": "1"}
        names = [level["payer"] for level in rate["levels"]]
    return programme_document(
        settlement=draw(st.sampled_from([DEDUCTED, REFUNDED, BESIDE])),
        gates=draw(GATES),
        base=base,
        rate=rate,
        adjustments=draw(adjustments(kind != "quantity")),
        rounding=draw(ROUNDING),
        caps=draw(caps(names)),
        payers=payers,
    )


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Facts under which such a programme can be decided; some are left out."""
    found: dict[str, Any] = {
        "applicant": {
            "kind": draw(st.sampled_from(["firm", "team"])),
            "region_code": draw(st.sampled_from(["630102", "632801"])),
        },
        "service": {"service_on": "2025-06-10"},
        "amounts": {"fee": draw(YUAN), "paid": draw(YUAN)},
        "quantities": {
            "minutes": draw(st.integers(0, 9000)),
            "samples": draw(st.integers(0, 90)),
            "vouchers": draw(st.integers(0, 9)),
        },
    }
    optional = {
        ("applicant", "lists"): st.just(["listed"]),
        ("applicant", "size"): st.sampled_from(["micro", "large"]),
        ("applicant", "first_use"): st.booleans(),
        ("other", "age"): st.integers(0, 6),
        ("quality", "grade"): st.sampled_from(["A", "B", "B", "Z"]),
        ("request", "rate"): SHARE,
        ("before", "fee"): YUAN,
        ("before", "minutes"): st.integers(0, 5000),
        **{("amounts", name): YUAN for name in ("asked", "tax", "other_subsidies", "lender")},
    }
    for (group, name), values in optional.items():
        if draw(st.booleans()):
            found.setdefault(group, {})[name] = draw(values)
    if draw(st.booleans()):
        found["batch"] = {"pool": draw(YUAN), "claims": draw(YUAN)}
    return found


BALANCES = st.dictionaries(
    st.sampled_from(["c0", "c1", "c2", "c3"]), st.fixed_dictionaries({}, optional={"used": YUAN, "limit": YUAN}), max_size=3
)
