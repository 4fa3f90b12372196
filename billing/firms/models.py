"""What firms declare about themselves, verified and kept for good, and the lists against them."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.decisions import declared_decided, declared_once
from config.kernel.models.guards import append_only, no_truncate

_NO_CIRCLE = """
PERFORM pg_advisory_xact_lock(1718186608);
FOR day IN
    SELECT NEW.valid_from UNION
    SELECT valid_from FROM billing_firmdeclaration
     WHERE kind = 'controller' AND accepted AND valid_from > NEW.valid_from AND valid_from <= coalesce(NEW.valid_to, 'infinity')
LOOP
    node := NEW.party_key;
    step := 0;
    WHILE node IS NOT NULL AND step < 1000 LOOP
        IF node = NEW.firm_key THEN
            RAISE EXCEPTION 'nobody controls itself through others' USING ERRCODE = '23514', CONSTRAINT = 'firm_no_circle';
        END IF;
        node := (SELECT d.party_key FROM billing_firmdeclaration d
                  WHERE d.firm_key = node AND d.kind = 'controller' AND d.accepted AND d.id <> NEW.id
                    AND d.valid_from <= day AND (d.valid_to IS NULL OR d.valid_to >= day)
                  ORDER BY d.valid_from DESC, d.id DESC LIMIT 1);
        step := step + 1;
    END LOOP;
END LOOP;
RETURN NEW;
"""


class DeclarationKind(models.TextChoices):
    FIGURES = "figures"
    PLACE = "place"
    LABEL = "label"
    CONTROLLER = "controller"
    AFFILIATE = "affiliate"


class FirmDeclaration(models.Model):
    """One dated statement of a firm or team about itself, with its evidence; it counts once the operator accepted it.

    ``content`` holds what ``billing.firms.rules.declarations`` says for the kind (amounts in fen). It holds from ``valid_from`` to
    ``valid_to``, both local days and both included (None: until another one of the kind follows). ``firm_key`` and ``party_key`` are
    who it is about and whom it names ("uscc:..", "org:..", "person:.."). Rows are never changed or deleted: what was wrong is
    declared again, and the later one counts.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="declarations")
    kind = models.CharField(max_length=12, choices=DeclarationKind.choices)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    content = models.JSONField()
    firm_key = models.CharField(max_length=120, db_index=True)
    party_key = models.CharField(max_length=120, blank=True, db_index=True)
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    declared_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            *declared_decided("firm_declaration", "accepted"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="firm_declaration_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["controller", "affiliate"]) & ~Q(party_key="") & ~Q(party_key=F("firm_key"))
                | (~Q(kind__in=["controller", "affiliate"]) & Q(party_key="")),
                name="firm_declaration_names_party",
            ),
        ]
        triggers = [
            *declared_once("firm_declaration", "accepted"),
            pgtrigger.Trigger(
                name="firm_no_circle",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                condition=pgtrigger.Q(new__accepted=True, new__kind="controller"),
                declare=[("day", "date"), ("node", "text"), ("step", "int")],
                func=_NO_CIRCLE,
            ),
        ]


class CreditImport(models.Model):
    """One hand-in of a credit list: which list, where it came from, the file as it was."""

    list_code = models.CharField(max_length=40)
    source = models.CharField(max_length=300)
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    row_count = models.PositiveIntegerField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        triggers = [append_only("credit_import_append_only"), no_truncate("credit_import_no_truncate")]


class CreditListing(models.Model):
    """Somebody stands on a credit list from ``from_on`` to ``to_on`` (included; None: still). Of rows with the same list, code and
    first day the one imported last counts, so that a later list may end an entry; none is changed."""

    batch = models.ForeignKey(CreditImport, on_delete=models.PROTECT, related_name="rows")
    list_code = models.CharField(max_length=40)
    uscc = models.CharField(max_length=18, db_index=True)
    name = models.CharField(max_length=200)
    from_on = models.DateField()
    to_on = models.DateField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "uscc", "from_on"], name="credit_listing_once_per_import"),
            models.CheckConstraint(
                condition=Q(to_on__isnull=True) | Q(to_on__gte=F("from_on")), name="credit_listing_days_in_order"
            ),
        ]
        triggers = [append_only("credit_listing_append_only"), no_truncate("credit_listing_no_truncate")]
