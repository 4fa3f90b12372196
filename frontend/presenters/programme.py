"""A subsidy programme in words and tables: who, how much, up to what, how it is paid, what is left of its budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from billing import wording
from billing.subsidy.queries import KnownVersion, PoolLeft
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.examples import ExampleResult
from billing.subsidy.rules.facts import Amounts, Facts, Party, Service
from billing.subsidy.rules.parts.rate import FlatRate, MarginalTiers
from billing.subsidy.rules.programme import Programme
from frontend import display
from frontend.presenters.assessment import OutcomeRow, outcome_row
from frontend.presenters.programme_pieces import yuan_words
from frontend.presenters.programme_text import sentences
from instruments.rules.regions import regions

_PERCENT = 100
_KINDS: dict[str, Promise | str] = {
    "innovation_voucher": pgettext_lazy("kind of programme", "Innovation voucher"),
    "startup_voucher": pgettext_lazy("kind of programme", "Start-up voucher"),
    "user_subsidy": pgettext_lazy("kind of programme", "Subsidy for users"),
    "owner_reward": pgettext_lazy("kind of programme", "Reward for owners"),
    "purchased_service": pgettext_lazy("kind of programme", "Purchased service"),
}
_EVIDENCE: dict[str, Promise | str] = {
    "A": pgettext_lazy("evidence of a programme", "The text of the rule was read."),
    "B": pgettext_lazy("evidence of a programme", "Taken from a second-hand source."),
    "C": pgettext_lazy("evidence of a programme", "Only the structure is known."),
    "D": pgettext_lazy("evidence of a programme", "The figures were not found."),
    "S": pgettext_lazy("evidence of a programme", "Invented for demonstration."),
}
SIZES = ("micro", "small", "medium", "large")
KINDS = ("firm", "team", "person", "institution")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words with the clause it rests on."""

    text: str
    clause: str
    clause_text: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """A slice of the base and its share. ``to_fen`` None: without end."""

    from_fen: int
    to_fen: int | None
    percent: str


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A budget: amounts in fen and as whole per cent of what came in, for the bar."""

    name: str
    granted_fen: int
    held_fen: int
    posted_fen: int
    left_fen: int
    held_percent: int
    posted_percent: int
    left_percent: int


@dataclass(frozen=True, slots=True)
class ExampleRow:
    title: str
    facts: str
    outcome: OutcomeRow
    passed: bool


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """``summary`` are plain sentences; ``flat_percent`` is empty where there are tiers."""

    code: str
    label: str
    state: str
    name: str
    issuer: str
    kind: str
    synthetic: bool
    template: bool
    evidence: str
    evidence_note: str
    mode: str
    mode_word: str
    summary: list[str]
    first_day: date
    last_day: date
    eligibility: list[RuleRow]
    rates: list[RateRow]
    flat_percent: str
    rules: list[RuleRow]
    adjustments: list[RuleRow]
    caps: list[RuleRow]
    payers: list[str]
    clauses: list[Any]
    legal_basis: list[str]
    open_points: list[str]
    pools: list[PoolRow]


def programme_view(known: KnownVersion, pools: Sequence[PoolLeft]) -> ProgrammeView:
    """Everything the page of a programme prints, in the reader's language."""
    programme, document = known.programme, known.programme.document
    rates, flat = _rates(programme)
    return ProgrammeView(
        code=programme.code,
        label=programme.version,
        state=known.state,
        name=wording.document_text(programme.name),
        issuer=wording.document_text(document["issuer"]),
        kind=str(_KINDS.get(programme.kind, programme.kind)),
        synthetic=programme.synthetic,
        template=programme.template,
        evidence=str(_EVIDENCE[programme.evidence_grade]),
        evidence_note=wording.document_text(document["evidence"]["note"]),
        mode=programme.mode.value,
        mode_word=wording.mode_word(programme.mode.value),
        summary=_summary(programme, rates, flat),
        first_day=programme.validity.first_day,
        last_day=programme.validity.last_day,
        eligibility=_rules(programme, "gates"),
        rates=rates,
        flat_percent=flat,
        rules=[rule for part in ("year_starts", "base", "rate", "sides") for rule in _rules(programme, part)],
        adjustments=_rules(programme, "adjustments"),
        caps=_rules(programme, "caps"),
        payers=[each.text for each in sentences(document) if each.part == "payers"],
        clauses=[
            {"id": clause.id, "text": wording.document_text({"zh": clause.zh, "en": clause.en}), "assumed": clause.assumed}
            for clause in programme.clauses.values()
        ],
        legal_basis=[wording.document_text(each) for each in document["legal_basis"]],
        open_points=[wording.document_text(each) for each in document["open_points"]],
        pools=[pool_row(pool) for pool in pools],
    )


def _rules(programme: Programme, part: str) -> list[RuleRow]:
    """What the document says in one of its parts, sentence by sentence."""
    return [RuleRow(each.text, each.clause, each.clause_text) for each in sentences(programme.document) if each.part == part]


def _rates(programme: Programme) -> tuple[list[RateRow], str]:
    rate = programme.rate
    if isinstance(rate, FlatRate):
        return [], wording.percent(rate.rate_text)
    tiers = rate.tiers if isinstance(rate, MarginalTiers) else ()
    return [RateRow(tier.from_fen, tier.to_fen, wording.percent(tier.rate_text)) for tier in tiers], ""


def _summary(programme: Programme, rates: list[RateRow], flat: str) -> list[str]:
    if flat:
        told = [_("Pays %(percent)s of the fee.") % {"percent": flat}]
    elif rates:
        shares = {"first": rates[0].percent, "last": rates[-1].percent}
        told = [_("Pays from %(first)s of the first part of the fee to %(last)s of the last.") % shares]
    else:
        told = [rule.text for rule in _rules(programme, "rate")]
    caps = [cap for cap in programme.joint_caps if cap.limit_fen is not None and not cap.on_account]
    told += [f"{_first_up(wording.cap_word(cap.per.value, cap.payer))}: {display.yuan(cap.limit_fen or 0)}." for cap in caps]
    if programme.mode.value == "deducted_now":
        told.append(_("It is taken off your bill: you pay only the rest."))
    elif programme.mode.value == "refunded_later":
        told.append(_("You pay the bill in full and the subsidy is paid back to you later."))
    return told


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def pool_row(pool: PoolLeft) -> PoolRow:
    name = wording.cap_word("pool", pool.payer)
    whole = max(1, pool.granted_fen)
    held, posted = (-(-amount * _PERCENT // whole) if amount else 0 for amount in (pool.held_fen, pool.posted_fen))
    return PoolRow(
        name, pool.granted_fen, pool.held_fen, pool.posted_fen, pool.left_fen, held, posted, pool.left_fen * _PERCENT // whole
    )


def example_rows(programme: Programme, results: Sequence[ExampleResult]) -> list[ExampleRow]:
    """The worked examples: the facts in words, what came out and every step."""
    examples = programme.document["examples"]
    return [
        ExampleRow(result.title, _facts_words(example), outcome_row(result.outcome, programme), result.passed)
        for result, example in zip(results, examples, strict=True)
    ]


def _facts_words(example: Mapping[str, Any]) -> str:
    facts = example["facts"]
    applicant, amounts = facts.get("applicant", {}), facts.get("amounts", {})
    words = [yuan_words(amounts[name]) for name in ("fee", "contract") if name in amounts][:1]
    if "kind" in applicant:
        words.append(wording.kind_word(applicant["kind"]))
    if "size" in applicant:
        words.append(wording.size_word(applicant["size"]))
    if "region_code" in applicant:
        words.append(wording.region_word(applicant["region_code"]))
    if facts.get("quality", {}).get("grade"):
        words.append(_("grade %(grade)s") % {"grade": facts["quality"]["grade"]})
    if applicant.get("first_use"):
        words.append(_("first use"))
    if applicant.get("verified") is False:
        words.append(_("not verified"))
    for balance in example.get("balances", {}).values():
        if balance.get("used"):
            words.append(_("¥%(amount)s used before") % {"amount": yuan_words(balance["used"]).removeprefix("¥")})
    return " · ".join(words)


def calculated(
    programme: Programme, *, fee_fen: int, kind: str, size: str, region_code: str, today: date
) -> tuple[OutcomeRow, date]:
    """What the programme would give to a verified applicant who used nothing of it before, and the date that was assumed.

    The provider counts as verified and in the same region, its quality grade as not known yet.
    """
    validity = programme.validity
    on = min(max(today, validity.first_day), validity.last_day)
    party = Party(
        kind=kind, size=size if kind == "firm" else None, region_code=region_code or None, verified=True, first_use=False
    )
    place = Party(region_code=region_code or None, verified=True)
    service_kind = _service_kind(programme)
    facts = Facts(
        applicant=party,
        provider=place,
        instrument=place,
        service=Service(service_kind, on, on, on, on),
        amounts=Amounts(fee=fee_fen, contract=fee_fen, minimum_top_up=0),
    )
    return outcome_row(evaluate(programme, facts, {}), programme), on


def _service_kind(programme: Programme) -> str:
    """Use of an instrument, unless the programme names only other services: then the first of those."""
    named = [code for gate in programme.document["gates"] if gate["type"] == "service_kind" for code in gate.get("any_of", ())]
    return "instrument_use" if not named or "instrument_use" in named else named[0]


def region_choices(programme: Programme) -> list[tuple[str, str]]:
    """Regions to calculate for: those of the platform and those that the document names."""
    codes = {code: wording.region_word(code) for code in regions()}
    for gate in _all_gates(programme.document["gates"]):
        for item in (*gate.get("any_of", ()), *gate.get("none_of", ())):
            if isinstance(item, Mapping) and "code_prefix" in item:
                code = item["code_prefix"].ljust(6, "0")
                codes.setdefault(code, _("Area %(code)s") % {"code": code})
    return sorted(codes.items())


def _all_gates(gates: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found = []
    for gate in gates:
        found.append(gate)
        for alternative in gate.get("alternatives", ()):
            found += _all_gates(alternative)
    return found
