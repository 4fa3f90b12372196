"""A few laboratories with instruments that can be found, and their days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from billing.pricing.models import PriceVersion
from booking.models import InstrumentPolicy
from booking.rules.time_search import TimeSearch
from booking.services import availability
from instruments.models import CatalogueEntry, Instrument, Organisation, Site
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import catalogue, schedule_store
from tests.conftest import PRICE, Cast

WORKDAYS = (0, 1, 2, 3, 4)


class Labs:
    """Adds instruments, and keeps what is derived from them."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.derive()

    def add(
        self,
        name: str,
        *,
        opens: int = 9,
        closes: int = 17,
        weekdays: tuple[int, ...] = WORKDAYS,
        region: str = "630104",
        techniques: tuple[str, ...] = (),
        price: dict[str, Any] | None = PRICE,
        policy: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Instrument:
        """An instrument at a place of its own."""
        cast = self.cast
        site = Site.objects.create(organisation=cast.lab, name=f"Place of {name}", region_code=region)
        calendar_id = schedule_store.create_calendar(name)
        first = datetime.combine(date(2025, 1, 6) + timedelta(days=weekdays[0]), time(opens))
        ends = datetime.combine(first.date(), time(0)) + timedelta(hours=closes)
        entry = CalendarEntry(EntryKind.OPENING, first, ends, Recurrence("weekly", weekdays=weekdays))
        schedule_store.add_entry(calendar_id, site.time_zone, entry)
        instrument = Instrument.objects.create(
            organisation=cast.lab,
            site=site,
            calendar_id=calendar_id,
            name=name,
            class_code=fields.pop("class_code", "010301"),
            service_modes=fields.pop("service_modes", ["self_operated"]),
            technique_codes=list(techniques),
            created_at=cast.now,
            updated_at=cast.now,
            **fields,
        )
        if policy is not None:
            InstrumentPolicy.objects.create(instrument=instrument, **policy)
        if price is not None:
            PriceVersion.objects.create(
                instrument=instrument, effective_from=date(2025, 1, 1), document=price, published_at=cast.now
            )
        self.derive()
        return instrument

    def derive(self) -> None:
        """Entries and days of everything that is there."""
        CatalogueEntry.objects.all().delete()
        catalogue.rebuild(self.cast.now)
        availability.rebuild(Instrument.objects.values_list("calendar_id", flat=True), self.cast.now)


@pytest.fixture
def labs(cast: Cast) -> Labs:
    """The cast's X-ray diffractometer (8:00 to 20:00 every day, two hours' notice) is there already."""
    return Labs(cast)


@pytest.fixture
def search() -> Callable[..., TimeSearch]:
    """``search(hours, first=0, last=14, ...)``: days from the cast's today."""
    today = date(2026, 11, 23)

    def make(hours: float = 2, first: int = 0, last: int = 14, **filters: Any) -> TimeSearch:
        return TimeSearch(int(hours * 60), today + timedelta(days=first), today + timedelta(days=last), **filters)

    return make


def organisation_of(kind: str, name: str, cast: Cast, **fields: Any) -> Organisation:
    return Organisation.objects.create(
        kind=kind, name=name, name_key=name, status="verified", verified_at=cast.now, created_at=cast.now, **fields
    )
