"""Every address under /api/v1/. Each app adds its own through ``<app>/api/routes.py``."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.routers import SimpleRouter

from billing.api import routes as billing_routes
from billing.api.shapes import figures_of
from booking.api import routes as booking_routes
from booking.api import usage as usage_routes
from config.kernel.api import problems
from instruments.api import routes as instruments_routes

router = SimpleRouter()
instruments_routes.register_people(router)
booking_routes.register_training(router)
billing_routes.register_cards(router)

urlpatterns = [
    path("schema/", cache_page(3600, cache="memory")(SpectacularJSONAPIView.as_view(permission_classes=[])), name="api_schema"),
    *instruments_routes.single,
    *booking_routes.urlpatterns(figures_of),
    *usage_routes.urlpatterns,
    *billing_routes.urlpatterns,
    path("", include(router.urls)),
    re_path(r"^(?P<path>.*)$", problems.not_found, name="api_unknown"),
]
