"""News about requests for resources, told in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from config.kernel.access import Role
from instruments.models import ResourceRequest
from instruments.services.notices import News, holders, person, settle
from instruments.services.notices import tell as tell_people

#: News for the owner's lab managers; everything else is for the person who asked.
_TO_OWNER = frozenset({"requested", "withdrawn", "closed"})


def tell(request: ResourceRequest, now: datetime) -> None:
    """Tell of the state that the request came into."""
    owner = request.resource.organisation_id
    params = {
        "organisation": request.organisation.name,
        "organisation_en": request.organisation.name_en,
        "resource": request.resource.name,
        "resource_en": request.resource.name_en,
        "purpose": request.purpose,
        "reason": request.reason,
        "note": request.delivery_note,
        "rating": request.rating,
        "feedback": request.feedback,
    }
    news = News(
        f"resource_request.{request.state}",
        params,
        reverse("resource_request_detail", args=[request.pk]),
        request,
        owner,
        webhooks=dict.fromkeys({owner, request.organisation_id}, _heard(request)),
    )
    settle(request, ["resource_request.requested"], now)
    tell_people(news, _readers(request), now)


def _readers(request: ResourceRequest) -> Q:
    if request.state not in _TO_OWNER:
        return person(request.requested_by_id)
    return holders(Role.LAB_MANAGER, request.resource.organisation_id)


def _heard(request: ResourceRequest) -> dict[str, Any]:
    """What webhooks hear: both sides may see all of it."""
    return {
        "resource_request": request.pk,
        "state": request.state,
        "resource": {"id": request.resource_id, "name": request.resource.name, "kind": request.resource.kind},
        "customer": {"id": request.organisation_id, "name": request.organisation.name},
    }
