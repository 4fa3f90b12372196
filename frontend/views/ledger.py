"""The ledger, seen: accounts, postings, double-entry lines, and whether the books are what they were."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ledger import books, codes
from billing.ledger import queries as accounts
from billing.ledger.books import Period
from billing.ledger.models import Account
from billing.ledger.rules.accounting import UnknownColumns, chosen_columns, written_codes
from billing.papers import checks
from billing.papers.check_models import BookCheck
from config.kernel.access import visible_to
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, Reason, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.presenters import ledger as rows
from frontend.refusals import say_refusal, sentences
from frontend.views.bills import number

PER_PAGE = 50
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}


@login_required
@require_GET
def ledger_list(request: HttpRequest) -> HttpResponse:
    """Accounts with what was debited and credited in a period; ``?organisation=``, ``?programme=`` and ``?kind=`` make a statement of
    one firm or one programme."""
    return _list(request)


@login_required
@require_POST
def ledger_codes(request: HttpRequest) -> HttpResponse:
    """Keep the account codes of an institution."""
    actor, asked = actor_of(request), request.POST
    try:
        codes.set_codes(actor, number(asked.get("organisation", "")), asked.get("codes", ""), timezone.now())
    except Forbidden:
        raise
    except Refusal as refusal:
        return _list(request, refusal)
    messages.success(request, _("The codes are kept and stand in the exports from now on."))
    return redirect("ledger_list")


def _list(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor, asked = actor_of(request), request.GET
    found = books.accounts(
        actor,
        organisation_id=number(asked.get("organisation", "")) or None,
        programme=asked.get("programme", "")[:60].replace("\x00", ""),
        kind=asked.get("kind", "")[:30].replace("\x00", ""),
    )
    page = Paginator(found, PER_PAGE).get_page(asked.get("page"))
    shown, period = list(page.object_list), _period(request)
    context = {
        "page": page,
        "rows": rows.account_rows(shown, books.sums(shown, period)),
        "kinds": [
            (kind, rows.account_word(kind))
            for kind in books.accounts(actor).order_by("kind").values_list("kind", flat=True).distinct()
        ],
        "asked": {name: asked.get(name, "") for name in ("kind", "programme", "organisation")},
        "of": _whose(shown, asked.get("organisation", "")),
        "period": period,
        "checks": actor.has(*checks.ASKERS),
        "column_help": rows.column_help(),
        "code_sets": [(each, written_codes(codes.codes_of(each.pk))) for each in codes.kept_by(actor)],
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "ledger_list")
    return render(request, "ledger/list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_GET
def ledger_account(request: HttpRequest, pk: int) -> HttpResponse:
    """The postings of one account with its running balance; each leads to what caused it and to the account against it."""
    actor, period = actor_of(request), _period(request)
    account = books.account_for(actor, pk)
    page = Paginator(books.postings(actor, account, period), PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    before_page = books.balance_before(account, period, shown[0].pk if shown else None)
    context = {
        "account": account,
        "word": rows.account_word(account.kind),
        "page": page,
        "rows": rows.posting_rows(actor, account, shown, before_page),
        "sums": books.sums([account], period)[account.pk],
        "period": period,
    }
    return render(request, "ledger/account.html", context)


@login_required
@require_GET
def ledger_export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The double-entry lines of a period as CSV or JSON (``?format=``), with the columns of ``?columns=``; streamed."""
    actor, asked, period = actor_of(request), request.GET, _period(request)
    layout = asked.get("format", "csv")
    if layout not in _TYPES:
        layout = "csv"
    try:
        columns = chosen_columns(asked.get("columns", "")[:500])
    except UnknownColumns as error:
        raise Refusal(Reason("ledger.columns", {"names": ", ".join(error.names)[:200]}, "columns")) from error
    organisation_id = number(asked.get("organisation", "")) or None
    entries, named = books.entries(actor, period, organisation_id=organisation_id), codes.codes_for(actor, organisation_id)
    made = rows.entries_csv(entries, columns, named) if layout == "csv" else rows.entries_json(entries, columns, named)
    answer = StreamingHttpResponse(made, content_type=_TYPES[layout])
    name = f"ledger-{period.first_on or 'first'}-{period.last_on or 'newest'}.{layout}"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


@login_required
@require_http_methods(["GET", "POST"])
def ledger_check(request: HttpRequest) -> HttpResponse:
    """The chain of seals and what the last looks at the whole books found; posted: look now."""
    actor = actor_of(request)
    actor.require(*checks.ASKERS)
    if request.method == "POST":
        try:
            checks.ask(actor, timezone.now())
        except Forbidden:
            raise
        except Refusal as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, _("The books are being read. The outcome appears here."))
        return redirect("ledger_check")
    found: Any = visible_to(BookCheck.objects.select_related("asked_by"), actor).order_by("-pk")[:10]
    context = {
        "seal": accounts.newest_seal(actor),
        "checks": [(check, rows.fault_sentences(check)) for check in found],
    }
    return render(request, "ledger/check.html", context)


def _period(request: HttpRequest) -> Period:
    first, last = (read_day(request.GET.get(name, "")) for name in ("from", "until"))
    return Period(first, last)


def _whose(shown: list[Account], organisation: str) -> str:
    """The name of the organisation whose accounts are shown, where one was asked for."""
    wanted = number(organisation)
    return next((each.organisation.name for each in shown if each.organisation_id == wanted and each.organisation), "")
