"""For whom a lab may enter a booking: its own people, those who booked or asked there before or were brought over, and whoever has exactly
an address that is typed."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from booking.models import Enquiry, Reservation, SampleJob, WaitEntry
from booking.services.refusing import BOOKING_ROLES
from instruments.models import Membership, OrganisationStatus


def members() -> QuerySet[Membership]:
    """Everybody who may book for an organisation now."""
    rows = Membership.objects.filter(role__in=[role.value for role in BOOKING_ROLES], user__is_active=True)
    return rows.exclude(organisation__status=OrganisationStatus.SUSPENDED)


def known(lab_id: int) -> QuerySet[Membership]:
    """Those of them whom the lab knows: its own, and who had to do with it for that organisation."""
    theirs = {"organisation_id": OuterRef("organisation_id")}
    booked = Reservation.objects.filter(requested_by_id=OuterRef("user_id"), instrument__organisation_id=lab_id, **theirs)
    samples = SampleJob.objects.filter(requested_by_id=OuterRef("user_id"), lab_id=lab_id, **theirs)
    asked = Enquiry.objects.filter(asked_by_id=OuterRef("user_id"), lab_id=lab_id, **theirs)
    waited = WaitEntry.objects.filter(requested_by_id=OuterRef("user_id"), instrument__organisation_id=lab_id, **theirs)
    before = Q(Exists(booked)) | Q(Exists(samples)) | Q(Exists(asked)) | Q(Exists(waited))
    return members().filter(Q(organisation_id=lab_id) | before)


def by_address(email: str) -> QuerySet[Membership]:
    """Who has exactly this address, for verified organisations."""
    address = email.strip().lower()
    rows = members().filter(user__email=address) if address else Membership.objects.none()
    return rows.filter(organisation__status=OrganisationStatus.VERIFIED)
