from __future__ import annotations

from django.conf import settings
from django.db import models

_LEVELS = [(level, level) for level in ("assisted", "self", "off_hours")]


class TrainingCourse(models.Model):
    """What a lab teaches so that people may use its instruments: ``level`` is a value of ``booking.rules.training.Level``.

    ``scopes`` say for which instruments. A licence from it lasts ``validity_months`` (None: for good) and ends earlier when nothing
    was used for ``unused_months`` (None: never). ``pass_mark`` is out of 100.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="training_courses")
    title = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True, max_length=2000)
    level = models.CharField(max_length=20, choices=_LEVELS)
    validity_months = models.PositiveSmallIntegerField(null=True)
    unused_months = models.PositiveSmallIntegerField(null=True)
    pass_mark = models.PositiveSmallIntegerField(default=60)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pass_mark__lte=100), name="course_pass_mark_of_100"),
            models.CheckConstraint(condition=models.Q(level__in=["assisted", "self", "off_hours"]), name="course_level_known"),
        ]

    def __str__(self) -> str:
        return self.title


class CourseScope(models.Model):
    """One thing a course licenses for: an instrument, a class of the lab's instruments (a code's beginning), or, with neither, all."""

    course = models.ForeignKey(TrainingCourse, on_delete=models.CASCADE, related_name="scopes")
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.CASCADE, related_name="course_scopes")
    class_code = models.CharField(max_length=6, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(instrument__isnull=True) | models.Q(class_code=""), name="course_scope_is_one_thing"
            ),
            models.UniqueConstraint(
                fields=["course", "instrument", "class_code"], nulls_distinct=False, name="course_scope_once"
            ),
        ]


class CourseSession(models.Model):
    """When and where a course is held, and for how many."""

    course = models.ForeignKey(TrainingCourse, on_delete=models.PROTECT, related_name="sessions")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    place = models.CharField(max_length=200)
    places = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    called_off_at = models.DateTimeField(null=True)
    called_off_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(starts_at__lt=models.F("ends_at")), name="course_session_has_length"),
            models.CheckConstraint(condition=models.Q(places__gte=1), name="course_session_has_places"),
        ]
        indexes = [models.Index(fields=["course", "starts_at"], name="course_session_by_course")]


class Enrolment(models.Model):
    """A person in a course session. ``state`` is a value of ``booking.rules.training.EnrolmentState``; ``score`` is out of 100."""

    session = models.ForeignKey(CourseSession, on_delete=models.PROTECT, related_name="enrolments")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments")
    state = models.CharField(max_length=20)
    enrolled_at = models.DateTimeField()
    score = models.PositiveSmallIntegerField(null=True)
    examiner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    examined_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "person"],
                condition=models.Q(state__in=["waiting", "enrolled", "attended", "passed"]),
                name="enrolment_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["waiting", "enrolled", "withdrawn", "called_off", "attended", "absent", "passed", "failed"]
                ),
                name="enrolment_state_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["passed", "failed"])
                | (models.Q(score__lte=100) & models.Q(examiner__isnull=False)),
                name="enrolment_result_is_whole",
            ),
        ]


class Licence(models.Model):
    """What a person may do at a lab's instruments: one instrument, a class (a code's beginning), or, with neither, all of the lab's.

    ``level`` includes those below it. ``state`` is a value of ``booking.rules.training.LicenceState``; whether it has run out is
    asked of ``valid_until`` and of the last use (``booking.queries.licences``). ``reason`` is why it was suspended or revoked.
    ``reminded_at`` is when the person was told that it ends.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="licences")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="licences")
    instrument = models.ForeignKey("instruments.Instrument", null=True, on_delete=models.PROTECT, related_name="licences")
    class_code = models.CharField(max_length=6, blank=True)
    level = models.CharField(max_length=20, choices=_LEVELS)
    state = models.CharField(max_length=20, default="valid")
    origin = models.CharField(max_length=20)
    granted_at = models.DateTimeField()
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    valid_until = models.DateTimeField(null=True)
    unused_months = models.PositiveSmallIntegerField(null=True)
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.PROTECT, related_name="licences")
    evidence = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    evidence_reference = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    changed_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(instrument__isnull=True) | models.Q(class_code=""), name="licence_scope_is_one_thing"
            ),
            models.CheckConstraint(condition=models.Q(state__in=["valid", "suspended", "revoked"]), name="licence_state_known"),
            models.CheckConstraint(condition=models.Q(level__in=["assisted", "self", "off_hours"]), name="licence_level_known"),
            models.CheckConstraint(
                condition=models.Q(origin__in=["course", "recognised", "imported", "manual"]), name="licence_origin_known"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("granted_at")),
                name="licence_ends_after_grant",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "organisation"], name="licence_by_person"),
            models.Index(fields=["valid_until"], condition=models.Q(state="valid", reminded_at=None), name="licence_to_remind"),
        ]


class RecognitionRequest(models.Model):
    """Somebody can use the instrument already and asks the lab to take that as a licence; ``state`` as ``RecognitionState``."""

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.PROTECT, related_name="recognition_requests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recognition_requests")
    level = models.CharField(max_length=20, choices=_LEVELS)
    statement = models.CharField(max_length=1000)
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, default="open")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    licence = models.OneToOneField(Licence, null=True, on_delete=models.PROTECT, related_name="recognition")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "person"], condition=models.Q(state="open"), name="recognition_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "accepted", "refused", "withdrawn"]), name="recognition_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="accepted") | models.Q(licence__isnull=False), name="recognition_accepted_has_licence"
            ),
        ]


class LicenceGap(models.Model):
    """A reservation whose person will hold no licence for its time any more: both sides were told at ``told_at``."""

    reservation = models.OneToOneField("booking.Reservation", on_delete=models.PROTECT, related_name="licence_gap")
    told_at = models.DateTimeField()
