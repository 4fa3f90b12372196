"""Awards that wait until their batch is closed, and what the rules over a whole batch leave of them.

The rules are those of ``over_batch``, which also decide when a real batch is closed; only what the same facts come to is remembered here.
As there, a batch is of one way of settlement, nothing above what was promised is given, and what is cut goes back to its accounts.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from billing.ledger.rules.money import split_largest_remainder
from billing.subsidy.rules.batch import Claim, Opening, over_batch
from billing.subsidy.rules.evaluate import Balances
from billing.subsidy.rules.facts import BatchTotals, Facts, More
from billing.subsidy.rules.outcome import Award, Balance, Home, Outcome, SettlementMode, home_payer, home_platform, paid_by_homes
from billing.subsidy.rules.parts.caps import CapPer
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.remembered import Deciding, Named, Request
from billing.subsidy.rules.sides import in_one_way
from billing.vouchers.rules.backing import is_issued

_ELSEWHERE = home_payer("elsewhere")
"""Who pays what other regions pay: which of them does not matter here."""


_UNNAMED, _UNASKED = Named(None, None, None), Request()


@dataclass(frozen=True, slots=True)
class NamedClaim(Claim):
    """A claim with the names under which what it comes to is remembered."""

    named: Named = _UNNAMED
    request: Request = _UNASKED


class Remembering:
    """Claims of one batch decided by what was remembered of others; of several programmes, which are those that the batch makes of one."""

    def __init__(self) -> None:
        self._latest: tuple[Programme | None, Deciding | None] = (None, None)
        self._more: dict[Any, tuple[Any, More]] = {}
        self._of_sides: dict[int, Deciding] = {}

    def unmet(self, programme: Programme, claim: NamedClaim, balances: Balances) -> bool:
        return self._unmet(programme).unmet(claim.named, claim.request, balances)

    def decide(self, programme: Programme, claim: NamedClaim, balances: Balances) -> Outcome:
        return self._deciding(programme).decide(claim.named, claim.request, balances, None)

    def told(self, claim: NamedClaim, totals: BatchTotals) -> NamedClaim:
        """All claims of a batch are told the same, so that their names stay."""
        known = self._more.get(claim.named.who)
        if known is None or known[0] is not claim.request.more:
            known = self._more[claim.named.who] = claim.request.more, replace(claim.request.more, batch=totals)
        request = claim.request.with_more(known[1])
        return NamedClaim(claim.id, request.facts, claim.homes, claim.named, request)

    def of_side(self, claim: NamedClaim, own: Facts) -> NamedClaim:
        named = claim.named._replace(who=(claim.named.who, own.more.request.side))
        return NamedClaim(claim.id, own, claim.homes, named, cast(Request, own))

    def _unmet(self, programme: Programme) -> Deciding:
        """Of every side whose rate is fixed afterwards."""
        deciding = self._of_sides.get(id(programme))
        if deciding is None:
            deciding = self._of_sides[id(programme)] = Deciding(programme)
        return deciding

    def _deciding(self, programme: Programme) -> Deciding:
        """A batch is gone through under one programme after the other: what was remembered of the one before is let go of."""
        of, deciding = self._latest
        if deciding is None or of is not programme:
            deciding = Deciding(programme)
            self._latest = programme, deciding
        return deciding


class Beside(NamedTuple):
    """What only some awards have, as plain JSON: the voucher that the rule was told with its first day, what came before in the year,
    what was drawn on our own vouchers (key of the account, fen), and the face value (fen) and count of vouchers that it was told."""

    voucher: tuple[str, str] | None
    before: tuple[Any, ...] | None
    drawn: list[tuple[str, int]]
    told: tuple[int | None, int | None] | None = None


NOTHING_BESIDE = Beside(None, None, [])


Used = int
NOTHING_USED, USED, OWNER_ALONE = 0, 1, 2
"""What a customer had of a programme before; of one that both sides claim perhaps only an owner had something for its use."""


class Waits(NamedTuple):
    """An award that waits: where its row stands, what the customer had of the programme before, whether the amount is an estimate, whether
    the service's own grade counted, and whatever is beside."""

    place: int
    used_before: Used
    estimate: bool
    graded: bool
    beside: Beside


class Cut(NamedTuple):
    """What a batch takes of an award and what it leaves of it (fen), and what goes back to which accounts: by cap id, and by key of our own
    vouchers."""

    waits: Waits
    less_fen: int
    left_fen: int
    caps: dict[str, int]
    vouchers: dict[str, int]


class Batch(NamedTuple):
    """What a batch came to: how many awards stood in it, what they gave (fen), of how many something was cut, and how much."""

    claims: int
    asked_fen: int
    cut_claims: int
    cut_fen: int


def _flags(waits: Waits) -> int:
    return (waits.used_before > NOTHING_USED) + 2 * waits.estimate + 4 * waits.graded + 8 * (waits.used_before == OWNER_ALONE)


ClaimOf = Callable[[Waits, int], NamedClaim]
"""An award that waits, and what other regions pay of it, as a claim."""
Take = Callable[[Cut], None]
"""Gives back to accounts and sums what was cut."""


class Waiting:
    """Awards in columns of whole numbers: where the row stands, flags in one, for each way of settlement what is given and what of it
    other regions pay, for each limit what was drawn. ``keeps_beside``: there is more to know of each."""

    def __init__(self, programme: Programme, *, keeps_beside: bool, state: Mapping[str, Any] | None = None) -> None:
        kept = state or {}
        self._programme = programme
        self._modes = sorted({side.programme.mode for side in programme.sides} or {programme.mode})
        self._caps = [cap.id for cap in programme.caps if cap.on_account or cap.if_named]
        self._ways = {cap_id: self._ways_of(cap_id) for cap_id in self._caps}
        self._backed = next((cap.id for cap in programme.joint_caps if is_issued(cap)), "")
        self._width = 2 + 2 * len(self._modes) + len(self._caps)
        self._columns = array("q", kept.get("columns", ()))
        self._beside = [Beside(*each) for each in kept.get("beside", ())] if keeps_beside else None

    def __len__(self) -> int:
        return len(self._columns) // self._width

    def state(self) -> dict[str, Any]:
        """Plain JSON, from which it goes on."""
        return {"columns": self._columns.tolist(), "beside": self._beside or []}

    def add(self, waits: Waits, award: Award, draws: Mapping[str, int]) -> None:
        """``draws`` without what is drawn on vouchers."""
        columns = [waits.place, _flags(waits)]
        for mode in self._modes:
            columns += _in_mode(award, mode)
        self._columns.extend([*columns, *(draws.get(cap_id, 0) for cap_id in self._caps)])
        if self._beside is not None:
            self._beside.append(waits.beside)

    def close(self, used: Mapping[str, int], limit_fen: int | None, claim_of: ClaimOf, take: Take) -> list[Batch]:
        """The batch of each way of settlement, one after the other, so that the next one finds in ``used`` what was cut of the one before.
        ``limit_fen``: what is in the pools in place of what the document says. It begins anew then."""
        found = [self._of_mode(place, used, limit_fen, claim_of, take) for place in range(len(self._modes))]
        del self._columns[:]
        if self._beside is not None:
            self._beside.clear()
        return found

    def _of_mode(self, place: int, used: Mapping[str, int], limit_fen: int | None, claim_of: ClaimOf, take: Take) -> Batch:
        claims = _OfMode(self, place, claim_of)
        decided = over_batch(self._programme, claims, self._opening(claims, used, limit_fen), Remembering())
        count = asked = cut_claims = cut_fen = 0
        for number, outcome in zip(claims.numbers(), decided.outcomes, strict=True):
            given, homes = self.given(number, place)
            count += 1
            asked += given
            less = given - homes - self._kept(outcome, place, homes)
            if less > 0:
                cut_claims += 1
                cut_fen += less
                take(self._cut(number, place, less))
        return Batch(count, asked, cut_claims, cut_fen)

    def _kept(self, outcome: Outcome, place: int, homes_fen: int) -> int:
        """What a rule leaves of our part, as ``billing.claims.services.batch_rules`` reads it."""
        if not isinstance(outcome, Award):
            return 0
        mode = self._modes[place]
        if not homes_fen:
            return outcome.given_fen(mode)
        return sum(line.amount_fen for line in in_one_way(outcome, mode).lines if not home_platform(line.payer))

    def _opening(self, claims: _OfMode, used: Mapping[str, int], limit_fen: int | None) -> Opening:
        """What the pools have: what others took is gone, what these claims draw is to be divided."""
        pools = {cap.id for cap in self._programme.caps if cap.per is CapPer.POOL and cap.share_of is None}
        own = dict.fromkeys(pools, 0)
        for number in claims.numbers():
            given, _homes = self.given(number, claims.mode)
            for cap_id, drawn in self._draws(number).items():
                if cap_id in own and claims.mode in self._ways[cap_id]:
                    own[cap_id] += _part(drawn, given, self._given_in_all(number, self._ways[cap_id]))
        return Opening({cap_id: Balance(limit_fen, max(0, used.get(cap_id, 0) - own[cap_id])) for cap_id in pools}, {})

    def _cut(self, number: int, place: int, less_fen: int) -> Cut:
        """Take it off; every account that paid something of it gets back the same share of what it had paid, of the whole or of what is
        ours."""
        whole, ours = self._given_in_all(number), self._ours_in(number, range(len(self._modes)))
        draws = self._draws(number)
        caps = {
            cap_id: _part(drawn, less_fen, self._paid_by(number, cap_id, drawn))
            for cap_id, drawn in draws.items()
            if drawn and place in self._ways[cap_id]
        }
        begin = number * self._width
        self._columns[begin + 2 + 2 * place] -= less_fen
        first = begin + 2 + 2 * len(self._modes)
        for offset, cap_id in enumerate(self._caps):
            self._columns[first + offset] -= caps.get(cap_id, 0)
        waits = self.waits(number)
        vouchers = {key: _part(drawn, less_fen, ours) for key, drawn in waits.beside.drawn}
        if vouchers and self._beside is not None:
            left = [(key, drawn - vouchers[key]) for key, drawn in waits.beside.drawn]
            self._beside[number] = waits.beside._replace(drawn=left)
        return Cut(waits, less_fen, whole - less_fen, caps, vouchers)

    def waits(self, number: int) -> Waits:
        begin = number * self._width
        place, flags = self._columns[begin], self._columns[begin + 1]
        beside = self._beside[number] if self._beside is not None else NOTHING_BESIDE
        used = OWNER_ALONE if flags & 8 else flags & 1
        return Waits(place, used, bool(flags & 2), bool(flags & 4), beside)

    def given(self, number: int, mode: int) -> tuple[int, int]:
        """What an award gives in one way of settlement, and what of it other regions pay."""
        begin = number * self._width + 2 + 2 * mode
        return self._columns[begin], self._columns[begin + 1]

    def homes(self, homes_fen: int) -> dict[str, tuple[Home, ...]]:
        """What a claim is told of the part of other regions."""
        return {self._backed: (Home(_ELSEWHERE, homes_fen),)} if homes_fen else {}

    def _ways_of(self, cap_id: str) -> Sequence[int]:
        """The places of the ways of settlement of the sides that a limit limits."""
        limited = {side.programme.mode for side in self._programme.sides if any(cap.id == cap_id for cap in side.programme.caps)}
        return [place for place, mode in enumerate(self._modes) if not limited or mode in limited]

    def _paid_by(self, number: int, cap_id: str, drawn_fen: int) -> int:
        """Of how much a limit paid what was drawn on it."""
        ours = self._ours_in(number, self._ways[cap_id])
        return self._given_in_all(number, self._ways[cap_id]) if drawn_fen > ours else ours

    def _ours_in(self, number: int, modes: Sequence[int]) -> int:
        return self._given_in_all(number, modes) - sum(self.given(number, mode)[1] for mode in modes)

    def _given_in_all(self, number: int, modes: Sequence[int] | None = None) -> int:
        every = range(len(self._modes)) if modes is None else modes
        return sum(self.given(number, mode)[0] for mode in every)

    def _draws(self, number: int) -> dict[str, int]:
        begin = number * self._width + 2 + 2 * len(self._modes)
        return dict(zip(self._caps, self._columns[begin : begin + len(self._caps)], strict=True))


class _OfMode:
    """The awards that give something in one way of settlement, made into claims each time they are gone through."""

    def __init__(self, waiting: Waiting, mode: int, claim_of: ClaimOf) -> None:
        self.mode = mode
        self._waiting, self._claim_of = waiting, claim_of

    def numbers(self) -> Iterator[int]:
        return (number for number in range(len(self._waiting)) if self._waiting.given(number, self.mode)[0])

    def __iter__(self) -> Iterator[NamedClaim]:
        for number in self.numbers():
            yield self._claim_of(self._waiting.waits(number), self._waiting.given(number, self.mode)[1])


def _in_mode(award: Award, mode: SettlementMode) -> tuple[int, int]:
    given = award.given_fen(mode)
    if award.sides is None:
        return given, sum(paid_by_homes(award).values()) if given else 0
    return given, sum(paid_by_homes(in_one_way(award, mode)).values())


def _part(drawn_fen: int, less_fen: int, whole_fen: int) -> int:
    """Of what was drawn, the share that ``less_fen`` is of the whole, rounded once."""
    if drawn_fen == whole_fen:
        return less_fen
    return split_largest_remainder(drawn_fen, [less_fen, whole_fen - less_fen])[0] if less_fen else 0
