from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

GRADES = ("A", "B", "C", "D")


class CloseOut(models.Model):
    """How the service of a session or a sample job (one of the two) ended: its report, tests done again, and the quality grade with who
    gave it.

    Where money depends on the grade a second person confirms it; a changed grade has to be confirmed again. Report and tests done again
    of a sample job follow from its promised day, its reports and its agreed charges (``booking.rules.sample_service``), and stand here
    for sessions alone.
    """

    reservation = models.OneToOneField("booking.Reservation", null=True, on_delete=models.PROTECT, related_name="close_out")
    sample_job = models.OneToOneField("booking.SampleJob", null=True, on_delete=models.PROTECT, related_name="close_out")
    report_due_on = models.DateField(null=True)
    reported_on = models.DateField(null=True)
    retests = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=500, blank=True)
    grade = models.CharField(max_length=1, blank=True)
    graded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    graded_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(grade__in=["", *GRADES]), name="close_out_grade_known"),
            models.CheckConstraint(
                condition=Q(grade="", graded_by__isnull=True, confirmed_by__isnull=True)
                | (~Q(grade="") & Q(graded_by__isnull=False, graded_at__isnull=False)),
                name="close_out_graded_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(confirmed_by=F("graded_by")), name="close_out_two_people"),
            models.CheckConstraint(
                condition=Q(reservation__isnull=False, sample_job__isnull=True)
                | Q(reservation__isnull=True, sample_job__isnull=False, report_due_on=None, reported_on=None, retests=0),
                name="close_out_of_one_service",
            ),
        ]

    @property
    def on_time(self) -> bool | None:
        """Whether the report came in time; None while there is no promise, or neither report nor a passed day is known."""
        due: date | None = self.report_due_on
        if due is None or self.reported_on is None:
            return None
        return self.reported_on <= due
