"""The first page: for visitors what this is, for people who are logged in what comes next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.kernel.access import Actor, Role
from frontend.display import platform_zone
from frontend.http import actor_of
from frontend.presenters import home as facts
from frontend.views.help import EXAMPLE


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Search for everybody; below it the platform in three points, or the person's own next steps."""
    actor = actor_of(request)
    return _for_visitors(request, actor) if actor.is_anonymous else _for_people(request, actor)


def _for_visitors(request: HttpRequest, actor: Actor) -> HttpResponse:
    now = timezone.now()
    today = now.astimezone(platform_zone()).date()
    context = {
        "example": EXAMPLE,
        "classes": facts.popular_classes(actor, now),
        "programmes": facts.programme_cards(actor, today),
    }
    return render(request, "pages/home_visitor.html", context)


def _for_people(request: HttpRequest, actor: Actor) -> HttpResponse:
    now = timezone.now()
    context = {
        "classes": facts.popular_classes(actor, now),
        "tiles": facts.tiles(actor, now),
        "advices": facts.advices(actor),
        "belongs": bool(actor.grants),
        "manages": actor.has(Role.LAB_MANAGER),
        "sessions": facts.next_sessions(actor, now),
        "lab_sessions": list(facts.lab_sessions(actor, now)) if actor.has(Role.LAB_MANAGER) else [],
        "programmes": facts.programme_cards(actor, now.astimezone(platform_zone()).date()),
    }
    return render(request, "pages/home_person.html", context)
