"""/api/v1/office-work: what waits for the one who asks at the offices that review and pay claims, as the pages count it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.claims import findings, worklist
from billing.claims.models import Claim, PaymentList
from billing.claims.rules.review import Level
from billing.claims.rules.waiting import Work
from billing.claims.worklist import Waiting
from config.kernel.api.serializers import PageParameters
from config.kernel.api.views import ApiView

SIGN, RECORD, FINDING = "sign", "record", "finding"


class OfficeWorkOut(serializers.Serializer):
    work = serializers.ChoiceField(
        choices=[*(each.value for each in Work), SIGN, RECORD, FINDING],
        help_text="What is next: of claims of a batch, of a payment list (sign it, or record what the treasury paid), or of a claim"
        " of which an inspector found that too much was paid.",
    )
    batch = serializers.IntegerField()
    payment_list = serializers.IntegerField(allow_null=True)
    recheck_item = serializers.IntegerField(allow_null=True, help_text="Where a finding is answered.")
    number = serializers.CharField(help_text="Of the payment list, of the claim of a finding, else of the batch.")
    programme = serializers.CharField()
    step = serializers.IntegerField(help_text="Where in the chain claims wait for a review, from 0.")
    level = serializers.ChoiceField(
        choices=[each.value for each in Level], allow_null=True, help_text="Whose look it is; null unless it is a review."
    )
    claims = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    since_at = serializers.DateTimeField(help_text="Since when the first of them waits.")
    due_on = serializers.DateField(allow_null=True, help_text="By when the programme wants it done, where it says so.")
    overdue = serializers.BooleanField()


class OfficeWorkView(ApiView):
    """What waits for the one who asks, in their own right or standing in; of others and of nobody's nothing."""

    token_scopes = {"GET": "read"}
    queryset = Claim.objects.none()
    serializer_class = OfficeWorkOut
    parameters_shapes = {"list": PageParameters}

    @extend_schema(responses=OfficeWorkOut(many=True))
    def list(self, request: Request) -> Response:
        """Claims by batch and next step, the longest wait first; then payment lists to sign, then those to record, then findings,
        the oldest first."""
        lists = worklist.my_lists(self.actor, self.now)
        rows = [self._claims(each) for each in worklist.mine(self.actor, self.now)]
        rows += [_list(each, SIGN) for each in lists.to_sign] + [_list(each, RECORD) for each in lists.to_record]
        rows += [_finding(each) for each in findings.mine(self.actor, self.now)]
        return self.paged(rows, lambda row: row)

    def _claims(self, each: Waiting) -> dict[str, Any]:
        return {
            "work": each.work.value,
            "batch": each.batch.pk,
            "payment_list": None,
            "recheck_item": None,
            "number": each.batch.number,
            "programme": each.batch.programme.code,
            "step": each.step,
            "level": each.review.steps[each.place].level.value if each.work is Work.REVIEW else None,
            "claims": each.claims,
            "total_fen": each.total_fen,
            "since_at": each.since,
            "due_on": each.due_on,
            "overdue": each.is_overdue(self.now),
        }


def _list(row: PaymentList, work: str) -> dict[str, Any]:
    return {
        "work": work,
        "batch": row.batch_id,
        "payment_list": row.pk,
        "recheck_item": None,
        "number": row.number,
        "programme": row.batch.programme.code,
        "step": 0,
        "level": None,
        "claims": row.line_count,
        "total_fen": row.total_fen,
        "since_at": row.approved_at or row.reviewed_at or row.issued_at,
        "due_on": None,
        "overdue": False,
    }


def _finding(row: Any) -> dict[str, Any]:
    claim = row.item.claim
    return {
        "work": FINDING,
        "batch": claim.batch_id,
        "payment_list": None,
        "recheck_item": row.item_id,
        "number": claim.number,
        "programme": claim.batch.programme.code,
        "step": 0,
        "level": None,
        "claims": 1,
        "total_fen": row.due_fen,
        "since_at": row.recorded_at,
        "due_on": None,
        "overdue": False,
    }
