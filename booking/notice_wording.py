"""What is told about reservations, to the customer and to the lab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from booking.service_wording import corrected
from booking.services.calendar_mail import calendar_of, calendar_of_series
from config.kernel.messages import filled, local_time
from instruments.notice_events import Event, Group, Params, Words, register_events, register_groups

register_groups(
    {
        "reservations": Group(_("My reservations"), _("Answers of the lab, changes, what is due."), place=10),
        "lab": Group(_("Work of my lab"), _("Requests that wait, reservations that are cancelled."), place=20),
    }
)
_WHEN = (_("For: %(organisation)s"), _("Time: %(starts_at)s to %(ends_at)s (%(zone)s)"))
_SERIES = (_("For: %(organisation)s"), _("First: %(starts_at)s, last until %(ends_at)s (%(zone)s)"))
_WHY = _("Reason: %(reason)s")
_EXTRA = _("%(words)s: %(amount_fen)s")
_FEE = _("Fee for the unused time: %(fee_fen)s")
_LEFT_OF_FEE = (_("Back to the fund card: %(returned_fen)s"), _("Still to pay: %(to_pay_fen)s"))
_FELL_AWAY = (_("The time was used after all."), *_LEFT_OF_FEE)
_NEW_PLACE = _("On another instrument: %(new_instrument)s")
_OLD_PLACE = _("Before it was on: %(old_instrument)s")
_NEW_TIME = _("New time: %(new_starts_at)s to %(new_ends_at)s")
_OR_TIMES = (
    _("Or: %(second_starts_at)s to %(second_ends_at)s"),
    _("Or else: %(third_starts_at)s to %(third_ends_at)s"),
)


_OVERDUE = Event(
    "lab",
    _("%(instrument)s: request %(reference)s waits longer than promised"),
    (*_WHEN, _("Nobody has answered. Approve it, decline it, or suggest another time.")),
    "clock-pause",
    needs_action=True,
    name=_("Request waits longer than promised"),
)


_USE_OVERDUE = Event(
    "lab",
    _("%(instrument)s: what the customer says about session %(reference)s waits longer than promised"),
    (
        *_WHEN,
        _WHY,
        _("Nobody has answered, and nothing is charged before. Accept it, stand by the times, or decide the dispute."),
    ),
    "clock-pause",
    needs_action=True,
    name=_("Answer about use waits longer than promised"),
)


def _customer(title: Any, name: Any, icon: str, *, lines: tuple[Any, ...] = _WHEN, **more: Any) -> Event:
    return Event("reservations", title, lines, icon, public=True, name=name, **more)


def _time_free(params: Params) -> Words:
    english = (get_language() or "").startswith("en")
    lines = [gettext("You asked to hear when this is free; book soon, others may have asked too.")]
    for row in params["found"]:
        name = row["name_en"] if english and row["name_en"] else row["name"]
        starts = local_time(row["starts_at"])
        lines.append(gettext("%(instrument)s: from %(starts_at)s") % {"instrument": name, "starts_at": starts})
    return Words(gettext("A time is free that you waited for"), tuple(lines))


def _brought(params: Params) -> Words:
    english = (get_language() or "").startswith("en")
    lab = params["lab_en"] if english and params["lab_en"] else params["lab"]
    lines = [gettext("The lab has moved here and brought them along. Please look whether they are yours.")]
    for row in params["listed"]:
        called = row["instrument_en"] if english and row["instrument_en"] else row["instrument"]
        span = {name: row[name] for name in ("starts_at", "ends_at")} | {"instrument": called}
        if row.get("price_fen") is None:  # nothing is charged, or the notice is from before prices were named
            lines.append(filled(gettext("%(instrument)s: %(starts_at)s to %(ends_at)s"), span))
        else:
            text = gettext("%(instrument)s: %(starts_at)s to %(ends_at)s, for %(price_fen)s")
            lines.append(filled(text, span | {"price_fen": row["price_fen"]}))
    more = params["count"] - len(params["listed"])
    if more:
        lines.append(ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more})
    if params["count"] > params["past"]:
        lines.append(gettext("You may give back what is to come without a fee. Its use is charged only once you have said yes."))
    if params["past"]:
        lines.append(gettext("%(count)s of them are over. Say yes to their times, or dispute them.") % {"count": params["past"]})
    title = gettext("%(lab)s: %(count)s of your bookings were taken over") % {"lab": lab, "count": params["count"]}
    return Words(title, tuple(lines))


def _brought_undone(params: Params) -> Words:
    english = (get_language() or "").startswith("en")
    lab = params["lab_en"] if english and params["lab_en"] else params["lab"]
    title = gettext("%(lab)s: the takeover of %(count)s of your bookings was taken back") % {"lab": lab, "count": params["count"]}
    return Words(title, (gettext("They hold no time any more. The lab may bring them again."),))


def _facts_corrected(params: Params) -> Words:
    title = gettext("%(instrument)s: the lab corrected what booking %(reference)s says for the national record")
    lines = [filled(line, params) for line in _WHEN]
    lines += [corrected(name, before, after) for name, before, after in params["corrected"]]
    lines.append(gettext("If that is not right, correct it on the booking's page until the session is agreed."))
    return Words(filled(title, params), tuple(lines))


register_events(
    {
        "reservation.requested": Event(
            "lab",
            _("%(instrument)s: request %(reference)s is waiting for approval"),
            _WHEN,
            "inbox",
            needs_action=True,
            public=True,
            name=_("Reservation asked for"),
        ),
        "lab.request_overdue": _OVERDUE,
        "lab.request_overdue_for_heads": replace(
            _OVERDUE, needs_action=False, name=_("Request waits longer than promised (heads)")
        ),
        "lab.use_overdue": _USE_OVERDUE,
        "lab.use_overdue_for_heads": replace(
            _USE_OVERDUE, needs_action=False, name=_("Answer about use waits longer than promised (heads, finance)")
        ),
        "lab.deputy_named": Event(
            "lab",
            _("%(who)s is away: you answer the requests of %(lab)s"),
            (_("From %(starts_at)s until %(ends_at)s. What you decide is noted as decided in their place."),),
            "users",
            name=_("Standing in for a colleague"),
        ),
        "lab.deputy_ended": Event(
            "lab",
            _("Standing in for each other at %(lab)s has ended: %(who)s said so"),
            (),
            "users",
            name=_("Standing in has ended"),
        ),
        "reservation.booked_for_you": Event(  # to one person alone, so that webhooks do not hear of it
            "reservations",
            _("%(instrument)s: %(who)s booked %(reference)s in your name"),
            _WHEN,
            "users",
            name=_("A colleague booked in your name"),
        ),
        "consent.given": Event(
            "reservations",
            _("%(taker)s may book in the name of %(giver)s"),
            (_("Until the end of %(until_on)s. Both can end it at any time."),),
            "users",
            name=_("Booking in a colleague's name"),
        ),
        "consent.ended": Event(
            "reservations",
            _("%(taker)s may no longer book in the name of %(giver)s"),
            (_("What has been booked stays as it is."),),
            "users",
            name=_("Booking in a colleague's name has ended"),
        ),
        "reservation.approved": _customer(
            _("%(instrument)s: reservation %(reference)s is approved"),
            _("Reservation approved"),
            "circle-check",
            calendar=calendar_of,
        ),
        "reservation.rejected": _customer(
            _("%(instrument)s: request %(reference)s was refused"),
            _("Request refused"),
            "circle-x",
            lines=(*_WHEN, _WHY),
        ),
        "reservation.leader_asked": Event(  # to the group's leader alone, so that webhooks do not hear of it
            "reservations",
            _("%(instrument)s: %(person)s asks you to agree to %(amount_fen)s for %(reference)s"),
            (*_WHEN, _("Fund card: %(card)s")),
            "coins",
            needs_action=True,
            name=_("Spending that a group's leader agrees to"),
        ),
        "series.leader_asked": Event(
            "reservations",
            _("%(instrument)s: %(person)s asks you to agree to %(count)s times of a series, %(amount_fen)s together"),
            (*_SERIES, _("Fund card: %(card)s")),
            "coins",
            needs_action=True,
            name=_("Series that a group's leader agrees to"),
        ),
        "reservation.leader_agreed": _customer(
            _("%(instrument)s: the leader of your group agrees to %(reference)s"), _("The group's leader agrees"), "circle-check"
        ),
        "reservation.leader_declined": _customer(
            _("%(instrument)s: the leader of your group does not agree to %(reference)s"),
            _("The group's leader does not agree"),
            "circle-x",
            lines=(*_WHEN, _WHY),
        ),
        "reservation.cancelled": _customer(
            _("%(instrument)s: reservation %(reference)s was cancelled"),
            _("Reservation cancelled"),
            "ban",
            lines=(*_WHEN, _WHY, _FEE),
            calendar=calendar_of,
        ),
        "lab.reservation_cancelled": Event(
            "lab",
            _("%(instrument)s: reservation %(reference)s was cancelled"),
            (*_WHEN, _WHY, _FEE),
            "ban",
            name=_("Reservation of the lab cancelled"),
        ),
        "reservation.moved": _customer(
            _("%(instrument)s: reservation %(reference)s has a new time"),
            _("Reservation moved"),
            "calendar-event",
            lines=(*_WHEN, _OLD_PLACE, _WHY),
            calendar=calendar_of,
        ),
        "lab.reservation_moved": Event(
            "lab",
            _("%(instrument)s: reservation %(reference)s has a new time"),
            (*_WHEN, _OLD_PLACE, _WHY),
            "calendar-event",
            name=_("Reservation of the lab moved"),
        ),
        "reservation.change_proposed_to_lab": Event(
            "lab",
            _("%(instrument)s: a new time is asked for %(reference)s"),
            (*_WHEN, _NEW_PLACE, _NEW_TIME, _WHY),
            "calendar-event",
            needs_action=True,
            public=True,
            name=_("New time asked for"),
        ),
        "reservation.change_proposed_to_customer": _customer(
            _("%(instrument)s: the lab proposes a new time for %(reference)s"),
            _("New time proposed by the lab"),
            "calendar-event",
            lines=(*_WHEN, _NEW_PLACE, _NEW_TIME, *_OR_TIMES, _WHY),
            needs_action=True,
        ),
        **{
            f"reservation.change_{end}_to_{side}": Event(group, title, (*_WHEN, _WHY), icon, public=True, name=name)
            for end, title, icon, names in (
                (
                    "refuse",
                    _("%(instrument)s: the new time for %(reference)s was refused"),
                    "circle-x",
                    (_("New time refused (lab)"), _("New time refused")),
                ),
                (
                    "lapse",
                    _("%(instrument)s: nobody answered about a new time for %(reference)s"),
                    "clock-pause",
                    (_("New time not answered (lab)"), _("New time not answered")),
                ),
            )
            for side, group, name in (("lab", "lab", names[0]), ("customer", "reservations", names[1]))
        },
        "reservation.change_withdrawn": _customer(
            _("%(instrument)s: the new time for %(reference)s was taken back"), _("New time taken back"), "arrow-back-up"
        ),
        "lab.reservation_change_withdrawn": Event(
            "lab",
            _("%(instrument)s: the new time for %(reference)s was taken back"),
            _WHEN,
            "arrow-back-up",
            name=_("New time taken back (lab)"),
        ),
        "reservation.waits_for_repair": _customer(
            _("%(instrument)s is out of service: your reservation %(reference)s waits"),
            _("Reservation waits for a repair"),
            "tool",
            lines=(
                *_WHEN,
                _("It is expected to work again at %(until_at)s."),
                _(
                    "Your place is kept. If it does not work when your time begins, the reservation is cancelled and costs nothing."
                ),
                _WHY,
            ),
        ),
        "reservation.meets_work": _customer(
            _("%(instrument)s: work on it begins within the time of %(reference)s"),
            _("Work begins within a reservation"),
            "tool",
            lines=(
                *_WHEN,
                _("The work begins at %(work_at)s and lasts until %(until_at)s."),
                _("Your place is kept: you can begin as booked, and have until the work begins. Ask the lab if you need longer."),
                _WHY,
            ),
        ),
        "reservation.works_again": _customer(
            _("%(instrument)s works again: your reservation %(reference)s takes place"),
            _("Instrument of a reservation works again"),
            "circle-check",
        ),
        "lab.out_of_service": Event(
            "lab",
            _("%(instrument)s is out of service until %(until_at)s"),
            (_("Bookings in this time: %(count)s"),),
            "tool",
            name=_("Instrument out of service"),
        ),
        "lab.calendar_fails": Event(
            "lab",
            _('%(instrument)s: the calendar "%(title)s" cannot be read'),
            (
                _("It was tried three times. What it said when it was last read still takes time; what is new in it does not."),
                _("Its page says why. Put it right there, or pause it."),
            ),
            "alert-triangle",
            needs_action=True,
            is_gathered=True,
            name=_("Followed calendar cannot be read"),
        ),
        "lab.calendar_read_again": Event(
            "lab",
            _('%(instrument)s: the calendar "%(title)s" is read again'),
            (),
            "circle-check",
            name=_("Followed calendar is read again"),
        ),
        "lab.maintenance_due": Event(
            "lab",
            _("%(instrument)s: maintenance is due soon: %(name)s"),
            (
                _("Due at %(due_at)s."),
                _("Hours of use left: %(hours)s"),
                _("One press on the instrument's page keeps a free time for it."),
            ),
            "tool",
            needs_action=True,
            name=_("Maintenance due"),
        ),
        "lab.in_service_again": Event(
            "lab",
            _("%(instrument)s is in service again"),
            (),
            "circle-check",
            name=_("Instrument in service again"),
        ),
        "reservation.expired": _customer(
            _("%(instrument)s: request %(reference)s was not answered in time"),
            _("Request not answered in time"),
            "clock-pause",
        ),
        "reservation.no_show": _customer(
            _("%(instrument)s: reservation %(reference)s was missed"),
            _("Reservation missed"),
            "user-off",
            lines=(*_WHEN, _FEE),
        ),
        "reservation.fee_fell_away": _customer(
            _("%(instrument)s: %(amount_fen)s of the fee for %(reference)s fall away"),
            _("Fee fell away"),
            "coins",
            lines=(*_WHEN, *_FELL_AWAY),
        ),
        "reservation.fee_waived": _customer(
            _("%(instrument)s: the lab waives %(amount_fen)s of the fee for %(reference)s"),
            _("Fee waived"),
            "coins",
            lines=(*_WHEN, _WHY, *_LEFT_OF_FEE),
        ),
        "lab.fee_fell_away": Event(
            "lab",
            _("%(instrument)s: %(amount_fen)s of the fee for %(reference)s fall away"),
            (*_WHEN, *_FELL_AWAY),
            "coins",
            name=_("Fee of the lab fell away"),
        ),
        "reservation.figures_changed": _customer(
            _("%(instrument)s: please look at the new figures of %(reference)s"),
            _("New figures to look at"),
            "coins",
            needs_action=True,
        ),
        "reservation.extended": _customer(
            _("%(instrument)s: session %(reference)s goes on for longer"), _("Session extended"), "clock", calendar=calendar_of
        ),
        "reservation.fault_seen": Event(
            "reservations",
            _("%(instrument)s: the lab looks into the fault during session %(reference)s"),
            ("%(answer)s",),
            "eye",
            name=_("Fault during a session seen by the lab"),
        ),
        "reservation.fault_solved": Event(
            "reservations",
            _("%(instrument)s: the fault during session %(reference)s is solved"),
            ("%(answer)s",),
            "circle-check",
            name=_("Fault during a session solved"),
        ),
        "reservation.extended_for_you": Event(
            "reservations",
            _("%(instrument)s: the lab lets your session %(reference)s go on for longer"),
            (
                *_WHEN,
                _("Asked for: %(reason)s"),
                _("Entered by: %(staff)s"),
                _("To pay for the whole session now: %(payable_now_fen)s"),
                _(
                    "If nobody of you asked for it, tell the lab. You look at the times when the session is over, and may ask for others."
                ),
            ),
            "clock",
            calendar=calendar_of,
            name=_("Session extended by the lab"),
        ),
        "reservation.completed": _customer(
            _("%(instrument)s: please look at the times of session %(reference)s"),
            _("Times of a session to look at"),
            "clock",
            needs_action=True,
        ),
        "reservation.times_corrected": _customer(
            _("%(instrument)s: the times of session %(reference)s were corrected after you had agreed; please look again"),
            _("Times of a session corrected"),
            "clock",
            needs_action=True,
        ),
        "reservation.charged_less": _customer(
            _("%(instrument)s: the lab charges less for session %(reference)s"),
            _("Less charged for a session"),
            "clock",
            lines=(*_WHEN, _WHY),
        ),
        "reservation.adjustment_asked_to_lab": Event(
            "lab",
            _("%(instrument)s: the customer wants session %(reference)s charged otherwise"),
            (*_WHEN, _WHY),
            "message-report",
            needs_action=True,
            public=True,
            name=_("Other times asked for"),
        ),
        "reservation.adjustment_refused": _customer(
            _("%(instrument)s: the lab stands by the times of session %(reference)s"),
            _("Other times refused"),
            "circle-x",
            lines=(*_WHEN, _WHY),
            needs_action=True,
        ),
        "reservation.disputed_to_lab": Event(
            "lab",
            _("%(instrument)s: session %(reference)s is disputed and needs a decision"),
            (*_WHEN, _WHY),
            "alert-triangle",
            needs_action=True,
            public=True,
            name=_("Session disputed"),
        ),
        "reservation.agree_soon": _customer(
            _("%(instrument)s: session %(reference)s counts as agreed from tomorrow"),
            _("Session counts as agreed soon"),
            "hourglass",
            needs_action=True,
        ),
        "lab.agree_soon": Event(
            "lab",
            _("%(instrument)s: session %(reference)s counts as agreed from tomorrow"),
            _WHEN,
            "hourglass",
            needs_action=True,
            name=_("Session of the lab counts as agreed soon"),
        ),
        "reservation.facts_corrected": Event(
            "reservations",
            _("%(instrument)s: the lab corrected what booking %(reference)s says for the national record"),
            icon="pencil",
            public=True,
            name=_("What a booking says for the national record corrected by the lab"),
            compose=_facts_corrected,
        ),
        "reservation.extra_proposed": _customer(
            _("%(instrument)s: the lab entered what was used in session %(reference)s besides the time; please answer"),
            _("Something used besides to agree to"),
            "coins",
            lines=(*_WHEN, _EXTRA, _("Nothing is charged without your yes.")),
            needs_action=True,
        ),
        "reservation.extra_by_order": _customer(
            _("%(instrument)s: the lab charges with session %(reference)s what was agreed in %(sheet)s"),
            _("Something charged as a commission says"),
            "coins",
            lines=(*_WHEN, _EXTRA),
        ),
        "reservation.extra_withdrawn": _customer(
            _("%(instrument)s: the lab took back what it had entered for session %(reference)s"),
            _("Something used besides taken back"),
            "coins",
            lines=(*_WHEN, _EXTRA),
        ),
        **{
            f"reservation.extra_{answer}_to_lab": Event("lab", title, (*_WHEN, _EXTRA), "coins", public=True, name=name)
            for answer, title, name in (
                (
                    "agreed",
                    _("%(instrument)s: the customer agreed to what was used in session %(reference)s besides"),
                    _("Something used besides agreed to"),
                ),
                (
                    "declined",
                    _("%(instrument)s: the customer declined what was used in session %(reference)s besides"),
                    _("Something used besides declined"),
                ),
            )
        },
        "reservation.charged": _customer(
            _("%(instrument)s: session %(reference)s is agreed and charged"), _("Session charged"), "receipt-refund"
        ),
        "series.requested": Event(
            "lab",
            _("%(instrument)s: %(count)s times of a series wait for approval"),
            _SERIES,
            "inbox",
            needs_action=True,
            name=_("Series asked for"),
        ),
        **{
            f"{side}.{what}": Event(
                group,
                title,
                (*_SERIES, _WHY, _FEE),
                icon,
                name=names[place],
                calendar=calendar_of_series if group == "reservations" else None,
            )
            for place, (side, group) in enumerate((("series", "reservations"), ("series.lab", "lab")))
            for what, title, icon, names in (
                (
                    "booked",
                    _("%(instrument)s: %(count)s times of a series are booked"),
                    "circle-check",
                    (_("Series booked"), _("Series booked in the lab")),
                ),
                (
                    "cancelled",
                    _("%(instrument)s: %(count)s times of a series were cancelled"),
                    "ban",
                    (_("Times of a series cancelled"), _("Times of a series cancelled (lab)")),
                ),
                (
                    "moved",
                    _("%(instrument)s: %(count)s times of a series have a new time"),
                    "calendar-event",
                    (_("Times of a series moved"), _("Times of a series moved (lab)")),
                ),
            )
        },
        **{
            code: Event(
                group,
                _("%(instrument)s: new times are asked for %(count)s times of a series"),
                (*_SERIES, _WHY),
                "calendar-event",
                needs_action=True,
                name=name,
            )
            for code, group, name in (
                ("series.move_asked", "reservations", _("New times of a series asked for")),
                ("series.lab.move_asked", "lab", _("New times of a series asked for (lab)")),
            )
        },
        "waiting.offered": Event(  # to one person alone, so that webhooks do not hear of it
            "reservations",
            _("%(instrument)s: a time is free for you until %(until_at)s"),
            (
                _("Time: %(starts_at)s to %(ends_at)s (%(zone)s)"),
                _("It is kept for you alone until %(until_at)s. Take it or let it pass."),
            ),
            "clock",
            needs_action=True,
            name=_("Offer of the waiting list"),
        ),
        "bookings.imported": Event(
            "reservations",
            _("Bookings were taken over"),
            (),
            "upload",
            name=_("Bookings taken over from a lab's list"),
            compose=_brought,
        ),
        "bookings.import_undone": Event(
            "reservations",
            _("A takeover of bookings was taken back"),
            (),
            "arrow-back-up",
            name=_("Takeover of bookings taken back"),
            compose=_brought_undone,
        ),
        "alerts.time_free": Event(
            "alerts",
            _("A time is free that you waited for"),
            icon="clock",
            is_urgent=True,  # it may be gone with the next digest
            name=_("A time becomes free"),
            compose=_time_free,
        ),
    }
)
