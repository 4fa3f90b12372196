"""Every read about prepaid money and spending limits that pages share; row-level permission is applied here."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from billing.bills.queries import ISSUERS, PAYERS
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.payments.difference_models import PaymentDifference
from billing.payments.prepaid_models import PrepaidEntry
from billing.payments.rules.states import DifferenceState
from billing.prepaid.accounts import PREPAID, limit_key
from billing.prepaid.models import PrepaidTerms, PurchaseOrder, SpendingLimit
from booking.models import Reservation, SampleJob
from config.kernel.access import Actor, Role, get_visible, visible_to
from instruments.models import Membership, Organisation

READERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR)
NEWEST = 50


@dataclass(frozen=True, slots=True)
class Balance:
    """A customer's prepaid money at an owner, in fen: what is there, what of it is kept for bookings and charges, and what is left.
    ``manages``: the actor accounts for the owner."""

    owner: Organisation
    customer: Organisation
    there_fen: int
    held_fen: int
    left_fen: int
    manages: bool


def balances(actor: Actor) -> list[Balance]:
    """Those that the actor keeps or has, by the two names; two queries. Raises Forbidden."""
    actor.require(*READERS)
    owned, own = actor.organisations(*ISSUERS), actor.organisations(*PAYERS)
    wanted = Q(organisation_id__in=own)
    for owner_id in owned:
        wanted |= Q(key__startswith=f"{PREPAID}:{owner_id}:")
    if actor.has(Role.INSPECTOR):
        wanted |= Q(pk__isnull=False)
    accounts = list(Account.objects.filter(wanted, kind=PREPAID))
    sides = {account.pk: tuple(int(part) for part in account.key.split(":")[1:]) for account in accounts}
    names = Organisation.objects.in_bulk({pk for pair in sides.values() for pk in pair})
    found = [
        Balance(
            names[sides[account.pk][0]],
            names[sides[account.pk][1]],
            account.granted_fen - account.posted_fen,
            account.held_fen,
            account.left_fen,
            sides[account.pk][0] in owned,
        )
        for account in accounts
    ]
    return sorted(found, key=lambda one: (one.owner.name, one.customer.name))


def entries_visible(actor: Actor) -> QuerySet[PrepaidEntry]:
    """What was kept and used, the latest first. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(PrepaidEntry.objects.all(), actor).select_related("payment__owner", "customer", "bill")
    return rows.defer("bill__content").order_by("-pk")


def entries(actor: Actor) -> list[PrepaidEntry]:
    """What came in and was used last."""
    return list(entries_visible(actor)[:NEWEST])


def terms(actor: Actor) -> list[PrepaidTerms]:
    """What owners ask of customers now: the latest row for each, all customers first."""
    rows = visible_to(PrepaidTerms.objects.all(), actor).select_related("owner", "customer", "set_by").order_by("pk")
    latest = {(row.owner_id, row.customer_id): row for row in rows}
    return sorted(latest.values(), key=lambda row: (row.owner_id, row.customer_id or 0))


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A spending limit with what is spent and kept for bookings, in fen."""

    limit: SpendingLimit
    spent_fen: int
    held_fen: int
    left_fen: int
    manages: bool


def limits(actor: Actor) -> list[LimitRow]:
    """The open limits that the actor may see; two queries."""
    rows = visible_to(SpendingLimit.objects.filter(closed_at__isnull=True), actor).select_related("organisation", "member")
    found = list(rows.order_by("organisation__name", "pk"))
    accounts = ledger.known(limit_key(row.pk) for row in found)
    kept = actor.organisations(*PAYERS)
    return [
        LimitRow(row, account.posted_fen, account.held_fen, account.left_fen, row.organisation_id in kept)
        for row in found
        if (account := accounts.get(limit_key(row.pk))) is not None
    ]


def members(actor: Actor) -> list[Membership]:
    """The people of the organisations whose money the actor keeps, each once for each organisation."""
    rows = Membership.objects.filter(organisation__in=actor.organisations(*PAYERS)).select_related("user", "organisation")
    return list(
        rows.order_by("organisation__name", "user__full_name", "user_id").distinct(
            "organisation__name", "user__full_name", "user_id"
        )
    )


def payers(actor: Actor) -> list[Organisation]:
    """The organisations whose money the actor keeps."""
    return list(Organisation.objects.filter(pk__in=actor.organisations(*PAYERS)).order_by("name_pinyin", "pk"))


def customers(actor: Actor) -> list[Organisation]:
    """Who has ever booked at, or was billed by, the owners for whom the actor accounts; for choosing whose money something is."""
    owners = actor.organisations(*ISSUERS)
    booked = Reservation.objects.filter(instrument__organisation__in=owners).values("organisation_id")
    rows = Organisation.objects.filter(Q(pk__in=booked) | Q(bills__owner__in=owners)).exclude(pk__in=owners).distinct()
    return list(rows.order_by("name_pinyin", "pk"))


def order_number(actor: Actor, reservation_id: int) -> str:
    """The purchase-order number of a booking; empty: none."""
    rows = visible_to(PurchaseOrder.objects.filter(reservation=reservation_id), actor)
    return rows.order_by("pk").values_list("number", flat=True).last() or ""


def job_order_number(actor: Actor, job_id: int) -> str:
    """The purchase-order number of a sample job; empty: none."""
    rows = visible_to(PurchaseOrder.objects.filter(sample_job=job_id), actor)
    return rows.order_by("pk").values_list("number", flat=True).last() or ""


def job_order_number_of(actor: Actor, job_id: int) -> str:
    """As ``job_order_number``, of a job that the actor sees. Raises NotFound."""
    return job_order_number(actor, get_visible(SampleJob.objects.all(), actor, pk=job_id).pk)


def order_number_of(actor: Actor, reservation_id: int) -> str:
    """As ``order_number``, of a booking that the actor sees. Raises NotFound."""
    return order_number(actor, get_visible(Reservation.objects.all(), actor, pk=reservation_id).pk)


def open_differences(actor: Actor) -> list[PaymentDifference]:
    """Where a provider and our books disagree and nobody has said what became of it."""
    rows = visible_to(PaymentDifference.objects.filter(state=DifferenceState.OPEN.value), actor)
    return list(rows.select_related("checkout__bill").defer("checkout__bill__content").order_by("-found_at", "-pk")[:200])
