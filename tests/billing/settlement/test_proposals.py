"""From the threshold on a settlement statement that is issued by hand takes two people of the office's finance."""

from __future__ import annotations

import re
from datetime import timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.settlement.models import Statement
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.services import proposing, statements
from billing.settlement.services.proposing import Asked
from billing.subsidy.models import Programme
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from instruments.models import Membership, Notice, Organisation, User
from tests.billing.settlement.conftest import DECEMBER, NOVEMBER

pytestmark = pytest.mark.django_db


@pytest.fixture
def offices(cast, month):
    """Rui pays at the cast's office, too; Yan at another one, which sees nothing of this."""
    own = {"name": "Other", "name_key": "other", "region_code": "630104", "created_at": cast.now}
    other = Organisation.objects.create(kind="government", status="verified", verified_at=cast.now, **own)
    for name, office in (("rui", cast.office), ("yan", other)):
        cast.users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        Membership.objects.create(user=cast.users[name], organisation=office, role=Role.FINANCE, created_at=cast.now)
    Programme.objects.update(issuer=cast.office)
    return month


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def asked_of(proposal):
    rows = Notice.objects.filter(event="statement.proposed", object_id=str(proposal.pk), needs_action=True)
    return set(rows.values_list("user__full_name", flat=True))


def test_one_proposes_and_another_issues_and_halves_count_together(cast, offices, settings):
    qian, rui = cast.actor("qian"), cast.actor("rui")
    whose = (offices["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER)
    asked, seen = Asked(*whose), statements.look(qian, *whose, DECEMBER)[1]
    alone = lambda key, of=whose: statements.issue_once(qian, *of, DECEMBER, idempotency_key=key)  # noqa: E731
    settings.SECOND_PERSON_FROM_FEN = seen.total_fen
    with pytest.raises(Refusal) as refused:
        alone("a")
    assert codes(refused) == ["statement.second_person"]
    with pytest.raises(Conflict) as refused:
        proposing.propose(qian, asked, DECEMBER, expected=Expected(seen.line_count, 1))
    assert codes(refused) == ["statement.figures_differ"]
    with pytest.raises(Conflict) as refused:
        proposing.propose(qian, asked, DECEMBER, expected=Expected(seen.line_count, seen.total_fen, "0" * 64))
    assert codes(refused) == ["statement.lines_differ"]
    first = proposing.propose(qian, asked, DECEMBER, expected=seen)
    assert asked_of(first) == {"Rui"}  # not Qian, who proposed it, and nobody of another office
    with pytest.raises(Conflict) as refused:
        proposing.propose(rui, asked, DECEMBER)
    assert codes(refused) == ["statement.proposed_already"]
    with pytest.raises(Refusal) as refused:
        proposing.issue(qian, first.pk, DECEMBER)
    assert codes(refused) == ["statement.own_proposal"]
    for who, error in (("yan", NotFound), ("chen", Forbidden), ("li", Forbidden)):
        with pytest.raises(error):
            proposing.issue(cast.actor(who), first.pk, DECEMBER)
    with pytest.raises(Refusal) as refused:
        proposing.decline(rui, first.pk, " ", DECEMBER)
    assert codes(refused) == ["proposal.reason_missing"]
    assert proposing.decline(rui, first.pk, "a session is missing", DECEMBER).state == "sent_back" and asked_of(first) == set()
    assert Notice.objects.get(event="statement.sent_back").user == cast.users["qian"]
    with pytest.raises(Conflict) as refused:
        proposing.issue(rui, first.pk, DECEMBER)
    assert codes(refused) == ["statement.proposal_decided"]
    assert proposing.decline(qian, proposing.propose(qian, asked, DECEMBER).pk, "", DECEMBER).state == "withdrawn"
    last = proposing.propose(qian, asked, DECEMBER)
    # While it waits it counts with what the same person would issue to the same payee; of somebody else it does not.
    assert proposing.needs_second(qian, cast.lab.pk, 0, DECEMBER) and not proposing.needs_second(rui, cast.lab.pk, 1, DECEMBER)
    issued = proposing.issue(rui, last.pk, DECEMBER)
    last.refresh_from_db()
    assert (last.statement, issued.total_fen, issued.issued_by) == (issued, seen.total_fen, cast.users["rui"])
    assert not proposing.needs_second(qian, cast.lab.pk, 0, DECEMBER)
    # What one issued alone counts for the days of the setting.
    refund = (offices["DEMO-QH-A"].pk, cast.other_firm.pk, NOVEMBER)
    settings.SECOND_PERSON_FROM_FEN = statements.look(qian, *refund, DECEMBER)[1].total_fen + 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # undone
        waits = proposing.propose(qian, Asked(*refund), DECEMBER)
        counted = lambda: statements.before_fen(qian.person_id, cast.other_firm.pk, DECEMBER)  # noqa: E731
        assert counted() == waits.total_fen
        statements.issue(rui, *refund, DECEMBER)
        assert counted() == 0  # it waits, but went out another way
        assert proposing.close_overtaken(DECEMBER) == 1 and asked_of(waits) == set()
        waits.refresh_from_db()
        assert (waits.state, waits.decided_by, waits.decided_at) == ("overtaken", None, DECEMBER)
        told = Notice.objects.get(event="statement.overtaken")
        assert (told.user, told.object_id) == (cast.users["qian"], str(waits.pk))
        raise ZeroDivisionError
    alone("b", refund)
    assert proposing.needs_second(qian, cast.other_firm.pk, 1, DECEMBER + timedelta(days=29))
    assert not proposing.needs_second(qian, cast.other_firm.pk, 1, DECEMBER + timedelta(days=31))
    assert not proposing.needs_second(rui, cast.other_firm.pk, 1, DECEMBER)
    _guards(cast, offices, issued, Statement.objects.latest("pk"))


def test_whether_anything_is_left_is_asked_of_all_proposals_together(cast, offices):
    asked = []
    for code, payee in (("DEMO-QH-V", cast.lab), ("DEMO-QH-A", cast.other_firm)):
        proposing.propose(cast.actor("qian"), Asked(offices[code].pk, payee.pk, NOVEMBER), DECEMBER)
        with CaptureQueriesContext(connection) as queries:
            assert proposing.close_overtaken(DECEMBER) == 0
        asked.append(len(queries))
    assert asked[0] == asked[1]


def _guards(cast, offices, issued, other):
    """Whoever writes: another person decides, what is decided stays; and what the guards let through without themselves."""
    of = {"programme_version": offices["DEMO-QH-V"], "payee": cast.lab, "period_on": NOVEMBER, "mode": "deducted_now"}
    given = of | {"line_count": 1, "total_fen": 5, "proposed_by": cast.users["qian"], "proposed_at": DECEMBER}
    rows = StatementProposal.objects.filter(pk=StatementProposal.objects.create(**given).pk)
    decided = {"decided_at": DECEMBER, "decided_by": cast.users["rui"]}
    for bad, guard in (
        ({"state": "issued", "statement": other, "decided_by": cast.users["qian"]}, "statement_proposal_two_people"),
        ({"state": "sent_back", "reason": "x", "decided_by": cast.users["qian"]}, "statement_proposal_two_people"),
        ({"state": "issued"}, "statement_proposal_decided_whole"),
        ({"state": "sent_back"}, "statement_proposal_sent_back_says_why"),
    ):
        with pytest.raises(IntegrityError, match=guard), transaction.atomic():
            rows.update(**decided | bad)
    with pytest.raises(IntegrityError, match="statement_proposal_one_waits"), transaction.atomic():
        StatementProposal.objects.create(**given)
    rows.update(**decided, state="issued", statement=other)  # the same by another is no matter
    over = StatementProposal.objects.filter(statement=issued)
    for work, guard in (
        (lambda: over.update(reason="y"), "statement_proposal_decided_once"),
        (lambda: over.update(lines_sha256="y"), "statement_proposal_frozen"),
        (lambda: over.delete(), "statement_proposal_kept"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            work()
        others = () if guard == "statement_proposal_kept" else ("statement_proposal_decided_once",)
        names = {f"billing.StatementProposal:{name}" for name in (guard, *others)}
        with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore(*names):
            work()
            raise ZeroDivisionError  # it was written: undone
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing waits for the end of the transaction
    with pytest.raises(DatabaseError, match="cannot be truncated"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE billing_statementproposal CASCADE")


def test_it_is_proposed_and_issued_on_the_pages_and_over_the_api(cast, offices, settings, monkeypatch):
    settings.SECOND_PERSON_FROM_FEN = 100_00
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    people = {name: Client(headers={"Accept-Language": "en"}) for name in ("qian", "rui", "yan", "wu", "chen")}
    for name, client in people.items():
        client.force_login(cast.users[name])
    qian, rui = people["qian"], people["rui"]
    address = f"{reverse('statement_issue')}?version={offices['DEMO-QH-V'].pk}&payee={cast.lab.pk}&month=2026-11"
    page = qian.get(address).content.decode()
    assert "Propose over ¥720.00" in page and "Issue over" not in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    alone = qian.post(reverse("statement_issue"), fields)
    assert alone.status_code == 422 and "another one issues it" in alone.content.decode() and not Statement.objects.exists()
    stale = qian.post(reverse("statement_issue"), fields | {"act": "propose", "lines_sha256": "0" * 64, "key": "stale"})
    assert stale.status_code == 409 and "Other lines stand on it" in stale.content.decode()
    at = qian.post(reverse("statement_issue"), fields | {"act": "propose"}).url
    assert qian.post(reverse("statement_issue"), fields | {"act": "propose"}).url == at  # two clicks
    own = qian.get(at).content.decode()
    assert "Somebody else of finance issues it." in own and f"{at}issue" not in own
    assert qian.post(f"{at}issue").status_code == 422
    assert [people[who].get(at).status_code for who in ("wu", "yan", "chen")] == [200, 404, 404]
    assert at in rui.get(reverse("finance_period") + "?month=2026-11").content.decode()
    refused = rui.post(f"{at}decline", {"reason": "x" * 501})
    said = refused.content.decode()
    assert refused.status_code == 422 and "x" * 501 in said and "That was not done" in said and "Nothing was issued" not in said
    assert "Issue over ¥720.00" in rui.get(at).content.decode()
    answer = rui.post(f"{at}issue")
    assert answer.url == reverse("statement_detail", args=[Statement.objects.get().pk])
    assert Statement.objects.get().number in qian.get(at).content.decode() and rui.post(f"{at}issue").status_code == 409

    keys = {who: tokens.issue(cast.actor(who), "x", ["read", "settle"], cast.now) for who in ("qian", "rui", "yan", "li")}

    def call(method, path, who, body=None, key="k"):
        headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": key}
        return getattr(Client(), method)(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    asked = {"programme_version": offices["DEMO-QH-A"].pk, "payee": cast.other_firm.pk, "month": "2026-11"}
    assert call("post", "statements/", "qian", asked).status_code == 422
    assert call("post", "statement-proposals/", "li", asked).status_code == 403
    made = call("post", "statement-proposals/", "qian", asked, "p")
    assert made.status_code == 201 and call("post", "statement-proposals/", "qian", asked, "p").json() == made.json()
    path = f"statement-proposals/{made.json()['id']}/"
    assert [row["state"] for row in call("get", "statement-proposals/?state=waiting", "rui").json()["results"]] == ["waiting"]
    assert call("get", path, "yan").status_code == 404 and call("post", f"{path}issue/", "qian").status_code == 422
    assert call("post", f"{path}decline/", "rui").status_code == 422
    issued = call("post", f"{path}issue/", "rui").json()
    assert (issued["state"], issued["decided_by"], issued["statement"]) == ("issued", "Rui", Statement.objects.latest("pk").pk)
