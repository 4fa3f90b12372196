"""Rules of credit in sentences, each count with an example of what it leads to."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from booking.rules.credit import Count, CreditPolicy, EventKind, Measure, PastEvent, Threshold, count_ends_at
from booking.training_wording import count_words, event_name, measure_name
from config.kernel.date_wording import date_words
from frontend.templatetags.training import signed


def rules_in_words(policy: CreditPolicy, now: datetime) -> list[str]:
    """What a set of rules says, line by line; the examples begin ``now``."""
    kinds = [kind for kind in (*policy.points, *policy.gains) if policy.points_of(kind)]
    bounds = {"start": policy.start_points, "most": policy.bound}
    lines = [_("Everybody begins with %(start)s points; there are never fewer than 0 nor more than %(most)s.") % bounds]
    lines += [
        _("%(what)s: %(points)s points") % {"what": event_name(kind), "points": signed(policy.points_of(kind))} for kind in kinds
    ]
    if policy.notes(EventKind.BOOKED_OVER):
        over = {"percent": policy.over_percent, "minutes": policy.over_gap_minutes}
        lines.append(
            _("Far more is booked than used when it is more than %(percent)s %% over it, by %(minutes)s minutes at least.") % over
        )
    lines += [_threshold(one) for one in policy.thresholds]
    lines += [_count(one, now) for one in policy.counts]
    if policy.appeals_a_year is not None:
        many = policy.appeals_a_year
        lines.append(
            ngettext(
                "A person may appeal %(count)s time within a year; a granted appeal does not count.",
                "A person may appeal %(count)s times within a year; granted appeals do not count.",
                many,
            )
            % {"count": many}
        )
    return lines


def because(measure: Measure) -> str:
    """Why a measure holds."""
    if measure.count is not None:
        return count_words(measure.count)
    return _("because there are fewer than %(below)s points") % {"below": measure.below}


def _threshold(one: Threshold) -> str:
    parts = {"below": one.below, "what": measure_name(one.kind), "days": one.days}
    if one.days is None:
        return _("Fewer than %(below)s points: %(what)s, until the points are back") % parts
    return _("Fewer than %(below)s points: %(what)s, for %(days)s days") % parts


def _count(one: Count, now: datetime) -> str:
    """With an example that the rule itself computes: one a day, the last of them today."""
    first = min(one.times, one.within_days) - 1
    events = [PastEvent(now - timedelta(days=first), 0, kind=one.kind), PastEvent(now, 0, kind=one.kind)]
    parts = {
        "count": count_words(one),
        "what": measure_name(one.leads_to),
        "since": _day(events[0].at),
        "last": _day(now),
        "until": _day(count_ends_at(one, events)),
    }
    return _("%(count)s: %(what)s. For example, when it happens from %(since)s to %(last)s, this holds until %(until)s.") % parts


def _day(moment: datetime) -> str:
    return date_words(localtime(moment).date())
