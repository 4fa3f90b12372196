"""Reads about programmes that pages and API share; what an actor may see is applied here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from billing.ledger.models import Account
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.examples import ExampleResult, run_example
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.programme import Programme, read_programme
from billing.subsidy.services import POOL, in_force, pool_spec, pools
from config.kernel.access import Actor, visible_to
from config.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version with its compiled programme. ``state``: draft, future, current or ended."""

    version: ProgrammeVersion
    programme: Programme
    state: str


@dataclass(frozen=True, slots=True)
class PoolLeft:
    """A budget of a programme, in fen: what came in, what is promised, what is spent. ``payer`` is empty for a joint one; ``limited``:
    there is a figure that it is kept to."""

    cap_id: str
    payer: str
    granted_fen: int
    held_fen: int
    posted_fen: int
    limited: bool = True

    @property
    def left_fen(self) -> int:
        return self.granted_fen - self.held_fen - self.posted_fen


def programmes_visible(actor: Actor, on: date) -> list[KnownVersion]:
    """Of every programme the version that is in force on a date, else the latest one, by code; in one query."""
    rows = visible_to(ProgrammeVersion.objects.all(), actor).select_related("programme").order_by("programme__code", "valid")
    chosen: dict[str, KnownVersion] = {}
    for version in rows:
        known = KnownVersion(version, _compiled(version), _state(version, on))
        before = chosen.get(version.programme.code)
        if before is None or before.state != "current":
            chosen[version.programme.code] = known
    return list(chosen.values())


def programme_versions(actor: Actor, code: str, on: date) -> list[KnownVersion]:
    """Every visible version of a programme, the latest first. Raises NotFound."""
    rows = visible_to(ProgrammeVersion.objects.filter(programme__code=code), actor).select_related("programme")
    found = [KnownVersion(version, _compiled(version), _state(version, on)) for version in rows.order_by("-valid", "-pk")]
    if not found:
        raise NotFound.of("access.not_found", model="programme")
    return found


def pools_of(actor: Actor, known: list[KnownVersion]) -> Mapping[int, list[PoolLeft]]:
    """The budgets by version id, in one query however many versions; a budget without an account is left out."""
    wanted: dict[str, list[tuple[int, Cap]]] = {}
    for each in known:
        for cap in pools(each.programme):
            wanted.setdefault(pool_spec(each.version, cap).key, []).append((each.version.pk, cap))
    accounts = visible_to(Account.objects.filter(kind=POOL, key__in=wanted), actor) if wanted else ()
    found: dict[int, list[PoolLeft]] = {}
    for account in accounts:
        for version_id, cap in wanted[account.key]:
            row = PoolLeft(cap.id, cap.payer, account.granted_fen, account.held_fen, account.posted_fen, account.limited)
            found.setdefault(version_id, []).append(row)
    return found


def worked_examples(version: ProgrammeVersion) -> tuple[ExampleResult, ...]:
    """The document's examples with what came out."""
    return _examples(_compiled(version)) if version.published_at is None else published_examples(version.pk)


@lru_cache(maxsize=128)
def published_examples(version_id: int) -> tuple[ExampleResult, ...]:
    """A published version never changes, so its examples are worked once per process."""
    return _examples(in_force(version_id).programme)


def _examples(programme: Programme) -> tuple[ExampleResult, ...]:
    return tuple(run_example(programme, example) for example in programme.document["examples"])


def _compiled(version: ProgrammeVersion) -> Programme:
    """A published version never changes, so it is compiled once per process; a draft may."""
    return read_programme(version.document) if version.published_at is None else in_force(version.pk).programme


def _state(version: ProgrammeVersion, on: date) -> str:
    if version.published_at is None:
        return "draft"
    if on < version.valid.lower:
        return "future"
    return "current" if on < version.valid.upper else "ended"
