"""One programme over many services (sessions and commissioned tests), one after the other: what each gets, what is used of every limit and
voucher, and the sums that a page shows.

Pure, and small enough to be written down and taken up again: ``state`` is plain JSON, and a simulation made from it goes on as if it
had never stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from billing.firms.rules.incomes import year_before
from billing.sandbox.rules import priced_counts, spending
from billing.sandbox.rules.batches import (
    NOTHING_BESIDE,
    NOTHING_USED,
    OWNER_ALONE,
    USED,
    Beside,
    Cut,
    NamedClaim,
    Used,
    Waiting,
    Waits,
)
from billing.sandbox.rules.purses import Vouchers, balance_of, draw, left_fen, open_on
from billing.sandbox.rules.rows import Income, Kept, Row
from billing.subsidy.rules import given_here, with_claim
from billing.subsidy.rules.batch import has_batch_rules
from billing.subsidy.rules.before import NOTHING, going_on, together
from billing.subsidy.rules.facts import (
    NO_CLAIM_AMOUNTS,
    Amounts,
    Before,
    ClaimAmounts,
    Facts,
    Party,
    Quantities,
    Service,
    parse_facts,
)
from billing.subsidy.rules.given_here import Given
from billing.subsidy.rules.outcome import FACT_MISSING, Award, Balance, Home, Outcome, Unmet, paid_by_homes
from billing.subsidy.rules.parts.caps import YEARLY, Cap, CapPer
from billing.subsidy.rules.priced_facts import from_outside
from billing.subsidy.rules.programme import Programme, read_programme
from billing.subsidy.rules.questions import PERSONS, only_asked, with_values
from billing.subsidy.rules.remembered import MOST, Deciding, Named, Request
from billing.subsidy.rules.two_sided import claimed_by_both, user_gets
from billing.vouchers.rules import presented
from billing.vouchers.rules.backing import Usable, is_issued

UNKNOWN = "unknown"
_SUMMED = ("fee", "minutes", "samples", "awards", "subsidised")
Counts = dict[str, list[int]]
"""By a code: services, subsidised services, fen of subsidy, fen of the price."""
NO_PURSES: Mapping[str, Sequence[Usable]] = {}


class Told(NamedTuple):
    """What a programme that asks is told beside the price: what the owner earned from customers outside in the year before, where somebody
    confirmed it; what programmes before it gave; the face value of the voucher that is used first (all fen), and how many have something
    left; of what follows from the price, what the programme asks, by path; and how many persons whoever booked answered."""

    prior_income_fen: int | None = None
    given_fen: int | None = None
    face_fen: int | None = None
    vouchers: int | None = None
    of_price: tuple[tuple[str, int], ...] = ()
    persons: int | None = None


Priced = tuple[int, int, int, int, Told | None]
"""Fee, top-up, minutes and samples, as they stand one behind the other in a row; what is told where the programme asks for any of it."""
OfVouchers = tuple[int | None, int | None]
"""Face value (fen) and count, as far as they are told."""
NO_VOUCHERS: OfVouchers = (None, None)


class Known:
    """Facts and services that are shared, read once each. ``groups``: of each facts the size and the region of the applicant. ``graded``:
    the grade of the service that was confirmed, where it is another than the owner's, which counts for the promise. ``incomes``: by owner
    and year what it earned from customers outside. ``kept``: the rows of awards that wait for their batch."""

    def __init__(self) -> None:
        self.facts: list[tuple[Facts, Facts]] = []
        self.groups: list[tuple[str, str]] = []
        self.graded: list[str | None] = []
        self.services: list[Service] = []
        self.incomes: dict[tuple[str, int], int] = {}
        self.kept = Kept()

    def add(
        self, facts: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]], incomes: Iterable[Income] = ()
    ) -> None:
        """Facts as their public documents (without amounts), services as their group alone."""
        for document in facts:
            read = parse_facts(document)
            found = replace(read, grade=read.provider.profile.grade)
            self.graded.append(read.grade if read.grade != found.grade else None)
            self.facts.append((_first(found, used=False), _first(found, used=True)))
            self.groups.append((size_of(found.applicant), region_of(found.applicant)))
        self.services += [parse_facts({"service": document}).service for document in services]
        self.incomes.update({(owner, year): fen for owner, year, fen in incomes})


def _first(facts: Facts, *, used: bool) -> Facts:
    return replace(facts, applicant=replace(facts.applicant, first_use=not used))


class Simulation:
    """``document`` over services in the order in which they are given. ``budget_fen`` replaces the budget of its pools.

    ``full``: sums by month, size, region, owner and customer as well; without it only totals. ``vouchers``: those that were issued under
    the programme; where none was, a limit per voucher counts as one of each customer. ``given_at``: where it stands in ``given`` of a row
    what programmes before it gave; ``spent_at``: likewise in ``spent`` what its customer spent.

    Where the programme has rules over a batch, the awards wait: ``ends`` are the last days of its windows for claims, and the first service
    of a later day closes the batch; without any there is one batch, which ``end`` closes.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        budget_fen: int | None,
        *,
        full: bool,
        state: Mapping[str, Any] | None = None,
        vouchers: Vouchers | None = None,
        ends: Sequence[date] = (),
        given_at: int = 0,
        spent_at: int = 0,
    ) -> None:
        self.programme: Programme = read_programme(document)
        self.budget_fen = budget_fen
        self.full = full
        kept = state or {}
        self.used: dict[str, int] = dict(kept.get("used", {}))
        self.before: dict[str, Before] = {key: Before(*sums) for key, sums in kept.get("before", {}).items()}
        self.total: list[int] = list(kept.get("total", (0, 0, 0, 0)))
        self.estimate_fen: int = kept.get("estimate_fen", 0)
        self.vouchers: Vouchers = {
            cap.id: vouchers[cap.id] for cap in self.programme.caps if vouchers and _stands_behind(cap, vouchers)
        }
        self.tests: Counts = _copied(kept.get("tests", {}))
        self.drawn: dict[str, list[int]] = {month: list(sums) for month, sums in kept.get("drawn", {}).items()}
        self.firms: dict[int, list[int]] = {int(key): list(value) for key, value in kept.get("firms", {}).items()}
        self._owners_alone: set[int] = set(kept.get("owners_alone", ()))
        self.groups: dict[str, Counts] = {name: _copied(kept.get(name, {})) for name in ("months", "sizes", "regions", "owners")}
        self.refused: dict[str, int] = dict(kept.get("refused", {}))
        self.cuts: dict[str, int] = dict(kept.get("cuts", {}))
        self.short_since: str = kept.get("short_since", "")
        self.batches: list[list[Any]] = [list(each) for each in kept.get("batches", ())]
        self._accounts: dict[tuple[str | None, bool, bool], list[_Account]] = {}
        self._asks_of_price = self.programme.asks_of_price
        asked = {each.fact for each in self.programme.asks}
        self._unasked = [name for name in ("listed", "project_evidence") if f"service.{name}" not in asked]
        self._asks_persons = PERSONS in asked
        self._looks_at_person = "service.person" in self.programme.asks_of_service
        self._limits = frozenset(cap.per for cap in self.programme.caps if cap.if_named)
        self._given_at = given_at
        self._spending = spending.spending_of(document)
        self._spent_at = spent_at
        self._is_told = bool(
            self.programme.asks_prior_income
            or self.programme.asks_of_others
            or self._asks_of_price
            or self._asks_persons
            or (self.vouchers and self.programme.asks_of_voucher)
        )
        waiting = kept.get("waiting", {"rows": 0, "windows_left": len(ends)})
        self._ends = list(ends)[len(ends) - waiting["windows_left"] :]
        self._waiting = self._begun_batch(waiting)
        self._rows_waiting: int = waiting["rows"]
        self._from = 0
        self._begin(None)

    def _begin(self, known: Known | None) -> None:
        """With other facts and services their places mean something else."""
        self._known = known
        self._deciding = Deciding(self.programme)
        self._money: dict[Priced, tuple[Amounts, Quantities]] = {}
        self._own: dict[tuple[int, Used], Facts] = {}
        self._years: dict[int, str] = {}
        self._years_before: dict[int, int] = {}
        self._promised: dict[tuple[int, bool, bool], Service] = {}

    def state(self) -> dict[str, Any]:
        """Everything that the next service depends on, and the sums so far. ``tests``: of commissioned tests by month; ``drawn``: by month
        the services that drew on vouchers, what they drew, and what of it other regions pay (fen)."""
        return {
            "used": self.used,
            "before": {key: [getattr(sums, name) for name in _SUMMED] for key, sums in self.before.items()},
            "total": self.total,
            "estimate_fen": self.estimate_fen,
            "firms": {str(key): value for key, value in self.firms.items()},
            "owners_alone": sorted(self._owners_alone),
            **self.groups,
            "tests": self.tests,
            "drawn": self.drawn,
            "refused": self.refused,
            "cuts": self.cuts,
            "short_since": self.short_since,
            **self._batch_state(),
        }

    def _batch_state(self) -> dict[str, Any]:
        if self._waiting is None:
            return {}
        waiting = {"rows": self.rows_waiting, "windows_left": len(self._ends), **self._waiting.state()}
        return {"batches": self.batches, "waiting": waiting}

    @property
    def rows_waiting(self) -> int:
        """How many of the last rows have to stay known, because of awards that wait."""
        if not self._waiting:
            return 0
        return self._rows_waiting if self._known is None else self._known.kept.count - self._from

    def feed(self, rows: Sequence[Row], known: Known) -> None:
        """Take services in."""
        if known is not self._known:
            self._begin(known)
        if self._waiting is None:
            for row in rows:
                self._take(row, known)
            return
        first = known.kept.take(rows)
        self._find_waiting(first)
        for place, row in enumerate(rows, first):
            self._close_before(row, known)
            self._take(row, known, place)

    def end(self, known: Known) -> None:
        """All services were given: close the batch that is open."""
        if self._waiting is None:
            return
        if known is not self._known:
            self._begin(known)
        self._find_waiting(known.kept.count)
        if self._waiting:
            self._close(known, self._waiting)

    def _find_waiting(self, before: int) -> None:
        """After it was taken up again: where the rows of awards that wait begin, which stand before the place ``before``."""
        if self._rows_waiting:
            self._from, self._rows_waiting = before - self._rows_waiting, 0

    def _close_before(self, row: Row, known: Known) -> None:
        """Close the batch that a service comes too late for."""
        on = known.services[row.service].service_on
        while on is not None and len(self._ends) > 1 and on > self._ends[0]:
            if self._waiting:
                self._close(known, self._waiting)
            self._ends.pop(0)

    def _close(self, known: Known, waiting: Waiting) -> None:
        since = self._from
        self._deciding = Deciding(self.programme)  # what it remembers is large, and a batch remembers as much by itself

        def claim_of(waits: Waits, homes_fen: int) -> NamedClaim:
            row = known.kept.row(since + waits.place)
            return self._claim(row, waits, waiting.homes(homes_fen), known)

        found = waiting.close(
            self.used, self.budget_fen, claim_of, lambda cut: self._take_back(known.kept.row(since + cut.waits.place), cut, known)
        )
        until = self._ends[0].isoformat() if self._ends else ""
        self.batches.append([until, *(sum(column) for column in zip(*found, strict=True))])

    def _claim(self, row: Row, waits: Waits, homes: Mapping[str, tuple[Home, ...]], known: Known) -> NamedClaim:
        """An award as it is claimed: the facts on which it was decided."""
        who, named = self._who(row, known, waits)
        service = self._under(known.services[row.service], row.order, row.sheet)
        of_service = (row.service, row.order, row.sheet, 0) if self._limits else (row.service, 0)
        if self._looks_at_person:
            service = replace(service, paper=replace(service.paper, person=str(row.person)))
            of_service = (*of_service[:-1], row.person)
        money = self._money_of(row, who, known, waits.beside.told or NO_VOUCHERS)
        request = Request.of(who, service, *(self._money.get(money) or self._priced(money)))
        return NamedClaim("", request.facts, homes, Named(named, of_service, money), request)

    def _under(self, service: Service, order: int, sheet: int) -> Service:
        """A service with what it was ordered with and its contract, each where the programme limits it; nothing of which is a name (0).
        What was answered of it is told only where the programme asks."""
        paper = service.paper
        untold: dict[str, Any] = {name: None for name in self._unasked if getattr(paper, name) is not None}
        if untold:
            paper = replace(paper, **untold)
            service = replace(service, paper=paper)
        found = paper.order, paper.contract_number
        of_order = (str(order) if order else None) if CapPer.ORDER in self._limits else found[0]
        contract = (str(sheet) if sheet else None) if CapPer.CONTRACT in self._limits else found[1]
        if (of_order, contract) == found:
            return service
        return replace(service, paper=replace(paper, order=of_order, contract_number=contract))

    def _who(self, row: Row, known: Known, waits: Waits) -> tuple[Facts, Hashable]:
        who = self._whoever(row.facts, waits.used_before, known)
        named: Hashable = (row.facts, waits.used_before)
        if waits.beside.voucher is not None:
            number, first_day = waits.beside.voucher
            request = replace(who.more.request, voucher=number, voucher_issued_on=date.fromisoformat(first_day))
            who, named = replace(who, more=replace(who.more, request=request)), (named, number)
        who, named = self._with_spent(row, known, who, named)
        if waits.beside.before is not None:
            before = Before(*waits.beside.before)
            who, named = going_on(who, before), (named, before)
        if waits.graded:
            who, named = replace(who, grade=known.graded[row.facts]), (named, known.graded[row.facts])
        return who, named

    def _whoever(self, facts: int, used_before: Used, known: Known) -> Facts:
        """The shared facts by their place, with the answers to the programme's own questions; one that looks at whose claim it is sees
        both."""
        own = self._own.get((facts, used_before))
        if own is None:
            own = only_asked(known.facts[facts][used_before > 0], self.programme.asks)
            own = claimed_by_both(own, user_had=used_before != OWNER_ALONE) if self.programme.of_both_sides else own
            self._own[facts, used_before] = own
        return own

    def _used(self, customer: int) -> Used:
        """What a customer had of the programme before."""
        if self.firms[customer][1] == 0:
            return NOTHING_USED
        return OWNER_ALONE if customer in self._owners_alone else USED

    def _take_back(self, row: Row, cut: Cut, known: Known) -> None:
        """What a batch cuts of an award goes back to its accounts, and counts no more."""
        who, _named = self._who(row, known, cut.waits)
        money = self._money_of(row, who, known)
        priced = self._money.get(money) or self._priced(money)
        year = self._year(row.service, Request.of(who, known.services[row.service], *priced).facts)
        for account in self._accounts_of(who.applicant.kind, row):
            back = cut.caps.get(account.cap.id, 0)
            if back:
                self.used[account.key(row, who, year)] -= back
        for key, back in cut.vouchers.items():
            self.used[key] -= back
        drawn = sum(cut.vouchers.values())
        if drawn:
            self.drawn[row.month][1] -= drawn
        if cut.waits.estimate:
            self.estimate_fen -= cut.less_fen
        got = 1 if cut.left_fen == 0 else 0
        firm = self.firms[row.customer]
        firm[1] -= got
        firm[2] -= cut.less_fen
        for counts in self._counts(row, known):
            _count_less(counts, got, cut.less_fen)

    def _counts(self, row: Row, known: Known) -> Iterator[list[int]]:
        """The sums in which a service counts that is in them already."""
        yield self.total
        if row.samples:
            yield self.tests[row.month]
        if self.full:
            size, region = known.groups[row.facts]
            for name, code in (("months", row.month), ("sizes", size), ("regions", region), ("owners", str(row.owner))):
                yield self.groups[name][code]

    def _begun_batch(self, state: Mapping[str, Any] | None) -> Waiting | None:
        if not has_batch_rules(self.programme):
            return None
        return Waiting(self.programme, keeps_beside=bool(self.vouchers) or self.programme.looks_before, state=state)

    def _take(self, row: Row, known: Known, place: int = 0) -> None:
        firm = self.firms.get(row.customer)
        if firm is None:
            firm = self.firms[row.customer] = [0, 0, 0]
        fen = self._awarded(row, known, place, used_before=self._used(row.customer))
        got = 1 if fen else 0
        firm[0] += 1
        firm[1] += got
        firm[2] += fen
        _count(self.total, got, fen, row.fee_fen)
        if row.samples:
            _count(self.tests.setdefault(row.month, [0, 0, 0, 0]), got, fen, row.fee_fen)
        if self.full:
            size, region = known.groups[row.facts]
            for name, code in (("months", row.month), ("sizes", size), ("regions", region), ("owners", str(row.owner))):
                counts = self.groups[name].get(code)
                if counts is None:
                    counts = self.groups[name][code] = [0, 0, 0, 0]
                _count(counts, got, fen, row.fee_fen)

    def _awarded(self, row: Row, known: Known, place: int, *, used_before: Used) -> int:
        """The subsidy of one service (fen), taken off every limit and voucher that it draws on."""
        who = self._whoever(row.facts, used_before, known)
        money = self._money_of(row, who, known)
        accounts = self._accounts_of(who.applicant.kind, row)
        # Which order or contract it is makes a difference to the accounts alone: facts of all that have one are the same.
        marked = (row.order > 0, row.sheet > 0) if self._limits else (False, False)
        of_service = (row.service, *marked)
        service = self._promised.get(of_service)
        if service is None:
            service = self.programme.awaiting(self._under(known.services[row.service], *map(int, marked)))
            self._promised[of_service] = service
        priced = self._money.get(money) or self._priced(money)
        year, used = self._year(row.service, Request.of(who, service, *priced).facts), self.used
        keys = {account.cap.id: account.key(row, who, year) for account in accounts}
        balances = {
            account.cap.id: Balance(self.budget_fen if account.pool else None, used.get(keys[account.cap.id], 0))
            for account in accounts
        }
        named: Hashable = (row.facts, used_before)
        purses, of_vouchers = NO_PURSES, NO_VOUCHERS
        if self.vouchers:
            held = self._held(row, Request.of(who, service, *priced).facts)
            purses = self._purses(held, who.applicant.kind, balances)
            who, number, of_vouchers = self._presented(who, held)
            named = (row.facts, used_before, number)
            if of_vouchers != NO_VOUCHERS:
                money = self._money_of(row, who, known, of_vouchers)
                priced = self._money.get(money) or self._priced(money)
        who, named = self._with_spent(row, known, who, named)
        counting = self.programme.counting_cap(who.applicant.kind)
        subject = keys[counting.id] if counting is not None else ""
        if subject:
            before = self.before.get(subject, NOTHING)
            who, named = going_on(who, before), (named, before)
        request = Request.of(who, service, *priced)
        left = self._cost_left(row)
        outcome = self._deciding.decide(Named(named, of_service, money), request, balances, left)
        graded = known.graded[row.facts]
        if graded is not None:
            lower = self._deciding.decide(
                Named((named, graded), of_service, money),
                Request.of(replace(who, grade=graded), service, *priced),
                balances,
                left,
            )
            counts = _given(lower) <= _given(
                outcome
            )  # as when it is charged: a grade lowers what was promised and never raises it
            outcome, graded = (lower, graded) if counts else (outcome, None)
        if not isinstance(outcome, Award):
            for why in dict.fromkeys(map(_why, outcome.reasons)):
                self.refused[why] = self.refused.get(why, 0) + 1
            return 0
        for cap_id, amount in outcome.draws.items():
            if amount and cap_id not in purses:
                key = keys[cap_id]
                used[key] = used.get(key, 0) + amount
        drawn = self._draw(row.month, purses, outcome) if purses else []
        for cap_id in outcome.binding_caps:
            self.cuts[cap_id] = self.cuts.get(cap_id, 0) + 1
            if not self.short_since and any(account.pool and account.cap.id == cap_id for account in accounts):
                self.short_since = row.month
        if subject and any(outcome.draws.values()):
            one = Before(row.fee_fen, row.minutes, row.samples, 1, outcome.total_fen)
            self.before[subject] = together(before, one)
        if self.programme.of_both_sides and outcome.total_fen:
            if user_gets(outcome):
                self._owners_alone.discard(row.customer)
            elif used_before == NOTHING_USED:
                self._owners_alone.add(row.customer)
        if outcome.estimate:
            self.estimate_fen += outcome.total_fen
        if self._waiting is not None and outcome.total_fen:
            beside = self._beside(who, before if subject else None, drawn, of_vouchers)
            if not self._waiting:
                self._from = place
            waits = Waits(place - self._from, used_before, outcome.estimate, graded is not None, beside)
            self._waiting.add(waits, outcome, {cap_id: fen for cap_id, fen in outcome.draws.items() if cap_id not in purses})
        return outcome.total_fen

    def _beside(self, who: Facts, before: Before | None, drawn: list[tuple[str, int]], told: OfVouchers) -> Beside:
        request = who.more.request
        if not self.vouchers and before is None:
            return NOTHING_BESIDE
        first = request.voucher_issued_on
        voucher = (request.voucher, first.isoformat()) if self.vouchers and request.voucher and first else None
        sums = tuple(getattr(before, name) for name in _SUMMED) if before is not None else None
        return Beside(voucher, sums, drawn, told if told != NO_VOUCHERS else None)

    def _held(self, row: Row, facts: Facts) -> dict[str, list[Usable]]:
        """The customer's vouchers behind each cap on the day that counts."""
        on = self.programme.validity.basis_on(facts) or facts.service.service_on or date.min
        return {cap_id: open_on(holders.get(row.customer, ()), on) for cap_id, holders in self.vouchers.items()}

    def _purses(
        self, held: Mapping[str, list[Usable]], kind: str | None, balances: dict[str, Balance]
    ) -> dict[str, list[Usable]]:
        """Those that an award to this kind of applicant draws on; their ``balances`` are told there."""
        found = {}
        for cap in self.programme.accounts_for(kind):
            own = held.get(cap.id)
            if own or (own is not None and cap.per is CapPer.VOUCHER):  # another limit that nobody issued is not set
                found[cap.id], balances[cap.id] = own, balance_of(own, self.used)
        return found

    def _presented(self, who: Facts, held: Mapping[str, Sequence[Usable]]) -> tuple[Facts, str, OfVouchers]:
        """The facts with the voucher that is used first, its number, and what else is told of vouchers."""
        vouchers = [(each, left_fen(each, self.used) > 0) for own in held.values() for each in own]
        asked = self.programme.asks_of_voucher
        who = presented.with_vouchers(who, (), vouchers)
        return who, who.more.request.voucher or "", presented.asked_of(asked, vouchers) if vouchers and asked else NO_VOUCHERS

    def _draw(self, month: str, purses: Mapping[str, Sequence[Usable]], award: Award) -> list[tuple[str, int]]:
        """What an award takes from vouchers; what of it from ours, by account."""
        homes = paid_by_homes(award)
        ours = []
        for cap_id, own in purses.items():
            amount = award.draws.get(cap_id, 0)
            if amount:
                ours += draw(own, amount, homes, self.used)
                sums = self.drawn.setdefault(month, [0, 0, 0])
                sums[0] += 1
                sums[1] += amount
                sums[2] += sum(homes.values())
        return ours

    def _money_of(self, row: Row, who: Facts, known: Known, of_vouchers: OfVouchers = NO_VOUCHERS) -> Priced:
        if not self._is_told:
            return (*row[2:6], None)
        income = self._prior_income(row, who, known) if self.programme.asks_prior_income else None
        given = self._given(row)[0] if self.programme.asks_of_others else None
        of_price = self._of_price(row, who) if self._asks_of_price else ()
        persons = who.quantities.counts.persons if self._asks_persons else None
        return (*row[2:6], Told(income, given, *of_vouchers, of_price, persons))

    def _of_price(self, row: Row, who: Facts) -> tuple[tuple[str, int], ...]:
        """What follows from the price, and from a customer outside, as when it is promised."""
        minutes = None if row.samples else row.minutes
        found = from_outside(who, row.fee_fen, row.tax_fen, minutes)
        found |= priced_counts.told(row.counts, tax_fen=row.tax_fen, minutes=minutes)
        return tuple((path, value) for path, value in found.items() if path in self._asks_of_price)

    def _given(self, row: Row) -> tuple[int, ...]:
        """What programmes before it gave, and how much of that made the service cheaper (fen)."""
        return row.given[self._given_at : self._given_at + 2] or (0, 0)

    def _with_spent(self, row: Row, known: Known, who: Facts, named: Hashable) -> tuple[Facts, Hashable]:
        """The facts, and their name, with what the customer spent in the months that the programme looks at."""
        months = len(self._spending.months)
        if not months or not row.spent:
            return who, named
        on = self._spending.day(known.services[row.service])
        spent = spending.spent(self._spending, on, row.spent[self._spent_at : self._spent_at + months])
        before = replace(who.more.before, spend=spent)
        return replace(who, more=replace(who.more, before=before)), (named, spent)

    def _cost_left(self, row: Row) -> int:
        """What those before it leave of the price to a programme that looks at them; any other is tried by itself."""
        return max(0, row.fee_fen - self._given(row)[1]) if self.programme.asks_of_others else row.fee_fen

    def _prior_income(self, row: Row, who: Facts, known: Known) -> int | None:
        """Of the calendar year before the day by which the programme goes, as when it is promised."""
        year = self._years_before.get(row.service)
        if year is None:
            on = self.programme.validity.basis_on(Facts(service=known.services[row.service]))
            year = self._years_before[row.service] = year_before(on) if on is not None else 0
        return known.incomes.get((who.provider.profile.id or "", year))

    def _priced(self, money: Priced) -> tuple[Amounts, Quantities]:
        """As when it was charged: what a programme asks of invoice and payment is the price, and of the claim what is expected."""
        fee, top_up, minutes, samples, told = money
        claim = ClaimAmounts(paid=fee, invoice=fee) if self.programme.asks_what_was_paid else NO_CLAIM_AMOUNTS
        amounts = Amounts(fee=fee, contract=fee, minimum_top_up=top_up, claim=claim)
        facts = Facts(amounts=amounts, quantities=_measured(minutes, samples))
        if self.programme.expects:
            facts = with_claim.assumed(facts, self.programme.expects)
        if told is not None:
            facts = _with_told(facts, told)
        made = facts.amounts, facts.quantities
        if len(self._money) < MOST:
            self._money[money] = made
        return made

    def _accounts_of(self, kind: str | None, row: Row) -> list[_Account]:
        asked = (kind, row.order > 0, row.sheet > 0)
        accounts = self._accounts.get(asked)
        if accounts is None:
            named = {CapPer.ORDER: row.order, CapPer.CONTRACT: row.sheet}
            own = [cap for cap in self.programme.caps if cap.concerns(kind) and (cap.on_account or named.get(cap.per))]
            accounts = self._accounts[asked] = [_Account(cap) for cap in own]
        return accounts

    def _year(self, service: int, facts: Facts) -> str:
        """The end of the key of a yearly account; the day that counts is one of the service's."""
        year = self._years.get(service)
        if year is None:
            basis_on = self.programme.validity.basis_on(facts)
            year = self._years[service] = f":{self.programme.cap_year(basis_on) if basis_on is not None else 0}"
        return year


class _Account:
    """The accounts of one limit: whose it is that a session draws on and, of a yearly one, the year."""

    __slots__ = ("_whose", "_yearly", "cap", "pool")

    def __init__(self, cap: Cap) -> None:
        self.cap, self.pool = cap, cap.per is CapPer.POOL
        self._yearly = cap.per in YEARLY
        self._whose = _whose(cap.per.value)

    def key(self, row: Row, facts: Facts, year: str) -> str:
        if self.pool:
            return self.cap.id
        return f"{self.cap.id}:{self._whose(row, facts)}{year if self._yearly else ''}"


def _why(reason: Unmet) -> str:
    """The code under which a refusal is counted, with the name of a fact that is missing behind it."""
    return f"{FACT_MISSING}:{reason.params['fact']}" if reason.code == FACT_MISSING else reason.code


def _given(outcome: Outcome) -> int:
    return outcome.total_fen if isinstance(outcome, Award) else 0


def _measured(minutes: int, samples: int) -> Quantities:
    return Quantities(samples=samples) if samples else Quantities(minutes=minutes)


def _stands_behind(cap: Cap, vouchers: Vouchers) -> bool:
    return cap.id in vouchers and is_issued(cap)


def _with_told(facts: Facts, told: Told) -> Facts:
    if told.prior_income_fen is not None:
        claim = replace(facts.amounts.claim, prior_year_external_income=told.prior_income_fen)
        facts = replace(facts, amounts=replace(facts.amounts, claim=claim))
    if told.given_fen is not None:
        facts = given_here.with_given(facts, (Given("", told.given_fen),))
    for path, value in told.of_price:
        facts = _with_priced(facts, path, value)
    if told.persons is not None:
        facts = with_values(facts, {PERSONS: told.persons})
    return presented.told(facts, told.face_fen, told.vouchers)


def _with_priced(facts: Facts, path: str, value: int) -> Facts:
    group, _dot, name = path.partition(".")
    if group == "amounts":
        of_claim: dict[str, Any] = {name: value}
        return replace(facts, amounts=replace(facts.amounts, claim=replace(facts.amounts.claim, **of_claim)))
    counts = replace(facts.quantities.counts, **{name: value})
    return replace(facts, quantities=replace(facts.quantities, counts=counts))


def _whose(per: str) -> Callable[[Row, Facts], str]:
    if per == CapPer.ORDER:
        return lambda row, _facts: f"r{row.order}"
    if per == CapPer.CONTRACT:
        return lambda row, _facts: f"c{row.sheet}"
    if per.startswith("instrument"):
        return lambda row, _facts: f"i{row.instrument}" if row.instrument else str(row.customer)
    if per.startswith("owner"):
        return lambda row, _facts: f"o{row.owner}"
    if per.startswith("person"):
        return lambda row, _facts: f"p{row.person}"
    return _controller if "controller" in per else lambda row, _facts: str(row.customer)


def _controller(row: Row, facts: Facts) -> str:
    """A firm that nobody controls is its own controller."""
    profile = facts.applicant.profile
    return f"g{profile.controller or profile.id or row.customer}"


def size_of(applicant: Party) -> str:
    """The size of a firm, and for others their kind."""
    return applicant.size or UNKNOWN if applicant.kind == "firm" else applicant.kind or UNKNOWN


def region_of(applicant: Party) -> str:
    """The prefecture of the applicant."""
    return f"{applicant.region_code[:4]}00" if applicant.region_code else UNKNOWN


def _count(counts: list[int], got: int, fen: int, fee_fen: int) -> None:
    counts[0] += 1
    counts[1] += got
    counts[2] += fen
    counts[3] += fee_fen


def _count_less(counts: list[int], got: int, fen: int) -> None:
    counts[1] -= got
    counts[2] -= fen


def _copied(counts: Mapping[str, Sequence[int]]) -> Counts:
    return {code: list(values) for code, values in counts.items()}
