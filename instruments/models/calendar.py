"""What we keep of a calendar beside django-scheduler's own rows: the layers of its entries, and how it takes holidays."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class CalendarEntryKind(models.TextChoices):
    OPENING = "opening"
    RESTRICTION = "restriction"
    CLOSURE = "closure"


class StandingEntries(models.Manager["CalendarEntry"]):
    """Leaves out what was removed and can only be brought back."""

    def get_queryset(self) -> models.QuerySet[CalendarEntry]:
        return super().get_queryset().filter(removed_at__isnull=True)


class CalendarEntry(models.Model):
    """Makes a django-scheduler event an opening window, a restriction or a closure of its calendar.

    The event's first start and end, its rule and its moved or cancelled occurrences are stored there and expanded by
    ``instruments.rules.opening`` in the site's local wall time; what the other fields mean is said there too.
    ``audiences`` is a list of codes. The season's local days stand together with its name, or not at all. A row that was
    removed counts for nothing and waits to be brought back.
    """

    event = models.OneToOneField("schedule.Event", on_delete=models.CASCADE, related_name="entry")
    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=20, choices=CalendarEntryKind.choices)
    time_zone = models.CharField(max_length=50)
    reason = models.CharField(max_length=200, blank=True)
    priority = models.PositiveSmallIntegerField(default=9)
    audiences = models.JSONField(default=list, blank=True)
    season_name = models.CharField(max_length=80, blank=True)
    season_first_on = models.DateField(null=True, blank=True)
    season_last_on = models.DateField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = StandingEntries()
    everything: models.Manager[CalendarEntry] = models.Manager()

    class Meta:
        base_manager_name = "everything"
        constraints = [
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=9), name="calendar_entry_priority_in_range"),
            models.CheckConstraint(
                condition=Q(season_name="", season_first_on__isnull=True, season_last_on__isnull=True)
                | (
                    ~Q(season_name="")
                    & Q(kind="opening", season_first_on__isnull=False, season_last_on__gte=models.F("season_first_on"))
                ),
                name="calendar_entry_season_whole",
            ),
        ]


class CalendarSettings(models.Model):
    """How a calendar takes statutory holidays; a calendar without a row takes no notice of them.

    ``makeup_weekday`` (0 = Monday): make-up workdays are open as on that weekday; None: as on the day of the week they are.
    """

    calendar = models.OneToOneField("schedule.Calendar", on_delete=models.CASCADE, related_name="settings")
    closed_on_holidays = models.BooleanField(default=False)
    makeup_weekday = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(makeup_weekday__isnull=True) | Q(makeup_weekday__lte=6), name="calendar_settings_weekday_known"
            ),
        ]
