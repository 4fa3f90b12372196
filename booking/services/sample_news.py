"""News about sample jobs, told in the transaction of the step: each side hears what the other one did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from booking.models import SampleJob
from booking.services.notices import told_managers
from config.kernel.access import Role
from instruments.models import Membership
from instruments.services import notices
from instruments.services.answer_time import zone_of_owner
from instruments.services.notices import News, holders, person

PREFIX = "sample_job."
_ASKED_OF_LAB = (f"{PREFIX}asked", f"{PREFIX}overdue", f"{PREFIX}objected", f"{PREFIX}late_to_lab")

_NO_ANSWER = frozenset({"figures_changed", "parcel", "linked", "leader_agreed"})
"""The customer hears of these while the lab still owes its answer."""
_AFTER_OBJECTION = frozenset({"reported", "cancelled", "failed"})
"""With these the lab has done what an objection, or a day that has passed, asked of it."""
_OVER = ("figures_changed", "extra_proposed", "leader_asked")
_DONE: Mapping[str, tuple[str, ...]] = {
    "objected": ("reported",),
    "closed": ("reported", "extra_proposed"),
    "figures_accepted": ("figures_changed",),
    "linked": ("figures_changed",),
    "cancelled": _OVER,
    "refused": _OVER,
    "failed": _OVER,
    "lapsed": _OVER,
    "leader_declined": _OVER,
    "leader_agreed": ("leader_asked",),
}


def tell_lab(job: SampleJob, event: str, now: datetime, **more: Any) -> None:
    """The managers of the lab hear of it; what the customer had to do is settled by what it did."""
    settled = _settled_by_customer(event)
    notices.settle(job, [*settled, *(_ASKED_OF_LAB if event in ("cancelled", "lapsed") else ())], now)
    _tell(job, event, "to_lab", told_managers(job.lab_id, now), now, more)


def tell_customer(job: SampleJob, event: str, now: datetime, **more: Any) -> None:
    """Who asked for it hears of it while working there, and the firm's administrators otherwise; the lab's question is answered."""
    done = _settled_by_customer(event)
    if event not in _NO_ANSWER:
        done += [f"{PREFIX}asked", f"{PREFIX}overdue"]
    if event in _AFTER_OBJECTION:
        done += [f"{PREFIX}objected", f"{PREFIX}late_to_lab"]
    notices.settle(job, done, now)
    asked = Membership.objects.filter(organisation_id=job.organisation_id, user_id=job.requested_by_id)
    to = Q(pk=job.requested_by_id) if asked.exists() else holders(Role.FIRM_ADMIN, job.organisation_id)
    _tell(job, event, "to_customer", to, now, more)


def tell_overdue(job: SampleJob, now: datetime) -> None:
    """Nobody has answered as was promised: all managers hear of it, who is away included, and the heads of the institution, who may not
    see jobs, without a way there."""
    managers = holders(Role.LAB_MANAGER, job.lab_id)
    _tell(job, "overdue", "", managers, now, {})
    _tell(job, "overdue_for_heads", "", holders(Role.FIRM_ADMIN, job.lab_id) & ~managers, now, {}, url=None)


def tell_leader(job: SampleJob, leader_id: int, now: datetime, **more: Any) -> None:
    """Who leads the group that pays has something to answer; what was asked before about the same job is not asked any more."""
    settle_leader(job, now)
    _tell(job, "leader_asked", "", person(leader_id), now, more, url=reverse("leader_inbox"))


def settle_leader(job: SampleJob, now: datetime) -> None:
    """Nobody waits for the leader any more."""
    notices.settle(job, [f"{PREFIX}leader_asked"], now)


def settle_figures(job: SampleJob, now: datetime) -> None:
    """The customer has accepted the new figures; somebody else than the lab answers next."""
    notices.settle(job, [f"{PREFIX}figures_changed"], now)


def _settled_by_customer(event: str) -> list[str]:
    """What the customer was asked to do and need not do any more after ``event``."""
    return [f"{PREFIX}{code}" for code in _DONE.get(event, ())]


def _tell(job: SampleJob, event: str, side: str, to: Q, now: datetime, more: dict[str, Any], url: str | None = "") -> None:
    """``url``: of another page than the job's; None: of none."""
    due = job.close_due_at
    params = {
        "reference": job.reference,
        "test_item": job.resource.name,
        "test_item_en": job.resource.name_en,
        "lab": job.lab.name,
        "lab_en": job.lab.name_en,
        "organisation": job.organisation.name,
        "organisation_en": job.organisation.name_en,
        "samples": job.sample_count,
        "arrive_on": job.arrive_on.isoformat(),
        "promised_on": job.promised_on.isoformat() if job.promised_on else "",
        "close_due_at": due.astimezone(zone_of_owner(job.lab_id)).isoformat() if due is not None else "",
        **more,
    }
    name = f"{PREFIX}{event}_{side}" if event in BOTH else f"{PREFIX}{event}"
    page = "" if url is None else url or reverse("sample_job", args=[job.pk])
    heard = dict.fromkeys(_hearing(job, event, side), _heard(job, event))
    notices.tell(News(name, params, page, job, job.lab_id, webhooks=heard), to, now)


def _hearing(job: SampleJob, event: str, side: str) -> tuple[int, ...]:
    """Whose webhooks hear of it: both sides', and of what either side is told in a code of its own the one side's."""
    if event in _TOLD_TWICE:
        return (job.lab_id,) if side == "to_lab" else (job.organisation_id,)
    return job.lab_id, job.organisation_id


def _heard(job: SampleJob, event: str) -> dict[str, Any]:
    """What webhooks hear of a job: nothing that one of its two sides may not see, and no person."""
    return {
        "sample_job": job.pk,
        "reference": job.reference,
        "happened": event,
        "state": str(job.state),
        "test_item": {"id": job.resource_id, "name": job.resource.name},
        "lab": {"id": job.lab_id, "name": job.lab.name},
        "customer": {"id": job.organisation_id, "name": job.organisation.name},
        "samples": job.sample_count,
        "arrive_on": job.arrive_on.isoformat(),
        "promised_on": job.promised_on.isoformat() if job.promised_on else None,
    }


BOTH = frozenset({"parcel", "closed", "cancelled", "linked", "lapsed", "late"})
"""Told to either side, in other words."""
_TOLD_TWICE = frozenset({"closed", "lapsed", "late"})
"""Of these, what is told to both sides at once."""
