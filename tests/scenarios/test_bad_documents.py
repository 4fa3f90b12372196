"""Every kind of bad document: each fault names its field and what to write instead, and nothing that was typed is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.ledger.rules.documents import DocumentError
from billing.models import FirmDeclaration, PriceVersion, ProgrammeDraft, ProgrammeVersion
from billing.pricing import drafts as price_drafts
from billing.pricing.rules.typed import typed_of
from billing.pricing.subjects import subject_for
from billing.subsidy.rules.programme import parse_programme
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import OrganisationIdentifier
from tests.conftest import PRICE, Cast, programme_document
from tests.frontend.acting import as_, clock

__all__ = ["as_", "clock"]
pytestmark = pytest.mark.django_db
DRAFTS = "/api/v1/programme-drafts/"
TIERS = [{"up_to": str(place + 1), "rate": "0.1"} for place in range(9_999)] + [{"rate": "0.1"}]

#: What is put in which place of a valid document -> the path that is named and a part of the sentence that says what to write instead.
BAD: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("a number without quotes", {"caps.0.limit": 0.5}, "$.caps[0].limit", "Write for example 500 or 499.99"),
    ("a word for a number", {"format": "one"}, "$.format", "Choose one of: 1"),
    ("a list for a text", {"code": ["DEMO"]}, "$.code", "What is needed: text"),
    ("a text for a list", {"gates": "none"}, "$.gates", "What is needed: a list"),
    ("a day that does not exist", {"validity.first_day": "2027-02-30"}, "$.validity.first_day", "Write for example 2026-12-31"),
    ("a rate over 1", {"rate.rate": "1.5"}, "$.rate.rate", "from 0 to 1: 0.4 is 40 %"),
    ("a share over 1", {"payers.shares.0.share": "2"}, "$.payers.shares[0].share", "from 0 to 1: 0.4 is 40 %"),
    ("a clause that is not there", {"rate.clause": "99"}, "$.rate.clause", "There is no clause “99”. Choose one of the clauses"),
    ("ten thousand tiers", {"rate": {"type": "tiers", "clause": "5", "tiers": TIERS}}, "$.rate.tiers", "At most 100 is allowed"),
    ("a field nobody knows", {"caps.0.limmit": "5"}, "$.caps[0].limmit", "Take it out, or use one of: clause"),
    ("money for the wrong side", {"settlement.payee": "firm"}, "$.settlement.payee", "Change the payee"),
    ("a cap of nobody", {"caps.0.payer": "moon"}, "$.caps[0].payer", "“moon” is not one of the payers. Choose one"),
)


def changed(document: Mapping[str, Any], places: Mapping[str, Any]) -> dict[str, Any]:
    made: Any = copy.deepcopy(dict(document))
    for path, value in places.items():
        *above, last = path.split(".")
        at = made
        for name in above:
            at = at[int(name)] if isinstance(at, list) else at[name]
        at[int(last) if isinstance(at, list) else last] = value
    return dict(made)


def send(client: Client, method: str, address: str, body: Any) -> Any:
    key = {"Idempotency-Key": str(uuid4()), "Accept-Language": "en"}
    return client.generic(method, address, json.dumps(body), content_type="application/json", headers=key)


def test_every_bad_programme_names_field_and_fix_and_the_draft_stays_as_typed(as_: Any, cast: Cast) -> None:
    chen, good = as_("chen"), programme_document("DEMO-QH-V")
    made = send(chen, "POST", DRAFTS, {"document": good}).json()
    address, revision = f"{DRAFTS}{made['id']}/", made["revision"]
    for what, places, path, fix in BAD:
        bad = changed(good, places)
        answer = send(chen, "PUT", address, {"revision": revision, "document": bad})
        assert answer.status_code == 200, (what, answer.content[:500])
        said = {each["path"]: each["sentence"] for each in answer.json()["flaws"]}
        assert path in said and fix in said[path], (what, said)
        revision = answer.json()["revision"]
        # Kept as typed, refused with the same place, and shown at its field; who writes JSON by hand is told the same place.
        assert chen.get(address).json()["document"] == bad, what
        refused = send(chen, "POST", address + "submit/", {"revision": revision})
        assert refused.status_code == 422 and path in {each["field"] for each in refused.json()["errors"]}, what
        with pytest.raises(DocumentError) as error:
            parse_programme(bad)
        assert any(fault.path == path and fault.message for fault in error.value.faults), (what, error.value.faults[:3])
    assert not ProgrammeVersion.objects.exists()

    # The last of them on the page, and a draft that cannot even be read as JSON.
    page = chen.get(reverse("programme_draft", args=[made["id"]]), headers={"Accept-Language": "en"}).content.decode()
    assert "“moon” is not one of the payers" in page
    stale = send(chen, "PUT", address, {"revision": 1, "document": good})
    assert stale.status_code == 409 and ProgrammeDraft.objects.get().revision == revision


def test_versions_that_overlap_are_refused_with_the_other_one_and_the_day_to_change(
    as_: Any, cast: Cast, programmes: Any
) -> None:
    chen, label = as_("chen"), programme_document("DEMO-QH-V")["version"]
    document = changed(programme_document("DEMO-QH-V"), {"version": "2025.2"})
    made = send(chen, "POST", DRAFTS, {"document": document}).json()
    refused = send(chen, "POST", f"{DRAFTS}{made['id']}/submit/", {"revision": made["revision"]})
    [error] = [each for each in refused.json()["errors"] if each["code"] == "programme.overlaps"]
    assert refused.status_code == 422 and error["field"].startswith("$.validity")
    assert label in error["detail"] and "Change the first or the last day" in error["detail"]
    assert chen.get(f"{DRAFTS}{made['id']}/").json()["document"] == document


def test_a_circle_of_controllers_is_refused_with_its_chain_and_nothing_is_kept_of_it(cast: Cast) -> None:
    codes = {cast.firm.pk: "91630100MA00000151", cast.other_firm.pk: "91630104MA0000023M"}
    for pk, code in codes.items():
        OrganisationIdentifier.objects.create(organisation_id=pk, scheme="uscc", value=code)

    def controls(who: str, firm: Any, by: Any) -> FirmDeclaration:
        content = {
            "party_kind": "organisation", "name": by.name, "uscc": codes[by.pk], "valid_from": date(2026, 1, 1), "valid_to": None,
        }  # fmt: skip
        return declaring.declare(cast.actor(who), firm.pk, Declaration("controller", content, b"%PDF-1.4 x"), cast.now)

    made = controls("zhao", cast.firm, cast.other_firm)
    declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)
    with pytest.raises(Refusal) as refused:
        controls("he", cast.other_firm, cast.firm)
    [reason] = refused.value.reasons
    assert (reason.code, reason.field) == ("firm.circle", "uscc")
    assert all(code in reason_sentence(reason) for code in codes.values())
    assert FirmDeclaration.objects.count() == 1


def test_a_price_of_ten_thousand_steps_and_a_wrong_tax_are_told_at_their_fields_and_stay_typed(cast: Cast) -> None:
    subject = subject_for(cast.actor("li"), "instrument", cast.xrd.pk)
    steps = {f"step-{place}-up_to": str(place + 1) for place in range(900)} | {
        f"step-{place}-percent": "90" for place in range(900)
    }
    typed = {**typed_of(PRICE), "tax_percent": "200", "class-0-rate": "a lot", **steps}
    kept = price_drafts.save_draft(cast.actor("li"), subject, typed, 0, cast.now)
    faults = dict(price_drafts.faults_of(subject, kept.typed))
    assert {"tax_percent", "class-0-rate"} <= set(faults) and all(fault.message for fault in faults.values())
    with pytest.raises(Refusal) as refused:
        price_drafts.publish_draft(cast.actor("li"), subject, subject.today(cast.now), (), kept.revision, cast.now)
    assert {reason.code for reason in refused.value.reasons} == {"price.invalid"}
    again = price_drafts.draft_of(subject)
    assert again is not None and again.typed["tax_percent"] == "200" and again.typed["step-899-up_to"] == "900"
    flood = {f"step-{place}-up_to": "1" for place in range(10_000)}
    with pytest.raises(Refusal, match="draft_too_large"):
        price_drafts.save_draft(cast.actor("li"), subject, {**typed, **flood}, kept.revision, cast.now + timedelta(minutes=1))
    assert price_drafts.draft_of(subject) == again and PriceVersion.objects.filter(instrument=cast.xrd).count() == 1
