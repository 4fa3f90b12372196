"""The sentences for refusals about what the national service record asks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "service.direction_unknown": _("Choose what it is for: %(known)s."),
        "service.kind_unknown": _("Choose the kind of service: %(known)s."),
        "service.settlement_unreadable": _("Choose one of the ways of settlement that are offered."),
        "service.rate_unreadable": _(
            "Give the rate as a number from 0 to 1 (on pages from 0 to 100 %%), with at most six decimals."
        ),
        "service.answers_unreadable": _(
            "Give each answer by the name of its fact, as the quote names it, in at most 60 characters."
        ),
        "service.fund_source_unknown": _("Choose the source of funds from the list; known codes: %(known)s."),
    }
)
