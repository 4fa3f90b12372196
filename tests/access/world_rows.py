"""Rows of billing that no address of the matrix has needed of both sides: the cast's lab with Gaoyuan, the other lab with Lianhe."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pgtrigger

from billing.models import (
    Account,
    AccountCodes,
    Award,
    AwardReversal,
    Bill,
    BillDispute,
    BillVoid,
    Checkout,
    ClaimDeclaration,
    ClaimEvidence,
    Counted,
    CreditImport,
    CreditListing,
    Dispute,
    Exemption,
    LedgerSeal,
    OpeningBalance,
    OpeningLoad,
    OpeningReversal,
    PartnerList,
    PartnerProvider,
    PartnerRegion,
    PrepaidEntry,
    PrepaidTerms,
    Programme,
    ProgrammeVersion,
    PurchaseOrder,
    Refund,
    RefundRequest,
    Reminder,
    SubsidisedItem,
    WriteOff,
    WriteOffProposal,
)
from booking.models import Reservation, SampleJob
from config.kernel.services import files


def build(world: Any, now: datetime) -> None:
    cast = world.cast
    load = _handed_in(cast.users["chen"], now)
    for place, (customer, accountant) in enumerate(((cast.firm, cast.users["li"]), (cast.other_firm, cast.users["bo"]))):
        _undone(world, place, customer, accountant, now)
        _went_back(world.objects["payment"][place], accountant, now)
        _had_before(load, customer)
        _late(world, place, customer, accountant, now)
        _declared(world.objects["claim_evidence"][place], now)


def _declared(evidence_id: int, now: datetime) -> None:
    """What a payee declared with the claim."""
    file = ClaimEvidence.objects.select_related("claim").get(pk=evidence_id)
    award = file.claim.lines.filter(kind="award").earliest("position").award
    ClaimDeclaration.objects.create(
        claim=file.claim, award=award, position=1, amounts={}, evidence=file, added_by=file.added_by, added_at=now
    )


def _undone(world: Any, place: int, customer: Any, accountant: Any, now: datetime) -> None:
    """An attempt to pay a bill, an award that goes back and a void. The bill is credited and partly paid, so two guards look away."""
    bill_id, note_id = world.objects["bill"][place], world.objects["credit_note"][place]
    Checkout.objects.create(
        bill_id=bill_id, provider="stripe", attempt=1, key=f"k{bill_id}", amount_fen=1, asked_by=accountant, asked_at=now,
        changed_at=now,
    )  # fmt: skip
    of_customer = Award.objects.filter(charge__reservation__organisation=customer)
    award = of_customer.exclude(reversals__credit_note_id=note_id).earliest("pk")
    with pgtrigger.ignore("billing.AwardReversal:award_reversal_within_award", "billing.BillVoid:bill_void_untouched"):
        AwardReversal.objects.create(credit_note_id=note_id, award=award, amount_fen=1, payers=[], claimed=False, created_at=now)
        BillVoid.objects.create(bill_id=bill_id, reason="x", voided_by=accountant, voided_at=now)
    WriteOff.objects.bulk_create(
        [WriteOff(bill_id=bill_id, kind=kind, amount_fen=amount, reason="x", actor=accountant, at=now)
         for kind, amount in (("written_off", 1), ("taken_back", -1))]
    )  # fmt: skip
    WriteOffProposal.objects.create(bill_id=bill_id, why="x", line_count=1, total_fen=1, proposed_by=accountant, proposed_at=now)


def _went_back(payment_id: int, accountant: Any, now: datetime) -> None:
    Refund.objects.create(payment_id=payment_id, kind="refund", amount_fen=1, reason="x", actor=accountant, at=now)
    RefundRequest.objects.create(
        payment_id=payment_id, key=f"k{payment_id}", amount_fen=1, reason="x", asked_by=accountant, asked_at=now
    )
    Dispute.objects.create(
        payment_id=payment_id, provider_ref=f"dp_{payment_id}", amount_fen=1, reason="x", opened_at=now, changed_at=now
    )


def _late(world: Any, place: int, customer: Any, accountant: Any, now: datetime) -> None:
    """A reminder, a dispute and a delay of the bill; what the owner asks of the customer, what it keeps for it, and a booking's number."""
    bill = Bill.objects.get(pk=world.objects["bill"][place])
    sides = {"owner_id": bill.owner_id, "customer": customer}
    Reminder.objects.create(bill=bill, **sides, step="first", open_fen=1, at=now)
    BillDispute.objects.create(bill=bill, reason="x", opened_by=accountant, opened_at=now)
    Exemption.objects.create(**sides, until_on=now.date(), reason="x", given_by=accountant, given_at=now)
    PrepaidTerms.objects.create(**sides, asks=False, reason="x", set_by=accountant, set_at=now)
    PrepaidEntry.objects.create(
        payment_id=world.objects["payment"][place], customer=customer, kind="deposit", amount_fen=1, at=now
    )
    reservation = Reservation.objects.filter(organisation=customer).earliest("pk")
    PurchaseOrder.objects.create(reservation=reservation, number="PO-1", set_by=accountant, set_at=now)
    AccountCodes.objects.create(organisation_id=bill.owner_id, codes={"cash": "1002"}, set_by=accountant, set_at=now)
    job = SampleJob.objects.filter(organisation=customer).earliest("pk")
    PurchaseOrder.objects.create(sample_job=job, number="PO-2", set_by=accountant, set_at=now)


def _had_before(load: OpeningLoad, customer: Any) -> None:
    balance = OpeningBalance.objects.create(
        batch=load, organisation=customer, programme=Programme.objects.earliest("pk"), cap_id="x", year=2026, amount_fen=1,
        account=Account.objects.earliest("pk"),
    )  # fmt: skip
    OpeningReversal.objects.create(balance=balance, batch=load)
    SubsidisedItem.objects.create(
        batch=load, exclusive_class="x", kind="invoice", reference=str(customer.pk), organisation=customer
    )


def _handed_in(officer: Any, now: datetime) -> OpeningLoad:
    """What belongs to the platform: a credit list, a partner's providers, a seal, what came before. Returns a hand-in of opening
    balances."""
    stored = files.store(b"x", file_name="x.csv", media_type="text/csv", user_id=None, now=now)
    imported = {"file": stored, "row_count": 1, "imported_by": officer, "imported_at": now}
    listed = {"uscc": "91630100MA75T1LB3X", "name": "x", "from_on": now.date()}
    batch = CreditImport.objects.create(list_code="x", source="x", **imported)
    CreditListing.objects.create(batch=batch, list_code="x", **listed)
    partners = PartnerList.objects.create(region=PartnerRegion.objects.get(), **imported)
    PartnerProvider.objects.create(batch=partners, **listed)
    LedgerSeal.objects.create(number=1, first_id=1, last_id=1, count=1, sha256="x", marks=b"", sealed_at=now)
    Counted.objects.create(
        subject="x", programme_version=ProgrammeVersion.objects.earliest("pk"), source_type="reservation", source_id=0, fee_fen=0,
        subsidised_fen=0, minutes=1, samples=0, counted_at=now,
    )  # fmt: skip
    return OpeningLoad.objects.create(table=stored, evidence=stored, reason="x", row_count=2, loaded_by=officer, loaded_at=now)
