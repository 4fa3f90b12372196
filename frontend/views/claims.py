"""Claims: what a payee completes and hands in, what the office decides, and the documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.claims import declared, files_twice, invoices, queries, wording
from billing.claims.models import Claim
from billing.claims.rules.checks import look
from billing.claims.rules.states import IN_HAND, SUBMITTED, ClaimEvent, ClaimState, events_of
from billing.claims.services import clawbacks, declaring, documents, handing_in, reviewing
from billing.claims.services.declaring import Declaration
from billing.claims.services.handing_in import Evidence
from billing.claims.services.office import CLAIMANTS, OFFICE, reviewer_right, right_of
from billing.claims.services.papers import publicity_of
from billing.settlement.lines import outcome
from billing.subsidy.rules.with_claim import OF_THE_CLAIM
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.presenters.claims import (
    check_rows,
    claim_rows,
    declared_rows,
    history,
    line_rows,
    missing_rows,
    paper_row,
    paper_rows,
    step_word,
)
from frontend.refusals import say_refusal, sentences
from frontend.views.bills import number
from frontend.yuan_typed import typed_fen
from instruments.services.uploads import received

PER_PAGE = 25


@login_required
@require_GET
def claim_list(request: HttpRequest) -> HttpResponse:
    """The claims that the actor may read; ``?open=1``: those that wait for their payee."""
    actor, waiting = actor_of(request), request.GET.get("open") == "1"
    rows = queries.claims_visible(actor)
    if waiting:
        rows = rows.filter(state__in=IN_HAND)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": claim_rows(list(page.object_list)), "only_waiting": waiting}
    return render(request, "claims/list.html", context)


@login_required
@require_GET
def claim_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One claim: its lines, what is looked at, what has to be completed, its history and documents."""
    return _detail(request, pk)


def _detail(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    claim: Any = queries.claim_for(actor, pk)
    inputs = queries.check_inputs([claim])[claim.pk]
    mine = claim.payee_id in actor.organisations(*CLAIMANTS)
    in_hand = mine and ClaimState(claim.state) in IN_HAND
    lines, public = queries.lines_of(claim), publicity_of([claim])
    asked = declared.lines_asked([claim])
    typed = request.POST if refusal and request.POST.get("act") == "declare" else {}
    context = {
        "claim": claim,
        "step": step_word(claim),
        "public_outcome": outcome(public[claim.pk]) if claim.pk in public else "",
        "lines": line_rows(lines, invoices.proposed(lines) if in_hand else {}),
        "declared": declared_rows(asked, typed),
        "may_declare": in_hand and claim.state == ClaimState.DRAFT,
        "hand_in_fen": claim.total_fen - sum(each.worked.less_fen for each in asked if each.worked is not None),
        "checks": check_rows(look(inputs), files_twice.named(actor, inputs.twice)),
        "missing": missing_rows(inputs),
        "history": history(queries.steps_of(claim)),
        "papers": paper_rows(inputs),
        "evidence": [(each, wording.ASKED[each.kind]) for each in queries.evidence_of(claim)],
        "kinds": [(kind, wording.ASKED[kind]) for kind in handing_in.KINDS],
        "forms": [paper_row(each) for each in queries.submissions_of(claim)],
        "clawbacks": [(paper_row(each), wording.CAUSES[each.cause]) for each in queries.clawbacks_of(claim)],
        "in_hand": in_hand,
        "key": uuid4(),
        "problems": sentences(refusal) if refusal else [],
        **_may(actor, claim, mine=mine),
    }
    stands_at(request, "claim_detail", pk)
    return render(request, "claims/detail.html", context, status=status_of(refusal) if refusal else 200)


def _may(actor: Actor, claim: Claim, *, mine: bool) -> dict[str, bool]:
    """What the page offers; the services decide."""
    events, now = events_of(ClaimState(claim.state)), timezone.now()
    office = right_of(actor, claim.batch.programme.issuer_id, OFFICE, now) is not None
    decides = bool(events & {ClaimEvent.PASS, ClaimEvent.SEND_BACK, ClaimEvent.REJECT})
    looks = decides and reviewer_right(actor, claim, now) is not None
    return {
        "may_withdraw": mine and ClaimEvent.WITHDRAW in events,
        "may_pass": looks and ClaimEvent.PASS in events,
        "may_send_back": looks and ClaimEvent.SEND_BACK in events,
        "may_reject": looks and ClaimEvent.REJECT in events,
        "may_set_lines": looks and claim.state == ClaimState.IN_REVIEW,
        "may_approve": office and ClaimEvent.APPROVE in events,
        "may_dispute": office and ClaimState(claim.state) in SUBMITTED,
        "may_recheck": office and ClaimEvent.RECHECK in events,
        "of_office": actor.has(*queries.OFFICIALS),
    }


Act = Callable[[Actor, int, HttpRequest], str]


def _submit(actor: Actor, pk: int, request: HttpRequest) -> str:
    expected = number(request.POST.get("total_fen", ""))
    handing_in.submit_once(actor, pk, timezone.now(), idempotency_key=request.POST.get("key", ""), expected_fen=expected)
    return _("The claim is handed in.")


def _withdraw(actor: Actor, pk: int, request: HttpRequest) -> str:
    handing_in.withdraw(actor, pk, request.POST.get("reason", ""), timezone.now())
    return _("The claim is withdrawn. What stood on it can be claimed in another batch.")


def _invoice(actor: Actor, pk: int, request: HttpRequest) -> str:
    place = number(request.POST.get("position", ""))
    handing_in.write_invoice(actor, pk, place, request.POST.get("invoice_number", ""), timezone.now())
    return _("The number is saved.")


def _evidence(actor: Actor, pk: int, request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise Refusal.of("claims.file_missing", field="file")
    given = Evidence(request.POST.get("kind", ""), received(file), request.POST.get("note", ""))
    handing_in.add_evidence(actor, pk, given, timezone.now())
    return _("The file is added.")


def _declare(actor: Actor, pk: int, request: HttpRequest) -> str:
    file, place = request.FILES.get("file"), number(request.POST.get("position", ""))
    names = {path: path.partition(".")[2] for path in OF_THE_CLAIM}
    amounts = {path: fen_of(request.POST[name]) for path, name in names.items() if name in request.POST}
    given = Declaration(place, amounts, received(file) if file is not None else None, request.POST.get("note", ""))
    declaring.declare(actor, pk, given, timezone.now())
    return _("It is declared. It counts when the claim is handed in; until then it can be declared again.")


_PAYEE_ACTS: Mapping[str, Act] = {
    "submit": _submit,
    "withdraw": _withdraw,
    "invoice": _invoice,
    "evidence": _evidence,
    "declare": _declare,
}


@login_required
@require_POST
@once_per_form
def claim_act(request: HttpRequest, pk: int) -> HttpResponse:
    """What the payee does: hand in, withdraw, write the number of an invoice, add a file, declare what a programme asks (``act``)."""
    return _acted(request, pk, _PAYEE_ACTS)


def _pass(actor: Actor, pk: int, request: HttpRequest) -> str:
    seen = request.POST.get("step", "")
    at_step = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 4 else None
    reviewing.pass_on(actor, pk, timezone.now(), request.POST.get("reason", ""), at_step=at_step)
    return _("The claim has passed this step.")


def _send_back(actor: Actor, pk: int, request: HttpRequest) -> str:
    reviewing.send_back(actor, pk, request.POST.get("reason", ""), timezone.now())
    return _("The claim is sent back to be completed.")


def _reject(actor: Actor, pk: int, request: HttpRequest) -> str:
    reviewing.reject(actor, pk, request.POST.get("reason", ""), timezone.now())
    return _("The claim is rejected.")


def _approve(actor: Actor, pk: int, request: HttpRequest) -> str:
    reviewing.approve(actor, pk, timezone.now())
    return _("The claim is approved.")


def _line(actor: Actor, pk: int, request: HttpRequest) -> str:
    place, standing = number(request.POST.get("position", "")), request.POST.get("standing", "")
    reviewing.set_line(actor, pk, place, standing, request.POST.get("reason", ""), timezone.now())
    return _("The line is changed.")


def _recheck(actor: Actor, pk: int, request: HttpRequest) -> str:
    place, amount = number(request.POST.get("position", "")), fen_of(request.POST.get("amount", "0"))
    failed = {place: amount} if amount else {}
    clawbacks.recheck(actor, pk, failed, request.POST.get("reason", ""), timezone.now())
    return _("The re-check is recorded.")


def _dispute(actor: Actor, pk: int, request: HttpRequest) -> str:
    place, amount = number(request.POST.get("position", "")), fen_of(request.POST.get("amount", ""))
    clawbacks.dispute(actor, pk, place, amount, request.POST.get("reason", ""), timezone.now())
    return _("The outcome of the dispute is recorded.")


_OFFICE_ACTS: Mapping[str, Act] = {
    "pass": _pass,
    "send_back": _send_back,
    "reject": _reject,
    "approve": _approve,
    "line": _line,
    "recheck": _recheck,
    "dispute": _dispute,
}


@login_required
@require_POST
@once_per_form
def claim_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """What the office does: pass, send back, reject, approve, leave a line out, record a re-check or how a dispute ended (``act``)."""
    return _acted(request, pk, _OFFICE_ACTS)


def _acted(request: HttpRequest, pk: int, acts: Mapping[str, Act]) -> HttpResponse:
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        queries.claim_for(actor_of(request), pk)
        raise Refusal.of("claims.unknown_act", field="act")
    try:
        said = act(actor_of(request), pk, request)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    messages.success(request, said)
    return redirect("claim_detail", pk=pk)


def fen_of(text: str) -> int:
    """An amount in yuan from a form as fen; -1, which no service takes, for anything that is no such amount, or nothing."""
    fen = typed_fen(text)
    return -1 if fen is None else max(fen, -1)


@login_required
@require_GET
def claim_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of a claim, byte for byte."""
    stored, content = queries.evidence_file(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


@login_required
@require_GET
def claim_paper(request: HttpRequest, kind: str, pk: int, suffix: str) -> HttpResponse:
    """The stored PDF or XLSX of a redemption form, payment list or claw-back notice, byte for byte; or its content as CSV, HTML or JSON."""
    found = queries.paper_file(actor_of(request), kind, pk, suffix)
    return attachment(found.content, found.stored.media_type, found.stored.file_name)


@login_required
@require_POST
def claim_paper_again(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Make a document again whose making failed."""
    paper: Any = queries.paper_for(actor_of(request), kind, pk)
    back = redirect("payout_list_detail", pk=pk) if kind == "list" else redirect("claim_detail", pk=paper.claim_id)
    try:
        documents.retry(actor_of(request), kind, pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
        return back
    messages.success(request, _("The documents are being made again."))
    return back
