"""Database guards that several models share."""

from __future__ import annotations

import pgtrigger


def append_only(name: str) -> pgtrigger.Trigger:
    """Refuse UPDATE and DELETE of the rows."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


def no_truncate(name: str) -> pgtrigger.Trigger:
    """Refuse TRUNCATE of the table."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Truncate,
        when=pgtrigger.Before,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'append-only: % cannot be truncated', TG_TABLE_NAME USING ERRCODE = '23001';",
    )
