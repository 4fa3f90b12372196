"""A series in the reader's language: its rule, what stands against each time, what a change would do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from billing.settlement.series_figures import Figures, PricedReport, PricedRow, expected_of
from billing.wording import several
from booking.rules.series import Clock, Scope, SeriesRule
from booking.services.series_changes import ChangeRow, Outcome
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.presenters.policy import in_spite_words
from frontend.presenters.quote import range_words
from frontend.series_form import pick_value, seen_value
from instruments.registry_wording import WEEKDAY_NAMES

Word = Promise | str
#: What stands against a time in a word: tone, icon, word.
_STATES: dict[str, tuple[str, str, Word]] = {
    "free": ("good", "circle-check", pgettext_lazy("a time of a series", "Free")),
    "taken": ("bad", "ban", pgettext_lazy("a time of a series", "Taken")),
    "closed": ("bad", "lock", pgettext_lazy("a time of a series", "Closed")),
    "quota": ("wait", "hourglass", pgettext_lazy("a time of a series", "Quota reached")),
    "rule": ("wait", "alert-triangle", pgettext_lazy("a time of a series", "Against a rule")),
    "nobody": ("bad", "user-off", pgettext_lazy("a time of a series", "Nobody would decide")),
    "addons": ("wait", "alert-triangle", pgettext_lazy("a time of a series", "Not with what is chosen")),
    "no_price": ("wait", "alert-triangle", pgettext_lazy("a time of a series", "No price")),
    "no_such_time": ("bad", "clock-pause", pgettext_lazy("a time of a series", "No such time")),
}
UNDECIDED = "booking.nobody_decides"
_CLOSED = ("booking.closed", "booking.outside_opening_hours", "booking.open_for_others")
SCOPES: tuple[tuple[Scope, Word], ...] = (
    (Scope.THIS, gettext_lazy("Only this time")),
    (Scope.FOLLOWING, gettext_lazy("This and the following")),
    (Scope.ALL, gettext_lazy("All times")),
)
OUTCOMES: dict[Outcome, tuple[str, str, Word]] = {
    Outcome.CANCELLED: ("info", "ban", gettext_lazy("Given back in time")),
    Outcome.CANCELLED_LATE: ("wait", "alert-triangle", gettext_lazy("Given back late")),
    Outcome.MOVED: ("good", "circle-check", gettext_lazy("Moves at once")),
    Outcome.ASKED: ("wait", "hourglass", gettext_lazy("The other side is asked; both times are kept")),
    Outcome.REFUSED: ("bad", "circle-x", gettext_lazy("Cannot be done")),
}


@dataclass(frozen=True, slots=True)
class RowView:
    """One time of the report. ``pick`` is the value of its tick, ``other`` that of the nearest time instead; empty: not to be had."""

    ordinal: int
    words: str
    tone: str
    icon: str
    word: Word
    sentences: list[str]
    pick: str
    picked: bool
    moved: bool
    other: str
    other_words: str
    figures: Figures | None
    addons_fen: int


def rule_words(rule: SeriesRule) -> str:
    """The rule in a sentence."""
    if rule.frequency == "daily":
        often = _("every day") if rule.interval == 1 else _("every %(count)s days") % {"count": rule.interval}
    else:
        days = several(str(WEEKDAY_NAMES[day]) for day in rule.weekdays or (rule.starts.weekday(),))
        weeks = _("every week on %(days)s") if rule.interval == 1 else _("every %(count)s weeks on %(days)s")
        often = weeks % {"count": rule.interval, "days": days}
    if rule.count is not None:
        end = ngettext("%(count)s time", "%(count)s times", rule.count) % {"count": rule.count}
    else:
        end = _("until %(day)s") % {"day": display.date_words(rule.until)} if rule.until else ""
    times = f"{rule.starts:%H:%M}–{rule.ends:%H:%M}"
    return _("%(often)s, %(times)s, %(end)s") % {"often": often, "times": times, "end": end}


def report_rows(report: PricedReport) -> list[RowView]:
    """The rows of the report, in order."""
    zone = report.report.context.zone
    return [_row(one, zone) for one in report.rows]


def _row(one: PricedRow, zone: ZoneInfo) -> RowView:
    row = one.row
    tone, icon, word = _STATES[_state_of(one)]
    can_be_had = one.is_possible
    during, verdict = row.during, row.verdict
    ordinal = row.occurrence.ordinal
    instead = verdict.instead if verdict is not None else None
    return RowView(
        ordinal=ordinal,
        words=range_words(during, zone.key) if during else display.range_words(row.occurrence.starts, row.occurrence.ends),
        tone=tone,
        icon=icon,
        word=word,
        sentences=_sentences(one),
        pick=pick_value(ordinal, during, expected_of(one.figures), one.beside.amount_fen) if during and can_be_had else "",
        picked=row.wanted and can_be_had,
        moved=row.is_moved,
        other=pick_value(ordinal, instead) if instead else "",
        other_words=range_words(instead, zone.key) if instead else "",
        figures=one.figures if can_be_had else None,
        addons_fen=one.beside.amount_fen if can_be_had else 0,
    )


def _state_of(one: PricedRow) -> str:
    verdict = one.row.verdict
    if verdict is None:
        return "no_such_time"
    codes = [reason.code for reason in verdict.reasons]
    if any(code.startswith(_CLOSED) for code in codes):
        return "closed"
    if verdict.taken:
        return "taken"
    if UNDECIDED in codes:
        return "nobody"
    if codes:
        return "quota" if all(code.startswith("quota.") for code in codes) else "rule"
    if one.beside.faults:
        return "addons"
    return "free" if one.figures else "no_price"


def why_undecided(report: PricedReport) -> str:
    """Why nobody could decide about any of the times, once for all; empty where somebody could."""
    reasons = (reason for one in report.report.rows if one.verdict for reason in one.verdict.reasons)
    return next((reason_sentence(reason) for reason in reasons if reason.code == UNDECIDED), "")


def _sentences(one: PricedRow) -> list[str]:
    """What ``why_undecided`` says of all of them is not said of each."""
    reasons = one.row.verdict.reasons if one.row.verdict else ()
    found = [reason_sentence(reason) for reason in reasons if reason.code != UNDECIDED]
    if one.row.verdict and one.row.verdict.passed_over:
        found.append(in_spite_words(one.row.verdict.passed_over))
    found += [reason_sentence(reason) for reason in one.beside.faults]
    clock = one.row.occurrence.clock
    if clock is Clock.GAP:
        found.append(_("Clocks jump over this time on that day."))
    if clock is Clock.FOLD:
        found.append(_("Clocks show an hour of it twice on that day: the first is meant."))
    return found


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What a change would do to one reservation. ``seen`` is the value of its tick; empty: it cannot be done."""

    ordinal: int
    reference: str
    state: str
    before: str
    new: str
    tone: str
    icon: str
    word: Word
    sentences: list[str]
    others: list[str]
    payable_now_fen: int | None
    final_cost_fen: int | None
    seen: str
    picked: bool


def change_rows(rows: Sequence[ChangeRow], picked: Collection[int] | None = None) -> list[ChangeView]:
    """The rows of a change's report, in order; ticked are those that can be changed and are ``picked`` (None: all)."""
    return [_change_row(row, picked is None or row.reservation.ordinal in picked) for row in rows]


def _change_row(row: ChangeRow, picked: bool) -> ChangeView:
    zone = row.reservation.instrument.site.time_zone
    ordinal = row.reservation.ordinal or 0
    tone, icon, word = OUTCOMES[row.outcome] if row.outcome else ("", "", _("Stays as it is"))
    return ChangeView(
        ordinal=ordinal,
        reference=row.reservation.reference,
        state=row.reservation.state,
        before=range_words(row.before, zone),
        new=range_words(row.new, zone) if row.new and row.outcome else "",
        tone=tone,
        icon=icon,
        word=word,
        sentences=[reason_sentence(reason) for reason in row.reasons],
        others=[range_words(_range(pair), zone) for pair in row.alternatives],
        payable_now_fen=row.expected.payable_now_fen,
        final_cost_fen=row.expected.final_cost_fen,
        seen=seen_value(ordinal, row.outcome, row.expected) if row.is_possible and row.outcome else "",
        picked=picked and row.is_possible,
    )


def _range(pair: tuple[str, str]) -> TimeRange:
    return TimeRange(datetime.fromisoformat(pair[0]), datetime.fromisoformat(pair[1]))
