"""Every step of a reservation's life has money called, whoever or whatever takes it; and what that call did stands in the ledger."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from billing.ledger.models import Transfer
from booking import ports
from booking.models import Reservation, ReservationTransition
from booking.ports import NOTHING_EXPECTED
from booking.rules.deciding import Verdict
from booking.rules.service_facts import ServiceFacts
from booking.rules.states import Action
from booking.services import (
    changes,
    decisions,
    extending,
    inbox,
    reservations,
    self_service,
    service_facts,
    transitions,
    usage_review,
)
from booking.services.changes import ChangeRequest
from booking.services.inbox import Wish
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from instruments.services import import_runs
from instruments.services.import_runs import Asked
from tests.booking.usage.conftest import wrong

HOUR = timedelta(hours=1)
BROUGHT = (
    b"E-mail,Instrument,Start,End\n"
    b"lin@example.org,X-ray diffractometer,2026-11-27 09:00,2026-11-27 11:00\n"
    b"lin@example.org,X-ray diffractometer,2026-10-27 09:00,2026-10-27 11:00\n"
)
CALLED = {
    "request": "on_request",
    Action.APPROVE: "on_approve",
    Action.COME_LATE: "on_come_late",
    Action.REJECT: "on_release",
    Action.CANCEL: "on_release",
    Action.MARK_NO_SHOW: "on_release",
    Action.EXPIRE: "on_release",
    Action.TAKE_BACK: "on_release",
    Action.UNDO_IMPORT: "on_release",
    Action.MOVE: "on_move",
    Action.CORRECT: "on_correct",
    Action.CHECK_IN: "on_progress",
    Action.CHECK_OUT: "on_progress",
    Action.ASK_ADJUSTMENT: "on_progress",
    Action.REFUSE_ADJUSTMENT: "on_progress",
    Action.DISPUTE: "on_progress",
    Action.EXTEND: "on_extend",
    Action.AGREE: "on_agree",
    Action.ACCEPT_ADJUSTMENT: "on_agree",
    Action.DECIDE: "on_agree",
}


class Noting:
    """The real money, with a note of every call."""

    def __init__(self, real):
        self.real, self.calls = real, []

    def __getattr__(self, name):
        asked = getattr(self.real, name)

        def call(*args, **options):
            if name.startswith("on_"):
                self.calls.append(name)
            return asked(*args, **options)

        return call


@pytest.fixture
def noting():
    real = ports.money()
    noted = Noting(real)
    ports.register_money(noted)
    yield noted
    ports.register_money(real)


@pytest.fixture
def ask(cast, slot):
    def make(first, last):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, last), "assisted")
        pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=str(uuid4())).reservation_id
        return Reservation.objects.get(pk=pk)

    return make


def test_money_is_called_on_every_step_and_nothing_stays_held_at_the_end(cast, programmes, ask, second, noting):
    lin, wang, li, now = cast.actor("lin"), cast.actor("wang"), cast.actor("li"), cast.now

    def approved(first, last):
        one = ask(first, last)
        transitions.approve(wang, one.pk, now)
        return one

    def over(first, last):
        one = approved(first, last)
        transitions.check_in(wang, one.pk, one.starts_at)
        transitions.check_out(wang, one.pk, one.ends_at)
        return one

    hasty = ask(8, 9)
    inbox.decide(wang, hasty.pk, Wish(Verdict.APPROVE), now)
    decisions.take_back(wang, hasty.pk, now)
    transitions.reject(wang, hasty.pk, now, "no")
    transitions.cancel(lin, approved(8, 9).pk, now)
    lapsed = ask(8, 9)
    assert transitions.expire_due(lapsed.starts_at) == 1
    late = approved(9, 10)
    assert transitions.mark_no_shows_due(late.starts_at + HOUR / 2) == 1
    self_service.start(lin, late.pk, [], late.starts_at + HOUR / 2)
    extending.extend(lin, late.pk, late.ends_at + HOUR, NOTHING_EXPECTED, late.starts_at + HOUR / 2)
    self_service.end(lin, late.pk, agrees=True, now=late.ends_at)
    assert usage_review.agree(wang, late.pk, late.ends_at)
    moving = ask(16, 17)
    later = ChangeRequest(moving.pk, TimeRange(moving.starts_at + HOUR, moving.ends_at + HOUR))
    assert changes.change(lin, later, now, idempotency_key="move").state == "made"
    service_facts.correct(lin, moving.pk, ServiceFacts("Crystals"), now)
    transitions.cancel(lin, moving.pk, now)
    accepted, decided = over(12, 13), over(13, 14)
    usage_review.ask_adjustment(lin, accepted.pk, None, "No.", accepted.ends_at)
    usage_review.accept_adjustment(wang, accepted.pk, accepted.ends_at)
    usage_review.ask_adjustment(lin, decided.pk, None, "No.", decided.ends_at)
    usage_review.refuse_adjustment(wang, decided.pk, "Yes.", decided.ends_at)
    usage_review.dispute(lin, decided.pk, "No!", decided.ends_at)
    usage_review.decide(li, decided.pk, "as_measured", "The log says so.", decided.ends_at)

    run = import_runs.start(wang, Asked("bookings", "booking_list", cast.lab.pk), BROUGHT, "brought.csv", now)
    import_runs.work(run.pk, now)
    import_runs.confirm(wang, run.pk, now)
    import_runs.work(run.pk, now)
    import_runs.undo(wang, run.pk, now)
    import_runs.work(run.pk, now)
    run.refresh_from_db()
    assert run.facts["undone"] == 2

    steps = list(ReservationTransition.objects.order_by("pk").values_list("action", flat=True))
    assert set(steps) == set(CALLED) == {"request", *Action}
    assert sorted(noting.calls) == sorted(CALLED[step] for step in steps)
    assert not Transfer.objects.filter(kind="hold", ends__isnull=True).exists()
    assert wrong() == {}
