"""Recording VAT invoices: one typed in, a red-letter one, or a whole table from the tax platform; whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any, TypeVar, cast

from django.db import IntegrityError
from django.db.models import Q, QuerySet

from billing.bills.models import Bill, BillVoid
from billing.bills.services.issuing import local_day
from billing.invoices.models import Answer, InvoiceRequest, VatInvoice
from billing.invoices.papers import Key, Kind, Paper, key_of, of_bill, of_statement, why_none
from billing.invoices.papers import of as paper_of
from billing.invoices.queries import bill_paper, blue_invoices, credited_of, invoice_for, statement_paper, with_live_invoice
from billing.invoices.rules.checks import Fault, Given, Paired, faults, plain, red_faults
from billing.invoices.rules.table import MOST_FAULTS, Row, RowFault, Unreadable, read_rows
from billing.invoices.services.asking import answer_waiting, lock
from billing.payments.rules import bank_rows
from billing.settlement.models import Statement
from billing.settlement.opening_models import SubsidisedItem
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files, transactions
from config.kernel.services.transactions import constraint_name
from instruments.services import uploads

#: What the tax platform hands out: PDF, OFD (a ZIP) and XML.
_TYPES: Mapping[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "ofd": ("application/ofd", (b"PK\x03\x04",)),
    "xml": ("application/xml", (b"<?xml", b"\xef\xbb\xbf<?xml")),
}
#: With the table itself no more than ``DATA_UPLOAD_MAX_NUMBER_FILES``.
MOST_FILES = 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Handed:
    """A file as it was handed in."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """How many invoices were recorded and how many files kept."""

    invoices: int
    files: int


def record(actor: Actor, bill_id: int, given: Given, now: datetime, *, file: Handed | None = None) -> VatInvoice:
    """Record the invoice of a bill and answer the request that waits for it.

    Raises NotFound, Forbidden, and Refusal with a reason for every fault (``invoice.*``, ``upload.*``).
    """
    actor.require(Role.OWNER_FINANCE)
    return _record(actor, lambda: bill_paper(actor, bill_id), given, now, file)


def record_sold(actor: Actor, statement_id: int, given: Given, now: datetime, *, file: Handed | None = None) -> VatInvoice:
    """Record the invoice of what an office buys by a settlement statement; as ``record``."""
    actor.require(Role.OWNER_FINANCE)
    return _record(actor, lambda: statement_paper(actor, statement_id), given, now, file)


def _record(actor: Actor, find: Callable[[], Paper], given: Given, now: datetime, file: Handed | None) -> VatInvoice:
    def work() -> VatInvoice:
        paper = find()
        actor.require_in(paper.seller_id, Role.OWNER_FINANCE)
        lock(paper)
        found = _faults(paper, given, _read_known([paper], [given]), now)
        Refusal.raise_any([Reason(fault.code, fault.params, fault.field) for fault in found])
        return _write(actor, paper, given, _stored(actor, file, now), now)

    return _unique(work)


def record_red(actor: Actor, invoice_id: int, given: Given, now: datetime, *, file: Handed | None = None) -> VatInvoice:
    """Record the red-letter invoice that takes (a part of) a blue one back. Raises as ``record``."""

    actor.require(Role.OWNER_FINANCE)

    def work() -> VatInvoice:
        blue = invoice_for(actor, invoice_id)
        actor.require_in(blue.owner_id, Role.OWNER_FINANCE)
        lock(paper_of(blue))
        blue = invoice_for(actor, invoice_id)
        if blue.reverses_id is not None:
            raise Refusal.of("invoice.red_of_red", field="number")
        found = _red_faults(given, blue, (blue.left_fen, blue.left_tax_fen), _read_known([], [given]), now)
        Refusal.raise_any([Reason(fault.code, fault.params, fault.field) for fault in found])
        return _write(actor, paper_of(blue), given, _stored(actor, file, now), now, reverses=blue)

    return _unique(work)


def import_table(actor: Actor, owner_id: int, content: bytes, handed: Sequence[Handed], now: datetime) -> Imported:
    """Record every invoice of a table from the tax platform, with the files that are named by invoice number; red-letter ones first, so
    that a bill whose invoice is taken back may have another in the same table. Whole or not at all.

    Raises Forbidden, NotFound, and Refusal with a reason for *every* fault (field ``row 12: number``); nothing is recorded then.
    """
    if owner_id not in actor.organisations(Role.OWNER_FINANCE):
        actor.require(Role.OWNER_FINANCE)
        raise NotFound.of("access.not_found", model="organisation")
    try:
        rows = read_rows(bank_rows.decoded(content))
    except bank_rows.Unreadable as error:
        raise Refusal(Reason("invoice.file_unreadable", {}, "file")) from error
    except Unreadable as error:
        raise _refusal(error.faults) from error
    named = _by_number(handed, {row.given.number for row in rows})

    def work() -> Imported:
        blue_rows, red_rows = [row for row in rows if not row.reverses], [row for row in rows if row.reverses]
        papers = _papers(owner_id, blue_rows, red_rows)
        blues = _blues(owner_id, red_rows)
        known = _read_known(papers.values(), [row.given for row in rows])
        wrong, freed = _red_row_faults(red_rows, blues, known, now)
        known = replace(known, live=known.live - freed)
        wrong += [RowFault(row.row, fault) for row in blue_rows for fault in _row_faults(row, papers, known, now)]
        wrong = sorted([*wrong, *_bills_twice(blue_rows)], key=lambda each: each.row)
        if wrong:
            raise _refusal(wrong[:MOST_FAULTS])
        for row in (*red_rows, *blue_rows):
            blue = blues.get(row.reverses)
            paper = paper_of(blue) if blue is not None else papers[row.bill]
            _write(actor, paper, row.given, _stored(actor, named.get(row.given.number), now), now, reverses=blue)
        return Imported(len(rows), len(named))

    return _unique(work)


def _papers(owner_id: int, blue_rows: Iterable[Row], red_rows: Iterable[Row]) -> dict[str, Paper]:
    """The bills and statements of an owner that rows name, or whose invoice they take back, by number; locked in id order, bills first."""
    named, taken_back = Q(number__in={row.bill for row in blue_rows}), _named_blues(owner_id, red_rows)
    bills = Bill.objects.select_for_update(no_key=True, of=("self",)).filter(
        named | Q(pk__in=taken_back.filter(bill__isnull=False).values("bill")), owner_id=owner_id
    )
    statements = Statement.objects.select_for_update(no_key=True, of=("self",)).filter(
        named | Q(pk__in=taken_back.filter(statement__isnull=False).values("statement")), payee_id=owner_id
    )
    statements = statements.select_related("programme_version__programme")
    found = [*map(of_bill, bills.order_by("pk")), *map(of_statement, statements.order_by("pk"))]
    return {paper.number: paper for paper in found}


def _named_blues(owner_id: int, red_rows: Iterable[Row]) -> QuerySet[Any]:
    return blue_invoices().filter(owner_id=owner_id, whole__in={row.reverses for row in red_rows})


def _blues(owner_id: int, red_rows: Iterable[Row]) -> dict[str, Any]:
    """The invoices that rows take back, by number, with what they are for and ``left_fen``; read behind the locks."""
    rows = _named_blues(owner_id, red_rows).select_related("bill", "statement")
    return {blue.whole: blue for blue in rows.defer("bill__content", "statement__content")}


@dataclass(frozen=True, slots=True)
class _Known:
    """What papers and invoices are checked against. By paper: ``void``, ``live`` (with an invoice that counts), ``credited`` (fen) and
    ``buyers`` (the code that a waiting request names). ``numbers``: (code, number) of recorded invoices; ``subsidised``: elsewhere."""

    void: frozenset[Key]
    live: frozenset[Key]
    credited: Mapping[Key, int]
    buyers: Mapping[Key, str]
    numbers: frozenset[tuple[str, str]]
    subsidised: frozenset[str]


def _read_known(papers: Iterable[Paper], given: Sequence[Given]) -> _Known:
    """Seven queries at most, however many rows there are."""
    keys = [paper.key for paper in papers]
    bills, statements = ([pk for each, pk in keys if each is kind] for kind in (Kind.BILL, Kind.STATEMENT))
    waiting = InvoiceRequest.objects.filter(Q(bill_id__in=bills) | Q(statement_id__in=statements), answered_at__isnull=True)
    written = VatInvoice.objects.filter(number__in={each.number for each in given})
    references = {reference for each in given for reference in (each.number, each.key)}
    elsewhere = SubsidisedItem.objects.filter(kind="invoice", reference__in=references)
    void = BillVoid.objects.filter(bill_id__in=bills).values_list("bill_id", flat=True)
    return _Known(
        void=frozenset((Kind.BILL, pk) for pk in void),
        live=frozenset(with_live_invoice(keys)),
        credited=credited_of(keys),
        buyers={key_of(each): each.buyer_code for each in waiting},
        numbers=frozenset(written.values_list("code", "number")),
        subsidised=frozenset(elsewhere.values_list("reference", flat=True)),
    )


def _bills_twice(rows: Iterable[Row]) -> list[RowFault]:
    """Rows for a bill that an earlier row is for: a bill has one invoice."""
    first: dict[str, int] = {}
    return [
        RowFault(row.row, Fault("invoice.bill_twice_in_file", "bill", {"other_row": first[row.bill]}))
        for row in rows
        if first.setdefault(row.bill, row.row) != row.row
    ]


def _red_faults(given: Given, blue: VatInvoice, left: tuple[int, int], known: _Known, now: datetime) -> list[Fault]:
    """Of a red-letter invoice, where ``left`` is left of its blue one and of that one's tax (fen)."""
    pair = Paired(blue.buyer_code, blue.seller_code, blue.issued_on, *left)
    return [*red_faults(given, pair, local_day(now)), *_invoice_faults(given, known)]


def _red_row_faults(
    rows: Iterable[Row], blues: Mapping[str, Any], known: _Known, now: datetime
) -> tuple[list[RowFault], frozenset[Key]]:
    """The faults of rows that take invoices back, and the bills and statements of which no invoice counts after them."""
    left = {number: (blue.left_fen, blue.left_tax_fen) for number, blue in blues.items()}
    wrong: list[RowFault] = []
    for row in rows:
        blue = blues.get(row.reverses)
        if blue is None:
            wrong.append(RowFault(row.row, Fault("invoice.blue_unknown", "reverses", {"number": row.reverses[:40]})))
            continue
        if row.bill and row.bill != (number := paper_of(blue).number):
            params = {"number": row.reverses, "bill": number}
            wrong.append(RowFault(row.row, Fault("invoice.red_other_bill", "bill", params)))
        wrong += [RowFault(row.row, fault) for fault in _red_faults(row.given, blue, left[row.reverses], known, now)]
        fen, tax_fen = left[row.reverses]
        left[row.reverses] = fen + row.given.total_fen, tax_fen + row.given.tax_fen
    return wrong, frozenset(key_of(blues[number]) for number, (fen, _tax) in left.items() if fen <= 0)


def _row_faults(row: Row, papers: Mapping[str, Paper], known: _Known, now: datetime) -> list[Fault]:
    paper = papers.get(row.bill)
    if paper is None:
        return [Fault("invoice.bill_unknown", "bill", {"number": row.bill[:40]})]
    return _faults(paper, row.given, known, now)


def _faults(paper: Paper, given: Given, known: _Known, now: datetime) -> list[Fault]:
    credited = known.credited.get(paper.key, 0)
    if why := why_none(paper, credited, paper.key in known.void):
        return [Fault(why, "bill", {})]
    expected = paper.expected(credited, known.buyers.get(paper.key, ""), local_day(now))
    found = [*faults(given, expected), *_invoice_faults(given, known)]
    if paper.key in known.live:
        found.append(Fault("invoice.has_one", "bill", {}))
    return found


def _invoice_faults(given: Given, known: _Known) -> list[Fault]:
    """Of an invoice that stands for another paper already, or that took a subsidy elsewhere."""
    if (given.code, given.number) in known.numbers:
        return [Fault("invoice.known", "number", {})]
    if known.subsidised & {given.number, given.key}:
        return [Fault("invoice.subsidised_elsewhere", "number", {})]
    return []


def _write(
    actor: Actor, paper: Paper, given: Given, file: StoredFile | None, now: datetime, *, reverses: VatInvoice | None = None
) -> VatInvoice:
    made = VatInvoice.objects.create(
        owner_id=paper.seller_id,
        **paper.column,
        reverses=reverses,
        number=given.number,
        code=given.code,
        issued_on=given.issued_on,
        buyer_code=given.buyer_code,
        seller_code=given.seller_code,
        net_fen=given.net_fen,
        tax_fen=given.tax_fen,
        total_fen=given.total_fen,
        file=file,
        recorded_by_id=cast(int, actor.user_id),  # who has a role is somebody
        recorded_at=now,
    )
    after = {str(paper.kind): paper.number, "number": given.key, "total_fen": given.total_fen}
    audit.record(actor, "invoice.red" if reverses else "invoice.record", made, now, after=after)
    if reverses is None:
        answer_waiting(actor, paper, Answer.RECORDED, "", now)
    return made


def _stored(actor: Actor, file: Handed | None, now: datetime) -> StoredFile | None:
    if file is None:
        return None
    media_type = _type_of(file)
    name = "".join(letter for letter in file.name if letter.isprintable())[:200]
    return files.store(file.content, file_name=name, media_type=media_type, user_id=actor.user_id, now=now)


def _type_of(file: Handed) -> str:
    """The media type of a file that the platform hands out. Raises Refusal ``upload.*`` / ``invoice.file_type``."""
    uploads.refuse_size(file.content)
    media_type, begins = _TYPES.get(PurePath(file.name).suffix.lower().lstrip("."), ("", ()))
    if not media_type or not file.content.startswith(begins):
        raise Refusal.of("invoice.file_type", field="file", name=file.name[:80])
    return media_type


def _by_number(handed: Sequence[Handed], numbers: set[str]) -> dict[str, Handed]:
    """Files by the invoice number in their names. Raises Refusal for a file that belongs to no row, or two that belong to one."""
    found: dict[str, Handed] = {}
    if len(handed) > MOST_FILES:
        raise Refusal.of("invoice.too_many_files", field="files", most=MOST_FILES)
    for file in handed:
        stem = plain(PurePath(file.name).stem)
        mine = [number for number in numbers if number in stem]
        if len(mine) != 1 or mine[0] in found:
            raise Refusal.of("invoice.file_of_none", field="files", name=file.name[:80])
        _type_of(file)
        found[mine[0]] = file
    return found


def _refusal(wrong: Sequence[RowFault]) -> Refusal:
    reasons = [
        Reason(
            each.fault.code, {**each.fault.params, "row": each.row}, f"row {each.row}: {each.fault.field}" if each.row else "file"
        )
        for each in wrong
    ]
    return Refusal(*reasons)


def _unique(work: Callable[[], T]) -> T:
    """As ``transactions.run``; who recorded the same invoice, or another for the same bill, at the same moment was faster."""
    try:
        return transactions.run(work)
    except IntegrityError as error:
        if constraint_name(error) not in ("invoice_once", "invoice_one_live"):
            raise
        raise Conflict.of("invoice.known" if constraint_name(error) == "invoice_once" else "invoice.has_one") from error
