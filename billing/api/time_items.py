"""The test items of /api/v1/find-a-time."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.settlement.sample_finding import PricedItem
from billing.settlement.time_finding import COMPARED, Customer
from booking.rules.time_search import NEARNESS_NAMES

MOST_ITEMS = COMPARED


class TestItemFoundOut(serializers.Serializer):
    """Figures are for all the samples, with the elements that the words name (or one) where elements cost; null where the price is on
    request or counts time."""

    resource = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    owner = serializers.CharField()
    region_code = serializers.CharField()
    promised_on = serializers.DateField(allow_null=True, help_text="If the samples arrive today; null where nothing is promised.")
    nearness = serializers.ChoiceField(choices=NEARNESS_NAMES)
    answer_hours = serializers.FloatField(allow_null=True, help_text="How long the lab usually takes to accept.")
    gross_fen = serializers.IntegerField(allow_null=True)
    payable_now_fen = serializers.IntegerField(allow_null=True)
    final_cost_fen = serializers.IntegerField(allow_null=True)
    estimate = serializers.BooleanField()
    budget_nearly_used_up = serializers.ListField(child=serializers.CharField(), help_text="Codes of programmes.")


def item_row(row: PricedItem, customer: Customer) -> dict[str, Any]:
    """One test item, for ``TestItemFoundOut``."""
    figures, resource = row.assessment, row.resource
    return {
        "resource": resource.pk,
        "name": resource.name,
        "name_en": resource.name_en,
        "owner": resource.organisation.name,
        "region_code": row.entry.region_code,
        "promised_on": row.promised_on.isoformat() if row.promised_on else None,
        "nearness": NEARNESS_NAMES[row.nearness],
        "answer_hours": row.answer_hours,
        "gross_fen": figures.gross_fen if figures else None,
        "payable_now_fen": figures.payable_now_fen if figures else None,
        "final_cost_fen": figures.final_cost_fen if figures else None,
        "estimate": customer.assumed or (figures is not None and figures.estimate),
        "budget_nearly_used_up": list(row.nearly_used_up),
    }
