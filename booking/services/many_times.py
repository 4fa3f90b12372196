"""What stands against many times of one instrument, for somebody who looks at them all before asking for any.

The same rules as a reservation's, over what is read once: the queries do not grow with the number of times. Nothing is locked, so it is
a report, never a promise: ``services.reservations`` has the last word on each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from booking.rules.assistance import ASSISTED, in_turn
from booking.rules.quota import Booked
from booking.rules.slots import nearest_alternatives
from booking.rules.standing import may_be_overridden, only_own_rules
from booking.services import assisting, downtime_rows, standing
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.refusing import time_reasons
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange
from instruments.models import Organisation

#: How far from a time that cannot be had another one is looked for.
NEAR = timedelta(days=3)
_TRIED = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one time: every rule that it breaks, and whether somebody has it. ``instead`` is the nearest that can be had.
    ``passed_over``: the rules of its own in spite of which the lab books, which are none of the ``reasons``."""

    during: TimeRange
    reasons: tuple[Reason, ...]
    taken: bool
    instead: TimeRange | None = None
    passed_over: tuple[Reason, ...] = ()

    def also_against(self, reasons: Sequence[Reason]) -> Verdict:
        """With ``reasons`` that another time would not mend."""
        return replace(self, reasons=(*self.reasons, *reasons), instead=None) if reasons else self

    @property
    def is_free(self) -> bool:
        return not self.taken and not self.reasons

    @property
    def lab_may(self) -> bool:
        """Whether the lab's managers could book all the same, with a reason: only rules of its own stand against it."""
        return not self.taken and only_own_rules(self.reasons)


class Look:
    """What was read of an instrument's calendar and of who asks, around some times (at least one)."""

    def __init__(
        self,
        context: BookingContext,
        person_id: int | None,
        customer: Organisation,
        times: Sequence[TimeRange],
        service_mode: str,
        now: datetime,
        helping: Mapping[int, Sequence[TimeRange]] | None = None,
        *,
        overrides: bool = False,
    ) -> None:
        """``helping``: what those who may assist have elsewhere besides what is booked, by their ids. ``overrides``: one of the lab's own
        people asks with a reason, who passes over its own rules."""
        self._overrides = overrides
        self._context = context.for_customer(customer)
        self._service_mode, self._now = service_mode, now
        self._known = standing.known(self._context, person_id, customer.pk, times, service_mode, now)
        widest = TimeRange(min(one.starts_at for one in times), max(one.ends_at for one in times))
        window = context.policy.occupied(widest).widened(2 * NEAR, 2 * NEAR)
        self._busy = booking_context.busy_ranges(context.instrument.calendar_id, window, holder_id=person_id)
        self._busy += downtime_rows.in_the_way(context.instrument.calendar_id, window)
        assisted = service_mode == ASSISTED and context.has_assistants
        found = (
            assisting.helpers(context.instrument.pk, window, widest.starts_at, context.zone, now, holder_id=person_id)
            if assisted
            else []
        )
        self._helpers = [replace(one, busy=(*one.busy, *(helping or {}).get(one.id, ()))) for one in found]

    def at(self, during: TimeRange) -> Verdict:
        """One time by itself."""
        return self._verdict(during, [], [])

    def booked(self, during: TimeRange) -> Booked:
        """``during`` as it counts once it is booked."""
        return self._known.booked(during)

    def at_all(
        self,
        wanted: Sequence[TimeRange],
        beside: Sequence[TimeRange] = (),
        elsewhere: Sequence[Booked] = (),
        taken: Sequence[TimeRange] = (),
    ) -> list[Verdict]:
        """Each of ``wanted`` as if those before it that can be had were booked already, then each of ``beside`` as if all of those were;
        for what cannot be had the nearest that could be then. ``elsewhere`` is booked too, ``taken`` of the calendar too."""
        booked: list[Booked] = list(elsewhere)
        blocked: list[TimeRange] = list(taken)
        verdicts = []
        for during in wanted:
            verdict = self._verdict(during, booked, blocked)
            if verdict.is_free:
                booked.append(self._known.booked(during))
                blocked += [self._context.policy.occupied(during)] if self.blocks else []
            verdicts.append(verdict)
        verdicts += [self._verdict(during, booked, blocked) for during in beside]
        return self._with_others(verdicts, booked, blocked)

    def helper_of(self, during: TimeRange) -> int | None:
        """Who would assist then; None: nobody has to, or nobody can."""
        able = in_turn(self._helpers, during, self._context.policy.occupied(during))
        return able[0].id if able else None

    @property
    def blocks(self) -> bool:
        """Whether what is asked for keeps others off the calendar at once."""
        return self._context.policy.request_blocks

    def _verdict(self, during: TimeRange, booked: Sequence[Booked], blocked: Sequence[TimeRange]) -> Verdict:
        context = self._context
        reasons = time_reasons(context, during, self._service_mode, self._now)
        reasons += self._known.reasons(during, booked)
        reasons += context.closed_reasons(during)
        occupied = context.policy.occupied(during)
        if self._helpers and not in_turn(self._helpers, during, occupied):
            reasons.append(assisting.nobody())
        taken = any(one.overlaps(occupied) for busy in (self._busy, blocked) for one in busy)
        passed = tuple(one for one in reasons if may_be_overridden(one)) if self._overrides else ()
        return Verdict(during, tuple(one for one in reasons if one not in passed), taken, passed_over=passed)

    def _with_others(self, verdicts: Sequence[Verdict], booked: Sequence[Booked], blocked: Sequence[TimeRange]) -> list[Verdict]:
        tried = [[] if one.is_free else self._near(one.during, blocked) for one in verdicts]
        self._known = self._known.also_at(other.starts_at for others in tried for other in others)
        return [
            replace(one, instead=next((other for other in others if self._verdict(other, booked, blocked).is_free), None))
            for one, others in zip(verdicts, tried, strict=True)
        ]

    def _near(self, during: TimeRange, blocked: Sequence[TimeRange]) -> list[TimeRange]:
        """Free times of the same length near it, by the calendar and the rules about time alone."""
        context, now = self._context, self._now
        if during.ends_at + NEAR <= now:
            return []
        window = TimeRange(max(during.starts_at - NEAR, now), during.ends_at + NEAR)
        around = window.widened(NEAR, NEAR)
        busy = [one for ranges in (self._busy, blocked) for one in ranges if one.overlaps(around)]
        free = assisting.free_for(self._helpers, context.opening(window), busy, context.policy, now)
        return nearest_alternatives(during, free, context.policy, context.zone, now, _TRIED)
