"""Lists of bookings for the cast's instrument, taken in as the import page does it."""

from __future__ import annotations

import pytest

from instruments.services import import_runs
from instruments.services.import_runs import Asked

HEAD = "Booking id,E-mail,Instrument,Start,End,Evidence,Charge\n"
LIVE = "L1,lin@example.org,X-ray diffractometer,2026-11-25 09:00,2026-11-25 11:00,,\n"
PAST = "P1,lin@example.org,X-ray diffractometer,2026-10-12 09:00,2026-10-12 12:00,Log book 17,\n"


@pytest.fixture
def preview(cast, now):
    """``preview(rows)``: the import of a list, as far as its preview."""

    def make(rows, *, layout="booking_list", name="bookings.csv", head=HEAD, at=now, who="wang"):
        asked = Asked("bookings", layout, cast.lab.pk)
        run = import_runs.start(cast.actor(who), asked, (head + rows).encode(), name, at)
        import_runs.work(run.pk, at)
        run.refresh_from_db()
        return run

    return make


@pytest.fixture
def take_in(cast, now, preview):
    """``take_in(rows)``: the same, confirmed and written."""

    def make(rows, **options):
        run = preview(rows, **options)
        import_runs.confirm(cast.actor("wang"), run.pk, options.get("at", now))
        import_runs.work(run.pk, options.get("at", now))
        run.refresh_from_db()
        return run

    return make


@pytest.fixture
def take_back(cast, now):
    """``take_back(run)``: taken back as the import page does it; how many were, and how many stay."""

    def make(run, *, at=now, who="wang"):
        import_runs.undo(cast.actor(who), run.pk, at)
        import_runs.work(run.pk, at)
        run.refresh_from_db()
        return run.facts.get("undone"), run.facts.get("left")

    return make


def fates(run):
    return [row.fate for row in run.rows.order_by("line", "pk")]


def told(run):
    """The codes of each row, in order."""
    return [
        {one["code"].removeprefix("booking_import.") for one in (*row.reasons, *row.notes)}
        for row in run.rows.order_by("line", "pk")
    ]
