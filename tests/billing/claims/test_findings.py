"""What an inspector finds to be paid too much waits for the office, is told there, and becomes a claw-back in one step, or an answer why
nothing comes back; whoever found it does not answer it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from billing.claims import findings
from billing.claims.models import Claim, ClaimLine, Clawback
from billing.claims.notices import FINDING
from billing.claims.recheck_models import RecheckAnswer, RecheckFinding
from billing.claims.rules.findings import spread
from billing.claims.rules.sampling import Method, Plan
from billing.claims.services import answering, clawbacks, rechecking, waiting_findings
from billing.claims.services.answering import Answer
from billing.claims.services.rechecking import DrawInput, Found
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from instruments.models import Membership, Notice
from tests.billing.claims.conftest import PUBLIC_OVER, at, code_of, wrong
from tests.billing.claims.test_office_people import refused_by_database
from tests.frontend.acting import as_, clock, query_count

__all__ = ["as_", "clock"]
pytestmark = pytest.mark.django_db
WHY = "three hours were not used"


@pytest.fixture
def drawn(cast, office):
    """A paid claim that was drawn for the re-check."""
    batch, _claim = office.approved()
    office.pay_all(office.listed(batch))
    plan = Plan(Method.RANDOM, "6-2-5", size=1)
    sample = rechecking.draw(cast.actor("wu"), DrawInput(date(2026, 12, 1), date(2026, 12, 31), plan), PUBLIC_OVER)
    return sample.items.get()


def find(cast, item, fen=1200, reason=WHY, now=None):
    return rechecking.record(
        cast.actor("wu"), item.pk, Found("difference" if fen else "confirmed", fen, reason if fen else ""), now or at(20)
    )


def answered(cast, item, amount_fen=1200, reason=WHY, who="chen", finding=1, **more):
    return answering.answer(cast.actor(who), item.pk, Answer(finding, amount_fen, reason, **more), at(21))


def asked(event=FINDING):
    rows = Notice.objects.filter(event=event, needs_action=True)
    return set(rows.values_list("user__full_name", flat=True))


def test_a_finding_of_too_much_waits_for_the_office_and_becomes_the_claw_back_in_one_step(cast, office, drawn, as_, clock):
    assert findings.mine(cast.actor("chen"), at(20)) == [] and asked() == set()
    find(cast, drawn)
    # It waits for everybody of the office, and is told to them; neither to the inspector nor to the payee.
    assert {who for who in ("chen", "sun", "qian", "wu", "he", "li") if findings.mine(cast.actor(who), at(20))} == {
        "chen",
        "sun",
        "qian",
    }
    assert {cast.users[who].full_name for who in ("chen", "sun", "qian")} == asked()
    assert Notice.objects.filter(event=FINDING).earliest("pk").params["total_fen"] == 1200
    assert waiting_findings.tell_due(at(20)) == 0  # everybody is told
    clock.now = at(21)
    claim = f"/claims/{drawn.claim_id}/"
    chen = as_("chen")
    assert "Findings of inspectors to answer" in chen.get("/").content.decode()
    work = chen.get("/claim-batches/").content.decode()
    assert "Answer what an inspector found" in work and claim in work and "12.00" in work
    page = chen.get(claim).content.decode()
    assert re.search(r'name="amount"[^>]*value="12.00"', page) and f">{WHY}</textarea>" in page
    assert 'value="recheck"' not in page  # nothing is typed a second time
    assert 'value="finding"' not in as_("wu").get(claim).content.decode() and WHY in as_("wu").get(claim).content.decode()
    assert WHY not in as_("he").get(claim).content.decode()
    sent = {"act": "finding", "answer": "back", "item": drawn.pk, "finding": 1, "amount": "12.00", "reason": WHY}
    kept = chen.post(reverse("claim_decide", args=[drawn.claim_id]), sent | {"amount": "12.01", "reason": "kept as typed"})
    assert kept.status_code == 422 and b"12.01" in kept.content and b"kept as typed" in kept.content
    assert chen.post(reverse("claim_decide", args=[drawn.claim_id]), sent).status_code == 302
    back = Clawback.objects.get()
    assert (back.total_fen, back.reason, back.cause, back.issued_by) == (1200, WHY, "recheck", cast.users["chen"])
    answer = RecheckAnswer.objects.get()
    assert (answer.taken_fen, back.answer, answer.finding.recorded_by) == (1200, answer, cast.users["wu"])
    assert Claim.objects.get(pk=drawn.claim_id).state == "rechecked"
    assert findings.mine(cast.actor("sun"), at(21)) == [] and asked() == set()
    assert "Comes back:" in chen.get(f"/claims/samples/{drawn.sample_id}/").content.decode()
    with pytest.raises(Conflict) as twice:
        answered(cast, drawn, who="sun")
    assert code_of(twice) == "recheck.answered" and Clawback.objects.count() == 1
    assert wrong() == {}


def test_the_office_may_say_why_nothing_comes_back(cast, office, drawn, as_, clock):
    find(cast, drawn)
    clock.now = at(21)
    sent = {"act": "finding", "answer": "nothing", "item": drawn.pk, "finding": 1, "reason": " "}
    decide = reverse("claim_decide", args=[drawn.claim_id])
    assert as_("chen").post(decide, sent).status_code == 422 and not RecheckAnswer.objects.exists()
    assert as_("chen").post(decide, sent | {"reason": "the log was completed since"}).status_code == 302
    assert not Clawback.objects.exists() and RecheckAnswer.objects.get().taken_fen == 0
    step = Claim.objects.get(pk=drawn.claim_id).steps.latest("position")
    assert (step.event, step.reason) == ("recheck", "the log was completed since")
    assert asked() == set() and findings.mine(cast.actor("chen"), at(21)) == []
    assert "Nothing comes back:" in as_("wu").get(f"/claims/samples/{drawn.sample_id}/").content.decode()
    assert wrong() == {}


def test_whoever_found_it_does_not_answer_it(cast, office, drawn):
    find(cast, drawn)
    with pytest.raises(Forbidden):
        answered(cast, drawn, who="wu")  # no role at the office
    Membership.objects.create(user=cast.users["wu"], organisation=cast.office, role=Role.PROGRAMME_OFFICER, created_at=cast.now)
    with pytest.raises(Forbidden) as own:
        answered(cast, drawn, who="wu")
    assert code_of(own) == "recheck.own_finding" and findings.mine(cast.actor("wu"), at(21)) == []
    waiting_findings.tell_due(at(21))
    assert cast.users["wu"].full_name not in asked()
    find(cast, drawn, 0)  # nothing waits any more, and yet nobody claws back what they judged
    with pytest.raises(Forbidden) as own:
        clawbacks.recheck(cast.actor("wu"), drawn.claim_id, {1: 5}, "mine", at(21))
    assert code_of(own) == "recheck.own_finding"
    found = find(cast, drawn)
    values = {"finding": found, "taken_fen": 0, "reason": "x", "answered_at": at(21)}
    refused_by_database(
        lambda: RecheckAnswer.objects.create(**values, answered_by=cast.users["wu"]), "RecheckAnswer:recheck_answer_apart"
    )
    refused_by_database(
        lambda: RecheckAnswer.objects.create(**values, answered_by=cast.users["chen"], answered_for=cast.users["wu"]),
        "RecheckAnswer:recheck_answer_apart",
    )


def test_an_answer_is_what_its_claw_backs_say_and_never_more_than_was_found(cast, office, drawn):
    found = find(cast, drawn)
    for given, code in (
        ((1201, WHY), "recheck.more_than_found"),
        ((-1, WHY), "recheck.more_than_found"),
        ((5, " "), "claims.text_missing"),
    ):
        with pytest.raises(Refusal) as refused:
            answered(cast, drawn, *given)
        assert code_of(refused) == code
    with pytest.raises(Refusal) as waits:
        clawbacks.recheck(cast.actor("chen"), drawn.claim_id, {1: 5}, "typed again", at(21))
    assert code_of(waits) == "recheck.finding_waits"
    values = {"finding": found, "reason": "x", "answered_at": at(21), "answered_by": cast.users["chen"]}

    def alone():
        RecheckAnswer.objects.create(**values, taken_fen=7)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    with pytest.raises(DatabaseError, match="is its claw-backs"), transaction.atomic():
        alone()
    refused_by_database(lambda: RecheckAnswer.objects.create(**values, taken_fen=1201), "RecheckAnswer:recheck_answer_apart")
    answer = answered(cast, drawn, 1000, "two of them were used after all")
    refused_by_database(
        lambda: RecheckAnswer.objects.filter(pk=answer.pk).update(reason="y"), "RecheckAnswer:recheck_answer_append_only"
    )
    assert [each.total_fen for each in answer.clawbacks.all()] == [1000] and wrong() == {}


def test_a_later_finding_takes_the_place_of_the_earlier_and_only_what_is_more_comes_back(cast, office, drawn):
    find(cast, drawn)
    assert len(asked()) == 3
    find(cast, drawn, 0)
    assert findings.mine(cast.actor("chen"), at(21)) == [] and asked() == set()
    find(cast, drawn, 500)
    with pytest.raises(Conflict):
        answered(cast, drawn, 500)  # what was read is not what stands
    answered(cast, drawn, 500, finding=3)
    find(cast, drawn, 800)
    assert [each.due_fen for each in findings.mine(cast.actor("chen"), at(21))] == [300]
    with pytest.raises(Refusal):
        answered(cast, drawn, 301, finding=4)
    answered(cast, drawn, 300, finding=4)
    find(cast, drawn, 600)
    assert findings.mine(cast.actor("chen"), at(21)) == []
    find(cast, drawn, -100)  # paid too little: nothing to claw back
    assert findings.mine(cast.actor("chen"), at(21)) == [] and wrong() == {}


def test_what_no_single_line_holds_comes_back_of_several(cast, office, drawn):
    assert (
        spread(5, {1: 3, 2: 9}) == {2: 5}
        and spread(7, {1: 3, 2: 0, 4: 6}) == {1: 3, 4: 4}
        and spread(10, {1: 3, 2: 4}) == {1: 3, 2: 4}
    )
    lines = ClaimLine.objects.filter(claim=drawn.claim, kind="award", standing="included")
    left = dict(lines.values_list("position", "amount_fen"))
    assert findings.left_by_line(drawn.claim) == left
    find(cast, drawn, drawn.amount_fen)
    answer = answered(cast, drawn, drawn.amount_fen)
    assert sum(each.total_fen for each in answer.clawbacks.all()) == drawn.amount_fen and answer.clawbacks.count() == len(left)
    assert set(findings.left_by_line(drawn.claim).values()) == {0} and wrong() == {}


def test_more_than_is_left_of_the_claim_does_not_come_back(cast, office, drawn):
    find(cast, drawn, drawn.amount_fen)
    clawbacks.dispute(cast.actor("chen"), drawn.claim_id, 1, 100, "settled otherwise", at(20))
    with pytest.raises(Refusal) as refused:
        answered(cast, drawn, drawn.amount_fen)
    assert code_of(refused) == "claims.more_than_left" and not RecheckAnswer.objects.exists()
    answered(cast, drawn, drawn.amount_fen - 100)
    assert wrong() == {}


def test_the_api_says_and_does_the_same_and_work_has_constant_queries(cast, office, drawn, as_, clock):
    clock.now = at(21)
    without = query_count(as_("chen"), "/claim-batches/")
    find(cast, drawn)
    one = query_count(as_("chen"), "/claim-batches/")
    other = rechecking.draw(
        cast.actor("wu"), DrawInput(date(2026, 12, 1), date(2026, 12, 31), Plan(Method.RANDOM, "7", size=1)), at(20)
    )
    find(cast, other.items.get(), 100)
    assert query_count(as_("chen"), "/claim-batches/") == one >= without
    client, keys = as_(), {who: tokens.issue(cast.actor(who), "x", ["read", "settle"], at(21)) for who in ("wu", "he", "qian")}

    def call(method, path, who="qian", body=None, key="a"):
        headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": key}
        return getattr(client, method)(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    waits = [each for each in call("get", "office-work/").json()["results"] if each["work"] == "finding"]
    assert [(each["recheck_item"], each["total_fen"]) for each in waits] == [(drawn.pk, 1200), (other.items.get().pk, 100)]
    path, body = f"recheck-items/{drawn.pk}/answer/", {"finding": 1, "amount_fen": 1200, "reason": WHY}
    assert call("post", path, "wu", body).status_code == 403 and call("post", path, "he", body).status_code == 403
    assert call("post", path, body=body | {"amount_fen": 1300}).status_code == 422
    made = call("post", path, body=body, key="b")
    assert made.status_code == 201 and call("post", path, body=body, key="b").json() == made.json()
    assert call("post", path, body=body, key="c").status_code == 409
    (row,) = call("get", f"recheck-samples/{drawn.sample_id}/items/").json()["results"]
    assert (row["findings"][0]["answered_fen"], row["findings"][0]["answer_reason"]) == (1200, WHY)
    with pytest.raises(NotFound):
        answering.answer(cast.actor("chen"), 10**6, Answer(1, 1, WHY), at(21))
    assert RecheckFinding.objects.count() == 2 and wrong() == {}


def test_what_came_back_of_a_claim_is_no_more_due_by_a_finding_of_another_sample(cast, drawn):
    plan = Plan(Method.RANDOM, "6-2-6", size=1)
    find(cast, drawn)
    other = rechecking.draw(cast.actor("wu"), DrawInput(date(2026, 12, 1), date(2026, 12, 31), plan), at(20)).items.get()
    assert other.claim_id == drawn.claim_id
    find(cast, other, fen=1500)
    assert {each.due_fen for each in findings.waiting()} == {1200, 1500}
    answered(cast, drawn)
    (left,) = findings.waiting()
    assert (left.item_id, left.due_fen) == (other.pk, 300)
    with pytest.raises(Refusal) as refused:
        answered(cast, other, 1500)
    assert code_of(refused) == "recheck.more_than_found"
    answered(cast, other, 300)
    assert sum(each.total_fen for each in Clawback.objects.all()) == 1500 and wrong() == {}


def test_what_the_office_took_back_itself_is_no_more_due(cast, drawn):
    clawbacks.recheck(cast.actor("chen"), drawn.claim_id, {1: 1000}, "counted again", at(19))
    find(cast, drawn)
    assert [each.due_fen for each in findings.waiting()] == [200]
