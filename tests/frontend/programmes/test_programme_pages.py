"""Programmes as anybody reads them."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from billing.settlement.services import assessing
from billing.subsidy import services
from billing.subsidy.drafts import template_names
from billing.subsidy.queries import worked_examples
from frontend.presenters.assessment import present
from tests.conftest import programme_document, slot_of
from tests.frontend.acting import FRAGMENT, query_count, words
from tests.programmes import put_in_force

PAGE = "/programmes/DEMO-QH-A/"
CALCULATE = "?fee=30000&kind=firm&size=medium&region=630100"


def test_without_a_programme_the_list_says_so(as_):
    assert "No programme is published yet" in words(as_().get("/programmes/"))


def test_the_list_shows_programmes_in_short_and_marks_invented_ones(as_, programmes):
    text = words(as_().get("/programmes/"))
    assert "DEMO-QH-A" in text and "DEMO-QH-V" in text and text.count("DEMO ") >= 2
    assert "Pays 40% of the fee." in text and "¥2,000,000.00 of ¥2,000,000.00 left" in text


def test_the_list_says_which_programmes_add_up(as_, cast, programmes):
    text = words(as_().get("/programmes/"))
    assert "Of these only the one that gives most is paid:" in text and "beside any other" not in text
    document = programme_document("DEMO-QH-C") | {"examples": []}
    document.pop("exclusive", None)
    put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)
    text = words(as_().get("/programmes/"))
    shown = text[text.index("Of these only the one that gives most") :]
    only, beside = shown.split("These are paid beside any other:")
    assert "DEMO-QH-A" in only and "DEMO-QH-V" in only and "DEMO-QH-C" not in only and "DEMO-QH-C" in beside


def test_a_programme_shows_rules_rates_limits_clauses_and_examples(as_, programmes):
    text = words(as_().get(PAGE))
    for part in ("DEMO: an invented programme", "Refunded later", "Who is eligible",
    "The fee is at least ¥500 clause 3", "¥20,000.00 – ¥100,000.00 40%",
                
                 "above ¥100,000.00 30%", "A × 1", "Limit per order: ¥50,000.00", "Province 70%", "In force",
                 "Worked examples", "¥12,600.01",
                 "Clauses", "no budget pool"):  # fmt: skip
        assert part in text


def test_the_budget_shows_what_is_held_paid_and_left(as_, programmes, approved, charged):
    charged(9, 12)
    approved(13, 15)
    text = words(as_().get("/programmes/DEMO-QH-V/"))
    assert "Paid out or due ¥480.00" in text and "Held for bookings ¥320.00" in text and "Left ¥1,999,200.00" in text


def test_every_worked_example_comes_out(programmes):
    for version in programmes.values():
        assert all(result.passed for result in worked_examples(version))


def test_the_calculator_answers_with_its_steps(as_, programmes):
    text = words(as_().get(PAGE + CALCULATE))
    assert "¥14,000.00" in text and "estimate" in text and "Province ¥9,800.00" in text


def test_the_calculator_says_every_reason_for_nothing(as_, programmes):
    text = words(as_().get(PAGE + "?fee=100&kind=firm&size=small&region=630100", headers=FRAGMENT))
    assert "No subsidy" in text and "below the least amount" in text and "alternatives" in text


def test_the_calculator_alone_is_a_fragment(as_, programmes):
    response = as_().get(PAGE + CALCULATE, headers=FRAGMENT)
    assert "<html" not in response.content.decode() and "¥14,000.00" in words(response)


@pytest.mark.parametrize(
    "query",
    ["fee=&kind=firm&size=small&region=630100", "fee=-1&kind=firm&size=small&region=630100",
    "fee=1e9&kind=firm&size=small&region=630100",
     "fee=" + "9" * 400 + "&kind=firm&size=small&region=630100", "fee=%00", "fee=%F0%9F%94%AC", "fee=1.234",
     "fee=0", "fee=1&kind=x&size=y&region=z",
     "fee=1&kind=firm&size=%00&region=" + "9" * 500],
)  # fmt: skip
def test_the_calculator_refuses_what_it_cannot_read(as_, programmes, query):
    response = as_().get(f"{PAGE}?{query}")
    assert response.status_code == 422 and "Please correct this" in words(response)


@pytest.mark.parametrize(
    "fee, fen", [("\uff13\uff10\uff10\uff10\uff10", "14,000.00"), ("30,000", "14,000.00"), ("\uffe530000.00", "14,000.00")]
)
def test_the_calculator_reads_amounts_as_people_write_them(as_, programmes, fee, fen):
    assert fen in words(as_().get(PAGE, {"fee": fee, "kind": "firm", "size": "medium", "region": "630100"}))


@pytest.mark.parametrize("kind", ["team", "person", "institution"])
@pytest.mark.parametrize("code", ["DEMO-QH-A", "DEMO-QH-V"])
def test_every_kind_of_applicant_may_calculate(as_, programmes, kind, code):
    assert as_().get(f"/programmes/{code}/?fee=1000&kind={kind}&size=&region=630100").status_code == 200


@pytest.mark.parametrize("code", sorted(set(template_names()) - {"DEMO-QH-A", "DEMO-QH-V"}))
def test_a_programme_of_any_kind_has_its_page(as_, cast, code):
    version = services.draft_version(cast.actor("chen"), programme_document(code), cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    text = words(as_().get(reverse("programme_detail", args=[version.programme.code])))
    assert "Who is eligible" in text and "Worked examples" in text


@pytest.mark.parametrize("code", ["HE-LF", "SH-VOUCHER"])
def test_real_programmes_completed_by_assumptions_say_so(as_, cast, code):
    version = services.draft_version(cast.actor("chen"), programme_document(code), cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    address = reverse("programme_detail", args=[version.programme.code])
    text = words(as_().get(f"{address}?fee=10000&kind=firm&size=small&region=631000"))
    assert "Completed by assumptions" in text and "assumption" in text and "Open points" in text


@pytest.mark.parametrize(
    "address", ["/programmes/NONE/", "/programmes/%00/", "/programmes/" + "x" * 900 + "/", PAGE + "?version=9"]
)
def test_what_is_not_there_is_not_found(as_, programmes, address):
    assert as_().get(address).status_code == 404


def test_a_draft_is_seen_by_officials_only(as_, cast):
    services.draft_version(cast.actor("chen"), programme_document("DEMO-QH-A"), cast.now)
    assert as_().get(PAGE).status_code == 404 and as_("lin").get(PAGE).status_code == 404
    assert "Draft" in words(as_("sun").get(PAGE))


def test_another_version_can_be_read(as_, cast, programmes):
    later = programme_document("DEMO-QH-A")
    later |= {
        "version": "2028.1",
        "validity": later["validity"] | {"first_day": "2028-01-01", "last_day": "2028-12-31"},
        "examples": [],
    }
    version = services.draft_version(cast.actor("chen"), later, cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    assert "2025.1" in words(as_().get(PAGE)) and "In force" in words(as_().get(PAGE))
    assert "Begins later" in words(as_().get(PAGE + "?version=2028.1"))


def test_the_list_takes_as_many_queries_for_many_programmes_as_for_two(as_, cast, programmes):
    as_().get("/programmes/")
    few = query_count(as_(), "/programmes/")
    for number in range(8):
        document = programme_document("DEMO-QH-V") | {"code": f"COPY-{number}", "examples": []}
        version = services.draft_version(cast.actor("chen"), document, cast.now)
        services.publish_version(cast.actor("sun"), version, cast.now)
    as_().get("/programmes/")  # compiles what is new, once per process
    assert query_count(as_(), "/programmes/") == few <= 5


@pytest.mark.parametrize(("basis", "said"), [("invoice", True), ("service", False)])
def test_a_programme_that_goes_by_a_later_date_says_so_with_its_figure(cast, programmes, basis, said):
    document = programme_document("DEMO-QH-C") | {"examples": [], "date_basis": basis}
    document.pop("exclusive", None)
    put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)
    prepared = assessing.prepare(cast.xrd, cast.firm, slot_of(9, 11), cast.now)
    rows = present(prepared.inputs.assess(), [each.programme for each in prepared.versions], prepared.inputs.schedule)
    with override("en"):
        text = render_to_string("billing/_steps.html", {"rows": rows})
    assert (f"{document['name']['en']} goes by the date of the invoice." in text) is said


def test_a_programme_without_conditions_and_limits_says_so(as_, cast):
    document = programme_document("DEMO-QH-V") | {"gates": [], "caps": [], "examples": []}
    put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)
    text = words(as_().get("/programmes/DEMO-QH-V/"))
    assert "there are no other conditions" in text and "All of these must hold" not in text
    assert "neither a budget pool on the platform nor another limit" in text
