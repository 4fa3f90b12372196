"""People who act through the same services as the pages do, from signing up to what is paid out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from billing.settlement.models import Charge
from booking.models import Reservation
from booking.services import transitions
from booking.services.reservations import ReservationRequest, reserve
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import Organisation, User
from instruments.queries import actor_for
from instruments.rules.identifiers import make_uscc
from instruments.services import catalogue, organisations, verification
from instruments.services.organisation_facts import OrganisationFacts
from tests.agreeing import check_out_agreed
from tests.conftest import Cast

LICENCE = b"%PDF-1.4\n% a licence\n"


@dataclass
class Province:
    """The cast's office and its officials, and whoever comes."""

    cast: Cast

    def __post_init__(self) -> None:
        self._serial = count(1)

    def found(self, kind: str, name: str, region: str = "", **facts: Any) -> tuple[Organisation, User]:
        """Somebody signs up and founds an organisation, hands in its licence, and the operator verifies it."""
        number = next(self._serial)
        person = User.objects.create(email=f"founder{number}@example.org", full_name=f"Founder {number}", password="!")
        codes = {"uscc": make_uscc(f"91{region}", f"MA{number:06d}")} if kind == "firm" else {}
        told = OrganisationFacts(name=name, region_code=region, identifiers=codes, **facts)
        made = organisations.create_organisation(actor_for(person), kind, told, self.cast.now)
        request = verification.submit_verification(actor_for(person), made.pk, LICENCE + name.encode(), self.cast.now)
        verification.decide_verification(self.cast.actor("zhou"), request.pk, True, "", self.cast.now)
        made.refresh_from_db()
        assert made.status == "verified"
        return made, person

    def book(self, person: User, organisation: Organisation, instrument: Any, during: TimeRange) -> Reservation:
        request = ReservationRequest(instrument.pk, organisation.pk, during, "assisted", "an experiment")
        done = reserve(actor_for(person), request, self.cast.now, idempotency_key=f"{instrument.pk} {during.starts_at}")
        return Reservation.objects.get(pk=done.reservation_id)


def take_place(lab: Actor, reservation: Reservation, approved_at: datetime) -> Charge:
    """Approve, check in on time, check out five minutes late."""
    transitions.approve(lab, reservation.pk, approved_at)
    transitions.check_in(lab, reservation.pk, reservation.starts_at)
    check_out_agreed(lab, reservation.pk, reservation.ends_at + timedelta(minutes=5))
    return Charge.objects.get(reservation=reservation)


@pytest.fixture
def province(cast: Cast, programmes: dict[str, Any]) -> Province:
    catalogue.rebuild(cast.now)  # as the worker does when a programme is published
    return Province(cast)


@pytest.fixture(autouse=True)
def files_of_its_own(settings: Any, tmp_path: Any) -> None:
    """Documents of a test do not stay."""
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
