"""Months of statements from before each office had its own: what the migrations make of drafts and closed months of all together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.test import Client

from billing.models import ClosedPeriod, Draft, Statement
from billing.month import board
from billing.month.outstanding import settled_of
from billing.month.services import closing, reading, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.rules.series import Series
from billing.settlement.services import statements
from config.kernel.errors import Conflict, Refusal
from instruments.models import Membership, User
from tests.billing.month.conftest import DECEMBER, NOVEMBER
from tests.billing.month.test_month import wrong
from tests.billing.month.test_offices import other_office

__all__ = ["other_office"]
pytestmark = pytest.mark.django_db


@contextmanager
def all_offices_together(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As it was: a month took in what every office stated."""
    with monkeypatch.context() as before:
        for module in (reading, closing):
            before.setattr(module, "of_office", lambda rows, series: rows)
        yield


def migrated() -> None:
    of_offices = import_module("billing.migrations.0181_months_of_offices").CLOSED_FOR_EACH
    apart = import_module("billing.migrations.0200_money_by_origin_and_office")
    with connection.cursor() as cursor:
        for work in (of_offices, apart.APART, apart.TOTALS):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(work)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_drafts_of_all_offices_are_made_anew_and_each_closed_month_says_what_its_office_came_to(
    cast, two, other_office, monkeypatch
):
    qian, rui, whole = cast.actor("qian"), cast.actor("rui"), Series()
    with all_offices_together(monkeypatch):
        together, _new = running.make(qian, RunRequest(whole, NOVEMBER), DECEMBER)
        releasing.hand_over(qian, together.pk, DECEMBER)
    offices = set(Draft.objects.filter(run=together).values_list("programme_version__programme__issuer", flat=True))
    assert offices == {cast.office.pk, other_office.pk}
    migrated()
    together.refresh_from_db()
    assert (together.state, together.drafts.count()) == ("superseded", 2)
    own = {who: running.make(who, RunRequest(Series(office_id=office.pk), NOVEMBER), DECEMBER)[0]
           for who, office in ((qian, cast.office), (rui, other_office))}  # fmt: skip
    assert [run.draft_count for run in own.values()] == [1, 1]
    assert sum(run.total_fen for run in own.values()) == together.total_fen
    migrated()
    assert {run.state for run in own.values()} == {"open"}, "an office's own run stands"


def test_a_finished_run_over_all_offices_shows_each_office_what_failed_and_tries_that_alone(cast, two, other_office, monkeypatch):
    fu = User.objects.create(email="fu@example.org", full_name="Fu", password="!", language="en")
    Membership.objects.create(user=fu, organisation=cast.office, role="finance", created_at=cast.now)
    cast.users["fu"] = fu
    qian, rui, ours = cast.actor("qian"), cast.actor("rui"), Series(office_id=cast.office.pk)
    theirs = Series(office_id=other_office.pk)
    with monkeypatch.context() as before:
        before.setattr(reading, "of_office", lambda rows, series: rows)
        together, _new = running.make(qian, RunRequest(Series(), NOVEMBER), DECEMBER)
    releasing.hand_over(qian, together.pk, DECEMBER)
    releasing.release(rui, together.pk, DECEMBER)
    releasing.work(together.pk, DECEMBER)  # Rui issues what is of the own office, and nothing of the other
    migrated()
    states = dict(Draft.objects.filter(run=together).values_list("programme_version__programme__issuer", "state"))
    assert states == {cast.office.pk: "failed", other_office.pk: "issued"}
    stuck = Draft.objects.get(run=together, state="failed")
    seen = {who: board.board(cast.actor(who), of, NOVEMBER, DECEMBER).earlier for who, of in (("fu", ours), ("rui", theirs))}
    assert seen == {"fu": board.Earlier(together.pk, 1, stuck.total_fen), "rui": None}
    with pytest.raises(Conflict):  # nothing of Rui's office failed
        releasing.issue_again(rui, together.pk, DECEMBER)
    with pytest.raises(Refusal) as refused:
        releasing.issue_again(qian, together.pk, DECEMBER)  # who made it, above the threshold
    assert refused.value.reasons[0].code == "month.second_person"
    for who, may in (("qian", False), ("fu", True)):  # what would be refused is not offered
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        page = client.get(f"/month/runs/{together.pk}/").content.decode()
        assert ('value="again"' in page, "somebody else has to release them" in page) == (may, not may)
    stuck.refresh_from_db()
    assert stuck.state == "failed" and settled_of([stuck]) == set()
    # What is issued some other way meanwhile is settled: it is not shown as waiting, and there is nothing to try again.
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        statements.issue(cast.actor("fu"), stuck.programme_version_id, stuck.party_id, NOVEMBER, DECEMBER, mode=stuck.mode)
        assert settled_of([stuck]) == {stuck.pk} and board.board(qian, ours, NOVEMBER, DECEMBER).earlier is None
        with pytest.raises(Conflict) as nothing:
            releasing.issue_again(cast.actor("fu"), together.pk, DECEMBER)
        assert nothing.value.reasons[0].code == "month.nothing_failed"
        raise ZeroDivisionError  # as if it had not been issued
    assert releasing.issue_again(cast.actor("fu"), together.pk, DECEMBER) == 1
    releasing.work(together.pk, DECEMBER)
    together.refresh_from_db()
    stuck.refresh_from_db()
    assert (together.state, together.released_by, stuck.state, Statement.objects.count()) == ("done", fu, "issued", 2)
    assert stuck.statement.issued_by == fu and board.board(qian, ours, NOVEMBER, DECEMBER).earlier is None
    assert wrong() == {}


def test_each_closed_month_says_what_its_own_office_came_to(cast, two, other_office, monkeypatch):
    qian, whole = cast.actor("qian"), Series()
    statements.issue(qian, two["DEMO-QH-A"].pk, cast.other_firm.pk, NOVEMBER, DECEMBER)
    with all_offices_together(monkeypatch):
        running.make(qian, RunRequest(whole, NOVEMBER), DECEMBER)
        all_of_them = closing.close(qian, whole, NOVEMBER, DECEMBER).totals
    migrated()
    stated, left = Statement.objects.get(), Draft.objects.get()
    nothing = {"documents": 0, "lines": 0, "total_fen": 0, "left": 0, "left_fen": 0}
    issued = {"documents": 1, "lines": stated.line_count, "total_fen": stated.total_fen}
    late = {"left": 1, "left_fen": left.total_fen}
    assert all_of_them == {**nothing, **issued, **late}
    assert dict(ClosedPeriod.objects.values_list("series", "totals")) == {
        whole.key: nothing,
        Series(office_id=cast.office.pk).key: {**nothing, **issued},
        Series(office_id=other_office.pk).key: {**nothing, **late},
    }
    assert wrong() == {}
