"""Finance of a lab and its customers, in any order: sessions are billed, paid, kept as prepaid, sent back, credited, voided, disputed,
given up, claimed from a programme; and days go by. After every step all invariants of money hold (the two that read every charge and every
paper again at the end of an example), and each step is done or refused with a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from billing.bills.models import Bill, BillLine
from billing.bills.services import issuing, writing_off
from billing.bills.services.issuing import BillRequest
from billing.dunning.services import reminding
from billing.ledger import seals
from billing.payments.models import Allocation, Payment
from billing.payments.services import allocating, bank_import, crediting, prepaid_refunds, prepaying, refunding
from billing.payments.services.crediting import CreditRequest
from billing.prepaid.services import setting
from billing.settlement.services import statements
from config.kernel.errors import Refusal
from tests.billing.money_invariants import AT_THE_END, wrong
from tests.billing.month.conftest import second_person
from tests.billing.payments.conftest import csv_of
from tests.billing.settlement.conftest import NOVEMBER, run_session
from tests.conftest import slot_of

AMOUNTS = st.sampled_from([1, 80_00, 500_00, 1080_00, 2000_00])
PICKS = st.integers(0, 5)
CUSTOMERS = st.booleans()


class MoneyMachine(RuleBasedStateMachine):
    """``cast`` and ``programmes`` are set by who runs it, on a month that was agreed; ``done``: how often each step was taken, of all
    there are (``steps``)."""

    cast: Any
    programmes: Any
    done: Counter[str]
    steps = frozenset(
        [
            "remind",
            "use",
            "bill",
            "void",
            "take",
            "give",
            "undo",
            "refund",
            "keep",
            "withdraw",
            "credit",
            "dispute",
            "answer",
            "claim",
            "write_off",
            "expect",
        ],
    )

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
        self.files = 0
        self.sessions = 2

    @initialize(prepaid=st.booleans())
    def a_month(self, prepaid: bool) -> None:
        self.whole = transaction.atomic()
        self.whole.__enter__()
        second_person(self.cast)
        self.bill(True)
        self.money_comes_in(2000_00)
        if prepaid:
            setting.ask_for_prepaid(self.li, self.cast.lab.pk, None, True, "new rule", self.now)

    def teardown(self) -> None:
        try:
            if not connection.needs_rollback:
                self.hold()
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    @property
    def li(self) -> Any:
        return self.cast.actor("li")

    def customer(self, first: bool) -> Any:
        return self.cast.firm if first else self.cast.other_firm

    def attempt(self, name: str, act: Callable[[], Any]) -> None:
        """Do it, or be refused with a reason; what the database would say at the end of the transaction it says now."""
        assert name in self.steps, name
        try:
            with transaction.atomic():
                act()
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        except Refusal as refused:
            if currently_in_test_context():
                event(f"{name}: {refused.reasons[0].code}")
            return
        self.done[name] += 1

    @classmethod
    def never_done(cls) -> list[str]:
        """The steps that were refused wherever they were tried."""
        return sorted(cls.steps - set(cls.done))

    @classmethod
    def go_round(cls) -> None:
        """One example in which every step can be taken, and is; all invariants hold after each."""
        machine = cls()
        machine.a_month(prepaid=False)
        try:
            for step in machine.tour():
                step()
                machine.all_is_whole()
        finally:
            machine.teardown()

    def tour(self) -> Iterator[Callable[[], object]]:
        """The first firm's bill is paid by hand and taken away from it, its money kept, used and sent back, and the bill credited and
        disputed; the other one's is voided."""
        yield lambda: self.give(0, 0, 500_00)
        yield lambda: self.undo(0)
        yield lambda: self.keep(0, True, 500_00)
        yield lambda: self.give_prepaid_back(True, 80_00)
        yield lambda: self.use(True, 1)
        yield lambda: self.bill(True)
        yield lambda: self.send_back(0, 80_00)
        yield lambda: self.credit(0, 80_00)
        yield lambda: self.dispute_or_answer(0)
        yield lambda: self.dispute_or_answer(0)
        yield lambda: self.bill(False)
        yield lambda: self.void(2)
        yield lambda: self.claim(True)
        yield lambda: self.days_go_by(7)
        yield lambda: self.days_go_by(31)
        yield lambda: self.write_off(0, 1)
        yield lambda: self.write_off(0, None)
        yield lambda: self.give(0, 0, 80_00)
        yield lambda: self.expect(0)

    def pick(self, rows: Any, place: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[place % len(found)] if found else None

    @invariant()
    def money_is_whole(self) -> None:
        self.hold(but_for=AT_THE_END)

    def hold(self, but_for: Collection[str] = ()) -> None:
        found = wrong(but_for)
        assert not found, found

    def all_is_whole(self) -> None:
        """Every invariant of the machine."""
        self.money_is_whole()

    @rule(days=st.sampled_from([1, 7, 14, 31]))
    def days_go_by(self, days: int) -> None:
        """Reminders are sent, and what moved is sealed."""
        self.now += timedelta(days=days)
        self.attempt("remind", lambda: reminding.remind_due(self.now))
        seals.seal_due(self.now)

    @rule(first=CUSTOMERS, hours=st.sampled_from([1, 2]))
    def use(self, first: bool, hours: int) -> None:
        day, self.sessions = self.sessions, self.sessions + 1
        who, firm = ("lin", self.cast.firm) if first else ("he", self.cast.other_firm)
        self.attempt("use", lambda: run_session(self.cast, slot_of(9, 9 + hours, day), who, firm))

    @rule(first=CUSTOMERS)
    def bill(self, first: bool) -> None:
        asked = BillRequest(self.cast.lab.pk, self.customer(first).pk, self.now.date())
        self.attempt("bill", lambda: issuing.issue(self.li, asked, self.now))

    @rule(place=PICKS)
    def void(self, place: int) -> None:
        if bill := self.pick(Bill.objects.all(), place):
            self.attempt("void", lambda: issuing.void(self.li, bill.pk, "wrong", self.now))

    @rule(amount=AMOUNTS)
    def money_comes_in(self, amount: int) -> None:
        self.files += 1
        row = f'2026-12-01,"{amount / 100:.2f}",,Gaoyuan Lithium,6217,,{self.files}'
        name = f"{self.files}.csv"
        self.attempt("take", lambda: bank_import.import_statement(self.li, self.cast.lab.pk, csv_of(row), name, self.now))

    @rule(payment=PICKS, bill=PICKS, amount=AMOUNTS)
    def give(self, payment: int, bill: int, amount: int) -> None:
        money, for_bill = self.pick(Payment.objects.all(), payment), self.pick(Bill.objects.all(), bill)
        if money and for_bill:
            rest = min(amount, max(1, allocating.standing_of(money).free_fen), max(1, allocating.open_fen(for_bill)))
            self.attempt("give", lambda: allocating.give(self.li, money.pk, for_bill.pk, rest, self.now))

    @rule(place=PICKS)
    def undo(self, place: int) -> None:
        if given := self.pick(Allocation.objects.all(), place):
            self.attempt("undo", lambda: allocating.undo(self.li, given.pk, "wrong bill", self.now))

    @rule(place=PICKS, amount=AMOUNTS)
    def send_back(self, place: int, amount: int) -> None:
        if money := self.pick(Payment.objects.all(), place):
            self.attempt("refund", lambda: refunding.refund(self.li, money.pk, amount, "too much", self.now))

    @rule(place=PICKS, first=CUSTOMERS, amount=AMOUNTS)
    def keep(self, place: int, first: bool, amount: int) -> None:
        if money := self.pick(Payment.objects.all(), place):
            rest = min(amount, max(1, allocating.standing_of(money).free_fen))
            self.attempt("keep", lambda: prepaying.deposit(self.li, money.pk, self.customer(first).pk, rest, self.now))

    @rule(first=CUSTOMERS, amount=AMOUNTS)
    def give_prepaid_back(self, first: bool, amount: int) -> None:
        ids = (self.cast.lab.pk, self.customer(first).pk)
        self.attempt("withdraw", lambda: prepaid_refunds.withdraw(self.li, *ids, amount, "contract ended", self.now))

    @rule(place=PICKS, amount=AMOUNTS)
    def credit(self, place: int, amount: int) -> None:
        if line := self.pick(BillLine.objects.all(), place):
            asked = CreditRequest(line.bill_id, line.position, amount, "wrong_amount", "as agreed")
            self.attempt("credit", lambda: crediting.issue(self.li, asked, self.now))

    @rule(place=PICKS)
    def dispute_or_answer(self, place: int) -> None:
        bill = self.pick(Bill.objects.all(), place)
        if bill is None:
            return
        who = self.cast.actor("zhao")
        if bill.customer_disputes.filter(state="open").exists():
            self.attempt("answer", lambda: reminding.answer(self.li, bill.pk, "it is right", self.now))
        elif bill.customer_id == self.cast.firm.pk:
            self.attempt("dispute", lambda: reminding.dispute(who, bill.pk, "it is wrong", self.now))

    @rule(voucher=st.booleans())
    def claim(self, voucher: bool) -> None:
        code, payee = ("DEMO-QH-V", self.cast.lab) if voucher else ("DEMO-QH-A", self.cast.other_firm)
        version, qian = self.programmes[code].pk, self.cast.actor("qian")
        self.attempt("claim", lambda: statements.issue(qian, version, payee.pk, NOVEMBER, self.now))

    @rule(place=PICKS, amount=st.none() | AMOUNTS)
    def write_off(self, place: int, amount: int | None) -> None:
        """All of a bill, or a part of it."""
        if bill := self.pick(Bill.objects.all(), place):
            self.attempt("write_off", lambda: self.give_up(bill, amount))

    def give_up(self, bill: Bill, amount: int | None) -> None:
        writing_off.propose(self.li, bill.pk, "nothing comes any more", self.now, amount)
        writing_off.write_off(self.cast.actor("mei"), bill.pk, self.now)

    @rule(place=PICKS)
    def expect(self, place: int) -> None:
        if bill := self.pick(Bill.objects.all(), place):
            self.attempt("expect", lambda: writing_off.take_back(self.li, bill.pk, "they go on", self.now))
