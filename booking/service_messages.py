"""The sentences for refusals about what the national service record asks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "service.direction_unknown": _("Choose what it is for: %(known)s."),
        "service.fund_source_unknown": _("Choose the source of funds from the list; known codes: %(known)s."),
    }
)
