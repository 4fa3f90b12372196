"""The same session under other facts, for people who decide what to do next. Nothing here is ever held or charged."""

from __future__ import annotations

from dataclasses import replace

from billing.subsidy.rules.codec import Inputs


def as_if_verified(inputs: Inputs) -> Inputs:
    """The inputs of a session whose applicant's identity had been checked already."""
    candidates = tuple(
        replace(each, facts=replace(each.facts, applicant=replace(each.facts.applicant, verified=True)))
        for each in inputs.candidates
    )
    return replace(inputs, candidates=candidates)
