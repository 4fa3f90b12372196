"""/api/v1/notices: what happened to what is mine."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.serializers import NoFields, PageParameters
from config.kernel.api.views import ApiView
from instruments.models import Notice
from instruments.notice_events import words_of
from instruments.queries import notices as queries
from instruments.queries.notices import NoticeFilter
from instruments.services import notices


class NoticeParameters(PageParameters):
    show = serializers.ChoiceField(["all", "unread", "action"], default="all", help_text="action: somebody waits for me.")


class NoticeOut(serializers.Serializer):
    id = serializers.IntegerField()
    event = serializers.CharField(help_text="Dotted and stable, for example reservation.approved.")
    group = serializers.CharField()
    needs_action = serializers.BooleanField()
    title = serializers.CharField(help_text="In the language of the request.")
    lines = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField(help_text="Where to look; empty when there is no page.")
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class ReadOut(serializers.Serializer):
    unread = serializers.IntegerField(help_text="How many are left unread, 100 at most.")


def notice_out(row: Notice) -> dict[str, Any]:
    words = words_of(row.event, row.params)
    return dict(
        NoticeOut(
            {
                "id": row.pk,
                "event": row.event,
                "group": row.group,
                "needs_action": row.needs_action,
                "title": words.title,
                "lines": list(words.lines),
                "url": settings.PUBLIC_URL + row.path if row.path else "",
                "created_at": row.created_at,
                "read_at": row.read_at,
            }
        ).data
    )


class NoticeView(ApiView):
    """My notices: reading them, and marking them as read."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = Notice.objects.none()
    serializer_class = NoFields
    parameters_shapes = {"list": NoticeParameters}

    @extend_schema(parameters=[NoticeParameters], responses=NoticeOut(many=True))
    def list(self, request: Request) -> Response:
        """Newest first."""
        wanted = NoticeFilter(self.parameters(request)["show"])
        return self.paged(queries.my_notices(self.actor, wanted), notice_out)

    @extend_schema(responses=NoticeOut)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark one as read."""
        self.valid(request)
        queries.my_notice(self.actor, int(pk))
        notices.mark_read(self.actor, [int(pk)], self.now)
        return Response(notice_out(queries.my_notice(self.actor, int(pk))))

    @extend_schema(responses=ReadOut)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark all as read."""
        self.valid(request)
        notices.mark_read(self.actor, None, self.now)
        return Response({"unread": queries.unread_count(self.actor)})
