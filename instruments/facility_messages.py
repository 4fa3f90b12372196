"""The sentences for refusals about large facilities."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "facility.none": _("This is a plain instrument already, no large facility. There is nothing to take off it."),
        "facility.changed_meanwhile": _("It was changed since you looked. Look again at what would go, then confirm."),
    }
)
