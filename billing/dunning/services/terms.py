"""On what terms a customer books anew: unpaid bills keep it from doing so, a lab may ask for prepaid money, its own organisation may limit
its people and projects. Implements ``billing.settlement.customer_terms``; one query where nothing is special."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from billing.dunning import queries
from billing.dunning.models import Reminder
from billing.dunning.rules.steps import Step
from billing.ledger import services as ledger
from billing.ledger.rules.money import yuan
from billing.prepaid.accounts import limit_spec, prepaid
from billing.prepaid.models import SpendingLimit
from billing.settlement.customer_terms import NO_TERMS, Asking, Terms
from billing.settlement.queries import local_today
from config.kernel.errors import Reason
from config.kernel.statements import planned_once

#: What concerns a customer's bookings at an owner: whether it was ever reminded for the last time, what the owner asks (the latest that
#: it said of this customer, else of all), and the limits that a booking of this person and project falls under.
_ASKED = """
SELECT EXISTS (SELECT FROM billing_reminder WHERE owner_id = %(owner)s AND customer_id = %(customer)s AND step = 'block'),
       coalesce(
         (SELECT asks FROM billing_prepaidterms WHERE owner_id = %(owner)s AND customer_id = %(customer)s ORDER BY id DESC LIMIT 1),
         (SELECT asks FROM billing_prepaidterms WHERE owner_id = %(owner)s AND customer_id IS NULL ORDER BY id DESC LIMIT 1), false),
       ARRAY(SELECT id FROM billing_spendinglimit
              WHERE organisation_id = %(customer)s AND closed_at IS NULL AND %(day)s BETWEEN valid_from AND valid_until
                AND (member_id = %(person)s OR (member_id IS NULL AND project = %(project)s)) ORDER BY id)
"""


def terms_of(asking: Asking, now: datetime) -> Terms:
    """See ``billing.settlement.customer_terms``."""
    found: dict[str, Any] = {
        "owner": asking.owner_id,
        "customer": asking.customer_id,
        "person": asking.person_id,
        "project": asking.project,
        "day": asking.on,
    }
    with planned_once() as cursor:
        cursor.execute(_ASKED, found)
        reminded, asks, limit_ids = cursor.fetchone()
    if not (reminded or asks or limit_ids):
        return NO_TERMS
    against = _blocked(asking.owner_id, asking.customer_id, now) if reminded else ()
    specs = [prepaid(asking.owner_id, asking.customer_id)] if asks else []
    for limit in SpendingLimit.objects.filter(pk__in=limit_ids).order_by("pk"):
        specs.append(limit_spec(limit.pk, limit.limit_fen, limit.organisation_id))
    return Terms(against, tuple(ledger.open_accounts(specs, now).values()) if specs else ())


def blocked_at(owner_ids: Collection[int], customer_id: int, now: datetime) -> Mapping[int, tuple[Reason, ...]]:
    """See ``billing.settlement.customer_terms``."""
    reminded = Reminder.objects.filter(owner_id__in=owner_ids, customer_id=customer_id, step=Step.BLOCK).order_by()
    found = {one: _blocked(one, customer_id, now) for one in set(reminded.values_list("owner_id", flat=True))}
    return {one: reasons for one, reasons in found.items() if reasons}


def _blocked(owner_id: int, customer_id: int, now: datetime) -> tuple[Reason, ...]:
    """What is to pay, and where, before anything new is booked."""
    bills = queries.blocking(owner_id, customer_id, local_today(now))
    if not bills:
        return ()
    first = bills[0]
    owner = first.content["owner"]
    params = {
        "bills": ", ".join(bill.number for bill in bills),
        "total_fen": sum(queries.open_fen_of(bill) for bill in bills),
        "owner": owner["name"],
        "account": " ".join(part for part in (owner["bank_name"], owner["bank_account_number"]) if part) or "–",
        "references": ", ".join(f"{bill.reference} (¥{yuan(queries.open_fen_of(bill))})" for bill in bills),
    }
    return (Reason("dunning.blocked", params),)
