"""Sample jobs: asked for, accepted with a promised day, refused, cancelled. With ``sample_writing`` the writers of a job's state."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Sum

from booking.access import CUSTOMERS
from booking.credit_queries import NO_INSTRUMENT, measures_against
from booking.models import Sample, SampleJob
from booking.ports import NOTHING_EXPECTED, ExpectedFigures, FiguresChanged
from booking.rules.credit import measure_reason, strictest
from booking.rules.deciding import Verdict
from booking.rules.enquiries import Side
from booking.rules.sample_codes import ALPHABET, BODY_LENGTH, with_check
from booking.rules.sample_days import require_arrival, require_near
from booking.rules.sample_quota import Sent
from booking.rules.samples import (
    MOST_ELEMENTS,
    MOST_SAMPLES,
    NAME_LENGTH,
    NOT_HERE,
    NOTE_LENGTH,
    WORDS_LENGTH,
    JobEvent,
    JobState,
    RemainsWish,
    next_state,
)
from booking.rules.service_facts import Said, said_faults, said_of_test, service_faults
from booking.rules.spending import Wait
from booking.sample_ports import SampleOrder, sample_money
from booking.services import sample_days, sample_decisions, sample_news, sample_quotas, sample_spending
from booking.services.decision_rows import AT_ONCE, Decided, How
from booking.services.enquiry_sides import own_sides, require_on, require_side
from booking.services.sample_writing import lock_job, move, note_step
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from instruments.models import Organisation, OrganisationStatus, Resource, ResourceKind
from instruments.rules.registry_values import clean_text
from instruments.services.answer_time import zone_of_owner

ROUTE = "samples.ask"
PROJECT_LENGTH = 200
MOST_OPEN = 50
"""So many jobs of one organisation may wait for one lab's answer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is sent: ``samples`` of them (``names`` in order, as many as have one), expected at the lab on ``arrive_on`` (its local day)."""

    resource_id: int
    organisation_id: int
    samples: int
    arrive_on: date
    elements: int = 1
    names: tuple[str, ...] = ()
    note: str = ""
    hazards: str = ""
    remains_wish: str = RemainsWish.RETURN.value
    expected: ExpectedFigures = NOTHING_EXPECTED
    research_project: str = ""
    service_direction: str = ""
    fund_source: str = ""
    service_kind: str = ""
    settlement: str = ""
    rate: str = ""
    answers: str = ""
    """For programmes that ask (``booking.rules.service_facts.Said``); the kind of a test that the lab has marked is the lab's."""
    fund_card_id: int | None = None
    """What it is paid from: a card of a group for which the actor spends."""

    @property
    def said(self) -> Said:
        """What of it programmes are told."""
        return Said(self.service_kind, self.settlement, self.rate, self.answers)


@dataclass(frozen=True, slots=True)
class Asked:
    """The id of the job, made now or (``replayed``) by an earlier call with the same key."""

    pk: int
    replayed: bool


def ask(actor: Actor, wish: Wish, now: datetime, *, idempotency_key: str, order: SampleOrder | None = None) -> Asked:
    """Ask a lab to test samples; its capacity is promised from this moment on, and the price that was seen is pinned: that of the lab's
    list, or of the ``order`` under which they are sent.

    Where a group's leader agrees first to what a fund card pays, the lab hears of it after that. Raises NotFound (also for a card that
    the actor does not spend from), Forbidden ``samples.not_for_this_organisation``, Refusal ``samples.*`` / ``measure.*`` / ``name.*`` /
    ``price.*`` / ``commission.*`` / ``card.*`` with every reason, Conflict ``billing.figures_differ``, ``card.not_enough_left``,
    Refusal ``idempotency.*``.
    """

    def effect() -> dict[str, Any]:
        return {"id": _ask(actor, wish, order, now).pk}

    payload = {**asdict(wish), "arrive_on": wish.arrive_on.isoformat(), "names": list(wish.names)}
    payload |= {"order": order.key} if order is not None else {}
    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return Asked(result["id"], replayed)


def accept(
    actor: Actor,
    job_id: int,
    now: datetime,
    *,
    promised_on: date | None = None,
    expected: ExpectedFigures = NOTHING_EXPECTED,
    how: How = AT_ONCE,
) -> None:
    """The lab takes the job and promises the result for a day: the one that was worked out, or another that it names; ``how`` says when
    that is told.

    Where the samples should have come already, the days are worked out anew from today; a day that the lab's capacity cannot hold is
    refused. ``expected`` are the figures that the lab looked at. Raises NotFound, Forbidden, Refusal ``samples.illegal_step``,
    ``samples.own_request``, ``booking.customer_suspended``, ``samples.own_figures``, ``samples.commission_cancelled``,
    ``samples.promise_missing``, ``samples.promise_too_early``, ``samples.promise_too_far``, ``samples.promise_beyond_capacity``,
    ``samples.no_capacity``, ``card.*``, Conflict ``billing.figures_differ``, ``booking.figures_changed`` (the customer has been asked
    again).
    """

    def work() -> FiguresChanged | None:
        seen = get_visible(SampleJob.objects.all(), actor, pk=job_id)
        require_on(actor, Side.LAB, seen.organisation_id, seen.lab_id)
        item = sample_days.lock_item(seen.resource_id)
        job = lock_job(actor, job_id)
        next_state(JobState(job.state), JobEvent.ACCEPT)
        if job.requested_by_id == actor.user_id:
            raise Refusal.of("samples.own_request")
        if job.organisation.status == OrganisationStatus.SUSPENDED:
            raise Refusal.of("booking.customer_suspended")
        sample_spending.require_leader(job, actor)
        today = local_day(job.lab_id, now)
        anew = sample_days.at_acceptance(job, item, promised_on, today)
        day = promised_on or (anew.promised_on if anew else job.promised_on)
        if day is None:
            raise Refusal.of("samples.promise_missing", "promised_on")
        starts_on = max(job.arrive_on, today)
        if day < starts_on:
            raise Refusal.of("samples.promise_too_early", "promised_on", arrive_on=starts_on.isoformat())
        require_near(day, starts_on)
        if anew is not None and day < anew.promised_on:
            raise Refusal.of("samples.promise_beyond_capacity", "promised_on", earliest_on=anew.promised_on.isoformat())
        changed = sample_money().on_accept(job, actor, expected, now)
        if changed is not None:
            sample_news.tell_customer(job, "figures_changed", now)
            return changed
        before = sample_days.kept_by(job) if how.undo else None
        if anew is not None:
            sample_days.keep(job, item, anew)
        job.promised_on = day
        job.save(update_fields=["promised_on"])
        move(job, JobEvent.ACCEPT, actor, now)
        sample_decisions.note(job, Decided(Verdict.APPROVE, before=before), actor, how, now)
        return None

    if transactions.run(work) is not None:
        raise Conflict.of("booking.figures_changed")


@transactions.whole
def refuse(actor: Actor, job_id: int, reason: str, now: datetime, how: How = AT_ONCE) -> None:
    """The lab does not take the job, and says why; ``how`` says when that is told. Under an order it is told at once: what the order has
    room for goes to other jobs.

    Raises NotFound, Forbidden, Refusal ``samples.reason_missing``, ``samples.illegal_step``, ``name.*``.
    """
    job = lock_job(actor, job_id)
    require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
    words = reason_of(reason)
    how = AT_ONCE if sample_money().is_under_order(job) else how
    before = sample_days.kept_by(job) if how.undo else None
    move(job, JobEvent.REFUSE, actor, now, words)
    sample_days.free(job)
    sample_money().on_release(job, actor, JobEvent.REFUSE.value, now)
    sample_decisions.note(job, Decided(Verdict.REJECT, words, before), actor, how, now)


@transactions.whole
def cancel(actor: Actor, job_id: int, reason: str, now: datetime) -> None:
    """Either side calls the job off: the customer while no sample is at the lab, the lab (with a reason) until it has reported.

    Raises NotFound, Forbidden, Refusal ``samples.illegal_step``, ``samples.some_are_here``, ``samples.reason_missing``, ``name.*``.
    """
    job = lock_job(actor, job_id)
    side = require_side(actor, job.organisation_id, job.lab_id)
    next_state(JobState(job.state), JobEvent.CANCEL)
    arrived = Sample.objects.filter(job=job).exclude(state__in=NOT_HERE).exists()
    if side is Side.CUSTOMER and arrived:
        if Side.LAB not in own_sides(actor, job.organisation_id, job.lab_id):
            raise Refusal.of("samples.some_are_here")
        side = Side.LAB
    words = reason_of(reason) if side is Side.LAB else clean_text(reason, NOTE_LENGTH, "reason", lines=True)
    move(job, JobEvent.CANCEL, actor, now, words)
    sample_days.free(job)
    sample_money().on_release(job, actor, JobEvent.CANCEL.value, now)
    told = sample_news.tell_lab if side is Side.CUSTOMER else sample_news.tell_customer
    told(job, "cancelled", now, reason=words)


def local_day(lab_id: int, now: datetime) -> date:
    """Today at the lab."""
    return now.astimezone(zone_of_owner(lab_id)).date()


def reason_of(text: str) -> str:
    """The words that the other side reads. Raises Refusal ``samples.reason_missing``, ``name.*``."""
    words = clean_text(text, NOTE_LENGTH, "reason", lines=True)
    if not words:
        raise Refusal.of("samples.reason_missing", "reason")
    return words


def names_of(text: str) -> tuple[str, ...]:
    """Names of samples as people type or paste them, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _ask(actor: Actor, wish: Wish, order: SampleOrder | None, now: datetime) -> SampleJob:
    if wish.organisation_id not in actor.organisations(*CUSTOMERS):
        raise Forbidden.of("samples.not_for_this_organisation", field="organisation")
    rows = Resource.objects.filter(kind=ResourceKind.TEST_ITEM).select_related("organisation")
    resource = get_visible(rows, actor, pk=wish.resource_id)
    words, reasons = _words(wish)
    against = _measures(actor, wish, resource.organisation_id, now)
    Refusal.raise_any([*against, *_reasons(wish, resource.organisation, local_day(resource.organisation_id, now)), *reasons])
    # Only now: quotas count around the day, which has to be one on which samples are expected, and keep others waiting meanwhile.
    asked = Sent(wish.samples, actor.person_id, wish.organisation_id, wish.arrive_on)
    Refusal.raise_any(sample_quotas.reasons_against(resource.organisation_id, asked, now))
    item = sample_days.lock_item(resource.pk)
    _require_room_to_wait(wish)
    found = sample_days.work_out(item, resource.organisation_id, wish.samples, wish.arrive_on)
    day = found.promised_on if found else None
    job = SampleJob(
        resource=resource,
        lab=resource.organisation,
        organisation=Organisation.objects.get(pk=wish.organisation_id),
        requested_by_id=actor.person_id,
        fund_card_id=wish.fund_card_id,
        state=JobState.ASKED,
        sample_count=wish.samples,
        elements=wish.elements,
        remains_wish=wish.remains_wish,
        arrive_on=wish.arrive_on,
        first_promised_on=day,
        promised_on=day,
        asked_at=now,
        note=words["note"],
        hazards=words["hazards"],
        research_project=words["research_project"],
        service_direction=wish.service_direction,
        fund_source=wish.fund_source,
        **said_of_test(item.service_kind, wish.said)._asdict(),
    )
    Refusal.raise_any(sample_spending.reasons_against(actor, job, now))
    job.save()
    _label(job, words["names"])
    note_step(job, None, "ask", "", JobState.ASKED, actor, now)
    after = {"resource": resource.pk, "samples": wish.samples, "promised_on": day and day.isoformat()}
    after |= {"fund_card": wish.fund_card_id} if wish.fund_card_id is not None else {}
    audit.record(actor, "sample_job.ask", job, now, after=after)
    sample_days.keep(job, item, found)
    sample_money().on_ask(job, actor, wish.expected, now, order.price_of(job, actor) if order else None)
    if order is not None:
        order.keep(job, actor, now)
    if sample_spending.judge(job, now) is not Wait.GOES_ON:
        sample_news.tell_lab(job, "asked", now)
    return job


def _measures(actor: Actor, wish: Wish, lab_id: int, now: datetime) -> list[Reason]:
    """The strictest of what the lab's lists and the credit of the person have against it, as with a booking."""
    found = strictest(measures_against(actor.person_id, wish.organisation_id, NO_INSTRUMENT, lab_id, now))
    return [] if found is None else [measure_reason(found, zone_of_owner(lab_id))]


def _reasons(wish: Wish, lab: Organisation, today: date) -> list[Reason]:
    """Everything against the wish but its words."""
    reasons = service_faults(wish.service_direction, wish.fund_source)
    reasons += said_faults(wish.said)
    if lab.status == OrganisationStatus.SUSPENDED:
        reasons.append(Reason("samples.lab_unavailable", {}, ""))
    if not 1 <= wish.samples <= MOST_SAMPLES:
        reasons.append(Reason("samples.count_out_of_range", {"most": MOST_SAMPLES}, "samples"))
    if not 1 <= wish.elements <= MOST_ELEMENTS:
        reasons.append(Reason("price.elements_out_of_range", {"most": MOST_ELEMENTS}, "elements"))
    if len(wish.names) > max(wish.samples, 0):
        reasons.append(Reason("samples.too_many_names", {"samples": wish.samples, "names": len(wish.names)}, "names"))
    try:
        require_arrival(wish.arrive_on, today)
    except Refusal as refusal:
        reasons += refusal.reasons
    if wish.remains_wish not in [each.value for each in RemainsWish]:
        reasons.append(Reason("samples.wish_unknown", {"known": [each.value for each in RemainsWish]}, "remains_wish"))
    waiting = SampleJob.objects.filter(lab=lab, organisation_id=wish.organisation_id, state=JobState.ASKED)
    if waiting.count() >= MOST_OPEN:
        reasons.append(Reason("samples.too_many_open", {"most": MOST_OPEN}, ""))
    return reasons


def _require_room_to_wait(wish: Wish) -> None:
    """Raises Refusal ``samples.too_many_waiting``: unanswered samples keep days that others cannot have."""
    rows = SampleJob.objects.filter(organisation_id=wish.organisation_id, resource_id=wish.resource_id, state=JobState.ASKED)
    waiting = rows.aggregate(total=Sum("sample_count"))["total"] or 0
    if waiting + wish.samples > MOST_SAMPLES:
        raise Refusal.of("samples.too_many_waiting", "samples", waiting=waiting, most=MOST_SAMPLES)


def _words(wish: Wish) -> tuple[dict[str, Any], list[Reason]]:
    """Note, hazards and names as they are kept, and what speaks against them."""
    found: dict[str, Any] = {"note": "", "hazards": "", "research_project": "", "names": []}
    reasons: list[Reason] = []
    given = [
        ("note", wish.note, NOTE_LENGTH, True),
        ("hazards", wish.hazards, WORDS_LENGTH, False),
        ("research_project", wish.research_project, PROJECT_LENGTH, False),
    ]
    for field, text, length, lines in given:
        try:
            found[field] = clean_text(text, length, field, lines=lines)
        except Refusal as refusal:
            reasons += refusal.reasons
    try:
        found["names"] = [clean_text(name, NAME_LENGTH, "names") for name in wish.names[:MOST_SAMPLES]]
    except Refusal as refusal:
        reasons += refusal.reasons
    return found, reasons


def _label(job: SampleJob, names: Sequence[str]) -> None:
    """Give each sample its code: drawn at random, and again where somebody else's sample has it already."""
    codes: set[str] = set()
    while len(codes) < job.sample_count:
        drawn = {_new_code() for _ in range(job.sample_count - len(codes))}
        codes |= drawn - set(Sample.objects.filter(code__in=drawn).values_list("code", flat=True))
    Sample.objects.bulk_create(
        Sample(job=job, position=place, code=code, name=names[place - 1] if place <= len(names) else "")
        for place, code in enumerate(sorted(codes), start=1)
    )


def _new_code() -> str:
    return with_check("".join(secrets.choice(ALPHABET) for _ in range(BODY_LENGTH)))
