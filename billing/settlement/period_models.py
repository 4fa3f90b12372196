"""What a month's documents leave out: months that are closed, and charges, fees and awards that finance holds back."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from billing.settlement import period_guards as guards
from config.kernel.models.guards import append_only, no_truncate


class ClosedPeriod(models.Model):
    """That a month (``period_on`` is its first day) and all before it take no new line in a series (``rules.series``). Append-only:
    nothing is opened again. ``totals`` is what the month came to when it was closed, amounts in fen."""

    series = models.CharField(max_length=40)
    owner = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    period_on = models.DateField()
    totals = models.JSONField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "period_on"], name="closed_period_once"),
            models.CheckConstraint(condition=Q(period_on__day=1), name="closed_period_is_a_month"),
        ]
        triggers = [
            append_only("closed_period_append_only"),
            no_truncate("closed_period_no_truncate"),
            guards.before("closed_period_waits", pgtrigger.Insert, guards.CLOSING_WAITS),
        ]


class HeldBack(models.Model):
    """A charge, a fee or an award that no document takes for now: until the month that begins with ``until_on`` (postponed), or until
    somebody lifts it (None: excluded). Never deleted; lifting is the only change. By trigger only of what stands on no document
    (a claim that was handed in is one), and no document takes it."""

    charge = models.ForeignKey("billing.Charge", null=True, on_delete=models.PROTECT, related_name="held_back")
    fee = models.ForeignKey("billing.BookingFee", null=True, on_delete=models.PROTECT, related_name="held_back")
    award = models.ForeignKey("billing.Award", null=True, on_delete=models.PROTECT, related_name="held_back")
    owner = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    until_on = models.DateField(null=True)
    reason = models.CharField(max_length=500)
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    held_at = models.DateTimeField()
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(charge__isnull=False, fee__isnull=True, award__isnull=True)
                | Q(charge__isnull=True, fee__isnull=False, award__isnull=True)
                | Q(charge__isnull=True, fee__isnull=True, award__isnull=False),
                name="held_back_one_thing",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="held_back_says_why"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="held_back_lifted_by_somebody",
            ),
            *(
                models.UniqueConstraint(fields=[thing], condition=Q(lifted_at__isnull=True), name=f"held_back_{thing}_once")
                for thing in ("charge", "fee", "award")
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="held_back_kept", operation=pgtrigger.Delete),
            no_truncate("held_back_no_truncate"),
            guards.before("held_back_only_open", pgtrigger.Insert, guards.HELD_ONLY_OPEN),
            guards.before("held_back_only_lifted", pgtrigger.Update, guards.HELD_ONLY_LIFTED),
        ]


def held(thing: str, on: Any) -> Exists:
    """Whether a row (``thing``: charge, fee or award, by the outer row's key) is held back in the month of the day ``on``."""
    still = Q(until_on__isnull=True) | Q(until_on__gt=on)
    return Exists(HeldBack.objects.filter(still, **{f"{thing}_id": OuterRef("pk")}, lifted_at__isnull=True))
