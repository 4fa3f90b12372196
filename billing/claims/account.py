"""The account of a payee with an office: what has to come back, what claims took off, what was paid back and what went to it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from billing.bills.services.issuing import local_day
from billing.claims.models import ClaimLine, ClaimStep, Clawback
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.states import PROMISED, ClaimEvent
from billing.claims.rules.totals import LineKind, Standing
from billing.receipts.rules.content import Line
from config.kernel.access import Actor, Role, visible_to

Moved = tuple[datetime, Line]


def moves(office_id: int, payee_id: int, until: datetime) -> list[Moved]:
    """Every movement between the two up to a moment, the first first; four queries. What claims take off counts from their approval on,
    which decides it for good, as a notice does; money once a second person confirmed it."""
    notices = counted().filter(programme__issuer=office_id, payee=payee_id)
    found = [_more(max(each.issued_at, each.promised_at), "clawback", each.number, each.total_fen) for each in notices]
    lines = ClaimLine.objects.filter(clawback__in=notices, standing=Standing.INCLUDED, claim__state__in=PROMISED)
    for line in lines.annotate(promised_at=_approved_at("claim_id")).filter(promised_at__isnull=False).select_related("claim"):
        found.append(_less(line.promised_at, "set_off", line.claim.number, -line.amount_fen))
    came = Repayment.objects.filter(clawback__in=notices, confirmed_at__isnull=False, moved_from__isnull=True)
    for row in came.select_related("clawback"):
        found.append(_less(row.confirmed_at, "repaid", row.clawback.number, row.received_fen))
        if row.ended_at is not None:
            found.append(_more(row.ended_at, "repaid_undone", row.clawback.number, row.received_fen))
    sent = SurplusRefund.objects.filter(repayment__clawback__in=notices, confirmed_at__isnull=False)
    for refund in sent.select_related("repayment__clawback"):
        number = refund.repayment.clawback.number
        found.append(_more(refund.confirmed_at, "sent_back", number, refund.amount_fen))
        if refund.ended_at is not None:
            found.append(_less(refund.ended_at, "sent_back_undone", number, refund.amount_fen))
    return sorted((each for each in found if each[0] <= until), key=lambda each: each[0])


def counted() -> QuerySet[Any]:
    """Notices that count: of lines that count, of claims that were approved (``promised_at``)."""
    of_line = ClaimLine.objects.filter(
        claim_id=OuterRef("claim_id"), award_id=OuterRef("award_id"), kind=LineKind.AWARD, standing=Standing.INCLUDED
    )
    rows = Clawback.objects.filter(Exists(of_line)).annotate(promised_at=_approved_at("claim_id"))
    return rows.filter(promised_at__isnull=False).defer("content")


def pairs(actor: Actor) -> set[tuple[int, int]]:
    """Offices and payees between whom something has to come back or had to, as far as the actor is one side."""
    payees = actor.organisations(Role.OWNER_FINANCE, Role.FIRM_ADMIN)
    own = Q(programme__issuer__in=actor.organisations(Role.FINANCE)) | Q(payee__in=payees)
    rows = visible_to(Clawback.objects.filter(own, programme__issuer__isnull=False), actor).order_by()
    return set(rows.values_list("programme__issuer", "payee").distinct())


def _approved_at(claim: str) -> Subquery:
    steps = ClaimStep.objects.filter(claim_id=OuterRef(claim), event=ClaimEvent.APPROVE)
    return Subquery(steps.values("at")[:1])


def _more(at: datetime | None, what: str, number: str, amount_fen: int) -> Moved:
    return _moved(at, what, number, amount_fen, 0)


def _less(at: datetime | None, what: str, number: str, amount_fen: int) -> Moved:
    return _moved(at, what, number, 0, amount_fen)


def _moved(at: datetime | None, what: str, number: str, more_fen: int, less_fen: int) -> Moved:
    if at is None:
        raise ValueError("what moved did so at a moment")
    return at, Line(local_day(at), what, number, more_fen, less_fen)


def still_owed(office_id: int, payee_id: int) -> int:
    """What their standing says the payee owes: what of its notices neither claims that were approved took off nor money paid, less what
    came too much and is the payee's (fen)."""
    notices = counted().filter(programme__issuer=office_id, payee=payee_id)
    total = sum(notices.values_list("total_fen", flat=True))
    lines = ClaimLine.objects.filter(clawback__in=notices, standing=Standing.INCLUDED, claim__state__in=PROMISED)
    live = Repayment.objects.filter(clawback__in=notices, confirmed_at__isnull=False, ended_at__isnull=True)
    paid = sum(live.values_list("amount_fen", flat=True))
    too_much = sum(live.filter(moved_from__isnull=True).values_list(F("received_fen") - F("amount_fen"), flat=True))
    moved = sum(live.filter(moved_from__isnull=False).values_list("amount_fen", flat=True))
    refunds = SurplusRefund.objects.filter(repayment__in=live, confirmed_at__isnull=False, ended_at__isnull=True)
    sent = sum(refunds.values_list("amount_fen", flat=True))
    return total + sum(lines.values_list("amount_fen", flat=True)) - paid - (too_much - moved - sent)
