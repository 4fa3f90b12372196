"""What is always true of bills and credit notes."""

from __future__ import annotations

from billing.settlement.numbered import numbers_have_no_gap, rendered_have_both_files
from config.kernel.invariants import register_sql

register_sql(
    "bills.are_their_lines",
    counted="SELECT count(*) FROM billing_bill",
    violations="""
        SELECT format('bill %s of owner %s: %s fen on %s lines; its lines say %s on %s, its content %s', b.number, b.owner_id, b.total_fen,
                      b.line_count, l.total, l.lines, b.content #>> '{totals,total_fen}')
          FROM billing_bill b CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS total, count(*) AS lines FROM billing_billline WHERE bill_id = b.id) l
         WHERE (b.total_fen, b.line_count) <> (l.total, l.lines)
            OR (b.content #>> '{totals,total_fen}')::bigint IS DISTINCT FROM b.total_fen
            OR jsonb_array_length(b.content -> 'lines') IS DISTINCT FROM b.line_count""",
)

register_sql(
    "bills.lines_say_what_was_charged",
    counted="SELECT count(*) FROM billing_billline",
    violations="""
        SELECT format('line %s of bill %s: %s fen, charged %s', l.position, l.bill_id, l.amount_fen,
                      coalesce(c.payable_now_fen, f.gross_fen - l.relieved_fen))
          FROM billing_billline l LEFT JOIN billing_charge c ON c.id = l.charge_id LEFT JOIN billing_bookingfee f ON f.id = l.fee_id
         WHERE l.amount_fen IS DISTINCT FROM coalesce(c.payable_now_fen, f.gross_fen - l.relieved_fen)""",
)

register_sql(
    "bills.a_charge_stands_on_one_bill",
    counted="SELECT count(*) FROM billing_billline WHERE NOT voided",
    violations="""
        SELECT format('charge %s, fee %s stand on %s bills', charge_id, fee_id, count(*))
          FROM billing_billline WHERE NOT voided GROUP BY charge_id, fee_id HAVING count(*) > 1
         UNION ALL
        SELECT format('line %s of bill %s is %s and its bill %s', l.position, l.bill_id,
                      CASE WHEN l.voided THEN 'void' ELSE 'not void' END, CASE WHEN v.id IS NULL THEN 'is not' ELSE 'is' END)
          FROM billing_billline l LEFT JOIN billing_billvoid v ON v.bill_id = l.bill_id WHERE l.voided <> (v.id IS NOT NULL)""",
)

register_sql(
    "bills.credited_within_their_lines",
    counted="SELECT count(*) FROM billing_creditnote",
    violations="""
        SELECT format('line %s of bill %s over %s fen is credited %s', l.position, l.bill_id, l.amount_fen, sum(n.total_fen))
          FROM billing_creditnote n JOIN billing_billline l ON l.id = n.line_id
         GROUP BY l.id HAVING sum(n.total_fen) > l.amount_fen OR bool_or(n.bill_id <> l.bill_id) OR l.voided""",
)

register_sql(
    "bills.awards_go_back_within_themselves",
    counted="SELECT count(*) FROM billing_awardreversal",
    violations="""
        SELECT format('awards of charge %s under version %s, %s fen: %s went back, an account got %s', v.charge_id,
                      v.programme_version_id, v.total_fen, v.fen, back.fen)
          FROM (SELECT a.charge_id, a.programme_version_id, sum(a.total_fen) AS total_fen, sum(r.fen) AS fen,
                       bool_or(r.fen > a.total_fen) AS beyond
                  FROM billing_award a
                  JOIN (SELECT award_id, sum(amount_fen) AS fen FROM billing_awardreversal GROUP BY award_id) r ON r.award_id = a.id
                 GROUP BY a.charge_id, a.programme_version_id) v
          CROSS JOIN LATERAL (
               SELECT coalesce(max(per.fen), 0) AS fen FROM (
                      SELECT sum(t.amount_fen) AS fen FROM billing_transfer t
                       WHERE t.kind = 'refund' AND t.programme_version_id = v.programme_version_id
                         AND (t.source_type, t.source_id) IN (
                             SELECT CASE WHEN r.credit_note_id IS NULL THEN 'award_reversal' ELSE 'credit_note' END,
                                    coalesce(r.credit_note_id, r.id)
                               FROM billing_awardreversal r JOIN billing_award a ON a.id = r.award_id
                              WHERE a.charge_id = v.charge_id AND a.programme_version_id = v.programme_version_id)
                       GROUP BY t.credit_id) per) back
         WHERE v.beyond OR back.fen > v.fen""",
)

register_sql(
    "bills.no_more_is_given_up_than_is_owed",
    counted="SELECT count(DISTINCT bill_id) FROM billing_writeoff",
    violations="""
        SELECT format('bill %s: %s fen given up, %s left to pay', b.number, w.fen, CASE WHEN v.id IS NULL THEN o.fen ELSE 0 END)
          FROM (SELECT bill_id, sum(amount_fen) AS fen FROM billing_writeoff GROUP BY bill_id) w
          JOIN billing_bill b ON b.id = w.bill_id LEFT JOIN billing_billvoid v ON v.bill_id = b.id
          CROSS JOIN LATERAL (
               SELECT b.total_fen - (SELECT coalesce(sum(total_fen), 0) FROM billing_creditnote WHERE bill_id = b.id)
                      - (SELECT coalesce(sum(amount_fen), 0) FROM billing_allocation WHERE bill_id = b.id) AS fen) o
         WHERE w.fen < 0 OR w.fen > CASE WHEN v.id IS NULL THEN o.fen ELSE 0 END""",
)

register_sql(
    "bills.the_ledger_says_what_was_given_up",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'write_off'",
    violations="""
        WITH given_up AS (
            SELECT format('write_off:%s', b.owner_id) AS key, sum(w.amount_fen) AS fen
              FROM billing_writeoff w JOIN billing_bill b ON b.id = w.bill_id GROUP BY 1),
        booked AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.debit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.debit_id, t.credit_id)
             WHERE a.kind = 'write_off' GROUP BY a.key)
        SELECT format('%s: %s fen given up, the ledger says %s', coalesce(g.key, k.key), g.fen, k.fen)
          FROM given_up g FULL JOIN booked k ON k.key = g.key WHERE coalesce(g.fen, 0) <> coalesce(k.fen, 0)""",
)

register_sql(
    "bills.the_ledger_says_what_was_billed",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'revenue'",
    violations="""
        WITH billed AS (
            SELECT format('revenue:%s', b.owner_id) AS key, sum(b.total_fen - coalesce(n.fen, 0)) AS fen
              FROM billing_bill b LEFT JOIN (SELECT bill_id, sum(total_fen) AS fen FROM billing_creditnote GROUP BY bill_id) n
                ON n.bill_id = b.id
             WHERE NOT EXISTS (SELECT FROM billing_billvoid v WHERE v.bill_id = b.id) GROUP BY 1),
        booked AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.credit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.debit_id, t.credit_id)
             WHERE a.kind = 'revenue' GROUP BY a.key)
        SELECT format('%s: billed less credited and void %s fen, the ledger says %s', coalesce(b.key, k.key), b.fen, k.fen)
          FROM billed b FULL JOIN booked k ON k.key = b.key WHERE coalesce(b.fen, 0) <> coalesce(k.fen, 0)""",
)

for _letters, _table in (("ZD", "bill"), ("HZ", "creditnote")):
    numbers_have_no_gap(f"bills.{_table}_numbers_have_no_gap", _letters, f"billing_{_table}", "owner_id")
    rendered_have_both_files(f"bills.rendered_{_table}s_have_both_files", f"billing_{_table}")
