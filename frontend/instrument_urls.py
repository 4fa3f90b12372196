"""The addresses of the instruments' pages."""

from __future__ import annotations

from django.urls import path

from frontend.views import instruments

urlpatterns = [
    path("instruments/", instruments.instrument_list, name="instrument_list"),
    path("instruments/new/", instruments.instrument_create, name="instrument_create"),
    path("instruments/<int:pk>/", instruments.instrument_detail, name="instrument_detail"),
    path("instruments/<int:pk>/export/<str:layout>", instruments.instrument_export, name="instrument_export"),
    path("instruments/<int:pk>/edit/", instruments.instrument_edit, name="instrument_edit"),
    path("instruments/<int:pk>/photo/", instruments.instrument_photo_set, name="instrument_photo_set"),
    path("instruments/<int:pk>/photo/<str:version>.webp", instruments.instrument_photo, name="instrument_photo"),
    path("instruments/<int:pk>/hours/", instruments.instrument_hours, name="instrument_hours"),
    path("instruments/<int:pk>/close/", instruments.instrument_close, name="instrument_close"),
    path("instruments/<int:pk>/closures/<int:entry>/take-back/", instruments.instrument_reopen, name="instrument_reopen"),
]
