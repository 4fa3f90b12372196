"""Where none of a clause's alternatives is met, page, PDF and API say what did not hold in each."""

from __future__ import annotations

import subprocess
from itertools import chain
from typing import Any

import pytest
from django.utils import translation

from billing import wording
from billing.subsidy import services as subsidy
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.message_keys import MESSAGES
from billing.subsidy.rules.programme import parse_programme
from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence
from tests.conftest import programme_document
from tests.frontend.acting import words

CODE = "subsidy.unmet.alternatives"
SAID = {
    "en": (
        "None of the 2 alternatives of the clause is met. What does not hold: region (alternative 1);"
        " region, kind of service (alternative 2)."
    ),
    "zh-hans": "条款的 2 个可选条件均不满足。未满足的是：可选条件 1 的所在地区；可选条件 2 的所在地区、服务类型。",
}


def with_alternatives() -> dict[str, Any]:
    """DEMO-QH-V for applicants of Beijing, or verified ones of Shanghai that have something tested."""
    document = programme_document("DEMO-QH-V") | {"examples": []}

    def place(prefix: str) -> dict[str, Any]:
        return {"type": "region", "clause": "1", "subject": "applicant", "any_of": [{"code_prefix": prefix}]}

    verified = {"type": "verified_organisation", "clause": "1", "subject": "applicant"}
    testing = {"type": "service_kind", "clause": "1", "any_of": ["testing"]}
    gate = {"type": "any_of", "clause": "1", "alternatives": [[place("11")], [verified, place("31"), testing]]}
    return document | {"gates": [gate]}


def in_reading_order(pdf: bytes) -> str:
    """A cell after the other; ``-layout`` mixes the lines of cells that stand side by side."""
    return subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


@pytest.fixture
def refused(cast: Any, ask: Any) -> int:
    """A booking that the programme gives nothing for."""
    version = subsidy.draft_version(cast.actor("chen"), with_alternatives(), cast.now)
    subsidy.publish_version(cast.actor("sun"), version, cast.now)
    pk: int = ask(9, 12)
    return pk


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_and_the_pdf_of_a_quote_say_what_did_not_hold(as_: Any, refused: int, language: str) -> None:
    client = as_("lin")
    client.cookies["django_language"] = language
    page = client.get(f"/bookings/{refused}/", headers={"accept-language": language})
    assert SAID[language] in words(page)
    printed = in_reading_order(client.get(f"/bookings/{refused}/quote.pdf", headers={"accept-language": language}).content)
    assert "".join(SAID[language].split()) in "".join(printed.split())


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_api_says_it_too_and_keeps_the_codes(as_: Any, refused: int, language: str) -> None:
    facts = {
        "applicant": {"kind": "firm", "region_code": "630104", "verified": True},
        "service": {"kind": "instrument_use", "service_on": "2026-11-23"},
        "amounts": {"fee": "100"},
    }
    body = {"programme": "DEMO-QH-V", "facts": facts}
    client = as_("lin")
    client.cookies["django_language"] = language
    said = client.post(
        "/api/v1/programmes/evaluate/", body, content_type="application/json", headers={"accept-language": language}
    )
    (reason,) = said.json()["reasons"]
    assert (reason["code"], reason["sentence"]) == (CODE, SAID[language])
    assert reason["params"]["unmet"] == [
        ["subsidy.unmet.region"],
        ["subsidy.unmet.region", "subsidy.unmet.service_kind"],
    ]


def test_the_same_is_said_of_what_was_frozen_and_each_condition_once() -> None:
    params = {"count": 2, "unmet": [["subsidy.unmet.condition"] * 2, ["subsidy.unmet.fact_missing", "subsidy.unmet.later"]]}
    with translation.override("en"):
        said = wording.step_sentence(CODE, params)
        assert said.endswith(
            "What does not hold: condition of the clause (alternative 1);"
            " a fact that is not known, subsidy.unmet.later (alternative 2)."
        )
        assert reason_sentence(Reason(CODE, params)) == said


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_condition_has_a_word(language: str) -> None:
    with translation.override(language):
        found = {key: wording.condition_word(key) for key in MESSAGES if key.startswith("subsidy.unmet.")}
    assert len(found) > 20 and [key for key, word in found.items() if word == key] == []
    assert len(set(found.values())) == len(found)


def test_a_trial_names_every_condition_too() -> None:
    from frontend.presenters.sandbox import condition_word

    with translation.override("en"):
        assert condition_word(CODE) == "Alternatives of the clause"
        assert condition_word("subsidy.unmet.condition") == "Condition of the clause"


def test_the_record_of_the_engine_stays_as_it_is() -> None:
    programme = parse_programme(with_alternatives())
    facts = parse_facts({"applicant": {"region_code": "630104", "verified": True}, "service": {"kind": "instrument_use"}})
    found = [each for each in (condition.check(facts) for condition in programme.conditions) if getattr(each, "code", "") == CODE]
    assert set(chain.from_iterable(each.params for each in found)) == {"count", "unmet"}
