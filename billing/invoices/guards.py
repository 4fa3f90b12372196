"""What the database itself refuses of VAT invoices, whoever writes."""

from __future__ import annotations

#: One live blue invoice for a bill or a settlement statement, of its two sides; a red one takes back a part of a blue one of the same
#: paper, all of them together no more than it. A statement is of what is paid to its payee beside the bill: nothing else is sold to an
#: office.
INVOICE_FITS = """
IF NEW.bill_id IS NOT NULL THEN
    PERFORM 1 FROM billing_bill b WHERE b.id = NEW.bill_id AND b.owner_id = NEW.owner_id FOR NO KEY UPDATE;
    IF NOT FOUND OR EXISTS (SELECT 1 FROM billing_billvoid WHERE bill_id = NEW.bill_id) THEN
        RAISE EXCEPTION 'an invoice is of the owner of its bill, which is not void' USING ERRCODE = '23514', CONSTRAINT = 'invoice_fits';
    END IF;
ELSE
    PERFORM 1 FROM billing_statement s
     WHERE s.id = NEW.statement_id AND s.payee_id = NEW.owner_id AND s.content -> 'programme' ->> 'mode' = 'paid_beside'
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an invoice is of the payee of its statement, of what is bought'
            USING ERRCODE = '23514', CONSTRAINT = 'invoice_fits';
    END IF;
END IF;
IF NEW.reverses_id IS NULL THEN
    PERFORM 1 FROM billing_vatinvoice v
     WHERE (v.bill_id = NEW.bill_id OR v.statement_id = NEW.statement_id) AND v.reverses_id IS NULL
       AND v.total_fen + (SELECT coalesce(sum(r.total_fen), 0) FROM billing_vatinvoice r WHERE r.reverses_id = v.id) > 0;
    IF FOUND THEN
        RAISE EXCEPTION 'a paper has one invoice at a time' USING ERRCODE = '23505', CONSTRAINT = 'invoice_one_live';
    END IF;
ELSE
    PERFORM 1 FROM billing_vatinvoice v
     WHERE v.id = NEW.reverses_id AND (v.bill_id = NEW.bill_id OR v.statement_id = NEW.statement_id) AND v.reverses_id IS NULL
       AND v.total_fen + NEW.total_fen
           + (SELECT coalesce(sum(r.total_fen), 0) FROM billing_vatinvoice r WHERE r.reverses_id = v.id) >= 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no more of an invoice is taken back than it says' USING ERRCODE = '23514', CONSTRAINT = 'invoice_fits';
    END IF;
END IF;
RETURN NEW;
"""

#: An answered request stays as it was answered.
REQUEST_ANSWERED_ONCE = """
IF OLD.answered_at IS NOT NULL
   OR to_jsonb(OLD) - ARRAY['answered_at', 'answered_by_id', 'answer', 'reason']
      IS DISTINCT FROM to_jsonb(NEW) - ARRAY['answered_at', 'answered_by_id', 'answer', 'reason'] THEN
    RAISE EXCEPTION 'frozen: a request for an invoice is answered once' USING ERRCODE = '23001';
END IF;
RETURN NEW;
"""
