"""Why an instrument is out of service, and what became of a booking, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.rules.downtime import Became, Choice, DowntimeKind

KIND_NAMES: Mapping[str, Promise] = {
    DowntimeKind.BREAKDOWN.value: _("Broken, from now on"),
    DowntimeKind.CALIBRATION.value: _("Calibration"),
    DowntimeKind.SERVICE.value: _("Maintenance or service"),
    DowntimeKind.CONSUMABLES.value: _("Change of consumables"),
    DowntimeKind.OTHER.value: _("Other work"),
}
CHOICE_NAMES: Mapping[str, Promise] = {
    Choice.KEEP.value: _("Keeps its place and waits"),
    Choice.OFFER.value: _("Offer other times"),
    Choice.ANOTHER.value: _("Offer another instrument"),
    Choice.CANCEL.value: _("Cancel on our side, at no cost"),
}
BECAME_NAMES: Mapping[str, Promise] = {
    Became.KEPT.value: pgettext_lazy("booking in an outage", "keeps its place"),
    Became.OFFERED.value: pgettext_lazy("booking in an outage", "another time or instrument offered"),
    Became.CANCELLED.value: pgettext_lazy("booking in an outage", "cancelled, nothing to pay"),
    Became.ENDED.value: pgettext_lazy("booking in an outage", "session ended by the fault"),
    Became.FAILED.value: pgettext_lazy("booking in an outage", "nothing done"),
}
