"""A pool whose document leaves the figure to the budget: without one it has no limit, or gives nothing until somebody sets it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from billing.ledger.models import Account
from billing.subsidy import budgets, figures
from tests.billing.money_invariants import wrong
from tests.billing.services.conftest import Life
from tests.conftest import programme_document, slot_of

pytestmark = pytest.mark.django_db
Publish = Callable[[dict[str, Any]], Any]


def without_figure(when_unset: str) -> dict[str, Any]:
    document = programme_document("DEMO-QH-V") | {"examples": []}
    (pool,) = [cap for cap in document["caps"] if cap["per"] == "pool"]
    pool["limit"] = {"configured": True, "when_unset": when_unset}
    return document


def test_no_limit_gives_what_the_rate_says(life: Life, publish: Publish) -> None:
    publish(without_figure("no_limit"))
    charge = life.whole(slot_of(9, 11))
    (outcome,) = charge.result["outcomes"]
    assert outcome["outcome"] == "award"
    assert outcome["total_fen"] > 0
    assert "pool" not in outcome["draws"]
    assert not wrong()


def test_refuse_gives_nothing_and_says_why(life: Life, publish: Publish) -> None:
    publish(without_figure("refuse"))
    quote = life.quote(life.ask(slot_of(9, 11)))
    (outcome,) = quote.result["outcomes"]
    assert outcome["outcome"] == "refused"
    assert [each["code"] for each in outcome["reasons"]] == ["subsidy.unmet.limit_not_set"]


def test_the_self_test_says_who_is_eligible_and_that_the_figure_is_not_set(cast: Any, publish: Publish, client: Client) -> None:
    version = publish(without_figure("refuse"))
    asked = {"kind": "firm", "region": "630104", "service": "instrument_use", "amount_yuan": "1000", "size": "small"}

    def page(language: str = "en", **more: str) -> str:
        return client.get(reverse("eligibility"), asked | more, headers={"accept-language": language}).content.decode()

    shown = page()
    assert "Eligible</strong>" in shown and "the figure has not been set of: budget of the programme" in shown
    assert "0 programmes would pay" in shown and "1 more would, once its figure is set" in shown
    assert "400.00" not in shown and "has not been set yet" not in shown
    assert "符合条件" in page("zh-hans")
    large = page(size="large")
    assert "Eligible</strong>" not in large and "No subsidy" in large and "figure has not been set" not in large
    asked_figure = figures.ask(cast.actor("chen"), version.pk, "pool", None, 300_00, "Budget", cast.now)
    figures.confirm(cast.actor("sun"), asked_figure.pk, cast.now)
    shown = page()
    assert "1 programme would pay" in shown and "300.00" in shown and "figure has not been set" not in shown


def test_its_page_and_the_budgets_say_that_there_is_no_figure(cast: Any, publish: Publish, client: Client) -> None:
    publish(without_figure("no_limit"))
    (budget,) = budgets.budgets(cast.actor("chen"), cast.now)
    assert not budget.limited
    client.force_login(cast.users["chen"])
    page = client.get(reverse("programme_budgets"), headers={"accept-language": "en"}).content.decode()
    assert "no figure set" in page
    assert "At this pace nothing is left" not in page


def test_a_pool_that_was_opened_with_nil_by_mistake_is_put_right_and_no_other(cast: Any, publish: Publish) -> None:
    publish(without_figure("refuse"))
    publish(programme_document("DEMO-QH-C") | {"examples": [], "template": False})
    Account.objects.filter(key__startswith="pool:DEMO-QH-V:").update(limited=True)
    Account.objects.filter(key__startswith="pool:DEMO-QH-C:").update(limited=True, granted_fen=0)
    migration = importlib.import_module("billing.migrations.0271_pools_without_a_figure")
    migration.take_nil_away(apps, None)
    assert not Account.objects.get(key__startswith="pool:DEMO-QH-V:").limited
    assert all(each.limited for each in Account.objects.filter(key__startswith="pool:DEMO-QH-C:"))
