"""What a lab kept before comes into the machine: lists of bookings to come and of past use are taken in, come again, and are taken back."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis.stateful import invariant

from billing.ledger.models import Transfer, TransferKind
from booking.models import ImportedBooking, Reservation
from instruments.models import ImportRun, ImportState
from instruments.services import import_runs
from instruments.services.import_runs import Asked

HEAD = "Booking id,E-mail,Instrument,Start,End,Evidence,Charge\n"


class Lists:
    """Part of ``LabMachine``."""

    list_ids: Any
    last_list: str
    cast: Any
    attempt: Any
    actor: Any
    during: Any
    pick: Any
    now: Any
    zone: Any

    def start_of_lists(self) -> None:
        self.list_ids, self.last_list = count(), ""

    def a_list_is_brought_or_taken_back(
        self, who: str, slot: tuple[int, int, int], which: int, instrument: Any, again: bool
    ) -> None:
        if which % 4 == 3 and ImportRun.objects.exists():
            self.a_list_is_taken_back(slot[0])
        else:
            self.a_list_is_brought(who, slot, which, instrument, again)

    def a_list_is_brought(self, who: str, slot: tuple[int, int, int], which: int, instrument: Any, again: bool) -> None:
        """Two times of one person, ahead or past; or, ``again``, the list that came last."""
        rows = self.last_list if again and self.last_list else self._rows(who, slot, which, instrument)
        self.last_list = rows

        def bring() -> None:
            wang = self.actor("wang")
            run = import_runs.start(
                wang, Asked("bookings", "booking_list", self.cast.lab.pk), rows.encode(), "list.csv", self.now
            )
            import_runs.work(run.pk, self.now)
            import_runs.confirm(wang, run.pk, self.now)
            import_runs.work(run.pk, self.now)

        self.attempt("bring a list", bring)

    def _rows(self, who: str, slot: tuple[int, int, int], which: int, instrument: Any) -> str:
        past = which % 3 == 0
        rows = HEAD
        for days in (0, 1):
            asked = self.during(slot)
            shift = timedelta(days=-7 - days if past else days)
            start, end = ((moment + shift).astimezone(self.zone) for moment in (asked.starts_at, asked.ends_at))
            said = ("Log book", "yes" if which % 2 else "") if past else ("", "")
            cells = (
                f"L{next(self.list_ids)}",
                f"{who}@example.org",
                instrument.name,
                f"{start:%Y-%m-%d %H:%M}",
                f"{end:%Y-%m-%d %H:%M}",
            )
            rows += ",".join((*cells, *said)) + "\n"
        return rows

    def a_list_is_taken_back(self, place: int) -> None:
        """As far as nothing has become of it."""
        run = self.pick(ImportRun.objects.filter(state=ImportState.DONE).order_by("-pk"), place)
        if run is None:
            return

        def take_back() -> None:
            import_runs.undo(self.actor("wang"), run.pk, self.now)
            import_runs.work(run.pk, self.now)

        self.attempt("take a list back", take_back)

    @invariant()
    def what_was_brought_is_marked_and_costs_no_programme_anything(self) -> None:
        """None of the programmes here allows it."""
        brought = set(Reservation.objects.filter(brought__isnull=False).values_list("pk", flat=True))
        assert brought == set(Reservation.objects.filter(imported=True).values_list("pk", flat=True))
        promised = Transfer.objects.filter(source_type="reservation", source_id__in=brought, kind=TransferKind.HOLD)
        assert not promised.filter(debit__programme__isnull=False).exists()

    @invariant()
    def no_row_is_two_bookings(self) -> None:
        """However often its list came; what was taken back takes no time any more."""
        keys = list(ImportedBooking.objects.filter(undone_at=None).values_list("source_key", flat=True))
        assert len(keys) == len(set(keys))
        undone = ImportedBooking.objects.exclude(undone_at=None)
        assert not undone.exclude(reservation__state="cancelled").exists()
