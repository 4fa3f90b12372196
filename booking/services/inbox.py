"""What a manager does with the requests that wait: one, or many with one key. Each is decided by itself, through the same services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Subquery

from booking.decision_wording import GIVEN_TO_ANOTHER
from booking.models import Occupancy, OccupancySource, Reservation
from booking.rules.deciding import MOST_TOGETHER, Verdict
from booking.rules.states import ReservationState
from booking.services import decisions, reject_reasons, transitions
from booking.services.decisions import How
from booking.services.reject_reasons import Why
from booking.services.state_writing import seen_by
from config.kernel.access import Actor, visible_to
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import idempotency, transactions
from config.kernel.time_range import TimeRange

ROUTE = "booking.inbox"
FIGURES_CHANGED = "booking.figures_changed"
NO_REASON = Why()
UNDOABLE = How(undo=True)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of requests. ``why`` is needed to reject, and read by the customers, each in their language. ``assistant_id``: who
    assists in what is approved, where it is not who was chosen by itself."""

    verdict: Verdict
    why: Why = NO_REASON
    assistant_id: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of them; ``refusal`` says why nothing did."""

    reservation_id: int
    refusal: Refusal | None = None


def decide(
    actor: Actor, reservation_id: int, wish: Wish, now: datetime, how: How = UNDOABLE, *, seen: TimeRange | None = None
) -> None:
    """Approve or reject one request; ``seen`` is the time that was looked at.

    Raises as ``transitions.approve`` and ``transitions.reject``.
    """
    if wish.verdict is Verdict.APPROVE:
        transitions.approve(actor, reservation_id, now, how, seen=seen, assistant_id=wish.assistant_id)
    else:
        transitions.reject(actor, reservation_id, now, reject_reasons.text_for(actor, reservation_id, wish.why), how, seen=seen)


def decide_all(
    actor: Actor,
    reservation_ids: Iterable[int],
    wish: Wish,
    now: datetime,
    *,
    seen: Mapping[int, TimeRange] | None = None,
    idempotency_key: str = "",
) -> list[Outcome]:
    """Decide each by itself, in the order given: what cannot be decided stays as it was and says why, and the others are done.
    ``seen``: the times that were looked at, by id; one that has moved since is not decided.

    With a key what was decided once is answered again and not repeated; what was refused is tried again. Raises Refusal
    ``decision.none_chosen``, ``decision.too_many``, ``booking.reason_missing`` before anything is done.
    """
    chosen = list(dict.fromkeys(reservation_ids))
    _refuse_call(chosen, wish)

    def one(pk: int) -> None:
        decide(actor, pk, wish, now, seen=(seen or {}).get(pk))

    return [_outcome(pk, _once(actor, pk, wish, now, idempotency_key, one) if idempotency_key else one) for pk in chosen]


def approve_over_rivals(actor: Actor, reservation_id: int, now: datetime, *, seen: TimeRange | None = None) -> list[Outcome]:
    """Approve a request and decline the others that wait for its time, each by itself; the first outcome is the approval's. What has
    moved elsewhere in between is not declined, and its outcome says so.

    Raises as ``transitions.approve``: then nothing is declined.
    """
    rivals = rivals_of(actor, reservation_id)
    decide(actor, reservation_id, Wish(Verdict.APPROVE), now, seen=seen)
    return [Outcome(reservation_id), *(_declined(actor, pk, at, now) for pk, at in rivals)]


def _declined(actor: Actor, reservation_id: int, seen: TimeRange, now: datetime) -> Outcome:
    declined = Wish(Verdict.REJECT, Why(choice=GIVEN_TO_ANOTHER))
    return _outcome(reservation_id, lambda pk: decide(actor, pk, declined, now, seen=seen))


def rivals_of(actor: Actor, reservation_id: int) -> list[tuple[int, TimeRange]]:
    """The other requests that wait for time of the same calendar, buffers included: (id, its own time). Raises NotFound."""
    reservation = seen_by(actor, reservation_id)
    own = Occupancy.objects.filter(reservation=reservation, source=OccupancySource.RESERVATION).values("during")[:1]
    rows = Reservation.objects.filter(
        state=ReservationState.REQUESTED,
        occupancies__calendar_id=reservation.instrument.calendar_id,
        occupancies__source=OccupancySource.RESERVATION,
        occupancies__during__overlap=Subquery(own),
    )
    found = visible_to(rows.exclude(pk=reservation_id), actor).order_by("created_at", "pk")
    times = found.values_list("pk", "starts_at", "ends_at")[:MOST_TOGETHER]
    return [(pk, TimeRange(starts_at, ends_at)) for pk, starts_at, ends_at in times]


def take_back_all(actor: Actor, reservation_ids: Iterable[int], now: datetime) -> list[Outcome]:
    """Take back each by itself. Raises Refusal ``decision.none_chosen``, ``decision.too_many``."""
    chosen = list(dict.fromkeys(reservation_ids))
    _refuse_count(chosen)
    return [_outcome(pk, lambda pk: decisions.take_back(actor, pk, now)) for pk in chosen]


def _refuse_call(chosen: Sequence[int], wish: Wish) -> None:
    _refuse_count(chosen)
    if wish.verdict is Verdict.REJECT and wish.why.is_empty:
        raise Refusal.of("booking.reason_missing", field="reason")


def _refuse_count(chosen: Sequence[int]) -> None:
    if not chosen:
        raise Refusal.of("decision.none_chosen", field="reservations")
    if len(chosen) > MOST_TOGETHER:
        raise Refusal.of("decision.too_many", field="reservations", most=MOST_TOGETHER)


def _outcome(pk: int, act: Callable[[int], None]) -> Outcome:
    try:
        act(pk)
    except Refusal as refusal:
        return Outcome(pk, refusal)
    return Outcome(pk)


def _once(actor: Actor, pk: int, wish: Wish, now: datetime, key: str, one: Callable[[int], None]) -> Callable[[int], None]:
    """``one`` at most once for the key. That the customer is asked about new figures is an effect too, and answered again as it was."""
    payload = {"verdict": wish.verdict.value, "choice": wish.why.choice, "words": wish.why.words}

    def effect() -> dict[str, Any]:
        try:
            one(pk)
        except Conflict as conflict:
            if conflict.reasons[0].code != FIGURES_CHANGED:
                raise
            return {"asked": True}
        return {}

    def act(pk: int) -> None:
        result, _replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, f"{key}:{pk}", payload, now, effect))
        if result:
            raise Conflict.of(FIGURES_CHANGED)

    return act
