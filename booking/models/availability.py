"""The day-availability read model: what find-a-time reads instead of the calendars themselves.

Derived from opening hours, closures and blocking occupancies; a trigger on the occupancies and ``booking.services.availability``
keep it in the transaction of every change (``docs/adr/0015-day-availability.md``).
"""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Func
from django.db.models.functions import Greatest


class InstantRangesField(models.Field):
    """A set of half-open ranges of instants: PostgreSQL's ``tstzmultirange``, read as psycopg's ``Multirange``."""

    description = "Half-open ranges of instants"

    def db_type(self, connection: Any) -> str:
        return "tstzmultirange"


class CalendarAvailability(models.Model):
    """How far the days of one calendar are known: local days ``[first_on, ends_on)`` in ``time_zone``.

    ``calculating_since`` is set while the opening hours have changed and the days have not: what is shown may be old, and the job
    that computes it is on its way. A calendar with entries and no row here waits as well; one without entries has no days.
    """

    calendar = models.OneToOneField("schedule.Calendar", primary_key=True, on_delete=models.CASCADE, related_name="availability")
    time_zone = models.CharField(max_length=50, blank=True)
    first_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    calculated_at = models.DateTimeField(null=True)
    calculating_since = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["calculating_since"],
                condition=models.Q(calculating_since__isnull=False),
                name="availability_calculating",
            )
        ]


class DayAvailability(models.Model):
    """One local day ``[starts_at, ends_at)`` of one calendar: when it is open, and what of that nobody has taken.

    ``continues_until`` is the end of the free stretch with which the following day begins (None when that day begins taken or
    closed), so that a stretch over midnight is seen from the day on which it starts. The last three columns follow from the
    others: the longest free stretch that starts on this day (minutes, over midnight into the next day, no further), the first
    free instant, and the end of the last stretch. Nothing here knows a policy: what is found is checked against the calendar.
    """

    pk = models.CompositePrimaryKey("calendar_id", "local_on")
    calendar = models.ForeignKey(
        "schedule.Calendar", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    local_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opening = InstantRangesField()
    free = InstantRangesField()
    continues_until = models.DateTimeField(null=True)
    longest_free_minutes = models.GeneratedField(
        expression=Func(F("free"), F("ends_at"), F("continues_until"), function="jishi_longest_free_minutes"),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    first_free_at = models.GeneratedField(
        expression=Func(F("free"), function="lower"), output_field=models.DateTimeField(null=True), db_persist=True
    )
    free_until = models.GeneratedField(
        expression=models.Case(
            models.When(
                ends_at=Func(F("free"), function="upper", output_field=models.DateTimeField()),
                then=Greatest("ends_at", "continues_until"),
            ),
            default=Func(F("free"), function="upper", output_field=models.DateTimeField()),
        ),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["local_on", "first_free_at"],
                include=["calendar", "longest_free_minutes", "free_until"],
                name="day_availability_walk",
            )
        ]


#: What a change of occupancies gives back and takes, as one row per calendar. ``{gone}`` and ``{come}`` are transition tables.
_CHANGES = """
    SELECT calendar_id, coalesce(range_agg(during) FILTER (WHERE NOT come), '{{}}') AS given,
           coalesce(range_agg(during) FILTER (WHERE come), '{{}}') AS taken,
           min(lower(during)) AS first_at, max(upper(during)) AS last_at
      FROM ({rows}) AS changed (calendar_id, during, come) GROUP BY calendar_id
"""
_GONE = "SELECT calendar_id, during, false FROM gone WHERE blocking"
_COME = "SELECT calendar_id, during, true FROM come WHERE blocking"

_FOLLOW = """
WITH change AS ({changes}), day AS (
    UPDATE booking_dayavailability AS d
       SET free = d.free + change.given * d.opening - change.taken
      FROM change
     WHERE d.calendar_id = change.calendar_id AND change.given <> change.taken
       AND d.local_on BETWEEN (change.first_at AT TIME ZONE 'UTC')::date - 1 AND (change.last_at AT TIME ZONE 'UTC')::date + 1
       AND d.starts_at < change.last_at AND d.ends_at > change.first_at
    RETURNING lower(d.opening) = d.starts_at AS opens_at_midnight
)
SELECT coalesce(bool_or(opens_at_midnight), false) INTO over_midnight FROM day;
IF over_midnight THEN
    WITH change AS ({changes})
    UPDATE booking_dayavailability AS d
       SET continues_until = CASE WHEN lower(n.free) = n.starts_at THEN (SELECT upper(r) FROM unnest(n.free) AS r LIMIT 1) END
      FROM change, booking_dayavailability AS n
     WHERE n.calendar_id = change.calendar_id
       AND n.local_on BETWEEN (change.first_at AT TIME ZONE 'UTC')::date - 1 AND (change.last_at AT TIME ZONE 'UTC')::date + 1
       AND n.starts_at < change.last_at AND n.ends_at > change.first_at
       AND d.calendar_id = n.calendar_id AND d.local_on BETWEEN n.local_on - 2 AND n.local_on - 1 AND d.ends_at = n.starts_at
       AND d.continues_until IS DISTINCT FROM
           CASE WHEN lower(n.free) = n.starts_at THEN (SELECT upper(r) FROM unnest(n.free) AS r LIMIT 1) END;
END IF;
RETURN NULL;
"""


def keep_day_availability() -> list[pgtrigger.Trigger]:
    """Triggers for the table of occupancies: the days follow every change of blocking time, in its transaction, whoever writes.

    Blocking occupancies of a calendar never overlap (exclusion constraint), so what one gives back is free as far as it is open.
    Each day's row is changed from its own latest value, so two writers of different times on one day cannot undo each other.
    """
    return [
        _follow(pgtrigger.Insert, [_COME], come=True),
        _follow(pgtrigger.Update, [_GONE, _COME], gone=True, come=True),
        _follow(pgtrigger.Delete, [_GONE], gone=True),
    ]


_ON_OWN_CALENDAR = """
IF EXISTS (SELECT FROM come c
             JOIN booking_reservation r ON r.id = c.reservation_id
             JOIN instruments_instrument i ON i.id = r.instrument_id
            WHERE c.blocking AND c.source = 'reservation' AND c.calendar_id <> i.calendar_id AND upper(c.during) > now()) THEN
    RAISE EXCEPTION 'a booking takes time on a calendar that its instrument has left' USING ERRCODE = '40001';
END IF;
RETURN NULL;
"""


def keep_on_own_calendar() -> list[pgtrigger.Trigger]:
    """Triggers for the table of occupancies: a booking that is not over takes time on the calendar of its instrument, whoever writes.

    A writer that read the instrument before it went to another calendar waits behind that calendar's lock and is refused here with the
    state of a serialization failure, so that its whole transaction is tried again. What was before the instrument went stays.
    """
    return [
        pgtrigger.Trigger(
            name=f"occupancy_on_own_calendar_{str(operation).lower()}",
            operation=operation,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(new="come"),
            func=_ON_OWN_CALENDAR,
        )
        for operation in (pgtrigger.Insert, pgtrigger.Update)
    ]


def _follow(operation: Any, rows: list[str], *, gone: bool = False, come: bool = False) -> pgtrigger.Trigger:
    changes = _CHANGES.format(rows=" UNION ALL ".join(rows))
    return pgtrigger.Trigger(
        name=f"availability_follows_{str(operation).lower()}",
        operation=operation,
        when=pgtrigger.After,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(old="gone" if gone else None, new="come" if come else None),
        declare=[("over_midnight", "boolean")],
        func=_FOLLOW.format(changes=changes),
    )
