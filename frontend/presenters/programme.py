"""A subsidy programme in words and tables: who, how much, up to what, how it is paid, what is left of its budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from billing import wording
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.queries import KnownVersion, PoolLeft
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.examples import ExampleResult
from billing.subsidy.rules.facts import Amounts, Facts, Party, Service
from billing.subsidy.rules.outcome import Balance
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.parts.rate import FlatRate, MarginalTiers
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.side_documents import side_document
from frontend import display
from frontend.presenters import programme_parts as words
from frontend.presenters.assessment import OutcomeRow, outcome_row
from frontend.presenters.condition_words import said
from frontend.programme_labels import choice_word
from instruments.queries.divisions import selectable

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
    """A budget: amounts in fen and as whole per cent of what came in, for the bar; not ``limited``: nobody set a figure."""

    name: str
    granted_fen: int
    held_fen: int
    posted_fen: int
    left_fen: int
    held_percent: int
    posted_percent: int
    left_percent: int
    limited: bool


@dataclass(frozen=True, slots=True)
class ExampleRow:
    title: str
    facts: str
    outcome: OutcomeRow
    passed: bool


@dataclass(frozen=True, slots=True)
class PartView:
    """How much one side gives, in sentences: of a programme of one side only what is no table and no single figure. ``title`` is then
    empty."""

    title: str
    mode_word: str
    sentences: list[str]
    payers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """``summary`` are plain sentences; ``flat_percent`` is empty where there are tiers or ``parts`` say it."""

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
    asks: list[RuleRow]
    rates: list[RateRow]
    flat_percent: str
    parts: list[PartView]
    adjustments: list[RuleRow]
    caps: list[RuleRow]
    payers: list[tuple[str, str]]
    clauses: list[Any]
    legal_basis: list[str]
    open_points: list[str]
    pools: list[PoolRow]


@dataclass(frozen=True, slots=True)
class Stacking:
    """How the programmes in force go together: of each of the ``groups`` (code and name) only one pays; the ``others`` add up."""

    groups: list[list[tuple[str, str]]]
    others: list[tuple[str, str]]


def stacking(known: Sequence[KnownVersion]) -> Stacking | None:
    """By the exclusive classes of those in force; None where there are no two."""
    current = [each.programme for each in known if each.state == "current"]
    if len(current) < 2:
        return None
    by_class: dict[str, list[tuple[str, str]]] = {}
    for programme in current:
        name = programme.exclusive_class or f"alone:{programme.code}"
        by_class.setdefault(name, []).append((programme.code, wording.document_text(programme.name)))
    groups = list(by_class.values())
    return Stacking([each for each in groups if len(each) > 1], [each[0] for each in groups if len(each) == 1])


def programme_view(known: KnownVersion, pools: Sequence[PoolLeft]) -> ProgrammeView:
    """Everything the page of a programme prints, in the reader's language."""
    programme, document = known.programme, known.programme.document
    rates, flat = _rates(programme) if "sides" not in document else ([], "")
    parts = _parts(document)
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
        first_day=known.version.valid.lower,
        last_day=known.version.last_on,
        eligibility=[_rule(programme, gate_words(piece), piece["clause"]) for piece in document["gates"]]
        + [_rule(programme, text, document["validity"]["clause"]) for text in words.window_sentences(document["validity"])],
        asks=[_rule(programme, question_words(piece), piece["clause"]) for piece in document.get("asks", ())],
        rates=rates,
        flat_percent=flat,
        parts=parts,
        adjustments=[_rule(programme, adjustment_words(piece), piece["clause"]) for piece in document.get("adjustments", ())],
        caps=[_rule(programme, _cap(cap), cap.clause) for cap in programme.caps],
        payers=words.payer_rows(document["payers"], document["rate"]) if "sides" not in document else [],
        clauses=[
            {"id": clause.id, "text": wording.document_text({"zh": clause.zh, "en": clause.en}), "assumed": clause.assumed}
            for clause in programme.clauses.values()
        ],
        legal_basis=[wording.document_text(each) for each in document["legal_basis"]],
        open_points=[wording.document_text(each) for each in document["open_points"]],
        pools=[pool_row(pool) for pool in pools],
    )


def _rule(programme: Programme, text: str, clause_id: str) -> RuleRow:
    clause = programme.clauses[clause_id]
    return RuleRow(text, clause_id, wording.document_text({"zh": clause.zh, "en": clause.en}))


def _rates(programme: Programme) -> tuple[list[RateRow], str]:
    rate = programme.rate
    if isinstance(rate, FlatRate):
        return [], wording.percent(rate.rate_text)
    tiers = rate.tiers if isinstance(rate, MarginalTiers) else ()
    return [RateRow(tier.from_fen, tier.to_fen, wording.percent(tier.rate_text)) for tier in tiers], ""


def _parts(document: Mapping[str, Any]) -> list[PartView]:
    """The sides of a programme, or what of its one side no table shows."""
    if "sides" in document:
        return [_side(document, side) for side in document["sides"]]
    told = words.base_sentences(document["base"]) if document["base"].keys() - _PLAIN_BASE else []
    if document["rate"]["type"] not in words.PRINTED:
        told += words.rate_sentences(document["rate"])
    return [PartView("", "", told, [])] if told else []


_PLAIN_BASE = frozenset({"amount", "minimum_charge", "clause"})


def _side(document: Mapping[str, Any], side: Mapping[str, Any]) -> PartView:
    merged = side_document(document, side)
    told = [gate_words(piece) for piece in side.get("gates", ())]
    told += words.base_sentences(merged["base"]) + words.rate_sentences(merged["rate"])
    told += [adjustment_words(piece) for piece in merged["adjustments"]]
    return PartView(
        words.side_title(side),
        wording.mode_word(merged["settlement"]["mode"]),
        told,
        words.payer_rows(merged["payers"], merged["rate"]),
    )


def _summary(programme: Programme, rates: list[RateRow], flat: str) -> list[str]:
    if programme.sides:
        return [_("The programme has several sides; each is told below.")]
    if flat:
        sentences = [_("Pays %(percent)s of the fee.") % {"percent": flat}]
    elif not rates:
        sentences = words.base_sentences(programme.document["base"])
    else:
        shares = {"first": rates[0].percent, "last": rates[-1].percent} if rates else {"first": "–", "last": "–"}
        sentences = [_("Pays from %(first)s of the first part of the fee to %(last)s of the last.") % shares]
    caps = [_cap(cap) for cap in programme.joint_caps if cap.limit_fen is not None and not cap.on_account]
    sentences += [_("%(text)s.") % {"text": f"{text[:1].upper()}{text[1:]}"} for text in caps]
    if programme.mode.value == "paid_beside":
        sentences.append(_("It is paid to the institution that owns the instrument and changes nothing on your bill."))
    elif programme.mode.value == "deducted_now":
        sentences.append(_("It is taken off your bill: you pay only the rest."))
    else:
        sentences.append(_("You pay the bill in full and the subsidy is paid back to you later."))
    return sentences


def _area(items: Sequence[Mapping[str, str]]) -> str:
    return wording.several(wording.region_word(item["code_prefix"]) if "code_prefix" in item else item["zone"] for item in items)


def _subject(piece: Mapping[str, Any]) -> str:
    return wording.subject_word(piece.get("subject", "applicant"))


def gate_words(piece: Mapping[str, Any]) -> str:
    """One condition in words; one that only concerns some kinds of applicants says whom."""
    text = _GATES[piece["type"]](piece)
    if piece.get("applies_to"):
        kinds = wording.several(wording.kind_word(kind) for kind in piece["applies_to"])
        return _("%(condition)s (for: %(kinds)s)") % {"condition": text, "kinds": kinds}
    return text


def question_words(piece: Mapping[str, Any]) -> str:
    """A question with the way in which it is answered."""
    shown = {"question": wording.document_text(piece["says"]), "kind": choice_word("kind", piece["kind"])}
    if piece["kind"] == "choice":
        shown["kind"] = pgettext("between the answers of a question", " / ").join(
            wording.document_text(each["says"]) for each in piece["choices"]
        )
    return _("“%(question)s” (%(kind)s)") % shown


def _kind_gate(piece: Mapping[str, Any]) -> str:
    return _("The applicant is one of: %(kinds)s") % {
        "kinds": wording.several(wording.kind_word(kind) for kind in piece["any_of"])
    }


def _size_gate(piece: Mapping[str, Any]) -> str:
    return _("The firm's size is one of: %(sizes)s") % {
        "sizes": wording.several(wording.size_word(size) for size in piece["any_of"])
    }


def _region_gate(piece: Mapping[str, Any]) -> str:
    parts = []
    if piece.get("any_of"):
        parts.append(_("The %(subject)s is in %(area)s") % {"subject": _subject(piece), "area": _area(piece["any_of"])})
    if piece.get("none_of"):
        parts.append(_("The %(subject)s is not in %(area)s") % {"subject": _subject(piece), "area": _area(piece["none_of"])})
    return words.joined(parts)


def _verified_gate(piece: Mapping[str, Any]) -> str:
    return _("The platform has verified the identity of the %(subject)s") % {"subject": _subject(piece)}


def _service_gate(piece: Mapping[str, Any]) -> str:
    parts = []
    if piece.get("any_of"):
        parts.append(_("The service is one of: %(services)s") % {"services": _services(piece["any_of"])})
    if piece.get("none_of"):
        parts.append(_("The service is none of: %(services)s") % {"services": _services(piece["none_of"])})
    return words.joined(parts)


def _services(codes: Sequence[str]) -> str:
    return wording.several(wording.service_word(code) for code in codes)


def _spend_gate(piece: Mapping[str, Any]) -> str:
    said = {"amount": wording.amount_word(piece["of"]), "minimum": _yuan(piece["amount"]), "months": piece.get("months", "")}
    if "months" in piece:
        return _("What was spent in %(months)s months is at least ¥%(minimum)s") % said
    return _("The %(amount)s is at least ¥%(minimum)s") % said


def _alternatives_gate(piece: Mapping[str, Any]) -> str:
    ways = [str(_(" and ")).join(gate_words(gate) for gate in gates) for gates in piece["alternatives"]]
    return _("One of these holds: %(ways)s") % {"ways": str(_("; or ")).join(ways)}


_GATES = {
    "applicant_kind": _kind_gate,
    "firm_size": _size_gate,
    "region": _region_gate,
    "verified_organisation": _verified_gate,
    "service_kind": _service_gate,
    "minimum_spend": _spend_gate,
    "any_of": _alternatives_gate,
    "condition": said,
}


def _yuan(amount: str | int) -> str:
    return f"{Decimal(amount):,}"


def adjustment_words(piece: Mapping[str, Any]) -> str:
    if piece["type"] == "quality_factor":
        best_first = sorted(piece["factors"].items(), key=lambda each: -Decimal(each[1]))
        factors = wording.several(f"{grade} × {wording.factor_text(factor)}" for grade, factor in best_first)
        return _(
            "Times the factor of the provider's quality grade: %(factors)s. "
            "Until the grade is known, %(assumed)s is assumed and the amount is an estimate."
        ) % {"factors": factors, "assumed": piece["assume"]}
    if piece["type"] == "first_use_bonus":
        return _("The first time, ¥%(amount)s more.") % {"amount": _yuan(piece["amount"])}
    if piece["type"] == "asked_limit":
        return _("Never more than was asked for.")
    return words.adjustment_sentence(piece)


def _cap(cap: Cap) -> str:
    name = wording.cap_word(cap.per.value, cap.payer)
    if cap.share is not None:
        return _("%(limit)s: %(share)s of the whole") % {"limit": name, "share": wording.percent(str(cap.share))}
    if cap.limit_fen is None:
        return _("%(limit)s: set by the office that runs the programme") % {"limit": name}
    shown = {"limit": name, "amount": display.yuan(cap.limit_fen)}
    if cap.partial:
        return _("%(limit)s: %(amount)s") % shown
    return _("%(limit)s: %(amount)s, granted whole or not at all") % shown


def pool_row(pool: PoolLeft) -> PoolRow:
    name = wording.cap_word("pool", pool.payer)
    whole = max(1, pool.granted_fen)
    held, posted = (-(-amount * _PERCENT // whole) if amount else 0 for amount in (pool.held_fen, pool.posted_fen))
    left = pool.left_fen * _PERCENT // whole
    return PoolRow(name, pool.granted_fen, pool.held_fen, pool.posted_fen, pool.left_fen, held, posted, left, pool.limited)


def example_rows(programme: Programme, results: Sequence[ExampleResult]) -> list[ExampleRow]:
    """The worked examples: the facts in words, what came out and every step."""
    examples = programme.document["examples"]
    return [
        ExampleRow(result.title, _facts_words(example), outcome_row(result.outcome, programme), result.passed)
        for result, example in zip(results, examples, strict=True)
    ]


def _facts_words(example: Mapping[str, Any]) -> str:
    facts = example.get("facts", {})
    applicant, amounts = facts.get("applicant", {}), facts.get("amounts", {})
    told = [f"¥{_yuan(amounts[name])}" for name in _MAIN_AMOUNTS if name in amounts][:1]
    if "claims" in example:
        count = len(example["claims"])
        told.append(ngettext("%(count)s claim together", "%(count)s claims together", count) % {"count": count})
    if "kind" in applicant:
        told.append(wording.kind_word(applicant["kind"]))
    if "size" in applicant:
        told.append(wording.size_word(applicant["size"]))
    if "region_code" in applicant:
        told.append(wording.region_word(applicant["region_code"]))
    if facts.get("quality", {}).get("grade"):
        told.append(_("grade %(grade)s") % {"grade": facts["quality"]["grade"]})
    if applicant.get("first_use"):
        told.append(_("first use"))
    if applicant.get("verified") is False:
        told.append(_("not verified"))
    for balance in example.get("balances", {}).values():
        if balance.get("used"):
            told.append(_("¥%(amount)s used before") % {"amount": _yuan(balance["used"])})
    return " · ".join(told)


_MAIN_AMOUNTS = ("fee", "contract", "invoice", "paid", "external_income")


def calculated(
    programme: Programme,
    *,
    fee_fen: int,
    kind: str,
    size: str,
    region_code: str,
    today: date,
    last_day: date,
    limits_on: Callable[[date], Mapping[str, int]] = lambda _on: {},
) -> tuple[OutcomeRow, date]:
    """What the programme would give to a verified applicant who used nothing of it before, and the date that was assumed, until the
    ``last_day`` of its version. ``limits_on``:
    the limits (fen, by cap id) that somebody set and that count on that date.

    The provider counts as verified and in the same region, its quality grade as not known yet.
    """
    on = min(max(today, programme.validity.first_day), last_day)
    party = Party(
        kind=kind, size=size if kind == "firm" else None, region_code=region_code or None, verified=True, first_use=False
    )
    place = Party(region_code=region_code or None, verified=True)
    service_kind = _service_kind(programme)
    facts = Facts(
        applicant=party,
        provider=place,
        instrument=place,
        service=programme.awaiting(Service(service_kind, on, on, on, on)),
        amounts=Amounts(fee=fee_fen, contract=fee_fen, minimum_top_up=0),
    )
    balances = {cap_id: Balance(limit) for cap_id, limit in limits_on(on).items()}
    return outcome_row(evaluate(programme, facts, balances), programme), on


def _service_kind(programme: Programme) -> str:
    """Use of an instrument, unless the programme names only other services: then the first of those."""
    gates = list(programme.document["gates"])
    for side in programme.document.get("sides", ()):
        gates += side.get("gates", ())
    named = [code for gate in gates if gate["type"] == "service_kind" for code in gate.get("any_of", ())]
    return "instrument_use" if not named or "instrument_use" in named else named[0]


def region_choices(programme: Programme) -> list[tuple[str, str]]:
    """Regions to calculate for: those of the platform and those that the document names."""
    codes = {code: wording.region_word(code) for code in (each.code for each in selectable())}
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


def version_address(version: ProgrammeVersion) -> str:
    """The page of one version; a label may have any characters."""
    return f"{reverse('programme_detail', args=[version.programme.code])}?{urlencode({'version': version.label})}"
