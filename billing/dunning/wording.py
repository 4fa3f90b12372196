"""What the steps of dunning are called."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from billing.dunning.rules.steps import Step

STEPS: Mapping[Step, Promise | str] = {
    Step.BEFORE: pgettext_lazy("step of dunning", "Due soon"),
    Step.FIRST: pgettext_lazy("step of dunning", "First reminder"),
    Step.SECOND: pgettext_lazy("step of dunning", "Second reminder"),
    Step.BLOCK: pgettext_lazy("step of dunning", "No new bookings"),
}
