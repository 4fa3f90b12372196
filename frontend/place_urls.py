"""The addresses of an owner's places."""

from __future__ import annotations

from django.urls import path

from frontend.views import places

urlpatterns = [
    path("organisations/<int:pk>/places/", places.place_list, name="place_list"),
    path("places/<int:pk>/", places.place_edit, name="place_edit"),
]
