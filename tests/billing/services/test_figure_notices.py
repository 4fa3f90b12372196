"""Who is told that a figure of a limit, or an income that was declared, waits for a second person, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from billing.firms.income_models import OwnerIncome
from billing.firms.services import incomes
from billing.subsidy import figures
from billing.subsidy.models import Programme
from config.kernel.access import Role
from instruments.models import Delivery, Membership, Notice, Organisation
from instruments.notice_events import words_of
from tests.billing.firms.test_owner_incomes import declared
from tests.billing.services.test_cap_figures import left_open

pytestmark = pytest.mark.django_db
Publish = Callable[[dict[str, Any]], Any]


def told(event: str) -> dict[str, bool]:
    """Who was told, and whether it still waits for them."""
    rows = Notice.objects.filter(event=event).select_related("user")
    return {row.user.full_name: row.needs_action for row in rows}


def asked(cast: Any, version: Any, who: str = "qian") -> Any:
    return figures.ask(cast.actor(who), version.pk, "open", 2026, 50_00, "Notice 12", cast.now)


def read(event: str, language: str = "en") -> tuple[str, ...]:
    notice = Notice.objects.filter(event=event).latest("pk")
    with translation.override(language):
        words = words_of(event, notice.params)
    return (words.title, *words.lines)


def test_everybody_who_may_set_a_figure_but_who_asked_is_told_and_asked_no_more_once_it_is_set(
    cast: Any, publish: Publish
) -> None:
    figure = asked(cast, publish(left_open()))
    assert told("figure.asked") == {"Chen": True, "Sun": True}
    assert Delivery.objects.filter(notice__event="figure.asked", channel="email").count() == 2
    assert read("figure.asked")[1:] == (
        "DEMO-QH-V, yearly limit of the firm: ¥50.00",
        "Year: 2026",
        "Asked for by Qian: Notice 12",
    )
    assert read("figure.asked", "zh-hans")[0] == "有限额数字待第二人处理"
    assert {row.path for row in Notice.objects.filter(event="figure.asked")} == {f"/programmes/budgets/figures/{figure.pk}/"}
    figures.confirm(cast.actor("chen"), figure.pk, cast.now)
    assert told("figure.asked") == {"Chen": False, "Sun": False}
    assert told("figure.set") == {"Qian": False} and read("figure.set")[-1] == "Set by Chen"


def test_who_asked_reads_why_it_was_not_set_unless_they_took_it_back(cast: Any, publish: Publish) -> None:
    version = publish(left_open())
    figures.refuse(cast.actor("sun"), asked(cast, version).pk, "Too much", cast.now)
    assert told("figure.asked") == {"Chen": False, "Sun": False}
    assert told("figure.refused") == {"Qian": False} and read("figure.refused")[-1] == "Reason: Too much"
    figures.refuse(cast.actor("chen"), asked(cast, version, "chen").pk, "Mistyped", cast.now)
    assert told("figure.refused") == {"Qian": False} and True not in told("figure.asked").values()


def test_another_office_is_not_told_of_a_figure(cast: Any, publish: Publish) -> None:
    other = Organisation.objects.create(
        kind="office",
        name="Another office",
        name_key="another office",
        status="verified",
        verified_at=cast.now,
        created_at=cast.now,
    )
    Membership.objects.create(user=cast.users["zhou"], organisation=other, role=Role.FINANCE, created_at=cast.now)
    version = publish(left_open())
    Programme.objects.filter(pk=version.programme_id).update(issuer=cast.office)
    figure = asked(cast, version)
    assert set(told("figure.asked")) == {"Chen", "Sun"}
    figures.refuse(cast.actor("sun"), figure.pk, "Too much", cast.now)
    Notice.objects.all().delete()
    Programme.objects.filter(pk=version.programme_id).update(issuer=None)
    asked(cast, version)
    assert set(told("figure.asked")) == {"Chen", "Sun", "Zhou"}


def test_the_officers_of_the_region_who_may_decide_are_told_of_an_income_and_who_declared_it_of_the_answer(cast: Any) -> None:
    Membership.objects.create(user=cast.users["sun"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    made = declared(cast, 1_234_50)
    assert told("income.declared") == {"Chen": True}  # Sun belongs to the lab, others decide nothing
    assert read("income.declared")[1:] == (f"{cast.lab.name}, 2025: ¥1,234.50", "Declared by Li")
    assert Notice.objects.get(event="income.declared").path == f"/external-income/{made.pk}/"
    incomes.decide(cast.actor("chen"), made.pk, False, "Another year's report", cast.now)
    assert told("income.declared") == {"Chen": False}
    assert told("income.refused") == {"Li": False} and read("income.refused")[-1] == "Reason: Another year's report"
    incomes.decide(cast.actor("chen"), declared(cast, 1_000_00).pk, True, "", cast.now)
    assert told("income.confirmed") == {"Li": False} and len(read("income.confirmed")) == 2


def test_officers_of_another_region_are_not_told_of_an_income(cast: Any) -> None:
    Organisation.objects.filter(pk=cast.office.pk).update(region_code="630200")
    declared(cast, 1_00)
    assert told("income.declared") == {}
    OwnerIncome.objects.get()
