"""The sentences about erasing a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "person.reason": _("Write why the person is erased: what they asked for, and when."),
        "person.yourself": _("Nobody erases themselves. Ask another operator."),
        "person.has_memberships": _("The person still has roles in organisations. Take these away first, then erase."),
        "person.objection_open": _("This objection is not answered yet. The office answers it first."),
        "person.name_short": _("Type the name as it was: at least %(least)s signs."),
        "person.type_again": _("Type the same address again. Erasing cannot be undone."),
    }
)
