"""The size of a firm by the sector of its declared industry: in its facts, on pages, and never in what was promised before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.firms import loading
from billing.firms.rules.profile import party
from billing.settlement.services import assessing
from billing.subsidy.rules.codec import assessment_to_json, differences
from tests.billing.services.conftest import Life
from tests.conftest import slot_of

DAY = date(2026, 11, 25)
PLACE = {"region_code": "630104", "policy_zones": [], "valid_from": date(2026, 1, 1)}


def size_of(organisation: Any) -> str | None:
    known, keys = loading.known([organisation.pk])
    return party(known, keys[organisation.pk], None, DAY).size


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def page(coded: Any) -> Any:
    def get(language: str) -> str:
        client = Client()
        client.force_login(coded.users["zhao"])
        client.cookies["django_language"] = language
        return text(client.get(reverse("firm_facts", args=[coded.firm.pk])))

    return get


def test_the_declared_industry_says_which_figures_count(coded, verified, page):
    verified("figures", year=2025, staff=45, revenue_fen=8_000_000_00)
    assert size_of(coded.firm) == "small"
    assert "because no declared industry names another sector" in page("en")
    for code, size in (("F51", "micro"), ("K702", "micro"), ("H62", "small"), ("I65", "small")):
        verified("place", **PLACE, industry_code=code)
        assert size_of(coded.firm) == size
    shown = page("en")
    assert "Standard of 2011 for software and information technology." in shown
    assert "It looks at: staff 45, revenue ¥8,000,000." in shown
    assert "It is small from staff 10, revenue ¥500,000 on." in shown
    assert "It would be medium-sized only from staff 100, revenue ¥10,000,000 on." in shown
    assert "按 2011 年划型标准中的软件和信息技术服务业划型。" in page("zh-hans")


def test_a_sector_that_looks_at_assets_has_no_size_without_them(coded, verified, page):
    verified("place", **PLACE, industry_code="E4710")
    verified("figures", year=2025, staff=400, revenue_fen=70_000_000_00)
    assert size_of(coded.firm) is None
    assert "Not known without: total assets." in page("en")
    verified("figures", year=2025, assets_fen=60_000_000_00)
    assert size_of(coded.firm) == "medium"


def test_what_was_promised_keeps_its_size_and_replays_while_new_bookings_have_the_new_one(coded, verified, programmes):
    life = Life(coded)
    before = life.approve(life.ask(slot_of(9, 11)))
    verified("figures", year=2025, staff=18, revenue_fen=2_000_000_00)
    verified("place", **PLACE, industry_code="M73")
    charge = life.use(before)
    sizes = {each["facts"]["applicant"]["size"] for each in charge.inputs["candidates"]}
    assert sizes == {"micro"} and charge.deducted_fen > 0
    assert list(differences(charge.result, assessment_to_json(assessing.thaw(charge.inputs).assess()))) == []
    quoted = life.quote(life.ask(slot_of(13, 15)))
    assert {each["facts"]["applicant"]["size"] for each in quoted.inputs["candidates"]} == {"small"}


def test_the_self_test_goes_by_the_sector_and_says_so(programmes):
    asked = {
        "kind": "firm",
        "staff": "45",
        "revenue_yuan": "8000000",
        "region": "630104",
        "service": "instrument_use",
        "amount_yuan": "1000",
    }

    def shown(**more: str) -> str:
        return text(Client().get(reverse("eligibility"), asked | more, headers={"accept-language": "en"}))

    assert "Size class: small." in shown() and "Standard of 2011 for industry" in shown()
    software = shown(industry=" i65 ")
    assert "Standard of 2011 for software and information technology." in software
    assert "It looks at: staff 45, revenue ¥8,000,000." in software
    assert "Size class: micro." in shown(industry="K702")
    services = shown(industry="L72")
    assert "Size class: not known." in services and "Not known without: total assets." in services
    assert "Size class: medium-sized." in shown(industry="L72", size="medium")  # said by itself where the standard cannot
    assert "Size class: small." in shown(industry="L72", assets_yuan="1000000")
    assert Client().get(reverse("eligibility"), asked | {"industry": "mining"}).status_code == 422
