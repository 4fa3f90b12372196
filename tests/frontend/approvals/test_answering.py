"""The page on which a lab says how it answers."""

from __future__ import annotations

from booking.models import Delegation, RejectReason
from config.kernel.access import Role
from instruments.models import Membership, User
from tests.frontend.acting import words


def colleague(cast) -> User:
    person = User.objects.create(email="tang@example.org", full_name="Tang", password="!", language="en")
    Membership.objects.create(user=person, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    return person


def test_a_lab_keeps_its_sentences_and_offers_them(as_, cast, ask):
    client = as_("wang")
    address = f"/approvals/settings/{cast.lab.pk}/sentences"
    assert "You are the only manager here" in words(client.get("/approvals/settings/"))
    client.post(address, {"text": ["The lamp broke.", ""], "text_en": ["", ""]})
    assert RejectReason.objects.get().text == "The lamp broke."
    ask(9, 10)
    text = words(client.get("/approvals/"))
    assert "The lamp broke." in text and "The operator is not available" not in text
    too_long = client.post(address, {"text": ["x" * 201], "text_en": [""]})
    assert too_long.status_code == 422 and "x" * 201 in too_long.content.decode()
    assert as_("lin").get("/approvals/settings/").status_code == 403


def test_a_colleague_stands_in_and_what_was_typed_wrongly_stays(as_, cast):
    person = colleague(cast)
    client, address = as_("wang"), f"/approvals/settings/{cast.lab.pk}/absence"
    refused = client.post(address, {"deputy": person.pk, "first_on": "2026-12-24", "last_on": "2026-12-20"})
    assert refused.status_code == 422 and 'value="2026-12-24"' in refused.content.decode()
    unreadable = client.post(address, {"deputy": "x", "first_on": "soon", "last_on": ""})
    assert unreadable.status_code == 422
    page = client.post(address, {"deputy": person.pk, "first_on": "2026-12-20", "last_on": "2026-12-24"}, follow=True)
    assert "Tang answers in the place of Wang" in words(page) and "Wang is not told meanwhile" in words(page)
    client.post(f"/approvals/absences/{Delegation.objects.get().pk}/end")
    assert "Tang answers in the place of Wang" not in words(client.get("/approvals/settings/"))
