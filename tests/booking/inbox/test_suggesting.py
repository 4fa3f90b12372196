"""The lab suggests up to three times, the customer takes one of them, and the others are free again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking import queries
from booking.models import Occupancy, Reservation, ReservationChange
from booking.queries import inbox as inbox_queries
from booking.rules.changes import ChangeState
from booking.services import changes, transitions
from booking.services.changes import ChangeRequest
from config.kernel.errors import Conflict, NotFound, Refusal
from tests.booking.usage.conftest import wrong
from tests.mailbox import mails


@pytest.fixture
def suggested(cast, ask, slot):
    """A request for 9 to 12 for which the lab suggested 13, 15 and 17 o'clock; (its id, the proposal)."""
    pk = ask(9, 12)
    times = (slot(13, 15), slot(15, 17))
    asked = ChangeRequest(pk, slot(12, 14), reason="The lamp is changed.", others=times)
    changed = changes.change(cast.actor("wang"), asked, cast.now, idempotency_key="s")
    return pk, ReservationChange.objects.get(pk=changed.change_id)


def kept(pk: int) -> int:
    return Occupancy.objects.filter(reservation_id=pk, source="change").count()


def test_every_suggested_time_is_kept_and_the_news_names_them(cast, suggested, ask):
    pk, change = suggested
    assert change.state == "open" and kept(pk) == 3 and wrong() == {}
    for hours in ((13, 14), (16, 17)):
        with pytest.raises(Conflict):
            ask(*hours, who="he")
    text = next(one["text"] for one in mails() if one["to"] == ["lin@example.org"])
    assert "12:00" in text and "13:00" in text and "15:00" in text and "The lamp is changed." in text


def test_the_one_that_is_taken_is_approved_and_the_others_are_free(cast, programmes, suggested, slot, ask):
    pk, change = suggested
    taken = change.others.get(starts_at=slot(15, 17).starts_at)
    changes.accept(cast.actor("lin"), change.pk, cast.now, other_id=taken.pk)
    row = Reservation.objects.get(pk=pk)
    assert (row.state, row.during) == ("approved", slot(15, 17)) and kept(pk) == 0 and wrong() == {}
    change.refresh_from_db()
    assert (change.state, change.during) == ("made", slot(15, 17))
    assert ask(9, 14, who="he")


def test_a_time_of_another_proposal_is_none_and_a_time_is_taken_once(cast, suggested, ask):
    _pk, change = suggested
    with pytest.raises(NotFound):
        changes.accept(cast.actor("lin"), change.pk, cast.now, other_id=999_999)
    other = change.others.first().pk
    changes.accept(cast.actor("lin"), change.pk, cast.now)
    with pytest.raises(Refusal):
        changes.accept(cast.actor("lin"), change.pk, cast.now, other_id=other)


def test_what_no_lab_can_pass_over_is_asked_again_when_a_time_is_taken(cast, suggested):
    pk, change = suggested
    cast.xrd.status = "repair"
    cast.xrd.save()
    with pytest.raises(Refusal, match=r"booking\.instrument_unavailable"):
        changes.accept(cast.actor("lin"), change.pk, cast.now)
    assert Reservation.objects.get(pk=pk).state == "requested"


def test_declined_lapsed_or_answered_otherwise_nothing_stays_kept(cast, suggested):
    pk, change = suggested
    changes.refuse(cast.actor("lin"), change.pk, cast.now, "None of them.")
    assert kept(pk) == 0 and Reservation.objects.get(pk=pk).state == "requested" and wrong() == {}


def test_a_proposal_lapses_with_its_request_and_not_with_its_first_time(cast, ask, slot):
    pk = ask(14, 16)
    asked = ChangeRequest(pk, slot(9, 11), reason="Earlier?", others=(slot(16, 18),))
    changes.change(cast.actor("wang"), asked, cast.now, idempotency_key="s")
    assert changes.lapse_due(slot(9, 11).ends_at) == 0
    transitions.expire_due(slot(14, 16).starts_at)
    assert ReservationChange.objects.get().state == ChangeState.LAPSED and kept(pk) == 0


def test_only_the_lab_suggests_several_and_never_more_than_three(cast, ask, slot):
    pk = ask(9, 10)
    times = tuple(slot(hour, hour + 1) for hour in (11, 12, 13))
    for who, code in (("lin", "change.one_time"), ("wang", "change.too_many_times")):
        asked = ChangeRequest(pk, slot(10, 11), reason="Why not.", others=times)
        with pytest.raises(Refusal, match=code):
            changes.change(cast.actor(who), asked, cast.now, idempotency_key=who)


def test_a_request_whose_customer_is_asked_is_not_overdue(cast, suggested):
    (row,) = inbox_queries.inbox(cast.actor("wang"), cast.now + timedelta(hours=30)).rows
    assert row.suggested and row.age.overdue and not row.overdue


def test_the_times_on_offer_are_the_nearest_that_are_free(cast, ask, slot):
    ask(11, 12)
    row = Reservation.objects.select_related("instrument").get(pk=ask(9, 11))
    found = queries.free_instead(cast.actor("wang"), row, cast.now, 3)
    assert slot(12, 14) in found and slot(9, 11) not in found and len(found) == 3
