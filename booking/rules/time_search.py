"""What somebody who needs time looks for: what, how long, between which days, where."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from config.kernel.errors import Reason, Refusal

SHORTEST_MINUTES, LONGEST_MINUTES = 15, 7 * 24 * 60
#: Between the first and the last day, both included.
LONGEST_DAYS = 62
#: What narrows the choice of instruments, in the order in which it is shown.
FILTERS = ("text", "technique", "class_code", "region_code", "zone", "owner", "service_mode", "no_training", "no_approval")


@dataclass(frozen=True, slots=True)
class TimeSearch:
    """``duration_minutes`` on one instrument, starting on a local day from ``first_on`` to ``last_on`` (both included).

    An empty filter narrows nothing. ``technique`` is a code of the short list or its scheme; ``class_code`` two digits or more;
    ``region_code`` a division that contains the site; ``zone`` the slug of a policy zone; ``owner`` an organisation's id.
    """

    duration_minutes: int
    first_on: date
    last_on: date
    text: str = ""
    technique: str = ""
    class_code: str = ""
    region_code: str = ""
    zone: str = ""
    owner: int | None = None
    service_mode: str = ""
    no_training: bool = False
    no_approval: bool = False

    def __post_init__(self) -> None:
        """Raises Refusal ``time_search.*`` with every reason."""
        reasons = []
        if not SHORTEST_MINUTES <= self.duration_minutes <= LONGEST_MINUTES:
            limits = {"minimum": SHORTEST_MINUTES, "maximum": LONGEST_MINUTES}
            reasons.append(Reason("time_search.duration_out_of_range", limits, "duration"))
        if self.last_on < self.first_on:
            reasons.append(Reason("time_search.last_before_first", {}, "last_on"))
        elif (self.last_on - self.first_on).days >= LONGEST_DAYS:
            reasons.append(Reason("time_search.too_many_days", {"days": LONGEST_DAYS}, "last_on"))
        Refusal.raise_any(reasons)

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the filters that narrow the choice."""
        return tuple(name for name in FILTERS if getattr(self, name) not in ("", None, False))

    def without(self, name: str) -> TimeSearch:
        """The same search without one of its filters."""
        usual = {one.name: one.default for one in fields(self)}
        changes: dict[str, Any] = {name: usual[name]}
        return replace(self, **changes)


#: How near a place is to another, by their divisions.
SAME_COUNTY, SAME_PREFECTURE, SAME_PROVINCE, ELSEWHERE = range(4)
NEARNESS_NAMES = ("county", "prefecture", "province", "elsewhere")


def nearness(origin: str, code: str) -> int:
    """How near ``code`` lies to ``origin``, by divisions: the smaller the nearer; ELSEWHERE where one of them is not known."""
    if not origin or not code:
        return ELSEWHERE
    if code == origin and not code.endswith("00"):
        return SAME_COUNTY
    if code[:4] == origin[:4] and not code[:4].endswith("00"):
        return SAME_PREFECTURE
    return SAME_PROVINCE if code[:2] == origin[:2] else ELSEWHERE
