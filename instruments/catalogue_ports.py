"""What the registry asks of the apps above it. They register an implementation at start-up; without one the answer is "nothing".

The catalogue shows a price, whether a subsidy may be had, whether the lab approves each booking, and when an instrument is next free.
Those facts live above the registry, so they come through here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, Q

from instruments.models import POLICY_NUMBERS

Facts = Mapping[int, Mapping[str, Any]]
FactsSource = Callable[[Mapping[int, datetime]], Facts]
"""From ids with the instant as of which is asked, to fields of ``CatalogueEntry`` by id. An id may be left out: the defaults stand."""

INSTRUMENT_FACTS: Mapping[str, Any] = {
    "approval_needed": True,
    **dict.fromkeys(POLICY_NUMBERS),
    "price_from_fen": None,
    "price_unit": "",
    "subsidy_eligible": False,
}
RESOURCE_FACTS: Mapping[str, Any] = {"price_from_fen": None, "price_unit": "", "subsidy_eligible": False}

NextFree = Callable[..., Q | Exists]
"""``(days, now, duration_minutes=60, *, after_days=0)``: a condition on ``CatalogueEntry``. ``days`` counts from today (1 is today), the
first ``after_days`` of them are left out."""

_instrument_sources: list[FactsSource] = []
_resource_sources: list[FactsSource] = []
_next_free: list[NextFree] = []


def register_instrument_facts(source: FactsSource) -> None:
    """Add a source of facts about instruments; it must answer for many ids in a constant number of statements."""
    if source not in _instrument_sources:
        _instrument_sources.append(source)


def register_resource_facts(source: FactsSource) -> None:
    """As ``register_instrument_facts``, for the other resources by their id."""
    if source not in _resource_sources:
        _resource_sources.append(source)


def register_next_free(builder: NextFree) -> None:
    """Say how the day-availability read model is asked; the search then offers "free today / within days"."""
    _next_free[:] = [builder]


def next_free() -> NextFree | None:
    """The registered builder, or None while nobody keeps day availability."""
    return _next_free[0] if _next_free else None


def instrument_facts(as_of: Mapping[int, datetime]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The facts of each instrument, defaults filled in."""
    return _facts(_instrument_sources, INSTRUMENT_FACTS, as_of)


def resource_facts(as_of: Mapping[int, datetime]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The facts of each resource, defaults filled in."""
    return _facts(_resource_sources, RESOURCE_FACTS, as_of)


def _facts(
    sources: list[FactsSource], defaults: Mapping[str, Any], as_of: Mapping[int, datetime]
) -> Iterator[tuple[int, dict[str, Any]]]:
    found = [source(as_of) for source in sources] if as_of else []
    for pk in as_of:
        facts = dict(defaults)
        for one in found:
            facts |= one.get(pk, {})
        yield pk, facts
