"""An institution's own samples, paid from a fund card: what the card keeps, what its leader agrees to, and the slip in the end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.cards.accounts import card_key
from billing.ledger.models import Account
from billing.models import InternalSlip
from billing.settlement.models import Quote
from billing.settlement.services import sample_money
from booking.models import LeaderApproval, SampleJob
from booking.queries import samples as queries
from booking.queries import spending as spending_queries
from booking.services import access_lists, leader_answers, sample_decisions, sample_inbox, sample_jobs, sample_lapses
from booking.services.access_lists import Listing
from booking.services.reject_reasons import Why
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from instruments.models import GroupMember, Membership, Notice, SpendingRules
from tests.booking.samples.conftest import Work, make_item
from tests.spending import Spenders, build_spenders


@pytest.fixture
def spenders(cast: Any) -> Spenders:
    return build_spenders(cast)


@pytest.fixture
def work(cast: Any, spenders: Spenders) -> Work:
    """The institute's own test item at 80 yuan a sample; Ma's card has 1,000 yuan and asks Gao above 500."""
    return Work(cast, make_item(cast))


@pytest.fixture
def ask(work: Work, spenders: Spenders) -> Any:
    def call(samples: int = 3, who: str = "ma", **more: Any) -> SampleJob:
        return work.ask(samples, who, work.cast.lab, **{"fund_card_id": spenders.card.pk, **more})

    return call


def money(spenders: Spenders) -> tuple[int, int]:
    account = Account.objects.get(key=card_key(spenders.card.pk))
    return account.held_fen, account.posted_fen


def codes(call: Any, kind: type[Refusal] = Refusal) -> list[str]:
    with pytest.raises(kind) as caught:
        call()
    return [reason.code for reason in caught.value.reasons]


def heard(user: Any) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("event", flat=True))


def sound() -> None:
    checks = [check for name, check in registered().items() if name.startswith(("cards.", "ledger.", "settlement.", "samples."))]
    assert [finding.violations for finding in (check() for check in checks) if finding.violations] == []


def test_the_card_keeps_the_price_from_asking_on_and_pays_what_was_tested(work, ask, spenders):
    job = ask()
    assert money(spenders) == (240_00, 0)
    sound()
    job = work.accept(job)
    assert money(spenders) == (240_00, 0)
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test", places=[1, 2])
    work.step(job, "find_unfit", places=[3], reason="Broken")
    work.report(job)
    work.close(job, "ma")
    assert money(spenders) == (0, 160_00)
    slip = InternalSlip.objects.get()
    assert (slip.total_fen, slip.covered_fen, slip.group, slip.sample_job_id) == (160_00, 160_00, spenders.salt, job.pk)
    assert slip.content["lines"] == [
        {"kind": "samples", "words": "", "unit": "sample", "quantity": 2, "rate_fen": 80_00, "amount_fen": 160_00}
    ]
    sound()


@pytest.mark.parametrize("end", ["cancel", "refuse", "lapse"])
def test_whatever_ends_a_job_gives_its_money_back(work, ask, spenders, end):
    job = ask()
    if end == "cancel":
        sample_jobs.cancel(work.cast.actor("ma"), job.pk, "", work.now)
    elif end == "refuse":
        sample_jobs.refuse(work.cast.actor("wang"), job.pk, "No room", work.now)
    else:
        assert sample_lapses.end_due(work.now + timedelta(days=30)) == 1
    assert money(spenders) == (0, 0)
    sound()


def test_more_than_is_left_is_not_asked_for(ask, spenders):
    ask(6)
    assert codes(lambda: ask(7), Conflict) == ["card.not_enough_left"]
    assert money(spenders) == (480_00, 0) and SampleJob.objects.count() == 1


def test_above_the_threshold_the_lab_hears_of_it_when_the_leader_has_agreed(work, ask, spenders):
    cast, job = work.cast, ask(7)
    row = LeaderApproval.objects.get(sample_job=job)
    assert (row.asked_fen, heard(cast.users["gao"]), heard(cast.users["wang"])) == (560_00, ["sample_job.leader_asked"], [])
    assert codes(lambda: work.accept(job)) == ["card.leader_waits"]
    assert queries.waiting_count(cast.actor("wang")) == 0
    assert list(spending_queries.waiting_for(cast.actor("gao"))) == [row]
    with pytest.raises(Forbidden):
        leader_answers.agree(cast.actor("ma"), row.pk, work.now)
    assert leader_answers.agree(cast.actor("gao"), row.pk, work.now) == "asked"
    assert heard(cast.users["wang"]) == ["sample_job.asked"] and "sample_job.leader_agreed" in heard(cast.users["ma"])
    assert work.accept(job).state == "accepted"
    assert not Notice.objects.filter(event="sample_job.leader_asked", needs_action=True).exists()
    sound()


def test_what_the_leader_declines_is_over_and_its_days_and_money_are_free(work, ask, spenders):
    cast, job = work.cast, ask(7)
    leader_answers.decline(cast.actor("gao"), LeaderApproval.objects.get().pk, work.now, "Not from this card")
    job.refresh_from_db()
    assert (job.state, job.days.count(), money(spenders)) == ("cancelled", 0, (0, 0))
    assert heard(cast.users["ma"]) == ["sample_job.leader_declined"] and heard(cast.users["wang"]) == []
    again = LeaderApproval.objects.get()
    assert codes(lambda: leader_answers.agree(cast.actor("gao"), again.pk, work.now)) == ["card.answered_already"]


def test_what_the_leader_asks_for_needs_nobody(ask):
    ask(7, "gao")
    assert not LeaderApproval.objects.exists()


def test_a_charge_beyond_the_price_is_kept_on_the_card_and_above_the_threshold_the_leader_agrees_to_it(work, ask, spenders):
    job = work.accept(ask(5))
    small, large = work.propose(job, 50_00), work.propose(job, 60_00)
    work.answer(small, "agree", "ma")
    assert money(spenders) == (450_00, 0)
    assert codes(lambda: work.answer(large, "agree", "ma")) == ["card.leader_first"]
    work.answer(large, "agree", "gao")
    assert money(spenders) == (510_00, 0)
    sound()


@pytest.mark.parametrize(("who", "left", "code"), [
    ("ma", False, ""), ("ma", True, "card.not_your_spending"), ("tan", False, "card.not_your_spending"), ("gao", False, ""),
])  # fmt: skip
def test_only_who_spends_from_the_card_says_yes_to_a_charge_and_to_new_figures(work, ask, spenders, who, left, code):
    job = work.accept(ask(2))
    extra = work.propose(job, 50_00)
    new_figures = ask(2)
    Quote.objects.filter(sample_job=new_figures).update(accepted_at=None, accepted_by=None)
    if left:
        GroupMember.objects.filter(user=work.cast.users["ma"]).update(until_on=date(2026, 11, 20))
    acts = [
        lambda: work.answer(extra, "agree", who),
        lambda: sample_money.accept_quote(work.cast.actor(who), new_figures.pk, work.now),
    ]
    for act in acts:
        if code:
            assert codes(act, Forbidden) == [code]
        else:
            act()
    extra.refresh_from_db()
    assert extra.state == ("proposed" if code else "agreed")
    if code:
        work.answer(extra, "decline", who)
    sound()


def test_an_administrator_of_the_customer_says_yes_without_spending_from_the_card(work, ask):
    cast, job = work.cast, work.accept(ask(2))
    extra = work.propose(job, 50_00)
    Membership.objects.create(user=cast.users["tan"], organisation=cast.lab, role=Role.FIRM_ADMIN, created_at=cast.now)
    assert work.answer(extra, "agree", "tan").state == "agreed"


def test_without_a_card_everybody_of_the_customer_says_yes(work, ask):
    job = work.accept(ask(2, fund_card_id=None))
    assert work.answer(work.propose(job, 50_00), "agree", "tan").state == "agreed"


def test_a_charge_that_the_card_cannot_pay_is_not_agreed_to(work, ask, spenders):
    job = work.accept(ask(5, "gao"))
    extra = work.propose(job, 700_00)
    assert codes(lambda: work.answer(extra, "agree", "gao"), Conflict) == ["card.not_enough_left"]
    extra.refresh_from_db()
    assert extra.state == "proposed"


def test_an_institution_that_asks_for_a_card_asks_for_it_with_samples_too(work, ask):
    SpendingRules.objects.create(organisation=work.cast.lab, card_needed=True)
    assert codes(lambda: ask(fund_card_id=None)) == ["card.needed"]


def test_a_card_that_is_not_valid_on_the_day_of_the_work_does_not_pay(work, ask):
    assert codes(lambda: ask(arrive_on=date(2027, 1, 4))) == ["card.not_valid_then"]


def test_somebody_of_another_group_does_not_find_the_card(ask):
    with pytest.raises(NotFound):
        ask(who="tan")


def test_without_a_card_the_slip_says_what_is_open(work, ask):
    job = work.accept(ask(fund_card_id=None))
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.report(job)
    work.close(job, "ma")
    slip = InternalSlip.objects.get()
    assert (slip.total_fen, slip.covered_fen, slip.fund_card) == (240_00, 0, None)


def test_a_question_to_a_leader_is_about_one_thing(work, ask):
    job = ask(7)
    with pytest.raises(IntegrityError), transaction.atomic():
        LeaderApproval.objects.filter(sample_job=job).update(sample_job=None)


@pytest.mark.parametrize(("of", "refused"), [("lab", True), ("instrument", False)])
def test_who_is_on_the_labs_list_sends_no_samples(work, of, refused):
    cast = work.cast
    instrument = {"instrument_id": cast.xrd.pk} if of == "instrument" else {}
    listing = Listing(cast.lab.pk, "deny", "Unpaid bills", "lin@example.org", **instrument)
    access_lists.put_on_list(cast.actor("wang"), listing, work.now)
    if refused:
        assert codes(work.ask) == ["measure.listed"]
    else:
        assert work.ask().state == "asked"


@pytest.mark.parametrize("accepts", [True, False])
def test_an_answer_that_is_taken_back_leaves_the_card_keeping_the_price(work, ask, spenders, accepts):
    job = ask()
    if accepts:
        sample_inbox.accept(work.cast.actor("wang"), job.pk, work.now)
    else:
        sample_inbox.refuse(work.cast.actor("wang"), job.pk, Why("no_capacity"), work.now)
    assert money(spenders) == (240_00 if accepts else 0, 0)
    sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    assert money(spenders) == (240_00, 0) and work.again(job).state == "asked"
    sound()
