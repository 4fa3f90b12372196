"""A hold or an offer of a session with assistance keeps somebody's time beside the instrument's, as long as it lasts and no longer."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pgtrigger
import pytest
from django.db import IntegrityError, connection, transaction
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentPolicy, Occupancy, WaitEntry
from booking.ports import NOTHING_EXPECTED
from booking.queries.assistants import choices
from booking.queries.unassisted import proposals, unassisted
from booking.services import assistants, changes, extending, holds, self_service, waiting
from booking.services.context import load
from booking.services.many_times import Look
from booking.services.refusing import refusal_reasons
from booking.services.waiting import Wish
from config.kernel.errors import Conflict, Refusal
from config.kernel.invariants import registered
from tests.booking.assisting.test_assisting import FAR, Lab, codes, lab

__all__ = ["lab"]


def kept() -> list[tuple[str, str]]:
    """Whose time is kept for whom, by name."""
    rows = Occupancy.objects.filter(source="keeping").select_related("calendar__assistant__person", "holder").order_by("pk")
    return [(one.calendar.assistant.person.full_name, one.holder.email.partition("@")[0]) for one in rows]


def test_a_hold_keeps_somebodys_time_until_it_is_booked_given_back_or_over(lab: Lab, cast, slot):
    hu = lab.name("hu", cast.xrd, lab.second)
    lin, he = cast.actor("lin"), cast.actor("he")

    def hold(first, last, mode="assisted", now=cast.now, instrument=cast.xrd):
        return holds.hold(lin, instrument.pk, slot(first, last, FAR), now, cast.firm.pk, mode)

    hold(9, 11)
    hold(9, 10.5)  # renewed: what is held already is in nobody's way who holds it
    assert kept() == [("Hu", "lin")]
    seen = load(lin, cast.xrd.pk, lock=False), lin.user_id, cast.firm, slot(9, 10, FAR), "assisted", cast.now
    assert refusal_reasons(*seen, holder_id=lin.user_id) == []
    assert [one.code for one in refusal_reasons(*seen)] == ["booking.nobody_assists"]
    with pytest.raises(Conflict) as refused:
        lab.ask(10, 11, lab.second, who="he")
    assert codes(refused) == ["booking.nobody_assists_but_then"]
    with pytest.raises(Refusal) as refused:
        holds.hold(he, lab.second.pk, slot(10, 11, FAR), cast.now, cast.other_firm.pk, "assisted")
    assert codes(refused) == ["booking.nobody_assists"]
    holds.hold(he, lab.second.pk, slot(10, 11, FAR), cast.now, cast.other_firm.pk, "self_operated")
    # Away over it: not while it lasts.
    with pytest.raises(Conflict) as refused:
        assistants.add_absence(lab.wang, hu.pk, slot(9, 12, FAR), "", cast.now)
    assert codes(refused) == ["assistant.absence_held"] and refused.value.reasons[0].params["until_at"].endswith("+08:00")
    hold(9, 11, "self_operated")
    assert kept() == []
    hold(9, 11)
    holds.release(lin, cast.xrd.pk)
    assert kept() == []
    hold(9, 11)
    assert lab.who(lab.ask(9, 11)) == [("Hu", True)] and kept() == []
    # What is over keeps nobody, also before the job has taken it away.
    hold(13, 15)
    later = cast.now + timedelta(hours=1)
    assert kept() == [("Hu", "lin")]
    holds.hold(he, lab.second.pk, slot(14, 16, FAR), later, cast.other_firm.pk, "self_operated")
    hold(16, 17, now=later, instrument=lab.second)
    assistants.add_absence(lab.wang, hu.pk, slot(13, 14, FAR), "", later)
    assert kept() == [("Hu", "lin")]
    holds.release_expired(later + timedelta(hours=1))
    assert kept() == [] and not Occupancy.objects.filter(source="hold").exists()


def test_an_expired_hold_elsewhere_gives_its_person_to_whoever_books(lab: Lab, cast, slot):
    alone = lab.approve(lab.ask(16, 17, lab.second))
    hu = lab.name("hu", cast.xrd, lab.second)
    he, lin = cast.actor("he"), cast.actor("lin")

    def expired(first, last):
        holds.hold(lin, cast.xrd.pk, slot(first, last, FAR), cast.now - timedelta(hours=1), cast.firm.pk, "assisted")
        assert kept() == [("Hu", "lin")]

    expired(9, 11)
    assert lab.who(lab.ask(10, 11, lab.second, who="he")) == [("Hu", True)] and kept() == []
    # Who only looks, or holds, is told so too.
    expired(12, 14)
    context, wanted = load(he, lab.second.pk, lock=False), slot(13, 14, FAR)
    assert refusal_reasons(context, he.user_id, cast.other_firm, wanted, "assisted", cast.now) == []
    assert Look(context, he.user_id, cast.other_firm, [wanted], "assisted", cast.now).at(wanted).is_free
    holds.hold(he, lab.second.pk, wanted, cast.now, cast.other_firm.pk, "assisted")
    assert kept() == [("Hu", "he")]
    holds.release(he, lab.second.pk)
    # So is the lab, for a session that has nobody yet.
    expired(16, 18)
    (row,) = proposals(list(unassisted(lab.wang, cast.now)), cast.now)
    assert row.helper is not None and row.helper.id == hu.pk and [one.can for one in choices(alone, cast.now)] == [True]
    assistants.choose(lab.wang, alone.pk, hu.pk, cast.now)
    assert lab.who(alone) == [("Hu", True)] and kept() == []


def test_an_offer_of_the_waiting_list_keeps_somebodys_time_until_it_is_answered(lab: Lab, cast, slot):
    lab.name("hu", cast.xrd, lab.second)
    lin = cast.actor("lin")
    elsewhere = lab.ask(9, 11, lab.second, who="he")
    wish = Wish(cast.xrd.pk, cast.firm.pk, slot(9, 12, FAR), 60, "assisted")
    entry = waiting.join(lin, wish, cast.now)
    assert waiting.offer_free_time(cast.now) == 1
    entry.refresh_from_db()
    assert entry.offered == slot(11, 12, FAR) and kept() == [("Hu", "lin")]
    with pytest.raises(Conflict):
        lab.ask(11, 12, lab.second, who="he")
    waiting.decline(lin, entry.pk, cast.now)
    assert kept() == []
    later = cast.now + timedelta(hours=13)
    assert waiting.offer_free_time(later) == 1 and kept() == [("Hu", "lin")]
    made = waiting.accept(lin, entry.pk, later)
    assert kept() == [] and WaitEntry.objects.get(pk=entry.pk).state == "taken"
    assert Occupancy.objects.filter(reservation=made.reservation_id, source="assistance", blocking=True).count() == 1
    assert lab.who(elsewhere) == [("Hu", True)]


def test_a_longer_session_and_an_early_start_leave_what_the_customer_holds_elsewhere(lab: Lab, cast, slot):
    InstrumentPolicy.objects.create(instrument=lab.second, min_minutes=30, notice_minutes=0)
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=0)
    lab.name("hu", cast.xrd, lab.second)
    lin, minute = cast.actor("lin"), timedelta(minutes=1)
    session = lab.approve(lab.ask(10, 12))
    early = session.starts_at - 35 * minute
    holds.hold(lin, lab.second.pk, slot(9.5, 10, FAR), early, cast.firm.pk, "assisted")
    with pytest.raises(Conflict) as refused:
        self_service.start(lin, session.pk, [], early + minute)
    assert codes(refused) == ["booking.early_not_free"] and kept() == [("Hu", "lin")]
    self_service.start(lin, session.pk, [], session.starts_at)
    now = session.ends_at - 20 * minute
    session.refresh_from_db()
    holds.hold(lin, lab.second.pk, slot(12, 13, FAR), now, cast.firm.pk, "assisted")
    assert extending.extensible(session, now).ends == []
    with pytest.raises(Refusal) as refused:
        extending.extend(lin, session.pk, slot(12, 13, FAR).ends_at, NOTHING_EXPECTED, now)
    assert codes(refused) == ["booking.extension_nothing_free"] and kept() == [("Hu", "lin")]
    # What is held of the instrument itself is in nobody's way who holds it, and goes with the time that is taken.
    holds.release(lin, lab.second.pk)
    holds.hold(lin, cast.xrd.pk, slot(12, 13, FAR), now, cast.firm.pk, "assisted")
    assert kept() == [("Hu", "lin")] and slot(12, 13, FAR).ends_at in extending.extensible(session, now).ends
    extending.extend(lin, session.pk, slot(12, 13, FAR).ends_at, NOTHING_EXPECTED, now)
    assert kept() == [] and lab.who(session) == [("Hu", True)]


def test_the_database_keeps_a_persons_time_with_the_hold_and_not_longer(lab: Lab, cast, slot):
    """The guards by themselves, whoever writes; each with what happens without it."""
    hu = lab.name("hu", cast.xrd, lab.second)
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11, FAR), cast.now, cast.firm.pk, "assisted")
    hold, keeping = Occupancy.objects.get(source="hold"), Occupancy.objects.get(source="keeping")
    like = {name: getattr(keeping, name) for name in ("calendar_id", "holder_id", "held_since", "expires_at")}
    beside = TimestamptzRange(slot(13, 14, FAR).starts_at, slot(13, 14, FAR).ends_at)
    for name, fields in (
        ("occupancy_no_overlap", like | {"during": keeping.during, "source": "absence", "holder_id": None, "expires_at": None}),
        ("occupancy_keeping_once", like | {"during": beside, "source": "keeping", "beside_id": hold.pk}),
        ("occupancy_keeping_beside", like | {"during": beside, "source": "keeping"}),
        (
            "occupancy_keeping_beside",
            {"calendar_id": hu.calendar_id, "during": beside, "source": "absence", "beside_id": hold.pk},
        ),
        ("occupancy_hold_complete", like | {"during": beside, "source": "keeping", "holder_id": None, "beside_id": keeping.pk}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Occupancy.objects.create(**fields)
    with transaction.atomic():
        Occupancy.objects.filter(pk=keeping.pk).update(during=beside)
        assert len(registered()["booking.assistance_follows_bookings"]().violations) == 1
        transaction.set_rollback(True)
    with pytest.raises(IntegrityError, match="beside_id"), transaction.atomic():  # control: it would be left behind
        with pgtrigger.ignore("booking.Occupancy:keeping_ends_with_hold"):
            Occupancy.objects.filter(pk=hold.pk).delete()
        assert kept() == [("Hu", "lin")]
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM booking_occupancy WHERE id = %s", [hold.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert kept() == []


def proposed() -> list[tuple[str, int, int]]:
    """Whose time proposals keep, from which hour until which."""
    rows = Occupancy.objects.filter(source="change", calendar__assistant__isnull=False).order_by("during")
    zone = ZoneInfo("Asia/Shanghai")
    return [
        (one.calendar.assistant.person.full_name, *(end.astimezone(zone).hour for end in (one.during.lower, one.during.upper)))
        for one in rows.select_related("calendar__assistant__person")
    ]


def test_a_proposal_to_move_keeps_somebodys_time_until_it_is_answered(lab: Lab, cast, slot):
    lab.name("hu", cast.xrd, lab.second)
    lin, one = cast.actor("lin"), lab.approve(lab.ask(9, 11))
    first = lab.move(one, 10, 12, agreed=False)
    assert first.state == "open" and proposed() == [("Hu", 11, 12)]  # beside what Hu has of it already
    with pytest.raises(Conflict) as refused:
        lab.ask(11, 12, lab.second, who="he")
    assert codes(refused) == ["booking.nobody_assists_but_then"]
    changes.accept(lin, first.change_id, cast.now)
    assert lab.who(one) == [("Hu", True)] and proposed() == []
    second = lab.move(one, 15, 17, agreed=False)
    assert proposed() == [("Hu", 15, 17)]
    changes.refuse(lin, second.change_id, cast.now, "No")
    assert proposed() == [] and lab.who(lab.ask(15, 16, lab.second, who="he")) == [("Hu", True)]
    # Where the own person cannot, another's time is kept; and the new person's, where the session is given to somebody else meanwhile.
    ma = lab.name("ma", cast.xrd)
    third = lab.move(one, 15, 17, agreed=False, others=(slot(11, 13, FAR),))
    assert proposed() == [("Hu", 12, 13), ("Ma", 15, 17)]
    assistants.choose(lab.wang, one.pk, ma.pk, cast.now)
    assert proposed() == [("Ma", 12, 13), ("Ma", 15, 17)]
    changes.accept(lin, third.change_id, cast.now)
    assert lab.who(one) == [("Ma", True)] and proposed() == []


@pytest.mark.parametrize("named", [True, False])
def test_a_request_that_keeps_nobody_out_is_approved_where_it_is_beside_an_open_suggestion(lab: Lab, cast, slot, named):
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"pending_blocks": False})
    cast.xrd.refresh_from_db()
    if named:
        lab.name("hu", cast.xrd, lab.second)
    one = lab.ask(9, 11)
    assert lab.move(one, 10, 12, agreed=False).state == "open"
    lab.approve(one)
    assert lab.who(one) == [("Hu", True) if named else None]
    assert not Occupancy.objects.filter(source="change").exists()
