"""The lab's inbox of sample jobs, as ``approvals`` is that of times: one in full, deciding one or many, and taking back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import sample_figures
from booking.decision_wording import SAMPLE_REASONS
from booking.models import SampleJob
from booking.queries import sample_inbox as queries
from booking.queries import samples as jobs
from booking.queries.enquiries import begins_on, threads_about
from booking.rules.enquiries import Side
from booking.sample_wording import WISHES
from booking.services import reject_reasons, sample_inbox
from booking.services.deciding_many import Outcome
from booking.services.sample_inbox import Seen
from config.kernel.access import Actor, Role, visible_to
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import figures_of, read_day, read_expected
from frontend.http import actor_of, stands_at
from frontend.inbox_form import (
    Report,
    failed_of,
    number,
    numbers,
    page_status,
    report_of,
    said_of,
    say_taken_back,
    verdict_of,
    why_of,
)
from frontend.inbox_way import InboxWay
from frontend.presenters import assessment
from frontend.presenters.inbox import undo_of
from frontend.presenters.sample_inbox import JobRow, row_of
from frontend.views.samples import OWN_WORDS, job_page
from instruments.rules.spending import is_in_house
from instruments.services.answer_time import zone_of_owner

_PAGE = "sample_job"


@login_required
@require_GET
def approval_samples(request: HttpRequest) -> HttpResponse:
    """Sample jobs that wait for the actor's labs, one of them opened."""
    return inbox_response(request, timezone.now(), number(request.GET.get("selected", "")))


def inbox_response(
    request: HttpRequest,
    now: datetime,
    selected_id: int | None,
    refusal: Refusal | None = None,
    report: Report | None = None,
    checked: Iterable[int] = (),
) -> HttpResponse:
    """The inbox with a job opened; with a refusal, its reasons beside that job and its status; with a report, what became of several and
    which of them stay chosen."""
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    page = number(request.GET.get("page", "") or request.POST.get("page", "")) or 1
    found = queries.inbox(actor, now, page)
    ids = [one.job.pk for one in found.rows]
    opened_id = selected_id if selected_id in ids else next(iter(ids), None)
    figures = sample_figures.figures_of(actor, [one.job for one in found.rows])
    rows = [row_of(one, figures.get(one.job.pk), opened_id, checked, now) for one in found.rows]
    context = {
        "samples": True,
        "others": found.beside,
        "found": found,
        "rows": rows,
        "overdue": sum(one.overdue for one in found.rows),
        "undo": undo_of(actor, now, samples=True),
        "report": report,
        "chosen": selected_id is not None,
        **said_of(request.POST, refusal, visible_to(SampleJob.objects.filter(pk=selected_id or 0).exclude(pk__in=ids), actor)),
        "reject_templates": reject_reasons.offered(actor, SAMPLE_REASONS) if rows else [],
        "reason_length": OWN_WORDS,
        **(_opened(actor, rows, ids.index(opened_id), found.page, now) if opened_id is not None else {}),
    }
    stands_at(request, "approval_samples")
    return render(request, "approvals/inbox.html", context, status=page_status(refusal, report))


def _opened(actor: Actor, rows: Sequence[JobRow], place: int, page: int, now: datetime) -> dict[str, Any]:
    opened = rows[place]
    job = opened.job
    money = sample_figures.money_of(actor, job)
    shown = money.waiting or money.quote
    promised = jobs.promise_at_acceptance(job, now)
    next_id = rows[place + 1].pk if place + 1 < len(rows) else None
    return {
        "opened": opened,
        "job": job,
        "zone": zone_of_owner(job.lab_id).key,
        "today": jobs.today_at(job, now).isoformat(),
        "promised": promised.isoformat() if promised else "",
        "money": money,
        "figures": assessment.of_frozen(shown, in_house=is_in_house(job.organisation_id, job.lab_id), whole=True)
        if shown
        else None,
        "wish": WISHES[job.remains_wish],
        "history": queries.history(actor, job),
        "threads": threads_about(actor, sample_job_id=job.pk),
        "asks_customer": begins_on(actor, job.organisation_id, job.lab_id, job.requested_by_id) is Side.LAB,
        "previous_id": rows[place - 1].pk if place else None,
        "next_id": next_id,
        "way": InboxWay(next_id, page, samples=True),
    }


# --- One request ---------------------------------------------------------------------------------------------------------
@login_required
@require_POST
def sample_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the job, with the promised day that stands in the form; what stands against it is shown where the button was pressed."""
    actor, now = actor_of(request), timezone.now()
    try:
        sample_inbox.accept(actor, pk, now, Seen(_typed_day(request.POST), read_expected(request.POST)))
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown_again(request, pk, now, refusal, "accept")
    return _onwards(request, pk)


@login_required
@require_POST
def sample_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Do not take the job, with a reason that the customer reads."""
    actor, now = actor_of(request), timezone.now()
    try:
        sample_inbox.refuse(actor, pk, why_of(request.POST), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown_again(request, pk, now, refusal, "refuse")
    return _onwards(request, pk)


def _typed_day(data: QueryDict) -> Any:
    """Raises Refusal ``samples.day_unreadable``."""
    text = data.get("promised_on", "").strip()
    day = read_day(text) if text else None
    if text and day is None:
        raise Refusal.of("samples.day_unreadable", "promised_on")
    return day


def _shown_again(request: HttpRequest, pk: int, now: datetime, refusal: Refusal, form: str) -> HttpResponse:
    if request.POST.get("from") == "inbox":
        return inbox_response(request, now, pk, refusal)
    return job_page(request, pk, refusal, form)


def _onwards(request: HttpRequest, pk: int) -> HttpResponse:
    """To the next job in the inbox, or back to the job's own page."""
    if request.POST.get("from") != "inbox":
        return redirect(_PAGE, pk)
    return redirect(_address(number(request.POST.get("next_id", "")), number(request.POST.get("page", ""))))


def _address(selected: int | None = None, page: int | None = None) -> str:
    return InboxWay(selected, page or 1, samples=True).address


# --- Several at once -----------------------------------------------------------------------------------------------------
@login_required
@require_POST
def approval_samples_decide(request: HttpRequest) -> HttpResponse:
    """Accept or refuse all that were chosen; those that failed stay chosen, with what stood in the way."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER)
    ids = numbers(request.POST.getlist("chosen"))
    seen = {pk: _seen(request.POST.get(f"seen-{pk}", "")) for pk in ids}
    try:
        outcomes = sample_inbox.decide_all(actor, ids, verdict_of(request.POST), why_of(request.POST), now, seen=seen)
    except Refusal as refusal:
        return inbox_response(request, now, None, refusal, checked=ids)
    return _reported(request, actor, outcomes, now)


def _seen(text: str) -> Seen:
    """What ``JobRow.seen`` wrote."""
    day, payable_now, final_cost = [*text.split("/"), "", "", ""][:3]
    return Seen(read_day(day), figures_of(payable_now, final_cost))


@login_required
@require_POST
def approval_samples_take_back(request: HttpRequest) -> HttpResponse:
    """Take back what was answered a moment ago."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER)
    ids = numbers(request.POST.getlist("chosen"))
    try:
        outcomes = sample_inbox.take_back_all(actor, ids, now)
    except Refusal as refusal:
        return inbox_response(request, now, None, refusal)
    if failed_of(outcomes):
        return _reported(request, actor, outcomes, now)
    say_taken_back(request, len(outcomes))
    return redirect(_PAGE, ids[0]) if request.POST.get("from") == "detail" else redirect(_address(ids[0]))


def _reported(request: HttpRequest, actor: Actor, outcomes: Sequence[Outcome], now: datetime) -> HttpResponse:
    failed = failed_of(outcomes)
    if not failed:
        return redirect(_address(page=number(request.POST.get("page", ""))))
    rows = visible_to(SampleJob.objects.filter(pk__in=failed), actor)
    report = report_of(outcomes, {row.pk: row.reference for row in rows.only("pk", "asked_at")}, _PAGE)
    return inbox_response(request, now, failed[0], report=report, checked=failed)
