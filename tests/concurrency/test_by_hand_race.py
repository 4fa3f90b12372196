"""Money written down by hand, confirmed by many at once, and brought by a bank's list at the same moment: it counts once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

from billing.payments.hand_models import HandEntry
from billing.payments.models import Payment
from billing.payments.services import bank_import, by_hand
from billing.payments.services.by_hand import Wanted
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict
from instruments.models import Membership
from instruments.queries import actor_for
from tests.billing.payments.conftest import csv_of
from tests.billing.payments.test_bank_transfers import row
from tests.concurrency.harness import at_once, violations
from tests.concurrency.world import World

DECEMBER, ROUNDS = datetime(2026, 12, 1, 2, 0, tzinfo=UTC), 5
SLIP = b"%PDF-1.4 a slip"


def clerks(world: World) -> list[Actor]:
    for who in world.managers:
        Membership.objects.create(user=who, organisation=world.cast.lab, role=Role.OWNER_FINANCE, created_at=world.cast.now)
    return [actor_for(who) for who in world.managers]


def money(number: int) -> Wanted:
    return Wanted("cash", 100_00 + number, date(2026, 12, 1), "Crowd", f"SLIP-{number:04d}")


def test_what_many_confirm_end_and_write_down_again_at_once_counts_once(world: World) -> None:
    people, lab = clerks(world), world.cast.lab.pk
    li = world.cast.actor("li")
    for number in range(ROUNDS):
        entry = by_hand.record(li, lab, money(number), SLIP, "a.pdf", DECEMBER)
        calls = [partial(by_hand.confirm, who, entry.pk, DECEMBER) for who in people]
        calls += [partial(by_hand.record, who, lab, money(number), SLIP, "a.pdf", DECEMBER) for who in people[:2]]
        outcomes = at_once(calls)
        assert sum(isinstance(each, Payment) for each in outcomes) == 1
        assert all(isinstance(each, Payment | Conflict) for each in outcomes)
        outcomes = at_once([partial(by_hand.end, who, entry.pk, "not there", DECEMBER) for who in people])
        assert sum(isinstance(each, HandEntry) for each in outcomes) == 1
    assert violations() == {}


def test_a_list_and_a_slip_of_the_same_money_at_once_are_asked_about(world: World) -> None:
    people, lab = clerks(world), world.cast.lab.pk
    li = world.cast.actor("li")
    for number in range(ROUNDS):
        content = csv_of(row(f"{(100_00 + number) / 100:.2f}", f"SLIP-{number:04d}", serial=f"S{number}"))
        calls = [
            partial(bank_import.import_statement, people[0], lab, content, "a.csv", DECEMBER),
            partial(by_hand.record, li, lab, money(number), SLIP, "a.pdf", DECEMBER),
        ]
        outcomes = at_once(calls)
        assert sum(isinstance(each, Conflict) for each in outcomes) == 1
        for entry in HandEntry.objects.filter(confirmed_at=None, ended_at=None):
            calls = [
                partial(bank_import.import_statement, people[0], lab, content, "a.csv", DECEMBER),
                partial(by_hand.confirm, people[1], entry.pk, DECEMBER),
            ]
            asked, confirmed = at_once(calls)
            assert isinstance(asked, Conflict) and isinstance(confirmed, Payment)
    assert violations() == {}
