"""The addresses of the instruments' pages."""

from __future__ import annotations

from django.urls import path

from frontend.views import facilities, hours, instrument_page, instruments, policies

urlpatterns = [
    path("instruments/new/", instruments.instrument_create, name="instrument_create"),
    path("instruments/<int:pk>/", instrument_page.instrument_detail, name="instrument_detail"),
    path("instruments/<int:pk>/export/<str:layout>", instrument_page.instrument_export, name="instrument_export"),
    path("instruments/<int:pk>/edit/", instruments.instrument_edit, name="instrument_edit"),
    path("instruments/<int:pk>/facility/end/", facilities.facility_ending, name="facility_ending"),
    path("instruments/<int:pk>/photo/", instruments.instrument_photo_set, name="instrument_photo_set"),
    path("instruments/<int:pk>/photo/<str:version>.webp", instrument_page.instrument_photo, name="instrument_photo"),
    path("instruments/<int:pk>/booking-rules/", policies.instrument_policy, name="instrument_policy"),
    path("instruments/<int:pk>/hours/", hours.instrument_hours, name="instrument_hours"),
    path("instruments/<int:pk>/hours/season/", hours.instrument_season, name="instrument_season"),
    path("instruments/<int:pk>/hours/customers/", hours.instrument_customers, name="instrument_customers"),
    path("instruments/<int:pk>/hours/exception/", hours.instrument_exception, name="instrument_exception"),
    path("instruments/<int:pk>/hours/holidays/", hours.instrument_holidays, name="instrument_holidays"),
    path("instruments/<int:pk>/hours/<int:entry>/", hours.instrument_occurrences, name="instrument_occurrences"),
    path("instruments/<int:pk>/close/", hours.instrument_close, name="instrument_close"),
    path("instruments/<int:pk>/closures/<int:entry>/take-back/", hours.instrument_reopen, name="instrument_reopen"),
    path("instruments/<int:pk>/closures/<int:entry>/bring-back/", hours.instrument_bring_back, name="instrument_bring_back"),
]
