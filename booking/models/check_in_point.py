from __future__ import annotations

from django.conf import settings
from django.db import models


class CheckInPoint(models.Model):
    """The code that stands at an instrument for people with a phone, and what they have to confirm before they start.

    A new ``code`` makes every printed label with the old one useless. ``ticks`` are short sentences in the lab's words.
    """

    instrument = models.OneToOneField("instruments.Instrument", on_delete=models.CASCADE, related_name="check_in_point")
    code = models.CharField(max_length=40, unique=True)
    ticks = models.JSONField(default=list)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
