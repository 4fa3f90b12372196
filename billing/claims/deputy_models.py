"""Who stands in for whom at an office, and for how long."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import no_truncate


class Deputy(models.Model):
    """That ``deputy`` may do at ``office`` what ``principal`` may do there, on the local days ``from_on`` to ``until_on`` (included), or
    until it is ended. Named by the principal. What a deputy does is done by both of them where three people have to differ."""

    office = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    principal = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    until_on = models.DateField()
    reason = models.CharField(max_length=500)
    named_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(principal=F("deputy")), name="deputy_is_somebody_else"),
            models.CheckConstraint(condition=Q(from_on__lte=F("until_on")) & ~Q(reason=""), name="deputy_for_some_days"),
        ]
        indexes = [models.Index(fields=["deputy", "office", "until_on"], name="deputy_by_person")]
        triggers = [
            pgtrigger.ReadOnly(name="deputy_frozen", exclude=["ended_at"]),
            pgtrigger.Protect(
                name="deputy_ended_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            pgtrigger.Protect(name="deputy_kept", operation=pgtrigger.Delete),
            no_truncate("deputy_no_truncate"),
        ]
