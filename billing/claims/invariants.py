"""What is always true of claims, payment lists and claw-backs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from billing.claims import account
from billing.claims.declared import is_as_worked_out
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.models import Clawback
from billing.claims.recheck_models import RecheckItem, RecheckSample
from billing.claims.recheck_queries import is_as_drawn
from billing.claims.rules.states import PART_OF, TABLE, Part, kept_from_list
from billing.ledger.books import Period
from billing.receipts.models import AccountStatement
from billing.receipts.rules.content import Line
from billing.settlement.numbered import numbers_have_no_gap, rendered_have_both_files
from config.kernel.invariants import Finding, register, register_sql

_EVER = datetime.max.replace(tzinfo=UTC)
register_sql(
    "claims.are_their_lines",
    counted="SELECT count(*) FROM billing_claim",
    violations="""
        SELECT format('claim %s says %s fen; its lines say %s', c.number, c.total_fen, l.fen)
          FROM billing_claim c CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_claimline WHERE claim_id = c.id AND standing = 'included') l
         WHERE c.total_fen <> l.fen""",
)

register_sql(
    "claims.lines_are_their_awards",
    counted="SELECT count(*) FROM billing_claimline WHERE standing <> 'replaced'",
    violations="""
        SELECT format('line %s of claim %s (%s): %s fen, award %s of %s fen, payers %s', l.position, l.claim_id, l.kind, l.amount_fen,
                      a.id, a.total_fen, p.fen)
          FROM billing_claimline l JOIN billing_award a ON a.id = l.award_id
          JOIN billing_claim c ON c.id = l.claim_id JOIN billing_claimbatch b ON b.id = c.batch_id
          JOIN billing_programmeversion v ON v.id = a.programme_version_id
          CROSS JOIN LATERAL (
               SELECT coalesce(sum((line ->> 'amount_fen')::bigint), 0) AS fen FROM jsonb_array_elements(l.payers) line) p
         WHERE l.standing <> 'replaced'
           AND (p.fen <> l.amount_fen OR a.payee_id <> c.payee_id OR v.programme_id <> b.programme_id
                OR l.kind = 'award' AND (l.amount_fen + l.credited_fen <> a.total_fen OR a.mode <> b.mode))""",
)

register_sql(
    "claims.an_award_is_claimed_once",
    counted="SELECT count(*) FROM billing_claimline WHERE kind = 'award' AND standing IN ('included', 'excluded')",
    violations="""
        SELECT format('award %s stands on %s claims', award_id, count(*))
          FROM billing_claimline WHERE kind = 'award' AND standing IN ('included', 'excluded')
         GROUP BY award_id HAVING count(*) > 1""",
)

register_sql(
    "claims.history_leads_to_the_state",
    counted="SELECT count(*) FROM billing_claim",
    violations="""
        SELECT format('claim %s is %s after %s steps; its history ends with %s after %s', c.number, c.state, c.step_count,
                      coalesce(s.to_state, 'nothing'), coalesce(s.position, 0))
          FROM billing_claim c LEFT JOIN LATERAL (
               SELECT to_state, position FROM billing_claimstep WHERE claim_id = c.id ORDER BY position DESC LIMIT 1) s ON true
         WHERE (c.state, c.step_count) IS DISTINCT FROM (coalesce(s.to_state, 'draft'), coalesce(s.position, 0))
         UNION ALL
        SELECT format('step %s of claim %s begins with %s where the one before ended with %s', s.position, s.claim_id, s.from_state,
                      coalesce(b.to_state, 'draft'))
          FROM billing_claimstep s LEFT JOIN billing_claimstep b ON b.claim_id = s.claim_id AND b.position = s.position - 1
         WHERE s.from_state <> coalesce(b.to_state, 'draft')""",
)

_ALLOWED = ", ".join(
    f"('{state.value}', '{event.value}', '{to.value}')" for (state, event), found in sorted(TABLE.items()) for to in found
)
register_sql(
    "claims.steps_are_of_the_table",
    counted="SELECT count(*) FROM billing_claimstep",
    violations=f"""
        SELECT format('step %s of claim %s: %s from %s to %s', position, claim_id, event, from_state, to_state)
          FROM billing_claimstep WHERE (from_state, event, to_state) NOT IN ({_ALLOWED})""",  # noqa: S608  (codes of our own)
)

_PARTS = " ".join(f"WHEN '{event.value}' THEN '{part.value}'" for event, part in sorted(PART_OF.items()))
_BEFORE_APPROVAL = ", ".join(f"'{event.value}'" for event in sorted(kept_from_list(Part.APPROVER)))
# Claims from before it was written down who filled them had lists that anybody else might approve.
register_sql(
    "claims.three_people",
    counted="SELECT count(*) FROM billing_claim WHERE state NOT IN ('draft', 'withdrawn')",
    violations=f"""
        SELECT format('person %s is %s of claim %s', actor_id, string_agg(DISTINCT part, ' and '), claim_id)
          FROM (SELECT s.claim_id, who.actor_id, CASE s.event {_PARTS} END AS part FROM billing_claimstep s
                  CROSS JOIN LATERAL (VALUES (s.actor_id), (s.behalf_id)) who (actor_id) WHERE who.actor_id IS NOT NULL) p
         WHERE part IS NOT NULL GROUP BY claim_id, actor_id HAVING count(DISTINCT part) > 1
         UNION ALL
        SELECT format('payment list %s has not three people', number) FROM billing_paymentlist
         WHERE reviewed_by_id = issued_by_id OR approved_by_id IN (issued_by_id, reviewed_by_id)
            OR approved_by_id IS NOT NULL AND reviewed_by_id IS NULL
         UNION ALL
        SELECT format('payment list %s is approved by person %s, who had a part in claim %s on it', p.number, p.approved_by_id, s.claim_id)
          FROM billing_paymentlist p JOIN billing_paymentline l ON l.payment_list_id = p.id
          JOIN billing_claimstep s ON s.claim_id = l.claim_id AND s.event IN ({_BEFORE_APPROVAL})
         WHERE (p.approved_by_id IN (s.actor_id, s.behalf_id) OR p.approved_for_id IN (s.actor_id, s.behalf_id))
           AND EXISTS (SELECT FROM billing_claimstep f WHERE f.claim_id = s.claim_id AND f.event = 'fill')""",  # noqa: S608
)

register_sql(
    "claims.payment_lists_are_their_lines",
    counted="SELECT count(*) FROM billing_paymentlist",
    violations="""
        SELECT format('payment list %s: %s fen on %s lines; its lines say %s on %s, its content %s', p.number, p.total_fen, p.line_count,
                      l.fen, l.lines, p.content #>> '{totals,total_fen}')
          FROM billing_paymentlist p CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS fen, count(*) AS lines FROM billing_paymentline WHERE payment_list_id = p.id) l
         WHERE (p.total_fen, p.line_count) <> (l.fen, l.lines)
            OR p.payer <> coalesce(p.content ->> 'payer', '')
            OR (p.content #>> '{totals,total_fen}')::bigint IS DISTINCT FROM p.total_fen""",
)

register_sql(
    "claims.never_paid_beyond_the_claim",
    counted="SELECT count(*) FROM billing_paymentline",
    violations="""
        SELECT format('claim %s over %s fen: %s fen on lists or paid', c.number, c.total_fen, l.fen)
          FROM billing_claim c CROSS JOIN LATERAL (
               SELECT coalesce(sum(coalesce(p.paid_fen, l.amount_fen)), 0) AS fen
                 FROM billing_paymentline l JOIN billing_paymentlist t ON t.id = l.payment_list_id
                 LEFT JOIN billing_payout p ON p.line_id = l.id WHERE l.claim_id = c.id AND t.cancelled_at IS NULL) l
         WHERE l.fen > c.total_fen
         UNION ALL
        SELECT format('payment list %s is cancelled, and %s fen of it were paid', t.number, sum(p.paid_fen))
          FROM billing_paymentlist t JOIN billing_paymentline l ON l.payment_list_id = t.id JOIN billing_payout p ON p.line_id = l.id
         WHERE t.cancelled_at IS NOT NULL GROUP BY t.number""",
)

register_sql(
    "claims.the_ledger_says_what_is_owed",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'subsidy_due'",
    violations="""
        WITH owed AS (
            SELECT format('subsidy_due:%s:%s', b.programme_id, c.payee_id) AS key,
                   sum(c.total_fen) FILTER (WHERE c.state IN
                       ('approved', 'listed', 'paid', 'partly_paid', 'payment_failed', 'rechecked')) AS approved,
                   (SELECT coalesce(sum(o.paid_fen), 0) FROM billing_payout o JOIN billing_paymentline l ON l.id = o.line_id
                      JOIN billing_claim k ON k.id = l.claim_id JOIN billing_claimbatch t ON t.id = k.batch_id
                     WHERE k.payee_id = c.payee_id AND t.programme_id = b.programme_id) AS paid,
                   -- what came back goes in and out of the account, and once more where it was undone
                   (SELECT coalesce(sum(r.amount_fen * CASE WHEN r.ended_at IS NULL THEN 1 ELSE 2 END), 0) FROM billing_repayment r
                      JOIN billing_clawback w ON w.id = r.clawback_id
                     WHERE w.payee_id = c.payee_id AND w.programme_id = b.programme_id AND r.confirmed_at IS NOT NULL) AS back
              FROM billing_claim c JOIN billing_claimbatch b ON b.id = c.batch_id GROUP BY b.programme_id, c.payee_id),
        moved AS (
            SELECT a.key, coalesce(sum(t.amount_fen) FILTER (WHERE t.credit_id = a.id), 0) AS approved,
                   coalesce(sum(t.amount_fen) FILTER (WHERE t.debit_id = a.id), 0) AS paid
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.credit_id, t.debit_id)
             WHERE a.kind = 'subsidy_due' GROUP BY a.id, a.key)
        SELECT format('%s: claims approved %s, paid %s, come back %s; the ledger says %s and %s', coalesce(owed.key, moved.key),
                      owed.approved, owed.paid, owed.back, moved.approved, moved.paid)
          FROM owed FULL JOIN moved USING (key)
         WHERE (coalesce(owed.approved, 0) + coalesce(owed.back, 0), coalesce(owed.paid, 0) + coalesce(owed.back, 0))
               <> (coalesce(moved.approved, 0), coalesce(moved.paid, 0))""",
)

register_sql(
    "claims.each_payer_pays_its_share",
    counted="SELECT count(*) FROM billing_paymentline",
    violations="""
        WITH listed AS (
            SELECT l.claim_id, t.payer, sum(coalesce(p.paid_fen, l.amount_fen)) AS fen
              FROM billing_paymentline l JOIN billing_paymentlist t ON t.id = l.payment_list_id
              LEFT JOIN billing_payout p ON p.line_id = l.id
             WHERE t.cancelled_at IS NULL AND t.payer <> '' GROUP BY l.claim_id, t.payer)
        SELECT format('claim %s: %s fen on lists of %s or paid, its share is %s', listed.claim_id, listed.fen, listed.payer, s.fen)
          FROM listed CROSS JOIN LATERAL (
               SELECT coalesce(sum((part ->> 'amount_fen')::bigint), 0) AS fen
                 FROM billing_claimline k CROSS JOIN LATERAL jsonb_array_elements(k.payers) part
                WHERE k.claim_id = listed.claim_id AND k.standing = 'included' AND part ->> 'payer' = listed.payer) s
         WHERE listed.fen > s.fen""",
)

register_sql(
    "claims.the_ledger_says_what_each_payer_paid",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'subsidy_paid'",
    violations="""
        WITH paid AS (
            SELECT key, sum(fen) AS fen FROM (
                SELECT concat_ws(':', 'subsidy_paid', b.programme_id, nullif(t.payer, '')) AS key, o.paid_fen AS fen
                  FROM billing_payout o JOIN billing_paymentline l ON l.id = o.line_id
                  JOIN billing_paymentlist t ON t.id = l.payment_list_id JOIN billing_claimbatch b ON b.id = t.batch_id
                 UNION ALL
                SELECT concat_ws(':', 'subsidy_paid', w.programme_id, part ->> 'payer'), -(part ->> 'amount_fen')::bigint
                  FROM billing_repayment r JOIN billing_clawback w ON w.id = r.clawback_id
                 CROSS JOIN LATERAL jsonb_array_elements(r.payers) part
                 WHERE r.confirmed_at IS NOT NULL AND r.ended_at IS NULL) each GROUP BY key),
        moved AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.credit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.credit_id, t.debit_id)
             WHERE a.kind = 'subsidy_paid' GROUP BY a.id, a.key)
        SELECT format('%s: paid %s; the ledger says %s', coalesce(paid.key, moved.key), paid.fen, moved.fen)
          FROM paid FULL JOIN moved USING (key) WHERE coalesce(paid.fen, 0) <> coalesce(moved.fen, 0)""",
)

register_sql(
    "claims.clawbacks_within_themselves",
    counted="SELECT count(*) FROM billing_clawback",
    violations="""
        SELECT format('claw-back %s over %s fen, reversal %s: %s taken off claims, %s come back', k.number, k.total_fen, r.amount_fen,
                      l.fen, p.fen)
          FROM billing_clawback k JOIN billing_awardreversal r ON r.id = k.reversal_id
          CROSS JOIN LATERAL (
               SELECT coalesce(-sum(amount_fen), 0) AS fen FROM billing_claimline WHERE clawback_id = k.id AND standing = 'included') l
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_repayment WHERE clawback_id = k.id AND ended_at IS NULL) p
         WHERE l.fen + p.fen > k.total_fen OR k.total_fen <> r.amount_fen OR k.award_id <> r.award_id""",
)

register_sql(
    "claims.what_came_back_is_its_payers",
    counted="SELECT count(*) FROM billing_repayment",
    violations="""
        SELECT format('repayment %s of %s fen: its payers get %s, the ledger says %s', r.id, r.amount_fen, p.fen, t.fen)
          FROM billing_repayment r
          CROSS JOIN LATERAL (
               SELECT coalesce(sum((part ->> 'amount_fen')::bigint), 0) AS fen FROM jsonb_array_elements(r.payers) part) p
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(CASE WHEN d.kind = 'subsidy_paid' THEN amount_fen ELSE -amount_fen END), 0) AS fen
                 FROM billing_transfer m JOIN billing_account d ON d.id = m.debit_id JOIN billing_account c ON c.id = m.credit_id
                WHERE m.source_type = 'repayment' AND m.source_id = r.id AND 'subsidy_paid' IN (d.kind, c.kind)) t
         WHERE p.fen <> r.amount_fen
            OR t.fen <> CASE WHEN r.confirmed_at IS NOT NULL AND r.ended_at IS NULL THEN r.amount_fen ELSE 0 END""",
)

register_sql(
    "claims.no_more_is_used_than_came_too_much",
    counted="SELECT count(*) FROM billing_repayment WHERE received_fen > amount_fen",
    violations="""
        SELECT format('repayment %s: %s fen came too much; %s sent back, %s taken for other notices', r.id, r.received_fen - r.amount_fen,
                      f.fen, t.fen)
          FROM billing_repayment r
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_surplusrefund WHERE repayment_id = r.id AND ended_at IS NULL) f
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(received_fen), 0) AS fen FROM billing_repayment WHERE moved_from_id = r.id AND ended_at IS NULL) t
         WHERE f.fen + t.fen > CASE WHEN r.confirmed_at IS NOT NULL AND r.ended_at IS NULL THEN r.received_fen - r.amount_fen ELSE 0 END""",
)

register_sql(
    "claims.the_ledger_says_what_came_too_much",
    counted="SELECT count(*) FROM billing_account WHERE kind = 'surplus_owed'",
    violations="""
        WITH owed AS (
            SELECT format('surplus_owed:%s:%s', w.programme_id, w.payee_id) AS key,
                   sum(CASE WHEN r.moved_from_id IS NULL THEN r.received_fen - r.amount_fen ELSE -r.amount_fen END
                       - (SELECT coalesce(sum(f.amount_fen), 0) FROM billing_surplusrefund f
                           WHERE f.repayment_id = r.id AND f.confirmed_at IS NOT NULL AND f.ended_at IS NULL)) AS fen
              FROM billing_repayment r JOIN billing_clawback w ON w.id = r.clawback_id
             WHERE r.confirmed_at IS NOT NULL AND r.ended_at IS NULL GROUP BY w.programme_id, w.payee_id),
        moved AS (
            SELECT a.key, coalesce(sum(CASE WHEN t.credit_id = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0) AS fen
              FROM billing_account a LEFT JOIN billing_transfer t ON a.id IN (t.credit_id, t.debit_id)
             WHERE a.kind = 'surplus_owed' GROUP BY a.id, a.key)
        SELECT format('%s: %s fen are the payee''s; the ledger says %s', coalesce(owed.key, moved.key), owed.fen, moved.fen)
          FROM owed FULL JOIN moved USING (key) WHERE coalesce(owed.fen, 0) <> coalesce(moved.fen, 0)""",
)

_NUMBERED = (("PC", "claimbatch"), ("SQ", "claim"), ("BF", "paymentlist"), ("ZH", "clawback"), ("CY", "rechecksample"))
for _letters, _table in _NUMBERED:
    numbers_have_no_gap(f"claims.{_table}_numbers_have_no_gap", _letters, f"billing_{_table}", "'claims'")
for _table in ("claimsubmission", "paymentlist", "clawback"):
    rendered_have_both_files(f"claims.rendered_{_table}s_have_both_files", f"billing_{_table}")


register_sql(
    "claims.findings_are_answered_as_clawed_back",
    counted="SELECT count(*) FROM billing_recheckanswer",
    violations="""
        WITH answered AS (
            SELECT a.id, a.taken_fen, f.item_id, f.difference_fen, i.claim_id, c.number, a.answered_by_id, a.answered_for_id
              FROM billing_recheckanswer a JOIN billing_recheckfinding f ON f.id = a.finding_id
              JOIN billing_recheckitem i ON i.id = f.item_id JOIN billing_claim c ON c.id = i.claim_id)
        SELECT format('claim %s: %s fen come back by the answer to a finding, %s by its claw-backs', a.number, a.taken_fen,
                      coalesce(sum(k.total_fen), 0))
          FROM answered a LEFT JOIN billing_clawback k ON k.answer_id = a.id AND k.claim_id = a.claim_id AND k.cause = 'recheck'
         GROUP BY a.id, a.number, a.taken_fen HAVING a.taken_fen <> coalesce(sum(k.total_fen), 0)
        UNION ALL
        SELECT format('claim %s: %s fen come back of findings of at most %s', a.number, sum(a.taken_fen), max(a.difference_fen))
          FROM answered a GROUP BY a.claim_id, a.number HAVING sum(a.taken_fen) > max(a.difference_fen)
        UNION ALL
        SELECT format('claim %s: whoever found something of it answers it', a.number) FROM answered a
         WHERE EXISTS (SELECT FROM billing_recheckfinding f JOIN billing_recheckitem i ON i.id = f.item_id
                        WHERE i.claim_id = a.claim_id AND f.recorded_by_id IN (a.answered_by_id, a.answered_for_id))""",
)


def _samples_as_drawn() -> Finding:
    """What seed and kept claims draw is what the sample says."""
    wrong, count = [], 0
    for sample in RecheckSample.objects.order_by("pk").iterator(chunk_size=10):
        count += 1
        drawn = RecheckItem.objects.filter(sample=sample).order_by("position").values_list("claim_id", "amount_fen")
        if not is_as_drawn(sample, list(drawn)):
            wrong.append(f"sample {sample.number} is not what its seed draws")
    return Finding(count, tuple(wrong))


register("claims.samples_are_as_drawn", _samples_as_drawn)


def _declared_as_worked_out() -> Finding:
    """What was declared with claims comes to the same steps again, and what went back of the awards is what they say."""
    wrong, count = [], 0
    applied = ClaimDeclaration.objects.filter(applied_at__isnull=False).select_related(
        "claim", "reversal", "award__charge", "award__programme_version"
    )
    for row in applied.prefetch_related("award__reversals").order_by("pk").iterator(chunk_size=100):
        count += 1
        if not is_as_worked_out(row):
            wrong.append(f"claim {row.claim.number}, award {row.award_id}: what was declared comes to something else")
    return Finding(count, tuple(wrong))


register("claims.declared_as_worked_out", _declared_as_worked_out)


def _accounts_add_up() -> Finding:
    """What a payee owes by the movements of its account is what its notices, claims and money leave; and a statement of account says what
    had moved by then."""
    wrong = []
    notices = Clawback.objects.filter(programme__issuer__isnull=False).order_by()
    pairs = list(notices.values_list("programme__issuer", "payee").distinct())
    for office, payee in pairs:
        moved = account.moves(office, payee, _EVER)
        said, left = _sum(line for _at, line in moved), account.still_owed(office, payee)
        if said != left:
            wrong.append(f"payee {payee} owes office {office} {said} fen by its account, {left} by what is left of its notices")
        for paper in AccountStatement.objects.filter(owner=office, customer=payee).defer("content").iterator(chunk_size=100):
            ends_at = Period(None, paper.last_on).ends_at or _EVER
            by_then = _sum(line for at, line in moved if at < ends_at and at <= paper.issued_at)
            if paper.total_fen != by_then:
                wrong.append(f"statement of account {paper.number} says {paper.total_fen} fen; {by_then} had moved by then")
    return Finding(len(pairs), tuple(wrong))


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.debit_fen - line.credit_fen for line in lines)


register("claims.accounts_of_payees_add_up", _accounts_add_up)
