"""What ends a published version before the last day of its document: one person proposes it, another one puts it in force."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.decisions import ASKED, decided_once, two_people

#: A day that is over stays as it was quoted and charged: a successor begins today at the earliest, a version without one ends today at the
#: earliest. Whoever ends a version waits for whoever ends it at the same time.
_MAY_END = f"""
IF NEW.state = 'set' THEN
    PERFORM FROM billing_programmeversion v WHERE v.id = NEW.version_id FOR NO KEY UPDATE;
    IF NOT EXISTS (
        SELECT FROM billing_programmeversion v WHERE v.id = NEW.version_id AND v.published_at IS NOT NULL
           AND lower(v.valid) <= NEW.last_on AND upper(v.valid) = NEW.last_before + 1) THEN
        RAISE EXCEPTION 'what ends is a published version that began earlier and holds longer' USING ERRCODE = '23514';
    END IF;
    IF NEW.last_on + (NEW.successor_id IS NOT NULL)::int < (NEW.decided_at AT TIME ZONE '{settings.TIME_ZONE}')::date THEN
        RAISE EXCEPTION 'a version does not end on a day that is over' USING ERRCODE = '23514';
    END IF;
END IF;
RETURN NEW;
"""
#: At the end of the transaction: the version holds until that day, and its successor was published by the same two people for the next.
_ENDED = """
IF NEW.state = 'set' AND NOT EXISTS (
    SELECT FROM billing_programmeversion v WHERE v.id = NEW.version_id AND upper(v.valid) = NEW.last_on + 1) THEN
    RAISE EXCEPTION 'a version that is ended holds until the day that says so' USING ERRCODE = '23514';
END IF;
IF NEW.successor_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM billing_programmeversion v JOIN billing_programmeversion n ON n.programme_id = v.programme_id
     WHERE v.id = NEW.version_id AND n.id = NEW.successor_id AND n.published_at IS NOT NULL AND lower(n.valid) = NEW.last_on + 1
       AND n.author_id = NEW.asked_by_id AND n.approver_id = NEW.decided_by_id) THEN
    RAISE EXCEPTION 'a successor is published for the day after by those who end the version before it' USING ERRCODE = '23514';
END IF;
RETURN NULL;
"""


class VersionEnd(models.Model):
    """A published ``version`` holds until ``last_on`` instead of ``last_before``: because its ``successor`` begins the day after, or as
    the programme is stopped for a ``reason``. Its document stays as it is. Rows are the history; the last one that was set counts."""

    class State(models.TextChoices):
        ASKED = ASKED
        SET = "set"
        REFUSED = "refused"

    version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="ends")
    successor = models.OneToOneField("billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="succeeds")
    last_before = models.DateField()
    last_on = models.DateField()
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(last_on__lt=F("last_before")), name="version_end_is_earlier"),
            models.CheckConstraint(condition=Q(successor__isnull=False) | ~Q(reason=""), name="version_end_says_why"),
            models.UniqueConstraint(fields=["version"], condition=Q(state=ASKED), name="version_end_one_waits"),
            *two_people("version_end", "set"),
        ]
        triggers = [
            *decided_once("version_end"),
            pgtrigger.Trigger(
                name="version_end_may_end",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_MAY_END,
            ),
            pgtrigger.Trigger(
                name="version_end_ended",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                level=pgtrigger.Row,
                timing=pgtrigger.Deferred,
                func=_ENDED,
            ),
        ]
