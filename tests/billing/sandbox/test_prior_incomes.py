"""A trial of a rule that asks what owners earned from customers outside in the year before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from billing.firms.income_models import OwnerIncome
from billing.firms.services import incomes
from billing.sandbox.services import reading, running
from billing.sandbox.services.reading import Reader
from billing.sandbox.services.running import Asked
from billing.settlement.models import Award
from instruments.models import OrganisationIdentifier
from tests.billing.firms.conftest import PDF
from tests.billing.firms.test_owner_incomes import asking, confirmed, declared
from tests.billing.sandbox.test_parts import DAYS, commissioned, trial
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import published
from tests.conftest import programme_document, slot_of

__all__ = ["published"]
pytestmark = pytest.mark.django_db


def given(result: dict[str, Any]) -> int:
    fen: int = result["totals"]["tried"]["cost_fen"]
    return fen


def test_a_trial_goes_by_the_confirmed_figure_of_the_year_before_as_a_promise_does(cast: Any, published: Any) -> None:
    version = published(asking())
    life = Life(cast)
    life.whole(slot_of(9, 10))
    commissioned(cast)
    refused = trial(cast, version)
    assert given(refused) == 0 and ["subsidy.unmet.fact_missing:amounts.prior_year_external_income", 2] in refused["refused"]
    confirmed(cast, 2_000_000_00, year=2024)
    declared(cast, 1_200_000_00)
    assert given(trial(cast, version)) == 0  # neither another year's nor one that waits
    incomes.decide(cast.actor("chen"), OwnerIncome.objects.get(year=2025).pk, True, "", cast.now)
    life.whole(slot_of(13, 14))
    result = trial(cast, version)
    promised = Award.objects.filter(programme_version=version).values_list("total_fen", flat=True)
    assert [each["cost_fen"] for each in result["parts"]] == [2 * 160_00, 96_00] and list(promised) == [160_00]
    confirmed(cast, 900_000_00)
    assert given(trial(cast, version)) == 0


def test_what_was_confirmed_after_a_trial_was_asked_for_does_not_count_in_it(cast: Any, published: Any) -> None:
    version = published(asking())
    Life(cast).whole(slot_of(9, 10))
    confirmed(cast, 1_200_000_00)
    run = running.start(cast.actor("chen"), Asked(**DAYS, version_id=version.pk), cast.now)
    later = cast.now + timedelta(hours=1)
    low = incomes.declare(cast.actor("li"), cast.lab.pk, 2025, 1_00, "", PDF, later)
    incomes.decide(cast.actor("chen"), low.pk, True, "", later)
    running.work(run.pk, later)
    run.refresh_from_db()
    assert given(run.result) == 160_00


def test_a_figure_follows_its_owner_to_another_name_in_the_facts(cast: Any, published: Any) -> None:
    """An owner that had no credit code when people booked is the same owner when it has one."""
    version = published(asking())
    life = Life(cast)
    OrganisationIdentifier.objects.filter(organisation=cast.lab).delete()
    life.whole(slot_of(9, 10))
    OrganisationIdentifier.objects.create(organisation=cast.lab, scheme="uscc", value="126300004390012345")
    confirmed(cast, 1_200_000_00)
    life.whole(slot_of(13, 14))
    assert given(trial(cast, version)) == 320_00


def test_figures_are_read_with_one_statement_for_a_piece_and_none_where_nobody_asks(
    cast: Any, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(cast)
    for hour in (8, 9, 13, 14):
        life.whole(slot_of(hour, hour + 1))
    confirmed(cast, 1_200_000_00)

    def asked_of(bases: frozenset[str]) -> tuple[list[Any], int]:
        with CaptureQueriesContext(connection) as seen:
            pieces = list(Reader(**DAYS, income_bases=bases).pieces(0))
        said = [each for piece in pieces for each in piece.incomes]
        return said, len([each for each in seen.captured_queries if "ownerincome" in each["sql"]])

    assert asked_of(frozenset()) == ([], 0)
    said, statements = asked_of(frozenset({"service", "claim"}))
    assert statements == 1 and [each[1:] for each in said] == [(2025, 1_200_000_00)]
    monkeypatch.setattr(reading, "PIECE", 1)
    assert asked_of(frozenset({"service", "claim"})) == (said, 1)  # what was read once is known for the pieces that follow


@override_settings(LANGUAGE_CODE="en")
def test_the_page_says_which_figure_it_went_by(cast: Any, published: Any, client: Client) -> None:
    Life(cast).whole(slot_of(9, 10))
    client.force_login(cast.users["chen"])
    said = "the figure that was confirmed last when the trial was asked for"
    for document, is_said in ((asking(), True), (programme_document("DEMO-QH-V") | {"code": "DEMO-QH-W", "examples": []}, False)):
        run = running.start(cast.actor("chen"), Asked(**DAYS, version_id=published(document).pk), cast.now)
        running.work(run.pk, cast.now)
        page = client.get(reverse("programme_trial", args=[run.pk]), headers={"accept-language": "en"})
        assert (said in page.content.decode()) is is_said
