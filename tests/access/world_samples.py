"""Sample jobs of both sides in the states that have actions, with a charge to agree to and a report."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from booking.models import Sample
from booking.rules.samples import SampleStep
from booking.services import sample_close_out, sample_extras, sample_jobs, sample_reports, sample_steps
from booking.services.enquiry_files import Attachment
from booking.services.sample_jobs import Wish
from instruments.queries import actor_for

ARRIVES, PROMISED = date(2026, 11, 23), date(2026, 12, 1)


def build(world: Any, now: datetime) -> None:
    """Ours is Gaoyuan at the Kunlun lab, theirs Lianhe at the other lab; what each writes carries its word."""
    from tests.access.world import OURS_WORK, THEIRS_WORK

    cast = world.cast
    ours, theirs = world.objects["test_item"]
    sides = (
        (cast.actor("lin"), cast.firm, cast.actor("wang"), ours, OURS_WORK),
        (cast.actor("he"), cast.other_firm, actor_for(cast.users["bo"]), theirs, THEIRS_WORK),
    )
    for side in sides:
        for kind, made in _side(*side, now=now).items():
            world.objects[kind] = (*world.objects.get(kind, ()), made)


def _side(asker: Any, firm: Any, manager: Any, item: int, mark: str, *, now: datetime) -> dict[str, Any]:
    def asked(name: str) -> int:
        wish = Wish(item, firm.pk, 2, ARRIVES, names=(f"one {mark}",), note=f"note {mark}", hazards=f"hazard {mark}")
        return sample_jobs.ask(asker, wish, now, idempotency_key=f"{name} {mark}").pk

    def accepted(name: str) -> int:
        pk = asked(name)
        sample_jobs.accept(manager, pk, now, promised_on=PROMISED)
        return pk

    def tested(name: str) -> int:
        pk = accepted(name)
        ids = list(Sample.objects.filter(job_id=pk).values_list("pk", flat=True))
        for step in (SampleStep.RECEIVE, SampleStep.TEST):
            sample_steps.take(manager, ids, step, now)
        return pk

    reported = tested("reported")
    report = sample_reports.report(manager, reported, Attachment(f"%PDF-1.4 {mark}".encode(), f"{mark}.pdf"), f"r {mark}", now)
    arriving = accepted("accepted")
    graded = tested("tested")
    sample_close_out.close(manager, graded, "B", f"closed {mark}", now)
    extra = sample_extras.propose(manager, arriving, "retest", f"again {mark}", 5_000, now)
    return {
        "sample_job": asked("asked"),
        "sample_job:accepted": arriving,
        "sample_job:tested": graded,
        "sample_job:reported": reported,
        "sample_extra": extra.pk,
        "sample_report": report.pk,
        "sample_code": Sample.objects.filter(job_id=arriving).order_by("position").values_list("code", flat=True)[0],
    }


def samples_of(world: Any, kind: str) -> list[int]:
    """The samples of our job of that kind."""
    return list(Sample.objects.filter(job_id=world.objects[kind][0]).values_list("pk", flat=True))
