"""What a lab's quotas have against further samples of somebody: read and locked as part of asking."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from booking.models import PolicyLayer, SampleJob
from booking.rules.policy_layers import read_settings
from booking.rules.quota import Counted, Quota
from booking.rules.sample_quota import Sent, looks_at, of_samples, sample_quota_reasons
from booking.rules.samples import JobState
from booking.services.standing import one_at_a_time
from config.kernel.errors import Reason
from instruments.services.answer_time import zone_of_owner

_CALLED_OFF = (JobState.REFUSED, JobState.CANCELLED)


def quotas_of(lab_id: int) -> tuple[Quota, ...]:
    """What the lab says about samples for all of its work."""
    said = PolicyLayer.objects.filter(organisation=lab_id, class_code="", instrument=None).values_list("said", flat=True).first()
    return of_samples(read_settings(said, Counted(), limited=False).get("quotas", ())) if said else ()


def reasons_against(lab_id: int, asked: Sent, now: datetime) -> list[Reason]:
    """Every quota of the lab that the job would break. Where there is one, nobody else asks the lab for the same person or organisation
    until the caller's transaction ends, so that it holds."""
    quotas = quotas_of(lab_id)
    today = now.astimezone(zone_of_owner(lab_id)).date()
    span = looks_at(quotas, asked, today)
    if span is None:
        return []
    one_at_a_time(lab_id, asked.organisation_id, asked.person_id)
    return sample_quota_reasons(quotas, _others(lab_id, asked, *span), asked, today)


def _others(lab_id: int, asked: Sent, first: date, after: date | None) -> list[Sent]:
    theirs = Q(organisation=asked.organisation_id) | Q(requested_by=asked.person_id)
    rows = SampleJob.objects.filter(theirs, lab=lab_id, arrive_on__gte=first).exclude(state__in=_CALLED_OFF)
    rows = rows.filter(arrive_on__lt=after) if after is not None else rows
    return [Sent(*row) for row in rows.values_list("sample_count", "requested_by_id", "organisation_id", "arrive_on")]
