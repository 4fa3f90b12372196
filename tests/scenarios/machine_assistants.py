"""A lab in which everything is booked with assistance: two people, one of them in the afternoon alone, for all of its instruments."""

from __future__ import annotations

from datetime import time

from hypothesis import strategies as st
from hypothesis.stateful import rule

from booking.models import Assistant, Occupancy, Reservation
from booking.services import assistants
from instruments.services.weekly_hours import WeeklyWindow
from tests.scenarios.lab_machine import PICKS, SLOTS, LabMachine, Slot

AFTERNOONS = [WeeklyWindow(day, time(13), time(20)) for day in range(7)]


class AssistedLab(LabMachine):
    mode = "assisted"

    def start_of_assistance(self) -> None:
        wang, people = self.actor("wang"), [self.cast.users[name].pk for name in ("wang", "luo")]
        for instrument in (*self.instruments, self.apart):
            for person in people:
                row = assistants.name(wang, instrument.pk, person, self.now)
        assistants.set_hours(wang, row.assistant_id, AFTERNOONS, self.now)

    @rule(place=PICKS, which=st.integers(0, 5), slot=SLOTS)
    def the_lab_arranges_who_assists(self, place: int, which: int, slot: Slot) -> None:
        wang, who = self.actor("wang"), self.pick(Assistant.objects.order_by("pk"), which)
        booked = self.pick(Reservation.objects.filter(state__in=["requested", "approved", "in_use"]).order_by("-pk"), place)
        away = self.pick(Occupancy.objects.filter(source="absence").order_by("pk"), place)
        if which < 3 and booked is not None:
            self.attempt("give a session", lambda: assistants.choose(wang, booked.pk, who.pk, self.now))
        elif which == 3:
            self.attempt("be away", lambda: assistants.add_absence(wang, who.pk, self.during(slot), "", self.now))
        elif which == 4 and away is not None:
            kept = Assistant.objects.get(calendar=away.calendar_id)
            self.attempt("be back", lambda: assistants.remove_absence(wang, kept.pk, away.pk, self.now))
        elif which == 5:
            self.attempt("take somebody out", lambda: assistants.unname(wang, self.cast.xrd.pk, who.pk, self.now))
