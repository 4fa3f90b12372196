"""Reading a frozen quote or charge, whatever was priced."""

from __future__ import annotations

from typing import Any, NamedTuple

from billing.pricing import services as pricing
from billing.pricing.rules.schedule import PriceSchedule
from billing.settlement.models import FrozenAssessment
from billing.subsidy import services as subsidy
from billing.subsidy.rules import codec, sample_codec
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.programme import Programme


class Frozen(NamedTuple):
    """What the engine said, the programmes in the order they were tried, and the schedule (None of a commissioned test)."""

    assessment: Assessment[Any]
    programmes: list[Programme]
    schedule: PriceSchedule | None


def read(row: FrozenAssessment) -> Frozen:
    """A Quote or a Charge as it was frozen."""
    tried = [each["programme"]["programme_version"] for each in row.inputs["candidates"]]
    programmes = [subsidy.in_force(version_id).programme for version_id in tried]
    if sample_codec.is_of_samples(row.inputs):
        return Frozen(sample_codec.assessment_from_json(row.result), programmes, None)
    return Frozen(codec.assessment_from_json(row.result), programmes, pricing.schedule(row.inputs["schedule"]["price_version"]))
