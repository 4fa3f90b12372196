"""What is always true of quotations and commission sheets."""

from __future__ import annotations

from billing.ordering.guards import LIVING_CHARGES
from config.kernel.invariants import register_sql

register_sql(
    "ordering.quotations_are_their_lines",
    counted="SELECT count(*) FROM billing_quotation",
    violations="""
        SELECT format('quotation %s: %s fen; its lines make %s, its content says %s', q.id, q.total_fen, l.total,
                      q.content ->> 'total_fen')
          FROM billing_quotation q CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS total, count(*) AS lines FROM billing_quotationline WHERE quotation_id = q.id) l
         WHERE q.total_fen <> l.total OR l.lines = 0
            OR (q.content IS NOT NULL AND ((q.content ->> 'total_fen')::bigint <> q.total_fen
                                           OR jsonb_array_length(q.content -> 'lines') <> l.lines))""",
)

register_sql(
    "ordering.accepted_quotations_became_one_sheet",
    counted="SELECT count(*) FROM billing_quotation WHERE state = 'accepted'",
    violations="""
        SELECT format('quotation %s is "%s" and has %s commission sheets, %s of them of other parties or another total', q.id, q.state,
                      s.sheets, s.others)
          FROM billing_quotation q JOIN booking_enquiry e ON e.id = q.enquiry_id CROSS JOIN LATERAL (
               SELECT count(*) AS sheets, count(*) FILTER (WHERE c.lab_id <> e.lab_id OR c.organisation_id <> e.organisation_id
                                                              OR c.total_fen <> q.total_fen) AS others
                 FROM billing_commissionsheet c WHERE c.quotation_id = q.id) s
         WHERE s.sheets <> (q.state = 'accepted')::int OR s.others > 0""",
)

register_sql(
    "ordering.sheets_in_force_are_signed_by_both",
    counted="SELECT count(*) FROM billing_commissionsheet",
    violations="""
        SELECT format('commission sheet %s is "%s" with %s signatures, %s of them of another content', c.id, c.state, s.signed, s.others)
          FROM billing_commissionsheet c CROSS JOIN LATERAL (
               SELECT count(DISTINCT side) AS signed, count(*) FILTER (WHERE content_sha256 <> c.content_sha256) AS others
                 FROM billing_commissionsignature WHERE sheet_id = c.id) s
         WHERE s.others > 0 OR (s.signed = 2) <> (c.state IN ('in_force', 'finished'))
            OR (c.in_force_at IS NOT NULL) <> (c.state IN ('in_force', 'finished'))""",
)

register_sql(
    "ordering.numbers_have_no_gap",
    counted="SELECT (SELECT count(*) FROM billing_quotation) + (SELECT count(*) FROM billing_commissionsheet)",
    violations=r"""
        WITH given_out AS (
            SELECT number FROM billing_quotation WHERE number IS NOT NULL
             UNION ALL SELECT number FROM billing_commissionsheet WHERE number IS NOT NULL),
        numbered AS (
            SELECT regexp_replace(number, '\d+$', '') AS series, substring(number FROM '(\d+)$')::bigint AS place FROM given_out),
        given AS (
            SELECT split_part(key, '/', 1) || '-' || split_part(key, '/', 2) || '-' AS series, last
              FROM billing_numberseries WHERE key LIKE '%/N')
        SELECT format('series %s: last number given %s; %s documents, numbered %s to %s', series,
                      given.last, count(place), min(place), max(place))
          FROM numbered FULL JOIN given USING (series)
         GROUP BY series, given.last
        HAVING count(place) IS DISTINCT FROM given.last OR min(place) <> 1 OR max(place) <> given.last
            OR count(DISTINCT place) <> count(place)""",
)

register_sql(
    "ordering.reservations_are_of_the_same_parties",
    counted="SELECT count(*) FROM billing_commissionreservation",
    violations="""
        SELECT format('reservation %s belongs to commission sheet %s of other parties', r.id, c.id)
          FROM billing_commissionreservation l
          JOIN billing_commissionsheet c ON c.id = l.sheet_id
          JOIN booking_reservation r ON r.id = l.reservation_id
          JOIN instruments_instrument i ON i.id = r.instrument_id
         WHERE (r.organisation_id, i.organisation_id) <> (c.organisation_id, c.lab_id)""",
)

register_sql(
    "ordering.other_lines_are_charged_up_to_their_quantity",
    counted="SELECT count(*) FROM billing_commissioncharge",
    violations=f"""
        SELECT format('line %s of commission sheet %s is for %s (%s fen); charged are %s (%s fen)', l.id, living.sheet_id, l.quantity,
                      l.amount_fen, sum(living.quantity), sum(living.amount_fen))
          FROM ({LIVING_CHARGES}) living
          JOIN billing_quotationline l ON l.id = living.line_id
         GROUP BY l.id, living.sheet_id
        HAVING sum(living.quantity) > l.quantity
            OR abs(sum(living.amount_fen) - sum(living.quantity) * l.unit_price_fen) > count(*)""",  # noqa: S608  (constants only)
)

register_sql(
    "ordering.other_lines_are_charged_under_their_sheet",
    counted="SELECT count(*) FROM billing_commissioncharge",
    violations="""
        SELECT format('charge %s of commission sheet %s ("%s") is of work that does not stand under it, or of another''s line', c.id, s.id,
                      s.state)
          FROM billing_commissioncharge c
          JOIN billing_commissionsheet s ON s.id = c.sheet_id
          JOIN billing_quotationline l ON l.id = c.line_id
          LEFT JOIN billing_sessionextra e ON e.id = c.session_extra_id
          LEFT JOIN booking_sampleextra x ON x.id = c.sample_extra_id
         WHERE s.state NOT IN ('in_force', 'finished') OR l.quotation_id <> s.quotation_id
            OR NOT EXISTS (SELECT 1 FROM billing_commissionreservation r WHERE r.reservation_id = e.reservation_id AND r.sheet_id = s.id)
           AND NOT EXISTS (SELECT 1 FROM billing_commissionsamplejob j WHERE j.sample_job_id = x.job_id AND j.sheet_id = s.id)""",
)
