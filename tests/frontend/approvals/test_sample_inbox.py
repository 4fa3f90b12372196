"""The inbox of sample jobs: the same list, keys, report and undo as for times."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from booking.models import SampleJob
from booking.services import decisions, sample_jobs
from instruments.models import User
from tests.booking.samples.conftest import Work, make_item

PAGE = "/approvals/samples/"


@pytest.fixture
def work(cast: Any, programmes: Any, monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work(cast, make_item(cast))
    monkeypatch.setattr(timezone, "now", lambda: made.now)
    return made


@pytest.fixture
def wang(cast: Any, work: Work) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["wang"])
    return client


def states(*jobs: SampleJob) -> list[str]:
    return [SampleJob.objects.get(pk=job.pk).state for job in jobs]


def body(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_first_is_opened_with_its_keys_and_the_others_one_press_away(wang, work):
    first, second = work.ask(hazards="HF"), work.ask()
    page = body(wang.get(PAGE))
    assert f'data-opened="{first.pk}"' in page and "HF" in page
    for key in ("a", "r", "s", "q", "j", "x", "A", "R"):
        assert f'data-key="{key}"' in page, key
    assert f'hx-get="?selected={second.pk}"' in page and f'name="seen-{second.pk}"' in page
    assert f'data-opened="{second.pk}"' in body(wang.get(f"{PAGE}?selected={second.pk}"))


def test_the_inbox_of_times_says_how_many_samples_wait_and_the_other_way_round(wang, work):
    work.ask()
    assert f'href="{PAGE}">Samples (1)</a>' in body(wang.get("/approvals/"))
    assert 'aria-current="true">Samples</a>' in body(wang.get(PAGE))
    assert PAGE in body(wang.get("/samples/board/")) and PAGE in body(wang.get("/"))


def test_accepting_goes_on_to_the_next_and_can_be_taken_back(wang, work):
    first, second = work.ask(), work.ask()
    day = "2026-12-04"
    answer = wang.post(f"/samples/{first.pk}/accept/", {"from": "inbox", "next_id": second.pk, "promised_on": day})
    assert answer.headers["location"] == f"{PAGE}?selected={second.pk}" and states(first) == ["accepted"]
    assert SampleJob.objects.get(pk=first.pk).promised_on.isoformat() == day
    page = body(wang.get(PAGE))
    assert 'data-key="u"' in page and "1 request accepted." in page
    assert 'data-key="u"' not in body(wang.get("/approvals/"))
    answer = wang.post("/approvals/samples/take-back", {"chosen": [first.pk]})
    assert answer.headers["location"] == f"{PAGE}?selected={first.pk}" and states(first) == ["asked"]


def test_from_the_page_of_the_job_one_comes_back_there_with_the_undo(wang, work):
    job = work.ask()
    assert wang.post(f"/samples/{job.pk}/refuse/", {"template": "too_little"}).headers["location"] == f"/samples/{job.pk}/"
    page = body(wang.get(f"/samples/{job.pk}/"))
    assert 'data-key="u"' in page and "too little for this test" in page
    back = wang.post("/approvals/samples/take-back", {"chosen": [job.pk], "from": "detail"})
    assert back.headers["location"] == f"/samples/{job.pk}/" and states(job) == ["asked"]
    assert "Answer taken back by the lab" in body(wang.get(f"/samples/{job.pk}/"))


def test_a_refusal_is_shown_where_the_button_was_pressed_and_keeps_what_was_typed(wang, work):
    job = work.ask()
    answer = wang.post(f"/samples/{job.pk}/accept/", {"from": "inbox", "promised_on": "2026-11-20"})
    assert answer.status_code == 422 and 'value="2026-11-20"' in body(answer) and f'data-opened="{job.pk}"' in body(answer)
    assert 'href="/approvals/" aria-current="page"' in body(answer), "the reader is still in the inbox"
    assert wang.post(f"/samples/{job.pk}/accept/", {"from": "inbox", "promised_on": "soon"}).status_code == 422
    answer = wang.post(f"/samples/{job.pk}/refuse/", {"from": "inbox", "template": "", "reason": " "})
    assert answer.status_code == 422 and states(job) == ["asked"]
    answer = wang.post(f"/samples/{job.pk}/refuse/", {"from": "inbox", "reason": "x" * 1001})
    assert answer.status_code == 422 and states(job) == ["asked"]


def test_many_are_accepted_with_the_days_beside_them_and_what_failed_stays_chosen(wang, work, cast):
    first, gone, last = work.ask(), work.ask(), work.ask()
    sample_jobs.cancel(cast.actor("lin"), gone.pk, "", work.now)
    chosen = {"verdict": "approve", "chosen": [first.pk, gone.pk, last.pk], f"seen-{last.pk}": "2026-12-07/0/0"}
    answer = wang.post("/approvals/samples/decide", chosen)
    page = body(answer)
    assert (
        answer.status_code == 200 and "1 done, 2 not" in page and states(first, gone, last) == ["accepted", "cancelled", "asked"]
    )
    assert f'<a href="/samples/{gone.pk}/">' in page and f'value="{last.pk}" checked' in page
    chosen = {"verdict": "approve", "chosen": [last.pk], f"seen-{last.pk}": "2026-12-07//"}
    assert wang.post("/approvals/samples/decide", chosen).status_code == 302
    assert SampleJob.objects.get(pk=last.pk).promised_on.isoformat() == "2026-12-07"


def test_many_are_refused_with_one_reason_in_the_language_of_each(wang, work, cast):
    jobs = [work.ask(), work.ask()]
    ids = [job.pk for job in jobs]
    assert wang.post("/approvals/samples/decide", {"verdict": "reject", "chosen": ids}).status_code == 422
    assert states(*jobs) == ["asked", "asked"]
    User.objects.filter(pk=cast.users["lin"].pk).update(language="zh-hans")
    answer = wang.post("/approvals/samples/decide", {"verdict": "reject", "chosen": ids, "template": "hazardous"})
    assert answer.status_code == 302 and states(*jobs) == ["refused", "refused"]
    reason = jobs[0].steps.get(action="refuse").reason
    assert reason and not reason.isascii()
    assert decisions.tell_due(work.now) == 0


def test_it_is_for_managers_of_the_lab(work, cast):
    job = work.ask()
    for name in ("lin", "he", "li"):
        client = Client()
        client.force_login(cast.users[name])
        assert client.get(PAGE).status_code == 403
        for path in ("decide", "take-back"):
            assert client.post(f"{PAGE}{path}", {"chosen": [job.pk], "verdict": "approve"}).status_code == 403
    assert states(job) == ["asked"]


def test_the_list_asks_as_often_for_many_as_for_one(wang, work, django_assert_max_num_queries):
    work.ask()
    wang.get(PAGE)
    counted = []
    for more in (0, 4):
        for _ in range(more):
            work.ask()
        with django_assert_max_num_queries(60) as queries:
            wang.get(PAGE)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_a_question_leads_on_to_the_next_job(wang, work, cast):
    job, following = work.ask(), work.ask()
    way = f"?sample_job={job.pk}&inbox=samples&next_id={following.pk}&page=1"
    asked = {"organisation": cast.firm.pk, "subject": "Salts", "text": "How wet?", "key": "0b0c0d0e-0000-4000-8000-000000000001"}
    answer = wang.post(f"/enquiries/new/{way}", asked)
    assert answer.status_code == 302 and answer.headers["location"] == f"{PAGE}?selected={following.pk}"
    assert "awaited" in body(wang.get(PAGE)) and states(job) == ["asked"]


def test_what_a_colleague_answered_meanwhile_is_said_by_name_and_lends_nothing_to_the_job_that_is_open_now(wang, work, cast):
    gone, other = work.ask(), work.ask()
    sample_jobs.cancel(cast.actor("lin"), gone.pk, "", work.now)
    answer = wang.post(f"/samples/{gone.pk}/accept/", {"from": "inbox", "promised_on": "2026-12-24"})
    page = body(answer)
    assert answer.status_code == 422 and f"<li>{gone.reference}: " in page and f'data-opened="{other.pk}"' in page
    assert "2026-12-24" not in page
    page = body(wang.post(f"/samples/{gone.pk}/refuse/", {"from": "inbox", "template": "too_little", "reason": "Two grams"}))
    assert f"<li>{gone.reference}: " in page and "Two grams" not in page and 'value="too_little" checked' not in page
    sample_jobs.cancel(cast.actor("lin"), other.pk, "", work.now)
    page = body(wang.post(f"/samples/{gone.pk}/accept/", {"from": "inbox"}))
    assert f"<li>{gone.reference}: " in page and "All done" in page
