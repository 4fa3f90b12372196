"""The budgets of programmes as those see them who run them: what came in, is promised, is spent, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from billing.ledger.models import Account
from billing.subsidy.figure_models import CapFigure
from billing.subsidy.figures import cap_named
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.figures import settable, years_of
from billing.subsidy.rules.forecast import WINDOW_DAYS, Forecast, forecast, window_of
from billing.subsidy.rules.parts.caps import Cap, CapPer
from billing.subsidy.services import POOL, in_force, pool_spec, pools
from config.kernel.access import Actor, Role, visible_to

READERS = (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR)
MONTHS = 12
#: What was posted to payees and given back, by account and local month; and by account in the last days.
_MOVED = """
SELECT account_id, to_char(local_on, 'YYYY-MM'), sum(fen), sum(fen) FILTER (WHERE local_on > %(recent)s)
  FROM (SELECT debit_id AS account_id, (at AT TIME ZONE %(zone)s)::date AS local_on, amount_fen AS fen
          FROM billing_transfer WHERE debit_id = ANY(%(accounts)s) AND kind = 'post'
        UNION ALL
        SELECT credit_id, (at AT TIME ZONE %(zone)s)::date, -amount_fen
          FROM billing_transfer WHERE credit_id = ANY(%(accounts)s) AND kind = 'refund') moved
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """One pool of a published version, in fen. ``months`` are the last twelve local months with what was spent in each. Not ``limited``:
    nobody set a figure, so that nothing is left of one and nothing runs short."""

    version: ProgrammeVersion
    cap_id: str
    payer: str
    granted_fen: int
    held_fen: int
    posted_fen: int
    limited: bool
    months: tuple[tuple[str, int], ...]
    forecast: Forecast

    @property
    def left_fen(self) -> int:
        return self.granted_fen - self.held_fen - self.posted_fen


def budgets(actor: Actor, now: datetime) -> list[Budget]:
    """Every pool of every published version that has an account, by programme, the latest version first; one that goes on under a later
    version stands with that. Three queries."""
    actor.require(*READERS)
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    rows = visible_to(ProgrammeVersion.objects.filter(published_at__isnull=False), actor).select_related("programme")
    wanted: dict[str, tuple[ProgrammeVersion, Cap]] = {}
    for version in rows.defer("document").order_by("programme__code", "-valid"):
        for cap in pools(in_force(version.pk).programme):
            wanted.setdefault(pool_spec(version, cap).key, (version, cap))
    accounts = {each.key: each for each in visible_to(Account.objects.filter(kind=POOL, key__in=wanted), actor)} if wanted else {}
    moved = moved_by_month({each.pk: each.pk for each in accounts.values()}, today)
    return [
        _budget(version, cap.id, cap.payer, accounts[key], moved.get(accounts[key].pk, {}), today)
        for key, (version, cap) in wanted.items()
        if key in accounts
    ]


@dataclass(frozen=True, slots=True)
class OpenFigure:
    """A limit that a published version leaves to the administrator: for a ``year`` of a yearly one. ``history``: what was asked for it, the
    latest first."""

    version: ProgrammeVersion
    cap: Cap
    year: int | None
    history: tuple[CapFigure, ...]

    @property
    def set_fen(self) -> int | None:
        """The figure that counts, as far as one was set."""
        return next((each.limit_fen for each in self._set()), None)

    @property
    def waiting(self) -> tuple[CapFigure, ...]:
        """What a second person has not decided."""
        return tuple(each for each in self.history if each.state == CapFigure.State.ASKED)

    def _set(self) -> list[CapFigure]:
        done = [each for each in self.history if each.state == CapFigure.State.SET]
        return sorted(done, key=lambda each: (each.decided_at, each.pk), reverse=True)


def figures(actor: Actor, now: datetime) -> list[OpenFigure]:
    """The limits whose figure may be set, of published versions that have not ended, by programme; two queries."""
    actor.require(*READERS)
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    rows = visible_to(ProgrammeVersion.objects.filter(published_at__isnull=False, valid__endswith__gt=today), actor)
    versions = list(rows.select_related("programme").defer("document").order_by("programme__code", "-valid"))
    asked = visible_to(CapFigure.objects.filter(version__programme__in={each.programme_id for each in versions}), actor)
    history: dict[tuple[int, str, int | None], list[CapFigure]] = {}
    for each in asked.select_related("version__programme", "asked_by", "decided_by").order_by("-pk"):
        history.setdefault((each.version.programme_id, each.cap_id, each.year), []).append(each)
    found: list[OpenFigure] = []
    seen: set[object] = set()
    for version in versions:
        programme = in_force(version.pk).programme
        for cap in settable(programme):
            for year in years_of(programme, cap):
                # Versions of one year share its accounts, and with them the figure; a pool may go on under a later one.
                key = pool_spec(version, cap).key if cap.per is CapPer.POOL else (version.programme_id, cap.id, year)
                if key not in seen:
                    seen.add(key)
                    own = history.get((version.programme_id, cap.id, year), [])
                    if cap.per is CapPer.POOL:
                        own = [each for each in own if pool_spec(each.version, cap_named(each.version, cap.id)).key == key]
                    found.append(OpenFigure(version, cap, year, tuple(own)))
    return found


def moved_by_month(accounts: Mapping[int, int], today: date) -> dict[int, dict[str, tuple[int, int]]]:
    """What was spent from accounts (by id, with what each counts for), and what of it in the last days: by what it counts for and month;
    one query, none without accounts."""
    if not accounts:
        return {}
    values: dict[str, Any] = {
        "accounts": list(accounts),
        "zone": settings.TIME_ZONE,
        "recent": today - timedelta(days=WINDOW_DAYS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, values)
        found: dict[int, dict[str, tuple[int, int]]] = {}
        for account, month, fen, recent in cursor.fetchall():
            of = found.setdefault(accounts[account], {})
            before = of.get(month, (0, 0))
            of[month] = (before[0] + int(fen), before[1] + int(recent or 0))
    return found


def _budget(
    version: ProgrammeVersion, cap_id: str, payer: str, account: Account, moved: Mapping[str, tuple[int, int]], today: date
) -> Budget:
    began = max(version.valid.lower, account.created_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date())
    return Budget(
        version=version,
        cap_id=cap_id,
        payer=payer,
        granted_fen=account.granted_fen,
        held_fen=account.held_fen,
        posted_fen=account.posted_fen,
        limited=account.limited,
        months=tuple((month, moved.get(month, (0, 0))[0]) for month in last_months(today)),
        forecast=forecast(
            granted_fen=account.granted_fen,
            posted_fen=account.posted_fen,
            held_fen=account.held_fen,
            recent_fen=sum(recent for _fen, recent in moved.values()),
            window_days=window_of(today, min(began, today)),
            today=today,
            last_day=version.last_on,
        ),
    )


def last_months(today: date) -> list[str]:
    """The last twelve months as YYYY-MM, this one at the end."""
    index = today.year * 12 + today.month - 1
    return [f"{each // 12:04d}-{each % 12 + 1:02d}" for each in range(index - MONTHS + 1, index + 1)]
