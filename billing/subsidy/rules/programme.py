"""A programme: one version of a public funding rule, read from its document and compiled once.

The document's form is docs/programmes.md; its JSON Schema is billing/subsidy/schema/programme.schema.json. What is wrong with a document
is found in ``programme_faults``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol

from billing.ledger.rules.documents import Document, DocumentError, Fault, sha256_of
from billing.pricing.rules.steps import Step
from billing.subsidy.rules import given_here, priced_facts, questions, two_sided, voucher_facts, with_claim
from billing.subsidy.rules.choices import Choices, choices_of
from billing.subsidy.rules.facts import Facts, Service
from billing.subsidy.rules.outcome import FACT_MISSING, Payee, SettlementMode, Unmet
from billing.subsidy.rules.parts.adjustments import Adjustment, Plain, QualityFactor, parse_adjustment
from billing.subsidy.rules.parts.base import AnyBase, parse_base
from billing.subsidy.rules.parts.caps import SUBJECT, YEARLY, Cap, CapPer, parse_caps
from billing.subsidy.rules.parts.conditions import Condition as Holding
from billing.subsidy.rules.parts.conditions import facts_named, parse_condition
from billing.subsidy.rules.parts.gates import parse_gate
from billing.subsidy.rules.parts.imported import ImportedSessions, parse_imported
from billing.subsidy.rules.parts.payers import AnyPayers, parse_payers
from billing.subsidy.rules.parts.rate import Certain, Rate
from billing.subsidy.rules.parts.rate_parsing import parse_rate
from billing.subsidy.rules.parts.rounding import ClaimRounding, LinesAgree, parse_rounding
from billing.subsidy.rules.parts.validity import AWAITABLE, Lifetime, Validity, Window, parse_windows
from billing.subsidy.rules.programme_faults import document_faults
from billing.subsidy.rules.questions import Question
from billing.subsidy.rules.side_documents import side_document

_FIRST_OF_YEAR = "01-01"


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered clause. ``assumed``: not in the source, added so that the rule can be computed."""

    id: str
    zh: str
    en: str
    source: str
    assumed: bool


class Condition(Protocol):
    """Anything that can turn a request down: validity, gates, the base, the rate, adjustments."""

    def check(self, facts: Facts) -> Step | Unmet | None: ...


class Unsure(Protocol):
    """A part whose amount may rest on an assumption."""

    def estimates(self, facts: Facts) -> bool: ...


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a programme of several: whom it is for (None: everybody) and its own rules, compiled like a programme."""

    id: str
    when: Holding | None
    programme: Programme


@dataclass(frozen=True, slots=True)
class Programme:
    """A compiled programme version.

    ``document`` is what it was read from, ``sha256`` its fingerprint. ``form`` is the paper way of settlement behind
    ``mode``. ``exclusive_class`` is empty when the programme excludes no other; ``not_with`` are classes and codes of others with which
    it is not combined. ``conditions`` are all that must hold,
    in the order in which they are told; ``must_be_set`` are the caps whose limit configuration has to give. ``unsure`` are the parts
    whose amount may rest on an assumption.
    ``sides`` is empty where there is one; otherwise base, rate, settlement and payers are those of the first, and ``joint_caps`` and
    ``payer_caps`` those of all. ``asks_what_was_paid``: it looks at the invoice or at what was paid;
    ``looks_before``: at what came before under its caps; ``asks_of_service``: which of ``ONLY_WHERE_ASKED`` it looks at;
    ``asks_of_price``: which of the facts that follow from a price, ``asks_of_voucher``: which of those of the vouchers behind its limits;
    ``asks_of_others``: ``amounts.other_subsidies`` where it looks at it;
    ``looks_back_months``: over how many months it asks for spending (0: it does not); ``asks_prior_income``: whether it looks at what the
    owner earned from customers outside in the year before; ``of_both_sides``: whether a service is claimed from both sides;
    ``asks_with_claim``: which facts it asks of who claims, ``expects``: what it is told of them until then.
    ``choices``: what it lets whoever books choose, ``asks``: what it asks them, ``unasked``: of
    a programme that asks, without what it is not for somebody whatever they answer.
    ``year_starts`` (``MM-DD``): the day on which yearly caps begin anew. ``windows``: what
    is asked of other dates; ``awaits``: which of these come after a service, as ``service.awaited`` calls them;
    ``judges_days``: whether a rule beside its windows judges one of these, so that the real day may answer otherwise than the expected one.
    """

    sha256: str
    code: str
    version: str
    synthetic: bool
    template: bool
    evidence_grade: str
    name: Mapping[str, str]
    kind: str
    mode: SettlementMode
    form: str
    payee: Payee
    exclusive_class: str
    exclusive_clause: str
    not_with: frozenset[str]
    clauses: Mapping[str, Clause]
    validity: Validity
    base: AnyBase
    rate: Rate
    adjustments: tuple[Adjustment, ...]
    rounding: ClaimRounding
    joint_caps: tuple[Cap, ...]
    payer_caps: tuple[Cap, ...]
    payers: AnyPayers
    conditions: tuple[Condition, ...]
    must_be_set: tuple[Cap, ...]
    unsure: tuple[Unsure, ...]
    sides: tuple[Side, ...]
    year_starts: str
    windows: tuple[Window | Lifetime, ...]
    awaits: frozenset[str]
    judges_days: bool
    asks_what_was_paid: bool
    looks_before: bool
    asks_of_service: frozenset[str]
    asks_of_price: frozenset[str]
    asks_of_voucher: frozenset[str]
    asks_of_others: frozenset[str]
    looks_back_months: int
    asks_prior_income: bool
    of_both_sides: bool
    asks_with_claim: tuple[str, ...]
    expects: Mapping[str, int]
    choices: Choices
    asks: tuple[Question, ...]
    unasked: tuple[Condition, ...]
    document: Document = field(repr=False, compare=False)

    @property
    def caps(self) -> tuple[Cap, ...]:
        """All of them, in the order in which they cut: the joint ones first."""
        return (*self.joint_caps, *self.payer_caps)

    @property
    def uses_quality(self) -> bool:
        """Whether the amount depends on the quality grade of the service."""
        return any(isinstance(each, QualityFactor) for each in self.adjustments)

    @property
    def covers_imported(self) -> bool:
        """Whether sessions that came with a list of the lab's may be subsidised at all."""
        return any(isinstance(each, ImportedSessions) and each.allowed for each in self.conditions)

    def excludes(self, other: Programme) -> bool:
        """Whether this programme says that the other is not taken beside it: they share a class, or it names the other's class or code."""
        if self.exclusive_class and self.exclusive_class == other.exclusive_class:
            return True
        return other.code in self.not_with or other.exclusive_class in self.not_with

    def accounts_for(self, applicant_kind: str | None) -> tuple[Cap, ...]:
        """The caps kept on accounts that an award to this kind of applicant draws on: load a Balance for each."""
        return tuple(cap for cap in self.caps if cap.on_account and cap.concerns(applicant_kind))

    def caps_counted(self, facts: Facts) -> tuple[Cap, ...]:
        """As ``accounts_for``, with those of the order and the contract that the facts name."""
        return tuple(cap for cap in self.caps if cap.is_counted(facts) and cap.concerns(facts.applicant.kind))

    def counting_cap(self, applicant_kind: str | None) -> Cap | None:
        """The cap of whose subject services count for later ones: the first yearly one that concerns the applicant, in its year; where none
        is yearly the applicant's total, over all years. None where no rule looks at what came before, or there is neither: a total that
        only issuing sets is a voucher's."""
        if not self.looks_before:
            return None
        kept = self.accounts_for(applicant_kind)
        totals = (cap for cap in kept if cap.per is CapPer.UNIT_TOTAL and not cap.refuse_when_unset)
        return next((cap for cap in kept if cap.per in YEARLY), None) or next(totals, None)

    def cap_year(self, on: date) -> int:
        """The year of the yearly caps that a day belongs to: the one in which it began."""
        return on.year if on.isoformat()[5:] >= self.year_starts else on.year - 1

    def awaiting(self, service: Service) -> Service:
        """A service that is promised: days of invoice, claim and payment for which this programme has windows have not come, nor what it
        asks of who claims."""
        awaited = self.awaits | {with_claim.DECLARATION} if self.asks_with_claim else self.awaits
        return replace(service, paper=replace(service.paper, awaited=awaited)) if awaited else service

    def questions_for(self, facts: Facts) -> tuple[Question, ...]:
        """What it asks of whoever books: nothing where it is not for them, whatever they answer."""
        found = (each.check(facts) for each in self.unasked)
        closed = any(isinstance(each, Unmet) and each.code != FACT_MISSING for each in found)
        return () if closed else self.asks

    def in_its_words(self, unmet: Unmet) -> Unmet:
        """A condition that is not met; where an answer is missing, with the words of the question."""
        return questions.in_words(unmet, self.asks) if self.asks else unmet

    def unmet(self, facts: Facts) -> set[tuple[str, str]]:
        """The conditions that these facts do not meet, by clause and code: two clauses may ask for the same."""
        found = [condition.check(facts) for condition in self.conditions]
        return {(each.clause, each.code) for each in found if isinstance(each, Unmet)}


def parse_programme(document: Document) -> Programme:
    """Check and compile a programme that somebody writes. Raises DocumentError with every fault and its JSON path."""
    faults = document_faults(document)
    if faults:
        raise DocumentError(faults)
    return _compiled(document)


def read_programme(document: Document) -> Programme:
    """Compile a document that was found right when it was kept. What is asked of new documents since then is not asked of it again: it
    counts as it was published. Raises DocumentError where it cannot be compiled at all.
    """
    try:
        return _compiled(document)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise DocumentError(document_faults(document) or [Fault("$", f"the document cannot be read: {error}")]) from error


def _compiled(document: Document) -> Programme:
    if "sides" not in document:
        return _of_one_side(document)
    basis = f"service.{document['date_basis']}_on"
    sides = tuple(
        Side(
            each["id"],
            parse_condition(each["when"], basis) if "when" in each else None,
            _of_one_side(side_document(document, each)),
        )
        for each in document["sides"]
    )
    caps = {cap.id: cap for side in sides for cap in side.programme.caps}
    compiled = _of_one_side(side_document(document, document["sides"][0]), document, tuple(caps.values()), sides)
    if not compiled.of_both_sides:
        return compiled
    of_user = [side.programme.document for side in sides if not two_sided.is_owners(side)]
    return replace(compiled, choices=choices_of(document, of_user))


def _of_one_side(
    document: Document,
    whole: Document | None = None,
    all_caps: tuple[Cap, ...] | None = None,
    sides: tuple[Side, ...] = (),
) -> Programme:
    """Compile a checked document with one base and rate; ``whole`` is the document of several sides that it stands for."""
    basis = f"service.{document['date_basis']}_on"
    caps = all_caps if all_caps is not None else tuple(parse_caps(document["caps"], basis))
    exclusive = document.get("exclusive", {})
    settlement = document["settlement"]
    validity, base = _validity(document), parse_base(document["base"])
    gates = tuple(parse_gate(gate, basis) for gate in document["gates"])
    adjustments = tuple(parse_adjustment(each, basis) for each in document["adjustments"])
    rate = parse_rate(document["rate"], basis)
    rounding = parse_rounding(document["rounding"])
    windows = parse_windows(document)
    conditions: list[Condition] = [validity, *windows, parse_imported(document), *gates, base]
    if type(rate).check is not Certain.check:
        conditions.append(rate)
    conditions += [each for each in adjustments if type(each).check is not Plain.check]
    if rounding.per_line:
        conditions.append(LinesAgree(rounding.clause, base))
    source = document if whole is None else whole
    asks_with_claim = with_claim.asked(source)
    declares = with_claim.Declares(settlement["clause"], asks_with_claim)
    if asks_with_claim:
        conditions.append(declares)
    awaits = _awaits(windows)
    parts: list[Unsure] = [rate, *adjustments, *(windows if awaits else ()), *([declares] if asks_with_claim else ())]
    return Programme(
        sha256=sha256_of(source),
        code=document["code"],
        version=document["version"],
        synthetic=document["synthetic"],
        template=document["template"],
        evidence_grade=document["evidence"]["grade"],
        name=document["name"],
        kind=document["kind"],
        mode=SettlementMode(settlement["mode"]),
        form=settlement["form"],
        payee=Payee(settlement["payee"]),
        exclusive_class=exclusive.get("class", ""),
        exclusive_clause=exclusive.get("clause", ""),
        not_with=frozenset(exclusive.get("not_with", ())),
        clauses={clause["id"]: _clause(clause) for clause in document["clauses"]},
        validity=validity,
        base=base,
        rate=rate,
        adjustments=adjustments,
        rounding=rounding,
        joint_caps=tuple(cap for cap in caps if not cap.payer),
        payer_caps=tuple(cap for cap in caps if cap.payer),
        payers=parse_payers(document["payers"], rate, basis),
        must_be_set=tuple(cap for cap in caps if cap.refuse_when_unset),
        conditions=tuple(conditions),
        unsure=tuple(part for part in parts if type(part).estimates not in (Certain.estimates, Plain.estimates)),
        sides=sides,
        year_starts=document.get("year_starts", _FIRST_OF_YEAR),
        windows=windows,
        awaits=awaits,
        judges_days=_judges_days(source),
        asks_what_was_paid=_asks_what_was_paid(source),
        looks_before=_looks_before(source),
        asks_of_service=_asks_of_service(source, caps),
        asks_of_price=priced_facts.asked(source),
        asks_of_voucher=voucher_facts.asked(source),
        asks_of_others=given_here.asked(source),
        looks_back_months=_looks_back_months(source),
        asks_prior_income=bool(priced_facts.named(source, {PRIOR_INCOME})),
        of_both_sides=bool(two_sided.asked(source)),
        asks_with_claim=asks_with_claim,
        expects=with_claim.expected(source),
        choices=choices_of(source),
        asks=questions.questions_of(source),
        unasked=_unasked(source, validity, basis),
        document=source,
    )


#: Gates about who applies, for what and where, of which neither an answer nor a later declaration changes anything.
_UNCHANGED = frozenset({"applicant_kind", "region", "service_kind"})


def _unasked(document: Document, validity: Validity, basis: str) -> tuple[Condition, ...]:
    """The validity and those gates; of a document that asks nothing nobody wants to know."""
    if not document.get("asks"):
        return ()
    return (validity, *(parse_gate(gate, basis) for gate in document["gates"] if gate["type"] in _UNCHANGED))


def _awaits(windows: Sequence[Window | Lifetime]) -> frozenset[str]:
    named = {day.path for each in windows for day in ((each.date, each.since) if isinstance(each, Lifetime) else (each.date,))}
    return frozenset(AWAITABLE[path] for path in named & AWAITABLE.keys())


def _judges_days(rules: Any) -> bool:
    """Whether any rule but the windows names a day that comes after the service."""
    if isinstance(rules, str):
        return rules in AWAITABLE
    if isinstance(rules, Mapping):
        return any(_judges_days(value) for name, value in rules.items() if name not in ("validity", "examples"))
    return isinstance(rules, list) and any(_judges_days(each) for each in rules)


def _asks_what_was_paid(document: Document) -> bool:
    bases = [document.get("base", {}), *(side.get("base", {}) for side in document.get("sides", ()))]
    named = {name for base in bases for name in (base.get("amount"), *base.get("least_of", ()))}
    rules = [value for name, value in document.items() if name != "examples"]
    return bool(named & {"paid", "invoice"} or facts_named(rules) & {"amounts.paid", "amounts.invoice"})


#: What says under which contract a service stands.
OF_CONTRACT = frozenset({"service.contract_number", "service.contract_on"})
#: What follows from the commission sheet that a service is attached to.
OF_SHEET = OF_CONTRACT | {"service.order"}
#: Facts of a service that are told, and kept, only where a programme looks at them: whose it is, what for and how, its contract and order.
ONLY_WHERE_ASKED = frozenset({"service.person", "service.purpose", "service.way", *OF_SHEET})
_TOLD_FOR_A_CAP = frozenset({CapPer.PERSON_YEAR, CapPer.ORDER, CapPer.CONTRACT})


def _asks_of_service(document: Document, caps: Sequence[Cap]) -> frozenset[str]:
    named = facts_named([value for name, value in document.items() if name != "examples"])
    return ONLY_WHERE_ASKED & (named | {SUBJECT[cap.per] for cap in caps if cap.per in _TOLD_FOR_A_CAP})


#: What its owner earned from customers outside in the year before, as an officer confirmed it.
PRIOR_INCOME = "amounts.prior_year_external_income"
#: What the platform counts of what came before.
COUNTED_BEFORE = frozenset({"before.fee", "before.minutes", "before.samples", "before.awards", "before.subsidised"})


def _looks_before(document: Any) -> bool:
    """Whether any rule names a fact of ``before``, as a condition, where a rate goes on or where a limit counts it in."""
    if isinstance(document, str):
        return document in COUNTED_BEFORE
    if isinstance(document, Mapping):
        return any(_looks_before(value) for name, value in document.items() if name != "examples")
    return isinstance(document, list) and any(_looks_before(each) for each in document)


def _looks_back_months(document: Any) -> int:
    """The most months of a gate on spending, wherever it stands."""
    if isinstance(document, list):
        return max(map(_looks_back_months, document), default=0)
    if not isinstance(document, Mapping):
        return 0
    own = document.get("months", 0) if document.get("type") == "minimum_spend" else 0
    return max([own, *(_looks_back_months(value) for name, value in document.items() if name != "examples")])


def _clause(document: Mapping[str, Any]) -> Clause:
    return Clause(document["id"], document["zh"], document["en"], document.get("source", ""), document.get("assumed", False))


def _validity(document: Document) -> Validity:
    days = document["validity"]
    first, last = date.fromisoformat(days["first_day"]), date.fromisoformat(days["last_day"])
    return Validity(days["clause"], first, last, document["date_basis"])
