"""Every read about payments that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import Bill
from billing.bills.queries import ISSUERS, standing_of, still_open, with_standing
from billing.payments.hand_models import HandEntry
from billing.payments.models import Allocation, BankStatement, Checkout, Dispute, Payment, ProviderEvent, Refund, RefundRequest
from billing.payments.prepaid_models import PrepaidEntry
from billing.payments.rules.matching import Money, OpenBill, Suggestion, certain, suggest
from billing.payments.rules.states import EventState, RefundState
from billing.payments.services import inbox
from billing.payments.services.allocating import PaymentStanding
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.models import StoredFile
from config.kernel.services import files, jobs

#: More news than this that waits is one fault of the service; the first of it are enough to see which.
MOST_WAITING = 50
READERS = (Role.OWNER_FINANCE, Role.INSPECTOR)


def _sum_of(queryset: QuerySet[Any]) -> Any:
    sums = (
        queryset.filter(payment_id=OuterRef("pk")).order_by().values("payment_id").annotate(fen=Sum("amount_fen")).values("fen")
    )
    return Coalesce(Subquery(sums), 0)


def payments_visible(actor: Actor) -> QuerySet[Payment]:
    """What came in for the actor's institutions, the latest first, with what of it was given and went back. Raises Forbidden."""
    actor.require(*READERS)
    return visible_to(_with_standing(), actor).order_by("-received_on", "-pk")


def _with_standing() -> QuerySet[Payment]:
    rows = Payment.objects.select_related("owner", "checkout__bill", "by_hand")
    asked = RefundRequest.objects.filter(state=RefundState.ASKED.value)
    return rows.annotate(
        given_fen=_sum_of(Allocation.objects.all()),
        returned_fen=_sum_of(Refund.objects.all()),
        promised_fen=_sum_of(asked),
        prepaid_fen=_sum_of(PrepaidEntry.objects.all()),
    )


def with_free_money(rows: QuerySet[Payment]) -> QuerySet[Payment]:
    """Those of which something is given to no bill; ``rows`` from ``payments_visible``."""
    return rows.filter(amount_fen__gt=F("given_fen") + F("returned_fen") + F("promised_fen") + F("prepaid_fen"))


def standing(payment: Any) -> PaymentStanding:
    """Where a payment from ``payments_visible`` stands."""
    return PaymentStanding(payment.amount_fen, payment.given_fen, payment.returned_fen, payment.promised_fen, payment.prepaid_fen)


def payment_for(actor: Actor, payment_id: int) -> Payment:
    """One payment. Raises NotFound."""
    return get_visible(_with_standing(), actor, pk=payment_id)


def open_bills(actor: Actor, owner_ids: Sequence[int]) -> list[OpenBill]:
    """Every bill of these owners of which something is to pay, for finding what money is for; one query."""
    rows = still_open(with_standing(visible_to(Bill.objects.filter(owner__in=owner_ids), actor)))
    return [
        OpenBill(
            bill.pk,
            bill.owner_id,
            bill.reference,
            bill.number,
            bill.customer_id,
            bill.customer.name,
            bill.customer.bank_account_number,
            standing_of(bill).open_fen,
            bill.customer.name_en,
        )
        for bill in rows.select_related("customer").defer("content").order_by("due_on", "pk")
    ]


def suggestions(payments: Sequence[Payment], bills: Sequence[OpenBill]) -> dict[int, tuple[Suggestion, ...]]:
    """What each payment from ``payments_visible`` is probably for among the bills of its owner, by its id; no query."""
    found = {}
    for payment in payments:
        money = _money(payment)
        found[payment.pk] = (
            suggest(money, [bill for bill in bills if bill.owner_id == payment.owner_id]) if money.free_fen > 0 else ()
        )
    return found


def _money(payment: Payment) -> Money:
    return Money(standing(payment).free_fen, payment.payer_name, payment.payer_account, payment.remark)


@dataclass(frozen=True, slots=True)
class CertainMatch:
    """All that is free of a payment from ``payments_visible``, and the bill that it pays beyond doubt (``matching.certain``)."""

    payment: Payment
    bill: OpenBill

    @property
    def amount_fen(self) -> int:
        return self.bill.open_fen


def certain_matches(actor: Actor) -> list[CertainMatch]:
    """What may be given without a second look, of all institutions for which the actor accounts, the oldest first; two queries at most.
    Raises Forbidden."""
    owners = sorted(actor.organisations(*ISSUERS))
    free = with_free_money(payments_visible(actor)).filter(owner__in=owners).order_by("received_on", "pk")
    payments = {payment.pk: payment for payment in free}
    bills = open_bills(actor, owners) if payments else []
    found: dict[int, OpenBill] = {}
    for owner_id in owners:
        moneys = {pk: _money(payment) for pk, payment in payments.items() if payment.owner_id == owner_id}
        found |= certain(moneys, [bill for bill in bills if bill.owner_id == owner_id])
    return [CertainMatch(payment, found[pk]) for pk, payment in payments.items() if pk in found]


def allocations_of(actor: Actor, **of: Any) -> list[Allocation]:
    """The allocations of a ``payment`` or a ``bill``, the first one first; each with what of it is left (``left_fen``)."""
    undone = (
        Allocation.objects.filter(undoes=OuterRef("pk")).order_by().values("undoes").annotate(fen=Sum("amount_fen")).values("fen")
    )
    rows = visible_to(Allocation.objects.filter(**of), actor).select_related("payment", "bill__customer", "actor")
    rows = rows.defer("bill__content").annotate(left_fen=F("amount_fen") + Coalesce(Subquery(undone), 0))
    return list(rows.order_by("pk"))


def refunds_of(actor: Actor, payment: Payment) -> list[Refund]:
    """What went back of a payment."""
    return list(visible_to(Refund.objects.filter(payment=payment), actor).order_by("pk"))


def refund_requests_of(actor: Actor, payment: Payment) -> list[RefundRequest]:
    """What the provider was asked for."""
    return list(visible_to(RefundRequest.objects.filter(payment=payment), actor).order_by("pk"))


def disputes_of(actor: Actor, payment: Payment) -> list[Dispute]:
    """What the payer's bank asks back."""
    return list(visible_to(Dispute.objects.filter(payment=payment), actor).order_by("pk"))


def statements_visible(actor: Actor) -> QuerySet[BankStatement]:
    """The bank statements that were taken in, the latest first."""
    rows = visible_to(BankStatement.objects.all(), actor).select_related("owner", "imported_by")
    return rows.order_by("-imported_at", "-pk")


def checkouts_of(actor: Actor, bill: Bill) -> list[Checkout]:
    """The attempts to pay a bill online, the latest first."""
    return list(visible_to(Checkout.objects.filter(bill=bill), actor).order_by("-pk"))


def tried_events(actor: Actor) -> list[tuple[ProviderEvent, datetime | None]]:
    """News that was looked at in vain and is looked at again, the oldest first, each with when (None: as soon as the worker can)."""
    waiting = ProviderEvent.objects.filter(state=EventState.WAITING, tries__gt=0)
    rows = list(visible_to(waiting, actor).order_by("received_at", "pk")[:MOST_WAITING])
    due = jobs.scheduled([inbox.job_name(event.pk) for event in rows])
    return [(event, due.get(inbox.job_name(event.pk))) for event in rows]


def stopped_events(actor: Actor) -> QuerySet[ProviderEvent]:
    """What a provider told us and a person has to look at."""
    stopped = [EventState.DEAD.value, EventState.QUARANTINED.value]
    return visible_to(ProviderEvent.objects.filter(state__in=stopped), actor).order_by("-received_at", "-pk")


def hand_entries(actor: Actor) -> QuerySet[HandEntry]:
    """Money that was written down by hand for the actor's institutions: what waits for a second person first, then the latest. Raises
    Forbidden."""
    actor.require(*READERS)
    rows = visible_to(HandEntry.objects.all(), actor).select_related(
        "owner", "evidence", "recorded_by", "confirmed_by", "ended_by", "payment"
    )
    waits = Q(confirmed_at__isnull=True, ended_at__isnull=True)
    return rows.annotate(done=~ExpressionWrapper(waits, BooleanField())).order_by("done", "-pk")


def hand_waiting(actor: Actor) -> int:
    """How much that was written down by hand for the actor's institutions waits for a second person."""
    return visible_to(HandEntry.objects.filter(confirmed_at__isnull=True, ended_at__isnull=True), actor).count()


def hand_evidence(actor: Actor, entry_id: int) -> tuple[StoredFile, bytes]:
    """The file that proves money written down by hand, and its bytes. Raises NotFound, Refusal ``files.*``."""
    found = get_visible(HandEntry.objects.select_related("evidence"), actor, pk=entry_id)
    return found.evidence, files.read(found.evidence)
