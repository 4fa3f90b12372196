"""Paying for sample jobs from a fund card: who may, and what the group's leader agrees to first.

The same rules as for a booking (``services.spending``); the days that the card has to be valid on are that of the work alone. Everything
runs behind the job's lock; the card and its group are locked after it, the accounts last.
"""

from __future__ import annotations

from datetime import datetime

from booking.models import LeaderApproval, SampleExtra, SampleJob
from booking.rules.samples import ExtraState, JobEvent, JobState
from booking.rules.spending import LeaderState, Wait, after_pricing, wait_between
from booking.sample_ports import sample_money
from booking.services import sample_days, sample_news
from booking.services.leader_rows import ask, decide, refuse_more, require_leader_of
from booking.services.sample_writing import lock_job, move
from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden, Reason, Refusal
from instruments.models import FundCard
from instruments.queries import spending as cards
from instruments.rules.spending import FIELD, asks_the_leader, card_faults, is_in_house
from instruments.services.spending import locked_card, locked_to_spend


def reasons_against(actor: Actor, job: SampleJob, now: datetime) -> list[Reason]:
    """Why a new job cannot go on its card (or on none). Raises NotFound for a card that the actor may not spend from."""
    if job.fund_card_id is None:
        in_house = is_in_house(job.organisation_id, job.lab_id)
        return [Reason("card.needed", {}, FIELD)] if in_house and cards.card_needed(job.organisation_id) else []
    return _faults(locked_to_spend(actor, job.fund_card_id, now), job)


def judge(job: SampleJob, now: datetime) -> Wait:
    """Ask the leader about what a job that the lab has not answered costs now, where that is needed; whether an answer is waited for.

    Part of the caller's transaction, after money has followed.
    """
    if job.fund_card_id is None:
        return Wait.NONE
    card, row = locked_card(job.fund_card_id), LeaderApproval.objects.filter(sample_job=job).first()
    amount_fen = sample_money().payable_now_fen(job)
    before = LeaderState(row.state) if row else None
    after = _after(job, card, row, amount_fen)
    if after is LeaderState.WAITING and (row is None or (before, row.asked_fen) != (after, amount_fen)):
        ask(row, amount_fen, now, sample_job=job)
        person = str(job.requested_by)
        sample_news.tell_leader(job, card.group.leader_id, now, amount_fen=amount_fen, card=card.number, person=person)
    elif after is None and row is not None and before is LeaderState.WAITING:
        row.delete()
        sample_news.settle_leader(job, now)
    return wait_between(before, after)


def pays(job: SampleJob, actor: Actor, now: datetime) -> bool:
    """Whether somebody who acts for the customer says yes to what the job costs: without a card all of them; on a card its group's leader,
    who spends for the group today, and an administrator of the customer."""
    if job.fund_card_id is None or job.organisation_id in actor.organisations(Role.FIRM_ADMIN):
        return True
    return cards.spent_by(actor.person_id, cards.today(now)).filter(pk=job.fund_card_id).exists()


def require_paying(job: SampleJob, actor: Actor, now: datetime) -> None:
    """Raises Forbidden ``card.not_your_spending`` (``leader``) where ``pays`` says no."""
    if not pays(job, actor, now):
        raise Forbidden.of("card.not_your_spending", leader=str(job.fund_card.group.leader) if job.fund_card else "")


def require_leader(job: SampleJob, actor: Actor) -> None:
    """What the lab's yes asks of a card: it can still pay, and its leader is not waited for.

    Raises Refusal ``card.leader_waits``, ``card.closed``, ``card.group_closed``, ``card.not_valid_then``; ``card.cannot_pay`` in
    place of the last three for who may not see the card.
    """
    if job.fund_card_id is None:
        return
    card = locked_card(job.fund_card_id)
    faults = _faults(card, job)
    if faults and not cards.sees_card(actor, card.pk):
        raise Refusal.of("card.cannot_pay", FIELD)
    Refusal.raise_any(faults)
    row = LeaderApproval.objects.filter(sample_job=job, state=LeaderState.WAITING).first()
    if row is not None:
        raise Refusal.of("card.leader_waits", amount_fen=row.asked_fen, leader=str(card.group.leader))


def keep_extra(job: SampleJob, extra: SampleExtra, actor: Actor, now: datetime) -> None:
    """Keep a charge that is being agreed on the card; above the amount that asks the leader, the leader alone agrees to it.

    Raises Refusal ``card.leader_first``, Conflict ``card.not_enough_left``.
    """
    if job.fund_card_id is None:
        return
    rows = SampleExtra.objects.filter(job=job, state=ExtraState.AGREED).exclude(pk=extra.pk)
    extra_fen = sum(rows.values_list("amount_fen", flat=True)) + extra.amount_fen
    card, row = locked_card(job.fund_card_id), LeaderApproval.objects.filter(sample_job=job).first()
    total_fen = sample_money().payable_now_fen(job) + extra_fen
    refuse_more(card, row, job.requested_by_id, total_fen, actor)
    sample_money().on_extra(job, extra_fen, actor, now)


def keep_without(job: SampleJob, extra: SampleExtra, actor: Actor, now: datetime) -> None:
    """A charge that was agreed is taken back: the card keeps no more for it."""
    if job.fund_card_id is not None:
        rows = SampleExtra.objects.filter(job=job, state=ExtraState.AGREED).exclude(pk=extra.pk)
        sample_money().on_extra(job, sum(rows.values_list("amount_fen", flat=True)), actor, now)


def agree(actor: Actor, approval_id: int, job_id: int, now: datetime) -> str:
    """The leader agrees to a job, and the lab hears of it. Part of the caller's transaction. Returns the job's state."""
    job, row = _waiting(actor, approval_id, job_id)
    decide(row, LeaderState.APPROVED, actor, now)
    require_leader(job, actor)
    sample_news.tell_customer(job, "leader_agreed", now)
    sample_news.tell_lab(job, "asked", now)
    return job.state


def decline(actor: Actor, approval_id: int, job_id: int, reason: str, now: datetime) -> None:
    """The leader does not agree: the job is over, its days and its money are free. Part of the caller's transaction."""
    job, row = _waiting(actor, approval_id, job_id)
    decide(row, LeaderState.DECLINED, actor, now, reason)
    move(job, JobEvent.CANCEL, actor, now, reason)
    sample_days.free(job)
    sample_money().on_release(job, actor, JobEvent.CANCEL.value, now)
    sample_news.tell_customer(job, "leader_declined", now, reason=reason)


def _after(job: SampleJob, card: FundCard, row: LeaderApproval | None, amount_fen: int) -> LeaderState | None:
    own = job.requested_by_id == card.group.leader_id
    asks = asks_the_leader(amount_fen, card.asks_above_fen, own=own)
    return after_pricing(LeaderState(row.state) if row else None, row.asked_fen if row else 0, amount_fen, asks=asks)


def _faults(card: FundCard, job: SampleJob) -> list[Reason]:
    return card_faults(cards.terms_of(card), job.organisation_id, job.arrive_on, job.arrive_on)


def _waiting(actor: Actor, approval_id: int, job_id: int) -> tuple[SampleJob, LeaderApproval]:
    """Job and question behind their locks: who leads the group, and what waits, may have changed meanwhile."""
    job = lock_job(actor, job_id)
    row = LeaderApproval.objects.filter(pk=approval_id, state=LeaderState.WAITING).first()
    if row is None or job.state != JobState.ASKED or job.fund_card_id is None:
        raise Refusal.of("card.answered_already")
    require_leader_of(actor, locked_card(job.fund_card_id))
    return job, row
