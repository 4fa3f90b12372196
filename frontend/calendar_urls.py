"""The addresses of calendars: files of closures, subscribed calendars, and feeds for people's own calendar programs."""

from __future__ import annotations

from django.urls import path

from frontend.views import calendar_sharing, closure_imports, feeds, subscriptions

urlpatterns = [
    path("instruments/<int:pk>/closures/import/", closure_imports.closure_import_create, name="instrument_closure_import"),
    path("closure-imports/<int:pk>/", closure_imports.closure_import_detail, name="closure_import_detail"),
    path("closure-imports/<int:pk>/report.csv", closure_imports.closure_import_report, name="closure_import_report"),
    path("instruments/<int:pk>/calendars/", subscriptions.subscription_list, name="instrument_calendars"),
    path("instruments/<int:pk>/sharing/", calendar_sharing.instrument_sharing, name="instrument_sharing"),
    path("instruments/<int:pk>/sharing/end/", calendar_sharing.instrument_sharing_end, name="instrument_sharing_end"),
    path("subscriptions/<int:pk>/refresh/", subscriptions.subscription_refresh, name="subscription_refresh"),
    path("subscriptions/<int:pk>/switch/", subscriptions.subscription_switch, name="subscription_switch"),
    path("subscriptions/<int:pk>/remove/", subscriptions.subscription_remove, name="subscription_remove"),
    path("instruments/<int:pk>/busy.ics", feeds.instrument_busy, name="instrument_busy"),
    path("feeds/", feeds.feed_list, name="feed_list"),
    path("feeds/new/", feeds.feed_create, name="feed_create"),
    path("feeds/<int:pk>/revoke/", feeds.feed_revoke, name="feed_revoke"),
    path("feeds/<str:token>.ics", feeds.feed_private, name="feed_private"),
]
