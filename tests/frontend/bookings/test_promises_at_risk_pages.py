"""An outage and the promised results it puts at risk: shown before it is said, moved in the same form, refused with what was typed."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from booking.models import Downtime, SampleJob
from instruments.models import Notice, TestItem
from tests.booking.samples.conftest import Work, make_item
from tests.frontend.acting import words

BROKEN = {"kind": "breakdown", "ends_local": "2026-11-30T18:00", "note": "Tube", "words": "Sorry!"}


@pytest.fixture
def job(cast, programmes):
    """Five samples, promised for Monday the 30th."""
    work = Work(cast, make_item(cast))
    TestItem.objects.get(pk=work.item.pk).instruments.add(cast.xrd)
    return work.accept(work.ask(5))


@pytest.fixture
def wang(as_):
    return as_("wang")


def address(cast) -> str:
    return reverse("instrument_maintenance", args=[cast.xrd.pk])


def promised(job) -> str:
    return SampleJob.objects.get(pk=job.pk).promised_on.isoformat()


def test_they_are_shown_first_and_one_press_moves_them_with_the_outage(cast, wang, job):
    form = BROKEN | {"key": str(uuid4())}
    shown = wang.post(address(cast), form | {"action": "check"})
    page = shown.content.decode()
    assert "Promised results at risk" in words(shown) and "That day lies in the outage." in words(shown)
    assert f'name="promise_{job.pk}" value="keep" checked' in page
    assert f'name="promised_on_{job.pk}" value="2026-12-01"' in page
    done = wang.post(
        address(cast), form | {"jobs": [job.pk], f"promise_{job.pk}": "move", f"promised_on_{job.pk}": "2026-12-02"}, follow=True
    )
    assert "1 promised day is moved, and the customer told." in words(done)
    assert promised(job) == "2026-12-02" and "Promised results at risk" not in words(done)
    assert "Sorry!" in Notice.objects.get(event="sample_job.promise_moved").params["reason"]
    again = wang.get(reverse("sample_job", args=[job.pk]))
    assert "The lab promised the result for a later day" in words(again)


def test_who_keeps_them_moves_them_later_on_the_outages_page_and_a_refusal_says_why(cast, wang, job):
    wang.post(address(cast), BROKEN | {"key": str(uuid4()), "jobs": [job.pk], f"promise_{job.pk}": "keep"})
    outage = reverse("downtime_detail", args=[Downtime.objects.get().pk])
    assert promised(job) == "2026-11-30" and "Promised results at risk" in words(wang.get(outage))
    decide = reverse("downtime_decide", args=[Downtime.objects.get().pk])
    sooner = {"jobs": [job.pk], f"promise_{job.pk}": "move", f"promised_on_{job.pk}": "2026-11-27"}
    refused = wang.post(decide, sooner, follow=True)
    assert "A promised day is moved to a later one only." in words(refused) and promised(job) == "2026-11-30"
    for typed in ("", "tomorrow", "2026-13-01"):
        unread = wang.post(decide, sooner | {f"promised_on_{job.pk}": typed})
        assert unread.status_code == 422 and "Give the day as year, month and day" in words(unread)
        assert f'name="promise_{job.pk}" value="move" checked' in unread.content.decode()
    moved = wang.post(decide, sooner | {f"promised_on_{job.pk}": "2026-12-01"}, follow=True)
    assert "1 promised day is moved" in words(moved) and "dealt with" not in words(moved)
    assert promised(job) == "2026-12-01"


def test_a_day_that_cannot_be_read_stops_nothing_half_way(cast, wang, job):
    asked = BROKEN | {"key": str(uuid4()), "jobs": [job.pk], f"promise_{job.pk}": "move", f"promised_on_{job.pk}": "x"}
    unread = wang.post(address(cast), asked)
    assert unread.status_code == 422 and not Downtime.objects.exists()
    assert f'name="promise_{job.pk}" value="move" checked' in unread.content.decode() and "Sorry!" in unread.content.decode()


def test_another_labs_job_is_not_moved_by_its_number(cast, as_, wang, job, programmes):
    wang.post(address(cast), BROKEN | {"key": str(uuid4())})
    decide = reverse("downtime_decide", args=[Downtime.objects.get().pk])
    sent = {"jobs": [job.pk], f"promise_{job.pk}": "move", f"promised_on_{job.pk}": "2026-12-02"}
    for who in ("lin", "he"):
        assert as_(who).post(decide, sent).status_code in {403, 404}
    assert (
        wang.post(decide, {"jobs": [99999999], "promise_99999999": "move", "promised_on_99999999": "2026-12-02"}).status_code
        == 302
    )
    assert promised(job) == "2026-11-30"


def test_a_refused_day_stays_typed_whichever_form_it_was_sent_with(cast, wang, job):
    sooner = {"jobs": [job.pk], f"promise_{job.pk}": "move", f"promised_on_{job.pk}": "2026-11-26"}
    with_the_outage = wang.post(address(cast), BROKEN | {"key": str(uuid4())} | sooner, follow=True)
    later = wang.post(reverse("downtime_decide", args=[Downtime.objects.get().pk]), sooner, follow=True)
    for refused in (with_the_outage, later):
        page = refused.content.decode()
        assert "A promised day is moved to a later one only." in words(refused)
        assert f'name="promise_{job.pk}" value="move" checked' in page
        assert f'name="promised_on_{job.pk}" value="2026-11-26"' in page
