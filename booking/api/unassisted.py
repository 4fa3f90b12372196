"""Sessions to come in which nobody assists yet: /api/v1/assisting/nobody; for the lab."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.api.assistants import AssistedOut, assisted
from booking.models import Assistant
from booking.queries.unassisted import Proposal, proposals, unassisted
from booking.services import assisting_all
from config.kernel.access import Role
from config.kernel.api.fields import Id
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView


class GiveOneIn(StrictSerializer):
    reservation = Id()
    assistant = Id(help_text="Who was proposed, or somebody else who may assist on the instrument and has nothing else then.")


class GiveAllIn(StrictSerializer):
    give = GiveOneIn(many=True)


class UnassistedOut(AssistedOut):
    assistant = serializers.IntegerField(
        allow_null=True, help_text="Who would assist, so that all can be given; null: nobody can."
    )
    name = serializers.CharField(allow_blank=True)


class GivenAllOut(serializers.Serializer):
    given = serializers.IntegerField()


class UnassistedView(ApiView):
    """Brought over, or booked before anybody was named."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = Assistant.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return GiveAllIn if self.action == "give" else UnassistedOut

    @extend_schema(responses=UnassistedOut(many=True))
    def list(self, request: Request) -> Response:
        """By start, each with who would assist, so that all of a page can be given at once."""
        self.actor.require(Role.LAB_MANAGER)
        rows = unassisted(self.actor, self.now)
        return self.paged_together(rows, lambda page: [_shown(one) for one in proposals(page, self.now)])

    @extend_schema(parameters=[IDEMPOTENT], responses=GivenAllOut)
    def give(self, request: Request) -> Response:
        """Give all of these, or none: 409 names the one that cannot be given any more. Each stands there once."""
        pairs = [(one["reservation"], one["assistant"]) for one in self.valid(request)["give"]]
        self.actor.require(Role.LAB_MANAGER)

        def effect() -> dict[str, Any]:
            return {"given": assisting_all.give_all(self.actor, pairs, self.now)}

        return self.once(request, "assistant.give_all", effect, status=200)


def _shown(one: Proposal) -> dict[str, Any]:
    helper = one.helper
    return assisted(one.reservation) | {"assistant": helper and helper.id, "name": helper.name if helper else ""}
