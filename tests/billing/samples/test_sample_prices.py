"""What a commissioned test costs: units, classes, versions, subsidies by the same programmes, and when the result is due."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from billing.pricing import sample_prices
from billing.pricing.models import TestItemPrice
from billing.pricing.rules.samples import CUSTOMER_CLASSES, SamplePrice, price_samples
from billing.settlement.services import sample_quotes
from billing.subsidy.rules.assess import Candidate, assess_samples
from billing.subsidy.rules.facts import Facts, Party, Service
from billing.subsidy.rules.outcome import Award
from billing.subsidy.rules.programme import parse_programme
from booking.rules.sample_days import promise
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import CatalogueEntry, Resource, User
from instruments.ports import ListPrice
from instruments.rules import statutory_holidays
from instruments.rules.turnaround import is_workday
from instruments.services import resources
from tests.conftest import programme_document

ON = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("unit", "samples", "elements", "gross"),
    [
        ("sample", 12, 1, 96_000),
        ("sample", 12, 7, 96_000),
        ("element", 12, 2, 192_000),
        ("test", 3, 1, 24_000),
        ("hour", 5, 1, 40_000),
        ("batch", 96, 1, 8_000),
    ],
)
def test_the_unit_says_what_is_counted(unit: str, samples: int, elements: int, gross: int) -> None:
    priced = price_samples(SamplePrice(unit, 8_000), samples, elements, "firm_sme", ON)
    assert priced.gross_fen == gross == sum(line.amount_fen for line in priced.lines) == priced.steps[-1].amount_fen


@pytest.mark.parametrize(("samples", "elements"), [(0, 1), (-3, 1), (100_001, 1), (1, 0), (1, 201)])
def test_numbers_that_mean_nothing_are_refused(samples: int, elements: int) -> None:
    with pytest.raises(Refusal, match="out_of_range"):
        price_samples(SamplePrice("element", 8_000), samples, elements, "firm_sme", ON)


def test_a_class_pays_its_own_rate_and_everybody_else_the_list_price() -> None:
    price = SamplePrice("sample", 8_000, {"inside": 4_000, "firm_large": 10_000})
    assert [price.rate_fen(name) for name in ("inside", "team", "firm_large")] == [4_000, 8_000, 10_000]
    assert price.lowest_fen == 4_000


CANDIDATES = [
    Candidate(
        parse_programme(programme_document(code)),
        Facts(
            applicant=Party("firm", "small", "630104", verified=True, first_use=False),
            provider=Party(region_code="630104", verified=True),
            instrument=Party(region_code="630104"),
            service=Service("testing", ON, ON, ON, ON),
            grade="A",
        ),
        {},
    )
    for code in ("DEMO-QH-A", "DEMO-QH-V")
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 2_000), st.integers(1, 10), st.integers(0, 500_000), st.sampled_from(CUSTOMER_CLASSES))
def test_the_four_numbers_hold_together_for_any_commission(samples: int, elements: int, fen: int, name: str) -> None:
    found = assess_samples(SamplePrice("element", fen), samples, elements, ON, name, CANDIDATES)
    assert found.gross_fen == samples * elements * fen
    assert found.payable_now_fen == found.gross_fen - found.deducted_fen
    assert found.final_cost_fen == found.payable_now_fen - found.refunded_fen >= 0
    assert [step.key for step in found.steps] == [
        "price.step.samples", "samples.step.gross", "session.step.payable_now", "session.step.final_cost",
    ]  # fmt: skip


def test_a_programme_sees_testing_and_the_number_of_samples() -> None:
    document = programme_document("HE-LF")
    candidate = Candidate(parse_programme(document), CANDIDATES[0].facts, {})
    [outcome] = assess_samples(SamplePrice("sample", 8_000), 12, 1, ON, "firm_sme", [candidate]).outcomes
    assert not any("service_kind" in reason.code for reason in getattr(outcome, "reasons", ()))
    with pytest.raises(ValueError, match="only once"):
        assess_samples(SamplePrice("sample", 8_000), 1, 1, ON, "firm_sme", [candidate, candidate])


# --- Versions ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def test_item(cast: Any) -> Resource:
    part = {"instrument_ids": [cast.xrd.pk], "turnaround_days": 5, "daily_capacity": 10}
    core = {"name": "Phase analysis", "published": True}
    return resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", core, part, cast.now)


def publish(cast: Any, test_item: Resource, fen: int | None, on: date = ON, name: str = "li", **classes: int) -> TestItemPrice:
    return sample_prices.publish_test_price(cast.actor(name), test_item, "sample", fen, classes, on, cast.now, ON)


def test_the_price_in_force_is_the_latest_that_has_begun(cast: Any, test_item: Resource) -> None:
    publish(cast, test_item, 8_000)
    publish(cast, test_item, 9_000, ON + timedelta(days=10))
    last = publish(cast, test_item, 8_500)  # a correction on the same day counts instead
    found = sample_prices.in_force([test_item.pk], ON)[test_item.pk]
    assert found.version_id == last.pk
    later = sample_prices.in_force([test_item.pk], ON + timedelta(days=10))[test_item.pk].price
    assert later is not None and later.amount_fen == 9_000
    assert sample_prices.in_force([test_item.pk], ON - timedelta(days=1)) == {}
    assert CatalogueEntry.objects.get(resource=test_item).price_from_fen == 8_500


def test_two_versions_of_one_day_know_of_each_other_and_the_database_sees_to_it(cast: Any, test_item: Resource) -> None:
    first, second = publish(cast, test_item, 8_000), publish(cast, test_item, 8_500)
    assert (first.revision, second.revision) == (1, 2)
    twin = {"test_item_id": test_item.pk, "effective_from": ON, "unit": "sample", "amount_fen": 1, "published_at": cast.now}
    for revision in (1, 2):  # who saw nothing, and who saw the first alone
        with pytest.raises(IntegrityError, match="test_item_price_one_per_day"), transaction.atomic():
            TestItemPrice.objects.create(**twin, revision=revision)
    with transaction.atomic():  # the control: without the guard it would stand there
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE billing_testitemprice DROP CONSTRAINT test_item_price_one_per_day")
        TestItemPrice.objects.create(**twin, revision=2)
        assert TestItemPrice.objects.filter(test_item_id=test_item.pk, effective_from=ON, revision=2).count() == 2
        transaction.set_rollback(True)


def test_who_was_slower_on_one_day_is_told(cast: Any, test_item: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(cast, test_item, 8_000)
    monkeypatch.setattr(sample_prices, "_revision", lambda before, on: 1)  # looked before the first one was there
    with pytest.raises(Conflict) as refused, transaction.atomic():
        publish(cast, test_item, 8_500)
    assert [reason.code for reason in refused.value.reasons] == ["price.published_meanwhile"]
    with pytest.raises(Conflict, match="published_meanwhile"), transaction.atomic():
        sample_prices.SamplePrices().set_list_prices(cast.actor("li"), {test_item.pk: ListPrice(7_000, "sample")}, ON, cast.now)
    assert sample_prices.in_force([test_item.pk], ON)[test_item.pk].price == SamplePrice("sample", 8_000, {})


def test_what_was_published_for_one_day_before_is_counted_in_its_order(cast: Any, test_item: Resource) -> None:
    row = {"test_item_id": test_item.pk, "unit": "sample", "published_at": cast.now}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE billing_testitemprice DROP CONSTRAINT test_item_price_one_per_day")
        made = [TestItemPrice.objects.create(**row, effective_from=ON, amount_fen=fen) for fen in (1, 2, 3)]
        other = TestItemPrice.objects.create(**row, effective_from=ON + timedelta(days=1), amount_fen=4)
        with connection.cursor() as cursor:
            cursor.execute(import_module("billing.migrations.0240_one_test_price_per_day").REVISIONS)
        kept = dict(TestItemPrice.objects.values_list("pk", "revision"))
        assert [kept[each.pk] for each in (*made, other)] == [1, 2, 3, 1]
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            made[0].save()  # the guard is on again
        transaction.set_rollback(True)


def test_a_version_is_written_once(cast: Any, test_item: Resource) -> None:
    version = publish(cast, test_item, 8_000)
    version.amount_fen = 1
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        version.save()
    with pytest.raises(DatabaseError, match="or delete rows"), transaction.atomic():
        version.delete()


def test_a_bad_price_is_refused_with_every_reason(cast: Any, test_item: Resource) -> None:
    with pytest.raises(Refusal) as refused:
        sample_prices.publish_test_price(
            cast.actor("li"), test_item, "piece", -1, {"king": 1, "team": -1}, ON - timedelta(days=1), cast.now, ON
        )
    assert sorted((reason.code, reason.field) for reason in refused.value.reasons) == [
        ("price.amount_out_of_range", "amount_fen"),
        ("price.amount_out_of_range", "class_fen"),
        ("price.class_unknown", "class_fen"),
        ("price.in_the_past", "effective_from"),
        ("price.unit_unknown", "unit"),
    ]
    for name in ("lin", "he", "chen"):
        with pytest.raises(Forbidden):
            publish(cast, test_item, 1, name=name)


# --- Quotes -----------------------------------------------------------------------------------------------------------
def test_a_quote_counts_samples_subsidies_and_days(cast: Any, programmes: Any, test_item: Resource) -> None:
    publish(cast, test_item, 8_000)
    quote = sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.firm.pk, 25, 1, cast.now)
    found = quote.assessment
    assert (found.gross_fen, found.priced.customer_class) == (200_000, "firm_sme")
    assert any(isinstance(outcome, Award) for outcome in found.outcomes) and found.final_cost_fen < found.gross_fen
    assert {cap.programme for cap in quote.caps_left} <= {"DEMO-QH-A", "DEMO-QH-V"} and quote.caps_left
    assert quote.promised_on == date(2026, 12, 2)  # Monday, five workdays, and two more for 25 samples at ten a day


def test_the_facts_are_those_of_a_session_at_the_same_place(cast: Any, programmes: Any, test_item: Resource, slot: Any) -> None:
    """The same customer, lab and gross get the same subsidy, whatever was priced: the common part is one."""
    from billing.settlement.services import quotes

    publish(cast, test_item, 40_000)
    session = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot(10, 12), cast.now).assessment
    test = sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.firm.pk, 2, 1, cast.now).assessment
    assert session.gross_fen == test.gross_fen == 80_000
    assert (session.deducted_fen, session.refunded_fen) == (test.deducted_fen, test.refunded_fen)


def test_somebody_elses_organisation_a_foreign_item_and_a_price_on_request_are_refused(cast: Any, test_item: Resource) -> None:
    with pytest.raises(Forbidden, match="not_for_this_organisation"):
        sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.other_firm.pk, 1, 1, cast.now)
    with pytest.raises(Refusal, match="on_request"):
        sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.firm.pk, 1, 1, cast.now)
    publish(cast, test_item, None)
    with pytest.raises(Refusal, match="on_request"):
        sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.firm.pk, 1, 1, cast.now)
    resources.set_published(cast.actor("wang"), test_item.pk, False, cast.now)
    with pytest.raises(NotFound):
        sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.firm.pk, 1, 1, cast.now)


def test_a_firm_that_is_not_verified_sees_what_it_would_cost_then(cast: Any, programmes: Any, test_item: Resource) -> None:
    publish(cast, test_item, 8_000)
    cast.firm.status = "claimed"
    cast.firm.save()
    quote = sample_quotes.preview(cast.actor("lin"), test_item.pk, cast.firm.pk, 25, 1, cast.now)
    assert quote.once_verified is not None
    assert quote.once_verified.final_cost_fen < quote.assessment.final_cost_fen


# --- Promised dates ---------------------------------------------------------------------------------------------------
def promised_on(arrive_on: date, days: int, samples: int = 1, capacity: int | None = None, off: Any = ((), ())) -> date:
    """Without anything promised to others."""
    found = promise(arrive_on, days, samples, capacity, {}, lambda day: is_workday(day, *off))
    assert found is not None
    return found.promised_on


@pytest.mark.parametrize(
    ("days", "samples", "capacity", "due"),
    [
        (5, 1, None, date(2026, 11, 30)),
        (5, 10, 10, date(2026, 11, 30)),
        (5, 11, 10, date(2026, 12, 1)),
        (5, 36, 10, date(2026, 12, 3)),
        (0, 1, None, ON),
    ],
)
def test_a_promise_counts_workdays_and_the_days_that_many_samples_take(
    days: int, samples: int, capacity: int | None, due: date
) -> None:
    assert promised_on(ON, days, samples, capacity) == due


def test_holidays_free_and_make_up_days_count() -> None:
    friday = date(2026, 9, 25)
    holidays = {date(2026, 10, day) for day in range(1, 8)}
    assert promised_on(friday, 5, off=(holidays, {date(2026, 9, 27)})) == date(2026, 10, 8)


def test_the_published_holidays_of_china_count_where_they_apply() -> None:
    wednesday = date(2025, 9, 24)  # 28 September and 11 October are worked, 1 to 8 October is free
    china = statutory_holidays.days_off(wednesday, date(2025, 12, 31), "Asia/Shanghai")
    assert promised_on(wednesday, 5, off=china) == date(2025, 9, 30)
    assert promised_on(wednesday, 6, off=china) == date(2025, 10, 9)
    assert promised_on(wednesday, 6, off=statutory_holidays.days_off(wednesday, date(2025, 12, 31), "Europe/London")) == date(
        2025, 10, 2
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    st.integers(1, 40),
    st.sets(st.dates(date(2000, 1, 1), date(2090, 6, 1)), max_size=30),
)
def test_a_promise_equals_counting_day_by_day(start: date, days: int, holidays: set[date]) -> None:
    due = promised_on(start, days, off=(holidays, ()))
    assert due is not None and is_workday(due, holidays)
    between = [start + timedelta(days=n) for n in range(1, (due - start).days + 1)]
    assert sum(is_workday(day, holidays) for day in between) == days


def test_a_large_change_is_published_only_after_a_yes_to_it_over_the_api_too(cast: Any, test_item: Resource) -> None:
    publish(cast, test_item, 8_000, inside=4_000)
    with pytest.raises(Refusal) as refused:
        publish(cast, test_item, 17_000, inside=4_000)
    keys = {reason.params["key"] for reason in refused.value.reasons}
    assert keys == {f"{name}:standard:8000:17000" for name in ("academic", "team", "firm_sme", "firm_large")}
    client = APIClient()
    client.force_authenticate(user=User.objects.get(email="li@example.org"))
    body = {"unit": "sample", "amount_fen": 17_000, "class_fen": {"inside": 4_000}}
    path = f"/api/v1/resources/{test_item.pk}/price/"
    unsaid = client.post(path, body, format="json")
    assert unsaid.status_code == 422 and len(unsaid.json()["errors"]) == 4
    said = client.post(path, {**body, "confirmed": sorted(keys)}, format="json")
    assert said.status_code == 201 and said.json()["amount_fen"] == 17_000
    publish(cast, test_item, 16_000, inside=4_000)  # a small change asks nobody
