"""A version in the middle of the year: its pool is the money that is there, or new money, and the document says which."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from billing.ledger.models import Account
from billing.subsidy import budgets, drafts
from billing.subsidy import draft_queries as queries
from billing.subsidy import services as subsidy
from billing.subsidy.rules.programme import parse_programme
from billing.subsidy.rules.programme_faults import document_faults
from config.kernel.errors import Refusal
from frontend.presenters.programme_text import pool_sentences
from tests.billing.money_invariants import wrong
from tests.billing.services.conftest import Life
from tests.conftest import programme_document, slot_of

pytestmark = pytest.mark.django_db


def version_of(label: str, first: str, last: str, **pool: Any) -> dict[str, Any]:
    document = programme_document("DEMO-QH-V") | {"examples": [], "version": label}
    document["validity"] = document["validity"] | {"first_day": first, "last_day": last}
    for cap in document["caps"]:
        if cap["per"] == "pool":
            cap |= {"limit": {"configured": True, "default": "9000"}} | pool
    return document


FIRST = ("2026.1", "2026-01-01", "2026-11-02")
SECOND = ("2026.2", "2026-11-03", "2026-12-31")
NEXT = ("2027.1", "2027-01-01", "2027-12-31")


def publish(cast: Any, document: dict[str, Any]) -> Any:
    version = subsidy.draft_version(cast.actor("chen"), document, cast.now)
    subsidy.publish_version(cast.actor("sun"), version, cast.now)
    return version


def pools() -> dict[str, int]:
    return dict(Account.objects.filter(kind="pool").values_list("key", "granted_fen"))


def test_a_version_of_the_same_year_has_to_say_which_money_it_is(cast: Any) -> None:
    publish(cast, version_of(*FIRST))
    with pytest.raises(Refusal) as refused:
        publish(cast, version_of(*SECOND))
    (reason,) = refused.value.reasons
    assert (reason.code, reason.params["label"], reason.params["left_fen"]) == ("programme.pool_again", "2026.1", 9000_00)
    assert pools() == {"pool:DEMO-QH-V:2026.1:pool": 9000_00}


def test_a_pool_that_goes_on_is_one_account_and_its_money_is_counted_once(cast: Any, life: Life) -> None:
    publish(cast, version_of(*FIRST))
    publish(cast, version_of(*SECOND, pool_of="2026.1"))
    assert pools() == {"pool:DEMO-QH-V:2026.1:pool": 9000_00}
    charge = life.whole(slot_of(9, 11))
    given = charge.result["outcomes"][0]["total_fen"]
    account = Account.objects.get(kind="pool")
    assert charge.result["outcomes"][0]["version"] == "2026.2"
    assert account.posted_fen == given > 0
    (budget,) = budgets.budgets(cast.actor("chen"), cast.now)
    assert (budget.version.label, budget.left_fen) == ("2026.2", 9000_00 - given)
    third = version_of("2026.3", "2026-12-31", "2026-12-31", pool_of="2026.2")
    programme = parse_programme(third | {"validity": third["validity"] | {"first_day": "2026-12-31"}})
    (reason,) = subsidy.pool_faults(subsidy.Programme.objects.get().pk, programme)
    assert reason.code == "programme.pool_unknown"
    assert not wrong()


def test_new_money_is_another_account_beside_the_old_one(cast: Any) -> None:
    publish(cast, version_of(*FIRST))
    publish(cast, version_of(*SECOND, new_money=True))
    assert pools() == {"pool:DEMO-QH-V:2026.1:pool": 9000_00, "pool:DEMO-QH-V:2026.2:pool": 9000_00}


def test_the_next_year_has_new_money_without_saying_so_and_goes_on_with_none(cast: Any) -> None:
    publish(cast, version_of(*FIRST))
    with pytest.raises(Refusal) as refused:
        publish(cast, version_of(*NEXT, pool_of="2026.1"))
    assert refused.value.reasons[0].code == "programme.pool_unknown"
    publish(cast, version_of("2027.2", *NEXT[1:]))
    assert len(pools()) == 2


def test_only_a_pool_says_so_and_only_one_of_the_two() -> None:
    document = version_of(*FIRST, pool_of="2025.1", new_money=True)
    document["caps"][0]["new_money"] = True
    assert {each.path for each in document_faults(document)} >= {"$.caps[0].new_money"}


@pytest.mark.parametrize(("pool", "said"), [({"pool_of": "2026.1"}, "goes on with"), ({"new_money": True}, "is new money")])
def test_who_approves_reads_what_the_old_pool_has_left(cast: Any, pool: dict[str, Any], said: str) -> None:
    publish(cast, version_of(*FIRST))
    example = {"title": "one", "facts": {"service": {"service_on": "2026-12-01"}}, "expect": {"total": 0}}
    document = version_of(*SECOND, **pool) | {"examples": [example]}
    draft = drafts.ProgrammeDraft(document=document, state="submitted")
    with override("en"):
        (sentence,) = pool_sentences(queries.pools_beside(draft))
    assert said in sentence
    assert "9,000.00" in sentence
