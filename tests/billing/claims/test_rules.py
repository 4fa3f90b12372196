"""The pure rules of claims: every (state, event), the chain of a programme, the identities of a batch, the checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.claims.guards import CLAIM_MOVES
from billing.claims.rules import content
from billing.claims.rules.checks import CheckCode, CheckedLine, CheckInput, FileTwice, InvoiceSeen, is_clean, look, to_complete
from billing.claims.rules.payers import Listed, Shared, due, left, sums
from billing.claims.rules.review import DEFAULT, Asked, Level, expected_on, review_of
from billing.claims.rules.states import ENDS, PART_OF, PROMISED, TABLE, WITHIN, ClaimEvent, ClaimState, Part, after, events_of
from billing.claims.rules.totals import Claimed, Line, LineKind, Standing, faults, fitting, split_like, total_of, totals
from tests.billing.rules.builders import programme_document

S, E = ClaimState, ClaimEvent
#: The table as it is agreed with the offices: every pair that may happen (with a chain of two steps, at the first), and where to.
LEADS = {
    (S.DRAFT, E.FILL): (S.DRAFT, 0),
    (S.DRAFT, E.COMPLETE): (S.DRAFT, 0),
    (S.SENT_BACK, E.COMPLETE): (S.SENT_BACK, 0),
    (S.DRAFT, E.SUBMIT): (S.SUBMITTED, 0),
    (S.DRAFT, E.WITHDRAW): (S.WITHDRAWN, 0),
    (S.SUBMITTED, E.BEGIN): (S.IN_REVIEW, 0),
    (S.SUBMITTED, E.WITHDRAW): (S.WITHDRAWN, 0),
    (S.SUBMITTED, E.PAID_BACK): (S.SUBMITTED, 0),
    (S.IN_REVIEW, E.PASS): (S.IN_REVIEW, 1),
    (S.IN_REVIEW, E.SEND_BACK): (S.SENT_BACK, 0),
    (S.IN_REVIEW, E.LINE): (S.IN_REVIEW, 0),
    (S.IN_REVIEW, E.PAID_BACK): (S.IN_REVIEW, 0),
    (S.IN_REVIEW, E.REJECT): (S.REJECTED, 0),
    (S.SENT_BACK, E.SUBMIT): (S.IN_REVIEW, 0),
    (S.SENT_BACK, E.REJECT): (S.REJECTED, 0),
    (S.SENT_BACK, E.WITHDRAW): (S.WITHDRAWN, 0),
    (S.PASSED, E.PUBLICISE): (S.PUBLICISED, 0),
    (S.PASSED, E.SEND_BACK): (S.SENT_BACK, 0),
    (S.PASSED, E.REJECT): (S.REJECTED, 0),
    (S.PUBLICISED, E.APPROVE): (S.APPROVED, 0),
    (S.PUBLICISED, E.SEND_BACK): (S.SENT_BACK, 0),
    (S.PUBLICISED, E.REJECT): (S.REJECTED, 0),
    (S.APPROVED, E.LIST): (S.LISTED, 0),
    (S.APPROVED, E.SETTLE): (S.PAID, 0),
    (S.LISTED, E.LIST): (S.LISTED, 0),
    (S.LISTED, E.PAY): (S.PAID, 0),
    (S.LISTED, E.PAY_PART): (S.PARTLY_PAID, 0),
    (S.LISTED, E.PAY_FAIL): (S.PAYMENT_FAILED, 0),
    (S.PARTLY_PAID, E.LIST): (S.LISTED, 0),
    (S.PAYMENT_FAILED, E.LIST): (S.LISTED, 0),
    (S.PAID, E.RECHECK): (S.RECHECKED, 0),
    (S.RECHECKED, E.RECHECK): (S.RECHECKED, 0),
}


@pytest.mark.parametrize("state", list(S))
def test_every_event_in_a_state_leads_where_the_table_says_or_nowhere(state):
    for event in E:
        assert after(state, event, 0, 2) == LEADS.get((state, event)), (state, event)
    assert events_of(state) - {E.UNLIST} == {event for (one, event) in LEADS if one is state}
    assert bool(events_of(state)) == (state not in ENDS)


def test_a_claim_whose_list_is_cancelled_stands_where_it_stood_before_the_list():
    assert {state for state in S if E.UNLIST in events_of(state)} == {S.LISTED}
    for before in S:
        came_from = after(before, E.LIST, 2, 2) is not None
        assert after(S.LISTED, E.UNLIST, 2, 2, before) == ((before, 2) if came_from else None)


def test_a_claim_stays_listed_while_another_payers_list_waits():
    for event in (E.UNLIST, E.PAY_PART, E.PAY_FAIL):
        assert after(S.LISTED, event, 2, 2, S.APPROVED, listed=True) == (S.LISTED, 2)
    assert after(S.LISTED, E.PAY, 2, 2) == (S.PAID, 2)


SHARES = st.dictionaries(st.sampled_from(["province", "prefecture", "county"]), st.integers(0, 10**6), min_size=1).filter(
    lambda shares: sum(shares.values()) > 0
)


@given(SHARES, st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_what_payers_give_is_the_claim_and_what_was_paid_before_lists_were_apart_counts(shares, before):
    total = sum(shares.values())
    paid = Listed("", total, min(before, total))
    claim = Shared(total, shares, [paid])
    assert due(claim) == shares and sum(left(claim).values()) == total - paid.paid_fen and min(left(claim).values()) >= 0
    (own, *_others) = shares
    with_own = Shared(total, shares, [Listed(own, shares[own], None)])
    assert left(with_own)[own] == 0 and sum(left(with_own).values()) == total - shares[own]
    counted = sums([claim, with_own])
    assert sum(each.claimed_fen for each in counted) == 2 * total
    assert sum(each.listed_fen for each in counted) == shares[own] and sum(each.paid_fen for each in counted) == paid.paid_fen
    # What is taken back of one payer alone is borne by the others: nobody pays less than nothing.
    assert due(Shared(10, {"province": 15, "prefecture": -5})) == {"province": 10, "prefecture": 0}
    # A list from before lists had payers takes of nobody more than they owe, however the shares lie.
    part = Shared(4, {"a": -3, "b": 1, "c": 3, "d": 3}, [Listed("", 3, 3)])
    assert due(part) == {"a": 0, "b": 0, "c": 2, "d": 2} and left(part) == {"a": 0, "b": 0, "c": 0, "d": 1}


def test_the_chain_is_walked_step_by_step_and_a_claim_that_was_sent_back_returns_to_its_step():
    assert after(S.IN_REVIEW, E.PASS, 1, 2) == (S.PASSED, 2)
    assert after(S.IN_REVIEW, E.SEND_BACK, 1, 3) == (S.SENT_BACK, 1) and after(S.SENT_BACK, E.SUBMIT, 1, 3) == (S.IN_REVIEW, 1)
    assert after(S.PUBLICISED, E.SEND_BACK, 3, 3) == (S.SENT_BACK, 2)  # to the last step
    assert set(PART_OF.values()) == set(Part) and PART_OF[E.APPROVE] is Part.APPROVER
    assert {state for state, event in TABLE if event is E.LIST} <= PROMISED


def test_the_database_knows_the_same_moves():
    for (state, event), (to, _step) in LEADS.items():
        assert event in WITHIN or f"('{state}', '{to}')" in CLAIM_MOVES
    assert "('rejected'," not in CLAIM_MOVES and "('draft', 'approved')" not in CLAIM_MOVES


def test_a_programme_says_its_chain_and_one_that_does_not_has_one_step():
    steps = [{"level": "county", "due_days": 5}, {"level": "payment", "due_days": 3, "office_code": "1" * 18}]
    document = programme_document(
        review={"steps": steps, "publicity_days": 7, "pay_days": 20, "asks": ["report", "invoice_number"], "clause": "1"}
    )
    review = review_of(document)
    assert [step.level for step in review.steps] == [Level.COUNTY, Level.PAYMENT] and review.steps[1].office_code == "1" * 18
    assert review.asks == (Asked.REPORT, Asked.INVOICE_NUMBER) and review.clause == "1"
    assert review_of(programme_document()) == DEFAULT and len(DEFAULT.steps) == 1
    day, closes = date(2026, 12, 1), date(2026, 12, 10)
    assert expected_on(review, S.SUBMITTED, 0, day, closes) == date(2027, 1, 14)  # 35 days after the window
    assert expected_on(review, S.IN_REVIEW, 1, day, closes) == date(2026, 12, 31)
    assert expected_on(review, S.SENT_BACK, 1, day, closes) is None and expected_on(review, S.PAID, 2, day, closes) is None


LINES = st.lists(
    st.tuples(st.integers(1, 10**9), st.sampled_from(list(Standing))).map(
        lambda pair: Line(1, LineKind.AWARD, pair[1], pair[0], 0, pair[0], pair[0])
    ),
    max_size=6,
)


@given(st.lists(LINES, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_batch_is_its_claims_and_a_claim_its_lines(found):
    claims = [Claimed(str(place), total_of(lines), tuple(lines)) for place, lines in enumerate(found)]
    assert faults(claims) == []
    counted = totals(claims)
    assert counted.total_fen == counted.awards_fen + counted.clawback_fen + counted.batch_rule_fen
    assert counted.total_fen == sum(claim.total_fen for claim in claims)
    if claims:
        assert faults([replace(claims[0], total_fen=claims[0].total_fen + 1), *claims[1:]])


def test_a_line_that_is_not_its_award_or_not_the_ledger_is_named():
    good = Line(7, LineKind.AWARD, Standing.INCLUDED, 90, 10, 100, 100)
    assert faults([Claimed("A", 90, (good,))]) == []
    for bad in (replace(good, awarded_fen=101), replace(good, ledger_fen=99), Line(7, LineKind.CLAWBACK, Standing.INCLUDED, 90)):
        assert any("line 7" in fault for fault in faults([Claimed("A", 90, (bad,))]))


@given(st.lists(st.integers(1, 1000), max_size=5), st.integers(0, 2000))
@settings(max_examples=60, deadline=None)
def test_what_is_taken_back_fits_and_the_oldest_comes_first(amounts, room):
    taken = fitting(list(enumerate(amounts)), room)
    assert sum(part for _key, part in taken) == min(sum(amounts), room)
    assert [key for key, _part in taken] == list(range(len(taken)))
    assert sum(split_like(sum(amounts), {"a": 2, "b": 1, "c": -5}).values()) == sum(amounts)
    assert split_like(5, {"a": 0}) == {"a": 0}


SEEN = InvoiceSeen(of_bill=True, counts=True, covers=True, to_customer=True)
LINE = CheckedLine(
    1, date(2026, 11, 5), date(2026, 11, 5), date(2026, 1, 1), date(2026, 12, 31), "2" * 20, False, True, False, invoice=SEEN
)
GOOD = CheckInput(
    tuple(Asked), frozenset({"invoice_file", "report", "contract", "payment_proof"}), True, date(2026, 11, 1), date(2026, 11, 30),
    date(2026, 12, 1), date(2026, 12, 7), date(2026, 12, 3), 0, [LINE],
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"files": frozenset()}, CheckCode.EVIDENCE),
        ({"twice": [FileTwice("a.pdf", "a" * 64, (), (2,))]}, CheckCode.FILE_TWICE),
        ({"lines": [replace(LINE, invoice_number="12")]}, CheckCode.INVOICE),
        ({"lines": [replace(LINE, used_elsewhere=True)]}, CheckCode.INVOICE_TWICE),
        ({"lines": [replace(LINE, invoice=None)]}, CheckCode.INVOICE_RECORDED),
        ({"lines": [replace(LINE, invoice=replace(SEEN, of_bill=False))]}, CheckCode.INVOICE_BILL),
        ({"lines": [replace(LINE, invoice=replace(SEEN, counts=False, covers=False))]}, CheckCode.INVOICE_COUNTS),
        ({"lines": [replace(LINE, invoice=replace(SEEN, covers=False))]}, CheckCode.INVOICE_TOTAL),
        ({"lines": [replace(LINE, invoice=replace(SEEN, to_customer=False))]}, CheckCode.INVOICE_BUYER),
        ({"lines": [replace(LINE, service_on=date(2026, 12, 1))]}, CheckCode.WINDOW),
        ({"handed_in_on": date(2026, 12, 8)}, CheckCode.WINDOW),
        ({"lines": [replace(LINE, valid_until=date(2026, 11, 4))]}, CheckCode.VALIDITY),
        ({"lines": [replace(LINE, counts_on=date(2027, 1, 4))]}, CheckCode.VALIDITY),
        ({"lines": [replace(LINE, other_year=True)]}, CheckCode.YEAR),
        ({"has_bank_account": False}, CheckCode.BANK),
        ({"lines": [replace(LINE, related=True)]}, CheckCode.RELATED),
        ({"lines": [replace(LINE, in_ledger=False)]}, CheckCode.LEDGER),
        ({"lines": [replace(LINE, held_back=True)]}, CheckCode.HELD),
        ({"account_changed": True}, CheckCode.ACCOUNT),
        ({"open_objections": 1}, CheckCode.OBJECTION),
    ],
)
def test_each_check_finds_what_it_looks_for_and_nothing_else(changed, found):
    assert is_clean(look(GOOD)) and to_complete(GOOD) == {}
    assert [check.code for check in look(replace(GOOD, **changed)) if not check.ok] == [found]


def test_the_public_reads_a_firms_name_and_of_a_person_the_first_character():
    assert content.shown_name("高原锂业", "firm") == "高原锂业" and content.shown_name("张三的团队", "team") == "张**"
