"""The sentences for refusals about code lists, policy zones, and what is exchanged with other systems."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "codes.scheme_unknown": _("There is no code list of this name. Choose one of: %(known)s."),
        "codes.layout_unknown": _("The first line must name the columns %(needed)s; it has %(found)s."),
        "codes.no_rows": _("No row of the file gives a code. Is it the right file for this list?"),
        "codes.broken": _("The file breaks off at line %(line)s: a quotation mark is not closed, or a cell is too long."),
        "codes.too_many": _("The file has more than %(maximum)s codes. Is it the right file?"),
        "codes.older_list": _("A list that holds from %(newest_on)s is there already. Give a day that is not before it."),
        "codes.division_unknown": _(
            "There is no division %(text)s. Use its six-digit code, or its names as the list writes them."
        ),
        "zone.slug_invalid": _(
            "A short name has small letters, digits and hyphens between them, %(maximum)s characters at most."
        ),
        "zone.slug_taken": _("There is a zone with the short name %(slug)s already. Choose another."),
        "zone.name_needed": _("Give the zone a name."),
        "zone.ends_before_it_begins": _("The zone must end after it begins."),
    }
)
