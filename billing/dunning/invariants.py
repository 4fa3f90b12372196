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
        SELECT format('bill %s: %s fen of prepaid money taken, %s fen of those payments given to it', e.bill_id, -sum(e.amount_fen),
                      max(g.fen))
          FROM billing_prepaidentry e
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(a.amount_fen), 0) AS fen FROM billing_allocation a
                WHERE a.bill_id = e.bill_id AND a.undoes_id IS NULL
                  AND a.payment_id IN (SELECT payment_id FROM billing_prepaidentry c WHERE c.bill_id = e.bill_id)) g
         WHERE e.kind = 'capture' GROUP BY e.bill_id HAVING -sum(e.amount_fen) > max(g.fen)""",
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
