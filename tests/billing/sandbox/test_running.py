"""Trying a programme on real sessions: asked for, worked, stopped, taken up again; and no money moves."""

from __future__ import annotations

from datetime import date

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.ledger.models import Transfer
from billing.sandbox.models import SandboxRun
from billing.sandbox.services import reading, running
from billing.sandbox.services.running import Asked
from billing.settlement.models import Award, Charge
from billing.subsidy import drafts
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.conftest import programme_document
from tests.frontend.acting import approved, ask, charged

__all__ = ["approved", "ask", "charged"]
pytestmark = pytest.mark.django_db
DAYS = {"first_on": date(2026, 11, 1), "last_on": date(2026, 12, 31)}


@pytest.fixture
def sessions(charged, programmes):
    """Three sessions of the small firm, one of the large, on two days."""
    charged(9, 12)
    charged(13, 15)
    charged(9, 12, day=1)
    charged(13, 16, day=1, who="he")


@pytest.fixture
def draft(cast):
    changed = programme_document("DEMO-QH-V") | {"rate": {"type": "flat", "rate": "0.2", "clause": "5"}}
    return drafts.start(cast.actor("chen"), changed, cast.now)


def tried(cast, programmes, draft, **changes):
    asked = Asked(**(DAYS | {"draft_id": draft.pk, "against_id": programmes["DEMO-QH-V"].pk} | changes))
    return running.start(cast.actor("chen"), asked, cast.now)


def done(cast, run):
    running.work(run.pk, cast.now)
    run.refresh_from_db()
    return run


def test_it_gives_what_the_sessions_would_have_got(cast, programmes, sessions, draft):
    run = done(cast, tried(cast, programmes, draft))
    assert run.state == "done" and run.done_sessions == 4
    totals = run.result["totals"]
    really = sum(Award.objects.filter(programme_version=programmes["DEMO-QH-V"]).values_list("total_fen", flat=True))
    assert totals["against"]["cost_fen"] == really > 0, "the version in force gives in the sandbox what it gave"
    assert totals["tried"]["cost_fen"] == really // 2
    assert totals["tried"]["gross_fen"] == sum(Charge.objects.values_list("gross_fen", flat=True))
    assert [each["win"] + each["lose"] + each["same"] for each in run.result["change"]["sizes"]] == [1, 1]
    assert run.result["steps"]["rate_up"]["cost_fen"] > totals["tried"]["cost_fen"] > run.result["steps"]["rate_down"]["cost_fen"]


def test_no_money_moves(cast, programmes, sessions, draft):
    before = Transfer.objects.count(), Award.objects.count()
    done(cast, tried(cast, programmes, draft))
    assert (Transfer.objects.count(), Award.objects.count()) == before


def test_only_sessions_of_the_period_count(cast, programmes, sessions, draft):
    run = done(cast, tried(cast, programmes, draft, first_on=date(2026, 11, 26), last_on=date(2026, 11, 26)))
    assert run.result["totals"]["tried"]["sessions"] == 2
    empty = done(cast, tried(cast, programmes, draft, first_on=date(2020, 1, 1), last_on=date(2020, 1, 2)))
    assert empty.result["totals"]["tried"]["sessions"] == 0 and empty.result["months"] == []


def test_a_budget_replaces_that_of_the_document(cast, programmes, sessions, draft):
    run = done(cast, tried(cast, programmes, draft, budget_fen=100_00))
    assert run.result["totals"]["tried"]["cost_fen"] == 100_00 == run.result["totals"]["against"]["cost_fen"]


def test_sessions_without_frozen_facts_are_tried_with_todays(cast, charged, draft):
    """Nothing was in force when they were booked, so that nobody wrote down who the firm was."""
    charged(9, 12)
    run = running.start(cast.actor("chen"), Asked(**DAYS, draft_id=draft.pk), cast.now)
    assert done(cast, run).result["totals"]["tried"]["subsidised_sessions"] == 1


def test_work_that_was_interrupted_goes_on_and_gives_the_same(cast, programmes, sessions, draft, monkeypatch):
    whole = done(cast, tried(cast, programmes, draft)).result
    monkeypatch.setattr(reading, "PIECE", 1)
    monkeypatch.setattr(running, "KEEP_SECONDS", -1.0)
    real = reading.Reader.pieces
    read = []

    def breaks(self, after):
        for piece in real(self, after):
            if len(read) == 2:
                raise RuntimeError("the worker was killed")
            read.append(piece.last)
            yield piece

    run = tried(cast, programmes, draft)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(reading.Reader, "pieces", breaks)
        running.work(run.pk, cast.now)
    run.refresh_from_db()
    assert (run.state, run.done_sessions, run.total_sessions) == ("running", 2, 4) and run.checkpoint
    begun = []

    def watched(self, after):
        begun.append(after)
        yield from real(self, after)

    monkeypatch.setattr(reading.Reader, "pieces", watched)
    assert done(cast, run).result == whole
    assert begun == [read[1]], "what was done already is not done again"


def test_cancelling_stops_the_work(cast, programmes, sessions, draft, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 1)
    run = tried(cast, programmes, draft)
    real = reading.Reader.pieces

    def cancelled(self, after):
        for place, piece in enumerate(real(self, after)):
            if place == 1:
                running.cancel(cast.actor("sun"), run.pk, cast.now)
            assert place < 2, "it works on although it was cancelled"
            yield piece

    monkeypatch.setattr(reading.Reader, "pieces", cancelled)
    done(cast, run)
    assert run.state == "cancelled" and run.result is None
    running.work(run.pk, cast.now)
    with pytest.raises(Conflict):
        running.cancel(cast.actor("chen"), run.pk, cast.now)


def test_what_was_stopped_goes_on_where_it_was_written_down_last(cast, programmes, sessions, draft, monkeypatch):
    whole = done(cast, tried(cast, programmes, draft)).result
    monkeypatch.setattr(reading, "PIECE", 1)
    monkeypatch.setattr(running, "KEEP_SECONDS", -1.0)
    run, real, begun = tried(cast, programmes, draft), reading.Reader.pieces, []

    def stopped(self, after):
        for place, piece in enumerate(real(self, after)):
            if place == 2:
                running.cancel(cast.actor("sun"), run.pk, cast.now)
            yield piece

    def watched(self, after):
        begun.append(after)
        yield from real(self, after)

    with monkeypatch.context() as patch:
        patch.setattr(reading.Reader, "pieces", stopped)
        done(cast, run)
    with pytest.raises(Forbidden):
        running.resume(cast.actor("qian"), run.pk, cast.now)
    running.resume(cast.actor("chen"), run.pk, cast.now)
    run.refresh_from_db()
    assert (run.state, run.done_sessions, run.finished_at) == ("queued", 2, None)
    with pytest.raises(Conflict):
        running.resume(cast.actor("chen"), run.pk, cast.now)
    monkeypatch.setattr(reading.Reader, "pieces", watched)
    assert done(cast, run).result == whole
    assert begun[0] > 0, "what was done already is not done again"
    with pytest.raises(Conflict):
        running.resume(cast.actor("chen"), run.pk, cast.now)
    with pytest.raises(DatabaseError), transaction.atomic():  # what is done stays as it is, whoever asks
        SandboxRun.objects.filter(pk=run.pk).update(state="queued", result=None)


def test_a_platform_that_fails_says_so(cast, programmes, sessions, draft):
    run = tried(cast, programmes, draft)
    running.give_up(run.pk, cast.now)
    run.refresh_from_db()
    assert run.state == "failed" and run.problems[0]["code"] == "sandbox.gave_up"


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"first_on": date(2026, 12, 31), "last_on": date(2026, 1, 1)}, "sandbox.days_reversed"),
        ({"first_on": date(2000, 1, 1)}, "sandbox.too_long"),
        ({"budget_fen": -1}, "sandbox.budget"),
        ({"rate_step_percent": 0}, "sandbox.step"),
        ({"cap_step_percent": 99}, "sandbox.step"),
        ({"draft_id": None}, "sandbox.nothing_to_try"),
    ],
)
def test_questions_that_make_no_sense_are_refused_at_their_field(cast, programmes, draft, changes, code):
    with pytest.raises(Refusal) as refused:
        tried(cast, programmes, draft, **changes)
    assert [reason.code for reason in refused.value.reasons] == [code] and refused.value.reasons[0].field


def test_a_draft_with_faults_is_not_tried(cast, programmes, draft):
    drafts.save(cast.actor("chen"), draft.pk, 1, {"code": 1}, cast.now)
    with pytest.raises(Refusal) as refused:
        tried(cast, programmes, draft)
    assert refused.value.reasons[0].code == "sandbox.unsound"


@pytest.mark.parametrize("who", ["lin", "wang", "qian", "zhou"])
def test_only_programme_officers_try(cast, programmes, draft, who):
    with pytest.raises((Forbidden, NotFound)):
        running.start(cast.actor(who), Asked(**DAYS, draft_id=draft.pk), cast.now)


def test_what_came_out_stays(cast, programmes, sessions, draft):
    run = done(cast, tried(cast, programmes, draft))

    def change():
        SandboxRun.objects.filter(pk=run.pk).update(result={"totals": {}})

    def empty():
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE billing_sandboxrun CASCADE")

    for act in (change, empty, lambda: SandboxRun.objects.filter(pk=run.pk).delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    with pgtrigger.ignore("billing.SandboxRun:sandbox_run_ended"), transaction.atomic():
        change()
        transaction.set_rollback(True)
