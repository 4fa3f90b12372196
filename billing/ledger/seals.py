"""Sealing transfers into the chain in batches, and looking whether what was sealed is still what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from billing.ledger.models import LedgerSeal, Transfer
from billing.ledger.rules.chain import FIRST, Link, Movement, link, strays
from config.kernel.services.transactions import run

BATCH = 5_000
PATIENCE_MS = 200
"""Writers wait behind a lock that waits; a long import is waited for at the next run."""
_COLUMNS = tuple(Movement.__slots__)
_ONE_SEALER = 0x6C656467  # advisory lock: a chain has one end


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one seal. ``code`` names the sentence (``billing.messages``)."""

    code: str
    number: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome of a look at the whole chain. ``head`` is the newest link; ``unsealed`` transfers came after it."""

    seals: int
    transfers: int
    unsealed: int
    head: str
    faults: tuple[Fault, ...]


def seal_due(now: datetime, batch: int = BATCH) -> int:
    """Seal every transfer that is not sealed yet, in links of at most ``batch``; how many transfers that were.

    The table is locked against writers only until the last id is known: a transfer takes its id while it holds the table, so after
    the lock none with a lower id can appear. Raises Busy when writers leave no gap in time.
    """
    last = _last_id()
    sealed = 0
    while count := run(lambda: _seal_one(last, batch, now)):
        sealed += count
    return sealed


def _last_id() -> int:
    def work() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_MS}ms'")
            cursor.execute("LOCK TABLE billing_transfer IN SHARE MODE")
            cursor.execute("SELECT coalesce(max(id), 0) FROM billing_transfer")
            return int(cursor.fetchone()[0])

    return run(work)


def _seal_one(last_id: int, batch: int, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_SEALER])
    head = LedgerSeal.objects.order_by("-number").first()
    rows = Transfer.objects.filter(pk__gt=head.last_id if head else 0, pk__lte=last_id).order_by("pk")
    movements = [Movement(*row) for row in rows.values_list(*_COLUMNS)[:batch]]
    if not movements:
        return 0
    previous = head.sha256 if head else FIRST
    made = link(previous, movements)
    LedgerSeal.objects.create(
        number=head.number + 1 if head else 1,
        first_id=movements[0].id,
        last_id=movements[-1].id,
        count=len(movements),
        previous_sha256=previous,
        sha256=made.sha256,
        marks=made.marks,
        sealed_at=now,
    )
    return len(movements)


def verify(known: Collection[str] = ()) -> Verified:
    """Compute every link anew from the transfers as they are, in one snapshot. ``known``: links that were noted elsewhere before; a chain
    without one of them was cut or written anew."""
    if connection.in_atomic_block:
        return _verify(known)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _verify(known)


def _verify(known: Collection[str]) -> Verified:
    faults: list[Fault] = []
    previous, after, seals, transfers = FIRST, 0, 0, 0
    heads = {FIRST}
    for seal in LedgerSeal.objects.order_by("number").iterator(chunk_size=50):
        seals += 1
        faults += _faults_of(seal, seals, previous, after)
        previous, after = seal.sha256, seal.last_id
        transfers += seal.count
        heads.add(seal.sha256)
    faults += [Fault("ledger.seal_head_unknown", seals, head[:64]) for head in sorted(set(known) - heads)]
    return Verified(seals, transfers, Transfer.objects.filter(pk__gt=after).count(), previous, tuple(faults))


def _faults_of(seal: LedgerSeal, place: int, previous: str, after: int) -> Iterator[Fault]:
    if seal.number != place or seal.previous_sha256 != previous:
        yield Fault("ledger.seal_chain_broken", seal.number)
    rows = Transfer.objects.filter(pk__gt=after, pk__lte=seal.last_id).order_by("pk").values_list(*_COLUMNS)
    movements = [Movement(*row) for row in rows]
    made: Link = link(seal.previous_sha256, movements)
    if made.sha256 == seal.sha256:
        return
    found = strays(bytes(seal.marks), movements)
    for changed in found.changed:
        yield Fault("ledger.seal_transfer_changed", seal.number, str(changed))
    if found.missing:
        yield Fault("ledger.seal_transfers_missing", seal.number, str(found.missing))
    if not found.changed and not found.missing:
        yield Fault("ledger.seal_differs", seal.number)
