"""Commission sheets: filled in, issued, signed by both sides, finished; with the reservations that belong to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ordering import charged, queries
from billing.ordering.rules.lines import LineKind
from billing.ordering.rules.sheets import SheetEvent, SheetState, events_from
from billing.ordering.services import documents, line_charges, sheets, time_links
from billing.ordering.services.line_charges import Part
from booking.access import CUSTOMERS
from booking.queries.enquiries import LAB_READERS
from booking.rules.enquiries import Side
from booking.rules.samples import ExtraState
from booking.services.enquiry_sides import require_side
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.order_forms import ReasonForm, ScanForm, SheetForm
from frontend.presenters import orders as present
from frontend.refusals import sentences, status_of
from frontend.views import samples, usage_review
from instruments.services import uploads

PER_PAGE = 20
_STATES = [state.value for state in SheetState]
_COPIES = {"issued": "pdf", "signed": "signed_pdf"}


@login_required
@require_GET
def commission_list(request: HttpRequest) -> HttpResponse:
    """The commissions of the person's organisations, on either side."""
    rows = queries.sheets_visible(actor_of(request))
    state = request.GET.get("state", "")
    if state in _STATES:
        rows = rows.filter(state=state)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    actor = actor_of(request)
    context = {
        "page": page,
        "rows": list(page),
        "states": _STATES,
        "chosen_state": state if state in _STATES else "",
        "asks": actor.has(*CUSTOMERS),
        "is_lab": actor.has(*LAB_READERS) and not actor.has(*CUSTOMERS),
    }
    return render(request, "commissions/list.html", context)


@login_required
@require_GET
def commission_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One sheet: what is agreed, who signed, what comes next."""
    return _page(request, pk)


@login_required
@require_http_methods(["GET", "POST"])
def commission_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what is agreed."""
    actor = actor_of(request)
    sheet = queries.sheet_for(actor, pk)
    require_side(actor, sheet.organisation_id, sheet.lab_id)
    if SheetEvent.EDIT not in events_from(SheetState(sheet.state)) and request.method == "GET":
        messages.info(request, _("It is fixed and does not change any more."))
        return redirect("commission_detail", pk)
    form = SheetForm(request.POST or None, initial=SheetForm.initial_of(sheet))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                sheets.fill(actor, pk, form.given(), timezone.now())
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Saved. The other side sees it too."))
                return redirect("commission_detail", pk)
    return render(request, "commissions/edit.html", {"form": form, "sheet": sheet}, status=status)


@login_required
@require_POST
def commission_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab numbers and freezes it."""
    step = partial(sheets.issue, actor_of(request), pk, timezone.now())
    return _step(request, pk, step, _("Issued. Now both sides sign."))


@login_required
@require_POST
def commission_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign for one's side."""
    step = partial(sheets.sign, actor_of(request), pk, request.POST.get("sha256", "")[:64], timezone.now(), side=_side(request))
    return _step(request, pk, step, _("Signed for your side."))


@login_required
@require_POST
def commission_scan(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the sealed paper."""
    file = request.FILES.get("file")
    content = uploads.received(file) if file is not None else b""
    step = partial(sheets.hand_in_scan, actor_of(request), pk, content, timezone.now(), side=_side(request))
    return _step(request, pk, step, _("The scan is kept and counts as your side's signature."), scan=ScanForm(request.POST))


@login_required
@require_POST
def commission_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the PDF again after it failed."""
    step = partial(documents.retry, actor_of(request), "commission", pk, timezone.now())
    return _step(request, pk, step, _("The documents are being made again."))


@login_required
@require_POST
def commission_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Call it off."""
    step = partial(sheets.cancel, actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    return _step(request, pk, step, _("Cancelled. The other side reads your reason."), cancel=ReasonForm(request.POST))


@login_required
@require_POST
def commission_finish(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything on it is done."""
    return _step(request, pk, partial(sheets.finish, actor_of(request), pk, timezone.now()), _("Done. The customer gets a mail."))


@login_required
@require_POST
def commission_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a reservation."""
    step = partial(sheets.link, actor_of(request), pk, _chosen(request), timezone.now())
    return _step(request, pk, step, _("The reservation belongs to this commission now."))


@login_required
@require_POST
def commission_unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a reservation off again."""
    step = partial(sheets.unlink, actor_of(request), pk, _chosen(request), timezone.now())
    return _step(request, pk, step, _("The reservation is taken off."))


@login_required
@require_POST
def commission_charge(request: HttpRequest, pk: int) -> HttpResponse:
    """Charge a part of a line for other things with a session, or with a sample job; from its page, which is shown again."""
    given = request.POST
    session, job = _number(given.get("reservation", "")), _number(given.get("sample_job", ""))
    part = Part(_number(given.get("line", "")) or 0, given.get("quantity", ""), session, job)

    def act(actor: Actor, now: datetime) -> str:
        if line_charges.charge(actor, pk, part, now).extra.state == ExtraState.PROPOSED:
            return _("Entered. The leader of the group whose card pays agrees to it first.")
        return _("Charged as agreed. The customer has been told.")

    queries.sheet_for(actor_of(request), pk)
    if job is not None:
        return samples.acted(request, job, "agreed", act)
    if session is None:
        raise NotFound.of("access.not_found", model="reservation")
    return usage_review.acted(request, session, act)


@login_required
@require_GET
def commission_pdf(request: HttpRequest, pk: int, copy: str) -> HttpResponse:
    """The PDF as it was issued, or with both signatures."""
    found = queries.sheet_for(actor_of(request), pk)
    if copy not in _COPIES:
        raise NotFound.of("access.not_found", model="commission")
    stored, content = queries.document(getattr(found, _COPIES[copy]))
    return attachment(content, stored.media_type, stored.file_name)


@login_required
@require_GET
def commission_scan_file(request: HttpRequest, pk: int, side: str) -> HttpResponse:
    """The sealed paper that a side handed in."""
    stored, content = queries.scan_for(actor_of(request), pk, side)
    return attachment(content, stored.media_type, stored.file_name)


def _side(request: HttpRequest) -> Side | None:
    given = request.POST.get("side", "")
    return Side(given) if given in list(Side) else None


def _chosen(request: HttpRequest) -> int:
    return _number(request.POST.get("reservation", "")) or 0


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _step(request: HttpRequest, pk: int, step: Callable[[], object], done: str, **kept: forms.Form) -> HttpResponse:
    """Do it; when it is refused, the page again with the reasons and what was typed. Raises NotFound of the sheet alone."""
    queries.sheet_for(actor_of(request), pk)
    try:
        step()
    except Refusal as refusal:
        return _page(request, pk, refusal, kept)
    messages.success(request, done)
    return redirect("commission_detail", pk)


def _page(
    request: HttpRequest, pk: int, refusal: Refusal | None = None, kept: dict[str, forms.Form] | None = None
) -> HttpResponse:
    actor = actor_of(request)
    found = queries.sheet_for(actor, pk)
    side = queries.side_of(actor, found)
    is_lab = queries.acts_for_lab(actor, found)
    events = events_from(SheetState(found.state)) if side is not None else frozenset()
    shown: dict[str, forms.Form] = {"cancel": ReasonForm(), "scan": ScanForm()} | (kept or {})
    if refusal is not None:
        for form in (kept or {}).values():
            form.errors.clear()
            refusal_to_form(form, refusal)
    may_link = SheetEvent.LINK in events
    signing = SheetEvent.SIGN in events
    binds = queries.may_sign_for(actor, found) if signing else ()
    context: dict[str, Any] = {
        "sheet": found,
        "side": side.value if side is not None else "",
        "lines": present.lines(found.quotation.lines.all()),
        "others": present.other_lines(charged.other_lines(found), found),
        "agreed": present.agreed(found),
        "boxes": present.signature_boxes(found),
        "may_edit": SheetEvent.EDIT in events,
        "may_issue": SheetEvent.ISSUE in events and is_lab,
        "may_cancel": SheetEvent.CANCEL in events,
        "may_finish": SheetEvent.FINISH in events and is_lab,
        "may_sign": bool(binds),
        "sign_sides": present.sides(binds),
        "waits_for_signatory": signing and side is not None and not binds,
        "may_link": may_link,
        "may_unlink": SheetEvent.UNLINK in events,
        "linkable": queries.linkable_reservations(actor, found) if may_link else [],
        "prices_time": any(line.kind == LineKind.INSTRUMENT_TIME for line in found.quotation.lines.all()),
        "priced": time_links.priced_by(found),
        "document": present.document(found, found.signed_pdf or found.pdf) if found.number else None,
        "retry_url": reverse("commission_retry", args=[pk]) if side is not None else "",
        "next_words": present.next_words(found, side),
        "entries": present.sheet_life(found),
        "forms": shown,
        "problems": sentences(refusal) if refusal is not None and not kept else [],
    }
    stands_at(request, "commission_detail", pk)
    return render(request, "commissions/detail.html", context, status=status_of(refusal) if refusal else 200)
