"""What the database itself refuses of bills and credit notes, whoever writes. Every guard locks the row that it counts on first."""

from __future__ import annotations

import pgtrigger


def insert(name: str, func: str) -> pgtrigger.Trigger:
    """A guard before a row is written."""
    return pgtrigger.Trigger(name=name, operation=pgtrigger.Insert, when=pgtrigger.Before, level=pgtrigger.Row, func=func)


def update(name: str, func: str) -> pgtrigger.Trigger:
    """A guard before a row is changed."""
    return pgtrigger.Trigger(name=name, operation=pgtrigger.Update, when=pgtrigger.Before, level=pgtrigger.Row, func=func)


def bill_is_its_lines(name: str, bill_id: str) -> pgtrigger.Trigger:
    """At the end of the transaction a bill is the sum of its lines; nobody adds one later. ``bill_id``: where its id stands."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        timing=pgtrigger.Deferred,
        func=f"""
            PERFORM 1 FROM billing_bill b
              WHERE b.id = {bill_id}
                AND (b.total_fen, b.line_count) = (
                    SELECT coalesce(sum(l.amount_fen), 0), count(*) FROM billing_billline l WHERE l.bill_id = b.id);
            IF NOT FOUND THEN
                RAISE EXCEPTION 'a bill is the sum of its lines' USING ERRCODE = '23514';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  (one of our own column names)
    )


#: What is written off of one bill is written one after the other.
WRITE_OFF_LOCKS = """
PERFORM 1 FROM billing_bill WHERE id = NEW.bill_id FOR NO KEY UPDATE;
RETURN NEW;
"""


def written_off_within(name: str) -> pgtrigger.Trigger:
    """At the end of the transaction what is written off of the bill (``NEW.bill_id``) is between nothing and what is left to pay of it."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        timing=pgtrigger.Deferred,
        func="""
            IF EXISTS (SELECT 1 FROM billing_writeoff w WHERE w.bill_id = NEW.bill_id) THEN
                PERFORM 1 FROM billing_bill b
                  CROSS JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM billing_writeoff w WHERE w.bill_id = b.id) given_up
                 WHERE b.id = NEW.bill_id AND given_up.fen BETWEEN 0 AND CASE
                       WHEN EXISTS (SELECT 1 FROM billing_billvoid v WHERE v.bill_id = b.id) THEN 0
                       ELSE b.total_fen
                            - (SELECT coalesce(sum(n.total_fen), 0) FROM billing_creditnote n WHERE n.bill_id = b.id)
                            - (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.bill_id = b.id) END;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'no more is written off than is left to pay' USING ERRCODE = '23514';
                END IF;
            END IF;
            RETURN NULL;
        """,
    )


#: A line says what was charged, between the bill's two sides; of a fee, what had not fallen away.
LINE_IS_CHARGED = """
IF NEW.voided THEN
    RAISE EXCEPTION 'a bill is not issued void' USING ERRCODE = '23514';
END IF;
IF NEW.charge_id IS NOT NULL THEN
    PERFORM 1 FROM billing_charge c
      JOIN billing_bill b ON b.id = NEW.bill_id
      LEFT JOIN booking_reservation r ON r.id = c.reservation_id
      LEFT JOIN instruments_instrument i ON i.id = r.instrument_id
      LEFT JOIN booking_samplejob j ON j.id = c.sample_job_id
     WHERE c.id = NEW.charge_id AND c.payable_now_fen = NEW.amount_fen
       AND (b.owner_id, b.customer_id)
           = (coalesce(i.organisation_id, j.lab_id), coalesce(r.organisation_id, j.organisation_id));
ELSE
    PERFORM 1 FROM billing_bookingfee WHERE id = NEW.fee_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_bookingfee f
      JOIN billing_bill b ON b.id = NEW.bill_id
      JOIN booking_reservation r ON r.id = f.reservation_id
      JOIN instruments_instrument i ON i.id = r.instrument_id
     WHERE f.id = NEW.fee_id AND (b.owner_id, b.customer_id) = (i.organisation_id, r.organisation_id)
       AND f.gross_fen = NEW.amount_fen + NEW.relieved_fen
       AND NEW.relieved_fen = (SELECT coalesce(sum(w.amount_fen), 0) FROM billing_feerelief w WHERE w.fee_id = f.id);
END IF;
IF NOT FOUND THEN
    RAISE EXCEPTION 'a line of a bill says what its two sides were charged' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Only ``voided`` changes, from no to yes, and only once the bill is void.
LINE_ONLY_VOIDED = """
IF to_jsonb(OLD) - 'voided' IS DISTINCT FROM to_jsonb(NEW) - 'voided' OR OLD.voided OR NOT NEW.voided
   OR NOT EXISTS (SELECT 1 FROM billing_billvoid v WHERE v.bill_id = NEW.bill_id) THEN
    RAISE EXCEPTION 'frozen: a line of a bill cannot be changed' USING ERRCODE = '23001';
END IF;
RETURN NEW;
"""

VOID_UNTOUCHED = """
PERFORM 1 FROM billing_bill WHERE id = NEW.bill_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_award w WHERE w.charge_id IN (SELECT l.charge_id FROM billing_billline l WHERE l.bill_id = NEW.bill_id)
  ORDER BY w.id FOR NO KEY UPDATE;
IF (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.bill_id = NEW.bill_id) <> 0
   OR EXISTS (SELECT 1 FROM billing_creditnote n WHERE n.bill_id = NEW.bill_id)
   OR EXISTS (SELECT 1 FROM billing_checkout c WHERE c.bill_id = NEW.bill_id AND c.state IN ('asked', 'open'))
   OR (SELECT coalesce(sum(v.total_fen), 0) FROM billing_vatinvoice v WHERE v.bill_id = NEW.bill_id) <> 0
   OR EXISTS (SELECT 1 FROM billing_billline l
                JOIN billing_award w ON w.charge_id = l.charge_id JOIN billing_statementline s ON s.award_id = w.id
               WHERE l.bill_id = NEW.bill_id)
   OR EXISTS (SELECT 1 FROM billing_billline l JOIN billing_award w ON w.charge_id = l.charge_id
                JOIN billing_claimline k ON k.award_id = w.id AND k.kind = 'award' AND k.standing IN ('included', 'excluded')
                JOIN billing_claim c ON c.id = k.claim_id AND c.state NOT IN ('draft', 'rejected', 'withdrawn')
               WHERE l.bill_id = NEW.bill_id) THEN
    RAISE EXCEPTION 'a bill is void only while it is unpaid, unclaimed and uncredited and has no invoice that counts'
        USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

CREDIT_WITHIN_LINE = """
PERFORM 1 FROM billing_bill WHERE id = NEW.bill_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_billline l JOIN billing_bill b ON b.id = l.bill_id
 WHERE l.id = NEW.line_id AND l.bill_id = NEW.bill_id AND b.owner_id = NEW.owner_id AND NOT l.voided
   AND NEW.total_fen + (SELECT coalesce(sum(n.total_fen), 0) FROM billing_creditnote n WHERE n.line_id = l.id) <= l.amount_fen;
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more of a line is credited than it says' USING ERRCODE = '23514';
END IF;
PERFORM 1 FROM billing_bill b
 WHERE b.id = NEW.bill_id
   AND (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.bill_id = b.id)
       <= b.total_fen - NEW.total_fen - (SELECT coalesce(sum(n.total_fen), 0) FROM billing_creditnote n WHERE n.bill_id = b.id);
IF NOT FOUND THEN
    RAISE EXCEPTION 'what was paid beyond the rest of a bill is set free first' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

REVERSAL_WITHIN_AWARD = """
PERFORM 1 FROM billing_award WHERE id = NEW.award_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_award a
 WHERE a.id = NEW.award_id
   AND (NEW.credit_note_id IS NULL OR EXISTS (
        SELECT FROM billing_creditnote n JOIN billing_billline l ON l.id = n.line_id
         WHERE n.id = NEW.credit_note_id AND l.charge_id = a.charge_id))
   AND NEW.amount_fen + (SELECT coalesce(sum(v.amount_fen), 0) FROM billing_awardreversal v WHERE v.award_id = a.id) <= a.total_fen
   AND NEW.amount_fen = (SELECT coalesce(sum((p ->> 'amount_fen')::bigint), 0) FROM jsonb_array_elements(NEW.payers) p);
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more of an award goes back than it gave' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""
