"""The pages on which a lab writes its prices: from the table in force to the published version, without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.pricing.models import PriceDraft, PriceFamily, PriceVersion
from billing.pricing.rules.typed import typed_of
from tests.conftest import PRICE

pytestmark = pytest.mark.django_db


def typed(**changes: Any) -> dict[str, Any]:
    return {**typed_of(PRICE), **changes}


def base(cast: Any) -> str:
    return f"/prices/instrument/{cast.xrd.pk}/"


def test_the_lab_sees_what_its_things_cost_and_since_when(as_: Any, cast: Any) -> None:
    for name in ("wang", "li"):
        page = as_(name).get("/prices/").content.decode()
        assert "X-ray diffractometer" in page and "¥200.00 – ¥500.00 / hour" in page
    shown = as_("li").get(base(cast)).content.decode()
    assert "In-house" in shown and "¥400.00" in shown and "At least 30 min are charged." in shown
    assert "Reference charging standard" in shown and "in force" in shown


@pytest.mark.parametrize("name", ["lin", "chen", "zhou"])
def test_others_are_refused_and_see_no_families(as_: Any, cast: Any, name: str) -> None:
    family = PriceFamily.objects.create(organisation=cast.lab, name="Ours", created_at=cast.now)
    assert as_(name).get("/prices/").status_code == 403
    assert as_(name).get(base(cast)).status_code == 403
    assert as_(name).get(f"/prices/family/{family.pk}/").status_code == 404
    assert as_(name).post(base(cast) + "draft/", typed(go="save")).status_code == 403


def test_a_price_is_written_looked_at_and_published_with_a_date(as_: Any, cast: Any) -> None:
    li = as_("li")
    form = li.get(base(cast) + "draft/").content.decode()
    assert 'name="class-0-rate"' in form and 'value="200"' in form
    sent = li.post(base(cast) + "draft/", typed(go="review", revision="0", **{"class-0-rate": "1000", "minimum_minutes": "60"}))
    assert (sent.status_code, sent["Location"]) == (302, base(cast) + "review/")
    review = li.get(sent["Location"]).content.decode()
    for words in (
        "more than doubles",
        "¥1,000.00",
        "At least 1 h are charged.",
        "Nothing was charged in this time.",
        "Least charge",
    ):
        assert words in review, words
    day = {"effective_from": "2026-12-01", "revision": "1"}
    refused = li.post(base(cast) + "review/", day)
    assert refused.status_code == 422 and "tick it" in refused.content.decode()
    code = next(iter(code for code, amount in PRICE["rates"].items() if amount == "200"))
    least = f"yes-{code}:/minimum/0:10000:100000"
    yes = {f"yes-{code}:standard:20000:100000": "on", least: "on"}
    past = li.post(base(cast) + "review/", {**day, "effective_from": "2020-01-01", **yes})
    assert past.status_code == 422 and "today or later" in past.content.decode()
    half = li.post(base(cast) + "review/", {**day, f"yes-{code}:standard:20000:100000": "on"})
    assert half.status_code == 422 and list(half.context["form"].errors) == [least]
    done = li.post(base(cast) + "review/", {**day, **yes})
    assert (done.status_code, done["Location"]) == (302, base(cast))
    version = PriceVersion.objects.get(instrument=cast.xrd, effective_from="2026-12-01")
    assert version.document["rates"][code] == "1000" and not PriceDraft.objects.exists()
    assert "from Tue 1 Dec 2026" in li.get(base(cast)).content.decode()


def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(as_: Any, cast: Any) -> None:
    li = as_("li")
    wrong = typed(
        go="review", revision="0", **{"class-1-rate": "a lot", "tax_percent": "200", "step-0-up_to": "5", "step-0-percent": "90"}
    )
    answer = li.post(base(cast) + "draft/", wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Give an amount in yuan" in page and "between 0 and 99" in page and "Steps end one above the other" in page
    assert 'value="a lot"' in page and 'aria-invalid="true"' in page
    again = li.get(base(cast) + "draft/").content.decode()
    assert 'value="a lot"' in again
    stale = li.post(base(cast) + "draft/", typed(go="save", revision="0", tax_percent="3"))
    assert stale.status_code == 409 and "Somebody else saved this price" in stale.content.decode()
    assert 'value="3"' in stale.content.decode()
    assert li.post(base(cast) + "draft/discard/").status_code == 302
    assert not PriceDraft.objects.exists()


@pytest.mark.parametrize("name", ["revision", "unit", "class-0-who", "class-999999999-rate", "operator_modes", "band-0-weekdays"])
@pytest.mark.parametrize("text", ["\x00", "9" * 400, "<b>", "١٢", "ſ"])
def test_no_text_breaks_the_form(as_: Any, cast: Any, name: str, text: str) -> None:
    answer = as_("li").post(base(cast) + "draft/", typed(go="review", **{"revision": "0", name: text}))
    assert answer.status_code in (302, 400, 409, 422)


def test_the_cost_sheet_fills_in_the_rates_that_it_proposes(as_: Any, cast: Any) -> None:
    li = as_("li")
    costs = {
        "cost-value": "800000",
        "cost-years": "5",
        "cost-units_a_year": "800",
        "cost-consumables": "300",
        "cost-labour": "214",
    }
    sent = typed(go="propose", revision="0", **costs, **{"cost-share-inside": "70"})
    assert li.post(base(cast) + "draft/", sent).status_code == 302
    kept = PriceDraft.objects.get(instrument=cast.xrd).typed
    rates = {kept[f"class-{row}-who"]: kept[f"class-{row}-rate"] for row in range(5)}
    assert rates["inside"] == "499.80" and rates["firm_sme"] == "714.00"
    review = li.get(base(cast) + "review/").content.decode()
    assert "Depreciation" in review and "¥714.00" in review


def test_a_family_is_made_filled_and_priced(as_: Any, cast: Any) -> None:
    wang = as_("wang")
    made = wang.post("/prices/families/new/", {"lab": cast.lab.pk, "name": "All X-ray"})
    family = PriceFamily.objects.get()
    assert made["Location"] == f"/prices/family/{family.pk}/"
    assert wang.post(f"/prices/family/{family.pk}/members/", {"member": f"instrument-{cast.xrd.pk}"}).status_code == 302
    page = wang.get(f"/prices/family/{family.pk}/").content.decode()
    assert "X-ray diffractometer" in page and "Take out" in page
    assert wang.post(f"/prices/family/{family.pk}/draft/", typed(go="review", revision="0")).status_code == 302
    done = wang.post(f"/prices/family/{family.pk}/review/", {"effective_from": "2026-12-05", "revision": "1"})
    assert done.status_code == 302
    assert PriceVersion.objects.get(effective_from="2026-12-05").family_id == family.pk
    assert "All X-ray" in wang.get("/prices/?what=family").content.decode()
    wang.post(f"/prices/family/{family.pk}/members/", {"member": f"instrument-{cast.xrd.pk}", "go": "remove"})
    assert not family.members.exists()
    for member in ("planet-1", "instrument-", "", "instrument-99999999999999999999"):
        assert wang.post(f"/prices/family/{family.pk}/members/", {"member": member}).status_code in (302, 404)


def test_a_document_that_the_form_cannot_say_is_not_flattened(as_: Any, cast: Any) -> None:
    document = {**PRICE, "format": 2, "unit": "hour", "rates": {"odd": "1", "rest": "2"},
                "classes": [{"code": "odd", "when": {"kinds": ["team", "firm"]}}, {"code": "rest"}]}  # fmt: skip
    PriceVersion.objects.create(instrument=cast.xrd, effective_from="2026-11-20", document=document, published_at=cast.now)
    answer = as_("li").get(base(cast) + "draft/")
    assert answer.status_code == 422 and "publish_price" in answer.content.decode()


def test_the_list_asks_as_often_for_many_things_as_for_one(as_: Any, cast: Any, twins: Any) -> None:
    li = as_("wang")
    li.get("/prices/")
    with CaptureQueriesContext(
        connection,
    ) as one:
        li.get("/prices/")
    twins(7)
    with CaptureQueriesContext(connection) as many:
        page = li.get("/prices/").content.decode()
    assert page.count("Twin") >= 7
    assert len(many) == len(one)


@pytest.fixture
def twins(cast: Any) -> Any:
    from instruments.models import Instrument

    def make(count: int) -> None:
        for number in range(count):
            made = Instrument.objects.create(
                organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name=f"Twin {number}",
                service_modes=["self_operated"], created_at=cast.now, updated_at=cast.now,
            )  # fmt: skip
            document = {**PRICE, "rates": {**PRICE["rates"], "team": str(400 + number)}}
            PriceVersion.objects.create(instrument=made, effective_from="2025-01-01", document=document, published_at=cast.now)

    return make
