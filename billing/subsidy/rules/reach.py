"""Whether a programme reaches an instrument at all, whoever its customer is."""

from __future__ import annotations

from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.programme import Programme

#: What can be said without a customer; everything else depends on who asks, and how much.
_OF_THE_SERVICE = frozenset(
    f"subsidy.unmet.{name}"
    for name in ("validity", "region", "region_excluded", "verified_organisation", "service_excluded", "service_kind")
)


def reaches(programme: Programme, facts: Facts) -> bool:
    """Whether nothing about provider, instrument, kind of service and day is against it. ``facts`` know no applicant."""
    return not any(_against(condition.check(facts)) for condition in programme.conditions)


def _against(found: object) -> bool:
    return isinstance(found, Unmet) and found.code in _OF_THE_SERVICE and found.params.get("subject") != "applicant"
