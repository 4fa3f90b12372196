"""What a claw-back notice asks for comes back as money: recorded by one person, confirmed by another, in the books, and undone."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from billing.claims import clawback_queries
from billing.claims.models import ClaimLine, Clawback
from billing.claims.pdf import render_html
from billing.claims.repayment_models import Repayment
from billing.claims.rules.repaying import NoticeState, due_on, numbers_in, reference_of
from billing.claims.services import clawbacks, repaying
from billing.claims.services.repaying import Fate, Money
from billing.ledger.models import Transfer
from billing.subsidy.models import Programme
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from instruments.models import Membership, Notice
from tests.billing.claims.conftest import at, code_of, days, wrong
from tests.billing.claims.test_guards import refused
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
BACK = date(2026, 12, 22)


@pytest.fixture
def notice(cast, office) -> Clawback:
    """A notice over ¥50 of a refund that was paid; Sun works in the office's finance, too."""
    Membership.objects.create(user=cast.users["sun"], organisation=cast.office, role=Role.FINANCE, created_at=cast.now)
    cast.office.bank_account_number, cast.office.bank_name = "9558 77", "Treasury Bank"
    cast.office.save()
    Programme.objects.filter(code="DEMO-QH-A").update(issuer=cast.office)
    batch, claim = office.approved()
    office.pay_all(office.listed(batch))
    (back,) = clawbacks.recheck(cast.actor("chen"), claim.pk, {1: 5000}, "half of the hours were not used", at(20))
    return Clawback.objects.get(pk=back.pk)


def came(cast, notice, fen, who="qian"):
    return repaying.record(cast.actor(who), notice.pk, Money(fen, BACK, "Lianhe", "T9"), at(22))


def standing(cast, notice):
    return clawback_queries.standing(clawback_queries.notice_for(cast.actor("qian"), notice.pk))


def test_a_reference_names_one_notice_and_a_mistyped_one_none():
    reference = reference_of("ZH-2026-000012")
    assert reference == "ZH26000012" + reference[-2:] and len(reference) == 12
    for remark in (
        reference,
        f"退款 {reference.lower()}",
        f"ZH 2600 0012 {reference[-2:]}",
        "退回 ZH-2026-000012",
        "ＺＨ－２０２６－０００012",
    ):
        assert numbers_in(remark) == ("ZH-2026-000012",), remark
    for place in range(2, len(reference)):
        wrong_digit = str((int(reference[place]) + 1) % 10)
        assert numbers_in(reference[:place] + wrong_digit + reference[place + 1 :]) == ()
    assert numbers_in("nothing") == () and due_on(date(2026, 12, 1)) == date(2026, 12, 31)
    assert len(numbers_in(f"{reference} {reference_of('ZH-2026-000013')}")) == 2


def test_the_notice_says_by_when_with_what_and_where_to(cast, notice):
    assert notice.due_on == date(2027, 1, 19)
    said = notice.content["repay"]
    assert said["reference"] == notice.reference and said["due_on"] == "2027-01-19" and said["bank_account_number"] == "9558 77"
    told = Notice.objects.filter(event="claim.clawback", user=cast.users["he"]).get()
    assert told.params["reference"] == notice.reference and told.path == f"/clawbacks/{notice.pk}/"
    page = render_html(notice.content)
    assert notice.reference in page and "2027-01-19" in page and "9558 77" in page


def test_money_counts_once_another_person_confirmed_it_and_the_books_take_it_as_they_take_a_set_off(cast, notice):
    row = came(cast, notice, 2000)
    assert (standing(cast, notice).waiting_fen, standing(cast, notice).open_fen) == (2000, 3000)
    assert not Transfer.objects.filter(source_type="repayment").exists()
    with pytest.raises(Forbidden) as forbidden:
        repaying.confirm(cast.actor("qian"), row.pk, at(22))
    assert code_of(forbidden) == "repaid.two_people"
    own = Repayment.objects.filter(pk=row.pk)
    with pytest.raises(IntegrityError, match="repayment_two_people"), transaction.atomic():
        own.update(confirmed_by=cast.users["qian"], confirmed_at=at(22))
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    assert standing(cast, notice).state is NoticeState.PARTLY
    moved = Transfer.objects.filter(source_type="repayment", source_id=row.pk).order_by("pk")
    by_payer = [part["amount_fen"] for part in row.payers]
    assert sum(by_payer) == 2000 and len(by_payer) == 2
    kinds = [("subsidy_paid", "subsidy_due"), ("subsidy_due", "subsidy_granted")] * 2
    assert [(each.debit.kind, each.credit.kind) for each in moved] == kinds
    assert [each.amount_fen for each in moved][::2] == by_payer and wrong() == {}
    assert Notice.objects.filter(event="claim.repaid", user=cast.users["he"]).exists()
    repaying.confirm(cast.actor("qian"), came(cast, notice, 3000, "sun").pk, at(22))
    assert standing(cast, notice).state is NoticeState.SETTLED and wrong() == {}
    assert clawbacks.outstanding(notice.programme_id, notice.payee_id) == []
    with pytest.raises(Conflict) as conflict:
        repaying.confirm(cast.actor("sun"), row.pk, at(23))
    assert code_of(conflict) == "repaid.decided"


def test_what_is_too_much_is_noted_and_what_is_undone_is_open_again(cast, notice):
    row = came(cast, notice, 7500)
    assert (row.amount_fen, row.too_much_fen) == (5000, 2500)
    with pytest.raises(Refusal) as refusal:
        came(cast, notice, 1)
    assert code_of(refusal) == "repaid.settled"
    one_more = {"clawback": notice, "amount_fen": 1, "received_fen": 1, "received_on": BACK, "recorded_by": cast.users["qian"]}
    payers = [{"payer": row.payers[0]["payer"], "amount_fen": 1}]
    refused(
        "no more is paid back",
        lambda: Repayment.objects.create(**one_more, payers=payers, recorded_at=at(22)),
        "Repayment:repayment_fits",
    )
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    repaying.end(cast.actor("qian"), row.pk, "the bank took it back", at(23))
    assert standing(cast, notice).open_fen == 5000 and wrong() == {}
    fen = sum(
        each.amount_fen if each.debit.kind == "subsidy_paid" else -each.amount_fen
        for each in Transfer.objects.filter(source_type="repayment")
        if "subsidy_paid" in (each.debit.kind, each.credit.kind)
    )
    assert fen == 0
    with pytest.raises(Conflict):
        repaying.end(cast.actor("qian"), row.pk, "again", at(23))
    refused("Cannot update", lambda: Repayment.objects.filter(pk=row.pk).update(end_reason="y"), "Repayment:repayment_ends_once")
    waits = came(cast, notice, 100)
    repaying.end(cast.actor("qian"), waits.pk, "typed twice", at(23))
    assert standing(cast, notice).open_fen == 5000 and wrong() == {}


def test_what_came_back_is_not_taken_off_a_claim_and_a_draft_makes_room_for_it(cast, office, notice):
    run_session(cast, slot_of(9, 12, 9), "he", cast.other_firm)
    january = at(2).replace(year=2027, month=1)
    window = {"opens": "2027-01-01", "closes": "2027-01-07"}
    _batch, (claim,) = office.filled(now=january, **days("2026-12-01", "2026-12-31", **window))
    (line,) = claim.lines.filter(kind="clawback", standing="included")
    found = standing(cast, notice)
    assert line.amount_fen == -5000 and (found.planned_fen, found.set_off_fen, found.open_fen) == (5000, 0, 5000)
    before = claim.total_fen
    row = repaying.record(cast.actor("qian"), notice.pk, Money(4000, date(2027, 1, 2)), january)
    claim.refresh_from_db()
    assert claim.total_fen == before + 4000
    assert [each.amount_fen for each in claim.lines.filter(kind="clawback", standing="included")] == [-1000]
    repaying.confirm(cast.actor("sun"), row.pk, january)
    assert standing(cast, notice).state is NoticeState.PARTLY and wrong() == {}
    old = ClaimLine.objects.filter(pk=line.pk)
    office.submit(claim, "he", now=january)
    assert standing(cast, notice).state is NoticeState.SETTLED
    refused(
        "no more is taken back",
        lambda: old.update(standing="included"),
        "ClaimLine:claim_line_changes",
        "ClaimLine:claim_line_is_of_claim",
    )
    repaying.end(cast.actor("qian"), row.pk, "it did not come", january)
    assert standing(cast, notice).open_fen == 4000 and wrong() == {}  # what was handed in stays as it is


def bank_list(*rows: tuple[str, str]) -> bytes:
    head = "交易日期,对方户名,对方账号,摘要,贷方发生额,借方发生额,流水号"
    lines = [f"2026-12-22,联合材料,6222,{remark},{amount},,S{place}" for place, (remark, amount) in enumerate(rows)]
    return "\n".join([head, *lines, "2026-12-22,电力公司,,电费,,310.00,S9"]).encode("gb18030")


def test_a_banks_list_is_matched_by_reference_and_taken_in_once(cast, notice):
    content = bank_list(
        (f"退回 {notice.reference}", "30.00"), (f"{notice.number}", "40.00"), (f"{notice.reference} x", "1.00"), ("利息", "0.12")
    )
    with pytest.raises(Forbidden):
        repaying.take_in(cast.actor("chen"), content, "b.csv", at(22))
    read = repaying.take_in(cast.actor("qian"), content, "b.csv", at(22))
    assert [each.fate for each in read.rows] == [Fate.RECORDED, Fate.RECORDED, Fate.SETTLED]
    assert (read.others, read.outgoing) == (1, 1)
    rows = list(notice.repayments.order_by("pk"))
    assert [(each.amount_fen, each.received_fen) for each in rows] == [(3000, 3000), (2000, 4000)]
    assert rows[0].payer_name == "联合材料" and rows[0].received_on == BACK and rows[0].file is not None
    again = repaying.take_in(cast.actor("sun"), content, "c.csv", at(23))
    assert [each.fate for each in again.rows] == [Fate.KNOWN, Fate.KNOWN, Fate.SETTLED]
    repaying.end(cast.actor("qian"), rows[0].pk, "another notice was meant", at(23))
    anew = repaying.take_in(cast.actor("sun"), content, "c.csv", at(23))
    assert [each.fate for each in anew.rows] == [Fate.RECORDED, Fate.KNOWN, Fate.SETTLED] and wrong() == {}
    with pytest.raises(Refusal) as refusal:
        repaying.take_in(cast.actor("qian"), b"nonsense", "b.csv", at(22))
    assert code_of(refusal).startswith("bank.")


def test_two_who_take_the_same_list_in_at_once_record_it_once(cast, notice, monkeypatch):
    """The second one waits for the notice, and finds what the first one wrote meanwhile."""
    content, locked = bank_list((notice.reference, "20.00")), repaying.locked_notice

    def after_the_other(pk):
        monkeypatch.setattr(repaying, "locked_notice", locked)
        repaying.take_in(cast.actor("sun"), content, "b.csv", at(22))
        return locked(pk)

    monkeypatch.setattr(repaying, "locked_notice", after_the_other)
    read = repaying.take_in(cast.actor("qian"), content, "b.csv", at(22))
    assert [each.fate for each in read.rows] == [Fate.KNOWN]
    assert [each.recorded_by for each in notice.repayments.all()] == [cast.users["sun"]]


def test_amount_and_day_are_looked_at_and_another_firms_notice_is_not_there(cast, notice):
    for money, code in (
        (Money(0, BACK), "repaid.amount"),
        (Money(1, date(2026, 12, 1)), "repaid.on"),
        (Money(1, BACK + timedelta(days=9)), "repaid.on"),
    ):
        with pytest.raises(Refusal) as refusal:
            repaying.record(cast.actor("qian"), notice.pk, money, at(22))
        assert code_of(refusal) == code
    with pytest.raises(NotFound):
        repaying.record(cast.actor("zhao"), notice.pk, Money(1, BACK), at(22))
    with pytest.raises(Forbidden):
        repaying.record(cast.actor("he"), notice.pk, Money(1, BACK), at(22))


def page_of(user, path, data=None):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client.post(path, data, follow=True) if data is not None else client.get(path)


def test_pages_show_the_payee_how_and_the_office_does_it_in_two_steps(cast, notice, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: at(22))
    path = f"/clawbacks/{notice.pk}/"
    seen = page_of(cast.users["he"], path).content.decode()
    assert notice.reference in seen and "9558 77" in seen and "Record money" not in seen
    assert notice.number in page_of(cast.users["he"], "/clawbacks/").content.decode()
    assert page_of(cast.users["zhao"], path).status_code == 404
    key = str(uuid4())
    typed = {"amount": "x", "received_on": "2026-12-22", "payer_name": "Kept", "key": key}
    bad = page_of(cast.users["qian"], f"{path}record", typed)
    assert bad.status_code == 422 and 'value="Kept"' in bad.content.decode()
    for _ in range(2):  # sent twice by a second click
        page_of(cast.users["qian"], f"{path}record", {"amount": "20", "received_on": "2026-12-22", "key": key})
    row = notice.repayments.get()
    own = page_of(cast.users["qian"], path).content.decode()
    assert "Waits for a second person" in own and "Confirm ¥20.00" not in own
    assert "Confirm ¥20.00" in page_of(cast.users["sun"], path).content.decode()
    decide = f"/clawbacks/repayments/{row.pk}/decide"
    assert page_of(cast.users["qian"], decide, {"act": "confirm"}).status_code == 403
    assert "The money is in the books" in page_of(cast.users["sun"], decide, {"act": "confirm"}).content.decode()
    assert "Undone" in page_of(cast.users["sun"], decide, {"act": "end", "reason": "sent back"}).content.decode()
    sent = {"file": SimpleUploadedFile("b.csv", bank_list((notice.reference, "50.00")))}
    assert "1 payment is recorded" in page_of(cast.users["qian"], "/clawbacks/", sent).content.decode()
    broken = {"file": SimpleUploadedFile("b.csv", b"nonsense")}
    assert page_of(cast.users["qian"], "/clawbacks/", broken).status_code == 422
    assert page_of(cast.users["qian"], "/clawbacks/", {}).status_code == 422 and wrong() == {}


def test_the_api_does_the_same(cast, notice, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: at(22))

    def client(who):
        token = tokens.issue(cast.actor(who), "t", ["read", "settle"], at(22))
        return Client(headers={"Authorization": f"Bearer {token}"})

    qian, sun = client("qian"), client("sun")
    (said,) = qian.get("/api/v1/claw-backs/").json()["results"]
    assert (said["reference"], said["state"], said["open_fen"]) == (notice.reference, "open", 5000)
    path, body = f"/api/v1/claw-backs/{notice.pk}/repayments/", {"amount_fen": 2000, "received_on": "2026-12-22"}
    made = [qian.post(path, body, content_type="application/json", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201] and notice.repayments.count() == 1
    pk = made[0].json()["id"]
    assert sun.post(f"/api/v1/repayments/{pk}/confirm/", {}, content_type="application/json").status_code == 200
    assert sun.get(path).json()["results"][0]["amount_fen"] == 2000
    ended = sun.post(f"/api/v1/repayments/{pk}/end/", {"reason": "sent back"}, content_type="application/json")
    assert ended.json()["end_reason"] == "sent back"
    taken = qian.post("/api/v1/repayment-lists/", {"file": SimpleUploadedFile("b.csv", bank_list((notice.reference, "1.00")))})
    assert taken.json()["rows"][0]["fate"] == "recorded" and wrong() == {}
