"""What a lab says about booking for all its instruments, for a class of them, or for one; and what holds when several speak.

A layer says some things and leaves others open. Limits add up: of two, the stricter holds. Choices of how the lab works (what is
billed, what is kept for whom) are those of the nearest layer that says anything: the instrument's, its class's, the lab's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import lcm
from typing import Any

from booking.rules.auto_approval import AutoApproval
from booking.rules.documents import is_whole, items_of, word_of, yes_or_no
from booking.rules.policy import BookingPolicy
from booking.rules.quota import Counted, Quota
from booking.rules.usage import BillableBasis
from booking.rules.week_time import DAY_MINUTES, WeekTime
from config.kernel.errors import Reason, Refusal
from instruments.rules.audience import Audience

HOUSE = BookingPolicy(
    granularity_minutes=30,
    min_minutes=60,
    max_minutes=480,
    notice_minutes=120,
    horizon_days=60,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    approval_required=True,
    pending_blocks=True,
    cancel_notice_minutes=1440,
)
"""What holds where no layer says anything."""

_YEAR = 366
_WEEK_MINUTES = 7 * DAY_MINUTES
#: name -> (least, most) of whole numbers; minutes unless the name says otherwise.
NUMBERS: Mapping[str, tuple[int, int]] = {
    "granularity_minutes": (5, DAY_MINUTES),
    "min_minutes": (1, 31 * DAY_MINUTES),
    "max_minutes": (1, 31 * DAY_MINUTES),
    "notice_minutes": (0, 90 * DAY_MINUTES),
    "horizon_days": (0, 2 * _YEAR),
    "buffer_before_minutes": (0, DAY_MINUTES),
    "buffer_after_minutes": (0, DAY_MINUTES),
    "cancel_notice_minutes": (0, 90 * DAY_MINUTES),
    "no_show_grace_minutes": (0, DAY_MINUTES),
    "cool_off_minutes": (0, 31 * DAY_MINUTES),
    "early_start_minutes": (0, DAY_MINUTES),
    "billable_round_up_minutes": (1, DAY_MINUTES),
    "agree_after_days": (1, 90),
    "answer_minutes": (30, 4 * _WEEK_MINUTES),
    "hold_minutes": (1, 30),
}
SWITCHES = ("approval_required", "pending_blocks", "licence_needed", "assisted_licence_needed", "late_may_use")
TIMES = ("peak", "unlimited", "licensed_times")
#: So many quotas, and so many times of each kind, one layer may say.
MOST_QUOTAS = MOST_TIMES = 10


def _coarser(one: int, other: int) -> int:
    """The step of a grid whose points lie on both; where none fits into a day, the longer of the two."""
    common = lcm(one, other)
    return common if common <= DAY_MINUTES else max(one, other)


def _union(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _shorter_horizons(one: tuple[tuple[str, int], ...], other: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    found = dict(one)
    for audience, days in other:
        found[audience] = min(days, found.get(audience, days))
    return tuple(sorted(found.items()))


def _either(one: bool, other: bool) -> bool:
    return one or other


#: How the stricter of two is found; what is not here is a choice, and the nearest layer's holds.
STRICTER: Mapping[str, Callable[[Any, Any], Any]] = {
    "granularity_minutes": _coarser,
    "min_minutes": max,
    "max_minutes": min,
    "notice_minutes": max,
    "horizon_days": min,
    "horizons": _shorter_horizons,
    "buffer_before_minutes": max,
    "buffer_after_minutes": max,
    "approval_required": _either,
    "cancel_notice_minutes": max,
    "no_show_grace_minutes": min,
    "cool_off_minutes": max,
    "quotas": _union,
    "licence_needed": _either,
    "assisted_licence_needed": _either,
    "licensed_times": _union,
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer says: ``said`` holds values of ``BookingPolicy``'s fields by name. ``source`` is how it is called by its writer
    (an id, for instance); ``counted`` are the instruments that it is for."""

    source: str
    counted: Counted
    said: Mapping[str, Any]

    @property
    def nearness(self) -> tuple[int, int]:
        """Greater is nearer to an instrument: its own, then the longest class, then the lab's."""
        return (1, 0) if self.counted.instrument_id else (0, len(self.counted.class_code))


@dataclass(frozen=True, slots=True)
class Combined:
    """The policy that holds, and by which layers' word each field does (none: the house's default)."""

    policy: BookingPolicy
    sources: Mapping[str, tuple[str, ...]]


def combine(layers: Sequence[Layer]) -> Combined:
    """What holds for an instrument for which these layers speak, in any order.

    Raises Refusal (``policy.*``) when nothing can satisfy all of them.
    """
    values: dict[str, Any] = {}
    sources: dict[str, tuple[str, ...]] = {}
    for layer in sorted(layers, key=lambda one: one.nearness, reverse=True):
        for name, value in layer.said.items():
            if name not in values:
                values[name], sources[name] = value, (layer.source,)
            elif name in STRICTER:
                stricter = STRICTER[name](values[name], value)
                if stricter != values[name]:
                    sources[name] = (layer.source,) if stricter == value else (*sources[name], layer.source)
                    values[name] = stricter
    return Combined(replace(HOUSE, **values), sources)


def read_settings(document: Any, counted: Counted, *, limited: bool = True) -> dict[str, Any]:
    """What a layer's JSON document says, as values of ``BookingPolicy``'s fields; an empty list says nothing. Not ``limited``: a list
    may be longer than one may say today, as it is in what was stored once.

    Raises Refusal with every reason: ``policy.unknown``, ``policy.out_of_range``, ``policy.unreadable``, ``policy.part_unknown``,
    ``policy.too_many`` and those of week times and quotas, ``field`` naming the setting.
    """
    if not isinstance(document, dict):
        raise Refusal.of("policy.unreadable", "said")
    said: dict[str, Any] = {}
    reasons: list[Reason] = []
    for name, value in document.items():
        try:
            said[name] = _read_one(name, value, counted, limited)
        except Refusal as refusal:
            reasons += [Reason(reason.code, reason.params, str(name)[:60]) for reason in refusal.reasons]
    Refusal.raise_any(reasons)
    return {name: value for name, value in said.items() if value != ()}


def unlike_the_house(policy: BookingPolicy) -> dict[str, Any]:
    """What a layer would have to say that holds alone, for this policy to follow from it."""
    return {
        one.name: getattr(policy, one.name) for one in fields(policy) if getattr(policy, one.name) != getattr(HOUSE, one.name)
    }


def settings_document(said: Mapping[str, Any]) -> dict[str, Any]:
    """The document that ``read_settings`` reads as ``said``: what is stored is what was understood."""
    return {name: _said(name, value) for name, value in said.items()}


def _said(name: str, value: Any) -> Any:
    if name == "horizons":
        return dict(value)
    if name == "billable_basis":
        return value.value
    if name == "auto_approval":
        return value.document()
    return [one.document() for one in value] if name == "quotas" or name in TIMES else value


def _read_one(name: str, value: Any, counted: Counted, limited: bool) -> Any:
    if name in NUMBERS:
        return _number(name, value)
    if name in SWITCHES:
        return yes_or_no(value)
    if name in TIMES:
        return tuple(map(WeekTime.read, items_of(value, MOST_TIMES if limited else None)))
    if name == "billable_basis":
        return BillableBasis(word_of(value, list(BillableBasis)))
    if name == "auto_approval":
        return AutoApproval.read(value)
    if name == "horizons":
        if not isinstance(value, dict):
            raise Refusal.of("policy.unreadable")
        known = list(Audience)
        return tuple(sorted((word_of(audience, known), _number("horizon_days", days)) for audience, days in value.items()))
    if name == "quotas":
        return tuple(Quota.read(one, counted) for one in items_of(value, MOST_QUOTAS if limited else None))
    raise Refusal.of("policy.unknown")


def _number(name: str, value: Any) -> int:
    least, most = NUMBERS[name]
    if not is_whole(value):
        raise Refusal.of("policy.unreadable")
    if not least <= value <= most:
        raise Refusal.of("policy.out_of_range", minimum=least, maximum=most)
    return value


#: The fields that the effective policy of an instrument keeps as one document; the others are columns.
KEPT_AS_DOCUMENT = (
    "horizons",
    "quotas",
    "cool_off_minutes",
    "peak",
    "unlimited",
    "licence_needed",
    "assisted_licence_needed",
    "licensed_times",
    "late_may_use",
    "early_start_minutes",
    "billable_basis",
    "billable_round_up_minutes",
    "agree_after_days",
    "answer_minutes",
    "hold_minutes",
    "auto_approval",
)


def rest_document(policy: BookingPolicy) -> dict[str, Any]:
    """What of the policy is kept as a document: those fields that are not the house's default, as ``read_rest`` takes them."""
    return {name: _written(getattr(policy, name)) for name in KEPT_AS_DOCUMENT if getattr(policy, name) != getattr(HOUSE, name)}


def _written(value: Any) -> Any:
    if isinstance(value, AutoApproval):
        return value.document()
    if not isinstance(value, tuple):
        return value
    return [_written_item(item) for item in value]


def _written_item(item: Any) -> Any:
    if isinstance(item, Quota):
        return item.kept()
    return item.document() if isinstance(item, WeekTime) else list(item)


_RESTORED: Mapping[str, Callable[[Any], Any]] = {
    "horizons": lambda pairs: tuple((audience, days) for audience, days in pairs),
    "quotas": lambda items: tuple(map(Quota.read_kept, items)),
    "peak": lambda items: tuple(map(WeekTime.read, items)),
    "unlimited": lambda items: tuple(map(WeekTime.read, items)),
    "licensed_times": lambda items: tuple(map(WeekTime.read, items)),
    "billable_basis": BillableBasis,
    "auto_approval": AutoApproval.read,
}


def read_rest(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that ``rest_document`` wrote."""
    return {name: _RESTORED[name](value) if name in _RESTORED else value for name, value in document.items()}
