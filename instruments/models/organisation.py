from __future__ import annotations

from django.conf import settings
from django.db import models

from config.kernel.access import Role
from config.kernel.models.guards import append_only, no_truncate
from instruments.models.code_guards import left_by_its_holder, not_left_by_another


class OrganisationKind(models.TextChoices):
    FIRM = "firm"
    TEAM = "team"
    OWNER = "owner"
    GOVERNMENT = "government"


class OrganisationStatus(models.TextChoices):
    CLAIMED = "claimed"
    VERIFIED = "verified"
    SUSPENDED = "suspended"


class OwnerClass(models.TextChoices):
    """The class of an owner institution under the rules for government purchase of services."""

    NONE = ""
    PUBLIC_WELFARE_1 = "public_welfare_1"
    PUBLIC_WELFARE_2 = "public_welfare_2"
    UNIVERSITY = "university"
    ENTERPRISE = "enterprise"


class Organisation(models.Model):
    """A firm, a start-up team not yet incorporated, an owner institution or a government office.

    ``region_code`` is a GB/T 2260 code of six digits; ``policy_zones`` are zones without such a code. ``name_key`` finds
    look-alike names. ``annual_revenue_fen`` is last year's revenue in fen. ``quality_grade`` (A to D) is the
    latest assessment of an owner's service; empty while there is none. ``reviews_needed`` says whether the operator looks at the
    changes of an owner's published instruments first; None is the rule: only while the owner is not verified. ``answer_workdays`` is
    how many working days an owner takes at most to answer a question.
    """

    kind = models.CharField(max_length=20, choices=OrganisationKind.choices)
    status = models.CharField(max_length=20, choices=OrganisationStatus.choices, default=OrganisationStatus.CLAIMED)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    name_key = models.CharField(max_length=400, db_index=True)
    name_pinyin = models.CharField(max_length=400, blank=True, db_index=True)
    owner_class = models.CharField(max_length=30, choices=OwnerClass.choices, blank=True, default="")
    region_code = models.CharField(max_length=6, blank=True)
    policy_zones = models.JSONField(default=list, blank=True)
    staff_count = models.PositiveIntegerField(null=True, blank=True)
    annual_revenue_fen = models.BigIntegerField(null=True, blank=True)
    quality_grade = models.CharField(max_length=1, blank=True)
    reviews_needed = models.BooleanField(null=True, blank=True)
    answer_workdays = models.PositiveSmallIntegerField(default=1)
    address = models.CharField(max_length=300, blank=True)
    bank_name = models.CharField(max_length=200, blank=True)
    bank_account_name = models.CharField(max_length=200, blank=True)
    bank_account_number = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(annual_revenue_fen__isnull=True) | models.Q(annual_revenue_fen__gte=0),
                name="organisation_revenue_not_negative",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="verified") | models.Q(verified_at__isnull=False),
                name="organisation_verified_has_date",
            ),
            models.CheckConstraint(condition=models.Q(answer_workdays__range=(1, 30)), name="organisation_answers_in_time"),
        ]

    def __str__(self) -> str:
        return self.name


class OrganisationIdentifier(models.Model):
    """(scheme, value), for example ("uscc", "91630100MA00000151"). One organisation per value in the whole province."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=30)
    value = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "value"], name="identifier_unique"),
            models.UniqueConstraint(fields=["organisation", "scheme"], name="identifier_one_per_scheme"),
        ]
        triggers = [not_left_by_another()]


class FormerIdentifier(models.Model):
    """An identifier that an organisation had while it was verified, and has left for another one: what was kept and counted under it goes
    on under the first of them. Nobody else is given it. Append-only."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="former_identifiers")
    scheme = models.CharField(max_length=30)
    value = models.CharField(max_length=100)
    left_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "value"], name="former_identifier_unique")]
        triggers = [
            append_only("former_identifier_append_only"),
            no_truncate("former_identifier_no_truncate"),
            left_by_its_holder(),
        ]


class Membership(models.Model):
    """One role of one person in one organisation."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=30, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once")]


class Invitation(models.Model):
    """A colleague invited by e-mail; the link's token is kept only as SHA-256."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=30)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)


class JoinRequest(models.Model):
    """Somebody asks to join an organisation; its administrator decides."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="join_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="join_requests")
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "user"], condition=models.Q(decided_at__isnull=True), name="join_request_once"
            )
        ]


class VerificationRequest(models.Model):
    """A licence scan handed in to become *verified*; the operator accepts it or refuses it with a reason."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="verification_requests")
    licence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"], condition=models.Q(decided_at__isnull=True), name="verification_one_open"
            )
        ]
