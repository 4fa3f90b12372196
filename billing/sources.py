"""To which document or page what caused a posting belongs, as its reader may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from billing.bills.models import Bill, CreditNote
from billing.claims.models import Claim, Clawback, PaymentList
from billing.firms.partner_models import PartnerRegion
from billing.ledger import books
from billing.ledger import queries as programme_accounts
from billing.ledger.models import Account
from billing.ledger.top_up_models import TopUp
from billing.month.models import Draft
from billing.payments.models import Payment
from billing.prepaid.models import SpendingLimit
from billing.settlement.models import Charge
from billing.settlement.opening_models import OpeningBalance
from billing.subsidy.figure_models import CapFigure
from billing.vouchers.models import VoucherAnnouncement, VoucherApplication
from booking.models import Reservation, SampleJob
from config.kernel.access import Actor, visible_to
from instruments.models import ResearchGroup


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is read: the address' ``name`` and id (None: a page without one), and what the document there is called."""

    name: str
    pk: int | None
    number: str


Found = Mapping[int, Place]
_Way = Callable[[Actor, set[int]], Found]


def _at(model: type[Model], path: str, name: str, number: str = "pk", *, one_page: bool = False) -> _Way:
    """The document of ``model`` that ``path`` leads to the source from; of several the newest. One query."""

    def find(actor: Actor, ids: set[int]) -> Found:
        rows = visible_to(model._default_manager.filter(**{f"{path}__in": ids}), actor).order_by("pk")
        found: Iterable[tuple[int, int, Any]] = rows.values_list(path, "pk", number)
        return {source: Place(name, None if one_page else pk, str(called)) for source, pk, called in found}

    return find


def _of_accounts(model: type[Model], to_account: str = "") -> _Way:
    """The account that a ``model`` leads to, if its reader reads it: a programme's account has a page of its own for who looks after
    programmes, any other is read in the ledger. One query."""

    def find(actor: Actor, ids: set[int]) -> Found:
        read = {f"{to_account}pk__in": books.accounts(actor).order_by().values("pk")}
        rows = visible_to(model._default_manager.filter(pk__in=ids).filter(**read), actor)
        supervises = actor.has(*programme_accounts.READERS)
        found = {}
        for source, pk, key, of_programme in rows.values_list(
            "pk", f"{to_account}pk", f"{to_account}key", f"{to_account}programme"
        ):
            page = "account_detail" if supervises and of_programme is not None else "ledger_account"
            found[source] = Place(page, pk, key)
        return found

    return find


def _called(model: type[Reservation] | type[SampleJob], name: str) -> _Way:
    """Bookings and sample jobs, called as their papers call them. One query."""

    def find(actor: Actor, ids: set[int]) -> Found:
        rows: Iterable[Any] = visible_to(model._default_manager.filter(pk__in=ids), actor)
        return {row.pk: Place(name, row.pk, row.reference) for row in rows}

    return find


def _charges(actor: Actor, ids: set[int]) -> Found:
    rows = (
        visible_to(Charge.objects.filter(pk__in=ids), actor).select_related("reservation", "sample_job").defer("inputs", "result")
    )
    found = {
        row.pk: ("reservation_detail", row.reservation) if row.reservation else ("sample_job", row.sample_job) for row in rows
    }
    return {pk: Place(name, thing.pk, thing.reference) for pk, (name, thing) in found.items() if thing is not None}


#: By the type of a source: whatever moves money under a type of its own says here where that is read.
WAYS: Mapping[str, _Way] = {
    "account": _of_accounts(Account),
    "allocation": _at(Bill, "allocations", "bill_detail", "number"),
    "announcement": _at(VoucherAnnouncement, "pk", "announcement_detail", "title"),
    "award_reversal": _at(Claim, "lines__award__reversals", "claim_detail", "number"),
    "bill": _at(Bill, "pk", "bill_detail", "number"),
    "cap_figure": _at(CapFigure, "pk", "programme_budgets", "cap_id", one_page=True),
    "charge": _charges,
    "claim": _at(Claim, "pk", "claim_detail", "number"),
    "credit_note": _at(CreditNote, "pk", "credit_note_detail", "number"),
    "fund_card": _at(ResearchGroup, "cards", "group_detail", "cards__number"),
    "held_back": _at(Draft, "lines__held", "month_draft", "run__period_on"),
    "opening_balance": _of_accounts(OpeningBalance, "account__"),
    "partner_region": _at(PartnerRegion, "pk", "partner_list", "name", one_page=True),
    "payment": _at(Payment, "pk", "payment_detail"),
    "payout": _at(PaymentList, "lines__payout", "payout_list_detail", "number"),
    "prepaid": _at(Payment, "prepaid", "payment_detail"),
    "refund": _at(Payment, "refunds", "payment_detail"),
    "repayment": _at(Clawback, "repayments", "clawback_detail", "number"),
    "surplus_refund": _at(Clawback, "repayments__refunds", "clawback_detail", "number"),
    "reservation": _called(Reservation, "reservation_detail"),
    "sample_job": _called(SampleJob, "sample_job"),
    "spending_limit": _at(SpendingLimit, "pk", "prepaid_list", one_page=True),
    "top_up": _of_accounts(TopUp, "account__"),
    "voucher_application": _at(VoucherApplication, "pk", "application_detail"),
    "write_off": _at(Bill, "write_offs", "bill_detail", "number"),
}


def places(actor: Actor, sources: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Place]:
    """The place of each source (type, id) that has one the actor may see; one query per type that is among them."""
    wanted: dict[str, set[int]] = {}
    for kind, pk in sources:
        wanted.setdefault(kind, set()).add(pk)
    return {(kind, pk): place for kind, ids in wanted.items() if kind in WAYS for pk, place in WAYS[kind](actor, ids).items()}
