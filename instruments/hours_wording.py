"""What audiences and statutory holidays are called, and why something is closed, in words (translated where they are shown)."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from instruments.rules.audience import Audience
from instruments.rules.opening import ClosedCause, WhyClosed

AUDIENCE_NAMES: dict[str, Promise | str] = {
    Audience.INSIDE: pgettext_lazy("customers", "the owner's own people"),
    Audience.ACADEMIC: pgettext_lazy("customers", "universities and institutes"),
    Audience.TEAM: pgettext_lazy("customers", "start-up teams"),
    Audience.FIRM: pgettext_lazy("customers", "firms"),
}
HOLIDAY_NAMES: dict[str, Promise | str] = {
    "new_years_day": pgettext_lazy("holiday", "New Year's Day"),
    "spring_festival": pgettext_lazy("holiday", "Spring Festival"),
    "tomb_sweeping_day": pgettext_lazy("holiday", "Tomb-sweeping Day"),
    "labour_day": pgettext_lazy("holiday", "Labour Day"),
    "dragon_boat_festival": pgettext_lazy("holiday", "Dragon Boat Festival"),
    "national_day": pgettext_lazy("holiday", "National Day"),
    "mid_autumn_festival": pgettext_lazy("holiday", "Mid-Autumn Festival"),
    "anti_fascist_70th_day": pgettext_lazy("holiday", "70th anniversary of victory"),
}


def audience_words(audiences: Iterable[str]) -> str:
    """The names of some audiences, in their usual order."""
    chosen = set(audiences)
    return pgettext("between customers", ", ").join(str(AUDIENCE_NAMES[each]) for each in Audience if each in chosen)


def holiday_words(code: str) -> str:
    """The name of a statutory holiday; one that has no name here is called a statutory holiday."""
    return str(HOLIDAY_NAMES.get(code, pgettext_lazy("holiday", "statutory holiday")))


def closed_words(why: WhyClosed) -> str:
    """Why it is closed, in a few words."""
    if why.cause is ClosedCause.OTHERS_ONLY:
        return _("Only for %(customers)s") % {"customers": audience_words(why.audiences)}
    if why.cause is ClosedCause.HOLIDAY:
        return holiday_words(why.name)
    if why.name:
        return _("Closed: %(why)s") % {"why": why.name}
    return _("Closed")
