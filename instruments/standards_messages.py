"""The sentences for refusals about code lists, policy zones, and what is exchanged with other systems."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register, register_formatter
from instruments.field_wording import choice_name

register(
    {
        "codes.scheme_unknown": _("There is no code list of this name. Choose one of: %(known)s."),
        "codes.layout_unknown": _("The first line must name the columns %(needed)s; it has %(found)s."),
        "codes.no_rows": _("No row of the file gives a code. Is it the right file for this list?"),
        "codes.broken": _("The file breaks off at line %(line)s: a quotation mark is not closed, or a cell is too long."),
        "codes.too_many": _("The file has more than %(maximum)s codes. Is it the right file?"),
        "codes.older_list": _("A list that holds from %(newest_on)s is there already. Give a day that is not before it."),
        "codes.no_code": _("This line gives no code of the list, so it is left out."),
        "codes.repeated": _("The code stands on an earlier line already, which counts."),
        "codes.reason_needed": _("Say why the list is taken back."),
        "codes.newer_list": _("Only the list that was taken in last can be taken back. Load the page again."),
        "codes.named": _(
            "Records, or rules, courses or licences of labs, name codes of it (%(count)s), which would lose their names: %(shown)s. "
            "Give those other codes first."
        ),
        "codes.division_unknown": _(
            "There is no division %(text)s. Use its six-digit code, or its names as the list writes them."
        ),
        "codes.division_ended": _("Division %(code)s (%(name)s) ended in %(year)s. Use the one that holds there today."),
        "codes.division_replaced": _(
            "Division %(code)s (%(name)s) ended in %(year)s, and %(new_code)s (%(new_name)s) took its place. Use that one."
        ),
        "centre.area": _("%(text)s is no area. Type square metres, like 1250.5."),
        "centre.number_taken": _(
            "A centre with the number %(number)s is there already. Change that one, or give another number."
        ),
        "import.kind_unknown": _("Choose what the file holds."),
        "import.layout_unknown": _("Choose how the file is written."),
        "import.mapping_unknown": _("This mapping does not exist any more. Choose another one."),
        "import.mapping_name_taken": _(
            "“%(name)s” is a mapping for lists of another kind, which would be lost. Choose another name."
        ),
        "import.mapping_name_in_use": _("There is a mapping called %(name)s already. Choose another name."),
        "import.option_not_here": _("A file of this kind cannot be told this. Leave it empty."),
        "import.choice_twice": _("%(choice_name)s is chosen for more than one column, or is no field. Choose it once."),
        "import.gave_up": _(
            "The platform could not finish this file; nothing was written. Hand it in again, or tell the operator."
        ),
        "import.undo_gave_up": _(
            "The platform could not take this import back; everything stays as it is. Try again, or tell the operator."
        ),
        "import.state_changed": _("This import has moved on since the page was loaded. Load the page again."),
        "import.in_hand": _("The platform is still at work on this import. Wait until it is done."),
        "import.rows_refused": _(
            "%(refused)s rows are refused, so nothing can be written. Mend them in the file and hand it in again."
        ),
        "zone.slug_invalid": _(
            "A short name has small letters, digits and hyphens between them, %(maximum)s characters at most."
        ),
        "zone.slug_taken": _("There is a zone with the short name %(slug)s already. Choose another."),
        "zone.name_needed": _("Give the zone a name."),
        "zone.ends_before_it_begins": _("The zone must end after it begins."),
    }
)
register_formatter("choice_name", choice_name)
