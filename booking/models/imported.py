from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class ImportedBooking(models.Model):
    """Where a reservation came from that a lab brought along, and by what it is known when the list comes again.

    ``source_key`` is the row's own number, else what it says (``booking.rules.booking_rows.key_of``); once per owner while it counts.
    ``source_starts_at`` and ``source_ends_at`` are what the list said: the reservation may have moved since. One that was taken back
    (``undone_at``) does not count any more, and the same row may come again.
    """

    reservation = models.OneToOneField("booking.Reservation", on_delete=models.PROTECT, related_name="brought")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey("instruments.ImportRun", null=True, on_delete=models.PROTECT, related_name="bookings")
    line = models.PositiveIntegerField()
    source_key = models.CharField(max_length=120)
    source_starts_at = models.DateTimeField()
    source_ends_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source_key"], condition=Q(undone_at__isnull=True), name="imported_booking_known_once"
            ),
            models.CheckConstraint(condition=Q(source_starts_at__lt=F("source_ends_at")), name="imported_booking_has_length"),
        ]
