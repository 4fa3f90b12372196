"""Words for roles, kinds, identifiers and regions: ``{% load people %}``."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.translation import get_language

from billing.wording import several
from instruments.queries.divisions import division_name
from instruments.wording import KIND_NAMES, OWNER_CLASS_NAMES, SCHEME_NAMES, SCOPE_NAMES, role_name

register = template.Library()


@register.filter
def role_word(role: str) -> str:
    """``{{ membership.role|role_word }}``"""
    return role_name(role)


@register.filter
def role_words(roles: Iterable[str]) -> str:
    """``{{ member.roles|role_words }}``: all of them, with commas."""
    return several(role_name(role) for role in roles)


@register.filter
def kind_word(kind: str) -> str:
    """``{{ organisation.kind|kind_word }}``"""
    return str(KIND_NAMES.get(kind, kind))


@register.filter
def owner_class_word(owner_class: str) -> str:
    return str(OWNER_CLASS_NAMES.get(owner_class, owner_class))


@register.filter
def scheme_word(scheme: str) -> str:
    """``{{ identifier.scheme|scheme_word }}``"""
    return str(SCHEME_NAMES.get(scheme, scheme))


@register.filter
def scope_word(scope: str) -> str:
    """``{{ scope|scope_word }}``: what a token with this scope may do."""
    return str(SCOPE_NAMES.get(scope, scope))


@register.filter
def region_word(code: str) -> str:
    """``{{ organisation.region_code|region_word }}``: the name where we have one, with the code."""
    name = division_name(code, "en" if (get_language() or "").startswith("en") else "zh")
    return f"{name} ({code})" if name else code
