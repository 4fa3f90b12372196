"""/api/v1/redemption-forms, /claw-backs and /repayments: what was handed in with claims, what has to come back and did, and their
documents."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.claim_shapes import ClaimMadeOut
from billing.bills.models import ReversalCause
from billing.claims import clawback_queries, queries
from billing.claims.models import ClaimSubmission, Clawback
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.repaying import NoticeState
from billing.claims.services import repaying, surplus
from billing.claims.services.repaying import Fate, ListRead, Money, RowRead
from billing.claims.services.surplus import Transfer
from billing.payments.rules.bank_rows import LAYOUTS, MOST_BYTES
from config.kernel.api.fields import Day, IdParameter, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment

KIND = OpenApiParameter(
    "kind", str, OpenApiParameter.PATH, enum=["pdf", "xlsx", "csv", "json", "html"], description="Which document."
)
_TEXT = 2000  # longer is refused as input; the service says what really fits
_BINARY = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class ClaimPaperParameters(PageParameters):
    claim = IdParameter(required=False)


class ClaimPaperOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    claim = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    issued_at = serializers.DateTimeField()
    render_state = serializers.CharField(help_text="Whether PDF and XLSX are made; the other kinds can be read at once.")
    sha256 = serializers.CharField(help_text="Of the frozen content.")


class RedemptionFormOut(ClaimPaperOut):
    position = serializers.IntegerField(help_text="Which time the claim was handed in, from 1.")


class ClawbackOut(ClaimPaperOut):
    award = serializers.IntegerField()
    cause = serializers.ChoiceField(choices=ReversalCause.choices)
    reason = serializers.CharField()
    reference = serializers.CharField(help_text="What its payee writes on the transfer that pays it back.")
    due_on = serializers.DateField(
        allow_null=True, help_text="By when; null: nothing was payable yet, or from before notices said it."
    )
    state = serializers.ChoiceField(choices=[each.value for each in NoticeState])
    set_off_fen = serializers.IntegerField(help_text="Taken off claims that were handed in.")
    planned_fen = serializers.IntegerField(help_text="On drafts of claims, and open still.")
    repaid_fen = serializers.IntegerField(help_text="Came back and was confirmed.")
    waiting_fen = serializers.IntegerField(help_text="Came back and waits for a second person.")
    open_fen = serializers.IntegerField()


class RepaymentIn(StrictSerializer):
    amount_fen = WholeNumber(min_value=1, help_text="What came in; what is more than is open is the payee's.")
    received_on = Day()
    payer_name = Text(max_length=_TEXT, required=False, default="", allow_blank=True)
    reference = Text(max_length=_TEXT, required=False, default="", allow_blank=True, help_text="The bank's.")
    too_much = serializers.BooleanField(default=False, help_text="Also where nothing is open: then all of it is the payee's.")


class RepaymentOut(serializers.Serializer):
    id = serializers.IntegerField()
    clawback = serializers.IntegerField()
    amount_fen = serializers.IntegerField(help_text="What counts.")
    received_fen = serializers.IntegerField(help_text="What came in.")
    surplus_fen = serializers.IntegerField(
        help_text="What came too much and is left: not sent back, not taken for another notice."
    )
    moved_from = serializers.IntegerField(allow_null=True, help_text="The repayment of whose surplus it was taken.")
    received_on = serializers.DateField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField(allow_blank=True)


class RepaymentEndIn(StrictSerializer):
    reason = Text(max_length=_TEXT)


class SurplusRefundIn(StrictSerializer):
    amount_fen = WholeNumber(min_value=1, help_text="What was sent back of what came too much.")
    paid_on = Day()
    reference = Text(max_length=_TEXT, help_text="The bank's.")


class SurplusRefundOut(serializers.Serializer):
    id = serializers.IntegerField()
    repayment = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    paid_on = serializers.DateField()
    reference = serializers.CharField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField(allow_blank=True)


class SurplusMoveIn(StrictSerializer):
    clawback = WholeNumber(min_value=1, help_text="The notice of the same payee and programme for which it is taken.")
    amount_fen = WholeNumber(
        min_value=1, required=False, default=None, allow_null=True, help_text="Empty: as much as is there and open."
    )


class RepaymentFileIn(StrictSerializer):
    file = serializers.FileField(help_text="CSV in UTF-8 or GBK, at most 5 MB.")
    layout = serializers.ChoiceField(
        choices=[each.code for each in LAYOUTS], required=False, default="", help_text="Empty: found out from the headings."
    )


class RepaymentRowOut(serializers.Serializer):
    row = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    fate = serializers.ChoiceField(
        choices=[each.value for each in Fate],
        help_text="``several``: it names more than one notice. ``settled``: nothing of it is open. Both are left to a person.",
    )
    numbers = serializers.ListField(child=serializers.CharField())
    repayment = serializers.IntegerField(allow_null=True)


class RepaymentListOut(serializers.Serializer):
    rows = RepaymentRowOut(many=True)
    others = serializers.IntegerField(help_text="Rows of money that came in and names no notice; nothing of them is kept.")
    outgoing = serializers.IntegerField()


class _ClaimPaperView(ApiView):
    token_scopes = {"GET": "read"}
    parameters_shapes = {"list": ClaimPaperParameters}
    paper = ""
    shape: type[ClaimPaperOut] = ClaimPaperOut

    def get_serializer_class(self) -> type[ClaimPaperOut]:
        return self.shape

    def read_file(self, pk: str, kind: str) -> HttpResponse:
        found = queries.paper_file(self.actor, self.paper, int(pk), kind)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)


class RedemptionFormView(_ClaimPaperView):
    """Redemption forms: what each claim said when it was handed in, frozen."""

    queryset = ClaimSubmission.objects.none()
    paper, shape = "form", RedemptionFormOut

    @extend_schema(parameters=[ClaimPaperParameters], responses=RedemptionFormOut(many=True))
    def list(self, request: Request) -> Response:
        """The redemption forms of claims that one may read, the latest first."""
        return self.paged(queries.forms_visible(self.actor, self.parameters(request).get("claim")), _form_json)

    @extend_schema(parameters=[KIND], operation_id="redemption_forms_download", responses=_BINARY)
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        return self.read_file(pk, kind)


class ClawbackView(_ClaimPaperView):
    """Claw-backs with their notices: what has to come back of an award that was handed in."""

    queryset = Clawback.objects.none()
    paper, shape = "clawback", ClawbackOut

    @extend_schema(parameters=[ClaimPaperParameters], responses=ClawbackOut(many=True))
    def list(self, request: Request) -> Response:
        """The claw-backs that one may read, the latest first."""
        rows = clawback_queries.notices_visible(self.actor, claim_id=self.parameters(request).get("claim"))
        return self.paged(rows, _clawback_json)

    @extend_schema(parameters=[KIND], operation_id="claw_backs_download", responses=_BINARY)
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The notice as PDF or XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        return self.read_file(pk, kind)


class RepaymentView(ApiView):
    """Money that came back for claw-back notices; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = Repayment.objects.none()
    parameters_shapes = {"list": PageParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": RepaymentIn,
        "confirm": NoFields,
        "end": RepaymentEndIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", RepaymentOut)

    @extend_schema(responses=RepaymentOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """What came back for one notice, the first first."""
        notice = clawback_queries.notice_for(self.actor, int(pk))
        return self.paged(list(notice.repayments.all()), _repayment_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut})
    def create(self, request: Request, pk: str) -> Response:
        """Write down that money came back; it counts once another person has confirmed it."""
        money = Money(**self.valid(request))

        def effect() -> dict[str, Any]:
            return {"id": repaying.record(self.actor, int(pk), money, self.now).pk}

        return self.once(request, f"claims.repayment:{pk}", effect)

    @extend_schema(responses=RepaymentOut)
    def confirm(self, request: Request, pk: str) -> Response:
        """Say that money that somebody else recorded is there."""
        self.valid(request)
        return Response(_repayment_json(repaying.confirm(self.actor, int(pk), self.now)))

    @extend_schema(responses=RepaymentOut)
    def end(self, request: Request, pk: str) -> Response:
        """Say that it did not come, or undo what was confirmed."""
        return Response(_repayment_json(repaying.end(self.actor, int(pk), self.valid(request)["reason"], self.now)))


class SurplusView(ApiView):
    """What came too much for claw-back notices: sent back, or taken for another notice; a token needs the scope ``settle`` to write."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = SurplusRefund.objects.none()
    parameters_shapes = {"list": PageParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": SurplusRefundIn,
        "move": SurplusMoveIn,
        "confirm": NoFields,
        "end": RepaymentEndIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", SurplusRefundOut)

    @extend_schema(responses=SurplusRefundOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """What was sent back of one repayment, the first first."""
        return self.paged(clawback_queries.refunds_of(self.actor, int(pk)), _refund_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut})
    def create(self, request: Request, pk: str) -> Response:
        """Write down that what came too much was sent back; it counts once another person has confirmed it."""
        transfer = Transfer(**self.valid(request))

        def effect() -> dict[str, Any]:
            return {"id": surplus.send_back(self.actor, int(pk), transfer, self.now).pk}

        return self.once(request, f"claims.surplus:{pk}", effect)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut})
    def move(self, request: Request, pk: str) -> Response:
        """Take it for a notice of which something is open: a repayment of that notice, which another person confirms."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": surplus.take_for(self.actor, int(pk), asked["clawback"], self.now, asked["amount_fen"]).pk}

        return self.once(request, f"claims.surplus_move:{pk}", effect)

    @extend_schema(responses=SurplusRefundOut)
    def confirm(self, request: Request, pk: str) -> Response:
        """Say that what somebody else recorded was sent back."""
        self.valid(request)
        return Response(_refund_json(surplus.confirm(self.actor, int(pk), self.now)))

    @extend_schema(responses=SurplusRefundOut)
    def end(self, request: Request, pk: str) -> Response:
        """Say that it was not sent back, or came back from the bank."""
        return Response(_refund_json(surplus.end(self.actor, int(pk), self.valid(request)["reason"], self.now)))


class RepaymentListView(ApiView):
    """A bank's list of the office's account; takes multipart. Handing the same in again adds nothing."""

    token_scopes = {"POST": "settle"}
    parser_classes = [MultiPartParser]
    queryset = Repayment.objects.none()
    serializer_class = RepaymentFileIn

    @extend_schema(request={"multipart/form-data": RepaymentFileIn}, responses={200: RepaymentListOut})
    def create(self, request: Request) -> Response:
        """Record what came in for notices. Whole or not at all: with a fault nothing is taken in, and every fault is named (422)."""
        asked = self.valid(request)
        content = asked["file"].read(MOST_BYTES + 1)
        read = repaying.take_in(self.actor, content, asked["file"].name or "", self.now, layout=asked["layout"])
        return Response(_list_json(read))


def _list_json(read: ListRead) -> dict[str, Any]:
    return {"rows": [_row_json(each) for each in read.rows], "others": read.others, "outgoing": read.outgoing}


def _row_json(each: RowRead) -> dict[str, Any]:
    repayment = each.repayment.pk if each.repayment is not None else None
    said = {"row": each.row, "amount_fen": each.amount_fen, "fate": each.fate.value}
    return {**said, "numbers": list(each.numbers), "repayment": repayment}


def _repayment_json(row: Repayment) -> dict[str, Any]:
    names = ("amount_fen", "received_fen", "received_on", "confirmed_at", "ended_at", "end_reason")
    also = {"surplus_fen": clawback_queries.free_fen(row), "moved_from": row.moved_from_id}
    return {"id": row.pk, "clawback": row.clawback_id, **also, **{name: getattr(row, name) for name in names}}


def _refund_json(row: SurplusRefund) -> dict[str, Any]:
    names = ("amount_fen", "paid_on", "reference", "confirmed_at", "ended_at", "end_reason")
    return {"id": row.pk, "repayment": row.repayment_id, **{name: getattr(row, name) for name in names}}


def _paper_json(paper: Any) -> dict[str, Any]:
    return {
        "id": paper.pk,
        "claim": paper.claim_id,
        "sha256": paper.content_sha256,
        **{name: getattr(paper, name) for name in ("number", "total_fen", "issued_at", "render_state")},
    }


def _form_json(form: ClaimSubmission) -> dict[str, Any]:
    return {**_paper_json(form), "position": form.position}


def _clawback_json(clawback: Clawback) -> dict[str, Any]:
    standing = clawback_queries.standing(clawback)
    sums = {name: getattr(standing, name) for name in ("set_off_fen", "planned_fen", "repaid_fen", "waiting_fen", "open_fen")}
    names = ("cause", "reason", "reference", "due_on")
    said = {name: getattr(clawback, name) for name in names}
    return {**_paper_json(clawback), "award": clawback.award_id, **said, "state": standing.state.value, **sums}
