"""The addresses of people, organisations and instruments under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path
from rest_framework.routers import BaseRouter

from config.kernel.api.routes import ID
from instruments.api import catalogue, facilities, groups, instruments, notices, open_data, people, places, resources


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
    router.register("research-groups", groups.GroupView, basename="api_research_group")
    router.register("tokens", people.TokenView, basename="api_token")


single: list[URLPattern] = [
    re_path(
        rf"^instruments/{ID}/facility/$",
        facilities.FacilityView.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="api_instrument_facility",
    ),
    re_path(
        rf"^instruments/{ID}/facility/end/$",
        facilities.FacilityView.as_view({"post": "end"}),
        name="api_instrument_facility_end",
    ),
    re_path(
        rf"^organisations/{ID}/research-groups/$",
        groups.GroupView.as_view({"post": "found"}),
        name="api_organisation_groups",
    ),
    re_path(
        rf"^organisations/{ID}/spending-rules/$",
        groups.SpendingRulesView.as_view({"get": "retrieve", "put": "update"}),
        name="api_spending_rules",
    ),
    re_path(
        rf"^organisations/{ID}/places/$",
        places.PlaceView.as_view({"get": "list"}),
        name="api_places",
    ),
    re_path(
        rf"^places/{ID}/$",
        places.PlaceView.as_view({"get": "retrieve", "put": "update"}),
        name="api_place",
    ),
    path("me/", people.MeView.as_view({"get": "retrieve", "patch": "partial_update"}), name="api_me"),
    re_path(
        r"^open-data/instruments\.(?P<layout>[a-z.]{3,20})$",
        open_data.OpenDataView.as_view({"get": "download"}),
        name="api_open_data",
    ),
    re_path(
        r"^open-data/catalogue\.jsonld$", open_data.OpenCatalogueView.as_view({"get": "retrieve"}), name="api_open_catalogue"
    ),
    re_path(
        r"^open-data/(?P<name>[a-z-]{3,20})\.(?P<layout>[a-z]{3,5})$",
        open_data.OpenResourcesView.as_view({"get": "download"}),
        name="api_open_resources",
    ),
]
