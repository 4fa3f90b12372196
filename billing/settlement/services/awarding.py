"""What programmes give, whatever was priced: held when it is promised, posted when it is due, and nothing beyond what was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from billing.ledger import services as ledger
from billing.ledger.models import Account, TransferKind
from billing.ledger.services import Ended, Held, Source
from billing.settlement import counted, once
from billing.settlement.counted import Counting, Settled
from billing.settlement.models import Award, Charge
from billing.settlement.services import assessing
from billing.settlement.services.assessing import Accounts
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.before import service
from billing.subsidy.rules.codec import Inputs
from billing.subsidy.rules.facts import Paper
from billing.subsidy.rules.outcome import Award as AwardOutcome
from billing.subsidy.rules.outcome import Balance, Outcome, Payee, PayerLine, SettlementMode, paid_by_homes
from billing.subsidy.rules.sample_codec import SampleInputs
from billing.subsidy.services import InForce
from billing.vouchers.rules.backing import spread_by_home
from config.kernel.errors import Refusal

AnyInputs = TypeVar("AnyInputs", Inputs, SampleInputs)


class WasHeld(Protocol):
    """A quote that was held: what the engine was given, and what it said of each programme (``outcomes``)."""

    @property
    def inputs(self) -> Any: ...
    @property
    def result(self) -> Any: ...


class Promised(Protocol):
    """The programmes of a plan in the order of their outcomes, and the accounts that their caps draw on."""

    @property
    def versions(self) -> tuple[InForce, ...]: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def customer_id(self) -> int: ...


def hold_awards(
    promised: Promised,
    inputs: Inputs | SampleInputs,
    outcomes: Sequence[Outcome],
    accounts: Mapping[str, Account],
    source: Source,
    now: datetime,
    project: str = "",
) -> None:
    """Promise every awarded amount, from ``accounts`` (by key) that are locked; ``source`` is completed by the programme. ``project``
    takes the programme's class from now on, and the service counts for what comes after it. ``inputs``: what the ``outcomes`` were
    worked out from."""
    given = [
        (version, candidate, outcome)
        for version, candidate, outcome in zip(promised.versions, inputs.candidates, outcomes, strict=True)
        if isinstance(outcome, AwardOutcome)
    ]
    ledger.hold_all([_promise(promised, version, outcome, accounts, source) for version, _candidate, outcome in given], now)
    for version, candidate, outcome in given:
        if outcome.total_fen:
            paper = Paper(project=project or None, project_subsidised=candidate.facts.service.paper.project_subsidised)
            once.take(paper, version, source, now)
    counted.take(countings(promised, inputs, outcomes), source, now)


def countings(promised: Promised, inputs: Inputs | SampleInputs, outcomes: Sequence[Outcome]) -> list[Counting]:
    """What awards count for later services of the same year, where a programme looks at it. What draws on no account keeps nothing of
    its own that could be given up, and is not counted."""
    found = []
    for place, (version, outcome) in enumerate(zip(promised.versions, outcomes, strict=True)):
        if isinstance(outcome, AwardOutcome) and any(outcome.draws.values()):
            subject = counted.subject_of(version, inputs.candidates[place].facts, promised.accounts)
            if subject:
                found.append(Counting(version.version_id, subject, service(inputs.facts_of(place), outcome)))
    return found


def _promise(
    promised: Promised, version: InForce, award: AwardOutcome, accounts: Mapping[str, Account], source: Source
) -> ledger.Promise:
    """What an award draws on the accounts of its caps, of several that one cap has on each as far as it goes."""
    draws: dict[int, int] = {}
    for cap_id, amount in award.draws.items():
        purses = [accounts[spec.key] for spec in promised.accounts[version.version_id, cap_id]]
        parts = spread_by_home(amount, [(purse.key, purse.promisable_fen) for purse in purses], paid_by_homes(award))
        draws |= {purse.pk: part for purse, part in zip(purses, parts, strict=True)}
    payee = accounts[assessing.counting_key(version, promised.customer_id, award)]
    return ledger.Promise(draws, payee, replace(source, programme_version_id=version.version_id))


def end_promise(source: Source, now: datetime, project: str, kind: TransferKind = TransferKind.VOID) -> list[Held]:
    """Give up everything that is promised to a source: the money (the holds are returned), and what its ``project`` took with it."""
    holds = ledger.open_holds(source.type, source.id)
    ledger.end_holds(holds, {}, source, now, kind)
    if project:
        once.give_up(source.type, source.id, now)
    counted.give_up(source, {hold.programme_version_id for hold in holds if hold.programme_version_id is not None}, now)
    return holds


@dataclass(frozen=True, slots=True)
class Posting:
    """What programmes give for one charge, to be written: the ends of what is held for it, the fields of the awards, and the ids of the
    programme versions that give something."""

    ends: list[Ended]
    awards: list[dict[str, Any]]
    giving: list[int]


def posting_of(
    charge_id: int,
    versions: Sequence[InForce],
    outcomes: Sequence[Outcome],
    parties: tuple[int, int],
    source: Source,
    service_on: date,
    holds: Sequence[Held],
    now: datetime,
) -> Posting:
    """Of what is held for ``source`` what is due is posted, the rest of these programmes is voided; ``parties`` are the ids of owner and
    customer, ``now`` is the moment of the charge. Nothing is written. Raises Refusal ``ledger.more_than_held``."""
    found = Posting([], [], [])
    for version, outcome in zip(versions, outcomes, strict=True):
        own = [pending for pending in holds if pending.programme_version_id == version.version_id]
        award = _given(outcome)
        due = _due(version, own, award)
        under = Source(source.type, source.id, source.reason, version.version_id, source.actor_id)
        ends = ledger.ends_of(own, due, under, TransferKind.VOID)
        found.ends.extend(ends)
        if award is not None:
            found.awards.extend(_awards(charge_id, parties, version.version_id, award, service_on, now))
            found.giving.append(version.version_id)
    return found


def post_awards(
    charge: Charge,
    versions: Sequence[InForce],
    inputs: Inputs | SampleInputs,
    outcomes: Sequence[Outcome],
    parties: tuple[int, int],
    source: Source,
    service_on: date,
    now: datetime,
    project: str = "",
) -> None:
    """``posting_of`` what is held for ``source``, written. ``project`` has taken for good the classes of the programmes that give
    something, and what was used (``inputs``) counts from now on."""
    holds = ledger.open_holds(source.type, source.id)
    found = posting_of(charge.pk, versions, outcomes, parties, source, service_on, holds, charge.created_at)
    ledger.write_ends(found.ends, now)
    Award.objects.bulk_create(Award(**fields) for fields in found.awards)
    if project:
        once.give_up(source.type, source.id, now, but_for=found.giving)
    counted.settle([settled_of(source, versions, inputs, outcomes)], now)


def settled_of(
    source: Source, versions: Sequence[InForce], inputs: Inputs | SampleInputs, outcomes: Sequence[Outcome]
) -> Settled:
    """What a charge counts, by programme version: of those that look at what came before and give something."""
    used = {
        version.version_id: service(inputs.facts_of(place), award)
        for place, (version, outcome) in enumerate(zip(versions, outcomes, strict=True))
        if version.programme.looks_before and (award := _given(outcome)) is not None
    }
    return Settled(source, [version.version_id for version in versions], used)


def promised_outcomes(held: WasHeld, outcomes: Sequence[Outcome]) -> list[bool]:
    """For each programme of a quote that was held whether it may count now: not where it would give something now and gave nothing when
    the money was held, because nothing is held for it."""
    was = [outcome["outcome"] == "award" for outcome in held.result["outcomes"]]
    return [promised or _given(outcome) is None for promised, outcome in zip(was, outcomes, strict=True)]


def within_held(held: WasHeld, inputs: AnyInputs, known: Assessment[Any] | None = None) -> tuple[AnyInputs, Assessment[Any]]:
    """The inputs with the caps that would give more than was held for them promised what was held, each cut at most once; and what they
    come to. ``known``: what the inputs as they are come to, where that was worked out already.

    Less work may be worth more: the brackets of a rate fall, and a cap may concern one amount and not another. What is cut off was
    promised to nobody; a cap of all or nothing is not exceeded by it.
    """
    draws = {each["programme"]: each["draws"] for each in held.result["outcomes"] if each["outcome"] == "award"}
    assessment = inputs.assess() if known is None else known
    while True:
        candidates = tuple(
            cut_to(draws.get(outcome.programme, {}), candidate, outcome)
            for candidate, outcome in zip(inputs.candidates, assessment.outcomes, strict=True)
        )
        if candidates == inputs.candidates:
            return inputs, assessment
        inputs = replace(inputs, candidates=candidates)
        assessment = inputs.assess()


def cut_to(held: Mapping[str, int], candidate: Candidate, outcome: Outcome) -> Candidate:
    """``held``: cap id -> fen that is held on its account."""
    if not isinstance(outcome, AwardOutcome):
        return candidate
    cut = {}
    for cap_id, amount in outcome.draws.items():
        if amount > held.get(cap_id, 0):
            cut[cap_id] = replace(candidate.balances.get(cap_id, Balance()), promised_fen=held.get(cap_id, 0))
    return replace(candidate, balances={**candidate.balances, **cut}) if cut else candidate


def _given(outcome: Outcome) -> AwardOutcome | None:
    """More than nil."""
    return outcome if isinstance(outcome, AwardOutcome) and outcome.total_fen > 0 else None


def _due(version: InForce, holds: Sequence[Held], award: AwardOutcome | None) -> dict[int, int]:
    """Account id -> fen to post for one programme's award: on the accounts of each cap that were held, one after the other.
    Raises Refusal ``ledger.more_than_held`` where nothing is held for a cap."""
    if award is None:
        return {}
    due: dict[int, int] = {}
    for cap in version.programme.caps:
        if cap.id in award.draws:
            held = sorted((each for each in holds if assessing.is_of_cap(version, cap, each.debit.key)), key=_turn)
            if award.draws[cap.id] > 0 and not held:
                raise Refusal.of("ledger.more_than_held", held_fen=0, due_fen=award.draws[cap.id])
            purses = [(each.debit.key, each.amount_fen) for each in held]
            parts = spread_by_home(award.draws[cap.id], purses, paid_by_homes(award)) if held else ()
            due |= {pending.debit_id: part for pending, part in zip(held, parts, strict=True)}
    return due


def _turn(pending: Held) -> tuple[date, str]:
    """Of several vouchers the one that ends first is used up first, in the order in which they were held."""
    return pending.debit.ends_on or date.max, pending.debit.key


def _awards(
    charge_id: int, parties: tuple[int, int], version_id: int, award: AwardOutcome, service_on: date, now: datetime
) -> list[dict[str, Any]]:
    """One for each way of settlement in which something is given: the sides of a programme may differ in it."""
    owner_id, customer_id = parties
    found = []
    for mode, payee, lines in _by_mode(award):
        total = sum(line.amount_fen for line in lines)
        if total:
            found.append(
                {
                    "charge_id": charge_id,
                    "programme_version_id": version_id,
                    "payee_id": owner_id if payee is Payee.PROVIDER else customer_id,
                    "mode": mode.value,
                    "total_fen": total,
                    "payers": [{"payer": line.payer, "amount_fen": line.amount_fen} for line in lines],
                    "service_on": service_on,
                    "created_at": now,
                }
            )
    return found


def _by_mode(award: AwardOutcome) -> list[tuple[SettlementMode, Payee, list[PayerLine]]]:
    """The lines of an award by way of settlement; lines stand in the order of the sides they belong to."""
    if award.sides is None:
        return [(award.mode, award.payee, list(award.lines))]
    found: dict[SettlementMode, tuple[Payee, list[PayerLine]]] = {}
    start = 0
    for side in award.sides:
        end = start + side.lines
        found.setdefault(side.mode, (side.payee, []))[1].extend(award.lines[start:end])
        start = end
    return [(mode, payee, lines) for mode, (payee, lines) in found.items()]
