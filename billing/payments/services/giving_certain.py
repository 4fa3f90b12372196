"""Giving all money that is certain at once: each payment by itself, so that one that is refused stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from billing.bills.queries import ISSUERS
from billing.payments import queries
from billing.payments.models import Payment
from billing.payments.services import allocating
from config.kernel.access import Actor, visible_to
from config.kernel.errors import Busy, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import idempotency, transactions

ROUTE = "payment.give_certain"
MOST = 200
"""So many are given at once; the page offers the rest next."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A match as a person saw it: all that is free of a payment, to a bill."""

    payment_id: int
    bill_id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Given:
    """What became of one of them; no reasons means that the money is given."""

    wanted: Wanted
    reasons: tuple[Reason, ...] = ()

    @property
    def done(self) -> bool:
        return not self.reasons


def give_all(actor: Actor, wanted: Sequence[Wanted], now: datetime, *, key: str) -> list[Given]:
    """Give each of these matches that is certain still, in a transaction of its own by ``allocating.give``, once for ``key`` and payment
    however often it is sent. What is not certain any more, or was not shown as such, is refused (``payment.not_certain``).

    Raises NotFound, Forbidden, Refusal ``payment.nothing_certain`` / ``payment.too_many_certain`` / ``idempotency.*``.
    """
    actor.require(*ISSUERS)
    if not wanted:
        raise Refusal.of("payment.nothing_certain", field="matches")
    if len(wanted) > MOST:
        raise Refusal.of("payment.too_many_certain", field="matches", most=MOST)
    asked = {each.payment_id for each in wanted}
    if visible_to(Payment.objects.filter(pk__in=asked), actor).count() != len(asked):
        raise NotFound.of("access.not_found", model="payment")
    certain = {Wanted(each.payment.pk, each.bill.bill_id, each.amount_fen) for each in queries.certain_matches(actor)}
    return [_give(actor, each, now, key, still=each in certain) for each in wanted]


def _give(actor: Actor, wanted: Wanted, now: datetime, key: str, *, still: bool) -> Given:
    def effect() -> dict[str, int]:
        if not still:
            raise Refusal.of("payment.not_certain")
        return {"id": allocating.give(actor, wanted.payment_id, wanted.bill_id, wanted.amount_fen, now).pk}

    try:
        transactions.run(lambda: idempotency.once(actor, f"{ROUTE}:{wanted.payment_id}", key, asdict(wanted), now, effect))
    except (NotFound, Forbidden, Busy):
        raise
    except Refusal as refusal:
        if any(reason.code.startswith("idempotency.key") for reason in refusal.reasons):
            raise
        return Given(wanted, refusal.reasons)
    return Given(wanted)
