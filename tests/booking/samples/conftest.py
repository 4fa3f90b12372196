"""A test item of the cast's lab (ten samples a day, three workdays, 80 yuan each), and a job taken through its life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations
from billing.ordering.services.quotations import QuotationInput
from billing.pricing import sample_prices
from booking.models import Sample, SampleExtra, SampleJob
from booking.rules.samples import ExtraEvent, SampleStep
from booking.services import enquiries, sample_extras, sample_jobs, sample_reports, sample_steps
from booking.services.enquiries import Question
from booking.services.enquiry_files import Attachment
from booking.services.sample_jobs import Wish
from instruments.models import Resource
from instruments.services import resources
from tests.conftest import Cast

REPORT = Attachment(b"%PDF-1.7 report", "report.pdf")


@dataclass
class Work:
    """Lin of Gaoyuan asks, Wang of the Kunlun lab works."""

    cast: Cast
    item: Resource

    def __post_init__(self) -> None:
        self._keys = count()
        self.now = self.cast.now

    def ask(self, samples: int = 3, who: str = "lin", firm: Any = None, **more: Any) -> SampleJob:
        fields = {"arrive_on": date(2026, 11, 25), **more}
        wish = Wish(fields.pop("item", self.item).pk, (firm or self.cast.firm).pk, samples, **fields)
        done = sample_jobs.ask(self.cast.actor(who), wish, self.now, idempotency_key=f"s{next(self._keys)}")
        return SampleJob.objects.get(pk=done.pk)

    def accept(self, job: SampleJob, **more: Any) -> SampleJob:
        sample_jobs.accept(self.cast.actor("wang"), job.pk, self.now, **more)
        return self.again(job)

    def step(self, job: SampleJob, step: str, places: Any = None, reason: str = "", who: str = "wang", **more: Any) -> SampleJob:
        rows = Sample.objects.filter(job=job)
        ids = list((rows if places is None else rows.filter(position__in=places)).values_list("pk", flat=True))
        sample_steps.take(self.cast.actor(who), ids, SampleStep(step), self.now, reason, **more)
        return self.again(job)

    def report(self, job: SampleJob) -> SampleJob:
        sample_reports.report(self.cast.actor("wang"), job.pk, REPORT, "", self.now)
        return self.again(job)

    def reported(self, samples: int = 3, **more: Any) -> SampleJob:
        job = self.accept(self.ask(samples, **more))
        self.come(job)
        self.step(job, "receive")
        self.step(job, "test")
        return self.report(job)

    def propose(self, job: SampleJob, amount_fen: int = 5_000) -> SampleExtra:
        return sample_extras.propose(self.cast.actor("wang"), job.pk, "retest", "Dissolve again", amount_fen, self.now)

    def answer(self, extra: SampleExtra, event: str, who: str = "lin", **more: Any) -> SampleExtra:
        return sample_extras.answer(self.cast.actor(who), extra.pk, ExtraEvent(event), self.now, **more)

    def close(self, job: SampleJob, who: str = "lin") -> SampleJob:
        sample_reports.close(self.cast.actor(who), job.pk, self.now)
        return self.again(job)

    def come(self, job: SampleJob) -> None:
        """It is the day on which the samples are expected, unless that has passed."""
        self.now += max(job.arrive_on - sample_jobs.local_day(job.lab_id, self.now), timedelta())

    def later(self, **length: int) -> None:
        self.now += timedelta(**length)

    def again(self, job: SampleJob) -> SampleJob:
        return SampleJob.objects.get(pk=job.pk)


def make_item(cast: Any, unit: str = "sample", **part: Any) -> Resource:
    fields = {"turnaround_days": 3, "daily_capacity": 10, **part}
    item = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", {"name": "Li in brine"}, fields, cast.now)
    resources.set_published(cast.actor("wang"), item.pk, True, cast.now)
    on = date(2026, 11, 23)
    sample_prices.publish_test_price(cast.actor("wang"), item, unit, 8_000, {}, on, cast.now, on)
    return Resource.objects.get(pk=item.pk)


@pytest.fixture
def work(cast: Cast, programmes: Any) -> Work:
    return Work(cast, make_item(cast))


def commissioned(cast: Cast, item: Resource, unit_price_fen: int, quantity: str = "10") -> int:
    """The id of a commission sheet of Lin's with a line for the test item, offered and accepted."""
    lin, wang, now = cast.actor("lin"), cast.actor("wang"), cast.now
    question = Question(cast.firm.pk, "Salts", "Can you measure wet salts?", None, item.pk)
    thread = enquiries.ask(lin, question, (), now, idempotency_key="question").pk
    line = LineInput("test", quantity, item.pk, "", "sample", unit_price_fen)
    offer = QuotationInput("Salts", now.date() + timedelta(days=20), (line,))
    quotation = quotations.draft(wang, thread, offer, now, idempotency_key="offer").pk
    quotations.send(wang, quotation, "Yes.", now)
    return quotations.accept(lin, quotation, None, now, idempotency_key="yes").pk
