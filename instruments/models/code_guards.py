"""Triggers of the codes of organisations: what the database itself refuses, whoever writes."""

from __future__ import annotations

import pgtrigger


def not_left_by_another() -> pgtrigger.Trigger:
    """Trigger for the table of present codes: nobody is given one that another organisation has left.

    It looks after the row is in the index of present codes, where a writer waits for one who just leaves the code.
    """
    return pgtrigger.Trigger(
        name="identifier_not_left_by_another",
        operation=pgtrigger.Insert | pgtrigger.Update,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        func="""
            IF EXISTS (
                SELECT FROM instruments_formeridentifier f
                 WHERE f.scheme = NEW.scheme AND f.value = NEW.value AND f.organisation_id <> NEW.organisation_id
            ) THEN
                RAISE EXCEPTION 'identifier: % % is kept for who has left it', NEW.scheme, NEW.value USING ERRCODE = '23001';
            END IF;
            RETURN NULL;
        """,
    )


def left_by_its_holder() -> pgtrigger.Trigger:
    """Trigger for the table of codes that were left: only who has a code leaves it. The present row is held until then, so that nobody
    else can take the code in between."""
    return pgtrigger.Trigger(
        name="former_identifier_of_its_holder",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        level=pgtrigger.Row,
        func="""
            PERFORM FROM instruments_organisationidentifier i
              WHERE i.scheme = NEW.scheme AND i.value = NEW.value AND i.organisation_id = NEW.organisation_id FOR KEY SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'identifier: % % is not held by organisation %', NEW.scheme, NEW.value, NEW.organisation_id
                    USING ERRCODE = '23001';
            END IF;
            RETURN NEW;
        """,
    )
