"""What must always be true of the stored rows, as named checks that read and never write.

Each app registers its own in ``<app>/invariants.py``. ``manage.py check_invariants`` runs all of them in one snapshot, a job those of
bookings each hour, one after the other, for the health page.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.db import connection, transaction

from config.kernel import installed_guards
from config.kernel.models import StoredFile

MOST_SHOWN = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """How many things were looked at, and a sentence for each that is wrong."""

    checked: int
    violations: tuple[str, ...] = ()


Invariant = Callable[[], Finding]
_registered: dict[str, Invariant] = {}


def register(name: str, invariant: Invariant) -> None:
    """Add an invariant under a dotted name; once, at start-up."""
    if name in _registered:
        raise RuntimeError(f"the invariant {name} is registered twice")
    _registered[name] = invariant


def registered() -> dict[str, Invariant]:
    """All invariants by name."""
    return dict(sorted(_registered.items()))


def register_sql(name: str, *, counted: str, violations: str) -> None:
    """Add an invariant as two queries: how many rows are looked at, and one text for each that is wrong."""
    register(name, lambda: _ask(counted, violations))


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Read-only and repeatable, when the transaction is ours alone (a test's outer transaction keeps its own level)."""
    with transaction.atomic():
        if len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def check(*parts: str) -> tuple[int, dict[str, int]]:
    """Ask all invariants whose names begin with one of ``parts``: how many things were looked at, and how many are wrong by name. What is
    wrong goes into the log.

    Each has a snapshot of its own, so that beside people at work the database keeps old rows as long as one of them takes, not all.
    """
    looked_at, broken = 0, {}
    for name, invariant in registered().items():
        if not name.startswith(parts):
            continue
        with one_snapshot():
            finding = invariant()
        looked_at += finding.checked
        if finding.violations:
            broken[name] = len(finding.violations)
            _log.error("%s: %s", name, "; ".join(finding.violations[:MOST_SHOWN]))
    return looked_at, broken


def _ask(counted: str, violations: str) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(counted)
        (count,) = cursor.fetchone()
        cursor.execute(violations)
        return Finding(int(count), tuple(str(row[0]) for row in cursor.fetchall()))


def guards_installed() -> Finding:
    """Every constraint and trigger that the code counts on is there, validated and switched on."""
    return Finding(installed_guards.expected_count(), tuple(installed_guards.missing_guards()))


def files_unchanged() -> Finding:
    """Every stored file is there and its bytes are those that were stored."""
    contents = StoredFile.objects.order_by("path").values_list("path", "sha256", "size_bytes").distinct()
    wrong = []
    for path, sha256, size in contents:
        if not default_storage.exists(path):
            wrong.append(f"file {path} is missing")
            continue
        digest, length = hashlib.sha256(), 0
        with default_storage.open(path) as handle:
            for chunk in handle.chunks():
                digest.update(chunk)
                length += len(chunk)
        if digest.hexdigest() != sha256 or length != size:
            wrong.append(f"file {path} is not what was stored")
    return Finding(len(contents), tuple(wrong))


register("kernel.guards_installed", guards_installed)
register("kernel.files_unchanged", files_unchanged)
register_sql(
    "kernel.idempotency_once",
    counted="SELECT count(*) FROM kernel_idempotencyrecord",
    violations="""
        SELECT format('idempotency key %s of actor %s on %s has no result', key, actor_id, route)
          FROM kernel_idempotencyrecord WHERE result IS NULL""",
)
