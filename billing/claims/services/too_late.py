"""What can be claimed on no day any more, by the windows of its programme, goes back to that programme."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing.bills.models import BillLine, ReversalCause
from billing.bills.services.issuing import local_day
from billing.claims.models import Claim, ClaimLine
from billing.claims.notices import tell_too_late
from billing.claims.rules.real_days import CLAIM, as_of, is_over
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services import batches, real_days, reversing
from billing.invoices.queries import blue_invoices
from billing.settlement.models import Award
from billing.settlement.period_models import HeldBack
from billing.settlement.services.statements import CREDITED
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion
from config.kernel.services import transactions


def give_back_late(now: datetime) -> int:
    """Give back to their programmes the awards that can be claimed on no day any more, on no claim that was handed in; returns how many.
    Safe to repeat; each is a transaction of its own."""
    today, done = local_day(now), 0
    for version_id in _with_windows():
        awards = list(_unclaimed(version_id).select_related("charge"))
        invoiced = _invoiced(awards)
        for award in awards:
            if _is_over(award, invoiced.get(award.charge_id), today):
                done += transactions.run(lambda pk=award.pk: _give_back(pk, now))  # type: ignore[misc]
    return done


def _with_windows() -> list[int]:
    rows = ProgrammeVersion.objects.filter(published_at__isnull=False, document__validity__has_key="windows").order_by("pk")
    return [pk for pk in rows.values_list("pk", flat=True) if CLAIM in subsidy.in_force(pk).programme.awaits]


def _unclaimed(version_id: int) -> QuerySet[Award]:
    """Agreed awards of a version of which something is left, that finance does not hold back and that stand on no claim but a draft."""
    lines = ClaimLine.objects.filter(
        award_id=OuterRef("pk"), kind=LineKind.AWARD, standing__in=[Standing.INCLUDED, Standing.EXCLUDED]
    )
    agreed = Q(charge__reservation__state="agreed") | Q(charge__sample_job__state="closed")
    kept = HeldBack.objects.filter(award_id=OuterRef("pk"), lifted_at__isnull=True)
    rows = Award.objects.filter(
        agreed, ~Exists(lines.exclude(claim__state=ClaimState.DRAFT)), ~Exists(kept), programme_version_id=version_id
    )
    return rows.annotate(gone_fen=CREDITED).filter(total_fen__gt=F("gone_fen")).order_by("pk")


def _invoiced(awards: Iterable[Award]) -> dict[int, date]:
    """Charge id -> the date of the invoice that counts of its bill, where one was recorded."""
    charges = {award.charge_id for award in awards}
    bills = dict(BillLine.objects.filter(charge_id__in=charges, voided=False).values_list("charge_id", "bill_id"))
    rows = blue_invoices().filter(bill_id__in=set(bills.values()), left_fen__gt=0).order_by("pk")
    on = {each.bill_id: each.issued_on for each in rows}
    return {charge_id: on[bill_id] for charge_id, bill_id in bills.items() if bill_id in on}


def _is_over(award: Award, invoice_on: date | None, today: date) -> bool:
    return is_over(real_days.programme_of(award), as_of(real_days.facts_of(award), real_days.days_known(invoice_on)), today)


def _give_back(award_id: int, now: datetime) -> int:
    """The draft it stands on is locked before it, as by who hands that in."""
    drafts = Claim.objects.filter(lines__award_id=award_id, lines__standing=Standing.INCLUDED, state=ClaimState.DRAFT)
    claims = list(
        Claim.objects.select_for_update(no_key=True, of=("self",))
        .select_related("batch")
        .filter(pk__in=drafts.values("pk"))
        .order_by("pk")
    )
    reversing.lock_awards([award_id])
    award = _unclaimed(Award.objects.values_list("programme_version_id", flat=True).get(pk=award_id)).filter(pk=award_id).first()
    if award is None or any(claim.state != ClaimState.DRAFT for claim in claims):
        return 0
    left = sum(reversing.left_by_payer(award).values())
    reversing.reverse(award_id, left, ReversalCause.NOT_CLAIMABLE, None, now)
    for claim in claims:
        batches.refresh(claim, now)
    tell_too_late(award, left, now)
    return 1
