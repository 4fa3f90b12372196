"""The inbox of sample jobs in words: what a request warns of, how long it waits, and what its form says that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.settlement.sample_figures import SampleFigures
from booking.models import SampleJob
from booking.queries.sample_inbox import PendingJob
from booking.rules.deciding import Risk, SampleRisk
from frontend.presenters.inbox import CHIPS, Chip, length_words
from instruments.models import Organisation, Resource

_CHIPS: dict[SampleRisk, tuple[str, str, Promise]] = {
    SampleRisk.SUSPENDED: CHIPS[Risk.SUSPENDED],
    SampleRisk.LEFT: CHIPS[Risk.LEFT],
    SampleRisk.HAZARDS: ("bad", "alert-triangle", gettext_lazy("Hazards")),
    SampleRisk.DAY_PASSED: ("wait", "calendar", gettext_lazy("Day of arrival has passed")),
    SampleRisk.UNVERIFIED: CHIPS[Risk.UNVERIFIED],
    SampleRisk.FIRST_TIME: CHIPS[Risk.FIRST_TIME],
}


@dataclass(frozen=True, slots=True)
class JobRow:
    """A request of the list. ``age`` is how long it waits, in words; ``checked``: chosen for deciding several at once."""

    pending: PendingJob
    figures: SampleFigures | None
    age: str
    chips: tuple[Chip, ...]
    selected: bool
    checked: bool

    @property
    def job(self) -> SampleJob:
        return self.pending.job

    @property
    def pk(self) -> int:
        return self.job.pk

    @property
    def reference(self) -> str:
        return self.job.reference

    @property
    def customer(self) -> Organisation:
        return self.job.organisation

    @property
    def what(self) -> Resource:
        """What is asked for."""
        return self.job.resource

    @property
    def own(self) -> bool:
        return self.pending.own

    @property
    def waits_for_customer(self) -> bool:
        return self.figures is not None and self.figures.waits

    @property
    def seen(self) -> str:
        """The promised day and the figures that are looked at, as a form sends them (``views.sample_inbox``). A day that has to be worked
        out anew is not said."""
        anew = SampleRisk.DAY_PASSED in self.pending.risks
        day = "" if anew or self.job.promised_on is None else self.job.promised_on.isoformat()
        figures = self.figures
        return f"{day}/{figures.payable_now_fen}/{figures.final_cost_fen}" if figures is not None else f"{day}//"


def row_of(
    pending: PendingJob, figures: SampleFigures | None, opened_id: int | None, checked: Iterable[int], now: datetime
) -> JobRow:
    """A request as the list shows it."""
    chips = [Chip(tone, icon, str(words)) for tone, icon, words in (_CHIPS[risk] for risk in pending.risks)]
    if figures is not None and figures.waits:
        chips.insert(0, Chip("wait", "hourglass", _("Customer is asked")))
    if pending.questioned:
        chips.insert(0, Chip("wait", "hourglass", _("Customer's answer awaited")))
    if pending.overdue:
        chips.insert(0, Chip("bad", "clock", _("Overdue")))
    if pending.own:
        chips.append(Chip("", "user", _("Your own")))
    pk = pending.job.pk
    minutes = max(0, int((now - pending.since).total_seconds()) // 60)
    return JobRow(pending, figures, length_words(minutes), tuple(chips), pk == opened_id, pk in set(checked))
