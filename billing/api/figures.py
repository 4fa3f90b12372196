"""/api/v1/programme-figures: the administrator's figure of a limit, asked for by one person and set by another."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.bill_shapes import ReasonIn
from billing.subsidy import budgets, figures
from billing.subsidy.budgets import OpenFigure
from billing.subsidy.figure_models import CapFigure
from config.kernel.api.fields import Text, WholeNumber
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView

_TEXT = 2000  # longer is refused as input; the service says what really fits
_MOST_FEN = 10**15
_LAST_YEAR = 9999


class FigureProposalIn(ReasonIn):
    version = WholeNumber(help_text="The published version of the programme, by its id.")
    cap = Text(max_length=40, help_text="The limit, by its id in the document.")
    year = WholeNumber(
        required=False, allow_null=True, default=None, max_value=_LAST_YEAR, help_text="Of a yearly limit; left out of others."
    )
    limit_fen = WholeNumber(max_value=_MOST_FEN, help_text="Of everybody whom the limit counts; 0 gives nothing.")


class FigureDecisionIn(StrictSerializer):
    set = serializers.BooleanField(help_text="True: it counts from now on. False: it is not set, or whoever asked takes it back.")
    reason = Text(max_length=_TEXT, required=False, default="", help_text="Needed where it is not set.")


class FigureOut(serializers.Serializer):
    id = serializers.IntegerField()
    version = serializers.IntegerField()
    cap = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    limit_fen = serializers.IntegerField()
    reason = serializers.CharField()
    state = serializers.CharField(help_text="asked, set or refused.")
    asked_by = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.IntegerField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(help_text="Why it was not set.")


class OpenFigureOut(serializers.Serializer):
    programme = serializers.CharField()
    version = serializers.IntegerField(help_text="The version under which it is asked for.")
    version_label = serializers.CharField()
    cap = serializers.CharField()
    per = serializers.CharField(help_text="What the limit counts together, such as firm_year or pool.")
    year = serializers.IntegerField(allow_null=True)
    default_fen = serializers.IntegerField(allow_null=True, help_text="What counts while none is set; null: nothing is said.")
    set_fen = serializers.IntegerField(allow_null=True, help_text="The figure that counts; null: none is set.")
    history = FigureOut(many=True, help_text="What was asked for, the latest first.")


def figure_out(row: CapFigure) -> dict[str, Any]:
    """A figure that was asked for, as JSON."""
    return {
        "id": row.pk,
        "version": row.version_id,
        "cap": row.cap_id,
        "year": row.year,
        "limit_fen": row.limit_fen,
        "reason": row.reason,
        "state": row.state,
        "asked_by": row.asked_by_id,
        "asked_at": row.asked_at.isoformat(),
        "decided_by": row.decided_by_id,
        "decided_at": row.decided_at and row.decided_at.isoformat(),
        "answer": row.answer,
    }


def _open_out(found: OpenFigure) -> dict[str, Any]:
    return {
        "programme": found.version.programme.code,
        "version": found.version.pk,
        "version_label": found.version.label,
        "cap": found.cap.id,
        "per": found.cap.per.value,
        "year": found.year,
        "default_fen": found.cap.limit_fen,
        "set_fen": found.set_fen,
        "history": [figure_out(each) for each in found.history],
    }


class FigureView(ApiView):
    """Figures of limits: for finance, officers and inspectors; the first two ask and set."""

    queryset = CapFigure.objects.none()
    token_scopes = {"GET": "read", "POST": "manage"}
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"propose": FigureProposalIn, "decide": FigureDecisionIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    @extend_schema(responses=OpenFigureOut(many=True))
    def list(self, request: Request) -> Response:
        """The limits whose figure may be set, of published versions that have not ended, with all that was asked for."""
        return self.paged(budgets.figures(self.actor, self.now), _open_out)

    @extend_schema(responses=FigureOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(figure_out(figures.figure_for(self.actor, int(pk))))

    @extend_schema(responses={201: FigureOut})
    def propose(self, request: Request) -> Response:
        """Ask for a figure; it counts once somebody else sets it. While one of the same figure waits, 409 with its id as ``figure``."""
        asked = self.valid(request)
        made = figures.ask(
            self.actor, asked["version"], asked["cap"], asked["year"], asked["limit_fen"], asked["reason"], self.now
        )
        return Response(figure_out(made), status=201)

    @extend_schema(responses=FigureOut)
    def decide(self, request: Request, pk: str) -> Response:
        """Somebody else than who asked sets it; anybody who keeps accounts refuses it."""
        asked = self.valid(request)
        if asked["set"]:
            figures.confirm(self.actor, int(pk), self.now)
        else:
            figures.refuse(self.actor, int(pk), asked["reason"], self.now)
        return self.retrieve(request, pk)
