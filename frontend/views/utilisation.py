"""How a lab's instruments were used: choosing a lab, its figures over a period, one instrument in depth, and both as files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing.settlement import service_records
from booking.queries import utilisation
from booking.queries.utilisation import READERS, Days, LabUse
from booking.rules.use_period import Period, Span
from config.kernel.access import OFFICIALS, Actor
from config.kernel.errors import Refusal
from config.kernel.http import attachment
from frontend.booking_form import read_day
from frontend.http import actor_of
from frontend.presenters.use_csv import hours_csv, instruments_csv
from frontend.presenters.use_report import SPANS, report
from frontend.refusals import sentences, status_of

NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says, as far as it can be read; ``typed`` is what stands in the fields."""

    span: Span
    days: Days
    instrument_id: int | None
    typed: dict[str, str]


@login_required
@require_GET
def utilisation_list(request: HttpRequest) -> HttpResponse:
    """The labs whose figures one may read; who has one lab is led to it."""
    actor = actor_of(request)
    text = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:NAME_LENGTH]
    own = sorted(actor.organisations(*READERS))
    rows = utilisation.labs(actor, text)
    found = list(rows[: utilisation.MOST_LABS + 1])
    if not text and len(found) == 1 and [found[0].pk] == own:
        return redirect("utilisation_lab", pk=found[0].pk)
    context = {"labs": found[: utilisation.MOST_LABS], "more": len(found) > utilisation.MOST_LABS, "text": text}
    return render(request, "utilisation/list.html", context)


@login_required
@require_GET
def utilisation_lab(request: HttpRequest, pk: int) -> HttpResponse:
    """A lab's figures, or those of one of its instruments; days that cannot be counted are said beside what was typed."""
    actor, now, asked = actor_of(request), timezone.now(), _asked(request)
    try:
        found, refusal = _found(actor, pk, asked, now), None
    except Refusal as refused:
        if not refused.reasons[0].code.startswith("utilisation."):
            raise
        refusal = refused
        month = Asked(Span.MONTH, Days(), asked.instrument_id, asked.typed)
        found = _found(actor, pk, month, now)
    return render(
        request, "utilisation/lab.html", _context(actor, found, asked, refusal), status=status_of(refusal) if refusal else 200
    )


@login_required
@require_GET
def utilisation_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures of the instruments as CSV; of one instrument its hours."""
    asked = _asked(request)
    found = _found(actor_of(request), pk, asked, timezone.now())
    content = instruments_csv(found) if asked.instrument_id is None else hours_csv(found)
    return attachment(content, "text/csv", f"utilisation-{found.period.first_on}-{found.period.last_on}.csv")


@login_required
@require_GET
def utilisation_records(request: HttpRequest, pk: int) -> HttpResponse:
    """The national service records of the period as CSV, for who runs or accounts for the lab."""
    said = _asked(request)
    period, records = service_records.asked(actor_of(request), pk, said.span, said.days, timezone.now())
    name = f"service-records-{period.first_on}-{period.last_on}.csv"
    return attachment(service_records.as_csv(records), "text/csv", name)


def _found(actor: Actor, pk: int, asked: Asked, now: datetime) -> LabUse:
    return utilisation.asked(actor, pk, asked.span, asked.days, now, asked.instrument_id)


def _asked(request: HttpRequest) -> Asked:
    given = request.GET
    text = given.get("span", "")
    span = Span(text) if text in set(Span) else Span.MONTH
    days = Days(*(read_day(given.get(name, "")) for name in ("on", "first_on", "last_on")))
    number = given.get("instrument", "")
    instrument_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
    typed = {name: given.get(name, "")[:20] for name in ("first_on", "last_on")}
    return Asked(span, days, instrument_id, typed)


def _context(actor: Actor, found: LabUse, asked: Asked, refusal: Refusal | None) -> dict[str, Any]:
    instrument = found.rows[0].instrument if asked.instrument_id is not None else None
    kept = {"instrument": instrument.pk} if instrument else {}
    return {
        "found": found,
        "report": report(found),
        "instrument": instrument,
        "zone": found.rows[0].instrument.site.time_zone if found.rows else "",
        "spans": [(span, word, urlencode({"span": span, "on": found.period.last_on.isoformat()} | kept)) for span, word in SPANS],
        "span": Span.OWN if refusal else found.period.span,
        "typed": asked.typed if refusal else {"first_on": found.period.first_on.isoformat(), "last_on": found.period.last_on.isoformat()},
        "problems": sentences(refusal) if refusal else [],
        "earlier": _address(found.period.before, kept),
        "later": "" if found.period.last_on >= found.today else _address(found.period.after, kept),
        "here": _address(found.period, kept),
        "days": _address(found.period, {}),
        "keeps_records": found.lab.pk in actor.organisations(*READERS),
        "several": actor.has(*OFFICIALS) or len(actor.organisations(*READERS)) > 1,
    }  # fmt: skip


def _address(period: Period, kept: dict[str, int]) -> str:
    if period.span is Span.OWN:
        own = {"span": period.span, "first_on": period.first_on.isoformat(), "last_on": period.last_on.isoformat()}
        return urlencode(own | kept)
    return urlencode({"span": period.span, "on": period.first_on.isoformat()} | kept)
