"""/api/v1/firm-declarations, /vouchers, /voucher-applications and /programme-accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.bill_shapes import ReasonIn
from billing.firms import queries as firms
from billing.firms.models import FirmDeclaration
from billing.firms.services import declaring
from billing.ledger import life, top_ups
from billing.ledger import queries as ledger
from billing.ledger.models import Account
from billing.ledger.top_up_models import TopUp
from billing.vouchers import queries as wallets
from billing.vouchers.models import Voucher, VoucherApplication
from billing.vouchers.services import applying, holding
from config.kernel.api.fields import Text, WholeNumber
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView

_TEXT = 2000  # longer is refused as input; the service says what really fits


class DeclarationDecisionIn(StrictSerializer):
    accept = serializers.BooleanField()
    reason = Text(max_length=_TEXT, required=False, default="", help_text="Needed for a refusal; the firm reads it.")


class ReviewIn(StrictSerializer):
    recommended_fen = WholeNumber(help_text="At most what was asked for.")
    note = Text(max_length=_TEXT, required=False, default="")


class TopUpIn(ReasonIn):
    amount_fen = WholeNumber()


class SuspendIn(ReasonIn):
    suspended = serializers.BooleanField()


class AddedMoneyOut(serializers.Serializer):
    id = serializers.IntegerField()
    account = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    reason = serializers.CharField()
    state = serializers.CharField(help_text="asked, added or refused.")
    asked_by = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField(help_text="Why it was refused.")


class TopUpDecisionIn(StrictSerializer):
    add = serializers.BooleanField()
    reason = Text(max_length=_TEXT, required=False, default="", help_text="Needed where it is not added.")


class DeclarationOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    kind = serializers.CharField(help_text="figures, place, label, controller or affiliate.")
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True, help_text="The last day; null: open.")
    content = serializers.JSONField(help_text="What is declared; amounts in fen.")
    state = serializers.CharField(help_text="open, accepted or refused.")
    reason = serializers.CharField()
    declared_at = serializers.DateTimeField()


class VoucherOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField(help_text="Unique among all platforms.")
    organisation = serializers.IntegerField()
    programme = serializers.CharField()
    cap = serializers.CharField()
    state = serializers.CharField(help_text="valid, future, used, expired or returned.")
    face_fen = serializers.IntegerField()
    held_fen = serializers.IntegerField()
    spent_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()
    origin = serializers.CharField(
        allow_null=True, help_text="The platform of the partner region that issued it; null: this one."
    )


class ApplicationOut(serializers.Serializer):
    id = serializers.IntegerField()
    announcement = serializers.IntegerField()
    organisation = serializers.IntegerField()
    state = serializers.CharField(help_text="applied, reviewed, issued, refused or withdrawn.")
    asked_fen = serializers.IntegerField()
    recommended_fen = serializers.IntegerField(allow_null=True)
    purpose = serializers.CharField()
    reason = serializers.CharField()
    applied_at = serializers.DateTimeField()


class AccountParameters(PageParameters):
    kind = serializers.CharField(max_length=40, required=False, help_text="Such as pool, firm_year, order or contract.")


class AccountOut(serializers.Serializer):
    id = serializers.IntegerField()
    key = serializers.CharField()
    kind = serializers.CharField()
    programme = serializers.CharField()
    organisation = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(help_text="open, suspended or closed.")
    ends_on = serializers.DateField(allow_null=True)
    granted_fen = serializers.IntegerField()
    held_fen = serializers.IntegerField()
    posted_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField()


def top_up_out(row: TopUp) -> dict[str, Any]:
    """Money that was asked for, as JSON."""
    return {
        "id": row.pk,
        "account": row.account_id,
        "amount_fen": row.amount_fen,
        "reason": row.reason,
        "state": row.state,
        "asked_by": row.asked_by_id,
        "asked_at": row.asked_at.isoformat(),
        "decided_by": row.decided_by_id,
        "answer": row.answer,
    }


def declaration_out(row: FirmDeclaration) -> dict[str, Any]:
    """A declaration as JSON."""
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        "kind": row.kind,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to and row.valid_to.isoformat(),
        "content": row.content,
        "state": {None: "open", True: "accepted", False: "refused"}[row.accepted],
        "reason": row.reason,
        "declared_at": row.declared_at.isoformat(),
    }


def voucher_out(row: Voucher) -> dict[str, Any]:
    """A voucher as it stands today, as JSON."""
    purse = wallets.purse(row, timezone.localdate())
    return {
        "id": row.pk,
        "number": row.number,
        "organisation": row.organisation_id,
        "programme": row.programme.code,
        "cap": row.cap_id,
        "state": purse.state,
        "face_fen": row.face_fen,
        "held_fen": purse.held_fen,
        "spent_fen": purse.spent_fen,
        "left_fen": purse.left_fen,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "origin": row.origin.platform_id if row.origin else None,
    }


def application_out(row: VoucherApplication) -> dict[str, Any]:
    """An application as JSON."""
    return {
        "id": row.pk,
        "announcement": row.announcement_id,
        "organisation": row.organisation_id,
        "state": row.state,
        "asked_fen": row.asked_fen,
        "recommended_fen": row.recommended_fen,
        "purpose": row.purpose,
        "reason": row.reason,
        "applied_at": row.applied_at.isoformat(),
    }


def account_out(row: Account) -> dict[str, Any]:
    """A limited account as JSON."""
    return {
        "id": row.pk,
        "key": row.key,
        "kind": row.kind,
        "programme": row.programme.code if row.programme else "",
        "organisation": row.organisation_id,
        "state": row.state,
        "ends_on": row.ends_on and row.ends_on.isoformat(),
        "granted_fen": row.granted_fen,
        "held_fen": row.held_fen,
        "posted_fen": row.posted_fen,
        "left_fen": row.left_fen,
    }


class _View(ApiView):
    """``bodies``: the shape of the body of each action."""

    token_scopes = {"GET": "read", "POST": "manage"}
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)


class DeclarationView(_View):
    """What firms declare (``applying``: handing one in)."""

    queryset = FirmDeclaration.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"decide": DeclarationDecisionIn}

    @extend_schema(responses=DeclarationOut(many=True))
    def list(self, request: Request) -> Response:
        """Those that I may read, the latest first."""
        return self.paged(firms.declarations_visible(self.actor), declaration_out)

    @extend_schema(responses=DeclarationOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(declaration_out(firms.declaration_for(self.actor, int(pk))))

    @extend_schema(responses=DeclarationOut)
    def decide(self, request: Request, pk: str) -> Response:
        """The operator accepts or refuses, once."""
        asked = self.valid(request)
        return Response(declaration_out(declaring.decide(self.actor, int(pk), asked["accept"], asked["reason"], self.now)))


class VoucherView(_View):
    """Vouchers with what is left of them."""

    queryset = Voucher.objects.none()

    @extend_schema(responses=VoucherOut(many=True))
    def list(self, request: Request) -> Response:
        """Those that I may read, what ends first first."""
        return self.paged(wallets.vouchers(self.actor), voucher_out)

    @extend_schema(responses=VoucherOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(voucher_out(wallets.voucher_for(self.actor, int(pk))))

    @extend_schema(responses=VoucherOut)
    def give_back(self, request: Request, pk: str) -> Response:
        """The firm returns what is not used."""
        self.valid(request)
        holding.give_back(self.actor, int(pk), self.now)
        return self.retrieve(request, pk)


class ApplicationView(_View):
    """Applications for vouchers (``applying``: handing one in)."""

    queryset = VoucherApplication.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"review": ReviewIn, "refuse": ReasonIn}

    @extend_schema(responses=ApplicationOut(many=True))
    def list(self, request: Request) -> Response:
        """Those that I may read."""
        return self.paged(wallets.applications(self.actor), application_out)

    @extend_schema(responses=ApplicationOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(application_out(wallets.application_for(self.actor, int(pk))))

    @extend_schema(responses=ApplicationOut)
    def review(self, request: Request, pk: str) -> Response:
        """An officer recommends an amount."""
        asked = self.valid(request)
        applying.review(self.actor, int(pk), asked["recommended_fen"], asked["note"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses={201: VoucherOut})
    def issue(self, request: Request, pk: str) -> Response:
        """Somebody else issues the voucher."""
        self.valid(request)
        made = applying.issue(self.actor, int(pk), self.now)
        return Response(voucher_out(wallets.voucher_for(self.actor, made.pk)), status=201)

    @extend_schema(responses=ApplicationOut)
    def refuse(self, request: Request, pk: str) -> Response:
        """Refuse, with a reason that the firm reads."""
        applying.refuse(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=ApplicationOut)
    def withdraw(self, request: Request, pk: str) -> Response:
        """The firm takes it back."""
        self.valid(request)
        applying.withdraw(self.actor, int(pk), self.now)
        return self.retrieve(request, pk)


class AddedMoneyView(_View):
    """Money for programmes' accounts that was asked for: for finance, officers and inspectors."""

    queryset = TopUp.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"decide": TopUpDecisionIn}

    @extend_schema(responses=AddedMoneyOut(many=True))
    def list(self, request: Request) -> Response:
        """What waits for a second person."""
        return self.paged(top_ups.waiting(self.actor), top_up_out)

    @extend_schema(responses=AddedMoneyOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(top_up_out(top_ups.top_up_for(self.actor, int(pk))))

    @extend_schema(responses=AddedMoneyOut)
    def decide(self, request: Request, pk: str) -> Response:
        """Somebody else than who asked adds it; anybody who keeps accounts refuses it."""
        asked = self.valid(request)
        if asked["add"]:
            top_ups.add(self.actor, int(pk), self.now)
        else:
            top_ups.refuse(self.actor, int(pk), asked["reason"], self.now)
        return self.retrieve(request, pk)


class AccountView(_View):
    """Limited accounts of programmes: for finance, officers and inspectors."""

    queryset = Account.objects.none()
    parameters_shapes = {"list": AccountParameters}
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"top_up": TopUpIn, "suspend": SuspendIn, "close": ReasonIn}

    @extend_schema(parameters=[AccountParameters], responses=AccountOut(many=True))
    def list(self, request: Request) -> Response:
        """All but those of orders and contracts, of which there are very many; with ``kind`` those of one kind."""
        return self.paged(ledger.programme_accounts(self.actor, self.parameters(request).get("kind", "")), account_out)

    @extend_schema(responses=AccountOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(account_out(ledger.account_for(self.actor, int(pk))))

    @extend_schema(responses={201: AddedMoneyOut})
    def top_up(self, request: Request, pk: str) -> Response:
        """Ask for money from the treasury; it is added once somebody else says yes."""
        asked = self.valid(request)
        made = top_ups.ask(self.actor, int(pk), asked["amount_fen"], asked["reason"], self.now)
        return Response(top_up_out(made), status=201)

    @extend_schema(responses=AccountOut)
    def suspend(self, request: Request, pk: str) -> Response:
        """Promise nothing new from it, or again."""
        asked = self.valid(request)
        life.set_suspended(self.actor, int(pk), asked["suspended"], asked["reason"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=AccountOut)
    def close(self, request: Request, pk: str) -> Response:
        """Give what is left back and close it for good."""
        life.close(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)
