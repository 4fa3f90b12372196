"""The year in what people read out on the phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from booking.models import Reservation, SampleJob


def test_what_is_asked_for_in_the_first_hours_of_a_year_is_of_that_year() -> None:
    midnight = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert Reservation(pk=123, created_at=midnight).reference == "R2027-000123"
    assert SampleJob(pk=45, asked_at=midnight).reference == "S2027-000045"
    assert Reservation(pk=123, created_at=midnight - timedelta(seconds=1)).reference == "R2026-000123"
