"""Every address under /api/v1/. Each app adds its own through ``<app>/api/routes.py``."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.routers import SimpleRouter

from instruments.api import routes as instruments_routes

router = SimpleRouter()
instruments_routes.register_people(router)

urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(permission_classes=[]), name="api_schema"),
    *instruments_routes.single,
    path("", include(router.urls)),
]
