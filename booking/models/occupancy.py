from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models

from booking.models.assistant import end_keepings, keep_assistance
from booking.models.availability import keep_day_availability, keep_on_own_calendar
from booking.models.busy_change import keep_busy_changes


class OccupancySource(models.TextChoices):
    RESERVATION = "reservation"
    MAINTENANCE = "maintenance"
    SUBSCRIBED = "subscribed"
    CHANGE = "change"
    HOLD = "hold"
    OFFER = "offer"
    ASSISTANCE = "assistance"
    ABSENCE = "absence"
    KEEPING = "keeping"


class Occupancy(models.Model):
    """What takes time on a calendar, buffers included.

    ``during`` is half-open. Blocking occupancies of one calendar never overlap: the exclusion constraint
    ``occupancy_no_overlap`` (made in a migration, core PostgreSQL only) refuses it whoever writes. A hold keeps a time for its
    ``holder`` until ``expires_at``; what has expired is taken away by whoever needs the time, and by a job. An offer keeps it for the
    one who waits in its ``wait_entry``, until that is answered. Maintenance belongs to a ``downtime``; older one to none.
    Assistance is what a reservation takes of the calendar of whoever assists in it; an absence lies on such a calendar too, and so does a
    keeping: what the hold or offer ``beside`` it keeps of a person's time, as long as that lasts.
    What a downtime or an event of a followed calendar (``followed``: its id; it may be gone) takes comes in numbered pieces (``piece``).
    """

    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.PROTECT, related_name="occupancies")
    during = DateTimeRangeField()
    blocking = models.BooleanField(default=True)
    source = models.CharField(max_length=20, choices=OccupancySource.choices)
    reservation = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="occupancies")
    note = models.CharField(max_length=200, blank=True)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    wait_entry = models.OneToOneField("booking.WaitEntry", null=True, on_delete=models.CASCADE, related_name="kept")
    beside = models.ForeignKey("self", null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    held_since = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    downtime = models.ForeignKey(
        "booking.Downtime", null=True, on_delete=models.PROTECT, related_name="occupancies", db_index=False
    )
    followed = models.BigIntegerField(null=True)
    piece = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(
                        source__in=["hold", "offer", "keeping"],
                        holder__isnull=False,
                        held_since__isnull=False,
                        expires_at__isnull=False,
                    )
                    | (
                        ~models.Q(source__in=["hold", "offer", "keeping"])
                        & models.Q(holder__isnull=True, expires_at__isnull=True)
                    )
                ),
                name="occupancy_hold_complete",
            ),
            models.CheckConstraint(
                condition=models.Q(source="offer", wait_entry__isnull=False)
                | (~models.Q(source="offer") & models.Q(wait_entry__isnull=True)),
                name="occupancy_offer_of_entry",
            ),
            models.CheckConstraint(
                condition=models.Q(downtime__isnull=True) | models.Q(source="maintenance"), name="occupancy_of_downtime"
            ),
            models.CheckConstraint(
                condition=models.Q(source="keeping", beside__isnull=False)
                | (~models.Q(source="keeping") & models.Q(beside__isnull=True)),
                name="occupancy_keeping_beside",
            ),
            models.UniqueConstraint(fields=["beside"], condition=models.Q(beside__isnull=False), name="occupancy_keeping_once"),
            models.UniqueConstraint(
                fields=["reservation"], condition=models.Q(source="assistance"), name="occupancy_assistance_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(source="assistance") | models.Q(reservation__isnull=False),
                name="occupancy_assistance_in_booking",
            ),
            models.CheckConstraint(
                condition=models.Q(piece__isnull=True, followed__isnull=True)
                | models.Q(piece__isnull=False, followed__isnull=True, downtime__isnull=False)
                | models.Q(piece__isnull=False, followed__isnull=False, source="subscribed"),
                name="occupancy_piece_of_one",
            ),
            models.UniqueConstraint(
                fields=["downtime", "piece"], condition=models.Q(downtime__isnull=False), name="occupancy_piece_of_downtime"
            ),
            models.UniqueConstraint(
                fields=["calendar", "followed", "piece"],
                condition=models.Q(followed__isnull=False),
                name="occupancy_piece_of_event",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(source="hold"), name="occupancy_holds"),
            models.Index(fields=["holder"], condition=models.Q(source="hold"), name="occupancy_holds_of"),
            models.Index(fields=["downtime"], condition=models.Q(downtime__isnull=False), name="occupancy_by_downtime"),
            models.Index(fields=["calendar"], condition=models.Q(blocking=False), name="occupancy_competing"),
        ]
        triggers = [
            *keep_day_availability(),
            *keep_on_own_calendar(),
            *keep_busy_changes(),
            keep_assistance(),
            end_keepings(),
        ]
