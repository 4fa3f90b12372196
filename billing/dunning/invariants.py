"""What is always true of prepaid money and of reminders."""

from __future__ import annotations

from django.conf import settings

from config.kernel.invariants import register_sql

register_sql(
    "prepaid.the_ledger_says_what_is_kept",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'prepaid'",
    violations="""
        WITH kept AS (
            SELECT format('prepaid:%s:%s', p.owner_id, e.customer_id) AS key, sum(e.amount_fen) AS fen
              FROM billing_prepaidentry e JOIN billing_payment p ON p.id = e.payment_id GROUP BY 1),
        booked AS (SELECT key, granted_fen - posted_fen AS fen FROM billing_account WHERE kind = 'prepaid')
        SELECT format('%s: the entries keep %s fen, the ledger says %s', coalesce(k.key, b.key), k.fen, b.fen)
          FROM kept k FULL JOIN booked b ON b.key = k.key WHERE coalesce(k.fen, 0) <> coalesce(b.fen, 0)""",
)

register_sql(
    "prepaid.what_was_taken_for_bills_pays_them",
    counted="SELECT count(*) FROM billing_prepaidentry WHERE kind = 'capture'",
    violations="""
        SELECT format('bill %s: %s fen of prepaid money taken, %s fen of it given', e.bill_id, -e.amount_fen, a.amount_fen)
          FROM billing_prepaidentry e LEFT JOIN billing_allocation a ON a.prepaid_id = e.id
         WHERE e.kind = 'capture' AND (a.payment_id, a.bill_id, a.amount_fen) IS DISTINCT FROM (e.payment_id, e.bill_id, -e.amount_fen)
            OR e.kind <> 'capture' AND a.id IS NOT NULL""",
)

register_sql(
    "prepaid.what_waits_for_a_bill_is_not_billed_yet",
    counted="SELECT count(*) FROM billing_transfer WHERE kind = 'hold' AND source_type = 'charge'",
    violations="""
        SELECT format('hold %s of %s fen waits for charge %s, which stands on bill line %s', h.id, h.amount_fen, h.source_id, l.id)
          FROM billing_transfer h JOIN billing_billline l ON l.charge_id = h.source_id AND NOT l.voided
         WHERE h.kind = 'hold' AND h.source_type = 'charge' AND NOT EXISTS (SELECT FROM billing_transfer e WHERE e.hold_id = h.id)""",
)

register_sql(
    "dunning.steps_come_in_their_days",
    counted="SELECT count(*) FROM billing_reminder",
    violations=f"""
        SELECT format('bill %s of the day %s: reminder "%s" at %s', b.number, b.due_on, r.step, r.at)
          FROM billing_reminder r JOIN billing_bill b ON b.id = r.bill_id
         WHERE (r.at AT TIME ZONE '{settings.TIME_ZONE}')::date
               < b.due_on + CASE r.step WHEN 'before' THEN -3 WHEN 'first' THEN 1 WHEN 'second' THEN 7 ELSE 14 END
            OR (b.owner_id, b.customer_id) <> (r.owner_id, r.customer_id)""",  # noqa: S608  (our own setting)
)
