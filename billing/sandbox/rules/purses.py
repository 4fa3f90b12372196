"""Vouchers in a trial: limited accounts of the applicants that services draw on in order, each unused at the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from billing.ledger.rules.money import Rounding, round_fen
from billing.subsidy.rules.outcome import Balance, Home
from billing.subsidy.rules.programme import Programme
from billing.vouchers.rules.backing import Usable, is_issued, spread_by_home, turn

Vouchers = Mapping[str, Mapping[int, Sequence[Usable]]]
"""By the id of the cap and the customer, in the order in which they are used up. Without anything: none was issued."""


def by_holder(vouchers: Iterable[tuple[int, Usable]]) -> Vouchers:
    """(customer, voucher) as a simulation takes them."""
    found: dict[str, dict[int, list[Usable]]] = {}
    for customer, voucher in vouchers:
        found.setdefault(voucher.cap_id, {}).setdefault(customer, []).append(voucher)
    for holders in found.values():
        for own in holders.values():
            own.sort(key=turn)
    return found


def left_fen(voucher: Usable, used: Mapping[str, int]) -> int:
    """What is left of a voucher; ``used`` by the key of its account (fen)."""
    return max(0, voucher.face_fen - used.get(voucher.key, 0))


def lent(vouchers: Vouchers, programme: Programme) -> Vouchers:
    """Vouchers of another programme behind the limits of this one: behind the limit of the same id, else behind its first that vouchers are
    issued for. Nothing where it has none."""
    own = [cap.id for cap in programme.caps if is_issued(cap)]
    if not own:
        return {}
    return by_holder(
        (customer, replace(voucher, cap_id=cap_id if cap_id in own else own[0]))
        for cap_id, holders in vouchers.items()
        for customer, held in holders.items()
        for voucher in held
    )


def issued_under(programme: Programme, vouchers: Vouchers) -> dict[str, int] | None:
    """How many vouchers stand behind the limits of a programme, of how many customers, and what they are worth together (fen); None where
    it has no limit that vouchers are issued for."""
    caps = [cap.id for cap in programme.caps if is_issued(cap)]
    if not caps:
        return None
    held = [(customer, each) for cap_id in caps for customer, own in vouchers.get(cap_id, {}).items() for each in own]
    holders = {customer for customer, _voucher in held}
    return {"count": len(held), "holders": len(holders), "worth_fen": sum(voucher.face_fen for _customer, voucher in held)}


def moved(vouchers: Vouchers, percent: int) -> Vouchers:
    """The same vouchers, each worth so many whole per cent more (below nil: less)."""
    return {
        cap_id: {customer: [_moved(voucher, percent) for voucher in own] for customer, own in holders.items()}
        for cap_id, holders in vouchers.items()
    }


def _moved(voucher: Usable, percent: int) -> Usable:
    return replace(voucher, face_fen=round_fen(Fraction(voucher.face_fen * (100 + percent), 100), Rounding.HALF_UP))


def open_on(vouchers: Sequence[Usable], on: date) -> list[Usable]:
    """Those that hold on the day that counts."""
    return [voucher for voucher in vouchers if voucher.covers(on)]


def balance_of(vouchers: Sequence[Usable], used: Mapping[str, int]) -> Balance:
    """Several vouchers as one account, as they stand behind a cap; without any there is nothing to take from."""
    homes = tuple(Home(voucher.payer, left_fen(voucher, used)) for voucher in vouchers if voucher.payer)
    spent = sum(used.get(voucher.key, 0) for voucher in vouchers)
    return Balance(sum(voucher.face_fen for voucher in vouchers), spent, homes=homes)


def draw(vouchers: Sequence[Usable], amount_fen: int, homes: Mapping[str, int], used: dict[str, int]) -> list[tuple[str, int]]:
    """Take an amount from vouchers, what each home pays from its own; what was taken from ours (key of the account, fen)."""
    lefts = [(voucher.key, left_fen(voucher, used)) for voucher in vouchers]
    ours = []
    for voucher, part in zip(vouchers, spread_by_home(amount_fen, lefts, homes), strict=True):
        if part:
            used[voucher.key] = used.get(voucher.key, 0) + part
            if not voucher.payer:
                ours.append((voucher.key, part))
    return ours
