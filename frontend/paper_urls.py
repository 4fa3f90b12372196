"""The addresses at which papers are checked; ``/verify/<code>/`` stands on every paper and never changes."""

from __future__ import annotations

from django.urls import path

from frontend.views import papers

urlpatterns = [
    path("verify/", papers.paper_check, name="paper_check"),
    path("verify/<str:code>/", papers.paper_verify, name="paper_verify"),
]
