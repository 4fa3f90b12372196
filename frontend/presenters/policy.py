"""A booking policy in sentences, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from booking.policy_wording import period_words
from booking.rules.policy import BookingPolicy
from booking.rules.policy_layers import HOUSE
from booking.rules.quota import Measure, Quota, Subject
from booking.rules.usage import BillableBasis
from booking.rules.week_time import DAY_MINUTES, EVERY_DAY, WeekTime
from config.kernel.messages import duration_words
from instruments.hours_wording import AUDIENCE_NAMES
from instruments.registry_wording import WEEKDAY_NAMES

_QUOTAS: dict[tuple[Subject, Measure], Promise] = {
    (Subject.PERSON, Measure.MINUTES): gettext_lazy("%(period)s: at most %(most)s for one person."),
    (Subject.PERSON, Measure.COUNT): gettext_lazy("%(period)s: at most %(most)s bookings for one person."),
    (Subject.ORGANISATION, Measure.MINUTES): gettext_lazy("%(period)s: at most %(most)s for one organisation."),
    (Subject.ORGANISATION, Measure.COUNT): gettext_lazy("%(period)s: at most %(most)s bookings for one organisation."),
}
_BILLED: dict[BillableBasis, Promise] = {
    BillableBasis.BOOKED: gettext_lazy("The booked time is charged."),
    BillableBasis.ACTUAL_WITHIN_BOOKED_ROUNDED_UP: gettext_lazy("The time actually used is charged."),
}


def policy_words(policy: BookingPolicy) -> list[str]:
    """The lab's rules for booking, one plain sentence each."""
    return [*_time_words(policy), *_people_words(policy), *_answer_words(policy)]


def _time_words(policy: BookingPolicy) -> list[str]:
    words = duration_words
    sentences = [
        _("Book between %(shortest)s and %(longest)s, in steps of %(step)s.")
        % {
            "shortest": words(policy.shortest_on_grid_minutes),
            "longest": words(policy.max_minutes),
            "step": words(policy.granularity_minutes),
        }
    ]
    if policy.notice_minutes:
        sentences.append(_("Book at least %(notice)s ahead.") % {"notice": words(policy.notice_minutes)})
    sentences.append(
        ngettext(
            "Booking is open for today and the next %(count)s day.",
            "Booking is open for the next %(count)s days.",
            policy.horizon_days,
        )
        % {"count": policy.horizon_days}
    )
    for audience, days in policy.horizons:
        if days < policy.horizon_days:
            text = ngettext("Only %(count)s day ahead: %(customers)s.", "Only %(count)s days ahead: %(customers)s.", days)
            sentences.append(text % {"count": days, "customers": AUDIENCE_NAMES[audience]})
    between = policy.buffer_before_minutes + policy.buffer_after_minutes
    if between:
        sentences.append(_("The lab keeps %(length)s free around each session.") % {"length": words(between)})
    return sentences


def _people_words(policy: BookingPolicy) -> list[str]:
    sentences = [quota_words(quota) for quota in policy.quotas]
    if policy.peak:
        sentences.append(_("Peak hours: %(times)s.") % {"times": times_words(policy.peak)})
    if policy.cool_off_minutes:
        sentences.append(
            _("Between two bookings of one person the lab leaves %(length)s for others.")
            % {"length": duration_words(policy.cool_off_minutes)}
        )
    if policy.unlimited:
        sentences.append(_("Without limits of length and number: %(times)s.") % {"times": times_words(policy.unlimited)})
    if policy.licence_needed:
        sentences.append(_("To operate it yourself you need the lab's licence."))
    if policy.licensed_times:
        sentences.append(_("Only with a licence for off-hours: %(times)s.") % {"times": times_words(policy.licensed_times)})
    return sentences


def _answer_words(policy: BookingPolicy) -> list[str]:
    sentences = [
        _("The lab approves each request.") if policy.approval_required else _("A booking counts at once, no approval is needed.")
    ]
    if policy.approval_required and policy.answer_minutes != HOUSE.answer_minutes:
        sentences.append(_("The lab promises to answer within %(length)s.") % {"length": duration_words(policy.answer_minutes)})
    if policy.approval_required and not policy.pending_blocks:
        sentences.append(_("Until it is approved, others may ask for the same time."))
    if policy.cancel_notice_minutes:
        sentences.append(
            _("Cancel up to %(notice)s before the start; later than that counts as late.")
            % {"notice": duration_words(policy.cancel_notice_minutes)}
        )
    if policy.billable_basis != HOUSE.billable_basis:
        sentences.append(str(_BILLED[policy.billable_basis]))
    if not policy.late_may_use:
        sentences.append(
            _("Who has not come %(length)s after the start has lost the time.")
            % {"length": duration_words(policy.no_show_grace_minutes)}
        )
    return sentences


def layer_words(said: Mapping[str, Any]) -> list[str]:
    """What one layer says (``booking.rules.policy_layers.read_settings``), one plain sentence each; what it leaves open is left out."""
    return [sentence for name, words in _SAID.items() if name in said for sentence in words(said[name])]


def _length(sentence: Promise, at_zero: Promise | None = None) -> Callable[[int], list[str]]:
    """Minutes in a sentence with ``%(length)s``, or in another one for none."""

    def words(minutes: int) -> list[str]:
        if not minutes and at_zero is not None:
            return [str(at_zero)]
        return [str(sentence) % {"length": duration_words(minutes)}]

    return words


def _choice(yes: Promise, no: Promise) -> Callable[[bool], list[str]]:
    return lambda value: [str(yes if value else no)]


def _times(sentence: Promise) -> Callable[[tuple[WeekTime, ...]], list[str]]:
    return lambda times: [str(sentence) % {"times": times_words(times)}]


def _days_ahead(days: int) -> list[str]:
    text = ngettext("Booking is open for today and the next %(count)s day.", "Booking is open for the next %(count)s days.", days)
    return [text % {"count": days}]


def _days_ahead_of(horizons: tuple[tuple[str, int], ...]) -> list[str]:
    return [
        ngettext("Only %(count)s day ahead: %(customers)s.", "Only %(count)s days ahead: %(customers)s.", days)
        % {"count": days, "customers": AUDIENCE_NAMES[audience]}
        for audience, days in horizons
    ]


def _agreed_after(days: int) -> list[str]:
    text = ngettext(
        "Use counts as agreed after %(count)s day without a word.",
        "Use counts as agreed after %(count)s days without a word.",
        days,
    )
    return [text % {"count": days}]


_SAID: dict[str, Callable[[Any], list[str]]] = {
    "granularity_minutes": _length(gettext_lazy("Bookings start and end in steps of %(length)s.")),
    "min_minutes": _length(gettext_lazy("A booking lasts at least %(length)s.")),
    "max_minutes": _length(gettext_lazy("A booking lasts at most %(length)s.")),
    "notice_minutes": _length(gettext_lazy("Book at least %(length)s ahead."), gettext_lazy("Book as late as you like.")),
    "horizon_days": _days_ahead,
    "horizons": _days_ahead_of,
    "buffer_before_minutes": _length(gettext_lazy("The lab keeps %(length)s free before each session.")),
    "buffer_after_minutes": _length(gettext_lazy("The lab keeps %(length)s free after each session.")),
    "quotas": lambda quotas: [quota_words(quota) for quota in quotas],
    "peak": _times(gettext_lazy("Peak hours: %(times)s.")),
    "cool_off_minutes": _length(gettext_lazy("Between two bookings of one person the lab leaves %(length)s for others.")),
    "unlimited": _times(gettext_lazy("Without limits of length and number: %(times)s.")),
    "licence_needed": _choice(
        gettext_lazy("To operate it yourself you need the lab's licence."), gettext_lazy("This asks for no licence.")
    ),
    "licensed_times": _times(gettext_lazy("Only with a licence for off-hours: %(times)s.")),
    "approval_required": _choice(
        gettext_lazy("The lab approves each request."), gettext_lazy("A booking counts at once, no approval is needed.")
    ),
    "answer_minutes": _length(gettext_lazy("The lab promises to answer within %(length)s.")),
    "pending_blocks": _choice(
        gettext_lazy("A request keeps its time until it is answered."),
        gettext_lazy("Until it is approved, others may ask for the same time."),
    ),
    "hold_minutes": _length(gettext_lazy("A chosen time is kept for %(length)s while the form is filled in.")),
    "cancel_notice_minutes": _length(
        gettext_lazy("Cancel up to %(length)s before the start; later than that counts as late."),
        gettext_lazy("Cancel until the start."),
    ),
    "no_show_grace_minutes": _length(gettext_lazy("The lab waits %(length)s after the start.")),
    "late_may_use": _choice(
        gettext_lazy("Who comes late may use the rest."), gettext_lazy("Who comes later than the lab waits has lost the time.")
    ),
    "early_start_minutes": _length(gettext_lazy("A session may start up to %(length)s early.")),
    "billable_basis": lambda basis: [str(_BILLED[basis])],
    "billable_round_up_minutes": _length(gettext_lazy("The time used is rounded up to steps of %(length)s.")),
    "agree_after_days": _agreed_after,
}


def quota_words(quota: Quota) -> str:
    """One quota as a sentence."""
    most = duration_words(quota.most) if quota.measure is Measure.MINUTES else str(quota.most)
    values = {"period": period_words([quota.period.value, quota.peak_only]), "most": most}
    return str(_QUOTAS[quota.subject, quota.measure]) % values


def times_words(times: Iterable[WeekTime]) -> str:
    """Stretches of the week: "Monday, Tuesday 22:00–06:00; ..."."""
    return "; ".join(_one_time(one) for one in times)


def _one_time(one: WeekTime) -> str:
    days = _("every day") if one.weekdays == EVERY_DAY else ", ".join(str(WEEKDAY_NAMES[day - 1]) for day in one.weekdays)
    if (one.from_minute, one.until_minute) == (0, DAY_MINUTES):
        return str(days)
    return f"{days} {clock(one.from_minute)}–{clock(one.until_minute)}"


def clock(minute: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
