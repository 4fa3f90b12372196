"""Files (known by their SHA-256) that show more than one thing: with two claims, or for lines of one that are of two services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet

from billing.claims.models import Claim, ClaimEvidence, ClaimLine
from billing.claims.rules.checks import FileTwice
from billing.claims.rules.states import ENDS
from billing.claims.rules.totals import LineKind, Standing
from billing.ordering.models import CommissionSignature
from booking.queries.samples import latest_reports
from config.kernel.access import Actor, visible_to

#: What a file is of: a claim that it was added to, a sample job, or a commission sheet.
_Of = tuple[str, int]
_JOB, _ORDER = "award__charge__sample_job", "award__charge__reservation__commission__sheet"
_JOB_ORDER = f"{_JOB}__commission__sheet"


@dataclass(slots=True)
class _Place:
    """Where a file is: its name there, and the claims on which that stands with the positions of their lines (none: it was added)."""

    name: str
    claims: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))


def used_twice(claims: Sequence[Claim], lines: Sequence[ClaimLine]) -> dict[int, tuple[FileTwice, ...]]:
    """What of the files behind claims that have not ended is used twice, by claim; ``lines`` are those that count, their charges are
    loaded. What ended, was left out or replaced is no second use; neither is the report of a job, or the sheet of a service, that stands on
    two claims. Eight queries at most."""
    looked_at = {claim.pk for claim in claims}
    found: dict[int, list[FileTwice]] = defaultdict(list)
    for sha256, places in _places(_own_files(claims, lines)).items():
        for claim_id in sorted({pk for each in places for pk in each.claims} & looked_at):
            if (twice := _twice(claim_id, sha256, places)) is not None:
                found[claim_id].append(twice)
    return {pk: tuple(files) for pk, files in found.items()}


def named(actor: Actor, files: Iterable[FileTwice]) -> dict[int, str]:
    """The numbers of the other claims that the actor may read, by id; one query."""
    ids = {pk for each in files for pk in each.claims}
    rows = visible_to(Claim.objects.filter(pk__in=ids), actor) if ids else Claim.objects.none()
    return dict(rows.order_by("pk").values_list("pk", "number"))


def _twice(claim_id: int, sha256: str, places: Collection[_Place]) -> FileTwice | None:
    """Whether a file shows something else than this claim, or two things of it. Where it is the platform's own paper of a line on a claim,
    that it was added to that claim, too, says nothing more."""
    things = [each for each in places if any(each.claims.values())]
    shown = {pk for each in things for pk in each.claims}
    every = [*things, *(each for each in places if not any(each.claims.values()) and not shown & set(each.claims))]
    own = [each for each in every if claim_id in each.claims]
    others = {pk for each in every if claim_id not in each.claims for pk in each.claims}
    if not others and len(own) < 2:
        return None
    positions = {position for each in own for position in each.claims[claim_id]}
    return FileTwice(own[0].name, sha256, tuple(sorted(positions)), tuple(sorted(others)))


def _own_files(claims: Sequence[Claim], lines: Sequence[ClaimLine]) -> set[str]:
    """The SHA-256 of every file behind some claims."""
    jobs = {line.award.charge.sample_job_id for line in lines} - {None}
    booked = {line.award.charge.reservation_id for line in lines} - {None}
    found = set(ClaimEvidence.objects.filter(claim__in=claims).values_list("file__sha256", flat=True))
    if jobs:
        found.update(latest_reports().filter(job__in=jobs).values_list("file__sha256", flat=True))
    if jobs or booked:
        under = Q(sheet__reservations__reservation__in=booked) | Q(sheet__sample_jobs__sample_job__in=jobs)
        found.update(CommissionSignature.objects.filter(under).values_list("scan_sha256", flat=True))
    return found - {""}


def _places(hashes: Collection[str]) -> dict[str, list[_Place]]:
    """Where files are, by their SHA-256, on claims that have not ended."""
    if not hashes:
        return {}
    found: dict[str, dict[_Of, _Place]] = defaultdict(dict)
    added = ClaimEvidence.objects.filter(file__sha256__in=hashes).exclude(claim__state__in=ENDS)
    for sha256, name, claim_id in added.order_by("pk").values_list("file__sha256", "file__file_name", "claim_id"):
        found[sha256].setdefault(("claim", claim_id), _Place(name)).claims.setdefault(claim_id, set())
    for kind, rows in (
        ("job", _of_jobs(hashes)),
        ("sheet", _of_sheets(hashes, _ORDER)),
        ("sheet", _of_sheets(hashes, _JOB_ORDER)),
    ):
        for sha256, name, thing_id, claim_id, position in rows:
            found[sha256].setdefault((kind, thing_id), _Place(name)).claims[claim_id].add(position)
    return {sha256: list(by.values()) for sha256, by in found.items()}


def _counted() -> QuerySet[ClaimLine]:
    rows = ClaimLine.objects.filter(kind=LineKind.AWARD, standing=Standing.INCLUDED).exclude(claim__state__in=ENDS)
    return rows.order_by("pk")


def _of_jobs(hashes: Collection[str]) -> QuerySet[Any, Any]:
    report = f"{_JOB}__reports"
    rows = _counted().filter(**{f"{report}__file__sha256__in": hashes, f"{report}__in": latest_reports()})
    return rows.values_list(f"{report}__file__sha256", f"{report}__file__file_name", _JOB, "claim_id", "position")


def _of_sheets(hashes: Collection[str], sheet: str) -> QuerySet[Any, Any]:
    rows = _counted().filter(**{f"{sheet}__signatures__scan_sha256__in": hashes}).annotate(under=F(sheet))
    return rows.values_list(
        f"{sheet}__signatures__scan_sha256", f"{sheet}__signatures__scan__file_name", "under", "claim_id", "position"
    )
