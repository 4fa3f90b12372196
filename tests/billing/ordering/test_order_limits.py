"""Limits per order and per contract are kept on accounts: services of one order, and of one contract, share what there is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Account
from billing.ordering.services import sheets
from billing.settlement import series_figures, together_figures
from billing.settlement.models import Charge, Quote
from billing.settlement.services import quotes
from billing.settlement.services.replaying import replay_charges
from billing.vouchers import queries as wallets
from booking.models import Reservation
from booking.rules.series import SeriesRule
from booking.services import series, together, transitions
from booking.services.together import Bundle, Place
from config.kernel.errors import Conflict, Refusal
from tests.billing.ordering.test_contract_facts import asking, service_of, sheet, signed, wrong
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.concurrency.world import add_instrument
from tests.conftest import slot_of, voucher_document

__all__ = ["published", "sheet"]
pytestmark = pytest.mark.django_db
CLAUSE = voucher_document(CODE)["clauses"][0]["id"]
NINE = datetime(2026, 11, 25, 9)


def cap(per: str, limit: str = "300") -> dict[str, Any]:
    return {"id": "own", "per": per, "limit": limit, "when_short": "partial", "clause": CLAUSE}


def limited(per: str, limit: str = "300") -> dict[str, Any]:
    """40 % of the fee, at most 300 yuan an order or contract; two hours get 320 without a limit."""
    return asking(caps=[cap(per, limit)])


def accounts(kind: str) -> list[tuple[int, int]]:
    """What is held and spent on each account of a kind."""
    return list(Account.objects.filter(kind=kind).order_by("pk").values_list("held_fen", "posted_fen"))


def approve(cast: Any, pk: int) -> int:
    """Approve; where the customer is asked again, it accepts. What is deducted."""
    try:
        transitions.approve(cast.actor("wang"), pk, cast.now)
    except Conflict:
        quotes.accept_quote(cast.actor("lin"), pk, cast.now)
        transitions.approve(cast.actor("wang"), pk, cast.now)
    return Quote.objects.filter(reservation=pk).latest("revision").deducted_fen


def in_series(cast: Any, count: int = 2) -> list[Reservation]:
    rule = SeriesRule(NINE, NINE + timedelta(hours=2), count=count)
    wish = series.Wish(cast.xrd.pk, cast.firm.pk, rule, "self_operated")
    shown = series_figures.report(cast.actor("lin"), wish, cast.now)
    pk = series.ask(cast.actor("lin"), wish, shown.picks(), cast.now, idempotency_key="s").series_id
    return list(Reservation.objects.filter(series=pk).order_by("ordinal"))


def replayed() -> bool:
    return {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_two_sessions_of_one_series_get_an_orders_limit_together(cast: Any, published: Any) -> None:
    published(limited("order"))
    first, second = in_series(cast)
    assert [approve(cast, each.pk) for each in (first, second)] == [300_00, 0]
    assert accounts("order") == [(300_00, 0)]
    assert service_of(Quote.objects.filter(reservation=first).latest("revision"))["order"] == f"series:{first.series_id}"
    first.refresh_from_db()
    assert Life(cast).use(first).deducted_fen == 300_00
    assert accounts("order") == [(0, 300_00)] and replayed() and wrong() == {}


def test_two_sessions_asked_for_alone_get_it_each_and_nothing_is_looked_up_or_opened(cast: Any, published: Any) -> None:
    """The control: without a series each is an order of its own."""
    published(limited("order"))
    life = Life(cast)
    asked = [life.ask(slot_of(hour, hour + 2)) for hour in (9, 13)]
    life.approve(asked[0])
    with CaptureQueriesContext(connection) as seen:
        life.approve(asked[1])
    assert not [each for each in seen.captured_queries if "commissionsheet" in each["sql"]]
    assert [life.use(each).deducted_fen for each in asked] == [300_00, 300_00]
    assert accounts("order") == [] and "order" not in service_of(Charge.objects.get(reservation=asked[0]))
    assert replayed()


def test_a_wallet_does_not_drown_in_limits_of_orders(cast: Any, published: Any) -> None:
    yearly = cap("firm_year", "60000") | {"id": "year"}
    published(asking(caps=[cap("order"), yearly]))
    approve(cast, in_series(cast)[0].pk)
    assert accounts("order") == accounts("firm_year") == [(300_00, 0)]
    _vouchers, limits = wallets.wallet(cast.actor("lin"), cast.firm, cast.now.date())
    assert [each.kind for each in limits] == ["firm_year"]


def test_what_a_session_of_an_order_gives_up_is_there_for_the_next(cast: Any, published: Any) -> None:
    published(limited("order"))
    first, second = in_series(cast)
    approve(cast, first.pk)
    transitions.cancel(cast.actor("lin"), first.pk, cast.now)
    assert accounts("order") == [(0, 0)]
    assert approve(cast, second.pk) == 300_00


def test_the_report_of_a_series_tells_what_is_given_when_all_times_are_approved(cast: Any, published: Any) -> None:
    published(limited("order", "500"))
    rule = SeriesRule(NINE, NINE + timedelta(hours=2), count=2)
    wish = series.Wish(cast.xrd.pk, cast.firm.pk, rule, "self_operated")
    shown = series_figures.report(cast.actor("lin"), wish, cast.now)
    assert shown.if_all_approved is not None
    assert [each.gross_fen - each.payable_now_fen for each in (shown.together, shown.if_all_approved)] == [640_00, 500_00]


def test_instruments_that_are_asked_for_at_once_are_one_order(cast: Any, published: Any) -> None:
    published(limited("order"))
    sem = add_instrument(cast, "Electron microscope")
    places = (Place(cast.xrd.pk, slot_of(9, 11), "self_operated"), Place(sem.pk, slot_of(11, 13), "self_operated"))
    bundle = Bundle(cast.firm.pk, places, "lithium salts")
    together_figures.report(cast.actor("lin"), bundle, cast.now)
    together.ask(cast.actor("lin"), bundle, cast.now, idempotency_key="b")
    given = [approve(cast, each.pk) for each in Reservation.objects.filter(group__isnull=False).order_by("pk")]
    assert sum(given) == 300_00 and accounts("order") == [(300_00, 0)]


def test_a_sheet_in_force_is_the_order_before_any_series(cast: Any, published: Any, sheet: Any) -> None:
    published(limited("order"))
    first, second = in_series(cast)
    under = sheet()
    sheets.link(cast.actor("lin"), under.pk, first.pk, cast.now)
    signed(cast, under)
    assert [approve(cast, each.pk) for each in (first, second)] == [300_00, 300_00]
    assert accounts("order") == [(300_00, 0), (300_00, 0)]


@pytest.mark.parametrize("per", ["order", "contract"])
def test_sessions_under_one_signed_sheet_get_its_limit_together(cast: Any, published: Any, sheet: Any, per: str) -> None:
    published(limited(per, "500"))
    life, under = Life(cast), sheet()
    asked = [life.ask(slot_of(hour, hour + 2)) for hour in (9, 13)]
    for each in asked:
        sheets.link(cast.actor("lin"), under.pk, each.pk, cast.now)
    signed(cast, under)
    assert [approve(cast, each.pk) for each in asked] == [320_00, 180_00]
    [account] = Account.objects.filter(kind=per)
    assert account.organisation_id == cast.firm.pk and account.key.endswith(under.number)
    for each in asked:
        each.refresh_from_db()
        life.use(each)
    assert accounts(per) == [(0, 500_00)] and replayed() and wrong() == {}


def test_a_limit_per_contract_leaves_a_session_without_one_by_itself(cast: Any, published: Any) -> None:
    published(limited("contract"))
    life = Life(cast)
    assert [life.whole(slot_of(hour, hour + 2)).deducted_fen for hour in (9, 13)] == [300_00, 300_00]
    assert accounts("contract") == []


def test_a_session_is_not_attached_to_a_contract_under_which_it_would_cost_more(cast: Any, published: Any, sheet: Any) -> None:
    published(limited("contract"))
    life, under = Life(cast), signed(cast, sheet())
    first, second = (life.approve(life.ask(slot_of(hour, hour + 2))) for hour in (9, 13))
    sheets.link(cast.actor("lin"), under.pk, first.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        sheets.link(cast.actor("lin"), under.pk, second.pk, cast.now)
    assert [each.code for each in refused.value.reasons] == ["commission.dearer"]
    assert accounts("contract") == [(300_00, 0)]


def test_a_programme_with_a_limit_per_contract_may_ask_for_one(cast: Any, published: Any, sheet: Any) -> None:
    published(asking({"fact": "service.contract_number", "known": True}, caps=[cap("contract")]))
    life, under = Life(cast), signed(cast, sheet())
    alone, attached = life.ask(slot_of(9, 11)), life.ask(slot_of(13, 15))
    sheets.link(cast.actor("lin"), under.pk, attached.pk, cast.now)
    assert [life.use(life.approve(each)).deducted_fen for each in (alone, attached)] == [0, 300_00]


def test_sample_jobs_of_one_sheet_share_the_limit_too(cast: Any, published: Any, sheet: Any) -> None:
    from billing.ordering.rules.lines import LineInput
    from billing.ordering.services import sample_links

    published(limited("order", "100"))
    work = Work(cast, make_item(cast))
    under = signed(cast, sheet(LineInput("test", "10", work.item.pk, "", "sample", 60_00)))
    jobs = [work.ask(3) for _each in range(2)]
    sample_links.link(cast.actor("lin"), under.pk, jobs[0].pk, cast.now)
    assert work.accept(jobs[0]).quotes.latest("revision").deducted_fen == 72_00
    assert accounts("order") == [(72_00, 0)]
