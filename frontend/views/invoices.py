"""VAT invoices: asked for by who pays, recorded, taken to the tax platform and back by who issues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills import queries as bills
from billing.bills.models import Bill
from billing.bills.services.issuing import local_day
from billing.invoices import batch_file, queries, sheets
from billing.invoices.models import InvoiceRequest
from billing.invoices.services import asking, recording
from billing.invoices.services.asking import Wanted
from billing.invoices.wording import KINDS
from billing.ledger.rules.money import plain_yuan
from billing.settlement.services.making import XLSX
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.messages import reason_sentence
from frontend.firm_forms import MoneyForm
from frontend.http import actor_of, stands_at
from frontend.invoice_forms import AskForm, RecordForm, TableForm, handed_file
from frontend.once import once_per_form
from frontend.refusals import sentences
from frontend.views.bills import owner_of

PER_PAGE = 50


@login_required
@require_GET
def invoice_list(request: HttpRequest) -> HttpResponse:
    """What was asked for, with ``?show=recorded`` what was recorded, with ``?show=red`` for what a red letter is due."""
    actor = actor_of(request)
    show = request.GET.get("show", "")
    recorded, due = show == "recorded", queries.red_due(actor)
    found: Any = due if show == "red" else queries.invoices_visible(actor) if recorded else queries.requests_visible(actor)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(row, KINDS[row.kind] if isinstance(row, InvoiceRequest) else "") for row in page.object_list],
        "recorded": recorded,
        "red": show == "red",
        "red_count": due.count(),
        "owners": bills.owners_of(actor),
    }
    return render(request, "invoices/list.html", context)


@login_required
@require_GET
def bill_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """The invoice of one bill: what was asked for, what was recorded, and what one may do."""
    return _page(request, pk)


def _page(
    request: HttpRequest,
    pk: int,
    refusal_of: dict[str, MoneyForm] | None = None,
    status: int = 200,
    problems: Sequence[str] = (),
) -> HttpResponse:
    """The page; ``refusal_of``: forms that were refused, under their names; ``problems``: why another thing was not done."""
    actor = actor_of(request)
    bill = bills.bill_for(actor, pk)
    found, asked = queries.of_bill(actor, bill)
    issues = bill.owner_id in actor.organisations(*bills.ISSUERS)
    live = next((each for each in found if each.reverses_id is None and each.left_fen > 0), None)
    waiting = asked is not None and asked.answered_at is None
    void = bills.standing_of(bill).voided
    context = {
        "bill": bill,
        "invoices": found,
        "asked": asked,
        "kind": KINDS[asked.kind] if asked is not None else "",
        "waiting": waiting,
        "live": live,
        "issues": issues,
        "asks": bill.customer_id in actor.organisations(*asking.ASKERS) and live is None and not waiting and not void,
        "takes_back": bill.customer_id in actor.organisations(*asking.ASKERS) and waiting,
        "ask_form": AskForm(initial=_asked_before(bill)),
        "record_form": RecordForm(initial=_proposed(bill, asked.buyer_code if asked is not None and waiting else "")),
        "red_form": RecordForm(initial=_reversed(live) if live is not None else {}),
        "void": void,
        "problems": problems,
        **(refusal_of or {}),
    }
    stands_at(request, "bill_invoice", pk)
    return render(request, "invoices/bill.html", context, status=status)


def _asked_before(bill: Bill) -> dict[str, str]:
    customer = bill.content["customer"]
    return {"title": customer["name"], "buyer_code": customer["code"] if customer["scheme"] == "uscc" else ""}


def _proposed(bill: Bill, buyer_code: str) -> dict[str, str]:
    expected = queries.expected_of(bill, buyer_code, local_day(timezone.now()))
    codes = {"buyer_code": expected.buyer_code, "seller_code": expected.seller_code}
    return codes | {"total": plain_yuan(expected.claimed_fen)}


def _reversed(live: Any) -> dict[str, str]:
    codes = {"buyer_code": live.buyer_code, "seller_code": live.seller_code}
    return codes | {"total": plain_yuan(-live.left_fen)}


def _done(request: HttpRequest, pk: int, name: str, form: MoneyForm, act: Callable[[], object], said: str) -> HttpResponse:
    """Do it and go back to the page of the bill, or show the page with what was wrong in the form called ``name``."""
    if not form.is_valid():
        return _page(request, pk, {name: form}, 422)
    try:
        act()
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        form.add_refusal(refusal)
        return _page(request, pk, {name: form}, status_of(refusal))
    messages.success(request, said)
    return redirect("bill_invoice", pk=pk)


@login_required
@require_POST
@once_per_form
def invoice_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer asks for the invoice."""
    actor, form = actor_of(request), AskForm(request.POST)
    actor.require_in(bills.bill_for(actor, pk).customer_id, *asking.ASKERS)

    def act() -> object:
        return asking.ask(actor, pk, Wanted(**form.cleaned_data), timezone.now())

    return _done(request, pk, "ask_form", form, act, _("Asked for. The lab sees it and answers here."))


@login_required
@require_POST
def invoice_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer asks no longer."""
    return _simple(request, pk, lambda actor: asking.withdraw(actor, pk, timezone.now()), _("Taken back."))


@login_required
@require_POST
def invoice_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """The issuer says why not."""
    reason = request.POST.get("reason", "")
    return _simple(
        request, pk, lambda actor: asking.refuse(actor, pk, reason, timezone.now()), _("Refused; the customer reads why.")
    )


def _simple(request: HttpRequest, pk: int, act: Callable[[Actor], object], said: str) -> HttpResponse:
    try:
        act(actor_of(request))
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, pk, status=status_of(refusal), problems=sentences(refusal))
    messages.success(request, said)
    return redirect("bill_invoice", pk=pk)


@login_required
@require_POST
def invoice_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The issuer records what the tax platform made."""
    actor, form = actor_of(request), RecordForm(request.POST, request.FILES)
    actor.require_in(bills.bill_for(actor, pk).owner_id, *bills.ISSUERS)

    def act() -> object:
        return recording.record(actor, pk, form.given(), timezone.now(), file=form.handed())

    return _done(request, pk, "record_form", form, act, _("Recorded."))


@login_required
@require_POST
def invoice_red(request: HttpRequest, pk: int) -> HttpResponse:
    """The issuer records the red-letter invoice of a blue one."""
    actor, form = actor_of(request), RecordForm(request.POST, request.FILES)
    blue = queries.invoice_for(actor, pk)
    actor.require_in(blue.owner_id, *bills.ISSUERS)

    def act() -> object:
        return recording.record_red(actor, pk, form.given(), timezone.now(), file=form.handed())

    return _done(request, blue.bill_id, "red_form", form, act, _("Recorded. What it took back counts no longer."))


@login_required
@require_GET
def invoice_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The invoice itself, as the tax platform gave it."""
    found = queries.file_of(actor_of(request), pk)
    return attachment(found.content, found.stored.media_type, found.stored.file_name)


@login_required
@require_GET
def invoice_export(request: HttpRequest) -> HttpResponse:
    """What waits at an institution, and the red letters that are due there, as a table for the tax platform (``?format=csv|xlsx``)."""
    actor, now = actor_of(request), timezone.now()
    owner_id = owner_of(actor, request.GET.get("owner", ""))
    rows = batch_file.rows_of(actor, owner_id)
    name = f"invoices-{local_day(now)}"
    if request.GET.get("format") == "xlsx":
        owner = next((each.name for each in bills.owners_of(actor) if each.pk == owner_id), "")
        return attachment(sheets.requests_xlsx(rows, owner, now), XLSX, f"{name}.xlsx")
    return attachment(sheets.requests_csv(rows), "text/csv", f"{name}.csv")


@login_required
@require_http_methods(["GET", "POST"])
def invoice_import(request: HttpRequest) -> HttpResponse:
    """Take the table of the tax platform in, whole or not at all, with the files named by invoice number."""
    actor = actor_of(request)
    actor.require(*bills.ISSUERS)
    owners, posted = bills.owners_of(actor), request.method == "POST"
    form = TableForm(owners, request.POST if posted else None, request.FILES if posted else None)
    status, wrong = 200, []
    if posted and form.is_valid():
        try:
            table = handed_file(form.cleaned_data["file"])
            handed = [handed_file(each) for each in request.FILES.getlist("files") if hasattr(each, "read")]
            owner_id = owner_of(actor, form.cleaned_data["owner"])
            done = recording.import_table(actor, owner_id, table.content, handed, timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            status = status_of(refusal)
            wrong = [(reason.params.get("row", 0), reason_sentence(reason)) for reason in refusal.reasons]
            form.add_error("file", _("Nothing was recorded: the table has faults."))
        else:
            said = {"invoices": done.invoices, "files": done.files}
            messages.success(request, _("%(invoices)s invoices recorded, with %(files)s files.") % said)
            return redirect("invoice_list")
    elif posted:
        status = 400
    return render(request, "invoices/import.html", {"form": form, "faults": wrong}, status=status)
