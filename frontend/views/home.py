"""The first page: for visitors what this is, for people who are logged in what comes next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.http import actor_of
from frontend.views.help import EXAMPLE


def home(request: HttpRequest) -> HttpResponse:
    """Search for everybody; below it the platform in three points, or the person's own next steps."""
    actor = actor_of(request)
    if actor.is_anonymous:
        return render(request, "pages/home_visitor.html", {"example": EXAMPLE})
    return render(request, "pages/home_person.html", {})
