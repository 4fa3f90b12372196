from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.time_range import TimeRange


class ReservationChange(models.Model):
    """One move of a reservation from a time to another: made, or proposed and answered. A reservation's changes are a chain.

    ``side`` is who proposed (``booking.rules.changes.Side``), ``state`` is ``ChangeState``; an open proposal keeps its new time with
    an occupancy of its own. The expected figures are those that the customer saw, in fen. ``from_instrument`` and ``instrument`` are both
    empty where it stays on its instrument. Written by ``booking.services.changes``.
    """

    reservation = models.ForeignKey("booking.Reservation", on_delete=models.PROTECT, related_name="changes")
    side = models.CharField(max_length=10)
    state = models.CharField(max_length=10)
    from_starts_at = models.DateTimeField()
    from_ends_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    from_instrument = models.ForeignKey(
        "instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    instrument = models.ForeignKey(
        "instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=500, blank=True)
    expected_payable_now_fen = models.BigIntegerField(null=True)
    expected_final_cost_fen = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="reservation_change_has_length"),
            models.CheckConstraint(
                condition=models.Q(state="open", answered_at__isnull=True)
                | (models.Q(answered_at__isnull=False) & ~models.Q(state="open")),
                name="reservation_change_answered_once",
            ),
            models.CheckConstraint(
                condition=models.Q(from_instrument__isnull=True, instrument__isnull=True)
                | (
                    models.Q(from_instrument__isnull=False, instrument__isnull=False)
                    & ~models.Q(instrument=models.F("from_instrument"))
                ),
                name="reservation_change_of_place",
            ),
            models.UniqueConstraint(fields=["reservation"], condition=models.Q(state="open"), name="reservation_change_one_open"),
        ]
        indexes = [models.Index(fields=["reservation", "id"], name="change_by_reservation")]

    @property
    def during(self) -> TimeRange:
        """The new time."""
        return TimeRange(self.starts_at, self.ends_at)

    @property
    def before(self) -> TimeRange:
        """The old time."""
        return TimeRange(self.from_starts_at, self.from_ends_at)
