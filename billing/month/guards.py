"""What the database itself refuses of drafts, whoever writes."""

from __future__ import annotations

import pgtrigger


def update(name: str, func: str) -> pgtrigger.Trigger:
    """A guard before a row is changed."""
    return pgtrigger.Trigger(name=name, operation=pgtrigger.Update, when=pgtrigger.Before, level=pgtrigger.Row, func=func)


#: An issued draft stays as it is, and only a released run issues; whose draft it is never changes.
DRAFT_MOVES = """
IF OLD.state = 'issued' OR (OLD.run_id, OLD.party_id, OLD.position) IS DISTINCT FROM (NEW.run_id, NEW.party_id, NEW.position)
   OR (OLD.programme_version_id, OLD.mode) IS DISTINCT FROM (NEW.programme_version_id, NEW.mode) THEN
    RAISE EXCEPTION 'frozen: an issued draft cannot be changed' USING ERRCODE = '23001';
END IF;
IF NEW.state = 'issued' AND NOT EXISTS (
    SELECT 1 FROM billing_draftrun r WHERE r.id = NEW.run_id AND r.state = 'released' AND r.released_at IS NOT NULL) THEN
    RAISE EXCEPTION 'only a released run issues' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""
