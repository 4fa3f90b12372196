"""VAT invoices: asked for by who pays, recorded, taken to the tax platform and back by who issues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills import queries as bills
from billing.bills.services.issuing import local_day
from billing.invoices import batch_file, queries, sheets
from billing.invoices.models import InvoiceRequest
from billing.invoices.papers import Kind, Paper, key_of, waits_for_invoice
from billing.invoices.services import asking, recording
from billing.invoices.services.asking import Wanted
from billing.invoices.wording import KINDS
from billing.ledger.rules.money import plain_yuan
from billing.settlement.services.making import XLSX
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.http import attachment
from config.kernel.messages import reason_sentence
from frontend.firm_forms import MoneyForm
from frontend.http import actor_of, stands_at
from frontend.invoice_forms import AskForm, RecordForm, TableForm, handed_file
from frontend.once import once_per_form
from frontend.presenters.invoices import invoice_of
from frontend.refusals import sentences
from frontend.views.bills import owner_of

PER_PAGE = 50
#: The addresses of the invoice of a bill and of that of a settlement statement.
_URLS: Mapping[Kind, Mapping[str, str]] = {
    Kind.BILL: {
        "page": "bill_invoice",
        "ask": "invoice_ask",
        "withdraw": "invoice_withdraw",
        "refuse": "invoice_refuse",
        "record": "invoice_record",
    },
    Kind.STATEMENT: {
        "page": "statement_invoice",
        "ask": "sold_invoice_ask",
        "withdraw": "sold_invoice_withdraw",
        "refuse": "sold_invoice_refuse",
        "record": "sold_invoice_record",
    },
}


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
        "rows": [(row, KINDS[row.kind] if isinstance(row, InvoiceRequest) else "", invoice_of(row)) for row in page.object_list],
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
    return _page(request, queries.bill_paper(actor_of(request), pk))


@login_required
@require_GET
def statement_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """The invoice of what an office buys by one settlement statement; as that of a bill."""
    return _page(request, queries.statement_paper(actor_of(request), pk))


def _page(
    request: HttpRequest,
    paper: Paper,
    refusal_of: dict[str, MoneyForm] | None = None,
    status: int = 200,
    problems: Sequence[str] = (),
) -> HttpResponse:
    """The page; ``refusal_of``: forms that were refused, under their names; ``problems``: why another thing was not done."""
    actor, addresses = actor_of(request), _URLS[paper.kind]
    found, asked = queries.of_paper(actor, paper)
    issues = paper.seller_id in actor.organisations(*bills.ISSUERS)
    live = next((each for each in found if each.reverses_id is None and each.left_fen > 0), None)
    waiting = asked is not None and asked.answered_at is None
    none = queries.none_for(paper)
    asks, sold = paper.pays(actor), paper.kind is Kind.STATEMENT
    context = {
        "paper": paper,
        "sold": sold,
        "left_fen": queries.expected_of(paper, "", local_day(timezone.now())).claimed_fen if sold else 0,
        "waits_for_it": sold and waits_for_invoice(paper.row),
        "urls": {name: reverse(address, args=[paper.pk]) for name, address in addresses.items()},
        "refuse_name": addresses["refuse"],
        "invoices": found,
        "asked": asked,
        "kind": KINDS[asked.kind] if asked is not None else "",
        "waiting": waiting,
        "live": live,
        "issues": issues,
        "asks": asks and live is None and not waiting and not none,
        "takes_back": asks and waiting,
        "ask_form": AskForm(initial={"title": paper.buyer["name"], "buyer_code": paper.buyer_code}),
        "record_form": RecordForm(initial=_proposed(paper, asked.buyer_code if asked is not None and waiting else "")),
        "red_form": RecordForm(initial=_reversed(live) if live is not None else {}),
        "none": reason_sentence(Reason(none)) if none else "",
        "problems": problems,
        **(refusal_of or {}),
    }
    stands_at(request, addresses["page"], paper.pk)
    return render(request, "invoices/paper.html", context, status=status)


def _proposed(paper: Paper, buyer_code: str) -> dict[str, str]:
    expected = queries.expected_of(paper, buyer_code, local_day(timezone.now()))
    codes = {"buyer_code": expected.buyer_code, "seller_code": expected.seller_code}
    return codes | {"total": plain_yuan(expected.claimed_fen)}


def _reversed(live: Any) -> dict[str, str]:
    codes = {"buyer_code": live.buyer_code, "seller_code": live.seller_code}
    return codes | {"total": plain_yuan(-live.left_fen)}


def _done(request: HttpRequest, paper: Paper, name: str, form: MoneyForm, act: Callable[[], object], said: str) -> HttpResponse:
    """Do it and go back to the page of the invoice, or show the page with what was wrong in the form called ``name``."""
    if not form.is_valid():
        return _page(request, paper, {name: form}, 422)
    try:
        act()
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        form.add_refusal(refusal)
        return _page(request, paper, {name: form}, status_of(refusal))
    messages.success(request, said)
    return redirect(_URLS[paper.kind]["page"], pk=paper.pk)


@login_required
@require_POST
@once_per_form
def invoice_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer asks for the invoice."""
    return _ask(request, queries.bill_paper(actor_of(request), pk), asking.ask)


@login_required
@require_POST
@once_per_form
def sold_invoice_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """The office asks for the invoice."""
    return _ask(request, queries.statement_paper(actor_of(request), pk), asking.ask_sold)


def _ask(request: HttpRequest, paper: Paper, ask: Callable[[Actor, int, Wanted, datetime], object]) -> HttpResponse:
    actor, form = actor_of(request), AskForm(request.POST)
    paper.require_payer(actor)

    def act() -> object:
        return ask(actor, paper.pk, Wanted(**form.cleaned_data), timezone.now())

    return _done(request, paper, "ask_form", form, act, _("Asked for. The lab sees it and answers here."))


@login_required
@require_POST
def invoice_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer asks no longer."""
    paper = queries.bill_paper(actor_of(request), pk)
    return _simple(request, paper, lambda actor: asking.withdraw(actor, pk, timezone.now()), _("Taken back."))


@login_required
@require_POST
def sold_invoice_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The office asks no longer."""
    paper = queries.statement_paper(actor_of(request), pk)
    return _simple(request, paper, lambda actor: asking.withdraw_sold(actor, pk, timezone.now()), _("Taken back."))


@login_required
@require_POST
def invoice_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """The issuer says why not."""
    paper, reason = queries.bill_paper(actor_of(request), pk), request.POST.get("reason", "")
    said = _("Refused; the customer reads why.")
    return _simple(request, paper, lambda actor: asking.refuse(actor, pk, reason, timezone.now()), said)


@login_required
@require_POST
def sold_invoice_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """The payee says why not."""
    paper, reason = queries.statement_paper(actor_of(request), pk), request.POST.get("reason", "")
    said = _("Refused; the office reads why.")
    return _simple(request, paper, lambda actor: asking.refuse_sold(actor, pk, reason, timezone.now()), said)


def _simple(request: HttpRequest, paper: Paper, act: Callable[[Actor], object], said: str) -> HttpResponse:
    try:
        act(actor_of(request))
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, paper, status=status_of(refusal), problems=sentences(refusal))
    messages.success(request, said)
    return redirect(_URLS[paper.kind]["page"], pk=paper.pk)


@login_required
@require_POST
def invoice_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The issuer records what the tax platform made."""
    return _record(request, queries.bill_paper(actor_of(request), pk), recording.record)


@login_required
@require_POST
def sold_invoice_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The payee records what the tax platform made of what the office buys."""
    return _record(request, queries.statement_paper(actor_of(request), pk), recording.record_sold)


def _record(request: HttpRequest, paper: Paper, record: Callable[..., object]) -> HttpResponse:
    actor, form = actor_of(request), RecordForm(request.POST, request.FILES)
    actor.require_in(paper.seller_id, *bills.ISSUERS)

    def act() -> object:
        return record(actor, paper.pk, form.given(), timezone.now(), file=form.handed())

    return _done(request, paper, "record_form", form, act, _("Recorded."))


@login_required
@require_POST
def invoice_red(request: HttpRequest, pk: int) -> HttpResponse:
    """The issuer records the red-letter invoice of a blue one."""
    actor, form = actor_of(request), RecordForm(request.POST, request.FILES)
    blue = queries.invoice_for(actor, pk)
    actor.require_in(blue.owner_id, *bills.ISSUERS)
    kind, of = key_of(blue)
    paper = queries.bill_paper(actor, of) if kind is Kind.BILL else queries.statement_paper(actor, of)

    def act() -> object:
        return recording.record_red(actor, pk, form.given(), timezone.now(), file=form.handed())

    return _done(request, paper, "red_form", form, act, _("Recorded. What it took back counts no longer."))


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
