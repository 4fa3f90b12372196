"""Every address of the platform."""

from django.urls import include, path

from billing.api.provider_events import stripe_event
from config.health import healthz
from config.kernel.admin import show_scoped, site

show_scoped()
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("api/v1/", include("config.api_urls")),
    path("payments/events/stripe", stripe_event, name="stripe_event"),
    path("admin/", site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("frontend.urls")),
]

handler400 = "frontend.views.errors.bad_request"
handler403 = "frontend.views.errors.permission_denied"
handler404 = "frontend.views.errors.not_found"
handler500 = "frontend.views.errors.server_error"
