"""Two halves do not go where the whole does not; and two changes that cancel each other out are seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from billing.bills.alone import before_by_customer
from billing.bills.models import Bill
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.month.models import Draft
from billing.month.services import releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.models import Charge
from billing.settlement.period_models import HeldBack
from billing.settlement.rules.lines_digest import Expected, digest_of
from billing.settlement.rules.series import Series
from config.kernel.errors import Conflict, Refusal
from tests.billing.bills.conftest import DECEMBER, NOVEMBER_30, wrong
from tests.billing.month.conftest import NOVEMBER, second_person
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def alone(cast, who, asked, now=DECEMBER, key="k"):
    return issuing.issue_once(cast.actor(who), asked, now, idempotency_key=f"{who}{key}")


def test_what_one_person_bills_a_customer_in_the_last_days_counts_together(cast, month, settings):
    second_person(cast)
    settings.SECOND_PERSON_FROM_FEN, settings.SECOND_PERSON_DAYS = 1100_00, 30
    asked, li = BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), cast.actor("li")
    alone(cast, "li", asked)
    assert Bill.objects.get().total_fen == 1080_00
    run_session(cast, slot_of(9, 10, 2), key="later")
    rest = issuing.preview(li, asked, DECEMBER)["totals"]["total_fen"]
    assert 20_00 <= rest < 1100_00  # alone it would go through
    soon = DECEMBER + timedelta(days=29)
    with pytest.raises(Refusal) as refused:
        alone(cast, "li", asked, soon, "2")
    assert codes(refused) == ["bill.second_person_together"]
    assert refused.value.reasons[0].params == {"before_fen": 1080_00, "days": 30, "from_fen": 1100_00}
    assert proposing.needs_second(li, asked, rest, soon) and not proposing.needs_second(cast.actor("mei"), asked, rest, soon)
    assert not proposing.needs_second(li, BillRequest(cast.lab.pk, cast.other_firm.pk, NOVEMBER_30), rest, soon)
    assert not proposing.needs_second(li, asked, rest, DECEMBER + timedelta(days=31))  # so long ago counts no more
    # What waits for a second person counts; what another one issued was looked at by two, and does not.
    waits = proposing.propose(li, asked, soon)
    assert proposing.needs_second(li, asked, 1100_00 - 1080_00 - rest, soon)
    proposing.issue(cast.actor("mei"), waits.pk, soon)
    assert not proposing.needs_second(li, asked, 19_99, soon) and proposing.needs_second(li, asked, 20_00, soon)
    issuing.void(li, Bill.objects.earliest("pk").pk, "wrong address", soon)
    assert not proposing.needs_second(li, asked, 20_00, soon)
    # What waits and went out another way since counts there alone.
    other = BillRequest(cast.lab.pk, cast.other_firm.pk, NOVEMBER_30)
    waits = proposing.propose(li, other, soon)
    counted = lambda: before_by_customer(li.person_id, cast.lab.pk, [cast.other_firm.pk], soon)  # noqa: E731
    assert counted() == {cast.other_firm.pk: waits.total_fen}
    issuing.issue(cast.actor("mei"), other, soon)
    assert counted() == {} and wrong() == {}


def test_what_one_person_billed_by_hand_counts_with_the_drafts_they_release_alone(cast, month, settings):
    second_person(cast)
    settings.SECOND_PERSON_FROM_FEN = 1_000_000_00
    li, mei = cast.actor("li"), cast.actor("mei")
    alone(cast, "li", BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30))
    run_session(cast, slot_of(9, 10, 2), key="later")
    run, _new = running.make(li, RunRequest(Series(cast.lab.pk), NOVEMBER), DECEMBER)
    to_firm, to_other = (Draft.objects.get(run=run, party=party) for party in (cast.firm, cast.other_firm))
    releasing.hand_over(li, run.pk, DECEMBER)
    assert not run.needs_second and to_firm.total_fen < 1080_00 < to_other.total_fen
    settings.SECOND_PERSON_FROM_FEN = 1080_00 + to_firm.total_fen
    Draft.objects.filter(pk=to_other.pk).update(state="parked")
    with pytest.raises(Refusal) as refused:
        releasing.release(li, run.pk, DECEMBER)
    params = {"party": cast.firm.name, "before_fen": 1080_00, "days": 30, "from_fen": settings.SECOND_PERSON_FROM_FEN}
    assert [(each.code, each.params) for each in refused.value.reasons] == [("month.second_person_together", params)]
    settings.SECOND_PERSON_FROM_FEN += 1  # the control: a fen below it they go (undone)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert releasing.release(li, run.pk, DECEMBER).state == "released"
        raise ZeroDivisionError
    Draft.objects.filter(pk=to_other.pk).update(state="ready")
    with pytest.raises(Refusal) as refused:
        releasing.release(li, run.pk, DECEMBER)  # the other draft reaches it by itself by now
    assert codes(refused) == ["month.second_person"]
    settings.SECOND_PERSON_FROM_FEN = 1_000_000_00
    releasing.release(li, run.pk, DECEMBER)
    releasing.issue_draft(to_other.pk, li, DECEMBER)
    # By hand between the release and the worker: looked at again when it is issued, and Li's trying again changes nothing.
    settings.SECOND_PERSON_FROM_FEN = 1080_00 + to_firm.total_fen
    releasing.work(run.pk, DECEMBER)
    to_firm.refresh_from_db()
    assert (to_firm.state, to_firm.reason["code"]) == ("failed", "bill.second_person_together")
    with pytest.raises(Refusal) as refused:
        releasing.issue_again(li, run.pk, DECEMBER)
    assert codes(refused) == ["month.second_person_together"]
    assert releasing.issue_again(mei, run.pk, DECEMBER) == 1
    releasing.work(run.pk, DECEMBER)
    to_firm.refresh_from_db()
    assert to_firm.bill.issued_by == cast.users["mei"]
    # What Li issued counts as before, whoever released the rest.
    before = before_by_customer(li.person_id, cast.lab.pk, [cast.firm.pk, cast.other_firm.pk], DECEMBER)
    assert before == {cast.firm.pk: 1080_00, cast.other_firm.pk: to_other.total_fen} and wrong() == {}


def test_a_proposal_is_of_its_lines_and_not_of_their_number_and_sum(cast, month, settings):
    second_person(cast)
    asked, li, mei = BillRequest(cast.lab.pk, cast.other_firm.pk, NOVEMBER_30), cast.actor("li"), cast.actor("mei")
    proposed = proposing.propose(li, asked, DECEMBER)
    # One session of three hours is left out, another one of three hours comes in.
    held = Charge.objects.filter(reservation__organisation=cast.other_firm).latest("pk")
    HeldBack.objects.create(charge=held, owner=cast.lab, reason="x", held_by=cast.users["li"], held_at=DECEMBER)
    run_session(cast, slot_of(15, 18, 2), "he", cast.other_firm, key="another")
    content, seen = issuing.look(li, asked, DECEMBER)
    assert (seen.line_count, seen.total_fen) == (proposed.line_count, proposed.total_fen) == (2, content["totals"]["total_fen"])
    with pytest.raises(Conflict) as refused:
        proposing.issue(mei, proposed.pk, DECEMBER)
    assert codes(refused) == ["bill.lines_differ"] and not Bill.objects.exists()
    figures = Expected(proposed.line_count, proposed.total_fen)
    assert issuing.look(li, asked, DECEMBER, expected=figures)[1] == seen  # number and sum do not see it
    proposing.decline(li, proposed.pk, "", DECEMBER)
    again = proposing.propose(li, asked, DECEMBER, expected=seen)
    assert proposing.issue(mei, again.pk, DECEMBER).total_fen == seen.total_fen and wrong() == {}


def test_the_digest_is_of_things_and_amounts_in_any_order():
    one, two = ("charge", 1, 100), ("fee", 1, 100)
    assert digest_of([one, two]) == digest_of([two, one]) != digest_of([one, one])
    assert len({digest_of(each) for each in ([one], [two], [("charge", 2, 100)], [("charge", 1, 101)], [])}) == 5
