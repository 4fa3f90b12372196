"""Writing to limited accounts: grants, holds and their one end. Every function is part of the caller's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, connection
from django.db.models import F

from billing.ledger.models import Account, Transfer, TransferKind
from config.kernel.copying import copy_in
from config.kernel.errors import Conflict, Refusal
from config.kernel.services.transactions import constraint_name
from config.kernel.statements import planned_once

OVERSPENT = "account_never_overspent"
ONLY_OPEN = "transfer_only_open"


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account that is opened when first needed. ``limit_fen`` is granted at opening (None: an unlimited account). ``set_fen``: the limit
    that somebody set for it and that counts before it is there, too; ``at_opening`` says the limit anew where it is opened."""

    key: str
    kind: str
    limit_fen: int | None
    programme_id: int | None = None
    organisation_id: int | None = None
    set_fen: int | None = None
    at_opening: Callable[[], int | None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Source:
    """What a movement is for: its cause, reason code, programme version and who did it."""

    type: str
    id: int
    reason: str
    programme_version_id: int | None = None
    actor_id: int | None = None


def open_accounts(specs: Iterable[AccountSpec], now: datetime) -> dict[str, Account]:
    """The accounts by key; missing ones are opened, a limited one with its limit granted. Does not lock."""
    wanted = {spec.key: spec for spec in specs}
    found = known(wanted)
    missing = [spec for key, spec in wanted.items() if key not in found]
    if missing:
        _open(missing, now)
        found = known(wanted)
    return found


_COLUMNS = tuple(field.attname for field in Account._meta.concrete_fields)
_ACCOUNTS = f"SELECT {', '.join(_COLUMNS)} FROM billing_account WHERE"  # noqa: S608  (names of our own fields)


def known(keys: Iterable[str]) -> dict[str, Account]:
    """Those of these accounts that are open, by key; nothing is locked."""
    return _read(f"{_ACCOUNTS} key = ANY(%s)", list(keys))


def _read(statement: str, wanted: list[str] | list[int]) -> dict[str, Account]:
    """Accounts by key. Worded by hand: every move of money reads a few, and the ORM takes longer to say so than the database to
    answer."""
    if not wanted:
        return {}
    with planned_once() as cursor:
        cursor.execute(statement, [wanted])
        rows = [Account.from_db("default", _COLUMNS, row) for row in cursor.fetchall()]
    return {account.key: account for account in rows}


def _open(specs: list[AccountSpec], now: datetime) -> None:
    """Insert what is missing; of two that open the same account at once one waits for the other and finds it there."""
    for spec in sorted(specs, key=lambda one: one.key):
        limit_fen = spec.limit_fen if spec.at_opening is None else spec.at_opening()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO billing_account (key, kind, limited, programme_id, organisation_id, granted_fen, held_fen, posted_fen,"
                " created_at) VALUES (%s, %s, %s, %s, %s, 0, 0, 0, %s) ON CONFLICT (key) DO NOTHING RETURNING id",
                [spec.key, spec.kind, limit_fen is not None, spec.programme_id, spec.organisation_id, now],
            )
            opened = cursor.fetchone()
        if opened is not None and limit_fen:
            account = Account.objects.get(pk=opened[0])
            source = Source("account", account.pk, "limit", None, None)
            grant(_counter_account(spec, now), account, limit_fen, source, now)


def _counter_account(spec: AccountSpec, now: datetime) -> Account:
    key = f"limits:{spec.kind}"
    return open_accounts([AccountSpec(key, "limits", None)], now)[key]


def grant(funder: Account, account: Account, amount_fen: int, source: Source, now: datetime) -> None:
    """Move money into a limited account; a limited funder (the quota that vouchers come from) has it no longer.

    Raises Refusal ``ledger.amount_not_positive``, ``ledger.closed``, Conflict ``ledger.not_enough_left`` (needed_fen, left_fen).
    """
    if amount_fen <= 0:
        raise Refusal.of("ledger.amount_not_positive", field="amount")
    _take_granted(funder, amount_fen)
    try:
        Transfer.objects.create(**_row(TransferKind.GRANT, funder.pk, account.pk, amount_fen, source, now))
    except IntegrityError as error:
        if constraint_name(error) != ONLY_OPEN:
            raise
        raise Refusal.of("ledger.closed") from error
    Account.objects.filter(pk=account.pk).update(granted_fen=F("granted_fen") + amount_fen)


def _take_granted(account: Account, amount_fen: int) -> None:
    """Take what is left of a limited account off it. Raises Conflict ``ledger.not_enough_left`` (CHECK has the last word)."""
    if not account.limited:
        return
    rows = Account.objects.filter(pk=account.pk, granted_fen__gte=F("held_fen") + F("posted_fen") + amount_fen)
    if rows.update(granted_fen=F("granted_fen") - amount_fen) != 1:
        raise _too_little(amount_fen, Account.objects.get(pk=account.pk).left_fen)


def _too_little(needed_fen: int, left_fen: int | None) -> Refusal:
    return Conflict.of("ledger.not_enough_left", needed_fen=needed_fen, left_fen=left_fen)


def return_rest(account: Account, source: Source, now: datetime) -> int:
    """Give all that is left of a locked limited account back to where it came from; how much that was (fen)."""
    rest = account.left_fen
    if not account.limited or rest <= 0:
        return 0
    home = account.returns_to or _counter_account(AccountSpec(account.key, account.kind, None), now)
    _take_granted(account, rest)
    Transfer.objects.create(**_row(TransferKind.REVERSE, account.pk, home.pk, rest, source, now))
    if home.limited:
        Account.objects.filter(pk=home.pk).update(granted_fen=F("granted_fen") + rest)
    return rest


def withdraw(account: Account, home: AccountSpec, amount_fen: int, source: Source, now: datetime) -> None:
    """Give a part of what is left of a limited account back to the unlimited ``home``.

    Raises Refusal ``ledger.amount_not_positive``, Conflict ``ledger.not_enough_left``.
    """
    if amount_fen <= 0:
        raise Refusal.of("ledger.amount_not_positive", field="amount")
    _take_granted(account, amount_fen)
    to = open_accounts([home], now)[home.key]
    Transfer.objects.create(**_row(TransferKind.REVERSE, account.pk, to.pk, amount_fen, source, now))


def set_limit(account: Account, limit_fen: int | None, source: Source, now: datetime) -> None:
    """Give a locked account another limit, at least what is held and spent on it (None: no limit). The difference is a movement of
    its own: granted, or taken back."""
    if limit_fen is None:
        Account.objects.filter(pk=account.pk).update(limited=False)
        return
    counter = _counter_account(AccountSpec(account.key, account.kind, None), now)
    more = limit_fen - account.granted_fen
    if more > 0:
        Transfer.objects.create(**_row(TransferKind.GRANT, counter.pk, account.pk, more, source, now))
    elif more < 0:
        Transfer.objects.create(**_row(TransferKind.REVERSE, account.pk, counter.pk, -more, source, now))
    Account.objects.filter(pk=account.pk).update(limited=True, granted_fen=limit_fen)


def lock(accounts: Iterable[Account]) -> dict[str, Account]:
    """The accounts by key, locked in id order and re-read."""
    return _locked({account.pk for account in accounts})


def _locked(ids: Iterable[int]) -> dict[str, Account]:
    return _read(f"{_ACCOUNTS} id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", sorted(ids))


class Promise(NamedTuple):
    """What is promised for one cause: ``draws`` (account id -> fen) to a payee."""

    draws: Mapping[int, int]
    payee: Account
    source: Source


_HOLD = """
UPDATE billing_account SET held_fen = held_fen + wanted.fen
  FROM unnest(%(ids)s::bigint[], %(fen)s::bigint[]) AS wanted (account, fen)
 WHERE id = wanted.account AND state = 'open' AND (NOT limited OR granted_fen >= held_fen + posted_fen + wanted.fen)
RETURNING id
"""


def hold(draws: Mapping[int, int], payee: Account, source: Source, now: datetime) -> None:
    """``hold_all`` for one cause."""
    hold_all([Promise(draws, payee, source)], now)


def hold_all(promises: Iterable[Promise], now: datetime) -> None:
    """Promise all of these or none; an unlimited account promises whatever is asked. Several accounts are locked already, so that nobody
    waits for them in another order. Two statements.

    Raises Conflict ``ledger.not_enough_left`` (needed_fen, left_fen: of the first account by id that has less left; where the database's
    CHECK has the last word nothing more can be read, and left_fen is None).
    """
    wanted: dict[int, int] = {}
    rows = []
    for draws, payee, source in promises:
        for pk, amount in sorted(draws.items()):
            if amount > 0:
                wanted[pk] = wanted.get(pk, 0) + amount
                rows.append(_row(TransferKind.HOLD, pk, payee.pk, amount, source, now))
    if not wanted:
        return
    try:
        with planned_once() as cursor:
            cursor.execute(_HOLD, {"ids": list(wanted), "fen": list(wanted.values())})
            moved = {pk for (pk,) in cursor.fetchall()}
    except IntegrityError as error:
        if constraint_name(error) != OVERSPENT:
            raise
        raise _too_little(sum(wanted.values()), None) from error
    if short := sorted(wanted.keys() - moved):
        raise _too_little(wanted[short[0]], Account.objects.get(pk=short[0]).promisable_fen)
    _write(rows)


def held_accounts(source_type: str, source_id: int) -> list[int]:
    """The ids of the accounts on which one cause holds something; nothing is locked."""
    rows = Transfer.objects.filter(source_type=source_type, source_id=source_id, kind=TransferKind.HOLD, ends__isnull=True)
    return sorted(set(rows.values_list("debit_id", flat=True)))


class Held(NamedTuple):
    """A hold that has not ended, as it was read with its account, which is locked."""

    pk: int
    debit_id: int
    credit_id: int
    amount_fen: int
    programme_version_id: int | None
    debit: Account


Pending = Held | Transfer
"""A hold to be ended."""

_OPEN_HOLDS = f"""
SELECT t.source_id, t.id, t.debit_id, t.credit_id, t.amount_fen, t.programme_version_id
  FROM billing_transfer t
 WHERE t.source_type = %s AND t.source_id = ANY(%s::bigint[]) AND t.kind = '{TransferKind.HOLD}'
   AND NOT EXISTS (SELECT FROM billing_transfer ended WHERE ended.hold_id = t.id)
 ORDER BY t.debit_id, t.id
"""  # noqa: S608  (a constant of our own)


def open_holds(source_type: str, source_id: int) -> list[Held]:
    """The holds of one cause that have not ended, in account order, their accounts locked."""
    return open_holds_of(source_type, [source_id]).get(source_id, [])


def open_holds_of(source_type: str, source_ids: Iterable[int], beside: Iterable[Account] = ()) -> dict[int, list[Held]]:
    """``open_holds`` of many causes by their ids; all accounts, and those ``beside`` them, are locked in id order. Causes that hold nothing
    are left out."""
    with planned_once() as cursor:
        cursor.execute(_OPEN_HOLDS, [source_type, list(source_ids)])
        rows = cursor.fetchall()
    accounts = {account.pk: account for account in _locked({row[2] for row in rows} | {one.pk for one in beside}).values()}
    found: dict[int, list[Held]] = {}
    for source_id, *hold in rows:
        found.setdefault(source_id, []).append(Held._make([*hold, accounts[hold[1]]]))
    return found


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a hold, to be written: ``due_fen`` of it is posted; nil: all of it goes back, by ``kind``."""

    pending: Pending
    due_fen: int
    source: Source
    kind: TransferKind


def ends_of(holds: Iterable[Pending], due: Mapping[int, int], source: Source, kind: TransferKind) -> list[Ended]:
    """The one end of each hold; nothing is written. ``due`` maps account id -> fen; an account without an entry, or with nil, is voided
    (or expired, by ``kind``).

    Raises Refusal ``ledger.more_than_held``.
    """
    ends = []
    for pending in holds:
        amount = due.get(pending.debit_id, 0)
        if amount > pending.amount_fen:
            raise Refusal.of("ledger.more_than_held", held_fen=pending.amount_fen, due_fen=amount)
        ends.append(Ended(pending, amount, source, kind))
    return ends


_END_HOLDS = """
UPDATE billing_account a SET held_fen = a.held_fen - d.held, posted_fen = a.posted_fen + d.posted
  FROM unnest(%(ids)s::bigint[], %(held)s::bigint[], %(posted)s::bigint[]) AS d (id, held, posted) WHERE a.id = d.id
"""


def write_ends(ends: Sequence[Ended], now: datetime) -> None:
    """Post what is due and give the rest back, on accounts that are locked; however many, in two statements."""
    if not ends:
        return
    held: Counter[int] = Counter()
    posted: Counter[int] = Counter()
    rows = []
    for one in ends:
        pending = one.pending
        held[pending.debit_id] += pending.amount_fen
        posted[pending.debit_id] += one.due_fen
        kind, amount = (TransferKind.POST, one.due_fen) if one.due_fen else (one.kind, pending.amount_fen)
        row = _row(kind, pending.debit_id, pending.credit_id, amount, one.source, now)
        rows.append(row | {"hold_id": pending.pk})
    ids = sorted(held)
    with planned_once() as cursor:
        cursor.execute(_END_HOLDS, {"ids": ids, "held": [held[pk] for pk in ids], "posted": [posted[pk] for pk in ids]})
    _write(rows)


def end_holds(holds: Iterable[Pending], due: Mapping[int, int], source: Source, now: datetime, kind: TransferKind) -> None:
    """``ends_of`` the holds, written. Raises Refusal ``ledger.more_than_held``."""
    write_ends(ends_of(holds, due, source, kind), now)


_GIVE_BACK = "UPDATE billing_account SET posted_fen = posted_fen - %(amount)s WHERE id = %(id)s AND posted_fen >= %(amount)s"


def give_back(account: Account, payee: Account, amount_fen: int, source: Source, now: datetime) -> None:
    """Return to a locked account a part of what it had paid to ``payee``.

    Raises Refusal ``ledger.amount_not_positive``, ``ledger.more_than_paid``.
    """
    if amount_fen <= 0:
        raise Refusal.of("ledger.amount_not_positive", field="amount")
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {"id": account.pk, "amount": amount_fen})
        if cursor.rowcount != 1:
            raise Refusal.of("ledger.more_than_paid", paid_fen=account.posted_fen, back_fen=amount_fen)
    _write([_row(TransferKind.REFUND, payee.pk, account.pk, amount_fen, source, now)])


def move(debit: AccountSpec, credit: AccountSpec, amount_fen: int, source: Source, now: datetime) -> None:
    """One movement between two accounts without a limit, which are opened where they are new.

    Raises Refusal ``ledger.amount_not_positive``; ValueError for a limited account, whose money is held first.
    """
    if amount_fen <= 0:
        raise Refusal.of("ledger.amount_not_positive", field="amount")
    accounts = open_accounts([debit, credit], now)
    if any(account.limited for account in accounts.values()):
        raise ValueError("the money of a limited account is held first")
    _write([_row(TransferKind.MOVE, accounts[debit.key].pk, accounts[credit.key].pk, amount_fen, source, now)])


_TRANSFERRED = {
    "kind": "text", "debit_id": "bigint", "credit_id": "bigint", "amount_fen": "bigint", "source_type": "text", "source_id": "bigint",
    "reason": "text", "programme_version_id": "bigint", "actor_id": "bigint", "at": "timestamptz", "hold_id": "bigint",
}  # fmt: skip
_TRANSFERS = f"""
INSERT INTO billing_transfer ({", ".join(_TRANSFERRED)})
SELECT {", ".join(_TRANSFERRED)} FROM unnest({", ".join(f"%s::{kind}[]" for kind in _TRANSFERRED.values())})
       WITH ORDINALITY AS moved ({", ".join(_TRANSFERRED)}, place) ORDER BY place
"""  # noqa: S608  (names of our own fields)


_COPY_TRANSFERS = f"COPY billing_transfer ({', '.join(_TRANSFERRED)}) FROM STDIN"
_A_LOT = 40
"""From so many on COPY is quicker than one statement; for a few it would be one round trip more."""


def _write(rows: Sequence[Mapping[str, Any]]) -> None:
    """Transfers (``_row``, with the ``hold_id`` of the hold that one ends), in their order, in one statement for any number of them."""
    if not rows:
        return
    if len(rows) >= _A_LOT:
        copy_in(_COPY_TRANSFERS, ([row.get(name) for name in _TRANSFERRED] for row in rows))
        return
    with planned_once() as cursor:
        cursor.execute(_TRANSFERS, [[row.get(name) for row in rows] for name in _TRANSFERRED])


def _row(kind: TransferKind, debit_id: int, credit_id: int, amount_fen: int, source: Source, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "debit_id": debit_id,
        "credit_id": credit_id,
        "amount_fen": amount_fen,
        "source_type": source.type,
        "source_id": source.id,
        "reason": source.reason,
        "programme_version_id": source.programme_version_id,
        "actor_id": source.actor_id,
        "at": now,
    }
