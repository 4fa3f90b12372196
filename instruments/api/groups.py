"""/api/v1/research-groups and /organisations/{id}/spending-rules."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from config.kernel.api.fields import Day, Id, Text, WholeNumber
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from instruments.models import GroupMember, ResearchGroup, SpendingRules
from instruments.queries import organisation_for
from instruments.queries import spending as queries
from instruments.services import research_groups as services

READ_MANAGE = {"GET": "read", "POST": "manage", "PUT": "manage", "DELETE": "manage"}
USER = OpenApiParameter("user_id", OpenApiTypes.INT, OpenApiParameter.PATH, description="A colleague.")
_TEXT = 2000  # longer is refused as input; the service says what really fits
THRESHOLD = "Spending above it on one booking waits for the leader's yes; null: never."


class ResearchGroupIn(StrictSerializer):
    name = Text(max_length=_TEXT)
    leader = Id(help_text="A person of the organisation.")
    threshold_fen = WholeNumber(required=False, allow_null=True, default=None, help_text=THRESHOLD)


class DaysIn(StrictSerializer):
    from_on = Day(help_text="The first day, of the platform's zone.")
    until_on = Day(required=False, allow_null=True, default=None, help_text="The last day; null: until further notice.")


class SpendingRulesIO(StrictSerializer):
    card_needed = serializers.BooleanField(help_text="Its own people book its instruments with a fund card only.")


class PersonOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class GroupMemberOut(serializers.Serializer):
    user = PersonOut()
    from_on = serializers.DateField()
    until_on = serializers.DateField(allow_null=True)


class ResearchGroupOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    name = serializers.CharField()
    leader = PersonOut()
    threshold_fen = serializers.IntegerField(allow_null=True, help_text=THRESHOLD)
    closed = serializers.BooleanField()


class ResearchGroupDetailOut(ResearchGroupOut):
    members = GroupMemberOut(many=True)


def _person(user: Any) -> dict[str, Any]:
    return {"id": user.pk, "name": str(user)}


def group_out(group: ResearchGroup) -> dict[str, Any]:
    """A group with its leader."""
    return {
        "id": group.pk,
        "organisation": group.organisation_id,
        "name": group.name,
        "leader": _person(group.leader),
        "threshold_fen": group.threshold_fen,
        "closed": group.closed_at is not None,
    }


def _member_out(member: GroupMember) -> dict[str, Any]:
    until = member.until_on.isoformat() if member.until_on else None
    return {"user": _person(member.user), "from_on": member.from_on.isoformat(), "until_on": until}


class GroupView(ApiView):
    """Who spends together, under whom."""

    token_scopes = READ_MANAGE
    queryset = ResearchGroup.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"found": ResearchGroupIn, "update": ResearchGroupIn, "member": DaysIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    @extend_schema(responses=ResearchGroupOut(many=True))
    def list(self, request: Request) -> Response:
        """The groups that I lead or spend for, and those of organisations that I administer or account for."""
        return self.paged(queries.groups_visible(self.actor), group_out)

    @extend_schema(responses={201: ResearchGroupDetailOut})
    def found(self, request: Request, pk: str) -> Response:
        """A new group of an organisation: for its administrators and an owner's finance."""
        asked = self.valid(request)
        made = services.create_group(self.actor, int(pk), asked["name"], asked["leader"], asked["threshold_fen"], self.now)
        return Response(self._detail(made.pk), status=201)

    @extend_schema(responses=ResearchGroupDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._detail(int(pk)))

    @extend_schema(responses=ResearchGroupDetailOut)
    def update(self, request: Request, pk: str) -> Response:
        """Name, leader and threshold; what waits for the leader waits for the new one."""
        asked = self.valid(request)
        services.change_group(self.actor, int(pk), asked["name"], asked["leader"], asked["threshold_fen"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=ResearchGroupDetailOut)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Nothing more is booked for it; what is approved goes on."""
        self.valid(request)
        services.set_closed(self.actor, int(pk), True, self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=ResearchGroupDetailOut)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        self.valid(request)
        services.set_closed(self.actor, int(pk), False, self.now)
        return self.retrieve(request, pk)

    @extend_schema(methods=["PUT"], parameters=[USER], responses=ResearchGroupDetailOut)
    @extend_schema(methods=["DELETE"], parameters=[USER], responses={204: None})
    @action(detail=True, methods=["put", "delete"], url_path="members/(?P<user_id>[0-9]{1,18})")
    def member(self, request: Request, pk: str, user_id: str) -> Response:
        """PUT: a colleague spends for the group on these days. DELETE: no more (or oneself leaves). The leader may do so too."""
        if request.method == "DELETE":
            services.remove_member(self.actor, int(pk), int(user_id), self.now)
            return Response(status=204)
        days = self.valid(request)
        services.set_member(self.actor, int(pk), int(user_id), days["from_on"], days["until_on"], self.now)
        return self.retrieve(request, pk)

    def _detail(self, pk: int) -> dict[str, Any]:
        group = queries.group_for(self.actor, pk)
        return {**group_out(group), "members": [_member_out(one) for one in queries.members_visible(self.actor, group)]}


class SpendingRulesView(ApiView):
    """What an owner asks of its own people."""

    token_scopes = READ_MANAGE
    queryset = SpendingRules.objects.none()
    serializer_class = SpendingRulesIO

    @extend_schema(responses=SpendingRulesIO)
    def retrieve(self, request: Request, pk: str) -> Response:
        found = organisation_for(self.actor, int(pk))
        return Response({"card_needed": queries.card_needed(found.pk)})

    @extend_schema(responses=SpendingRulesIO)
    def update(self, request: Request, pk: str) -> Response:
        """For administrators of the owner and its finance."""
        rules = services.set_card_needed(self.actor, int(pk), self.valid(request)["card_needed"], self.now)
        return Response({"card_needed": rules.card_needed})
