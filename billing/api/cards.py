"""/api/v1/fund-cards and /internal-slips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.cards import queries as balances
from billing.cards import services
from billing.cards.queries import NOTHING, CardBalance
from billing.cards.services import CardFacts
from billing.settlement import slip_queries
from billing.settlement.slip_csv import slips_csv
from billing.settlement.slip_models import InternalSlip
from config.kernel.access import Actor
from config.kernel.api.fields import Day, IdParameter, Text, WholeNumber
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment
from instruments.models import FundCard
from instruments.queries import spending as queries

_TEXT = 2000  # longer is refused as input; the service says what really fits
_MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class CardIn(StrictSerializer):
    number = Text(max_length=_TEXT, help_text="Once in an organisation.")
    title = Text(max_length=_TEXT)
    valid_from = Day(help_text="The first day of sessions that it pays, in the zone of the instrument.")
    valid_until = Day(help_text="The last one.")
    budget_fen = WholeNumber(required=False, allow_null=True, default=None, help_text="null: no limit.")
    threshold_fen = WholeNumber(
        required=False, allow_null=True, default=None, help_text="In place of the group's; null: that of the group."
    )


class CardOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    group = serializers.IntegerField()
    number = serializers.CharField()
    title = serializers.CharField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()
    threshold_fen = serializers.IntegerField(allow_null=True)
    budget_fen = serializers.IntegerField(allow_null=True, help_text="null: no limit.")
    held_fen = serializers.IntegerField(help_text="Kept for bookings that are not charged yet.")
    spent_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField(allow_null=True)
    closed = serializers.BooleanField()


def card_out(card: FundCard, balance: CardBalance) -> dict[str, Any]:
    """A card and what is on it."""
    return {
        "id": card.pk,
        "organisation": card.organisation_id,
        "group": card.group_id,
        "number": card.number,
        "title": card.title,
        "valid_from": card.valid_from.isoformat(),
        "valid_until": card.valid_until.isoformat(),
        "threshold_fen": card.threshold_fen,
        "budget_fen": balance.budget_fen,
        "held_fen": balance.held_fen,
        "spent_fen": balance.spent_fen,
        "left_fen": balance.left_fen,
        "closed": card.closed_at is not None,
    }


def cards_out(actor: Actor, cards: Sequence[FundCard]) -> list[dict[str, Any]]:
    """Cards with what is left on them, looked up once for all."""
    found = balances.balances(actor, cards)
    return [card_out(card, found.get(card.pk, NOTHING)) for card in cards]


class FundCardView(ApiView):
    """Money that groups spend on sessions."""

    token_scopes = {"GET": "read", "POST": "manage", "PUT": "manage"}
    queryset = FundCard.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"open": CardIn, "update": CardIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    @extend_schema(responses={201: CardOut})
    def open(self, request: Request, pk: str) -> Response:
        """A new card of a group: for administrators of the organisation and an owner's finance."""
        made = services.open_card(self.actor, int(pk), _facts(self.valid(request)), self.now)
        return Response(self._one(made.pk), status=201)

    @extend_schema(responses=CardOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._one(int(pk)))

    @extend_schema(responses=CardOut)
    def update(self, request: Request, pk: str) -> Response:
        """Everything but its group."""
        services.change_card(self.actor, int(pk), _facts(self.valid(request)), self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=CardOut)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """It takes no new bookings; what is approved is paid from it."""
        self.valid(request)
        services.set_card_closed(self.actor, int(pk), True, self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=CardOut)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        self.valid(request)
        services.set_card_closed(self.actor, int(pk), False, self.now)
        return self.retrieve(request, pk)

    def _one(self, pk: int) -> dict[str, Any]:
        return cards_out(self.actor, [queries.card_for(self.actor, pk)])[0]

    @extend_schema(responses=CardOut(many=True))
    def list(self, request: Request) -> Response:
        """The cards of the groups that I may see, with what is left on them."""
        return self.paged_together(queries.cards_visible(self.actor), lambda cards: cards_out(self.actor, cards))


def _facts(asked: Mapping[str, Any]) -> CardFacts:
    return CardFacts(
        asked["number"],
        asked["title"],
        asked["valid_from"],
        asked["valid_until"],
        asked["budget_fen"],
        asked["threshold_fen"],
    )


class SlipParameters(PageParameters):
    month = serializers.RegexField(_MONTH, required=False, help_text="The month in which it was agreed, as in 2026-11.")
    group = IdParameter(required=False)


class SlipsFileParameters(StrictSerializer):
    month = serializers.RegexField(_MONTH, help_text="The month in which it was agreed, as in 2026-11.")
    group = IdParameter(required=False)


class SlipOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    organisation = serializers.IntegerField()
    reservation = serializers.IntegerField(allow_null=True)
    sample_job = serializers.IntegerField(allow_null=True, help_text="Instead of a reservation.")
    group = serializers.IntegerField(allow_null=True)
    fund_card = serializers.IntegerField(allow_null=True)
    month = serializers.CharField()
    total_fen = serializers.IntegerField(help_text="Below zero where a part of a fee fell away.")
    covered_fen = serializers.IntegerField(help_text="Paid from the card; below zero: it went back there.")
    open_fen = serializers.IntegerField(help_text="What the card did not pay.")
    content = serializers.DictField(help_text="Everything the slip shows, as it was when it was issued.")


def slip_out(slip: InternalSlip) -> dict[str, Any]:
    """A slip with its frozen content."""
    return {
        "id": slip.pk,
        "number": slip.number,
        "organisation": slip.organisation_id,
        "reservation": slip.reservation_id,
        "sample_job": slip.sample_job_id,
        "group": slip.group_id,
        "fund_card": slip.fund_card_id,
        "month": f"{slip.period_on:%Y-%m}",
        "total_fen": slip.total_fen,
        "covered_fen": slip.covered_fen,
        "open_fen": slip.open_fen,
        "content": slip.content,
    }


class SlipView(ApiView):
    """What an owner charged its own people."""

    token_scopes = {"GET": "read"}
    queryset = InternalSlip.objects.none()
    serializer_class = SlipOut
    parameters_shapes = {"list": SlipParameters, "csv": SlipsFileParameters}

    @extend_schema(parameters=[SlipParameters], responses=SlipOut(many=True))
    def list(self, request: Request) -> Response:
        """The latest first; of one month in the order of their numbers."""
        asked = self.parameters(request)
        if "month" in asked:
            return self.paged(slip_queries.of_month(self.actor, _first(asked["month"]), asked.get("group")), slip_out)
        rows = slip_queries.slips_visible(self.actor)
        return self.paged(rows.filter(group_id=asked["group"]) if "group" in asked else rows, slip_out)

    @extend_schema(responses=SlipOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(slip_out(slip_queries.slip_for(self.actor, int(pk))))

    @extend_schema(parameters=[SlipsFileParameters], responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=False, methods=["get"])
    def csv(self, request: Request) -> HttpResponse:
        """The slips of a month as a file for the finance office (UTF-8 with a mark, amounts in yuan)."""
        asked = self.parameters(request)
        rows = slip_queries.of_month(self.actor, _first(asked["month"]), asked.get("group"))
        return attachment(slips_csv(rows, ZoneInfo(settings.TIME_ZONE)), "text/csv", f"internal-slips-{asked['month']}.csv")


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")
