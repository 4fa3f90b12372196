"""What changes the amount after the rate, in the order of the document: factors, points, bonuses, limits and deductions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, parse_yuan
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.fact_fields import FactField, FactKind, fact_field
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet, missing
from billing.subsidy.rules.parts.base import Taken
from billing.subsidy.rules.parts.conditions import Condition, condition_faults, fact_fault, parse_condition
from billing.subsidy.rules.parts.exact import Exact, amount_step, at_most, parse_exact, plus, times


class Adjustment(Protocol):
    """A change of the exact amount. ``estimates`` says whether it rests on an assumption for these facts."""

    def check(self, facts: Facts) -> Unmet | None: ...

    def estimates(self, facts: Facts) -> bool: ...

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact: ...


class Plain:
    """What most adjustments share: they refuse nobody and rest on no assumption."""

    __slots__ = ()

    def check(self, facts: Facts) -> Unmet | None:
        return None

    def estimates(self, facts: Facts) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class QualityFactor:
    """The amount times the factor of a grade: of the service's quality, or what ``of`` names. Until a grade is known the document's
    ``assume`` is used."""

    clause: str
    factors: Mapping[str, Decimal]
    assume: str
    of: FactField | None = None

    def check(self, facts: Facts) -> Unmet | None:
        grade = facts.grade if self.of is None else self._grade(facts)
        if grade is None or grade in self.factors:
            return None
        params = {"grade": grade, "allowed": sorted(self.factors)}
        return Unmet(self.clause, "subsidy.unmet.grade_unknown", params)

    def estimates(self, facts: Facts) -> bool:
        return (facts.grade if self.of is None else self._grade(facts)) is None

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        known = facts.grade if self.of is None else self._grade(facts)
        grade = self.assume if known is None else known
        factor = self.factors[grade]
        amount = times(amount, factor)
        key = "subsidy.step.quality_assumed" if known is None else "subsidy.step.quality"
        steps.append(amount_step("quality", self.clause, key, {"grade": grade, "factor": str(factor)}, amount))
        return amount

    def _grade(self, facts: Facts) -> str | None:
        found = self.of.read(facts) if self.of is not None else facts.grade
        return None if found is None else str(found)


class OncePerClaim(Plain):
    """What counts once for a claim, also where it is worked out line by line."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class AskedLimit(OncePerClaim):
    """Nobody gets more than was asked for; without an amount asked nothing changes."""

    clause: str

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        asked = facts.amounts.asked
        if asked is None:
            return amount
        limited = at_most(amount, asked)
        key = "subsidy.step.asked_enough" if limited is amount else "subsidy.step.asked_less"
        steps.append(amount_step("asked", self.clause, key, {"asked_fen": asked}, limited))
        return limited


@dataclass(frozen=True, slots=True)
class OnCondition:
    """A condition with its words; a condition that cannot be told does not hold here."""

    when: Condition | None
    says: Mapping[str, str]

    def holds(self, facts: Facts) -> bool:
        return self.when is None or bool(self.when.holds(facts, []))


class FirstUse(OnCondition):
    """Whether the applicant was never subsidised before; its words are the step's own."""

    def holds(self, facts: Facts) -> bool:
        return bool(facts.applicant.first_use)


class More(NamedTuple):
    """What an addition adds (exact fen), and its step: part, key and parameters."""

    amount: Exact
    part: str
    key: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Addition(Plain):
    """Something on top on a condition; ``only_with_subsidy``: not where nothing was given before."""

    clause: str
    on: OnCondition
    only_with_subsidy: bool

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        if not self.on.holds(facts) or (self.only_with_subsidy and not amount):
            return amount
        more, part, key, params = self.more(base)
        amount = plus(amount, more)
        steps.append(amount_step(part, self.clause, key, params, amount))
        return amount

    def more(self, base: Taken) -> More:
        """How much, and the step that tells it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Uplift(Addition):
    """Percentage points more: the base times ``points`` on top. ``points`` 0.1 is ten points."""

    points: Decimal

    def more(self, base: Taken) -> More:
        share = EXACT.multiply(Decimal(base), self.points)  # type: ignore[arg-type]  # points are of an amount (adjustment_faults)
        params = {"says": dict(self.on.says), "rate": str(self.points), "base_fen": base}
        return More(share, "uplift", "subsidy.step.uplift", params)


@dataclass(frozen=True, slots=True)
class Bonus(Addition, OncePerClaim):
    """A fixed amount on top."""

    bonus_fen: int

    def more(self, base: Taken) -> More:
        params = {"says": dict(self.on.says), "bonus_fen": self.bonus_fen}
        return More(Decimal(self.bonus_fen), "bonus", "subsidy.step.bonus", params)


@dataclass(frozen=True, slots=True)
class FirstUseBonus(Bonus):
    """A fixed amount on top for an applicant never subsidised before. An unknown ``first_use`` gives none."""

    def more(self, base: Taken) -> More:
        return More(Decimal(self.bonus_fen), "bonus", "subsidy.step.first_use_bonus", {"bonus_fen": self.bonus_fen})


@dataclass(frozen=True, slots=True)
class RateLimit(Plain):
    """The amount is at most this share of the base, whatever was added before."""

    clause: str
    rate: Exact

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        most = times(base, self.rate)
        limited = at_most(amount, most)
        if limited is not amount:
            params = {"rate": str(self.rate), "base_fen": base}
            steps.append(amount_step("uplift", self.clause, "subsidy.step.rate_limit", params, limited))
        return limited


@dataclass(frozen=True, slots=True)
class LimitTogether(OncePerClaim):
    """The amount is at most a share of an amount (``of``; None: of the base), less what was given elsewhere (``counting``).

    An amount that it is a share of has to be known; what was given elsewhere and is not known is nil.
    """

    clause: str
    rate: Exact
    of: FactField | None
    counting: tuple[FactField, ...]

    def check(self, facts: Facts) -> Unmet | None:
        return missing(self.clause, self.of.path) if self.of is not None and self.of.read(facts) is None else None

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        whole = base if self.of is None else self.of.read(facts)
        counted = sum(field.read(facts) or 0 for field in self.counting)
        most = plus(times(whole, self.rate), -counted)
        limited = at_most(amount, max(most, Decimal(0)))
        if limited is not amount:
            params = {"rate": str(self.rate), "whole_fen": whole, "counted_fen": counted}
            steps.append(amount_step("uplift", self.clause, "subsidy.step.limit_together", params, limited))
        return limited


@dataclass(frozen=True, slots=True)
class Factor(Plain):
    """The amount times a factor on a condition."""

    clause: str
    factor: Decimal
    on: OnCondition

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        if not self.on.holds(facts):
            return amount
        amount = times(amount, self.factor)
        params = {"says": dict(self.on.says), "factor": str(self.factor)}
        steps.append(amount_step("factor", self.clause, "subsidy.step.factor", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class Deduct(OncePerClaim):
    """Less what an amount says, such as what other public money gave; never below nil. An amount that is not known is nil."""

    clause: str
    amount: FactField

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        less = self.amount.read(facts)
        if not less:
            return amount
        left = plus(amount, -less)
        left = left if left > 0 else Decimal(0)
        params = {"of": self.amount.path.removeprefix("amounts."), "less_fen": less}
        steps.append(amount_step("deduct", self.clause, "subsidy.step.deduct", params, left))
        return left


@dataclass(frozen=True, slots=True)
class LeastAward(OncePerClaim):
    """An amount below this is not paid at all."""

    clause: str
    least_fen: int

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        if amount >= self.least_fen or not amount:
            return amount
        params = {"least_fen": self.least_fen}
        steps.append(Step("least", self.clause, "subsidy.step.least_award", params, 0))
        return Decimal(0)


@dataclass(frozen=True, slots=True)
class Where:
    """A limit or a deduction for some only. One that cannot be told concerns the claim, as with a cap: what is not known gives no more."""

    clause: str
    on: OnCondition
    limit: Adjustment

    def check(self, facts: Facts) -> Unmet | None:
        return self.limit.check(facts) if self._concerns(facts) else None

    def estimates(self, facts: Facts) -> bool:
        return self._concerns(facts) and self.limit.estimates(facts)

    def apply(self, amount: Exact, base: Taken, facts: Facts, steps: list[Step]) -> Exact:
        if not self._concerns(facts):
            return amount
        told: list[Step] = []
        changed = self.limit.apply(amount, base, facts, told)
        if told:
            says = {"says": dict(self.on.says)}
            steps += [amount_step(told[0].part, self.clause, "subsidy.step.where", says, amount), *told]
        return changed

    def _concerns(self, facts: Facts) -> bool:
        return self.on.when is None or self.on.when.holds(facts, []) is not False


class WhereOnce(Where, OncePerClaim):
    """The same of what counts once for a claim."""

    __slots__ = ()


def _on(document: Mapping[str, Any], basis: str) -> OnCondition:
    when = parse_condition(document["when"], basis) if "when" in document else None
    return OnCondition(when, document.get("says", {}))


def _quality(document: Mapping[str, Any], _basis: str) -> Adjustment:
    factors = {grade: Decimal(factor) for grade, factor in document["factors"].items()}
    of = document.get("of", "quality.grade")
    return QualityFactor(document["clause"], factors, document["assume"], None if of == "quality.grade" else fact_field(of))


def _rate_limit(document: Mapping[str, Any], _basis: str) -> Adjustment:
    if not document.keys() & {"of", "counting"}:
        return RateLimit(document["clause"], parse_exact(document["rate"]))
    of = _amount(document["of"]) if "of" in document else None
    return LimitTogether(document["clause"], parse_exact(document["rate"]), of, tuple(map(_amount, document.get("counting", ()))))


def _deduct(document: Mapping[str, Any], _basis: str) -> Adjustment:
    return Deduct(document["clause"], _amount(document["of"]))


def _amount(path: str) -> FactField:
    field = fact_field(path)
    if field is None:
        raise ValueError(f"there is no fact {path!r}")
    return field


#: What lowers an amount, perhaps for some only; where their condition cannot be told it concerns the claim.
SOME_ONLY = frozenset({"rate_limit", "deduct", "least_award"})
_PARSERS: dict[str, Callable[[Mapping[str, Any], str], Adjustment]] = {
    "quality_factor": _quality,
    "first_use_bonus": lambda piece, _basis: FirstUseBonus(
        piece["clause"], FirstUse(None, {}), piece["only_with_subsidy"], parse_yuan(piece["amount"])
    ),
    "asked_limit": lambda piece, _basis: AskedLimit(piece["clause"]),
    "uplift": lambda piece, basis: Uplift(piece["clause"], _on(piece, basis), False, Decimal(piece["points"])),
    "rate_limit": _rate_limit,
    "factor": lambda piece, basis: Factor(piece["clause"], Decimal(piece["factor"]), _on(piece, basis)),
    "bonus": lambda piece, basis: Bonus(
        piece["clause"], _on(piece, basis), piece["only_with_subsidy"], parse_yuan(piece["amount"])
    ),
    "deduct": _deduct,
    "least_award": lambda piece, _basis: LeastAward(piece["clause"], parse_yuan(piece["amount"])),
}


def parse_adjustment(document: Mapping[str, Any], basis: str) -> Adjustment:
    """The adjustment that a valid piece of a document describes. ``basis`` is the fact of the programme's date basis."""
    parsed = _PARSERS[document["type"]](document, basis)
    if "when" not in document or document["type"] not in SOME_ONLY:
        return parsed
    kind = WhereOnce if isinstance(parsed, OncePerClaim) else Where
    return kind(document["clause"], _on(document, basis), parsed)


def adjustment_faults(documents: list[Mapping[str, Any]], base: Mapping[str, Any]) -> list[Fault]:
    """What the schema cannot say: the grade assumed has a factor, facts exist, and points are of an amount."""
    return [fault for place, piece in enumerate(documents) for fault in _faults(piece, base, f"$.adjustments[{place}]")]


def _faults(piece: Mapping[str, Any], base: Mapping[str, Any], path: str) -> Iterator[Fault]:
    kind = piece["type"]
    if kind == "quality_factor" and piece["assume"] not in piece["factors"]:
        yield Fault(f"{path}.assume", f"the grade {piece['assume']!r} has no factor; name one of {', '.join(piece['factors'])}")
    if "when" in piece:
        yield from condition_faults(piece["when"], f"{path}.when")
        if "says" not in piece:
            yield Fault(f"{path}.says", 'a condition needs its words; write {"zh": …, "en": …}')
    if "quantity" in base and kind == "rate_limit" and "of" not in piece:
        said = "'rate_limit' is a share of an amount, and the base is a quantity; write 'of' which amount, or use 'factor'"
        yield Fault(f"{path}.type", said)
    if "quantity" in base and kind == "uplift":
        yield Fault(f"{path}.type", "'uplift' is a share of an amount, and the base is a quantity; use 'factor' or 'bonus'")
    named = [(f"{path}.of", piece["of"])] if "of" in piece else []
    named += [(f"{path}.counting[{number}]", each) for number, each in enumerate(piece.get("counting", ()))]
    grade = kind == "quality_factor"
    wanted = (FactKind.TEXT, FactKind.NUMBER, FactKind.OPEN) if grade else (FactKind.MONEY,)
    for where, fact in named:
        field = fact_field(fact)
        if field is None:
            yield fact_fault(fact, where)
        elif field.kind not in wanted:
            yield Fault(where, f"{field.path} cannot be used here; it is not {'a grade' if grade else 'an amount'}")
