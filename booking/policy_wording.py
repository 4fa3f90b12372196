"""A booking policy in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

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
