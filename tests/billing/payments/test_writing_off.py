"""What is not paid is given up by two people: a loss in the owner's books, and owed all the same."""

from __future__ import annotations

from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from billing.bills import queries
from billing.bills.models import Bill, WriteOff
from billing.bills.proposal_models import WriteOffProposal
from billing.bills.rules.standing import BillState, Standing
from billing.bills.services import issuing, writing_off
from billing.dunning import queries as dunning
from billing.dunning.rules.steps import Step
from billing.dunning.services import reminding
from billing.ledger.books import Period, entries
from billing.ledger.models import Transfer
from billing.payments.services import allocating, crediting
from billing.payments.services.crediting import CreditRequest
from billing.receipts.services import issuing as statements
from billing.settlement.queries import local_today
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Notice
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.month.conftest import second_person
from tests.billing.payments.test_bank_transfers import code_of, row

pytestmark = pytest.mark.django_db
WHY = "The firm is dissolved, the court has closed the file."
FEBRUARY = DECEMBER + timedelta(days=70)


def stands(cast, bill, who="li"):
    actor = cast.actor(who)
    return queries.standing_for(actor, queries.bill_for(actor, bill.pk))


@pytest.fixture
def given_up(cast, bill):
    """``given_up()``: a bill of Gaoyuan that Li proposed to give up and Mei gave up."""
    second_person(cast)

    def make():
        issued = bill()
        writing_off.propose(cast.actor("li"), issued.pk, WHY, FEBRUARY)
        writing_off.write_off(cast.actor("mei"), issued.pk, FEBRUARY)
        return issued

    return make


def books(cast):
    """What was lost, and what stands against the claims: debits less credits, and the other way round (fen)."""
    lost, against = f"write_off:{cast.lab.pk}", f"allowance:{cast.lab.pk}"
    found = {lost: 0, against: 0}
    for debit, credit, amount in Transfer.objects.values_list("debit__key", "credit__key", "amount_fen"):
        for key, sign in ((debit, 1), (credit, -1)):
            if key in found:
                found[key] += sign * amount
    return found[lost], -found[against]


def test_where_a_bill_stands_that_was_given_up():
    stood = Standing(100, 10, 20, written_off_fen=70)
    assert (stood.state, stood.open_fen, stood.may_void) == (BillState.UNCOLLECTIBLE, 70, False)
    assert stood.outside.state is BillState.PARTLY_PAID
    assert Standing(100, 100).state is BillState.CREDITED and Standing(100, 0, 100).state is BillState.PAID


def test_two_people_give_up_a_bill_and_its_customer_sees_it_as_before(cast, bill, given_up):
    issued = given_up()
    assert (stands(cast, issued).state, stands(cast, issued).written_off_fen) == (BillState.UNCOLLECTIBLE, 1080_00)
    assert stands(cast, issued, "zhao") == Standing(1080_00)
    assert books(cast) == (1080_00, 1080_00)
    assert queries.still_open(queries.with_standing(Bill.objects.all())).exists()  # it is owed all the same
    assert not queries.still_expected(queries.with_standing(Bill.objects.all())).exists()
    assert wrong() == {}
    for who in ("zhao", "lin"):
        assert queries.given_up(cast.actor(who), issued) == queries.GivenUp(None, [])
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["zhao"])
    page = client.get(f"/bills/{issued.pk}/").content.decode()
    assert WHY not in page and "Written off" not in page
    assert client.get(f"/api/v1/bills/{issued.pk}/").json()["written_off_fen"] == 0


def test_nobody_is_reminded_of_what_was_given_up_and_it_keeps_from_booking(cast, given_up):
    issued = given_up()
    assert not dunning.due_for_dunning(local_today(FEBRUARY)).exists()
    assert reminding.remind_due(FEBRUARY) == 0
    writing_off.take_back(cast.actor("li"), issued.pk, "The firm goes on under another owner", FEBRUARY)
    assert reminding.remind_due(FEBRUARY) == 1
    assert [one.pk for one in dunning.due_for_dunning(local_today(FEBRUARY))] == [issued.pk]
    assert (stands(cast, issued).state, books(cast)[0]) == (BillState.ISSUED, 0)
    assert wrong() == {}


def test_money_that_comes_in_after_all_takes_the_write_off_back_by_itself(cast, given_up, take):
    issued = given_up()
    first, second = take(row("80"), row("1,000", serial="2"))
    given = allocating.give(cast.actor("li"), first.pk, issued.pk, 80_00, FEBRUARY)
    assert (stands(cast, issued).written_off_fen, books(cast)[0]) == (1000_00, 1000_00)
    allocating.give(cast.actor("li"), second.pk, issued.pk, 1000_00, FEBRUARY)
    assert (stands(cast, issued).state, books(cast)[0]) == (BillState.PAID, 0)
    assert [(one.kind, one.amount_fen) for one in WriteOff.objects.order_by("pk")] == [
        ("written_off", 1080_00), ("met", -80_00), ("met", -1000_00),
    ]  # fmt: skip
    allocating.undo(cast.actor("li"), given.pk, "another firm's", FEBRUARY)  # owed again, and expected again
    assert (stands(cast, issued).state, stands(cast, issued).open_fen) == (BillState.PARTLY_PAID, 80_00)
    assert wrong() == {}


def test_a_credit_note_meets_it_too_and_a_void_waits(cast, given_up):
    issued = given_up()
    with pytest.raises(Refusal) as refused:
        issuing.void(cast.actor("li"), issued.pk, "wrong", FEBRUARY)
    assert code_of(refused) == "bill.written_off"
    crediting.issue(cast.actor("li"), CreditRequest(issued.pk, 1, 100_00, "not_delivered", "Half was unusable"), FEBRUARY)
    assert stands(cast, issued).written_off_fen == 980_00
    writing_off.take_back(cast.actor("mei"), issued.pk, "x", FEBRUARY)
    assert wrong() == {}


def test_only_what_is_overdue_is_given_up_and_by_another_person(cast, bill, take):
    second_person(cast)
    issued, li, mei = bill(), cast.actor("li"), cast.actor("mei")
    with pytest.raises(Refusal) as refused:
        writing_off.propose(li, issued.pk, WHY, DECEMBER)
    assert (code_of(refused), refused.value.reasons[0].params) == ("write_off.not_due", {"due_on": issued.due_on.isoformat()})
    for reason, code in (("  ", "write_off.reason_missing"), ("x" * 501, "write_off.reason_too_long")):
        with pytest.raises(Refusal) as refused:
            writing_off.propose(li, issued.pk, reason, FEBRUARY)
        assert code_of(refused) == code
    for who, error in (("zhao", Forbidden), ("lin", NotFound), ("chen", NotFound)):
        with pytest.raises(error):
            writing_off.propose(cast.actor(who), issued.pk, WHY, FEBRUARY)
    writing_off.propose(li, issued.pk, WHY, FEBRUARY)
    assert Notice.objects.filter(event="write_off.proposed").values_list("user__email", flat=True).get() == "mei@example.org"
    with pytest.raises(Conflict) as conflict:
        writing_off.propose(mei, issued.pk, WHY, FEBRUARY)
    assert code_of(conflict) == "write_off.proposed_already"
    with pytest.raises(Refusal) as refused:
        writing_off.write_off(li, issued.pk, FEBRUARY)
    assert code_of(refused) == "write_off.own_proposal"
    with pytest.raises(Refusal) as refused:
        writing_off.decline(mei, issued.pk, "", FEBRUARY)
    assert code_of(refused) == "proposal.reason_missing"
    writing_off.decline(mei, issued.pk, "They have begun to pay", FEBRUARY)
    assert Notice.objects.filter(event="write_off.sent_back", user=cast.users["li"]).exists()
    with pytest.raises(Conflict) as conflict:
        writing_off.write_off(mei, issued.pk, FEBRUARY)
    assert code_of(conflict) == "write_off.proposal_decided"
    assert WriteOffProposal.objects.get().state == "sent_back" and not WriteOff.objects.exists()
    writing_off.propose(li, issued.pk, WHY, FEBRUARY)
    writing_off.decline(li, issued.pk, "", FEBRUARY)
    assert WriteOffProposal.objects.latest("pk").state == "withdrawn"


def test_a_proposal_over_what_is_left_no_more_is_closed_and_whoever_made_it_is_told(cast, bill, take):
    second_person(cast)
    issued, li, mei = bill(), cast.actor("li"), cast.actor("mei")
    proposal = writing_off.propose(li, issued.pk, WHY, FEBRUARY)
    (payment,) = take(row("80"))
    given = allocating.give(li, payment.pk, issued.pk, 80_00, FEBRUARY)
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by) == ("overtaken", None)
    assert Notice.objects.filter(event="write_off.overtaken").values_list("user__email", flat=True).get() == "li@example.org"
    assert not Notice.objects.filter(event="write_off.proposed", needs_action=True).exists()
    with pytest.raises(Conflict) as conflict:
        writing_off.write_off(mei, issued.pk, FEBRUARY)
    assert code_of(conflict) == "write_off.proposal_decided"
    again = writing_off.propose(mei, issued.pk, WHY, FEBRUARY)
    assert again.total_fen == 1000_00
    allocating.undo(li, given.pk, "another firm's", FEBRUARY)  # more is left than was looked at
    with pytest.raises(Conflict) as conflict:
        writing_off.write_off(li, issued.pk, FEBRUARY)
    assert (code_of(conflict), conflict.value.reasons[0].params) == ("write_off.figures_differ", {"total_fen": 1080_00})
    assert not WriteOff.objects.exists()


def test_what_is_unpaid_stays_on_the_customers_list_when_it_is_given_up(cast, given_up):
    issued = given_up()
    today = local_today(FEBRUARY)
    pages = {}
    for who in ("zhao", "li"):
        (listed,) = dunning.rows_of(cast.actor(who), list(dunning.overdue(cast.actor(who), today)), today)
        assert (listed.bill.pk, listed.open_fen, listed.upcoming) == (issued.pk, 1080_00, None)
        pages[who] = listed.given_up
    assert pages == {"zhao": False, "li": True}
    assert dunning.customers_owing(cast.actor("li"), today)


def test_nobody_is_reminded_of_what_is_given_up_while_the_day_s_list_is_gone_through(cast, given_up):
    issued = given_up()
    assert reminding._remind(issued.pk, Step.FIRST, FEBRUARY) == 0
    writing_off.take_back(cast.actor("li"), issued.pk, "They pay", FEBRUARY)
    assert reminding._remind(issued.pk, Step.FIRST, FEBRUARY) == 1


def test_nothing_is_given_up_twice_or_of_a_bill_that_is_paid(cast, given_up, take):
    issued, li = given_up(), cast.actor("li")
    with pytest.raises(Refusal) as refused:
        writing_off.propose(li, issued.pk, WHY, FEBRUARY)
    assert code_of(refused) == "write_off.done_already"
    (payment,) = take(row("1,080"))
    allocating.give(li, payment.pk, issued.pk, 1080_00, FEBRUARY)
    for act, code in ((writing_off.propose, "write_off.nothing_open"), (writing_off.take_back, "write_off.none")):
        with pytest.raises(Refusal) as refused:
            act(li, issued.pk, WHY, FEBRUARY)
        assert code_of(refused) == code


@pytest.mark.parametrize(("kind", "amount"), [("written_off", 1080_01), ("taken_back", -1)])
def test_the_database_gives_up_no_more_than_is_owed_and_takes_back_no_more_than_was_given_up(cast, bill, kind, amount):
    issued = bill()

    def write():
        with transaction.atomic():
            WriteOff.objects.create(bill=issued, kind=kind, amount_fen=amount, reason="x", actor=cast.users["li"], at=FEBRUARY)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match="no more is written off than is left to pay"):
        write()
    with pgtrigger.ignore("billing.WriteOff:write_off_within_open"):
        write()


def test_a_payment_that_leaves_more_given_up_than_owed_is_refused(cast, given_up, take, monkeypatch):
    issued = given_up()
    (payment,) = take(row("80"))
    monkeypatch.setattr(writing_off, "meet", lambda bill, now: None)

    def pay():
        with transaction.atomic():
            allocating.give(cast.actor("li"), payment.pk, issued.pk, 80_00, FEBRUARY)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match="no more is written off than is left to pay"):
        pay()


def test_what_was_given_up_stays_written_and_two_people_stand_behind_it(cast, given_up):
    given_up()
    row = WriteOff.objects.get()
    for change in (lambda: WriteOff.objects.update(amount_fen=1), lambda: row.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    ignored = pgtrigger.ignore("billing.WriteOffProposal:write_off_proposal_decided_once")
    with ignored, pytest.raises(IntegrityError), transaction.atomic():
        WriteOffProposal.objects.update(decided_by=cast.users["li"])
    with pytest.raises(DatabaseError), transaction.atomic():
        WriteOffProposal.objects.update(total_fen=1)
    for table in ("billing_writeoff", "billing_writeoffproposal"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")


def test_finance_gives_a_bill_up_on_its_page(cast, bill, monkeypatch):
    second_person(cast)
    issued, clients = bill(), {}
    url = f"/bills/{issued.pk}/"
    page = lambda who: clients[who].get(url).content.decode()  # noqa: E731

    def log_in():
        for who in ("li", "mei"):
            clients[who] = Client(headers={"Accept-Language": "en"})
            clients[who].force_login(cast.users[who])

    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    log_in()
    assert "Write off what is not paid" not in page("li")  # it is not due yet
    monkeypatch.setattr(timezone, "now", lambda: FEBRUARY)
    log_in()
    assert "Write off what is not paid" in page("li")

    def post(who, **sent):
        return clients[who].post(f"/bills/{issued.pk}/write-off", sent)

    refused = post("li", act="propose", reason="")
    assert refused.status_code == 422 and "the customer does not" in refused.content.decode()
    assert post("li", act="something").status_code == 404
    assert post("li", act="propose", reason=WHY).status_code == 302
    assert "Written off in the books" not in page("li") and "Write-off</h2>" in page("li")
    assert "Withdraw the proposal" in page("li") and "Write off ¥1,080.00" not in page("li")
    assert "Write off ¥1,080.00" in page("mei") and WHY in page("mei")
    listed = clients["mei"].get(f"/bills/open/?owner={cast.lab.pk}").content.decode()
    assert "Write-offs that wait for a second person" in listed and issued.number in listed
    assert post("li", act="agree").status_code == 422
    assert post("mei", act="agree").status_code == 302
    assert f"Proposed by {cast.users['li']}" in page("mei")
    assert "Written off in the books" in page("li") and "Expect it again" in page("li")
    assert "Written off" in clients["li"].get("/bills/").content.decode()
    assert post("li", act="take_back", reason="They pay in parts").status_code == 302
    assert stands(cast, issued).state is BillState.ISSUED and "They pay in parts" in page("mei")


def test_over_the_api_two_tokens_give_a_bill_up(cast, bill, monkeypatch):
    second_person(cast)
    issued = bill()
    monkeypatch.setattr(timezone, "now", lambda: FEBRUARY)
    url = f"/api/v1/bills/{issued.pk}/write-off/"

    def post(who, path, **body):
        client = Client()
        client.force_login(cast.users[who])
        return client.post(url + path, body, content_type="application/json")

    assert post("zhao", "", reason=WHY).status_code == 403
    assert post("li", "", reason=WHY).json()["state"] == "issued"
    assert post("li", "agree/").status_code == 422
    agreed = post("mei", "agree/").json()
    assert (agreed["state"], agreed["written_off_fen"], agreed["open_fen"]) == ("uncollectible", 1080_00, 1080_00)
    assert post("mei", "decline/", reason="late").status_code == 409
    assert post("mei", "take-back/", reason="They pay").json()["written_off_fen"] == 0


@pytest.fixture
def part_given_up(cast, bill):
    """A bill over ¥1,080 of which ¥400 are given up."""
    second_person(cast)
    issued = bill()
    writing_off.propose(cast.actor("li"), issued.pk, WHY, FEBRUARY, 400_00)
    writing_off.write_off(cast.actor("mei"), issued.pk, FEBRUARY)
    return issued


def test_a_part_is_given_up_and_the_rest_stays_due(cast, part_given_up):
    stood = stands(cast, part_given_up)
    assert (stood.state, stood.written_off_fen, stood.expected_fen, stood.open_fen) == (BillState.ISSUED, 400_00, 680_00, 1080_00)
    assert books(cast) == (400_00, 400_00) and wrong() == {}
    assert stands(cast, part_given_up, "zhao") == Standing(1080_00)
    assert queries.still_expected(queries.with_standing(Bill.objects.all())).exists()
    today = local_today(FEBRUARY)
    (listed,) = dunning.rows_of(cast.actor("li"), list(dunning.overdue(cast.actor("li"), today)), today)
    assert not listed.given_up and listed.upcoming is not None
    assert reminding.remind_due(FEBRUARY) == 1


def test_one_part_after_the_other_and_never_more_than_is_expected(cast, part_given_up):
    li, mei = cast.actor("li"), cast.actor("mei")
    for amount in (0, -1, 680_01):
        with pytest.raises(Refusal) as refused:
            writing_off.propose(li, part_given_up.pk, WHY, FEBRUARY, amount)
        assert (code_of(refused), refused.value.reasons[0].params["left_fen"]) == ("write_off.amount", 680_00)
    writing_off.propose(li, part_given_up.pk, WHY, FEBRUARY)
    writing_off.write_off(mei, part_given_up.pk, FEBRUARY)
    stood = stands(cast, part_given_up)
    assert (stood.state, stood.written_off_fen, books(cast)[0]) == (BillState.UNCOLLECTIBLE, 1080_00, 1080_00)
    assert reminding.remind_due(FEBRUARY) == 0
    with pytest.raises(Refusal) as refused:
        writing_off.propose(li, part_given_up.pk, WHY, FEBRUARY, 1)
    assert code_of(refused) == "write_off.done_already" and wrong() == {}


def test_money_pays_what_is_expected_first_and_credit_notes_keep_the_limit(cast, part_given_up, take):
    li = cast.actor("li")
    first, second = take(row("680"), row("1,000", serial="2"))
    allocating.give(li, first.pk, part_given_up.pk, 680_00, FEBRUARY)
    stood = stands(cast, part_given_up)
    assert (stood.written_off_fen, stood.expected_fen, stood.state) == (400_00, 0, BillState.UNCOLLECTIBLE)
    assert not WriteOff.objects.filter(kind="met").exists()
    crediting.issue(li, CreditRequest(part_given_up.pk, 1, 100_00, "not_delivered", "A part was unusable"), FEBRUARY)
    assert stands(cast, part_given_up).written_off_fen == 300_00
    allocating.give(li, second.pk, part_given_up.pk, 300_00, FEBRUARY)
    assert (stands(cast, part_given_up).state, books(cast)[0]) == (BillState.PAID, 0) and wrong() == {}


def test_a_proposed_part_holds_while_it_fits_and_is_closed_where_less_is_left(cast, bill, take):
    second_person(cast)
    issued, li, mei = bill(), cast.actor("li"), cast.actor("mei")
    proposal = writing_off.propose(li, issued.pk, WHY, FEBRUARY, 400_00)
    first, second = take(row("600"), row("100", serial="2"))
    allocating.give(li, first.pk, issued.pk, 600_00, FEBRUARY)
    proposal.refresh_from_db()
    assert proposal.state == "waiting" and not proposal.whole  # 480 is left
    allocating.give(li, second.pk, issued.pk, 100_00, FEBRUARY)
    proposal.refresh_from_db()
    assert proposal.state == "overtaken"  # 380 is left
    again = writing_off.propose(li, issued.pk, WHY, FEBRUARY, 380_00)
    assert again.whole
    writing_off.write_off(mei, issued.pk, FEBRUARY)
    assert books(cast)[0] == 380_00 and wrong() == {}


def test_the_books_have_the_posting_and_the_statement_of_account_shows_it_to_the_owner_alone(cast, part_given_up, monkeypatch):
    lab = cast.lab.pk
    (posted,) = [each for each in entries(cast.actor("li"), Period()) if each.reason == "written_off"]
    assert (posted.debit[0], posted.credit[0], posted.amount_fen) == (f"write_off:{lab}", f"allowance:{lab}", 400_00)
    monkeypatch.setattr(timezone, "now", lambda: FEBRUARY)
    today = local_today(FEBRUARY)
    paper = statements.account_statement(cast.actor("li"), lab, cast.firm.pk, date(2026, 11, 1), today, FEBRUARY)
    assert paper.total_fen == 1080_00 and [each["what"] for each in paper.content["lines"]] == ["bill"]
    before = statements.account_statement(cast.actor("li"), lab, cast.firm.pk, date(2026, 11, 1), date(2026, 12, 31), FEBRUARY)
    shown = {}
    for who, which in (("li", paper), ("zhao", paper), ("li", before)):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        page = client.get(f"/account-statements/{which.pk}/").content.decode()
        shown[who, which.pk] = "Of it given up in your books" in page and "¥400.00" in page
    assert shown == {("li", paper.pk): True, ("zhao", paper.pk): False, ("li", before.pk): False}


def test_a_part_is_proposed_on_the_page_and_over_the_api(cast, bill, monkeypatch):
    second_person(cast)
    issued = bill()
    monkeypatch.setattr(timezone, "now", lambda: FEBRUARY)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["li"])
    url, api = f"/bills/{issued.pk}/", f"/api/v1/bills/{issued.pk}/write-off/"
    assert 'name="amount" inputmode="decimal" value="1080.00"' in client.get(url).content.decode()
    for typed in ("x", "0", "2000"):
        refused = client.post(f"{url}write-off", {"act": "propose", "reason": WHY, "amount": typed})
        page = refused.content.decode()
        assert refused.status_code == 422 and f'value="{typed}"' in page and "expected still: ¥1,080.00" in page
    assert client.post(f"{url}write-off", {"act": "propose", "reason": WHY, "amount": "400"}).status_code == 302
    assert WriteOffProposal.objects.get().total_fen == 400_00
    writing_off.write_off(cast.actor("mei"), issued.pk, FEBRUARY)
    assert "¥680.00 is expected still" in client.get(url).content.decode()
    too_much = client.post(api, {"reason": WHY, "amount_fen": 680_01}, content_type="application/json")
    assert too_much.status_code == 422 and too_much.json()["errors"][0]["field"] == "amount_fen"
    assert client.post(api, {"reason": WHY, "amount_fen": 1}, content_type="application/json").status_code == 200
    assert WriteOffProposal.objects.latest("pk").total_fen == 1
