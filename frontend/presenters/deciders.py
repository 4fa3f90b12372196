"""Who decides about what a manager of a lab asks for, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from booking.services.deciders import Deciders, reasons_against
from config.kernel.messages import reason_sentence

NAMED = 3


def decided_by(found: Deciders | None) -> str:
    """Who can; nothing where it is nobody in particular, or nobody at all."""
    if found is None or found.nobody:
        return ""
    names = {"names": ", ".join(found.names[:NAMED])}
    if found.managers:
        return _("Nobody decides about their own request. These can: %(names)s.") % names
    return _("No other manager is left, so the administrators of the institution decide: %(names)s.") % names


def decided_by_or_why_not(found: Deciders | None) -> str:
    """As ``decided_by``, and where nobody can, what to do."""
    return decided_by(found) or " ".join(reason_sentence(reason) for reason in reasons_against(found))
