"""Triggers of documents that are frozen step by step: what the database itself refuses, whoever writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pgtrigger


def _texts(values: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{value}'" for value in values) + "]::text[]"


def frozen_by_state(
    name: str, successors: Mapping[str, frozenset[str]], free: Mapping[str, Sequence[str]], once: Sequence[str]
) -> pgtrigger.Trigger:
    """Refuse every change of a row that its state does not allow.

    ``successors`` says which states may follow each; ``free`` which columns may change in a state (every column in those that are not
    named); a column of ``once`` goes from NULL to a value and never on from there, in any state.
    """
    steps = [f"{before}>{after}" for before in successors for after in sorted(successors[before])]
    branches = "\n".join(
        f"""
            IF OLD.state = '{state}' AND to_jsonb(OLD) - {_texts(columns)} IS DISTINCT FROM to_jsonb(NEW) - {_texts(columns)} THEN
                RAISE EXCEPTION 'frozen: % % cannot be changed', TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';
            END IF;"""
        for state, columns in free.items()
    )
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        level=pgtrigger.Row,
        declare=[("kept", "text")],
        func=f"""
            IF NEW.state <> OLD.state AND NOT OLD.state || '>' || NEW.state = ANY({_texts(steps)}) THEN
                RAISE EXCEPTION 'frozen: % % cannot go from % to %', TG_TABLE_NAME, OLD.id, OLD.state, NEW.state
                    USING ERRCODE = '23001';
            END IF;{branches}
            FOREACH kept IN ARRAY {_texts(once)} LOOP
                IF coalesce(to_jsonb(OLD) -> kept, 'null') <> 'null'
                   AND to_jsonb(OLD) -> kept IS DISTINCT FROM to_jsonb(NEW) -> kept THEN
                    RAISE EXCEPTION 'frozen: % of % % cannot be changed', kept, TG_TABLE_NAME, OLD.id USING ERRCODE = '23001';
                END IF;
            END LOOP;
            RETURN NEW;
        """,
    )


#: Lines are written, changed and taken away only while every quotation that they belong to is a draft, and stays one until they are
#: committed: who sends it meanwhile waits.
DRAFT_ONLY = """
IF TG_OP <> 'INSERT' THEN
    PERFORM 1 FROM billing_quotation q WHERE q.id = OLD.quotation_id AND q.state = 'draft' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'frozen: the lines of a quotation that was sent cannot be changed' USING ERRCODE = '23001';
    END IF;
END IF;
IF TG_OP <> 'DELETE' THEN
    PERFORM 1 FROM billing_quotation q WHERE q.id = NEW.quotation_id AND q.state = 'draft' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'frozen: the lines of a quotation that was sent cannot be changed' USING ERRCODE = '23001';
    END IF;
    RETURN NEW;
END IF;
RETURN OLD;
"""

#: Charges of sheets' lines that still hold: neither declined nor taken back, and of a session or a job that is still to be charged, or was.
LIVING_CHARGES = """
    SELECT c.id, c.sheet_id, c.line_id, c.quantity, coalesce(e.amount_fen, x.amount_fen) AS amount_fen
      FROM billing_commissioncharge c
      LEFT JOIN billing_sessionextra e ON e.id = c.session_extra_id
      LEFT JOIN booking_reservation r ON r.id = e.reservation_id
      LEFT JOIN booking_sampleextra x ON x.id = c.sample_extra_id
      LEFT JOIN booking_samplejob j ON j.id = x.job_id
     WHERE coalesce(e.state, x.state) IN ('proposed', 'agreed')
       AND coalesce(r.state, '') NOT IN ('rejected', 'cancelled', 'expired', 'no_show')
       AND coalesce(j.state, '') NOT IN ('refused', 'cancelled', 'failed')
"""

#: A line for other things is charged up to its quantity, on work under its own sheet, while that is in force. Who charges another of the
#: sheet's lines meanwhile waits.
WITHIN_LINE = f"""
PERFORM 1 FROM billing_commissionsheet s WHERE s.id = NEW.sheet_id FOR NO KEY UPDATE;
SELECT l.quantity INTO agreed
  FROM billing_quotationline l JOIN billing_commissionsheet s ON s.quotation_id = l.quotation_id
 WHERE l.id = NEW.line_id AND l.kind = 'other' AND s.id = NEW.sheet_id AND s.state = 'in_force'
   AND (EXISTS (SELECT 1 FROM billing_sessionextra e JOIN billing_commissionreservation r ON r.reservation_id = e.reservation_id
                 WHERE e.id = NEW.session_extra_id AND r.sheet_id = s.id)
        OR EXISTS (SELECT 1 FROM booking_sampleextra x JOIN billing_commissionsamplejob j ON j.sample_job_id = x.job_id
                    WHERE x.id = NEW.sample_extra_id AND j.sheet_id = s.id));
IF NOT FOUND THEN
    RAISE EXCEPTION 'the work stands under no sheet in force with this line'
        USING ERRCODE = '23514', CONSTRAINT = 'commission_charge_of_its_sheet';
END IF;
SELECT coalesce(sum(living.quantity), 0) INTO taken FROM ({LIVING_CHARGES}) living WHERE living.line_id = NEW.line_id;
IF taken + NEW.quantity > agreed THEN
    RAISE EXCEPTION 'the line is for %, and % of it is charged already', agreed, taken
        USING ERRCODE = '23514', CONSTRAINT = 'commission_charge_within_line';
END IF;
RETURN NEW;
"""  # noqa: S608  (constants only)
