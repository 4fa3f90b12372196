"""What becomes of claims in the machine of money: batches are filled, claims go on, lists are paid or cancelled, money is taken back, and
months are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from billing.claims.models import Claim, ClaimLine, Clawback, PaymentLine, PaymentList
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.states import PROMISED, ClaimState
from billing.claims.services import batches, clawbacks, handing_in, paying, publishing, repaying, reviewing, surplus
from billing.claims.services.batches import BatchInput
from billing.claims.services.paying import Outcome
from billing.claims.services.repaying import Money
from billing.claims.services.surplus import Transfer
from billing.month.services import closing
from billing.settlement.rules.series import Series
from config.kernel.access import Role
from instruments.models import Membership
from tests.scenarios.money_machine import AMOUNTS, PICKS, MoneyMachine

SIDES = {True: ("DEMO-QH-V", "deducted_now", "li"), False: ("DEMO-QH-A", "refunded_later", "he")}


class ClaimsMachine(MoneyMachine):
    """The same finance, with the office: Chen reviews, Sun approves, Qian pays."""

    steps = MoneyMachine.steps | {
        "open batch",
        "hand in",
        "close batch",
        "pass",
        "publicise",
        "approve",
        "list",
        "cancel list",
        "pay",
        "take back",
        "pay back",
        "undo what came back",
        "send back",
        "undo sending back",
        "take for a notice",
        "close month",
    }

    @initialize(prepaid=st.booleans(), ahead=st.sampled_from([0, 14, 20, 26]))
    def a_month(self, prepaid: bool, ahead: int = 0) -> None:
        """It may begin a part of the tour ahead: few examples get so far by chance."""
        super().a_month(prepaid)
        Membership.objects.create(
            user=self.cast.users["sun"], organisation=self.cast.office, role=Role.FINANCE, created_at=self.cast.now
        )
        for step in islice(self.tour(), ahead):
            step()

    def tour(self) -> Iterator[Callable[[], object]]:
        """And a firm's claim goes all the way, by a list that is cancelled and another one; a part of it is taken back."""
        yield from super().tour()
        yield lambda: self.open_batch(False)
        for _step in ("hand in", "close batch", "pass", "publicise", "approve", "list"):
            yield lambda: self.go_on(0, 3)
        yield lambda: self.cancel_list(0)
        for _step in ("list", "pay"):
            yield lambda: self.go_on(0, 3)
        yield lambda: self.take_back(0, 1)
        yield lambda: self.pay_back(0, 1, confirmed=True)
        yield lambda: self.undo_what_came_back(0)
        yield lambda: self.pay_back(0, 80_00, confirmed=True)
        yield lambda: self.send_back_too_much(0, 1, confirmed=True)
        yield lambda: self.undo_sending_back(0)
        yield lambda: self.take_back(0, 1)
        yield lambda: self.take_for_a_notice(1, 1, confirmed=True)
        yield lambda: self.close_the_month(False, 0)

    @rule(voucher=st.booleans())
    def open_batch(self, voucher: bool) -> None:
        code, mode, _who = SIDES[voucher]
        today, chen = self.now.date(), self.cast.actor("chen")
        days = (date(2026, 11, 1), date(2027, 12, 31), today, today + timedelta(days=7))
        given = BatchInput(self.programmes[code].programme_id, mode, *days, fund_year=2026)

        def work() -> None:
            batches.gather(chen, batches.open_batch(chen, given, self.now).pk, self.now)

        self.attempt("open batch", work)

    @rule(place=PICKS, how=st.integers(0, 3))
    def go_on(self, place: int, how: int) -> None:
        """The next step of a claim, whatever it is; ``how``: what the treasury does."""
        claim = self.pick(Claim.objects.exclude(state__in=["withdrawn", "rejected", "paid", "rechecked"]), place)
        if claim is None:
            return
        chen, sun, batch = self.cast.actor("chen"), self.cast.actor("sun"), claim.batch
        who = "he" if claim.payee_id == self.cast.other_firm.pk else "li"
        if claim.state == ClaimState.DRAFT:
            self.attempt("hand in", lambda: handing_in.submit(self.cast.actor(who), claim.pk, self.now))
        elif claim.state == ClaimState.SUBMITTED:
            self.now += timedelta(days=8)
            self.attempt("close batch", lambda: batches.close(chen, batch.pk, self.now))
        elif claim.state == ClaimState.IN_REVIEW:
            self.attempt("pass", lambda: reviewing.pass_on(chen, claim.pk, self.now))
        elif claim.state == ClaimState.PASSED:
            self.attempt("publicise", lambda: publishing.publicise(chen, batch.pk, self.now))
        elif claim.state == ClaimState.PUBLICISED:
            self.now += timedelta(days=8)
            publishing.end_due(self.now)
            self.attempt("approve", lambda: reviewing.approve(sun, claim.pk, self.now))
        elif claim.state == ClaimState.LISTED:
            self._paid(claim, how)
        else:
            self.attempt("list", lambda: self._listed(batch.pk))

    def _listed(self, batch_id: int) -> None:
        for made in paying.make(self.cast.actor("qian"), batch_id, self.now):
            for who in ("chen", "sun"):
                paying.sign(self.cast.actor(who), made.pk, self.now)

    def _paid(self, claim: Any, how: int) -> None:
        waiting = PaymentLine.objects.filter(claim=claim, payment_list__cancelled_at=None, payout=None)
        line = waiting.latest("pk")
        paid = {0: 0, 1: line.amount_fen // 2}.get(how, line.amount_fen)
        outcome = Outcome(paid, self.now.date(), "T", "" if paid == line.amount_fen else "returned")
        self.attempt("pay", lambda: paying.record(self.cast.actor("qian"), line.pk, outcome, self.now))

    @rule(place=PICKS)
    def cancel_list(self, place: int) -> None:
        made = self.pick(PaymentList.objects.all(), place)
        if made is not None:
            self.attempt("cancel list", lambda: paying.cancel(self.cast.actor("qian"), made.pk, "wrong day", self.now))

    @rule(place=PICKS, amount=AMOUNTS)
    def take_back(self, place: int, amount: int) -> None:
        """What a dispute ends with is taken off the next claim."""
        lines = ClaimLine.objects.filter(kind="award", standing="included", claim__state__in=[each.value for each in PROMISED])
        line = self.pick(lines, place)
        if line is not None:
            chen, reason = self.cast.actor("chen"), "half of it did not run"
            self.attempt("take back", lambda: clawbacks.dispute(chen, line.claim_id, line.position, amount, reason, self.now))

    @rule(place=PICKS, amount=AMOUNTS, confirmed=st.booleans())
    def pay_back(self, place: int, amount: int, confirmed: bool) -> None:
        """Or it comes back as money, which somebody else confirms; also where a claim takes it off already."""
        notice = self.pick(Clawback.objects.all(), place)
        if notice is None:
            return
        qian, sun = self.cast.actor("qian"), self.cast.actor("sun")

        def work() -> None:
            row = repaying.record(qian, notice.pk, Money(amount, self.now.date(), too_much=True), self.now)
            if confirmed:
                repaying.confirm(sun, row.pk, self.now)

        self.attempt("pay back", work)

    @rule(place=PICKS)
    def undo_what_came_back(self, place: int) -> None:
        row = self.pick(Repayment.objects.filter(ended_at=None), place)
        if row is not None:
            qian = self.cast.actor("qian")
            self.attempt("undo what came back", lambda: repaying.end(qian, row.pk, "sent back", self.now))

    @rule(place=PICKS, amount=AMOUNTS, confirmed=st.booleans())
    def send_back_too_much(self, place: int, amount: int, confirmed: bool) -> None:
        """What came too much goes back."""
        row = self.pick(Repayment.objects.filter(received_fen__gt=F("amount_fen"), ended_at=None), place)
        if row is None:
            return
        qian, sun = self.cast.actor("qian"), self.cast.actor("sun")

        def work() -> None:
            refund = surplus.send_back(qian, row.pk, Transfer(amount, self.now.date(), "B"), self.now)
            if confirmed:
                surplus.confirm(sun, refund.pk, self.now)

        self.attempt("send back", work)

    @rule(place=PICKS)
    def undo_sending_back(self, place: int) -> None:
        refund = self.pick(SurplusRefund.objects.filter(ended_at=None), place)
        if refund is not None:
            qian = self.cast.actor("qian")
            self.attempt("undo sending back", lambda: surplus.end(qian, refund.pk, "the account is closed", self.now))

    @rule(place=PICKS, notice=PICKS, confirmed=st.booleans())
    def take_for_a_notice(self, notice: int, place: int, confirmed: bool) -> None:
        """Or it is taken for a notice."""
        row = self.pick(Repayment.objects.filter(received_fen__gt=F("amount_fen"), ended_at=None), place)
        asked = self.pick(Clawback.objects.all(), notice)
        if row is None or asked is None:
            return
        qian, sun = self.cast.actor("qian"), self.cast.actor("sun")

        def work() -> None:
            taken = surplus.take_for(qian, row.pk, asked.pk, self.now)
            if confirmed:
                repaying.confirm(sun, taken.pk, self.now)

        self.attempt("take for a notice", work)

    @rule(bills=st.booleans(), luck=st.integers(0, 7))
    def close_the_month(self, bills: bool, luck: int) -> None:
        who, series = ("li", Series(self.cast.lab.pk)) if bills else ("qian", Series())
        if luck == 0:
            self.attempt("close month", lambda: closing.close(self.cast.actor(who), series, date(2026, 11, 1), self.now))
