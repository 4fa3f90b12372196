"""A sample job from the question through quotation and commission sheet to the report, the charge and the settlement statement."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing.ordering.models import CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sample_links, sheets
from billing.ordering.services.quotations import QuotationInput
from billing.settlement.models import Award, Charge
from billing.settlement.pdf import render_html
from billing.settlement.services import statements
from billing.settlement.sheets import render_xlsx
from booking.models import Sample, SampleJob
from booking.rules.samples import Direction, ExtraEvent, Remains, SampleStep
from booking.services import enquiries, sample_extras, sample_jobs, sample_reports, sample_steps
from booking.services.enquiries import Question
from booking.services.enquiry_files import Attachment
from booking.services.sample_jobs import Wish
from config.kernel.invariants import registered
from instruments.services import catalogue
from tests.booking.samples.conftest import make_item

AFTER_NOVEMBER = datetime(2026, 12, 3, 2, 0, tzinfo=UTC)


def test_samples_go_from_the_question_to_what_is_paid_out(cast: Any, programmes: Any) -> None:
    lin, zhao, wang, qian, now = *(cast.actor(name) for name in ("lin", "zhao", "wang", "qian")), cast.now
    item = make_item(cast)
    catalogue.rebuild(now)

    # Lin asks whether wet salts can be measured; the lab offers a price; both sides sign what becomes of it.
    question = Question(cast.firm.pk, "Wet salts", "Can you measure lithium in wet salts?", None, item.pk)
    thread = enquiries.ask(lin, question, (), now, idempotency_key="question").pk
    offer = QuotationInput("Wet salts", date(2026, 12, 20), (LineInput("test", "4", item.pk, "", "sample", 7_000),))
    quotation = quotations.draft(wang, thread, offer, now, idempotency_key="offer").pk
    quotations.send(wang, quotation, "Yes, dried first.", now)
    sheet = quotations.accept(lin, quotation, 28_000, now, idempotency_key="yes").pk
    content = sheets.issue(wang, sheet, now).content_sha256
    for signatory in (wang, zhao):
        sheets.sign(signatory, sheet, content, now)

    # Four samples are sent under the commission, at its price and with the subsidy of the programmes.
    wish = Wish(item.pk, cast.firm.pk, 4, date(2026, 11, 25), names=("A", "B", "C", "D"))
    pk = sample_jobs.ask(lin, wish, now, idempotency_key="samples").pk
    sample_links.link(lin, sheet, pk, now)
    sample_jobs.accept(wang, pk, now)
    sample_steps.note_parcel(lin, pk, Direction.TO_LAB, "SF", "SF1", now + timedelta(hours=5))

    # They are scanned on receipt; one is unfit; one has to be dissolved again, which the customer consents to.
    codes = list(Sample.objects.filter(job_id=pk).order_by("position").values_list("code", flat=True))
    there = now + timedelta(days=2)
    for code in codes:
        sample_steps.take(wang, [sample_steps.find(wang, code).pk], SampleStep.RECEIVE, there)
    sample_steps.take(wang, [sample_steps.find(wang, codes[3]).pk], SampleStep.FIND_UNFIT, there, "The vial broke.")
    extra = sample_extras.propose(wang, pk, "retest", "Dissolve B again", 5_000, there)
    sample_extras.answer(lin, extra.pk, ExtraEvent.AGREE, there, amount_fen=5_000)
    rest = [sample_steps.find(wang, code).pk for code in codes[:3]]
    for step in (SampleStep.PREPARE, SampleStep.TEST):
        sample_steps.take(wang, rest, step, there + timedelta(days=2))

    # The report, the customer's yes, what is left goes back, the commission is done.
    report = sample_reports.report(wang, pk, Attachment(b"%PDF-1.7 results", "results.pdf"), "", there + timedelta(days=3))
    assert sample_reports.report_file(lin, report.pk)[1] == b"%PDF-1.7 results"
    sample_reports.close(lin, pk, there + timedelta(days=4))
    sample_steps.set_remains(wang, rest, Remains.RETURNED, there + timedelta(days=5))
    sample_steps.note_parcel(wang, pk, Direction.BACK, "SF", "SF2", there + timedelta(days=5))
    sheets.finish(wang, sheet, there + timedelta(days=5))

    job, charge = SampleJob.objects.get(pk=pk), Charge.objects.get(sample_job_id=pk)
    assert (job.state, CommissionSheet.objects.get(pk=sheet).state) == ("closed", "finished")
    assert charge.gross_fen == 3 * 7_000 + 5_000
    assert charge.final_cost_fen == charge.gross_fen - sum(award.total_fen for award in charge.awards.all())

    # In the next month the subsidy stands on a statement, with the samples instead of hours.
    award = Award.objects.filter(charge=charge).earliest("pk")
    payee, version = award.payee_id, award.programme_version_id
    statement = statements.issue(qian, version, payee, date(2026, 11, 1), AFTER_NOVEMBER)
    (line,) = statement.content["lines"]
    assert (line["samples"], line["seconds"], line["awarded_fen"]) == (3, 0, award.total_fen)
    assert (line["gross_fen"], line["eligible_fen"], line["service_way"]) == (26_000, 21_000, "commissioned")
    assert line["reservation"] == {"id": None, "reference": job.reference} and line["sample_job"] == pk
    assert line["excluded"] == [{"reason": "agreed_beyond", "amount_fen": 5_000, "clause": ""}]
    assert job.reference in render_html(statement.content) and render_xlsx(statement.content)[:2] == b"PK"
    wrong = {name: found.violations for name, check in registered().items() if (found := check()).violations}
    assert wrong == {}
