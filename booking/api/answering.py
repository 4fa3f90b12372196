"""/api/v1/organisations/{id}/deputies and /reject-reasons: who answers while a manager is away, and the sentences on offer."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking.models import Delegation, RejectReason
from booking.services import deputies, reject_reasons
from booking.services.deputies import Absence
from booking.services.reject_reasons import Ready
from config.kernel.access import get_visible
from config.kernel.api.fields import Day, Id, Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from instruments.services.answer_time import zone_of_owner


class DeputyIn(StrictSerializer):
    deputy = Id(help_text="Another manager of the same lab, who answers in my place.")
    first_on = Day(help_text="The lab's local day, included.")
    last_on = Day(help_text="Included; a year at most.")
    also_manager = serializers.BooleanField(required=False, default=True, help_text="I go on being told of the lab's work.")


class DeputyOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    manager = serializers.IntegerField(help_text="Who is away.")
    manager_name = serializers.CharField()
    deputy = serializers.IntegerField()
    deputy_name = serializers.CharField()
    starts_at = serializers.DateTimeField(help_text="With the offset of the lab's zone.")
    ends_at = serializers.DateTimeField()
    also_manager = serializers.BooleanField()
    ended = serializers.BooleanField()


class ColleagueManagerOut(serializers.Serializer):
    id = serializers.IntegerField(help_text="Send it as deputy.")
    name = serializers.CharField()


class DeputiesOut(serializers.Serializer):
    coming = DeputyOut(many=True, help_text="Now or later.")
    colleagues = ColleagueManagerOut(many=True, help_text="Who could stand in for me.")


class SentenceIn(StrictSerializer):
    text = Text(max_length=4000, required=False, allow_blank=True, default="")
    text_en = Text(max_length=4000, required=False, allow_blank=True, default="")


class SentencesIn(StrictSerializer):
    sentences = serializers.ListField(child=SentenceIn(), max_length=100, help_text="The whole list, in its order.")


class OwnSentenceOut(serializers.Serializer):
    choice = serializers.CharField(help_text="Send it as choice of a decision.")
    text = serializers.CharField()
    text_en = serializers.CharField()


class OfferedOut(serializers.Serializer):
    choice = serializers.CharField()
    text = serializers.CharField(help_text="In the language of Accept-Language; who asked reads it in their own.")


class SentencesOut(serializers.Serializer):
    own = OwnSentenceOut(many=True, help_text="Empty: those of the house are offered.")
    offered = OfferedOut(many=True, help_text="What is on offer at all my labs.")


class DeputyView(ApiView):
    """Standing in for each other; a token needs the scope ``manage`` to change it."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage"}
    queryset = Delegation.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return DeputyIn if self.action == "create" else NoFields

    @extend_schema(responses=DeputiesOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Who stands in for whom at a lab of mine, and who could for me."""
        lab = reject_reasons.lab_of(self.actor, int(pk))
        colleagues = deputies.colleagues(self.actor, lab.pk)
        coming = [row for row in deputies.coming(self.actor, self.now) if row.organisation_id == lab.pk]
        return Response(
            {
                "coming": [_deputy(row) for row in coming],
                "colleagues": [{"id": one.pk, "name": str(one)} for one in colleagues],
            }
        )

    @extend_schema(parameters=[IDEMPOTENT], responses={201: DeputyOut})
    def create(self, request: Request, pk: str) -> Response:
        """A colleague answers in my place for some days, and is told so."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            absence = Absence(asked["first_on"], asked["last_on"], asked["also_manager"])
            return _deputy(deputies.name(self.actor, int(pk), asked["deputy"], absence, self.now))

        return self.once(request, f"deputies.name:{pk}", effect, status=201)

    @extend_schema(parameters=[IDEMPOTENT], responses=DeputyOut)
    def end(self, request: Request, pk: str) -> Response:
        """I am back, or cannot stand in: from now on nobody does."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            deputies.end(self.actor, int(pk), self.now)
            rows = Delegation.objects.select_related("manager", "deputy")
            return _deputy(get_visible(rows, self.actor, pk=int(pk)))

        return self.once(request, "deputies.end", effect, status=200)


class SentencesView(ApiView):
    """The sentences with which a lab declines; a token needs the scope ``manage`` to change them."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "PUT": "manage"}
    queryset = RejectReason.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return SentencesIn if self.request.method == "PUT" else SentencesOut

    @extend_schema(responses=SentencesOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """The lab's own list, and what is on offer."""
        return self._shown(int(pk))

    @extend_schema(responses=SentencesOut)
    def update(self, request: Request, pk: str) -> Response:
        """Make these the lab's list; an empty one goes back to those of the house."""
        pairs = [(one["text"], one["text_en"]) for one in self.valid(request)["sentences"]]
        reject_reasons.keep(self.actor, int(pk), pairs, self.now)
        return self._shown(int(pk))

    def _shown(self, pk: int) -> Response:
        own = reject_reasons.own_of(self.actor, pk)
        return Response(
            {
                "own": [{"choice": reject_reasons.choice_of(row), "text": row.text, "text_en": row.text_en} for row in own],
                "offered": [_offered(one) for one in reject_reasons.offered(self.actor)],
            }
        )


def _offered(one: Ready) -> dict[str, str]:
    return {"choice": one.choice, "text": one.text}


def _deputy(row: Delegation) -> dict[str, Any]:
    zone = zone_of_owner(row.organisation_id)
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        "manager": row.manager_id,
        "manager_name": str(row.manager),
        "deputy": row.deputy_id,
        "deputy_name": str(row.deputy),
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
        "also_manager": row.also_manager,
        "ended": row.ended_at is not None,
    }
