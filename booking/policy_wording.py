"""A booking policy in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

_PERIODS = {
    ("day", False): gettext_lazy("A day"),
    ("week", False): gettext_lazy("A week"),
    ("month", False): gettext_lazy("A month"),
    ("year", False): gettext_lazy("A year"),
    ("ahead", False): gettext_lazy("Ahead"),
    ("day", True): gettext_lazy("In the peak hours of a day"),
    ("week", True): gettext_lazy("In the peak hours of a week"),
    ("month", True): gettext_lazy("In the peak hours of a month"),
    ("year", True): gettext_lazy("In the peak hours of a year"),
    ("ahead", True): gettext_lazy("In peak hours ahead"),
}


def period_words(value: Sequence[str | bool]) -> str:
    """The period of a quota: its name and whether it counts peak hours only."""
    period, peak_only = value
    return str(_PERIODS[str(period), bool(peak_only)])


_SUBJECTS = {
    "person": pgettext_lazy("quota", "one person"),
    "organisation": pgettext_lazy("quota", "one organisation"),
}


def subject_words(value: str) -> str:
    """Whose bookings or samples a quota counts together."""
    return str(_SUBJECTS[value])


#: The rules that the lab's own people may pass over (``booking.rules.standing.may_be_overridden``), in a word; quotas and measures by the
#: beginning of their codes.
RULE_NAMES: Mapping[str, Promise] = {
    "booking.too_soon": pgettext_lazy("a rule that was passed over", "notice"),
    "booking.beyond_horizon": pgettext_lazy("a rule that was passed over", "days ahead"),
    "booking.too_short": pgettext_lazy("a rule that was passed over", "shortest booking"),
    "booking.too_long": pgettext_lazy("a rule that was passed over", "longest booking"),
    "booking.off_grid": pgettext_lazy("a rule that was passed over", "steps of time"),
    "booking.end_off_grid": pgettext_lazy("a rule that was passed over", "steps of time"),
    "booking.cool_off": pgettext_lazy("a rule that was passed over", "time for others"),
    "booking.licence_needed": pgettext_lazy("a rule that was passed over", "licence"),
    "booking.assisted_licence_needed": pgettext_lazy("a rule that was passed over", "licence"),
    "booking.off_hours_assisted": pgettext_lazy("a rule that was passed over", "licence for off-hours"),
    "booking.off_hours_licence": pgettext_lazy("a rule that was passed over", "licence for off-hours"),
    "quota": pgettext_lazy("a rule that was passed over", "quota"),
    "measure": pgettext_lazy("a rule that was passed over", "measure against the customer"),
}
