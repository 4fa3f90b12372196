"""Samples of an institution's own people on a fund card: the form, the leader's inbox, the job's page, the slip."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from billing.models import InternalSlip
from booking.models import LeaderApproval, SampleJob
from instruments.models import Resource
from instruments.services import research_groups
from tests.booking.samples.conftest import Work, make_item
from tests.frontend.acting import as_, clock, words
from tests.spending import Spenders, build_spenders

__all__ = ["as_", "clock"]


@pytest.fixture
def spenders(cast: Any) -> Spenders:
    return build_spenders(cast)


@pytest.fixture
def item(cast: Any) -> Resource:
    return make_item(cast)


def typed(spenders: Spenders, samples: int = 3, **changes: Any) -> dict[str, Any]:
    return {
        "key": str(uuid4()),
        "organisation": spenders.cast.lab.pk,
        "samples": samples,
        "arrive_on": "2026-11-25",
        "remains_wish": "return",
        "fund_card": spenders.card.pk,
        **changes,
    }


def test_the_form_offers_the_persons_cards_with_one_total_and_who_agrees_first(spenders, item, as_):
    quote = reverse("sample_quote", args=[item.pk])
    page = words(as_("ma").get(quote, typed(spenders, 7), headers={"HX-Request": "true"}))
    assert "NSF-1 · Lithium from brine · ¥1,000.00 left" in page and "NSF-1: ¥440.00 left after this" in page
    assert "Gao agrees first" in page and "Total internal charge ¥560.00" in page
    assert "Pay now" not in page and "Final cost" not in page
    assert "NSF-1" not in words(as_("tan").get(quote, typed(spenders), headers={"HX-Request": "true"}))


def test_a_card_that_is_needed_or_not_ones_own_is_asked_for_again(spenders, item, as_, cast):
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    address = reverse("sample_create", args=[item.pk])
    for card in ("", "no number", "999999"):
        refused = as_("ma").post(address, typed(spenders, fund_card=card))
        assert (refused.status_code, SampleJob.objects.count()) == (422, 0), card
        assert 'value="3"' in refused.content.decode()
    assert as_("ma").post(address, typed(spenders)).status_code == 302
    assert SampleJob.objects.get().fund_card == spenders.card


def test_the_leader_answers_and_the_lab_and_the_sender_see_what_is_waited_for(spenders, item, as_, cast):
    as_("ma").post(reverse("sample_create", args=[item.pk]), typed(spenders, 7))
    job, row = SampleJob.objects.get(), LeaderApproval.objects.get()
    page = reverse("sample_job", args=[job.pk])
    lab = words(as_("wang").get(page))
    assert "Awaiting leader" in lab and "Accept the job" not in lab and "NSF-1" in lab
    assert "Awaiting leader" in words(as_("ma").get(page))
    inbox = words(as_("gao").get(reverse("leader_inbox")))
    assert "Agree to ¥560.00" in inbox and "7 samples" in inbox and "¥440.00 left after this" in inbox
    agreed = words(as_("gao").post(reverse("leader_agree", args=[row.pk]), follow=True))
    assert "Agreed. Now the lab decides." in agreed and "Answered last" in agreed
    assert "Accept the job" in words(as_("wang").get(page)) and "Gao agreed to ¥560.00" in words(as_("ma").get(page))


def test_the_leader_declines_with_a_reason(spenders, item, as_):
    as_("ma").post(reverse("sample_create", args=[item.pk]), typed(spenders, 7))
    row = LeaderApproval.objects.get()
    assert as_("gao").post(reverse("leader_decline", args=[row.pk]), {"reason": " "}).status_code == 422
    assert as_("gao").post(reverse("leader_decline", args=[row.pk]), {"reason": "Later"}).status_code == 302
    assert "Later" in words(as_("ma").get(reverse("sample_job", args=[SampleJob.objects.get().pk])))


def test_the_slip_of_a_job_names_the_test_and_the_samples(spenders, item, as_, cast):
    work = Work(cast, item)
    job = work.accept(work.ask(3, "ma", cast.lab, fund_card_id=spenders.card.pk))
    extra = work.propose(job, 20_00)
    work.answer(extra, "agree", "ma")
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.report(job)
    work.close(job, "ma")
    slip = InternalSlip.objects.get()
    page = words(as_("ma").get(reverse("slip_detail", args=[slip.pk])))
    assert "Test item Li in brine" in page and "3 × ¥80.00 / sample" in page and "Dissolve again" in page and "¥260.00" in page
    assert slip.number in words(as_("ma").get(reverse("sample_job", args=[job.pk])))
    month = as_("li").get(reverse("slip_list"))
    assert job.reference in words(month) and month.status_code == 200
    table = as_("li").get(reverse("slip_file") + "?month=2026-11").content.decode("utf-8-sig").splitlines()
    assert job.reference in table[1] and ",0.00,260.00,260.00,0.00," in table[1]


def test_who_does_not_spend_from_the_card_reads_why_and_may_only_decline(spenders, item, as_, cast):
    work = Work(cast, item)
    job = work.accept(work.ask(2, "ma", cast.lab, fund_card_id=spenders.card.pk))
    extra = work.propose(job, 50_00)
    address = reverse("sample_job", args=[job.pk])
    page = words(as_("tan").get(address))
    assert "you do not spend from it today. Ask Gao" in page and "Decline" in page and "Agree to ¥50.00" not in page
    yes = reverse("sample_extra_answer", args=[extra.pk, "agree"])
    assert as_("tan").post(yes, {"amount_fen": 50_00}).status_code == 403
    assert "Agree to ¥50.00" in words(as_("ma").get(address))
    assert as_("ma").post(yes, {"amount_fen": 50_00}).status_code == 302
