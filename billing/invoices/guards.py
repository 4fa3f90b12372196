"""What the database itself refuses of VAT invoices, whoever writes."""

from __future__ import annotations

#: One live blue invoice for a bill, of its two sides; a red one takes back a part of a blue one of the same bill, all of them together no
#: more than it.
INVOICE_FITS = """
PERFORM 1 FROM billing_bill b WHERE b.id = NEW.bill_id AND b.owner_id = NEW.owner_id FOR NO KEY UPDATE;
IF NOT FOUND OR EXISTS (SELECT 1 FROM billing_billvoid WHERE bill_id = NEW.bill_id) THEN
    RAISE EXCEPTION 'an invoice is of the owner of its bill, which is not void' USING ERRCODE = '23514', CONSTRAINT = 'invoice_fits';
END IF;
IF NEW.reverses_id IS NULL THEN
    PERFORM 1 FROM billing_vatinvoice v
     WHERE v.bill_id = NEW.bill_id AND v.reverses_id IS NULL
       AND v.total_fen + (SELECT coalesce(sum(r.total_fen), 0) FROM billing_vatinvoice r WHERE r.reverses_id = v.id) > 0;
    IF FOUND THEN
        RAISE EXCEPTION 'a bill has one invoice at a time' USING ERRCODE = '23505', CONSTRAINT = 'invoice_one_live';
    END IF;
ELSE
    PERFORM 1 FROM billing_vatinvoice v
     WHERE v.id = NEW.reverses_id AND v.bill_id = NEW.bill_id AND v.reverses_id IS NULL
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
