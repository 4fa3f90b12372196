"""The inbox in words: what a request warns of, how long it waits, what else happens on its day, and what can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.settlement.reservation_figures import Figures
from booking import queries
from booking.models import Occupancy, OccupancySource, Reservation
from booking.queries.inbox import Pending
from booking.rules.deciding import Risk
from booking.services import decision_rows
from config.kernel.access import Actor
from config.kernel.messages import duration_words
from config.kernel.time_range import TimeRange
from frontend import display
from instruments.models import Instrument, Organisation
from instruments.rules.wall_time import local_day, to_wall

_DAY_MINUTES = 24 * 60
CHIPS: dict[Risk, tuple[str, str, Promise]] = {
    Risk.SUSPENDED: ("bad", "ban", gettext_lazy("Organisation suspended")),
    Risk.LEFT: ("bad", "user-off", gettext_lazy("Has left the organisation")),
    Risk.CONFLICT: ("bad", "alert-triangle", gettext_lazy("Others want this time")),
    Risk.UNTRAINED: ("bad", "key", gettext_lazy("No licence")),
    Risk.OVER_QUOTA: ("bad", "chart-bar", gettext_lazy("Over the quota")),
    Risk.NIGHT: ("wait", "moon", gettext_lazy("At night")),
    Risk.UNVERIFIED: ("wait", "circle-dashed", gettext_lazy("Not verified")),
    Risk.FIRST_TIME: ("info", "user-plus", gettext_lazy("First time here")),
}
"""Tone, icon and words of each risk."""


@dataclass(frozen=True, slots=True)
class Chip:
    tone: str
    icon: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A request of the list. ``age`` is how long it waits, in words; ``checked``: chosen for deciding several at once."""

    pending: Pending
    figures: Figures | None
    age: str
    chips: tuple[Chip, ...]
    selected: bool
    checked: bool

    @property
    def reservation(self) -> Reservation:
        return self.pending.reservation

    @property
    def pk(self) -> int:
        return self.reservation.pk

    @property
    def reference(self) -> str:
        return self.reservation.reference

    @property
    def customer(self) -> Organisation:
        return self.reservation.organisation

    @property
    def what(self) -> Instrument:
        """What is asked for."""
        return self.reservation.instrument

    @property
    def seen(self) -> str:
        """The time that is looked at, as a form sends it (``booking_form.seen_times``)."""
        during = self.reservation.during
        return f"{during.starts_at.isoformat()}/{during.ends_at.isoformat()}"

    @property
    def own(self) -> bool:
        return self.pending.own

    @property
    def awaits_leader(self) -> bool:
        return self.pending.awaits_leader

    @property
    def waits_for_customer(self) -> bool:
        return self.figures is not None and self.figures.waits_for_customer

    @property
    def promise(self) -> str:
        """How the age stands to what the lab promises."""
        age = self.pending.age
        if self.pending.suggested:
            return _("the customer is asked about other times")
        if self.pending.yes_awaited:
            return _("the customer is asked to say yes")
        if age.overdue:
            return _("promised within %(length)s") % {"length": length_words(age.promise_minutes)}
        return _("answer due in %(length)s") % {"length": length_words(age.left_minutes)}


def row_of(pending: Pending, figures: Figures | None, opened: Reservation | None, checked: Iterable[int]) -> Row:
    """A request as the list shows it."""
    chips = [Chip(tone, icon, str(words)) for tone, icon, words in (CHIPS[risk] for risk in pending.risks)]
    if figures is not None and figures.waits_for_customer:
        chips.insert(0, Chip("wait", "hourglass", _("Customer is asked")))
    if pending.awaits_leader:
        chips.insert(0, Chip("wait", "hourglass", _("Awaiting leader")))
    if pending.questioned:
        chips.insert(0, Chip("wait", "hourglass", _("Customer's answer awaited")))
    if pending.suggested:
        chips.insert(0, Chip("wait", "hourglass", _("Other times suggested")))
    if pending.overdue:
        chips.insert(0, Chip("bad", "clock", _("Overdue")))
    if pending.own:
        chips.append(Chip("", "user", _("Your own")))
    row = pending.reservation
    if row.series is not None:
        named = {"place": row.ordinal, "planned": row.series.planned}
        chips.append(Chip("", "refresh", _("Series: %(place)s of %(planned)s") % named))
    if pending.group_size > 1:
        others = pending.group_size - 1
        words = ngettext("With %(count)s other instrument", "With %(count)s other instruments", others)
        chips.append(Chip("", "microscope", words % {"count": others}))
    return Row(pending, figures, length_words(pending.age.minutes), tuple(chips), row is opened, row.pk in set(checked))


def length_words(minutes: int) -> str:
    """A length as one glance takes it: from a day on in whole days."""
    if minutes < _DAY_MINUTES:
        return duration_words(minutes)
    count = minutes // _DAY_MINUTES
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


# --- The instrument's day ------------------------------------------------------------------------------------------------
_Shown = tuple[TimeRange, Organisation | None, str, int]


@dataclass(frozen=True, slots=True)
class DayRow:
    """What takes (or asks for) time on the instrument's day beside the request. ``overlaps`` the request, or not; ``x`` and ``width``
    are its place in a strip of the whole local day that is 1,000 wide."""

    words: str
    customer: Organisation | None
    state: str
    selected: bool
    overlaps: bool
    x: int
    width: int


def day_rows(actor: Actor, reservation: Reservation, zone: ZoneInfo) -> list[DayRow]:
    """Reservations of the day and what the lab itself blocked, in order."""
    day = local_day(to_wall(reservation.starts_at, zone).date(), zone)
    rows = [_as_shown(one) for one in queries.calendar_day(actor, reservation, day)]
    return [_day_row(row, reservation, day, zone) for row in sorted(rows, key=lambda row: (row[0], row[3] != reservation.pk))]


def _as_shown(one: Occupancy) -> _Shown:
    """(when, of whom, state or source, whose reservation): a booking's own time, without the lab's buffers."""
    if one.reservation is not None and one.source == OccupancySource.RESERVATION:
        return one.reservation.during, one.reservation.organisation, one.reservation.state, one.reservation.pk
    return TimeRange(one.during.lower, one.during.upper), None, one.source, 0


def _day_row(row: _Shown, reservation: Reservation, day: TimeRange, zone: ZoneInfo) -> DayRow:
    during, customer, state, reservation_id = row
    selected = reservation_id == reservation.pk
    shown = during.intersect(day)
    return DayRow(
        words=_clock_words(shown or during, day, zone),
        customer=customer,
        state=state,
        selected=selected,
        overlaps=not selected and during.overlaps(reservation.during),
        x=_place(shown.starts_at, day) if shown else 0,
        width=max(4, _place(shown.ends_at, day) - _place(shown.starts_at, day)) if shown else 0,
    )


def _clock_words(shown: TimeRange, day: TimeRange, zone: ZoneInfo) -> str:
    """From when to when it takes time on that day: what goes on past midnight ends with the day."""
    last = "24:00" if shown.ends_at == day.ends_at else f"{display.in_zone(shown.ends_at, zone.key):%H:%M}"
    return f"{display.in_zone(shown.starts_at, zone.key):%H:%M}–{last}"


def _place(moment: datetime, day: TimeRange) -> int:
    return round(1000 * (moment - day.starts_at) / day.duration)


# --- Taking back ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Undo:
    """What the reader decided a moment ago and can take back for ``seconds`` more, at ``url``."""

    ids: tuple[int, ...]
    words: str
    seconds: int
    url: str


def undo_of(actor: Actor, now: datetime, only: int | None = None, *, samples: bool = False) -> Undo | None:
    """What was decided last about requests for time (``samples``: for tests of samples), or with ``only`` (which then comes first), and can
    be taken back now; None when there is nothing."""
    decided = ((row.sample_job_id if samples else row.reservation_id, row) for row in decision_rows.open_of(actor, now))
    rows = [(pk, row) for pk, row in decided if pk is not None]
    if only is not None:
        rows.sort(key=lambda one: one[0] != only)
    if not rows or (only is not None and rows[0][0] != only):
        return None
    rows = [one for one in rows if one[1].decided_at == rows[0][1].decided_at]  # one press, however many it decided
    seconds = int((min(row.final_at for _pk, row in rows) - now).total_seconds())
    words = _decided_words([row.action for _pk, row in rows], samples=samples)
    url = reverse("approval_samples_take_back" if samples else "approval_take_back")
    return Undo(tuple(pk for pk, _row in rows), words, max(1, seconds), url)


def _decided_words(actions: Sequence[str], *, samples: bool) -> str:
    """A request for time is approved, one for samples accepted, as the buttons say."""
    approved, rejected = actions.count("approve"), actions.count("reject")
    parts = []
    if approved and samples:
        parts.append(ngettext("%(count)s request accepted.", "%(count)s requests accepted.", approved) % {"count": approved})
    elif approved:
        parts.append(ngettext("%(count)s request approved.", "%(count)s requests approved.", approved) % {"count": approved})
    if rejected:
        parts.append(ngettext("%(count)s request declined.", "%(count)s requests declined.", rejected) % {"count": rejected})
    return " ".join(parts)
