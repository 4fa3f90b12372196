"""Files that people take in on the import page: what was asked for, how far it is, what became of every row."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from instruments.models.organisation import Organisation


class ImportState(models.TextChoices):
    """``reading``, ``writing`` and ``undoing`` are the worker's; ``mapping`` and ``preview`` wait for a person; the others are ends, and
    from ``done`` a kind may lead through ``undoing`` back to it."""

    READING = "reading"
    MAPPING = "mapping"
    PREVIEW = "preview"
    WRITING = "writing"
    DONE = "done"
    UNDOING = "undoing"
    FAILED = "failed"
    CANCELLED = "cancelled"


WORKING_STATES: frozenset[str] = frozenset({ImportState.READING, ImportState.WRITING, ImportState.UNDOING})


class SavedMapping(models.Model):
    """Which column means what, under a name; of one owner, or (without organisation) of everybody."""

    organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="mappings")
    name = models.CharField(max_length=100)
    document = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="mapping_name_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return self.name


class ImportRun(models.Model):
    """One file on its way in.

    ``kind`` and ``layout`` are those of ``instruments.services.import_kinds``. Without ``organisation`` each row names its owner.
    ``document`` is the mapping that was chosen or made, ``options`` how the file is to be read (``rules.reading_options``), ``facts``
    what was found about the file, ``counts`` the rows by fate,
    ``problems`` why it failed, or was not taken back (code, params, field). ``digest`` stands for what the preview promised.
    ``undone_by`` asked last to take it back.
    """

    kind = models.CharField(max_length=30)
    layout = models.CharField(max_length=30)
    organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    document = models.JSONField(null=True, blank=True)
    options = models.JSONField(default=dict, db_default={})
    state = models.CharField(max_length=20, choices=ImportState.choices)
    done_rows = models.PositiveIntegerField(default=0)
    total_rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    digest = models.CharField(max_length=64, blank=True)
    changed_since = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["organisation", "-created_at"], name="import_run_by_owner")]


class ImportRunRow(models.Model):
    """What became, or would become, of one row; ``reasons`` and ``notes`` are lists of code, params, field."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    fate = models.CharField(max_length=20)
    name = models.CharField(max_length=500, blank=True)
    inner_id = models.CharField(max_length=300, blank=True)
    owner = models.CharField(max_length=200, blank=True)
    object_id = models.BigIntegerField(null=True)
    reasons = models.JSONField(default=list)
    notes = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["run", "fate", "line"], name="import_row_by_fate")]
