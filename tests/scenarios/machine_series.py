"""Times that come again, in the machine: asked for as far as they are free, changed from one of them on, all or nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis.stateful import invariant

from booking.models import Reservation, ReservationSeries
from booking.ports import NOTHING_EXPECTED
from booking.rules.series import Scope, SeriesRule
from booking.services import series, series_changes
from booking.services.series_changes import Seen, SeriesChange, Step
from instruments.rules.wall_time import to_wall

TIMES = 3
FREQUENCIES = ("daily", "daily", "weekly")


class SeriesOfTimes:
    """Part of ``LabMachine``."""

    attempt: Any
    actor: Any
    customer: Any
    person_of: Any
    card_of: Any
    during: Any
    pick: Any
    key: Any
    now: Any
    zone: Any
    mode: str

    def somebody_wants_a_series(self, who: str, slot: tuple[int, int, int], which: int, instrument: Any) -> None:
        """What is free of three times, or nothing where none is."""
        during = self.during(slot)
        start, end = (to_wall(moment, self.zone).replace(tzinfo=None) for moment in (during.starts_at, during.ends_at))
        rule = SeriesRule(start, end, FREQUENCIES[which % 3], count=TIMES)  # type: ignore[arg-type]
        actor, customer = self.actor(who), self.customer(who).pk
        wish = series.Wish(instrument.pk, customer, rule, self.mode, fund_card_id=self.card_of(who))

        def ask() -> None:
            found = series.report(actor, wish, self.now)
            picks = [series.Pick(row.occurrence.ordinal, row.during) for row in found.wanted if row.during is not None]
            series.ask(actor, wish, picks, self.now, idempotency_key=self.key())

        self.attempt("ask for a series", ask)

    def a_series_is_changed(self, place: int, which: int, moves: bool, by_lab: bool, slot: tuple[int, int, int]) -> None:
        """Moved or given back, from one of its times on: what the report says is possible."""
        rows = Reservation.objects.filter(series__isnull=False, state__in=["requested", "approved"], starts_at__gt=self.now)
        row = self.pick(rows.order_by("series_id", "ordinal"), place)
        if row is None:
            return
        who = self.actor("wang" if by_lab else self.person_of(row))
        start = to_wall(row.starts_at, self.zone).replace(tzinfo=None, hour=slot[1])
        times = (start, start + timedelta(minutes=slot[2])) if moves else (None, None)
        step = Step.MOVE if moves else Step.CANCEL
        asked = SeriesChange(row.series_id, step, list(Scope)[which % 3], row.ordinal, *times, "Said on the phone")

        def change() -> None:
            found = series_changes.report(who, asked, self.now, lambda reservation, during: NOTHING_EXPECTED)
            seen = {
                one.reservation.ordinal or 0: Seen(one.outcome.value, one.expected)
                for one in found
                if one.is_possible and one.outcome
            }
            series_changes.change(who, asked, seen, self.now, idempotency_key=self.key())

        self.attempt(f"{step} a series", change)

    @invariant()
    def no_series_is_without_times(self) -> None:
        assert not ReservationSeries.objects.filter(reservations=None).exists()
