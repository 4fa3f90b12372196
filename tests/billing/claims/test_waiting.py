"""What waits at an office is told to those who can do it, once for a batch and a step, and counted; what is done waits for nobody."""

from __future__ import annotations

from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from billing.claims import worklist
from billing.claims.models import Claim
from billing.claims.notices import TO_RECORD, TO_SIGN
from billing.claims.rules.review import DEFAULT
from billing.claims.rules.waiting import Work, apart, due_on
from billing.claims.services import deputies, paying, publishing, reviewing, waiting, waiting_lists
from billing.claims.services.deputies import Named
from billing.subsidy.models import Programme, ProgrammeVersion
from config.kernel.access import Role
from config.kernel.errors import Forbidden
from config.kernel.services import tokens
from instruments.models import Delivery, Membership, Notice, NoticeSettings, Organisation, OrganisationIdentifier, User
from instruments.notice_events import words_of
from tests.billing.claims.conftest import AFTER, PUBLIC_OVER, at
from tests.frontend.acting import query_count

pytestmark = pytest.mark.django_db


def government(cast, name):
    own = {"name": name, "name_key": name, "region_code": "630104", "created_at": cast.now}
    return Organisation.objects.create(kind="government", status="verified", verified_at=cast.now, **own)


def open_notices():
    """Whom an open notice asks, by event; those who stand in with the name."""
    rows = Notice.objects.filter(needs_action=True).filter(Q(event__startswith="claims.") | Q(event__startswith="payment_list."))
    found: dict[str, set[str]] = {}
    for row in rows.select_related("user"):
        name, behalf = row.user.full_name, row.params.get("behalf", "")
        found.setdefault(row.event, set()).add(f"{name} for {behalf}" if behalf else name)
    return found


def counted(cast, who, now):
    return [(each.work, each.claims) for each in worklist.mine(cast.actor(who), now)]


def queries_of_telling(now):
    """How many it takes to see that everybody is told."""
    with CaptureQueriesContext(connection) as captured:
        assert waiting.tell_due(now) == 0
    return len(captured)


def test_every_step_is_told_to_those_who_can_do_it_and_counted_on_their_first_page(cast, office, monkeypatch):
    Programme.objects.update(issuer=cast.office)
    elsewhere = government(cast, "Other")
    for name, where, role in (("rui", cast.office, Role.FINANCE), ("yan", elsewhere, Role.PROGRAMME_OFFICER)):
        cast.users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        Membership.objects.create(user=cast.users[name], organisation=where, role=role, created_at=cast.now)
    NoticeSettings.objects.create(user=cast.users["sun"], digest="daily", digest_hour=9, time_zone="Asia/Shanghai")
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    assert waiting.tell_due(at(7)) == 0 and counted(cast, "chen", at(7)) == []  # its window is open
    assert waiting.tell_due(AFTER) == 1 and waiting.tell_due(AFTER) == 0  # once
    assert open_notices() == {"claims.to_close": {"Chen", "Sun", "Qian", "Rui"}}  # none of another office
    assert counted(cast, "qian", AFTER) == [(Work.CLOSE, 1)] and counted(cast, "yan", AFTER) == counted(cast, "wu", AFTER) == []
    # Mail about it may wait for the digest that a person wants.
    sent = Delivery.objects.filter(event="claims.to_close", channel="email")
    assert set(sent.filter(digest=True).values_list("user__full_name", flat=True)) == {"Sun"} and sent.count() == 4

    office.close(batch)
    named = Named(cast.office.pk, cast.users["qian"].pk, date(2026, 12, 1), date(2026, 12, 31), "on leave")
    given = deputies.name(cast.actor("chen"), named, AFTER)
    waiting.tell_due(AFTER)
    assert open_notices() == {"claims.to_review": {"Chen", "Sun", "Qian for Chen"}}
    assert counted(cast, "qian", AFTER) == counted(cast, "sun", AFTER) == [(Work.REVIEW, 1)]
    assert counted(cast, "rui", AFTER) == []
    row = Notice.objects.get(user=cast.users["qian"], event="claims.to_review")
    with override("en"):
        words = words_of(row.event, row.params)
    assert words.title == f"Claims of batch {batch.number} wait for your review" and words.lines[-1] == "You stand in for Chen."
    assert len(words.lines) == 3 and words.lines[0].endswith("on claims: 1")
    # Whoever stands in for somebody else from now on is told for whom (undone again).
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        deputies.end(cast.actor("chen"), given.pk, AFTER)
        deputies.name(cast.actor("sun"), named, AFTER)
        assert waiting.tell_due(AFTER) == 1 and waiting.tell_due(AFTER) == 0
        assert open_notices() == {"claims.to_review": {"Chen", "Sun", "Qian for Sun"}}
        raise ZeroDivisionError
    # Whoever comes to the office later is told, too; who leaves is asked no more.
    few = queries_of_telling(AFTER)
    Membership.objects.filter(user=cast.users["rui"]).update(role=Role.PROGRAMME_OFFICER)
    assert waiting.tell_due(AFTER) == 1 and "Rui" in open_notices()["claims.to_review"]
    assert queries_of_telling(AFTER) == few  # somebody more costs no query more
    Membership.objects.filter(user=cast.users["rui"]).update(role=Role.FINANCE)
    waiting.tell_due(AFTER)
    assert "Rui" not in open_notices()["claims.to_review"]
    # It waits longer than the programme says (ten days): told once, apart from the first notice, until it is looked at.
    assert DEFAULT.steps[0].due_days == 10
    waiting.tell_due(AFTER + timedelta(days=10))
    assert "claims.overdue" not in open_notices()
    waiting.tell_due(AFTER + timedelta(days=11))
    assert waiting.tell_due(AFTER + timedelta(days=12)) == 0
    assert open_notices()["claims.overdue"] == open_notices()["claims.to_review"]
    clients = {name: Client(headers={"Accept-Language": "en"}) for name in ("chen", "sun", "yan")}

    def seen(who, address, now):
        monkeypatch.setattr(timezone, "now", lambda: now)
        clients[who].force_login(cast.users[who])
        return clients[who].get(address).content.decode()

    page = seen("sun", "/claim-batches/", AFTER + timedelta(days=11))
    assert "What waits for you" in page and "longer than the programme says" in page
    assert "Claims that wait for you" in seen("sun", "/", AFTER)
    assert "What waits for you" not in seen("yan", "/claim-batches/", AFTER)

    office.passed(claim, "qian")  # for Chen
    waiting.tell_due(AFTER)
    assert open_notices() == {"claims.to_publicise": {"Chen", "Sun", "Qian", "Rui"}}
    said = publishing.object_to(office.publicise(batch).pk, claim.pk, "x", "y", "z", AFTER)
    waiting.tell_due(AFTER)
    assert open_notices() == {}  # it is public, and an objection has its own notice
    publishing.end_due(PUBLIC_OVER)
    waiting.tell_due(PUBLIC_OVER)
    assert open_notices() == {} and counted(cast, "sun", PUBLIC_OVER) == []  # the objection waits
    publishing.answer(cast.actor("sun"), said.pk, False, "no", PUBLIC_OVER)
    waiting.tell_due(PUBLIC_OVER)
    assert open_notices() == {"claims.to_approve": {"Sun", "Rui"}}  # of three people: not the two who passed it
    assert [counted(cast, who, PUBLIC_OVER) for who in ("chen", "qian", "rui")] == [[], [], [(Work.APPROVE, 1)]]

    office.approve(claim)
    waiting.tell_due(PUBLIC_OVER)
    assert open_notices() == {"claims.to_list": {"Qian", "Rui"}}
    made = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    waiting.tell_due(PUBLIC_OVER)
    assert open_notices() == {TO_SIGN: {"Chen", "Sun", "Rui"}}
    assert len(worklist.my_lists(cast.actor("sun"), PUBLIC_OVER).to_sign) == len(made)
    assert worklist.my_lists(cast.actor("qian"), PUBLIC_OVER).to_sign == []
    for each in made:
        paying.sign(cast.actor("sun"), each.pk, PUBLIC_OVER)
        paying.sign(cast.actor("rui"), each.pk, PUBLIC_OVER)
    assert open_notices() == {TO_RECORD: {"Qian", "Rui"}}
    assert len(worklist.my_lists(cast.actor("qian"), PUBLIC_OVER).to_record) == len(made)
    assert worklist.my_lists(cast.actor("sun"), PUBLIC_OVER).to_record == []
    assert "Payment lists to write down" not in seen("sun", "/", PUBLIC_OVER)
    office.pay_all(made)
    waiting.tell_due(PUBLIC_OVER)
    assert open_notices() == {} and Claim.objects.get().state == "paid"


def test_a_step_at_another_office_is_told_there_and_what_comes_back_waits_again(cast, office, monkeypatch):
    """The chain of a programme names an office by its code; its officers look first, finance at the step of payment."""
    county = government(cast, "County")
    OrganisationIdentifier.objects.create(organisation=county, scheme="uscc", value="11630104015000123X")
    cast.users["gao"] = User.objects.create(email="gao@example.org", full_name="Gao", password="!", language="en")
    Membership.objects.create(user=cast.users["gao"], organisation=county, role=Role.PROGRAMME_OFFICER, created_at=cast.now)
    Programme.objects.update(issuer=cast.office)
    steps = [
        {"level": "county", "due_days": 3, "office_code": "11630104015000123X"},
        {"level": "payment", "due_days": 3},
    ]
    review = {"steps": steps, "publicity_days": 7, "pay_days": 30, "asks": [], "clause": "9"}
    for version in ProgrammeVersion.objects.all():
        with pgtrigger.ignore():
            ProgrammeVersion.objects.filter(pk=version.pk).update(document={**version.document, "review": review})
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    waiting.tell_due(AFTER)
    assert open_notices() == {"claims.to_review": {"Gao"}}
    assert counted(cast, "gao", AFTER) == [(Work.REVIEW, 1)] and counted(cast, "chen", AFTER) == []
    key = tokens.issue(cast.actor("gao"), "x", ["read"], cast.now)
    monkeypatch.setattr(timezone, "now", lambda: AFTER)
    (row,) = Client().get("/api/v1/office-work/", headers={"Authorization": f"Bearer {key}"}).json()["results"]
    assert (row["work"], row["batch"], row["number"], row["payment_list"]) == ("review", batch.pk, batch.number, None)
    assert (row["level"], row["claims"], row["due_on"], row["overdue"]) == ("county", 1, "2026-12-11", False)
    reviewing.pass_on(cast.actor("gao"), claim.pk, AFTER)
    waiting.tell_due(AFTER)
    assert open_notices() == {"claims.to_review": {"Qian"}} and counted(cast, "qian", AFTER) == [(Work.REVIEW, 1)]
    reviewing.send_back(cast.actor("qian"), claim.pk, "a page is missing", AFTER)
    waiting.tell_due(AFTER)
    assert open_notices() == {}  # its payee has it in hand, and is told
    office.submit(claim, "he", AFTER)
    waiting.tell_due(AFTER)
    assert open_notices() == {"claims.to_review": {"Qian"}}
    # Another batch costs no query more.
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["qian"])
    few = query_count(client, "/"), query_count(client, "/claim-batches/")
    told = queries_of_telling(AFTER)
    other, (of_lab,) = office.filled("DEMO-QH-V", "deducted_now")
    office.submit(of_lab, "li")
    office.close(other)
    reviewing.pass_on(cast.actor("gao"), of_lab.pk, AFTER)
    assert counted(cast, "qian", AFTER) == [(Work.REVIEW, 1), (Work.REVIEW, 1)]
    assert (query_count(client, "/"), query_count(client, "/claim-batches/")) == few
    # Nor does telling of it, also with people of another office to ask.
    waiting.tell_due(AFTER)
    assert queries_of_telling(AFTER) == told
    Programme.objects.filter(pk=other.programme_id).update(issuer=government(cast, "Other"))
    waiting.tell_due(AFTER)
    assert queries_of_telling(AFTER) == told


def test_a_payment_list_is_told_to_whoever_may_act_by_now_and_read_over_the_api(cast, office, monkeypatch):
    Programme.objects.update(issuer=cast.office)
    for name, role in (("rui", Role.FINANCE), ("yan", Role.PROGRAMME_OFFICER), ("bo", Role.PROGRAMME_OFFICER)):
        cast.users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        if name != "bo":
            Membership.objects.create(user=cast.users[name], organisation=cast.office, role=role, created_at=cast.now)
    batch, _claim = office.approved()
    made, other = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    for who in ("chen", "sun"):
        signed = paying.sign(cast.actor(who), other.pk, PUBLIC_OVER)
    office.pay_all([signed])
    told = lambda: open_notices().get(TO_SIGN, set())  # noqa: E731
    assert told() == {"Chen", "Sun", "Rui", "Yan"} and waiting_lists.tell_due(PUBLIC_OVER) == 0
    first = Notice.objects.filter(event=TO_SIGN).count()
    # Who comes to the office is asked, who leaves is not, and nobody is told twice.
    Membership.objects.create(user=cast.users["bo"], organisation=cast.office, role=Role.FINANCE, created_at=cast.now)
    Membership.objects.filter(user=cast.users["yan"]).delete()
    assert waiting_lists.tell_due(PUBLIC_OVER) == 1 and waiting_lists.tell_due(PUBLIC_OVER) == 0
    assert told() == {"Chen", "Sun", "Rui", "Bo"}
    paying.sign(cast.actor("chen"), made.pk, PUBLIC_OVER)
    assert told() == {"Sun", "Rui", "Bo"} and Notice.objects.filter(event=TO_SIGN).count() == first + 1
    # The page, the work list and the service ask one rule: nobody signs twice, in their own name or for another.
    monkeypatch.setattr(timezone, "now", lambda: PUBLIC_OVER)
    for who, may in (("qian", False), ("chen", False), ("sun", True), ("bo", True)):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        page = client.get(f"/payout-lists/{made.pk}/").content.decode()
        assert (f"/payout-lists/{made.pk}/sign" in page) is may
        key = tokens.issue(cast.actor(who), "x", ["read"], cast.now)
        rows = Client().get("/api/v1/office-work/", headers={"Authorization": f"Bearer {key}"}).json()["results"]
        assert [(row["work"], row["payment_list"], row["total_fen"]) for row in rows] == (
            [("sign", made.pk, made.total_fen)] if may else []
        )
        if not may:
            with pytest.raises(Forbidden):
                paying.sign(cast.actor(who), made.pk, PUBLIC_OVER)
    # Lists that were approved before anybody was told: finance is told by the next comparison.
    made = paying.sign(cast.actor("sun"), made.pk, PUBLIC_OVER)
    assert open_notices() == {TO_RECORD: {"Qian", "Rui", "Bo"}}
    Notice.objects.filter(event=TO_RECORD).delete()
    assert waiting_lists.tell_due(PUBLIC_OVER) == 1 and open_notices() == {TO_RECORD: {"Qian", "Rui", "Bo"}}
    key = tokens.issue(cast.actor("rui"), "x", ["read"], cast.now)
    read = lambda: Client().get("/api/v1/office-work/", headers={"Authorization": f"Bearer {key}"}).json()["results"]  # noqa: E731
    assert [(row["work"], row["number"], row["claims"]) for row in read()] == [("record", made.number, 1)]
    office.pay_all([made])
    assert open_notices() == {} and read() == [] and waiting_lists.tell_due(PUBLIC_OVER) == 0
    # What was told of a list that waits no more, whatever became of it, needs nobody.
    Notice.objects.filter(event=TO_RECORD, object_id=str(made.pk)).update(needs_action=True)
    waiting_lists.tell_due(PUBLIC_OVER)
    assert open_notices() == {}


def test_what_was_told_during_the_comparison_stays(cast, office, monkeypatch):
    _batch, (claim,) = office.filled()
    begun = []

    def then_told(read):
        def wrapped(*args):
            found = read(*args)
            if not begun:
                begun.append(len(found))  # read now, before anything waits
                office.submit(claim, "he")
                assert waiting.tell_due(AFTER) == 1
            return found

        return wrapped

    for module, name in ((worklist, "waiting"), (waiting, "_told")):
        monkeypatch.setattr(module, name, then_told(getattr(module, name)))
    assert waiting.tell_due(AFTER) == 0 and begun == [0]
    told = Notice.objects.filter(event="claims.to_close")
    assert told.exists() and not told.filter(needs_action=False).exists()


def test_what_a_list_made_during_the_comparison_told_stays(cast, office, monkeypatch):
    batch, _claim = office.approved()
    begun = []

    def then_made(read):
        def wrapped(*args):
            found = read(*args)
            if not begun:
                begun.append(len(found))  # read now, before the lists are made
                paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
            return found

        return wrapped

    for name in ("_open", "_told"):
        monkeypatch.setattr(waiting_lists, name, then_made(getattr(waiting_lists, name)))
    assert waiting_lists.tell_due(PUBLIC_OVER) == 0 and begun == [0]
    told = Notice.objects.filter(event=TO_SIGN)
    assert told.exists() and not told.filter(needs_action=False).exists()


def test_by_when_and_by_whom_follow_from_the_rules():
    since = date(2026, 12, 8)
    assert due_on(Work.REVIEW, DEFAULT, 0, since) == date(2026, 12, 18) == due_on(Work.REVIEW, DEFAULT, 5, since)
    assert due_on(Work.LIST, DEFAULT, 0, since) == date(2027, 1, 7)
    assert [due_on(work, DEFAULT, 0, since) for work in (Work.CLOSE, Work.PUBLICISE, Work.APPROVE)] == [None] * 3
    assert {event.value for event in apart(Work.APPROVE)} == {"complete", "submit", "fill", "begin", "pass", "send_back", "line"}
    assert {event.value for event in apart(Work.REVIEW)} == {"complete", "submit", "approve"} and apart(Work.LIST) == frozenset()


def test_one_notice_that_cannot_be_written_holds_up_no_other(cast, office, monkeypatch):
    Programme.objects.update(issuer=cast.office)
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    news_of = waiting.news_of

    def spoilt(event, each):
        if event == waiting.OVERDUE:
            raise ZeroDivisionError
        return news_of(event, each)

    office.close(batch)
    late = AFTER + timedelta(days=11)
    with monkeypatch.context() as broken:
        broken.setattr(waiting, "news_of", spoilt)
        assert waiting.tell_due(late) == 1
    assert set(open_notices()) == {"claims.to_review"}
    assert waiting.tell_due(late) == 1 and set(open_notices()) == {"claims.to_review", "claims.overdue"}
