"""Reading a batch's claims as the rules see them, and refusing to go on while an identity does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Sum

from billing.claims.models import Claim, ClaimLine
from billing.claims.rules import totals
from billing.claims.rules.totals import Claimed, Line, LineKind, Standing, Totals
from billing.ledger.models import Transfer, TransferKind
from billing.settlement.models import Charge
from config.kernel.errors import Refusal


def drawn_fen(charge: Charge, code: str, label: str) -> int | None:
    """What an award's accounts were to be charged, as it was decided; None where nothing is known of it."""
    for outcome in charge.result["outcomes"]:
        if outcome["outcome"] == "award" and (outcome["programme"], outcome["version"]) == (code, label):
            return sum(outcome["draws"].values())
    return None


def posted_fen(lines: Sequence[ClaimLine]) -> dict[tuple[str, int, int], int]:
    """(source type, source id, version id) -> fen posted on all accounts, for the awards of lines; one query."""
    reservations = [line.award.charge.reservation_id for line in lines if line.award.charge.reservation_id]
    jobs = [line.award.charge.sample_job_id for line in lines if line.award.charge.sample_job_id]
    found: dict[tuple[str, int, int], int] = {}
    for of, ids in (("reservation", reservations), ("sample_job", jobs)):
        if ids:
            rows = Transfer.objects.filter(
                kind=TransferKind.POST, source_type=of, source_id__in=ids, programme_version__isnull=False
            )
            for source_id, version_id, fen in (
                rows.values("source_id", "programme_version_id")
                .annotate(fen=Sum("amount_fen"))
                .values_list("source_id", "programme_version_id", "fen")
            ):
                found[of, source_id, version_id] = fen
    return found


def in_ledger(line: ClaimLine, posted: dict[tuple[str, int, int], int]) -> bool:
    """Whether the accounts were charged what the award of a line says."""
    charge, version = line.award.charge, line.award.programme_version
    of = ("reservation", charge.reservation_id) if charge.reservation_id else ("sample_job", charge.sample_job_id or 0)
    return drawn_fen(charge, version.programme.code, version.label) == posted.get((*of, version.pk), 0)


def lines_of(claims: Iterable[Claim]) -> list[ClaimLine]:
    """Every line of claims with its award, in order; one query."""
    rows = ClaimLine.objects.filter(claim__in=list(claims)).select_related(
        "award__charge", "award__programme_version__programme", "clawback"
    )
    return list(rows.order_by("claim_id", "position"))


def claimed(claims: Sequence[Claim]) -> list[Claimed]:
    """Claims as the rules see them; a constant number of queries."""
    lines = lines_of(claims)
    posted = posted_fen(lines)
    of_claim: dict[int, list[Line]] = {claim.pk: [] for claim in claims}
    for line in lines:
        is_award = line.kind == LineKind.AWARD and line.standing != Standing.REPLACED
        awarded = line.award.total_fen if is_award else None
        ledger_fen = awarded if not is_award or in_ledger(line, posted) else -1
        of_claim[line.claim_id].append(
            Line(
                line.pk,
                LineKind(line.kind),
                Standing(line.standing),
                line.amount_fen,
                line.credited_fen,
                awarded,
                ledger_fen,
            )
        )
    return [Claimed(claim.number, claim.total_fen, tuple(of_claim[claim.pk])) for claim in claims]


def prove(claims: Sequence[Claim]) -> Totals:
    """The control totals of claims after proving them. Raises Refusal ``claims.inconsistent`` for each identity that does not hold."""
    found = claimed(claims)
    wrong = totals.faults(found)
    if wrong:
        raise Refusal.of("claims.inconsistent", what="; ".join(wrong[:5]))
    return totals.totals(found)
