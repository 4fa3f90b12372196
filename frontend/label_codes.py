"""Codes for cameras, drawn into the page itself."""

from __future__ import annotations

import segno
from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe


def code_svg(url_name: str, *arguments: str) -> SafeString:
    """A QR code that leads to a page of ours, as SVG for the page."""
    address = settings.PUBLIC_URL + reverse(url_name, args=arguments)
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        scale=1, border=2, omitsize=True, svgclass="qr", lineclass=None
    )
    return mark_safe(drawn)  # noqa: S308  (drawn by segno from an address of our own)
