"""What is known of the use behind lines beside its times: how many samples of a job were tested, and by which files a use is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet

from billing.month.rules.lines import Proof
from billing.ordering.models import CommissionSignature
from booking.models import SampleJob
from booking.queries.samples import latest_reports
from booking.rules.samples import SampleState

Row = Mapping[str, Any]
#: The use behind a line: a session or a job, and its id.
Of = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Tested:
    """So many samples of a job are charged, and so many were tested."""

    billed: int
    tested: int


def tested(rows: Iterable[Row]) -> dict[int, Tested]:
    """The samples of the jobs behind some rows, by job; one query, none where there is no job."""
    jobs = {row["sample_job_id"] for row in rows} - {None}
    if not jobs:
        return {}
    done = Count("samples", filter=Q(samples__state=SampleState.TESTED))
    found = (
        SampleJob.objects.filter(pk__in=jobs).annotate(done=done).order_by().values_list("pk", "charge__inputs__samples", "done")
    )
    return {pk: Tested(int(Decimal(str(billed or 0))), done) for pk, billed, done in found}


def files(rows: Sequence[Row], lab_id: int | None) -> tuple[dict[Of, tuple[Proof, ...]], list[Proof]]:
    """The files that show the use behind some rows, by what was used, and where else they are: the latest report of a job, and the scan of
    the sheet that a session or job is under. Of one lab only, where one is named. Two queries at most."""
    jobs = {row["sample_job_id"] for row in rows} - {None}
    under = {_of(row): sheet_id for row in rows if (sheet_id := _sheet(row)) is not None}
    reports = [Proof(sha256, ("job", job_id)) for job_id, sha256 in _reports(jobs, lab_id)] if jobs else []
    scans = [Proof(sha256, ("sheet", sheet_id)) for sheet_id, sha256 in _scans(set(under.values()), lab_id)] if under else []
    known: dict[Of, list[Proof]] = defaultdict(list)
    for proof in (*reports, *scans):
        known[proof.of].append(proof)
    shown = {_of(row): (*known.get(_of(row), ()), *known.get(("sheet", under.get(_of(row), 0)), ())) for row in rows}
    return shown, [*reports, *scans]


def _of(row: Row) -> Of:
    return ("session", row["reservation_id"]) if row["reservation_id"] is not None else ("job", row["sample_job_id"])


def _sheet(row: Row) -> int | None:
    found: int | None = row["reservation__commission__sheet_id"] or row["sample_job__commission__sheet_id"]
    return found


def _reports(jobs: Iterable[int], lab_id: int | None) -> QuerySet[Any, tuple[int, str]]:
    """The latest reports with the bytes of one of these jobs': job and SHA-256."""
    rows = latest_reports()
    found = rows.filter(file__sha256__in=rows.filter(job__in=jobs).values("file__sha256"))
    if lab_id is not None:
        found = found.filter(job__lab=lab_id)
    return found.order_by("pk").values_list("job_id", "file__sha256")


def _scans(sheets: Iterable[int], lab_id: int | None) -> QuerySet[Any, tuple[int, str]]:
    """The scans with the bytes of one of these sheets': sheet and SHA-256."""
    rows = CommissionSignature.objects.exclude(scan_sha256="")
    found = rows.filter(scan_sha256__in=rows.filter(sheet__in=sheets).values("scan_sha256"))
    if lab_id is not None:
        found = found.filter(sheet__lab=lab_id)
    return found.order_by("pk").values_list("sheet_id", "scan_sha256")
