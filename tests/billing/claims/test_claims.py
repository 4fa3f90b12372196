"""Claims from agreed sessions to money paid: refunds to a firm, redemption by a provider, and what goes wrong on the way."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from django.test import Client

from billing.claims import queries, worklist
from billing.claims.models import Claim, ClaimLine, Payout
from billing.claims.rules.content import sum_by_payer
from billing.claims.services import batches, clawbacks, documents, handing_in, paying, publishing, reviewing
from billing.ledger.models import Transfer
from billing.month import board as boards
from billing.settlement.closed import of_programme
from billing.settlement.models import Award, Charge
from billing.settlement.services import statements
from billing.subsidy import services
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from instruments.models import Notice
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER, at, code_of, days, wrong
from tests.billing.settlement.conftest import run_session
from tests.billing.settlement.test_two_sided import both_to_the_lab
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)


def settle() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def paid_stage(cast, office):
    """(statements, fen, what the others wait for) of the last stage of the month's board; its queries do not grow."""
    series = of_programme(office.versions["DEMO-QH-A"].programme)
    stage = boards.board(cast.actor("qian"), series, NOVEMBER, PUBLIC_OVER).stages[-1]
    assert stage.code == "paid"
    return stage.count, stage.fen, {block.code: block.count for block in stage.blocks}


def test_a_refund_goes_from_sessions_to_the_firms_account_and_every_identity_holds(cast, office):
    stated = statements.issue(cast.actor("qian"), office.versions["DEMO-QH-A"].pk, cast.other_firm.pk, NOVEMBER, DECEMBER)
    paid_of_month = lambda: paid_stage(cast, office)  # noqa: E731
    assert paid_of_month() == (0, 0, {"office_gathers": 1})
    batch, (claim,) = office.filled()
    assert paid_of_month() == (0, 0, {"payee_hands_in": 1})
    awards = Award.objects.filter(programme_version__programme__code="DEMO-QH-A", payee=cast.other_firm)
    assert claim.payee == cast.other_firm and claim.total_fen == sum(award.total_fen for award in awards) > 0
    assert batch.number == "PC-2026-000001" and claim.number == "SQ-2026-000001"
    form = office.submit(claim, "he")
    assert form.number == "SQ-2026-000001-1" and form.content["totals"]["total_fen"] == claim.total_fen
    assert {line["award"] for line in form.content["lines"]} == {award.pk for award in awards}
    totals = office.close(batch)
    assert (totals.claims, totals.total_fen, totals.lines) == (1, claim.total_fen, len(awards))
    assert paid_of_month() == (0, 0, {"office_reviews": 1})
    office.passed(claim)
    publicity = office.publicise(batch)
    assert "6222" not in str(publicity.content) and publicity.content["claims"][0]["payee"] == "Lianhe Materials"
    with pytest.raises(Refusal) as refused:
        office.approve(claim, now=at(10))
    assert code_of(refused) == "claims.still_public"
    office.approve(claim)
    lists = office.listed(batch)  # the province's and the prefecture's: each pays its own share, which its list alone says
    shares = sum_by_payer([line["payers"] for line in form.content["lines"]])
    assert {made.payer: made.total_fen for made in lists} == shares and len(shares) == 2
    made, other = lists
    assert (made.number, other.number) == ("BF-2026-000001", "BF-2026-000002")
    assert made.content["lines"][0]["payee"]["bank_account_number"].startswith("6222")
    assert made.content["totals"]["payers"] == [{"payer": made.payer, "amount_fen": made.total_fen}]
    office.pay(made.lines.get())
    claim.refresh_from_db()
    assert paid_of_month() == (0, made.total_fen, {"treasury_pays": 1})  # what came in so far of a statement that still waits
    assert claim.state == "listed" and claim.expected_on is not None and wrong() == {}  # the other treasury has not paid yet
    (first, second) = queries.payer_sums([claim])
    assert (first.paid_fen, first.listed_fen, second.paid_fen, second.listed_fen) == (made.total_fen, 0, 0, other.total_fen)
    assert first.claimed_fen + second.claimed_fen == claim.total_fen
    office.pay(other.lines.get())
    claim.refresh_from_db()
    assert claim.state == "paid" and claim.expected_on is None
    assert paid_of_month() == (1, stated.total_fen, {})
    events = list(claim.steps.order_by("position").values_list("event", flat=True))
    assert events == ["fill", "submit", "begin", "pass", "publicise", "approve", "list", "pay_part", "pay"]
    told = Notice.objects.filter(event__in=["claim.paid", "claim.payment_failed"]).values_list("event", flat=True)
    assert set(told) == {"claim.paid"}  # that one of two has paid is nothing that did not arrive
    moved = Transfer.objects.filter(source_type__in=["claim", "payout"]).order_by("pk")
    assert [(each.debit.kind, each.credit.kind, each.amount_fen) for each in moved] == [
        ("subsidy_granted", "subsidy_due", claim.total_fen),
        ("subsidy_due", "subsidy_paid", made.total_fen),
        ("subsidy_due", "subsidy_paid", other.total_fen),
    ]
    assert [each.credit.key.rpartition(":")[2] for each in moved][1:] == list(shares)
    settle()
    assert wrong() == {}


def test_the_documents_are_made_whole_and_the_same_twice(cast, office):
    from billing.claims.pdf import render_html
    from billing.claims.sheets import render_xlsx

    batch, claim = office.approved()
    made, other = office.listed(batch)
    form = claim.submissions.get()
    office.pay_all([made, other])
    (notice,) = clawbacks.recheck(cast.actor("chen"), claim.pk, {1: 100}, "no report was found", at(20))
    for paper, kind in ((form, "form"), (made, "list"), (notice, "clawback")):
        html = render_html(paper.content)
        assert paper.number in html and paper.content["totals"]["capitals"] in html and "<script" not in html
        assert render_xlsx(paper.content)[:2] == b"PK"
        documents.render(kind, paper.pk, at(20))
        paper.refresh_from_db()
        assert paper.render_state == "done" and paper.pdf.media_type == "application/pdf"
        # As data, and as a page that prints alike, asks for nothing and runs nothing.
        twin = queries.paper_file(cast.actor("wu"), kind, paper.pk, "html").content.decode()
        assert paper.number in twin and "default-src 'none'" in twin and "@font-face" not in twin and "@page" in twin
        said = queries.paper_file(cast.actor("wu"), kind, paper.pk, "json").content
        assert hashlib.sha256(said).hexdigest() == paper.content_sha256
        assert queries.paper_file(cast.actor("wu"), kind, paper.pk, "csv").content.startswith(b"\xef\xbb\xbf")
        with pytest.raises(NotFound):
            queries.paper_file(cast.actor("wu"), kind, paper.pk, "exe")
        with pytest.raises(NotFound):
            queries.paper_file(cast.actor("lin"), kind, paper.pk, "html")
    assert "拨付明细表" in render_html(made.content) and "兑付申请表" in render_html(form.content)
    for paper in (made, form):  # from which item of the budget it is paid
        assert "【虚构】2060503 科技条件专项" in render_html(paper.content)
    _read_over_the_api(cast, claim, {"redemption-forms": form, "payment-lists": made, "claw-backs": notice})


def _read_over_the_api(cast, claim, papers):
    """The same documents, to the same people, byte for byte."""

    keys = {who: tokens.issue(cast.actor(who), "x", ["read"], cast.now) for who in ("wu", "qian", "he", "lin")}

    def get(path, who, status=200):
        answer = Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {keys[who]}"})
        assert answer.status_code == status, (path, who, answer.content)
        return answer

    for place, paper in papers.items():
        of = "batch" if place == "payment-lists" else "claim"
        found = get(f"{place}/?{of}={getattr(paper, f'{of}_id')}", "wu").json()["results"]
        row = next(each for each in found if each["id"] == paper.pk)
        assert (row["number"], row["total_fen"], row["sha256"]) == (paper.number, paper.total_fen, paper.content_sha256)
        assert "content" not in row and row["render_state"] == "done"
        assert get(f"{place}/?{of}=999999", "wu").json()["results"] == []
        assert get(f"{place}/?{of}=x", "wu", 400)
        for kind in ("pdf", "xlsx"):
            kept = paper.handed_pdf if (place, kind) == ("payment-lists", "pdf") else getattr(paper, kind)
            assert hashlib.sha256(get(f"{place}/{paper.pk}/{kind}/", "wu").content).hexdigest() == kept.sha256
        assert hashlib.sha256(get(f"{place}/{paper.pk}/json/", "wu").content).hexdigest() == paper.content_sha256
        assert get(f"{place}/{paper.pk}/csv/", "wu").content.startswith(b"\xef\xbb\xbf")
        # Another firm's is not found, and not listed; what the treasury pays is not told to payees.
        others = ("lin", "he") if place == "payment-lists" else ("lin",)
        for who in others:
            assert get(f"{place}/", who).json()["results"] == []
            assert get(f"{place}/{paper.pk}/json/", who, 404)
    assert [get(f"{place}/", "he").json()["count"] for place in ("redemption-forms", "claw-backs")] == [1, 1]
    lists = {stand: get(f"payment-lists/?stands={stand}", "qian").json()["count"] for stand in queries.ListStand}
    assert lists == {"made": 0, "checked": 0, "approved": 0, "recorded": 2, "cancelled": 0}
    assert get("payment-lists/?stands=nowhere", "qian", 400)


def test_a_provider_redeems_and_what_was_objected_sent_back_and_paid_in_part_goes_on(cast, office):
    batch, (claim,) = office.filled("DEMO-QH-V", "deducted_now")
    assert claim.payee == cast.lab
    with pytest.raises(NotFound):
        office.submit(claim, "he")
    office.submit(claim, "li")
    office.close(batch)
    reviewing.send_back(cast.actor("chen"), claim.pk, "the report is missing", AFTER)
    with pytest.raises(Conflict) as refused:
        office.passed(claim)
    assert code_of(refused) == "claims.not_now"
    office.submit(claim, "li", now=at(9))
    claim.refresh_from_db()
    assert (claim.state, claim.step, claim.submissions.count()) == ("in_review", 0, 2)
    office.passed(claim, now=at(9))
    publicity = office.publicise(batch, now=at(9))
    said = publishing.object_to(publicity.pk, claim.pk, "Zhang San", "139 0000", "This was never measured", at(10))
    with pytest.raises(Refusal) as refused:
        office.approve(claim, now=at(17))
    assert code_of(refused) == "claims.objected"
    publishing.answer(cast.actor("chen"), said.pk, False, "The log shows the use", at(17))
    office.approve(claim, now=at(17))
    made, other = office.listed(batch, now=at(18))
    half = made.total_fen // 2
    to_list = lambda: [(each.claims, each.total_fen) for each in worklist.mine(cast.actor("qian"), at(18))]  # noqa: E731
    assert to_list() == []
    office.pay(made.lines.get(), half, "the bank returned the rest", now=at(18))
    assert to_list() == [(1, made.total_fen - half)]  # finance is asked, although the other's list waits still
    (again,) = office.listed(batch, now=at(19))  # what is left of the one payer; the other's list waits still
    assert (again.number, again.payer, again.total_fen) == ("BF-2026-000003", made.payer, made.total_fen - half)
    assert to_list() == []
    office.pay(other.lines.get(), now=at(19))
    office.pay(again.lines.get(), 0, "wrong account", now=at(19))
    claim.refresh_from_db()
    assert claim.state == "partly_paid"
    office.pay_all(office.listed(batch, now=at(20)), now=at(20))
    claim.refresh_from_db()
    assert claim.state == "paid" and sum(Payout.objects.values_list("paid_fen", flat=True)) == claim.total_fen
    settle()
    assert wrong() == {}


def test_what_goes_to_the_owner_beside_the_bill_is_claimed_and_paid_alike(cast, office):
    """A reward, or service that government buys: the deducted part of the session is a claim of its own, the bill knows neither."""
    drafted = services.draft_version(cast.actor("chen"), both_to_the_lab(), cast.now)
    services.publish_version(cast.actor("sun"), drafted, cast.now)
    charge = Charge.objects.get(reservation_id=run_session(cast, slot_of(9, 12, 3)))
    reward, off = (charge.awards.get(mode=mode) for mode in ("paid_beside", "deducted_now"))
    office.versions["LAB"] = reward.programme_version
    batch, claim = office.approved("LAB", "paid_beside", who="li")
    assert (claim.payee, claim.total_fen) == (cast.lab, reward.total_fen)
    assert list(ClaimLine.objects.filter(claim=claim).values_list("award", flat=True)) == [reward.pk]
    (made,) = office.listed(batch)
    assert made.payer == "city"
    office.pay_all([made])
    claim.refresh_from_db()
    assert claim.state == "paid" and charge.payable_now_fen == charge.gross_fen - charge.deducted_fen
    other, (redeemed,) = office.filled("LAB", "deducted_now")
    assert redeemed.total_fen == off.total_fen and other.mode == "deducted_now"
    settle()
    assert wrong() == {}


def test_what_a_recheck_finds_is_taken_off_the_next_claim_and_goes_back_to_the_pool(cast, office):
    from tests.billing.settlement.conftest import run_session
    from tests.conftest import slot_of

    batch, claim = office.approved()
    office.pay_all(office.listed(batch))
    spent = Award.objects.get(pk=claim.lines.get(position=1).award_id)
    pool = Transfer.objects.filter(kind="post", debit__limited=True, programme_version=spent.programme_version).first().debit
    before = pool.posted_fen
    (back,) = clawbacks.recheck(cast.actor("sun"), claim.pk, {1: 5000}, "half of the hours were not used", at(20))
    pool.refresh_from_db()
    assert pool.posted_fen == before - 5000 and back.number == "ZH-2026-000001" and back.cause == "recheck"
    claim.refresh_from_db()
    assert claim.state == "rechecked" and claim.total_fen == claim.submissions.get().total_fen  # never edited
    run_session(cast, slot_of(9, 12, 9), "he", cast.other_firm)
    on = days("2026-12-01", "2026-12-31", "2027-01-01", "2027-01-07")
    january = at(2).replace(year=2027, month=1)
    _next, (second,) = office.filled(now=january, **on)
    taken = second.lines.get(kind="clawback")
    assert taken.amount_fen == -5000 and taken.clawback == back
    assert second.total_fen == second.lines.get(kind="award").amount_fen - 5000
    with pytest.raises(Refusal):
        clawbacks.recheck(cast.actor("sun"), claim.pk, {1: 10**12}, "all", at(21))
    settle()
    assert wrong() == {}


def test_a_credit_note_before_handing_in_makes_the_claim_less_and_after_it_a_clawback(cast, office):
    from billing.bills.services import issuing
    from billing.bills.services.issuing import BillRequest
    from billing.payments.services import crediting
    from billing.payments.services.crediting import CreditRequest

    batch, (claim,) = office.filled("DEMO-QH-V", "deducted_now")
    whole = claim.total_fen
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, days()["until_on"]), DECEMBER)

    def credit(now):
        asked = CreditRequest(bill.pk, 1, bill.lines.get(position=1).amount_fen // 2, "other", "half only")
        return crediting.issue(cast.actor("li"), asked, now)

    first = credit(DECEMBER)
    with pytest.raises(Conflict) as refused:
        handing_in.submit(cast.actor("li"), claim.pk, DECEMBER, expected_fen=whole)
    assert code_of(refused) == "claims.figures_differ"
    office.submit(claim, "li")
    claim.refresh_from_db()
    gone = sum(first.reversals.values_list("amount_fen", flat=True))
    assert gone > 0 and claim.total_fen == whole - gone and ClaimLine.objects.filter(claim=claim, standing="replaced").exists()
    second = credit(DECEMBER)
    assert clawbacks.raise_due(None, DECEMBER) == 1 and clawbacks.raise_due(None, DECEMBER) == 0
    assert clawbacks.outstanding(batch.programme_id, cast.lab.pk) == []  # nothing is taken back that was never promised
    office.close(batch)
    office.passed(claim)
    office.publicise(batch)
    office.approve(claim)
    claim.refresh_from_db()
    assert claim.total_fen == whole - gone
    (left,) = clawbacks.outstanding(batch.programme_id, cast.lab.pk)
    assert left[1] == sum(second.reversals.values_list("amount_fen", flat=True)) and left[0].reason.startswith(second.number)
    settle()
    assert wrong() == {}


def test_a_line_is_left_out_or_postponed_with_a_reason_and_what_is_left_out_goes_back_at_approval(cast, office):
    batch, (claim,) = office.filled()
    whole = claim.total_fen
    office.submit(claim, "he")
    office.close(batch)
    chen = cast.actor("chen")
    with pytest.raises(Refusal) as refused:
        reviewing.set_line(chen, claim.pk, 1, "excluded", " ", AFTER)
    assert code_of(refused) == "claims.text_missing"
    first, second = claim.lines.order_by("position")
    reviewing.set_line(chen, claim.pk, 1, "excluded", "another's sample", AFTER)
    reviewing.set_line(chen, claim.pk, 2, "postponed", "the invoice comes later", AFTER)
    claim.refresh_from_db()
    assert claim.total_fen == 0
    reviewing.set_line(chen, claim.pk, 1, "included", "it was right", AFTER)
    reviewing.set_line(chen, claim.pk, 1, "excluded", "it was not", AFTER)
    assert list(batches.claimable(batch).values_list("pk", flat=True)) == [second.award_id]
    office.passed(claim)
    office.publicise(batch)
    office.approve(claim)
    claim.refresh_from_db()
    assert claim.state == "paid" and claim.total_fen == 0  # nothing is left to pay
    assert first.award.reversals.get().amount_fen == first.amount_fen and first.amount_fen + second.amount_fen == whole
    settle()
    assert wrong() == {}


def test_a_rejected_claim_gives_all_back_and_a_withdrawn_one_can_be_claimed_anew(cast, office):
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    handing_in.withdraw(cast.actor("he"), claim.pk, "wrong account", DECEMBER)
    office.gather(batch)
    again = Claim.objects.get(batch=batch, state="draft")
    assert again.total_fen == claim.total_fen > 0
    office.submit(again, "he")
    office.close(batch)
    reviewing.reject(cast.actor("chen"), again.pk, "not eligible", AFTER)
    again.refresh_from_db()
    assert again.total_fen == 0 and not batches.claimable(batch).exists()
    settle()
    assert wrong() == {}


def test_many_claims_pass_together_and_those_with_a_finding_are_reported(cast, office):
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    account, cast.other_firm.bank_account_number = cast.other_firm.bank_account_number, ""
    cast.other_firm.save()
    (result,) = reviewing.pass_clean(cast.actor("chen"), batch.pk, AFTER)
    assert not result.done and result.reasons[0].code == "claims.not_clean"
    cast.other_firm.bank_account_number = account
    cast.other_firm.save()
    (result,) = reviewing.pass_clean(cast.actor("chen"), batch.pk, AFTER)
    assert result.done
    office.publicise(batch)
    publishing.end_due(PUBLIC_OVER)
    (refused,) = reviewing.approve_all(cast.actor("chen"), batch.pk, PUBLIC_OVER)  # passed it: another one approves
    assert refused.reasons[0].code == "claims.three_people"
    assert all(each.done for each in reviewing.approve_all(cast.actor("sun"), batch.pk, PUBLIC_OVER))


def test_what_a_programme_asks_has_to_be_there_and_the_reasons_name_it(cast, office):
    cast.other_firm.bank_account_number = ""
    cast.other_firm.save()
    _batch, (claim,) = office.filled()
    with pytest.raises(Refusal) as refused:
        office.submit(claim, "he")
    assert code_of(refused) == "claims.to_complete" and refused.value.reasons[0].field == "bank_account"
    with pytest.raises(Refusal) as refused:
        handing_in.write_invoice(cast.actor("he"), claim.pk, 1, "12", DECEMBER)
    assert code_of(refused) == "claims.invoice_number"
    handing_in.write_invoice(cast.actor("he"), claim.pk, 1, "2463 0000 0000 0000 0001", DECEMBER)
    assert claim.lines.get(position=1).invoice_number == "24630000000000000001"
    with pytest.raises(Forbidden):
        handing_in.write_invoice(cast.actor("chen"), claim.pk, 1, "", DECEMBER)
    with pytest.raises(Refusal) as refused:
        batches.close(cast.actor("chen"), claim.batch_id, DECEMBER)
    assert code_of(refused) == "claims.window_open"
    with pytest.raises(Refusal) as refused:
        handing_in.submit(cast.actor("he"), claim.pk, at(9))
    assert code_of(refused) == "claims.window_closed"


def test_a_payment_list_needs_three_people_and_an_approved_list_before_anything_is_recorded(cast, office):
    batch, _claim = office.approved()
    with pytest.raises(Forbidden):
        paying.make(cast.actor("chen"), batch.pk, PUBLIC_OVER)
    made = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)[0]
    with pytest.raises(Refusal) as refused:
        office.pay(made.lines.get())
    assert code_of(refused) == "claims.not_approved"
    with pytest.raises(Forbidden) as forbidden:
        paying.sign(cast.actor("qian"), made.pk, PUBLIC_OVER)
    assert code_of(forbidden) == "claims.three_people"
    paying.sign(cast.actor("chen"), made.pk, PUBLIC_OVER)
    with pytest.raises(Forbidden):
        paying.sign(cast.actor("chen"), made.pk, PUBLIC_OVER)
    paying.sign(cast.actor("sun"), made.pk, PUBLIC_OVER)
    with pytest.raises(Refusal) as refused:
        office.pay(made.lines.get(), 1)
    assert code_of(refused) == "claims.text_missing"
    with pytest.raises(Refusal) as refused:
        paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    assert code_of(refused) == "claims.nothing_to_pay"
