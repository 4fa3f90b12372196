"""What a programme is told of the vouchers behind its limits: the one that is used first and, where it asks, its face value and how many
there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.voucher_facts import COUNT, FACE_VALUE
from billing.vouchers.rules.backing import Usable


def with_vouchers(facts: Facts, asked: Collection[str], vouchers: Sequence[tuple[Usable, bool]]) -> Facts:
    """The facts with ``vouchers`` that hold on the day, in the order in which they are used up, each with whether anything is left of it.
    The first that has something left is the one that is drawn on; where nothing is left of any, the first is named all the same, and its
    limit says that it is used up. ``asked``: which of ``voucher_facts`` are told."""
    if not vouchers:
        return facts
    first, more = first_used(vouchers), facts.more
    facts = replace(
        facts, more=replace(more, request=replace(more.request, voucher=first.number, voucher_issued_on=first.valid_from))
    )
    if not asked:
        return facts
    return told(facts, *asked_of(asked, vouchers))


def asked_of(asked: Collection[str], vouchers: Sequence[tuple[Usable, bool]]) -> tuple[int | None, int | None]:
    """Face value (fen) and count, each where it is asked; of vouchers as in ``with_vouchers``, at least one."""
    face_fen = first_used(vouchers).face_fen if FACE_VALUE in asked else None
    return face_fen, count_of(vouchers) if COUNT in asked else None


def first_used(vouchers: Sequence[tuple[Usable, bool]]) -> Usable:
    """The voucher that is drawn on first."""
    return next((voucher for voucher, is_left in vouchers if is_left), vouchers[0][0])


def count_of(vouchers: Sequence[tuple[Usable, bool]]) -> int:
    """How many have something left."""
    return sum(is_left for _voucher, is_left in vouchers)


def without_vouchers(facts: Facts) -> Facts:
    """The facts as if there were none."""
    request = replace(facts.more.request, voucher=None, voucher_issued_on=None)
    return told(replace(facts, more=replace(facts.more, request=request)), None, None)


def told(facts: Facts, face_fen: int | None, count: int | None) -> Facts:
    """With what is told of vouchers, or not."""
    amounts, quantities = facts.amounts, facts.quantities
    if amounts.claim.face_value != face_fen:
        amounts = replace(amounts, claim=replace(amounts.claim, face_value=face_fen))
    if quantities.counts.vouchers != count:
        quantities = replace(quantities, counts=replace(quantities.counts, vouchers=count))
    return replace(facts, amounts=amounts, quantities=quantities)
