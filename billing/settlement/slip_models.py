"""Internal charge slips: what an owner charges its own people for using its own instruments, for tests, or for time left unused."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import append_only, no_truncate


class InternalSlip(models.Model):
    """One agreed session or closed sample job of an owner's own people (``charge``), a fee for unused time (``fee``), or what of a fee
    fell away (``relief``), numbered in the owner's series of the year. Append-only.

    ``period_on``: first day of the month (platform's zone) in which it was charged. ``covered_fen`` was taken from ``fund_card``;
    the rest is settled by the owner's finance. The slip of a relief is the counter entry of the fee's: its amounts are below zero, and
    ``covered_fen`` went back to the card. ``content`` is everything that the slip shows, frozen.
    """

    charge = models.OneToOneField("billing.Charge", null=True, on_delete=models.PROTECT, related_name="internal_slip")
    fee = models.OneToOneField("billing.BookingFee", null=True, on_delete=models.PROTECT, related_name="internal_slip")
    relief = models.OneToOneField("billing.FeeRelief", null=True, on_delete=models.PROTECT, related_name="internal_slip")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    group = models.ForeignKey("instruments.ResearchGroup", null=True, on_delete=models.PROTECT, related_name="slips")
    fund_card = models.ForeignKey("instruments.FundCard", null=True, on_delete=models.PROTECT, related_name="slips")
    number = models.CharField(max_length=40)
    period_on = models.DateField()
    total_fen = models.BigIntegerField()
    covered_fen = models.BigIntegerField()
    content = models.JSONField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="internal_slip_number_once"),
            models.CheckConstraint(
                condition=Q(relief__isnull=True, total_fen__gt=0, covered_fen__gte=0, total_fen__gte=F("covered_fen"))
                | Q(relief__isnull=False, total_fen__lt=0, covered_fen__lte=0, total_fen__lte=F("covered_fen")),
                name="internal_slip_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(charge__isnull=False, fee__isnull=True, relief__isnull=True)
                | Q(charge__isnull=True, fee__isnull=False, relief__isnull=True)
                | Q(charge__isnull=True, fee__isnull=True, relief__isnull=False),
                name="internal_slip_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(fund_card__isnull=False, group__isnull=False)
                | Q(fund_card__isnull=True, group__isnull=True, covered_fen=0),
                name="internal_slip_card_and_group",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-period_on", "-id"], name="internal_slip_by_month")]
        triggers = [append_only("internal_slip_append_only"), no_truncate("internal_slip_no_truncate")]

    def __str__(self) -> str:
        return self.number

    @property
    def reservation_id(self) -> int | None:
        """Of what was charged; the slip comes with its charge, fee and relief. None: it is for a sample job."""
        found = self.charge or (self.relief.fee if self.relief is not None else self.fee)
        return found.reservation_id if found is not None else None

    @property
    def sample_job_id(self) -> int | None:
        """The sample job that was charged, if it is for one."""
        return self.charge.sample_job_id if self.charge is not None else None

    @property
    def open_fen(self) -> int:
        """What the card did not pay."""
        return self.total_fen - self.covered_fen
