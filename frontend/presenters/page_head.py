"""What search engines read of a public page: its one address, the same in other languages, and a summary."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.text import Truncator
from django.utils.translation import get_language

_SUMMARY_LENGTH = 160


def page_head(path: str, asked_language: str, summary: str, picture: str = "") -> dict[str, Any]:
    """The context of ``components/page_head.html``. ``path`` is the page's own, ``asked_language`` what its address says."""
    languages = [(code, f"{settings.PUBLIC_URL}{path}?{urlencode({'lang': code})}") for code, _name in settings.LANGUAGES]
    return {
        "page_address": dict(languages).get(asked_language, settings.PUBLIC_URL + path),
        "plain_address": settings.PUBLIC_URL + path,
        "languages": [(_tag(code), address) for code, address in languages],
        "page_locale": "zh_CN" if get_language() == "zh-hans" else "en_GB",
        "page_summary": Truncator(" ".join(summary.split())).chars(_SUMMARY_LENGTH),
        "page_picture": picture,
    }


def _tag(code: str) -> str:
    return "zh-Hans" if code == "zh-hans" else code
