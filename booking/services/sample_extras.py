"""Charges beyond the price: proposed by the lab, in force only with the customer's yes, answered once. What both sides signed an order for
is agreed by that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking.models import SampleExtra, SampleJob
from booking.rules.enquiries import Side
from booking.rules.samples import (
    HOLDING,
    MOST_EXTRA_FEN,
    MOST_EXTRAS,
    WORDS_LENGTH,
    ExtraEvent,
    ExtraKind,
    ExtraState,
    next_extra_state,
)
from booking.rules.spending import LEADER_FIRST
from booking.sample_ports import sample_money
from booking.services import sample_news, sample_spending
from booking.services.enquiry_sides import require_on
from booking.services.sample_writing import lock_job
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.rules.registry_values import clean_text
from instruments.services import notices

ASKED = "sample_job.extra_proposed"


@whole
def propose(actor: Actor, job_id: int, kind: str, words: str, amount_fen: int, now: datetime) -> SampleExtra:
    """The lab asks for more than was agreed (a retest, more work), before it does it.

    Raises NotFound, Forbidden, Refusal with every reason: ``samples.no_extra_now``, ``samples.extra_kind_unknown``,
    ``samples.words_missing``, ``samples.amount_out_of_range``, ``samples.too_many_extras``, ``name.*``.
    """
    job = lock_job(actor, job_id)
    require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
    text = clean_text(words, WORDS_LENGTH, "words")
    reasons = []
    if job.state not in HOLDING:
        reasons.append(Reason("samples.no_extra_now", {"state": job.state}, ""))
    if kind not in [each.value for each in ExtraKind]:
        reasons.append(Reason("samples.extra_kind_unknown", {"known": [each.value for each in ExtraKind]}, "kind"))
    if not text:
        reasons.append(Reason("samples.words_missing", {}, "words"))
    if not 1 <= amount_fen <= MOST_EXTRA_FEN:
        reasons.append(Reason("samples.amount_out_of_range", {"most_fen": MOST_EXTRA_FEN}, "amount"))
    if SampleExtra.objects.filter(job=job).count() >= MOST_EXTRAS:
        reasons.append(Reason("samples.too_many_extras", {"most": MOST_EXTRAS}, ""))
    Refusal.raise_any(reasons)
    extra = SampleExtra.objects.create(
        job=job, kind=kind, words=text, amount_fen=amount_fen, proposed_by_id=actor.person_id, proposed_at=now
    )
    audit.record(actor, "sample_extra.propose", extra, now, after={"words": text, "amount_fen": amount_fen})
    sample_news.tell_customer(job, "extra_proposed", now, words=text, amount_fen=amount_fen)
    return extra


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a signed order says is charged besides: in its words, as part of the order ``number``, agreed by ``by_id`` at ``agreed_at``."""

    words: str
    amount_fen: int
    number: str
    by_id: int
    agreed_at: datetime


def enter_ordered(actor: Actor, job_id: int, ordered: Ordered, now: datetime) -> SampleExtra:
    """The lab charges what both sides signed an order for: it is agreed by who signed for the customer. Only where a fund card pays and its
    leader is to agree to so much it waits for that. Part of the caller's transaction.

    Raises NotFound, Forbidden, Refusal ``samples.no_extra_now``, ``samples.too_many_extras``, Conflict ``card.not_enough_left``.
    """
    job = lock_job(actor, job_id)
    require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
    reasons = [] if job.state in HOLDING else [Reason("samples.no_extra_now", {"state": job.state}, "")]
    if SampleExtra.objects.filter(job=job).count() >= MOST_EXTRAS:
        reasons.append(Reason("samples.too_many_extras", {"most": MOST_EXTRAS}, ""))
    Refusal.raise_any(reasons)
    extra = SampleExtra(job=job, kind=ExtraKind.EXTRA, words=ordered.words, amount_fen=ordered.amount_fen, proposed_at=now)
    extra.proposed_by_id = actor.person_id
    if not _waits_for_leader(job, extra, actor, now):
        extra.state, extra.answered_by_id, extra.answered_at = ExtraState.AGREED, ordered.by_id, ordered.agreed_at
    extra.save()
    after = {"words": extra.words, "amount_fen": extra.amount_fen, "order": ordered.number, "state": str(extra.state)}
    audit.record(actor, "sample_extra.enter_ordered", extra, now, after=after)
    event = "extra_by_order" if extra.state == ExtraState.AGREED else "extra_proposed"
    sample_news.tell_customer(job, event, now, words=extra.words, amount_fen=extra.amount_fen, sheet=ordered.number)
    return extra


def _waits_for_leader(job: SampleJob, extra: SampleExtra, actor: Actor, now: datetime) -> bool:
    """Whether the card's leader agrees to it first; it is kept on the card otherwise."""
    try:
        sample_spending.keep_extra(job, extra, actor, now)
    except Refusal as refusal:
        if [each.code for each in refusal.reasons] != [LEADER_FIRST]:
            raise
        return True
    return False


@whole
def answer(actor: Actor, extra_id: int, event: ExtraEvent, now: datetime, *, amount_fen: int | None = None) -> SampleExtra:
    """The customer agrees or declines; the lab may withdraw, also what a signed order says. ``amount_fen`` is what who agrees was shown.

    Raises NotFound, Forbidden, Refusal ``samples.extra_answered``, ``samples.second_person``, ``samples.no_extra_now``, Conflict
    ``samples.amount_differs``; where a fund card pays, for a yes Forbidden ``card.not_your_spending``, Refusal ``card.leader_first``,
    Conflict ``card.not_enough_left``. A no needs no card.
    """
    seen = get_visible(SampleExtra.objects.all(), actor, pk=extra_id)
    job = lock_job(actor, seen.job_id)
    extra = SampleExtra.objects.select_for_update(no_key=True).get(pk=extra_id)
    require_on(actor, Side.LAB if event is ExtraEvent.WITHDRAW else Side.CUSTOMER, job.organisation_id, job.lab_id)
    if (
        extra.state == ExtraState.AGREED
        and event is ExtraEvent.WITHDRAW
        and job.state in HOLDING
        and sample_money().is_ordered(extra)
    ):
        after = ExtraState.WITHDRAWN
        sample_spending.keep_without(job, extra, actor, now)
    else:
        after = next_extra_state(ExtraState(extra.state), event)
    if event is ExtraEvent.AGREE:
        sample_spending.require_paying(job, actor, now)
        _require_consent(job, extra, actor, amount_fen)
        sample_spending.keep_extra(job, extra, actor, now)
    extra.state, extra.answered_by_id, extra.answered_at = after, actor.person_id, now
    extra.save(update_fields=["state", "answered_by", "answered_at"])
    audit.record(actor, f"sample_extra.{event.value}", extra, now, after={"state": after.value, "amount_fen": extra.amount_fen})
    if not SampleExtra.objects.filter(job=job, state=ExtraState.PROPOSED).exists():
        notices.settle(job, [ASKED], now)
    told = sample_news.tell_customer if event is ExtraEvent.WITHDRAW else sample_news.tell_lab
    told(job, f"extra_{after.value}", now, words=extra.words, amount_fen=extra.amount_fen)
    return extra


def _require_consent(job: SampleJob, extra: SampleExtra, actor: Actor, seen_fen: int | None) -> None:
    if job.state not in HOLDING:
        raise Refusal.of("samples.no_extra_now", state=job.state)
    if extra.proposed_by_id == actor.user_id:
        raise Refusal.of("samples.second_person")
    if seen_fen is not None and seen_fen != extra.amount_fen:
        raise Conflict.of("samples.amount_differs", amount_fen=extra.amount_fen)
