"""The pages of resources: everybody reads, the lab keeps, what was typed stays when it is refused, all of it without JavaScript."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.pricing import sample_prices
from instruments.models import Resource, ResourceRequest, TestItem
from instruments.queries import resources as queries
from instruments.services import resources
from tests.instruments.registry.conftest import make_owner

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 23)


@pytest.fixture
def test_item(cast: Any) -> Resource:
    part = {
        "condition": "Li & Mg",
        "analytes": [{"name": "Li", "limit": "0.02", "unit": "mg/L"}],
        "turnaround_days": 5,
        "instrument_ids": [cast.xrd.pk],
        "qualifications": [{"scheme": "CNAS", "certificate_number": "L1", "valid_to": date(2020, 1, 1)}],
    }
    core = {"name": "Brine <b>elements</b>", "access_terms": "Mind the acid.", "published": True}
    made = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", core, part, cast.now)
    sample_prices.publish_test_price(cast.actor("li"), made, "element", 4_000, {"firm_large": 5_000}, ON, cast.now, ON)
    return made


def test_everybody_reads_what_is_measured_with_what_and_that_an_accreditation_ran_out(
    client: Client, test_item: Resource
) -> None:
    page = client.get(f"/resources/{test_item.pk}/", headers={"Accept-Language": "en"}).content.decode()
    for words in (
        "Brine &lt;b&gt;elements",
        "Li &amp; Mg",
        "0.02 mg/L",
        "X-ray diffractometer",
        "Expired",
        "¥40.00",
        "Mind the acid.",
    ):
        assert words in page, words
    assert "<b>elements" not in page
    assert "Log in" in page and "sample-quote-form" not in page


def test_a_customer_sees_the_four_numbers_with_and_without_htmx(
    as_: Any, cast: Any, programmes: Any, test_item: Resource
) -> None:
    browser = as_("lin")
    whole = browser.get(f"/resources/{test_item.pk}/?samples=12&elements=2").content.decode()
    piece = browser.get(
        f"/resources/{test_item.pk}/quote/?samples=12&elements=2", headers={"HX-Request": "true"}
    ).content.decode()
    for page in (whole, piece):
        assert "24 × ¥40.00" in page and "¥960.00" in page and "Final cost" in page
    led = browser.get(f"/resources/{test_item.pk}/quote/?samples=12")
    assert (led.status_code, led["Location"]) == (302, f"/resources/{test_item.pk}/?samples=12")


@pytest.mark.parametrize("samples", ["0", "-1", "abc", "9" * 40, "1e3", "", "١٢"])
def test_numbers_that_cannot_be_read_get_a_sentence(as_: Any, cast: Any, test_item: Resource, samples: str) -> None:
    answer = as_("lin").get(f"/resources/{test_item.pk}/", {"samples": samples})
    assert answer.status_code == 200
    assert "between 1 and" in answer.content.decode()


def test_a_promise_for_more_samples_than_anybody_brings_is_none_and_costs_nothing(cast: Any, test_item: Resource) -> None:
    TestItem.objects.filter(pk=test_item.pk).update(turnaround_days=5, daily_capacity=1)
    answer = Client().get(f"/resources/{test_item.pk}/", {"samples": "999999999"})
    assert answer.status_code == 200
    assert answer.context["promised_on"] is None


def test_an_edit_keeps_every_qualification_and_the_places_of_what_is_measured(as_: Any, cast: Any, test_item: Resource) -> None:
    analytes = [{"name": "Li", "limit": "", "unit": "mg/L"}]
    certificates = [
        {"scheme": "CMA", "certificate_number": str(number), "valid_from": None, "valid_to": None} for number in range(6)
    ]
    core, part = {"keywords": ["1,10-phenanthroline", "b"]}, {"analytes": analytes, "qualifications": certificates}
    resources.update_resource(cast.actor("wang"), test_item.pk, core, part, cast.now)
    edit = as_("wang").get(f"/resources/{test_item.pk}/edit/")
    typed = {name: value for name, value in edit.context["form"].initial.items() if value not in (None, False, "", [])}
    assert as_("wang").post(f"/resources/{test_item.pk}/edit/", typed | {"description": "New"}).status_code == 302
    again = queries.resource_for(cast.actor("wang"), test_item.pk)
    assert (again.description, again.keywords, again.test_item.analytes) == ("New", core["keywords"], analytes)
    assert again.test_item.qualifications.count() == 6


def test_what_is_measured_is_typed_as_it_may_stand_in_a_list(as_: Any, cast: Any) -> None:
    """The form and the imports share one rule: plain names behind commas are several, a comma within a name is part of it."""
    typed = "Li, Mg\r\n2,4-D\r\nNa 0.05 mg/L\r\nK; 0.1; mg/L\r\n1,2-dichloroethane, cis;"
    wang = as_("wang")
    assert wang.post("/resources/new/test_item/", {"name": "Salts", "analytes": typed}).status_code == 302
    item = queries.resource_for(cast.actor("wang"), Resource.objects.get().pk)
    measured = [(one["name"], one["limit"], one["unit"]) for one in item.test_item.analytes]
    assert measured == [
        ("Li", "", ""), ("Mg", "", ""), ("2,4-D", "", ""), ("Na", "0.05", "mg/L"), ("K", "0.1", "mg/L"),
        ("1,2-dichloroethane, cis", "", ""),
    ]  # fmt: skip
    edit = wang.get(f"/resources/{item.pk}/edit/")
    sent = {name: value for name, value in edit.context["form"].initial.items() if value not in (None, False, "", [])}
    assert wang.post(f"/resources/{item.pk}/edit/", sent).status_code == 302
    again = queries.resource_for(cast.actor("wang"), item.pk)
    assert (again.test_item.analytes, again.updated_at) == (item.test_item.analytes, item.updated_at)


def test_columns_that_no_field_takes_are_for_those_who_manage_it(as_: Any, cast: Any, test_item: Resource) -> None:
    Resource.objects.filter(pk=test_item.pk).update(attributes={"donor's telephone": "13900000000"})
    for browser, seen in ((Client(), False), (as_("lin"), False), (as_("wang"), True)):
        for path in (f"/resources/{test_item.pk}/", f"/api/v1/resources/{test_item.pk}/"):
            assert ("13900000000" in browser.get(path).content.decode()) is seen, path


FORMS: dict[str, dict[str, str]] = {
    "test_item": {
        "name": "Rare earths", "analytes": "La; 0.01; mg/kg\nCe", "turnaround_days": "7", "scheme_0": "CMA", "keywords": "ICP, 稀土、soil",
    },
    "germplasm": {"ACCENUMB": "QH-1", "GENUS": "Hordeum", "SAMPSTAT": "300", "COLLDATE": "1988----"},
    "germplasm/?standard=dwc": {"catalogNumber": "Y-1", "scientificName": "Bos grunniens"},
    "dataset": {"name": "Brine", "creators": "Wang\nLi", "media_types": "text/csv, application/zip", "size_bytes": "12"},
    "literature": {"name": "On lithium", "creators": "Zhou", "type": "article", "issued": "2024-03"},
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_a_lab_adds_and_edits_each_kind(as_: Any, cast: Any, kind: str) -> None:
    browser = as_("wang")
    path = f"/resources/new/{kind}" + ("" if "?" in kind else "/")
    assert browser.get(path).status_code == 200
    answer = browser.post(path, FORMS[kind])
    assert answer.status_code == 302, answer.content.decode()
    made = queries.resource_for(cast.actor("wang"), Resource.objects.get().pk)
    assert not made.published
    assert browser.get(f"/resources/{made.pk}/").status_code == 200
    edit = browser.get(f"/resources/{made.pk}/edit/")
    assert edit.status_code == 200
    typed = {name: value for name, value in edit.context["form"].initial.items() if value not in (None, False, "", [])}
    answer = browser.post(f"/resources/{made.pk}/edit/", typed)
    assert answer.status_code == 302, answer.context["form"].errors
    again = queries.resource_for(cast.actor("wang"), made.pk)
    assert again.updated_at == made.updated_at  # the form shows what is stored: sent back as it is, nothing changes
    if kind == "test_item":
        assert again.test_item.analytes == [
            {"name": "La", "limit": "0.01", "unit": "mg/kg"},
            {"name": "Ce", "limit": "", "unit": ""},
        ]
        assert again.keywords == ["ICP", "稀土", "soil"]


def test_what_is_refused_stands_at_its_field_and_keeps_what_was_typed(as_: Any, cast: Any) -> None:
    answer = as_("wang").post(
        "/resources/new/germplasm/", {"ACCENUMB": "QH-1", "COLLDATE": "1988", "LATITUDE": "north", "description": "Kept"}
    )
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"COLLDATE", "LATITUDE"}
    page = answer.content.decode()
    assert 'value="1988"' in page and "Kept" in page
    assert as_("wang").get("/resources/new/planet/").status_code == 404


def test_a_price_is_published_and_a_bad_one_stays_in_the_form(as_: Any, cast: Any, test_item: Resource) -> None:
    browser = as_("li")
    path = f"/resources/{test_item.pk}/price/"
    today = browser.get(path).context["form"].initial["effective_from"].isoformat()
    bad = browser.post(path, {"unit": "sample", "amount": "a lot", "effective_from": today})
    assert bad.status_code == 422 and "a lot" in bad.content.decode()
    typed = {"unit": "sample", "amount": "80.50", "effective_from": today, "class_team": "60"}
    asked = browser.post(path, typed)  # another unit is asked about class by class
    keys = asked.context["form"].large
    assert asked.status_code == 422 and "80.50" in asked.content.decode() and "is for another unit" in asked.content.decode()
    assert len(keys) == 5 and asked.content.decode().count("Look at this change") == 2 * len(keys)
    ticked = {f"yes-{key}": "on" for key in keys}
    one_short = browser.post(path, typed | dict(list(ticked.items())[1:]))
    assert one_short.status_code == 422 and list(one_short.context["form"].errors) == [f"yes-{keys[0]}"]
    good = browser.post(path, typed | ticked)
    assert good.status_code == 302
    found = sample_prices.in_force([test_item.pk], date.fromisoformat(today))[test_item.pk]
    assert (found.unit, found.price.amount_fen, found.price.class_fen) == ("sample", 8_050, {"team": 6_000})


def test_a_request_goes_its_way_through_the_pages(as_: Any, cast: Any, test_item: Resource) -> None:
    firm, lab = as_("lin"), as_("wang")
    path = f"/resources/{test_item.pk}/request/"
    seen = firm.get(path).context["fingerprint"]
    asked = {"organisation": cast.firm.pk, "purpose": "To see.", "terms_seen": seen}
    refused = firm.post(path, asked)
    assert refused.status_code == 422 and "To see." in refused.content.decode()
    assert firm.post(path, asked | {"terms_accepted": "on"}).status_code == 302
    request = ResourceRequest.objects.get()
    page = f"/requests/{request.pk}/"
    assert lab.post(f"{page}approve/").status_code == 302
    without = lab.post(f"{page}deliver/", {"mode": "file", "note": "soon"})
    assert without.status_code == 422 and "Choose the file" in without.content.decode() and "soon" in without.content.decode()
    file = SimpleUploadedFile("报告.csv", b"a\n1\n")
    assert lab.post(f"{page}deliver/", {"mode": "file", "file": file}).status_code == 302
    loaded = firm.get(f"{page}file/")
    assert loaded.content == b"a\n1\n"
    assert (
        loaded["Content-Disposition"].startswith("attachment; filename*=utf-8''")
        and loaded["X-Content-Type-Options"] == "nosniff"
    )
    assert firm.post(f"{page}feedback/", {"rating": "9"}).status_code == 422
    assert firm.post(f"{page}feedback/", {"rating": "5", "feedback": "Good"}).status_code == 302
    late = firm.post(f"{page}withdraw/")
    assert late.status_code == 422 and "moved on" in late.content.decode()
    assert as_("he").get(page).status_code == 404


def test_lists_find_by_words_and_state(as_: Any, cast: Any, test_item: Resource) -> None:
    lab = as_("wang")
    assert "Brine" in lab.get("/resources/ours/?q=brine").content.decode()
    assert "Nothing of that kind" in lab.get("/resources/ours/?q=zzz&kind=dataset").content.decode()
    for query in ("?state=nonsense", "?page=999", "?state=approved"):
        assert lab.get(f"/requests/inbox/{query}").status_code == 200


def test_an_owners_people_see_its_own_counts_and_nobody_else_does(
    as_: Any, cast: Any, client: Client, test_item: Resource
) -> None:
    address = f"/resources/statistics/?owner={cast.lab.pk}"
    others = make_owner("Kunlun Institute", cast.now)
    Resource.objects.create(
        organisation=others, kind="test_item", name="SEM", published=True, created_at=cast.now, updated_at=cast.now
    )
    whole = {row.kind: row.resources for row in queries.statistics()}
    own = {row.kind: row.resources for row in queries.statistics(cast.lab)}
    assert (whole["test_item"], own["test_item"]) == (2, 1)
    page = as_("wang").get(address).content.decode()
    assert "Only its own people see these figures" in page and cast.lab.name in page
    assert address.partition("?")[2] in as_("wang").get("/resources/statistics/").content.decode()
    assert as_("wang").get(f"/resources/statistics/?owner={others.pk}").status_code == 404
    assert client.get(address).status_code == 404 and as_("lin").get(address).status_code == 404
    assert "Whole platform" not in client.get("/resources/statistics/").content.decode()


def test_open_figures_name_nobody(client: Client, cast: Any, test_item: Resource) -> None:
    page = client.get("/resources/statistics/", headers={"Accept-Language": "en"}).content.decode()
    assert "Median days to delivery" in page and "Kunlun" not in page
    data = client.get("/api/v1/resources/statistics/").json()
    assert [row["kind"] for row in data["results"]] == ["test_item", "germplasm", "dataset", "literature"]


def test_the_page_of_an_instrument_says_what_a_test_with_it_costs(client: Client, cast: Any, test_item: Resource) -> None:
    page = client.get(reverse("instrument_detail", args=[cast.xrd.pk]), headers={"Accept-Language": "en"}).content.decode()
    row = page[page.index(f'href="{reverse("resource_detail", args=[test_item.pk])}"') :]
    assert "from ¥40.00 for" in row[: row.index("</tr>")]
