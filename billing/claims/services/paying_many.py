"""What the treasury paid on many lines of a payment list: each in full, or as its own answer (CSV) says, which is taken in whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from billing.claims.models import PaymentLine, PaymentList, Payout
from billing.claims.rules.treasury_rows import MOST_ROWS, Answered, ListedLine, read_answer
from billing.claims.services import paying
from billing.claims.services.office import plain_text, require_office
from billing.claims.services.paying import Outcome
from billing.claims.services.waiting_lists import tell_list
from billing.payments.rules import bank_rows
from billing.payments.services.bank_import import fault_reason
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Busy, Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import audit, transactions

_NAME = 200
_LIST_REASONS = frozenset({"claims.list_cancelled", "claims.not_approved", "claims.paid_on"})
"""What is true of all lines of a list alike, and is said once."""
_NOT_OF_A_LINE = (NotFound, Forbidden, Busy)
"""What says nothing of one line; Busy is to be tried again."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """What became of one line; no reasons means that it is recorded."""

    line_id: int
    position: int
    amount_fen: int
    reasons: tuple[Reason, ...] = ()

    @property
    def done(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class AnswerTaken:
    """How many lines were recorded from a treasury's answer, over how much, and how many it said that were recorded just so before."""

    recorded: int
    paid_fen: int
    known: int


def record_in_full(
    actor: Actor, list_id: int, line_ids: Sequence[int], paid_on: date, reference: str, now: datetime
) -> list[LineResult]:
    """Record that each of these lines of a list was paid in full on a day under one reference, by ``paying.record``, each in a transaction
    of its own. A line that was recorded just so before counts as done, so that sending it again changes nothing.

    Raises NotFound, Forbidden, Conflict ``claims.list_cancelled``, Refusal ``claims.no_lines`` / ``claims.other_lines`` /
    ``claims.not_approved`` / ``claims.paid_on``, and where none of them can be recorded with what is said of each.
    """
    found = _list(actor, list_id, now)
    lines = [line for line in found.lines.order_by("position") if line.pk in set(line_ids)]
    if len(lines) != len(set(line_ids)):
        raise Refusal.of("claims.other_lines", field="lines")
    if not lines:
        raise Refusal.of("claims.no_lines", field="lines")
    report = [_in_full(actor, line, Outcome(line.amount_fen, paid_on, reference), now) for line in lines]
    if not any(each.done for each in report):
        raise Refusal(*(replace(reason, about=str(each.position)) for each in report for reason in each.reasons))
    return report


def _list(actor: Actor, list_id: int, now: datetime) -> PaymentList:
    found = get_visible(PaymentList.objects.select_related("batch__programme"), actor, pk=list_id)
    require_office(actor, found.batch, now, Role.FINANCE)
    return found


def _in_full(actor: Actor, line: PaymentLine, outcome: Outcome, now: datetime) -> LineResult:
    result = LineResult(line.pk, line.position, line.amount_fen)
    try:
        paying.record(actor, line.pk, outcome, now)
    except _NOT_OF_A_LINE:
        raise
    except Refusal as refusal:
        if any(reason.code in _LIST_REASONS for reason in refusal.reasons):
            raise
        if not _recorded(line, outcome):
            return replace(result, reasons=refusal.reasons)
    return result


def _recorded(line: PaymentLine, outcome: Outcome) -> bool:
    """Whether just this was recorded of a line before."""
    said = {"paid_fen": outcome.paid_fen, "paid_on": outcome.paid_on, "reference": plain_text(outcome.reference, 100)}
    return Payout.objects.filter(line=line, **said).exists()


def take_answer(actor: Actor, list_id: int, content: bytes, file_name: str, now: datetime) -> AnswerTaken:
    """Record what a treasury's answer says of the lines of an approved list, in one transaction: whole or not at all. Lines of which it
    says nothing stay as they are; the same file again adds nothing. The name of the file and its SHA-256 stand in the audit log.

    Raises NotFound, Forbidden, Conflict ``claims.list_cancelled``, Refusal ``claims.not_approved``, and with a reason for *every* row that
    cannot be taken (``bank.*``, ``treasury.*``, and what ``paying.record`` says of a line), named by its row.
    """

    rows = _read(_list(actor, list_id, now), content)

    def work() -> AnswerTaken:
        found, right = paying.open_list(actor, list_id, now)
        lines = {line.position: line for line in found.lines.order_by("position")}
        faults: list[Reason] = []
        known = 0
        for row in sorted(rows, key=lambda each: lines[each.position].claim_id):  # claims are locked in the order of their ids
            outcome = Outcome(row.paid_fen, row.paid_on, row.reference, row.reason)
            try:
                paying.record_line(actor, right, found, lines[row.position], outcome, now)
            except _NOT_OF_A_LINE:
                raise
            except Refusal as refusal:
                if isinstance(refusal, Conflict) and _recorded(lines[row.position], outcome):
                    known += 1
                else:
                    faults += _of_row(row, refusal)
        Refusal.raise_any(sorted(faults, key=lambda each: each.params["row"]))
        taken = AnswerTaken(len(rows) - known, sum(row.paid_fen for row in rows), known)
        if taken.recorded:
            named = plain_text(file_name, _NAME)
            after = {
                "number": found.number,
                "file": named,
                "sha256": hashlib.sha256(content).hexdigest(),
                "lines": taken.recorded,
            }
            audit.record(actor, "payment_list.answer", found, now, after=after)
            tell_list(found, now)
        return taken

    return transactions.run(work)


def _read(found: PaymentList, content: bytes) -> list[Answered]:
    listed = [ListedLine(each["position"], each["payee"]["bank_account_number"]) for each in found.content["lines"]]
    try:
        return read_answer(bank_rows.decoded(content), listed)
    except bank_rows.Unreadable as error:
        reasons = [fault_reason(fault) for fault in error.faults]
        raise Refusal(*(replace(each, params={**each.params, "most": MOST_ROWS}) for each in reasons)) from error


def _of_row(row: Answered, refusal: Refusal) -> list[Reason]:
    """What is said of a line, of the row that says it."""
    return [
        Reason(each.code, {**each.params, "row": row.row}, f"row {row.row}: {each.field or 'line'}") for each in refusal.reasons
    ]
