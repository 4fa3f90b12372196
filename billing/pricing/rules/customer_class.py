"""Which of a price schedule's customer classes a customer falls into."""

from __future__ import annotations

from collections.abc import Collection

INSIDE = "inside"
ACADEMIC = "academic"
TEAM = "team"
FIRM_SME = "firm_sme"
FIRM_LARGE = "firm_large"

_NEXT_BEST = {TEAM: FIRM_SME, FIRM_SME: FIRM_LARGE, FIRM_LARGE: FIRM_SME, ACADEMIC: FIRM_SME, INSIDE: ACADEMIC}
_SMALL_SIZES = frozenset({"micro", "small", "medium"})


def customer_class(*, kind: str, size: str | None, is_owner: bool, priced: Collection[str]) -> str:
    """The class of a customer of ``kind`` (organisation kind) and ``size`` (micro, small, medium, large or None: not known).

    A firm whose size is not known pays as a large one until its profile says otherwise. When the schedule does not price the class
    itself, the next best one that it does price applies (team -> SME firm -> large firm; inside -> academic).
    """
    wanted = _class(kind, size, is_owner)
    for _ in range(len(_NEXT_BEST)):
        if wanted in priced:
            break
        wanted = _NEXT_BEST[wanted]
    return wanted


def _class(kind: str, size: str | None, is_owner: bool) -> str:
    if is_owner:
        return INSIDE
    if kind in {"owner", "government"}:
        return ACADEMIC
    if kind == "team":
        return TEAM
    return FIRM_SME if size in _SMALL_SIZES else FIRM_LARGE
