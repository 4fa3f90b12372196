"""What the states of sample jobs and samples are called."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

Word = str | Promise

JOB_STATES: Mapping[str, Word] = {
    "asked": pgettext_lazy("state of a sample job", "Asked"),
    "accepted": pgettext_lazy("state of a sample job", "Accepted, samples on their way"),
    "received": pgettext_lazy("state of a sample job", "Samples received"),
    "preparing": pgettext_lazy("state of a sample job", "In preparation"),
    "tested": pgettext_lazy("state of a sample job", "Tested, report to come"),
    "reported": pgettext_lazy("state of a sample job", "Report is there"),
    "closed": pgettext_lazy("state of a sample job", "Closed"),
    "refused": pgettext_lazy("state of a sample job", "Not accepted"),
    "cancelled": pgettext_lazy("state of a sample job", "Cancelled"),
    "failed": pgettext_lazy("state of a sample job", "No sample could be tested"),
}
SAMPLE_STATES: Mapping[str, Word] = {
    "expected": pgettext_lazy("state of a sample", "Expected"),
    "received": pgettext_lazy("state of a sample", "Received"),
    "prepared": pgettext_lazy("state of a sample", "Prepared"),
    "tested": pgettext_lazy("state of a sample", "Tested"),
    "unfit": pgettext_lazy("state of a sample", "Unfit"),
    "lost": pgettext_lazy("state of a sample", "Lost"),
}
STEPS: Mapping[str, Word] = {
    "receive": pgettext_lazy("step of a sample", "Received"),
    "prepare": pgettext_lazy("step of a sample", "Prepared"),
    "test": pgettext_lazy("step of a sample", "Tested"),
    "find_unfit": pgettext_lazy("step of a sample", "Unfit"),
    "lose": pgettext_lazy("step of a sample", "Lost"),
    "take_back": pgettext_lazy("step of a sample", "Last step taken back"),
}
REMAINS: Mapping[str, Word] = {
    "with_lab": pgettext_lazy("remains of a sample", "At the lab"),
    "kept": pgettext_lazy("remains of a sample", "Kept"),
    "returned": pgettext_lazy("remains of a sample", "Returned"),
    "discarded": pgettext_lazy("remains of a sample", "Discarded"),
}
WISHES: Mapping[str, Word] = {
    "return": pgettext_lazy("wish for the remains", "Send back what is left"),
    "discard": pgettext_lazy("wish for the remains", "Discard what is left"),
    "keep": pgettext_lazy("wish for the remains", "Keep what is left for a while"),
}
EXTRA_KINDS: Mapping[str, Word] = {
    "extra": pgettext_lazy("kind of extra charge", "More work"),
    "retest": pgettext_lazy("kind of extra charge", "Test again"),
}
EXTRA_STATES: Mapping[str, Word] = {
    "proposed": pgettext_lazy("state of an extra charge", "Waits for the customer"),
    "agreed": pgettext_lazy("state of an extra charge", "Agreed"),
    "declined": pgettext_lazy("state of an extra charge", "Declined"),
    "withdrawn": pgettext_lazy("state of an extra charge", "Withdrawn"),
}
DIRECTIONS: Mapping[str, Word] = {
    "to_lab": pgettext_lazy("direction of a parcel", "To the lab"),
    "back": pgettext_lazy("direction of a parcel", "Back to the customer"),
}
