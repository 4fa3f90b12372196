"""What vouchers paid at institutions, as those redeem it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from billing.bills.models import CreditNote
from billing.ledger.models import Transfer, TransferKind
from billing.vouchers.rules.backing import VOUCHER
from booking.models import Reservation, SampleJob
from config.kernel.access import Actor, Role


def redeemed(actor: Actor) -> QuerySet[Transfer]:
    """What vouchers paid at the actor's institutions, and what credit notes gave back to them, for their redemption; the latest first."""
    lab = actor.organisations(Role.OWNER_FINANCE, Role.LAB_MANAGER)
    times = Reservation.objects.filter(instrument__organisation_id__in=lab).values("pk")
    jobs = SampleJob.objects.filter(lab_id__in=lab).values("pk")
    notes = CreditNote.objects.filter(owner_id__in=lab).values("pk")
    paid = Q(source_type="reservation", source_id__in=times) | Q(source_type="sample_job", source_id__in=jobs)
    back = Q(kind=TransferKind.REFUND, credit__kind=VOUCHER, source_type="credit_note", source_id__in=notes)
    rows = Transfer.objects.filter(Q(paid, kind=TransferKind.POST, debit__kind=VOUCHER) | back)
    return rows.select_related("debit__voucher__organisation", "credit__voucher__organisation").order_by("-pk")


def references(rows: Collection[Transfer]) -> dict[tuple[str, int], str]:
    """What the booking, samples or credit note behind each of them is called, by kind and id."""
    ids = {
        kind: {row.source_id for row in rows if row.source_type == kind} for kind in ("reservation", "sample_job", "credit_note")
    }
    times = Reservation.objects.filter(pk__in=ids["reservation"])
    jobs = SampleJob.objects.filter(pk__in=ids["sample_job"])
    notes = CreditNote.objects.filter(pk__in=ids["credit_note"])
    return {
        **{("reservation", one.pk): one.reference for one in times},
        **{("sample_job", one.pk): one.reference for one in jobs},
        **{("credit_note", one.pk): str(one.number) for one in notes},
    }
