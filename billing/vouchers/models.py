"""Vouchers: announced with quotas, applied for, reviewed, issued; each is a limited account of the ledger."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import no_truncate


class VoucherAnnouncement(models.Model):
    """An offer of vouchers under one cap of a programme, with a window of local days for applications (both included).

    ``face_fen``: what every voucher is worth; None: each applicant asks for a quota of up to ``most_fen``. A voucher holds for
    ``life_days`` from its issue and never beyond ``last_on``. Published by somebody other than its author, then immutable.
    """

    programme = models.ForeignKey("billing.Programme", on_delete=models.PROTECT, related_name="announcements")
    cap_id = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    notice = models.TextField(max_length=4000, blank=True)
    opens_on = models.DateField()
    closes_on = models.DateField()
    face_fen = models.BigIntegerField(null=True)
    most_fen = models.BigIntegerField()
    life_days = models.PositiveIntegerField()
    last_on = models.DateField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_on__gte=F("opens_on"), last_on__gte=F("opens_on"), life_days__gt=0),
                name="announcement_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(most_fen__gt=0) & (Q(face_fen__isnull=True) | Q(face_fen__gt=0, face_fen=F("most_fen"))),
                name="announcement_amounts",
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True, approver__isnull=True)
                | Q(published_at__isnull=False, approver__isnull=False) & ~Q(approver=F("author")),
                name="announcement_two_people",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="announcement_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__published_at__isnull=False),
            ),
            no_truncate("announcement_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.title


class VoucherQuota(models.Model):
    """How much of an announcement is for one area: a policy zone, a division (the first digits of its code), or everywhere.

    ``account`` is opened when the announcement is published; vouchers are granted from it.
    """

    announcement = models.ForeignKey(VoucherAnnouncement, on_delete=models.PROTECT, related_name="quotas")
    zone = models.CharField(max_length=50, blank=True)
    code_prefix = models.CharField(max_length=6, blank=True)
    amount_fen = models.BigIntegerField()
    account = models.OneToOneField("billing.Account", null=True, on_delete=models.PROTECT, related_name="quota")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["announcement", "zone", "code_prefix"], name="quota_once_per_area"),
            models.CheckConstraint(condition=Q(zone="") | Q(code_prefix=""), name="quota_of_one_area"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="quota_positive"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="quota_frozen", exclude=["account"]),
            pgtrigger.Protect(
                name="quota_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__account__isnull=False),
            ),
            no_truncate("quota_no_truncate"),
        ]


class ApplicationState(models.TextChoices):
    APPLIED = "applied"
    REVIEWED = "reviewed"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class VoucherApplication(models.Model):
    """A firm or team asks for a voucher: an officer reviews, another one issues or refuses; three people in all.

    ``facts`` are the applicant's verified facts on the day of the application, ``facts_decided`` those on the day of the decision;
    both in the public form. One application of an organisation counts per announcement.
    """

    announcement = models.ForeignKey(VoucherAnnouncement, on_delete=models.PROTECT, related_name="applications")
    quota = models.ForeignKey(VoucherQuota, on_delete=models.PROTECT, related_name="applications")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="voucher_applications")
    asked_fen = models.BigIntegerField()
    purpose = models.CharField(max_length=2000)
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField()
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ApplicationState.choices, default=ApplicationState.APPLIED)
    recommended_fen = models.BigIntegerField(null=True)
    review_note = models.CharField(max_length=1000, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True)
    facts_decided = models.JSONField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["announcement", "organisation"],
                condition=Q(state__in=["applied", "reviewed", "issued"]),
                name="voucher_application_once",
            ),
            models.CheckConstraint(
                condition=~Q(state="issued")
                | Q(reviewed_by__isnull=False, decided_by__isnull=False, recommended_fen__isnull=False)
                & ~Q(decided_by=F("reviewed_by"))
                & ~Q(decided_by=F("applied_by"))
                & ~Q(reviewed_by=F("applied_by")),
                name="voucher_application_three_people",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(reason=""), name="voucher_refusal_says_why"),
            models.CheckConstraint(
                condition=Q(asked_fen__gt=0) & (Q(recommended_fen__isnull=True) | Q(recommended_fen__gt=0)),
                name="voucher_application_positive",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="voucher_application_frozen",
                fields=[
                    "announcement",
                    "quota",
                    "organisation",
                    "asked_fen",
                    "purpose",
                    "evidence",
                    "facts",
                    "applied_by",
                    "applied_at",
                ],
            ),
            pgtrigger.Protect(name="voucher_application_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="voucher_application_ended",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["issued", "refused", "withdrawn"]),
            ),
            no_truncate("voucher_application_no_truncate"),
        ]


class Voucher(models.Model):
    """A right to subsidy of up to ``face_fen``, for services from ``valid_from`` to ``valid_to`` (local days, both included).

    What is left of it is on its ``account``. ``number`` is unique among all platforms. One recognised from a partner region has no
    application but an ``origin`` and the number it has there; the home region pays it.
    """

    number = models.CharField(max_length=80, unique=True)
    programme = models.ForeignKey("billing.Programme", on_delete=models.PROTECT, related_name="vouchers")
    cap_id = models.CharField(max_length=40)
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="vouchers")
    application = models.OneToOneField(VoucherApplication, null=True, on_delete=models.PROTECT, related_name="voucher")
    account = models.OneToOneField("billing.Account", on_delete=models.PROTECT, related_name="voucher")
    face_fen = models.BigIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    origin = models.ForeignKey("billing.PartnerRegion", null=True, on_delete=models.PROTECT, related_name="vouchers")
    evidence = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)
    returned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from"), face_fen__gt=0), name="voucher_in_order"),
            models.CheckConstraint(
                condition=Q(application__isnull=False, origin__isnull=True)
                | Q(application__isnull=True, origin__isnull=False, evidence__isnull=False),
                name="voucher_has_a_source",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "valid_to"], name="voucher_of_firm")]
        triggers = [
            pgtrigger.ReadOnly(name="voucher_frozen", exclude=["returned_at", "returned_by"]),
            pgtrigger.Protect(name="voucher_kept", operation=pgtrigger.Delete),
            no_truncate("voucher_no_truncate"),
        ]

    def __str__(self) -> str:
        return self.number
