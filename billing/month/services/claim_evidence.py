"""The evidence behind a claim in one archive with hashes: what was handed in, who decided what, what was paid out, and of every award on it
the same as behind a bill."""

from __future__ import annotations

from typing import Any

from billing.claims.models import Claim, ClaimEvidence, ClaimLine, ClaimStep, ClaimSubmission, Payout
from billing.claims.queries import claim_for
from billing.claims.rules.totals import Standing
from billing.claims.services.office import works_at
from billing.month.services.evidence import MOST_LINES, PARTS, Gathered, Item, Json, Pack
from billing.settlement.models import RenderState
from config.kernel.access import Actor, visible_to
from config.kernel.errors import Refusal
from config.kernel.services import files

PAID = "claim/paid.json"


def of_claim(actor: Actor, claim_id: int) -> Pack:
    """The evidence of a claim as its reader may see it. Bills, payments and invoices are for who reads those anyway, and of the claim's
    lines alone for the office that reviews and pays it. A constant number of queries, and one file read for each document.

    Raises NotFound, Refusal ``evidence.too_many`` / ``files.*``.
    """
    claim = claim_for(actor, claim_id)
    rows = ClaimLine.objects.filter(claim=claim).exclude(standing=Standing.REPLACED).order_by("position")
    lines = list(rows.select_related("award__charge__reservation", "award__charge__sample_job")[: MOST_LINES + 1])
    if len(lines) > MOST_LINES:
        raise Refusal.of("evidence.too_many", most=MOST_LINES)
    items = [Item(_folder(line), line.award.charge, None) for line in lines]
    awarded = [line.award_id for line in lines]
    found = Gathered(actor, items, award_ids=awarded, as_office=works_at(actor, claim.batch.programme.issuer_id))
    found.put("claim/claim.json", _claim(claim, lines))
    found.put("claim/history.json", [_step(each) for each in _steps(claim)])
    _paid(found, claim)
    _handed_in(found, claim)
    for part in PARTS:
        part(found)
    about = {"kind": "claim", "number": claim.number, "total_fen": claim.total_fen, "lines": len(lines)}
    return Pack(found.archive(about), f"evidence-{claim.number}.zip")


def _folder(line: ClaimLine) -> str:
    thing: Any = line.award.charge.reservation or line.award.charge.sample_job
    return f"lines/{line.position:04d}-{thing.reference}"


def _claim(claim: Claim, lines: list[ClaimLine]) -> Json:
    return {
        "number": claim.number,
        "batch": claim.batch.number,
        "programme": claim.batch.programme.code,
        "programme_version": claim.batch.programme_version_id,
        "mode": claim.batch.mode,
        "payee": claim.payee.name,
        "state": claim.state,
        "total_fen": claim.total_fen,
        "lines": [
            {
                "position": line.position,
                "kind": line.kind,
                "standing": line.standing,
                "reason": line.reason,
                "award": line.award_id,
                "clawback": line.clawback_id,
                "amount_fen": line.amount_fen,
                "credited_fen": line.credited_fen,
                "payers": line.payers,
                "steps": line.steps,
                "invoice_number": line.invoice_number,
            }
            for line in lines
        ],
    }


def _steps(claim: Claim) -> list[ClaimStep]:
    return list(ClaimStep.objects.filter(claim=claim).select_related("actor", "behalf").order_by("position"))


def _step(step: ClaimStep) -> Json:
    return {
        "event": step.event,
        "from": step.from_state,
        "to": step.to_state,
        "by": str(step.actor or ""),
        "for": str(step.behalf or ""),
        "at": step.at.isoformat(),
        "reason": step.reason,
        "total_fen": step.total_fen,
    }


def _paid(found: Gathered, claim: Claim) -> None:
    """What the treasury did, for who reads payment lists."""
    payouts = Payout.objects.filter(line__claim=claim)
    rows = visible_to(payouts, found.actor).select_related("line__payment_list").order_by("pk")
    said = [
        {
            "list": each.line.payment_list.number,
            "payer": each.line.payment_list.payer,
            "amount_fen": each.line.amount_fen,
            "paid_fen": each.paid_fen,
            "paid_on": each.paid_on.isoformat(),
            "reference": each.reference,
            "reason": each.reason,
        }
        for each in rows
    ]
    if len(said) < payouts.count():
        found.left_out.add(PAID)
    else:
        found.put(PAID, said)


def _handed_in(found: Gathered, claim: Claim) -> None:
    """The redemption forms as they were handed in, and the files beside them."""
    for form in ClaimSubmission.objects.filter(claim=claim).select_related("pdf", "xlsx").order_by("position"):
        found.put(f"forms/{form.number}.json", {"content": form.content, "sha256": form.content_sha256})
        if form.render_state == RenderState.DONE and form.pdf is not None and form.xlsx is not None:
            found.files[f"forms/{form.number}.pdf"] = files.read(form.pdf)
            found.files[f"forms/{form.number}.xlsx"] = files.read(form.xlsx)
    added = ClaimEvidence.objects.filter(claim=claim).select_related("file", "added_by").order_by("pk")
    index = []
    for each in added:
        name = f"files/{each.pk}-{each.kind}"
        found.files[name] = files.read(each.file)
        index.append(
            {
                "path": name,
                "kind": each.kind,
                "name": each.file.file_name,
                "note": each.note,
                "by": str(each.added_by),
                "at": each.added_at.isoformat(),
                "sha256": each.file.sha256,
            }
        )
    found.put("files/index.json", index)
