"""Whether every issued paper is still what was issued: its frozen content against its hash, its number, its code, and its files: that they
are those that were made for it, and their bytes. Reads everything, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from billing.ledger.rules.documents import sha256_of
from billing.papers.codes import KEY
from billing.papers.kinds import PaperKind, kinds
from billing.papers.models import PaperCode, PaperFile
from config.kernel.errors import Refusal
from config.kernel.invariants import Finding
from config.kernel.services import files

_CHUNK = 50


@dataclass(frozen=True, slots=True)
class PaperFault:
    """What is wrong with one paper. ``code`` names the sentence (``billing.messages``); ``part``: the file column, where one is meant."""

    code: str
    kind: str
    number: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class PapersVerified:
    """How many papers and files were read, and every fault."""

    papers: int
    files: int
    faults: tuple[PaperFault, ...]


def verify() -> PapersVerified:
    """Read every paper and every file of one; two queries for each fifty papers and one read for each file."""
    papers, read = 0, 0
    faults: list[PaperFault] = []
    for kind in kinds().values():
        given = dict(PaperCode.objects.filter(kind=kind.name).values_list("document_id", "code"))
        kept = _kept(kind)
        for document in kind.rows().order_by("pk").iterator(chunk_size=_CHUNK):
            papers += 1
            read += sum(getattr(document, column) is not None for column in kind.files)
            faults += _content_faults(kind, document, given.pop(document.pk, ""))
            faults += _binding_faults(kind, document, kept)
            faults += _file_faults(kind, document)
        faults += [PaperFault("papers.document_missing", kind.name, code) for code in given.values()]
    return PapersVerified(papers, read, tuple(faults))


def _content_faults(kind: PaperKind, document: Any, given: str) -> Iterator[PaperFault]:
    content = document.content
    if sha256_of(content) != document.content_sha256:
        yield PaperFault("papers.content_changed", kind.name, document.number)
    if content.get("number") != document.number or _total(content) not in (None, getattr(document, "total_fen", None)):
        yield PaperFault("papers.row_differs", kind.name, document.number)
    if content.get(KEY, {}).get("code", "") != given:
        yield PaperFault("papers.code_differs", kind.name, document.number)


def _total(content: dict[str, Any]) -> int | None:
    """The total that a content prints, whatever its kind calls it."""
    totals = content.get("totals", content)
    found = totals.get("total_fen", totals.get("awarded_fen"))
    return found if isinstance(found, int) else None


def _kept(kind: PaperKind) -> dict[tuple[int, str], tuple[int, str, str]]:
    """Which file was made for each document and column of a kind, with its hash and that of the content."""
    rows = PaperFile.objects.filter(kind=kind.name).values_list("document_id", "part", "file_id", "sha256", "content_sha256")
    return {(document, part): (file, sha256, content) for document, part, file, sha256, content in rows}


def _binding_faults(kind: PaperKind, document: Any, kept: dict[tuple[int, str], tuple[int, str, str]]) -> Iterator[PaperFault]:
    """Whether a document has just the files that were made for it."""
    for column in kind.files:
        stored, made = getattr(document, column), kept.get((document.pk, column))
        if stored is None and made is not None:
            yield PaperFault("papers.file_taken_away", kind.name, document.number, column)
        elif stored is not None and (stored.pk, stored.sha256, document.content_sha256) != made:
            yield PaperFault("papers.file_of_another", kind.name, document.number, column)


def _file_faults(kind: PaperKind, document: Any) -> Iterator[PaperFault]:
    for column in kind.files:
        stored = getattr(document, column)
        if stored is None:
            continue
        try:
            content = files.read(stored)
        except Refusal as refusal:
            missing = refusal.reasons[0].code == "files.missing"
            yield PaperFault("papers.file_missing" if missing else "papers.file_changed", kind.name, document.number, column)
        else:
            if len(content) != stored.size_bytes:
                yield PaperFault("papers.file_changed", kind.name, document.number, column)


def contents_and_codes() -> Finding:
    """As an invariant: without the files, which ``kernel.files_unchanged`` reads already."""
    checked, wrong = 0, []
    for kind in kinds().values():
        given = dict(PaperCode.objects.filter(kind=kind.name).values_list("document_id", "code"))
        for document in kind.rows().order_by("pk").iterator(chunk_size=_CHUNK):
            checked += 1
            for fault in _content_faults(kind, document, given.pop(document.pk, "")):
                wrong.append(f"{fault.kind} {fault.number}: {fault.code}")
        wrong += [f"{kind.name} with code {code} is gone" for code in given.values()]
    return Finding(checked, tuple(wrong))


def bound_files() -> Finding:
    """As an invariant: every paper has the files that were made for it, and no other."""
    checked, wrong = 0, []
    for kind in kinds().values():
        kept = _kept(kind)
        for document in kind.rows().defer("content").order_by("pk").iterator(chunk_size=_CHUNK):
            checked += sum(getattr(document, column) is not None for column in kind.files)
            wrong += [f"{each.kind} {each.number}: {each.code} ({each.part})" for each in _binding_faults(kind, document, kept)]
    return Finding(checked, tuple(wrong))
