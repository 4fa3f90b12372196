"""What lies behind the lines of a statement: the customer's bill with its invoices and receipts and what was paid of it, the commission,
the reports, and the days on which the award was public. A receipt stands here where it names the bill: one payment may pay bills of several
customers. Files by their SHA-256, so that the copies on file are the ones that were meant.

Read from this app's tables by hand: bills, claims and commissions know settlements, not the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from config.kernel.statements import planned_once

Papers = dict[str, Any]

_PAPERS = """
WITH asked AS (
    SELECT w.id AS award, w.charge_id AS charge, c.reservation_id AS reservation, c.sample_job_id AS job, l.bill_id AS bill
      FROM billing_award w JOIN billing_charge c ON c.id = w.charge_id
      LEFT JOIN billing_billline l ON l.charge_id = w.charge_id AND NOT l.voided
     WHERE w.id = ANY(%(awards)s)
), bills AS (
    SELECT b.id, jsonb_build_object(
             'number', b.number,
             'reference', b.reference,
             'sha256', b.content_sha256,
             'total_fen', b.total_fen - (SELECT coalesce(sum(n.total_fen), 0) FROM billing_creditnote n WHERE n.bill_id = b.id),
             'paid_fen', (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.bill_id = b.id)) AS bill,
           (SELECT jsonb_agg(jsonb_build_object('number', v.code || v.number, 'issued_on', v.issued_on, 'sha256', coalesce(f.sha256, ''))
                             ORDER BY v.id)
              FROM billing_vatinvoice v LEFT JOIN kernel_storedfile f ON f.id = v.file_id
             WHERE v.bill_id = b.id AND v.reverses_id IS NULL AND v.total_fen + (
                   SELECT coalesce(sum(r.total_fen), 0) FROM billing_vatinvoice r WHERE r.reverses_id = v.id) > 0) AS invoices,
           (SELECT jsonb_agg(jsonb_build_object('number', r.number, 'sha256', r.content_sha256) ORDER BY r.number)
              FROM billing_receipt r
             WHERE r.owner_id = b.owner_id AND r.customer_id = b.customer_id
               AND r.content -> 'lines' @> jsonb_build_array(jsonb_build_object('number', b.number))
               AND r.payment_id IN (SELECT a.payment_id FROM billing_allocation a WHERE a.bill_id = b.id
                                     GROUP BY a.payment_id HAVING sum(a.amount_fen) > 0)) AS receipts
      FROM billing_bill b WHERE b.id IN (SELECT bill FROM asked)
), public AS (
    SELECT k.award_id AS award, jsonb_build_object(
             'from_on', p.from_on, 'until_on', p.until_on, 'over', p.closed_at IS NOT NULL,
             'objections', (SELECT count(*) FROM billing_objection o WHERE o.publicity_id = p.id AND o.claim_id = m.id),
             'upheld', (SELECT count(*) FROM billing_objection o WHERE o.publicity_id = p.id AND o.claim_id = m.id AND o.upheld)) AS days
      FROM billing_claimline k JOIN billing_claim m ON m.id = k.claim_id JOIN billing_publicity p ON p.id = m.publicity_id
     WHERE k.award_id = ANY(%(awards)s) AND k.kind = 'award' AND k.standing = 'included'
)
SELECT asked.award, jsonb_strip_nulls(jsonb_build_object(
         'bill', bills.bill, 'invoices', bills.invoices, 'receipts', bills.receipts,
         'commission', (SELECT jsonb_build_object('number', s.number, 'sha256', s.content_sha256)
                          FROM billing_commissionsheet s
                         WHERE s.in_force_at IS NOT NULL AND s.id IN (
                               SELECT r.sheet_id FROM billing_commissionreservation r WHERE r.reservation_id = asked.reservation
                               UNION SELECT j.sheet_id FROM billing_commissionsamplejob j WHERE j.sample_job_id = asked.job)),
         'reports', (SELECT jsonb_agg(f.sha256 ORDER BY r.position)
                       FROM booking_samplereport r JOIN kernel_storedfile f ON f.id = r.file_id WHERE r.job_id = asked.job),
         'publicity', public.days))::text
  FROM asked LEFT JOIN bills ON bills.id = asked.bill LEFT JOIN public USING (award)
"""


def papers_of(award_ids: Iterable[int]) -> dict[int, Papers]:
    """The papers behind awards, by award; what is not there is left out. Amounts in fen, days as ISO texts. One query."""
    with planned_once() as cursor:
        cursor.execute(_PAPERS, {"awards": list(award_ids)})
        return {award: json.loads(found) for award, found in cursor.fetchall()}
