"""Claw-back notices: what has to come back, by when and with which reference, and what came back of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.claims import account, wording
from billing.claims import clawback_queries as queries
from billing.claims.models import Clawback
from billing.claims.queries import OFFICIALS
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.states import PROMISED, ClaimState
from billing.claims.services import repaying, surplus
from billing.claims.services.office import right_of
from billing.claims.services.repaying import Fate, ListRead, Money
from billing.claims.services.surplus import Transfer, list_allows
from billing.payments.rules.bank_rows import MOST_BYTES
from billing.settlement.queries import local_today
from config.kernel.access import Role, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day, read_key
from frontend.http import actor_of, stands_at
from frontend.presenters.bills import LAYOUTS
from frontend.presenters.claims import paper_row
from frontend.refusals import sentences
from frontend.views.bills import number
from frontend.views.claims import fen_of

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "POST"])
def clawback_list(request: HttpRequest) -> HttpResponse:
    """The notices that one may read, first those of which something is open (``?all=1``: all); the office takes a bank's list in."""
    actor = actor_of(request)
    if request.method == "GET":
        return _list(request)
    actor.require(Role.FINANCE)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise Refusal.of("claims.file_missing", field="file")
        content = file.read(min(MOST_BYTES, settings.MAX_UPLOAD_BYTES) + 1)
        layout = request.POST.get("layout", "")
        read = repaying.take_in(actor, content, file.name or "", timezone.now(), layout=layout if layout in LAYOUTS else "")
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _list(request, refusal)
    _say(request, read)
    return redirect("clawback_list")


def _say(request: HttpRequest, read: ListRead) -> None:
    """What became of the rows of a bank's list."""
    count = len(read.of(Fate.RECORDED))
    said = ngettext(
        "%(n)s payment is recorded and waits for another person.",
        "%(n)s payments are recorded and wait for another person.",
        count,
    )
    rest = _("%(known)s were known already, %(others)s rows name no notice, %(out)s went out.") % {
        "known": len(read.of(Fate.KNOWN)),
        "others": read.others,
        "out": read.outgoing,
    }
    messages.success(request, f"{said % {'n': count}} {rest}")
    for each in read.of(Fate.SEVERAL):
        messages.warning(
            request,
            _("Row %(row)s names several notices (%(numbers)s). Record by hand how much is for each.")
            % {"row": each.row, "numbers": ", ".join(each.numbers)},
        )
    for each in read.of(Fate.SETTLED):
        messages.warning(
            request,
            _("Row %(row)s is for %(numbers)s, of which nothing is open. Record it by hand as money that came too much.")
            % {"row": each.row, "numbers": ", ".join(each.numbers)},
        )


def _list(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor, everything = actor_of(request), request.GET.get("all") == "1"
    rows = queries.notices_visible(actor, only_open=not everything)
    page, today = Paginator(rows, PER_PAGE).get_page(request.GET.get("page")), local_today(timezone.now())
    context = {
        "page": page,
        "rows": [(each, queries.standing(each), _is_late(each, today)) for each in page.object_list],
        "everything": everything,
        "may_import": actor.has(Role.FINANCE),
        "of_office": actor.has(*OFFICIALS),
        "may_account": bool(account.pairs(actor)),
        "waiting": list(queries.waiting(actor)[:PER_PAGE]) if actor.has(Role.FINANCE) else [],
        "refunds_waiting": list(queries.refunds_waiting(actor)[:PER_PAGE]) if actor.has(Role.FINANCE) else [],
        "layouts": LAYOUTS.items(),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "claims/clawbacks.html", context, status=status_of(refusal) if refusal else 200)


def _is_late(notice: Clawback, today: date) -> bool:
    standing = queries.standing(notice)
    return notice.due_on is not None and notice.due_on < today and standing.open_fen > 0


@login_required
@require_GET
def clawback_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One notice: what is open, how to pay it back, and what came back."""
    return _detail(request, pk)


def _detail(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    notice: Any = queries.notice_for(actor, pk)
    standing, today = queries.standing(notice), local_today(now)
    right = right_of(actor, notice.claim.batch.programme.issuer_id, (Role.FINANCE,), now)
    people = right.people(actor) if right is not None else frozenset()
    promised = ClaimState(notice.claim.state) in PROMISED
    payable = standing.open_fen if promised else 0
    context = {
        "notice": notice,
        "standing": standing,
        "late": _is_late(notice, today),
        "cause": wording.CAUSES[notice.cause],
        "account": _account(notice),
        "set_offs": queries.set_offs(notice),
        "payable_fen": payable,
        "repayments": [_repayment(each, people) for each in notice.repayments.all()],
        "surpluses": queries.surpluses(actor, notice) if right is not None and payable > 0 else [],
        "may_record": right is not None and promised,
        "may_end": right is not None,
        "document": paper_row(notice),
        "first_day": timezone.localdate(notice.issued_at),
        "today": today,
        "key": str(uuid4()),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "clawback_detail", pk)
    return render(request, "claims/clawback.html", context, status=status_of(refusal) if refusal else 200)


def _repayment(row: Repayment, people: Collection[int]) -> dict[str, Any]:
    """Money that came back, what of it is too much and where that went, with what these people may confirm (none: no right)."""
    free = queries.free_fen(row)
    return {
        "row": row,
        "used": row.confirmed_at is not None and row.ended_at is None and free < row.too_much_fen,
        "may_confirm": may_confirm(row, people),
        "free_fen": free,
        "refunds": [(each, may_confirm(each, people)) for each in row.refunds.all()],
        "moved": [each for each in row.moved_to.all() if each.ended_at is None],
        "key": str(uuid4()),
    }


def may_confirm(row: Repayment | SurplusRefund, people: Collection[int]) -> bool:
    ready = not isinstance(row, SurplusRefund) or list_allows(row)
    return bool(people) and row.waits and ready and not {row.recorded_by_id, row.recorded_for_id} & set(people)


def _account(notice: Clawback) -> dict[str, str]:
    """Where the money goes: as the notice says it, of notices from before as the office says it now."""
    said: dict[str, str] | None = notice.content.get("repay")
    if said is not None:
        return said
    office, names = notice.claim.batch.programme.issuer, ("bank_name", "bank_account_name", "bank_account_number")
    return {name: getattr(office, name) for name in names} if office is not None else {}


@login_required
@require_POST
def clawback_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that money came back."""
    money = Money(
        fen_of(request.POST.get("amount", "")),
        read_day(request.POST.get("received_on", "")) or date.min,
        request.POST.get("payer_name", ""),
        request.POST.get("reference", ""),
        request.POST.get("too_much") == "yes",
    )
    try:
        repaying.record_once(actor_of(request), pk, money, timezone.now(), read_key(request.POST))
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    messages.success(request, _("Recorded. Another person of finance confirms it."))
    return redirect("clawback_detail", pk=pk)


@login_required
@require_POST
def repayment_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm money that somebody else recorded, or say that it did not come (``act``: confirm, end)."""
    found = get_visible(Repayment.objects.all(), actor_of(request), pk=pk)
    said = {"confirm": _("Confirmed. The money is in the books."), "end": _("Undone. What it paid is open again.")}
    return _decided(request, found.pk, found.clawback_id, (repaying.confirm, repaying.end), said)


def _decided(
    request: HttpRequest, pk: int, notice_id: int, steps: tuple[Callable[..., Any], Callable[..., Any]], said: Mapping[str, str]
) -> HttpResponse:
    """A second person's word on what stands with a notice (``act``: confirm, end), and what is said then."""
    actor, act = actor_of(request), request.POST.get("act", "")
    confirm, end = steps
    try:
        if act == "confirm":
            confirm(actor, pk, timezone.now())
        elif act == "end":
            end(actor, pk, request.POST.get("reason", ""), timezone.now())
        else:
            raise Refusal.of("claims.unknown_act", field="act")
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, notice_id, refusal)
    messages.success(request, said[act])
    return redirect("clawback_detail", pk=notice_id)


@login_required
@require_POST
def surplus_send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that what came too much with a repayment was sent back."""
    actor = actor_of(request)
    found = get_visible(Repayment.objects.all(), actor, pk=pk)
    transfer = Transfer(
        fen_of(request.POST.get("amount", "")),
        read_day(request.POST.get("paid_on", "")) or date.min,
        request.POST.get("reference", ""),
    )
    try:
        surplus.send_back_once(actor, pk, transfer, timezone.now(), read_key(request.POST))
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, found.clawback_id, refusal)
    messages.success(request, _("Recorded. Another person of finance confirms it."))
    return redirect("clawback_detail", pk=found.clawback_id)


@login_required
@require_POST
def surplus_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take money that came too much (``repayment``) for this notice."""
    actor = actor_of(request)
    try:
        surplus.take_for(actor, number(request.POST.get("repayment", "")), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    messages.success(request, _("Recorded. Another person of finance confirms it."))
    return redirect("clawback_detail", pk=pk)


@login_required
@require_POST
def surplus_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm that somebody else's transfer was sent back, or say that it was not (``act``: confirm, end)."""
    found = get_visible(SurplusRefund.objects.select_related("repayment"), actor_of(request), pk=pk)
    said = {
        "confirm": _("Confirmed. It is in the books as sent back."),
        "end": _("Undone. The office has the money again."),
    }
    return _decided(request, found.pk, found.repayment.clawback_id, (surplus.confirm, surplus.end), said)
