"""The addresses at which papers are checked and people erased; ``/verify/<code>/`` stands on every paper and never changes."""

from __future__ import annotations

from django.urls import path

from frontend.views import erasing, papers

urlpatterns = [
    path("people/erase/", erasing.person_erase, name="person_erase"),
    path("verify/", papers.paper_check, name="paper_check"),
    path("verify/<str:code>/", papers.paper_verify, name="paper_verify"),
]
