"""/api/v1/: the same services and the same access, as problem details."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from config.kernel.access import Role
from config.kernel.api.views import ApiView
from config.kernel.models import ApiToken, IdempotencyRecord
from instruments.models import Organisation
from instruments.services.tokens import MAX_VALID, issue_token

from .conftest import USCC

PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture(autouse=True)
def _settings(settings, tmp_path):
    settings.REQUIRE_MFA_FOR_OFFICIALS = False
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }


@pytest.fixture
def api(cast):
    """An API client of a person: with a browser session, or with a token of these scopes."""

    def make(name: str, *scopes: str) -> APIClient:
        client = APIClient()
        if scopes:
            _, key = issue_token(cast.who(name), "test", list(scopes), timezone.now())
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        elif name != "nobody":
            client.force_login(cast.user(name))
        return client

    return make


def codes(response) -> set[str]:
    assert response["Content-Type"] == "application/problem+json"
    return {error["code"] for error in response.json()["errors"]}


def test_me_is_the_person_with_their_grants(cast, api):
    body = api("salt_admin").get("/api/v1/me/").json()
    assert body["email"] == "salt_admin@example.org"
    assert body["grants"] == [{"organisation_id": cast.salt_firm.pk, "role": "firm_admin"}]
    assert body["token_scopes"] is None
    assert api("salt_admin", "read").get("/api/v1/me/").json()["token_scopes"] == ["read"]
    assert api("salt_admin").patch("/api/v1/me/", {"full_name": "Zhao"}, format="json").json()["full_name"] == "Zhao"


def test_nobody_is_asked_to_authenticate(cast, api):
    for path in ("me", "organisations", "tokens", "verification-requests"):
        assert api("nobody").get(f"/api/v1/{path}/").status_code == 401


def test_a_token_does_what_its_scopes_say_and_no_more(cast, api):
    reader = api("salt_admin", "read")
    assert reader.get("/api/v1/organisations/").status_code == 200
    refused = reader.patch(f"/api/v1/organisations/{cast.salt_firm.pk}/", {"staff_count": 99}, format="json")
    assert refused.status_code == 403 and codes(refused) == {"tokens.scope_needed"}
    booker = api("salt_admin", "book")
    assert booker.get("/api/v1/organisations/").status_code == 403
    manager = api("salt_admin", "manage", "read")
    assert manager.patch(f"/api/v1/organisations/{cast.salt_firm.pk}/", {"staff_count": 99}, format="json").status_code == 200
    cast.salt_firm.refresh_from_db()
    assert cast.salt_firm.staff_count == 99


def test_a_token_cannot_make_or_read_tokens(cast, api):
    every = api("salt_admin", "read", "book", "manage", "settle")
    for response in (
        every.get("/api/v1/tokens/"),
        every.post("/api/v1/tokens/", {"name": "x", "scopes": ["read"]}, format="json"),
    ):
        assert response.status_code == 403 and codes(response) == {"tokens.session_only"}
    assert ApiToken.objects.count() == 1


def test_a_revoked_expired_or_invented_token_is_nobody(cast, api):
    client = api("salt_admin", "read")
    ApiToken.objects.update(revoked_at=timezone.now())
    assert client.get("/api/v1/me/").status_code == 401
    ApiToken.objects.update(revoked_at=None, expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/v1/me/").status_code == 401
    ApiToken.objects.update(expires_at=None)
    assert client.get("/api/v1/me/").status_code == 200
    client.credentials(HTTP_AUTHORIZATION="Bearer jishi_invented")
    assert client.get("/api/v1/me/").status_code == 401


def test_a_person_who_was_deactivated_is_nobody_with_any_key(cast, api):
    clients = [api("salt_admin"), api("salt_admin", "read")]
    user = cast.user("salt_admin")
    user.is_active = False
    user.save()
    assert [client.get("/api/v1/me/").status_code for client in clients] == [401, 401]


def test_founding_reading_and_keeping_an_organisation(cast, api):
    client = api("outsider")
    created = client.post(
        "/api/v1/organisations/",
        {"kind": "firm", "name": "Kunlun Jade", "identifiers": {"uscc": "91630202MA000004XG"}, "annual_revenue_fen": 5},
        format="json",
    )
    body = created.json()
    assert created.status_code == 201
    assert (body["status"], body["my_roles"], body["profile"]["annual_revenue_fen"]) == ("claimed", ["firm_admin"], 5)
    assert [row["id"] for row in client.get("/api/v1/organisations/").json()["results"]] == [body["id"]]
    changed = client.patch(f"/api/v1/organisations/{body['id']}/", {"staff_count": 3}, format="json").json()
    assert (changed["profile"]["staff_count"], changed["identifiers"]) == (3, {"uscc": "91630202MA000004XG"})


def test_unknown_and_server_set_fields_are_refused(cast, api):
    client = api("salt_admin")
    for field, value in [("status", "verified"), ("verified_at", "2026-01-01"), ("kind", "government"), ("nme", "x"), ("id", 1)]:
        response = client.patch(f"/api/v1/organisations/{cast.salt_firm.pk}/", {field: value}, format="json")
        assert response.status_code == 400 and codes(response) == {"input.unknown"}, field
        assert response.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "body",
    ["[]", "[1]", '"x"', "null", "{", '{"name": null}', '{"name": {"a": 1}}', '{"staff_count": "many"}', '{"staff_count": 1e400}',
     '{"identifiers": ["uscc"]}', '{"identifiers": {"uscc": {"$ne": 1}}}', '{"policy_zones": "one"}', '{"name": "a\\u0000b"}',
     '{"staff_count": 99999999999999999999999}', '{"name": "\\ud800"}'],
)  # fmt: skip
def test_malformed_bodies_are_answered_and_never_break(cast, api, body):
    path = f"/api/v1/organisations/{cast.salt_firm.pk}/"
    response = api("salt_admin").patch(path, body, content_type="application/json")
    assert response.status_code in {400, 422}, response.content
    assert response["Content-Type"] == "application/problem+json"


def test_refusals_are_problem_details_with_every_reason(cast, api):
    response = api("outsider").post(
        "/api/v1/organisations/", {"kind": "firm", "name": "x" * 300, "identifiers": {"uscc": "1"}}, format="json"
    )
    assert response.status_code == 422
    assert codes(response) == {"name.too_long", "identifier.invalid"}
    taken = api("outsider").post(
        "/api/v1/organisations/", {"kind": "firm", "name": "New", "identifiers": {"uscc": USCC["salt_firm"]}}, format="json"
    )
    assert taken.status_code == 409
    assert (taken.json()["organisation_id"], taken.json()["name"]) == (cast.salt_firm.pk, "Salt Lake Chemicals")


def test_a_foreign_organisation_is_not_found_on_every_route(cast, api):
    client, base = api("wool_admin"), f"/api/v1/organisations/{cast.salt_firm.pk}"
    member = cast.user("salt_researcher").pk
    calls = [
        client.get(f"{base}/"),
        client.patch(f"{base}/", {"staff_count": 1}, format="json"),
        client.get(f"{base}/members/"),
        client.put(f"{base}/members/{member}/", {"roles": ["firm_admin"]}, format="json"),
        client.delete(f"{base}/members/{member}/"),
        client.get(f"{base}/invitations/"),
        client.post(f"{base}/invitations/", {"email": "a@b.org", "role": "researcher"}, format="json"),
        client.get(f"{base}/join-requests/"),
        client.post(f"{base}/join/", {"code": "wrong"}, format="json"),
        client.get(f"{base}/verification/"),
        client.post(f"{base}/verification/", {"file": SimpleUploadedFile("a.pdf", PDF)}),
        client.get("/api/v1/organisations/999999999999999999/"),
        client.get("/api/v1/verification-requests/1/"),
        client.delete("/api/v1/invitations/1/"),
        client.post("/api/v1/join-requests/1/decide/", {"accept": True, "role": "researcher"}, format="json"),
        client.delete("/api/v1/tokens/1/"),
    ]
    assert [call.status_code for call in calls] == [404] * len(calls)


def test_an_owner_is_public_without_its_profile(cast, api):
    body = api("wool_admin").get(f"/api/v1/organisations/{cast.lake_institute.pk}/").json()
    assert (body["name"], body["profile"]) == ("Lake Institute", None)
    assert "6222" not in str(body)
    assert api("inspector").get(f"/api/v1/organisations/{cast.lake_institute.pk}/").json()["profile"] is not None


def test_a_colleague_is_invited_listed_and_the_invitation_withdrawn(cast, api):
    client, base = api("salt_admin"), f"/api/v1/organisations/{cast.salt_firm.pk}"
    sent = client.post(f"{base}/invitations/", {"email": "new@example.org", "role": "researcher"}, format="json")
    assert sent.status_code == 201 and "token" not in str(sent.json())
    assert client.get(f"{base}/invitations/").json()["count"] == 1
    assert client.delete(f"/api/v1/invitations/{sent.json()['id']}/").status_code == 204
    assert client.get(f"{base}/invitations/").json()["count"] == 0


def test_joining_and_deciding(cast, api):
    asked = api("outsider").post(f"/api/v1/organisations/{cast.salt_firm.pk}/join/", {"code": USCC["salt_firm"]}, format="json")
    assert asked.status_code == 201
    admin = api("salt_admin")
    path = f"/api/v1/join-requests/{asked.json()['id']}/decide/"
    assert admin.get(f"/api/v1/organisations/{cast.salt_firm.pk}/join-requests/").json()["count"] == 1
    assert api("outsider").post(path, {"accept": True, "role": "firm_admin"}, format="json").status_code == 403
    assert admin.post(path, {"accept": True, "role": "researcher"}, format="json").json()["accepted"] is True
    assert cast.who("outsider").has(Role.RESEARCHER)
    member = f"/api/v1/organisations/{cast.salt_firm.pk}/members/{cast.user('outsider').pk}/"
    assert admin.put(member, {"roles": ["firm_admin"]}, format="json").json() == {"roles": ["firm_admin"]}
    assert admin.delete(member).status_code == 204
    assert cast.who("outsider").grants == ()


def test_verification_over_the_api(cast, api):
    firm, operator = api("wool_admin"), api("operator")
    path = f"/api/v1/organisations/{cast.wool_firm.pk}/verification/"
    handed = firm.post(path, {"file": SimpleUploadedFile("licence.pdf", PDF)})
    assert handed.status_code == 201
    request = f"/api/v1/verification-requests/{handed.json()['id']}/"
    assert operator.get("/api/v1/verification-requests/").json()["count"] == 1
    assert firm.get("/api/v1/verification-requests/").status_code == 403
    scan = operator.get(f"{request}licence/")
    assert scan.content == PDF and scan["Content-Disposition"].startswith("attachment")
    refused = operator.post(f"{request}decide/", {"accept": False}, format="json")
    assert codes(refused) == {"verification.reason_needed"}
    assert operator.post(f"{request}decide/", {"accept": True}, format="json").json()["accepted"] is True
    assert Organisation.objects.get(pk=cast.wool_firm.pk).status == "verified"


def test_tokens_over_the_api_show_the_key_once(cast, api):
    client = api("salt_admin")
    made = client.post("/api/v1/tokens/", {"name": "export", "scopes": ["read"]}, format="json")
    assert made.status_code == 201 and made.json()["key"].startswith("jishi_")
    listed = client.get("/api/v1/tokens/").json()["results"]
    assert [row["name"] for row in listed] == ["export"] and "key" not in listed[0]
    assert api("wool_admin").delete(f"/api/v1/tokens/{made.json()['id']}/").status_code == 404
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}/").status_code == 204
    for wrong in ({"scopes": ["root"]}, {"scopes": []}, {"expires_at": "2001-01-01T00:00:00Z"}, {"name": "a\u202eb"}):
        body = {"name": "export", "scopes": ["read"], **wrong}
        assert client.post("/api/v1/tokens/", body, format="json").status_code == 422, wrong


def test_valid_tokens_are_limited(cast, api):
    for _number in range(MAX_VALID):
        issue_token(cast.who("salt_admin"), "t", ["read"], timezone.now())
    refused = api("salt_admin").post("/api/v1/tokens/", {"name": "t", "scopes": ["read"]}, format="json")
    assert codes(refused) == {"tokens.too_many"}


def test_a_session_needs_its_csrf_token(cast):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(cast.user("salt_admin"))
    response = client.patch("/api/v1/me/", {"full_name": "Mallory"}, format="json")
    assert response.status_code == 403
    assert client.get("/api/v1/me/").json()["full_name"] == "Salt Admin"


def test_a_method_without_a_scope_is_closed_to_tokens():
    assert ApiView.token_scopes == {}


def test_an_action_runs_once_for_its_idempotency_key(cast, settings):
    from django.urls import path
    from rest_framework.response import Response

    ran = []

    class Ring(ApiView):
        def create(self, request, number):
            return self.once(request, "ring", lambda: {"times": len(ran) + (ran.append(1) or 1)})

    from types import ModuleType

    urls = ModuleType("ring_urls")
    urls.urlpatterns = [path("ring/<int:number>/", Ring.as_view({"post": "create"}))]
    settings.ROOT_URLCONF = urls
    client = APIClient()
    client.force_login(cast.user("salt_admin"))

    def ring(number: int, body: dict, **headers) -> Response:
        return client.post(f"/ring/{number}/", body, format="json", headers=headers)

    assert codes(ring(1, {})) == {"idempotency.key_missing"}
    first = ring(1, {"a": 1}, **{"Idempotency-Key": "k"})
    again = ring(1, {"a": 1}, **{"Idempotency-Key": "k"})
    assert (first.status_code, first.json(), "Idempotent-Replayed" in first) == (201, {"times": 1}, False)
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, {"times": 1}, "true")
    assert codes(ring(1, {"a": 2}, **{"Idempotency-Key": "k"})) == {"idempotency.other_payload"}
    assert codes(ring(2, {"a": 1}, **{"Idempotency-Key": "k"})) == {"idempotency.other_payload"}
    other = APIClient()
    other.force_login(cast.user("wool_admin"))
    assert other.post("/ring/1/", {"a": 1}, format="json", headers={"Idempotency-Key": "k"}).json() == {"times": 2}
    assert IdempotencyRecord.objects.count() == 2


def test_the_description_of_the_api_is_public_and_names_every_route(client, db):
    described = client.get("/api/v1/schema/").json()
    assert described["info"]["title"] == "Jishi API"
    for path in ("/api/v1/me/", "/api/v1/organisations/{id}/verification/", "/api/v1/tokens/{id}/"):
        assert path in described["paths"]
    assert set(described["components"]["securitySchemes"]) == {"session", "token", "deviceKey"}
