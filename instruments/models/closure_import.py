from __future__ import annotations

from django.conf import settings
from django.db import models


class ClosureImport(models.Model):
    """A file of closures that a lab handed in, for some of its instruments, all in one zone.

    Nothing is closed before ``confirmed_at``. ``report`` is then what became of each row of the file, as
    ``instruments.services.closure_import`` writes it.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    instruments = models.ManyToManyField("instruments.Instrument", related_name="+")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    time_zone = models.CharField(max_length=50)
    with_titles = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    report = models.JSONField(default=list)


class ImportedClosure(models.Model):
    """Which event of a file a closure came from, so that the same event is never imported twice. It goes with its closure."""

    entry = models.OneToOneField("instruments.CalendarEntry", on_delete=models.CASCADE, related_name="imported")
    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.CASCADE, related_name="+")
    uid = models.CharField(max_length=200)
    recurrence = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "uid", "recurrence"], name="imported_closure_once"),
        ]
