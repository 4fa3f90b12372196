"""What labs and organisations set: whether bookings are paid in advance, what people and projects may spend, purchase-order numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.ledger.services import Source
from billing.prepaid.accounts import LIMIT, limit_key, limit_spec
from billing.prepaid.models import PrepaidTerms, PurchaseOrder, SpendingLimit
from booking.models import Reservation, SampleJob
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Membership, Organisation
from instruments.rules.names import clean_name
from instruments.services.research_groups import MOST_FEN

#: Who sets an owner's terms; who keeps an organisation's money.
OWNER_ROLES = (Role.OWNER_FINANCE,)
KEEPERS = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)
NUMBER_LENGTH, PROJECT_LENGTH, REASON_LENGTH = 60, 200, 500


def _require_in(actor: Actor, organisation_id: int, roles: tuple[Role, ...]) -> None:
    """Another organisation's settings do not exist for the actor."""
    if organisation_id not in actor.organisations(*roles):
        actor.require(*roles)
        raise NotFound.of("access.not_found", model="organisation")


def ask_for_prepaid(actor: Actor, owner_id: int, customer_id: int | None, asks: bool, reason: str, now: datetime) -> PrepaidTerms:
    """From now on an owner asks (or no longer) that new bookings of a customer (None: of everybody else than its own people) are covered
    by prepaid money. What is booked stays. Raises Forbidden, NotFound, Refusal ``name.*`` (``reason``), ``prepaid.own``."""
    _require_in(actor, owner_id, OWNER_ROLES)
    text = clean_name(reason, REASON_LENGTH, field="reason")
    if customer_id == owner_id:
        raise Refusal.of("prepaid.own", field="customer")
    if customer_id is not None and not Organisation.objects.filter(pk=customer_id).exists():
        raise NotFound.of("access.not_found", model="organisation")

    def work() -> PrepaidTerms:
        by = cast(int, actor.user_id)  # who has a role is somebody
        row = PrepaidTerms.objects.create(
            owner_id=owner_id, customer_id=customer_id, asks=asks, reason=text, set_by_id=by, set_at=now
        )
        audit.record(actor, "prepaid.terms", row, now, after={"customer": customer_id, "asks": asks}, reason=text)
        return row

    return transactions.run(work)


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """Of whom or what (one of the two), how much (fen), and the local days on which bookings begin that fall under it."""

    member_id: int | None
    project: str
    limit_fen: int
    valid_from: date
    valid_until: date


def set_limit(actor: Actor, organisation_id: int, facts: LimitFacts, now: datetime) -> SpendingLimit:
    """A new limit with its account; what was booked before does not fall under it.

    Raises Forbidden, NotFound (also a member of another organisation), Refusal ``spending.*``, ``name.*`` (``project``).
    """
    _require_in(actor, organisation_id, KEEPERS)
    project = clean_name(facts.project, PROJECT_LENGTH, field="project") if facts.project.strip() else ""
    faults = []
    if (facts.member_id is None) == (not project):
        faults.append(Reason("spending.limit_of", {}, "project"))
    if not 0 < facts.limit_fen <= MOST_FEN:
        faults.append(Reason("spending.limit_amount", {"used_fen": 0}, "limit_fen"))
    if facts.valid_until < facts.valid_from:
        faults.append(Reason("spending.limit_days", {}, "valid_until"))
    Refusal.raise_any(faults)
    who = facts.member_id
    if who is not None and not Membership.objects.filter(organisation_id=organisation_id, user_id=who).exists():
        raise NotFound.of("access.not_found", model="user")

    def work() -> SpendingLimit:
        by = cast(int, actor.user_id)  # who has a role is somebody
        row = SpendingLimit.objects.create(
            organisation_id=organisation_id,
            member_id=facts.member_id,
            project=project,
            limit_fen=facts.limit_fen,
            valid_from=facts.valid_from,
            valid_until=facts.valid_until,
            set_by_id=by,
            set_at=now,
        )
        ledger.open_accounts([limit_spec(row.pk, row.limit_fen, organisation_id)], now)
        audit.record(actor, "spending.limit", row, now, after={"limit_fen": row.limit_fen})
        return row

    return transactions.run(work)


def change_limit(actor: Actor, limit_id: int, limit_fen: int, now: datetime) -> SpendingLimit:
    """Another amount, at least what is used of it. Raises NotFound, Forbidden, Refusal ``spending.limit_amount``."""

    def work() -> SpendingLimit:
        row, account = _locked(actor, limit_id)
        used = account.held_fen + account.posted_fen
        if not max(1, used) <= limit_fen <= MOST_FEN:
            raise Refusal.of("spending.limit_amount", field="limit_fen", used_fen=used)
        before, row.limit_fen = row.limit_fen, limit_fen
        row.save(update_fields=["limit_fen"])
        ledger.set_limit(account, limit_fen, Source(LIMIT, row.pk, "limit", None, actor.user_id), now)
        audit.record(actor, "spending.limit", row, now, before={"limit_fen": before}, after={"limit_fen": limit_fen})
        return row

    return transactions.run(work)


def close_limit(actor: Actor, limit_id: int, now: datetime) -> None:
    """Nothing new falls under it; what it keeps for bookings ends with them. Raises NotFound, Forbidden."""

    def work() -> None:
        row, _ = _locked(actor, limit_id)
        if row.closed_at is None:
            row.closed_at = now
            row.save(update_fields=["closed_at"])
            audit.record(actor, "spending.limit_close", row, now)

    transactions.run(work)


def _locked(actor: Actor, limit_id: int) -> tuple[SpendingLimit, Account]:
    row = get_visible(SpendingLimit.objects.select_for_update(no_key=True), actor, pk=limit_id)
    actor.require_in(row.organisation_id, *KEEPERS)
    return row, ledger.lock(ledger.known([limit_key(row.pk)]).values())[limit_key(row.pk)]


def set_order_number(actor: Actor, reservation_id: int, number: str, now: datetime) -> PurchaseOrder:
    """The customer's purchase-order number of a booking (empty: none), which its bill repeats.

    Raises NotFound, Forbidden, Refusal ``name.*`` (``number``), ``order_number.billed``.
    """
    text = clean_name(number, NUMBER_LENGTH, field="number") if number.strip() else ""

    def work() -> PurchaseOrder:
        found = get_visible(Reservation.objects.all(), actor, pk=reservation_id)
        if not found.is_of(actor.user_id):
            actor.require_in(found.organisation_id, *KEEPERS)
        Reservation.objects.select_for_update(no_key=True).values_list("pk").get(pk=found.pk)
        if Reservation.objects.filter(pk=found.pk, charge__bill_lines__voided=False).exists():
            raise Refusal.of("order_number.billed")
        return _kept(actor, found, text, now, reservation=found)

    return transactions.run(work)


def set_job_order_number(actor: Actor, job_id: int, number: str, now: datetime) -> PurchaseOrder:
    """The same of a sample job. Raises as ``set_order_number``."""
    text = clean_name(number, NUMBER_LENGTH, field="number") if number.strip() else ""

    def work() -> PurchaseOrder:
        found = get_visible(SampleJob.objects.all(), actor, pk=job_id)
        if found.requested_by_id != actor.user_id:
            actor.require_in(found.organisation_id, *KEEPERS)
        SampleJob.objects.select_for_update(no_key=True).values_list("pk").get(pk=found.pk)
        if SampleJob.objects.filter(pk=found.pk, charge__bill_lines__voided=False).exists():
            raise Refusal.of("order_number.billed")
        return _kept(actor, found, text, now, sample_job=found)

    return transactions.run(work)


def _kept(actor: Actor, found: Reservation | SampleJob, number: str, now: datetime, **of: Any) -> PurchaseOrder:
    by = cast(int, actor.user_id)  # who sees a booking as its own is somebody
    row = PurchaseOrder.objects.create(number=number, set_by_id=by, set_at=now, **of)
    audit.record(actor, "order_number.set", found, now, after={"number": number})
    return row
