"""Several instruments at once: which, when, what it costs, and asking for all of them or none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.settlement import together_figures
from billing.settlement.series_figures import Figures
from billing.settlement.services.assessing import SERVICE_KIND
from billing.settlement.together_figures import PricedBundle, PricedPlace
from booking import queries
from booking.queries.together import found_for, goes_with
from booking.services import context as booking_context
from booking.services import reservations, together
from booking.services.context import BookingContext
from booking.services.together import LEAST, MOST, Bundle
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_key
from frontend.http import actor_of
from frontend.presenters.cards import NO_CARDS, CardPart, cards_of_several, chosen_card
from frontend.presenters.choices import choices_view
from frontend.presenters.policy import in_spite_words
from frontend.presenters.quote import AddonRow, addon_rows, range_words
from frontend.refusals import sentences, status_of
from frontend.together_form import PlaceForm, TogetherForm
from frontend.views.quotes import prefilled
from instruments.models import Organisation

FIND_LENGTH = 100


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One instrument of the page; what was found about its time where that was looked at."""

    form: PlaceForm
    context: BookingContext
    words: str = ""
    taken: bool = False
    possible: bool = False
    sentences: tuple[str, ...] = ()
    instead: str = ""
    figures: Figures | None = None
    addons: tuple[AddonRow, ...] = ()
    addons_fen: int = 0

    @property
    def needs_approval(self) -> bool:
        return self.context.policy.approval_required


@login_required
@require_http_methods(["GET", "POST"])
def book_together(request: HttpRequest) -> HttpResponse:
    """The list of instruments with their times; once all times are there, the report; then asking for all."""
    actor, now = actor_of(request), timezone.now()
    form = TogetherForm.read(request.POST if request.method == "POST" else request.GET)
    contexts = booking_context.load_many(actor, [one.instrument_id for one in form.places])
    form = form.known(contexts)
    organisations = queries.bookable_organisations(actor)
    first = next((contexts[one.instrument_id] for one in form.places), None)
    shared = prefilled(actor, first, form.shared, organisations) if first else form.shared
    form = TogetherForm(shared, form.places)
    refusal: Refusal | None = None
    report: PricedBundle | None = None
    try:
        if request.method == "POST":
            return _asked(request, actor, _bundle(actor, form, contexts, now), now)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    try:
        if len(form.places) >= LEAST and form.has_times:
            report = together_figures.report(actor, _bundle(actor, form, contexts, now), now)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    rows = _rows(form, contexts, report)
    page = {
        "form": form,
        "cards": _cards(actor, form, contexts, report, organisations, now),
        "rows": rows,
        "report": report,
        "choices": choices_view(report.choices, form.shared.said(), form.shared.rate, SERVICE_KIND) if report else None,
        "payable_with_fen": report.total.payable_now_fen + report.addons_fen if report else 0,
        "final_with_fen": report.total.final_cost_fen + report.addons_fen if report else 0,
        "requests": sum(row.needs_approval for row in rows),
        "books": sum(not row.needs_approval for row in rows),
        "organisations": organisations,
        **_addable(actor, contexts.keys(), request.GET.get("find", "")),
        "notice": _shared_notice(contexts.values()),
        "enough": len(form.places) >= LEAST,
        "manages": any(reservations.may_override(actor, one.instrument) for one in contexts.values()),
        "lab_may": report is not None and _lab_may(actor, report),
        "most": MOST,
        "problems": sentences(refusal) if refusal else [],
        "key": str(uuid4()),
    }
    return render(request, "booking/together.html", page, status=status_of(refusal) if refusal else 200)


def _addable(actor: Actor, chosen: Collection[int], find: str) -> dict[str, Any]:
    """What may be added: the others of the labs chosen, and what was looked for."""
    if not chosen or len(chosen) >= MOST:
        return {"may_add": False}
    text = find.replace("\x00", "")[:FIND_LENGTH]
    return {"may_add": True, "others": goes_with(actor, chosen), "find": text, "found": found_for(actor, text, chosen)}


def _shared_notice(contexts: Iterable[BookingContext]) -> int | None:
    """The notice for giving back, where it is the same for all."""
    notices = {one.policy.cancel_notice_minutes for one in contexts}
    return notices.pop() if len(notices) == 1 else None


def _lab_may(actor: Actor, report: PricedBundle) -> bool:
    """Whether all that cannot be had could be, if labs that the actor manages passed over rules of their own."""
    missed = [row for row in report.report.rows if not row.verdict.is_free]
    return bool(missed) and all(
        row.verdict.lab_may and reservations.may_override(actor, row.context.instrument) for row in missed
    )


def _bundle(actor: Actor, form: TogetherForm, contexts: dict[int, BookingContext], now: datetime) -> Bundle:
    """Raises Refusal with everything that cannot be read."""
    organisation_id = form.shared.organisation_id()
    if organisation_id is None:
        raise Refusal(Reason("booking.organisation_missing", {}, "organisation"))
    shared = form.shared
    places = form.read_places(contexts)
    card = chosen_card(actor, shared.fund_card_id(), now)
    record = (shared.service_direction, shared.fund_source)
    return Bundle(
        organisation_id, places, shared.purpose, shared.research_project, card, shared.override_reason, *record, shared.said()
    )


def _cards(
    actor: Actor,
    form: TogetherForm,
    contexts: dict[int, BookingContext],
    report: PricedBundle | None,
    organisations: Sequence[Organisation],
    now: datetime,
) -> CardPart:
    """The cards for the first place, and what the chosen one has left after all of them."""
    if not form.places:
        return NO_CARDS
    first = report.rows[0].row.place.during if report else None
    priced = [one for one in report.rows if one.figures] if report else []
    each = [one.figures.payable_now_fen + one.beside.amount_fen for one in priced if one.figures]
    context, shared = contexts[form.places[0].instrument_id], form.shared
    return cards_of_several(actor, context, shared.organisation, organisations, shared.fund_card, first, each, now)


def _asked(request: HttpRequest, actor: Actor, bundle: Bundle, now: datetime) -> HttpResponse:
    """Raises Refusal ``booking.figures_not_seen`` for a place whose figures were not shown, and as ``together.ask``."""
    unseen = any(place.addons.chosen and place.addons.seen_fen is None for place in bundle.places)
    if unseen or not all(place.expected.complete for place in bundle.places):
        raise Refusal.of("booking.figures_not_seen")
    made = together.ask(actor, bundle, now, idempotency_key=read_key(request.POST))
    messages.success(request, _("All of them are asked for or booked; each has its own page, and they name each other."))
    return redirect("reservation_detail", made.reservations[0][0])


def _rows(form: TogetherForm, contexts: dict[int, BookingContext], report: PricedBundle | None) -> list[PlaceView]:
    if report is None:
        return [PlaceView(one, contexts[one.instrument_id]) for one in form.places]
    return [_row(one, priced) for one, priced in zip(form.places, report.rows, strict=True)]


def _row(form: PlaceForm, priced: PricedPlace) -> PlaceView:
    row, context = priced.row, priced.row.context
    found = [reason_sentence(reason) for reason in row.verdict.reasons]
    if row.verdict.passed_over:
        found.append(in_spite_words(row.verdict.passed_over))
    found += [reason_sentence(reason) for reason in priced.beside.faults]
    if priced.figures is None:
        found.append(str(_("The lab has no price for you at that time. Ask the lab.")))
    instead = row.verdict.instead
    return PlaceView(
        form,
        context,
        words=range_words(row.place.during, context.zone.key),
        taken=row.verdict.taken,
        possible=priced.is_possible,
        sentences=tuple(found),
        instead=range_words(instead, context.zone.key) if instead else "",
        figures=priced.figures,
        addons=tuple(addon_rows(priced.beside.offered, form.booking)),
        addons_fen=priced.beside.amount_fen,
    )
