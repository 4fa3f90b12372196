"""The use of an instrument in words: how it went, by which rule it is charged, what does not add up, and what the reader may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking import ports
from booking.models import GRADES, CloseOut, DeviceRun, Reservation, UsageAdjustment, UsageDispute, UsageSession
from booking.queries import usage as usage_queries
from booking.rules.device_runs import EventKind
from booking.rules.review import had_part
from booking.rules.states import IN_REVIEW, Action, ReservationState, actions_from
from booking.services import acting
from booking.services.sides import sides_of
from config.kernel.access import Actor, Role
from frontend.booking_form import BookingForm

Word = Promise | str

OUTCOMES: dict[str, Word] = {
    "pending": pgettext_lazy("outcome of a session", "not over yet"),
    "normal": pgettext_lazy("outcome of a session", "as booked"),
    "late": pgettext_lazy("outcome of a session", "started late"),
    "left_early": pgettext_lazy("outcome of a session", "left early"),
    "overtime": pgettext_lazy("outcome of a session", "overtime"),
    "late_overtime": pgettext_lazy("outcome of a session", "started late, overtime"),
    "late_left_early": pgettext_lazy("outcome of a session", "started late, left early"),
    "missed": pgettext_lazy("outcome of a session", "not used"),
    "fault": pgettext_lazy("outcome of a session", "ended by a fault"),
}
RULES: dict[str, Word] = {
    "booked": _("the booked time is charged"),
    "actual_within_booked_rounded_up": _("the time used within the booking is charged"),
    "overage": _("the booked time and the use beyond its end are charged"),
    "adjusted": _("the time that the customer asked for and the lab accepted is charged"),
    "imported": _("it was brought over from the lab's list, and nothing is charged"),
    "decided": _("what was decided in the dispute is charged"),
}
HOW: dict[str, Word] = {
    "lab": _("agreed by the lab"),
    "both_sides": _("agreed by both sides"),
    "time": _("agreed by time, after a notice"),
    "adjustment": _("agreed with other times"),
    "decision": _("decided after a dispute"),
}
MEANS: dict[str, Word] = {
    "lab": _("by the lab"),
    "phone": _("on a phone at the instrument"),
    "device": _("by the device"),
    "afterwards": _("written down afterwards"),
    "next": _("when the next session began"),
}
DEVICE_EVENTS: dict[str, Word] = {
    EventKind.START.value: pgettext_lazy("device", "began"),
    EventKind.STOP.value: pgettext_lazy("device", "stopped"),
    EventKind.HEARTBEAT.value: pgettext_lazy("device", "is running"),
    EventKind.COUNTER.value: pgettext_lazy("device", "counter read"),
}
"""What a device told, in words."""
DOUBTS: dict[str, Word] = {
    "overlaps": _("It overlaps another session on this instrument."),
    "ended_by_next": _("Nobody ended it. It ended when the next session began."),
    "long_over": _("It went on for an hour or more after its booked end. Perhaps nobody ended it in time."),
}
PROBLEMS: dict[str, tuple[Word, Word]] = {
    "no_reservation": (_("No booking"), _("The instrument ran and nobody had booked it.")),
    "overlaps_two": (_("Two bookings"), _("It ran over the time of two bookings, so it is not clear whose use it was.")),
    "outside": (_("Outside the booking"), _("It began long before the booking, or the booking could not be started with it.")),
    "long_over": (_("Long over"), _("It went on for more than an hour after the booked end.")),
    "no_start": (_("No start"), _("Only signs of life, a count or a stop came. Nothing says that somebody began to use it.")),
    "no_stop": (_("No stop"), _("The device told no stop and has been silent since.")),
    "skew": (_("Clock off"), _("The device's clock is more than ten minutes off, so its times are not believed.")),
    "missed": (_("Marked as missed"), _("The booking counts as missed, and the instrument ran in its time.")),
}
DECISIONS: tuple[tuple[str, Word], ...] = (
    ("as_measured", _("Charge what stands there")),
    ("as_proposed", _("Charge what the customer proposed")),
    ("nothing", _("Charge nothing")),
)


@dataclass(frozen=True, slots=True)
class ReviewPanel:
    """A session with where its agreement stands, and what the reader may do, as the services will judge."""

    session: UsageSession
    zone: ZoneInfo
    outcome: Word
    rule: Word
    started: Word
    ended: Word
    how: Word
    doubt: Word
    wish: UsageAdjustment | None
    dispute: UsageDispute | None
    closed: CloseOut | None
    runs: list[DeviceRun]
    may_agree: bool
    may_charge_less: bool
    agrees_at_once: bool
    may_ask: bool
    may_dispute: bool
    may_answer: bool
    may_decide: bool
    may_close: bool
    may_confirm: bool
    quality_counts: bool
    grades: tuple[str, ...] = GRADES
    decisions: tuple[tuple[str, Word], ...] = DECISIONS

    @property
    def typed(self) -> BookingForm:
        """What would be charged (else what was booked), as the boxes of a form want it."""
        return BookingForm().at(self.session.billable or self.session.booked, self.zone)

    @property
    def is_open(self) -> bool:
        """Whether the session is over and not agreed."""
        return self.session.actual_ends_at is not None and self.session.agreed_at is None


def review_panel(actor: Actor, reservation: Reservation, now: datetime) -> ReviewPanel | None:
    """None while nobody has started the session."""
    session: UsageSession | None = getattr(reservation, "session", None)
    if session is None:
        return None
    actions = actions_from(ReservationState(reservation.state))
    sides = sides_of(reservation, actor)
    owner = reservation.instrument.organisation_id in actor.organisations(Role.LAB_MANAGER, Role.OWNER_FINANCE)
    wish, dispute = usage_queries.wish_of(actor, reservation), usage_queries.dispute_of(actor, reservation)
    closed = usage_queries.close_out_of(actor, reservation)
    over = reservation.state in {*IN_REVIEW, ReservationState.AGREED}
    pays = acting.pays(reservation, actor, now)
    customer_waits = pays and session.customer_agreed_at is None
    lab_waits = sides.lab and session.lab_agreed_at is None
    graded = closed is not None and bool(closed.grade) and closed.confirmed_at is None
    return ReviewPanel(
        session=session,
        zone=ZoneInfo(reservation.instrument.site.time_zone),
        outcome=OUTCOMES[session.outcome],
        rule=RULES.get(session.billable_rule, ""),
        started=MEANS.get(session.started_by_means, ""),
        ended=MEANS.get(session.ended_by_means, ""),
        how=HOW.get(session.agreed_how, ""),
        doubt=DOUBTS.get(session.doubt, "") if session.agreed_at is None and session.lab_agreed_at is None else "",
        wish=wish,
        dispute=dispute,
        closed=closed,
        runs=usage_queries.reservation_runs(actor, reservation) if sides.lab or sides.customer or owner else [],
        may_agree=Action.AGREE in actions and (customer_waits or lab_waits),
        may_charge_less=Action.AGREE in actions and sides.lab and session.billable is not None,
        agrees_at_once=session.lab_agreed_at is not None if customer_waits else session.customer_agreed_at is not None,
        may_ask=Action.ASK_ADJUSTMENT in actions and pays,
        may_dispute=Action.DISPUTE in actions and acting.may_object(reservation, actor, now),
        may_answer=Action.ACCEPT_ADJUSTMENT in actions and sides.lab,
        may_decide=Action.DECIDE in actions and owner and actor.user_id not in _had_part(session, wish, dispute),
        may_close=over and sides.lab,
        may_confirm=bool(graded and owner and closed and closed.graded_by_id != actor.user_id and session.agreed_at is None),
        quality_counts=over and (sides.lab or owner) and ports.money().quality_counts(reservation),
    )


def _had_part(session: UsageSession, wish: UsageAdjustment | None, dispute: UsageDispute | None) -> frozenset[int]:
    return had_part(session.checked_out_by_id, wish.answered_by_id if wish else None, dispute.opened_by_id if dispute else None)
