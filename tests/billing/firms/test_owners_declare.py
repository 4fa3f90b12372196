"""Owners of instruments declare labels and their controller, which programmes look at of the provider."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.firms import queries
from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.settlement.services.gathering import gather
from billing.subsidy.rules.facts import Party
from config.kernel.errors import Forbidden, NotFound, Refusal
from tests.billing.firms.conftest import HOLDING, PDF, controlled_by
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import published
from tests.conftest import programme_document, slot_of

__all__ = ["published"]
pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 25)
LABEL = {"label": "high_tech", "level": "national", "number": "GR1", "valid_from": date(2026, 1, 1)}
CERTIFIED = LABEL | {"label": "certified_provider", "level": "provincial"}


def declared(cast: Any, kind: str, who: str = "wang", accept: bool = True, **content: Any) -> Any:
    made = declaring.declare(cast.actor(who), cast.lab.pk, Declaration(kind, content, PDF), cast.now)
    return declaring.decide(cast.actor("zhou"), made.pk, accept, "" if accept else "Unreadable", cast.now)


def provider(cast: Any, on: date = DAY) -> Party:
    gathered = gather(cast.firm, [cast.lab.pk])
    return gathered.facts(cast.lab, Party(), cast.firm, "instrument_use", on, on).provider


def test_a_label_and_a_controller_of_a_lab_are_facts_of_the_provider(coded):
    assert (provider(coded).profile.labels, provider(coded).profile.controller) == ((), None)
    declared(coded, "label", **LABEL)
    declared(coded, "controller", **controlled_by(HOLDING))
    found = provider(coded).profile
    assert [(each.label, each.level, each.number) for each in found.labels] == [("high_tech", "national", "GR1")]
    assert found.controller == f"uscc:{HOLDING}"


def test_what_was_refused_counts_for_nothing(coded):
    declared(coded, "label", accept=False, **LABEL)
    assert provider(coded).profile.labels == ()


def test_a_firm_under_the_same_controller_is_related_to_the_lab(coded):
    def related() -> bool | None:
        gathered = gather(coded.firm, [coded.lab.pk])
        return gathered.applicant(coded.firm.pk, coded.lab.pk, DAY).profile.related_to_provider

    assert related() is False
    for who, organisation in (("wang", coded.lab), ("zhao", coded.firm)):
        made = declaring.declare(
            coded.actor(who), organisation.pk, Declaration("controller", controlled_by(HOLDING), PDF), coded.now
        )
        declaring.decide(coded.actor("zhou"), made.pk, True, "", coded.now)
    assert related() is True


def test_a_programme_that_asks_for_a_label_of_the_provider_pays_once_it_is_verified(coded, published):
    document = programme_document("DEMO-QH-V") | {"examples": []}
    when = {"fact": "provider.labels", "has_label": {"any_of": ["high_tech"]}}
    says = {"zh": "高新技术企业提供", "en": "Provided by a high-tech firm"}
    document["gates"].append({"type": "condition", "clause": document["clauses"][0]["id"], "when": when, "says": says})
    published(document)
    life = Life(coded)
    assert life.quote(life.ask(slot_of(9, 11))).deducted_fen == 0
    declared(coded, "label", **LABEL)
    assert life.quote(life.ask(slot_of(13, 15))).deducted_fen == 320_00


def test_a_provider_is_certified_by_its_label_while_that_holds(coded):
    assert provider(coded).profile.certified is False
    declared(coded, "label", **LABEL | {"label": "cnas"})
    assert provider(coded).profile.certified is False
    declared(coded, "label", accept=False, **CERTIFIED)
    assert provider(coded).profile.certified is False
    declared(coded, "label", **CERTIFIED, valid_to=date(2026, 11, 30))
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 11, 30), date(2026, 12, 1))
    assert [provider(coded, on).profile.certified for on in days] == [False, True, True, False]


def test_a_programme_that_asks_for_a_certified_provider_pays_once_it_is(coded, published):
    document = programme_document("DEMO-QH-V") | {"examples": []}
    when, says = {"fact": "provider.certified", "is": True}, {"zh": "机构经认定", "en": "The provider is certified"}
    document["gates"].append({"type": "condition", "clause": document["clauses"][0]["id"], "when": when, "says": says})
    published(document)
    life = Life(coded)
    assert life.quote(life.ask(slot_of(9, 11))).deducted_fen == 0
    declared(coded, "label", **CERTIFIED)
    assert life.quote(life.ask(slot_of(13, 15))).deducted_fen == 320_00


def test_a_firm_is_no_certified_provider(coded):
    with pytest.raises(Refusal) as refused:
        declaring.declare(coded.actor("zhao"), coded.firm.pk, Declaration("label", CERTIFIED, PDF), coded.now)
    assert [(each.code, each.field) for each in refused.value.reasons] == [("firm.label_unknown", "label")]


@pytest.mark.parametrize("kind", ["figures", "place", "affiliate"])
def test_an_owner_declares_nothing_else(coded, kind):
    with pytest.raises(Refusal) as refused:
        declaring.declare(coded.actor("wang"), coded.lab.pk, Declaration(kind, {"year": 2025, "staff": 3}, PDF), coded.now)
    assert [(each.code, each.field) for each in refused.value.reasons] == [("firm.not_of_owners", "kind")]


@pytest.mark.parametrize("who", ["qian", "zhao", "lin", "chen", "zhou"])
def test_only_who_administers_the_lab_declares_for_it(coded, who):
    with pytest.raises((Forbidden, NotFound)):
        declaring.declare(coded.actor(who), coded.lab.pk, Declaration("label", LABEL, PDF), coded.now)


def test_what_a_lab_declares_is_read_by_its_administrators_and_officials_alone(coded):
    made = declared(coded, "label", **LABEL)
    for who in ("wang", "zhou", "qian"):
        assert queries.declaration_for(coded.actor(who), made.pk).pk == made.pk
    for who in ("zhao", "lin", "he"):
        with pytest.raises(NotFound):
            queries.declaration_for(coded.actor(who), made.pk)
