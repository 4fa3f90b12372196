"""What goes by the day of an invoice or of a claim is counted anew when the service is charged.

While a service is promised nobody knows those days, and they are expected to be the service's. Neither can be before the charge, from
which the bill is made: where the charge falls into another year of a programme, another version of it or another voucher than was
expected, its promise gives way to one under the rules and on the accounts of the charge's day. Every other figure stays as it was
promised (ADR 43).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Generic, NamedTuple

from billing.ledger import services as ledger
from billing.ledger.models import Account, TransferKind
from billing.ledger.services import Source
from billing.settlement import counted, once
from billing.settlement.models import Charge, Quote
from billing.settlement.services import assessing, awarding
from billing.settlement.services.assessing import Accounts
from billing.settlement.services.awarding import AnyInputs, WasHeld
from billing.subsidy import services as subsidy
from billing.subsidy.ending import another_took_over
from billing.subsidy.rules import questions, two_sided
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.for_customers import by_side
from billing.subsidy.rules.outcome import Award
from billing.subsidy.rules.parts.validity import BILLED
from billing.subsidy.services import InForce
from billing.vouchers.rules import presented
from billing.vouchers.rules.backing import Usable, is_issued
from billing.vouchers.usable import usable


@dataclass(frozen=True, slots=True)
class CountedAnew(Generic[AnyInputs]):
    """What is promised now: all inputs, the programme versions in their order, and what they come to."""

    inputs: AnyInputs
    versions: tuple[InForce, ...]
    assessment: Assessment[Any]


class _Bounds(NamedTuple):
    """As much as a programme may give, in the form of a quote that was held."""

    inputs: Any
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Anew:
    """Programmes that count on another day than was expected, before their balances."""

    versions: tuple[InForce, ...]
    accounts: Accounts
    customer_id: int
    vouchers: tuple[Usable, ...]
    facts: Facts


def may_be_other(held: WasHeld) -> bool:
    """Whether a programme that gave something when ``held`` goes by such a day at all."""
    versions = enumerate(_versions(held))
    return any(one.programme.validity.date_basis in BILLED and _gave(held, place) for place, one in versions)


def is_other(held: WasHeld, inputs: AnyInputs, on: date) -> bool:
    """Whether a programme that gave something when ``held`` counts on the local day ``on`` otherwise than was expected. ``inputs`` are
    those of ``held``, thawed."""
    return bool(_places(held, inputs, on))


def count_anew(
    held: WasHeld,
    inputs: AnyInputs,
    customer_id: int,
    on: date,
    source: Source,
    now: datetime,
    project: str = "",
    beside: Sequence[Account] = (),
    answers: questions.Answers = questions.NOTHING_SAID,
) -> CountedAnew[AnyInputs]:
    """Give up what is promised by programmes that count otherwise on the local day ``on`` and promise anew by the rules of that day, as far
    as their accounts reach, behind the locks of all accounts of ``source`` and those ``beside`` them. The caller writes the quote.
    ``answers``: what was answered to questions until now.

    What gave nothing when the money was held is not tried, and what counts as was expected gives no more than is held for it.
    """
    places = _places(held, inputs, on)
    before = _versions(held)
    anew = {place: _on(before[place], inputs.candidates[place], customer_id, on, answers) for place in places}
    accounts = _locked(held, anew, source, now, beside)
    stays = [place for place in range(len(before)) if place in anew or _gave(held, place)]
    kept = {before[place].version_id for place in stays if place not in anew}
    _give_up(source, {before[place].version_id for place in places}, kept, now)
    locked = ledger.lock(accounts.values())
    versions = tuple(anew[place].versions[0] if place in anew else before[place] for place in stays)
    candidates = [_candidate(anew[place], locked, source) if place in anew else inputs.candidates[place] for place in stays]
    found = _within_held(held, replace(inputs, candidates=tuple(candidates)), [place in anew for place in stays], versions)
    for place, outcome, candidate in zip(stays, found.assessment.outcomes, found.inputs.candidates, strict=True):
        if place in anew:
            own = replace(found.inputs, candidates=(candidate,))
            awarding.hold_awards(anew[place], own, [outcome], locked, source, now, project)
    return found


class Otherwise(NamedTuple):
    """A programme that counted on another day than was expected: the date that counts, what it was, and what was given to the customer,
    in fen."""

    programme: str
    basis: str
    on: date
    promised_fen: int
    given_fen: int


def counted_otherwise(held: Quote | None, charge: Charge | None) -> tuple[Otherwise, ...]:
    """What was promised by the day that was expected, and what was given by the day that it was charged; what was lost is told apart."""
    if held is None or charge is None:
        return ()
    expected = dict(_by_programme(held.inputs, held.result))
    found = []
    for code, (given, basis, on) in _by_programme(charge.inputs, charge.result):
        promised, _basis, day = expected.get(code, (None, "", None))
        if promised and given and basis in BILLED and on and on != day:
            promised_fen, given_fen = sum(by_side(promised).values()), sum(by_side(given).values())
            found.append(Otherwise(code, basis, date.fromisoformat(on), promised_fen, given_fen))
    return tuple(found)


def _by_programme(inputs: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, str, str | None]]]:
    """By code: the award (None: refused), the date that counts, and which it was."""
    for each, outcome in zip(inputs["candidates"], result["outcomes"], strict=True):
        basis = subsidy.in_force(each["programme"]["programme_version"]).programme.validity.date_basis
        award = outcome if outcome["outcome"] == "award" else None
        yield outcome["programme"], (award, basis, each["facts"]["service"].get(f"{basis}_on"))


def _places(held: WasHeld, inputs: AnyInputs, on: date) -> list[int]:
    before = _versions(held)
    return [
        place
        for place, candidate in enumerate(inputs.candidates)
        if candidate.programme.validity.date_basis in BILLED
        and _gave(held, place)
        and _is_unlike(before[place].programme_id, candidate, on)
    ]


def _versions(held: WasHeld) -> list[InForce]:
    version_ids = [each["programme"]["programme_version"] for each in held.inputs["candidates"]]
    return [subsidy.in_force(version_id) for version_id in version_ids]


def _gave(held: WasHeld, place: int) -> bool:
    """Whether it gave something, also where it has no limit on which that could be held."""
    outcome: Mapping[str, Any] = held.result["outcomes"][place]
    return outcome["outcome"] == "award" and outcome["total_fen"] > 0


def _is_unlike(programme_id: int, candidate: Candidate, on: date) -> bool:
    programme, facts = candidate.programme, candidate.facts
    expected = programme.validity.basis_on(facts)
    if expected is None or expected == on:
        return False
    if programme.cap_year(expected) != programme.cap_year(on) or any(is_issued(cap) for cap in programme.caps):
        return True
    # A version that ended early says nothing of it itself: its document does not change.
    if another_took_over(programme_id, expected, on):
        return True
    return programme.unmet(_billed(facts, on)) != programme.unmet(facts)


def _billed(facts: Facts, on: date) -> Facts:
    return replace(facts, service=replace(facts.service, invoice_on=on, claim_on=on))


def _on(before: InForce, candidate: Candidate, customer_id: int, on: date, answers: questions.Answers) -> _Anew:
    """A programme as it counts on ``on``: by the version that is in force then, which is told the answers to its own questions (to those
    that the old one asked, as they were promised) and not whose claim it is to another. Where none is, the old one says so; of a programme
    that was stopped what was promised before stays promised."""
    version = subsidy.version_on(before.programme_id, on) or before
    facts = presented.without_vouchers(_billed(candidate.facts, on))
    if version.version_id != before.version_id:
        facts = questions.told_instead(facts, before.programme.asks, version.programme.asks, answers)
        facts = two_sided.claimed_by(facts, None) if two_sided.is_both(facts) else facts
    vouchers = tuple(usable(customer_id, [version.programme]))
    accounts = assessing.accounts_of([version], facts, customer_id, on, vouchers)
    return _Anew((version,), accounts, customer_id, vouchers, facts)


def _locked(
    held: WasHeld, anew: Mapping[int, _Anew], source: Source, now: datetime, beside: Sequence[Account]
) -> dict[str, Account]:
    """The accounts that are drawn on from now on, opened where missing, locked with all that ``source`` draws on so far, in id order."""
    specs = [spec for one in anew.values() for spec in assessing.specs_of(one.versions, one.accounts, one.customer_id)]
    opened = ledger.open_accounts(specs, now)
    old = Account.objects.filter(pk__in=ledger.held_accounts(source.type, source.id))
    ledger.lock([*opened.values(), *old, *beside])
    for one in anew.values():
        once.lock(one.facts.service.paper, one.versions)
    return opened


def _give_up(source: Source, version_ids: set[int], kept: set[int], now: datetime) -> None:
    """What is promised under some versions; ``kept`` are those whose promise stays."""
    own = [hold for hold in ledger.open_holds(source.type, source.id) if hold.programme_version_id in version_ids]
    ledger.end_holds(own, {}, source, now, TransferKind.VOID)
    once.give_up(source.type, source.id, now, but_for=kept)
    counted.give_up(source, version_ids, now)


def _candidate(one: _Anew, locked: Mapping[str, Account], source: Source) -> Candidate:
    earlier = assessing.earlier_of(one.versions, one.facts, one.accounts, one.customer_id, (source.type, source.id))
    (found,) = assessing.candidates_of(one.versions, one.facts, one.accounts, one.customer_id, locked, earlier, one.vouchers)
    return found


def _within_held(
    held: WasHeld, inputs: AnyInputs, is_anew: Sequence[bool], versions: tuple[InForce, ...]
) -> CountedAnew[AnyInputs]:
    """What is not counted anew gives no more than is held for it."""
    draws = {each["programme"]: each.get("draws", {}) for each in held.result["outcomes"]}
    assessment = inputs.assess()
    bounds = [
        {
            "programme": outcome.programme,
            "outcome": "award",
            "draws": (outcome.draws if isinstance(outcome, Award) else {}) if anew else draws[outcome.programme],
        }
        for outcome, anew in zip(assessment.outcomes, is_anew, strict=True)
    ]
    inputs, assessment = awarding.within_held(_Bounds(held.inputs, {"outcomes": bounds}), inputs, assessment)
    return CountedAnew(inputs, versions, assessment)
