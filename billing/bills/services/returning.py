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
from billing.settlement.services.assessing import is_of_cap
from billing.subsidy import services as subsidy
from billing.subsidy.rules.outcome import home_platform
from billing.subsidy.services import InForce
from billing.vouchers.rules.backing import is_of_home


def give_back(charge: Charge, version_id: int, written: QuerySet[AwardReversal], source: Source, now: datetime) -> None:
    """Give what goes back of a charge's awards under a version back to its accounts; ``written`` are the reversals that say so, which are
    written already."""
    for debit, credit, amount in _draws_back(charge, version_id, written):
        ledger.give_back(debit, credit, amount, replace(source, programme_version_id=version_id), now)


def _draws_back(charge: Charge, version_id: int, written: QuerySet[AwardReversal]) -> list[tuple[Account, Account, int]]:
    """(account that had paid, payee account, fen). Vouchers of a region elsewhere get what the reversals say of it; each other account the
    same share of what it has paid under a version still: of the whole, or of what is ours where it pays for nothing else.

    An account has one movement for all awards of a version that it paid, so the share is of all of those together; what is the limit of
    one side alone paid nothing of another's award.
    """
    of = "reservation" if charge.reservation_id is not None else "sample_job"
    source_id = charge.reservation_id or charge.sample_job_id or 0
    posted = Transfer.objects.filter(
        kind=TransferKind.POST, source_type=of, source_id=source_id, programme_version_id=version_id
    ).select_related("debit", "credit")
    rows = list(posted.order_by("debit_id"))
    ledger.lock([row.debit for row in rows])
    awarded = Award.objects.filter(charge=charge, programme_version_id=version_id)
    modes = {award.pk: award.mode for award in awarded}
    earlier = list(AwardReversal.objects.filter(award__in=awarded).exclude(pk__in=written.values("pk")))
    now_back = list(written.filter(award__in=awarded))
    gone = _gone_back(earlier, version_id)
    left = {row.debit_id: row.amount_fen - gone.get(row.debit_id, 0) for row in rows}
    shares = _of_homes(rows, left, _by_payer(awarded), _by_payer(now_back))
    version = subsidy.in_force(version_id)
    for row in rows:
        if row.debit_id in shares:
            continue
        paid = _ways(version, row.debit.key) or set(modes.values())
        given = _by_payer(each for each in awarded if each.mode in paid)
        before, back = (_by_payer(one for one in found if modes[one.award_id] in paid) for found in (earlier, now_back))
        # What pays for us alone had no more to pay than that; what counts the homes' part too had the whole.
        of_all = row.amount_fen > _ours(given)
        part, of_what, gone_fen = (sum(each.values()) if of_all else _ours(each) for each in (back, given, before))
        rest = of_what - gone_fen - part
        shares[row.debit_id] = split_largest_remainder(left[row.debit_id], [part, rest])[0] if part else 0
    return [(row.debit, row.credit, shares[row.debit_id]) for row in rows if shares[row.debit_id]]


def _ways(version: InForce, key: str) -> set[str]:
    """The ways of settlement of the sides that an account limits; none where the programme has no sides, or nothing is known of it."""
    programme = version.programme
    limits = {cap.id for cap in programme.caps if is_of_cap(version, cap, key)}
    return {side.programme.mode.value for side in programme.sides if any(cap.id in limits for cap in side.programme.caps)}


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
