"""Money that came back for a claw-back although a claim takes it off already: nobody pays twice. And what came too much goes its way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from billing.claims import pdf as claim_pdf
from billing.claims.clawback_queries import free_fen
from billing.claims.models import Clawback, PaymentLine, PaymentList
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.repaying import NoticeState
from billing.claims.services import batches, clawbacks, handing_in, paying, publishing, repaying, reviewing, surplus
from billing.claims.services.paying import Outcome
from billing.claims.services.repaying import Fate, Money
from billing.claims.services.surplus import Transfer
from billing.ledger.models import Transfer as Move
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from instruments.models import Notice
from tests.billing.claims.conftest import at, code_of, days, wrong
from tests.billing.claims.test_guards import refused
from tests.billing.claims.test_repaying import bank_list, came, notice, page_of, standing
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

__all__ = ["notice"]
pytestmark = pytest.mark.django_db
JANUARY = datetime(2027, 1, 2, 2, 0, tzinfo=UTC)
PAID_ON = date(2027, 1, 25)
#: Every step of a claim that takes something off, in order, and until which of them what it takes off gives way to money.
WAY = ("draft", "submitted", "in_review", "passed", "publicised", "approved", "listed", "paid")
GIVES_WAY = WAY[:3]


def next_claim(cast, office, state):
    """December's claim, which takes the whole notice off, as far as a state."""
    run_session(cast, slot_of(9, 12, 9), "he", cast.other_firm)
    window = {"opens": "2027-01-01", "closes": "2027-01-07"}
    batch, (claim,) = office.filled(now=JANUARY, **days("2026-12-01", "2026-12-31", **window))
    chen, sun, later, public_over = (
        cast.actor("chen"),
        cast.actor("sun"),
        JANUARY + timedelta(days=6),
        JANUARY + timedelta(days=20),
    )
    steps = (
        lambda: handing_in.submit(cast.actor("he"), claim.pk, JANUARY),
        lambda: batches.close(chen, batch.pk, later),
        lambda: reviewing.pass_on(chen, claim.pk, later),
        lambda: publishing.publicise(chen, batch.pk, later),
        lambda: (publishing.end_due(public_over), reviewing.approve(sun, claim.pk, public_over)),
        lambda: office.listed(batch, public_over),
        lambda: pay(cast, claim, public_over),
    )
    for step in steps[: WAY.index(state)]:
        step()
    claim.refresh_from_db()
    assert claim.state == state
    return claim


def pay(cast, claim, now):
    for line in PaymentLine.objects.filter(claim=claim):
        paying.record(cast.actor("qian"), line.pk, Outcome(line.amount_fen, now.date(), "T2"), now)


def money(cast, notice, fen, *, too_much=False, now=None, who="qian"):
    now = now or JANUARY + timedelta(days=21)
    return repaying.record(cast.actor(who), notice.pk, Money(fen, date(2027, 1, 2), "Lianhe", "T9", too_much), now)


def owed(notice) -> int:
    """What of the payee's money the ledger says the office holds."""
    of = {"kind": "surplus_owed", "organisation": notice.payee_id}
    came_in = Move.objects.filter(**{f"credit__{name}": value for name, value in of.items()})
    went = Move.objects.filter(**{f"debit__{name}": value for name, value in of.items()})
    return sum(came_in.values_list("amount_fen", flat=True)) - sum(went.values_list("amount_fen", flat=True))


def left(row) -> int:
    return free_fen(Repayment.objects.get(pk=row.pk))


@pytest.mark.parametrize("state", WAY)
def test_a_payee_that_transfers_what_a_claim_takes_off_does_not_pay_twice(cast, office, notice, state):
    claim = next_claim(cast, office, state)
    before, now = claim.total_fen, JANUARY + timedelta(days=21)
    if state not in GIVES_WAY:
        with pytest.raises(Refusal) as refusal:
            money(cast, notice, 5000)
        assert code_of(refusal) == "repaid.settled"
    row = money(cast, notice, 5000, too_much=state not in GIVES_WAY)
    repaying.confirm(cast.actor("sun"), row.pk, now)
    claim.refresh_from_db()
    assert claim.state == state and standing(cast, notice).state is NoticeState.SETTLED and wrong() == {}
    if state in GIVES_WAY:
        assert (row.amount_fen, claim.total_fen, owed(notice)) == (5000, before + 5000, 0)
        assert not claim.lines.filter(kind="clawback", standing="included").exists()
        return
    assert (row.amount_fen, row.too_much_fen, claim.total_fen, owed(notice)) == (0, 5000, before, 5000)
    back = surplus.send_back(cast.actor("qian"), row.pk, Transfer(5000, PAID_ON, "B1"), JANUARY + timedelta(days=23))
    surplus.confirm(cast.actor("sun"), back.pk, JANUARY + timedelta(days=23))
    assert owed(notice) == 0 and left(row) == 0 and wrong() == {}


def test_of_a_claim_in_review_so_much_less_is_taken_off_as_came_and_its_history_says_so(cast, office, notice):
    claim = next_claim(cast, office, "in_review")
    before = claim.total_fen
    row = money(cast, notice, 2000)
    claim.refresh_from_db()
    assert claim.total_fen == before + 2000
    assert [each.amount_fen for each in claim.lines.filter(kind="clawback", standing="included")] == [-3000]
    step = claim.steps.latest("position")
    assert (step.event, step.from_state, step.to_state, step.reason) == ("paid_back", "in_review", "in_review", notice.number)
    found = standing(cast, notice)
    assert (found.set_off_fen, found.waiting_fen, found.open_fen) == (3000, 2000, 0) and wrong() == {}
    repaying.end(cast.actor("sun"), row.pk, "the bank took it back", JANUARY + timedelta(days=22))
    claim.refresh_from_db()
    assert claim.total_fen == before + 2000 and standing(cast, notice).open_fen == 2000  # of the claim after this one
    reviewing.pass_on(cast.actor("chen"), claim.pk, JANUARY + timedelta(days=22))
    assert wrong() == {}


def test_the_database_lets_a_claim_that_was_handed_in_take_no_more_off(cast, office, notice):
    claim = next_claim(cast, office, "in_review")
    line = claim.lines.get(kind="clawback", standing="included")
    values = {
        "claim": claim,
        "position": 90,
        "kind": "clawback",
        "award_id": line.award_id,
        "clawback": notice,
        "created_at": JANUARY,
    }
    row = money(cast, notice, 2000)
    repaying.end(cast.actor("sun"), row.pk, "not there", JANUARY + timedelta(days=22))
    for fen in (-5000, -6000):
        with pytest.raises(IntegrityError, match="says what its award gives"), transaction.atomic():
            claim.lines.create(**values, amount_fen=fen, payers=[])


def test_what_came_too_much_is_sent_back_by_two_people_and_no_more_of_it(cast, notice):
    row = came(cast, notice, 7500)
    with pytest.raises(Refusal) as refusal:  # nobody has said yet that it is there
        surplus.send_back(cast.actor("qian"), row.pk, Transfer(1, date(2026, 12, 22), "B1"), at(22))
    assert code_of(refusal) == "surplus.amount"
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    assert owed(notice) == 2500 and wrong() == {}
    for given, code in (
        (Transfer(0, date(2026, 12, 22), "B1"), "surplus.amount"),
        (Transfer(2501, date(2026, 12, 22), "B1"), "surplus.amount"),
        (Transfer(1, date(2026, 12, 21), "B1"), "surplus.on"),
        (Transfer(1, date(2026, 12, 24), "B1"), "surplus.on"),
        (Transfer(1, date(2026, 12, 22), " "), "claims.text_missing"),
    ):
        with pytest.raises(Refusal) as refusal:
            surplus.send_back(cast.actor("qian"), row.pk, given, at(22))
        assert code_of(refusal) == code, given
    back = surplus.send_back(cast.actor("qian"), row.pk, Transfer(2000, date(2026, 12, 22), "B1"), at(22))
    assert left(row) == 500 and owed(notice) == 2500
    with pytest.raises(Forbidden) as forbidden:
        surplus.confirm(cast.actor("qian"), back.pk, at(22))
    assert code_of(forbidden) == "repaid.two_people"
    with pytest.raises(IntegrityError, match="surplus_refund_two_people"), transaction.atomic():
        SurplusRefund.objects.filter(pk=back.pk).update(confirmed_by=cast.users["qian"], confirmed_at=at(22))
    surplus.confirm(cast.actor("sun"), back.pk, at(22))
    assert owed(notice) == 500 and wrong() == {}
    told = Notice.objects.get(event="claim.surplus_refunded", user=cast.users["he"])
    assert told.params["total_fen"] == 2000 and told.params["reason"] == "B1"
    with pytest.raises(Conflict) as conflict:
        repaying.end(cast.actor("qian"), row.pk, "not there", at(23))
    assert code_of(conflict) == "repaid.surplus_used"
    with pytest.raises(Conflict):
        surplus.confirm(cast.actor("sun"), back.pk, at(23))
    surplus.end(cast.actor("qian"), back.pk, "the account is closed", at(23))
    assert left(row) == 2500 and owed(notice) == 2500 and wrong() == {}
    with pytest.raises(Conflict):
        surplus.end(cast.actor("qian"), back.pk, "again", at(23))
    repaying.end(cast.actor("qian"), row.pk, "not there", at(23))
    assert owed(notice) == 0 and left(row) == 0 and wrong() == {}


def test_the_database_sends_no_more_back_than_came_too_much_and_keeps_what_was_used(cast, notice):
    row = came(cast, notice, 7500)
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    values = {
        "repayment": row,
        "paid_on": date(2026, 12, 22),
        "reference": "B",
        "recorded_by": cast.users["qian"],
        "recorded_at": at(22),
    }
    refused(
        "no more is sent back",
        lambda: SurplusRefund.objects.create(**values, amount_fen=2501),
        "SurplusRefund:surplus_refund_fits",
    )
    back = SurplusRefund.objects.create(**values, amount_fen=2500)
    ended = {"ended_by": cast.users["qian"], "ended_at": at(23), "end_reason": "x"}
    refused("is not undone", lambda: Repayment.objects.filter(pk=row.pk).update(**ended), "Repayment:repayment_ends_unused")
    own = SurplusRefund.objects.filter(pk=back.pk)
    refused("Cannot update", lambda: own.update(amount_fen=1), "SurplusRefund:surplus_refund_frozen")
    refused("Cannot delete", own.delete, "SurplusRefund:surplus_refund_kept")
    own.update(**ended)
    refused("Cannot update", lambda: own.update(end_reason="y"), "SurplusRefund:surplus_refund_ends_once")


def another(cast, notice, fen=3000):
    """One more notice of the same payee and programme."""
    return clawbacks.dispute(cast.actor("chen"), notice.claim_id, 1, fen, "another half hour", at(22))


def test_what_came_too_much_is_taken_for_the_next_notice_and_given_back_where_that_is_undone(cast, notice):
    row = came(cast, notice, 7500)
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    following = another(cast, notice)
    with pytest.raises(Refusal) as refusal:
        surplus.take_for(cast.actor("qian"), row.pk, notice.pk, at(22))
    assert code_of(refusal) == "repaid.settled"
    with pytest.raises(Refusal) as refusal:
        surplus.take_for(cast.actor("qian"), row.pk, following.pk, at(22), 2501)
    assert code_of(refusal) == "surplus.amount"
    taken = surplus.take_for(cast.actor("qian"), row.pk, following.pk, at(22))
    assert (taken.amount_fen, taken.received_fen, taken.moved_from_id, taken.payer_name) == (2500, 2500, row.pk, "Lianhe")
    assert (standing(cast, following).open_fen, left(row), owed(notice)) == (500, 0, 2500)
    with pytest.raises(Forbidden):
        repaying.confirm(cast.actor("qian"), taken.pk, at(22))
    repaying.confirm(cast.actor("sun"), taken.pk, at(22))
    assert standing(cast, following).repaid_fen == 2500 and owed(notice) == 0 and wrong() == {}
    with pytest.raises(Conflict) as conflict:
        repaying.end(cast.actor("qian"), row.pk, "not there", at(23))
    assert code_of(conflict) == "repaid.surplus_used"
    repaying.end(cast.actor("qian"), taken.pk, "another notice was meant", at(23))
    assert standing(cast, following).open_fen == 3000 and left(row) == 2500 and owed(notice) == 2500 and wrong() == {}
    values = {"clawback": following, "received_on": date(2026, 12, 22), "recorded_by": cast.users["qian"], "recorded_at": at(23)}
    payers = [{"payer": row.payers[0]["payer"], "amount_fen": 2600}]
    refused(
        "than is left of it",
        lambda: Repayment.objects.create(**values, amount_fen=2600, received_fen=2600, payers=payers, moved_from=row),
        "Repayment:repayment_fits",
    )


def test_where_the_claim_is_rejected_after_all_what_came_too_much_pays_the_notice_itself(cast, office, notice):
    claim = next_claim(cast, office, "publicised")
    now = JANUARY + timedelta(days=21)
    row = money(cast, notice, 5000, too_much=True)
    repaying.confirm(cast.actor("sun"), row.pk, now)
    reviewing.reject(cast.actor("chen"), claim.pk, "nothing of it was used", now)
    assert standing(cast, notice).open_fen == 5000
    taken = surplus.take_for(cast.actor("qian"), row.pk, notice.pk, now)
    repaying.confirm(cast.actor("sun"), taken.pk, now)
    assert standing(cast, notice).state is NoticeState.SETTLED and owed(notice) == 0 and wrong() == {}


def test_money_of_another_payee_is_not_taken_and_an_outsider_sees_none_of_it(cast, notice):
    row = came(cast, notice, 7500)
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    back = surplus.send_back(cast.actor("qian"), row.pk, Transfer(100, date(2026, 12, 22), "B1"), at(22))
    for act in (
        lambda: surplus.send_back(cast.actor("zhao"), row.pk, Transfer(100, date(2026, 12, 22), "B1"), at(22)),
        lambda: surplus.confirm(cast.actor("zhao"), back.pk, at(22)),
        lambda: surplus.take_for(cast.actor("zhao"), row.pk, notice.pk, at(22)),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Forbidden):
        surplus.end(cast.actor("he"), back.pk, "it did not come", at(22))


def test_a_row_of_a_list_for_a_notice_that_a_claim_in_review_takes_off_is_recorded(cast, office, notice):
    claim = next_claim(cast, office, "in_review")
    before = claim.total_fen
    read = repaying.take_in(cast.actor("qian"), bank_list((notice.reference, "50.00")), "b.csv", JANUARY)
    claim.refresh_from_db()
    assert [each.fate for each in read.rows] == [Fate.RECORDED] and claim.total_fen == before + 5000
    assert Clawback.objects.get(pk=notice.pk).repayments.get().amount_fen == 5000 and wrong() == {}


def test_pages_record_it_as_too_much_send_it_back_and_take_it_for_the_next_notice(cast, notice, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: at(22))
    qian, sun = cast.users["qian"], cast.users["sun"]
    repaying.confirm(cast.actor("sun"), came(cast, notice, 5000).pk, at(22))
    path = f"/clawbacks/{notice.pk}/"
    typed = {"amount": "25", "received_on": "2026-12-22", "key": str(uuid4())}
    refused_page = page_of(qian, f"{path}record", typed)
    assert refused_page.status_code == 422 and 'name="too_much"' in refused_page.content.decode()
    page_of(qian, f"{path}record", typed | {"too_much": "yes"})
    row = notice.repayments.latest("pk")
    assert (row.amount_fen, row.received_fen) == (0, 2500)
    assert "Confirm ¥25.00" in page_of(sun, path).content.decode()
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    payee = page_of(cast.users["he"], path).content.decode()
    assert "¥25.00 is left of it" in payee and "Record that it was sent back" not in payee
    send = f"/clawbacks/repayments/{row.pk}/send-back"
    sent = {"amount": "30", "paid_on": "2026-12-22", "reference": "Kept", "key": str(uuid4())}
    bad = page_of(qian, send, sent)
    assert bad.status_code == 422 and 'value="Kept"' in bad.content.decode()
    for _ in range(2):  # sent twice by a second click
        page_of(qian, send, sent | {"amount": "5"})
    refund = row.refunds.get()
    assert "Sent back, waits for a second person" in page_of(sun, "/clawbacks/").content.decode()
    undo = f'action="/clawbacks/repayments/{row.pk}/decide"'
    assert undo not in page_of(qian, path).content.decode()  # something of it was used
    decide = f"/clawbacks/refunds/{refund.pk}/decide"
    assert page_of(qian, decide, {"act": "confirm"}).status_code == 403
    assert page_of(qian, decide, {"act": "x"}).status_code == 422
    assert "in the books as sent back" in page_of(sun, decide, {"act": "confirm"}).content.decode()
    following = another(cast, notice)
    there = f"/clawbacks/{following.pk}/"
    assert "Take for this notice" in page_of(qian, there).content.decode()
    assert "Take for this notice" not in page_of(cast.users["he"], there).content.decode()
    after = page_of(qian, f"{there}take", {"repayment": str(row.pk)}).content.decode()
    assert (
        "Taken from money that came too much" in after
        and Clawback.objects.get(pk=following.pk).repayments.get().amount_fen == 2000
    )
    assert page_of(qian, f"{there}take", {"repayment": str(row.pk)}).status_code == 422
    assert "The office has the money again" in page_of(sun, decide, {"act": "end", "reason": "closed"}).content.decode()
    assert page_of(cast.users["zhao"], decide, {"act": "end", "reason": "x"}).status_code == 404 and wrong() == {}


def test_the_api_sends_it_back_and_takes_it(cast, notice, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: at(22))

    def client(who):
        return Client(headers={"Authorization": f"Bearer {tokens.issue(cast.actor(who), 't', ['read', 'settle'], at(22))}"})

    def post(who, path, body, key="k"):
        return client(who).post(f"/api/v1/{path}", body, content_type="application/json", headers={"Idempotency-Key": key})

    row = came(cast, notice, 7500)
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    (said,) = client("he").get(f"/api/v1/claw-backs/{notice.pk}/repayments/").json()["results"]
    assert (said["surplus_fen"], said["moved_from"]) == (2500, None)
    path, body = f"repayments/{row.pk}/refunds/", {"amount_fen": 500, "paid_on": "2026-12-22", "reference": "B1"}
    assert [post("qian", path, body).status_code for _ in range(2)] == [201, 201]
    refund = row.refunds.get()
    assert post("qian", f"surplus-refunds/{refund.pk}/confirm/", {}).status_code == 403
    assert post("sun", f"surplus-refunds/{refund.pk}/confirm/", {}).json()["confirmed_at"]
    assert client("he").get(f"/api/v1/{path}").json()["results"][0]["amount_fen"] == 500
    following = another(cast, notice)
    too_much = post("qian", f"repayments/{row.pk}/move/", {"clawback": following.pk, "amount_fen": 2001}, "m")
    assert too_much.status_code == 422 and too_much.json()["errors"][0]["field"] == "amount_fen"
    assert post("qian", f"repayments/{row.pk}/move/", {"clawback": following.pk}, "m2").status_code == 201
    assert post("sun", f"surplus-refunds/{refund.pk}/end/", {"reason": "closed"}).json()["end_reason"] == "closed"
    nothing_open = {"amount_fen": 100, "received_on": "2026-12-22"}
    assert post("qian", f"claw-backs/{notice.pk}/repayments/", nothing_open, "n").status_code == 422
    assert post("qian", f"claw-backs/{notice.pk}/repayments/", nothing_open | {"too_much": True}, "n2").status_code == 201
    assert wrong() == {}


@pytest.fixture
def too_much(cast, office, notice):
    """Fifty yuan too much for a notice, of a payee whose next claim is approved and on no list yet."""
    claim = next_claim(cast, office, "approved")
    row = money(cast, notice, 5000, too_much=True)
    repaying.confirm(cast.actor("sun"), row.pk, JANUARY + timedelta(days=21))
    return claim, Repayment.objects.get(pk=row.pk)


def test_what_came_too_much_goes_with_the_next_list_and_never_another_way_too(cast, office, notice, too_much):
    claim, row = too_much
    now, qian, sun = JANUARY + timedelta(days=22), cast.actor("qian"), cast.actor("sun")
    with pytest.raises(Conflict) as conflict:
        paying.make(qian, claim.batch_id, now, surplus_fen=4999)
    assert code_of(conflict) == "claims.figures_differ" and not SurplusRefund.objects.exists()
    made = paying.make(qian, claim.batch_id, now, surplus_fen=5000)
    (refund,) = SurplusRefund.objects.all()
    assert refund.payment_list_id == made[0].pk and left(row) == 0
    said = made[0].content["surplus"]
    assert [(each["notice"], each["amount_fen"]) for each in said["lines"]] == [(notice.number, 5000)]
    assert said["transfer_fen"] == made[0].total_fen + 5000 and all("surplus" not in each.content for each in made[1:])
    paper = claim_pdf.render_html(made[0].content)
    assert notice.number in paper and "To transfer in all" in paper
    with pytest.raises(Refusal):
        surplus.send_back(qian, row.pk, Transfer(1, PAID_ON, "B1"), JANUARY + timedelta(days=30))
    fields = {"repayment": row, "paid_on": PAID_ON, "reference": "x", "recorded_by": cast.users["qian"], "recorded_at": now}
    with pytest.raises(IntegrityError, match="than came too much"), transaction.atomic():
        SurplusRefund.objects.create(**fields, amount_fen=1)
    with pytest.raises(Conflict) as early:
        surplus.confirm(sun, refund.pk, now)
    assert code_of(early) == "surplus.list_open"
    with pytest.raises(IntegrityError, match="once the list is approved"), transaction.atomic():
        SurplusRefund.objects.filter(pk=refund.pk).update(confirmed_by=cast.users["sun"], confirmed_at=now)
    with pytest.raises(Conflict) as on_paper:  # another list would have it transferred once more
        surplus.end(qian, refund.pk, "not sent", now)
    assert code_of(on_paper) == "surplus.leaves_with_list" and left(row) == 0
    ends = f'id="not-sent-{refund.pk}"'
    notice_page = f"/clawbacks/{notice.pk}/"
    assert ends not in page_of(cast.users["qian"], notice_page).content.decode()
    assert "Goes back with this list" in page_of(cast.users["qian"], f"/payout-lists/{made[0].pk}/").content.decode()
    for each in made:
        paying.sign(cast.actor("chen"), each.pk, now)
        paying.sign(sun, each.pk, now)
    assert ends in page_of(cast.users["qian"], notice_page).content.decode()
    with pytest.raises(Forbidden):
        surplus.confirm(qian, refund.pk, now)  # who made the list recorded it
    surplus.confirm(sun, refund.pk, now)
    assert owed(notice) == 0 and wrong() == {}
    with pytest.raises(Conflict) as paid:
        paying.cancel(qian, made[0].pk, "wrong", now)
    assert code_of(paid) == "claims.list_paid"


def test_a_cancelled_list_leaves_it_free_and_a_list_without_it_says_nothing(cast, office, notice, too_much):
    claim, row = too_much
    now, qian = JANUARY + timedelta(days=22), cast.actor("qian")
    assert "sent too much for claw-backs" in page_of(cast.users["qian"], f"/claim-batches/{claim.batch_id}/").content.decode()
    made = paying.make(qian, claim.batch_id, now, surplus_fen=5000)
    for each in made:
        paying.cancel(qian, each.pk, "wrong payer", now)
    assert left(row) == 5000 and SurplusRefund.objects.get().end_reason == "wrong payer"
    again = paying.make(qian, claim.batch_id, now)
    assert all("surplus" not in each.content for each in again) and left(row) == 5000
    other = PaymentList.objects.get(pk=made[0].pk)
    fields = {"repayment": row, "paid_on": PAID_ON, "reference": "x", "recorded_by": cast.users["qian"], "recorded_at": now}
    with pytest.raises(IntegrityError, match="of a payee whom it pays"), transaction.atomic():
        SurplusRefund.objects.create(**fields, amount_fen=1, payment_list=other)  # it is cancelled
    assert wrong() == {}
