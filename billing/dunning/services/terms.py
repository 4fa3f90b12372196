"""On what terms a customer books anew: unpaid bills keep it from doing so, a lab may ask for prepaid money, its own organisation may limit
its people and projects. Implements ``billing.settlement.customer_terms``; one query where nothing is special."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from billing.dunning import queries
from billing.dunning.models import Reminder
from billing.dunning.rules.steps import Step
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.ledger.rules.money import yuan
from billing.prepaid.accounts import limit_key, limit_spec, prepaid
from billing.prepaid.models import PrepaidTerms, SpendingLimit
from billing.prepaid.rules.standing import Standing
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


def standing_at(owner_ids: Collection[int], customer_id: int, person_id: int | None, now: datetime) -> Standing:
    """See ``billing.settlement.customer_terms``."""
    reminded = Reminder.objects.filter(owner_id__in=owner_ids, customer_id=customer_id, step=Step.BLOCK).order_by()
    blocked = {one: _blocked(one, customer_id, now) for one in set(reminded.values_list("owner_id", flat=True))}
    asked = _ask_for_prepaid(owner_ids, customer_id)
    limits = SpendingLimit.objects.filter(
        organisation_id=customer_id, closed_at=None, member_id=person_id, member_id__isnull=False
    )
    within = list(limits.order_by("pk"))
    keys = {one: prepaid(one, customer_id).key for one in asked}
    limit_keys = {one.pk: limit_key(one.pk) for one in within}
    accounts = {one.key: one for one in Account.objects.filter(key__in=[*keys.values(), *limit_keys.values()])}

    def left(key: str, unopened_fen: int) -> int:
        return accounts[key].promisable_fen if key in accounts else unopened_fen

    return Standing(
        customer_id,
        {one: reasons for one, reasons in blocked.items() if reasons},
        {one: left(key, 0) for one, key in keys.items()},
        tuple((one.valid_from, one.valid_until, left(limit_keys[one.pk], one.limit_fen)) for one in within),
    )


def _ask_for_prepaid(owner_ids: Collection[int], customer_id: int) -> list[int]:
    """The owners that ask this customer for prepaid money: what each said last of this customer counts, else what it said of all."""
    said = PrepaidTerms.objects.filter(Q(customer_id=customer_id) | Q(customer_id=None), owner_id__in=owner_ids)
    last = said.order_by("owner_id", F("customer_id").asc(nulls_last=True), "-pk").distinct("owner_id")
    return [owner for owner, asks in last.values_list("owner_id", "asks") if asks]


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
