"""Words for levels, credit events and scopes in templates."""

from __future__ import annotations

from django import template

from booking import training_wording
from booking.models import CourseScope, Licence

register = template.Library()


@register.filter
def level_word(level: str) -> str:
    return training_wording.level_name(level)


@register.filter
def event_word(kind: str) -> str:
    return training_wording.event_name(kind)


@register.filter
def scope_word(row: Licence | CourseScope) -> str:
    return training_wording.licence_scope(row)


@register.filter
def signed(points: int) -> str:
    """With its sign; a minus is a minus."""
    return f"+{points}" if points > 0 else f"\N{MINUS SIGN}{-points}" if points < 0 else "0"


@register.filter
def free_places(session: object) -> int:
    """How many places of a counted course session are left."""
    return max(0, getattr(session, "places", 0) - getattr(session, "taken", 0))


@register.filter
def lookup(mapping: dict[object, object], key: object) -> object:
    """What a mapping holds for a key; None for nothing."""
    return mapping.get(key)
