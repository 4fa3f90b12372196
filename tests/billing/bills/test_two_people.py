"""Two halves do not go where the whole does not; and two changes that cancel each other out are seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from billing.bills.alone import before_by_customer
from billing.bills.models import Bill
from billing.bills.proposal_models import BillProposal
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.month.models import Draft
from billing.month.services import closing, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.models import Charge
from billing.settlement.period_models import HeldBack
from billing.settlement.rules.lines_digest import Expected, digest_of
from billing.settlement.rules.series import Series
from config.kernel.errors import Conflict, Refusal
from instruments.models import Notice
from instruments.notice_events import words_of
from tests.billing.bills.conftest import DECEMBER, NOVEMBER_30, wrong
from tests.billing.month.conftest import NOVEMBER, second_person
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
DECEMBER_31, JANUARY = date(2026, 12, 31), datetime(2027, 1, 4, 2, 0, tzinfo=UTC)


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def run_page(cast, who, run):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users[who])
    return client.get(f"/month/runs/{run.pk}/").content.decode()


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


def test_a_proposal_of_which_nothing_is_left_is_closed_and_in_the_way_of_no_other(cast, month, settings):
    second_person(cast)
    li, mei = cast.actor("li"), cast.actor("mei")
    to_firm, to_other = (BillRequest(cast.lab.pk, each.pk, NOVEMBER_30) for each in (cast.firm, cast.other_firm))
    gone, stays = proposing.propose(li, to_firm, DECEMBER), proposing.propose(li, to_other, DECEMBER)
    asked = Notice.objects.filter(event="bill.proposed", needs_action=True)
    assert proposing.close_overtaken(DECEMBER) == 0 and asked.count() == 2
    issuing.issue(mei, to_firm, DECEMBER)
    assert proposing.close_overtaken(DECEMBER) == 1 and proposing.close_overtaken(DECEMBER) == 0
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.state, gone.decided_by, gone.decided_at, stays.state) == ("overtaken", None, DECEMBER, "waiting")
    assert asked.get().object_id == str(stays.pk)
    told = Notice.objects.get(event="bill.overtaken")  # who proposed it waits for nobody any more, and once
    assert (told.user, told.object_id, told.needs_action) == (cast.users["li"], str(gone.pk), False)
    with override("en"):
        assert words_of(told.event, told.params).title == "Nothing is left to issue of the bill that you proposed"
    with pytest.raises(Conflict) as refused:
        proposing.decline(li, gone.pk, "", DECEMBER)
    assert codes(refused) == ["bill.proposal_decided"]
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["mei"])
    page = client.get(f"/bills/proposals/{gone.pk}/").content.decode()
    assert "Nothing left to issue" in page and "is on other documents by now" in page and "Withdraw" not in page
    # Of a month that was closed nothing is issued any more; what comes later can be proposed although nobody looked in between.
    held = Charge.objects.filter(reservation__organisation=cast.other_firm)
    for charge in held:
        HeldBack.objects.create(charge=charge, owner=cast.lab, reason="x", held_by=cast.users["li"], held_at=DECEMBER)
    run_session(cast, slot_of(9, 11, 7), "he", cast.other_firm, key="december")
    later = proposing.propose(li, BillRequest(cast.lab.pk, cast.other_firm.pk, DECEMBER_31), JANUARY)
    stays.refresh_from_db()
    assert (stays.state, later.state) == ("overtaken", "waiting")
    closing.close(mei, Series(cast.lab.pk), DECEMBER_31.replace(day=1), JANUARY)
    assert proposing.close_overtaken(JANUARY) == 1 and wrong() == {}
    for bad in ({"decided_by": cast.users["mei"]}, {"decided_at": None}, {"bill": Bill.objects.get()}):
        given = {
            "owner": cast.lab,
            "customer": cast.firm,
            "until_on": NOVEMBER_30,
            "due_days": 30,
            "line_count": 1,
            "total_fen": 5,
        }
        made = {**given, "proposed_by": cast.users["li"], "proposed_at": DECEMBER, "state": "overtaken", "decided_at": DECEMBER}
        with pytest.raises(IntegrityError, match=r"bill_proposal_(decided_whole|two_people)"), transaction.atomic():
            BillProposal.objects.create(**made | bad)


def test_whether_anything_is_left_is_asked_of_all_proposals_together(cast, month):
    second_person(cast)
    asked = []
    for customer in (cast.firm, cast.other_firm):
        proposing.propose(cast.actor("li"), BillRequest(cast.lab.pk, customer.pk, NOVEMBER_30), DECEMBER)
        with CaptureQueriesContext(connection) as queries:
            assert proposing.close_overtaken(DECEMBER) == 0
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_what_one_person_billed_by_hand_counts_with_the_drafts_they_release_alone(cast, month, settings, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
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
    page = run_page(cast, "li", run)
    assert (
        'value="release"' not in page and "somebody else has to release these drafts" in page
    )  # what would be refused is not offered
    assert 'value="release"' in run_page(cast, "mei", run)
    settings.SECOND_PERSON_FROM_FEN += 1  # the control: a fen below it they go (undone)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert 'value="release"' in run_page(cast, "li", run)
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
    assert 'value="again"' not in run_page(cast, "li", run) and 'value="again"' in run_page(cast, "mei", run)
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
