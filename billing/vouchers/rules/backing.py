"""Which caps of a programme vouchers stand behind, and the keys of their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing.subsidy.rules.parts.caps import Cap

VOUCHER = "voucher"


@dataclass(frozen=True, slots=True)
class Usable:
    """A voucher of an applicant as a limited account. Days are local, both included."""

    key: str
    programme_id: int
    cap_id: str
    number: str
    valid_from: date
    valid_to: date

    def covers(self, on: date) -> bool:
        return self.valid_from <= on <= self.valid_to


def is_issued(cap: Cap) -> bool:
    """Whether the limit of a cap is what was issued to the applicant: a cap per voucher, or a total quota that only issuing sets."""
    return cap.per.value == VOUCHER or (cap.per.value == "unit_total" and cap.configured and cap.refuse_when_unset)


def behind(cap: Cap, programme_id: int, on: date, vouchers: Sequence[Usable]) -> tuple[Usable, ...]:
    """The vouchers behind a cap on the date that counts, in the order in which they are used up: what ends first goes first."""
    if not is_issued(cap):
        return ()
    found = [each for each in vouchers if (each.programme_id, each.cap_id) == (programme_id, cap.id) and each.covers(on)]
    return tuple(sorted(found, key=lambda each: (each.valid_to, each.number)))


def voucher_key(cap_id: str, number: str) -> str:
    """The key of a voucher's account."""
    return f"{VOUCHER}:{cap_id}:{number}"


def spread(amount: int, left: Sequence[int]) -> tuple[int, ...]:
    """``amount`` (fen) taken from several purses one after the other; the last one takes what no purse has, and the ledger refuses."""
    taken = []
    for place, room in enumerate(left):
        part = amount if place == len(left) - 1 else min(amount, max(0, room))
        taken.append(part)
        amount -= part
    return tuple(taken)
