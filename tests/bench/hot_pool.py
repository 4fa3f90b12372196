"""*pool*: one account that two processes promise money from and spend it, each movement in a transaction of its own.

``python -m tests.bench.hot_pool POOL PAYEE TIMES`` is one of the two: it waits for a line on its input, so that both begin together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

PROCESSES, TIMES, EACH_FEN = 2, 1_000, 7
GOAL = 300


def figures() -> list:  # type: ignore[type-arg]
    """Pairs of hold and post per second by the clock, and what a pair costs on a processor, database included."""
    from billing.ledger import services as ledger
    from billing.ledger.models import Account
    from billing.ledger.services import AccountSpec
    from tests.bench.harness import NOW, Figure

    count = PROCESSES * TIMES
    specs = [AccountSpec("bench:pool", "pool", 2 * count * EACH_FEN), AccountSpec("bench:payee", "awarded", None)]
    opened = ledger.open_accounts(specs, NOW)
    pool, payee = opened["bench:pool"], opened["bench:payee"]
    command = [sys.executable, "-m", "tests.bench.hot_pool", str(pool.pk), str(payee.pk), str(TIMES)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _place in range(PROCESSES)
    ]
    for each in workers:
        _said(each)
    began = time.perf_counter()
    for each in workers:
        _tell(each)
    busy = sum(float(_said(each)) for each in workers)
    took = time.perf_counter() - began
    for each in workers:
        each.communicate(timeout=20)
    found = Account.objects.get(pk=pool.pk)
    if (found.held_fen, found.posted_fen) != (0, count * EACH_FEN):
        raise RuntimeError(f"the pool holds {found.held_fen} fen and spent {found.posted_fen}")
    rate, needed = count / took, busy / count * 1000
    return [
        Figure("hold and post on one pool, 2 processes", rate, "pairs/s", f">= {GOAL}", rate >= GOAL),
        Figure("hold and post on one pool, CPU of both and the database", needed, "ms", "", True),
    ]


def _said(worker: subprocess.Popen[str]) -> str:
    if worker.stdout is None:
        raise RuntimeError("nothing is heard")
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"a process ended early: {worker.wait()}")
    return line


def _tell(worker: subprocess.Popen[str]) -> None:
    if worker.stdin is None:
        raise RuntimeError("nothing can be told")
    worker.stdin.write("go\n")
    worker.stdin.flush()


def main(pool_id: int, payee_id: int, times: int) -> None:
    """Hold and post so many times, once all others are ready; prints the seconds on a processor."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import transaction

    from billing.ledger import services as ledger
    from billing.ledger.models import Account, TransferKind
    from billing.ledger.services import Source
    from tests.bench.harness import NOW, took

    payee = Account.objects.get(pk=payee_id)

    def pair(number: int) -> None:
        source = Source("bench", os.getpid() * 1_000_000 + number, "bench")
        with transaction.atomic():
            ledger.hold({pool_id: EACH_FEN}, payee, source, NOW)
        with transaction.atomic():
            ledger.end_holds(ledger.open_holds(source.type, source.id), {pool_id: EACH_FEN}, source, NOW, TransferKind.VOID)

    for number in range(20):
        pair(number)
    print("ready", flush=True)
    sys.stdin.readline()
    print(took(lambda: [pair(number) for number in range(20, times)]).server, flush=True)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
