from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models

#: What takes time for longer than a form is filled in, and is told to whoever follows the busy times of an instrument.
TOLD_SOURCES = ("reservation", "maintenance", "subscribed", "offer", "change")


def sources_told(row: str) -> str:
    """SQL: whether an occupancy is one that busy times tell of."""
    return f"{row}.source IN ({', '.join(repr(one) for one in TOLD_SOURCES)})"


def busy_name(row: str) -> str:
    """SQL for the name that an occupancy has in the busy times of its calendar, which outlives the row: that of its booking, or that of
    its downtime or followed event and the number of the piece, as pieces are made anew around bookings; else its own."""
    return (
        f"CASE WHEN {row}.source = 'reservation' THEN 'r' || {row}.reservation_id"
        f" WHEN {row}.piece IS NULL THEN {row}.id::text"
        f" WHEN {row}.downtime_id IS NOT NULL THEN 'd' || {row}.downtime_id || '-' || {row}.piece"
        f" ELSE 's' || {row}.followed || '-' || {row}.piece END"
    )


class BusyChange(models.Model):
    """What became of a busy time that has a ``name`` on its calendar: where it lies, or lay (``during``), whether it is ``taken``, and how
    often that changed (``sequence``, over all calendars that it was on), last at ``changed_at`` by the database's clock. It outlives the
    occupancy, so that calendar programs are told of what is gone. A booking that never changed has no row.

    Written by the triggers ``busy_changes_follow_*`` of the occupancies alone; ``booking.services.busy_changes`` forgets what is long over.
    """

    calendar = models.ForeignKey(
        "schedule.Calendar", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    name = models.CharField(max_length=60)
    during = DateTimeRangeField()
    taken = models.BooleanField()
    sequence = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "calendar"], name="busy_change_once")]
        indexes = [models.Index(fields=["calendar", "changed_at"], name="busy_change_by_calendar")]
        triggers = [
            pgtrigger.Trigger(
                name="busy_change_counts_up",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("NEW.sequence <= OLD.sequence"),
                func="RAISE EXCEPTION 'busy time %: its changes are counted up', OLD.name USING ERRCODE = '23001';",
            )
        ]


def _note(row: str, *, taken: bool, first: int) -> str:
    return f"""
    INSERT INTO booking_busychange AS known (calendar_id, name, during, taken, sequence, changed_at)
    SELECT {row}.calendar_id, {busy_name(row)}, {row}.during, {str(taken).lower()}, coalesce(max(k.sequence) + 1, {first}), now()
      FROM booking_busychange k WHERE k.name = {busy_name(row)}
    ON CONFLICT (name, calendar_id) DO UPDATE
       SET during = EXCLUDED.during, taken = EXCLUDED.taken, sequence = EXCLUDED.sequence, changed_at = EXCLUDED.changed_at;
    """  # noqa: S608  (constants only)


_MOVED = f"""
IF OLD.blocking AND (OLD.calendar_id <> NEW.calendar_id OR NOT NEW.blocking) THEN {_note("OLD", taken=False, first=1)} END IF;
IF NEW.blocking THEN {_note("NEW", taken=True, first=1)} END IF;
RETURN NULL;
"""


def keep_busy_changes() -> list[pgtrigger.Trigger]:
    """Triggers for the table of occupancies: each change of what busy times tell is counted in its transaction, whoever writes. A new
    booking is no change: its name is new."""
    return [
        pgtrigger.Trigger(
            name="busy_changes_follow_insert",
            operation=pgtrigger.Insert,
            when=pgtrigger.After,
            condition=pgtrigger.Condition(f"NEW.blocking AND NEW.source <> 'reservation' AND {sources_told('NEW')}"),
            func=f"{_note('NEW', taken=True, first=0)} RETURN NULL;",
        ),
        pgtrigger.Trigger(
            name="busy_changes_follow_update",
            operation=pgtrigger.UpdateOf("calendar_id", "during", "blocking"),
            when=pgtrigger.After,
            condition=pgtrigger.Condition(
                f"{sources_told('NEW')} AND (OLD.blocking OR NEW.blocking)"
                " AND (OLD.calendar_id, OLD.during, OLD.blocking) IS DISTINCT FROM (NEW.calendar_id, NEW.during, NEW.blocking)"
            ),
            func=_MOVED,
        ),
        pgtrigger.Trigger(
            name="busy_changes_follow_delete",
            operation=pgtrigger.Delete,
            when=pgtrigger.After,
            condition=pgtrigger.Condition(f"OLD.blocking AND {sources_told('OLD')}"),
            func=f"{_note('OLD', taken=False, first=1)} RETURN NULL;",
        ),
    ]
