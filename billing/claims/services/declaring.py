"""A payee declares with its claim what the programme asks of an award (``applying``: what comes of it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billing.claims import declared
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.models import Claim, ClaimLine
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services import handing_in
from billing.claims.services.handing_in import Evidence
from config.kernel.access import Actor
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import audit, transactions

MOST_FEN = 10**15


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared of the award on line ``position``: fen by the path of the fact. ``evidence``: the bytes of a file, None where
    nothing was received."""

    position: int
    amounts: Mapping[str, int | None]
    evidence: bytes | None = None
    note: str = ""


def declare(actor: Actor, claim_id: int, given: Declaration, now: datetime) -> ClaimDeclaration:
    """Keep what a payee declares; the last one of a line counts once the claim is handed in.

    Raises NotFound, Forbidden (``claims.three_people``), Conflict ``claims.not_now`` (not a draft any more), Refusal
    ``claims.declares_nothing`` / ``claims.declared_amount`` (the field) / ``claims.file_missing`` / ``upload.*``.
    """

    def work() -> ClaimDeclaration:
        claim = handing_in.in_hand(actor, claim_id)
        if claim.state != ClaimState.DRAFT:
            raise Conflict.of("claims.not_now", state=claim.state, number=claim.number)
        line = _line(claim, given.position)
        amounts = _checked(declared.asked_of(line.award), given.amounts)
        evidence = None
        if given.evidence is not None:
            file = Evidence("other", given.evidence, given.note)
            evidence = handing_in.add_evidence(actor, claim_id, file, now)
        elif any(amounts.values()):
            raise Refusal.of("claims.file_missing", field="file")
        else:
            handing_in.complete(actor, claim, now)
        made = ClaimDeclaration.objects.create(
            claim=claim,
            award=line.award,
            position=ClaimDeclaration.objects.filter(claim=claim, award=line.award).count() + 1,
            amounts=amounts,
            evidence=evidence,
            added_by_id=actor.person_id,
            added_at=now,
        )
        audit.record(actor, "claim.declare", claim, now, after={"position": line.position, "amounts": amounts})
        return made

    return transactions.run(work)


def _line(claim: Claim, position: int) -> ClaimLine:
    rows = ClaimLine.objects.filter(claim=claim, position=position, kind=LineKind.AWARD, standing=Standing.INCLUDED)
    line = rows.select_related("award__charge", "award__programme_version").first()
    if line is None:
        raise NotFound.of("access.not_found", model="claimline")
    return line


def _checked(paths: tuple[str, ...], given: Mapping[str, int | None]) -> dict[str, int]:
    """Every fact that is asked for, each from nil on. Raises Refusal with every reason."""
    if not paths:
        raise Refusal.of("claims.declares_nothing", field="position")
    wrong = [path for path in paths if (fen := given.get(path)) is None or not 0 <= fen <= MOST_FEN]
    Refusal.raise_any([Reason("claims.declared_amount", {"claim_fact": path}, path.partition(".")[2]) for path in wrong])
    return {path: int(given[path] or 0) for path in paths}
