from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pgtrigger
import pytest
from django.db import transaction
from django.db.models import F, Sum
from django.db.utils import DatabaseError
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.ledger.models import Transfer, TransferKind
from billing.ledger.rules.documents import canonical_json, sha256_of
from billing.settlement.models import Award, Charge, NumberSeries, Statement, StatementLine
from billing.settlement.rules import statement as rules
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.services import statements
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from config.kernel.services import audit
from tests.billing.settlement.conftest import DECEMBER, NOVEMBER, run_session


def code_of(refused):
    return refused.value.reasons[0].code


def test_a_statement_is_the_awards_of_its_month_to_the_fen_and_the_ledger_says_the_same(cast, issue):
    statement = issue()
    awards = Award.objects.filter(statement_line__statement=statement)
    totals = statement.content["totals"]
    assert statement.total_fen == totals["awarded_fen"] == awards.aggregate(sum=Sum("total_fen"))["sum"] == 720_00
    assert sum(line["awarded_fen"] for line in statement.content["lines"]) == 720_00
    assert sum(each["amount_fen"] for each in totals["payers"]) == 720_00
    posted = Transfer.objects.filter(
        kind=TransferKind.POST,
        debit__kind="pool",
        source_id__in=awards.values("charge__reservation_id"),
        programme_version=statement.programme_version,
    )
    assert posted.aggregate(sum=Sum("amount_fen"))["sum"] == 720_00
    assert totals["capitals"].startswith("\u4eba\u6c11\u5e01")


def test_the_content_says_who_what_when_how_much_and_why(cast, issue):
    statement = issue()
    content = statement.content
    assert content["number"] == statement.number == "JS-2026-000001"
    assert content["period"] == {"first_day": "2026-11-01", "last_day": "2026-11-30"}
    assert content["programme"]["code"] == "DEMO-QH-V" and set(content["programme"]["name"]) == {"zh", "en"}
    assert content["office"]["name"] == "Demo Science Office"
    assert content["payee"]["code"] == "12630000000000123E" and content["payee"]["bank_account_number"] == "6222 0000"
    assert content["signatures"] == {"maker": "Qian", "reviewer": "", "approver": "", "finance": "", "head": ""}
    first, second = content["lines"]
    assert first["starts_at"] == "2026-11-25T09:00:00+08:00" and first["ends_at"] == "2026-11-25T12:00:00+08:00"
    assert (first["hours"], second["hours"]) == ("3.00", "1.50")
    assert first["prices"][0]["yuan_per_hour"] == "400.00"
    assert first["rates"] == [{"rate": "0.4", "of_fen": 1200_00}]
    assert first["customer"]["code"] == "91630100MA00000151" and first["owner"]["name"] == "Kunlun Institute"
    assert first["payers"] == [{"payer": "province", "amount_fen": 288_00}, {"payer": "prefecture", "amount_fen": 192_00}]
    used = {clause["id"] for clause in content["clauses"]}
    assert set(first["clauses"]) | set(second["clauses"]) == used
    assert first["inputs_sha256"] == Charge.objects.get(reservation_id=first["reservation"]["id"]).inputs_sha256


def test_the_fingerprint_is_that_of_the_canonical_content(issue):
    statement = issue()
    statement.refresh_from_db()
    assert statement.content_sha256 == sha256_of(statement.content)
    assert "." not in canonical_json({"x": statement.content["totals"]["awarded_fen"]})
    changed = {**statement.content, "number": "JS-2026-000002"}
    assert sha256_of(changed) != statement.content_sha256


def test_a_cut_award_names_its_limit_and_a_minimum_charge_what_was_left_out(cast, programmes, slot):
    from billing.pricing.models import PriceVersion
    from tests.conftest import PRICE

    dear = {**PRICE, "rates": {**PRICE["rates"], "firm_sme": "30000"}, "minimum": {"minutes": 0, "amount": "70000"}}
    PriceVersion.objects.create(instrument=cast.xrd, effective_from=date(2026, 1, 1), document=dear, published_at=cast.now)
    run_session(cast, slot(9, 11))
    content = statements.preview(cast.actor("qian"), programmes["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    (line,) = content["lines"]
    assert line["gross_fen"] == 70_000_00 and line["eligible_fen"] == 60_000_00
    assert line["excluded"] == [{"reason": "minimum_charge", "amount_fen": 10_000_00, "clause": "5"}]
    assert line["computed_fen"] == 24_000_00 and line["awarded_fen"] == 20_000_00
    assert [(cut["per"], cut["left_fen"], cut["wanted_fen"]) for cut in line["cuts"]] == [("order", 20_000_00, 24_000_00)]
    assert content["totals"]["excluded_fen"] == 10_000_00


def test_a_preview_is_the_same_content_without_a_number_and_writes_nothing(cast, month, issue):
    dry = statements.preview(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    assert dry["number"] == ""
    assert not (Statement.objects.exists() or NumberSeries.objects.exists() or StatementLine.objects.exists())
    issued = issue().content
    assert rules.numbered(dry, "JS-2026-000001") == {name: value for name, value in issued.items() if name != "verify"}


def test_only_finance_issues(cast, month, issue):
    for who in ("chen", "sun", "wu", "zhou", "li", "zhao", "wang"):
        with pytest.raises(Forbidden):
            issue(who=who)
    assert issue().number == "JS-2026-000001"


def test_a_month_that_is_not_over_locally_has_no_statement(cast, month, issue):
    last_minute = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
    with pytest.raises(Refusal) as refused:
        issue(now=last_minute)
    assert code_of(refused) == "statement.period_not_over"
    assert issue(now=last_minute + timedelta(seconds=1)).line_count == 2


def test_nothing_is_issued_twice_and_later_sessions_get_a_statement_of_their_own(cast, month, issue, slot):
    issue()
    with pytest.raises(Refusal) as refused:
        issue()
    assert code_of(refused) == "statement.nothing_to_issue"
    run_session(cast, slot(9, 11, 2))
    second = issue()
    assert (second.number, second.line_count) == ("JS-2026-000002", 1)


def test_a_payee_without_awards_a_foreign_version_and_a_draft_are_told_apart(cast, month, issue):
    with pytest.raises(Refusal) as refused:
        issue(payee=cast.firm)
    assert code_of(refused) == "statement.nothing_to_issue"
    with pytest.raises(NotFound):
        statements.issue(cast.actor("qian"), 999_999, cast.lab.pk, NOVEMBER, DECEMBER)
    with pytest.raises(NotFound):
        statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, 999_999, NOVEMBER, DECEMBER)


def test_an_issue_that_was_rolled_back_leaves_no_gap(cast, month, issue, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("the light went out")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", broken)
        with pytest.raises(RuntimeError):
            issue()
    assert not (NumberSeries.objects.exists() or Statement.objects.exists() or StatementLine.objects.exists())
    numbers = [issue().number, issue("DEMO-QH-A", cast.other_firm).number]
    assert numbers == ["JS-2026-000001", "JS-2026-000002"]


def test_numbering_outside_the_transaction_would_leave_a_gap(cast, month, issue, monkeypatch):
    """The control of the test above: a number that survives the rollback."""
    taken = []
    monkeypatch.setattr(statements, "_next_number", lambda now: taken.append(1) or f"JS-2026-{len(taken):06d}")
    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            issue()
    assert issue().number == "JS-2026-000002"


def test_a_new_year_begins_with_one(cast, month, issue):
    assert issue().number == "JS-2026-000001"
    new_year = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    assert issue("DEMO-QH-A", cast.other_firm, now=new_year).number == "JS-2027-000001"


def test_figures_other_than_those_looked_at_are_a_conflict(issue):
    with pytest.raises(Conflict) as refused:
        issue(expected=Expected(2, 719_99))
    assert code_of(refused) == "statement.figures_differ"
    assert refused.value.reasons[0].params == {"lines": 2, "total_fen": 720_00}
    assert issue(expected=Expected(2, 720_00)).total_fen == 720_00


def test_an_award_that_is_not_what_was_charged_stops_the_issue(cast, month, issue):
    with pgtrigger.ignore("billing.Award:award_append_only"):
        Award.objects.filter(mode="deducted_now").update(total_fen=F("total_fen") + 1)
    with pytest.raises(Refusal) as refused:
        issue()
    assert code_of(refused) == "statement.inconsistent"
    assert issue("DEMO-QH-A", cast.other_firm).line_count == 2


def test_an_issued_statement_cannot_be_changed_or_deleted(issue):
    statement = issue()
    for change in (
        lambda: Statement.objects.update(total_fen=1),
        lambda: Statement.objects.update(content={}),
        lambda: Statement.objects.all().delete(),
        lambda: StatementLine.objects.all().delete(),
        lambda: StatementLine.objects.update(position=9),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    Statement.objects.update(render_percent=1)
    statement.refresh_from_db()
    assert statement.total_fen == 720_00


def test_issuing_is_audited_and_queues_one_job_in_the_same_transaction(issue, monkeypatch):
    with pytest.raises(RuntimeError), transaction.atomic():
        issue()
        raise RuntimeError
    assert not ProcrastinateJob.objects.filter(task_name=statements.TASK).exists()
    statement = issue()
    job = ProcrastinateJob.objects.get(task_name=statements.TASK)
    assert job.args == {"statement_id": statement.pk}
    entry = AuditEntry.objects.get(action="statement.issue")
    assert entry.after == {"number": statement.number, "total_fen": 720_00, "lines": 2}


def test_the_same_key_issues_once(cast, month):
    arguments = (cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    first = statements.issue_once(*arguments, idempotency_key="k")
    second = statements.issue_once(*arguments, idempotency_key="k")
    assert (second.statement_id, second.replayed, first.replayed) == (first.statement_id, True, False)
    assert Statement.objects.count() == 1
    with pytest.raises(Refusal) as refused:
        statements.issue_once(*arguments, idempotency_key="other")
    assert code_of(refused) == "statement.nothing_to_issue"
