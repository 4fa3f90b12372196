"""What is always true of limited money, charges and statements."""

from __future__ import annotations

from billing.bills import invariants as _bills  # noqa: F401  (registers its own)
from billing.claims import invariants as _claims  # noqa: F401  (registers its own)
from billing.dunning import invariants as _dunning  # noqa: F401  (registers its own)
from billing.invoices import invariants as _invoices  # noqa: F401  (registers its own)
from billing.month import invariants as _month  # noqa: F401  (registers its own)
from billing.ordering import invariants as _ordering  # noqa: F401  (registers its own)
from billing.papers import invariants as _papers  # noqa: F401  (registers its own)
from billing.payments import invariants as _payments  # noqa: F401  (registers its own)
from billing.pricing import services as pricing
from billing.receipts import invariants as _receipts  # noqa: F401  (registers its own)
from billing.settlement.services.replaying import replay_charges
from billing.subsidy import invariants as _subsidy  # noqa: F401  (registers its own)
from billing.subsidy import services as subsidy
from booking.rules.samples import HOLDING
from config.kernel.installed_guards import require_constraint
from config.kernel.invariants import Finding, register, register_sql

require_constraint("billing_programmeversion", "programme_version_no_overlap")


def charges_come_to_the_same() -> Finding:
    """Every charge, worked out again from what was frozen with it, comes to what was charged and awarded. Versions are read anew: what
    this process remembers of one would hide that its row is another."""
    pricing.schedule.cache_clear()
    subsidy.in_force.cache_clear()
    checked, wrong = 0, []
    for each in replay_charges():
        checked += 1
        if not each.identical:
            wrong.append(f"{each.thing}: {each.problem or each.differences[0].path}")
    return Finding(checked, tuple(wrong))


register("books.charges_come_to_the_same", charges_come_to_the_same)
register_sql(
    "ledger.columns_are_the_sums_of_transfers",
    counted="SELECT count(*) FROM billing_account WHERE limited",
    violations="""
        WITH moved AS (
            SELECT debit_id AS account_id, -amount_fen AS granted, 0 AS held, 0 AS posted FROM billing_transfer WHERE kind = 'grant'
            UNION ALL SELECT credit_id, amount_fen, 0, 0 FROM billing_transfer WHERE kind = 'grant'
            UNION ALL SELECT debit_id, -amount_fen, 0, 0 FROM billing_transfer WHERE kind = 'reverse'
            UNION ALL SELECT credit_id, amount_fen, 0, 0 FROM billing_transfer WHERE kind = 'reverse'
            UNION ALL SELECT h.debit_id, 0, h.amount_fen, 0 FROM billing_transfer h
                       WHERE h.kind = 'hold' AND NOT EXISTS (SELECT 1 FROM billing_transfer e WHERE e.hold_id = h.id)
            UNION ALL SELECT debit_id, 0, 0, amount_fen FROM billing_transfer WHERE kind = 'post'
            UNION ALL SELECT credit_id, 0, 0, -amount_fen FROM billing_transfer WHERE kind = 'refund'),
        summed AS (
            SELECT account_id, sum(granted) AS granted, sum(held) AS held, sum(posted) AS posted FROM moved GROUP BY account_id)
        SELECT format('account %s says granted %s, held %s, posted %s; its transfers say %s, %s, %s',
                      a.key, a.granted_fen, a.held_fen, a.posted_fen,
                      coalesce(s.granted, 0), coalesce(s.held, 0), coalesce(s.posted, 0))
          FROM billing_account a LEFT JOIN summed s ON s.account_id = a.id
         WHERE a.limited AND (a.granted_fen, a.held_fen, a.posted_fen)
               IS DISTINCT FROM (coalesce(s.granted, 0), coalesce(s.held, 0), coalesce(s.posted, 0))""",
)

register_sql(
    "vouchers.each_is_worth_what_was_granted",
    counted="SELECT count(*) FROM billing_voucher",
    violations="""
        SELECT format('voucher %s of %s fen was granted %s fen', v.number, v.face_fen, coalesce(g.fen, 0))
          FROM billing_voucher v LEFT JOIN LATERAL (
               SELECT sum(t.amount_fen) AS fen FROM billing_transfer t
                WHERE t.credit_id = v.account_id AND t.kind = 'grant' AND t.reason IN ('issue', 'recognise')) g ON true
         WHERE v.face_fen IS DISTINCT FROM g.fen""",
)

register_sql(
    "vouchers.a_quota_gave_what_its_vouchers_are_worth",
    counted="SELECT count(*) FROM billing_voucherquota WHERE account_id IS NOT NULL",
    violations="""
        SELECT format('quota %s granted %s fen, its vouchers are worth %s fen', q.id, coalesce(t.fen, 0), coalesce(v.fen, 0))
          FROM billing_voucherquota q
          LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM billing_transfer WHERE debit_id = q.account_id AND kind = 'grant') t ON true
          LEFT JOIN LATERAL (
               SELECT sum(v.face_fen) AS fen FROM billing_voucher v JOIN billing_voucherapplication a ON a.id = v.application_id
                WHERE a.quota_id = q.id) v ON true
         WHERE q.account_id IS NOT NULL AND coalesce(t.fen, 0) <> coalesce(v.fen, 0)""",
)

# The day that counts for a programme is the one that the facts of the charge name; most programmes name the day of the service.
register_sql(
    "vouchers.are_used_in_their_days_by_their_firm",
    counted="SELECT count(*) FROM billing_transfer t JOIN billing_voucher v ON v.account_id = t.debit_id WHERE t.kind = 'post'",
    violations="""
        WITH used AS (
            SELECT t.id, t.source_type, t.source_id, t.programme_version_id, v.number, v.organisation_id, v.programme_id, v.valid_from,
                   v.valid_to, coalesce(r.organisation_id, j.organisation_id) AS customer_id,
                   coalesce((SELECT c.id FROM billing_charge c WHERE c.reservation_id = r.id),
                            (SELECT c.id FROM billing_charge c WHERE c.sample_job_id = j.id)) AS charge_id
              FROM billing_transfer t JOIN billing_voucher v ON v.account_id = t.debit_id
              LEFT JOIN booking_reservation r ON t.source_type = 'reservation' AND r.id = t.source_id
              LEFT JOIN booking_samplejob j ON t.source_type = 'sample_job' AND j.id = t.source_id
             WHERE t.kind = 'post'),
        counted AS (
            SELECT u.*, p.programme_id AS used_under,
                   coalesce((SELECT (e -> 'facts' -> 'service' ->> ((p.document ->> 'date_basis') || '_on'))::date
                               FROM billing_charge c CROSS JOIN jsonb_array_elements(c.inputs -> 'candidates') e
                              WHERE c.id = u.charge_id AND (e #>> '{programme,programme_version}')::bigint = u.programme_version_id),
                            (SELECT max(a.service_on) FROM billing_award a
                              WHERE a.charge_id = u.charge_id AND a.programme_version_id = u.programme_version_id)) AS used_on
              FROM used u LEFT JOIN billing_programmeversion p ON p.id = u.programme_version_id)
        SELECT format('voucher %s of organisation %s, good from %s to %s: used on %s by organisation %s for %s %s (posting %s)', number,
                      organisation_id, valid_from, valid_to, coalesce(used_on::text, 'no day'), customer_id, source_type, source_id, id)
          FROM counted
         WHERE customer_id IS DISTINCT FROM organisation_id OR used_under IS DISTINCT FROM programme_id
            OR (used_on BETWEEN valid_from AND valid_to) IS NOT TRUE""",
)

# Of every charge, version and region apart: what is too much of one charge must not make up for what is missing of another.
register_sql(
    "vouchers.homes_pay_what_was_drawn_on_theirs",
    counted="SELECT count(*) FROM billing_award WHERE payers @? '$[*] ? (@.payer starts with \"partner:\")'",
    violations="""
        WITH theirs AS (
            SELECT v.account_id, 'partner:' || p.platform_id AS payer
              FROM billing_voucher v JOIN billing_partnerregion p ON p.id = v.origin_id),
        said AS (
            SELECT w.charge_id, w.version_id, line ->> 'payer' AS payer, sum(w.sign * (line ->> 'amount_fen')::bigint) AS fen
              FROM (SELECT charge_id, programme_version_id AS version_id, payers, 1 AS sign FROM billing_award
                     UNION ALL
                    SELECT a.charge_id, a.programme_version_id, r.payers, -1
                      FROM billing_awardreversal r JOIN billing_award a ON a.id = r.award_id) w
             CROSS JOIN jsonb_array_elements(w.payers) line
             WHERE starts_with(line ->> 'payer', 'partner:')
             GROUP BY 1, 2, 3),
        drawn AS (
            SELECT m.charge_id, m.version_id, m.payer, sum(m.fen) AS fen
              FROM (SELECT o.payer, t.amount_fen AS fen, t.programme_version_id AS version_id,
                           coalesce((SELECT c.id FROM billing_charge c
                                      WHERE t.source_type = 'reservation' AND c.reservation_id = t.source_id),
                                    (SELECT c.id FROM billing_charge c
                                      WHERE t.source_type = 'sample_job' AND c.sample_job_id = t.source_id)) AS charge_id
                      FROM theirs o JOIN billing_transfer t ON t.debit_id = o.account_id AND t.kind = 'post'
                     UNION ALL
                    SELECT o.payer, -t.amount_fen, t.programme_version_id,
                           coalesce((SELECT l.charge_id FROM billing_creditnote n JOIN billing_billline l ON l.id = n.line_id
                                      WHERE t.source_type = 'credit_note' AND n.id = t.source_id),
                                    (SELECT a.charge_id FROM billing_awardreversal r JOIN billing_award a ON a.id = r.award_id
                                      WHERE t.source_type = 'award_reversal' AND r.id = t.source_id))
                      FROM theirs o JOIN billing_transfer t ON t.credit_id = o.account_id AND t.kind = 'refund') m
             GROUP BY 1, 2, 3)
        SELECT format('charge %s under version %s: %s pays %s fen, %s were drawn on its vouchers', coalesce(s.charge_id, d.charge_id),
                      coalesce(s.version_id, d.version_id), coalesce(s.payer, d.payer), coalesce(s.fen, 0), coalesce(d.fen, 0))
          FROM said s FULL JOIN drawn d
            ON d.charge_id = s.charge_id AND d.version_id = s.version_id AND d.payer = s.payer
         WHERE coalesce(s.fen, 0) <> coalesce(d.fen, 0)""",
)

register_sql(
    "counted.what_stands_was_promised_or_given",
    counted="SELECT count(*) FROM billing_counted WHERE ended_at IS NULL",
    violations="""
        SELECT format('counted %s stands for %s %s, which was promised and given nothing', m.id, m.source_type, m.source_id)
          FROM billing_counted m
         WHERE m.ended_at IS NULL
           AND NOT EXISTS (SELECT FROM billing_transfer h
                            WHERE h.kind = 'hold' AND h.programme_version_id = m.programme_version_id
                              AND (h.source_type, h.source_id) = (m.source_type, m.source_id)
                              AND NOT EXISTS (SELECT FROM billing_transfer e WHERE e.hold_id = h.id))
           AND NOT EXISTS (SELECT FROM billing_award a JOIN billing_charge c ON c.id = a.charge_id
                            WHERE a.programme_version_id = m.programme_version_id
                              AND m.source_id = CASE m.source_type WHEN 'reservation' THEN c.reservation_id ELSE c.sample_job_id END)""",
)

register_sql(
    "ledger.closed_accounts_are_empty",
    counted="SELECT count(*) FROM billing_account WHERE state = 'closed'",
    violations="""
        SELECT format('account %s is closed, holds %s fen and keeps %s fen that nothing passes on', key, held_fen,
                      granted_fen - held_fen - posted_fen)
          FROM billing_account
         WHERE state = 'closed' AND (held_fen <> 0 OR (limited AND programme_id IS NOT NULL AND ends_on IS NULL
               AND granted_fen > held_fen + posted_fen))""",
)

register_sql(
    "openings.were_posted",
    counted="SELECT count(*) FROM billing_openingbalance",
    violations="""
        SELECT format('opening balance %s of %s fen: posted %s fen, given back %s fen', o.id, o.amount_fen, coalesce(t.posted, 0),
                      coalesce(t.back, 0))
          FROM billing_openingbalance o LEFT JOIN billing_openingreversal r ON r.balance_id = o.id LEFT JOIN LATERAL (
               SELECT sum(amount_fen) FILTER (WHERE kind = 'post' AND debit_id = o.account_id) AS posted,
                      sum(amount_fen) FILTER (WHERE kind = 'refund' AND credit_id = o.account_id) AS back
                 FROM billing_transfer WHERE source_type = 'opening_balance' AND source_id = o.id) t ON true
         WHERE o.amount_fen IS DISTINCT FROM t.posted
            OR CASE WHEN r.id IS NULL THEN 0 ELSE o.amount_fen END <> coalesce(t.back, 0)""",
)

register_sql(
    "ledger.never_overspent",
    counted="SELECT count(*) FROM billing_account WHERE limited",
    violations="""
        SELECT format('account %s: granted %s, held %s, posted %s', key, granted_fen, held_fen, posted_fen)
          FROM billing_account
         WHERE limited AND (granted_fen < held_fen + posted_fen OR least(granted_fen, held_fen, posted_fen) < 0)""",
)

register_sql(
    "ledger.holds_end_once",
    counted="SELECT count(*) FROM billing_transfer WHERE kind = 'hold'",
    violations="""
        SELECT format('hold %s of %s fen has %s ends, together %s fen', h.id, h.amount_fen, count(*), sum(e.amount_fen))
          FROM billing_transfer h JOIN billing_transfer e ON e.hold_id = h.id
         GROUP BY h.id, h.amount_fen, h.kind, h.debit_id, h.credit_id
        HAVING count(*) > 1 OR sum(e.amount_fen) > h.amount_fen OR h.kind <> 'hold'
            OR bool_or(e.debit_id <> h.debit_id OR e.credit_id <> h.credit_id)""",
)

register_sql(
    "ledger.no_forgotten_hold",
    counted="""
        SELECT count(*) FROM billing_transfer h
         WHERE kind = 'hold' AND NOT EXISTS (SELECT 1 FROM billing_transfer e WHERE e.hold_id = h.id)""",
    violations="""
        SELECT format('hold %s of %s fen is open and reservation %s is "%s"', h.id, h.amount_fen, h.source_id,
                      coalesce(r.state, 'gone'))
          FROM billing_transfer h JOIN billing_account a ON a.id = h.debit_id LEFT JOIN booking_reservation r ON r.id = h.source_id
         WHERE h.kind = 'hold' AND h.source_type = 'reservation'
           AND NOT EXISTS (SELECT 1 FROM billing_transfer e WHERE e.hold_id = h.id)
           AND NOT (a.kind IN ('fund_card', 'prepaid', 'spending_limit') AND r.id IS NOT NULL AND r.state = 'requested')
           AND (r.id IS NULL OR r.state NOT IN ('approved', 'in_use', 'completed', 'adjusting', 'adjustment_refused', 'disputed'))""",
)

register_sql(
    "cards.every_card_has_an_account",
    counted="SELECT count(*) FROM instruments_fundcard",
    violations="""
        SELECT format('fund card %s has no account', c.id) FROM instruments_fundcard c
         WHERE NOT EXISTS (SELECT FROM billing_account a WHERE a.key = format('fund_card:%s', c.id))""",
)

register_sql(
    "cards.a_booking_is_held_on_its_own_card",
    counted="""
        SELECT count(*) FROM billing_transfer h JOIN billing_account a ON a.id = h.debit_id
         WHERE a.kind = 'fund_card' AND h.kind = 'hold' AND NOT EXISTS (SELECT FROM billing_transfer e WHERE e.hold_id = h.id)""",
    violations="""
        SELECT format('hold %s on %s is for %s %s, which is on card %s', h.id, a.key, h.source_type, h.source_id,
                      coalesce(r.fund_card_id, j.fund_card_id))
          FROM billing_transfer h JOIN billing_account a ON a.id = h.debit_id
          LEFT JOIN booking_reservation r ON r.id = h.source_id AND h.source_type = 'reservation'
          LEFT JOIN booking_samplejob j ON j.id = h.source_id AND h.source_type = 'sample_job'
         WHERE a.kind = 'fund_card' AND h.kind = 'hold' AND NOT EXISTS (SELECT FROM billing_transfer e WHERE e.hold_id = h.id)
           AND a.key IS DISTINCT FROM format('fund_card:%s', coalesce(r.fund_card_id, j.fund_card_id))""",
)

register_sql(
    "cards.slips_have_no_gap",
    counted="SELECT count(*) FROM billing_internalslip",
    violations=r"""
        WITH numbered AS (
            SELECT format('NB/%s/%s', organisation_id, split_part(number, '-', 2)) AS series, split_part(number, '-', 3)::bigint AS place
              FROM billing_internalslip),
        given AS (SELECT key AS series, last FROM billing_numberseries WHERE key LIKE 'NB/%')
        SELECT format('series %s: last number given %s; %s slips up to %s', series, given.last, count(place), max(place))
          FROM numbered FULL JOIN given USING (series)
         GROUP BY series, given.last
        HAVING count(place) IS DISTINCT FROM given.last OR max(place) IS DISTINCT FROM given.last""",
)

register_sql(
    "cards.a_slip_says_what_was_charged",
    counted="SELECT count(*) FROM billing_internalslip",
    violations="""
        SELECT format('slip %s: %s (card %s), charged %s (%s)', s.number, s.total_fen, s.covered_fen,
                      coalesce(c.payable_now_fen, f.payable_now_fen, -r.amount_fen), coalesce(f.covered_fen, -r.returned_fen))
          FROM billing_internalslip s LEFT JOIN billing_charge c ON c.id = s.charge_id
          LEFT JOIN billing_bookingfee f ON f.id = s.fee_id LEFT JOIN billing_feerelief r ON r.id = s.relief_id
         WHERE s.total_fen IS DISTINCT FROM coalesce(c.payable_now_fen, f.payable_now_fen, -r.amount_fen)
            OR (s.charge_id IS NULL AND s.covered_fen IS DISTINCT FROM coalesce(f.covered_fen, -r.returned_fen))""",
)

register_sql(
    "settlement.every_agreed_session_has_one_charge",
    counted="SELECT count(*) FROM booking_usagesession WHERE agreed_at IS NOT NULL",
    violations="""
        SELECT format('reservation %s: %s', coalesce(s.reservation_id, c.reservation_id),
                      CASE WHEN c.id IS NULL THEN 'agreed and not charged' ELSE 'charged and not agreed' END)
          FROM (SELECT * FROM booking_usagesession WHERE agreed_at IS NOT NULL) s
          FULL JOIN (SELECT * FROM billing_charge WHERE reservation_id IS NOT NULL) c ON c.reservation_id = s.reservation_id
         WHERE s.id IS NULL OR c.id IS NULL
         UNION ALL
        SELECT format('reservation %s is charged %s times', reservation_id, count(*))
          FROM billing_charge WHERE reservation_id IS NOT NULL GROUP BY reservation_id HAVING count(*) > 1""",
)

register_sql(
    "settlement.every_closed_sample_job_has_one_charge",
    counted="SELECT count(*) FROM booking_samplejob WHERE state = 'closed'",
    violations="""
        SELECT format('sample job %s: %s', coalesce(j.id, c.sample_job_id),
                      CASE WHEN c.id IS NULL THEN 'closed and not charged' ELSE 'charged and not closed' END)
          FROM (SELECT * FROM booking_samplejob WHERE state = 'closed') j
          FULL JOIN (SELECT * FROM billing_charge WHERE sample_job_id IS NOT NULL) c ON c.sample_job_id = j.id
         WHERE j.id IS NULL OR c.id IS NULL""",
)

register_sql(
    "settlement.sample_jobs_charge_what_was_agreed",
    counted="SELECT count(*) FROM billing_charge WHERE sample_job_id IS NOT NULL",
    violations="""
        SELECT format('sample job %s: charged %s fen beyond the price, agreed %s', c.sample_job_id, x.charged, x.agreed)
          FROM billing_charge c CROSS JOIN LATERAL (
               SELECT (SELECT coalesce(sum((e ->> 'amount_fen')::bigint), 0) FROM jsonb_array_elements(c.inputs -> 'extras') e) AS charged,
                      (SELECT coalesce(sum(amount_fen), 0) FROM booking_sampleextra
                        WHERE job_id = c.sample_job_id AND state = 'agreed') AS agreed) x
         WHERE c.sample_job_id IS NOT NULL AND x.charged <> x.agreed""",
)

register_sql(
    "ledger.sample_jobs_hold_while_they_run",
    counted="SELECT count(*) FROM billing_transfer WHERE kind = 'hold' AND source_type = 'sample_job'",
    violations=f"""
        SELECT format('hold %s of %s fen is open and sample job %s is "%s"', h.id, h.amount_fen, h.source_id, coalesce(j.state, 'gone'))
          FROM billing_transfer h JOIN billing_account a ON a.id = h.debit_id LEFT JOIN booking_samplejob j ON j.id = h.source_id
         WHERE h.kind = 'hold' AND h.source_type = 'sample_job'
           AND NOT EXISTS (SELECT FROM billing_transfer e WHERE e.hold_id = h.id)
           AND NOT (a.kind IN ('fund_card', 'prepaid', 'spending_limit') AND j.id IS NOT NULL AND j.state = 'asked')
           AND (j.id IS NULL OR NOT j.state = ANY(ARRAY[{", ".join(repr(each.value) for each in sorted(HOLDING))}]))""",  # noqa: S608
)

register_sql(
    "fees.only_for_time_that_was_left",
    counted="SELECT count(*) FROM billing_bookingfee",
    violations="""
        SELECT format('fee %s (%s) is for reservation %s, which is "%s"', f.id, f.kind, r.id, r.state)
          FROM billing_bookingfee f JOIN booking_reservation r ON r.id = f.reservation_id
         WHERE NOT (f.kind = 'late_cancel' AND r.state = 'cancelled' OR f.kind = 'no_show' AND r.state = 'no_show')
           AND NOT EXISTS (SELECT FROM billing_feerelief w WHERE w.fee_id = f.id AND w.cause = 'came_late' AND w.used_by_id = r.id)
           AND f.gross_fen > (SELECT coalesce(sum(w.amount_fen), 0) FROM billing_feerelief w WHERE w.fee_id = f.id)""",
)

register_sql(
    "fees.waived_by_somebody_else",
    counted="SELECT count(*) FROM billing_feerelief WHERE cause = 'waived'",
    violations="""
        SELECT format('fee %s was waived by relief %s: not in the audit trail, or by who asked for the booking', f.id, w.id)
          FROM billing_feerelief w JOIN billing_bookingfee f ON f.id = w.fee_id JOIN booking_reservation r ON r.id = f.reservation_id
         WHERE w.cause = 'waived'
           AND NOT EXISTS (SELECT FROM kernel_auditentry a
                            WHERE a.action = 'fee.waive' AND a.object_id = w.id::text AND a.actor_id IS NOT NULL
                              AND a.actor_id <> r.requested_by_id AND a.actor_id IS DISTINCT FROM r.booked_by_id)""",
)

register_sql(
    "fees.never_more_falls_away_than_there_is",
    counted="SELECT count(*) FROM billing_feerelief",
    violations="""
        SELECT format('fee %s of %s fen (card %s): %s fell away, %s went back to the card', f.id, f.gross_fen, f.covered_fen,
                      sum(r.amount_fen), sum(r.returned_fen))
          FROM billing_bookingfee f JOIN billing_feerelief r ON r.fee_id = f.id
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(t.amount_fen), 0) AS fen FROM billing_transfer t
                WHERE t.kind = 'refund' AND t.reason = 'credit_note' AND t.source_type = 'reservation'
                  AND t.source_id = f.reservation_id) n
         GROUP BY f.id, f.gross_fen, f.covered_fen, n.fen
        HAVING sum(r.amount_fen) > f.gross_fen OR sum(r.returned_fen) + n.fen > f.covered_fen
            OR f.covered_fen - sum(r.returned_fen) - n.fen > f.gross_fen - sum(r.amount_fen)""",
)

register_sql(
    "fees.what_falls_away_was_used",
    counted="SELECT count(*) FROM billing_feerelief WHERE cause = 'taken_again'",
    violations="""
        SELECT format('relief %s of fee %s: reservation %s did not use the time', r.id, r.fee_id, r.used_by_id)
          FROM billing_feerelief r JOIN billing_bookingfee f ON f.id = r.fee_id
          LEFT JOIN booking_usagesession s ON s.reservation_id = r.used_by_id
         WHERE r.cause = 'taken_again'
           AND (s.agreed_at IS NULL OR NOT (s.billable_starts_at < f.ends_at AND f.starts_at < s.billable_ends_at)) IS NOT FALSE""",
)

register_sql(
    "fees.cards_paid_and_got_back_what_fees_say",
    counted="SELECT count(*) FROM billing_bookingfee WHERE covered_fen > 0",
    violations="""
        SELECT format('fee %s: the card paid %s and got back %s; its transfers say %s and %s', f.id, f.covered_fen,
                      coalesce(back.fen, 0), coalesce(moved.paid, 0), coalesce(moved.back, 0))
          FROM billing_bookingfee f
          LEFT JOIN LATERAL (SELECT sum(returned_fen) AS fen FROM billing_feerelief r WHERE r.fee_id = f.id) back ON true
          LEFT JOIN LATERAL (
               SELECT sum(t.amount_fen) FILTER (WHERE t.kind = 'post' AND t.reason IN ('cancel', 'mark_no_show')) AS paid,
                      sum(t.amount_fen) FILTER (WHERE t.kind = 'refund' AND t.reason <> 'credit_note') AS back
                 FROM billing_transfer t JOIN billing_account a ON a.id IN (t.debit_id, t.credit_id) AND a.kind = 'fund_card'
                WHERE t.source_type = 'reservation' AND t.source_id = f.reservation_id) moved ON true
         WHERE (f.covered_fen, coalesce(back.fen, 0)) <> (coalesce(moved.paid, 0), coalesce(moved.back, 0))""",
)

for _table in ("charge", "quote", "bookingfee"):
    register_sql(
        f"settlement.{_table}s_add_up",
        counted=f"SELECT count(*) FROM billing_{_table}",  # noqa: S608  (our own table names)
        violations=f"""
            SELECT format('{_table} %s: gross %s, deducted %s, refunded %s, payable now %s, final cost %s',
                          id, gross_fen, deducted_fen, refunded_fen, payable_now_fen, final_cost_fen)
              FROM billing_{_table}
             WHERE payable_now_fen <> gross_fen - deducted_fen OR final_cost_fen <> payable_now_fen - refunded_fen
                OR least(gross_fen, deducted_fen, refunded_fen, final_cost_fen) < 0""",  # noqa: S608
    )

register_sql(
    "settlement.awards_are_the_charges_subsidy",
    counted="SELECT count(*) FROM billing_charge",
    violations="""
        SELECT format('charge %s: deducted %s and refunded %s; its awards say %s and %s', c.id, c.deducted_fen, c.refunded_fen,
                      a.deducted, a.refunded)
          FROM billing_charge c CROSS JOIN LATERAL (
               SELECT coalesce(sum(total_fen) FILTER (WHERE mode = 'deducted_now'), 0) AS deducted,
                      coalesce(sum(total_fen) FILTER (WHERE mode = 'refunded_later'), 0) AS refunded,
                      coalesce(sum(total_fen) FILTER (WHERE mode <> 'paid_beside'), 0) AS total
                 FROM billing_award WHERE charge_id = c.id) a
         WHERE (c.deducted_fen, c.refunded_fen) <> (a.deducted, a.refunded) OR a.total <> a.deducted + a.refunded""",
)

register_sql(
    "settlement.payers_share_the_whole_award",
    counted="SELECT count(*) FROM billing_award",
    violations="""
        SELECT format('award %s of %s fen: its payers give %s', a.id, a.total_fen, p.total)
          FROM billing_award a CROSS JOIN LATERAL (
               SELECT coalesce(sum((line ->> 'amount_fen')::bigint), 0) AS total FROM jsonb_array_elements(a.payers) line) p
         WHERE p.total <> a.total_fen""",
)

register_sql(
    "settlement.awards_stay_with_their_parties",
    counted="SELECT count(*) FROM billing_award",
    violations="""
        WITH parties AS (
            SELECT c.id AS charge_id, r.organisation_id AS customer, i.organisation_id AS owner
              FROM billing_charge c JOIN booking_reservation r ON r.id = c.reservation_id
              JOIN instruments_instrument i ON i.id = r.instrument_id
             UNION ALL
            SELECT c.id, j.organisation_id, j.lab_id FROM billing_charge c JOIN booking_samplejob j ON j.id = c.sample_job_id)
        SELECT format('award %s (%s) goes to organisation %s; customer %s, owner %s', a.id, a.mode, a.payee_id, p.customer, p.owner)
          FROM billing_award a LEFT JOIN parties p USING (charge_id)
         WHERE p.charge_id IS NULL OR a.payee_id NOT IN (p.customer, p.owner)
            OR (a.mode IN ('deducted_now', 'paid_beside') AND a.payee_id <> p.owner)""",
)

#: Of the statement's month, or late: of a month that was closed before it was issued, or postponed to it.
OF_ITS_MONTH = """
    date_trunc('month', a.service_on)::date = s.period_on
    OR a.service_on < s.period_on AND (
       EXISTS (SELECT 1 FROM billing_programmeversion v JOIN billing_programme m ON m.id = v.programme_id
                 JOIN billing_closedperiod p ON p.series = 'statements' || coalesce(':' || m.issuer_id, '')
                WHERE v.id = s.programme_version_id AND p.closed_at <= s.issued_at
                  AND a.service_on < p.period_on + interval '1 month')
       OR EXISTS (SELECT 1 FROM billing_heldback h WHERE h.award_id = a.id AND h.until_on <= s.period_on))"""

register_sql(
    "settlement.statements_are_their_lines",
    counted="SELECT count(*) FROM billing_statement",
    violations=f"""
        SELECT format('statement %s: %s fen on %s lines; its awards say %s on %s, %s of them of another payee, version or month',
                      s.number, s.total_fen, s.line_count, l.total, l.lines, l.foreign_lines)
          FROM billing_statement s CROSS JOIN LATERAL (
               SELECT coalesce(sum(a.total_fen - (SELECT coalesce(sum(v.amount_fen), 0) FROM billing_awardreversal v
                                                   WHERE v.award_id = a.id AND NOT v.claimed)), 0) AS total, count(*) AS lines,
                      count(*) FILTER (WHERE a.payee_id <> s.payee_id OR a.programme_version_id <> s.programme_version_id
                                          OR NOT ({OF_ITS_MONTH})) AS foreign_lines
                 FROM billing_statementline line JOIN billing_award a ON a.id = line.award_id WHERE line.statement_id = s.id) l
         WHERE (s.total_fen, s.line_count) <> (l.total, l.lines) OR l.foreign_lines > 0""",  # noqa: S608  (a constant of ours)
)

register_sql(
    "settlement.numbers_have_no_gap",
    counted="SELECT count(*) FROM billing_statement",
    violations=r"""
        WITH numbered AS (
            SELECT regexp_replace(number, '\d+$', '') AS series, substring(number FROM '(\d+)$')::bigint AS place
              FROM billing_statement),
        given AS (
            SELECT split_part(key, '/', 1) || '-' || split_part(key, '/', 2) || '-' AS series, last
              FROM billing_numberseries WHERE key LIKE '%/S')
        SELECT format('series %s: last number given %s; %s statements, numbered %s to %s', series,
                      given.last, count(place), min(place), max(place))
          FROM numbered FULL JOIN given USING (series)
         GROUP BY series, given.last
        HAVING count(place) IS DISTINCT FROM given.last OR min(place) <> 1 OR max(place) <> given.last
            OR count(DISTINCT place) <> count(place)""",
)

register_sql(
    "settlement.rendered_statements_have_both_files",
    counted="SELECT count(*) FROM billing_statement WHERE render_state = 'done'",
    violations="""
        SELECT format('statement %s is rendered and lacks a file', number)
          FROM billing_statement WHERE render_state = 'done' AND (pdf_id IS NULL OR xlsx_id IS NULL)""",
)

#: Everything that is numbered in a series of a year: table, whose series it is, when the number was given. Local days of the platform.
_IN_ORDER = (
    ("bill", "owner_id", "issued_at"),
    ("creditnote", "owner_id", "issued_at"),
    ("receipt", "owner_id", "issued_at"),
    ("accountstatement", "owner_id", "issued_at"),
    ("internalslip", "organisation_id", "issued_at"),
    ("statement", "0", "issued_at"),
    ("quotation", "0", "sent_at"),
    ("commissionsheet", "0", "issued_at"),
    ("claimbatch", "0", "opened_at"),
    ("claim", "0", "created_at"),
    ("paymentlist", "0", "issued_at"),
    ("clawback", "0", "issued_at"),
    ("rechecksample", "0", "drawn_at"),
)
_NUMBERED = " UNION ALL ".join(
    f"SELECT '{table}' AS of, {whose} AS whose, number, {at} AS at FROM billing_{table} WHERE number IS NOT NULL"  # noqa: S608
    for table, whose, at in _IN_ORDER
)
# A run keeps the moment at which it began for all that it issues: what others number meanwhile bears a later one, at most by so much.
_OF_A_RUN = "interval '1 hour'"
register_sql(
    "papers.dates_follow_numbers",
    counted=f"SELECT count(*) FROM ({_NUMBERED}) n",  # noqa: S608  (our own tables)
    violations=rf"""
        WITH placed AS (
            SELECT of, whose, number, at, lag(at) OVER series AS at_before, lag(number) OVER series AS number_before
              FROM ({_NUMBERED}) n
            WINDOW series AS (PARTITION BY of, whose, regexp_replace(number, '\d+$', '')
                              ORDER BY substring(number FROM '(\d+)$')::bigint))
        SELECT format('%s %s of %s is of %s, and %s before it of %s', of, number, whose, at, number_before, at_before)
          FROM placed WHERE at < at_before - {_OF_A_RUN}""",  # noqa: S608  (our own tables)
)
