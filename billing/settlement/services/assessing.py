"""Gathering what the engine needs for one session: price version, programmes in force, facts and balances.

Used by quote, hold and charge alike, so that they cannot differ in anything but the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from django.db import connection

from billing.ledger import services as ledger
from billing.ledger.models import Account, AccountState, TransferKind
from billing.ledger.rules.documents import canonical_json, sha256_of_text
from billing.ledger.services import AccountSpec
from billing.pricing import services as pricing
from billing.pricing.customers import customer_of
from billing.pricing.public_days import use_of
from billing.pricing.rules.pricing import Use
from billing.pricing.rules.schedule import PriceSchedule
from billing.settlement import contracts, counted, incomes, once, orders, spent
from billing.settlement.earlier import Earlier
from billing.settlement.earlier import known as earlier_known
from billing.settlement.models import Quote
from billing.settlement.offered import percent_of_share
from billing.settlement.services.gathering import Gathered, gather, instrument_party
from billing.subsidy import services as subsidy
from billing.subsidy.figures import Figures, opening_limit
from billing.subsidy.rules import questions, two_sided, with_claim
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.codec import Inputs, assessment_to_json, inputs_sha256, inputs_to_json, inputs_under
from billing.subsidy.rules.facts import Facts, GroupsRead, Service
from billing.subsidy.rules.figures import is_settable
from billing.subsidy.rules.outcome import Award, Balance, Home, SettlementMode
from billing.subsidy.rules.parts.caps import YEARLY, Cap, CapPer
from billing.subsidy.rules.parts.validity import APPROVAL
from billing.subsidy.rules.programme import OF_SHEET, Programme
from billing.subsidy.services import InForce
from billing.vouchers.rules import presented
from billing.vouchers.rules.backing import VOUCHER, Usable, behind
from billing.vouchers.usable import usable
from booking.models import Reservation
from booking.rules.answers import known_answers
from booking.rules.service_facts import UNSAID, Direction, Said, direction_of
from config.kernel.copying import JsonText
from config.kernel.errors import Reason, Refusal
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation
from instruments.rules.spending import is_in_house

SERVICE_KIND = "instrument_use"
TESTING_KIND = "testing"
AWARDED = "awarded"
_OWNER_ALONE = "owner-"
_UNFIT = {
    questions.Kind.YES_NO: "subsidy.answer_unfit.yes_no",
    questions.Kind.CHOICE: "subsidy.answer_unfit.choice",
    questions.Kind.NUMBER: "subsidy.answer_unfit.number",
    questions.Kind.AMOUNT: "subsidy.answer_unfit.amount",
}
Accounts = Mapping[tuple[int, str], tuple[AccountSpec, ...]]
"""The accounts behind each cap by (programme version id, cap id): one, or the vouchers in the order in which they are used up."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Inputs together with the rows they came from. ``accounts`` maps (programme version id, cap id) to the purses behind a cap;
    ``earlier``: what came before, as far as the programmes ask."""

    inputs: Inputs
    price_version_id: int
    versions: tuple[InForce, ...]
    accounts: Accounts
    customer_id: int
    earlier: Earlier = field(default_factory=Earlier)

    def tried(self) -> list[tuple[Programme, Facts]]:
        """Each programme with the facts that it is told."""
        return [(each.programme, each.facts) for each in self.inputs.candidates]

    def frozen_inputs(self) -> dict[str, Any]:
        """The inputs as JSON, documents replaced by the immutable versions they were read from (id and fingerprint)."""
        data = inputs_to_json(self.inputs)
        data["schedule"] = {"price_version": self.price_version_id, "sha256": self.inputs.schedule.sha256}
        for written, version in zip(data["candidates"], self.versions, strict=True):
            written["programme"] = reference(version)
        return data


def reference(version: InForce) -> dict[str, Any]:
    """A programme version as frozen inputs name it."""
    return {"programme_version": version.version_id, "sha256": version.programme.sha256}


def frozen_row(frozen_inputs: Mapping[str, Any], assessment: Assessment) -> dict[str, Any]:
    """The fields of a ``FrozenAssessment`` row: what the engine was given and what it said."""
    return {**_said(assessment), "inputs": frozen_inputs, "inputs_sha256": inputs_sha256(frozen_inputs)}


def frozen_row_as_text(frozen_inputs: Mapping[str, Any], assessment: Assessment) -> dict[str, Any]:
    """``frozen_row`` for COPY of many: the inputs as the text of which the fingerprint is made, so that they are written only once, and
    both as text at once, which is quicker than to keep so many objects until all are written."""
    text, row = canonical_json(frozen_inputs), _said(assessment)
    return {**row, "inputs": JsonText(text), "inputs_sha256": sha256_of_text(text), "result": JsonText.of(row["result"])}


def _said(assessment: Assessment) -> dict[str, Any]:
    return {
        "gross_fen": assessment.gross_fen,
        "deducted_fen": assessment.deducted_fen,
        "refunded_fen": assessment.refunded_fen,
        "payable_now_fen": assessment.payable_now_fen,
        "final_cost_fen": assessment.final_cost_fen,
        "estimate": assessment.estimate,
        "result": assessment_to_json(assessment),
        "engine_version": assessment.engine,
    }


def thaw(frozen: Mapping[str, Any], before: GroupsRead | None = None) -> Inputs:
    """The engine's inputs from a frozen row; ``before``: facts that were read of others. Raises Refusal ``replay.version_changed`` when a
    version's fingerprint differs."""
    schedule = pricing.schedule(frozen["schedule"]["price_version"])
    programmes = [subsidy.in_force(each["programme"]["programme_version"]).programme for each in frozen["candidates"]]
    pairs = [(schedule.sha256, frozen["schedule"])]
    pairs += [(programme.sha256, each["programme"]) for programme, each in zip(programmes, frozen["candidates"], strict=True)]
    if any(fingerprint != reference["sha256"] for fingerprint, reference in pairs):
        raise Refusal.of("replay.version_changed")
    return inputs_under(schedule, programmes, frozen, before)


@dataclass(frozen=True, slots=True)
class Pins:
    """The versions a quote rests on, so that what is approved later is what was shown."""

    price_version_id: int
    programme_version_ids: tuple[int, ...]

    @classmethod
    def of(cls, frozen: Mapping[str, Any]) -> Pins:
        """The versions named by frozen inputs."""
        programmes = tuple(each["programme"]["programme_version"] for each in frozen["candidates"])
        return cls(frozen["schedule"]["price_version"], programmes)

    def approved_on(self, on: date) -> Pins:
        """With the versions of ``on`` of the programmes that go by the day of the approval; one that has none then keeps its own, which
        says so, unless it was stopped."""
        return Pins(self.price_version_id, versions_approved_on(self.programme_version_ids, on))


def versions_approved_on(version_ids: Iterable[int], on: date) -> tuple[int, ...]:
    """As ``Pins.approved_on``. A version that was ended before ``on`` and would not say so, as its document goes on, is left out."""
    before = [subsidy.in_force(version_id) for version_id in version_ids]
    found = []
    for one in before:
        then: InForce | None = one
        if one.programme.validity.date_basis == APPROVAL:
            then = subsidy.version_on(one.programme_id, on) or (None if one.programme.validity.covers(on) else one)
        if then is not None:
            found.append(then.version_id)
    return tuple(found)


_IN_FORCE = """
SELECT (SELECT id FROM billing_priceversion WHERE instrument_id = %(instrument)s AND effective_from <= %(on)s
        ORDER BY effective_from DESC LIMIT 1),
       ARRAY(SELECT v.id FROM billing_programmeversion v JOIN billing_programme p ON p.id = v.programme_id
             WHERE v.published_at IS NOT NULL
               AND v.valid @> CASE v.date_basis WHEN 'approval' THEN %(approved_on)s::date ELSE %(on)s::date END ORDER BY p.code)
"""


def _pins_in_force(instrument_id: int, service_on: date, approved_on: date) -> Pins:
    """What is in force for a service of a local date that is approved on another: one round trip. Raises Refusal ``price.none``."""
    with planned_once() as cursor:
        cursor.execute(_IN_FORCE, {"instrument": instrument_id, "on": service_on, "approved_on": approved_on})
        price_version_id, programme_version_ids = cursor.fetchone()
    if price_version_id is None:
        raise Refusal.of("price.none")
    return Pins(price_version_id, tuple(programme_version_ids))


def agreed_pins(reservation: Reservation, during: TimeRange, now: datetime, accepted: Quote) -> Pins | None:
    """The agreed price by which a reservation was quoted, with the programmes of another time of it; None where it goes by
    the list, and on another instrument than the one it was agreed for."""
    price_version_id = Pins.of(accepted.inputs).price_version_id
    if pricing.agreed_for(price_version_id) != reservation.instrument_id:
        return None
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    days = during.starts_at.astimezone(zone).date(), now.astimezone(zone).date()
    listed = _promised(_pins_in_force(reservation.instrument_id, *days), reservation.instrument, reservation.organisation)
    return Pins(price_version_id, listed.programme_version_ids)


def _promised(pins: Pins, instrument: Instrument, customer: Organisation) -> Pins:
    """No public money goes to an owner's use of its own instruments: no programme is tried for it."""
    return Pins(pins.price_version_id, ()) if is_in_house(customer.pk, instrument.organisation_id) else pins


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is known about one session before balances: versions, facts, and the accounts an award would draw on."""

    price_version_id: int
    schedule: PriceSchedule
    during: TimeRange
    zone: ZoneInfo
    customer_class: str
    facts: Facts
    versions: tuple[InForce, ...]
    accounts: Accounts
    customer_id: int
    use: Use
    vouchers: tuple[Usable, ...] = ()
    earlier: Earlier | None = None
    """What came before where it is loaded with that of others."""
    answers: questions.Answers = field(default_factory=dict)
    """What was answered to the questions of programmes."""

    def tried(self) -> list[tuple[Programme, Facts]]:
        """Each programme with the facts of the service."""
        return [(version.programme, self.facts) for version in self.versions]

    def specs(self) -> list[AccountSpec]:
        """Every account an award touches: caps, pools, and what the customer was awarded."""
        return specs_of(self.versions, self.accounts, self.customer_id)

    def drawn_specs(self) -> list[AccountSpec]:
        """Those of ``specs`` that an award may change: a programme that covers no sessions of a lab's own list only reads its."""
        if not self.facts.service.imported:
            return self.specs()
        versions = [one for one in self.versions if one.programme.covers_imported]
        ids = {one.version_id for one in versions}
        own = {key: spec for key, spec in self.accounts.items() if key[0] in ids}
        return specs_of(versions, own, self.customer_id)

    def with_balances(self, known: Mapping[str, Account], but_for: tuple[str, int] | None = None) -> Prepared:
        """The engine's inputs under the balances of ``known`` accounts (by key; one that is missing was never opened). ``but_for``: the
        source (type, id) whose own promises do not count."""
        earlier = self.earlier
        if earlier is None:
            earlier = earlier_of(self.versions, self.facts, self.accounts, self.customer_id, but_for)
        of_all = (self.versions, self.facts, self.accounts, self.customer_id, known, earlier)
        candidates = candidates_of(*of_all, self.vouchers, self.answers)
        inputs = Inputs(self.schedule, self.during, self.zone, self.customer_class, candidates, use=self.use)
        return Prepared(inputs, self.price_version_id, self.versions, self.accounts, self.customer_id, earlier)


def specs_of(versions: Sequence[InForce], accounts: Accounts, customer_id: int) -> list[AccountSpec]:
    """Every account an award under these versions touches."""
    return [
        *(spec for purses in accounts.values() for spec in purses),
        *(spec for version in versions for spec in _awarded_specs(version, customer_id)),
    ]


def candidates_of(
    versions: Sequence[InForce],
    facts: Facts,
    accounts: Accounts,
    customer_id: int,
    known: Mapping[str, Account],
    earlier: Earlier,
    vouchers: Sequence[Usable] = (),
    answers: questions.Answers = questions.NOTHING_SAID,
) -> tuple[Candidate, ...]:
    """The programmes to be tried, each with the facts and the balances of its caps (an account that is missing was never opened), told
    what was answered to its own questions."""
    know_awards(account for account in known.values() if not hasattr(account, "is_awarded"))
    payers = {each.key: each.payer for each in vouchers if each.payer}
    return tuple(
        Candidate(
            version.programme,
            _with_voucher(
                version,
                questions.told(
                    _under(version, facts, accounts, known, customer_id, earlier),
                    version.programme.asks,
                    answers,
                ),
                vouchers,
                known,
            ),
            {
                cap_id: _together([(_balance(known.get(spec.key), spec), payers.get(spec.key, "")) for spec in purses])
                for (version_id, cap_id), purses in accounts.items()
                if version_id == version.version_id
            },
            version.programme.asks_of_price | version.programme.asks_of_others,
        )
        for version in versions
    )


def earlier_of(
    versions: Sequence[InForce],
    facts: Facts,
    accounts: Accounts,
    customer_id: int,
    but_for: tuple[str, int] | None = None,
) -> Earlier:
    """What came before a service, as far as the programmes ask; at most four queries."""
    if not versions:
        return Earlier()
    spending, earning = spent.asked(versions, facts, customer_id), incomes.asked(versions, facts)
    return earlier_known([facts.service.paper], subjects_of(versions, facts, accounts), spending, earning, but_for)


def subjects_of(versions: Sequence[InForce], facts: Facts, accounts: Accounts) -> list[str]:
    """Whose years count under the programmes that look at what came before."""
    return [subject for version in versions if (subject := counted.subject_of(version, facts, accounts))]


def accounts_of(
    versions: Sequence[InForce],
    facts: Facts,
    customer_id: int,
    service_on: date,
    vouchers: Sequence[Usable] = (),
    figures: Figures | None = None,
) -> dict[tuple[int, str], tuple[AccountSpec, ...]]:
    """The accounts of every cap that counts for these facts, by (programme version id, cap id). ``figures`` as in ``cap_account``."""
    found, figures = {}, figures or Figures()
    for version in versions:
        basis_on = version.programme.validity.basis_on(facts) or service_on
        for cap in version.programme.caps_counted(facts):
            issued = behind(cap, version.programme_id, basis_on, vouchers)
            purses = tuple(AccountSpec(each.key, VOUCHER, 0, version.programme_id, customer_id) for each in issued)
            if not purses and cap.per is not CapPer.VOUCHER:
                purses = (cap_account(version, cap, customer_id, basis_on, facts, figures),)
            found[version.version_id, cap.id] = purses
    return found


def plan(
    instrument: Instrument,
    customer: Organisation,
    during: TimeRange,
    now: datetime,
    pins: Pins | None = None,
    schedule: PriceSchedule | None = None,
    *,
    service_mode: str = "",
    imported: bool = False,
    subsidised: bool = True,
    gathered: Gathered | None = None,
    project: str = "",
    person_id: int | None = None,
    direction: str = "",
    said: Said = UNSAID,
    approved_on: date | None = None,
    contract: contracts.Look = contracts.none,
    together: str = "",
) -> Plan:
    """Everything but balances for pricing and subsidising ``during`` on ``instrument`` for ``customer`` as of ``now``.

    ``instrument`` comes with its site and organisation loaded. Without ``pins`` the price and the programmes are those in force on
    the local date of the start (of ``now`` for programmes that go by the approval); ``schedule`` is the pinned one where it is in hand
    already. ``service_mode``: how the customer is served, empty for what the lab's forms begin with. ``imported``: the time was not
    booked here but came with a list of the lab's. Not ``subsidised``: no programme is tried. ``gathered``: what is loaded about both
    sides already; ``project``: the research project it is for; ``person_id``: whose service it is, None where nobody is known yet;
    ``direction``: what it is for, empty for what is usual for the customer; ``said``: what programmes that ask are told.
    ``approved_on``: the local day of the approval, where it is
    not ``now``; ``contract`` and ``together`` as in ``Told``. Raises Refusal ``price.none``.
    """
    zone = ZoneInfo(instrument.site.time_zone)
    service_on, today = during.starts_at.astimezone(zone).date(), approved_on or now.astimezone(zone).date()
    pins = pins or _promised(_pins_in_force(instrument.pk, service_on, today), instrument, customer)
    if not subsidised:
        pins = Pins(pins.price_version_id, ())
    schedule = schedule or pricing.schedule(pins.price_version_id)
    versions = tuple(subsidy.in_force(version_id) for version_id in pins.programme_version_ids)
    gathered = gathered or gather(customer, [instrument.organisation_id])
    place = instrument_party(instrument)
    kind = said.service_kind or SERVICE_KIND
    facts = gathered.facts(instrument.organisation, place, customer, kind, service_on, today)
    mode = service_mode or next(iter(instrument.service_modes), "")
    told = Told(customer.kind, mode, direction, person_id, contract, together)
    facts = replace(facts, service=service_of(facts.service, versions, told, imported=imported, project=project))
    facts = requested(facts, versions, said)
    vouchers = usable(customer.pk, [one.programme for one in versions]) if gathered.vouchers is None else gathered.vouchers
    accounts = accounts_of(versions, facts, customer.pk, service_on, vouchers, gathered.figures)
    named_class = schedule.class_of(customer_of(customer, instrument.organisation_id, facts.applicant.size))
    use = use_of(schedule, mode, during, zone)
    answers = known_answers(said.answers)
    how = (schedule, during, zone, named_class, facts, versions, accounts)
    return Plan(pins.price_version_id, *how, customer.pk, use, vouchers, answers=answers)


def plan_of(
    reservation: Reservation,
    during: TimeRange,
    now: datetime,
    pins: Pins | None = None,
    approved_on: date | None = None,
    *,
    attached: bool = True,
) -> Plan:
    """``plan`` for a reservation (with its instrument, site, owner and customer) at a time, as it would be served and taken over.
    Not ``attached``: it is known to belong to no commission, and no contract is looked for."""
    return plan(
        reservation.instrument,
        reservation.organisation,
        during,
        now,
        pins,
        service_mode=reservation.service_mode,
        imported=reservation.imported,
        project=reservation.research_project,
        person_id=reservation.requested_by_id,
        direction=reservation.service_direction,
        said=reservation.said,
        approved_on=approved_on,
        contract=partial(contracts.of_reservation, reservation.pk) if attached else contracts.none,
        together=orders.asked_together(reservation),
    )


def approved_on(held: Mapping[str, Any]) -> date | None:
    """The local day of the approval that frozen inputs name; None where no programme was tried."""
    found = next((each["facts"]["service"].get("approval_on") for each in held["candidates"]), None)
    return None if found is None else date.fromisoformat(found)


class Told(NamedTuple):
    """What is only told to programmes that ask: the kind of the customer, the way of the service, what it is for (``direction``, empty for
    what is usual for such customers), whose it is (None: nobody is known yet), how its contract is found, and a name for what was asked for
    ``together`` with it (empty: nothing)."""

    customer_kind: str
    way: str
    direction: str = ""
    person_id: int | None = None
    contract: contracts.Look = contracts.none
    together: str = ""

    def facts(self, paths: Sequence[str]) -> dict[str, Any]:
        """Those of ``ONLY_WHERE_ASKED`` that are asked for, by their names; the contract is looked for once, and only where one is."""
        found: dict[str, Any] = {path: self.fact(path) for path in paths if path not in OF_SHEET}
        if len(found) < len(paths):
            contract = self.contract()
            told = {
                "service.contract_number": contract and contract.number,
                "service.contract_on": contract and contract.signed_on,
                "service.order": orders.order_of(contract, self.together),
            }
            found |= {path: told[path] for path in paths if path in OF_SHEET}
        return {path.partition(".")[2]: value for path, value in found.items()}

    def fact(self, path: str) -> str | None:
        """The value of one of ``ONLY_WHERE_ASKED``; a person is a key of the platform's. A direction that is none counts as nothing said,
        until it is refused to who books."""
        if path == "service.purpose":
            return direction_of(self.direction if self.direction in list(Direction) else "", self.customer_kind).value
        if path == "service.way":
            return self.way or None
        return None if self.person_id is None else f"user:{self.person_id}"


def service_of(
    service: Service, versions: Iterable[InForce], told: Told, *, imported: bool = False, project: str = ""
) -> Service:
    """What a reservation or a sample job says of itself: that it came with a list, the research project it is for, and of ``told`` what
    one of the programmes asks."""
    paper = replace(service.paper, project=project) if project else service.paper
    asked = sorted({path for version in versions for path in version.programme.asks_of_service})
    if asked:
        paper = replace(paper, **told.facts(asked))
    return replace(service, imported=True if imported else None, paper=paper)


def requested(facts: Facts, versions: Iterable[InForce], said: Said) -> Facts:
    """With the way of settlement and the rate that were chosen, each where a programme lets choose it."""
    offered = [version.programme.choices for version in versions]
    settlement = said.settlement if any(each.settlements for each in offered) else ""
    rate = said.rate if any(each.rate for each in offered) else ""
    if not settlement and not rate:
        return facts
    request = replace(facts.more.request, settlement=settlement or None, rate=Decimal(rate) if rate else None)
    return replace(facts, more=replace(facts.more, request=request))


def require_offered(tried: Iterable[tuple[Programme, Facts]], said: Said) -> None:
    """Raises Refusal ``subsidy.settlement_not_offered``, ``subsidy.rate_not_offered`` for a choice that no programme offers where others
    are to be had, ``subsidy.answer_unfit.*`` for an answer that fits no question of its fact; where no programme lets choose or asks,
    nothing comes of it."""
    tried = list(tried)
    offered = [programme.choices for programme, _facts in tried]
    ways = list(dict.fromkeys(way for each in offered for way in each.settlements))
    ranges = [each.rate for each in offered if each.rate is not None]
    reasons = []
    if said.settlement and ways and said.settlement not in ways:
        reasons.append(Reason("subsidy.settlement_not_offered", {"known": ways}, "settlement"))
    if said.rate and ranges and not any(each.lowest <= Decimal(said.rate) <= each.highest for each in ranges):
        lowest, highest = min(each.lowest for each in ranges), max(each.highest for each in ranges)
        reasons.append(
            Reason("subsidy.rate_not_offered", {"lowest": percent_of_share(lowest), "highest": percent_of_share(highest)}, "rate")
        )
    asked = [each for programme, facts in tried for each in programme.questions_for(facts)]
    Refusal.raise_any([*reasons, *unfit_reasons(asked, said.answers)])


def unfit_reasons(asked: Sequence[questions.Question], answers: str) -> list[Reason]:
    """For each answer that fits none of the questions of its fact."""
    return [
        Reason(_UNFIT[each.kind], {"fact": each.fact, "its_question": dict(each.says)}, "answers")
        for each in questions.unfit(asked, known_answers(answers))
    ]


def prepare(
    instrument: Instrument,
    customer: Organisation,
    during: TimeRange,
    now: datetime,
    *,
    service_mode: str = "",
    imported: bool = False,
    subsidised: bool = True,
    project: str = "",
    person_id: int | None = None,
    direction: str = "",
    said: Said = UNSAID,
    together: str = "",
) -> Prepared:
    """``plan`` with the balances of this moment, for a quote: nothing is locked and no account is opened."""
    planned = plan(
        instrument,
        customer,
        during,
        now,
        service_mode=service_mode,
        imported=imported,
        subsidised=subsidised,
        project=project,
        person_id=person_id,
        direction=direction,
        said=said,
        together=together,
    )
    return planned.with_balances(ledger.known(spec.key for spec in planned.specs()))


@dataclass(frozen=True, slots=True)
class Session:
    """A time on an instrument (with its site and organisation loaded); the rest as in ``plan``."""

    instrument: Instrument
    during: TimeRange
    service_mode: str = ""
    project: str = ""
    person_id: int | None = None
    direction: str = ""
    said: Said = UNSAID
    together: str = ""


def prepare_many(sessions: Sequence[Session], customer: Organisation, now: datetime) -> list[Prepared | None]:
    """``prepare`` for each of the sessions, in at most five queries however many; None for an instrument without a price then."""
    plans, known = plan_many(sessions, customer, now)
    return [each.with_balances(known) if each is not None else None for each in plans]


class Planned(Protocol):
    """What a session's plan and that of a test have in common."""

    @property
    def facts(self) -> Facts: ...
    @property
    def versions(self) -> tuple[InForce, ...]: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def customer_id(self) -> int: ...
    def specs(self) -> list[AccountSpec]: ...
    def with_balances(self, known: Mapping[str, Account]) -> Any: ...


Q = TypeVar("Q", bound=Planned)


def with_what_is_known(plans: Sequence[Q | None]) -> tuple[list[Q | None], dict[str, Account]]:
    """The plans with what came before, and the opened ones of all their accounts by key, each knowing whether something was awarded to it:
    two queries however many, and four more where a programme looks at what came before."""
    there = [each for each in plans if each is not None]
    known = ledger.known({spec.key for each in there for spec in each.specs()})
    know_awards(known.values())
    earlier = earlier_known(
        (each.facts.service.paper for each in there if each.versions),
        (subject for each in there if each.versions for subject in subjects_of(each.versions, each.facts, each.accounts)),
        (asked for each in there for asked in spent.asked(each.versions, each.facts, each.customer_id)),
        (asked for each in there for asked in incomes.asked(each.versions, each.facts)),
    )
    return [each and replace(each, earlier=earlier) for each in plans], known  # type: ignore[type-var]


def plan_many(sessions: Sequence[Session], customer: Organisation, now: datetime) -> tuple[list[Plan | None], dict[str, Account]]:
    """``plan`` for each of the sessions (None without a price then), and the opened ones of all their accounts by key, each knowing whether
    something was awarded to it: at most five queries however many, one more where projects are named and one where a programme
    looks at what came before."""
    found = _pins_of_many(sessions, now)
    pins = [one and _promised(one, each.instrument, customer) for each, one in zip(sessions, found, strict=True)]
    schedules = pricing.schedules({one.price_version_id for one in pins if one is not None})
    gathered = gather(customer, {each.instrument.organisation_id for each in sessions})
    gathered = replace(gathered, vouchers=usable(customer.pk, _programmes(pins)))
    plans = [
        _planned(each, customer, now, pinned, schedules[pinned.price_version_id], gathered) if pinned else None
        for each, pinned in zip(sessions, pins, strict=True)
    ]
    return with_what_is_known(plans)


def _planned(
    asked: Session, customer: Organisation, now: datetime, pins: Pins, schedule: PriceSchedule, gathered: Gathered
) -> Plan:
    return plan(
        asked.instrument,
        customer,
        asked.during,
        now,
        pins,
        schedule,
        service_mode=asked.service_mode,
        gathered=gathered,
        project=asked.project,
        person_id=asked.person_id,
        direction=asked.direction,
        said=asked.said,
        together=asked.together,
    )


_IN_FORCE_OF_MANY = """
SELECT (SELECT id FROM billing_priceversion WHERE instrument_id = asked.instrument AND effective_from <= asked.on_day
        ORDER BY effective_from DESC LIMIT 1),
       ARRAY(SELECT v.id FROM billing_programmeversion v JOIN billing_programme p ON p.id = v.programme_id
             WHERE v.published_at IS NOT NULL
               AND v.valid @> CASE v.date_basis WHEN 'approval' THEN asked.approved_on ELSE asked.on_day END ORDER BY p.code)
  FROM unnest(%s::bigint[], %s::date[], %s::date[]) WITH ORDINALITY AS asked (instrument, on_day, approved_on, place) ORDER BY asked.place
"""


def _programmes(pins: Iterable[Pins | None]) -> list[Programme]:
    ids = {version_id for one in pins if one is not None for version_id in one.programme_version_ids}
    return [subsidy.in_force(version_id).programme for version_id in sorted(ids)]


def _pins_of_many(sessions: Sequence[Session], now: datetime) -> list[Pins | None]:
    """What is in force on the local date of each session's start, approved ``now``: one round trip; None where there is no price."""
    zones = [ZoneInfo(each.instrument.site.time_zone) for each in sessions]
    days = [each.during.starts_at.astimezone(zone).date() for each, zone in zip(sessions, zones, strict=True)]
    approved = [now.astimezone(zone).date() for zone in zones]
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE_OF_MANY, [[each.instrument.pk for each in sessions], days, approved])
        rows = cursor.fetchall()
    return [Pins(price_version_id, tuple(programmes)) if price_version_id else None for price_version_id, programmes in rows]


def awarded_key(version: InForce, customer_id: int) -> str:
    """The account that counts what a customer was awarded under a programme."""
    return f"awarded:{version.programme.code}:{customer_id}"


def owner_alone_key(version: InForce, customer_id: int) -> str:
    """The one that counts, of a programme that both sides claim, what the owner alone was promised for a customer's use."""
    return f"{_OWNER_ALONE}{awarded_key(version, customer_id)}"


def counting_key(version: InForce, customer_id: int, award: Award) -> str:
    """The account of the two on which an award counts."""
    alone = version.programme.of_both_sides and not two_sided.user_gets(award)
    return owner_alone_key(version, customer_id) if alone else awarded_key(version, customer_id)


def _awarded_specs(version: InForce, customer_id: int) -> list[AccountSpec]:
    keys = [awarded_key(version, customer_id)]
    if version.programme.of_both_sides:
        keys.append(owner_alone_key(version, customer_id))
    return [AccountSpec(key, AWARDED, None, version.programme_id, customer_id) for key in keys]


def _under(
    version: InForce, facts: Facts, accounts: Accounts, known: Mapping[str, Account], customer_id: int, earlier: Earlier
) -> Facts:
    """The facts as one programme sees them: whether it is a first use (by the ``known`` accounts that count what was awarded; to the user's
    claim of two sides only what the user got counts), whether project or invoice took its class already, what came before in the year of
    its caps, what the owner earned in the year before and what is expected of the claim; a programme that looks at whose claim it is sees
    both."""
    own = known.get(awarded_key(version, customer_id))
    counting = [own, known.get(owner_alone_key(version, customer_id)) if version.programme.of_both_sides else None]
    first = not any(account is not None and account.is_awarded for account in counting)  # type: ignore[attr-defined]
    paper = once.as_known(facts.service.paper, version, earlier.taken)
    service = version.programme.awaiting(replace(facts.service, paper=paper))
    seen = replace(facts, applicant=replace(facts.applicant, first_use=first), service=service)
    seen = counted.as_known(seen, counted.subject_of(version, facts, accounts), earlier.counts)
    seen = spent.as_known(seen, version, customer_id, earlier.spent)
    seen = incomes.as_known(seen, version, earlier.incomes)
    if version.programme.of_both_sides:
        seen = two_sided.claimed_by_both(seen, user_had=_user_had(own))
    return with_claim.assumed(seen, version.programme.expects) if version.programme.expects else seen


def _with_voucher(version: InForce, facts: Facts, vouchers: Sequence[Usable], known: Mapping[str, Account]) -> Facts:
    """The facts with the vouchers behind the limits of a programme, as far as it is told of them."""
    if not vouchers:
        return facts
    programme = version.programme
    basis_on = programme.validity.basis_on(facts)
    found = [each for cap in programme.caps if basis_on for each in behind(cap, version.programme_id, basis_on, vouchers)]
    return presented.with_vouchers(facts, programme.asks_of_voucher, [(each, _is_left(known.get(each.key))) for each in found])


def _is_left(account: Account | None) -> bool:
    return account is not None and account.promisable_fen > 0


_AWARDED_AMONG = f"""
SELECT a.id FROM unnest(%s::bigint[]) AS a (id) WHERE EXISTS (
    SELECT FROM billing_transfer t
     WHERE t.credit_id = a.id AND (t.source_type, t.source_id) IS DISTINCT FROM ('reservation', %s::bigint)
       AND (t.kind = '{TransferKind.POST}' OR (
            t.kind = '{TransferKind.HOLD}' AND NOT EXISTS (SELECT FROM billing_transfer ended WHERE ended.hold_id = t.id))))
"""  # noqa: S608  (constants only; values are bound)


_TO_USER = f"""
SELECT EXISTS (
    SELECT FROM billing_transfer t
     WHERE t.credit_id = %s AND (t.source_type, t.source_id) IS DISTINCT FROM ('reservation', %s::bigint)
       AND (t.kind = '{TransferKind.HOLD}' AND NOT EXISTS (SELECT FROM billing_transfer ended WHERE ended.hold_id = t.id)
            OR t.kind = '{TransferKind.POST}' AND EXISTS (
               SELECT FROM billing_award w JOIN billing_charge c ON c.id = w.charge_id
                WHERE w.programme_version_id = t.programme_version_id AND w.mode <> '{SettlementMode.PAID_BESIDE}'
                  AND CASE t.source_type WHEN 'reservation' THEN c.reservation_id ELSE c.sample_job_id END = t.source_id)))
"""  # noqa: S608  (constants only; values are bound)


def _user_had(account: Account | None) -> bool:
    """Whether the user was given something of what an account counts of a programme that both sides claim: what was promised to both may
    have been charged for the owner alone. One query the first time that an account is asked."""
    if account is None or not account.is_awarded:  # type: ignore[attr-defined]
        return False
    if not hasattr(account, "is_awarded_to_user"):
        with planned_once() as cursor:
            cursor.execute(_TO_USER, [account.pk, account.but_for])  # type: ignore[attr-defined]
            account.is_awarded_to_user = bool(cursor.fetchone()[0])  # type: ignore[attr-defined]
    return bool(account.is_awarded_to_user)  # type: ignore[attr-defined]


def know_awards(accounts: Iterable[Account], but_for: int | None = None) -> None:
    """Each account that counts awards learns (``is_awarded``) whether one was posted to it or is held and not ended; those of the
    reservation ``but_for`` do not count. One query for all."""
    counting = [account for account in accounts if account.kind == AWARDED]
    if not counting:
        return
    with planned_once() as cursor:
        cursor.execute(_AWARDED_AMONG, [[account.pk for account in counting], but_for])
        awarded = {pk for (pk,) in cursor.fetchall()}
    for account in counting:
        account.is_awarded = account.pk in awarded  # type: ignore[attr-defined]
        account.but_for = but_for  # type: ignore[attr-defined]


def cap_account(
    version: InForce, cap: Cap, customer_id: int, basis_on: date, facts: Facts, figures: Figures | None = None
) -> AccountSpec:
    """The account on which a cap is counted in the programme's year of ``basis_on``; unlimited while nobody has set a limit. ``figures``:
    those that were read for others.

    A cap of an applicant is kept per customer; that of a controller, an instrument, an owner or a person per whom the facts name, so
    that sister firms share one; that of an order or a contract per order or number.
    """
    programme = version.programme
    if cap.per is CapPer.POOL:
        key = subsidy.pool_key(programme.code, programme.version, cap)
        return AccountSpec(key, subsidy.POOL, subsidy.pool_budget(cap), version.programme_id)
    shared = _shared_by(cap.per.value, facts)
    whose = shared or _named_by(cap, customer_id, facts) or customer_id
    year = programme.cap_year(basis_on) if cap.per in YEARLY else None
    key = f"{cap.per.value}:{programme.code}:{cap.id}:{whose}{'' if year is None else f':{year}'}"
    holder_id = None if shared else customer_id
    if not is_settable(cap):
        return AccountSpec(key, cap.per.value, cap.limit_fen, version.programme_id, holder_id)
    own = (figures or Figures()).limit_of(version.programme_id, cap.id, year)
    at_opening = opening_limit(version.programme_id, cap.id, year, cap.limit_fen)
    limit_fen = cap.limit_fen if own is None else own
    return AccountSpec(key, cap.per.value, limit_fen, version.programme_id, holder_id, own, at_opening)


def is_of_cap(version: InForce, cap: Cap, key: str) -> bool:
    """Whether an account counts a cap of a programme: its own, or a voucher's behind it."""
    programme = version.programme
    if cap.per is CapPer.POOL:
        return key == subsidy.pool_key(programme.code, programme.version, cap)
    return key.startswith((f"{cap.per.value}:{programme.code}:{cap.id}:", f"{VOUCHER}:{cap.id}:"))


def _shared_by(per: str, facts: Facts) -> str | None:
    """Who counts under a cap that is not the applicant's alone; a firm that nobody controls is its own controller."""
    applicant = facts.applicant.profile
    named = {
        "controller_year": applicant.controller or applicant.id,
        "instrument_year": facts.instrument.profile.id,
        "owner_year": facts.provider.profile.id,
        "person_year": facts.service.paper.person,
    }
    return named.get(per)


def _named_by(cap: Cap, customer_id: int, facts: Facts) -> str | None:
    """What a cap of several services of one customer is kept for; the number of a contract is one of the customer's."""
    paper = facts.service.paper
    if cap.per is CapPer.CONTRACT:
        return f"{customer_id}:{paper.contract_number}"
    return paper.order if cap.per is CapPer.ORDER else None


def _together(purses: Sequence[tuple[Balance, str]]) -> Balance:
    """Several purses as one, each with the partner region that pays it, or none; without any there is nothing to take from."""
    homes = tuple(Home(payer, max(0, (balance.limit_fen or 0) - balance.used_fen)) for balance, payer in purses if payer)
    if len(purses) == 1:
        (balance, _payer) = purses[0]
        return replace(balance, homes=homes) if homes else balance
    limits = [balance.limit_fen for balance, _payer in purses]
    limit = None if None in limits else sum(each or 0 for each in limits)
    return Balance(limit, sum(balance.used_fen for balance, _payer in purses), homes=homes)


def _balance(account: Account | None, spec: AccountSpec) -> Balance:
    """What an account says; one that was not opened yet, or that has no limit of its own, leaves the document's, or what was set."""
    if account is None:
        return Balance(spec.set_fen)
    if account.state != AccountState.OPEN:  # it promises nothing, whatever is left on it
        return Balance(account.held_fen + account.posted_fen, account.held_fen + account.posted_fen)
    return Balance(account.granted_fen if account.limited else None, account.held_fen + account.posted_fen)
