"""What the platform has itself of what a programme asks to see: commission sheets that both sides signed, and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billing.claims.models import ClaimLine
from billing.claims.rules.checks import ShownPaper
from billing.claims.rules.review import Asked
from billing.ordering.models import CommissionReservation, CommissionSampleJob, CommissionSheet
from billing.ordering.rules.sheets import SIGNED_STATES
from booking.queries.samples import latest_reports


@dataclass(frozen=True, slots=True)
class _Thing:
    """What a line's charge is of; one of both is 0."""

    reservation_id: int = 0
    sample_job_id: int = 0


@dataclass(frozen=True, slots=True)
class _Paper:
    name: str
    sha256: str


def papers_of(lines: Sequence[ClaimLine], asks: Mapping[int, Iterable[Asked]]) -> dict[int, tuple[ShownPaper, ...]]:
    """The papers that show what is asked (``asks``, by claim) of lines, by claim; three queries at most however many lines there are."""
    things = {line: _Thing(line.award.charge.reservation_id or 0, line.award.charge.sample_job_id or 0) for line in lines}
    asked = {kind: {things[line] for line in lines if kind in asks[line.claim_id]} for kind in (Asked.CONTRACT, Asked.REPORT)}
    known = {Asked.CONTRACT: _contracts(asked[Asked.CONTRACT]), Asked.REPORT: _reports(asked[Asked.REPORT])}
    places: dict[int, dict[tuple[Asked, _Paper], list[int]]] = {}
    for line in lines:
        for kind, papers in known.items():
            for paper in papers.get(things[line], ()) if kind in asks[line.claim_id] else ():
                places.setdefault(line.claim_id, {}).setdefault((kind, paper), []).append(line.position)
    return {
        claim_id: tuple(ShownPaper(kind, one.name, one.sha256, tuple(where)) for (kind, one), where in found.items())
        for claim_id, found in places.items()
    }


def _contracts(things: set[_Thing]) -> dict[_Thing, tuple[_Paper, ...]]:
    """The signed commission sheet of each, with its PDF once that is made."""
    found: dict[_Thing, tuple[_Paper, ...]] = {}
    if ids := {thing.reservation_id for thing in things} - {0}:
        rows = CommissionReservation.objects.filter(reservation__in=ids, sheet__state__in=SIGNED_STATES)
        found |= {_Thing(row.reservation_id): _sheet(row.sheet) for row in rows.select_related("sheet__signed_pdf")}
    if ids := {thing.sample_job_id for thing in things} - {0}:
        jobs = CommissionSampleJob.objects.filter(sample_job__in=ids, sheet__state__in=SIGNED_STATES)
        found |= {_Thing(0, row.sample_job_id): _sheet(row.sheet) for row in jobs.select_related("sheet__signed_pdf")}
    return found


def _sheet(sheet: CommissionSheet) -> tuple[_Paper, ...]:
    signed = sheet.signed_pdf
    pdf = (_Paper(signed.file_name, signed.sha256),) if signed is not None else ()
    return (_Paper(sheet.number or "", sheet.content_sha256), *pdf)


def _reports(things: set[_Thing]) -> dict[_Thing, tuple[_Paper, ...]]:
    """The latest report of each sample job. Of a session the lab says only the day of its report, which is no paper."""
    ids = {thing.sample_job_id for thing in things} - {0}
    if not ids:
        return {}
    latest = latest_reports().filter(job__in=ids).select_related("file")
    return {_Thing(0, row.job_id): (_Paper(row.file.file_name, row.file.sha256),) for row in latest}
