"""Giving back to the accounts that had paid an award what goes back of it, whatever it goes back for. Part of the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from billing.bills.models import AwardReversal
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.rules.money import split_largest_remainder
from billing.ledger.services import Source
from billing.settlement.models import Award, Charge
from billing.vouchers.rules.backing import is_of_home


def give_back(
    charge: Charge,
    version_id: int,
    amount_fen: int,
    written: QuerySet[AwardReversal],
    source: Source,
    now: datetime,
    but: Collection[str] = (),
) -> None:
    """Give ``amount_fen`` of a charge's awards under a version back to its accounts; ``written`` are the reversals that say so, which are
    written already. ``but``: regions whose vouchers keep what they paid."""
    for debit, credit, amount in _draws_back(charge, version_id, amount_fen, written, but):
        ledger.give_back(debit, credit, amount, replace(source, programme_version_id=version_id), now)


def _draws_back(
    charge: Charge, version_id: int, amount_fen: int, written: QuerySet[AwardReversal], but: Collection[str]
) -> list[tuple[Account, Account, int]]:
    """(account that had paid, payee account, fen): each account gets the same share of what it has paid under a version still.

    An account has one movement for all awards of a version, so the share is of all of them together.
    """
    of = "reservation" if charge.reservation_id is not None else "sample_job"
    source_id = charge.reservation_id or charge.sample_job_id or 0
    posted = Transfer.objects.filter(
        kind=TransferKind.POST, source_type=of, source_id=source_id, programme_version_id=version_id
    ).select_related("debit", "credit")
    rows = [row for row in posted.order_by("debit_id") if not any(is_of_home(row.debit.key, payer) for payer in but)]
    ledger.lock([row.debit for row in rows])
    awarded = Award.objects.filter(charge=charge, programme_version_id=version_id)
    earlier = list(AwardReversal.objects.filter(award__in=awarded).exclude(pk__in=written.values("pk")))
    gone = _gone_back(earlier, version_id)
    left_of_awards = sum(_paid(award.payers, but) for award in awarded) - sum(_paid(each.payers, but) for each in earlier)
    found = []
    for row in rows:
        left = row.amount_fen - gone.get(row.debit_id, 0)
        share = split_largest_remainder(left, [amount_fen, left_of_awards - amount_fen])[0]
        if share:
            found.append((row.debit, row.credit, share))
    return found


def _paid(payers: Sequence[Mapping[str, Any]], but: Collection[str]) -> int:
    """What payers of an award or of what went back of it come to, without some."""
    return sum(each["amount_fen"] for each in payers if each["payer"] not in but)


def _gone_back(reversals: Sequence[AwardReversal], version_id: int) -> dict[int, int]:
    """What each account got back with these reversals under a version of a programme."""
    notes = [each.credit_note_id for each in reversals if each.credit_note_id is not None]
    others = [each.pk for each in reversals if each.credit_note_id is None]
    moved: dict[int, int] = {}
    rows = Transfer.objects.filter(
        Q(source_type="credit_note", source_id__in=notes) | Q(source_type="award_reversal", source_id__in=others),
        kind=TransferKind.REFUND,
        programme_version_id=version_id,
    )
    for account_id, amount in rows.values_list("credit_id", "amount_fen"):
        moved[account_id] = moved.get(account_id, 0) + amount
    return moved
