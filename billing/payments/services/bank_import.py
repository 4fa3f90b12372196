"""Taking a bank's list of movements in: whole or not at all, and nothing twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.models import BankStatement, Method, Payment
from billing.payments.rules import bank_rows
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit, files, transactions
from instruments.models import Organisation

NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """The statement, and whether the very same file had been taken in before."""

    statement: BankStatement
    known: bool


def import_statement(actor: Actor, owner_id: int, content: bytes, file_name: str, now: datetime, *, layout: str = "") -> Taken:
    """Take in every row of money that came in and was not taken in before, from this file or another.

    ``layout``: a code of ``bank_rows.LAYOUTS``, empty: the first that fits. Raises Forbidden, NotFound, and Refusal with a reason for
    *every* fault of the file (``bank.*``, field = ``row 12: date``); nothing is taken in then.
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
        return Taken(_take(actor, owner_id, content, sha256, file_name, read, now), False)

    return transactions.run(work)


def _take(
    actor: Actor, owner_id: int, content: bytes, sha256: str, file_name: str, read: bank_rows.Read, now: datetime
) -> BankStatement:
    marks = [row.fingerprint for row in read.incoming]
    known = set(Payment.objects.filter(owner_id=owner_id, fingerprint__in=marks).values_list("fingerprint", flat=True))
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
