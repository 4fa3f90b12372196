"""What is always true of a month's drafts, closed periods and what is held back."""

from __future__ import annotations

from config.kernel.invariants import register_sql

register_sql(
    "month.drafts_are_their_lines",
    counted="SELECT count(*) FROM billing_draft",
    violations="""
        SELECT format('draft %s of run %s: %s fen on %s lines; its lines say %s on %s', d.id, d.run_id, d.total_fen, d.line_count,
                      l.total, l.lines)
          FROM billing_draft d CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS total, coalesce(sum(gross_fen), 0) AS gross,
                      coalesce(sum(claims_fen), 0) AS claims, count(*) AS lines
                 FROM billing_draftline WHERE draft_id = d.id AND held_id IS NULL) l
         WHERE (d.total_fen, d.gross_fen, d.claims_fen, d.line_count) <> (l.total, l.gross, l.claims, l.lines)""",
)

register_sql(
    "month.issued_as_drafted",
    counted="SELECT count(*) FROM billing_draft WHERE state = 'issued'",
    violations="""
        SELECT format('draft %s over %s fen was issued over %s', d.id, d.total_fen, coalesce(b.total_fen, s.total_fen))
          FROM billing_draft d LEFT JOIN billing_bill b ON b.id = d.bill_id LEFT JOIN billing_statement s ON s.id = d.statement_id
         WHERE d.state = 'issued'
           AND (d.total_fen, d.line_count, d.party_id) IS DISTINCT FROM (
               coalesce(b.total_fen, s.total_fen), coalesce(b.line_count, s.line_count), coalesce(b.customer_id, s.payee_id))""",
)

register_sql(
    "month.released_by_another_above_the_threshold",
    counted="SELECT count(*) FROM billing_draftrun WHERE released_at IS NOT NULL",
    violations="""
        SELECT format('run %s over %s fen was made and released by one person', id, total_fen)
          FROM billing_draftrun WHERE released_by_id = made_by_id AND total_fen >= second_from_fen""",
)

register_sql(
    "month.closed_months_took_nothing_later",
    counted="SELECT count(*) FROM billing_closedperiod",
    violations="""
        SELECT format('bill %s of owner %s was issued after %s was closed', b.number, b.owner_id, p.period_on)
          FROM billing_bill b
          JOIN billing_closedperiod p ON p.series = 'bills:' || b.owner_id AND b.until_on < (p.period_on + interval '1 month')::date
         WHERE b.issued_at > p.closed_at
         UNION ALL
        SELECT format('statement %s was issued after %s was closed', s.number, p.period_on)
          FROM billing_statement s JOIN billing_programmeversion v ON v.id = s.programme_version_id
          JOIN billing_programme m ON m.id = v.programme_id
          JOIN billing_closedperiod p ON p.series = 'statements' || coalesce(':' || m.issuer_id, '') AND s.period_on <= p.period_on
         WHERE s.issued_at > p.closed_at""",
)

register_sql(
    "month.what_is_held_back_stands_on_nothing",
    counted="SELECT count(*) FROM billing_heldback WHERE lifted_at IS NULL",
    violations="""
        SELECT format('held back %s stands on a document', h.id)
          FROM billing_heldback h
         WHERE h.lifted_at IS NULL AND (
               EXISTS (SELECT 1 FROM billing_billline l JOIN billing_bill b ON b.id = l.bill_id
                        WHERE NOT l.voided AND (l.charge_id = h.charge_id OR l.fee_id = h.fee_id)
                          AND (h.until_on IS NULL OR h.until_on > b.until_on))
               OR EXISTS (SELECT 1 FROM billing_statementline l JOIN billing_statement s ON s.id = l.statement_id
                           WHERE l.award_id = h.award_id AND (h.until_on IS NULL OR h.until_on > s.period_on)))""",
)
