"""Who helps customers in sessions of mode ``assisted``: a person with a calendar of their own, and the instruments they may help on."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models

#: The name under which the database says that the person who assists has something else then.
BUSY_ELSEWHERE = "occupancy_of_assistant"


class Assistant(models.Model):
    """A person of one lab or several who assists in sessions, with one ``calendar``, so that nobody is in two places at a time.

    Its entries are the hours of work in ``time_zone``; without any the person works whenever the instrument is open. Absences and
    sessions are its occupancies. Written by ``booking.services.assistants``.
    """

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assistant")
    calendar = models.OneToOneField("schedule.Calendar", on_delete=models.PROTECT, related_name="assistant")
    time_zone = models.CharField(max_length=50)
    created_at = models.DateTimeField()


class InstrumentAssistant(models.Model):
    """Somebody may assist on an instrument, as its lab said. Who is no member of the lab any more does not count."""

    instrument = models.ForeignKey("instruments.Instrument", on_delete=models.CASCADE, related_name="assistants", db_index=False)
    assistant = models.ForeignKey(Assistant, on_delete=models.CASCADE, related_name="instruments")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "assistant"], name="instrument_assistant_once")]


_FOLLOW = f"""
IF EXISTS (SELECT FROM booking_occupancy WHERE reservation_id = NEW.reservation_id AND source = 'assistance') THEN
    BEGIN
        UPDATE booking_occupancy SET during = NEW.during, blocking = NEW.blocking
         WHERE reservation_id = NEW.reservation_id AND source = 'assistance';
    EXCEPTION WHEN exclusion_violation THEN
        RAISE EXCEPTION 'who assists in reservation % has something else then', NEW.reservation_id
              USING ERRCODE = '23P01', CONSTRAINT = '{BUSY_ELSEWHERE}';
    END;
END IF;
RETURN NULL;
"""  # noqa: S608  (constants only)


def keep_assistance() -> pgtrigger.Trigger:
    """A trigger for the table of occupancies: what a booking takes of its assistant's calendar is what it takes of its instrument's, and
    stops and begins with it, whoever writes. Where the person has something else the write is refused as ``BUSY_ELSEWHERE``."""
    return pgtrigger.Trigger(
        name="assistance_follows",
        operation=pgtrigger.UpdateOf("during", "blocking"),
        when=pgtrigger.After,
        condition=pgtrigger.Q(new__source="reservation")
        & (pgtrigger.Q(old__during__df=pgtrigger.F("new__during")) | pgtrigger.Q(old__blocking__df=pgtrigger.F("new__blocking"))),
        func=_FOLLOW,
    )


def end_keepings() -> pgtrigger.Trigger:
    """A trigger for the table of occupancies: with a hold or an offer goes what it kept of a person's time, whoever takes it away."""
    return pgtrigger.Trigger(
        name="keeping_ends_with_hold",
        operation=pgtrigger.Delete,
        when=pgtrigger.After,
        condition=pgtrigger.Condition("OLD.source IN ('hold', 'offer')"),
        func="DELETE FROM booking_occupancy WHERE beside_id = OLD.id; RETURN NULL;",
    )
