"""What a session would cost, before anything is promised; and the customer's yes to new figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.pricing.rules.fees import PricedFee
from billing.settlement.models import Quote
from billing.settlement.offered import NOTHING, Offered, offered, offered_by, offers
from billing.settlement.rules.fees import fees_on
from billing.settlement.services import assessing, card_money, reservation_money, session_extras
from billing.settlement.services.assessing import Prepared
from billing.settlement.services.session_extras import OnOffer
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.codec import candidates_of
from billing.subsidy.rules.for_customers import for_customer
from billing.subsidy.rules.outcome import Award, Outcome
from billing.subsidy.rules.programme import Programme
from booking.models import Reservation
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.leaving import Fault
from booking.rules.service_facts import UNSAID, Said, kept, said_faults
from booking.rules.states import ReservationState
from booking.services import acting, conflicts, consents, entering, spending, transitions
from booking.services.context import policy_for
from booking.services.refusing import BOOKING_ROLES
from booking.services.state_writing import lock_row
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit, transactions
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation


@dataclass(frozen=True, slots=True)
class CapLeft:
    """What one cap still allows after this award, in fen."""

    programme: str
    cap_id: str
    per: str
    limit_fen: int | None
    left_fen: int


@dataclass(frozen=True, slots=True)
class QuotePreview:
    """A live quote. ``assessment`` has the four numbers, outcomes per programme and every step."""

    prepared: Prepared
    assessment: Assessment
    caps_left: tuple[CapLeft, ...]
    offered: Offered = NOTHING
    """What can be chosen under the programmes, with its figures."""
    notice_minutes: int | None = None
    """How long before its start it may be given back for nothing, by the lab's rules of now; None where nobody asked."""

    @property
    def fees(self) -> dict[Fault, PricedFee]:
        """What not using the time would cost."""
        return fees_on(self.prepared.inputs.schedule, self.assessment.gross_fen)

    @property
    def addons(self) -> dict[str, OnOffer]:
        """What may be used besides the time, by code, without what is free."""
        return session_extras.priced(self.prepared.inputs.schedule, self.prepared.inputs.customer_class)


def preview(
    actor: Actor,
    instrument_id: int,
    organisation_id: int,
    during: TimeRange,
    now: datetime,
    service_mode: str = "",
    project: str = "",
    for_person_id: int | None = None,
    direction: str = "",
    said: Said = UNSAID,
) -> QuotePreview:
    """Price and subsidise ``during`` for one of the actor's organisations; writes nothing. ``service_mode``: how it would be served,
    empty for what the lab's forms begin with; ``project``: the research project it is for; ``for_person_id``: in whose name, None: one's
    own; ``direction``: what it is for, empty for what is usual for the customer; ``said``: what programmes that ask are told.

    Raises NotFound (instrument), Forbidden ``booking.not_for_this_organisation``, Refusal ``price.none``, ``consent.missing``
    (``for_person``), ``service.*``, ``subsidy.settlement_not_offered``, ``subsidy.rate_not_offered``, ``subsidy.answer_unfit.*``.
    """
    Refusal.raise_any(said_faults(said))
    if organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    person_id = consents.in_the_name_of(actor, organisation_id, for_person_id, now, lock=False).user_id
    instrument = get_visible(Instrument.objects.select_related("site", "organisation", "policy"), actor, pk=instrument_id)
    customer = Organisation.objects.get(pk=organisation_id)
    prepared = assessing.prepare(
        instrument,
        customer,
        during,
        now,
        service_mode=service_mode,
        project=project.strip(),
        person_id=person_id,
        direction=direction,
        said=kept(said),
    )
    assessing.require_offered(prepared.tried(), said)
    assessment = prepared.inputs.assess()
    left = caps_left([version.programme for version in prepared.versions], assessment.outcomes)
    return QuotePreview(prepared, assessment, left, offered(prepared.inputs), policy_for(instrument).cancel_notice_minutes)


def offered_to(quote: Quote | None) -> Offered:
    """What could be chosen under the programmes of a quote that was pinned, without figures."""
    if quote is None or not quote.inputs["candidates"]:
        return NOTHING
    ids = [each["programme"]["programme_version"] for each in quote.inputs["candidates"]]
    programmes = [subsidy.in_force(version_id).programme for version_id in ids]
    if not any(map(offers, programmes)):
        return NOTHING
    return offered_by(candidates_of(programmes, quote.inputs["candidates"]))


def payable_now(
    instrument: Instrument, customer: Organisation, during: TimeRange, now: datetime, service_mode: str
) -> int | None:
    """What a customer would have to pay now, for a lab that tries its own rules; None without a price."""
    try:
        prepared = assessing.prepare(instrument, customer, during, now, service_mode=service_mode)
        return prepared.inputs.assess().payable_now_fen
    except Refusal:
        return None


def caps_left(programmes: Sequence[Programme], outcomes: Sequence[Outcome]) -> tuple[CapLeft, ...]:
    """What each cap of the programmes that give the customer something still allows afterwards."""
    left = []
    for programme, told in zip(programmes, outcomes, strict=True):
        outcome = for_customer(told, programme)
        if not isinstance(outcome, Award):
            continue
        left += [
            CapLeft(programme.code, cap.id, cap.per.value, cap.limit_fen, outcome.left_after[cap.id])
            for cap in programme.caps
            if cap.id in outcome.left_after
        ]
    return tuple(left)


def accept_quote(actor: Actor, reservation_id: int, now: datetime, expected: ExpectedFigures = NOTHING_EXPECTED) -> None:
    """The customer accepts the figures that wait (``expected`` are those it saw); the lab may then approve again, once the group's
    leader agrees to them too. To what the lab entered for it, it says yes with this.

    On a fund card or entered by the lab, and without either of them to ask, it is approved with this.

    Raises NotFound, what ``acting.require_paying`` raises,
    Refusal ``billing.nothing_to_accept``, ``card.closed``, ``card.group_closed``, ``card.not_valid_then``, Conflict
    ``card.not_enough_left``, ``booking.just_taken``, ``billing.figures_differ``.
    """
    reservation = get_visible(Reservation.objects.all(), actor, pk=reservation_id)
    acting.require_paying(reservation, actor, now)

    def work() -> None:
        locked = lock_row(reservation.pk)
        acting.require_paying(locked, actor, now, lock=True)
        latest = Quote.objects.filter(reservation=locked).latest("revision")
        if locked.state != ReservationState.REQUESTED or latest.accepted_at is not None:
            raise Refusal.of("billing.nothing_to_accept")
        reservation_money.refuse_surprise(latest, expected)
        latest.accepted_at = now
        latest.accepted_by_id = actor.user_id
        latest.save(update_fields=["accepted_at", "accepted_by"])
        audit.record(actor, "quote.accept", latest, now, after={"final_cost_fen": latest.final_cost_fen})
        spending.refuse_other_days(locked, locked.during, actor)
        kept_fen = latest.payable_now_fen + session_extras.agreed_fen(locked)
        if entering.note_yes(locked, actor, now):
            reservation_money.keep_accepted(locked, kept_fen, actor, now)
        else:
            card_money.hold(locked, kept_fen, "accept", actor, now)
        transitions.go_on(locked, spending.judge(locked, now), now)

    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id):
        transactions.run(work)
