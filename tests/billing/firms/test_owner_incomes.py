"""What an owner earned from customers outside in a year: declared, confirmed by another person of the region, told to programmes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from billing import wording
from billing.firms import income_queries
from billing.firms.income_models import OwnerIncome
from billing.firms.services import incomes
from billing.settlement.models import Charge
from billing.settlement.services.replaying import replay_charges
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Membership, Organisation
from tests.billing.firms.conftest import PDF
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]
pytestmark = pytest.mark.django_db
INCOME = "amounts.prior_year_external_income"
SAYS = {"zh": "上年对外服务收入不低于100万元", "en": "At least a million earned outside in the year before"}


def declared(cast: Any, fen: int, who: str = "li", year: int = 2025) -> OwnerIncome:
    return incomes.declare(cast.actor(who), cast.lab.pk, year, fen, "Report, page 9", PDF, cast.now)


def confirmed(cast: Any, fen: int, year: int = 2025) -> OwnerIncome:
    return incomes.decide(cast.actor("chen"), declared(cast, fen, year=year).pk, True, "", cast.now)


def asking() -> dict[str, Any]:
    """40 % of the fee at once, of owners that earned a million."""
    document = voucher_document(CODE) | {"caps": []}
    gate = {
        "type": "condition",
        "clause": document["clauses"][0]["id"],
        "when": {"fact": INCOME, "at_least": "1000000"},
        "says": SAYS,
    }
    return document | {"gates": [*document["gates"], gate]}


def facts_of(row: Any) -> dict[str, Any]:
    (candidate,) = row.inputs["candidates"]
    return candidate["facts"].get("amounts", {})


def test_a_programme_that_asks_is_told_the_confirmed_figure_of_the_year_before_and_a_correction_counts_from_then_on(
    cast: Any, published: Any
) -> None:
    published(asking())
    life = Life(cast)
    unknown = life.quote(life.ask(slot_of(8, 9)))
    assert unknown.deducted_fen == 0 and facts_of(unknown) == {}
    confirmed(cast, 2_000_000_00, year=2024)
    waits = declared(cast, 1_200_000_00)
    assert facts_of(life.quote(life.ask(slot_of(9, 10)))) == {}  # neither another year's nor one that waits
    incomes.decide(cast.actor("chen"), waits.pk, True, "", cast.now)
    held = life.approve(life.ask(slot_of(10, 11)))
    assert facts_of(life.quote(held)) == {"prior_year_external_income": "1200000.00"}
    confirmed(cast, 900_000_00)
    assert life.quote(life.ask(slot_of(13, 14))).deducted_fen == 0
    charge = life.use(held)  # as it was promised
    assert charge.deducted_fen == 160_00 and facts_of(charge) == {"prior_year_external_income": "1200000.00"}
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_a_figure_that_was_refused_counts_for_nothing(cast: Any, published: Any) -> None:
    published(asking())
    confirmed(cast, 1_200_000_00)
    incomes.decide(cast.actor("chen"), declared(cast, 5_00).pk, False, "Another year's report", cast.now)
    life = Life(cast)
    assert life.quote(life.ask(slot_of(9, 10))).deducted_fen == 160_00


def test_a_reward_by_the_income_of_the_year_before_is_worked_out_from_it(cast: Any, published: Any) -> None:
    document = voucher_document(CODE)
    clause = document["clauses"][0]["id"]
    published(
        document
        | {
            "kind": "owner_reward",
            "settlement": {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": clause},
            "base": {"amount": "prior_year_external_income", "clause": clause},
            "rate": {"type": "flat", "rate": "0.01", "clause": clause},
            "caps": [{"id": "owner", "per": "owner_year", "limit": "15000", "when_short": "partial", "clause": clause}],
        }
    )
    confirmed(cast, 1_234_567_89)
    life = Life(cast)
    charges = [life.whole(slot_of(9, 10)), life.whole(slot_of(13, 14))]
    assert [charge.awards.get().total_fen for charge in charges] == [12_345_68, 2_654_32]
    assert charges[0].result["outcomes"][0]["base_fen"] == 1_234_567_89
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_nothing_is_looked_up_where_no_programme_asks(cast: Any, published: Any) -> None:
    published(voucher_document(CODE) | {"caps": []})
    confirmed(cast, 1_200_000_00)
    life = Life(cast)
    with CaptureQueriesContext(connection) as seen:
        booked = life.approve(life.ask(slot_of(9, 10)))
    assert not [each for each in seen.captured_queries if "ownerincome" in each["sql"]]
    assert facts_of(life.quote(booked)) == {}


def test_a_missing_figure_is_a_refusal_that_says_who_tells_it() -> None:
    with translation.override("en"):
        said = wording.step_sentence("subsidy.unmet.fact_missing", {"fact": INCOME})
        assert "finance or administrator declares it" in said
        assert "declares" not in wording.step_sentence("subsidy.unmet.fact_missing", {"fact": "amounts.external_income"})


def test_what_the_platform_charged_customers_outside_stands_beside_the_figure(cast: Any) -> None:
    Life(cast).whole(slot_of(9, 11))
    assert income_queries.known_income(cast.lab.pk, [2025, 2026]) == {2025: 0, 2026: 800_00}
    Membership.objects.create(user=cast.users["lin"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    own = Life(cast)
    own._keys = iter(["own"])  # type: ignore[assignment]
    own.whole(slot_of(13, 14), firm=cast.lab)
    assert Charge.objects.count() == 2
    assert income_queries.known_income(cast.lab.pk, [2026]) == {2026: 800_00}  # what it used itself is no income
    assert declared(cast, 7_00).known_fen == 0
    (last,) = income_queries.years_of(cast.actor("chen"), cast.lab.pk, date(2026, 12, 1))
    assert (last.year, last.known_fen, last.counts) == (2025, 0, None)


def test_an_officer_of_another_region_and_who_declared_do_not_decide(cast: Any) -> None:
    made = declared(cast, 1_00)
    Organisation.objects.filter(pk=cast.office.pk).update(region_code="630200")
    with pytest.raises(Forbidden) as refused:
        incomes.decide(cast.actor("chen"), made.pk, True, "", cast.now)
    assert refused.value.reasons[0].code == "income.other_region"
    assert list(income_queries.queue(cast.actor("chen"))) == []
    for region in ("630000", "630100", "630104"):
        Organisation.objects.filter(pk=cast.office.pk).update(region_code=region)
        assert list(income_queries.queue(cast.actor("chen"))) == list(income_queries.queue(cast.actor("wu"))) == [made]
    Membership.objects.create(user=cast.users["chen"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    with pytest.raises(Forbidden) as own:
        incomes.decide(cast.actor("chen"), made.pk, True, "", cast.now)
    assert own.value.reasons[0].code == "income.own_organisation"
    for who in ("qian", "wu", "zhou", "li"):
        with pytest.raises(Forbidden if who != "zhou" else (Forbidden, NotFound)):
            incomes.decide(cast.actor(who), made.pk, True, "", cast.now)
    assert incomes.decide(cast.actor("sun"), made.pk, True, "", cast.now).confirmed is True


def test_the_database_keeps_the_two_people_apart_and_every_figure_as_it_was(cast: Any) -> None:
    made = declared(cast, 1_00)
    rows = OwnerIncome.objects.filter(pk=made.pk)
    with pytest.raises(IntegrityError, match="owner_income_two_people"), transaction.atomic():
        rows.update(decided_by=made.declared_by_id, decided_at=cast.now, confirmed=True)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(income_fen=2_00)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    incomes.decide(cast.actor("chen"), made.pk, True, "", cast.now)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(confirmed=False, reason="Not so")
    with pytest.raises(Conflict):
        incomes.decide(cast.actor("sun"), made.pk, False, "Not so", cast.now)


def test_bad_figures_are_refused_at_their_fields_and_one_waits_at_a_time(cast: Any) -> None:
    with pytest.raises(Refusal) as refused:
        incomes.declare(cast.actor("li"), cast.lab.pk, 2026, -1, "x" * 501, PDF, cast.now)
    assert {each.field for each in refused.value.reasons} == {"year", "income_fen", "note"}
    declared(cast, 1_00)
    with pytest.raises(Conflict) as twice:
        declared(cast, 2_00, "wang")
    assert twice.value.reasons[0].code == "income.waits_already"
    with pytest.raises(Refusal):
        incomes.declare(cast.actor("zhao"), cast.firm.pk, 2025, 1_00, "", PDF, cast.now)
    with pytest.raises((Forbidden, NotFound)):
        declared(cast, 1_00, "zhao", 2024)
    with pytest.raises(Refusal) as why:
        incomes.decide(cast.actor("chen"), OwnerIncome.objects.get().pk, False, "  ", cast.now)
    assert why.value.reasons[0].field == "reason"


def test_pages_declare_and_confirm_a_figure_and_show_it_to_its_own_people(cast: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    def of(who: str) -> Client:
        client = Client()
        client.force_login(cast.users[who])
        return client

    declare, own = (reverse(name, args=[cast.lab.pk]) for name in ("income_declare", "income_list"))
    typed = {"year": "2025", "income_yuan": "1234.50", "note": "", "file": SimpleUploadedFile("a.pdf", PDF)}
    assert of("li").post(declare, typed | {"year": "1900"}).status_code == 422
    typed["file"] = SimpleUploadedFile("a.pdf", PDF)
    assert of("li").post(declare, typed).status_code == 302
    made = OwnerIncome.objects.get()
    assert made.income_fen == 1_234_50
    page = reverse("income_decide", args=[made.pk])
    assert "1,234.50" in of("chen").get(reverse("income_queue")).content.decode()
    answer = {"decision": "confirm", "reason": "", "confirmed": "on"}
    assert of("chen").post(page, {"decision": "refuse", "reason": "", "confirmed": "on"}).status_code == 422
    assert of("chen").post(page, answer).status_code == 302
    made.refresh_from_db()
    assert made.confirmed is True
    assert "1,234.50" in of("wang").get(own).content.decode()
    assert of("he").get(own).status_code == 404
    assert of("zhao").get(reverse("income_evidence", args=[made.pk])).status_code == 404


def test_the_interface_declares_lists_and_decides(cast: Any, api_client: Any = None) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    def of(who: str) -> Client:
        client = Client()
        client.force_login(cast.users[who])
        return client

    path = reverse("api_organisation_income_declare", args=[cast.lab.pk])
    body = {"year": "2025", "income_fen": "700", "file": SimpleUploadedFile("a.pdf", PDF)}
    made = of("li").post(path, body)
    assert made.status_code == 201, made.content
    assert (made.json()["income_fen"], made.json()["position"], made.json()["state"]) == (700, 1, "open")
    one = reverse("api_owner_income", args=[made.json()["id"]])
    assert of("he").get(one).status_code == 404
    decided = of("chen").post(
        reverse("api_owner_income_decide", args=[made.json()["id"]]), {"confirm": True}, content_type="application/json"
    )
    assert (decided.status_code, decided.json()["state"]) == (200, "confirmed")
    assert of("li").get(reverse("api_owner_incomes")).json()["results"][0]["income_fen"] == 700


def test_no_statement_changes_or_empties_the_table_while_its_triggers_are_on(cast: Any) -> None:
    declared(cast, 1_00)
    tried = [
        "UPDATE billing_ownerincome SET income_fen = 2",
        "DELETE FROM billing_ownerincome",
        "TRUNCATE billing_ownerincome CASCADE",
    ]
    assert [refused(each) for each in tried] == [True] * 3
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE billing_ownerincome DISABLE TRIGGER USER")
        assert [refused(each) for each in tried] == [False] * 3  # the control
        transaction.set_rollback(True)


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:
        return True
    return False
