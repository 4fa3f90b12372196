"""Giving a paper its code, and drawing the code into a PDF."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import segno
from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from billing.papers.models import PaperCode
from billing.papers.rules.codes import RANDOM_BYTES, code_of, shown

Content = Mapping[str, Any]
#: Where a content says how it is checked; contents frozen before there were codes have no such key, and their papers keep their bytes.
KEY = "verify"


def with_code(content: Content) -> dict[str, Any]:
    """A content with a new code and the address at which it is checked, to be frozen with everything else."""
    code = code_of(secrets.token_bytes(RANDOM_BYTES))
    return {**content, KEY: {"code": code, "url": settings.PUBLIC_URL + reverse("paper_verify", args=[code])}}


def register(kind: str, document_id: int, content: Content, now: datetime) -> PaperCode:
    """Remember which document bears the code of its content; part of the transaction that issues it."""
    return PaperCode.objects.create(code=content[KEY]["code"], kind=kind, document_id=document_id, created_at=now)


def shown_code(content: Content) -> str:
    """The code as it is printed; empty for a paper that was issued without one."""
    return shown(content[KEY]["code"]) if KEY in content else ""


def check_mark(content: Content) -> dict[str, str | SafeString]:
    """What the template prints of the code: ``svg`` (the QR code), ``code``, ``url``; empty for a paper that was issued without one."""
    if KEY not in content:
        return {}
    url = content[KEY]["url"]
    drawn = segno.make(url, error="m", micro=False).svg_inline(scale=1, border=2, omitsize=True, svgclass=None, lineclass=None)
    return {
        "svg": mark_safe(drawn),  # noqa: S308  (drawn by segno from an address of our own)
        "code": shown_code(content),
        "url": url,
    }
