from __future__ import annotations

import struct
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry, StoredFile
from config.kernel.services import files
from instruments.models import Membership, Notice, Organisation
from instruments.queries import next_step, verification_queue
from instruments.services import uploads
from instruments.services.organisation_facts import facts_of
from instruments.services.organisations import update_profile
from instruments.services.verification import decide_verification, licence_for, set_suspension, submit_verification

PDF = b"%PDF-1.7\n%%EOF\n"


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }


@pytest.fixture
def submitted(cast, now):
    return submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, PDF, now)


def picture(kind: str, extra: bytes = b"", size: tuple[int, int] = (40, 30)) -> bytes:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.new("RGB", size, "white").save(out, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return out.getvalue() + extra


def test_a_claimed_firm_becomes_verified(cast, now, submitted, mails):
    decide_verification(cast.who("operator"), submitted.pk, True, "", now)
    cast.wool_firm.refresh_from_db()
    assert (cast.wool_firm.status, cast.wool_firm.verified_at) == ("verified", now)
    entry = AuditEntry.objects.get(action="verification.decide")
    assert (entry.before, entry.after["status"]) == ({"status": "claimed"}, "verified")
    assert mails()[-1]["to"] == ["wool_admin@example.org"]


def test_a_refusal_needs_a_reason_that_the_firm_reads_and_it_may_try_again(cast, now, submitted, mails):
    for reason in ("", "   "):
        with pytest.raises(Refusal) as refusal:
            decide_verification(cast.who("operator"), submitted.pk, False, reason, now)
        assert codes(refusal) == {"verification.reason_needed"}
    decide_verification(cast.who("operator"), submitted.pk, False, "The scan is cut off", now)
    assert "The scan is cut off" in mails()[-1]["text"]
    assert Organisation.objects.get(pk=cast.wool_firm.pk).status == "claimed"
    asked = Notice.objects.filter(event="organisation.not_verified", needs_action=True)
    assert asked.count() == 1
    submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, PDF, now)
    assert not asked.exists()


def test_a_decision_is_made_once(cast, now, submitted):
    decide_verification(cast.who("operator"), submitted.pk, False, "No seal", now)
    with pytest.raises(Conflict):
        decide_verification(cast.who("operator"), submitted.pk, True, "", now)
    assert Organisation.objects.get(pk=cast.wool_firm.pk).status == "claimed"


def test_nobody_but_an_operator_decides(cast, now, submitted):
    for name in cast.names:
        if name != "operator":
            with pytest.raises(Forbidden):
                decide_verification(cast.who(name), submitted.pk, True, "", now)
            with pytest.raises(Forbidden):
                verification_queue(cast.who(name))


def test_an_operator_does_not_decide_about_their_own_firm(cast, now, submitted):
    Membership.objects.create(user=cast.user("operator"), organisation=cast.wool_firm, role="researcher", created_at=now)
    with pytest.raises(Forbidden) as refusal:
        decide_verification(cast.who("operator"), submitted.pk, True, "", now)
    assert codes(refusal) == {"verification.own_organisation"}
    Membership.objects.filter(user=cast.user("operator"), organisation=cast.wool_firm).delete()
    decide_verification(cast.who("operator"), submitted.pk, True, "", now)


def test_an_operator_does_not_decide_about_what_they_handed_in_before_leaving(cast, now):
    member = Membership.objects.create(user=cast.user("operator"), organisation=cast.wool_firm, role="firm_admin", created_at=now)
    request = submit_verification(cast.who("operator"), cast.wool_firm.pk, PDF, now)
    member.delete()
    with pytest.raises(Forbidden) as refusal:
        decide_verification(cast.who("operator"), request.pk, True, "", now)
    assert codes(refusal) == {"verification.own_organisation"}


def test_who_hands_in(cast, now):
    for name in cast.names:
        if name != "wool_admin":
            with pytest.raises((Forbidden, NotFound)):
                submit_verification(cast.who(name), cast.wool_firm.pk, PDF, now)


def test_one_licence_waits_at_a_time_and_a_verified_firm_hands_in_none(cast, now, submitted):
    with pytest.raises(Conflict):
        submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, PDF, now)
    with pytest.raises(Refusal) as refusal:
        submit_verification(cast.who("salt_admin"), cast.salt_firm.pk, PDF, now)
    assert codes(refusal) == {"verification.verified_already"}


def test_the_identity_is_frozen_while_the_licence_is_checked(cast, now, submitted):
    facts = facts_of(cast.wool_firm)
    with pytest.raises(Refusal) as refusal:
        update_profile(cast.who("wool_admin"), cast.wool_firm.pk, replace(facts, name="Other Wool"), now)
    assert codes(refusal) == {"organisation.change_while_verifying"}
    update_profile(cast.who("wool_admin"), cast.wool_firm.pk, replace(facts, address="1 Wool Road"), now)


def test_who_reads_the_licence(cast, submitted):
    for name in cast.names:
        if name in {"wool_admin", "operator", "inspector"}:
            stored, content = licence_for(cast.who(name), submitted.pk)
            assert (content, stored.media_type, stored.file_name) == (PDF, "application/pdf", f"licence-{cast.wool_firm.pk}.pdf")
            continue
        with pytest.raises(NotFound):
            licence_for(cast.who(name), submitted.pk)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_drawn_anew_without_what_was_hidden_in_it(cast, now, kind):
    handed_in = picture(kind, extra=b"<script>alert(1)</script>")
    request = submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, handed_in, now)
    kept = files.read(StoredFile.objects.get(pk=request.licence_id))
    assert b"script" in handed_in and b"script" not in kept
    assert b"secret place" not in kept
    assert Image.open(BytesIO(kept)).size == (40, 30)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "upload.empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "upload.unknown_type"),
        (b"<html>%PDF-1.7", "upload.unknown_type"),
        (b"GIF89a" + b"0" * 50, "upload.unknown_type"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "upload.unreadable_image"),
        (b"\xff\xd8\xff" + b"0" * 50, "upload.unreadable_image"),
        (b"PK\x03\x04zip", "upload.unknown_type"),
    ],
)
def test_other_files_are_refused_and_not_kept(cast, now, content, code):
    with pytest.raises(Refusal) as refusal:
        submit_verification(cast.who("wool_admin"), cast.wool_firm.pk, content, now)
    assert codes(refusal) == {code}
    assert not StoredFile.objects.exists()


def test_files_and_pictures_have_a_limit(settings, monkeypatch):
    settings.MAX_UPLOAD_BYTES = len(PDF)
    assert uploads.clean_document(PDF).media_type == "application/pdf"
    with pytest.raises(Refusal) as refusal:
        uploads.clean_document(PDF + b"1")
    assert codes(refusal) == {"upload.too_big"}
    settings.MAX_UPLOAD_BYTES = 10**6
    monkeypatch.setattr(uploads, "MAX_PIXELS", 1199)
    with pytest.raises(Refusal) as refusal:
        uploads.clean_document(picture("PNG"))
    assert codes(refusal) == {"upload.too_many_pixels"}


def test_a_picture_with_damaged_metadata_is_taken_and_turned():
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    unit_of_a_wrong_type = struct.pack("<HHII", 0x0128, 4, 1, 10**6)
    tags = b"II*\0" + struct.pack("<IH", 8, 2) + orientation + unit_of_a_wrong_type + bytes(4)
    exif = b"Exif\0\0" + tags
    plain = picture("JPEG", size=(8, 4))
    damaged = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    with Image.open(BytesIO(uploads.clean_image(damaged).content)) as taken:
        assert taken.size == (4, 8)


def test_of_a_file_that_is_too_big_only_so_much_is_read(settings):
    settings.MAX_UPLOAD_BYTES = 10
    sent = BytesIO(b"x" * 10_000)
    with pytest.raises(Refusal) as refusal:
        uploads.clean_document(uploads.received(sent))
    assert codes(refusal) == {"upload.too_big"}
    assert sent.tell() == 11


def test_a_picture_is_no_document_and_a_document_no_picture():
    with pytest.raises(Refusal):
        uploads.clean_image(PDF)
    assert uploads.clean_image(picture("PNG")).extension == "png"


def test_suspension_stops_all_rights_and_ends_unverified(cast, now):
    with pytest.raises(Forbidden):
        set_suspension(cast.who("inspector"), cast.salt_firm.pk, True, "fraud", now)
    with pytest.raises(Refusal):
        set_suspension(cast.who("operator"), cast.salt_firm.pk, True, " ", now)
    set_suspension(cast.who("operator"), cast.salt_firm.pk, True, "fraud", now)
    assert cast.who("salt_admin").grants == ()
    firm = set_suspension(cast.who("operator"), cast.salt_firm.pk, False, "cleared", now)
    assert firm.status == "claimed"
    with pytest.raises(Forbidden):
        set_suspension(cast.who("operator"), cast.office.pk, True, "lock everybody out", now)


def test_a_suspended_firm_cannot_be_accepted(cast, now, submitted):
    Organisation.objects.filter(pk=cast.wool_firm.pk).update(status="suspended")
    with pytest.raises(Refusal) as refusal:
        decide_verification(cast.who("operator"), submitted.pk, True, "", now)
    assert codes(refusal) == {"verification.suspended"}
    decide_verification(cast.who("operator"), submitted.pk, False, "Suspended", now)


def test_the_next_step_of_an_organisation():
    firm = Organisation(kind="firm", status="claimed")
    assert next_step(firm, False) == "complete_profile"
    firm.region_code, firm.staff_count = "630100", 3
    assert next_step(firm, False) == "hand_in_licence"
    assert next_step(firm, True) == "wait"
    firm.status = "verified"
    assert next_step(firm, False) == ""
    firm.status = "suspended"
    assert next_step(firm, False) == "suspended"
