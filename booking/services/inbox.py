"""What a manager does with the requests that wait: one, or many with one key. Each is decided by itself, through the same services."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.decision_wording import GIVEN_TO_ANOTHER
from booking.models import OccupancySource, Reservation
from booking.rules.deciding import MOST_TOGETHER, REASON_LENGTH, Rivals, Verdict
from booking.rules.states import ReservationState
from booking.services import decisions, reject_reasons, transitions
from booking.services.context import policy_for
from booking.services.deciding_many import Outcome, each_once, outcome_of, require_why
from booking.services.decision_rows import UNDOABLE, How
from booking.services.reject_reasons import Why
from config.kernel.access import NOBODY, Actor, visible_to
from config.kernel.errors import Conflict
from config.kernel.services import idempotency, transactions
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.models import User
from instruments.queries import actor_for

ROUTE = "booking.inbox"
_FIELD = "reservations"
FIGURES_CHANGED = "booking.figures_changed"
NO_REASON = Why()


#: Nearly always there are none, so their ids are looked for first, by a statement that is ready: from the request's own time through both
#: indexes of a calendar's times, of those that keep others out and of those that compete.
_LOOK_FOR_RIVALS = f"""
WITH own AS MATERIALIZED (
    SELECT o.reservation_id, o.calendar_id, o.during FROM booking_occupancy o
     WHERE o.reservation_id = ANY(%(reservations)s) AND o.source = '{OccupancySource.RESERVATION.value}'
       AND (NOT %(where_they_compete)s OR EXISTS (
            SELECT FROM booking_instrumentpolicy p JOIN booking_reservation mine ON mine.instrument_id = p.instrument_id
             WHERE mine.id = o.reservation_id AND NOT p.pending_blocks)))
SELECT own.reservation_id, r.id FROM own CROSS JOIN LATERAL (
    SELECT c.reservation_id FROM booking_occupancy c
     WHERE NOT c.blocking AND c.calendar_id = own.calendar_id AND c.during && own.during
       AND c.source = '{OccupancySource.RESERVATION.value}'
     UNION
    SELECT b.reservation_id FROM booking_occupancy b
     WHERE b.blocking AND int8range(b.calendar_id, b.calendar_id, '[]') && int8range(own.calendar_id, own.calendar_id, '[]')
       AND b.during && own.during AND b.source = '{OccupancySource.RESERVATION.value}') near
  JOIN booking_reservation r ON r.id = near.reservation_id
 WHERE r.id <> own.reservation_id AND r.state = '{ReservationState.REQUESTED.value}'
"""  # noqa: S608  (constants only; values are bound)
#: Of one, by a statement of its own: its plan is that of one, however many are looked for at other times.
_RIVALS = _LOOK_FOR_RIVALS.replace("= ANY(%(reservations)s)", "= %(reservation)s")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of requests. ``why`` is needed to reject, and read by the customers, each in their language. ``assistant_id``: who
    assists in what is approved, where it is not who was chosen by itself. ``rivals``: what becomes of the others that wait for the time of
    what is approved; None: they are declined where the lab's rules let requests compete for a time, and wait on elsewhere."""

    verdict: Verdict
    why: Why = NO_REASON
    assistant_id: int | None = None
    rivals: Rivals | None = None


def decide(
    actor: Actor,
    reservation_id: int,
    wish: Wish,
    now: datetime,
    how: How = UNDOABLE,
    *,
    seen: TimeRange | None = None,
    spared: Collection[int] = (),
) -> Outcome:
    """Approve or reject one request; ``seen`` is the time that was looked at. Where the wish says so, the others that wait for the time of
    one that is approved are declined, each by itself; what has moved elsewhere in between is not, and says so. ``spared`` are those that
    are not declined whatever the wish says.

    Raises as ``transitions.approve`` and ``transitions.reject``: then nothing is declined.
    """
    if wish.verdict is Verdict.REJECT:
        text = reject_reasons.text_for(actor, _language(actor, reservation_id), wish.why)[:REASON_LENGTH]
        transitions.reject(actor, reservation_id, now, text, how, seen=seen)
        return Outcome(reservation_id)
    approved = transitions.approve(actor, reservation_id, now, how, seen=seen, assistant_id=wish.assistant_id)
    compete = not policy_for(approved.instrument).pending_blocks if wish.rivals is None else wish.rivals is not Rivals.KEEP
    # Behind the approval, so that they are those of the time that was approved.
    rivals = rivals_of(actor, reservation_id) if compete else []
    declined = [_declined(actor, one, now, how) for one in rivals if one.pk not in spared]
    return Outcome(reservation_id, rivals=tuple(declined))


def _language(actor: Actor, reservation_id: int) -> str:
    """That of who asked."""
    rows = visible_to(Reservation.objects.filter(pk=reservation_id), actor)
    return rows.values_list("requested_by__language", flat=True).first() or ""


def decline_rivals(manager_id: int, reservation_id: int, now: datetime) -> None:
    """Decline, in the name of the manager who proposed the time that was taken, who else waits for it where requests compete; what cannot
    be declined waits on."""
    manager = User.objects.filter(pk=manager_id, is_active=True).first()
    actor = actor_for(manager) if manager is not None else NOBODY
    for rival in rivals_of(actor, reservation_id, where_they_compete=True):
        _declined(actor, rival, now, UNDOABLE)


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
    ``seen``: the times that were looked at, by id; one that has moved since is not decided. Of two that were both chosen and want the same
    time the second one is not declined for the first: it stays and says that the time is taken.

    With a key what was decided once is answered again and not repeated; what was refused is tried again. Raises Refusal
    ``decision.none_chosen``, ``decision.too_many``, ``booking.reason_missing`` before anything is done.
    """
    chosen = each_once(reservation_ids, _FIELD)
    require_why(wish.verdict, wish.why)

    def one(pk: int) -> Outcome:
        return decide(actor, pk, wish, now, seen=(seen or {}).get(pk), spared=chosen)

    return [outcome_of(pk, _once(actor, pk, wish, now, idempotency_key, one) if idempotency_key else one) for pk in chosen]


def _declined(actor: Actor, rival: Reservation, now: datetime, how: How) -> Outcome:
    declined = Wish(Verdict.REJECT, Why(choice=GIVEN_TO_ANOTHER))
    return outcome_of(rival.pk, lambda pk: decide(actor, pk, declined, now, how, seen=rival.during))


def rivals_of(actor: Actor, reservation_id: int, *, where_they_compete: bool = False) -> list[Reservation]:
    """The other requests that the actor may see and that wait for time of the same calendar, buffers included, with their customers, those
    that were asked first first; at most two queries. With ``where_they_compete`` none where the lab's rules let a request keep its time."""
    with planned_once() as cursor:
        cursor.execute(_RIVALS, {"reservation": reservation_id, "where_they_compete": where_they_compete})
        ids = [pk for (_own, pk) in cursor.fetchall()]
    if not ids:
        return []
    found = visible_to(Reservation.objects.filter(pk__in=ids), actor).select_related("organisation", "instrument__site")
    return list(found.order_by("created_at", "pk")[:MOST_TOGETHER])


@dataclass(frozen=True, slots=True)
class Rivalry:
    """A request, and who else waits for its time."""

    request: Reservation
    rivals: list[Reservation]


def rivals_of_all(actor: Actor, reservation_ids: Iterable[int]) -> list[Rivalry]:
    """Who would be declined with each of these requests if all of them were approved: others that the actor may see and that wait for their
    time where requests compete, each named once, beside the first whose time it wants. Those that none waits beside are left out; two
    queries however many."""
    chosen = list(dict.fromkeys(reservation_ids))
    with planned_once() as cursor:
        cursor.execute(_LOOK_FOR_RIVALS, {"reservations": chosen, "where_they_compete": True})
        pairs = [(own, rival) for own, rival in cursor.fetchall() if rival not in set(chosen)]
    if not pairs:
        return []
    ids = {pk for pair in pairs for pk in pair}
    rows = visible_to(Reservation.objects.filter(pk__in=ids), actor).select_related("organisation", "instrument__site")
    found = {row.pk: row for row in rows.order_by("created_at", "pk")}
    named: set[int] = set()
    answer = []
    for own in (pk for pk in chosen if pk in found):
        wants = {rival for one, rival in pairs if one == own} - named
        rivals = [row for pk, row in found.items() if pk in wants]
        named |= wants
        if rivals:
            answer.append(Rivalry(found[own], rivals))
    return answer


def take_back_all(actor: Actor, reservation_ids: Iterable[int], now: datetime) -> list[Outcome]:
    """Take back each by itself. Raises Refusal ``decision.none_chosen``, ``decision.too_many``."""
    return [outcome_of(pk, lambda pk: decisions.take_back(actor, pk, now)) for pk in each_once(reservation_ids, _FIELD)]


def _once(actor: Actor, pk: int, wish: Wish, now: datetime, key: str, one: Callable[[int], Outcome]) -> Callable[[int], Outcome]:
    """``one`` at most once for the key. That the customer is asked about new figures is an effect too, and answered again as it was; so is
    who was declined with it."""
    payload = {"verdict": wish.verdict.value, "choice": wish.why.choice, "words": wish.why.words}
    payload |= {"rivals": wish.rivals.value} if wish.rivals is not None else {}

    def effect() -> dict[str, Any]:
        try:
            return {"declined": one(pk).declined}
        except Conflict as conflict:
            if conflict.reasons[0].code != FIGURES_CHANGED:
                raise
            return {"asked": True}

    def act(pk: int) -> Outcome:
        result, _replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, f"{key}:{pk}", payload, now, effect))
        if "asked" in result:
            raise Conflict.of(FIGURES_CHANGED)
        return Outcome(pk, rivals=tuple(map(Outcome, result.get("declined", ()))))

    return act
