"""What the proposals of bills and of statements, issued by hand by two people, say alike in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.settlement.proposal_models import Proposal, ProposalState
from config.kernel.api.fields import Text
from config.kernel.api.serializers import PageParameters, StrictSerializer

_KEPT = ("line_count", "total_fen", "lines_sha256", "state", "proposed_at", "decided_at", "reason")


class ProposalParameters(PageParameters):
    state = serializers.ChoiceField(choices=ProposalState.choices, required=False)


class DeclineIn(StrictSerializer):
    reason = Text(max_length=2000, required=False, default="", allow_blank=True, help_text="May be left out of one's own.")


class ProposalOut(serializers.Serializer):
    # Each kind adds what it is of, and what was issued.
    id = serializers.IntegerField()
    line_count = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    lines_sha256 = serializers.CharField(help_text="Of which lines, and over how much each.")
    state = serializers.ChoiceField(choices=ProposalState.choices)
    proposed_by = serializers.CharField()
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


def shown(row: Proposal) -> dict[str, Any]:
    """The values of ``ProposalOut``."""
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in _KEPT},
        "proposed_by": row.proposed_by.full_name,
        "decided_by": row.decided_by.full_name if row.decided_by is not None else None,
    }
