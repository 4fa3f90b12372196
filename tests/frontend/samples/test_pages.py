"""The pages of sample jobs: what is refused keeps what was typed, lists ask as often for many as for one, each side sees its own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from booking.models import Sample, SampleJob, SessionRating
from frontend import display
from instruments.models import Membership, TestItem, User
from tests.booking.samples.conftest import Work, commissioned, make_item
from tests.price_publishing import publish_confirmed


@pytest.fixture
def work(cast: Any, programmes: Any, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    return Work(cast, make_item(cast))


@pytest.fixture
def visit(cast: Any, work: Work) -> Any:
    def make(name: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(cast.users[name])
        return client

    return make


def wish(cast: Any, **more: Any) -> dict[str, Any]:
    return {
        "organisation": cast.firm.pk,
        "samples": "2",
        "arrive_on": "2026-11-25",
        "names": "",
        "hazards": "",
        "note": "",
        "remains_wish": "return",
        "key": "0b0c0d0e-0000-4000-8000-000000000001",
        **more,
    }


def test_price_subsidy_and_promise_stand_beside_the_form_and_are_what_is_asked_for(cast, work, visit):
    address = f"/samples/new/{work.item.pk}/"
    page = visit("lin").get(f"{address}?samples=12").content.decode()
    assert 'value="12"' in page and 'name="expected_final_cost_fen"' in page and "2026-12-0" in page
    other = visit("lin").post(address, wish(cast, expected_payable_now_fen="1", expected_final_cost_fen="1"))
    assert other.status_code == 409 and not SampleJob.objects.exists()
    made = visit("lin").post(address, wish(cast))
    assert made.status_code == 302 and SampleJob.objects.get().sample_count == 2


def test_what_is_refused_keeps_what_was_typed(cast, work, visit):
    page = visit("lin").post(f"/samples/new/{work.item.pk}/", wish(cast, names="Brine 1\nBrine 2\nBrine 3", note="Sour"))
    assert page.status_code == 422
    assert all(words in page.content.decode() for words in ("Brine 3", "Sour", "There are 3 names for 2 samples"))
    job = work.accept(work.ask())
    extra = {"kind": "retest", "words": "Dissolve again", "amount": "0"}
    page = visit("wang").post(f"/samples/{job.pk}/extras/", extra)
    assert page.status_code == 422 and 'value="Dissolve again"' in page.content.decode()
    sample = Sample.objects.filter(job=job).first()
    page = visit("wang").post(f"/samples/{job.pk}/steps/", {"samples": [sample.pk], "step": "lose", "reason": ""})
    assert page.status_code == 422 and f'value="{sample.pk}" checked' in page.content.decode()


def test_lists_and_board_ask_as_often_for_many_as_for_one(work, visit, django_assert_max_num_queries):
    work.accept(work.ask(1))
    lin, wang = visit("lin"), visit("wang")
    for client, path in ((lin, "/samples/"), (wang, "/samples/board/"), (wang, "/samples/all/")):
        client.get(path)
    counted = {}
    for client, path in ((lin, "/samples/"), (wang, "/samples/board/"), (wang, "/samples/all/")):
        with django_assert_max_num_queries(40) as queries:
            client.get(path)
        counted[path] = len(queries)
    for _ in range(4):
        work.accept(work.ask(1))
    for client, path in ((lin, "/samples/"), (wang, "/samples/board/"), (wang, "/samples/all/")):
        with django_assert_max_num_queries(counted[path]):
            assert client.get(path).status_code == 200


def test_the_last_day_there_is_is_an_answer_and_no_failure(cast, work, visit):
    address = f"/samples/new/{work.item.pk}/"
    page = visit("lin").post(address, wish(cast, arrive_on="9999-12-31"))
    assert (
        page.status_code == 422
        and "Choose a day between" in page.content.decode()
        and 'value="9999-12-31"' in page.content.decode()
    )
    quote = f"/samples/new/{work.item.pk}/quote/"
    typed = {"samples": 2, "arrive_on": "9999-12-31"}
    part = visit("lin").get(quote, typed, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "Choose a day between" in part.content.decode()


def test_the_step_that_ends_a_job_is_asked_for_twice(cast, work, visit):
    job = work.accept(work.ask(1))
    sample, wang = Sample.objects.get(job=job), visit("wang")
    typed = {"samples": [sample.pk], "step": "lose", "reason": "Never came."}
    page = wang.post(f"/samples/{job.pk}/steps/", typed).content.decode()
    assert 'name="ends_job"' in page and 'value="Never came."' in page and f'value="{sample.pk}" checked' in page
    page = wang.post(f"/samples/at/{sample.code}/step/", {"step": "lose", "reason": "Never came."}).content.decode()
    assert 'name="ends_job"' in page and "Never came.</textarea>" in page
    assert wang.post(f"/samples/{job.pk}/steps/", {**typed, "ends_job": "1"}).status_code == 302
    assert work.again(job).state == "failed"
    assert "Never came." in visit("lin").get(f"/samples/{job.pk}/").content.decode().split('id="samples"')[1]


def test_labels_come_fifty_to_a_page_and_samples_are_sent_where_there_is_a_price(cast, work, visit):
    job = work.accept(work.ask(51))
    pages = [visit("lin").get(f"/samples/{job.pk}/labels/?page={page}").content.decode() for page in (1, 2)]
    assert [page.count('class="sample-label"') for page in pages] == [50, 1]
    TestItem.objects.get(pk=work.item.pk).instruments.add(cast.xrd)
    sent_for = f"/samples/new/{work.item.pk}/"
    assert sent_for in visit("lin").get(f"/instruments/{cast.xrd.pk}/").content.decode()
    on = date(2026, 11, 23)
    publish_confirmed(cast.actor("wang"), work.item, "sample", None, {}, on, cast.now, on)
    assert sent_for not in visit("lin").get(f"/instruments/{cast.xrd.pk}/").content.decode()


def test_each_side_is_offered_what_it_may_do(work, visit):
    job = work.ask()
    lin, wang, wu = (visit(name).get(f"/samples/{job.pk}/").content.decode() for name in ("lin", "wang", "wu"))
    assert "Accept the job" in wang and "Accept the job" not in lin
    assert "Cancel the job" in lin and "Refuse the job" in wang
    assert "Accept the job" not in wu and "Cancel the job" not in wu
    assert visit("he").get(f"/samples/{job.pk}/").status_code == 404


def test_a_code_is_shown_to_its_two_sides_alone(work, visit):
    job = work.accept(work.ask())
    sample = Sample.objects.filter(job=job).first()
    assert "What was done?" in visit("wang").get(f"/samples/at/{sample.code}/").content.decode()
    assert "What was done?" not in visit("lin").get(f"/samples/at/{sample.code}/").content.decode()
    assert visit("he").get(f"/samples/at/{sample.code}/").status_code == 404
    assert Client().get(f"/samples/at/{sample.code}/").status_code == 302
    labels = visit("lin").get(f"/samples/{job.pk}/labels/").content.decode()
    assert labels.count("<svg") >= 3 and sample.label in labels and "style=" not in labels.split("sample-labels")[1]


def test_work_is_offered_from_the_day_on_which_the_samples_were_expected_and_that_day_is_named(work, visit):
    job = work.step(work.accept(work.ask(2)), "receive")
    sample = Sample.objects.filter(job=job).first()
    paths = {f"/samples/at/{sample.code}/": 'name="step" value="{}"', f"/samples/{job.pk}/": '<option value="{}"'}
    for path, offer in paths.items():
        page = visit("wang").get(path).content.decode()
        assert "Prepare and test from" in page and 'datetime="2026-11-25"' in page.partition("Prepare and test from")[2][:60]
        assert [offer.format(step) in page for step in ("prepare", "test", "lose", "take_back")] == [False, False, True, True]
    assert "Prepare and test from" not in visit("lin").get(f"/samples/{job.pk}/").content.decode()
    work.cast.now = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # midnight at the lab
    for path, offer in paths.items():
        page = visit("wang").get(path).content.decode()
        assert "Prepare and test from" not in page and all(offer.format(step) in page for step in ("prepare", "test"))


def test_a_dearer_commission_is_shown_with_its_figures_before_it_is_linked(cast, work, visit):
    job, sheet, lin = work.ask(), commissioned(cast, work.item, 9_000), visit("lin")
    path = f"/samples/{job.pk}/commission/"
    refused = lin.post(path, {"sheet": sheet})
    page = refused.content.decode()
    assert refused.status_code == 409 and "Check them and confirm again" in page and f'value="{sheet}" selected' in page
    seen = dict(re.findall(r'name="(expected_payable_now_fen|expected_final_cost_fen)" value="(\d+)"', page))
    assert lin.post(path, {"sheet": sheet, **seen}).status_code == 302
    assert str(job.quotes.latest("revision").final_cost_fen) == seen["expected_final_cost_fen"]


def test_what_was_agreed_beyond_the_price_is_added_to_what_the_job_costs(work, visit):
    job = work.accept(work.ask())
    extra = work.propose(job, amount_fen=5_000)
    work.answer(extra, "agree")
    final = job.quotes.latest("revision").final_cost_fen + 5_000
    page = visit("lin").get(f"/samples/{job.pk}/").content.decode()
    assert f"{display.yuan(final)}" in page.partition("Final cost with them")[2][:200]
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.close(work.report(job))
    page = visit("lin").get(f"/samples/{job.pk}/").content.decode()
    assert "Price with agreed charges" in page and "Final cost with them" not in page


def test_a_test_priced_by_the_hour_offers_its_commission_and_takes_its_price(cast, work, visit):
    hourly = make_item(cast, "hour")
    address, detail = f"/samples/new/{hourly.pk}/", f"/resources/{hourly.pk}/"
    assert f'href="{address}' not in visit("lin").get(detail).content.decode()
    sheet = commissioned(cast, hourly, 70_00)
    assert f'href="{address}' in visit("lin").get(detail).content.decode()
    plain = visit("lin").get(address).content.decode()
    assert "Ask the lab for a quotation that counts samples" in plain and 'name="sheet"' in plain
    assert f'href="/enquiries/new/?resource={hourly.pk}&amp;about=price"' in plain
    asked_for = visit("lin").get(f"/enquiries/new/?resource={hourly.pk}&about=price").content.decode()
    assert 'value="What does it cost?"' in asked_for
    chosen = visit("lin").get(f"{address}?samples=2&sheet={sheet}").content.decode()
    assert "¥140.00" in chosen and f'<option value="{sheet}" selected>' in chosen
    asked = visit("lin").post(address, wish(cast, sheet=str(sheet)))
    assert asked.status_code == 302 and SampleJob.objects.get().commission.sheet_id == sheet
    refused = visit("lin").post(address, wish(cast, samples="90", sheet=str(sheet), key="0b0c0d0e-0000-4000-8000-000000000002"))
    assert refused.status_code == 422 and f'<option value="{sheet}" selected>' in refused.content.decode()


def test_the_lab_grades_a_job_a_colleague_confirms_and_the_customer_rates_it(cast, work, visit):
    colleague = User.objects.create(email="ma@example.org", full_name="Ma", password="!", language="en")
    Membership.objects.create(user=colleague, organisation=cast.lab, role="lab_manager", created_at=cast.now)
    cast.users["ma"] = colleague
    job = work.reported()
    address = f"/samples/{job.pk}/"
    page = visit("wang").post(f"{address}close-out/", {"grade": "E", "note": "Neat"})
    assert page.status_code == 422 and 'value="Neat"' in page.content.decode()
    assert visit("wang").post(f"{address}close-out/", {"grade": "B", "note": "Neat"}).status_code == 302
    assert "confirm-grade" not in visit("wang").get(address).content.decode()
    assert "confirm-grade" in visit("ma").get(address).content.decode()
    assert visit("ma").post(f"{address}confirm-grade/").status_code == 302
    page = visit("lin").get(address).content.decode()
    assert "Grade confirmed" in page and "First report" in page and "Record the quality" not in page
    work.close(job)
    assert 'name="stars"' in visit("lin").get(address).content.decode()
    page = visit("lin").post(f"{address}rate/", {"comment": "Fast"})
    assert page.status_code == 422 and ">Fast</textarea>" in page.content.decode()
    assert visit("lin").post(f"{address}rate/", {"stars": "5", "comment": "Fast"}).status_code == 302
    for who, forms in (("lin", False), ("wang", True)):
        page = visit(who).get(f"/resources/{work.item.pk}/").content.decode()
        assert "Fast" in page and ("Send the answer" in page) is forms
    rating = SessionRating.objects.get()
    refused = visit("wang").post(f"/ratings/{rating.pk}/answer/", {"answer": " "})
    assert refused.status_code == 422 and "Write something" in refused.content.decode()
    answered = visit("wang").post(f"/ratings/{rating.pk}/answer/", {"answer": "Thank you"})
    assert answered.headers["Location"] == f"/resources/{work.item.pk}/#ratings"
