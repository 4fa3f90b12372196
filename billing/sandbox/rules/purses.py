"""Vouchers in a trial: limited accounts of the applicants that services draw on in order, each unused at the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from billing.ledger.rules.money import Rounding, round_fen
from billing.subsidy.rules.outcome import Balance, Home
from billing.subsidy.rules.programme import Programme
from billing.vouchers.rules.backing import Usable, is_issued, spread_by_home, turn


class Purse(NamedTuple):
    """A voucher and what it is worth (fen)."""

    voucher: Usable
    face_fen: int

    def left_fen(self, used: Mapping[str, int]) -> int:
        return max(0, self.face_fen - used.get(self.voucher.key, 0))


Vouchers = Mapping[str, Mapping[int, Sequence[Purse]]]
"""By the id of the cap and the customer, in the order in which they are used up. Without anything: none was issued."""


def by_holder(purses: Iterable[tuple[int, Purse]]) -> Vouchers:
    """(customer, purse) as a simulation takes them."""
    found: dict[str, dict[int, list[Purse]]] = {}
    for customer, purse in purses:
        found.setdefault(purse.voucher.cap_id, {}).setdefault(customer, []).append(purse)
    for holders in found.values():
        for own in holders.values():
            own.sort(key=lambda each: turn(each.voucher))
    return found


def lent(vouchers: Vouchers, programme: Programme) -> Vouchers:
    """Vouchers of another programme behind the limits of this one: behind the limit of the same id, else behind its first that vouchers are
    issued for. Nothing where it has none."""
    own = [cap.id for cap in programme.caps if is_issued(cap)]
    if not own:
        return {}
    return by_holder(
        (customer, purse._replace(voucher=replace(purse.voucher, cap_id=cap_id if cap_id in own else own[0])))
        for cap_id, holders in vouchers.items()
        for customer, purses in holders.items()
        for purse in purses
    )


def issued_under(programme: Programme, vouchers: Vouchers) -> dict[str, int] | None:
    """How many vouchers stand behind the limits of a programme, of how many customers, and what they are worth together (fen); None where
    it has no limit that vouchers are issued for."""
    caps = [cap.id for cap in programme.caps if is_issued(cap)]
    if not caps:
        return None
    held = [(customer, purse) for cap_id in caps for customer, own in vouchers.get(cap_id, {}).items() for purse in own]
    holders = {customer for customer, _purse in held}
    return {"count": len(held), "holders": len(holders), "worth_fen": sum(purse.face_fen for _customer, purse in held)}


def moved(vouchers: Vouchers, percent: int) -> Vouchers:
    """The same vouchers, each worth so many whole per cent more (below nil: less)."""
    return {
        cap_id: {customer: [_moved(purse, percent) for purse in own] for customer, own in holders.items()}
        for cap_id, holders in vouchers.items()
    }


def _moved(purse: Purse, percent: int) -> Purse:
    return purse._replace(face_fen=round_fen(Fraction(purse.face_fen * (100 + percent), 100), Rounding.HALF_UP))


def open_on(purses: Sequence[Purse], on: date) -> list[Purse]:
    """Those that hold on the day that counts."""
    return [purse for purse in purses if purse.voucher.covers(on)]


def balance_of(purses: Sequence[Purse], used: Mapping[str, int]) -> Balance:
    """Several vouchers as one account, as they stand behind a cap; without any there is nothing to take from."""
    homes = tuple(Home(purse.voucher.payer, purse.left_fen(used)) for purse in purses if purse.voucher.payer)
    spent = sum(used.get(purse.voucher.key, 0) for purse in purses)
    return Balance(sum(purse.face_fen for purse in purses), spent, homes=homes)


def draw(purses: Sequence[Purse], amount_fen: int, homes: Mapping[str, int], used: dict[str, int]) -> list[tuple[str, int]]:
    """Take an amount from vouchers, what each home pays from its own; what was taken from ours (key of the account, fen)."""
    lefts = [(purse.voucher.key, purse.left_fen(used)) for purse in purses]
    ours = []
    for purse, part in zip(purses, spread_by_home(amount_fen, lefts, homes), strict=True):
        if part:
            key = purse.voucher.key
            used[key] = used.get(key, 0) + part
            if not purse.voucher.payer:
                ours.append((key, part))
    return ours
