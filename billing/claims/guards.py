"""What the database itself refuses of claims, whoever writes. The table of states and the parts of people come from the rules."""

from __future__ import annotations

from collections.abc import Iterable

import pgtrigger

from billing.claims.rules.states import AMOUNT_OPEN, EASED, PROMISED, TABLE, WITHIN, ClaimEvent, Part, done_by, kept_from_list


def _on(name: str, operation: pgtrigger.Operation, func: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(name=name, operation=operation, when=pgtrigger.Before, level=pgtrigger.Row, func=func)


def insert(name: str, func: str) -> pgtrigger.Trigger:
    """A guard before a row is written."""
    return _on(name, pgtrigger.Insert, func)


def update(name: str, func: str) -> pgtrigger.Trigger:
    """A guard before a row is changed."""
    return _on(name, pgtrigger.Update, func)


def claim_is_its_lines(name: str, claim_id: str, operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """At the end of the transaction a claim is the sum of its lines that count. ``claim_id``: where its id stands."""
    return pgtrigger.Trigger(
        name=name,
        operation=operation,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        timing=pgtrigger.Deferred,
        func=f"""
            PERFORM 1 FROM billing_claim c
              WHERE c.id = {claim_id}
                AND c.total_fen = (SELECT coalesce(sum(l.amount_fen), 0) FROM billing_claimline l
                                    WHERE l.claim_id = c.id AND l.standing = 'included');
            IF NOT FOUND THEN
                RAISE EXCEPTION 'a claim is the sum of its lines' USING ERRCODE = '23514';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  (one of our own column names)
    )


def _moves() -> str:
    pairs = sorted({(state.value, to.value) for (state, event), found in TABLE.items() if event not in WITHIN for to in found})
    return ", ".join(f"('{state}', '{to}')" for state, to in pairs)


def _codes(events: Iterable[ClaimEvent]) -> str:
    return ", ".join(f"'{event.value}'" for event in sorted(events))


def _part(part: Part) -> str:
    return _codes(done_by(part))


_AMOUNT_OPEN = ", ".join(f"'{state.value}'" for state in sorted(AMOUNT_OPEN))
#: A claim's amount stays once its review is over; it is paid once the treasury has paid it whole. A state moves along the table, with its
#: step in the history, and only while the claim is the sum of its lines and they are the awards.
CLAIM_MOVES = f"""
IF OLD.total_fen <> NEW.total_fen AND OLD.state NOT IN ({_AMOUNT_OPEN}) THEN
    RAISE EXCEPTION 'what a claim comes to stays after its review' USING ERRCODE = '23514';
END IF;
IF OLD.state <> 'paid' AND NEW.state = 'paid' AND NEW.total_fen <> (
   SELECT coalesce(sum(p.paid_fen), 0) FROM billing_payout p JOIN billing_paymentline l ON l.id = p.line_id
    WHERE l.claim_id = NEW.id) THEN
    RAISE EXCEPTION 'a claim is paid once all of it was paid out' USING ERRCODE = '23514';
END IF;
IF OLD.state IS DISTINCT FROM NEW.state OR OLD.step IS DISTINCT FROM NEW.step THEN
    IF (OLD.state, NEW.state) NOT IN ({_moves()}) THEN
        RAISE EXCEPTION 'a claim does not go from % to %', OLD.state, NEW.state USING ERRCODE = '23514';
    END IF;
    PERFORM 1 FROM billing_claimstep s
      WHERE s.claim_id = NEW.id AND s.position = NEW.step_count AND s.from_state = OLD.state AND s.to_state = NEW.state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a claim moves with a step in its history' USING ERRCODE = '23514';
    END IF;
    PERFORM 1 FROM billing_claimline l JOIN billing_award a ON a.id = l.award_id
      WHERE l.claim_id = NEW.id AND l.kind = 'award' AND l.standing = 'included' AND l.amount_fen + l.credited_fen <> a.total_fen;
    IF FOUND OR NEW.total_fen <> (SELECT coalesce(sum(l.amount_fen), 0) FROM billing_claimline l
                                   WHERE l.claim_id = NEW.id AND l.standing = 'included') THEN
        RAISE EXCEPTION 'a claim that is not its lines does not move on' USING ERRCODE = '23514';
    END IF;
END IF;
RETURN NEW;
"""  # noqa: S608

#: Who stands in for somebody is, for this, both of them.
_SAME = "(s.actor_id IN (NEW.actor_id, NEW.behalf_id) OR s.behalf_id IN (NEW.actor_id, NEW.behalf_id))"
#: Maker, reviewer and approver of one claim are three people.
THREE_PEOPLE = f"""
PERFORM 1 FROM billing_claim WHERE id = NEW.claim_id FOR NO KEY UPDATE;
IF NEW.actor_id IS NOT NULL AND (
   NEW.event IN ({_part(Part.MAKER)}) AND EXISTS (
     SELECT FROM billing_claimstep s WHERE s.claim_id = NEW.claim_id AND {_SAME}
        AND s.event IN ({_part(Part.REVIEWER)}, {_part(Part.APPROVER)}))
   OR NEW.event IN ({_part(Part.REVIEWER)}) AND EXISTS (
     SELECT FROM billing_claimstep s WHERE s.claim_id = NEW.claim_id AND {_SAME}
        AND s.event IN ({_part(Part.MAKER)}, {_part(Part.APPROVER)}))
   OR NEW.event IN ({_part(Part.APPROVER)}) AND EXISTS (
     SELECT FROM billing_claimstep s WHERE s.claim_id = NEW.claim_id AND {_SAME}
        AND s.event IN ({_part(Part.MAKER)}, {_part(Part.REVIEWER)}))) THEN
    RAISE EXCEPTION 'maker, reviewer and approver are three people' USING ERRCODE = '23514', CONSTRAINT = 'claim_three_people';
END IF;
RETURN NEW;
"""  # noqa: S608

#: Who adds a file has a part in the claim.
EVIDENCE_BY_MAKER = f"""
PERFORM 1 FROM billing_claimstep s
 WHERE s.claim_id = NEW.claim_id AND s.actor_id = NEW.added_by_id AND s.event IN ({_part(Part.MAKER)});
IF NOT FOUND THEN
    RAISE EXCEPTION 'who adds a file to a claim stands in its history' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: A line says what its award gives to this payee under this programme, in this way of settlement; what is taken back is of
#: this payee, and was promised with an earlier claim. Once handed in, only in the place of what took off more.
_PROMISED = ", ".join(f"'{state.value}'" for state in sorted(PROMISED))
_EASED = ", ".join(f"'{state.value}'" for state in sorted(EASED))
LINE_IS_AWARDED = f"""
PERFORM 1 FROM billing_award WHERE id = NEW.award_id FOR NO KEY UPDATE;
IF NEW.kind = 'award' THEN
    PERFORM 1 FROM billing_claim c JOIN billing_claimbatch b ON b.id = c.batch_id
      JOIN billing_award a ON a.id = NEW.award_id AND a.payee_id = c.payee_id AND a.mode = b.mode
      JOIN billing_programmeversion v ON v.id = a.programme_version_id AND v.programme_id = b.programme_id
     WHERE c.id = NEW.claim_id AND c.state = 'draft' AND b.closed_at IS NULL AND a.service_on BETWEEN b.from_on AND b.until_on
       AND NOT EXISTS (SELECT FROM billing_heldback h
                        WHERE h.award_id = a.id AND h.lifted_at IS NULL AND (h.until_on IS NULL OR h.until_on > b.until_on))
       AND NEW.amount_fen + NEW.credited_fen = a.total_fen
       AND NEW.credited_fen = (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_awardreversal r WHERE r.award_id = a.id);
ELSIF NEW.kind = 'clawback' THEN
    PERFORM 1 FROM billing_clawback WHERE id = NEW.clawback_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_claim c JOIN billing_claimbatch b ON b.id = c.batch_id
      JOIN billing_clawback k ON k.id = NEW.clawback_id AND k.payee_id = c.payee_id AND k.programme_id = b.programme_id
     WHERE c.id = NEW.claim_id AND k.award_id = NEW.award_id
       AND (c.state = 'draft' AND b.closed_at IS NULL
            OR c.state IN ({_EASED}) AND EXISTS (
               SELECT FROM billing_claimline o
                WHERE o.claim_id = c.id AND o.clawback_id = k.id AND o.standing = 'replaced' AND o.amount_fen < NEW.amount_fen))
       AND EXISTS (SELECT FROM billing_claim o WHERE o.id = k.claim_id AND o.state IN ({_PROMISED}))
       AND k.total_fen >= -NEW.amount_fen
           - (SELECT coalesce(sum(l.amount_fen), 0) FROM billing_claimline l WHERE l.clawback_id = k.id AND l.standing = 'included')
           + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_repayment r WHERE r.clawback_id = k.id AND r.ended_at IS NULL);
ELSE
    PERFORM 1 FROM billing_claimline l JOIN billing_claim c ON c.id = l.claim_id JOIN billing_claimbatch b ON b.id = c.batch_id
     WHERE l.claim_id = NEW.claim_id AND l.award_id = NEW.award_id AND l.kind = 'award' AND l.standing = 'included'
       AND c.state = 'submitted' AND b.closed_at IS NULL
       AND l.amount_fen + NEW.amount_fen >= 0;
END IF;
IF NOT FOUND THEN
    RAISE EXCEPTION 'a line of a claim says what its award gives' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""  # noqa: S608  (states of our own)

#: Whether a line counts is decided before the review is over; what takes back counts again only as far as it stands nowhere else.
LINE_CHANGES = f"""
IF OLD.invoice_number <> NEW.invoice_number THEN
    PERFORM 1 FROM billing_claim c JOIN billing_claimstep s ON s.claim_id = c.id AND s.position = c.step_count
     WHERE c.id = NEW.claim_id AND s.event = '{ClaimEvent.COMPLETE.value}';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the number of an invoice is written with a step in the history' USING ERRCODE = '23514';
    END IF;
END IF;
IF (OLD.standing, OLD.reason) IS DISTINCT FROM (NEW.standing, NEW.reason) THEN
    PERFORM 1 FROM billing_claim WHERE id = NEW.claim_id AND state IN ({_AMOUNT_OPEN});
    IF NOT FOUND THEN
        RAISE EXCEPTION 'which lines count stays after the review' USING ERRCODE = '23514';
    END IF;
END IF;
IF NEW.kind = 'clawback' AND NEW.standing = 'included' AND OLD.standing <> 'included' THEN
    PERFORM 1 FROM billing_clawback WHERE id = NEW.clawback_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_clawback k
     WHERE k.id = NEW.clawback_id
       AND k.total_fen >= -NEW.amount_fen
           - (SELECT coalesce(sum(l.amount_fen), 0) FROM billing_claimline l WHERE l.clawback_id = k.id AND l.standing = 'included')
           + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_repayment r WHERE r.clawback_id = k.id AND r.ended_at IS NULL);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no more is taken back than has to come back' USING ERRCODE = '23514';
    END IF;
END IF;
RETURN NEW;
"""  # noqa: S608

_SURPLUS_LEFT = """(SELECT m.received_fen - m.amount_fen
        - (SELECT coalesce(sum(f.amount_fen), 0) FROM billing_surplusrefund f WHERE f.repayment_id = m.id AND f.ended_at IS NULL)
        - (SELECT coalesce(sum(t.received_fen), 0) FROM billing_repayment t WHERE t.moved_from_id = m.id AND t.ended_at IS NULL)
   FROM billing_repayment m WHERE m.id = {of} AND m.confirmed_at IS NOT NULL AND m.ended_at IS NULL)"""

#: No more is paid back than has to come back and stands on no claim, of what was promised once; and what is taken from money that came too
#: much is the same payee's, of the same programme, and there still.
REPAYMENT_FITS = f"""
IF NEW.moved_from_id IS NOT NULL THEN
    PERFORM 1 FROM billing_repayment WHERE id = NEW.moved_from_id FOR NO KEY UPDATE;
    PERFORM 1 FROM billing_repayment m JOIN billing_clawback o ON o.id = m.clawback_id JOIN billing_clawback k ON k.id = NEW.clawback_id
     WHERE m.id = NEW.moved_from_id AND (o.payee_id, o.programme_id) = (k.payee_id, k.programme_id)
       AND NEW.received_fen <= {_SURPLUS_LEFT.format(of="NEW.moved_from_id")};
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no more is taken from money that came too much than is left of it' USING ERRCODE = '23514';
    END IF;
END IF;
PERFORM 1 FROM billing_clawback WHERE id = NEW.clawback_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_clawback k JOIN billing_claim c ON c.id = k.claim_id
 WHERE k.id = NEW.clawback_id AND c.state IN ({_PROMISED})
   AND k.total_fen >= NEW.amount_fen
       - (SELECT coalesce(sum(l.amount_fen), 0) FROM billing_claimline l WHERE l.clawback_id = k.id AND l.standing = 'included')
       + (SELECT coalesce(sum(r.amount_fen), 0) FROM billing_repayment r WHERE r.clawback_id = k.id AND r.ended_at IS NULL)
   AND NEW.confirmed_at IS NULL AND NEW.ended_at IS NULL
   AND NEW.amount_fen = (SELECT coalesce(sum((part ->> 'amount_fen')::bigint), 0) FROM jsonb_array_elements(NEW.payers) part);
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more is paid back than has to come back' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""  # noqa: S608  (states of our own)

#: Who confirmed money that came back stays who did, and nobody confirms what is being ended.
REPAYMENT_CONFIRMED_ONCE = """
IF (OLD.confirmed_by_id, OLD.confirmed_for_id, OLD.confirmed_at)
   IS DISTINCT FROM (NEW.confirmed_by_id, NEW.confirmed_for_id, NEW.confirmed_at)
   AND (OLD.confirmed_at IS NOT NULL OR NEW.ended_at IS NOT NULL) THEN
    RAISE EXCEPTION 'money that came back is confirmed once' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Money that came too much stays as long as it was sent back or taken for another notice.
REPAYMENT_ENDS_UNUSED = """
IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND (
   EXISTS (SELECT FROM billing_surplusrefund f WHERE f.repayment_id = NEW.id AND f.ended_at IS NULL)
   OR EXISTS (SELECT FROM billing_repayment t WHERE t.moved_from_id = NEW.id AND t.ended_at IS NULL)) THEN
    RAISE EXCEPTION 'money of which something was used is not undone' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: No more is sent back than came too much.
SURPLUS_REFUND_FITS = f"""
PERFORM 1 FROM billing_repayment WHERE id = NEW.repayment_id FOR NO KEY UPDATE;
IF NEW.confirmed_at IS NOT NULL OR NEW.ended_at IS NOT NULL
   OR NOT coalesce(NEW.amount_fen <= {_SURPLUS_LEFT.format(of="NEW.repayment_id")}, false) THEN
    RAISE EXCEPTION 'no more is sent back than came too much' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: What goes with a payment list is of a payee whom the list pays under the same programme, and the list holds.
SURPLUS_FITS_LIST = """
IF NEW.payment_list_id IS NOT NULL AND NOT EXISTS (
   SELECT 1 FROM billing_repayment r
     JOIN billing_clawback n ON n.id = r.clawback_id
     JOIN billing_paymentlist t ON t.id = NEW.payment_list_id AND t.cancelled_at IS NULL AND t.approved_at IS NULL
     JOIN billing_claimbatch b ON b.id = t.batch_id AND b.programme_id = n.programme_id
     JOIN billing_paymentline l ON l.payment_list_id = t.id
     JOIN billing_claim c ON c.id = l.claim_id AND c.payee_id = n.payee_id
    WHERE r.id = NEW.repayment_id) THEN
    RAISE EXCEPTION 'what goes with a payment list is of a payee whom it pays' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: It is confirmed once the list is approved, and not after the list is cancelled.
SURPLUS_WITH_LIST = """
IF NEW.payment_list_id IS NOT NULL AND OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL AND NOT EXISTS (
   SELECT 1 FROM billing_paymentlist t WHERE t.id = NEW.payment_list_id AND t.approved_at IS NOT NULL AND t.cancelled_at IS NULL) THEN
    RAISE EXCEPTION 'what goes with a payment list is confirmed once the list is approved' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: No more is put on lists that hold, less what came back from the bank, than the claim is; and on a payer's lists no more than it gives.
LISTED_WITHIN_CLAIM = """
PERFORM 1 FROM billing_claim WHERE id = NEW.claim_id FOR NO KEY UPDATE;
PERFORM 1 FROM billing_claim c JOIN billing_paymentlist n ON n.id = NEW.payment_list_id
 WHERE c.id = NEW.claim_id AND c.state IN ('approved', 'listed', 'partly_paid', 'payment_failed')
   AND NEW.amount_fen + (SELECT coalesce(sum(coalesce(p.paid_fen, l.amount_fen)), 0)
                           FROM billing_paymentline l JOIN billing_paymentlist t ON t.id = l.payment_list_id
                           LEFT JOIN billing_payout p ON p.line_id = l.id
                          WHERE l.claim_id = c.id AND t.cancelled_at IS NULL AND t.payer = n.payer)
       <= (SELECT coalesce(sum((part ->> 'amount_fen')::bigint), 0)
             FROM billing_claimline k CROSS JOIN LATERAL jsonb_array_elements(k.payers) part
            WHERE k.claim_id = c.id AND k.standing = 'included' AND part ->> 'payer' = n.payer)
   AND NEW.amount_fen + (SELECT coalesce(sum(coalesce(p.paid_fen, l.amount_fen)), 0)
                           FROM billing_paymentline l JOIN billing_paymentlist t ON t.id = l.payment_list_id
                           LEFT JOIN billing_payout p ON p.line_id = l.id
                          WHERE l.claim_id = c.id AND t.cancelled_at IS NULL)
       <= c.total_fen;
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more of a claim is put on payment lists than it is' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Money is recorded for a list that its three people have signed and nobody cancels meanwhile.
PAID_ON_SIGNED_LIST = """
PERFORM 1 FROM billing_paymentline l JOIN billing_paymentlist p ON p.id = l.payment_list_id
 WHERE l.id = NEW.line_id AND p.approved_by_id IS NOT NULL AND p.cancelled_at IS NULL AND NEW.paid_fen <= l.amount_fen
   FOR NO KEY UPDATE OF p;
IF NOT FOUND THEN
    RAISE EXCEPTION 'money is paid on a list that was approved, and no more than it says' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: A list is cancelled while nothing was recorded of it, and nobody signs it afterwards.
LIST_CANCELLED_UNPAID = """
IF OLD.cancelled_at IS NOT NULL AND (OLD.reviewed_by_id, OLD.approved_by_id) IS DISTINCT FROM (NEW.reviewed_by_id, NEW.approved_by_id)
   OR OLD.cancelled_at IS NULL AND NEW.cancelled_at IS NOT NULL AND EXISTS (
      SELECT FROM billing_payout p JOIN billing_paymentline l ON l.id = p.line_id WHERE l.payment_list_id = NEW.id) THEN
    RAISE EXCEPTION 'a payment list is cancelled before anything of it is paid, and not signed afterwards' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""


def _had_part(part: Part, list_id: str, *people: str) -> str:
    """Whether one of these had a part in a claim of a list that keeps them from this part in the list."""
    who = ", ".join(people)
    return f"""EXISTS (
      SELECT FROM billing_paymentline l JOIN billing_claimstep s ON s.claim_id = l.claim_id
       WHERE l.payment_list_id = {list_id} AND s.event IN ({_codes(kept_from_list(part))})
         AND (s.actor_id IN ({who}) OR s.behalf_id IN ({who})))"""


#: Who claims for a payee does not check the list that pays it, and who prepared one of its claims does not approve it.
LIST_SIGNERS_APART = f"""
IF OLD.reviewed_by_id IS NULL AND NEW.reviewed_by_id IS NOT NULL
   AND {_had_part(Part.REVIEWER, "NEW.id", "NEW.reviewed_by_id", "NEW.reviewed_for_id")}
   OR OLD.approved_by_id IS NULL AND NEW.approved_by_id IS NOT NULL
   AND {_had_part(Part.APPROVER, "NEW.id", "NEW.approved_by_id", "NEW.approved_for_id")} THEN
    RAISE EXCEPTION 'who had a part in a claim does not sign its payment list' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

#: Nor does who claims for a payee make the list.
LIST_MAKER_APART = f"""
IF EXISTS (
   SELECT FROM billing_paymentlist p JOIN billing_claimstep s ON s.claim_id = NEW.claim_id
    WHERE p.id = NEW.payment_list_id AND s.event IN ({_codes(kept_from_list(Part.MAKER))})
      AND (s.actor_id IN (p.issued_by_id, p.issued_for_id) OR s.behalf_id IN (p.issued_by_id, p.issued_for_id))) THEN
    RAISE EXCEPTION 'who claims for a payee does not make its payment list' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""

LIST_IS_ITS_LINES = """
PERFORM 1 FROM billing_paymentlist p
  WHERE p.id = %s AND (p.total_fen, p.line_count) = (
        SELECT coalesce(sum(l.amount_fen), 0), count(*) FROM billing_paymentline l WHERE l.payment_list_id = p.id);
IF NOT FOUND THEN
    RAISE EXCEPTION 'a payment list is the sum of its lines' USING ERRCODE = '23514';
END IF;
RETURN NULL;
"""


def list_is_its_lines(name: str, list_id: str) -> pgtrigger.Trigger:
    """At the end of the transaction a payment list is the sum of its lines; nobody adds one later."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        timing=pgtrigger.Deferred,
        func=LIST_IS_ITS_LINES % list_id,
    )


def sample_is_its_items(name: str, sample_id: str) -> pgtrigger.Trigger:
    """At the end of the transaction a sample is what was drawn; nobody adds a claim later. ``sample_id``: where its id stands."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        timing=pgtrigger.Deferred,
        func=f"""
            PERFORM 1 FROM billing_rechecksample s
              WHERE s.id = {sample_id} AND (s.drawn_count, s.drawn_fen) = (
                    SELECT count(*), coalesce(sum(i.amount_fen), 0) FROM billing_recheckitem i WHERE i.sample_id = s.id);
            IF NOT FOUND THEN
                RAISE EXCEPTION 'a sample is the claims that were drawn' USING ERRCODE = '23514';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  (one of our own column names)
    )


#: Whoever did a step of a claim, signed a list of it or recorded its payment, or for whom somebody did, does not judge it afterwards.
FINDING_INDEPENDENT = """
IF EXISTS (
   SELECT FROM billing_recheckitem i JOIN billing_claimstep s ON s.claim_id = i.claim_id
    WHERE i.id = NEW.item_id AND NEW.recorded_by_id IN (s.actor_id, s.behalf_id))
   OR EXISTS (
   SELECT FROM billing_recheckitem i JOIN billing_paymentline l ON l.claim_id = i.claim_id
     JOIN billing_paymentlist p ON p.id = l.payment_list_id LEFT JOIN billing_payout o ON o.line_id = l.id
    WHERE i.id = NEW.item_id AND NEW.recorded_by_id IN (
          p.issued_by_id, p.issued_for_id, p.reviewed_by_id, p.reviewed_for_id, p.approved_by_id, p.approved_for_id, o.recorded_by_id))
   OR EXISTS (
   SELECT FROM billing_recheckitem i JOIN billing_claim c ON c.id = i.claim_id JOIN billing_claimbatch b ON b.id = c.batch_id
     LEFT JOIN billing_objection x ON x.claim_id = c.id LEFT JOIN billing_clawback k ON k.claim_id = c.id
    WHERE i.id = NEW.item_id AND NEW.recorded_by_id IN (b.closed_by_id, x.answered_by_id, k.issued_by_id)) THEN
    RAISE EXCEPTION 'nobody judges what they had a part in' USING ERRCODE = '23514', CONSTRAINT = 'recheck_finding_independent';
END IF;
RETURN NEW;
"""

#: An answer is about too much that was paid, up to that much, and of somebody else than whoever found something of the claim.
ANSWER_APART = """
PERFORM 1 FROM billing_recheckfinding f WHERE f.id = NEW.finding_id AND f.difference_fen > 0 AND NEW.taken_fen <= f.difference_fen;
IF NOT FOUND THEN
    RAISE EXCEPTION 'no more comes back than was found to be too much' USING ERRCODE = '23514';
END IF;
IF EXISTS (
   SELECT FROM billing_recheckfinding f JOIN billing_recheckitem i ON i.id = f.item_id
     JOIN billing_recheckitem o ON o.claim_id = i.claim_id JOIN billing_recheckfinding g ON g.item_id = o.id
    WHERE f.id = NEW.finding_id AND g.recorded_by_id IN (NEW.answered_by_id, NEW.answered_for_id)) THEN
    RAISE EXCEPTION 'nobody answers what they found themselves' USING ERRCODE = '23514', CONSTRAINT = 'recheck_answer_apart';
END IF;
RETURN NEW;
"""


def answer_is_its_clawbacks(name: str, answer_id: str) -> pgtrigger.Trigger:
    """At the end of the transaction what an answer says comes back is what its claw-backs say, of the same claim. ``answer_id``: where its
    id stands."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        timing=pgtrigger.Deferred,
        func=f"""
            PERFORM 1 FROM billing_recheckanswer a JOIN billing_recheckfinding f ON f.id = a.finding_id
               JOIN billing_recheckitem i ON i.id = f.item_id
              WHERE a.id = {answer_id} AND a.taken_fen <> coalesce((
                    SELECT sum(k.total_fen) FROM billing_clawback k
                     WHERE k.answer_id = a.id AND k.claim_id = i.claim_id AND k.cause = 'recheck'), 0);
            IF FOUND THEN
                RAISE EXCEPTION 'an answer to a finding is its claw-backs' USING ERRCODE = '23514';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  (one of our own column names)
    )


#: Whoever found something of a claim does not claw it back.
CLAWBACK_APART = """
IF NEW.cause = 'recheck' AND EXISTS (
   SELECT FROM billing_recheckitem i JOIN billing_recheckfinding f ON f.item_id = i.id
    WHERE i.claim_id = NEW.claim_id AND f.recorded_by_id = NEW.issued_by_id) THEN
    RAISE EXCEPTION 'nobody claws back what they found themselves' USING ERRCODE = '23514', CONSTRAINT = 'recheck_answer_apart';
END IF;
RETURN NEW;
"""
