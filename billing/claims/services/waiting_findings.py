"""Telling the offices what inspectors found to be paid too much and nobody has answered, and no longer what was answered. Compared, not
reacted to, as payment lists are (``waiting_lists``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from billing.claims import findings
from billing.claims.models import Claim
from billing.claims.notices import FINDING
from billing.claims.services.office import OFFICE
from billing.claims.services.telling import People, Who, bring, open_notices
from config.kernel.services.parking import each_parked
from instruments.services.notices import News
from instruments.services.settling import settle_these

#: Claim and claim of a sample.
Key = tuple[int, int]


def tell_of(claim: Claim, now: datetime) -> int:
    """Bring what people were told of the findings of a locked claim in line with those that wait; returns how many were told. Call it
    inside the transaction of the change."""
    rows = list(findings.waiting().filter(item__claim=claim))
    told, wanted = _told([claim.pk]), _wanted(rows, now)
    settle_these([pk for key, own in told.items() if key not in wanted for pk in own.values()], now)
    return sum(bring(told.get(_key(row), {}), wanted[_key(row)], _news(row), now) for row in rows)


def tell_due(now: datetime) -> int:
    """The same of every claim; returns of how many somebody was told. Safe to repeat: where everybody is told, it is a handful of
    queries."""
    told = _told()  # before the findings: of one made in between nothing was told that would seem to be of none
    wanted = _wanted(list(findings.waiting()), now)
    settle_these([pk for key, own in told.items() if key not in wanted for pk in own.values()], now)
    due = sorted({key[0] for key, people in wanted.items() if people != told.get(key, {}).keys()})
    return each_parked(due, lambda pk: _again(pk, now), "notice of a finding")


def _again(claim_id: int, now: datetime) -> int:
    """With the claim locked and everything asked again: it may have been answered in between."""
    return tell_of(Claim.objects.select_for_update(no_key=True).get(pk=claim_id), now)


def _key(finding: Any) -> Key:
    return finding.item.claim_id, finding.item_id


def _wanted(rows: Sequence[Any], now: datetime) -> dict[Key, frozenset[Who]]:
    """Whom findings that wait are to ask: whoever may answer them."""
    known = People({row.item.claim.batch.programme.issuer_id for row in rows}, now)
    return {
        _key(row): frozenset(
            one.who for one in known.at(row.item.claim.batch.programme.issuer_id, OFFICE) if findings.is_apart(row, one.people)
        )
        for row in rows
    }


def _told(claim_ids: Collection[int] | None = None) -> dict[Key, dict[Who, int]]:
    return open_notices(Claim, (FINDING,), _key_of, claim_ids)


def _key_of(event: str, claim_id: str, params: Mapping[str, Any]) -> Key:
    return int(claim_id), params["item"]


def _news(finding: Any) -> News:
    claim = finding.item.claim
    params = {
        "item": finding.item_id,
        "number": claim.number,
        "programme": claim.batch.programme.code,
        "total_fen": finding.due_fen,
        "reason": finding.reason,
    }
    return News(FINDING, params, f"/claims/{claim.pk}/", claim)
