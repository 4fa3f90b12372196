"""Money that payees transferred back for claw-back notices."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.claims import guards
from config.kernel.models.guards import no_truncate

_CONFIRMED = ("confirmed_by", "confirmed_for", "confirmed_at")
_ENDED = ("ended_by", "ended_at", "end_reason")


def _two_people(name: str) -> list[models.CheckConstraint]:
    """Who confirms is not who recorded, deputies and whom they stand in for told apart; what was ended has a reason."""
    return [
        models.CheckConstraint(
            condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True, confirmed_for__isnull=True)
            | Q(confirmed_by__isnull=False, confirmed_at__isnull=False)
            & ~Q(confirmed_by=F("recorded_by"))
            & (Q(recorded_for__isnull=True) | ~Q(confirmed_by=F("recorded_for")))
            & (Q(confirmed_for__isnull=True) | ~Q(confirmed_for=F("recorded_by")))
            & (Q(confirmed_for__isnull=True) | Q(recorded_for__isnull=True) | ~Q(confirmed_for=F("recorded_for"))),
            name=f"{name}_two_people",
        ),
        models.CheckConstraint(
            condition=Q(ended_by__isnull=True, ended_at__isnull=True, end_reason="")
            | Q(ended_by__isnull=False, ended_at__isnull=False) & ~Q(end_reason=""),
            name=f"{name}_ended_whole",
        ),
    ]


class Repayment(models.Model):
    """Money that came back for a claw-back: recorded by one person, by hand or from a bank's list (``file``, ``row``), and confirmed by
    another, with which it is in the books; ``…_for``: for whom each stood in. Ended before that it never counted, ended later it is undone.

    Of ``received_fen`` that came in ``amount_fen`` was still open and counts, between ``payers``; the rest, or all of it, came too much
    (``too_much_fen``) and is the payee's: it is sent back (``SurplusRefund``) or taken for another notice, with a repayment of its own that
    names where it was taken from (``moved_from``). ``fingerprint`` tells a row of a bank's list from every other, so that nothing is taken
    in twice.
    """

    clawback = models.ForeignKey("billing.Clawback", on_delete=models.PROTECT, related_name="repayments")
    amount_fen = models.BigIntegerField()
    received_fen = models.BigIntegerField()
    payers = models.JSONField()
    received_on = models.DateField()
    payer_name = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=500, blank=True)
    file = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    row = models.PositiveIntegerField(null=True)
    fingerprint = models.CharField(max_length=64, null=True)
    moved_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="moved_to")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_fen__gte=0, received_fen__gt=0, received_fen__gte=F("amount_fen")), name="repayment_positive"
            ),
            models.CheckConstraint(
                condition=Q(moved_from__isnull=True) | Q(received_fen=F("amount_fen"), file__isnull=True),
                name="repayment_moved_whole",
            ),
            models.CheckConstraint(
                condition=Q(file__isnull=True, row__isnull=True, fingerprint__isnull=True)
                | Q(file__isnull=False, row__isnull=False, fingerprint__isnull=False),
                name="repayment_row_whole",
            ),
            *_two_people("repayment"),
            models.UniqueConstraint(fields=["fingerprint"], condition=Q(ended_at__isnull=True), name="repayment_row_once"),
        ]
        indexes = [
            models.Index(
                fields=["clawback"], condition=Q(confirmed_at__isnull=True, ended_at__isnull=True), name="repayment_that_waits"
            )
        ]
        triggers = [
            guards.insert("repayment_fits", guards.REPAYMENT_FITS),
            pgtrigger.ReadOnly(name="repayment_frozen", exclude=[*_CONFIRMED, *_ENDED]),
            pgtrigger.Protect(
                name="repayment_ends_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            guards.update("repayment_confirmed_once", guards.REPAYMENT_CONFIRMED_ONCE),
            guards.update("repayment_ends_unused", guards.REPAYMENT_ENDS_UNUSED),
            pgtrigger.Protect(name="repayment_kept", operation=pgtrigger.Delete),
            no_truncate("repayment_no_truncate"),
        ]

    @property
    def too_much_fen(self) -> int:
        """What came in beyond what was open."""
        return self.received_fen - self.amount_fen

    @property
    def waits(self) -> bool:
        """Whether a second person has still to confirm it."""
        return self.confirmed_at is None and self.ended_at is None


class SurplusRefund(models.Model):
    """What came too much with a repayment and went back to its payee by the bank, on a day, under a reference: recorded by one person and
    confirmed by another, with which it is in the books. Ended before that it never counted, ended later it is undone.

    ``payment_list``: it goes with that list to the payee, beside what the list pays; day and reference are those of the list, who made the
    list recorded it, and it is confirmed once the list is approved. What is on a list is not sent back another way too: of money that came
    too much no more goes back in all than there is (trigger)."""

    repayment = models.ForeignKey(Repayment, on_delete=models.PROTECT, related_name="refunds")
    payment_list = models.ForeignKey("billing.PaymentList", null=True, on_delete=models.PROTECT, related_name="surplus_refunds")
    amount_fen = models.BigIntegerField()
    paid_on = models.DateField()
    reference = models.CharField(max_length=500)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_for = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0) & ~Q(reference=""), name="surplus_refund_whole"),
            *_two_people("surplus_refund"),
        ]
        indexes = [
            models.Index(
                fields=["repayment"],
                condition=Q(confirmed_at__isnull=True, ended_at__isnull=True),
                name="surplus_refund_that_waits",
            )
        ]
        triggers = [
            guards.insert("surplus_refund_fits", guards.SURPLUS_REFUND_FITS),
            guards.insert("surplus_refund_fits_list", guards.SURPLUS_FITS_LIST),
            guards.update("surplus_refund_with_list", guards.SURPLUS_WITH_LIST),
            pgtrigger.ReadOnly(name="surplus_refund_frozen", exclude=[*_CONFIRMED, *_ENDED]),
            pgtrigger.Protect(
                name="surplus_refund_ends_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            guards.update("surplus_refund_confirmed_once", guards.REPAYMENT_CONFIRMED_ONCE),
            pgtrigger.Protect(name="surplus_refund_kept", operation=pgtrigger.Delete),
            no_truncate("surplus_refund_no_truncate"),
        ]

    @property
    def waits(self) -> bool:
        """Whether a second person has still to confirm it."""
        return self.confirmed_at is None and self.ended_at is None
