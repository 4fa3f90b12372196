"""Inputs and results of a commissioned test as JSON, as ``codec`` does it for a session: frozen now, computed again by anyone later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from billing.pricing.rules.samples import (
    ExtraCharge,
    PricedSamples,
    SampleLine,
    SamplePrice,
    sample_price_from_json,
    sample_price_to_json,
)
from billing.subsidy.rules import engines
from billing.subsidy.rules.assess import Assessment, Candidate, sample_facts
from billing.subsidy.rules.codec import FIGURES, beside_others, candidate_to_json, candidates_of, outcome_of, steps_of
from billing.subsidy.rules.engines import as_read_by
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.programme import Programme

Json = dict[str, Any]
KIND = "samples"


@dataclass(frozen=True, slots=True)
class SampleInputs:
    """Everything the assessment of a commissioned test depends on; the arguments of ``assess_samples``. ``engine``: the version that works
    it out."""

    price: SamplePrice
    samples: int
    elements: int
    local_on: date
    customer_class: str
    candidates: tuple[Candidate, ...]
    extras: tuple[ExtraCharge, ...] = ()
    engine: str = field(default_factory=engines.current)

    def assess(self) -> Assessment[PricedSamples]:
        """By the engine that is named, whichever functions it shares. Raises OtherEngine, and what the engine raises."""
        found = engines.engine(self.engine).samples(
            self.price, self.samples, self.elements, self.local_on, self.customer_class, self.candidates, self.extras
        )
        return engines.named(self.engine, found)

    def facts_of(self, place: int) -> Facts:
        """The facts on which the candidate at ``place`` is decided, completed by what is priced and by what programmes before it gave.
        Raises as ``assess``."""
        return sample_facts(
            beside_others(self, place), self.price, self.samples, self.elements, self.local_on, self.customer_class
        )

    def once_verified(self) -> SampleInputs:
        """The same commission of an applicant whose identity had been checked already."""
        candidates = tuple(
            replace(each, facts=replace(each.facts, applicant=replace(each.facts.applicant, verified=True)))
            for each in self.candidates
        )
        return replace(self, candidates=candidates)


def is_of_samples(frozen: Mapping[str, Any]) -> bool:
    """Whether frozen inputs are of a commissioned test."""
    return frozen.get("kind") == KIND


def inputs_to_json(inputs: SampleInputs) -> Json:
    """The inputs with their documents, facts and prior balances; the price whole. Amounts are fen."""
    return {
        "kind": KIND,
        "engine": inputs.engine,
        "price": sample_price_to_json(inputs.price),
        "samples": inputs.samples,
        "elements": inputs.elements,
        "local_on": inputs.local_on.isoformat(),
        "customer_class": inputs.customer_class,
        "extras": [{**each.named(), "amount_fen": each.amount_fen} for each in inputs.extras],
        "candidates": [candidate_to_json(candidate) for candidate in inputs.candidates],
    }


def inputs_under(programmes: Sequence[Programme], data: Mapping[str, Any]) -> SampleInputs:
    """Frozen inputs whose programmes are compiled already, in the order of ``data["candidates"]``. Raises OtherEngine."""
    engines.engine(data["engine"])  # there may be no programme that asks for it
    programmes = [as_read_by(data["engine"], programme) for programme in programmes]
    return SampleInputs(
        price=sample_price_from_json(data["price"]),
        samples=data["samples"],
        elements=data["elements"],
        local_on=date.fromisoformat(data["local_on"]),
        customer_class=data["customer_class"],
        candidates=candidates_of(programmes, data["candidates"]),
        extras=tuple(ExtraCharge(**each) for each in data["extras"]),
        engine=data["engine"],
    )


def assessment_from_json(data: Mapping[str, Any]) -> Assessment[PricedSamples]:
    """Read a frozen result of a commissioned test (written by ``codec.assessment_to_json``)."""
    priced = data["priced"]
    return Assessment(
        **{name: data[name] for name in FIGURES},
        priced=PricedSamples(
            customer_class=priced["customer_class"],
            local_on=date.fromisoformat(priced["local_on"]),
            gross_fen=priced["gross_fen"],
            minimum_top_up_fen=priced["minimum_top_up_fen"],
            lines=tuple(SampleLine(**line) for line in priced["lines"]),
            steps=steps_of(priced["steps"]),
        ),
        outcomes=tuple(outcome_of(each) for each in data["outcomes"]),
        steps=steps_of(data["steps"]),
        engine=data["engine"],
    )
