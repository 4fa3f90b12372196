"""The addresses at which papers are checked and people erased; ``/verify/<code>/`` stands on every paper and never changes."""

from __future__ import annotations

from django.urls import path

from frontend.views import erasing, keeping_people, papers

urlpatterns = [
    path("people/erase/", erasing.person_erase, name="person_erase"),
    path("people/mentions/", keeping_people.person_mentions, name="person_mentions"),
    path("people/retention/", keeping_people.person_retention, name="person_retention"),
    path("verify/", papers.paper_check, name="paper_check"),
    path("verify/<str:code>/", papers.paper_verify, name="paper_verify"),
]
