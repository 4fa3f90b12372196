"""Taking a bank's list of movements in: whole or not at all, and nothing twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count
from typing import Any, cast

from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.hand_models import HandEntry
from billing.payments.models import BankStatement, Method, Payment
from billing.payments.rules import bank_rows, overlap
from billing.payments.rules.by_hand import Money, maybe_same
from billing.payments.rules.overlap import Answer, Before
from billing.payments.services import by_hand
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import audit, files, transactions
from instruments.models import Organisation

NAME_LENGTH = 200
Answers = Mapping[str, str]
NO_ANSWERS: Answers = {}


@dataclass(frozen=True, slots=True)
class Taken:
    """The statement, and whether the very same file had been taken in before."""

    statement: BankStatement
    known: bool


def import_statement(
    actor: Actor, owner_id: int, content: bytes, file_name: str, now: datetime, *, layout: str = "", answers: Answers = NO_ANSWERS
) -> Taken:
    """Take in every row of money that came in and was not taken in before, from this file or another.

    ``layout``: a code of ``bank_rows.LAYOUTS``, empty: the first that fits. Raises Forbidden, NotFound, and Refusal with a reason for
    *every* fault of the file (``bank.*``, field = ``row 12: date``); nothing is taken in then. ``answers``: by the fingerprint of a row in
    doubt (``billing.payments.rules.overlap``) whether it is the payment that was taken in before. Raises Conflict ``bank.doubtful`` with a
    reason for each doubt and ``extra["doubtful"]`` while one has no answer; nothing is taken in then either.
    """
    if owner_id not in actor.organisations(Role.OWNER_FINANCE):
        actor.require(Role.OWNER_FINANCE)
        raise NotFound.of("access.not_found", model="organisation")
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        read = bank_rows.read_rows(bank_rows.decoded(content), layout)
    except bank_rows.Unreadable as error:
        raise Refusal(*(fault_reason(fault) for fault in error.faults)) from error

    def work() -> Taken:
        Organisation.objects.select_for_update(no_key=True).values_list("pk").get(pk=owner_id)  # two imports take turns
        before = BankStatement.objects.filter(owner_id=owner_id, sha256=sha256).first()
        if before is not None:
            return Taken(before, True)
        by_fingerprint = _written_by_hand(owner_id, read, answers)
        rows = _told_apart(owner_id, read, answers, by_fingerprint)
        for mark, entry in by_fingerprint.items():
            if answers.get(mark) == Answer.SAME:
                by_hand.found_on_list(entry, mark)
        return Taken(_take(actor, owner_id, content, sha256, file_name, rows, now), False)

    return transactions.run(work)


def _written_by_hand(owner_id: int, read: bank_rows.Read, answers: Answers) -> dict[str, HandEntry]:
    """The rows, by fingerprint, that may be money written down by hand and were taken in by no list. Raises Refusal ``bank.other_amount``
    where a person says that a row is such money, and the amounts differ."""
    entries = by_hand.live_entries(owner_id, min((row.booked_on for row in read.incoming), default=date.max))
    marks = [row.fingerprint for row in read.incoming] if entries else []
    known = set(Payment.objects.filter(owner_id=owner_id, fingerprint__in=marks).values_list("fingerprint", flat=True))
    known |= by_hand.fingerprints_of(owner_id)
    found: dict[str, HandEntry] = {}
    for row in read.incoming:
        money = Money(row.amount_fen, row.booked_on, (row.remark, row.serial))
        like = (each for each in entries if maybe_same(each.reference, each.amount_fen, each.received_on, money))
        entry = next(like, None)
        if entry is None or row.fingerprint in known:
            continue
        found[row.fingerprint] = entry
        if answers.get(row.fingerprint) == Answer.SAME:
            if entry.amount_fen != row.amount_fen:
                raise Refusal(Reason("bank.other_amount", {"row": row.row, "amount_fen": entry.amount_fen}, f"row {row.row}"))
            entries = [each for each in entries if each.pk != entry.pk]
    return found


def _told_apart(owner_id: int, read: bank_rows.Read, answers: Answers, written: Mapping[str, HandEntry]) -> bank_rows.Read:
    """The rows, those that are another payment than the one taken in before under a fingerprint of their own. ``written``: those that
    may be money written down by hand. Raises as ``import_statement``."""
    earlier = Payment.objects.filter(
        owner_id=owner_id, statement__isnull=False, received_on__in={row.booked_on for row in read.incoming}
    )
    taken = {each.fingerprint: each for each in earlier.select_related("statement") if each.fingerprint and each.statement_id}
    before = [Before(mark, each.received_on) for mark, each in taken.items()]
    doubts = overlap.doubtful(read.incoming, before)
    by_hand_too = [row for row in read.incoming if row.fingerprint in written]
    if any(answers.get(row.fingerprint) not in list(Answer) for row in (*doubts, *by_hand_too)):
        said = [_doubt(row, taken[row.fingerprint]) for row in doubts]
        said += [_doubt_by_hand(row, written[row.fingerprint]) for row in by_hand_too]
        raise Conflict(*map(_reason, said), extra={"doubtful": said})
    others = {row.fingerprint for row in doubts if answers[row.fingerprint] == Answer.OTHER}
    used = {*taken, *(row.fingerprint for row in read.incoming)}
    rows = []
    for row in read.incoming:
        mark = row.fingerprint
        if mark in others:
            mark = next(
                free for free in (bank_rows.fingerprint(row.said, copy) for copy in count(row.copy + 1)) if free not in used
            )
            used.add(mark)
        rows.append(replace(row, fingerprint=mark))
    return replace(read, incoming=tuple(rows))


def _doubt(row: bank_rows.Incoming, before: Payment) -> dict[str, Any]:
    """A row in doubt, and where the payment stands that says the same."""
    return {
        "row": row.row,
        "fingerprint": row.fingerprint,
        "amount_fen": row.amount_fen,
        "day": row.booked_on.isoformat(),
        "payer": row.payer_name,
        "remark": row.remark,
        "file": before.statement.file_name if before.statement is not None else "",
        "file_row": before.row,
        "payment": before.pk,
    }


def _reason(doubt: dict[str, Any]) -> Reason:
    return Reason("bank.by_hand" if "by_hand" in doubt else "bank.doubtful", doubt, f"row {doubt['row']}")


def _doubt_by_hand(row: bank_rows.Incoming, entry: HandEntry) -> dict[str, Any]:
    """A row in doubt, and the money written down by hand that it may be (``by_hand``: its reference)."""
    payment = Payment.objects.filter(by_hand=entry).values_list("pk", flat=True).first()
    return {
        "row": row.row,
        "fingerprint": row.fingerprint,
        "amount_fen": row.amount_fen,
        "day": row.booked_on.isoformat(),
        "payer": row.payer_name,
        "remark": row.remark,
        "by_hand": entry.reference,
        "by_hand_fen": entry.amount_fen,
        "payment": payment,
    }


def _take(
    actor: Actor, owner_id: int, content: bytes, sha256: str, file_name: str, read: bank_rows.Read, now: datetime
) -> BankStatement:
    marks = [row.fingerprint for row in read.incoming]
    known = set(Payment.objects.filter(owner_id=owner_id, fingerprint__in=marks).values_list("fingerprint", flat=True))
    known |= by_hand.fingerprints_of(owner_id)
    new = [row for row in read.incoming if row.fingerprint not in known]
    name = "".join(letter for letter in file_name if letter.isprintable())[:NAME_LENGTH] or "statement.csv"
    person_id = cast(int, actor.user_id)  # who has a role is somebody
    statement = BankStatement.objects.create(
        owner_id=owner_id,
        file=files.store(content, file_name=name, media_type="text/csv", user_id=person_id, now=now),
        file_name=name,
        sha256=sha256,
        layout=read.layout,
        row_count=read.row_count,
        taken_count=len(new),
        known_count=len(read.incoming) - len(new),
        outgoing_count=read.outgoing,
        taken_fen=sum(row.amount_fen for row in new),
        imported_by_id=person_id,
        imported_at=now,
    )
    for payment in Payment.objects.bulk_create([_payment(statement, row, now) for row in new], batch_size=1000):
        accounts.post_payment(payment, Source("payment", payment.pk, "bank_import", actor_id=actor.user_id), now)
    after = {"file": name, "taken": len(new), "known": statement.known_count, "taken_fen": statement.taken_fen}
    audit.record(actor, "payment.import", statement, now, after=after)
    return statement


def _payment(statement: BankStatement, row: bank_rows.Incoming, now: datetime) -> Payment:
    return Payment(
        owner_id=statement.owner_id,
        method=Method.BANK,
        amount_fen=row.amount_fen,
        received_on=row.booked_on,
        payer_name=row.payer_name,
        payer_account=row.payer_account,
        remark=row.remark,
        statement=statement,
        row=row.row,
        fingerprint=row.fingerprint,
        created_at=now,
    )


def fault_reason(fault: bank_rows.Fault) -> Reason:
    """A fault of a bank's list as a refusal says it."""
    where = f"row {fault.row}: {fault.field}" if fault.row else fault.field
    return Reason(fault.code, {"row": fault.row, "value": fault.value, "most": bank_rows.MOST_ROWS}, where)
