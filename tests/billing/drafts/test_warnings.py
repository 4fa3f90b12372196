"""A gate that no booking can meet is said to the writer on every way to a draft, and keeps nobody from handing it in."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from billing.api.programme_drafts import draft_out
from billing.subsidy import drafts
from billing.subsidy.draft_models import DraftState
from tests.conftest import programme_document

pytestmark = pytest.mark.django_db
GATE = {
    "type": "condition",
    "clause": "2",
    "when": {"fact": "service.listed", "is": True},
    "says": {"zh": "服务已列入目录", "en": "The service is listed"},
}
SAID = "No booking can meet this gate, because the platform does not know of any: whether the service is listed."


def document(*, warned: bool):
    found = programme_document("DEMO-QH-V")
    for example in found["examples"]:
        example.setdefault("facts", {}).setdefault("service", {})["listed"] = True
    return found | {"gates": [*found["gates"], GATE]} if warned else found


@pytest.mark.parametrize("warned", [True, False])
def test_the_pages_and_the_interface_say_it_with_the_field(cast, warned):
    draft = drafts.start(cast.actor("chen"), document(warned=warned), cast.now)
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["chen"])
    for route in ("programme_draft_edit", "programme_draft"):
        page = client.get(reverse(route, args=[draft.pk]))
        assert page.status_code == 200 and (SAID in page.content.decode()) is warned
    last = len(draft.document["gates"]) - 1
    found = draft_out(draft, cast.now)
    assert found["flaws"] == []
    assert [each["path"] for each in found["warnings"]] == ([f"$.gates[{last}]"] if warned else [])


def test_it_can_be_handed_in_all_the_same(cast):
    draft = drafts.start(cast.actor("chen"), document(warned=True), cast.now)
    drafts.submit(cast.actor("chen"), draft.pk, draft.revision, cast.now)
    draft.refresh_from_db()
    assert draft.state == DraftState.SUBMITTED
