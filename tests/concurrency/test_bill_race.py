"""Two people of finance issue one batch of bills; little prepaid money and ten who book against it; kill -9 while a bill is issued and
while the payment service's news are taken in: no gap, no number twice, no payment lost, nothing spent that is not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone

from billing.bills.models import Bill, BillLine
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.payments.models import Payment, ProviderEvent
from billing.payments.services import bank_import, checkouts, inbox, prepaying
from billing.prepaid.accounts import prepaid
from billing.prepaid.services import setting
from booking.models import Reservation
from booking.services import transitions
from config.kernel.access import Actor, Role
from instruments.models import Membership, OrganisationIdentifier
from instruments.queries import actor_for
from tests.agreeing import check_out_agreed
from tests.billing.payments.conftest import csv_of
from tests.billing.payments.test_bank_transfers import row
from tests.billing.payments.test_stripe import BACK, PAYEE, post, work
from tests.concurrency.dying import killed_at, moments_of
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_money_stampede import held_by_transfers, read_modify_write
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import CLIENTS, LABS, World
from tests.stripe_double import ACCOUNT, KEY, SECRETS, Double

DECEMBER, LAST = datetime(2026, 12, 1, 2, 0, tzinfo=UTC), date(2026, 11, 30)
EACH_FEN = 800_00
"""Two hours at 400 yuan, without a programme."""
CUSTOMERS, KILLS, MANY = 6, 5, 50


def whose(place: int) -> int:
    """The place in the crowd of the firm at this place: after the last firm come the last ones again."""
    return place if place < CLIENTS else 2 * CLIENTS - 1 - place


def used(world: World, place: int) -> None:
    """An agreed session of one of the crowd's firms, each on an instrument and a day of its own."""
    during = world.slot(9, day=place // LABS)
    reserved = asking(world, whose(place), during, f"s{place}", place % LABS)()
    transitions.approve(world.manager(0), reserved.reservation_id, world.cast.now)
    transitions.check_in(world.manager(0), reserved.reservation_id, during.starts_at)
    check_out_agreed(world.manager(0), reserved.reservation_id, during.ends_at)


def clerks(world: World) -> list[Actor]:
    """Li and a colleague."""
    colleague = world.managers[1]
    Membership.objects.create(user=colleague, organisation=world.cast.lab, role=Role.OWNER_FINANCE, created_at=world.cast.now)
    return [world.cast.actor("li"), actor_for(colleague)]


def batch(actor: Actor, world: World, places: list[int]) -> Callable[[], list[str]]:
    """Bill these firms one after the other, as a batch does: who was billed meanwhile is passed over."""

    def call() -> list[str]:
        made = []
        for place in places:
            try:
                made.append(issuing.issue(actor, BillRequest(world.cast.lab.pk, world.firms[place].pk, LAST), DECEMBER).number)
            except issuing.Refusal as refused:
                assert refused.reasons[0].code in ("bill.nothing_to_bill", "bill.issued_meanwhile", "bill.figures_differ")
        return made

    return call


def test_two_who_issue_one_batch_make_each_bill_once_and_numbers_have_no_gap(world: World) -> None:
    places = list(range(CUSTOMERS))
    for place in places:
        used(world, place)
    one, other = clerks(world)
    outcomes = at_once([batch(one, world, places), batch(other, world, places), batch(other, world, places[::-1])])
    assert tally(outcomes) == {"ok": 3}
    numbers = sorted(number for made in outcomes for number in made)
    assert numbers == [f"ZD-2026-{place:06d}" for place in range(1, CUSTOMERS + 1)]
    assert Bill.objects.count() == BillLine.objects.count() == CUSTOMERS
    assert violations() == {}


def test_without_lock_and_constraint_a_charge_is_billed_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    used(world, 0)
    one, other = clerks(world)
    sql_run("DROP INDEX bill_line_charge_once")
    monkeypatch.setattr(issuing, "_lock", lambda found: time.sleep(0.3))
    at_once([batch(one, world, [0]), batch(other, world, [0])])
    assert BillLine.objects.count() == 2


def paid_in_advance(world: World, amount_fen: int) -> Account:
    """The first firm has so much prepaid money, and the lab asks for it; its account."""
    li, firm = world.cast.actor("li"), world.firms[0]
    statement = bank_import.import_statement(
        li, world.cast.lab.pk, csv_of(row(f"{amount_fen / 100}")), "a.csv", DECEMBER
    ).statement
    prepaying.deposit(li, statement.payments.get().pk, firm.pk, amount_fen, world.cast.now)
    setting.ask_for_prepaid(li, world.cast.lab.pk, firm.pk, True, "new customer", world.cast.now)
    return Account.objects.get(key=prepaid(world.cast.lab.pk, firm.pk).key)


def booking(world: World, place: int) -> Callable[[], object]:
    """The first firm asks for one of ten instruments, at an hour of its own."""
    return asking(world, 0, world.slot(8, day=place), f"p{place}", place)


def test_prepaid_money_covers_as_many_bookings_as_it_can_and_not_one_more(world: World) -> None:
    account = paid_in_advance(world, 2 * EACH_FEN + 1)
    outcomes = at_once([booking(world, place) for place in range(LABS)])
    assert tally(outcomes) == {"ok": 2, "prepaid.not_enough_left": LABS - 2}
    account.refresh_from_db()
    assert account.held_fen == held_by_transfers(account) == 2 * EACH_FEN and Reservation.objects.count() == 2
    assert violations() == {}


def test_without_check_and_locks_more_is_promised_than_was_prepaid(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: CHECK dropped, accounts not locked, the conditional update replaced by read, compare, write."""
    account = paid_in_advance(world, 2 * EACH_FEN + 1)
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    monkeypatch.setattr(ledger, "lock", lambda accounts: {each.key: Account.objects.get(pk=each.pk) for each in accounts})
    monkeypatch.setattr(ledger, "hold_all", read_modify_write)
    outcomes = at_once([booking(world, place) for place in range(LABS)])
    assert tally(outcomes)["ok"] > 2 and held_by_transfers(account) > account.granted_fen


@pytest.mark.parametrize("kills", [KILLS, pytest.param(MANY, marks=pytest.mark.proof)])
def test_killed_while_issuing_there_is_no_gap_and_no_second_bill(world: World, kills: int) -> None:
    li, turns = world.cast.actor("li"), kills

    def issue(place: int) -> Callable[[], object]:
        used(world, place)
        asked = BillRequest(world.cast.lab.pk, world.firms[whose(place)].pk, LAST)
        return lambda: issuing.issue_once(li, asked, DECEMBER, idempotency_key=f"k{place}")

    issue(turns + 1)()  # the first one opens the series and the lab's accounts
    moments = moments_of(issue(turns))
    acts = [issue(place) for place in range(turns)]
    for place, act in enumerate(acts):
        assert killed_at(moments - place * moments // turns, act)
        act()
        act()
    assert sorted(Bill.objects.values_list("number", flat=True)) == [f"ZD-2026-{number:06d}" for number in range(1, turns + 3)]
    assert violations() == {}


@pytest.fixture
def stripe(settings: Any) -> Iterator[Double]:
    double = Double()
    settings.STRIPE = {
        "key": KEY, "live": False, "webhook_secrets": SECRETS, "account": ACCOUNT, "payee": PAYEE, "api_base": double.url,
    }  # fmt: skip
    yield double
    double.close()


@pytest.mark.parametrize("kills", [KILLS, pytest.param(MANY, marks=pytest.mark.proof)])
def test_killed_while_news_is_taken_in_no_payment_is_lost_or_taken_twice(world: World, stripe: Double, kills: int) -> None:
    """Web and worker in one process, which is killed; then the service repeats its news, and the janitor queues what lost its job."""
    li, cast = world.cast.actor("li"), world.cast
    OrganisationIdentifier.objects.get_or_create(organisation=cast.lab, scheme="uscc", value=PAYEE)
    sessions = []
    for place in range(kills + 2):
        used(world, place)
        person, firm = whose(place), world.firms[whose(place)]
        Membership.objects.get_or_create(
            user=world.people[person], organisation=firm, role=Role.FIRM_ADMIN, defaults={"created_at": cast.now}
        )
        bill = issuing.issue(li, BillRequest(cast.lab.pk, firm.pk, LAST), DECEMBER)
        url = checkouts.start(world.person(person), bill.pk, BACK, timezone.now())
        sessions.append(url.rsplit("/", 1)[1])

    def hear(place: int) -> Callable[[], object]:
        stripe.pay(sessions[place])
        event = stripe.events[-3]
        return lambda: (post(event), work())

    hear(kills + 1)()  # the first one opens the lab's accounts
    moments = moments_of(hear(kills))
    for place in range(kills):
        act = hear(place)
        assert killed_at(moments - place * moments // kills, act)
        act()
        act()
    assert inbox.requeue_stale(timezone.now()) == 0 and set(ProviderEvent.objects.values_list("state", flat=True)) == {"done"}
    assert Payment.objects.count() == kills + 2
    assert sum(Payment.objects.values_list("amount_fen", flat=True)) == (kills + 2) * EACH_FEN
    assert violations() == {}
