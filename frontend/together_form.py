"""What somebody typed to book several instruments at once: kept as text, read as places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from booking.ports import Addons
from booking.services.context import BookingContext
from booking.services.together import MOST, Place
from config.kernel.errors import Reason, Refusal
from frontend.booking_form import ADDON_BOX, BookingForm, figures_of, read_id


@dataclass(frozen=True, slots=True)
class PlaceForm:
    """The fields of one instrument; ``seen`` are the figures that were shown for it, as texts, and last what its add-ons come to."""

    instrument_id: int
    booking: BookingForm
    seen: tuple[str, str, str] = ("", "", "")

    def place(self, context: BookingContext) -> Place:
        """Raises Refusal with everything that cannot be read."""
        during = self.booking.during(context.zone)
        now, cost, beside = self.seen
        addons = Addons(self.booking.chosen_addons(), figures_of(beside, "").payable_now_fen)
        return Place(self.instrument_id, during, self.booking.known_service_mode(), figures_of(now, cost), addons)


@dataclass(frozen=True, slots=True)
class TogetherForm:
    """``shared`` is what all have in common; a time there is where a place begins that has none of its own."""

    shared: BookingForm
    places: tuple[PlaceForm, ...]

    @classmethod
    def read(cls, data: QueryDict) -> TogetherForm:
        """From the query or the body of a request: ``instrument`` again and again, ``on-7`` and so on for the instrument 7."""
        shared = BookingForm.read(data)
        without = read_id(data.get("remove", ""))
        ids = [pk for pk in dict.fromkeys(map(read_id, data.getlist("instrument"))) if pk and pk != without]
        places = tuple(_place(data, pk, first=pk == ids[0]) for pk in ids[:MOST])
        return cls(replace(shared, addons=""), places)

    def known(self, contexts: dict[int, BookingContext]) -> TogetherForm:
        """Without what the person may not see, and with a way of service that each instrument has."""
        return replace(
            self, places=tuple(_served(one, contexts[one.instrument_id]) for one in self.places if one.instrument_id in contexts)
        )

    def read_places(self, contexts: dict[int, BookingContext]) -> tuple[Place, ...]:
        """Raises Refusal with every reason of every place, each once."""
        found: list[Place] = []
        reasons: list[Reason] = []
        for one in self.places:
            try:
                found.append(one.place(contexts[one.instrument_id]))
            except Refusal as refusal:
                reasons += [reason for reason in refusal.reasons if reason not in reasons]
        Refusal.raise_any(reasons)
        return tuple(found)

    @property
    def has_times(self) -> bool:
        return all(one.booking.has_time for one in self.places)


def _place(data: QueryDict, pk: int, *, first: bool) -> PlaceForm:
    """The fields of its own where it has any; a time is its own or the shared one as a whole. Shared add-ons are those of the ``first``,
    from whose page one came."""
    timed = f"on-{pk}" in data
    own = {name: data.get(f"{name}-{pk}" if timed else name, "") for name in ("on", "from", "to", "to_on", "service_mode")}
    box = f"{ADDON_BOX}{pk}-"
    own |= {f"{ADDON_BOX}{name.removeprefix(box)}": data.get(name, "") for name in data if name.startswith(box)}
    own["addons"] = data.get(f"addons-{pk}", "") if timed else data.get("addons", "") if first else ""
    return PlaceForm(
        pk, BookingForm.read(own), (data.get(f"now-{pk}", ""), data.get(f"cost-{pk}", ""), data.get(f"beside-{pk}", ""))
    )


def _served(one: PlaceForm, context: BookingContext) -> PlaceForm:
    modes: Sequence[str] = context.instrument.service_modes or ["assisted"]
    mode = one.booking.service_mode if one.booking.service_mode in modes else modes[0]
    return replace(one, booking=replace(one.booking, service_mode=mode))
