"""What is answered to somebody who holds a paper or a file: which one it is and where it stands. Nobody has to log in, so nothing is
told that does not stand on the paper in large letters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from billing.papers.kinds import PaperKind, kinds
from billing.papers.models import PaperCode
from billing.papers.rules.codes import read, shown
from billing.papers.rules.status import Facts
from config.kernel.models import StoredFile

#: A file that was stored more often than this is none of a single paper.
MOST_COPIES = 50
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Checked:
    """One paper as we know it. ``code`` is empty for a paper without one, ``sha256``: of the files handed out and of the frozen content."""

    kind: PaperKind
    code: str
    facts: Facts
    sha256: tuple[str, ...]


def by_code(typed: str) -> Checked | None:
    """The paper that bears a code, None where we issued none; three queries, whatever the kind."""
    code = read(typed)
    row = PaperCode.objects.filter(code=code).first() if code else None
    if row is None or row.kind not in kinds():
        return None
    kind = kinds()[row.kind]
    document = kind.rows().filter(pk=row.document_id).first()
    return _checked(kind, document, code) if document is not None else None


def by_file(sha256: str) -> Checked | None:
    """The paper of which this is a file, byte for byte as we made it; None where we made no such file.

    Anybody may ask, so every look-up is by an index: the stored files with this hash first, then their papers.
    """
    wanted = read_hash(sha256)
    if not wanted:
        return None
    stored = list(StoredFile.objects.filter(sha256=wanted).order_by("pk").values_list("pk", flat=True)[:MOST_COPIES])
    for kind in kinds().values():
        document = kind.of_content(wanted) or (kind.of_files(stored) if stored else None)
        if document is not None:
            row = PaperCode.objects.filter(kind=kind.name, document_id=document.pk).first()
            return _checked(kind, document, row.code if row is not None else "")
    return None


def read_hash(typed: str) -> str:
    """A SHA-256 that a person pasted, in our writing; empty: it is none."""
    plain = re.sub(r"[\s:]", "", typed).lower()
    return plain if _SHA256.fullmatch(plain) else ""


def _checked(kind: PaperKind, document: Any, code: str) -> Checked:
    hashes = [getattr(document, column).sha256 for column in kind.files if getattr(document, column) is not None]
    return Checked(kind, shown(code), kind.facts(document), (*hashes, document.content_sha256))
