"""What the database itself refuses of the files of issued papers, whoever writes."""

from __future__ import annotations

import pgtrigger

_CHANGED = """
IF OLD.{column}_id IS NOT NULL AND NEW.{column}_id IS DISTINCT FROM OLD.{column}_id THEN
    RAISE EXCEPTION 'frozen: a file of an issued paper cannot be changed' USING ERRCODE = '23001';
END IF;
IF OLD.{column}_id IS NULL AND NEW.{column}_id IS NOT NULL AND NOT EXISTS (
   SELECT FROM billing_paperfile f
    WHERE f.kind = '{kind}' AND f.document_id = NEW.id AND f.part = '{column}' AND f.file_id = NEW.{column}_id
      AND f.content_sha256 = NEW.content_sha256) THEN
    RAISE EXCEPTION 'a paper is given the file that was made of its content' USING ERRCODE = '23514';
END IF;"""
_DONE = """
IF OLD.render_state = 'done' AND NEW.render_state <> 'done' THEN
    RAISE EXCEPTION 'frozen: the files of an issued paper are made once' USING ERRCODE = '23001';
END IF;"""

#: A file is written down with the hash that it was stored under.
KEPT_AS_STORED = """
PERFORM 1 FROM kernel_storedfile s WHERE s.id = NEW.file_id AND s.sha256 = NEW.sha256;
IF NOT FOUND THEN
    RAISE EXCEPTION 'a file is kept under its own hash' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""


def files_once(name: str, kind: str, columns: tuple[str, ...] = ("pdf", "xlsx"), *, at_once: bool = True) -> pgtrigger.Trigger:
    """A file goes from nothing to the one that was made for this document (``billing.papers.files.keep``), and never on from there.
    ``at_once``: all files are made together, so that what is made is never to be made again."""
    changed = " OR ".join(
        f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in (*(f"{c}_id" for c in columns), "render_state")
    )
    checks = "".join(_CHANGED.format(column=column, kind=kind) for column in columns)
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        level=pgtrigger.Row,
        condition=pgtrigger.Condition(changed),
        func=f"{checks}{_DONE if at_once else ''}\nRETURN NEW;\n",
    )
