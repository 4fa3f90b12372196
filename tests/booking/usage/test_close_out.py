"""Report, tests done again, and the quality grade that somebody else confirms where money depends on it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.settlement.models import Award, Charge
from booking.models import CloseOut
from booking.services import close_out, usage_review
from booking.services.close_out import Closing
from config.kernel.errors import Forbidden, Refusal
from tests.booking.usage.conftest import codes, state, wrong

DAY = timedelta(days=1)


@pytest.fixture
def refunded(cast, programmes):
    """The firm as one that gets the later refund, which depends on the grade."""
    from instruments.models import Organisation

    Organisation.objects.filter(pk=cast.firm.pk).update(staff_count=400, annual_revenue_fen=90_000_000_00)
    cast.firm.refresh_from_db()
    return cast


def test_a_report_is_in_time_or_not_once_its_day_is_known(cast, over):
    reservation = over(9, 12)
    now = reservation.ends_at + 5 * DAY
    written = close_out.close(cast.actor("wang"), reservation.pk, Closing(date(2026, 11, 28), None, 1, "again"), now)
    assert written.on_time is None
    written = close_out.close(cast.actor("wang"), reservation.pk, Closing(date(2026, 11, 28), date(2026, 11, 29)), now)
    assert (written.on_time, written.retests) == (False, 0)
    assert close_out.close(cast.actor("wang"), reservation.pk, Closing(date(2026, 11, 29), date(2026, 11, 29)), now).on_time


@pytest.mark.parametrize(
    ("closing", "code"),
    [
        (Closing(grade="E"), "close_out.grade_unknown"),
        (Closing(retests=-1), "close_out.retests"),
        (Closing(reported_on=date(2026, 11, 27)), "close_out.reported_in_future"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(cast, over, closing, code):
    reservation = over(9, 12)
    with pytest.raises(Refusal) as refused:
        close_out.close(cast.actor("wang"), reservation.pk, closing, reservation.ends_at)
    assert codes(refused) == {code} and refused.value.reasons[0].field
    assert not CloseOut.objects.exists()


def test_only_the_lab_closes_and_only_what_is_over(cast, running, over):
    reservation = over(9, 12)
    with pytest.raises(Refusal) as refused:
        close_out.close(cast.actor("wang"), running(14, 15).pk, Closing(), cast.now)
    assert codes(refused) == {"close_out.not_over"}
    for name in ("lin", "li", "qian"):
        with pytest.raises(Forbidden):
            close_out.close(cast.actor(name), reservation.pk, Closing(), cast.now)


def test_a_grade_on_which_money_depends_is_confirmed_by_a_second_person_before_the_charge(refunded, over, second):
    cast, reservation = refunded, over(9, 12)
    at = reservation.ends_at
    close_out.close(cast.actor("wang"), reservation.pk, Closing(grade="C"), at)
    with pytest.raises(Refusal) as refused:
        usage_review.agree(cast.actor("lin"), reservation.pk, at)
    assert codes(refused) == {"close_out.confirm_first"}
    assert state(reservation) == "completed"
    usage_review.remind_due(at + 6 * DAY)
    assert usage_review.agree_due(at + 7 * DAY) == 0, "time waits for the second pair of eyes too"
    with pytest.raises(Refusal) as refused:
        close_out.confirm_grade(cast.actor("wang"), reservation.pk, at)
    assert codes(refused) == {"close_out.second_person"}
    close_out.confirm_grade(second, reservation.pk, at)
    assert usage_review.agree(cast.actor("lin"), reservation.pk, at)
    charge = Charge.objects.get()
    # 1,200.00, half of it is 600.00, times 0.7 for grade C, and 1,000.00 for the first use, within the cost
    assert {each["facts"]["quality"]["grade"] for each in charge.inputs["candidates"]} == {"C"}
    assert charge.refunded_fen == Award.objects.get(mode="refunded_later").total_fen
    assert wrong() == {}
    with pytest.raises(Refusal) as refused:
        close_out.close(cast.actor("wang"), reservation.pk, Closing(grade="A"), at)
    assert codes(refused) == {"close_out.grade_fixed"}


def test_a_changed_grade_is_confirmed_anew(cast, over, second):
    reservation = over(9, 12)
    close_out.close(cast.actor("wang"), reservation.pk, Closing(grade="B"), reservation.ends_at)
    close_out.confirm_grade(second, reservation.pk, reservation.ends_at)
    close_out.close(cast.actor("wang"), reservation.pk, Closing(grade="B", retests=2), reservation.ends_at)
    assert CloseOut.objects.get().confirmed_at is not None
    close_out.close(cast.actor("wang"), reservation.pk, Closing(grade="A"), reservation.ends_at)
    assert CloseOut.objects.get().confirmed_at is None


def test_where_no_money_depends_on_it_nobody_has_to_confirm(cast, over):
    reservation = over(9, 12)
    close_out.close(cast.actor("wang"), reservation.pk, Closing(grade="D"), reservation.ends_at)
    assert usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at)
