"""What is always true of recorded VAT invoices."""

from __future__ import annotations

from config.kernel.invariants import register_sql

register_sql(
    "invoices.a_bill_has_one_that_lives",
    counted="SELECT count(DISTINCT bill_id) FROM billing_vatinvoice",
    violations="""
        SELECT format('bill %s of owner %s has %s VAT invoices that were not taken back whole', b.number, b.owner_id, count(*))
          FROM billing_vatinvoice v JOIN billing_bill b ON b.id = v.bill_id
          LEFT JOIN (SELECT reverses_id, sum(total_fen) AS fen FROM billing_vatinvoice GROUP BY reverses_id) r ON r.reverses_id = v.id
         WHERE v.reverses_id IS NULL AND v.total_fen + coalesce(r.fen, 0) > 0
         GROUP BY b.id HAVING count(*) > 1""",
)

register_sql(
    "invoices.a_statement_has_one_that_lives",
    counted="SELECT count(DISTINCT statement_id) FROM billing_vatinvoice",
    violations="""
        SELECT format('statement %s has %s VAT invoices that were not taken back whole', s.number, count(*))
          FROM billing_vatinvoice v JOIN billing_statement s ON s.id = v.statement_id
          LEFT JOIN (SELECT reverses_id, sum(total_fen) AS fen FROM billing_vatinvoice GROUP BY reverses_id) r ON r.reverses_id = v.id
         WHERE v.reverses_id IS NULL AND v.total_fen + coalesce(r.fen, 0) > 0
         GROUP BY s.id HAVING count(*) > 1""",
)

register_sql(
    "invoices.red_ones_within_their_blue_one",
    counted="SELECT count(*) FROM billing_vatinvoice WHERE reverses_id IS NOT NULL",
    violations="""
        SELECT format('VAT invoice %s over %s fen of %s: %s taken back%s', v.number, v.total_fen,
                      coalesce('bill ' || v.bill_id, 'statement ' || v.statement_id), -sum(r.total_fen),
                      CASE WHEN v.reverses_id IS NOT NULL THEN ', and it is a red one itself'
                           WHEN bool_or((r.bill_id, r.statement_id) IS DISTINCT FROM (v.bill_id, v.statement_id))
                           THEN ', for another paper' ELSE '' END)
          FROM billing_vatinvoice r JOIN billing_vatinvoice v ON v.id = r.reverses_id
         GROUP BY v.id
        HAVING v.total_fen + sum(r.total_fen) < 0 OR v.net_fen + sum(r.net_fen) < 0 OR v.tax_fen + sum(r.tax_fen) < 0
            OR bool_or(r.total_fen >= 0) OR v.reverses_id IS NOT NULL
            OR bool_or((r.bill_id, r.statement_id) IS DISTINCT FROM (v.bill_id, v.statement_id))""",
)

register_sql(
    "invoices.are_of_the_owner_of_their_bill",
    counted="SELECT count(*) FROM billing_vatinvoice",
    violations="""
        SELECT format('VAT invoice %s is of organisation %s, its bill %s of %s', v.number, v.owner_id, b.number, b.owner_id)
          FROM billing_vatinvoice v JOIN billing_bill b ON b.id = v.bill_id WHERE v.owner_id <> b.owner_id""",
)

register_sql(
    "invoices.are_of_the_payee_of_their_statement",
    counted="SELECT count(*) FROM billing_vatinvoice WHERE statement_id IS NOT NULL",
    violations="""
        SELECT format('VAT invoice %s is of organisation %s, statement %s pays %s (%s)', v.number, v.owner_id, s.number, s.payee_id,
                      s.content -> 'programme' ->> 'mode')
          FROM billing_vatinvoice v JOIN billing_statement s ON s.id = v.statement_id
         WHERE v.owner_id <> s.payee_id OR s.content -> 'programme' ->> 'mode' <> 'paid_beside'""",
)
