"""Whether a programme reaches an instrument at all, whoever its customer is."""

from __future__ import annotations

from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.parts.gates import ConditionGate
from billing.subsidy.rules.programme import Condition, Programme

#: What can be said without a customer; everything else depends on who asks, and how much.
_OF_THE_SERVICE = frozenset(
    f"subsidy.unmet.{name}"
    for name in ("validity", "region", "region_excluded", "verified_organisation", "service_excluded", "service_kind")
)


def reaches(programme: Programme, facts: Facts) -> bool:
    """Whether nothing about provider, instrument, kind of service and day is against it, on one side at least. ``facts`` know no
    applicant."""
    sides = [side.programme for side in programme.sides] or [programme]
    return any(not any(_against(condition, facts) for condition in side.conditions) for side in sides)


def _against(condition: Condition, facts: Facts) -> bool:
    found = condition.check(facts)
    if not isinstance(found, Unmet):
        return False
    if isinstance(condition, ConditionGate):
        return condition.of_service and found.code == "subsidy.unmet.condition"
    return found.code in _OF_THE_SERVICE and found.params.get("subject") != "applicant"
