from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.time_range import TimeRange


class WaitEntry(models.Model):
    """Somebody waits for ``minutes`` on an instrument anywhere in ``[first_at, last_at)``; for an exact time both are its ends.

    ``state`` is ``booking.rules.waiting.WaitState``. While it is offered, ``offered_*`` is the time that an occupancy keeps for the person
    until ``offer_expires_at``. Who waits longest is asked first; who let an offer pass at ``passed_at`` stands behind those who waited
    already then. Written by ``booking.services.waiting``.
    """

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="waiting")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    service_mode = models.CharField(max_length=20)
    minutes = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    state = models.CharField(max_length=10)
    created_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True)
    offers = models.PositiveSmallIntegerField(default=0)
    offered_starts_at = models.DateTimeField(null=True)
    offered_ends_at = models.DateTimeField(null=True)
    offer_expires_at = models.DateTimeField(null=True)
    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(first_at__lt=models.F("last_at")), name="wait_has_length"),
            models.CheckConstraint(
                condition=~models.Q(state="offered")
                | models.Q(offered_starts_at__isnull=False, offered_ends_at__isnull=False, offer_expires_at__isnull=False),
                name="wait_offer_complete",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="taken") | models.Q(reservation__isnull=False), name="wait_taken_is_booked"
            ),
        ]
        indexes = [
            models.Index(fields=["instrument", "created_at"], condition=models.Q(state="waiting"), name="wait_queue"),
            models.Index(fields=["requested_by", "-created_at"], name="wait_of_person"),
        ]

    @property
    def offered(self) -> TimeRange | None:
        """The time on offer, while there is one."""
        if self.offered_starts_at is None or self.offered_ends_at is None:
            return None
        return TimeRange(self.offered_starts_at, self.offered_ends_at)
