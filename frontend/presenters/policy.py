"""A booking policy in sentences, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.wording import several
from booking.policy_wording import RULE_NAMES, period_words
from booking.rules.auto_approval import AutoApproval, Trusted
from booking.rules.policy import BookingPolicy
from booking.rules.policy_layers import HOUSE
from booking.rules.quota import Measure, Quota, Subject
from booking.rules.usage import BillableBasis
from booking.rules.week_time import DAY_MINUTES, EVERY_DAY, WeekTime
from config.kernel.errors import Reason
from config.kernel.messages import duration_words
from frontend.display import yuan
from instruments.hours_wording import AUDIENCE_NAMES, audience_words
from instruments.registry_wording import WEEKDAY_NAMES

_QUOTAS: dict[tuple[Subject, Measure], Promise] = {
    (Subject.PERSON, Measure.MINUTES): gettext_lazy("%(period)s: at most %(most)s for one person."),
    (Subject.PERSON, Measure.COUNT): gettext_lazy("%(period)s: at most %(most)s bookings for one person."),
    (Subject.PERSON, Measure.SAMPLES): gettext_lazy("%(period)s: at most %(most)s samples of one person."),
    (Subject.PERSON, Measure.JOBS): gettext_lazy("%(period)s: at most %(most)s sample jobs of one person."),
    (Subject.ORGANISATION, Measure.SAMPLES): gettext_lazy("%(period)s: at most %(most)s samples of one organisation."),
    (Subject.ORGANISATION, Measure.JOBS): gettext_lazy("%(period)s: at most %(most)s sample jobs of one organisation."),
    (Subject.ORGANISATION, Measure.MINUTES): gettext_lazy("%(period)s: at most %(most)s for one organisation."),
    (Subject.ORGANISATION, Measure.COUNT): gettext_lazy("%(period)s: at most %(most)s bookings for one organisation."),
}
BILLED: dict[BillableBasis, Promise] = {
    BillableBasis.BOOKED: gettext_lazy("The booked time is charged."),
    BillableBasis.ACTUAL_WITHIN_BOOKED_ROUNDED_UP: gettext_lazy("The time actually used is charged."),
    BillableBasis.OVERAGE: gettext_lazy("The booked time and the use beyond its end are charged."),
}


def rule_names(codes: Iterable[str]) -> str:
    """The rules of a lab that were passed over, each once, in words."""
    names = dict.fromkeys(str(RULE_NAMES.get(code) or RULE_NAMES.get(code.partition(".")[0]) or code) for code in codes)
    return several(names)


def in_spite_words(reasons: Iterable[Reason]) -> str:
    """Which of the lab's rules a time would be booked in spite of."""
    return _("In spite of the lab's rules: %(rules)s.") % {"rules": rule_names(one.code for one in reasons)}


def passed_over_words(reason: str, codes: Iterable[str] | None) -> str:
    """Why a step was taken, and in spite of which of the lab's rules where there were any."""
    if not codes:
        return reason
    return _("%(reason)s (passed over: %(rules)s)") % {"reason": reason, "rules": rule_names(codes)}


def policy_words(policy: BookingPolicy) -> list[str]:
    """The lab's rules for booking, one plain sentence each; what goes without saying is left out."""
    return [*_time_words(policy), *_people_words(policy), *_answer_words(policy)]


def _said_of(policy: BookingPolicy, *names: str) -> list[str]:
    """What a layer that says these fields would be worded as."""
    return [sentence for name in names for sentence in _SAID[name](getattr(policy, name))]


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
    sentences += _said_of(policy, *(["notice_minutes"] if policy.notice_minutes else []), "horizon_days")
    sentences += _days_ahead_of((audience, days) for audience, days in policy.horizons if days < policy.horizon_days)
    between = policy.buffer_before_minutes + policy.buffer_after_minutes
    if between:
        sentences.append(_("The lab keeps %(length)s free around each session.") % {"length": words(between)})
    return sentences


def _people_words(policy: BookingPolicy) -> list[str]:
    names = ("quotas", "peak", "cool_off_minutes", "unlimited", "licence_needed", "assisted_licence_needed", "licensed_times")
    return _said_of(policy, *(name for name in names if getattr(policy, name)))


def _answer_words(policy: BookingPolicy) -> list[str]:
    names = ["approval_required"]
    if policy.approval_required and policy.auto_approval is not None:
        names.append("auto_approval")
    if policy.approval_required and policy.answer_minutes != HOUSE.answer_minutes:
        names.append("answer_minutes")
    if policy.approval_required and not policy.pending_blocks:
        names.append("pending_blocks")
    if policy.cancel_notice_minutes:
        names.append("cancel_notice_minutes")
    if policy.billable_basis != HOUSE.billable_basis:
        names.append("billable_basis")
    sentences = _said_of(policy, *names)
    if not policy.late_may_use:
        sentences += _LOST(policy.no_show_grace_minutes)
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
    if not days:
        return [_("Booking is open for today only.")]
    text = ngettext("Booking is open for today and the next %(count)s day.", "Booking is open for the next %(count)s days.", days)
    return [text % {"count": days}]


def _days_ahead_of(horizons: Iterable[tuple[str, int]]) -> list[str]:
    return [_days_ahead_for(days) % {"count": days, "customers": AUDIENCE_NAMES[audience]} for audience, days in horizons]


def _days_ahead_for(days: int) -> str:
    if not days:
        return _("Only for today: %(customers)s.")
    return ngettext("Only %(count)s day ahead: %(customers)s.", "Only %(count)s days ahead: %(customers)s.", days)


def _at_once(rule: AutoApproval) -> list[str]:
    """Which requests the lab need not look at."""
    if rule.who is Trusted.NOBODY:
        return [str(_AT_ONCE[rule.who])]
    limits = []
    whom = []
    if rule.customers:
        whom = [_("Only requests of these customers count at once: %(open_for)s.") % {"open_for": audience_words(rule.customers)}]
    if rule.most_minutes is not None:
        limits.append(_("%(length)s at a time") % {"length": duration_words(rule.most_minutes)})
    if rule.week_minutes is not None:
        limits.append(_("%(length)s of one person in a week") % {"length": duration_words(rule.week_minutes)})
    if rule.most_fen is not None:
        limits.append(_("%(amount)s to pay now") % {"amount": yuan(rule.most_fen)})
    most = [_("That holds up to: %(limits)s.") % {"limits": "; ".join(limits)}] if limits else []
    alone = _("Series, and several instruments that are asked for together, are always looked at by the lab.")
    return [str(_AT_ONCE[rule.who]), *whom, *most, alone]


_AT_ONCE: dict[Trusted, Promise] = {
    Trusted.NOBODY: gettext_lazy("No request counts at once."),
    Trusted.ANYBODY: gettext_lazy("A request counts at once where nobody else asks for the time."),
    Trusted.LICENSED: gettext_lazy(
        "A request of who holds the lab's licence to operate it alone counts at once where nobody else asks for the time."
    ),
    Trusted.PROVEN: gettext_lazy(
        "A request of who has used something of the lab's before counts at once where nobody else asks for the time."
    ),
}


def _agreed_after(days: int) -> list[str]:
    text = ngettext(
        "Use counts as agreed after %(count)s day without a word.",
        "Use counts as agreed after %(count)s days without a word.",
        days,
    )
    return [text % {"count": days}]


_LOST = _length(
    gettext_lazy("Who has not come %(length)s after the start has lost the time."),
    gettext_lazy("Who has not come at the start has lost the time."),
)
_SAID: dict[str, Callable[[Any], list[str]]] = {
    "granularity_minutes": _length(gettext_lazy("Bookings start and end in steps of %(length)s.")),
    "min_minutes": _length(gettext_lazy("A booking lasts at least %(length)s.")),
    "max_minutes": _length(gettext_lazy("A booking lasts at most %(length)s.")),
    "notice_minutes": _length(gettext_lazy("Book at least %(length)s ahead."), gettext_lazy("Book as late as you like.")),
    "horizon_days": _days_ahead,
    "horizons": _days_ahead_of,
    "buffer_before_minutes": _length(
        gettext_lazy("The lab keeps %(length)s free before each session."),
        gettext_lazy("The lab keeps no time free before a session."),
    ),
    "buffer_after_minutes": _length(
        gettext_lazy("The lab keeps %(length)s free after each session."),
        gettext_lazy("The lab keeps no time free after a session."),
    ),
    "quotas": lambda quotas: [quota_words(quota) for quota in quotas],
    "peak": _times(gettext_lazy("Peak hours: %(times)s.")),
    "cool_off_minutes": _length(
        gettext_lazy("Between two bookings of one person the lab leaves %(length)s for others."),
        gettext_lazy("One person's bookings may follow each other at once."),
    ),
    "unlimited": _times(gettext_lazy("Without limits of length and number: %(times)s.")),
    "licence_needed": _choice(
        gettext_lazy("To operate it, there or remotely, you need the lab's licence."), gettext_lazy("This asks for no licence.")
    ),
    "assisted_licence_needed": _choice(
        gettext_lazy("To be assisted you need the lab's licence for that; one to work alone counts too."),
        gettext_lazy("This asks for no licence of who is assisted."),
    ),
    "licensed_times": _times(
        gettext_lazy("Only with a licence for off-hours, or with somebody of the lab who assists: %(times)s.")
    ),
    "approval_required": _choice(
        gettext_lazy("The lab approves each request."), gettext_lazy("A booking counts at once, no approval is needed.")
    ),
    "auto_approval": _at_once,
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
    "no_show_grace_minutes": _length(
        gettext_lazy("The lab waits %(length)s after the start."),
        gettext_lazy("The lab does not wait after the start."),
    ),
    "late_may_use": _choice(
        gettext_lazy("Who comes late may use the rest."), gettext_lazy("Who comes later than the lab waits has lost the time.")
    ),
    "early_start_minutes": _length(
        gettext_lazy("A session may start up to %(length)s early."),
        gettext_lazy("A session starts at its booked time, not earlier."),
    ),
    "billable_basis": lambda basis: [str(BILLED[basis])],
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
    days = _("every day") if one.weekdays == EVERY_DAY else several(str(WEEKDAY_NAMES[day - 1]) for day in one.weekdays)
    if (one.from_minute, one.until_minute) == (0, DAY_MINUTES):
        return str(days)
    return f"{days} {clock(one.from_minute)}–{clock(one.until_minute)}"


def clock(minute: int) -> str:
    """A minute of the day as a clock shows it."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
