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
