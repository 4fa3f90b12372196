"""What a lab asks to be paid in advance, and what an organisation lets its people spend, is said with a found time already."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.payments.services import prepaying
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from billing.settlement import customer_terms, time_finding
from booking.rules.eligibility import Outcome
from booking.rules.time_search import TimeSearch
from booking.services import availability
from config.kernel.errors import Conflict
from tests.billing.payments.test_bank_transfers import code_of, row
from tests.billing.prepaid.test_prepaid import HOLDS, WHOLE_YEAR, ask
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
DAY = slot_of(9, 12, 2).starts_at.date()


def found(cast, who="lin"):
    """What Find a time says of three hours on that day, and what would be paid at once."""
    availability.rebuild([cast.xrd.calendar_id], cast.now)
    search = TimeSearch(180, DAY, DAY)
    customer = time_finding.customer_of(cast.firm)
    (one,) = time_finding.find(cast.actor(who), search, customer, "earliest", cast.now, 5, "").rows
    return one.eligibility.outcome, [(reason.code, reason.params) for reason in one.eligibility.reasons], one.assessment


def test_prepaid_money_that_does_not_suffice_is_said_and_what_suffices_is_not(cast, bill, take):
    (payment,) = take(row("2,000.00"))
    assert found(cast)[0] is not Outcome.REFUSED
    setting.ask_for_prepaid(cast.actor("li"), cast.lab.pk, None, True, "everybody", cast.now)
    outcome, reasons, assessment = found(cast)
    assert assessment.payable_now_fen == HOLDS
    assert (outcome, reasons) == (Outcome.REFUSED, [("prepaid.not_enough_left", {"needed_fen": HOLDS, "left_fen": 0})])
    with pytest.raises(Conflict) as refused:
        ask(cast, slot_of(9, 12, 2))
    assert (code_of(refused), refused.value.reasons[0].params) == reasons[0]
    prepaying.deposit(cast.actor("li"), payment.pk, cast.firm.pk, HOLDS, cast.now)
    assert found(cast)[0] is not Outcome.REFUSED
    ask(cast, slot_of(9, 12, 2))
    assert found(cast)[1] == [("prepaid.not_enough_left", {"needed_fen": HOLDS, "left_fen": 0})]
    setting.ask_for_prepaid(cast.actor("li"), cast.lab.pk, cast.firm.pk, False, "trusted by now", cast.now)
    assert found(cast)[0] is not Outcome.REFUSED


def test_a_limit_of_a_member_is_said_to_that_member_within_its_days(cast, programmes):
    facts = LimitFacts(cast.users["lin"].pk, "", HOLDS - 1, *WHOLE_YEAR)
    made = setting.set_limit(cast.actor("zhao"), cast.firm.pk, facts, cast.now)
    assert found(cast)[1] == [("spending.over_limit", {"needed_fen": HOLDS, "left_fen": HOLDS - 1})]
    assert found(cast, "zhao")[0] is not Outcome.REFUSED
    standing = customer_terms.standing_at({cast.lab.pk}, cast.firm.pk, cast.users["lin"].pk, cast.now)
    assert standing.against(cast.lab.pk, date(2027, 1, 1), HOLDS) == () == standing.against(cast.lab.pk, DAY, None)
    setting.change_limit(cast.actor("zhao"), made.pk, HOLDS, cast.now)
    assert found(cast)[0] is not Outcome.REFUSED
    ask(cast, slot_of(9, 12, 2))
    assert found(cast)[1] == [("spending.over_limit", {"needed_fen": HOLDS, "left_fen": 0})]


def test_it_costs_as_many_statements_for_many_owners_as_for_one(cast):
    def statements(owners):
        with CaptureQueriesContext(connection) as asked:
            customer_terms.standing_at(owners, cast.firm.pk, cast.users["lin"].pk, cast.now + timedelta(days=1))
        return len(asked)

    assert statements({cast.lab.pk}) == statements({cast.lab.pk, cast.office.pk, cast.other_firm.pk}) <= 4
