"""Looked at again when a service is charged: every side of a programme that could pay, and every clause by itself."""

from __future__ import annotations

from datetime import date

from billing.firms.rules.profile import Standing
from billing.settlement.services.still_eligible import _again
from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.facts import parse_facts
from billing.subsidy.rules.programme import parse_programme
from tests.billing.rules.builders import REFUNDED, programme_document

CLAUSES = [{"id": each, "zh": "test", "en": "test"} for each in ("1", "2")]
SAYS = {"zh": "test", "en": "test"}
UNRELATED = {"type": "condition", "clause": "2", "when": {"fact": "applicant.related_to_provider", "is": False}, "says": SAYS}
FACTS = {"applicant": {"kind": "firm", "related_to_provider": False}, "service": {"service_on": "2025-06-10"}}
TODAY = date(2025, 6, 12)


def _candidate(**changes: object) -> Candidate:
    return Candidate(parse_programme(programme_document(clauses=CLAUSES, **changes)), parse_facts(FACTS), {})


def _is_lost(candidate: Candidate) -> bool:
    now = Standing(related_to_provider=True, labels=(), credit_listings=())
    return _again(candidate, now, TODAY, suspended=False).facts.applicant.profile.related_to_provider is True


def test_a_condition_of_the_second_side_that_is_no_longer_met_is_seen() -> None:
    sides = [{"id": "user", "settlement": REFUNDED}, {"id": "owner", "gates": [UNRELATED]}]
    assert _is_lost(_candidate(sides=sides))


def test_a_side_that_paid_nothing_loses_nothing() -> None:
    other = {"fact": "applicant.kind", "is": "team"}
    sides = [{"id": "user", "settlement": REFUNDED}, {"id": "owner", "when": other, "gates": [UNRELATED]}]
    assert not _is_lost(_candidate(sides=sides))


def test_a_clause_that_is_lost_counts_beside_another_that_was_never_met() -> None:
    never = {"type": "condition", "clause": "1", "when": {"fact": "applicant.kind", "is": "team"}, "says": SAYS}
    assert _is_lost(_candidate(gates=[never, UNRELATED]))
