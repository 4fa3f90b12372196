"""A time that comes again: what each time would be, before anything is asked for; the series that came of it, and changing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from billing.settlement import reservation_figures, series_figures
from billing.settlement.series_figures import PricedReport
from billing.settlement.services.assessing import SERVICE_KIND
from booking import queries
from booking.models import Reservation
from booking.queries.series import series_detail as detail_of
from booking.rules.changes import Side
from booking.rules.series import MOST, SeriesRule
from booking.services import changes, reservations, series, series_changes
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.series import Pick, Wish
from booking.services.series_changes import ChangeRow, Outcome, SeriesChange, Step
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_key
from frontend.http import actor_of, is_fragment
from frontend.presenters import series as present
from frontend.presenters.cards import CardPart, cards_of_several, chosen_card
from frontend.presenters.choices import choices_view
from frontend.presenters.quote import addon_rows
from frontend.refusals import sentences, status_of
from frontend.series_form import SeriesChangeForm, SeriesForm, read_picks, read_seen
from frontend.views.quotes import prefilled
from instruments.models import Organisation
from instruments.registry_wording import WEEKDAY_NAMES


@login_required
@require_http_methods(["GET", "POST"])
def series_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Repeat a time: the form, the report of every time, and asking for those that are ticked."""
    actor, now = actor_of(request), timezone.now()
    context = booking_context.load(actor, pk, lock=False)
    organisations = queries.bookable_organisations(actor)
    form = SeriesForm.read(request.POST if request.method == "POST" else request.GET).with_weekday()
    form = replace(form, booking=prefilled(actor, context, form.booking, organisations))
    refusal: Refusal | None = None
    report: PricedReport | None = None
    picks = read_picks(request.POST.getlist("pick")) if request.method == "POST" else None
    try:
        if request.method == "POST" and request.POST.get("action") != "look":
            return _asked(request, actor, _wish(actor, form, context, now), picks or [], now)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    try:
        if form.booking.has_time:
            report = series_figures.report(actor, _wish(actor, form, context, now), now, picks)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    manages = reservations.may_override(actor, context.instrument)
    page = {
        "form": form,
        "cards": _cards(actor, context, form, report, organisations, now),
        "instrument": context.instrument,
        "organisations": organisations,
        "zone": context.zone.key,
        "weekdays": [(str(place), name) for place, name in enumerate(WEEKDAY_NAMES)],
        "most": MOST,
        "needs_approval": (report.report.context if report else context).policy.approval_required,
        "manages": manages,
        "lab_may": manages and report is not None and _lab_may(report),
        "problems": sentences(refusal) if refusal else _choice_problems(report),
        **(_report(report, form) if report is not None else {}),
    }
    template = "series/_report.html" if is_fragment(request) and report is not None else "series/create.html"
    return render(request, template, page, status=status_of(refusal) if refusal else 200)


def _cards(
    actor: Actor,
    context: BookingContext,
    form: SeriesForm,
    report: PricedReport | None,
    organisations: Sequence[Organisation],
    now: datetime,
) -> CardPart:
    """The cards for the first time, and what the chosen one has left after all that is wanted."""
    first = next((row.during for row in report.report.rows if row.during), None) if report else None
    rows = [one for one in report.rows if one.row.wanted] if report else []
    wanted = [one.figures.payable_now_fen + one.beside.amount_fen for one in rows if one.figures]
    typed = form.booking
    return cards_of_several(actor, context, typed.organisation, organisations, typed.fund_card, first, wanted, now)


def _lab_may(report: PricedReport) -> bool:
    """Whether some of the times could be had if the lab passed over its own rules."""
    return any(row.verdict is not None and row.verdict.lab_may for row in report.report.rows)


def _choice_problems(report: PricedReport | None) -> list[str]:
    """What is wrong with the add-ons at every time."""
    return [reason_sentence(reason) for reason in report.faults] if report is not None else []


def _report(report: PricedReport, form: SeriesForm) -> dict[str, Any]:
    rows = present.report_rows(report)
    return {
        "report": report,
        "rows": rows,
        "undecided": present.why_undecided(report),
        "addons": addon_rows(report.offered, form.booking),
        "choices": choices_view(report.choices, form.booking.said(), form.booking.rate, SERVICE_KIND),
        "payable_with_fen": report.together.payable_now_fen + report.addons_fen,
        "final_with_fen": report.together.final_cost_fen + report.addons_fen,
        "count": 0 if report.faults else sum(row.picked for row in rows),
        "rule_words": present.rule_words(report.report.wish.rule),
        "key": str(uuid4()),
    }


def _wish(actor: Actor, form: SeriesForm, context: BookingContext, now: datetime) -> Wish:
    """Raises Refusal with everything that cannot be read."""
    organisation_id = form.booking.organisation_id()
    reasons: list[Reason] = []
    rule: SeriesRule | None = None
    try:
        rule = form.rule()
    except Refusal as refusal:
        reasons += refusal.reasons
    if organisation_id is None:
        reasons.append(Reason("booking.organisation_missing", {}, "organisation"))
    if rule is None or organisation_id is None:
        raise Refusal(*reasons)
    booking = form.booking
    shared = (booking.known_service_mode(), booking.purpose, booking.research_project)
    card = chosen_card(actor, booking.fund_card_id(), now)
    record = (booking.service_direction, booking.fund_source)
    addons = booking.chosen_addons()
    return Wish(
        context.instrument.pk, organisation_id, rule, *shared, card, booking.override_reason, *record, booking.said(), addons
    )


def _asked(request: HttpRequest, actor: Actor, wish: Wish, picks: Sequence[Pick], now: datetime) -> HttpResponse:
    """Raises Refusal ``booking.figures_not_seen`` for a time whose figures were not shown yet, and as ``series.ask``."""
    unseen = bool(wish.addons) and any(pick.addons_fen is None for pick in picks)
    if unseen or not all(pick.expected.complete for pick in picks):
        raise Refusal.of("booking.figures_not_seen")
    made = series.ask(actor, wish, picks, now, idempotency_key=read_key(request.POST))
    count = len(made.reservation_ids)
    if made.state == "requested":
        said = ngettext("%(count)s request sent.", "%(count)s requests sent.", count)
    else:
        said = ngettext("%(count)s time booked.", "%(count)s times booked.", count)
    messages.success(request, said % {"count": count})
    return redirect("series_detail", made.series_id)


@login_required
@require_GET
def series_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A series: its rule, and what has become of each time."""
    actor, now = actor_of(request), timezone.now()
    found = detail_of(actor, pk)
    figures = reservation_figures.figures_of(actor, found.reservations)
    open_ones = [one for one in found.reservations if one.state in series_changes.OPEN and one.starts_at > now]
    page = {
        "series": found.series,
        "rule_words": present.rule_words(SeriesRule.read(found.series.rule)),
        "rows": [(one, figures.get(one.pk)) for one in found.reservations],
        "first_open": open_ones[0] if open_ones and _side(actor, open_ones[0]) else None,
        "left_out": found.series.planned - len(found.reservations),
    }
    return render(request, "series/detail.html", page)


def _side(actor: Actor, reservation: Reservation) -> Side | None:
    """For whom the actor may change the reservation, if at all."""
    try:
        return changes.side_of(reservation, actor)
    except Refusal:
        return None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """What the page of a change shows: the form, and the report once it says enough."""

    form: SeriesChangeForm
    rows: list[present.ChangeView]
    problems: list[str]
    key: str

    @property
    def count(self) -> int:
        return sum(row.picked for row in self.rows)


@login_required
@require_http_methods(["GET", "POST"])
def series_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Give back or move one time of a series, that and the following, or all: what would happen, then doing it."""
    actor, now = actor_of(request), timezone.now()
    found = detail_of(actor, pk)
    open_ones = [one for one in found.reservations if one.state in series_changes.OPEN and one.starts_at > now]
    form = SeriesChangeForm.read(request.POST if request.method == "POST" else request.GET)
    anchor = next((one for one in open_ones if one.ordinal == form.anchor), open_ones[0] if open_ones else None)
    by_lab = series_changes.says_why(anchor or found.reservations[0], actor, form.step)
    if anchor is not None:
        form = replace(form, anchor=anchor.ordinal or 0)
    zone = ZoneInfo(found.series.zone)
    refusal: Refusal | None = None
    rows: list[ChangeRow] = []
    seen = read_seen(request.POST.getlist("pick")) if request.method == "POST" else None
    try:
        if seen is not None:
            done = series_changes.change(actor, _change(pk, form), seen, now, idempotency_key=read_key(request.POST))
            messages.success(request, _done_words(done.counts))
            return redirect("series_detail", pk)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    try:
        if anchor is not None and "scope" in (request.POST or request.GET):
            only = frozenset(seen) if seen else None
            rows = series_figures.report_change(actor, replace(_change(pk, form), only=only), now)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    if anchor is not None and not form.booking.has_time:
        form = replace(form, booking=form.booking.at(anchor.during, zone))
    page = {
        "series": found.series,
        "rule_words": present.rule_words(SeriesRule.read(found.series.rule)),
        "open_ones": open_ones,
        "scopes": present.SCOPES,
        "by_lab": by_lab,
        "moves": form.step is Step.MOVE,
        "page": ChangePage(form, present.change_rows(rows, seen), sentences(refusal) if refusal else [], str(uuid4())),
    }
    return render(request, "series/change.html", page, status=status_of(refusal) if refusal else 200)


def _change(pk: int, form: SeriesChangeForm) -> SeriesChange:
    """Raises Refusal for a new time that cannot be read."""
    starts, ends = form.booking.walls() if form.step is Step.MOVE else (None, None)
    return SeriesChange(pk, form.step, form.scope, form.anchor, starts, ends, form.reason)


def _done_words(counts: Any) -> str:
    """What was done, in a sentence for each kind."""
    given_back = counts.get(Outcome.CANCELLED, 0) + counts.get(Outcome.CANCELLED_LATE, 0)
    moved, asked = counts.get(Outcome.MOVED, 0), counts.get(Outcome.ASKED, 0)
    said = [
        (given_back, ngettext("%(count)s time given back.", "%(count)s times given back.", given_back)),
        (moved, ngettext("%(count)s time moved.", "%(count)s times moved.", moved)),
        (asked, ngettext("Asked for %(count)s new time.", "Asked for %(count)s new times.", asked)),
    ]
    return " ".join(sentence % {"count": count} for count, sentence in said if count)
