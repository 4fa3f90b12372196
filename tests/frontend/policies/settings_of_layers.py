"""What a lab may say about booking, as documents, and what it may not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from booking.rules.auto_approval import LIMITS, Trusted
from booking.rules.policy_layers import MOST_QUOTAS, MOST_TIMES, NUMBERS, SWITCHES, TIMES
from booking.rules.quota import MOST_OF_QUOTA, OF_SAMPLES, Measure, Period, Subject
from booking.rules.usage import BillableBasis
from frontend.policy_forms import LayerForm
from instruments.rules.audience import Audience

NIGHT = {"weekdays": [1, 2, 3, 4, 5], "from_minute": 1320, "until_minute": 360}
WEEKLY = {"subject": "person", "measure": "minutes", "period": "week", "most": 600, "peak_only": True}

#: Lengths that can be had together, with the house's and with each other, whichever layers say them.
_TOGETHER = {
    "granularity_minutes": st.sampled_from([5, 30, 60]),
    "min_minutes": st.integers(1, 60),
    "max_minutes": st.integers(120, NUMBERS["max_minutes"][1]),
}
_times = st.lists(
    st.builds(
        lambda days, start, end: {"weekdays": sorted(days), "from_minute": start, "until_minute": end},
        st.sets(st.integers(1, 7), min_size=1),
        st.integers(0, 1439),
        st.integers(1, 1440),
    ),
    max_size=MOST_TIMES,
)
_quotas = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.sampled_from(list(map(str, Subject))),
            "measure": st.sampled_from([str(one) for one in Measure if one not in OF_SAMPLES]),
            "period": st.sampled_from(list(map(str, Period))),
            "most": st.integers(1, MOST_OF_QUOTA),
            "peak_only": st.booleans(),
        }
    ),
    max_size=MOST_QUOTAS,
)
valid = st.fixed_dictionaries(
    {},
    optional={
        **{name: _TOGETHER.get(name, st.integers(*limits) | st.sampled_from(limits)) for name, limits in NUMBERS.items()},
        **{name: st.booleans() for name in SWITCHES},
        **dict.fromkeys(TIMES, _times),
        "billable_basis": st.sampled_from(list(map(str, BillableBasis))),
        "horizons": st.dictionaries(st.sampled_from(list(map(str, Audience))), st.integers(*NUMBERS["horizon_days"])),
        "quotas": _quotas,
        "auto_approval": st.fixed_dictionaries(
            {"who": st.sampled_from(list(map(str, Trusted)))},
            optional={name: st.integers(1, most) | st.sampled_from([1, most]) for name, most in LIMITS.items()}
            | {
                "customers": st.sets(st.sampled_from(list(Audience)), min_size=1).map(
                    lambda some: [str(each) for each in Audience if each in some]
                )
            },
        ),
    },
)
"""What must be accepted, whole."""


def everything(basis: BillableBasis) -> dict[str, Any]:
    """A document that says something in every rule."""
    numbers = {name: max(least, 60) if most >= 60 else most for name, (least, most) in NUMBERS.items()}
    return {
        **numbers,
        "max_minutes": 240,
        "notice_minutes": 180,
        **{name: name != "pending_blocks" for name in SWITCHES},
        **{name: [NIGHT] for name in TIMES},
        "billable_basis": basis.value,
        "horizons": {"firm": 10},
        "quotas": [WEEKLY],
        "auto_approval": {
            "who": "licensed",
            "most_minutes": 120,
            "week_minutes": 600,
            "most_fen": 50_050,
            "customers": ["inside", "team"],
        },
    }


WRONG: list[tuple[str, Any]] = [
    *((name, limits[0] - 1) for name, limits in NUMBERS.items()),
    *((name, limits[1] + 1) for name, limits in NUMBERS.items()),
    *((name, value) for name in NUMBERS for value in ("x", True, 1.5, None)),
    *((name, "false") for name in SWITCHES),
    *((name, value) for name in TIMES for value in ("x", [NIGHT] * 11, [{**NIGHT, "from_minute": "1"}], [{**NIGHT, "x": 1}])),
    *(("billable_basis", value) for value in ("free", 1, "a\0", None)),
    *(("horizons", value) for value in ([], {"a\0": 1}, {"firm": -1}, {"firm": "1"})),
    *(("quotas", value) for value in ("x", ["x"], [{**WEEKLY, "x": 1}], [{**WEEKLY, "most": 0}], [WEEKLY] * 11)),
    *(
        ("auto_approval", value)
        for value in ("x", {}, {"who": "x"}, {"who": "anybody", "most_fen": 0}, {"who": "anybody", "x": 1})
    ),
    ("a\0", 1),
]
"""Names and values of which each is refused, whatever else is said."""


def typed_of(form: LayerForm) -> dict[str, Any]:
    """What a browser would send of the form as it is shown."""
    shown = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in shown.items() if value is not None and value is not False and value != ""}
