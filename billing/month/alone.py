"""What who made a run may not release alone: its sum decides, and what the same person issued to the same sides by hand before."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet, Sum

from billing.bills.alone import before_by_customer
from billing.month.models import Draft, DraftRun, DraftState
from billing.settlement.services.statements import before_by_payee
from billing.settlement.two_people import needs_second
from config.kernel.errors import Reason, Refusal
from instruments.models import Organisation


def refuse(run: DraftRun, now: datetime) -> None:
    """Raise Refusal where somebody else than the maker has to issue the drafts that are ready (``why_not``)."""
    reason = why_not(run, Draft.objects.filter(run=run, state=DraftState.READY), now)
    if reason is not None:
        raise Refusal(reason)


def why_not(run: DraftRun, drafts: QuerySet[Draft], now: datetime) -> Reason | None:
    """Why somebody else than the maker of a run has to issue some drafts of it: ``month.second_person``, or
    ``month.second_person_together`` where it is so with what the maker issued or proposed by hand, as ``two_people`` counts it. None: the
    maker may. Three queries, and three where something waits."""
    if run.needs_second:
        return Reason("month.second_person")
    totals: dict[int, int] = dict(drafts.order_by().values_list("party").annotate(fen=Sum("total_fen")))
    before = _before(run, totals, now)
    for party_id, total_fen in sorted(totals.items()):
        before_fen = before.get(party_id, 0)
        if not needs_second(total_fen, before_fen):
            continue
        if not before_fen:
            return Reason("month.second_person")
        party = Organisation.objects.get(pk=party_id)
        told = {"party": party.name, "before_fen": before_fen, "days": settings.SECOND_PERSON_DAYS}
        return Reason("month.second_person_together", told | {"from_fen": settings.SECOND_PERSON_FROM_FEN})
    return None


def _before(run: DraftRun, parties: dict[int, int], now: datetime) -> dict[int, int]:
    if run.owner_id is not None:
        return before_by_customer(run.made_by_id, run.owner_id, parties, now)
    return before_by_payee(run.made_by_id, parties, now)
