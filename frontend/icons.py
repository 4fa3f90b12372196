"""Icons, written inline so that they take the text's colour. The front-end build makes the file from ``assets/icons.txt``."""

from __future__ import annotations

import json
from functools import cache

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


@cache
def _bodies() -> dict[str, str]:
    bodies: dict[str, str] = json.loads((settings.BASE_DIR / "frontend" / "dist" / "icons.json").read_text(encoding="utf-8"))
    return bodies


def icon_svg(name: str, classes: str = "") -> SafeString:
    """The decorative icon (hidden from screen readers). Raises KeyError when ``assets/icons.txt`` does not list it."""
    return format_html(
        '<svg class="icon {}" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        classes,
        mark_safe(_bodies()[name]),  # noqa: S308 (our own build's output)
    )
