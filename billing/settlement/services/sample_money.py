"""Money follows a sample job: billing's implementation of ``booking.sample_ports.SampleMoneyPort``.

The same quotes, holds, charges and awards as of a reservation (``reservation_money``); only what is priced differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from billing.cards.accounts import SAMPLE_JOB
from billing.ledger import services as ledger
from billing.ledger.services import Source
from billing.prepaid.services import holding as own_money
from billing.pricing.rules.samples import ExtraCharge, PricedSamples, SamplePrice, sample_price_from_json
from billing.settlement import contracts, once
from billing.settlement.contracts import Contract
from billing.settlement.customer_terms import Asking, terms_of
from billing.settlement.models import Charge, Quote
from billing.settlement.queries import local_today
from billing.settlement.services import (
    assessing,
    awarding,
    basis_day,
    card_money,
    grading,
    reservation_money,
    sample_quotes,
    slips,
)
from billing.settlement.services.sample_quotes import SamplePlan
from billing.settlement.services.still_eligible import looked_at_again
from billing.subsidy import services as subsidy
from billing.subsidy.rules import sample_codec
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.sample_codec import SampleInputs
from billing.subsidy.services import InForce
from booking.models import CloseOut, SampleExtra, SampleJob
from booking.ports import NOTHING_EXPECTED, ExpectedFigures, FiguresChanged
from booking.rules.answers import known_answers
from booking.rules.enquiries import Side
from booking.rules.samples import JobEvent, JobState
from booking.rules.spending import Wait
from booking.sample_ports import AgreedPrice
from booking.services import sample_news, sample_spending
from booking.services.enquiry_sides import require_on
from booking.services.sample_writing import lock_job
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole


class SampleMoney:
    """See ``booking.sample_ports.SampleMoneyPort`` for when each method is called."""

    def on_ask(
        self, job: SampleJob, actor: Actor, expected: ExpectedFigures, now: datetime, agreed: AgreedPrice | None = None
    ) -> None:
        """Pin revision 1; a fund card keeps what is to pay now.

        Raises Refusal ``price.on_request``, ``samples.priced_by_time``, ``dunning.blocked``, Conflict ``billing.figures_differ``,
        ``card.not_enough_left``, ``prepaid.not_enough_left``, ``spending.over_limit``.
        """
        today = local_today(now)
        who = job.requested_by_id
        terms = terms_of(Asking(job.lab_id, job.organisation_id, who, job.research_project, job.arrive_on), now)
        Refusal.raise_any(terms.against)
        price = SamplePrice(agreed.unit, agreed.amount_fen) if agreed is not None else None
        planned = sample_quotes.plan(
            job.resource,
            job.organisation,
            job.sample_count,
            job.elements,
            job.arrive_on,
            today,
            price=price,
            project=job.research_project,
            person_id=job.requested_by_id,
            direction=job.service_direction,
            contract=partial(_agreed_in, agreed),
            said=job.said,
        )
        sample_quotes.require_counted(planned)
        assessing.require_offered(planned.tried(), job.said)
        inputs = planned.with_balances(ledger.known(spec.key for spec in planned.specs()))
        assessment = inputs.assess()
        reservation_money.refuse_surprise(assessment, expected)
        _write_quote(job, 1, inputs, planned.versions, assessment, now, accepted_by_id=actor.user_id)
        if terms.accounts:
            ledger.lock([*terms.accounts, *ledger.open_accounts(card_money.specs(job), now).values()])
        card_money.hold(job, assessment.payable_now_fen, "ask", actor, now, terms.accounts)

    def on_accept(self, job: SampleJob, actor: Actor, expected: ExpectedFigures, now: datetime) -> FiguresChanged | None:
        """Hold every awarded amount, unless the customer would now pay more than what was accepted.

        Raises Refusal ``samples.own_figures``, ``samples.commission_cancelled``, Conflict ``billing.figures_differ``.
        """
        quotes = list(job.quotes.order_by("revision"))
        accepted = _accepted(quotes)
        if accepted.accepted_by_id == actor.user_id:
            raise Refusal.of("samples.own_figures")
        reservation_money.refuse_surprise(accepted, expected)
        if SampleJob.objects.filter(pk=job.pk, commission__sheet__state="cancelled").exists():
            raise Refusal.of("samples.commission_cancelled")
        planned = _pinned(job, accepted, now)
        accounts = ledger.lock(ledger.open_accounts([*planned.specs(), *card_money.specs(job)], now).values())
        once.lock(planned.facts.service.paper, planned.versions)
        inputs = planned.with_balances(accounts)
        assessment = inputs.assess()
        latest = quotes[-1]
        if reservation_money.is_dearer(assessment, accepted):
            same = (latest.payable_now_fen, latest.final_cost_fen) == (assessment.payable_now_fen, assessment.final_cost_fen)
            if latest.accepted_at is None and same:
                return FiguresChanged(latest.revision)
            _write_quote(job, latest.revision + 1, inputs, planned.versions, assessment, now, accepted_by_id=None)
            return FiguresChanged(latest.revision + 1)
        by = accepted.accepted_by_id
        _write_quote(job, latest.revision + 1, inputs, planned.versions, assessment, now, accepted_by_id=by, held=True)
        source = Source(SAMPLE_JOB, job.pk, "accept", None, actor.user_id)
        awarding.hold_awards(planned, inputs, assessment.outcomes, accounts, source, now, job.research_project)
        card_money.hold(job, assessment.payable_now_fen, "accept", actor, now)
        return None

    def payable_now_fen(self, job: SampleJob) -> int:
        """By the quote that was accepted last."""
        return _accepted(list(job.quotes.order_by("revision"))).payable_now_fen

    def on_extra(self, job: SampleJob, extra_fen: int, actor: Actor, now: datetime) -> None:
        """Keep it on the card beside the price. Raises Conflict ``card.not_enough_left``."""
        card_money.hold(job, self.payable_now_fen(job) + extra_fen, "extra", actor, now)

    def is_ordered(self, extra: SampleExtra) -> bool:
        """Whether it is charged as a line of a commission sheet."""
        return SampleExtra.objects.filter(pk=extra.pk, by_order__isnull=False).exists()

    def is_under_order(self, job: SampleJob) -> bool:
        """Whether it is under a commission sheet."""
        return SampleJob.objects.filter(pk=job.pk, commission__isnull=False).exists()

    def quality_counts(self, job: SampleJob) -> bool:
        """Whether a programme that awarded something at acceptance multiplies by the quality grade."""
        held = job.quotes.filter(held_at__isnull=False).order_by("-revision").first()
        return held is not None and grading.counts(held)

    def on_release(self, job: SampleJob, actor: Actor, reason: str, now: datetime) -> None:
        """Void what is held; an answer that is taken back leaves a request, for which card and own accounts keep the price again.

        Raises then Conflict ``card.not_enough_left``, ``card.cannot_pay``, ``prepaid.not_enough_left``, ``spending.over_limit``.
        """
        ended = awarding.end_promise(Source(SAMPLE_JOB, job.pk, reason, None, actor.user_id), now, job.research_project)
        if reason == JobEvent.TAKE_BACK:
            # An acceptance that is taken back ends what it kept just now; a refusal has ended it when it was made.
            own = own_money.kept([one.debit for one in ended]) if ended else own_money.kept_before(job)
            if own or job.fund_card_id is not None:
                card_money.lock_with_holds([job], now, own)
                card_money.hold(job, self.payable_now_fen(job), reason, actor, now, own)

    def on_close(self, job: SampleJob, tested: int, extras: Sequence[SampleExtra], actor: Actor, now: datetime) -> None:
        """Charge what was tested under what was frozen at acceptance, and the agreed extras; post what is due, void the rest.

        A confirmed quality grade takes the place of the owner's where it gives no more than was held.
        """
        held = self._held_on_its_day(job, actor, now)
        agreed = tuple(ExtraCharge(each.words, each.amount_fen) for each in extras)
        thawed = thaw(held.inputs)
        again = looked_at_again(thawed.candidates, job.lab, job.organisation, thawed.local_on, local_today(now))
        inputs, versions = _only_promised(replace(thawed, samples=tested, extras=agreed, candidates=again), held)
        inputs, assessment = awarding.within_held(held, inputs)
        grade = _confirmed_grade(job)
        if grade:
            inputs, assessment = grading.under(grade, inputs, assessment)
        frozen = _frozen(inputs, versions)
        charge = Charge.objects.create(sample_job=job, created_at=now, **assessing.frozen_row(frozen, assessment))
        source, parties = Source(SAMPLE_JOB, job.pk, "close", None, actor.user_id), (job.lab_id, job.organisation_id)
        local_on, project = assessment.priced.local_on, job.research_project
        if job.fund_card_id is not None:
            card_money.lock_with_holds([job], now)
        awarding.post_awards(charge, versions, inputs, assessment.outcomes, parties, source, local_on, now, project)
        covered = card_money.spend(job, charge.payable_now_fen, "close", actor, now)
        own_money.settle(job, charge.pk, charge.payable_now_fen, source, now)
        slips.issue_samples(job, charge, assessment, covered, now)

    def _held_on_its_day(self, job: SampleJob, actor: Actor, now: datetime) -> Quote:
        """The quote that was held, or a new one where programmes count on the day of the charge otherwise than was expected."""
        held = job.quotes.filter(held_at__isnull=False).latest("revision")
        inputs, on = thaw(held.inputs), local_today(now)
        if not basis_day.is_other(held, inputs, on):
            return held
        source = Source(SAMPLE_JOB, job.pk, "charged_on", None, actor.user_id)
        answers = known_answers(job.answers)
        anew = basis_day.count_anew(held, inputs, job.organisation_id, on, source, now, job.research_project, answers=answers)
        revision, by = held.revision + 1, held.accepted_by_id
        return _write_quote(job, revision, anew.inputs, anew.versions, anew.assessment, now, accepted_by_id=by, held=True)


def requote(
    job: SampleJob, price: SamplePrice, actor: Actor, now: datetime, expected: ExpectedFigures = NOTHING_EXPECTED
) -> None:
    """Price a job that waits for the lab by what both sides agreed; ``actor`` accepts it for the customer. Part of the caller's
    transaction.

    Raises Conflict ``billing.figures_differ`` where ``expected`` are other figures, and where they were not seen and are dearer than what
    was accepted.
    """
    quotes = list(job.quotes.order_by("revision"))
    planned = sample_quotes.plan(
        job.resource,
        job.organisation,
        job.sample_count,
        job.elements,
        job.arrive_on,
        local_today(now),
        price=price,
        project=job.research_project,
        person_id=job.requested_by_id,
        direction=job.service_direction,
        contract=partial(contracts.of_sample_job, job.pk),
        said=job.said,
    )
    inputs = planned.with_balances(ledger.known(spec.key for spec in planned.specs()))
    assessment = inputs.assess()
    reservation_money.refuse_surprise(assessment, expected)
    if not expected.complete and reservation_money.is_dearer(assessment, _accepted(quotes)):
        raise reservation_money.other_figures(assessment)
    revision = quotes[-1].revision + 1
    _write_quote(job, revision, inputs, planned.versions, assessment, now, accepted_by_id=actor.user_id)
    card_money.hold(job, assessment.payable_now_fen, "requote", actor, now)
    sample_spending.judge(job, now)


@whole
def accept_quote(actor: Actor, job_id: int, now: datetime, expected: ExpectedFigures = NOTHING_EXPECTED) -> None:
    """The customer accepts the figures that wait, ``expected`` are those it saw; the lab may then accept the job, and is told so.
    Raises NotFound, Forbidden (on a card ``card.not_your_spending``), Refusal ``billing.nothing_to_accept``, Conflict
    ``billing.figures_differ``, ``card.not_enough_left``."""
    job = lock_job(actor, job_id)
    require_on(actor, Side.CUSTOMER, job.organisation_id, job.lab_id)
    sample_spending.require_paying(job, actor, now)
    latest = Quote.objects.filter(sample_job=job).latest("revision")
    if job.state != JobState.ASKED or latest.accepted_at is not None:
        raise Refusal.of("billing.nothing_to_accept")
    reservation_money.refuse_surprise(latest, expected)
    latest.accepted_at, latest.accepted_by_id = now, actor.user_id
    latest.save(update_fields=["accepted_at", "accepted_by"])
    audit.record(actor, "quote.accept", latest, now, after={"final_cost_fen": latest.final_cost_fen})
    card_money.hold(job, latest.payable_now_fen, "accept_quote", actor, now)
    if sample_spending.judge(job, now) is Wait.GOES_ON:
        sample_news.settle_figures(job, now)
    else:
        sample_news.tell_lab(job, "figures_accepted", now)


def _agreed_in(agreed: AgreedPrice | None) -> Contract | None:
    """The contract in which a price was agreed; None for one of the list."""
    return None if agreed is None else contracts.signed((agreed.contract_number, agreed.in_force_at))


def _confirmed_grade(job: SampleJob) -> str:
    """The quality grade that counts for the charge: one that a second person confirmed, or none."""
    confirmed = CloseOut.objects.filter(sample_job=job, confirmed_at__isnull=False)
    return confirmed.values_list("grade", flat=True).first() or ""


def _accepted(quotes: Sequence[Quote]) -> Quote:
    """The one that was accepted last; a job has one from asking on."""
    return next(quote for quote in reversed(quotes) if quote.accepted_at is not None)


def _pinned(job: SampleJob, accepted: Quote, now: datetime) -> SamplePlan:
    """The job under the price and the programmes that the customer was shown."""
    service_on = date.fromisoformat(accepted.inputs["local_on"])
    price = sample_price_from_json(accepted.inputs["price"])
    today = local_today(now)
    ids = [each["programme"]["programme_version"] for each in accepted.inputs["candidates"]]
    return sample_quotes.plan(
        job.resource,
        job.organisation,
        job.sample_count,
        job.elements,
        service_on,
        today,
        price=price,
        version_ids=assessing.versions_approved_on(ids, today),
        project=job.research_project,
        person_id=job.requested_by_id,
        direction=job.service_direction,
        contract=partial(contracts.of_sample_job, job.pk),
        said=job.said,
    )


def _frozen(inputs: SampleInputs, versions: Sequence[InForce]) -> dict[str, Any]:
    """The inputs as JSON, programmes replaced by the immutable versions they were read from (id and fingerprint)."""
    data = sample_codec.inputs_to_json(inputs)
    for written, version in zip(data["candidates"], versions, strict=True):
        written["programme"] = assessing.reference(version)
    return data


def _only_promised(inputs: SampleInputs, held: Quote) -> tuple[SampleInputs, list[InForce]]:
    """Without the programmes that would give something now and gave nothing when the money was held; and the versions of the rest."""
    versions = [subsidy.in_force(each["programme"]["programme_version"]) for each in held.inputs["candidates"]]
    kept = awarding.promised_outcomes(held, inputs.assess().outcomes)
    candidates = tuple(each for each, stays in zip(inputs.candidates, kept, strict=True) if stays)
    return replace(inputs, candidates=candidates), [each for each, stays in zip(versions, kept, strict=True) if stays]


def thaw(frozen: Mapping[str, Any]) -> SampleInputs:
    """The engine's inputs from a frozen row. Raises Refusal ``replay.version_changed`` when a version's fingerprint differs."""
    programmes = [subsidy.in_force(each["programme"]["programme_version"]).programme for each in frozen["candidates"]]
    pairs = zip(programmes, frozen["candidates"], strict=True)
    if any(programme.sha256 != each["programme"]["sha256"] for programme, each in pairs):
        raise Refusal.of("replay.version_changed")
    return sample_codec.inputs_under(programmes, frozen)


def _write_quote(
    job: SampleJob,
    revision: int,
    inputs: SampleInputs,
    versions: Sequence[InForce],
    assessment: Assessment[PricedSamples],
    now: datetime,
    *,
    accepted_by_id: int | None,
    held: bool = False,
) -> Quote:
    return Quote.objects.create(
        sample_job=job,
        revision=revision,
        accepted_at=now if accepted_by_id is not None else None,
        accepted_by_id=accepted_by_id,
        held_at=now if held else None,
        created_at=now,
        **assessing.frozen_row(_frozen(inputs, versions), assessment),
    )
