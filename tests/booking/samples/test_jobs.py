"""Sample jobs from asking to the charge: promised days, states, consent, remains, and the money of every step."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Transfer
from billing.settlement.models import Award, Charge, Quote
from billing.settlement.services import sample_money
from billing.subsidy.rules.codec import assessment_to_json, differences, inputs_sha256
from booking.models import Sample, SampleDay, SampleExtra, SampleJob, SampleStepTaken
from booking.ports import ExpectedFigures
from booking.queries import samples as queries
from booking.rules.samples import Direction, Remains
from booking.services import sample_jobs, sample_reports, sample_steps
from booking.services.enquiry_files import Attachment
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.models import AuditEntry
from instruments.models import Notice, TestItem

WEDNESDAY = date(2026, 11, 25)
TRIED = "Send tubes, not bags."


def news(who, about):
    rows = Notice.objects.filter(object_type="booking.samplejob", object_id=str(about.pk), user__email=f"{who}@example.org")
    return [event.removeprefix("sample_job.") for event in rows.order_by("pk").values_list("event", flat=True)]


def violations():
    """What is not as it always is, of samples, money and ledger."""
    names = [name for name in registered() if name.startswith(("samples.", "settlement.", "ledger."))]
    return {name: found.violations for name in names if (found := registered()[name]()).violations}


def held_fen():
    rows = Transfer.objects.filter(kind="hold", source_type="sample_job", ends__isnull=True)
    return sum(rows.values_list("amount_fen", flat=True))


def refused(code):
    return pytest.raises(Refusal, match=code.replace(".", r"\."))


def test_asking_pins_the_price_keeps_the_days_and_tells_the_lab(work):
    job = work.ask(12, names=("Brine 1", "Brine 2"), expected=ExpectedFigures(None, None))
    assert (job.state, job.reference) == ("asked", f"S2026-{job.pk:06d}")
    assert (
        job.promised_on == job.first_promised_on == date(2026, 12, 1)
    )  # Wednesday, three workdays, and one more for two of twelve
    assert list(SampleDay.objects.values_list("day", "samples")) == [(date(2026, 11, 30), 10), (date(2026, 12, 1), 2)]
    names = list(Sample.objects.filter(job=job).order_by("position").values_list("name", flat=True))
    assert names[:3] == ["Brine 1", "Brine 2", ""] and len(set(Sample.objects.values_list("code", flat=True))) == 12
    quote = Quote.objects.get(sample_job=job)
    assert (quote.gross_fen, quote.accepted_by_id) == (96_000, work.cast.users["lin"].pk)
    assert quote.final_cost_fen < quote.gross_fen and held_fen() == 0
    assert news("wang", job) == ["asked"] and news("lin", job) == []
    assert AuditEntry.objects.filter(action="sample_job.ask").count() == 1
    assert violations() == {}


def test_the_same_call_twice_is_one_job(work):
    wish = sample_jobs.Wish(work.item.pk, work.cast.firm.pk, 2, WEDNESDAY)
    calls = [sample_jobs.ask(work.cast.actor("lin"), wish, work.now, idempotency_key="one") for _ in range(2)]
    assert [each.replayed for each in calls] == [False, True] and SampleJob.objects.count() == 1


def test_whoever_saw_other_figures_asks_for_nothing(work):
    with pytest.raises(Conflict, match="figures_differ"):
        work.ask(3, expected=ExpectedFigures(1, 1))
    assert not SampleJob.objects.exists() and not SampleDay.objects.exists()


def test_every_reason_against_a_wish_is_said_at_once(work):
    with pytest.raises(Refusal) as caught:
        work.ask(501, arrive_on=date(2026, 11, 20), remains_wish="eat", elements=0)
    assert {reason.code for reason in caught.value.reasons} == {
        "samples.count_out_of_range",
        "samples.arrival_out_of_range",
        "samples.wish_unknown",
        "price.elements_out_of_range",
    }
    with refused("samples.too_many_names"):
        work.ask(1, names=("a", "b"))
    with refused("name"):
        work.ask(1, hazards="\u202e")
    with pytest.raises(Forbidden):
        work.ask(1, firm=work.cast.other_firm)
    TestItem.objects.update(daily_capacity=1)
    with refused("samples.no_capacity"):
        work.ask(400)


def test_what_is_priced_by_time_or_on_request_is_not_sent_for(work, cast):
    from tests.booking.samples.conftest import make_item

    with refused("samples.priced_by_time"):
        work.ask(1, item=make_item(cast, unit="hour"))
    assert not SampleJob.objects.exists()


def test_the_second_asker_is_promised_what_the_first_left(work):
    first = work.ask(8)
    second = work.ask(8, who="he", firm=work.cast.other_firm)
    assert (first.promised_on, second.promised_on) == (date(2026, 11, 30), date(2026, 12, 1))
    sample_jobs.cancel(work.cast.actor("lin"), first.pk, "", work.now)
    assert work.ask(8).promised_on == date(2026, 11, 30)
    assert violations() == {}


def test_the_lab_accepts_and_the_subsidy_is_held(work):
    job = work.accept(work.ask())
    held = Quote.objects.get(sample_job=job, held_at__isnull=False)
    assert job.state == "accepted" and held_fen() >= held.deducted_fen + held.refunded_fen > 0  # each cap that it counts on holds
    assert news("lin", job) == ["accepted"]
    assert not Notice.objects.filter(event="sample_job.asked", needs_action=True).exists()
    assert violations() == {}


def test_the_lab_names_another_day_or_one_where_none_was_worked_out(work, cast):
    job = work.accept(work.ask(), promised_on=date(2026, 12, 4))
    assert (job.first_promised_on, job.promised_on) == (date(2026, 11, 30), date(2026, 12, 4))
    TestItem.objects.update(turnaround_days=None)
    open_end = work.ask()
    assert open_end.promised_on is None
    with refused("samples.promise_missing"):
        work.accept(open_end)
    with refused("samples.promise_too_early"):
        work.accept(open_end, promised_on=date(2026, 11, 24))
    assert work.accept(open_end, promised_on=date(2026, 12, 24)).promised_on == date(2026, 12, 24)
    assert violations() == {}


def test_a_lab_without_a_turnaround_still_promises_no_more_than_it_can_measure(work):
    TestItem.objects.update(turnaround_days=None)
    first, second = work.ask(10), work.ask(8)
    assert not SampleDay.objects.exists()
    work.accept(first, promised_on=WEDNESDAY)
    with refused("samples.promise_beyond_capacity"):
        work.accept(second, promised_on=WEDNESDAY)
    second = work.accept(second, promised_on=date(2026, 11, 27))
    rows = SampleDay.objects.order_by("day").values_list("job", "day", "samples")
    assert list(rows) == [(first.pk, WEDNESDAY, 10), (second.pk, date(2026, 11, 26), 8)]
    work.later(days=7)
    second = work.step(second, "receive")  # a Monday, after the promised Friday
    assert (second.first_promised_on, second.promised_on) == (None, date(2026, 11, 30)) and news("lin", second)[-2:] == [
        "later",
        "received",
    ]
    assert violations() == {}
    SampleDay.objects.filter(job=second).update(samples=7)
    assert set(violations()) == {"samples.days_are_for_all_samples"}


def test_nobody_but_the_labs_managers_accepts_and_nobody_their_own_wish(work):
    job = work.ask()
    for name in ("lin", "zhao", "li", "wu", "qian"):
        with pytest.raises(Forbidden):
            sample_jobs.accept(work.cast.actor(name), job.pk, work.now)
    with pytest.raises(NotFound):
        sample_jobs.accept(work.cast.actor("he"), job.pk, work.now)
    from config.kernel.access import Role
    from instruments.models import Membership

    Membership.objects.create(
        user=work.cast.users["wang"], organisation=work.cast.firm, role=Role.RESEARCHER, created_at=work.now
    )
    own = work.ask(who="wang")
    with refused("samples.own_request"):
        work.accept(own)


def test_dearer_figures_wait_for_the_customer_before_anything_is_accepted(work):
    job = work.ask()
    work.cast.firm.status = "claimed"
    work.cast.firm.save()
    for _ in range(2):
        with pytest.raises(Conflict, match="figures_changed"):
            work.accept(job)
    waiting = Quote.objects.filter(sample_job=job).latest("revision")
    assert (waiting.revision, waiting.accepted_at, held_fen()) == (2, None, 0)
    assert set(news("lin", job)) == {"figures_changed"}
    with pytest.raises(Forbidden):
        sample_money.accept_quote(work.cast.actor("wang"), job.pk, work.now)
    sample_money.accept_quote(work.cast.actor("lin"), job.pk, work.now)
    assert work.accept(job).state == "accepted"
    with refused("billing.nothing_to_accept"):
        sample_money.accept_quote(work.cast.actor("lin"), job.pk, work.now)


def test_a_refusal_needs_a_reason_and_frees_the_days(work):
    job = work.ask()
    with refused("samples.reason_missing"):
        sample_jobs.refuse(work.cast.actor("wang"), job.pk, " ", work.now)
    sample_jobs.refuse(work.cast.actor("wang"), job.pk, TRIED, work.now)
    assert work.again(job).state == "refused" and not SampleDay.objects.exists()
    assert news("lin", job) == ["refused"]


def test_the_customer_cancels_until_the_first_sample_is_there_and_the_lab_until_the_report(work):
    job = work.accept(work.ask())
    sample_jobs.cancel(work.cast.actor("lin"), job.pk, "", work.now)
    assert work.again(job).state == "cancelled" and held_fen() == 0 and news("wang", job)[-1] == "cancelled_to_lab"
    job = work.step(work.accept(work.ask()), "receive", [1])
    with refused("samples.some_are_here"):
        sample_jobs.cancel(work.cast.actor("lin"), job.pk, "", work.now)
    with refused("samples.reason_missing"):
        sample_jobs.cancel(work.cast.actor("wang"), job.pk, "", work.now)
    sample_jobs.cancel(work.cast.actor("wang"), job.pk, "The instrument broke.", work.now)
    assert news("lin", job)[-1] == "cancelled_to_customer" and held_fen() == 0
    with refused("samples.illegal_step"):
        sample_jobs.cancel(work.cast.actor("wang"), work.reported().pk, "Too late.", work.now)
    assert violations() == {}


# --- Samples ----------------------------------------------------------------------------------------------------------
def test_the_job_follows_its_samples_and_their_steps_can_be_taken_back(work):
    job = work.accept(work.ask())
    assert work.step(job, "receive", [1]).state == "accepted"
    assert work.step(job, "receive", [2, 3]).state == "received"
    work.come(job)
    assert work.step(job, "prepare").state == "preparing"
    assert work.step(job, "test", [1, 2]).state == "preparing"
    job = work.step(job, "test", [3])
    assert (job.state, job.tested_at) == ("tested", work.now)
    job = work.step(job, "take_back", [3])
    assert (job.state, job.tested_at) == ("preparing", None)
    with refused("samples.illegal_sample_step"):
        work.step(job, "receive")
    assert news("lin", job) == ["accepted", "received"]
    assert SampleStepTaken.objects.filter(job=job, sample__isnull=False).count() == 10
    assert violations() == {}


def test_steps_are_the_labs_and_only_while_it_works_on_the_job(work):
    job = work.ask()
    with refused("samples.illegal_step"):
        work.step(job, "receive")
    work.accept(job)
    with pytest.raises(Forbidden):
        work.step(job, "receive", who="lin")
    with pytest.raises(NotFound):
        work.step(job, "receive", who="he")
    with refused("samples.none_chosen"):
        sample_steps.take(work.cast.actor("wang"), [], "receive", work.now, job_id=job.pk)
    other = work.accept(work.ask())
    mixed = [Sample.objects.filter(job=each).first().pk for each in (job, other)]
    with refused("samples.of_one_job"):
        sample_steps.take(work.cast.actor("wang"), mixed, "receive", work.now)


def test_samples_that_come_late_are_promised_anew_from_that_day(work):
    job = work.accept(work.ask(10))
    work.ask(10, arrive_on=date(2026, 11, 27))
    work.later(days=4)
    job = work.step(job, "receive")  # Friday instead of Wednesday
    assert job.promised_on == date(2026, 12, 3) and job.first_promised_on == date(2026, 11, 30)
    assert "later" in news("lin", job)
    assert violations() == {}


def test_a_mistaken_receipt_is_forgotten_and_the_real_one_promises_anew(work):
    job = work.accept(work.ask(10))
    assert work.step(job, "receive").received_at == work.now
    job = work.step(job, "take_back", [3])
    assert (job.state, job.received_at) == ("accepted", None)
    work.later(days=6)
    assert dict(queries.board(work.cast.actor("wang"), work.now).parts)["expected"] == [job]
    job = work.step(job, "receive", [3])  # the Sunday after the Wednesday
    assert (job.state, job.received_at, job.promised_on) == ("received", work.now, date(2026, 12, 2))
    assert dict(queries.board(work.cast.actor("wang"), work.now).parts)["received_today"] == [job]
    assert news("lin", job) == ["accepted", "received", "later", "received"] and violations() == {}


@pytest.mark.parametrize(
    ("came", "steps"), [(9, ["receive"]), (9, ["lose"]), (10, ["lose", "take_back", "receive"])], ids=["late", "lost", "found"]
)
def test_one_straggler_moves_neither_the_promise_of_the_rest_nor_the_capacity(work, came, steps):
    job = work.accept(work.ask(10))
    work.come(job)
    received_at = work.step(job, "receive", range(1, came + 1)).received_at
    days = list(SampleDay.objects.values_list("day", "samples"))
    work.step(job, "test", range(1, 10))
    work.later(days=6)
    for step in steps:
        job = work.step(job, step, [10], "Not in the parcel." if step == "lose" else "")
    assert (job.promised_on, job.received_at) == (date(2026, 11, 30), received_at or work.now)
    assert list(SampleDay.objects.values_list("day", "samples")) == days
    assert "later" not in news("lin", job) and violations() == {}


def test_samples_may_come_sooner_but_are_worked_on_from_the_day_whose_subsidy_they_get(work):
    job = work.step(work.accept(work.ask()), "receive")
    for early in ("prepare", "test"):
        with pytest.raises(Refusal) as caught:
            work.step(job, early)
        assert [(reason.code, reason.params) for reason in caught.value.reasons] == [
            ("samples.too_early_to_test", {"arrive_on": "2026-11-25"})
        ]
    work.now = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # midnight at the lab
    assert work.step(job, "test").state == "tested"
    soon = work.step(work.accept(work.ask(arrive_on=date(2026, 12, 7))), "receive")
    sample_jobs.cancel(work.cast.actor("wang"), soon.pk, "Ask again for today.", work.now)
    assert work.again(soon).state == "cancelled" and held_fen() > 0 and violations() == {}


def test_only_steps_after_which_days_may_move_wait_for_the_test_item(work):
    job = work.accept(work.ask())
    work.come(job)

    def locks(step, places=None, reason=""):
        with CaptureQueriesContext(connection) as queries:
            work.step(job, step, places, reason)
        return sum("FOR NO KEY UPDATE" in each["sql"] and "instruments_testitem" in each["sql"] for each in queries)

    assert [locks("receive"), locks("find_unfit", [1], "Dry."), locks("lose", [2], "Gone.")] == [1, 1, 1]
    assert [locks("take_back", [1]), locks("prepare", [3]), locks("test", [3])] == [0, 0, 0]


def test_unfit_samples_need_a_reason_and_are_not_charged(work):
    job = work.step(work.accept(work.ask()), "receive")
    with refused("samples.reason_missing"):
        work.step(job, "find_unfit", [1])
    work.step(job, "find_unfit", [1], "Dried out.")
    work.come(job)
    work.step(job, "test", [2, 3])
    work.close(work.report(job))
    charge = Charge.objects.get(sample_job=job)
    assert (charge.gross_fen, charge.inputs["samples"]) == (16_000, 2)
    assert "unfit" in news("lin", job) and held_fen() == 0
    assert violations() == {}


def test_without_a_sample_that_can_be_tested_the_job_ends_and_costs_nothing(work):
    job = work.accept(work.ask())
    with refused("samples.ends_the_job"):
        work.step(job, "lose", None, "The parcel never came.")
    assert work.again(job).state == "accepted" and held_fen() > 0 and SampleDay.objects.exists()
    job = work.step(job, "lose", None, "The parcel never came.", ends_job=True)
    assert job.state == "failed" and held_fen() == 0 and not Charge.objects.exists() and not SampleDay.objects.exists()
    assert news("lin", job)[-1] == "failed"
    with refused("samples.illegal_step"):
        work.step(job, "take_back")
    assert violations() == {}


def test_a_sample_is_found_by_its_code_by_its_two_sides_only(work):
    job = work.ask()
    sample = Sample.objects.filter(job=job).first()
    for who in ("lin", "wang", "li"):
        assert sample_steps.find(work.cast.actor(who), sample.label.lower()) == sample
    with pytest.raises(NotFound, match="code_unknown"):
        sample_steps.find(work.cast.actor("he"), sample.code)
    with refused("samples.code_unreadable"):
        sample_steps.find_typed(work.cast.actor("wang"), sample.code[:-1])


# --- Charges beyond the price -------------------------------------------------------------------------------------------
def test_only_a_charge_that_the_customer_agreed_to_is_made(work):
    job = work.reported()
    agreed, declined, withdrawn = (work.propose(job, amount) for amount in (5_000, 6_000, 7_000))
    work.answer(declined, "decline")
    work.answer(withdrawn, "withdraw", who="wang")
    with refused("samples.extra_open"):
        work.close(job)
    with pytest.raises(Conflict, match="amount_differs"):
        work.answer(agreed, "agree", amount_fen=4_000)
    work.answer(agreed, "agree", amount_fen=5_000)
    with refused("samples.extra_answered"):
        work.answer(agreed, "decline")
    quote = Quote.objects.filter(sample_job=job, held_at__isnull=False).get()
    work.close(job)
    charge = Charge.objects.get(sample_job=job)
    assert charge.gross_fen == quote.gross_fen + 5_000
    assert charge.final_cost_fen == quote.final_cost_fen + 5_000  # what was agreed beyond is not subsidised
    assert charge.result["priced"]["lines"][-1]["unit"] == "extra"
    assert violations() == {}


def test_consent_is_the_customers_and_never_of_who_proposed(work):
    from config.kernel.access import Role
    from instruments.models import Membership

    job = work.accept(work.ask())
    extra = work.propose(job)
    with pytest.raises(Forbidden):
        work.answer(extra, "agree", who="wang")
    with pytest.raises(Forbidden):
        work.answer(extra, "withdraw", who="lin")
    with pytest.raises(NotFound):
        work.answer(extra, "agree", who="he")
    Membership.objects.create(
        user=work.cast.users["wang"], organisation=work.cast.firm, role=Role.RESEARCHER, created_at=work.now
    )
    with refused("samples.second_person"):
        work.answer(extra, "agree", who="wang")
    work.answer(extra, "agree", who="zhao")
    assert news("wang", job)[-1] == "extra_agreed"


def test_a_charge_is_proposed_with_words_and_an_amount_between_acceptance_and_the_end(work):
    job = work.ask()
    with pytest.raises(Refusal) as caught:
        work.propose(job, 0)
    assert [reason.code for reason in caught.value.reasons] == ["samples.no_extra_now", "samples.amount_out_of_range"]
    with refused("samples.no_extra_now"):
        work.propose(work.close(work.reported()))


# --- Report and end -----------------------------------------------------------------------------------------------------
def test_a_report_is_kept_by_its_content_and_read_by_the_two_sides(work):
    job = work.reported()
    assert job.state == "reported" and job.close_due_at == work.now + timedelta(days=7)
    (report,) = job.reports.all()
    stored, content = sample_reports.report_file(work.cast.actor("lin"), report.pk)
    assert (content, stored.media_type) == (b"%PDF-1.7 report", "application/pdf")
    for who in ("he", "wu", "qian"):
        with pytest.raises(NotFound):
            sample_reports.report_file(work.cast.actor(who), report.pk)
    with pytest.raises(Refusal) as caught:
        sample_reports.report(work.cast.actor("wang"), job.pk, Attachment(b"MZ program", "report.pdf"), "", work.now)
    assert [(reason.code, reason.field) for reason in caught.value.reasons] == [("enquiry.file_type", "report")]


def test_an_objection_keeps_the_job_open_until_the_lab_reports_again(work):
    job = work.reported()
    sample_reports.object_to(work.cast.actor("lin"), job.pk, "Sample 2 is missing.", work.now)
    assert (work.again(job).state, work.again(job).close_due_at) == ("tested", None)
    work.later(days=30)
    assert sample_reports.close_due(work.now) == 0
    work.report(job)
    assert [each.position for each in job.reports.order_by("pk")] == [1, 2]
    assert news("wang", job)[-1] == "objected"


def test_a_job_closes_by_itself_and_what_nobody_agreed_to_is_not_charged(work):
    job = work.reported()
    extra = work.propose(job)
    work.later(days=6)
    assert sample_reports.close_due(work.now) == 0
    work.later(days=1)
    assert [sample_reports.close_due(work.now) for _ in range(2)] == [1, 0]
    job = work.again(job)
    assert (job.state, job.closed_at) == ("closed", work.now)
    assert Charge.objects.get().gross_fen == 24_000
    with refused("samples.no_extra_now"):
        work.answer(extra, "agree")
    assert not Notice.objects.filter(needs_action=True, event__startswith="sample_job").exists()
    assert news("lin", job)[-1] == "closed_to_customer" and news("wang", job)[-1] == "closed_to_lab"


def test_the_charge_posts_what_was_held_and_can_be_computed_again(work):
    job = work.close(work.reported())
    charge = Charge.objects.get(sample_job=job)
    awarded = sum(Award.objects.filter(charge=charge).values_list("total_fen", flat=True))
    quote = Quote.objects.get(sample_job=job, held_at__isnull=False)
    assert awarded == charge.deducted_fen + charge.refunded_fen == quote.deducted_fen + quote.refunded_fen and held_fen() == 0
    for row in (charge, *Quote.objects.filter(sample_job=job)):
        again = assessment_to_json(sample_money.thaw(row.inputs).assess())
        assert list(differences(row.result, again)) == []
        assert inputs_sha256(row.inputs) == row.inputs_sha256
    assert violations() == {}


def test_what_is_left_is_kept_returned_or_discarded(work):
    job = work.step(work.accept(work.ask()), "receive")
    actor, ids = work.cast.actor("wang"), list(Sample.objects.values_list("pk", flat=True))
    with refused("samples.still_worked_on"):
        sample_steps.set_remains(actor, ids, Remains.DISCARDED, work.now)
    work.come(job)
    work.step(job, "test")
    with refused("samples.kept_until_missing"):
        sample_steps.set_remains(actor, ids, Remains.KEPT, work.now)
    sample_steps.set_remains(actor, ids, Remains.KEPT, work.now, kept_until=date(2026, 12, 31))
    with refused("samples.remains_promised"):
        sample_steps.set_remains(actor, ids, Remains.DISCARDED, work.now)
    sample_steps.set_remains(actor, ids[:1], Remains.RETURNED, work.now)
    with refused("samples.remains_ended"):
        sample_steps.set_remains(actor, ids, Remains.RETURNED, work.now)
    assert news("lin", job)[-1] == "remains"


def test_what_is_gone_is_not_worked_on_again_and_what_is_kept_is_with_the_lab_once_more(work):
    job, actor = work.reported(), work.cast.actor("wang")
    sample_reports.object_to(work.cast.actor("lin"), job.pk, "Sample 2 is missing.", work.now)
    ids = list(Sample.objects.order_by("position").values_list("pk", flat=True))
    for pk, remains in zip(ids, (Remains.RETURNED, Remains.DISCARDED, Remains.KEPT), strict=True):
        sample_steps.set_remains(actor, [pk], remains, work.now, kept_until=date(2026, 12, 31))
    for place in ([1], [2], [1, 2, 3]):
        with refused("samples.nothing_left_to_test"):
            work.step(job, "take_back", place)
    assert work.step(job, "take_back", [3]).state == "preparing"
    sample = Sample.objects.get(pk=ids[2])
    assert (sample.state, sample.remains, sample.kept_until) == ("prepared", "with_lab", None)
    assert SampleStepTaken.objects.filter(sample=sample, action="remains", to_state="with_lab").count() == 1
    assert work.propose(job).kind == "retest" and violations() == {}


def test_parcels_are_noted_by_who_sends_them(work):
    job = work.ask()
    lin, wang = work.cast.actor("lin"), work.cast.actor("wang")
    with refused("samples.no_parcel_now"):
        sample_steps.note_parcel(lin, job.pk, Direction.TO_LAB, "SF", "sf1", work.now)
    work.accept(job)
    assert sample_steps.note_parcel(lin, job.pk, Direction.TO_LAB, "SF", " sf1 ", work.now).number == "SF1"
    for carrier, number, code in (("SF", "SF1", "parcel_known"), ("", "2", "carrier_missing"), ("SF", "", "number_missing")):
        with refused(f"samples.{code}"):
            sample_steps.note_parcel(lin, job.pk, Direction.TO_LAB, carrier, number, work.now)
    with pytest.raises(Forbidden):
        sample_steps.note_parcel(lin, job.pk, Direction.BACK, "SF", "3", work.now)
    sample_steps.note_parcel(wang, job.pk, Direction.BACK, "SF", "3", work.now)
    assert "parcel_to_lab" in news("wang", job) and news("lin", job)[-1] == "parcel_to_customer"


def test_an_own_lab_pays_its_own_rate_without_subsidy(work):
    from config.kernel.access import Role
    from instruments.models import Membership, User

    user = User.objects.create(email="tao@example.org", full_name="Tao", password="!", language="en")
    Membership.objects.create(user=user, organisation=work.cast.lab, role=Role.RESEARCHER, created_at=work.now)
    work.cast.users["tao"] = user
    job = work.ask(who="tao", firm=work.cast.lab)
    quote = Quote.objects.get(sample_job=job)
    assert (quote.inputs["customer_class"], quote.inputs["candidates"]) == ("inside", [])
    assert SampleExtra.objects.count() == 0 and work.accept(job).state == "accepted"
