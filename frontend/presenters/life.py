"""The life of a reservation in words: what happened, what comes next, and what the reader may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.models import LabEntry, Reservation, ReservationTransition
from booking.rules.states import Action, ReservationState, actions_from
from booking.services import acting, deciders, transitions
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, Role
from frontend.presenters.policy import passed_over_words
from instruments.rules.spending import is_in_house

Word = Promise | str

_HAPPENED: dict[str, tuple[str, Word]] = {
    "request": ("send", pgettext_lazy("what happened to a booking", "Requested")),
    "approve": ("circle-check", pgettext_lazy("what happened to a booking", "Approved")),
    "reject": ("circle-x", pgettext_lazy("what happened to a booking", "Rejected")),
    "cancel": ("ban", pgettext_lazy("what happened to a booking", "Cancelled")),
    "check_in": ("player-play", pgettext_lazy("what happened to a booking", "Checked in")),
    "check_out": ("player-stop", pgettext_lazy("what happened to a booking", "Checked out")),
    "extend": ("clock", pgettext_lazy("what happened to a booking", "Extended")),
    "come_late": ("player-play", pgettext_lazy("what happened to a booking", "Came late and started")),
    "ask_adjustment": ("message-circle", pgettext_lazy("what happened to a booking", "The customer asked for other times")),
    "accept_adjustment": ("cash", pgettext_lazy("what happened to a booking", "Other times accepted and charged")),
    "refuse_adjustment": ("circle-x", pgettext_lazy("what happened to a booking", "Other times declined")),
    "dispute": ("alert-triangle", pgettext_lazy("what happened to a booking", "Disputed")),
    "decide": ("cash", pgettext_lazy("what happened to a booking", "Decided and charged")),
    "agree": ("cash", pgettext_lazy("what happened to a booking", "Usage agreed and charged")),
    "mark_no_show": ("user-off", pgettext_lazy("what happened to a booking", "Marked as not used")),
    "move": ("calendar-event", pgettext_lazy("what happened to a booking", "Moved to another time")),
    "take_back": ("arrow-back-up", pgettext_lazy("what happened to a booking", "Answer taken back")),
    "undo_import": ("arrow-back-up", pgettext_lazy("what happened to a booking", "Import undone")),
    "correct": ("pencil", pgettext_lazy("what happened to a booking", "What it is for was corrected")),
    "expire": ("clock-pause", pgettext_lazy("what happened to a booking", "Expired without an answer")),
}
_AGREED_NEXT: tuple[str, Word] = (
    "cash",
    pgettext_lazy("what will happen to a booking", "Both sides agree on the use, then the charge"),
)
_YES_NEXT: tuple[str, Word] = (
    "user-check",
    pgettext_lazy("what will happen to a booking", "The customer says yes, and it counts"),
)
_AHEAD: dict[str, tuple[tuple[str, Word], ...]] = {
    "requested": (
        ("circle-check", pgettext_lazy("what will happen to a booking", "The lab approves")),
        ("player-play", pgettext_lazy("what will happen to a booking", "Check-in at the lab")),
        ("player-stop", pgettext_lazy("what will happen to a booking", "Check-out")),
        _AGREED_NEXT,
    ),
    "approved": (
        ("player-play", pgettext_lazy("what will happen to a booking", "Check-in at the lab")),
        ("player-stop", pgettext_lazy("what will happen to a booking", "Check-out")),
        _AGREED_NEXT,
    ),
    "in_use": (("player-stop", pgettext_lazy("what will happen to a booking", "Check-out")), _AGREED_NEXT),
    "completed": (_AGREED_NEXT,),
    "adjusting": (("message-circle", pgettext_lazy("what will happen to a booking", "The lab answers")), _AGREED_NEXT),
    "adjustment_refused": (_AGREED_NEXT,),
    "disputed": (("cash", pgettext_lazy("what will happen to a booking", "Somebody else of the lab decides, then the charge")),),
}
NEXT: dict[str, Word] = {
    "requested": _(
        "The lab has been told and answers. You get a mail either way; until then the time is kept as the lab's rules say."
    ),
    "approved": _("The time is yours. Scan the code at the instrument when you come, or have the lab check you in."),
    "rejected": _("The lab could not accept this request. Its reason stands below; choose another time or instrument."),
    "cancelled": _("The time has been given back and nothing is held or charged."),
    "in_use": _("The session is running. End it on your phone at the instrument, or have the lab check you out."),
    "completed": _("The session has ended. Look at its times: it is charged once both sides have agreed."),
    "adjusting": _("You asked for other times. The lab accepts them or says why not; nothing is charged before."),
    "adjustment_refused": _("The lab stands by the times. Agree, or dispute them: then somebody else of the lab decides."),
    "disputed": _("The times are disputed. Somebody of the lab who had no part in the session, or its finance, decides."),
    "agreed": _(
        "The session is charged. What a subsidy takes off is off already; what it pays back comes after the programme's claim."
    ),
    "no_show": _(
        "Nobody came within the lab's grace, and the time was given back. Nothing is held; ask the lab if this is wrong."
    ),
    "expired": _("The start came without an answer from the lab, so the request lapsed. Nothing is held or charged."),
}
STAR_WORDS: tuple[tuple[int, Word], ...] = (
    (1, pgettext_lazy("stars", "poor")),
    (2, pgettext_lazy("stars", "fair")),
    (3, pgettext_lazy("stars", "good")),
    (4, pgettext_lazy("stars", "very good")),
    (5, pgettext_lazy("stars", "excellent")),
)
_NEXT_WITH_NEW_FIGURES: Word = _(
    "The subsidy you were quoted is no longer there in full. Look at the new figures and accept them, or cancel."
)
_NEXT_WITH_THE_LEADER: Word = _(
    "The leader of your group has been asked to agree to what it costs. You are told of the answer; the time and the money are kept."
)

_NEXT_WITH_THE_YES: Word = _(
    "The lab entered this for you. Say yes and it counts, or cancel; nothing is held or charged before. It lapses at its start."
)
_ENTERED: Word = pgettext_lazy("what happened to a booking", "Entered by the lab")
_NEXT_WITH_FEE: dict[ReservationState, Word] = {
    ReservationState.CANCELLED: _(
        "The time has been given back late, for a fee. As far as others use the time, the fee falls away."
    ),
    ReservationState.NO_SHOW: _(
        "Nobody came within the lab's grace, and a fee was taken. As far as others use the time, it falls away; "
        "ask the lab if this is wrong."
    ),
}
_NEXT_IN_HOUSE: Word = _("The session is charged. Its internal slip says what was used and what paid it.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline; ``later`` has not happened yet."""

    icon: str
    title: Word
    at: datetime | None
    zone: str
    who: str
    text: str
    later: bool


NOBODY_ABSENT: Mapping[datetime, str] = MappingProxyType({})
NOTHING_CORRECTED: Mapping[datetime, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do with a reservation now. ``for_lab``: they would give it back for the lab."""

    is_customer: bool
    is_lab: bool
    for_lab: bool
    may_cancel: bool
    may_move: bool
    may_decide: bool
    may_accept: bool
    may_check_out: bool
    books: bool


def timeline(
    reservation: Reservation,
    transitions: Iterable[ReservationTransition],
    in_place_of: Mapping[datetime, str] = NOBODY_ABSENT,
    corrected: Mapping[datetime, str] = NOTHING_CORRECTED,
) -> list[Entry]:
    """Everything that happened and what is still ahead, in order; ``in_place_of`` says when somebody decided for an absent colleague,
    ``corrected`` when which facts of the service were corrected."""
    zone, entry = reservation.instrument.site.time_zone, entry_of(reservation)
    past = []
    for step in transitions:
        icon, title = _HAPPENED[step.action]
        who = str(step.actor) if step.actor else str(_("automatically"))
        if step.action == "request" and reservation.booked_by_id is not None:
            who = _("%(who)s for %(person)s") % {"who": who, "person": reservation.requested_by}
        if step.at in in_place_of:
            who = _("%(who)s in the place of %(absent)s") % {"who": who, "absent": in_place_of[step.at]}
        text = "" if step.actor is None and step.action == "approve" else step.reason
        text = corrected.get(step.at, "") if step.action == "correct" else passed_over_words(text, step.passed_over)
        if step.action == "request" and entry is not None:
            title, text = _ENTERED, _entered_words(entry, str(text))
            who = _("%(who)s for %(person)s") % {"who": who, "person": reservation.requested_by}
        past.append(Entry(icon, title, step.at, zone, who, text, later=False))
    coming = _AHEAD.get(reservation.state, ())
    if entry_that_waits(reservation) is not None:
        coming = (_YES_NEXT, *coming[1:])
    ahead = [Entry(icon, title, None, zone, "", "", later=True) for icon, title in coming]
    return past + ahead


def entry_of(reservation: Reservation) -> LabEntry | None:
    """That its lab entered it for somebody, if it did."""
    return getattr(reservation, "entry", None)


def entry_that_waits(reservation: Reservation) -> LabEntry | None:
    """That its lab entered it, while nobody has said yes for the customer."""
    entry = entry_of(reservation)
    waits = entry is not None and entry.waits and reservation.state == ReservationState.REQUESTED
    return entry if waits else None


def _entered_words(entry: LabEntry, text: str) -> str:
    """What the history says of it: how the customer said yes, beside why the lab's rules were passed over."""
    yes: Word
    if entry.evidence:
        yes = _("The customer's yes, by what the lab says: %(evidence)s") % {"evidence": entry.evidence}
    elif entry.agreed_by is not None:
        yes = _("%(who)s said yes here.") % {"who": entry.agreed_by}
    else:
        yes = _("Nobody has said yes for the customer yet.")
    return f"{text} {yes}".strip()


def next_words(
    reservation: Reservation, *, waits_for_customer: bool, waits_for_leader: bool = False, has_fee: bool = False
) -> Word:
    """What happens next, in a sentence or two. ``has_fee``: something was charged for the unused time."""
    if has_fee and reservation.state in _NEXT_WITH_FEE:
        return _NEXT_WITH_FEE[ReservationState(reservation.state)]
    if waits_for_leader and reservation.state == ReservationState.REQUESTED:
        return _NEXT_WITH_THE_LEADER
    if entry_that_waits(reservation) is not None:
        return _NEXT_WITH_THE_YES
    if waits_for_customer and reservation.state == ReservationState.REQUESTED:
        return _NEXT_WITH_NEW_FIGURES
    in_house = is_in_house(reservation.organisation_id, reservation.instrument.organisation_id)
    if in_house and reservation.state == ReservationState.AGREED:
        return _NEXT_IN_HOUSE
    return NEXT[reservation.state]


def rights(actor: Actor, reservation: Reservation, now: datetime, *, waits_for_customer: bool) -> Rights:
    """As the services will judge, so that no button leads nowhere."""
    actions = actions_from(ReservationState(reservation.state))
    is_lab = transitions.is_lab(reservation, actor)
    for_lab = transitions.for_the_lab(reservation, actor)
    asked = reservation.is_of(actor.user_id)
    books = reservation.organisation_id in actor.organisations(*BOOKING_ROLES)
    is_customer = asked or reservation.organisation_id in actor.organisations(Role.RESEARCHER, Role.FIRM_ADMIN)
    moves = for_lab or (acting.answers_for(reservation, actor) and acting.pays(reservation, actor, now))
    return Rights(
        is_customer=is_customer,
        is_lab=is_lab,
        for_lab=for_lab,
        may_cancel=transitions.may_cancel(reservation, actor, now),
        may_move=Action.MOVE in actions and moves and now < reservation.ends_at,
        may_decide=Action.APPROVE in actions and deciders.decides(reservation, actor),
        may_accept=waits_for_customer and Action.APPROVE in actions and acting.pays(reservation, actor, now),
        may_check_out=Action.CHECK_OUT in actions and is_lab,
        books=books,
    )
