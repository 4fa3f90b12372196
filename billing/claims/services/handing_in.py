"""What a payee does with a claim: complete it, hand it in, take it back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.bills.services.issuing import local_day
from billing.claims import declared, invoices, queries
from billing.claims.models import Claim, ClaimEvidence, ClaimLine, ClaimSubmission
from billing.claims.paper_kinds import FORM
from billing.claims.rules import content as papers
from billing.claims.rules.checks import ShownPaper, is_invoice_number, to_complete
from billing.claims.rules.review import FILES
from billing.claims.rules.states import IN_HAND, ClaimEvent, ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services import applying, batches, real_days
from billing.claims.services.documents import queue_documents
from billing.claims.services.moving import locked, move
from billing.claims.services.office import CLAIMANTS, checked_text, plain_text
from billing.claims.services.papers import AWARDED, batch_paper, codes_of, line_paper, payee_paper
from billing.claims.services.proving import prove
from billing.ledger.rules.documents import sha256_of
from billing.papers import codes
from billing.settlement import once
from config.kernel.access import Actor
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import audit, files, idempotency, transactions
from instruments.services.uploads import clean_document

ROUTE, EVIDENCE_ROUTE = "claims.submit", "claims.evidence"
KINDS = (*(each.value for each in FILES), "other")
MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that a payee hands in with a claim."""

    kind: str
    content: bytes
    note: str = ""


def in_hand(actor: Actor, claim_id: int) -> Claim:
    """A locked claim that its payee has in hand. Raises NotFound, Forbidden, Conflict ``claims.not_now``."""
    claim = locked(actor, claim_id)
    actor.require_in(claim.payee_id, *CLAIMANTS)
    if ClaimState(claim.state) not in IN_HAND:
        raise Conflict.of("claims.not_now", state=claim.state, number=claim.number)
    return claim


def complete(actor: Actor, claim: Claim, now: datetime) -> None:
    """Say in the history who completes a claim, once for what somebody does in a row. Raises as ``moving.move``."""
    last = claim.steps.order_by("-position").first()
    if last is None or (last.event, last.actor_id) != (ClaimEvent.COMPLETE, actor.user_id):
        move(actor, claim, ClaimEvent.COMPLETE, now)


def add_evidence(actor: Actor, claim_id: int, given: Evidence, now: datetime) -> ClaimEvidence:
    """Add a file. Raises NotFound, Forbidden (``claims.three_people``), Conflict ``claims.not_now``, Refusal ``claims.evidence_kind`` /
    ``claims.too_many_files`` / ``upload.*``."""
    if given.kind not in KINDS:
        raise Refusal.of("claims.evidence_kind", field="kind")
    clean = clean_document(given.content)

    def work() -> ClaimEvidence:
        claim = in_hand(actor, claim_id)
        count = ClaimEvidence.objects.filter(claim=claim).count()
        if count >= MOST_FILES:
            raise Refusal.of("claims.too_many_files", field="file", most=MOST_FILES)
        name = f"{claim.number}-{given.kind}-{count + 1}.{clean.extension}"
        complete(actor, claim, now)
        stored = files.store(clean.content, file_name=name, media_type=clean.media_type, user_id=actor.user_id, now=now)
        made = ClaimEvidence.objects.create(
            claim=claim, kind=given.kind, file=stored, note=plain_text(given.note, 200), added_by_id=actor.person_id, added_at=now
        )
        audit.record(actor, "claim.evidence", claim, now, after={"kind": given.kind, "sha256": stored.sha256})
        return made

    return transactions.run(work)


def add_evidence_once(actor: Actor, claim_id: int, given: Evidence, now: datetime, *, idempotency_key: str) -> tuple[int, bool]:
    """As ``add_evidence``, at most once for a key: the id of the file's row and whether it was there. Raises Refusal ``idempotency.*``
    besides."""
    payload = {"claim": claim_id, "kind": given.kind, "note": given.note, "sha256": hashlib.sha256(given.content).hexdigest()}

    def effect() -> dict[str, Any]:
        return {"id": add_evidence(actor, claim_id, given, now).pk}

    result, replayed = transactions.run(lambda: idempotency.once(actor, EVIDENCE_ROUTE, idempotency_key, payload, now, effect))
    return result["id"], replayed


def write_invoice(actor: Actor, claim_id: int, position: int, number: str, now: datetime) -> None:
    """Write the number of a line's invoice, or take it away (empty).

    Raises NotFound, Forbidden (``claims.three_people``), Conflict ``claims.not_now``, Refusal ``claims.invoice_number``.
    """
    clean = "".join(number.split())
    if clean and not is_invoice_number(clean):
        raise Refusal.of("claims.invoice_number", field="invoice_number")

    def work() -> None:
        claim = in_hand(actor, claim_id)
        complete(actor, claim, now)
        rows = ClaimLine.objects.filter(claim=claim, position=position, kind=LineKind.AWARD, standing=Standing.INCLUDED)
        if rows.update(invoice_number=clean) != 1:
            raise NotFound.of("access.not_found", model="claimline")
        audit.record(actor, "claim.invoice", claim, now, after={"position": position, "invoice_number": clean})

    transactions.run(work)


def submit(actor: Actor, claim_id: int, now: datetime, *, expected_fen: int | None = None) -> ClaimSubmission:
    """Hand a claim in, as the books say it now, within the claim window (one that was sent back: whenever it is complete). What it says is
    frozen, and the redemption form is made of it.

    Raises NotFound, Forbidden, Conflict ``claims.not_now`` / ``claims.figures_differ`` (other than ``expected_fen``), Refusal
    ``claims.window_closed`` / ``claims.nothing_left`` / ``claims.to_complete`` for each thing that is asked and not there /
    ``claims.invoice_taken`` for each line whose invoice took a programme of the same class already / ``claims.outside_window``,
    ``claims.outside_days``, ``claims.deadline_over`` where the day is not one on which the programme takes it.
    """

    def work() -> ClaimSubmission:
        claim = in_hand(actor, claim_id)
        if claim.state == ClaimState.DRAFT:
            on = local_day(now)
            if claim.batch.closed_at is not None or not claim.batch.opens_on <= on <= claim.batch.closes_on:
                days = {"opens_on": claim.batch.opens_on.isoformat(), "closes_on": claim.batch.closes_on.isoformat()}
                raise Refusal(Reason("claims.window_closed", days))
            batches.refresh(claim, now)
            applying.apply(actor, claim, now)
            batches.refresh(claim, now)
        if expected_fen is not None and expected_fen != claim.total_fen:
            raise Conflict(Reason("claims.figures_differ", {"total_fen": claim.total_fen}))
        lines = _lines(claim)
        if not lines:
            raise Refusal.of("claims.nothing_left", number=claim.number)
        looked_at = queries.check_inputs([claim])[claim.pk]
        missing = to_complete(looked_at)
        Refusal.raise_any(
            [
                Reason("claims.to_complete", {"claim_asks": what, "claim_lines": list(where)}, what)
                for what, where in missing.items()
            ]
        )
        _refuse_taken(lines)
        # One that was sent back was handed in on the day on which it came first.
        real_days.refuse_late(lines, looked_at.handed_in_on or local_day(now))
        prove([claim])
        written = _freeze(actor, claim, lines, looked_at.papers, now)
        move(actor, claim, ClaimEvent.SUBMIT, now)
        return written

    return transactions.run(work)


def submit_once(
    actor: Actor, claim_id: int, now: datetime, *, idempotency_key: str, expected_fen: int | None = None
) -> tuple[int, bool]:
    """As ``submit``, at most once for a key: the submission's id and whether it was there. Raises Refusal ``idempotency.*`` besides."""

    def effect() -> dict[str, Any]:
        return {"id": submit(actor, claim_id, now, expected_fen=expected_fen).pk}

    payload = {"claim": claim_id, "total_fen": expected_fen}
    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return result["id"], replayed


def withdraw(actor: Actor, claim_id: int, reason: str, now: datetime) -> None:
    """Take a claim back that nobody has begun to look at, or that was sent back; what stood on it can be claimed in another batch.

    Raises NotFound, Forbidden, Conflict ``claims.not_now``, Refusal ``claims.text_*``.
    """
    why = checked_text(reason)

    def work() -> None:
        claim = locked(actor, claim_id)
        actor.require_in(claim.payee_id, *CLAIMANTS)
        batches.drop(actor, claim, now, why)

    transactions.run(work)


def _lines(claim: Claim) -> list[ClaimLine]:
    rows = ClaimLine.objects.filter(claim=claim, standing=Standing.INCLUDED).select_related(*AWARDED)
    return list(rows.order_by("position"))


def _refuse_taken(lines: list[ClaimLine]) -> None:
    """Raise Refusal ``claims.invoice_taken`` for each line whose invoice was used already. Who hands in another claim with one of these
    invoices waits here, and then finds this one."""
    once.lock_invoices({line.invoice_number for line in lines if line.invoice_number})
    used = invoices.taken(lines)
    Refusal.raise_any(
        [
            Reason("claims.invoice_taken", {"number": line.invoice_number, "position": line.position}, "invoice_number")
            for line in used
        ]
    )


def _freeze(actor: Actor, claim: Claim, lines: list[ClaimLine], shown: Sequence[ShownPaper], now: datetime) -> ClaimSubmission:
    position = ClaimSubmission.objects.filter(claim=claim).count() + 1
    evidence: list[dict[str, Any]] = [
        {"kind": each.kind, "name": each.file.file_name, "sha256": each.file.sha256}
        for each in ClaimEvidence.objects.filter(claim=claim).select_related("file").order_by("pk")
    ]
    evidence += [{"kind": each.kind, "name": each.name, "sha256": each.sha256, "lines": list(each.positions)} for each in shown]
    number, told = f"{claim.number}-{position}", declared.told_of(lines)
    content = codes.with_code(
        papers.redemption_form(
            batch_paper(claim.batch),
            payee_paper(claim.payee, codes_of([claim.payee_id]).get(claim.payee_id, "")),
            number,
            [replace(line_paper(line), declared=told.get(line.pk)) for line in lines],
            evidence,
            actor.name,
            local_day(now),
        )
    )
    written = ClaimSubmission.objects.create(
        claim=claim,
        number=number,
        position=position,
        total_fen=claim.total_fen,
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=actor.person_id,
    )
    codes.register(FORM, written.pk, content, now)
    queue_documents(written)
    return written
