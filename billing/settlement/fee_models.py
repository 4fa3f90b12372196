"""Fees for time that was given back too late or not used, and what of them falls away again."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.settlement.models import FrozenAssessment
from booking.rules.leaving import Fault
from config.kernel.models.guards import append_only, no_truncate

_WITHIN_FEE = """
PERFORM 1 FROM billing_bookingfee WHERE id = NEW.fee_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_bookingfee f
  WHERE f.id = NEW.fee_id
    AND f.gross_fen >= NEW.amount_fen + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_feerelief r WHERE r.fee_id = f.id)
    AND f.covered_fen >= NEW.returned_fen + (SELECT coalesce(sum(r.returned_fen), 0) FROM billing_feerelief r WHERE r.fee_id = f.id);
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more of a fee falls away than there is' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""


class BookingFee(FrozenAssessment):
    """What a customer is charged for a booking that was given back too late, or that nobody came for: once for a reservation.

    A charge of its own kind: it is not subsidised, so its four numbers are one. ``starts_at`` to ``ends_at`` is the lost time on
    ``calendar``; ``covered_fen`` was taken from ``fund_card``. ``inputs`` (rule by the price version, gross price, times) are enough to
    compute ``result`` again. Append-only: what falls away is a ``FeeRelief``.
    """

    reservation = models.OneToOneField("booking.Reservation", on_delete=models.PROTECT, related_name="fee")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Fault])
    price_version = models.ForeignKey("billing.PriceVersion", on_delete=models.PROTECT, related_name="+")
    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    fund_card = models.ForeignKey("instruments.FundCard", null=True, on_delete=models.PROTECT, related_name="+")
    covered_fen = models.BigIntegerField(default=0)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_fen__gt=0, deducted_fen=0, refunded_fen=0, estimate=False)
                & Q(payable_now_fen=F("gross_fen"), final_cost_fen=F("gross_fen")),
                name="booking_fee_is_not_subsidised",
            ),
            models.CheckConstraint(
                condition=Q(covered_fen__gte=0, covered_fen__lte=F("gross_fen"))
                & (Q(fund_card__isnull=False) | Q(covered_fen=0)),
                name="booking_fee_covered",
            ),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="booking_fee_lost_time"),
        ]
        indexes = [models.Index(fields=["calendar", "starts_at"], name="booking_fee_by_time")]
        triggers = [append_only("booking_fee_append_only"), no_truncate("booking_fee_no_truncate")]


class ReliefCause(models.TextChoices):
    """Why a part of a fee falls away: others used the time, the customer came after all, or the lab waived it."""

    TAKEN_AGAIN = "taken_again"
    CAME_LATE = "came_late"
    WAIVED = "waived"


class FeeRelief(models.Model):
    """A counter entry: ``amount_fen`` of a fee falls away because of the use of ``used_by``, once for each such use; or the lab waives
    it, once for a fee, with a ``reason`` (then ``used_by`` is None).

    ``returned_fen`` of it goes back to the fund card that paid. ``inputs`` and ``result`` say how it was computed. Append-only, and by
    trigger never more than the fee in all.
    """

    fee = models.ForeignKey(BookingFee, on_delete=models.PROTECT, related_name="reliefs")
    cause = models.CharField(max_length=20, choices=ReliefCause.choices)
    used_by = models.ForeignKey("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="relieved_fees")
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    amount_fen = models.BigIntegerField()
    returned_fen = models.BigIntegerField(default=0)
    inputs = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fee", "used_by"], name="fee_relief_once"),
            models.UniqueConstraint(fields=["fee"], condition=Q(cause="waived"), name="fee_waived_once"),
            models.CheckConstraint(
                condition=(Q(cause="waived", used_by__isnull=True) & ~Q(reason=""))
                | (~Q(cause="waived") & Q(used_by__isnull=False, reason="")),
                name="fee_relief_has_a_cause",
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, returned_fen__gte=0, returned_fen__lte=F("amount_fen")), name="fee_relief_positive"
            ),
        ]
        triggers = [
            append_only("fee_relief_append_only"),
            no_truncate("fee_relief_no_truncate"),
            pgtrigger.Trigger(
                name="fee_relief_within_fee",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_WITHIN_FEE,
            ),
        ]
