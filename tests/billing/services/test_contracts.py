"""A cap per contract on the platform: a session under no commission sheet names no contract and is limited by itself (ADR 53)."""

from __future__ import annotations

from typing import Any

import pytest

from billing.settlement.models import Award
from billing.settlement.services.assessing import thaw

pytestmark = pytest.mark.django_db


def test_sessions_without_a_sheet_name_no_contract_and_each_is_limited_by_itself(
    life: Any, publish: Any, variant: Any, slot: Any
) -> None:
    document = variant("DEMO-QH-V", open_points=[])
    clause = document["clauses"][0]["id"]
    document["caps"] = [{"id": "contract", "per": "contract", "limit": "100", "when_short": "partial", "clause": clause}]
    publish(document)
    charges = [life.whole(slot(9, 10)), life.whole(slot(11, 12))]
    assert list(Award.objects.values_list("total_fen", flat=True)) == [100_00, 100_00]
    facts = [candidate.facts for charge in charges for candidate in thaw(charge.inputs).candidates]
    assert facts and {each.service.paper.contract_number for each in facts} == {None}
