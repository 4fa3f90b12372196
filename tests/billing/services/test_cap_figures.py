"""The figure of a limit that a document leaves to the administrator: set by two people, before the year or during it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from billing.ledger.models import Account
from billing.subsidy import budgets, figures
from billing.subsidy.figure_models import CapFigure
from billing.subsidy.rules.figures import with_figures
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.messages import reason_sentence
from tests.billing.money_invariants import wrong
from tests.billing.services.conftest import Life
from tests.conftest import programme_document, slot_of

pytestmark = pytest.mark.django_db
Publish = Callable[[dict[str, Any]], Any]


def left_open(when_unset: str = "no_limit", per: str = "firm_year") -> dict[str, Any]:
    """DEMO-QH-V with one cap whose figure the document leaves open."""
    document = programme_document("DEMO-QH-V") | {"examples": []}
    clause = document["caps"][0]["clause"]
    limit = {"configured": True, "when_unset": when_unset}
    document["caps"] = [{"id": "open", "per": per, "limit": limit, "when_short": "partial", "clause": clause}]
    return document


def setting(cast: Any, version: Any, fen: int, year: int | None = 2026) -> CapFigure:
    asked = figures.ask(cast.actor("qian"), version.pk, "open", year, fen, "Notice 12", cast.now)
    return figures.confirm(cast.actor("chen"), asked.pk, cast.now)


def outcome_of(frozen: Any) -> Any:
    (outcome,) = frozen.result["outcomes"]
    return outcome


def test_a_figure_set_before_anybody_booked_cuts_the_quote_and_the_charge(cast: Any, life: Life, publish: Publish) -> None:
    setting(cast, publish(left_open()), 50_00)
    quote = outcome_of(life.quote(life.ask(slot_of(9, 11))))
    assert (quote["total_fen"], quote["binding_caps"]) == (50_00, ["open"])
    charge = life.whole(slot_of(13, 15))
    assert outcome_of(charge)["total_fen"] == 50_00
    account = Account.objects.get(kind="firm_year")
    assert (account.limited, account.granted_fen, account.posted_fen) == (True, 50_00, 50_00)
    assert not wrong()


def test_what_refuses_without_a_figure_gives_with_one(cast: Any, life: Life, publish: Publish) -> None:
    version = publish(left_open("refuse"))
    refused = outcome_of(life.quote(life.ask(slot_of(9, 11))))
    assert [each["code"] for each in refused["reasons"]] == ["subsidy.unmet.limit_not_set"]
    setting(cast, version, 50_00)
    assert outcome_of(life.quote(life.ask(slot_of(13, 15))))["total_fen"] == 50_00


def test_a_total_over_all_years_is_set_once(cast: Any, life: Life, publish: Publish) -> None:
    version = publish(left_open(per="unit_total"))
    with pytest.raises(Refusal) as refused:
        figures.ask(cast.actor("qian"), version.pk, "open", 2026, 1, "x", cast.now)
    assert refused.value.reasons[0].code == "figure.year"
    setting(cast, version, 50_00, None)
    assert outcome_of(life.whole(slot_of(9, 11)))["total_fen"] == 50_00


def test_raised_and_lowered_during_the_year_and_never_below_what_is_used(cast: Any, life: Life, publish: Publish) -> None:
    version = publish(left_open())
    setting(cast, version, 1000_00)
    given = outcome_of(life.whole(slot_of(9, 11)))["total_fen"]
    setting(cast, version, 1_00)
    account = Account.objects.get(kind="firm_year")
    assert (account.granted_fen, account.left_fen) == (given, 0)
    assert outcome_of(life.quote(life.ask(slot_of(13, 15))))["total_fen"] == 0
    setting(cast, version, given + 7_00)
    assert outcome_of(life.quote(life.ask(slot_of(16, 18))))["total_fen"] == 7_00
    assert not wrong()


def test_a_pool_is_not_set_below_what_it_holds_and_spent(cast: Any, life: Life, publish: Publish) -> None:
    version = publish(left_open(per="pool"))
    setting(cast, version, 900_00, None)
    given = outcome_of(life.whole(slot_of(9, 11)))["total_fen"]
    with pytest.raises(Refusal) as refused:
        setting(cast, version, given - 1, None)
    assert (refused.value.reasons[0].code, refused.value.reasons[0].field) == ("figure.below_used", "amount_yuan")
    setting(cast, version, given, None)
    assert Account.objects.get(kind="pool").left_fen == 0


def test_two_people_set_it_and_nothing_counts_before(cast: Any, life: Life, publish: Publish) -> None:
    version = publish(left_open())
    asked = figures.ask(cast.actor("qian"), version.pk, "open", 2026, 50_00, "Notice 12", cast.now)
    assert outcome_of(life.quote(life.ask(slot_of(9, 11))))["binding_caps"] == []
    with pytest.raises(Refusal) as refused:
        figures.confirm(cast.actor("qian"), asked.pk, cast.now)
    assert refused.value.reasons[0].code == "ledger.second_person"
    with pytest.raises(Forbidden):
        figures.ask(cast.actor("lin"), version.pk, "open", 2026, 50_00, "Notice 12", cast.now)
    with pytest.raises(IntegrityError), transaction.atomic():
        CapFigure.objects.filter(pk=asked.pk).update(state="set", decided_by=asked.asked_by_id, decided_at=cast.now)
    figures.refuse(cast.actor("chen"), asked.pk, "Mistyped", cast.now)
    with pytest.raises(Refusal):
        figures.confirm(cast.actor("chen"), asked.pk, cast.now)
    (row,) = [each for each in budgets.figures(cast.actor("chen"), cast.now) if each.year == 2026]
    assert (row.set_fen, [each.answer for each in row.history]) == (None, ["Mistyped"])


def test_one_proposal_of_a_figure_waits_at_a_time_and_the_refusal_names_it(cast: Any, publish: Publish) -> None:
    document = left_open()
    document["validity"] = document["validity"] | {"last_day": "2027-12-31"}
    version = publish(document)
    first = figures.ask(cast.actor("qian"), version.pk, "open", 2026, 50_00, "Notice 12", cast.now)
    figures.ask(cast.actor("qian"), version.pk, "open", 2027, 50_00, "Notice 12", cast.now)  # another year's
    with pytest.raises(Conflict) as refused:
        figures.ask(cast.actor("chen"), version.pk, "open", 2026, 60_00, "Notice 13", cast.now)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.field, reason.params["figure"]) == ("figure.waits_already", "cap", first.pk)
    with translation.override("en"):
        assert reason_sentence(reason).startswith("Qian asked for ¥50.00 on Mon 23 Nov 2026, and nobody")
    with pytest.raises(IntegrityError, match="cap_figure_one_waits"), transaction.atomic():
        CapFigure.objects.create(
            version=version, cap_id="open", year=2026, counts_for=first.counts_for, limit_fen=1, reason="x",
            asked_by=cast.users["chen"], asked_at=cast.now,
        )  # fmt: skip
    figures.refuse(cast.actor("qian"), first.pk, "Mistyped", cast.now)
    figures.confirm(
        cast.actor("qian"), figures.ask(cast.actor("chen"), version.pk, "open", 2026, 60_00, "Notice 13", cast.now).pk, cast.now
    )
    setting(cast, version, 70_00)


@pytest.mark.parametrize(
    ("per", "money", "shared"),
    [("firm_year", {}, True), ("pool", {"pool_of": "1"}, True), ("pool", {"new_money": True}, False)],
)
def test_versions_of_one_year_share_what_waits_and_a_pool_of_new_money_has_its_own(
    cast: Any, publish: Publish, per: str, money: dict[str, Any], shared: bool
) -> None:
    made = []
    for label, first, last, more in (("1", "2026-01-01", "2026-06-30", {}), ("2", "2026-07-01", "2026-12-31", money)):
        document = left_open(per=per) | {"version": label}
        document["validity"] = document["validity"] | {"first_day": first, "last_day": last}
        document["caps"] = [document["caps"][0] | more]
        made.append(publish(document))
    year = None if per == "pool" else 2026
    figures.ask(cast.actor("qian"), made[0].pk, "open", year, 50_00, "Notice 12", cast.now)
    if shared:
        with pytest.raises(Conflict):
            figures.ask(cast.actor("qian"), made[1].pk, "open", year, 50_00, "Notice 12", cast.now)
    else:
        figures.ask(cast.actor("qian"), made[1].pk, "open", year, 50_00, "Notice 12", cast.now)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE billing_capfigure CASCADE",
        "DELETE FROM billing_capfigure",
        "UPDATE billing_capfigure SET limit_fen = 1",
        "UPDATE billing_capfigure SET answer = 'x'",
    ],
)
def test_what_was_set_stays_as_it_was(cast: Any, publish: Publish, statement: str) -> None:
    setting(cast, publish(left_open()), 50_00)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_figure_of_next_year_leaves_this_one_alone(cast: Any, life: Life, publish: Publish) -> None:
    document = left_open()
    document["validity"] = document["validity"] | {"last_day": "2027-12-31"}
    setting(cast, publish(document), 50_00, 2027)
    assert outcome_of(life.quote(life.ask(slot_of(9, 11))))["binding_caps"] == []


def test_the_sandbox_and_the_calculator_go_by_it(cast: Any, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    document = left_open("refuse")
    version = publish(document)
    setting(cast, version, 50_00)
    assert figures.latest("DEMO-QH-V") == figures.as_of("DEMO-QH-V", 2026) == {"open": 50_00}
    assert figures.as_of("DEMO-QH-V", 2027) == {}
    figured = with_figures(document, {"open": 50_00})
    assert figured["caps"][0]["limit"] == {"configured": True, "default": "50.00"}
    page = Client().get(
        reverse("programme_detail", args=["DEMO-QH-V"]) + "?calculator-fee=1000&fee=1000&kind=firm&size=small&region=630102",
        headers={"accept-language": "en"},
    )
    assert "50.00" in page.content.decode()


def test_the_budgets_page_asks_shows_and_decides(cast: Any, publish: Publish) -> None:
    version = publish(left_open())
    qian, chen = Client(), Client()
    qian.force_login(cast.users["qian"])
    chen.force_login(cast.users["chen"])
    ask = reverse("figure_ask", args=[version.pk, "open"]) + "?year=2026"
    assert "2026" in qian.get(ask).content.decode()
    assert qian.post(ask, {"amount_yuan": "-1", "reason": "Notice"}).status_code == 422
    assert qian.post(ask, {"amount_yuan": "50", "reason": ""}).status_code == 422
    assert qian.post(ask, {"amount_yuan": "50", "reason": "Notice 12"}).status_code == 302
    page = chen.get(reverse("programme_budgets"), headers={"accept-language": "en"}).content.decode()
    assert "Not set: no limit" in page and ">¥50.00 asked for by" in page
    assert ask not in page, "another is asked for once this one is decided"
    decide = reverse("figure_decide", args=[CapFigure.objects.get().pk])
    there = chen.get(ask, headers={"accept-language": "en"})
    assert there.status_code == 200 and "nobody has decided about it yet" in there.content.decode()
    again = chen.post(ask, {"amount_yuan": "61", "reason": "Notice 13"}, headers={"accept-language": "en"})
    words = again.content.decode()
    assert again.status_code == 409 and "asked for ¥50.00" in words and 'value="61"' in words and "Notice 13" in words
    assert "Needed where it is not set." in chen.get(decide, headers={"accept-language": "en"}).content.decode()
    assert qian.post(decide, {"decision": "set"}).status_code == 422
    assert chen.post(decide, {"decision": "set"}).status_code == 302
    page = chen.get(reverse("programme_budgets"), headers={"accept-language": "en"}).content.decode()
    assert "Notice 12" in page and "¥50.00 set by" in page
    assert chen.get(reverse("figure_ask", args=[version.pk, "nothing"])).status_code == 404


def test_programmes_that_leave_nothing_open_ask_nothing_of_the_database(
    cast: Any, life: Life, publish: Publish, django_assert_num_queries: Any, monkeypatch: Any
) -> None:
    publish(programme_document("DEMO-QH-V"))
    monkeypatch.setattr(figures, "set_for", lambda *_: pytest.fail("it was asked for"))
    life.whole(slot_of(9, 11))
