"""The pages of organisations, verification and tokens: who sees what, typing kept on errors, nothing runs that was typed."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.kernel.access import Role
from config.kernel.models import ApiToken
from instruments.models import Invitation, JoinRequest, Organisation, VerificationRequest
from instruments.services.invitations import invite
from instruments.services.joining import request_to_join
from instruments.services.verification import submit_verification

from .conftest import USCC

PDF = b"%PDF-1.7\n%%EOF\n"
EVIL = "<script>alert('x')</script>"


@pytest.fixture(autouse=True)
def _settings(settings, tmp_path):
    settings.REQUIRE_MFA_FOR_OFFICIALS = False
    settings.LANGUAGE_CODE = "en"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }


@pytest.fixture
def browse(cast):
    """A logged-in browser of a person, in English."""

    def make(name: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.cookies["django_language"] = "en"
        if name != "nobody":
            client.force_login(cast.user(name))
        return client

    return make


def page(client: Client, name: str, *args, **query) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, (response.status_code, response.content[:500])
    return unescape(response.content.decode())


def test_my_organisations_with_what_comes_next(cast, browse):
    shown = page(browse("wool_admin"), "organisation_list")
    assert "Plateau Wool" in shown
    assert "hand in the licence" in shown
    assert "Salt Lake Chemicals" not in shown
    assert "You are in no organisation yet" in page(browse("outsider"), "organisation_list")


def test_a_suspended_organisation_is_listed_without_a_link(cast, browse):
    address = reverse("organisation_detail", args=[cast.wool_firm.pk])
    assert address in page(browse("wool_admin"), "organisation_list")
    Organisation.objects.filter(pk=cast.wool_firm.pk).update(status="suspended")
    shown = page(browse("wool_admin"), "organisation_list")
    assert "Plateau Wool" in shown and "Suspended" in shown and address not in shown


def test_a_firm_from_abroad_gives_its_own_number_instead_of_the_code(cast, browse):
    client, address = browse("outsider"), reverse("organisation_create") + "?kind=firm"
    assert client.post(address, {"name": "Fjord Metals"}).status_code == 422
    assert client.post(address, {"name": "Fjord Metals", "code_foreign-registration": "NO 923 609 016"}).status_code == 302


def test_founding_a_firm_leads_to_its_page(cast, browse):
    client = browse("outsider")
    assert "kind=firm" in page(client, "organisation_create")
    form = page(client, "organisation_create", kind="firm")
    assert 'name="code_uscc"' in form
    typed = {
        "name": "Kunlun Jade",
        "code_uscc": "91630202ma000004xg",
        "region_code": "630202",
        "staff_count": "8",
        "revenue_yuan": "1234567.89",
        "policy_zones": "Zone A\uff0cZone B",
    }
    response = client.post(reverse("organisation_create") + "?kind=firm", typed)
    firm = Organisation.objects.get(name="Kunlun Jade")
    assert response.url == reverse("organisation_detail", args=[firm.pk])
    assert (firm.annual_revenue_fen, firm.staff_count, firm.policy_zones) == (123456789, 8, ["Zone A", "Zone B"])
    assert firm.identifiers.get().value == "91630202MA000004XG"


def test_typing_is_kept_when_founding_is_refused(cast, browse):
    typed = {"name": "x" * 1000, "code_uscc": "91630202MA000004X1", "region_other": "abc", "staff_count": "-3", "address": EVIL}
    response = browse("outsider").post(reverse("organisation_create") + "?kind=firm", typed)
    body = response.content.decode()
    assert response.status_code == 422
    assert "x" * 1000 in body
    assert 'value="91630202MA000004X1"' in body
    assert EVIL not in body and "&lt;script&gt;" in body
    assert not Organisation.objects.filter(name__startswith="xxx").exists()


def test_every_service_reason_stands_at_its_field(cast, browse):
    typed = {"name": "y" * 300, "code_uscc": "123", "region_other": "abc"}
    body = browse("outsider").post(reverse("organisation_create") + "?kind=firm", typed).content.decode()
    for name in ("name", "code_uscc", "region_other"):
        assert f'id="id_{name}_problem"' in body


def test_a_taken_code_offers_to_join_and_that_works(cast, browse):
    client = browse("outsider")
    response = client.post(reverse("organisation_create") + "?kind=firm", {"name": "Salt again", "code_uscc": USCC["salt_firm"]})
    body = unescape(response.content.decode())
    assert response.status_code == 409
    assert "Ask to join Salt Lake Chemicals" in body
    action = re.search(r'action="(/organisations/\d+/join/)"', body).group(1)
    client.post(action, {"code": USCC["salt_firm"]})
    assert JoinRequest.objects.get().organisation == cast.salt_firm
    assert "You asked to join Salt Lake Chemicals" in page(client, "organisation_list")


def test_a_look_alike_is_confirmed_with_a_tick(cast, browse):
    client, address = browse("outsider"), reverse("organisation_create") + "?kind=team"
    assert b"accept_look_alike" not in client.get(address).content
    response = client.post(address, {"name": "Salt Lake Chemica1s"})
    assert response.status_code == 422
    assert b'name="accept_look_alike"' in response.content
    assert client.post(address, {"name": "Salt Lake Chemica1s", "accept_look_alike": "on"}).status_code == 302


def test_an_office_is_offered_to_operators_only(cast, browse):
    assert "kind=government" not in page(browse("outsider"), "organisation_create")
    assert "kind=government" in page(browse("operator"), "organisation_create")
    response = browse("outsider").post(reverse("organisation_create") + "?kind=government", {"name": "My Ministry"})
    assert not Organisation.objects.filter(name="My Ministry").exists()
    assert response.status_code == 200  # the choice of kinds again


def test_the_page_of_a_firm_is_for_its_people_and_officials(cast, browse):
    address = reverse("organisation_detail", args=[cast.salt_firm.pk])
    seen = {name: browse(name).get(address).status_code for name in cast.names}
    officials = {"salt_admin", "salt_researcher", "programme_officer", "finance", "inspector", "operator"}
    assert seen == {name: 200 if name in officials else 404 for name in cast.names}


def test_a_verified_owner_is_public_without_its_private_profile(cast, browse):
    Organisation.objects.filter(pk=cast.lake_institute.pk).update(bank_name="Bank of Golmud")
    for name in ("nobody", "outsider", "salt_admin"):
        shown = page(browse(name), "organisation_detail", cast.lake_institute.pk)
        assert USCC["lake_institute"] in shown
        for private in ("6222 0000 1111", "Bank of Golmud", "Staff", "Lab Manager"):
            assert private not in shown
    shown = page(browse("lab_manager"), "organisation_detail", cast.lake_institute.pk)
    assert "6222 0000 1111" in shown and "Lab Manager" in shown


def test_foreign_pages_do_not_exist(cast, browse, now):
    invitation = invite(cast.who("salt_admin"), cast.salt_firm.pk, "x@example.org", "researcher", now)
    asked = request_to_join(cast.who("outsider"), cast.salt_firm.pk, USCC["salt_firm"], "", now)
    handed = submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, PDF, now)
    client = browse("lab_manager")
    salt, researcher = cast.salt_firm.pk, cast.user("salt_researcher").pk
    for name, *args in [
        ("organisation_edit", salt),
        ("organisation_verify", salt),
        ("organisation_invite", salt),
        ("member_edit", salt, researcher),
        ("verification_licence", handed.pk),
        ("organisation_detail", 10**17),
    ]:
        assert client.get(reverse(name, args=args)).status_code == 404, name
    for name, *args in [
        ("invitation_withdraw", invitation.pk),
        ("join_request_decide", asked.pk),
        ("join_request", salt),
        ("member_remove", salt, researcher),
        ("organisation_invite", salt),
        ("organisation_edit", salt),
    ]:
        assert client.post(reverse(name, args=args), {"role": "researcher"}).status_code == 404, name
    assert client.get(reverse("verification_queue")).status_code == 403
    assert client.get(reverse("verification_decide", args=[handed.pk])).status_code == 403
    assert client.get(reverse("organisation_suspend", args=[salt])).status_code == 403


def test_a_number_beyond_the_database_is_not_found(cast, browse):
    for name in ("organisation_detail", "organisation_edit", "organisation_verify"):
        assert browse("operator").get(reverse(name, args=[10**30])).status_code == 404
    assert browse("operator").get(reverse("member_edit", args=[cast.office.pk, 10**30])).status_code == 404


def test_a_researcher_sees_the_firm_but_not_its_administration(cast, browse):
    client = browse("salt_researcher")
    shown = page(client, "organisation_detail", cast.salt_firm.pk)
    assert "Invite a colleague" not in shown and "salt_admin@example.org" not in shown
    for name in ("organisation_edit", "organisation_invite", "organisation_verify"):
        assert client.get(reverse(name, args=[cast.salt_firm.pk])).status_code == 403


def test_who_is_not_logged_in_is_led_to_logging_in(cast, browse):
    client = browse("nobody")
    for name, args in [
        ("organisation_list", []),
        ("organisation_create", []),
        ("organisation_join", []),
        ("organisation_edit", [1]),
        ("invitation_accept", ["abc"]),
        ("verification_queue", []),
        ("token_list", []),
        ("token_create", []),
    ]:
        response = client.get(reverse(name, args=args))
        assert response.status_code == 302 and response.url.startswith(reverse("account_login")), name


def test_a_profile_is_edited_and_a_new_region_asks_for_the_licence_again(cast, browse):
    client, address = browse("salt_admin"), reverse("organisation_edit", args=[cast.salt_firm.pk])
    body = client.get(address).content.decode()
    assert 'value="1000.00"' not in body and 'value="100000' in body
    typed = {"name": "Salt Lake Chemicals", "code_uscc": USCC["salt_firm"], "region_code": "632800", "staff_count": "12"}
    response = client.post(address, typed, follow=True)
    assert "has to be verified again" in unescape(response.content.decode())
    cast.salt_firm.refresh_from_db()
    assert (cast.salt_firm.status, cast.salt_firm.region_code) == ("claimed", "632800")
    response = client.post(address, {**typed, "name": ""})
    assert response.status_code == 422


def test_an_invitation_by_page(cast, browse, mails):
    client, address = browse("salt_admin"), reverse("organisation_invite", args=[cast.salt_firm.pk])
    response = client.post(address, {"email": "no address", "role": "researcher"})
    assert response.status_code == 422 and b"no address" in response.content
    assert client.post(address, {"email": "outsider@example.org", "role": "operator"}).status_code == 422
    client.post(address, {"email": "outsider@example.org", "role": "researcher"})
    assert "outsider@example.org" in page(client, "organisation_detail", cast.salt_firm.pk)
    link = re.search(r"/invitations/\S+", mails()[-1]["text"]).group(0)
    wrong = browse("wool_admin").get(link)
    assert (
        wrong.status_code == 422 and b"another e-mail address" in wrong.content and b'<form method="post">' not in wrong.content
    )
    guest = browse("outsider")
    assert "Salt Lake Chemicals" in unescape(guest.get(link).content.decode())
    assert guest.post(link).status_code == 302
    assert cast.who("outsider").has(Role.RESEARCHER)
    assert guest.post(link).status_code == 422
    assert guest.get("/invitations/unknown/").status_code == 404


def test_withdrawing_removes_the_invitation_from_the_page(cast, browse, now):
    row = invite(cast.who("salt_admin"), cast.salt_firm.pk, "x@example.org", "researcher", now)
    client = browse("salt_admin")
    client.post(reverse("invitation_withdraw", args=[row.pk]))
    client.get(reverse("organisation_list"))  # shows the message once
    assert "x@example.org" not in page(client, "organisation_detail", cast.salt_firm.pk)
    assert Invitation.objects.get().withdrawn_at is not None


def test_joining_by_code_on_the_pages(cast, browse):
    client = browse("outsider")
    response = client.get(reverse("organisation_join"), {"code": "nothing"})
    assert response.status_code == 422 and b'value="nothing"' in response.content
    shown = page(client, "organisation_join", code=USCC["salt_firm"].lower())
    assert "Salt Lake Chemicals" in shown and "6222" not in shown
    client.post(reverse("join_request", args=[cast.salt_firm.pk]), {"code": USCC["salt_firm"], "note": EVIL})
    admin = browse("salt_admin")
    raw = admin.get(reverse("organisation_detail", args=[cast.salt_firm.pk])).content.decode()
    assert EVIL not in raw and "&lt;script&gt;" in raw
    asked = JoinRequest.objects.get()
    admin.post(reverse("join_request_decide", args=[asked.pk]), {"decision": "accept", "role": "researcher"})
    assert cast.who("outsider").has(Role.RESEARCHER)
    too_long = client.post(reverse("join_request", args=[cast.lake_institute.pk]), {"note": "n" * 5000})
    assert too_long.status_code == 422


def test_roles_are_changed_and_members_removed_by_page(cast, browse):
    client, researcher = browse("salt_admin"), cast.user("salt_researcher")
    address = reverse("member_edit", args=[cast.salt_firm.pk, researcher.pk])
    assert client.post(address, {}).status_code == 422
    client.post(address, {"roles": ["researcher", "firm_admin"]})
    assert cast.who("salt_researcher").has(Role.FIRM_ADMIN)
    client.post(reverse("member_remove", args=[cast.salt_firm.pk, researcher.pk]))
    assert cast.who("salt_researcher").grants == ()
    last = client.post(reverse("member_remove", args=[cast.salt_firm.pk, cast.user("salt_admin").pk]))
    assert last.status_code == 422
    assert cast.who("salt_admin").has(Role.FIRM_ADMIN)


def test_a_licence_from_hand_in_to_verified(cast, browse, now):
    firm, address = browse("wool_admin"), reverse("organisation_verify", args=[cast.wool_firm.pk])
    bad = firm.post(address, {"file": SimpleUploadedFile("licence.pdf", b"<svg/>", content_type="application/pdf")})
    assert bad.status_code == 422 and b"must be a PDF" in bad.content
    assert firm.post(address, {}).status_code == 422
    assert firm.post(address, {"file": SimpleUploadedFile("e.pdf", b"")}).status_code == 422
    firm.post(address, {"file": SimpleUploadedFile("x.svg", PDF, content_type="image/svg+xml")})
    request = VerificationRequest.objects.get()
    assert "being checked" in page(firm, "organisation_detail", cast.wool_firm.pk)
    operator = browse("operator")
    assert "Plateau Wool" in page(operator, "verification_queue")
    assert USCC["wool_firm"] in page(operator, "verification_decide", request.pk)
    decide = reverse("verification_decide", args=[request.pk])
    unconfirmed = operator.post(decide, {"decision": "accept"})
    assert unconfirmed.status_code == 422
    without_reason = operator.post(decide, {"decision": "refuse", "confirmed": "on"})
    assert without_reason.status_code == 422 and b"Type the reason" in without_reason.content
    assert operator.post(decide, {"decision": "accept", "confirmed": "on"}).status_code == 302
    assert Organisation.objects.get(pk=cast.wool_firm.pk).status == "verified"
    assert operator.post(decide, {"decision": "refuse", "confirmed": "on", "reason": "late"}).status_code == 409


def test_a_licence_is_handed_out_as_a_download_that_no_browser_runs(cast, browse, now):
    handed = submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, PDF, now)
    for name in ("wool_admin", "operator"):
        response = browse(name).get(reverse("verification_licence", args=[handed.pk]))
        assert response.content == PDF
        assert response["Content-Disposition"].startswith("attachment;")
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in response["Cache-Control"]


def test_suspending_by_page_needs_a_reason(cast, browse):
    client, address = browse("operator"), reverse("organisation_suspend", args=[cast.salt_firm.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": ""}).status_code == 422
    client.post(address, {"reason": "fraud"})
    assert Organisation.objects.get(pk=cast.salt_firm.pk).status == "suspended"
    client.post(address, {"reason": "cleared"})
    assert Organisation.objects.get(pk=cast.salt_firm.pk).status == "claimed"


def test_a_token_is_shown_once_and_can_be_revoked(cast, browse):
    client = browse("salt_admin")
    refused = client.post(reverse("token_create"), {"name": EVIL, "scopes": []})
    assert refused.status_code == 422 and EVIL.encode() not in refused.content
    past = client.post(reverse("token_create"), {"name": "old", "scopes": ["read"], "expires_on": "2001-01-01"})
    assert past.status_code == 422
    created = client.post(reverse("token_create"), {"name": EVIL, "scopes": ["read", "book"], "expires_on": "2126-01-01"})
    assert created.status_code == 201 and "no-store" in created["Cache-Control"]
    key = re.search(r"jishi_[\w-]+", created.content.decode()).group(0)
    listed = client.get(reverse("token_list")).content.decode()
    assert key not in listed and EVIL not in listed and "&lt;script&gt;" in listed
    token = ApiToken.objects.get()
    assert browse("salt_researcher").post(reverse("token_revoke", args=[token.pk])).status_code == 404
    client.post(reverse("token_revoke", args=[token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_names_that_were_typed_never_run(cast, browse, now):
    Organisation.objects.filter(pk=cast.wool_firm.pk).update(name=EVIL, name_en=EVIL, address=EVIL, policy_zones=[EVIL])
    cast.user("wool_admin").full_name = EVIL
    cast.user("wool_admin").save()
    submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, PDF, now)
    invite(cast.who("wool_admin"), cast.wool_firm.pk, "x@example.org", "researcher", now)
    request = VerificationRequest.objects.get()
    wool = cast.wool_firm.pk
    visits = [
        ("wool_admin", "organisation_list", []),
        ("wool_admin", "organisation_detail", [wool]),
        ("wool_admin", "organisation_edit", [wool]),
        ("wool_admin", "organisation_invite", [wool]),
        ("wool_admin", "organisation_verify", [wool]),
        ("wool_admin", "member_edit", [wool, cast.user("wool_admin").pk]),
        ("operator", "organisation_detail", [wool]),
        ("operator", "organisation_suspend", [wool]),
        ("operator", "verification_queue", []),
        ("operator", "verification_decide", [request.pk]),
    ]
    for person, name, args in visits:
        response = browse(person).get(reverse(name, args=args))
        body = response.content.decode()
        assert response.status_code == 200, name
        assert EVIL not in body and "alert(&#x27;x&#x27;)" in body, name


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-30", "0001-01-01"])
def test_no_last_day_of_a_token_breaks_the_page(browse, day):
    client = browse("salt_researcher")
    made = client.post(reverse("token_create"), {"name": "t", "scopes": ["read"], "expires_on": day})
    assert made.status_code == (422 if day == "0001-01-01" else 201)
    assert client.get(reverse("token_list")).status_code == 200


def test_a_form_without_its_csrf_token_does_nothing(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.user("salt_admin"))
    response = client.post(reverse("token_create"), {"name": "t", "scopes": ["read"]})
    assert response.status_code == 403
    assert not ApiToken.objects.exists()
