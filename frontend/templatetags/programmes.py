"""Filters of the programme pages: ``{% load programmes %}``."""

from __future__ import annotations

from django import template

from billing import wording

register = template.Library()
register.filter("applicant_kind", wording.kind_word)
register.filter("firm_size", wording.size_word)
