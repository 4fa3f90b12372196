"""What is always true of payments, and of the accounts of what is owed."""

from __future__ import annotations

from config.kernel.invariants import register_sql

register_sql(
    "ledger.moves_are_between_accounts_without_a_limit",
    counted="SELECT count(*) FROM billing_transfer WHERE kind = 'move'",
    violations="""
        SELECT format('move %s touches the limited account %s', t.id, a.key)
          FROM billing_transfer t JOIN billing_account a ON a.id IN (t.debit_id, t.credit_id) WHERE t.kind = 'move' AND a.limited""",
)

register_sql(
    "payments.nothing_is_given_that_did_not_come_in",
    counted="SELECT count(*) FROM billing_payment",
    violations="""
        SELECT format('payment %s of %s fen: %s given to bills, %s gone back', p.id, p.amount_fen, g.fen, r.fen)
          FROM billing_payment p
          CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_allocation WHERE payment_id = p.id) g
          CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_refund WHERE payment_id = p.id) r
          CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_prepaidentry WHERE payment_id = p.id) d
         WHERE g.fen < 0 OR d.fen < 0 OR g.fen + r.fen + d.fen > p.amount_fen""",
)

register_sql(
    "payments.no_bill_is_paid_beyond_what_is_due",
    counted="SELECT count(*) FROM billing_bill",
    violations="""
        SELECT format('bill %s of %s fen: %s credited, %s paid%s', b.number, b.total_fen, n.fen, g.fen,
                      CASE WHEN v.id IS NULL THEN '' ELSE ', void' END)
          FROM billing_bill b LEFT JOIN billing_billvoid v ON v.bill_id = b.id
          CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_allocation WHERE bill_id = b.id) g
          CROSS JOIN LATERAL (SELECT coalesce(sum(total_fen), 0) AS fen FROM billing_creditnote WHERE bill_id = b.id) n
         WHERE g.fen < 0 OR g.fen > b.total_fen - n.fen OR (v.id IS NOT NULL AND (g.fen <> 0 OR n.fen <> 0))""",
)

register_sql(
    "payments.the_ledger_says_who_owes_what",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'receivable'",
    violations="""
        WITH owed AS (
            SELECT format('receivable:%s:%s', b.owner_id, b.customer_id) AS key,
                   sum(b.total_fen - coalesce(n.fen, 0) - coalesce(g.fen, 0)) AS fen
              FROM billing_bill b
              LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM billing_allocation WHERE bill_id = b.id) g ON true
              LEFT JOIN LATERAL (SELECT sum(total_fen) AS fen FROM billing_creditnote WHERE bill_id = b.id) n ON true
             WHERE NOT EXISTS (SELECT 1 FROM billing_billvoid v WHERE v.bill_id = b.id) GROUP BY 1),
        booked AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.debit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.debit_id, t.credit_id)
             WHERE a.kind = 'receivable' GROUP BY a.key)
        SELECT format('%s: the bills leave %s fen to pay, the ledger says %s', coalesce(o.key, k.key), o.fen, k.fen)
          FROM owed o FULL JOIN booked k ON k.key = o.key WHERE coalesce(o.fen, 0) <> coalesce(k.fen, 0)""",
)

register_sql(
    "payments.the_ledger_says_what_is_free",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'unassigned'",
    violations="""
        WITH free AS (
            SELECT format('unassigned:%s', p.owner_id) AS key, 
                   sum(p.amount_fen - coalesce(g.fen, 0) - coalesce(r.fen, 0) - coalesce(d.fen, 0)) AS fen
              FROM billing_payment p
              LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM billing_prepaidentry WHERE payment_id = p.id) d ON true
              LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM billing_allocation WHERE payment_id = p.id) g ON true
              LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM billing_refund WHERE payment_id = p.id) r ON true
             GROUP BY 1),
        booked AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.credit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.debit_id, t.credit_id)
             WHERE a.kind = 'unassigned' GROUP BY a.key)
        SELECT format('%s: of the payments %s fen are free, the ledger says %s', coalesce(f.key, k.key), f.fen, k.fen)
          FROM free f FULL JOIN booked k ON k.key = f.key WHERE coalesce(f.fen, 0) <> coalesce(k.fen, 0)""",
)

register_sql(
    "payments.the_ledger_says_what_came_in",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'cash'",
    violations="""
        WITH captured AS (
            SELECT format('cash:%s:%s', p.owner_id, p.method) AS key, sum(p.amount_fen - coalesce(r.fen, 0)) AS fen
              FROM billing_payment p LEFT JOIN (SELECT payment_id, sum(amount_fen) AS fen FROM billing_refund GROUP BY payment_id) r
                ON r.payment_id = p.id GROUP BY 1),
        booked AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.debit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.debit_id, t.credit_id)
             WHERE a.kind = 'cash' GROUP BY a.key)
        SELECT format('%s: payments less refunds %s fen, the ledger says %s', coalesce(c.key, k.key), c.fen, k.fen)
          FROM captured c FULL JOIN booked k ON k.key = c.key WHERE coalesce(c.fen, 0) <> coalesce(k.fen, 0)""",
)

register_sql(
    "payments.stay_with_their_owner",
    counted="SELECT (SELECT count(*) FROM billing_allocation) + (SELECT count(*) FROM billing_creditnote)",
    violations="""
        SELECT format('money %s of owner %s is given to bill %s of owner %s', g.id, p.owner_id, b.number, b.owner_id)
          FROM billing_allocation g JOIN billing_payment p ON p.id = g.payment_id JOIN billing_bill b ON b.id = g.bill_id
         WHERE p.owner_id <> b.owner_id
         UNION ALL
        SELECT format('credit note %s of owner %s is of bill %s of owner %s', n.number, n.owner_id, b.number, b.owner_id)
          FROM billing_creditnote n JOIN billing_bill b ON b.id = n.bill_id WHERE n.owner_id <> b.owner_id""",
)

register_sql(
    "payments.statements_say_what_they_brought",
    counted="SELECT count(*) FROM billing_bankstatement",
    violations="""
        SELECT format('bank statement %s says %s rows over %s fen were taken; %s over %s are there', s.id, s.taken_count, s.taken_fen,
                      p.rows, p.fen)
          FROM billing_bankstatement s CROSS JOIN LATERAL (
               SELECT count(*) AS rows, coalesce(sum(amount_fen), 0) AS fen FROM billing_payment WHERE statement_id = s.id) p
         WHERE (s.taken_count, s.taken_fen) <> (p.rows, p.fen) OR s.row_count <> s.taken_count + s.known_count + s.outgoing_count""",
)

register_sql(
    "payments.paid_attempts_brought_their_money",
    counted="SELECT count(*) FROM billing_checkout WHERE state = 'paid'",
    violations="""
        SELECT format('attempt %s over %s fen is "%s" and its payment is %s', c.key, c.amount_fen, c.state, p.amount_fen)
          FROM billing_checkout c LEFT JOIN billing_payment p ON p.checkout_id = c.id
         WHERE (c.state = 'paid') <> (p.id IS NOT NULL) OR p.amount_fen <> c.amount_fen""",
)

register_sql(
    "payments.events_are_handled",
    counted="SELECT count(*) FROM billing_providerevent",
    violations="""
        SELECT format('event %s waits since %s', event_ref, received_at)
          FROM billing_providerevent WHERE state = 'waiting' AND received_at < now() - interval '15 minutes'""",
)

register_sql(
    "payments.by_hand_are_what_another_person_confirmed",
    counted="SELECT count(*) FROM billing_handentry",
    violations="""
        SELECT format('entry by hand %s of %s fen: payment %s of %s fen, undone %s', h.id, h.amount_fen, p.id, p.amount_fen, r.id)
          FROM billing_handentry h
          LEFT JOIN billing_payment p ON p.by_hand_id = h.id
          LEFT JOIN billing_refund r ON r.payment_id = p.id AND r.kind = 'undone'
         WHERE (h.confirmed_at IS NULL) <> (p.id IS NULL)
            OR p.id IS NOT NULL AND (p.amount_fen, p.owner_id) IS DISTINCT FROM (h.amount_fen, h.owner_id)
            OR p.id IS NOT NULL AND (h.ended_at IS NULL) <> (r.id IS NULL)""",
)
