"""/api/v1/waiting-list: what one waits for, and what is offered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking.api.serializers import ExpectedIn
from booking.api.views import expected_of
from booking.models import WaitEntry
from booking.rules.length import require_length
from booking.rules.waiting import WaitState
from booking.services import waiting
from booking.services.waiting import Paying, Wish
from config.kernel.access import get_visible, visible_to
from config.kernel.api.fields import Id, Instant, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import ServiceMode

#: Nobody needs more at one go; the instrument's own limit says what really fits.
LONGEST_MINUTES = 31 * 24 * 60


class WaitIn(StrictSerializer):
    instrument = Id()
    organisation = Id(help_text="The customer for whom the time would be booked.")
    starts_at = Instant(help_text="Not before, with an offset from UTC.")
    ends_at = Instant(help_text="Not after, with an offset from UTC; 62 days later at most.")
    minutes = WholeNumber(
        min_value=1,
        max_value=LONGEST_MINUTES,
        required=False,
        allow_null=True,
        help_text="How long at one go, anywhere between both; left out: exactly that time.",
    )
    service_mode = serializers.ChoiceField(choices=ServiceMode.values)


class WaitAcceptIn(StrictSerializer):
    fund_card = Id(required=False, allow_null=True, default=None, help_text="The card that pays.")
    research_project = Text(
        max_length=200,
        required=False,
        allow_blank=True,
        allow_null=True,
        default=None,
        help_text="Left out: that of the last time.",
    )
    expected = ExpectedIn(required=False, allow_null=True, default=None, help_text="Figures that I saw for it.")


class WaitOfferOut(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    until_at = serializers.DateTimeField(help_text="So long it is kept for me alone.")


class WaitOut(serializers.Serializer):
    id = serializers.IntegerField()
    instrument = serializers.IntegerField()
    organisation = serializers.IntegerField()
    starts_at = serializers.DateTimeField(help_text="Not before.")
    ends_at = serializers.DateTimeField(help_text="Not after.")
    minutes = serializers.IntegerField()
    service_mode = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in WaitState])
    offer = WaitOfferOut(allow_null=True, help_text="What can be accepted now.")
    reservation = serializers.IntegerField(allow_null=True, help_text="What was booked by accepting.")


def wait_out(row: WaitEntry) -> dict[str, Any]:
    """An entry with its instrument's site; instants carry the offset of the site."""
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "id": row.pk,
        "instrument": row.instrument_id,
        "organisation": row.organisation_id,
        "starts_at": _local(row.first_at, zone),
        "ends_at": _local(row.last_at, zone),
        "minutes": row.minutes,
        "service_mode": row.service_mode,
        "state": row.state,
        "offer": _offer(row, zone),
        "reservation": row.reservation_id,
    }


def _offer(row: WaitEntry, zone: ZoneInfo) -> dict[str, Any] | None:
    if row.state != WaitState.OFFERED or row.offered is None or row.offer_expires_at is None:
        return None
    moments = (row.offered.starts_at, row.offered.ends_at, row.offer_expires_at)
    return dict(zip(("starts_at", "ends_at", "until_at"), (_local(moment, zone) for moment in moments), strict=True))


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat()


class WaitView(ApiView):
    """What I wait for; with a token of scope ``book``."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = WaitEntry.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return {"create": WaitIn, "accept": WaitAcceptIn}.get(self.action, NoFields)

    @extend_schema(parameters=[PageParameters], responses=WaitOut(many=True))
    def list(self, request: Request) -> Response:
        """Newest first, also what is over."""
        rows = visible_to(WaitEntry.objects.filter(requested_by_id=self.actor.user_id), self.actor)
        return self.paged(rows.select_related("instrument__site").order_by("-created_at", "-pk"), wait_out)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: WaitOut})
    def create(self, request: Request) -> Response:
        """Wait for a time. When it is free it is kept for an hour, and I am told: nothing is booked without ``accept``."""
        wish = _wish(self.valid(request))
        return self.once(request, "wait.join", lambda: self._shown(waiting.join(self.actor, wish, self.now).pk), status=201)

    @extend_schema(parameters=[IDEMPOTENT], responses=WaitOut)
    def accept(self, request: Request, pk: str) -> Response:
        """Book what is offered, for the purpose and the facts of the national record that I gave last; ``reservation`` says which one."""
        asked = self.valid(request)
        paying = Paying(asked["fund_card"], asked["research_project"], expected_of(asked))

        def effect() -> dict[str, Any]:
            waiting.accept(self.actor, int(pk), self.now, paying)
            return self._shown(int(pk))

        return self.once(request, "wait.accept", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=WaitOut)
    def decline(self, request: Request, pk: str) -> Response:
        """Let the offer pass and wait on; the next one in the list is asked."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            waiting.decline(self.actor, int(pk), self.now)
            return self._shown(int(pk))

        return self.once(request, "wait.decline", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=WaitOut)
    def leave(self, request: Request, pk: str) -> Response:
        """Wait no longer."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            waiting.withdraw(self.actor, int(pk), self.now)
            return self._shown(int(pk))

        return self.once(request, "wait.leave", effect, status=200)

    def _shown(self, entry_id: int) -> dict[str, Any]:
        return wait_out(get_visible(WaitEntry.objects.select_related("instrument__site"), self.actor, pk=entry_id))


def _wish(asked: dict[str, Any]) -> Wish:
    """Raises Refusal ``booking.range_invalid``, ``booking.range_too_long``."""
    if asked["starts_at"] >= asked["ends_at"]:
        raise Refusal.of("booking.range_invalid", field="ends_at")
    window = TimeRange(asked["starts_at"], asked["ends_at"])
    require_length(window.duration)
    minutes = asked.get("minutes")
    whole = window.seconds // 60
    return Wish(asked["instrument"], asked["organisation"], window, whole if minutes is None else minutes, asked["service_mode"])
