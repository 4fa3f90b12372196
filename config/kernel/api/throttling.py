"""A rate per person and token, counted in each server process's memory.

The count is per process: with N processes a caller may reach N times the rate. That is enough to stop a runaway script without
adding writes to the booking path; log-in limits are exact and live in the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # the views import this module through their settings
    from rest_framework.views import APIView


class PerActorThrottle(SimpleRateThrottle):
    scope = "actor"
    cache = caches["memory"]

    def get_cache_key(self, request: Request, view: APIView) -> str:
        user = request.user
        ident = f"user:{user.pk}" if user.is_authenticated else f"ip:{self.get_ident(request)}"
        return f"throttle:{ident}"


class AddressThrottle(SimpleRateThrottle):
    """Counted by address, for what needs no log-in. Asked with Django's own request, outside the API."""

    cache = caches["memory"]

    def get_cache_key(self, request: Request, view: object) -> str:
        return f"throttle:{self.scope}:{self.get_ident(request)}"


class FeedThrottle(AddressThrottle):
    """Calendars that programs read."""

    scope = "feed"


class ObjectionThrottle(AddressThrottle):
    """What anybody says against a claim that is public."""

    scope = "objection"


class PaperThrottle(AddressThrottle):
    """Checks of papers."""

    scope = "paper"
