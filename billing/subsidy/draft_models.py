"""Drafts of programme versions: what officers write before anything is in force."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import append_only, no_truncate


class DraftState(models.TextChoices):
    """``submitted`` waits for a second officer; ``published`` and ``dropped`` are ends."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    DROPPED = "dropped"


_FIXED = """
IF OLD.state IN ('published', 'dropped') THEN
    RAISE EXCEPTION 'this draft has come to its end and does not change' USING ERRCODE = '23001';
END IF;
IF OLD.state = 'submitted' AND NEW.state IN ('submitted', 'published')
   AND (NEW.document, NEW.text) IS DISTINCT FROM (OLD.document, OLD.text) THEN
    RAISE EXCEPTION 'what was submitted is approved or sent back, never changed' USING ERRCODE = '23001';
END IF;
IF NEW.version_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM billing_programmeversion v WHERE v.id = NEW.version_id AND v.document = NEW.document) THEN
    RAISE EXCEPTION 'a draft becomes the version with its own document' USING ERRCODE = '23514';
END IF;
IF NEW.version_id IS NOT NULL AND EXISTS (
    SELECT FROM billing_programmeversion v JOIN billing_draftwriter w ON w.draft_id = NEW.id AND w.person_id = v.approver_id
     WHERE v.id = NEW.version_id) THEN
    RAISE EXCEPTION 'who wrote in a draft does not approve it' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""


class ProgrammeDraft(models.Model):
    """A programme document on its way, of one ``office``; seen by that office's officials alone.

    ``document`` is the last thing that could be read as a JSON object, valid or not: nothing that was typed is lost. ``text`` is what
    was typed as text and cannot be read (empty otherwise). ``revision`` rises with every change, so that two people who write at once
    do not undo each other. ``based_on`` or ``template`` say what it began with; ``version`` is what it became.
    """

    office = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    document = models.JSONField()
    text = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=DraftState.choices, default=DraftState.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    template = models.CharField(max_length=60, blank=True)
    based_on = models.ForeignKey("billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="+")
    version = models.OneToOneField("billing.ProgrammeVersion", null=True, on_delete=models.PROTECT, related_name="draft")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state=DraftState.PUBLISHED, version__isnull=False)
                | (~Q(state=DraftState.PUBLISHED) & Q(version__isnull=True)),
                name="programme_draft_became_a_version",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[DraftState.SUBMITTED, DraftState.PUBLISHED]) | Q(submitted_by__isnull=False, text=""),
                name="programme_draft_was_submitted",
            ),
        ]
        indexes = [models.Index(fields=["office", "-changed_at"], name="programme_draft_by_office")]
        triggers = [
            pgtrigger.Trigger(
                name="programme_draft_fixed",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_FIXED,
            ),
            pgtrigger.Protect(name="programme_draft_kept", operation=pgtrigger.Delete),
            no_truncate("programme_draft_no_truncate"),
        ]


class DraftStep(models.Model):
    """What happened to a draft, append-only: who, when, why. ``kind`` is one of ``STEPS``."""

    STEPS = ("started", "submitted", "taken_back", "sent_back", "published", "dropped")

    draft = models.ForeignKey(ProgrammeDraft, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12)
    revision = models.PositiveIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        triggers = [append_only("draft_step_append_only"), no_truncate("draft_step_no_truncate")]


class DraftWriter(models.Model):
    """Who has written in a draft: none of them may approve it (triggers on the draft and on the version)."""

    draft = models.ForeignKey(ProgrammeDraft, on_delete=models.PROTECT, related_name="writers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    first_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "person"], name="draft_writer_once")]
        triggers = [append_only("draft_writer_append_only"), no_truncate("draft_writer_no_truncate")]
