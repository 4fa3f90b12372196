from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import no_truncate


class LabEntry(models.Model):
    """That a reservation was entered by a manager of the instrument's lab (``entered_by``) for a customer's person.

    ``evidence`` is what the lab says of the customer's yes, as "on the telephone, 14:05"; empty: it has none, and the request waits until
    its person, or who says yes for the customer, does. ``agreed_at`` and ``agreed_by`` are empty exactly while it waits; with evidence
    they name who entered it.
    """

    reservation = models.OneToOneField("booking.Reservation", on_delete=models.PROTECT, related_name="entry")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    evidence = models.CharField(max_length=300, blank=True)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True, agreed_by__isnull=True, evidence="")
                | Q(agreed_at__isnull=False, agreed_by__isnull=False),
                name="lab_entry_agreed_by_somebody",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="lab_entry_frozen", exclude=["agreed_at", "agreed_by"]),
            pgtrigger.Protect(
                name="lab_entry_agreed_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__agreed_at__isnull=False)
            ),
            pgtrigger.Protect(name="lab_entry_kept", operation=pgtrigger.Delete),
            no_truncate("lab_entry_no_truncate"),
        ]

    @property
    def waits(self) -> bool:
        """Whether nobody has said yes for the customer yet."""
        return self.agreed_at is None
