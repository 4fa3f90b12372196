"""What the database itself refuses of closed months and of what is held back, whoever writes.

A lock per series keeps closing and issuing apart: who issues shares it, who closes has it alone. Every check comes after the lock, so it
sees what the one before committed.
"""

from __future__ import annotations

from typing import Any

import pgtrigger


def before(name: str, operation: Any, func: str) -> pgtrigger.Trigger:
    """A guard before a row is written or changed."""
    return pgtrigger.Trigger(name=name, operation=operation, when=pgtrigger.Before, level=pgtrigger.Row, func=func)


CLOSING_WAITS = """
PERFORM pg_advisory_xact_lock(hashtextextended('period:' || NEW.series, 0));
RETURN NEW;
"""

#: A claim that was handed in is a document too: its amount is being decided about, or is paid.
HELD_ONLY_OPEN = """
IF NEW.charge_id IS NOT NULL THEN
    PERFORM 1 FROM billing_charge WHERE id = NEW.charge_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_billline l WHERE l.charge_id = NEW.charge_id AND NOT l.voided;
ELSIF NEW.fee_id IS NOT NULL THEN
    PERFORM 1 FROM billing_bookingfee WHERE id = NEW.fee_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_billline l WHERE l.fee_id = NEW.fee_id AND NOT l.voided;
ELSE
    PERFORM 1 FROM billing_award WHERE id = NEW.award_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_statementline l WHERE l.award_id = NEW.award_id
    UNION ALL
    SELECT 1 FROM billing_claimline l JOIN billing_claim c ON c.id = l.claim_id
     WHERE l.award_id = NEW.award_id AND l.kind = 'award' AND l.standing = 'included'
       AND c.state NOT IN ('draft', 'rejected', 'withdrawn');
END IF;
IF FOUND THEN
    RAISE EXCEPTION 'what stands on a document is not held back' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

HELD_ONLY_LIFTED = """
IF to_jsonb(OLD) - '{lifted_at,lifted_by_id}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{lifted_at,lifted_by_id}'::text[]
   OR OLD.lifted_at IS NOT NULL OR NEW.lifted_at IS NULL THEN
    RAISE EXCEPTION 'what is held back is only lifted, once' USING ERRCODE = '23001';
END IF;
RETURN NEW;
"""

#: Before a line of a bill: its month is open, and nobody holds back what it takes.
BILL_LINE_OPEN = """
PERFORM pg_advisory_xact_lock_shared(hashtextextended('period:bills:' || b.owner_id, 0))
   FROM billing_bill b WHERE b.id = NEW.bill_id;
PERFORM 1 FROM billing_bill b
  JOIN billing_closedperiod p ON p.series = 'bills:' || b.owner_id AND b.until_on < (p.period_on + interval '1 month')::date
 WHERE b.id = NEW.bill_id;
IF FOUND THEN
    RAISE EXCEPTION 'a closed period takes no new lines' USING ERRCODE = '23514';
END IF;
PERFORM 1 FROM billing_heldback h JOIN billing_bill b ON b.id = NEW.bill_id
 WHERE (h.charge_id = NEW.charge_id OR h.fee_id = NEW.fee_id) AND h.lifted_at IS NULL
   AND (h.until_on IS NULL OR h.until_on > b.until_on);
IF FOUND THEN
    RAISE EXCEPTION 'what is held back stands on no bill' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: The series of a programme ``m``: of the office that issues it.
OF_PROGRAMME = "'statements' || coalesce(':' || m.issuer_id, '')"

#: The same of a settlement statement.
STATEMENT_LINE_OPEN = f"""
PERFORM pg_advisory_xact_lock_shared(hashtextextended('period:' || {OF_PROGRAMME}, 0))
   FROM billing_statement s JOIN billing_programmeversion v ON v.id = s.programme_version_id
   JOIN billing_programme m ON m.id = v.programme_id WHERE s.id = NEW.statement_id;
PERFORM 1 FROM billing_statement s JOIN billing_programmeversion v ON v.id = s.programme_version_id
  JOIN billing_programme m ON m.id = v.programme_id
  JOIN billing_closedperiod p ON p.series = {OF_PROGRAMME} AND s.period_on <= p.period_on
 WHERE s.id = NEW.statement_id;
IF FOUND THEN
    RAISE EXCEPTION 'a closed period takes no new lines' USING ERRCODE = '23514';
END IF;
PERFORM 1 FROM billing_heldback h JOIN billing_statement s ON s.id = NEW.statement_id
 WHERE h.award_id = NEW.award_id AND h.lifted_at IS NULL AND (h.until_on IS NULL OR h.until_on > s.period_on);
IF FOUND THEN
    RAISE EXCEPTION 'what is held back stands on no statement' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""
