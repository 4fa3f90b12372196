"""What people and organisations look like over the API. Amounts in fen, instants in UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.kernel.access import Actor
from config.kernel.api.serializers import StrictSerializer
from config.kernel.models import ApiToken
from instruments.access import sees_private_profile
from instruments.models import Invitation, JoinRequest, Organisation, VerificationRequest
from instruments.queries import Member

_TEXT = 2000  # longer is refused as input; the service says what really fits


class GrantOut(serializers.Serializer):
    organisation_id = serializers.IntegerField()
    role = serializers.CharField()


class MeOut(serializers.Serializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    language = serializers.CharField()
    grants = GrantOut(many=True)
    token_scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)


class MePatch(StrictSerializer):
    full_name = serializers.CharField(max_length=_TEXT, required=False)
    language = serializers.CharField(max_length=10, required=False)


class PrivateProfileOut(serializers.Serializer):
    policy_zones = serializers.ListField(child=serializers.CharField())
    staff_count = serializers.IntegerField(allow_null=True)
    annual_revenue_fen = serializers.IntegerField(allow_null=True)
    address = serializers.CharField()
    bank_name = serializers.CharField()
    bank_account_name = serializers.CharField()
    bank_account_number = serializers.CharField()


class OrganisationOut(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    status = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    owner_class = serializers.CharField()
    region_code = serializers.CharField()
    quality_grade = serializers.CharField()
    identifiers = serializers.DictField(child=serializers.CharField())
    verified_at = serializers.DateTimeField(allow_null=True)
    my_roles = serializers.ListField(child=serializers.CharField())
    profile = PrivateProfileOut(allow_null=True, help_text="For members and officials only; otherwise null.")


class OrganisationPatch(StrictSerializer):
    name = serializers.CharField(max_length=_TEXT, required=False)
    name_en = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    identifiers = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False, help_text="Scheme to value."
    )
    owner_class = serializers.CharField(max_length=30, required=False, allow_blank=True)
    region_code = serializers.CharField(max_length=10, required=False, allow_blank=True)
    policy_zones = serializers.ListField(child=serializers.CharField(max_length=200), max_length=100, required=False)
    staff_count = serializers.IntegerField(required=False, allow_null=True)
    annual_revenue_fen = serializers.IntegerField(required=False, allow_null=True)
    address = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    bank_name = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    bank_account_name = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    bank_account_number = serializers.CharField(max_length=200, required=False, allow_blank=True)
    accept_look_alike = serializers.BooleanField(required=False, default=False)


class OrganisationIn(OrganisationPatch):
    kind = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=_TEXT)


class MemberOut(serializers.Serializer):
    user_id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField(help_text="Empty unless you administer the organisation.")
    roles = serializers.ListField(child=serializers.CharField())


class RolesIn(StrictSerializer):
    roles = serializers.ListField(child=serializers.CharField(max_length=30), max_length=20)


class InvitationIn(StrictSerializer):
    email = serializers.CharField(max_length=300)
    role = serializers.CharField(max_length=30)


class InvitationOut(serializers.Serializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    role = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class JoinIn(StrictSerializer):
    code = serializers.CharField(max_length=200, allow_blank=True, default="", help_text="The organisation's code.")
    note = serializers.CharField(max_length=_TEXT, allow_blank=True, default="")


class JoinDecisionIn(StrictSerializer):
    accept = serializers.BooleanField()
    role = serializers.CharField(max_length=30, allow_blank=True, default="")
    reason = serializers.CharField(max_length=_TEXT, allow_blank=True, default="")


class JoinRequestOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation_id = serializers.IntegerField()
    person = serializers.CharField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    accepted = serializers.BooleanField(allow_null=True)


class LicenceIn(StrictSerializer):
    file = serializers.FileField(help_text="PDF, JPEG or PNG.")


class DecisionIn(StrictSerializer):
    accept = serializers.BooleanField()
    reason = serializers.CharField(max_length=_TEXT, allow_blank=True, default="")


class VerificationOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation_id = serializers.IntegerField()
    organisation_name = serializers.CharField()
    submitted_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    accepted = serializers.BooleanField(allow_null=True)
    reason = serializers.CharField()


class TokenIn(StrictSerializer):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.CharField(max_length=20), max_length=20)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class TokenOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewTokenOut(TokenOut):
    key = serializers.CharField(help_text="Shown this once; only its hash is kept.")


def organisation_out(actor: Actor, organisation: Organisation) -> dict[str, Any]:
    """An organisation as ``actor`` sees it."""
    roles = sorted(grant.role for grant in actor.grants if grant.organisation_id == organisation.pk)
    identifiers = {found.scheme: found.value for found in organisation.identifiers.all()}
    private = organisation if sees_private_profile(actor, organisation) else None
    names = ("id", "kind", "status", "name", "name_en", "owner_class", "region_code", "quality_grade", "verified_at")
    shown = {name: getattr(organisation, name) for name in names}
    return dict(OrganisationOut({**shown, "identifiers": identifiers, "my_roles": roles, "profile": private}).data)


def member_out(member: Member) -> dict[str, Any]:
    return dict(MemberOut(member).data)


def invitation_out(invitation: Invitation) -> dict[str, Any]:
    return dict(InvitationOut(invitation).data)


def join_request_out(request: JoinRequest) -> dict[str, Any]:
    values = {name: getattr(request, name) for name in ("id", "organisation_id", "note", "created_at", "accepted")}
    return dict(JoinRequestOut({**values, "person": str(request.user)}).data)


def verification_out(request: VerificationRequest) -> dict[str, Any]:
    names = ("id", "organisation_id", "submitted_at", "decided_at", "accepted", "reason")
    values = {name: getattr(request, name) for name in names}
    return dict(VerificationOut({**values, "organisation_name": request.organisation.name}).data)


def token_out(token: ApiToken) -> dict[str, Any]:
    return dict(TokenOut(token).data)
