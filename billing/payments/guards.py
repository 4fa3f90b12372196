"""What the database itself refuses of payments, whoever writes. A guard locks the payment before the bill, so that two never wait for each
other."""

from __future__ import annotations

#: Money is given to a bill of the same owner that is not void, never more than is due there or than came in and was not sent back;
#: what undoes names what it undoes and is at most that. What prepaid money gives is what was taken of it for the bill.
ALLOCATION_FITS = """
PERFORM 1 FROM billing_payment WHERE id = NEW.payment_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_bill WHERE id = NEW.bill_id FOR NO KEY UPDATE;
IF NEW.prepaid_id IS NOT NULL THEN
    PERFORM 1 FROM billing_prepaidentry e
     WHERE e.id = NEW.prepaid_id AND e.kind = 'capture' AND NEW.undoes_id IS NULL
       AND (e.payment_id, e.bill_id, -e.amount_fen) = (NEW.payment_id, NEW.bill_id, NEW.amount_fen);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'prepaid money gives what was taken of it' USING ERRCODE = '23514';
    END IF;
END IF;
IF NEW.undoes_id IS NOT NULL THEN
    PERFORM 1 FROM billing_allocation a
     WHERE a.id = NEW.undoes_id AND a.undoes_id IS NULL AND (a.payment_id, a.bill_id) = (NEW.payment_id, NEW.bill_id)
       AND a.amount_fen + NEW.amount_fen + (SELECT coalesce(sum(u.amount_fen), 0) FROM billing_allocation u WHERE u.undoes_id = a.id) >= 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no more is undone than was given' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END IF;
PERFORM 1 FROM billing_payment p JOIN billing_bill b ON b.id = NEW.bill_id AND b.owner_id = p.owner_id
 WHERE p.id = NEW.payment_id
   AND NOT EXISTS (SELECT 1 FROM billing_billvoid v WHERE v.bill_id = b.id)
   AND NEW.amount_fen
       + (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.payment_id = p.id)
       + (SELECT coalesce(sum(d.amount_fen), 0) FROM billing_prepaidentry d WHERE d.payment_id = p.id)
       + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_refund r WHERE r.payment_id = p.id) <= p.amount_fen
   AND NEW.amount_fen + (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.bill_id = b.id)
       <= b.total_fen - (SELECT coalesce(sum(n.total_fen), 0) FROM billing_creditnote n WHERE n.bill_id = b.id);
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more is given to a bill than is due and was paid' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Only money that is free is sent back.
REFUND_FITS = """
PERFORM 1 FROM billing_payment WHERE id = NEW.payment_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_payment p
 WHERE p.id = NEW.payment_id
   AND NEW.amount_fen
       + (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.payment_id = p.id)
       + (SELECT coalesce(sum(d.amount_fen), 0) FROM billing_prepaidentry d WHERE d.payment_id = p.id)
       + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_refund r WHERE r.payment_id = p.id) <= p.amount_fen;
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more goes back than is free of a payment' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Only free money is kept as prepaid, and as given back by a bill only what prepaid money had paid of it; what becomes of it names what
#: was kept and is at most that.
PREPAID_FITS = """
PERFORM 1 FROM billing_payment WHERE id = NEW.payment_id FOR NO KEY UPDATE;
IF NEW.of_id IS NOT NULL THEN
    PERFORM 1 FROM billing_prepaidentry d
     WHERE d.id = NEW.of_id AND d.of_id IS NULL AND (d.payment_id, d.customer_id) = (NEW.payment_id, NEW.customer_id)
       AND d.amount_fen + NEW.amount_fen
           + (SELECT coalesce(sum(u.amount_fen), 0) FROM billing_prepaidentry u WHERE u.of_id = d.id) >= 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no more is taken than was kept as prepaid' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END IF;
IF NEW.bill_id IS NOT NULL AND NEW.amount_fen
   + (SELECT coalesce(sum(d.amount_fen), 0) FROM billing_prepaidentry d
       WHERE (d.payment_id, d.bill_id) = (NEW.payment_id, NEW.bill_id) AND d.kind = 'deposit')
   + (SELECT coalesce(sum(u.amount_fen), 0) FROM billing_allocation u JOIN billing_allocation a ON a.id = u.undoes_id
       WHERE (u.payment_id, u.bill_id) = (NEW.payment_id, NEW.bill_id) AND a.prepaid_id IS NOT NULL) > 0 THEN
    RAISE EXCEPTION 'no more is prepaid again than prepaid money had paid and the bill gave back' USING ERRCODE = '23514';
END IF;
PERFORM 1 FROM billing_payment p
 WHERE p.id = NEW.payment_id AND p.owner_id <> NEW.customer_id
   AND NEW.amount_fen
       + (SELECT coalesce(sum(a.amount_fen), 0) FROM billing_allocation a WHERE a.payment_id = p.id)
       + (SELECT coalesce(sum(d.amount_fen), 0) FROM billing_prepaidentry d WHERE d.payment_id = p.id)
       + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_refund r WHERE r.payment_id = p.id) <= p.amount_fen;
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more is kept as prepaid than is free of a payment' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Money written down by hand begins unconfirmed, on no bank's list.
HAND_ENTRY_BEGINS = """
IF NEW.confirmed_at IS NOT NULL OR NEW.ended_at IS NOT NULL OR NEW.fingerprint IS NOT NULL THEN
    RAISE EXCEPTION 'what is written down by hand waits for another person' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: It is confirmed once, found on one list, told apart, and ended once; what was confirmed is ended with the refund that undoes it whole.
HAND_ENTRY_FORWARD = """
IF OLD.ended_at IS NOT NULL
   OR OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by_id) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by_id)
   OR OLD.fingerprint IS NOT NULL AND NEW.fingerprint IS DISTINCT FROM OLD.fingerprint
   OR OLD.told_apart AND NOT NEW.told_apart
   OR to_jsonb(OLD) - ARRAY['confirmed_at', 'confirmed_by_id', 'fingerprint', 'told_apart', 'ended_at', 'ended_by_id', 'end_reason']
      IS DISTINCT FROM
      to_jsonb(NEW) - ARRAY['confirmed_at', 'confirmed_by_id', 'fingerprint', 'told_apart', 'ended_at', 'ended_by_id', 'end_reason'] THEN
    RAISE EXCEPTION 'frozen: what was written down by hand stays' USING ERRCODE = '23001';
END IF;
IF NEW.ended_at IS NOT NULL AND NEW.confirmed_at IS NOT NULL AND NOT EXISTS (
   SELECT 1 FROM billing_payment p JOIN billing_refund r ON r.payment_id = p.id AND r.kind = 'undone' WHERE p.by_hand_id = NEW.id) THEN
    RAISE EXCEPTION 'a payment by hand is undone whole before it ends' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: A payment by hand is what another person confirmed, and as much.
PAYMENT_WAS_CONFIRMED = """
IF NEW.by_hand_id IS NOT NULL AND NOT EXISTS (
   SELECT 1 FROM billing_handentry h
    WHERE h.id = NEW.by_hand_id AND h.confirmed_at IS NOT NULL AND h.ended_at IS NULL
      AND (h.owner_id, h.amount_fen, h.received_on) = (NEW.owner_id, NEW.amount_fen, NEW.received_on)) THEN
    RAISE EXCEPTION 'a payment by hand is what another person confirmed' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Only a payment by hand is undone, and whole.
REFUND_UNDOES_WHOLE = """
IF NEW.kind = 'undone' AND NOT EXISTS (
   SELECT 1 FROM billing_payment p WHERE p.id = NEW.payment_id AND p.by_hand_id IS NOT NULL AND p.amount_fen = NEW.amount_fen) THEN
    RAISE EXCEPTION 'only a payment by hand is undone, and whole' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""
