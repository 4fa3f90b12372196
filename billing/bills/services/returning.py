"""Giving back to the accounts that had paid an award what goes back of it, whatever it goes back for. Part of the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q, QuerySet

from billing.bills.models import AwardReversal
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.rules.money import split_largest_remainder
from billing.ledger.services import Source
from billing.settlement.models import Award, Charge
from billing.subsidy.rules.outcome import home_platform
from billing.vouchers.rules.backing import is_of_home


def give_back(
    charge: Charge, version_id: int, amount_fen: int, written: QuerySet[AwardReversal], source: Source, now: datetime
) -> None:
    """Give ``amount_fen`` of a charge's awards under a version back to its accounts; ``written`` are the reversals that say so, which are
    written already."""
    for debit, credit, amount in _draws_back(charge, version_id, amount_fen, written):
        ledger.give_back(debit, credit, amount, replace(source, programme_version_id=version_id), now)


def _draws_back(
    charge: Charge, version_id: int, amount_fen: int, written: QuerySet[AwardReversal]
) -> list[tuple[Account, Account, int]]:
    """(account that had paid, payee account, fen). Vouchers of a region elsewhere get what the reversals say of it; each other account the
    same share of what it has paid under a version still: of the whole, or of what is ours where it pays for nothing else.

    An account has one movement for all awards of a version, so the share is of all of them together.
    """
    of = "reservation" if charge.reservation_id is not None else "sample_job"
    source_id = charge.reservation_id or charge.sample_job_id or 0
    posted = Transfer.objects.filter(
        kind=TransferKind.POST, source_type=of, source_id=source_id, programme_version_id=version_id
    ).select_related("debit", "credit")
    rows = list(posted.order_by("debit_id"))
    ledger.lock([row.debit for row in rows])
    awarded = Award.objects.filter(charge=charge, programme_version_id=version_id)
    earlier = list(AwardReversal.objects.filter(award__in=awarded).exclude(pk__in=written.values("pk")))
    gone = _gone_back(earlier, version_id)
    left = {row.debit_id: row.amount_fen - gone.get(row.debit_id, 0) for row in rows}
    given, back_before, back = (_by_payer(found) for found in (awarded, earlier, written.filter(award__in=awarded)))
    whole = amount_fen, sum(given.values()) - sum(back_before.values())
    ours = _ours(back), _ours(given) - _ours(back_before)
    shares = _of_homes(rows, left, given, back)
    for row in rows:
        if row.debit_id not in shares:
            # What pays for us alone had no more to pay than that; what counts the homes' part too had the whole.
            part, of_what = whole if row.amount_fen > _ours(given) else ours
            shares[row.debit_id] = split_largest_remainder(left[row.debit_id], [part, of_what - part])[0] if part else 0
    return [(row.debit, row.credit, shares[row.debit_id]) for row in rows if shares[row.debit_id]]


def _of_homes(
    rows: Sequence[Transfer], left: Mapping[int, int], given: Mapping[str, int], back: Mapping[str, int]
) -> dict[int, int]:
    """By account of a home's voucher what goes back to it, nil included."""
    shares: dict[int, int] = {}
    for payer in filter(home_platform, given):
        own = [row.debit_id for row in rows if is_of_home(row.debit.key, payer)]
        part = back.get(payer, 0)
        parts = split_largest_remainder(part, [left[pk] for pk in own]) if part else (0,) * len(own)
        shares |= dict(zip(own, parts, strict=True))
    return shares


def _by_payer(found: Iterable[Award | AwardReversal]) -> dict[str, int]:
    """What awards, or what went back of them, come to by payer."""
    sums: dict[str, int] = {}
    for one in found:
        for line in one.payers:
            sums[line["payer"]] = sums.get(line["payer"], 0) + line["amount_fen"]
    return sums


def _ours(by_payer: Mapping[str, int]) -> int:
    """Without what regions elsewhere pay."""
    return sum(fen for payer, fen in by_payer.items() if not home_platform(payer))


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
