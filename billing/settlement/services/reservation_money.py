"""Money follows every transition of a reservation: billing's implementation of ``booking.ports.MoneyPort``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from billing.cards.accounts import RESERVATION
from billing.ledger import services as ledger
from billing.ledger.models import Account, TransferKind
from billing.ledger.services import Source
from billing.prepaid.accounts import PREPAID
from billing.prepaid.services import holding as own_money
from billing.pricing import services as pricing
from billing.settlement import once, orders
from billing.settlement.customer_terms import NO_TERMS, Asking, Terms, terms_of
from billing.settlement.fee_models import BookingFee
from billing.settlement.models import Charge, Quote
from billing.settlement.services import (
    assessing,
    awarding,
    basis_day,
    card_money,
    charging_many,
    fees,
    grading,
    later_questions,
    quote_rows,
    session_extras,
    slips,
    usage_charge,
)
from billing.settlement.services.assessing import Pins, Plan, Prepared
from billing.settlement.services.usage_charge import Used
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.codec import Inputs
from billing.subsidy.rules.programme import OF_SHEET
from booking.models import Reservation, UsageSession
from booking.ports import NO_ADDONS, NO_FAULT, Addons, ExpectedFigures, FiguresChanged, Leaving
from booking.rules.answers import known_answers
from booking.rules.service_facts import ServiceFacts
from booking.rules.states import Action, ReservationState
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.statements import planned_once

_IS_HELD = "SELECT EXISTS (SELECT FROM billing_quote WHERE reservation_id = %s AND held_at IS NOT NULL)"
_CONFIRMED_GRADE = "SELECT grade FROM booking_closeout WHERE reservation_id = %s AND confirmed_at IS NOT NULL"


class ReservationMoney:
    """See ``booking.ports.MoneyPort`` for when each method is called."""

    def on_request(
        self,
        reservation: Reservation,
        actor: Actor,
        expected: ExpectedFigures,
        now: datetime,
        *,
        charged: bool = True,
        addons: Addons = NO_ADDONS,
        accepted: bool = True,
    ) -> None:
        """Pin revision 1 and what is used besides the time, and keep what the customer pays on its fund card, its prepaid money and its
        limits, as its terms ask; of what is not ``accepted`` yet nothing is kept.

        Raises Conflict ``billing.figures_differ`` when the customer saw other figures, ``card.not_enough_left``; for the add-ons what
        ``session_extras.choose`` raises.
        """
        # Terms are for what is asked for anew: use that has happened is owed, whatever else its customer owes.
        happened = reservation.ends_at <= now
        terms = NO_TERMS if not charged or reservation.imported or happened else terms_of(_asking(reservation), now)
        Refusal.raise_any(terms.against)
        prepared = assessing.prepare(
            reservation.instrument,
            reservation.organisation,
            reservation.during,
            now,
            service_mode=reservation.service_mode,
            imported=reservation.imported,
            subsidised=charged,
            project=reservation.research_project,
            person_id=reservation.requested_by_id,
            direction=reservation.service_direction,
            said=reservation.said,
            together=orders.asked_together(reservation),
        )
        assessing.require_offered(prepared.tried(), reservation.said)
        assessment = prepared.inputs.assess()
        refuse_surprise(assessment, expected)
        _write_quote(reservation, 1, prepared, assessment, now, accepted_by_id=actor.user_id if accepted else None)
        offered = session_extras.priced(prepared.inputs.schedule, prepared.inputs.customer_class)
        chosen_fen = session_extras.choose(reservation, offered, addons, actor, now)
        if accepted:
            _keep_first(reservation, terms, assessment.payable_now_fen + chosen_fen, "request", actor, now)

    def on_approve(self, reservation: Reservation, actor: Actor, now: datetime) -> FiguresChanged | None:
        """Hold every awarded amount, unless the customer would now pay more than what was accepted."""
        return self._approve(reservation, actor, now)

    def _approve(
        self, reservation: Reservation, actor: Actor, now: datetime, missed: BookingFee | None = None, own: Sequence[Account] = ()
    ) -> FiguresChanged | None:
        """``missed``: a fee that falls away first, behind the locks of all accounts concerned. ``own``: the customer's accounts that keep
        the price again; without any those that keep it already."""
        quotes = quote_rows.quotes_of(reservation.pk)
        accepted = quote_rows.agreed_of(quotes)
        if accepted.accepted_at is None:
            return FiguresChanged(accepted.revision)
        zone = ZoneInfo(reservation.instrument.site.time_zone)
        pins = Pins.of(accepted.inputs).approved_on(now.astimezone(zone).date())
        planned = assessing.plan_of(reservation, reservation.during, now, pins, attached=accepted.attached)
        accounts = _locked_accounts(reservation, planned, now, [*fees.card_accounts([missed] if missed else []), *own])
        if missed is not None:
            fees.fall_away_whole(missed, actor, now)
        prepared = planned.with_balances(accounts)
        assessment = prepared.inputs.assess()
        if is_dearer(assessment, accepted):
            return FiguresChanged(_ask_again(reservation, quotes[-1], prepared, assessment, now))
        _write_quote(
            reservation,
            quotes[-1].revision + 1,
            prepared,
            assessment,
            now,
            accepted_by_id=accepted.accepted_by_id,
            held=True,
            promised=accepted,
        )
        _hold_awards(reservation, prepared, assessment, accounts, "approve", actor, now)
        if own or reservation.fund_card_id is not None:  # what an earlier card kept ended when it was taken off
            kept_fen = assessment.payable_now_fen + session_extras.agreed_fen(reservation)
            card_money.hold(reservation, kept_fen, "approve", actor, now, own or None)
        return None

    def on_move(
        self,
        reservation: Reservation,
        actor: Actor,
        expected: ExpectedFigures,
        now: datetime,
        wished_at: datetime | None = None,
    ) -> FiguresChanged | None:
        """Quote the new time under the price and programmes of its day; what was held comes back before it is held anew."""
        quotes = quote_rows.quotes_of(reservation.pk)
        accepted = quote_rows.agreed_of(quotes)
        # An approval that was taken back leaves a quote that was held once; a request holds nothing.
        waits = reservation.state == ReservationState.REQUESTED
        held = None if waits else next((quote for quote in reversed(quotes) if quote.held_at is not None), None)
        agreed = assessing.agreed_pins(reservation, reservation.during, now, accepted)
        planned = assessing.plan_of(reservation, reservation.during, now, agreed, attached=accepted.attached)
        own = _of_another_day(reservation, accepted, now)
        if held is None:
            _lock_beside(reservation, own, now)
            prepared = planned.with_balances(_known(planned))
        else:
            accounts, kept = self.released(reservation, planned, actor, now, own or ())
            own = kept if own is None else own
            prepared = planned.with_balances(accounts)
        assessment = prepared.inputs.assess()
        if expected.exact:
            refuse_surprise(assessment, expected)
        if is_dearer(assessment, expected if expected.complete else accepted):
            return FiguresChanged(quotes[-1].revision)
        unseen = wished_at is None and not expected.complete
        if unseen and fees.are_dearer(prepared.inputs.schedule, assessment.gross_fen, accepted):
            return FiguresChanged(quotes[-1].revision)
        _write_quote(
            reservation,
            quotes[-1].revision + 1,
            prepared,
            assessment,
            now,
            accepted_by_id=actor.user_id if expected.complete else accepted.accepted_by_id,
            held=held is not None,
            promised=accepted,
            wished_at=wished_at if held is not None else None,
        )
        if held is not None:
            _hold_awards(reservation, prepared, assessment, accounts, "move", actor, now)
        if planned.price_version_id != accepted.inputs["schedule"]["price_version"]:
            offered = session_extras.priced(prepared.inputs.schedule, prepared.inputs.customer_class)
            session_extras.leave_behind(reservation, offered, actor, now)
        card_money.hold(reservation, assessment.payable_now_fen + session_extras.agreed_fen(reservation), "move", actor, now, own)
        return None

    def released(
        self, reservation: Reservation, planned: Plan, actor: Actor, now: datetime, beside: Sequence[Account] = ()
    ) -> tuple[dict[str, Account], list[Account]]:
        """Void the old holds behind the locks of all accounts concerned (those ``beside`` too), in id order; the accounts of ``planned``,
        re-read, and the customer's own that kept the price."""
        opened = ledger.open_accounts([*planned.specs(), *card_money.specs(reservation)], now).values()
        old = Account.objects.filter(pk__in=ledger.held_accounts(RESERVATION, reservation.pk))
        ledger.lock([*opened, *old, *beside])
        source = Source(RESERVATION, reservation.pk, "move", None, actor.user_id)
        awarding.end_promise(source, now, reservation.research_project)
        once.lock(planned.facts.service.paper, planned.versions)
        return ledger.lock(opened), own_money.kept(list(old))

    def on_release(self, reservation: Reservation, actor: Actor, reason: str, now: datetime, leaving: Leaving = NO_FAULT) -> int:
        """Void what is held (expire it when time alone did), after the fee, if any, was taken from the card's part of it; a decision
        that is taken back leaves a request, whose card pays again.

        Raises Conflict ``billing.fee_differs`` when the fee is more than the customer saw.
        """
        fee_fen = fees.charge(reservation, leaving, reason, actor, now)
        kind = TransferKind.EXPIRE if reason == "expire" else TransferKind.VOID
        source = Source(RESERVATION, reservation.pk, reason, None, actor.user_id)
        ended = awarding.end_promise(source, now, reservation.research_project, kind)
        if reason == Action.TAKE_BACK:
            # An approval that is taken back ends what it kept just now; a rejection has ended it when it was made.
            own = own_money.kept([one.debit for one in ended]) if ended else own_money.kept_before(reservation)
            if own or reservation.fund_card_id is not None:
                _lock_beside(reservation, own, now)
                card_money.hold(reservation, self.payable_now_fen(reservation), reason, actor, now, own)
        return fee_fen

    def on_correct(
        self, reservation: Reservation, before: ServiceFacts, actor: Actor, expected: ExpectedFigures, now: datetime
    ) -> None:
        """Raises Refusal ``facts.money_held`` for each of what stays (an answer that only a later version asks for does not), Conflict
        ``facts.dearer`` with the figures that it would have, ``billing.figures_differ``."""
        decides = before.decides_otherwise(reservation.service_facts, reservation.organisation.kind)
        if not decides:
            return
        quotes = quote_rows.quotes_of(reservation.pk)
        coming = later_questions.coming(quotes[-1], now) if "answers" in decides else ()
        later_questions.require_fit(quotes[-1], coming, reservation.answers)
        if self.decided_by_facts(reservation):
            stays = later_questions.what_stays(decides, before.answers, reservation.answers, coming)
            Refusal.raise_any([Reason("facts.money_held", {}, name) for name in stays])
            return
        accepted = quote_rows.agreed_of(quotes)
        agreed = assessing.agreed_pins(reservation, reservation.during, now, accepted)
        planned = assessing.plan_of(reservation, reservation.during, now, agreed, attached=accepted.attached)
        assessing.require_offered(planned.tried(), reservation.said)
        prepared = planned.with_balances(_known(planned))
        assessment = prepared.inputs.assess()
        refuse_surprise(assessment, expected)
        if not expected.complete and is_dearer(assessment, accepted):
            figures = {"payable_now_fen": assessment.payable_now_fen, "final_cost_fen": assessment.final_cost_fen}
            raise Conflict(*(Reason("facts.dearer", figures, name) for name in decides), extra=figures)
        # A correction is no yes to what the lab entered.
        says_yes = expected.complete and accepted.accepted_at is not None
        by = actor.user_id if says_yes else accepted.accepted_by_id
        _write_quote(reservation, quotes[-1].revision + 1, prepared, assessment, now, accepted_by_id=by, promised=accepted)

    def decided_by_facts(self, reservation: Reservation) -> bool:
        """From approval on, and for what a request keeps on cards, prepaid money or limits (of a project, for one)."""
        if reservation.state != ReservationState.REQUESTED:
            return True
        return bool(ledger.held_accounts(RESERVATION, reservation.pk))

    def free_until(self, reservation: Reservation) -> datetime | None:
        """As the quote says by which the reservation goes."""
        return fees.told_of(reservation, fees.quote_of(reservation)).free_until

    def on_come_late(self, reservation: Reservation, actor: Actor, now: datetime) -> FiguresChanged | None:
        """The fee for not coming falls away before the money is held again, so that a card has enough left; the customer's own accounts
        keep the price again, as before the no-show. Raises Conflict ``prepaid.not_enough_left``, ``spending.over_limit``."""
        return self._approve(reservation, actor, now, fees.locked_fee(reservation), own_money.kept_before(reservation))

    def on_progress(self, reservation: Reservation, action: Action, actor: Actor, now: datetime) -> None:
        """Nothing moves; but without a quote that was held nobody uses an instrument. Raises Conflict ``billing.not_held``."""
        with connection.cursor() as cursor:
            cursor.execute(_IS_HELD, [reservation.pk])
            (is_held,) = cursor.fetchone()
        if not is_held:
            raise Conflict.of("billing.not_held")

    def on_extend(self, reservation: Reservation, actor: Actor, expected: ExpectedFigures, now: datetime) -> None:
        """Price the longer session under the versions it was promised, void what is held and hold anew.

        Raises Conflict ``billing.figures_differ`` when the customer saw other figures.
        """
        held = reservation.quotes.filter(held_at__isnull=False).latest("revision")
        pins = Pins.of(held.inputs)
        planned = assessing.plan_of(reservation, reservation.during, now, pins, assessing.approved_on(held.inputs))
        accounts, own = self.released(reservation, planned, actor, now)
        prepared = planned.with_balances(accounts)
        assessment = prepared.inputs.assess()
        refuse_surprise(assessment, expected)
        revision = reservation.quotes.latest("revision").revision + 1
        _write_quote(reservation, revision, prepared, assessment, now, accepted_by_id=actor.user_id, held=True, promised=held)
        _hold_awards(reservation, prepared, assessment, accounts, "extend", actor, now)
        kept_fen = assessment.payable_now_fen + session_extras.agreed_fen(reservation)
        card_money.hold(reservation, kept_fen, "extend", actor, now, own)

    def reasons_against(self, asked: Sequence[Reservation], now: datetime) -> list[tuple[Reason, ...]]:
        """Three queries for each customer."""
        found: dict[int, tuple[Reason, ...]] = {}
        of_customer: dict[int, list[int]] = defaultdict(list)
        for place, one in enumerate(asked):
            of_customer[one.organisation_id].append(place)
        for places in of_customer.values():
            sessions = [
                assessing.Session(
                    one.instrument,
                    one.during,
                    one.service_mode,
                    one.research_project,
                    one.requested_by_id,
                    one.service_direction,
                    one.said,
                    orders.asked_together(one),
                )
                for one in (asked[place] for place in places)
            ]
            prepared = assessing.prepare_many(sessions, asked[places[0]].organisation, now)
            found |= {place: _not_quoted(each) for place, each in zip(places, prepared, strict=True)}
        return [found[place] for place in range(len(asked))]

    def payable_now_fen(self, reservation: Reservation) -> int:
        """By the quote that was accepted last, with the extras that were agreed to."""
        return session_extras.kept_fen(reservation)

    def on_card_changed(self, reservation: Reservation, actor: Actor, now: datetime) -> None:
        """Keep it on the new card; both accounts are locked in id order. Raises Conflict ``card.not_enough_left``."""
        card_money.lock_with_holds([reservation], now)
        card_money.hold(reservation, self.payable_now_fen(reservation), "card", actor, now)

    def quality_counts(self, reservation: Reservation) -> bool:
        """Whether a programme that awarded something at approval multiplies by the quality grade."""
        held = reservation.quotes.filter(held_at__isnull=False).order_by("-revision").first()
        return held is not None and grading.counts(held)

    def on_agree(self, reservation: Reservation, session: UsageSession, actor: Actor, now: datetime) -> None:
        """Charge the billable time under the facts and balances frozen at approval; post what is due, void the rest.

        A confirmed quality grade of the session takes the place of the owner's where it gives no more than was held. Fees for time
        that was given back and that the session used fall away in part.
        """
        relieved = fees.to_relieve(session, reservation)
        returning = fees.card_accounts(relieved)
        held = self._held_on_its_day(reservation, actor, now, returning)
        if returning or reservation.fund_card_id is not None:
            card_money.lock_with_holds([reservation], now, returning)
        extras = session_extras.for_charge(reservation, actor, now)
        used = Used(reservation, session, confirmed_grade(reservation), extras)
        frozen, assessment, inputs = usage_charge.worked_out(held, used, now)
        charge = Charge.objects.create(**usage_charge.row_of(reservation, frozen, assessment, now))
        self._post(reservation, charge, inputs, assessment, actor, now)
        covered = card_money.spend(reservation, charge.payable_now_fen, "agree", actor, now)
        own_money.settle(reservation, charge.pk, charge.payable_now_fen, _source(reservation, "agree", actor), now)
        slips.issue(reservation, session, charge.pk, assessment, covered, now)
        fees.relieve(relieved, reservation, actor, now)

    def _held_on_its_day(self, reservation: Reservation, actor: Actor, now: datetime, beside: Sequence[Account]) -> Quote:
        """The quote that was held, or a new one where programmes count on the day of the charge otherwise than was expected."""
        held = reservation.quotes.filter(held_at__isnull=False).latest("revision")
        if not usage_charge.counts_otherwise(held, now):
            return held
        thawed = assessing.thaw(held.inputs)
        on = now.astimezone(thawed.zone).date()
        own = [*beside, *ledger.open_accounts(card_money.specs(reservation), now).values()]
        source, project = _source(reservation, "charged_on", actor), reservation.research_project
        answers = known_answers(reservation.answers)
        anew = basis_day.count_anew(held, thawed, reservation.organisation_id, on, source, now, project, own, answers)
        frozen = usage_charge.frozen_under(held, thawed, anew.inputs, anew.versions)
        fields = {"reservation_id": reservation.pk, "revision": held.revision + 1, "valid_until": held.valid_until}
        agreed = {"accepted_at": now, "accepted_by_id": held.accepted_by_id, "held_at": now, "created_at": now}
        row = fields | agreed | assessing.frozen_row(frozen, anew.assessment)
        quote_rows.insert(row)
        return Quote(**row)

    def on_agree_many(self, agreed: Sequence[tuple[Reservation, UsageSession]], actor: Actor, now: datetime) -> list[bool]:
        """As ``on_agree`` charges each, in a constant number of statements; False: nothing was written, it is charged by itself."""
        return charging_many.charge(agreed, actor, now)

    def _post(
        self, reservation: Reservation, charge: Charge, inputs: Inputs, assessment: Assessment, actor: Actor, now: datetime
    ) -> None:
        versions, parties = usage_charge.versions_of(charge.inputs), usage_charge.parties_of(reservation)
        source = _source(reservation, "agree", actor)
        local_on, project = assessment.priced.local_on, reservation.research_project
        awarding.post_awards(charge, versions, inputs, assessment.outcomes, parties, source, local_on, now, project)


def at_agreed_price(reservation_ids: Iterable[int]) -> set[int]:
    """Which of some reservations cost what was agreed for their time, not what the list says, by the quote that ``quote_rows.agreed_of``
    finds; one query."""
    quotes = Quote.objects.filter(reservation__in=list(reservation_ids)).annotate(waits=Q(accepted_at__isnull=True))
    latest = quotes.order_by("reservation", "waits", "-revision").distinct("reservation")
    versions = latest.values_list("reservation", "inputs__schedule__price_version")
    return {pk for pk, version_id in versions if pricing.agreed_for(version_id) is not None}


def reprice(reservation: Reservation, price_version_id: int, actor: Actor, now: datetime) -> None:
    """Price a reservation that nobody has used yet by another version, under the programmes that it was promised: a new revision of its
    quote takes the place of the one that was accepted, and of what is held. Part of the caller's transaction, which has it locked.

    Raises Refusal ``commission.dearer`` where the customer would pay more, now or in the end; Conflict ``card.not_enough_left``.
    """
    quotes = quote_rows.quotes_of(reservation.pk)
    accepted = quote_rows.agreed_of(quotes)
    waits = reservation.state == ReservationState.REQUESTED
    held = None if waits else next((quote for quote in reversed(quotes) if quote.held_at is not None), None)
    pins = Pins(price_version_id, Pins.of(accepted.inputs).programme_version_ids)
    planned = assessing.plan_of(reservation, reservation.during, now, pins, assessing.approved_on(accepted.inputs))
    money = ReservationMoney()
    accounts, own = (_known(planned), None) if held is None else money.released(reservation, planned, actor, now)
    prepared = planned.with_balances(accounts, (RESERVATION, reservation.pk))
    assessment = prepared.inputs.assess()
    if is_dearer(assessment, accepted):
        raise Refusal.of(
            "commission.dearer",
            "reservation",
            before_fen=accepted.final_cost_fen,
            final_cost_fen=assessment.final_cost_fen,
        )
    by, revision = accepted.accepted_by_id, quotes[-1].revision + 1
    _write_quote(reservation, revision, prepared, assessment, now, accepted_by_id=by, held=held is not None, promised=accepted)
    if held is not None:
        _hold_awards(reservation, prepared, assessment, accounts, "reprice", actor, now)
    if accepted.accepted_at is not None:  # before its customer's yes nothing is kept
        kept_fen = assessment.payable_now_fen + session_extras.agreed_fen(reservation)
        card_money.hold(reservation, kept_fen, "reprice", actor, now, own)


def tell_contract(reservation: Reservation, actor: Actor, now: datetime) -> bool:
    """Work out a reservation anew at its price, because it stands under a contract now; nothing happens where none of its programmes asks
    for one or for an order. Whether it was. Part of the caller's transaction, which has it locked. Raises as ``reprice``."""
    quotes = quote_rows.quotes_of(reservation.pk)
    pins = Pins.of(quote_rows.agreed_of(quotes).inputs)
    if not any(OF_SHEET & subsidy.in_force(pk).programme.asks_of_service for pk in pins.programme_version_ids):
        return False
    reprice(reservation, pins.price_version_id, actor, now)
    return True


def keep_accepted(reservation: Reservation, amount_fen: int, actor: Actor, now: datetime) -> None:
    """Keep the price of what its lab entered, to which its customer says yes for the first time; part of the caller's transaction.

    Raises as ``on_request`` what the customer's terms and accounts say against it.
    """
    terms = terms_of(_asking(reservation), now)
    Refusal.raise_any(terms.against)
    _keep_first(reservation, terms, amount_fen, "accept", actor, now)


def _keep_first(reservation: Reservation, terms: Terms, amount_fen: int, reason: str, actor: Actor, now: datetime) -> None:
    if terms.accounts:
        ledger.lock([*terms.accounts, *ledger.open_accounts(card_money.specs(reservation), now).values()])
    if terms.accounts or reservation.fund_card_id is not None:  # what is new keeps nothing yet that would be looked for
        card_money.hold(reservation, amount_fen, reason, actor, now, terms.accounts)


def _source(reservation: Reservation, reason: str, actor: Actor) -> Source:
    return Source(RESERVATION, reservation.pk, reason, None, actor.user_id)


def _asking(reservation: Reservation) -> Asking:
    """Who asks for it, as terms are asked for."""
    instrument = reservation.instrument
    on = reservation.starts_at.astimezone(ZoneInfo(instrument.site.time_zone)).date()
    who = reservation.requested_by_id
    return Asking(instrument.organisation_id, reservation.organisation_id, who, reservation.research_project, on)


def _of_another_day(reservation: Reservation, accepted: Quote, now: datetime) -> list[Account] | None:
    """The customer's own accounts of a booking that begins on another local day than was ``accepted``: spending limits are of days, its
    prepaid money stays as it was kept. None where the day is the same."""
    asking = _asking(reservation)
    zone, began_at = ZoneInfo(reservation.instrument.site.time_zone), accepted.valid_until
    if reservation.imported or began_at is None or began_at.astimezone(zone).date() == asking.on:
        return None
    before = own_money.kept([one.debit for one in ledger.open_holds(RESERVATION, reservation.pk)])
    limits = [account for account in terms_of(asking, now).accounts if account.kind != PREPAID]
    return [*(account for account in before if account.kind == PREPAID), *limits]


def _lock_beside(reservation: Reservation, beside: Sequence[Account] | None, now: datetime) -> None:
    """Where other accounts than before keep the price of a request, all of them in id order."""
    if beside is not None:
        card_money.lock_with_holds([reservation], now, beside)


def _not_quoted(prepared: Prepared | None) -> tuple[Reason, ...]:
    if prepared is None:
        return (Reason("price.none", {}, "instrument"),)
    try:
        prepared.inputs.assess()
    except Refusal as refusal:
        return refusal.reasons
    return ()


def is_dearer(assessment: Assessment, accepted: Quote | ExpectedFigures) -> bool:
    """Whether the customer would pay more, now or in the end, than was accepted (or seen; None is no figure)."""
    pairs = (
        (assessment.payable_now_fen, accepted.payable_now_fen),
        (assessment.final_cost_fen, accepted.final_cost_fen),
    )
    return any(seen is not None and now_fen > seen for now_fen, seen in pairs)


def _hold_awards(
    reservation: Reservation,
    prepared: Prepared,
    assessment: Assessment,
    accounts: Mapping[str, Account],
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Promise every awarded amount, from accounts that are locked."""
    source = Source(RESERVATION, reservation.pk, reason, None, actor.user_id)
    project = reservation.research_project
    awarding.hold_awards(prepared, prepared.inputs, assessment.outcomes, accounts, source, now, project)


def _known(planned: Plan) -> dict[str, Account]:
    """The accounts that are open already, by key; nothing is locked."""
    return ledger.known(spec.key for spec in planned.specs())


def refuse_surprise(assessment: Assessment | Quote, expected: ExpectedFigures) -> None:
    """Raises Conflict ``billing.figures_differ`` where the customer saw other figures."""
    shown = [
        (expected.payable_now_fen, assessment.payable_now_fen),
        (expected.final_cost_fen, assessment.final_cost_fen),
    ]
    if any(seen is not None and seen != real for seen, real in shown):
        raise other_figures(assessment)


def other_figures(assessment: Assessment | Quote) -> Conflict:
    """``billing.figures_differ`` with the figures that were not seen."""
    params = {"payable_now_fen": assessment.payable_now_fen, "final_cost_fen": assessment.final_cost_fen}
    return Conflict(Reason("billing.figures_differ", params), extra=params)


def _write_quote(
    reservation: Reservation,
    revision: int,
    prepared: Prepared,
    assessment: Assessment,
    now: datetime,
    *,
    accepted_by_id: int | None,
    held: bool = False,
    promised: Quote | None = None,
    wished_at: datetime | None = None,
) -> None:
    """``promised`` is the quote that was accepted before; ``wished_at``: when the customer asked to move from its time."""
    own = fees.terms(prepared.inputs.schedule, assessment.gross_fen, reservation, promised, wished_at)
    frozen = prepared.frozen_inputs() | own
    quote_rows.insert(
        {
            "reservation_id": reservation.pk,
            "revision": revision,
            "valid_until": reservation.starts_at,
            "accepted_at": now if accepted_by_id is not None else None,
            "accepted_by_id": accepted_by_id,
            "held_at": now if held else None,
            "created_at": now,
            **assessing.frozen_row(frozen, assessment),
        }
    )


def _ask_again(reservation: Reservation, latest: Quote, prepared: Prepared, assessment: Assessment, now: datetime) -> int:
    """A new revision for the customer to accept, unless the same figures wait already; returns its number."""
    same = (latest.payable_now_fen, latest.final_cost_fen) == (assessment.payable_now_fen, assessment.final_cost_fen)
    if latest.accepted_at is None and same:
        return latest.revision
    _write_quote(reservation, latest.revision + 1, prepared, assessment, now, accepted_by_id=None, promised=latest)
    return latest.revision + 1


def _locked_accounts(
    reservation: Reservation, planned: Plan, now: datetime, returning: Sequence[Account] = ()
) -> dict[str, Account]:
    """Every account an award could draw on, those that count what the customer was awarded, and the fund card's, opened where missing,
    locked in id order with those to which something is ``returning``, and re-read. The counting ones too, because a first use is first
    only once. Of an imported one the others are read besides: a list of many hundred rows is one transaction and holds nobody up whose
    programme gives it nothing."""
    others = _known(planned) if reservation.imported else {}
    specs = [*planned.drawn_specs(), *card_money.specs(reservation)]
    locked = ledger.lock([*ledger.open_accounts(specs, now).values(), *returning])
    once.lock(planned.facts.service.paper, planned.versions)
    return others | locked


def confirmed_grade(reservation: Reservation) -> str:
    """The quality grade that counts for the charge: one of the session that a second person confirmed, or none."""
    with planned_once() as cursor:
        cursor.execute(_CONFIRMED_GRADE, [reservation.pk])
        row = cursor.fetchone()
    return row[0] if row else ""
