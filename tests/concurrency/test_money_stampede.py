"""Little money and many who are promised some: what is held and spent never exceeds what was granted, and no fen is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Sum

from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sheets
from billing.ordering.services.quotations import QuotationInput
from billing.settlement.models import Award, Charge, Quote
from billing.settlement.services import quotes
from booking.models import Reservation
from booking.services import enquiries, reservations, transitions
from booking.services.enquiries import Question
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict
from config.kernel.time_range import TimeRange
from tests.agreeing import check_out_agreed
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import CLIENTS, LABS, World, publish, voucher
from tests.conftest import programme_document

EACH_FEN = 320_00
"""What two hours at 400 yuan get under the voucher: 40 %."""


def requested(world: World) -> list[int]:
    """A request of every firm: ten instruments, five times of the day. Ids in the order of the firms."""
    calls = [asking(world, place, world.slot(8 + 2 * (place // LABS)), "q", place % LABS) for place in range(CLIENTS)]
    return [call().reservation_id for call in calls]


def approving(world: World, place: int, reservation_id: int) -> Callable[[], int]:
    """Approve, and when the figures changed let the customer accept them and approve again; how often that was needed."""
    manager, person, now = world.manager(place % 4), world.person(place), world.cast.now

    def call() -> int:
        for asked_again in range(20):
            try:
                transitions.approve(manager, reservation_id, now)
            except Conflict as conflict:
                assert conflict.reasons[0].code == "booking.figures_changed"
                quotes.accept_quote(person, reservation_id, now)
            else:
                return asked_again
        raise AssertionError("never approved")

    return call


def held_by_transfers(account: Account) -> int:
    """What is promised according to the movements alone."""
    return Transfer.objects.filter(debit=account, kind="hold", ends=None).aggregate(sum=Sum("amount_fen"))["sum"] or 0


def pool() -> Account:
    return Account.objects.get(kind="pool")


def test_a_small_pool_is_given_out_to_the_last_fen_and_not_one_more(world: World) -> None:
    publish(world.cast, voucher(pool="5000.07"))
    ids = requested(world)
    assert {quote.deducted_fen for quote in Quote.objects.all()} == {EACH_FEN}
    outcomes = at_once([approving(world, place, pk) for place, pk in enumerate(ids)])
    assert tally(outcomes) == {"ok": CLIENTS}
    assert sum(outcome > 0 for outcome in outcomes) == CLIENTS - 5000_07 // EACH_FEN  # everybody but the first fifteen
    held = pool()
    assert held.granted_fen == held.held_fen == held_by_transfers(held) == 5000_07
    given = sorted(Quote.objects.filter(held_at__isnull=False).values_list("deducted_fen", flat=True), reverse=True)
    assert given == [EACH_FEN] * 15 + [5000_07 - 15 * EACH_FEN] + [0] * (CLIENTS - 16)
    assert violations() == {}


def test_holds_posts_and_voids_at_once_account_for_every_fen(world: World) -> None:
    publish(world.cast, voucher(pool="5000.07"))
    ids = requested(world)
    at_once([approving(world, place, pk) for place, pk in enumerate(ids)])
    rng = random.Random(7)
    fates = [rng.choice(["use", "cancel", "miss"]) for _ in ids]

    def living(place: int) -> None:
        during = world.slot(8 + 2 * (place // LABS))
        manager, pk = world.manager(place % 4), ids[place]
        if fates[place] == "cancel":
            transitions.cancel(world.person(place), pk, world.cast.now)
        elif fates[place] == "miss":
            transitions.mark_no_show(manager, pk, during.ends_at)
        else:
            transitions.check_in(manager, pk, during.starts_at)
            check_out_agreed(manager, pk, during.ends_at)

    def day_of(instrument: int) -> Callable[[], None]:
        """One after the other, as its clock goes: nobody begins beside another."""
        return lambda: [living(place) for place in range(instrument, CLIENTS, LABS)] and None

    assert tally(at_once([day_of(instrument) for instrument in range(LABS)])) == {"ok": LABS}
    left = pool()
    spent = Award.objects.aggregate(sum=Sum("total_fen"))["sum"]
    assert left.held_fen == 0
    assert left.posted_fen == spent == Charge.objects.aggregate(sum=Sum("deducted_fen"))["sum"]
    assert Charge.objects.count() == fates.count("use")
    assert sum(charge.payable_now_fen + charge.deducted_fen for charge in Charge.objects.all()) == 800_00 * fates.count("use")
    ends = Transfer.objects.filter(kind__in=["post", "void"], debit=left)
    assert ends.aggregate(sum=Sum("amount_fen"))["sum"] == 5000_07
    assert violations() == {}


def test_a_firm_gets_its_yearly_cap_and_no_more_whoever_approves(world: World) -> None:
    publish(world.cast, voucher(firm_year="1000"))
    times = [(instrument, 8 + 2 * place) for place in range(2) for instrument in range(LABS)]
    ids = [asking(world, 0, world.slot(hour), f"f{n}", instrument)().reservation_id for n, (instrument, hour) in enumerate(times)]

    def call(place: int, pk: int) -> Callable[[], int]:
        return lambda: _approve_as(world, place, 0, pk)

    assert tally(at_once([call(place, pk) for place, pk in enumerate(ids)])) == {"ok": len(ids)}
    cap = Account.objects.get(kind="firm_year")
    assert cap.granted_fen == cap.held_fen == held_by_transfers(cap) == 1000_00
    given = sorted(Quote.objects.filter(held_at__isnull=False).values_list("deducted_fen", flat=True), reverse=True)
    assert given[:5] == [EACH_FEN] * 3 + [40_00, 0]
    assert pool().held_fen == 1000_00
    assert violations() == {}


def _approve_as(world: World, manager: int, person: int | None, pk: int) -> int:
    """``person``: who accepts figures that changed, None: Lin."""
    for asked_again in range(20):
        try:
            transitions.approve(world.manager(manager % 4), pk, world.cast.now)
        except Conflict:
            quotes.accept_quote(world.cast.actor("lin") if person is None else world.person(person), pk, world.cast.now)
        else:
            return asked_again
    raise AssertionError("never approved")


def test_without_check_and_lock_the_pool_is_overspent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: CHECK dropped, accounts not locked, the conditional update replaced by read, compare, write."""
    publish(world.cast, voucher(pool="5000.07"))
    ids = requested(world)
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    monkeypatch.setattr(ledger, "lock", lambda accounts: {each.key: Account.objects.get(pk=each.pk) for each in accounts})
    monkeypatch.setattr(ledger, "hold_all", read_modify_write)
    outcomes = at_once([approving(world, place, pk) for place, pk in enumerate(ids)])
    promised = held_by_transfers(pool())
    assert promised > 5000_07
    assert tally(outcomes)["ok"] > 15
    assert "ledger.columns_are_the_sums_of_transfers" in violations()


def read_modify_write(promises: Iterable[ledger.Promise], now: datetime) -> None:
    """What the field does: the balance is read, compared in Python, and written back."""
    for draws, payee, source in promises:
        _one_by_one(draws, payee, source, now)


def _one_by_one(draws: Mapping[int, int], payee: Account, source: ledger.Source, now: datetime) -> None:
    for pk, amount in sorted(draws.items()):
        account = Account.objects.get(pk=pk)
        time.sleep(0.02)
        if amount and account.left_fen >= amount:
            Account.objects.filter(pk=pk).update(held_fen=account.held_fen + amount)
            Transfer.objects.create(
                kind=TransferKind.HOLD, debit_id=pk, credit_id=payee.pk, amount_fen=amount, source_type=source.type,
                source_id=source.id, reason=source.reason, programme_version_id=source.programme_version_id, at=now,
            )  # fmt: skip


def test_the_first_use_bonus_is_given_once_to_sessions_of_two_years_approved_at_once(world: World) -> None:
    """Nothing but the bonus itself is shared by the two: other instruments, and the yearly caps of other years."""
    document = programme_document("DEMO-QH-A")
    document["gates"] = [gate for gate in document["gates"] if gate["type"] != "any_of"]
    document["examples"] = []
    publish(world.cast, document)
    old_year = TimeRange(datetime(2026, 12, 31, 2, tzinfo=UTC), datetime(2026, 12, 31, 5, tzinfo=UTC))
    new_year = TimeRange(old_year.starts_at + timedelta(days=1), old_year.ends_at + timedelta(days=1))
    for place in range(5):
        first = asking(world, place, old_year, f"first{place}", place)().reservation_id
        transitions.approve(world.manager(0), first, world.cast.now)
        transitions.cancel(world.person(place), first, world.cast.now)  # so that every account but the caps of 2027 is there
        pair = [asking(world, place, during, f"b{during}", n * 5 + place)() for n, during in enumerate((old_year, new_year))]
        at_once([approving(world, place, each.reservation_id) for each in pair])
    approved = Reservation.objects.filter(state="approved")
    assert approved.count() == 10
    for place in range(5):
        held = Quote.objects.filter(held_at__isnull=False, reservation__in=approved.filter(organisation=world.firms[place]))
        assert sorted(quote.refunded_fen for quote in held) == [600_00, 1200_00]
    assert violations() == {}


def test_sessions_of_one_contract_that_are_approved_at_once_get_its_limit_and_no_more(world: World) -> None:
    requests, account_of = under_one_sheet(world)
    assert tally(
        at_once([lambda place=place, pk=pk: _approve_as(world, place, None, pk) for place, pk in enumerate(requests)])
    ) == {"ok": LABS}
    limit = account_of()
    assert limit.granted_fen == limit.held_fen == held_by_transfers(limit) == 1000_00
    given = sorted(Quote.objects.filter(held_at__isnull=False).values_list("deducted_fen", flat=True), reverse=True)
    assert given == [EACH_FEN] * 3 + [40_00] + [0] * (LABS - 4)
    assert violations() == {}


def test_without_check_and_lock_the_limit_of_a_contract_is_overspent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    requests, account_of = under_one_sheet(world)
    # The first opens the account; the others then meet on it.
    _approve_as(world, 0, None, requests[0])
    sql_run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
    monkeypatch.setattr(ledger, "lock", lambda accounts: {one.key: Account.objects.get(pk=one.pk) for one in accounts})
    monkeypatch.setattr(ledger, "hold_all", read_modify_write)
    at_once([lambda place=place, pk=pk: _approve_as(world, place, None, pk) for place, pk in enumerate(requests[1:])])
    assert held_by_transfers(account_of()) > 1000_00


def under_one_sheet(world: World) -> tuple[list[int], Callable[[], Account]]:
    """A request on every instrument of the cast's firm, all under one commission sheet that both sides have signed; and the account of its
    contract, of which the limit is 1,000 yuan."""
    cast = world.cast
    document = voucher()
    caps = [
        {"id": "contract", "per": "contract", "limit": "1000", "when_short": "partial", "clause": document["clauses"][0]["id"]}
    ]
    publish(cast, document | {"caps": caps})
    lin, wang, zhao = (cast.actor(name) for name in ("lin", "wang", "zhao"))
    asked = enquiries.ask(lin, Question(cast.firm.pk, "Salts", "Ten?", cast.xrd.pk), (), cast.now, idempotency_key="enquiry")
    line = LineInput("other", "1", None, "Report", "piece", 150_00)
    offered = QuotationInput(title="Phases", valid_until=date(2026, 12, 23), tax_note="", terms="", lines=(line,))
    drafted = quotations.draft(wang, asked.pk, offered, cast.now, idempotency_key="draft")
    sent = quotations.send(wang, drafted.pk, "", cast.now)
    accepted = quotations.accept(lin, sent.pk, sent.total_fen, cast.now, idempotency_key="accept")
    sheet = sheets.issue(wang, accepted.pk, cast.now)
    found = []
    for place, instrument in enumerate(world.instruments):
        request = ReservationRequest(instrument.pk, cast.firm.pk, world.slot(8), "self_operated")
        found.append(reservations.reserve(lin, request, cast.now, idempotency_key=f"c{place}").reservation_id)
        sheets.link(lin, sheet.pk, found[-1], cast.now)
    for signer in (wang, zhao):
        sheets.sign(signer, sheet.pk, sheet.content_sha256, cast.now)
    return found, lambda: Account.objects.get(kind="contract")
