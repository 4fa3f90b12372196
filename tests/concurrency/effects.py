"""Everything that a step may leave behind, counted: what happened twice, or half, shows."""

from __future__ import annotations

from collections import Counter

from django.db import connection

#: Table -> what of its rows is told apart.
_COUNTED = {
    "kernel_idempotencyrecord": "route",
    "kernel_auditentry": "action",
    "booking_reservation": "state",
    "booking_reservationtransition": "action",
    "booking_occupancy": "source || ' ' || blocking",
    "booking_reservationchange": "state",
    "booking_reservationseries": "''",
    "booking_requestdecision": "action || (told_at IS NULL) || (taken_back_at IS NULL)",
    "booking_waitentry": "state",
    "booking_downtime": "kind",
    "booking_downtimeeffect": "became",
    "booking_usagesession": "agreed_how",
    "booking_licencegap": "''",
    "booking_creditevent": "kind",
    "booking_samplejob": "state",
    "booking_samplesteptaken": "action",
    "booking_sampleday": "''",
    "billing_quote": "''",
    "billing_charge": "''",
    "billing_award": "''",
    "billing_bill": "''",
    "billing_payment": "method",
    "billing_providerevent": "state",
    "billing_transfer": "kind",
    "billing_bookingfee": "kind",
    "billing_statement": "''",
    "billing_statementline": "''",
    "billing_claimbatch": "(closed_at IS NULL)",
    "billing_claim": "state",
    "billing_claimline": "standing",
    "billing_claimsubmission": "''",
    "billing_claimstep": "event",
    "billing_publicity": "(closed_at IS NULL)",
    "billing_paymentlist": "(reviewed_at IS NULL) || ' ' || (approved_at IS NULL)",
    "billing_paymentline": "''",
    "billing_payout": "''",
    "instruments_notice": "event",
    "instruments_delivery": "event || ' ' || channel",
    "instruments_importrun": "state",
    "instruments_instrument": "''",
    "procrastinate_jobs": "task_name",
}
_SQL = " UNION ALL ".join(f"SELECT '{table} ' || {what}, count(*) FROM {table} GROUP BY 1" for table, what in _COUNTED.items())


def counted() -> Counter[str]:
    """How many there are of each kind of thing."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
        return Counter(dict(cursor.fetchall()))


def since(before: Counter[str]) -> dict[str, int]:
    """What has become more (or fewer) since then, by kind."""
    now = counted()
    return {kind: now[kind] - before[kind] for kind in sorted(now.keys() | before.keys()) if now[kind] != before[kind]}
