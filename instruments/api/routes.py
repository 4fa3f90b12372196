"""The addresses of people, organisations and instruments under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path
from rest_framework.routers import BaseRouter

from instruments.api import catalogue, instruments, notices, open_data, people, resources


def register_people(router: BaseRouter) -> None:
    """Add the viewsets to ``router``."""
    router.register("catalogue", catalogue.CatalogueView, basename="api_catalogue")
    router.register("instruments", instruments.InstrumentView, basename="api_instrument")
    router.register("notices", notices.NoticeView, basename="api_notice")
    router.register("resources", resources.ResourceView, basename="api_resource")
    router.register("resource-requests", resources.ResourceRequestView, basename="api_resource_request")
    router.register("organisations", people.OrganisationView, basename="api_organisation")
    router.register("invitations", people.InvitationView, basename="api_invitation")
    router.register("join-requests", people.JoinRequestView, basename="api_join_request")
    router.register("verification-requests", people.VerificationView, basename="api_verification")
    router.register("tokens", people.TokenView, basename="api_token")


single: list[URLPattern] = [
    path("me/", people.MeView.as_view({"get": "retrieve", "patch": "partial_update"}), name="api_me"),
    re_path(
        r"^open-data/instruments\.(?P<layout>[a-z.]{3,20})$",
        open_data.OpenDataView.as_view({"get": "download"}),
        name="api_open_data",
    ),
]
