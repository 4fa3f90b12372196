"""A month of bills and of settlement statements from use to a closed month, and what the database refuses on the way."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.bills.models import Bill
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.ledger.rules.money import yuan
from billing.month import board, queries
from billing.month.models import Draft, DraftLine, DraftRun, ExportItem, MonthExport
from billing.month.services import closing, evidence, exported, exporting, holding, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.models import Award, Charge, Statement
from billing.settlement.pdf import render_html as statement_html
from billing.settlement.period_models import ClosedPeriod, HeldBack
from billing.settlement.rules.series import Series
from billing.settlement.services import statements
from billing.subsidy import services
from booking.models import UsageSession
from booking.services import policies
from booking.services.policies import Scope
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import StoredFile
from instruments.models import Membership
from tests.billing.bills.conftest import wrong
from tests.billing.month.conftest import DECEMBER, NOVEMBER
from tests.billing.settlement.conftest import run_session
from tests.billing.settlement.test_two_sided import both_to_the_lab
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
JANUARY = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def refused_by_database(work):
    """What the database says when it refuses."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        work()
    return str(refused.value)


class _Undone(Exception):
    """What a control did is undone."""


def done_without(table, work):
    """The control: without the guards of a table it is done (and undone again)."""
    with pytest.raises(_Undone), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert work()
        raise _Undone


def made(cast, series, who="li", **more):
    return running.make(cast.actor(who), RunRequest(series, NOVEMBER, **more), DECEMBER)[0]


def issued(cast, run, by="mei"):
    """Handed over by Li, released and issued."""
    releasing.hand_over(cast.actor("li"), run.pk, DECEMBER)
    releasing.release(cast.actor(by), run.pk, DECEMBER)
    releasing.work(run.pk, DECEMBER)
    return DraftRun.objects.get(pk=run.pk)


def stages(cast, series, who="li", now=DECEMBER):
    found = board.board(cast.actor(who), series, NOVEMBER, now)
    return {stage.code: (stage.count, stage.fen) for stage in found.stages}


def test_a_month_from_agreed_use_to_paid_bills_and_a_closed_period(cast, two, bills, take, django_assert_max_num_queries):
    asked = RunRequest(bills, NOVEMBER)
    li, mei = cast.actor("li"), cast.actor("mei")
    # A dry run writes nothing and says what would be made.
    dry = running.dry_run(li, asked, DECEMBER)
    assert not DraftRun.objects.exists() and len(dry.drafts) == 2 and dry.parked == 0 and len(dry.changes) == 2
    assert stages(cast, bills)["agreed"] == (4, dry.sums.total_fen)
    # Making it twice is one run; another one than was looked at is refused.
    run = made(cast, bills)
    assert made(cast, bills, "mei").pk == run.pk and run.content_sha256 == dry.sha256
    with pytest.raises(Conflict) as refused:
        running.make(li, asked, DECEMBER, expected="0" * 64)
    assert codes(refused) == ["month.figures_differ"]
    footer = queries.footer_of(run)
    assert footer.sums.total_fen == run.total_fen and all(each.holds for each in footer.identities)
    assert stages(cast, bills)["drafts"] == (2, run.total_fen) and stages(cast, bills)["agreed"] == (0, 0)

    # One line is postponed and taken in again, another one stays out; the footer follows.
    first, second = DraftLine.objects.filter(draft__party=cast.firm).order_by("position")
    holding.postpone(li, first.pk, "asked to wait", DECEMBER)
    assert queries.footer_of(run).sums.total_fen == run.total_fen - first.amount_fen
    holding.take_in(li, first.pk, DECEMBER)
    holding.exclude(li, second.pk, "the customer objects", DECEMBER)
    with pytest.raises(Refusal) as empty:
        holding.exclude(li, first.pk, "  ", DECEMBER)
    assert codes(empty) == ["bill.reason_missing"]
    footer = queries.footer_of(run)
    assert (footer.held_lines, footer.held_fen) == (1, second.amount_fen) and all(each.holds for each in footer.identities)

    # Li made it and cannot release it, Mei can; both press the button.
    releasing.hand_over(li, run.pk, DECEMBER)
    with pytest.raises(Conflict):
        holding.postpone(li, first.pk, "late", DECEMBER)
    with pytest.raises(Conflict):
        holding.take_in(li, second.pk, DECEMBER)
    with pytest.raises(Refusal) as own:
        releasing.release(li, run.pk, DECEMBER)
    assert codes(own) == ["month.second_person"]
    assert stages(cast, bills)["second"][0] == 2
    releasing.send_back(mei, run.pk, "look again", DECEMBER)
    run = issued(cast, run)
    releasing.work(run.pk, DECEMBER)
    assert run.state == "done" and Bill.objects.count() == 2
    assert set(Draft.objects.filter(run=run).values_list("state", flat=True)) == {"issued"}
    assert sum(Bill.objects.values_list("total_fen", flat=True)) == footer.sums.total_fen
    assert issuing_again_says(cast, run) == ["month.nothing_failed"]

    # Exported, and paid.
    export = exporting.start(li, bills, NOVEMBER, DECEMBER)
    assert exporting.start(mei, bills, NOVEMBER, DECEMBER).pk == export.pk
    exporting.work(export.pk, DECEMBER)
    now_at = stages(cast, bills)
    assert now_at["issued"] == now_at["exported"] == (2, footer.sums.total_fen) and now_at["paid"] == (0, 0)
    bill = Bill.objects.get(customer=cast.firm)
    from billing.payments.services import allocating

    (payment,) = take(f"2026-12-01,{bill.total_fen / 100:.2f},,Gaoyuan,1,{bill.reference},1")
    allocating.give(li, payment.pk, bill.pk, bill.total_fen, DECEMBER)
    assert stages(cast, bills)["paid"] == (1, bill.total_fen)
    with django_assert_max_num_queries(16):
        board.board(li, bills, NOVEMBER, DECEMBER)

    # Closed: nothing more in November, the line that was left out is prior period in December.
    row = closing.close(mei, bills, NOVEMBER, DECEMBER)
    assert row.totals["documents"] == 2 and row.totals["total_fen"] == footer.sums.total_fen
    with pytest.raises(Conflict):
        closing.close(li, bills, NOVEMBER, DECEMBER)
    # What was left out waits on the board, is taken in again long after its run, and only once.
    assert [line.pk for line in queries.left_out(mei, bills, NOVEMBER)] == [second.pk]
    assert not queries.left_out(cast.actor("zhao"), bills, NOVEMBER)
    with pytest.raises(NotFound):
        holding.take_in(cast.actor("zhao"), second.pk, JANUARY)
    holding.take_in(mei, second.pk, JANUARY)
    with pytest.raises(Conflict) as again:
        holding.take_in(li, second.pk, JANUARY)
    assert codes(again) == ["month.not_held"] and not queries.left_out(mei, bills, NOVEMBER)
    assert DraftLine.objects.get(pk=second.pk).held_id is not None  # what was issued stays as it was
    with pytest.raises(Refusal) as closed:
        issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER)
    assert codes(closed) == ["bill.period_closed"]
    with pytest.raises(Refusal):
        running.dry_run(li, asked, DECEMBER)
    later, _new = running.make(li, RunRequest(bills, date(2026, 12, 1)), JANUARY)
    assert list(DraftLine.objects.filter(draft__run=later).values_list("charge", "prior_period")) == [(second.charge_id, True)]
    content = issuing.preview(li, BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 12, 31)), JANUARY)
    assert [line["prior_period"] for line in content["lines"]] == [True]
    assert wrong() == {}


def issuing_again_says(cast, run):
    with pytest.raises(Conflict) as refused:
        releasing.issue_again(cast.actor("mei"), run.pk, DECEMBER)
    return codes(refused)


def test_the_database_refuses_one_person_a_closed_month_and_what_is_held_back(cast, two, bills):
    """Each guard, and the same without it."""
    run = made(cast, bills)
    own = {"released_by": cast.users["li"], "released_at": DECEMBER, "state": "released"}
    assert "draft_run_two_people" in refused_by_database(lambda: DraftRun.objects.filter(pk=run.pk).update(**own))
    assert (
        DraftRun.objects.filter(pk=run.pk).update(**own | {"released_by": cast.users["mei"]}) == 1
    )  # the control: another person
    DraftRun.objects.filter(pk=run.pk).update(state="open", released_by=None, released_at=None)
    draft = Draft.objects.filter(run=run).first()
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.other_firm.pk, date(2026, 11, 30)), DECEMBER)
    move = {"state": "issued", "bill": bill}
    assert "released run" in refused_by_database(lambda: Draft.objects.filter(pk=draft.pk).update(**move))
    done_without("billing_draft", lambda: Draft.objects.filter(pk=draft.pk).update(**move))

    lines = {"bill": bill, "position": 90, "amount_fen": 1}
    charge = Charge.objects.filter(reservation__organisation=cast.firm).first()
    held = HeldBack.objects.create(charge=charge, owner=cast.lab, reason="x", held_by=cast.users["li"], held_at=DECEMBER)
    from billing.bills.models import BillLine

    def billed():
        """Against the other guards of a line, which look away."""
        others = ("billing.BillLine:bill_line_is_charged", "billing.BillLine:bill_line_is_of_bill")
        with pgtrigger.ignore(*others), transaction.atomic():
            BillLine.objects.create(charge=charge, **lines)

    assert "held back" in refused_by_database(billed)
    on_bill = bill.lines.first().charge
    again = {"owner": cast.lab, "reason": "x", "held_by": cast.users["li"], "held_at": DECEMBER}
    assert "stands on a document" in refused_by_database(lambda: HeldBack.objects.create(charge=on_bill, **again))
    assert "only lifted" in refused_by_database(lambda: HeldBack.objects.filter(pk=held.pk).update(reason="y"))
    HeldBack.objects.filter(pk=held.pk).update(lifted_at=DECEMBER, lifted_by=cast.users["li"])

    closing.close(cast.actor("li"), bills, NOVEMBER, DECEMBER)
    issue = lambda: issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER)  # noqa: E731
    real, issuing.is_closed = issuing.is_closed, lambda *_: False
    try:
        assert "closed period" in refused_by_database(issue)
        done_without("billing_billline", lambda: issue().line_count == 2)
    finally:
        issuing.is_closed = real
    assert refused_by_database(lambda: ClosedPeriod.objects.all().delete())


def test_what_does_not_add_up_is_parked_and_the_others_go_on(cast, two, bills):
    charge = Charge.objects.filter(reservation__organisation=cast.firm).first()
    some = Award.objects.filter(charge__reservation__organisation=cast.other_firm).first()
    Award.objects.create(
        charge=charge, programme_version=some.programme_version, payee=cast.firm, mode="refunded_later", total_fen=1, payers=[],
        service_on=NOVEMBER, created_at=cast.now,
    )  # fmt: skip
    run = made(cast, bills)
    parked, ready = Draft.objects.filter(run=run).order_by("state")
    assert (parked.party, parked.state, parked.reason["code"]) == (cast.firm, "parked", "month.does_not_add_up")
    assert ready.state == "ready" and run.parked_count == 1 and run.total_fen == ready.total_fen
    run = issued(cast, run)
    assert [bill.customer_id for bill in Bill.objects.all()] == [cast.other_firm.pk] and run.state == "done"
    assert stages(cast, bills)["parked"] == (1, parked.total_fen)
    # The next run has nothing for who is issued; what is parked is parked again.
    again = made(cast, bills)
    assert (again.revision, again.draft_count, again.parked_count) == (2, 1, 1)
    before, changes = queries.changes_of(again)
    assert before == DraftRun.objects.get(revision=1) and [each.party_id for each in changes] == [cast.other_firm.pk]


def test_a_draft_whose_figures_changed_fails_alone_and_is_tried_again(cast, two, bills):
    run = made(cast, bills)
    by_hand = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER)
    run = issued(cast, run)
    states = dict(Draft.objects.filter(run=run).values_list("party", "state"))
    assert states == {cast.firm.pk: "failed", cast.other_firm.pk: "issued"}
    assert Draft.objects.get(state="failed").reason["code"] == "bill.nothing_to_bill"
    # It is settled while that bill stands: nothing of it waits. Once the bill is void it does again.
    assert stages(cast, bills)["parked"] == (0, 0) and issuing_again_says(cast, run) == ["month.nothing_failed"]
    issuing.void(cast.actor("li"), by_hand.pk, "wrong address", DECEMBER)
    assert stages(cast, bills)["parked"][0] == 1 and releasing.issue_again(cast.actor("mei"), run.pk, DECEMBER) == 1
    releasing.work(run.pk, DECEMBER)
    assert DraftRun.objects.get(pk=run.pk).state == "done" and Bill.objects.filter(void__isnull=True).count() == 2


def test_the_paper_of_a_draft_is_had_of_the_lines_that_were_drafted_alone(cast, two, bills, monkeypatch):
    run = made(cast, bills)
    draft = Draft.objects.get(run=run, party=cast.firm)
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["li"])
    paper = f"/month/drafts/{draft.pk}/paper.html"
    assert client.get(paper).status_code == 200
    # One charge less and another one of the same amount more: as many lines, over as much.
    left = Charge.objects.filter(reservation__organisation=cast.firm).earliest("pk")
    HeldBack.objects.create(charge=left, owner=cast.lab, reason="x", held_by=cast.users["li"], held_at=DECEMBER)
    run_session(cast, slot_of(9, 12, 2))
    seen = issuing.look(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER)[1]
    assert (seen.line_count, seen.total_fen) == (draft.line_count, draft.total_fen)
    assert client.get(paper).url == f"/month/drafts/{draft.pk}/"


def draft_of(draft):
    return draft.programme_version_id, draft.party_id, NOVEMBER


def test_a_month_of_statements_runs_alike_and_late_awards_go_to_the_next(cast, two, monkeypatch):
    from instruments.models import Membership, User

    qian = cast.actor("qian")
    second = User.objects.create(email="rui@example.org", full_name="Rui", password="!", language="en")
    Membership.objects.create(user=second, organisation=cast.office, role="finance", created_at=cast.now)
    cast.users["rui"] = second
    series = Series()
    with pytest.raises(Forbidden):
        running.dry_run(cast.actor("li"), RunRequest(series, NOVEMBER), DECEMBER)
    run = made(cast, series, "qian")
    line = DraftLine.objects.filter(draft__run=run, draft__party=cast.lab).first()
    holding.postpone(qian, line.pk, "the evidence is missing", DECEMBER)
    total = queries.footer_of(run).sums.total_fen
    # Each draft is had as the paper that it would be, marked across the page; of one that was issued the paper itself.
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["qian"])
    draft = Draft.objects.get(run=run, party=cast.other_firm)
    paper = f"/month/drafts/{draft.pk}/paper.html"
    assert paper in client.get(f"/month/drafts/{draft.pk}/").content.decode()
    page = client.get(paper).content.decode()
    assert 'class="draft"' in page and yuan(draft.total_fen) in page and cast.other_firm.name in page
    assert 'class="draft"' not in statement_html(statements.preview(qian, *draft_of(draft), DECEMBER, mode=draft.mode))
    releasing.hand_over(qian, run.pk, DECEMBER)
    releasing.release(cast.actor("rui"), run.pk, DECEMBER)
    releasing.work(run.pk, DECEMBER)
    assert sum(Statement.objects.values_list("total_fen", flat=True)) == total and Statement.objects.count() == 2
    assert all(each.holds for each in queries.footer_of(run).identities)
    draft.refresh_from_db()
    assert client.get(paper).url == f"/statements/{draft.statement_id}/"
    closing.close(qian, series, NOVEMBER, DECEMBER)
    late = run_session(cast, slot_of(9, 10, 3))
    with pytest.raises(Refusal) as closed:
        version = two["DEMO-QH-V"].pk
        statements.preview(qian, version, cast.lab.pk, NOVEMBER, DECEMBER)
    assert codes(closed) == ["statement.period_closed"]
    found = statements.preview(qian, version, cast.lab.pk, date(2026, 12, 1), JANUARY)
    assert [each["prior_period"] for each in found["lines"]] == [True, True]
    assert {each["reservation"]["id"] for each in found["lines"]} == {line.award.charge.reservation_id, late}
    issue = lambda: statements.issue(qian, version, cast.lab.pk, date(2026, 12, 1), JANUARY)  # noqa: E731
    stated = issue()
    assert stated.line_count == 2
    assert stages(cast, series, "qian")["issued"][0] == 2
    with pytest.raises(NotFound):
        board.board(cast.actor("zhao"), series, NOVEMBER, DECEMBER)
    assert wrong() == {}


def test_an_export_is_left_cancelled_resumed_retried_and_comes_to_the_same_bytes(cast, two, bills, monkeypatch):
    li = cast.actor("li")
    with pytest.raises(Refusal) as nothing:
        exporting.start(li, bills, NOVEMBER, DECEMBER)
    assert codes(nothing) == ["export.nothing"]
    issued(cast, made(cast, bills))
    broken = Bill.objects.latest("pk").pk
    export = exporting.start(li, bills, NOVEMBER, DECEMBER)
    # Cancelled in the middle: what is made stays.
    real = exported.documents.render

    def cancel_after(kind, pk, now):
        real(kind, pk, now)
        exporting.cancel(li, export.pk, DECEMBER)

    monkeypatch.setattr(exported.documents, "render", cancel_after)
    exporting.work(export.pk, DECEMBER)
    assert MonthExport.objects.get(pk=export.pk).state == "cancelled"
    shown = queries.progress_of(MonthExport.objects.get(pk=export.pk), DECEMBER)
    assert (shown.done, shown.total, shown.seconds_left) == (1, 2, None)

    # Resumed, one document fails, the others are there; it is retried alone.
    def fails(kind, pk, now):
        if pk == broken:
            raise RuntimeError("no font")
        real(kind, pk, now)

    monkeypatch.setattr(exported.documents, "render", fails)
    exporting.resume(li, export.pk, DECEMBER)
    exporting.work(export.pk, DECEMBER)
    export.refresh_from_db()
    assert export.state == "done" and export.archived_count == 1
    assert [item.bill_id for item in queries.failed_items(export)] == [broken]
    monkeypatch.setattr(exported.documents, "render", real)
    exporting.resume(li, export.pk, DECEMBER)
    exporting.work(export.pk, DECEMBER)
    export.refresh_from_db()
    content = queries.archive_for(li, export.pk, DECEMBER).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["totals"] == {"documents": 2, "total_fen": sum(Bill.objects.values_list("total_fen", flat=True))}
        assert len(manifest["files"]) == 4
        for each in manifest["files"]:
            assert hashlib.sha256(archive.read(each["path"])).hexdigest() == each["sha256"]
    with pytest.raises(Conflict):
        exporting.resume(li, export.pk, DECEMBER)

    # The link expires, the file goes, and the same is made again; not while another export of the month is at work.
    later = DECEMBER + timedelta(days=8)
    assert exporting.expire_due(later) == 1 and not StoredFile.objects.filter(media_type="application/zip").exists()
    other = exporting.start(li, bills, NOVEMBER, later)
    with pytest.raises(Conflict) as at_work:
        exporting.resume(li, export.pk, later)
    assert codes(at_work) == ["export.at_work"]
    exporting.cancel(li, other.pk, later)
    with pytest.raises(Refusal) as expired:
        queries.archive_for(li, export.pk, later)
    assert codes(expired) == ["export.expired"]
    exporting.resume(li, export.pk, later)
    exporting.work(export.pk, later)
    assert queries.archive_for(li, export.pk, later).content == content
    with pytest.raises(NotFound):
        queries.export_for(cast.actor("zhao"), export.pk)
    assert ExportItem.objects.filter(export=export, state="done").count() == 2


def test_the_evidence_of_a_bill_a_statement_and_a_line_is_whole_and_says_its_hashes(
    cast, two, bills, django_assert_max_num_queries
):
    issued(cast, made(cast, bills))
    bill = Bill.objects.get(customer=cast.firm)
    with django_assert_max_num_queries(21):
        pack = evidence.of_bill(cast.actor("zhao"), bill.pk)
    assert pack.archive == evidence.of_bill(cast.actor("li"), bill.pk).archive
    with zipfile.ZipFile(io.BytesIO(pack.archive.content)) as archive:
        names = archive.namelist()
        reference = bill.content["lines"][0]["reference"]
        for name in ("usage", "trail", "calculation"):
            assert f"lines/0001-{reference}/{name}.json" in names
        trail = json.loads(archive.read(f"lines/0001-{reference}/trail.json"))
        assert trail["approved_by"] == "Wang" and [step["action"] for step in trail["steps"]][-1] == "agree"
        computed = json.loads(archive.read(f"lines/0001-{reference}/calculation.json"))
        assert f"prices/{computed['price_version']}.json" in names and computed["result"]
        assert any(name.startswith("programmes/") for name in names) and {"payments.json", "invoices.json"} <= set(names)
    one = evidence.of_bill(cast.actor("li"), bill.pk, 2)
    assert one.file_name == f"evidence-{bill.number}-0002.zip"
    with zipfile.ZipFile(io.BytesIO(one.archive.content)) as archive:
        assert not any(name.startswith("lines/0001") for name in archive.namelist())
    for who, position in (("he", None), ("li", 99)):
        with pytest.raises(NotFound):
            evidence.of_bill(cast.actor(who), bill.pk, position)
    statement = statements.issue(cast.actor("qian"), two["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    # What is known of the parties and what programmes have left is for officials; the hash of the whole stands in every pack.
    private = {b'"annual_revenue"', b'"staff"', b'"balances"', b'"facts"'}
    for who, document, is_whole in (
        ("qian", statement, True),
        ("li", statement, False),
        ("li", bill, False),
        ("zhao", bill, False),
    ):
        of = evidence.of_bill if document is bill else evidence.of_statement
        told = calculations(of(cast.actor(who), document.pk))
        assert {word for word in private if word in told} == (private if is_whole else set()), who
        assert b'"inputs_sha256"' in told and b'"schedule"' in told and b'"programme"' in told


def test_what_was_booked_in_spite_of_the_labs_rules_stands_in_the_trail_of_its_line(cast, two, bills):
    """Li, who manages the lab with Wang, also works at the firm."""
    for place, role in ((cast.lab, Role.LAB_MANAGER), (cast.firm, Role.RESEARCHER)):
        Membership.objects.create(user=cast.users["li"], organisation=place, role=role, created_at=cast.now)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 60}, cast.now)
    run_session(cast, slot_of(9, 12, 2), "li", override_reason="Beam time was lost")
    issued(cast, made(cast, bills))
    bill = Bill.objects.get(customer=cast.firm)
    with zipfile.ZipFile(io.BytesIO(evidence.of_bill(cast.actor("li"), bill.pk).archive.content)) as archive:
        trails = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("trail.json")]
    told = [step for trail in trails for step in trail["steps"] if "passed_over" in step]
    assert [(step["action"], step["by"], step["reason"], step["passed_over"]) for step in told] == [
        ("request", "Li", "Beam time was lost", ["booking.too_long"])
    ]
    assert len(trails) == 3


def calculations(pack):
    """The calculations of a pack, one after the other."""
    with zipfile.ZipFile(io.BytesIO(pack.archive.content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist() if name.endswith("calculation.json"))


def test_what_is_odd_about_the_use_stands_beside_its_line_and_in_the_grid(cast, two, bills, django_assert_max_num_queries):
    """Two sessions of Lianhe at once, with one proof; nothing about Gaoyuan's. The whole month is read in few queries."""
    sessions = list(UsageSession.objects.filter(reservation__organisation=cast.other_firm).order_by("pk"))
    for session in sessions:
        UsageSession.objects.filter(pk=session.pk).update(
            actual_starts_at=sessions[0].actual_starts_at,
            actual_ends_at=sessions[0].actual_ends_at,
            late_entered=True,
            evidence="book 4",
        )
    with django_assert_max_num_queries(14):
        dry = running.dry_run(cast.actor("li"), RunRequest(bills, NOVEMBER), DECEMBER)
    assert {draft.party_id: dict(draft.odd) for draft in dry.drafts} == {
        cast.firm.pk: {},
        cast.other_firm.pk: {"overlap": 2, "same_evidence": 2},
    }
    run = made(cast, bills)
    assert [draft.party for draft in queries.drafts_of(run, "odd")] == [cast.other_firm]
    assert queries.drafts_of(run, "stuck").count() == 0 and queries.drafts_of(run, text="gaoyuan").count() == 1
    line = DraftLine.objects.filter(draft__party=cast.other_firm).first()
    # Who of the lab agreed to such times can be asked; where nothing is odd nobody is named.
    pages = Client(headers={"Accept-Language": "en"})
    pages.force_login(cast.users["li"])
    asked = f"Ask {cast.users['wang']}, who agreed to it for the lab."
    assert pages.get(reverse("month_draft", args=[line.draft_id])).content.decode().count(asked) == 2
    plain = Draft.objects.get(run=run, party=cast.firm)
    assert "who agreed to it" not in pages.get(reverse("month_draft", args=[plain.pk])).content.decode()
    holding.exclude(cast.actor("li"), line.pk, "look into it", DECEMBER)
    assert Draft.objects.get(pk=line.draft_id).odd == {"overlap": 1, "same_evidence": 1}


def test_a_line_is_postponed_a_second_time_but_not_held_back_twice_nor_once_it_is_billed(cast, two, bills, client):
    li, december = cast.actor("li"), date(2026, 12, 1)
    november = made(cast, bills)
    first, second = DraftLine.objects.filter(draft__run=november, draft__party=cast.firm).order_by("position")
    earlier = holding.postpone(li, first.pk, "asked to wait", DECEMBER)
    later, _new = running.make(li, RunRequest(bills, december), JANUARY)
    again, other = DraftLine.objects.filter(draft__run=later, draft__party=cast.firm).order_by("position")
    # Postponed to December, and from there to January: the first one is over and gives way.
    held = holding.postpone(li, again.pk, "asked to wait longer", JANUARY)
    earlier.refresh_from_db()
    assert (held.charge_id, held.until_on) == (first.charge_id, date(2027, 1, 1)) and earlier.lifted_at == JANUARY
    assert [line.pk for line in queries.left_out(li, bills, december)] == [again.pk]
    # What one run holds back, another one does not.
    holding.exclude(li, second.pk, "the customer objects", JANUARY)
    with pytest.raises(Conflict) as twice:
        holding.exclude(li, other.pk, "the customer objects", JANUARY)
    assert codes(twice) == ["month.held_already"]
    # November's drafts are made anew: its line leads to nothing any more, the board takes it in.
    client.force_login(cast.users["li"])
    run_page = client.get(reverse("month_run", args=[november.pk]), {"q": "\x00gaoyuan"})
    assert run_page.status_code == 200
    board_url = f"{reverse('month_board')}?series={bills.key}&month=2026-11"
    DraftRun.objects.filter(pk=november.pk).update(state="superseded")
    assert "the customer objects" in client.get(board_url).content.decode()
    taken_in = client.post(reverse("month_line", args=[second.pk]), {"how": "take_in"})
    assert taken_in.url == board_url and "the customer objects" not in client.get(board_url).content.decode()
    issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 12, 31)), JANUARY)
    with pytest.raises(Conflict) as billed:
        holding.exclude(li, other.pk, "too late", JANUARY)
    assert codes(billed) == ["month.taken"]
    assert wrong() == {}


def test_whoever_issues_waits_for_closing_before_asking_whether_the_month_is_closed(cast, two, bills):
    def order(issue):
        with CaptureQueriesContext(connection) as found:
            issue()
        asked = [each["sql"] for each in found.captured_queries]
        at = [
            next(place for place, sql in enumerate(asked) if word in sql) for word in ("xact_lock_shared", "billing_closedperiod")
        ]
        return at == sorted(at)

    assert order(lambda: issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER))
    assert order(lambda: statements.issue(cast.actor("qian"), two["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER))


def test_deducted_and_rewarded_money_of_one_payee_is_issued_as_two_statements(cast):
    version = services.draft_version(cast.actor("chen"), both_to_the_lab(), cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    charge = Charge.objects.get(reservation_id=run_session(cast, slot_of(9, 12)))
    [version_id] = charge.awards.values_list("programme_version_id", flat=True).distinct()
    run = made(cast, Series(), "qian", parties=(cast.lab.pk,))
    drafts = Draft.objects.filter(run=run, programme_version_id=version_id)
    assert set(drafts.values_list("mode", "total_fen")) == {("deducted_now", 600_00), ("paid_beside", 120_00)}
    assert "frozen" in refused_by_database(lambda: drafts.filter(mode="paid_beside").update(mode="refunded_later"))
    releasing.hand_over(cast.actor("qian"), run.pk, DECEMBER)
    releasing.release(cast.actor("qian"), run.pk, DECEMBER)
    releasing.work(run.pk, DECEMBER)
    assert set(drafts.values_list("state", "statement__content__programme__mode")) == {
        ("issued", "deducted_now"),
        ("issued", "paid_beside"),
    }
