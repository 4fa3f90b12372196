from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from booking.rules.spending import LeaderState

if TYPE_CHECKING:
    from instruments.models import FundCard


class LeaderApproval(models.Model):
    """What a group's leader is asked about one reservation or sample job, and the answer. There is none while nobody has to be asked.

    ``asked_fen`` is what the customer would pay; a yes covers everything up to it. What becomes dearer waits again.
    """

    reservation = models.OneToOneField("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="leader_approval")
    sample_job = models.OneToOneField("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="leader_approval")
    asked_fen = models.BigIntegerField()
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in LeaderState])
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reservation__isnull=False, sample_job__isnull=True)
                | Q(reservation__isnull=True, sample_job__isnull=False),
                name="leader_approval_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True) | (~Q(state="waiting") & Q(decided_at__isnull=False)),
                name="leader_approval_decided",
            ),
        ]

    @property
    def card(self) -> FundCard | None:
        """The card that would pay."""
        about = self.reservation or self.sample_job
        return about.fund_card if about is not None else None
