"""From the end of a session to its agreed use: both sides look, somebody may want it otherwise, and only then is it charged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from booking import ports
from booking.models import AgreedHow, Answer, Decision, Reservation, UsageAdjustment, UsageDispute, UsageSession
from booking.rules.review import (
    NOTICE_BEFORE,
    Review,
    agreement_is_due,
    had_part,
    lessening_faults,
    proposal_faults,
    reminder_is_due,
    review_until,
)
from booking.rules.states import Action, ReservationState, next_state
from booking.services import acting, agreeing_many, close_out_rule, notices
from booking.services.context import policy_for
from booking.services.sessions import charge_for
from booking.services.sides import Sides, require_lab
from booking.services.state_writing import lock_row as behind_lock
from booking.services.state_writing import move, seen_by
from config.kernel.access import NOBODY, Actor, Role
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit
from config.kernel.services.parking import each_parked, many_parked
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.rules.registry_values import clean_text

TEXT_LENGTH = 1000
DUE_BATCH = 5000
#: How many are agreed in one transaction: their calendars are locked for as long as that takes, some tenths of a second.
TOGETHER = 200


@whole
def agree(actor: Actor, reservation_id: int, now: datetime) -> bool:
    """Say yes for one's side; with the second yes the use is agreed and charged. Returns whether it is.

    Raises NotFound, Forbidden ``booking.not_yours`` / ``card.not_your_spending``, Refusal ``consent.over``,
    ``booking.illegal_transition``, ``close_out.confirm_first``.
    """
    acting.paying_sides(_visible(actor, reservation_id), actor, now)
    locked, session = _under_review(reservation_id, Action.AGREE)
    sides = acting.paying_sides(locked, actor, now, lock=True)
    if not say_yes(locked, session, sides, actor, now):
        return False
    _settle(locked, session, Action.AGREE, AgreedHow.BOTH_SIDES, actor, now)
    return True


def say_yes(locked: Reservation, session: UsageSession, sides: Sides, actor: Actor, now: datetime) -> bool:
    """Write the yes of one's sides and settle what they were asked; returns whether both have said it, which is the caller's to write.

    Part of the caller's transaction, behind the reservation's lock.
    """
    if sides.customer and session.customer_agreed_at is None:
        session.customer_agreed_at, session.customer_agreed_by_id = now, actor.user_id
    if sides.lab and session.lab_agreed_at is None:
        session.lab_agreed_at, session.lab_agreed_by_id = now, actor.user_id
    audit.record(actor, "usage.say_yes", session, now, after={"customer": sides.customer, "lab": sides.lab})
    if session.customer_agreed_at is not None and session.lab_agreed_at is not None:
        return True
    session.save()
    notices.settle_answered(locked, sides.customer, sides.lab, now)
    return False


@whole
def charge_less(actor: Actor, reservation_id: int, proposed: TimeRange | None, reason: str, now: datetime) -> bool:
    """The lab charges ``proposed`` (None: nothing), which is part of what stands there, and has said yes with that. Returns whether it is
    agreed and charged: nobody agrees anew to what is less.

    Raises NotFound, Forbidden, Refusal ``usage.reason_missing`` (``reason``), ``usage.proposal_*`` (``starts_at``),
    ``booking.illegal_transition``, ``close_out.confirm_first``.
    """
    require_lab(_visible(actor, reservation_id), actor)
    words = _words(reason, "reason")
    locked, session = _under_review(reservation_id, Action.AGREE)
    Refusal.raise_any(lessening_faults(proposed, session.billable, ZoneInfo(locked.instrument.site.time_zone)))
    before = _charged(session)
    charge_for(session, proposed, "adjusted")
    session.note = " ".join((session.note, words)).strip()[:500]
    audit.record(actor, "usage.charge_less", session, now, before=before, after=_charged(session), reason=words)
    notices.defer(locked, "charged_less", now, reason=words)
    if not say_yes(locked, session, Sides(customer=False, lab=True), actor, now):
        return False
    _settle(locked, session, Action.AGREE, AgreedHow.BOTH_SIDES, actor, now)
    return True


@whole
def ask_adjustment(actor: Actor, reservation_id: int, proposed: TimeRange | None, reason: str, now: datetime) -> UsageAdjustment:
    """The customer wants to be charged for ``proposed`` (None: for nothing) instead, once per session.

    Raises NotFound, Forbidden, Refusal ``consent.over``, ``usage.reason_missing`` (``reason``), ``usage.proposal_*`` (``starts_at``),
    ``booking.illegal_transition``.
    """
    acting.require_paying(_visible(actor, reservation_id), actor, now)
    words = _words(reason, "reason")
    locked, session = _under_review(reservation_id, Action.ASK_ADJUSTMENT)
    Refusal.raise_any(proposal_faults(proposed, session.billable, session.booked, ZoneInfo(locked.instrument.site.time_zone)))
    _take_yes_back(session)
    asked = UsageAdjustment.objects.create(
        session=session,
        starts_at=proposed.starts_at if proposed else None,
        ends_at=proposed.ends_at if proposed else None,
        before_starts_at=session.billable_starts_at,
        before_ends_at=session.billable_ends_at,
        reason=words,
        asked_by_id=actor.person_id,
        asked_at=now,
    )
    _step(locked, Action.ASK_ADJUSTMENT, actor, now, words)
    notices.defer(locked, "adjustment_asked_to_lab", now, reason=words)
    return asked


@whole
def accept_adjustment(actor: Actor, reservation_id: int, now: datetime) -> None:
    """The lab accepts what the customer proposed; with that both sides have said yes, and it is charged.

    Raises NotFound, Forbidden, Refusal ``usage.second_person`` for who proposed it, ``booking.illegal_transition``.
    """
    require_lab(_visible(actor, reservation_id), actor)
    locked, session = _under_review(reservation_id, Action.ACCEPT_ADJUSTMENT)
    asked = session.adjustment
    if asked.asked_by_id == actor.person_id:
        raise Refusal.of("usage.second_person")
    asked.state, asked.answered_by_id, asked.answered_at = Answer.ACCEPTED, actor.person_id, now
    asked.save(update_fields=["state", "answered_by", "answered_at"])
    charge_for(session, _proposed(asked), "adjusted")
    session.customer_agreed_at, session.customer_agreed_by_id = asked.asked_at, asked.asked_by_id
    session.lab_agreed_at, session.lab_agreed_by_id = now, actor.user_id
    _settle(locked, session, Action.ACCEPT_ADJUSTMENT, AgreedHow.ADJUSTMENT, actor, now)


@whole
def refuse_adjustment(actor: Actor, reservation_id: int, answer: str, now: datetime) -> None:
    """The lab stands by what was measured, with a reason; the customer has the whole window again to agree or dispute.

    Raises NotFound, Forbidden, Refusal ``usage.reason_missing`` (``answer``), ``booking.illegal_transition``.
    """
    require_lab(_visible(actor, reservation_id), actor)
    words = _words(answer, "answer")
    locked, session = _under_review(reservation_id, Action.REFUSE_ADJUSTMENT)
    asked = session.adjustment
    asked.state, asked.answer, asked.answered_by_id, asked.answered_at = Answer.REFUSED, words, actor.person_id, now
    asked.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    session.lab_agreed_at, session.lab_agreed_by_id = now, actor.user_id
    session.review_until, session.reminded_at = review_until(now, policy_for(locked.instrument).agree_after_days), None
    session.save()
    _step(locked, Action.REFUSE_ADJUSTMENT, actor, now, words)
    notices.defer(locked, "adjustment_refused", now, reason=words)


@whole
def dispute(actor: Actor, reservation_id: int, reason: str, now: datetime) -> UsageDispute:
    """The customer does not agree; somebody of the owner who had no part in it has to decide.

    Raises NotFound, Forbidden, Refusal ``consent.over``, ``usage.reason_missing`` (``reason``), ``booking.illegal_transition``.
    """
    acting.require_objecting(_visible(actor, reservation_id), actor, now)
    words = _words(reason, "reason")
    locked, session = _under_review(reservation_id, Action.DISPUTE)
    _take_yes_back(session)
    opened = UsageDispute.objects.create(session=session, reason=words, opened_by_id=actor.person_id, opened_at=now)
    _step(locked, Action.DISPUTE, actor, now, words)
    notices.defer(locked, "disputed_to_lab", now, reason=words)
    return opened


@whole
def decide(actor: Actor, reservation_id: int, decision: str, reason: str, now: datetime) -> None:
    """A second person of the lab, or the owner's finance, decides a dispute; it is charged as decided.

    Raises NotFound, Forbidden, Refusal ``usage.second_person``, ``usage.decision_unknown``, ``usage.nothing_proposed``
    (``decision``), ``usage.reason_missing`` (``reason``), ``booking.illegal_transition``.
    """
    reservation = _visible(actor, reservation_id)
    actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    words = _words(reason, "reason")
    locked, session = _under_review(reservation_id, Action.DECIDE)
    asked = UsageAdjustment.objects.filter(session=session).first()
    opened = session.dispute
    if actor.person_id in had_part(session.checked_out_by_id, asked.answered_by_id if asked else None, opened.opened_by_id):
        raise Refusal.of("usage.second_person")
    charge_for(session, _decided(session, decision), session.billable_rule if decision == Decision.AS_MEASURED else "decided")
    opened.decision, opened.decision_reason = decision, words
    opened.decided_by_id, opened.decided_at = actor.person_id, now
    opened.save(update_fields=["decision", "decision_reason", "decided_by", "decided_at"])
    _settle(locked, session, Action.DECIDE, AgreedHow.DECISION, actor, now, words)


def remind_due(now: datetime) -> int:
    """Tell both sides that time will agree soon; returns how many sessions. Safe to repeat."""

    def remind(locked: Reservation, session: UsageSession) -> bool:
        if not reminder_is_due(_review(locked, session), now):
            return False
        session.reminded_at = now
        session.save(update_fields=["reminded_at"])
        said = {notices.SOON_TO_CUSTOMER: session.customer_agreed_at, notices.SOON_TO_LAB: session.lab_agreed_at}
        notices.defer(locked, "agree_soon", now, not_to=[code for code, at in said.items() if at is not None])
        return True

    waiting = UsageSession.objects.filter(review_until__lte=now + NOTICE_BEFORE, reminded_at__isnull=True)
    return _each(waiting, remind)


def agree_due(now: datetime) -> int:
    """Agree what nobody objected to within the window, after the notice; returns how many. Safe to repeat.

    What waits for a second pair of eyes at its quality grade goes on waiting.
    """

    def by_time(locked: Reservation, session: UsageSession) -> bool:
        if not agreement_is_due(_review(locked, session), now) or close_out_rule.reasons(locked):
            return False
        _settle(locked, session, Action.AGREE, AgreedHow.TIME, NOBODY, now)
        return True

    waiting = UsageSession.objects.filter(review_until__lte=now, reminded_at__lte=now - NOTICE_BEFORE)

    def together(some: Sequence[int]) -> tuple[int, Sequence[int]]:
        return agreeing_many.agree(some, lambda locked, session: agreement_is_due(_review(locked, session), now), now)

    return many_parked(_waiting(waiting), TOGETHER, together, _alone(by_time), "use of reservation")


def _each(waiting: QuerySet[UsageSession], act: Callable[[Reservation, UsageSession], bool]) -> int:
    return each_parked(_waiting(waiting), _alone(act), "use of reservation")


def _waiting(rows: QuerySet[UsageSession]) -> list[int]:
    """The ids of the reservations whose use waits, a batch of those that are due first."""
    rows = rows.filter(reservation__state__in=agreeing_many.WAITING, reservation__imported=False, late_entered=False)
    rows = rows.filter(Q(doubt="") | Q(lab_agreed_at__isnull=False))
    return list(rows.order_by("review_until", "pk").values_list("reservation_id", flat=True)[:DUE_BATCH])


def _alone(act: Callable[[Reservation, UsageSession], bool]) -> Callable[[int], bool]:
    def work(pk: int) -> bool:
        locked = behind_lock(pk)
        return locked.state in agreeing_many.WAITING and act(
            locked, UsageSession.objects.select_for_update().get(reservation_id=pk)
        )

    return work


def _review(locked: Reservation, session: UsageSession) -> Review:
    if session.review_until is None:
        raise ValueError("a running session is not under review")
    doubted = bool(session.doubt) and session.lab_agreed_at is None
    return Review(session.review_until, session.reminded_at, session.late_entered, locked.imported, doubted)


def _settle(
    locked: Reservation, session: UsageSession, action: Action, how: AgreedHow, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """The use is agreed: charge it."""
    Refusal.raise_any(close_out_rule.reasons(locked))
    move(locked, action, actor, now, reason)
    session.agreed_at, session.agreed_how = now, how
    session.save()
    ports.money().on_agree(locked, session, actor, now)
    notices.defer(locked, "charged", now)


def _take_yes_back(session: UsageSession) -> None:
    """Who wants it otherwise has not agreed to what stands: an earlier yes does not outlive the objection."""
    session.customer_agreed_at = session.customer_agreed_by = None
    session.save(update_fields=["customer_agreed_at", "customer_agreed_by"])


def _step(locked: Reservation, action: Action, actor: Actor, now: datetime, reason: str) -> None:
    move(locked, action, actor, now, reason)
    ports.money().on_progress(locked, action, actor, now)


def _under_review(reservation_id: int, action: Action) -> tuple[Reservation, UsageSession]:
    """Reservation and session behind the lock, when the state allows the action."""
    locked = behind_lock(reservation_id)
    next_state(ReservationState(locked.state), action)
    return locked, UsageSession.objects.select_for_update(of=("self",)).get(reservation=locked)


def _charged(session: UsageSession) -> dict[str, str | None]:
    start, end = session.billable_starts_at, session.billable_ends_at
    return {"starts_at": start.isoformat() if start else None, "ends_at": end.isoformat() if end else None}


def _decided(session: UsageSession, decision: str) -> TimeRange | None:
    if decision == Decision.AS_MEASURED:
        return session.billable
    if decision == Decision.NOTHING:
        return None
    if decision != Decision.AS_PROPOSED:
        raise Refusal.of("usage.decision_unknown", "decision")
    asked = UsageAdjustment.objects.filter(session=session).first()
    if asked is None:
        raise Refusal.of("usage.nothing_proposed", "decision")
    return _proposed(asked)


def _proposed(asked: UsageAdjustment) -> TimeRange | None:
    return TimeRange(asked.starts_at, asked.ends_at) if asked.starts_at and asked.ends_at else None


def _words(text: str, field: str) -> str:
    words = clean_text(text, TEXT_LENGTH, field, lines=True)
    if not words:
        raise Refusal.of("usage.reason_missing", field)
    return words


def _visible(actor: Actor, reservation_id: int) -> Reservation:
    found = seen_by(actor, reservation_id)
    if actor.user_id is None:
        raise Forbidden.of("access.login_needed")
    return found
