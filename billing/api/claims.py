"""/api/v1/claim-batches, /claims, /payment-lists and /payment-lines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import claim_shapes as shapes
from billing.api.claim_papers import KIND
from billing.claims import files_twice, queries
from billing.claims.models import Claim, ClaimBatch, PaymentList
from billing.claims.services import batches, handing_in, paying, publishing, reviewing
from billing.claims.services.batches import BatchInput
from billing.claims.services.paying import Outcome
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, PageParameters
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.http import attachment


class ClaimBatchView(ApiView):
    """Batches of claims for the office; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = ClaimBatch.objects.none()
    parameters_shapes = {"list": PageParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": shapes.ClaimBatchIn,
        "make_list": shapes.MakeListIn,
        **dict.fromkeys(("gather", "close", "pass_clean", "publicise", "approve_all"), NoFields),
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.ClaimBatchOut)

    @extend_schema(responses=shapes.ClaimBatchOut(many=True))
    def list(self, request: Request) -> Response:
        """The batches, the latest first."""
        return self.paged(queries.batches_visible(self.actor), shapes.batch_json)

    @extend_schema(responses=shapes.ClaimBatchDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One batch with its control totals."""
        found = queries.batch_for(self.actor, int(pk))
        claims = list(queries.claims_of(self.actor, found))
        totals, payers = queries.totals_of(claims), [asdict(each) for each in queries.payer_sums(claims)]
        said = {"totals": shapes.totals_json(totals), "payers": payers, "rule_steps": found.rule_steps}
        return Response({**shapes.batch_json(found), **said})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.ClaimMadeOut, 200: shapes.ClaimMadeOut})
    def create(self, request: Request) -> Response:
        """Open a batch; 200 when this Idempotency-Key has opened it before."""
        key, asked = self.idempotency_key(request), self.valid(request)
        given = BatchInput(asked.pop("programme"), **asked)
        made, replayed = batches.open_once(self.actor, given, self.now, idempotency_key=key)
        headers = {REPLAYED: "true"} if replayed else {"Location": reverse("api_claim_batch", args=[made])}
        return Response({"id": made}, status=200 if replayed else 201, headers=headers)

    @extend_schema(responses=shapes.ClaimGatheredOut)
    def gather(self, request: Request, pk: str) -> Response:
        """Fill an open batch with everything that can be claimed; doing it again adds only what is new."""
        self.valid(request)
        done = batches.gather(self.actor, int(pk), self.now)
        return Response({"claims": done.claims, "lines": done.lines, "waiting": done.waiting})

    @extend_schema(responses=shapes.ClaimTotalsOut)
    def close(self, request: Request, pk: str) -> Response:
        """After the claim window: fix the figures and begin the review."""
        self.valid(request)
        return Response(shapes.totals_json(batches.close(self.actor, int(pk), self.now)))

    @extend_schema(responses=shapes.ClaimReportOut)
    def pass_clean(self, request: Request, pk: str) -> Response:
        """Let every claim pass its step at which nothing was found; what was not done says why."""
        self.valid(request)
        return Response(shapes.report_json(reviewing.pass_clean(self.actor, int(pk), self.now)))

    @extend_schema(responses=shapes.ClaimMadeOut)
    def publicise(self, request: Request, pk: str) -> Response:
        """Show what passed the review to everybody."""
        self.valid(request)
        return Response({"id": publishing.publicise(self.actor, int(pk), self.now).pk})

    @extend_schema(responses=shapes.ClaimReportOut)
    def approve_all(self, request: Request, pk: str) -> Response:
        """Approve every claim whose publicity is over and against which nothing stands."""
        self.valid(request)
        return Response(shapes.report_json(reviewing.approve_all(self.actor, int(pk), self.now)))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.ClaimListsOut})
    def make_list(self, request: Request, pk: str) -> Response:
        """Put what is approved and not paid on payment lists, one for each payer."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            made = paying.make(
                self.actor, int(pk), self.now, expected_fen=asked["expected_fen"], surplus_fen=asked["surplus_fen"]
            )
            return {"ids": [each.pk for each in made]}

        return self.once(request, f"claims.list:{pk}", effect)


class ClaimView(ApiView):
    """Claims: reading, handing in, deciding; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = Claim.objects.none()
    parameters_shapes = {"list": shapes.ClaimParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "submit": shapes.ClaimSubmitIn,
        "withdraw": shapes.ClaimReasonIn,
        "send_back": shapes.ClaimReasonIn,
        "reject": shapes.ClaimReasonIn,
        "line": shapes.ClaimLineIn,
        "invoice": shapes.ClaimInvoiceIn,
        "pass_on": shapes.ClaimPassIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.ClaimOut)

    @extend_schema(parameters=[shapes.ClaimParameters], responses=shapes.ClaimOut(many=True))
    def list(self, request: Request) -> Response:
        """The claims that one may read, the latest first."""
        rows, asked = queries.claims_visible(self.actor), self.parameters(request)
        if asked.get("batch"):
            rows = rows.filter(batch_id=asked["batch"])
        if asked.get("state"):
            rows = rows.filter(state=asked["state"])
        return self.paged(rows, shapes.claim_json)

    @extend_schema(responses=shapes.ClaimDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One claim with its lines and what was looked at by itself."""
        return Response(self._detail(int(pk)))

    def _detail(self, pk: int) -> dict[str, Any]:
        found = queries.claim_for(self.actor, pk)
        looked_at = queries.check_inputs([found])[found.pk]
        named = files_twice.named(self.actor, looked_at.twice)
        return shapes.detail_json(found, queries.lines_of(found), looked_at, named)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.ClaimMadeOut, 200: shapes.ClaimMadeOut})
    def submit(self, request: Request, pk: str) -> Response:
        """Hand a claim in, once for this Idempotency-Key; the redemption form is made of it."""
        key, asked = self.idempotency_key(request), self.valid(request)
        made, replayed = handing_in.submit_once(
            self.actor, int(pk), self.now, idempotency_key=key, expected_fen=asked["expected_fen"]
        )
        return Response({"id": made}, status=200 if replayed else 201, headers={REPLAYED: "true"} if replayed else {})

    @extend_schema(responses=shapes.ClaimDetailOut)
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a claim back."""
        handing_in.withdraw(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return Response(self._detail(int(pk)))

    @extend_schema(responses=shapes.ClaimDetailOut)
    def pass_on(self, request: Request, pk: str) -> Response:
        """Let a claim pass the step at which it waits."""
        reviewing.pass_on(self.actor, int(pk), self.now, at_step=self.valid(request).get("step"))
        return Response(self._detail(int(pk)))

    @extend_schema(responses=shapes.ClaimDetailOut)
    def send_back(self, request: Request, pk: str) -> Response:
        """Send a claim back to be completed, which is no rejection."""
        reviewing.send_back(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return Response(self._detail(int(pk)))

    @extend_schema(responses=shapes.ClaimDetailOut)
    def reject(self, request: Request, pk: str) -> Response:
        """Reject a claim for good."""
        reviewing.reject(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return Response(self._detail(int(pk)))

    @extend_schema(responses=shapes.ClaimDetailOut)
    def line(self, request: Request, pk: str) -> Response:
        """Leave a line out, postpone it, or take it in again."""
        asked = self.valid(request)
        reviewing.set_line(self.actor, int(pk), asked["position"], asked["standing"], asked["reason"], self.now)
        return Response(self._detail(int(pk)))

    @extend_schema(responses=shapes.ClaimDetailOut)
    def invoice(self, request: Request, pk: str) -> Response:
        """Write the number of a line's invoice, while the payee has the claim in hand."""
        asked = self.valid(request)
        handing_in.write_invoice(self.actor, int(pk), asked["position"], asked["invoice_number"], self.now)
        return Response(self._detail(int(pk)))


class PaymentListView(ApiView):
    """Payment lists for the treasury; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = PaymentList.objects.none()
    parameters_shapes = {"list": shapes.PaymentListParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "record": shapes.PayoutIn,
        "sign": NoFields,
        "cancel": shapes.ClaimReasonIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.PaymentListOut)

    @extend_schema(parameters=[shapes.PaymentListParameters], responses=shapes.PaymentListRowOut(many=True))
    def list(self, request: Request) -> Response:
        """The payment lists that one may read, the latest first."""
        asked = self.parameters(request)
        return self.paged(queries.lists_visible(self.actor, asked.get("batch"), asked.get("stands")), shapes.list_row_json)

    @extend_schema(responses=shapes.PaymentListOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One list with its lines and what was paid."""
        return Response(shapes.list_json(queries.list_for(self.actor, int(pk))))

    @extend_schema(responses=shapes.PaymentListOut)
    def sign(self, request: Request, pk: str) -> Response:
        """Check a list, or approve one that was checked; its three people differ."""
        self.valid(request)
        paying.sign(self.actor, int(pk), self.now)
        return Response(shapes.list_json(queries.list_for(self.actor, int(pk))))

    @extend_schema(responses=shapes.PaymentListOut)
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a list of which nothing was recorded; its claims can be put on another one."""
        paying.cancel(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return Response(shapes.list_json(queries.list_for(self.actor, int(pk))))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.ClaimMadeOut})
    def record(self, request: Request, pk: str) -> Response:
        """Write down what was paid on a line of an approved list."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            outcome = Outcome(asked["paid_fen"], asked["paid_on"], asked["reference"], asked["reason"])
            return {"id": paying.record(self.actor, int(pk), outcome, self.now).pk}

        return self.once(request, f"claims.payout:{pk}", effect)

    @extend_schema(
        parameters=[KIND],
        operation_id="payment_lists_download",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        found = queries.paper_file(self.actor, "list", int(pk), kind)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)
