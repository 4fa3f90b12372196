"""Looked at again when a service is charged: every side of a programme that could pay, and every clause by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from billing.firms.rules.profile import ProviderStanding, Standing
from billing.settlement.services.still_eligible import _again, _Served
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
    served = _Served(ProviderStanding(certified=False, labels=(), credit_listings=(), violations=()))
    return _again(candidate, now, TODAY, served, suspended=False).facts.applicant.profile.related_to_provider is True


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


def test_a_provider_that_is_suspended_now_or_whose_instrument_moved_is_seen_where_a_gate_asks() -> None:
    same = ProviderStanding(certified=False, labels=(), credit_listings=(), violations=())
    verified = {"type": "verified_organisation", "clause": "1", "subject": "provider"}
    region = {"type": "region", "clause": "2", "subject": "instrument", "any_of": [{"code_prefix": "63"}]}
    facts = parse_facts(FACTS | {"provider": {"verified": True}, "instrument": {"region_code": "630100"}})
    now = Standing(related_to_provider=False, labels=(), credit_listings=())
    for gates, served, lost in (
        ([verified], _Served(same, suspended=True), True),
        ([region], _Served(same, suspended=True), False),
        ([region], _Served(same, place="620100"), True),
        ([region], _Served(same, place="630200"), False),
        ([region], _Served(same), False),
        ([verified], _Served(same, place="620100"), False),
    ):
        candidate = replace(_candidate(gates=gates), facts=facts)
        found = _again(candidate, now, TODAY, served, suspended=False)
        assert (found is not candidate) is lost
        assert found.facts.applicant == facts.applicant


def test_what_was_not_told_of_a_provider_at_the_promise_is_not_told_at_the_charge() -> None:
    """A promise from before providers were said to be certified or not."""
    served = _Served(ProviderStanding(certified=False, labels=(), credit_listings=(), violations=()))
    assert served.facts(parse_facts(FACTS)) == parse_facts(FACTS)
    told = parse_facts(FACTS | {"provider": {"certified": True}})
    assert served.facts(told).provider.profile.certified is False


def test_where_both_claim_each_side_loses_what_its_own_claim_does_not_meet() -> None:
    """The owner is paid whoever the user is: a tie between both takes the user's part and not the owner's."""
    of_owner = {"fact": "request.side", "is": "owner"}
    unless = UNRELATED | {"when": {"any": [of_owner, UNRELATED["when"]]}}
    both = parse_facts(FACTS | {"request": {"side": "both"}})
    user = {"id": "user", "when": {"not": of_owner}, "says": SAYS, "settlement": REFUNDED}
    owner = {"id": "owner", "when": of_owner, "says": SAYS}
    nobodys = {"id": "teams", "when": {"fact": "applicant.kind", "is": "team"}, "says": SAYS}
    for sides, lost in (([user, owner], True), ([owner, nobodys], False)):
        candidate = replace(_candidate(sides=sides, gates=[unless]), facts=both)
        assert _is_lost(candidate) is lost
