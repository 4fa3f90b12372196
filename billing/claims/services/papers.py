"""Rows as the contents of documents name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, F, Q

from billing.claims.models import Claim, ClaimBatch, ClaimLine, ClaimSubmission
from billing.claims.rules.content import Batch, FormLine, Payee
from instruments.models import Organisation, OrganisationIdentifier


def batch_paper(batch: ClaimBatch) -> Batch:
    """A batch as it stands on paper."""
    document = batch.programme_version.document
    issuer = batch.programme.issuer
    return Batch(
        number=batch.number,
        programme=batch.programme.code,
        name=document["name"],
        version=batch.programme_version.label,
        mode=batch.mode,
        fund_year=batch.fund_year,
        budget_item=document.get("budget_item"),
        from_on=batch.from_on,
        until_on=batch.until_on,
        office=issuer.name if issuer is not None else document["issuer"]["zh"],
    )


def codes_of(organisation_ids: Iterable[int]) -> dict[int, str]:
    """The unified social credit code of organisations, else any other; one query."""
    codes: dict[int, tuple[str, str]] = {}
    rows = OrganisationIdentifier.objects.filter(organisation_id__in=set(organisation_ids)).order_by("organisation_id", "scheme")
    for pk, scheme, value in rows.values_list("organisation_id", "scheme", "value"):
        if pk not in codes or scheme == "uscc":
            codes[pk] = (scheme, value)
    return {pk: value for pk, (_scheme, value) in codes.items()}


def payee_paper(payee: Organisation, code: str, *, bank: bool = True) -> Payee:
    """A payee, with where the money goes unless ``bank`` is off."""
    return Payee(
        name=payee.name,
        name_en=payee.name_en,
        kind=payee.kind,
        code=code,
        bank_name=payee.bank_name if bank else "",
        bank_account_name=payee.bank_account_name if bank else "",
        bank_account_number=payee.bank_account_number if bank else "",
    )


_ACCOUNT = ("bank_name", "bank_account_name", "bank_account_number")


def handed_in_accounts(claims: Iterable[Claim]) -> dict[int, dict[str, str]]:
    """Claim id -> the bank account of its payee as it was last handed in; one query."""
    rows = ClaimSubmission.objects.filter(claim__in=list(claims)).order_by("position")
    return {pk: {name: payee[name] for name in _ACCOUNT} for pk, payee in rows.values_list("claim_id", "content__payee")}


def account_changed(payee: Organisation, handed_in: Mapping[str, str] | None) -> bool:
    """Whether the money would go elsewhere than was handed in (None: nothing was)."""
    return handed_in is not None and any(getattr(payee, name) != handed_in[name] for name in _ACCOUNT)


def publicity_of(claims: Iterable[Claim]) -> dict[int, dict[str, Any]]:
    """Claim id -> the local days on which it was public last (``from_on``, ``until_on``: ISO texts), whether they are ``over``, how many
    ``objections`` there were to it and how many were ``upheld``; of claims that were public. One query."""
    ids = [claim.pk for claim in claims]
    said = Count("publicity__objections", filter=Q(publicity__objections__claim=F("pk")))
    upheld = Count("publicity__objections", filter=Q(publicity__objections__claim=F("pk"), publicity__objections__upheld=True))
    rows = Claim.objects.filter(pk__in=ids, publicity__isnull=False).annotate(said=said, upheld=upheld)
    names = ("pk", "publicity__from_on", "publicity__until_on", "publicity__closed_at", "said", "upheld")
    return {
        pk: {
            "from_on": from_on.isoformat(),
            "until_on": until_on.isoformat(),
            "over": closed_at is not None,
            "objections": objections,
            "upheld": kept,
        }
        for pk, from_on, until_on, closed_at, objections, kept in rows.order_by("pk").values_list(*names)
    }


#: What ``line_paper`` reads of a line's award.
AWARDED = (
    "award__charge__reservation__instrument__organisation",
    "award__charge__reservation__organisation",
    "award__charge__sample_job__resource",
    "award__charge__sample_job__lab",
    "award__charge__sample_job__organisation",
    "clawback",
)


def line_paper(line: ClaimLine, amount_fen: int | None = None) -> FormLine:
    """A line with its session or job; ``amount_fen`` instead of its own. ``other`` is the side that is not the payee."""
    charge, job = line.award.charge, line.award.charge.sample_job
    if charge.reservation is not None:
        thing = charge.reservation
        reference, subject, owner, customer = (
            thing.reference,
            thing.instrument.name,
            thing.instrument.organisation,
            thing.organisation,
        )
    elif job is not None:
        reference, subject, owner, customer = job.reference, job.resource.name, job.lab, job.organisation
    else:
        raise ValueError("a charge is of a reservation or of a sample job")
    return FormLine(
        position=line.position,
        kind=line.kind,
        award=line.award_id,
        charge=charge.pk,
        inputs_sha256=charge.inputs_sha256,
        service_on=line.award.service_on,
        reference=reference,
        subject=subject,
        other=(customer if line.award.payee_id == owner.pk else owner).name,
        gross_fen=charge.gross_fen,
        amount_fen=line.amount_fen if amount_fen is None else amount_fen,
        payers=line.payers,
        invoice_number=line.invoice_number,
        clawback=line.clawback.number if line.clawback is not None else "",
    )
