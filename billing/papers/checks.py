"""Looking at the whole books because a person asks for it; the worker does it, for it reads every byte."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from billing.papers import chain, verifying
from billing.papers.check_models import BookCheck
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict
from config.kernel.invariants import files_unchanged
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import defer_once, is_unfinished

TASK = "billing.check_books"
ASKERS = (Role.FINANCE, Role.INSPECTOR, Role.OPERATOR)
#: The newest faults are enough to act on; how many there are in all is said beside them.
MOST_KEPT = 200


def ask(actor: Actor, now: datetime) -> BookCheck:
    """Queue a look at everything. Raises Forbidden, Conflict ``papers.check_under_way``."""
    actor.require(*ASKERS)

    def work() -> BookCheck:
        if is_unfinished(TASK):
            raise Conflict.of("papers.check_under_way")
        check = BookCheck.objects.create(asked_by_id=cast(int, actor.user_id), asked_at=now)
        if not defer_once(TASK, TASK, check_id=check.pk):
            raise Conflict.of("papers.check_under_way")
        audit.record(actor, "books.check", check, now)
        return check

    return transactions.run(work)


def work(check_id: int, now: datetime) -> None:
    """Do it; nothing when it is done."""
    if not BookCheck.objects.filter(pk=check_id, done_at__isnull=True).exists():
        return
    outcome = _outcome()
    BookCheck.objects.filter(pk=check_id, done_at__isnull=True).update(done_at=now, outcome=outcome)


def _outcome() -> dict[str, Any]:
    links, papers, stored = chain.verify(), verifying.verify(), files_unchanged()
    faults: list[list[Any]] = [[each.code, {"number": each.number, "detail": each.detail}] for each in links.faults]
    faults += [[each.code, {"kind": each.kind, "number": each.number, "part": each.part}] for each in papers.faults]
    faults += [["books.file", {"text": text}] for text in stored.violations]
    return {
        "seals": links.seals,
        "transfers": links.transfers,
        "unsealed": links.unsealed,
        "head": links.head,
        "papers": papers.papers,
        "files": stored.checked,
        "fault_count": len(faults),
        "faults": faults[:MOST_KEPT],
    }
