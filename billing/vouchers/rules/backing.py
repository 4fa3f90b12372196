"""Which caps of a programme vouchers stand behind, and the keys of their accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.subsidy.rules.outcome import home_platform
from billing.subsidy.rules.parts.caps import Cap, CapPer

VOUCHER = "voucher"


@dataclass(frozen=True, slots=True)
class Usable:
    """A voucher of an applicant as a limited account. Days are local, both included. ``payer``: the partner region that pays what is
    drawn on it (``partner:CN-310000``), empty for one of ours. ``face_fen``: what it was issued for."""

    key: str
    programme_id: int
    cap_id: str
    number: str
    valid_from: date
    valid_to: date
    payer: str = ""
    face_fen: int = 0

    def covers(self, on: date) -> bool:
        return self.valid_from <= on <= self.valid_to


def is_issued(cap: Cap) -> bool:
    """Whether the limit of a cap is what was issued to the applicant: a cap per voucher, or a total quota that only issuing sets."""
    return cap.per is CapPer.VOUCHER or (cap.per is CapPer.UNIT_TOTAL and cap.configured and cap.refuse_when_unset)


def behind(cap: Cap, programme_id: int, on: date, vouchers: Sequence[Usable]) -> tuple[Usable, ...]:
    """The vouchers behind a cap on the date that counts, in the order in which they are used up: those that another region pays before
    ours, of each what ends first."""
    if not is_issued(cap):
        return ()
    found = [each for each in vouchers if (each.programme_id, each.cap_id) == (programme_id, cap.id) and each.covers(on)]
    return tuple(sorted(found, key=turn))


def turn(voucher: Usable) -> tuple[bool, date, str]:
    """What comes first is used up first."""
    return not voucher.payer, voucher.valid_to, voucher.number


def voucher_key(cap_id: str, number: str) -> str:
    """The key of a voucher's account."""
    return f"{VOUCHER}:{cap_id}:{number}"


def spread_by_home(amount: int, purses: Sequence[tuple[str, int]], homes: Mapping[str, int]) -> tuple[int, ...]:
    """``amount`` (fen) taken from several purses (key of the account, what is left): what each home pays (``homes``) from vouchers of its
    own, the rest from the others."""
    taken = [0] * len(purses)
    for payer, part in homes.items():
        own = [place for place, (key, _left) in enumerate(purses) if is_of_home(key, payer)]
        for place, each in zip(own, spread(min(part, amount), [purses[place][1] for place in own]), strict=True):
            taken[place] = each
        amount -= sum(taken[place] for place in own)
    others = [place for place, (key, _left) in enumerate(purses) if not any(is_of_home(key, payer) for payer in homes)]
    rest = others or list(range(len(purses)))
    for place, each in zip(rest, spread(amount, [purses[place][1] - taken[place] for place in rest]), strict=True):
        taken[place] += each
    return tuple(taken)


def is_of_home(key: str, payer: str) -> bool:
    """Whether a voucher's account is of the platform of a home: numbers begin with it."""
    return key.split(":", 2)[-1].startswith(f"{home_platform(payer)}/")


def spread(amount: int, left: Sequence[int]) -> tuple[int, ...]:
    """``amount`` (fen) taken from several purses one after the other; the last one takes what no purse has, and the ledger refuses."""
    taken = []
    for place, room in enumerate(left):
        part = amount if place == len(left) - 1 else min(amount, max(0, room))
        taken.append(part)
        amount -= part
    return tuple(taken)
