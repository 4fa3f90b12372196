"""One programme decided many times over: what comes out of the same facts again is not worked out again.

The same conditions, rates and cuts as in ``evaluate``, which stays the only place that says how they follow each other. Beside them this
knows one thing: a rule that has looked at some groups of facts only gives the same for the same of them. Nothing is assumed about which
rule looks where: each is first run on facts that have nothing in them, then on more and more, until it finds what it looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import combinations
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar, cast

from billing.subsidy.rules.cutting import Cutting, Worked
from billing.subsidy.rules.evaluate import Balances, unset_limits, worked_out
from billing.subsidy.rules.facts import Amounts, Facts, More, Party, Quantities, Service
from billing.subsidy.rules.outcome import Award, Outcome, Refused, SettlementMode, Unmet
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.programme import Condition, Programme
from billing.subsidy.rules.sides import evaluate_sides

MOST = 200_000
"""So many results of one kind are remembered; then it begins anew."""


class Named(NamedTuple):
    """Names for what a request is made of: the same name stands for equal facts. ``who``: everything but service and amounts."""

    who: Hashable
    service: Hashable
    amounts: Hashable


_WHO = ("applicant", "provider", "instrument", "grade", "more")
_GROUPS = (_WHO, ("service",), ("amounts", "quantities"))
"""The facts that each part of a ``Named`` stands for."""


class Request:
    """Facts, or some of their groups: to look at one that is left out is an AttributeError."""

    __slots__ = (*_WHO, "amounts", "quantities", "service")
    applicant: Party
    provider: Party
    instrument: Party
    service: Service
    amounts: Amounts
    quantities: Quantities
    grade: str | None
    more: More

    @classmethod
    def of(cls, who: Facts, service: Service, amounts: Amounts, quantities: Quantities) -> Request:
        """All of them; ``who`` knows those that no other argument brings."""
        made = cls()
        made.applicant, made.provider, made.instrument = who.applicant, who.provider, who.instrument
        made.grade, made.more = who.grade, who.more
        made.service, made.amounts, made.quantities = service, amounts, quantities
        return made

    def with_more(self, more: More, applicant: Party | None = None) -> Request:
        """The same, with other facts of the group ``more``, and perhaps another applicant."""
        made = Request()
        made.applicant, made.provider, made.instrument = applicant or self.applicant, self.provider, self.instrument
        made.grade = self.grade
        made.service, made.amounts, made.quantities, made.more = self.service, self.amounts, self.quantities, more
        return made

    def only(self, groups: Sequence[str]) -> Request:
        part = Request()
        for name in groups:
            setattr(part, name, getattr(self, name))
        return part

    @property
    def facts(self) -> Facts:
        """As the rules take them, which ask for nothing but the groups."""
        return cast(Facts, self)


R = TypeVar("R")
Rule = Callable[[Facts], R | None]


class _Shelf(Generic[R]):
    """Rules that look at these groups at most, and what came out of them."""

    __slots__ = ("groups", "known", "name", "rules")

    def __init__(self, places: Sequence[int]) -> None:
        self.name: Callable[[Named], Hashable] = itemgetter(*places) if places else _nobody
        self.groups = tuple(group for place in places for group in _GROUPS[place])
        self.rules: list[tuple[int, Rule[R]]] = []
        self.known: dict[Hashable, tuple[tuple[int, R], ...]] = {}


def _nobody(_named: Named) -> Hashable:
    return None


class Remembered(Generic[R]):
    """Rules side by side; called with a request, the results with the rule's place, those left out that said nothing (None)."""

    def __init__(self, rules: Sequence[Rule[R]]) -> None:
        self._shelves = [_Shelf[R](places) for count in range(4) for places in combinations(range(3), count)]
        self._shelves[0].rules = list(enumerate(rules))
        self._used = [self._shelves[0]]

    def __call__(self, named: Named, request: Request) -> list[tuple[int, R]]:
        found: list[tuple[int, R]] = []
        for shelf in self._used:
            known = shelf.known.get(shelf.name(named))
            if known is None:
                self._look(shelf, named, request)
                return self(named, request)
            found += known
        return found

    def _look(self, shelf: _Shelf[R], named: Named, request: Request) -> None:
        """Run the rules of a shelf; one that looks further moves to the next."""
        part = request.only(shelf.groups)
        found = []
        for rule in list(shelf.rules):
            try:
                result = rule[1](part.facts)
            except AttributeError:
                if shelf is self._shelves[-1]:
                    raise
                shelf.rules.remove(rule)
                following = self._shelves[self._shelves.index(shelf) + 1]
                following.rules.append(rule)
                following.known.clear()
                continue
            if result is not None:
                found.append((rule[0], result))
        if len(shelf.known) >= MOST:
            shelf.known.clear()
        shelf.known[shelf.name(named)] = tuple(found)
        self._used = [each for each in self._shelves if each.rules]


class _Generous(Cutting):
    """Cuts as if every account were full, and notes what each was asked for: where an account has that much, the award is the same.
    ``counted``: the caps with an account here. ``depends``: not so here, because what an account holds decides more than whether it is
    short."""

    __slots__ = ("asked", "counted", "depends")

    def __init__(self, programme: Programme, facts: Facts, counted: frozenset[str]) -> None:
        super().__init__(programme, facts, {}, [])
        self.counted = counted
        self.asked: list[tuple[Cap, int]] = []
        self.depends = False

    def _cut(self, cap: Cap, amount: int) -> int:
        if not self._is_counted(cap):
            self.depends = self.depends or cap.share_of is not None
            return super()._cut(cap, amount)
        if not cap.selective or cap.applies(self.facts):
            self.asked.append((cap, amount))
        return amount

    def _is_counted(self, cap: Cap) -> bool:
        return cap.id in self.counted

    def _room_of(self, payer: str) -> int | None:
        own = (cap for cap in self.programme.payer_caps if cap.payer == payer)
        self.depends = self.depends or any(cap.on_account or cap.if_named or cap.share_of is not None for cap in own)
        return super()._room_of(payer)


class _Expected(NamedTuple):
    """What the amounts come to, and the award where no account is short (None where that depends on what accounts hold). ``asked``: at
    least how much (fen) each account has to have, ``drawn`` what it then gives."""

    worked: Worked
    award: Award | None
    asked: tuple[tuple[Cap, int], ...]
    drawn: Mapping[str, int]


class _One:
    """A programme of one side."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self._of_one_piece = frozenset(cap.id for cap in programme.caps if not cap.on_account)
        self._always = frozenset(cap.id for cap in programme.caps if cap.on_account)
        self._if_named = [cap for cap in programme.caps if cap.if_named]
        self._conditions = Remembered[Unmet]([_unmet(each) for each in programme.conditions])
        self._expecting: dict[frozenset[str], Remembered[_Expected]] = {}

    def unmet(self, named: Named, request: Request, balances: Balances) -> bool:
        """Whether ``unmet_conditions`` finds anything."""
        if self._conditions(named, request):
            return True
        return bool(self.programme.must_be_set and unset_limits(self.programme, balances))

    def decide(self, named: Named, request: Request, balances: Balances, cost_left_fen: int | None) -> Outcome:
        """As ``evaluate_one``, without steps."""
        programme, facts = self.programme, request.facts
        found = self._conditions(named, request)
        unmet = [programme.in_its_words(each) for each in _in_order(found)] if found else []
        if programme.must_be_set:
            unmet += unset_limits(programme, balances)
        basis_on = programme.validity.basis_on(facts)
        if unmet or basis_on is None:
            return Refused(programme.code, programme.version, tuple(unmet), ())
        expected = self._expected(named, request)
        cost = expected.worked.cost_fen
        enough = cost_left_fen is None or (cost is not None and cost_left_fen >= cost)
        paid = enough or programme.mode is SettlementMode.PAID_BESIDE
        if paid and expected.award is not None and self._of_one_piece.isdisjoint(balances):
            left_after = _left_after(expected, facts, balances)
            if left_after is not None:
                return _with(expected.award, basis_on, {each: expected.drawn[each] for each in left_after}, left_after)
        worked = expected.worked._replace(basis_on=basis_on)
        outcome = Cutting(programme, facts, balances, []).award(worked, cost_left_fen)
        return outcome._replace(steps=())

    def _expected(self, named: Named, request: Request) -> _Expected:
        """Which limits have an account is asked first: whoever looked at the service for it would remember the same for each day anew."""
        counted = (
            self._always.union(cap.id for cap in self._if_named if cap.is_counted(request.facts))
            if self._if_named
            else self._always
        )
        remembered = self._expecting.get(counted)
        if remembered is None:
            remembered = self._expecting[counted] = Remembered([partial(self._expect, counted)])
        return remembered(named, request)[0][1]

    def _expect(self, counted: frozenset[str], facts: Facts) -> _Expected:
        worked = worked_out(self.programme, facts, date.min, [])
        cutting = _Generous(self.programme, facts, counted)
        outcome = cutting.award(worked, None)
        if cutting.depends or not isinstance(outcome, Award):
            return _Expected(worked, None, (), {})
        parts = {line.payer: line.amount_fen for line in outcome.lines}
        drawn = {cap.id: parts[cap.payer] if cap.payer else outcome.total_fen for cap, _asked in cutting.asked}
        return _Expected(worked, outcome, tuple(cutting.asked), drawn)


def _unmet(condition: Condition) -> Rule[Unmet]:
    def rule(facts: Facts) -> Unmet | None:
        found = condition.check(facts)
        return found if isinstance(found, Unmet) else None

    return rule


def _in_order(found: list[tuple[int, Unmet]]) -> list[Unmet]:
    """In the order of the conditions, each said once."""
    unmet: list[Unmet] = []
    for _place, each in sorted(found, key=itemgetter(0)):
        if each not in unmet:
            unmet.append(each)
    return unmet


def _left_after(expected: _Expected, facts: Facts, balances: Balances) -> dict[str, int] | None:
    """What is left on each account that limits the award, None when one of them is short or others pay what is drawn there."""
    left: dict[str, int] = {}
    for cap, asked_fen in expected.asked:
        balance = balances.get(cap.id)
        if balance is not None and balance.homes:
            return None
        room = cap.room(balance, facts, balances)
        if room is None:
            continue
        if room < asked_fen:
            return None
        left[cap.id] = room - expected.drawn[cap.id]
    return left


def _with(award: Award, basis_on: date, draws: Mapping[str, int], left_after: Mapping[str, int]) -> Award:
    """The award of another day on other accounts (as ``_replace``, which takes longer)."""
    return Award(
        award.programme, award.version, award.mode, award.payee, award.lines, award.total_fen, award.base_fen, award.computed_fen,
        basis_on, award.estimate, award.binding_caps, left_after, draws, (),
    )  # fmt: skip


class Deciding:
    """``evaluate`` of one programme, again and again; the outcomes are the same but for their steps, which are left out."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._one = {id(each): _One(each) for each in (programme, *(side.programme for side in programme.sides))}

    def unmet(self, named: Named, request: Request, balances: Balances) -> bool:
        """Whether a programme of one side does not hold for a request."""
        return self._one[id(self._programme)].unmet(named, request, balances)

    def decide(self, named: Named, request: Request, balances: Balances, cost_left_fen: int | None) -> Outcome:
        """``named`` has a name for each part of ``request``: the same one always for equal facts."""
        if not self._programme.sides:
            return self._one[id(self._programme)].decide(named, request, balances, cost_left_fen)

        both = self._programme.of_both_sides

        def one(programme: Programme, own: Facts, used: Balances, left_fen: int | None) -> Outcome:
            name = named._replace(who=(named.who, own.more.request.side)) if both else named
            return self._one[id(programme)].decide(name, cast(Request, own), used, left_fen)

        return evaluate_sides(self._programme, request.facts, balances, cost_left_fen, one)
