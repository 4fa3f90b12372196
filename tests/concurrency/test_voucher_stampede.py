"""Quotas, vouchers and a shared controller's limit under many at once: never one fen more, every call answered, and controls."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

import pytest

from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.services import AccountSpec, Source
from billing.settlement.models import Quote
from billing.vouchers.models import Voucher
from billing.vouchers.rules.terms import Area, Terms
from billing.vouchers.services import announcing, applying
from billing.vouchers.services.applying import Application
from config.kernel.errors import Conflict
from config.kernel.services import transactions
from instruments.models import Membership
from tests.concurrency.harness import at_once, broken, sql_run, tally, violations
from tests.concurrency.test_money_stampede import approving, held_by_transfers, read_modify_write
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import LABS, World, publish
from tests.conftest import programme_document, voucher_document

CODE = "DEMO-QH-VC"
PDF = b"%PDF-1.4 evidence"
FIRMS = 20
EACH_FEN = 1_000_00


def terms(quota_fen: int) -> Terms:
    areas = (Area("", "63", quota_fen),)
    return Terms("voucher", "Race", "", "", date(2026, 11, 1), date(2026, 12, 31), None, EACH_FEN, 90, date(2027, 3, 31), areas)


def reviewed(world: World, quota_fen: int) -> list[int]:
    """Applications of twenty firms, each recommended with the same amount."""
    cast = world.cast
    publish(cast, voucher_document(CODE))
    found = announcing.draft(cast.actor("chen"), CODE, terms(quota_fen), cast.now)
    announcing.publish(cast.actor("sun"), found.pk, cast.now)
    quota = found.quotas.get()
    ids = []
    for place in range(FIRMS):
        Membership.objects.create(
            user=world.people[place], organisation=world.firms[place], role="firm_admin", created_at=cast.now
        )
        given = Application(quota.pk, EACH_FEN, "race", PDF)
        row = applying.apply(world.person(place), found.pk, world.firms[place].pk, given, cast.now)
        applying.review(cast.actor("chen"), row.pk, EACH_FEN, "", cast.now)
        ids.append(row.pk)
    return ids


def issuing(world: World, pk: int) -> Callable[[], Any]:
    actor, now = world.cast.actor("qian"), world.cast.now
    return lambda: applying.issue(actor, pk, now)


def test_a_quota_issues_as_many_vouchers_as_it_can_and_not_one_more(world: World) -> None:
    ids = reviewed(world, 7 * EACH_FEN + 500_00)
    outcomes = at_once([issuing(world, pk) for pk in ids])
    assert tally(outcomes) == {"ok": 7, "voucher.quota_used_up": FIRMS - 7}
    quota = Account.objects.get(kind="voucher_quota")
    assert (quota.left_fen, Voucher.objects.count()) == (500_00, 7)
    places = sorted(int(number.rpartition("/")[2]) for number in Voucher.objects.values_list("number", flat=True))
    assert places == list(range(1, 8))  # no gap, none twice
    assert violations() == {}


def test_one_application_is_issued_once_however_many_try(world: World) -> None:
    ids = reviewed(world, 50 * EACH_FEN)
    outcomes = at_once([issuing(world, ids[0]) for _ in range(10)])
    assert tally(outcomes) == {"ok": 1, "voucher.decided_already": 9}
    assert Voucher.objects.count() == 1


def test_without_check_and_lock_the_quota_is_overspent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: CHECK dropped, the quota not locked, the conditional update replaced by read, compare, write."""
    ids = reviewed(world, 7 * EACH_FEN)
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_not_negative")
    monkeypatch.setattr(applying, "next_number", lambda code, on: f"race-{ledger.__name__}-{__import__('uuid').uuid4()}")
    monkeypatch.setattr(ledger, "lock", lambda accounts: {each.key: Account.objects.get(pk=each.pk) for each in accounts})
    monkeypatch.setattr(ledger, "_take_granted", _read_then_write)
    outcomes = at_once([issuing(world, pk) for pk in ids])
    assert tally(outcomes)["ok"] > 7
    assert sum(Voucher.objects.values_list("face_fen", flat=True)) > 7 * EACH_FEN


def _read_then_write(account: Account, amount_fen: int) -> None:
    import time

    if account.limited:
        fresh = Account.objects.get(pk=account.pk)
        time.sleep(0.05)
        if fresh.left_fen < amount_fen:
            raise ledger.Conflict.of("ledger.not_enough_left", needed_fen=amount_fen, left_fen=fresh.left_fen)
        Account.objects.filter(pk=account.pk).update(granted_fen=fresh.granted_fen - amount_fen)


def test_one_voucher_pays_many_bookings_at_once_to_the_last_fen(world: World) -> None:
    ids = reviewed(world, FIRMS * EACH_FEN)
    voucher = issuing(world, ids[0])()
    times = [(instrument, 8 + 2 * place) for place in range(2) for instrument in range(LABS)]
    asked = [
        asking(world, 0, world.slot(hour), f"v{n}", instrument)().reservation_id for n, (instrument, hour) in enumerate(times)
    ]
    assert tally(at_once([approving(world, 0, pk) for pk in asked])) == {"ok": len(asked)}
    account = Account.objects.get(pk=voucher.account_id)
    assert account.held_fen == account.granted_fen == held_by_transfers(account) == EACH_FEN
    given = sorted(Quote.objects.filter(held_at__isnull=False).values_list("deducted_fen", flat=True), reverse=True)
    assert given == [320_00, 320_00, 320_00, 40_00] + [0] * (len(asked) - 4)
    assert violations() == {}


def controlled(world: World, firms: int) -> None:
    """Firms with one person as their actual controller, and a programme that gives such a group 1,000 yuan a year."""
    cast = world.cast
    content = {"party_kind": "person", "name": "Wang", "mark": "123X", "valid_from": date(2020, 1, 1), "valid_to": None}
    for place in range(firms):
        Membership.objects.create(
            user=world.people[place], organisation=world.firms[place], role="firm_admin", created_at=cast.now
        )
        made = declaring.declare(world.person(place), world.firms[place].pk, Declaration("controller", content, PDF), cast.now)
        declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)
    document = programme_document("DEMO-QH-V") | {"examples": []}
    clause = document["caps"][0]["clause"]
    document["caps"] = [{"id": "group", "per": "controller_year", "limit": "1000", "when_short": "partial", "clause": clause}]
    publish(cast, document)


def test_sister_firms_share_their_controllers_limit_whoever_is_approved_first(world: World) -> None:
    controlled(world, LABS)
    asked = [asking(world, place, world.slot(8), "s", place)().reservation_id for place in range(LABS)]
    assert tally(at_once([approving(world, place, pk) for place, pk in enumerate(asked)])) == {"ok": LABS}
    shared = Account.objects.get(kind="controller_year")
    assert shared.granted_fen == shared.held_fen == held_by_transfers(shared) == 1000_00
    given = sorted(Quote.objects.filter(held_at__isnull=False).values_list("deducted_fen", flat=True), reverse=True)
    assert given == [320_00, 320_00, 320_00, 40_00] + [0] * (LABS - 4)
    assert violations() == {}


def test_without_check_and_lock_sister_firms_overspend_their_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    controlled(world, LABS)
    asked = [asking(world, place, world.slot(8), "s", place)().reservation_id for place in range(LABS)]
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    monkeypatch.setattr(ledger, "lock", lambda accounts: {each.key: Account.objects.get(pk=each.pk) for each in accounts})
    monkeypatch.setattr(ledger, "hold_all", read_modify_write)
    at_once([approving(world, place, pk) for place, pk in enumerate(asked)])
    assert held_by_transfers(Account.objects.get(kind="controller_year")) > 1000_00


class Drawing(NamedTuple):
    """One caller: what it takes from the voucher (fen), and what of it is due in the end (0: it gives all of it back)."""

    source_id: int
    amount_fen: int
    due_fen: int


def drawn(seed: int, callers: int, base: int) -> list[Drawing]:
    dice = random.Random(seed)
    amounts = [dice.choice([1, dice.randint(1, 40_00), dice.randint(1, 400_00)]) for _ in range(callers)]
    return [
        Drawing(base + place, amount, dice.choice([0, 1, dice.randint(1, amount), amount]))
        for place, amount in enumerate(amounts)
    ]


def taking(purse: Account, drawing: Drawing, now: datetime) -> Callable[[], str]:
    """Hold a random part of what is there, and now and then end it at once."""

    def work() -> str:
        account = ledger.lock([purse])[purse.key]
        payee = ledger.open_accounts([AccountSpec("awarded:race", "awarded", None)], now)["awarded:race"]
        source = Source("race", drawing.source_id, "approve", None, None)
        ledger.hold({account.pk: drawing.amount_fen}, payee, source, now)
        if drawing.source_id % 3 == 0:
            return "held"
        due = {account.pk: drawing.due_fen} if drawing.due_fen else {}
        ledger.end_holds(ledger.open_holds("race", drawing.source_id), due, source, now, TransferKind.VOID)
        return "ended"

    return lambda: transactions.run(work)


@pytest.mark.parametrize(
    ("callers", "rounds"), [pytest.param(12, 3, id="small"), pytest.param(50, 20, id="50 x 20", marks=pytest.mark.proof)]
)
def test_random_amounts_from_one_voucher_never_sum_above_it_and_every_accepted_call_is_in_the_ledger(
    world: World, callers: int, rounds: int
) -> None:
    drawn_at_random(world, purse_of(world, "voucher"), callers, rounds)


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["pool", "firm_year", "controller_year"])
def test_random_amounts_from_any_limited_account_never_sum_above_it(world: World, kind: str) -> None:
    drawn_at_random(world, purse_of(world, kind), 50, 20)


def purse_of(world: World, kind: str) -> Account:
    """An account of that kind with ``EACH_FEN`` in it; a voucher's is opened as vouchers are."""
    if kind == "voucher":
        account: Account = issuing(world, reviewed(world, FIRMS * EACH_FEN)[0])().account
        return account
    spec = AccountSpec(f"{kind}:RACE", kind, EACH_FEN)
    return ledger.open_accounts([spec], world.cast.now)[spec.key]


def drawn_at_random(world: World, purse: Account, callers: int, rounds: int) -> None:
    """Many who take random amounts at once from a purse with ``EACH_FEN`` in it, several times: the sum is never above what there is, and
    every accepted call is in the ledger."""
    accepted: dict[int, Drawing] = {}
    for number in range(rounds):
        drawings = drawn(number, callers, 1_000 * (number + 1))
        outcomes = at_once([taking(purse, each, world.cast.now) for each in drawings])
        assert set(tally(outcomes)) <= {"ok", "ledger.not_enough_left"}
        for each, said in zip(drawings, outcomes, strict=True):
            if isinstance(said, Conflict):
                told = said.reasons[0].params
                assert told["needed_fen"] == each.amount_fen > told["left_fen"] >= 0
        accepted |= {each.source_id: each for each, said in zip(drawings, outcomes, strict=True) if isinstance(said, str)}
        account = Account.objects.get(pk=purse.pk)
        assert account.held_fen + account.posted_fen <= account.granted_fen == EACH_FEN
    moved = Transfer.objects.filter(source_type="race", debit_id=purse.pk)
    assert dict(moved.filter(kind="hold").values_list("source_id", "amount_fen")) == {
        each.source_id: each.amount_fen for each in accepted.values()
    }
    posted = sum(each.due_fen for each in accepted.values() if each.source_id % 3)
    still = sum(each.amount_fen for each in accepted.values() if each.source_id % 3 == 0)
    assert (account.posted_fen, account.held_fen) == (posted, still)
    refused = callers * rounds - len(accepted)
    assert refused and len(accepted), "the amounts are such that some are refused and some are not"
    # The ledger by itself: nobody's session stands behind a drawing.
    assert broken("vouchers.are_used_in_their_days_by_their_firm") == {}


@pytest.mark.parametrize("kind", ["voucher", "pool", "firm_year", "controller_year"])
def test_without_check_and_lock_random_amounts_overspend_any_limited_account(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    purse = purse_of(world, kind)
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    monkeypatch.setattr(ledger, "lock", lambda accounts: {each.key: Account.objects.get(pk=each.pk) for each in accounts})
    monkeypatch.setattr(ledger, "hold_all", read_modify_write)
    dice = random.Random(kind)
    # Whatever three of them are, a fourth is more than there is; each is kept.
    drawings = [Drawing(3 * place, dice.randint(260_00, 330_00), 0) for place in range(1, 13)]
    at_once([taking(purse, each, world.cast.now) for each in drawings])
    assert held_by_transfers(Account.objects.get(pk=purse.pk)) > EACH_FEN
