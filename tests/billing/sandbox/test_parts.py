"""Commissioned tests and vouchers in a trial: the version that was in force gives in it what it gave."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing.firms.services import partners
from billing.firms.services.partners import Partner
from billing.sandbox.services import reading, running
from billing.sandbox.services.running import Asked
from billing.settlement.models import Award, Charge
from billing.subsidy import drafts
from billing.subsidy.models import ProgrammeVersion
from billing.vouchers.services import holding
from booking.models import CloseOut
from config.kernel.errors import NotFound, Refusal
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, PDF, Desk, desk, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import Cast, programme_document, slot_of

__all__ = ["desk", "published"]
pytestmark = pytest.mark.django_db
DAYS = {"first_on": date(2026, 11, 1), "last_on": date(2026, 12, 31)}


def commissioned(cast: Cast, samples: int = 3, **more: Any) -> Charge:
    """A commissioned test of the firm, from the question to the charge."""
    work = Work(cast, make_item(cast))
    job = work.close(work.reported(samples, **more))
    return Charge.objects.get(sample_job=job)


def trial(cast: Cast, version: Any, **changes: Any) -> dict[str, Any]:
    run = running.start(cast.actor("chen"), Asked(**(DAYS | {"version_id": version.pk} | changes)), cast.now)
    running.work(run.pk, cast.now)
    run.refresh_from_db()
    assert run.done_sessions == run.total_sessions == run.result["totals"]["tried"]["sessions"]
    result: dict[str, Any] = run.result
    return result


def given(version: Any) -> int:
    return sum(Award.objects.filter(programme_version=version).values_list("total_fen", flat=True))


def test_a_commissioned_test_gets_in_a_trial_what_it_got(cast, programmes):
    Life(cast).whole(slot_of(9, 11))
    charge = commissioned(cast, 3)
    version = programmes["DEMO-QH-V"]
    result = trial(cast, version)
    sessions, tests = result["parts"]
    assert (tests["sessions"], tests["gross_fen"]) == (1, charge.gross_fen)
    assert tests["cost_fen"] == Award.objects.get(charge=charge, programme_version=version).total_fen > 0
    assert sessions["cost_fen"] + tests["cost_fen"] == given(version) == result["totals"]["tried"]["cost_fen"]
    assert result["months"][0]["tests_fen"] == tests["cost_fen"]
    assert sum(each["sessions"] for each in result["owners"]) == 2


def test_what_was_agreed_beside_the_price_of_a_test_is_not_subsidised(cast, programmes):
    work = Work(cast, make_item(cast))
    job = work.accept(work.ask(3))
    work.come(job)
    work.step(job, "receive")
    work.answer(work.propose(job, 50_00), "agree")
    work.step(job, "test")
    work.report(job)
    charge = Charge.objects.get(sample_job=work.close(job))
    assert charge.gross_fen == 3 * 80_00 + 50_00
    result = trial(cast, programmes["DEMO-QH-V"])
    assert result["parts"][1]["gross_fen"] == 3 * 80_00 and result["totals"]["tried"]["cost_fen"] == given(
        programmes["DEMO-QH-V"]
    )


def test_a_test_counts_on_the_day_of_its_samples(cast, programmes):
    commissioned(cast, arrive_on=date(2026, 11, 25))
    for first, last, count in ((25, 25, 1), (24, 24, 0), (26, 30, 0)):
        days = {"first_on": date(2026, 11, first), "last_on": date(2026, 11, last)}
        assert trial(cast, programmes["DEMO-QH-V"], **days)["parts"][1]["sessions"] == count


def test_a_test_that_no_programme_was_tried_for_is_tried_with_todays_facts(cast, published):
    commissioned(cast)
    only = programme_document("DEMO-QH-V")
    only["gates"].append({"type": "service_kind", "clause": "1", "any_of": ["testing"]})
    version = published(only | {"examples": []})
    assert trial(cast, version)["parts"][1]["cost_fen"] == 3 * 80_00 * 40 // 100


def test_a_lab_that_tests_for_itself_is_left_out(cast, programmes):
    from tests.spending import build_spenders

    card = build_spenders(cast).card
    work = Work(cast, make_item(cast))
    job = work.accept(work.ask(3, "ma", cast.lab, fund_card_id=card.pk))
    work.come(job)
    for step in ("receive", "test"):
        work.step(job, step)
    work.report(job)
    work.close(job, "ma")
    assert trial(cast, programmes["DEMO-QH-V"])["totals"]["tried"]["sessions"] == 0


def test_pieces_hold_sessions_and_tests_in_the_order_of_their_charges(cast, programmes, monkeypatch):
    life = Life(cast)
    life.whole(slot_of(9, 11))
    commissioned(cast)
    life.whole(slot_of(13, 15))
    whole = [row.samples for piece in reading.Reader(**DAYS).pieces(0) for row in piece.rows]
    assert whole == [0, 3, 0]
    monkeypatch.setattr(reading, "PIECE", 1)
    assert [row.samples for piece in reading.Reader(**DAYS).pieces(0) for row in piece.rows] == whole
    first = min(Charge.objects.values_list("pk", flat=True))
    assert [row.samples for piece in reading.Reader(**DAYS).pieces(first) for row in piece.rows] == whole[1:]


def graded(cast: Cast, grade: str, **of: Any) -> None:
    """The grade of a service, given by one person and confirmed by another."""
    wang, li = cast.users["wang"], cast.users["li"]
    CloseOut.objects.update_or_create(
        **of,
        defaults={
            "grade": grade,
            "graded_by": wang,
            "graded_at": cast.now,
            "confirmed_by": li,
            "confirmed_at": cast.now,
            "updated_at": cast.now,
        },
    )


def test_the_grade_that_a_session_has_counts_as_when_it_is_charged(cast, published):
    document = programme_document("DEMO-QH-V") | {"examples": []}
    factors = {"A": "1", "B": "0.9", "C": "0.7", "D": "0"}
    document["adjustments"] = [{"type": "quality_factor", "factors": factors, "assume": "A", "clause": "5"}]
    version, life = published(document), Life(cast)
    booked = [life.approve(life.ask(slot)) for slot in (slot_of(9, 11), slot_of(13, 15))]
    graded(cast, "C", reservation=booked[0])
    charges = [life.use(each) for each in booked]
    promised = [320_00 * (100 if cast.lab.quality_grade in ("", "A") else 90) // 100] * 2
    assert [each.deducted_fen for each in charges] == [224_00, promised[1]]
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == given(version) == 224_00 + promised[1]
    graded(cast, "D", reservation=booked[1])
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == 224_00, "the grade that it has now"
    CloseOut.objects.update(confirmed_by=None, confirmed_at=None)
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == sum(promised), "one that nobody confirmed counts for nothing"


def test_the_grade_of_a_commissioned_test_counts_too(cast, published):
    charge = commissioned(cast)
    document = programme_document("DEMO-QH-V") | {"examples": []}
    document["adjustments"] = [
        {"type": "quality_factor", "factors": {"A": "1", "B": "1", "C": "0.5"}, "assume": "A", "clause": "5"}
    ]
    version = published(document)
    whole = trial(cast, version)["totals"]["tried"]["cost_fen"]
    graded(cast, "C", sample_job=charge.sample_job)
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] * 2 == whole > 0


def of_vouchers(desk: Desk) -> Any:
    return ProgrammeVersion.objects.get(programme__code=CODE)


def test_vouchers_give_in_a_trial_what_they_gave(desk):
    life = Life(desk.cast)
    desk.issued(400_00, life_days=30)
    desk.issued(100_00, life_days=10)
    for slot in (slot_of(9, 11), slot_of(13, 15), slot_of(16, 17)):
        life.whole(slot)
    commissioned(desk.cast)
    version = of_vouchers(desk)
    result = trial(desk.cast, version, against_id=version.pk)
    assert result["totals"]["tried"]["cost_fen"] == given(version) == 500_00
    assert result["totals"]["tried"]["subsidised_sessions"] == Award.objects.filter(total_fen__gt=0).count()
    drawn = {"count": 2, "holders": 1, "worth_fen": 500_00, "uses": 2, "drawn_fen": 500_00, "homes_fen": 0}
    assert result["vouchers"] == {"tried": drawn, "against": drawn}
    assert result["steps"]["cap_up"]["cost_fen"] == 600_00 and result["steps"]["cap_down"]["cost_fen"] == 400_00


def test_a_draft_under_the_code_has_the_vouchers_and_one_under_another_has_none(desk):
    life = Life(desk.cast)
    desk.issued(100_00)
    life.whole(slot_of(9, 11))
    document = of_vouchers(desk).document
    rate = {**document["rate"], "rate": "0.1"}
    costs = []
    for code in (CODE, "DEMO-QH-OTHER"):
        draft = drafts.start(desk.cast.actor("chen"), document | {"code": code, "rate": rate}, desk.cast.now)
        result = trial(desk.cast, of_vouchers(desk), version_id=None, draft_id=draft.pk)
        costs.append((result["totals"]["tried"]["cost_fen"], result["vouchers"]["tried"]["count"]))
    assert costs == [(80_00, 1), (80_00, 0)]


def test_a_draft_under_a_new_code_is_tried_with_the_vouchers_of_another_where_the_officer_says_so(desk):
    life = Life(desk.cast)
    desk.issued(100_00)
    life.whole(slot_of(9, 11))
    version = of_vouchers(desk)
    caps = [{**version.document["caps"][0], "id": "other"}]
    draft = drafts.start(desk.cast.actor("chen"), version.document | {"code": "DEMO-QH-OTHER", "caps": caps}, desk.cast.now)
    asked = {"version_id": None, "draft_id": draft.pk, "against_id": version.pk}
    alone = trial(desk.cast, version, **asked)
    with_them = trial(desk.cast, version, **asked, vouchers_of_id=version.programme_id)
    assert [each["totals"]["tried"]["cost_fen"] for each in (alone, with_them)] == [320_00, 100_00]
    assert [each["totals"]["against"]["cost_fen"] for each in (alone, with_them)] == [100_00, 100_00]
    drawn = {"count": 1, "holders": 1, "worth_fen": 100_00, "uses": 1, "drawn_fen": 100_00, "homes_fen": 0}
    assert with_them["vouchers"]["tried"] == drawn and alone["vouchers"]["tried"]["count"] == 0
    assert with_them["steps"]["cap_up"]["cost_fen"] == 120_00


def test_a_rule_without_a_limit_per_voucher_borrows_none_and_one_that_is_not_there_is_not_found(desk, programmes):
    version = programmes["DEMO-QH-V"]
    with pytest.raises(Refusal) as refused:
        trial(desk.cast, version, vouchers_of_id=of_vouchers(desk).programme_id)
    assert [(each.code, each.field) for each in refused.value.reasons] == [("sandbox.no_vouchers_asked", "vouchers_of")]
    with pytest.raises(NotFound):
        trial(desk.cast, of_vouchers(desk), vouchers_of_id=0)


def test_a_voucher_that_was_given_back_counts_up_to_the_day_before(desk):
    made = desk.issued(500_00)
    later = desk.cast.now + timedelta(days=3)
    holding.give_back(desk.cast.actor("zhao"), made.pk, later)
    ends = {
        until: reading.vouchers_of([CODE], until)[CODE]["voucher"][desk.cast.firm.pk][0].valid_to
        for until in (desk.cast.now, later)
    }
    assert ends == {desk.cast.now: made.valid_to, later: date(2026, 11, 25)}
    assert reading.vouchers_of([CODE], desk.cast.now - timedelta(days=1)) == {}


def test_what_a_home_region_pays_is_told_apart(desk):
    cast = desk.cast
    region = partners.keep_region(
        cast.actor("chen"),
        Partner("310000", "CN-310000", "Shanghai", "", "redeem", date(2026, 1, 1), None, "Agreement 7"),
        cast.now,
    )
    days = date(2026, 1, 1), date(2026, 12, 31)
    wanted = holding.Recognised(region.pk, "CN-310000/SH/1", CODE, "voucher", 100_00, *days, PDF)
    holding.recognise(cast.actor("chen"), cast.firm.pk, wanted, cast.now)
    desk.issued(500_00)
    Life(cast).whole(slot_of(9, 11))
    result = trial(cast, of_vouchers(desk), budget_fen=300_00)
    assert result["totals"]["tried"] | {"cost_fen": 320_00, "homes_fen": 100_00} == result["totals"]["tried"]
    assert result["months"][0]["spent_fen"] == 220_00
