"""The addresses of finding."""

from __future__ import annotations

from django.urls import path

from frontend.views import search

urlpatterns = [
    path("search/", search.search, name="search"),
    path("compare/", search.compare, name="compare"),
    path("instruments/", search.instrument_list, name="instrument_list"),
]
