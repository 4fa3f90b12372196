"""What is given to whoever assists is asked with what the session takes, and all that is in the way is in the way still."""

from __future__ import annotations

import pytest

from booking.models import InstrumentPolicy
from booking.queries import assistants as queries
from booking.queries.unassisted import proposals, unassisted
from booking.services import assisting_all
from config.kernel.errors import Refusal
from tests.booking.assisting.test_assisting import Lab, codes, lab
from tests.booking.bringing.conftest import preview, take_in

__all__ = ["lab", "preview", "take_in"]
HEAD = "Booking id,E-mail,Instrument,Start,End,Way of service\n"
BROUGHT = (
    "B1,lin@example.org,X-ray diffractometer,2026-12-02 09:00,2026-12-02 11:00,assisted\n"
    "B2,lin@example.org,X-ray diffractometer,2026-12-02 11:00,2026-12-02 13:00,assisted\n"
)


def test_brought_sessions_that_follow_each_other_are_given_to_one_person_though_the_lab_keeps_time_between(
    lab: Lab, cast, take_in
):
    InstrumentPolicy.objects.update_or_create(
        instrument=cast.xrd, defaults={"buffer_before_minutes": 15, "buffer_after_minutes": 15}
    )
    take_in(BROUGHT, head=HEAD)
    hu = lab.name("hu", cast.xrd)
    rows = proposals(list(unassisted(lab.wang, cast.now)), cast.now)
    assert [one.helper and one.helper.id for one in rows] == [hu.pk, hu.pk]
    sessions = [one.reservation for one in rows]
    pairs = [(one.pk, hu.pk) for one in sessions]
    with pytest.raises(Refusal) as refused:  # never the last one of two in silence
        assisting_all.give_all(lab.wang, [*pairs, pairs[0]], cast.now)
    assert codes(refused) == ["assistant.given_twice"] and lab.who(*sessions) == [None, None]
    assert assisting_all.give_all(lab.wang, pairs, cast.now) == 2
    assert lab.who(*sessions) == [("Hu", True), ("Hu", True)]
    assert [(one.is_chosen, one.can) for each in sessions for one in queries.choices(each, cast.now)] == [(True, True)] * 2
