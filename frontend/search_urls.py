"""The addresses of finding."""

from __future__ import annotations

from django.urls import path

from frontend.views import open_data, saved_searches, search

urlpatterns = [
    path("search/", search.search, name="search"),
    path("search/suggest/", search.search_suggest, name="search_suggest"),
    path("searches/", saved_searches.saved_search_list, name="saved_search_list"),
    path("searches/save/", saved_searches.saved_search_create, name="saved_search_create"),
    path("searches/<int:pk>/", saved_searches.saved_search_change, name="saved_search_change"),
    path("searches/<int:pk>/delete/", saved_searches.saved_search_delete, name="saved_search_delete"),
    path("searches/unsubscribe/<str:token>/", saved_searches.saved_search_unsubscribe, name="saved_search_unsubscribe"),
    path("compare/", search.compare, name="compare"),
    path("open-data/", open_data.open_data, name="open_data"),
    path("instruments/", search.instrument_list, name="instrument_list"),
]
