"""/api/v1/me, /organisations, /invitations, /join-requests, /verification-requests, /tokens."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from config.kernel.api.views import ApiView
from config.kernel.http import attachment
from config.kernel.models import ApiToken
from instruments import queries
from instruments.api import serializers as shapes
from instruments.models import Invitation, JoinRequest, Organisation, User, VerificationRequest
from instruments.services import invitations, joining, members, organisations, people, tokens, uploads, verification
from instruments.services.organisation_facts import OrganisationFacts, facts_of

READ_MANAGE = {"GET": "read", "POST": "manage", "PATCH": "manage", "PUT": "manage", "DELETE": "manage"}
FACTS = tuple(field.name for field in fields(OrganisationFacts))


def facts_in(values: dict[str, Any]) -> dict[str, Any]:
    """Those of the validated values that are facts, in the types of ``OrganisationFacts``."""
    given = {name: values[name] for name in FACTS if name in values}
    if "policy_zones" in given:
        given["policy_zones"] = tuple(given["policy_zones"])
    return given


class MeView(ApiView):
    """The person behind the session or token."""

    token_scopes = READ_MANAGE
    queryset = User.objects.none()
    serializer_class = shapes.MePatch

    @extend_schema(responses=shapes.MeOut)
    def retrieve(self, request: Request) -> Response:
        return Response(self._shown(queries.person(self.actor)))

    @extend_schema(responses=shapes.MeOut)
    def partial_update(self, request: Request) -> Response:
        values, user = self.valid(request), queries.person(self.actor)
        name, language = values.get("full_name", user.full_name), values.get("language", user.language)
        return Response(self._shown(people.update_person(self.actor, name, language, self.now)))

    def _shown(self, user: User) -> dict[str, Any]:
        scopes = None if self.actor.token_scopes is None else sorted(self.actor.token_scopes)
        values = {name: getattr(user, name) for name in ("id", "email", "full_name", "language")}
        return dict(shapes.MeOut({**values, "grants": self.actor.grants, "token_scopes": scopes}).data)


class OrganisationView(ApiView):
    """Organisations: mine, one that I may see, founding one, keeping its profile and its people."""

    token_scopes = READ_MANAGE
    queryset = Organisation.objects.none()
    serializer_class = shapes.OrganisationPatch
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": shapes.OrganisationIn,
        "invitations": shapes.InvitationIn,
        "join": shapes.JoinIn,
        "verification": shapes.LicenceIn,
        "member": shapes.RolesIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, shapes.OrganisationPatch)

    @extend_schema(responses=shapes.OrganisationOut(many=True))
    def list(self, request: Request) -> Response:
        """The organisations in which I have a role."""
        mine = [row.organisation.pk for row in queries.my_organisations(self.actor)]
        rows = queries.organisations_visible(self.actor).filter(pk__in=mine)
        return self.paged(rows, lambda row: shapes.organisation_out(self.actor, row))

    @extend_schema(responses={201: shapes.OrganisationOut})
    def create(self, request: Request) -> Response:
        values = self.valid(request)
        created = organisations.create_organisation(
            self.actor,
            values["kind"],
            OrganisationFacts(**facts_in(values)),
            self.now,
            accept_look_alike=values["accept_look_alike"],
        )
        self.read_actor(request)
        return Response(shapes.organisation_out(self.actor, created), status=201)

    @extend_schema(responses=shapes.OrganisationOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.organisation_out(self.actor, queries.organisation_for(self.actor, int(pk))))

    @extend_schema(responses=shapes.OrganisationOut)
    def partial_update(self, request: Request, pk: str) -> Response:
        values = self.valid(request)
        facts = replace(facts_of(queries.organisation_for(self.actor, int(pk))), **facts_in(values))
        organisations.update_profile(
            self.actor, int(pk), facts, self.now, accept_look_alike=values.get("accept_look_alike", False)
        )
        return self.retrieve(request, pk)

    @extend_schema(responses=shapes.MemberOut(many=True))
    @action(detail=True, methods=["get"])
    def members(self, request: Request, pk: str) -> Response:
        found = queries.organisation_for(self.actor, int(pk))
        return self.paged(queries.members_of(self.actor, found), shapes.member_out)

    @extend_schema(methods=["PUT"], responses=shapes.RolesIn)
    @extend_schema(methods=["DELETE"], responses={204: None})
    @action(detail=True, methods=["put", "delete"], url_path="members/(?P<user_id>[0-9]{1,18})")
    def member(self, request: Request, pk: str, user_id: str) -> Response:
        """PUT sets exactly these roles; DELETE removes the person (or lets oneself leave)."""
        if request.method == "DELETE":
            members.remove_member(self.actor, int(pk), int(user_id), self.now)
            return Response(status=204)
        roles = self.valid(request)["roles"]
        return Response({"roles": members.change_roles(self.actor, int(pk), int(user_id), roles, self.now)})

    @extend_schema(methods=["GET"], responses=shapes.InvitationOut(many=True))
    @extend_schema(methods=["POST"], responses={201: shapes.InvitationOut})
    @action(detail=True, methods=["get", "post"])
    def invitations(self, request: Request, pk: str) -> Response:
        """GET: open invitations. POST: invite somebody by e-mail; the link goes to that address only."""
        if request.method == "POST":
            values = self.valid(request)
            sent = invitations.invite(self.actor, int(pk), values["email"], values["role"], self.now)
            return Response(shapes.invitation_out(sent), status=201)
        found = queries.organisation_for(self.actor, int(pk))
        return self.paged(queries.open_invitations(self.actor, found, self.now), shapes.invitation_out)

    @extend_schema(responses=shapes.JoinRequestOut(many=True))
    @action(detail=True, methods=["get"], url_path="join-requests")
    def join_requests(self, request: Request, pk: str) -> Response:
        found = queries.organisation_for(self.actor, int(pk))
        return self.paged(queries.open_join_requests(self.actor, found), shapes.join_request_out)

    @extend_schema(responses={201: shapes.JoinRequestOut})
    @action(detail=True, methods=["post"])
    def join(self, request: Request, pk: str) -> Response:
        """Ask to join: an organisation that I see, or whose code I know."""
        values = self.valid(request)
        asked = joining.request_to_join(self.actor, int(pk), values["code"], values["note"], self.now)
        return Response(shapes.join_request_out(asked), status=201)

    @extend_schema(methods=["GET"], responses=shapes.VerificationOut(many=True))
    @extend_schema(methods=["POST"], responses={201: shapes.VerificationOut})
    @action(detail=True, methods=["get", "post"], parser_classes=[MultiPartParser])
    def verification(self, request: Request, pk: str) -> Response:
        """GET: the licences handed in. POST (multipart): hand one in."""
        if request.method == "POST":
            content = uploads.received(self.valid(request)["file"])
            submitted = verification.submit_verification(self.actor, int(pk), content, self.now)
            return Response(shapes.verification_out(submitted), status=201)
        found = queries.organisation_for(self.actor, int(pk))
        return self.paged(queries.verification_requests(self.actor, found), shapes.verification_out)


class InvitationView(ApiView):
    """Withdrawing an invitation."""

    token_scopes = READ_MANAGE
    queryset = Invitation.objects.none()
    serializer_class = shapes.InvitationOut

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        invitations.withdraw_invitation(self.actor, int(pk), self.now)
        return Response(status=204)


class JoinRequestView(ApiView):
    """Deciding about somebody who asks to join."""

    token_scopes = READ_MANAGE
    queryset = JoinRequest.objects.none()
    serializer_class = shapes.JoinDecisionIn

    @extend_schema(responses=shapes.JoinRequestOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        values = self.valid(request)
        decided = joining.decide_join_request(self.actor, int(pk), values["accept"], values["role"], self.now, values["reason"])
        return Response(shapes.join_request_out(decided))


class VerificationView(ApiView):
    """The operator's queue of licences."""

    token_scopes = READ_MANAGE
    queryset = VerificationRequest.objects.none()
    serializer_class = shapes.DecisionIn

    @extend_schema(responses=shapes.VerificationOut(many=True))
    def list(self, request: Request) -> Response:
        return self.paged(queries.verification_queue(self.actor), shapes.verification_out)

    @extend_schema(responses=shapes.VerificationOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.verification_out(queries.verification_request_for(self.actor, int(pk))))

    @extend_schema(responses=shapes.VerificationOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        values = self.valid(request)
        decided = verification.decide_verification(self.actor, int(pk), values["accept"], values["reason"], self.now)
        return Response(shapes.verification_out(decided))

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def licence(self, request: Request, pk: str) -> HttpResponse:
        """The licence scan, as an attachment."""
        stored, content = verification.licence_for(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)


class TokenView(ApiView):
    """My API tokens; only in a browser session, so that a token cannot make more of itself."""

    queryset = ApiToken.objects.none()
    serializer_class = shapes.TokenIn

    @extend_schema(responses=shapes.TokenOut(many=True))
    def list(self, request: Request) -> Response:
        return self.paged(queries.tokens_of(self.actor), shapes.token_out)

    @extend_schema(responses={201: shapes.NewTokenOut})
    def create(self, request: Request) -> Response:
        values = self.valid(request)
        name, scopes, expires_at = values["name"], values["scopes"], values["expires_at"]
        token, key = tokens.issue_token(self.actor, name, scopes, self.now, expires_at)
        return Response({**shapes.token_out(token), "key": key}, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        tokens.revoke_token(self.actor, int(pk), self.now)
        return Response(status=204)
