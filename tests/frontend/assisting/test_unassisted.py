"""Sessions that were booked before anybody was named: the lab sees them, and gives all of them at once or none."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from booking.models import Occupancy, Reservation
from booking.services import assistants, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from frontend.views import unassisted as views
from instruments.models import Membership, Notice, User
from tests.concurrency.world import add_instrument
from tests.frontend.acting import query_count

FAR = 7  # Wednesday 2 December


@pytest.fixture
def second(cast, programmes):
    """Hu and Ma of the lab, and its second instrument that is used with assistance."""
    for name in ("hu", "ma"):
        cast.users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        Membership.objects.create(user=cast.users[name], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    made = add_instrument(cast, "Second XRD")
    made.service_modes = ["self_operated", "assisted"]
    made.save()
    return made


def test_what_nobody_assists_in_is_proposed_so_that_all_have_somebody_and_given_at_once_or_not_at_all(
    cast, second, slot, as_, monkeypatch
):
    wang, hu, lin = as_("wang"), as_("hu"), as_("lin")
    page, mine, home = reverse("unassisted_list"), reverse("assisting"), reverse("home")

    def booked(first, last, instrument=cast.xrd, mode="assisted"):
        request = ReservationRequest(instrument.pk, cast.firm.pk, slot(first, last, FAR), mode)
        pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=str(uuid4())).reservation_id
        transitions.approve(cast.actor("wang"), pk, cast.now)
        return pk

    first, beside, third = booked(9, 11), booked(10, 12, second), booked(11, 12)
    booked(13, 14, mode="self_operated")
    assert "Somebody assists in every session" in wang.get(page).content.decode() and lin.get(page).status_code == 403
    assert mine not in hu.get(home).content.decode()
    # Both may assist on the first instrument, Hu alone on the second: so that Ma gets the first session, though Hu comes before.
    rows = {
        name: assistants.name(cast.actor("wang"), one.pk, cast.users[name].pk, cast.now).assistant
        for name, one in (("hu", second), ("ma", cast.xrd))
    }
    assistants.name(cast.actor("wang"), cast.xrd.pk, cast.users["hu"].pk, cast.now)
    people = wang.get(reverse("instrument_assistants", args=[cast.xrd.pk])).content.decode()
    assert "In 2 sessions to come nobody assists yet" in people and page in people
    assert page in wang.get(home).content.decode() and mine in hu.get(home).content.decode()
    shown = wang.get(page).content.decode()
    pairs = re.findall(r'name="give" value="(\d+):(\d+)"', shown)
    expected = [(first, rows["ma"].pk), (beside, rows["hu"].pk), (third, rows["ma"].pk)]
    assert [(int(one), int(who)) for one, who in pairs] == expected and "Give 3 sessions as proposed" in shown
    # Somebody was faster with one of them: none is given, and the list is as it is now.
    assistants.choose(cast.actor("wang"), third, rows["ma"].pk, cast.now)
    sent = {"give": [f"{one}:{who}" for one, who in pairs]}
    refused = wang.post(page, sent)
    text = refused.content.decode()
    assert refused.status_code == 409 and Reservation.objects.get(pk=third).reference in text and "Give 2 sessions" in text
    assert Occupancy.objects.filter(source="assistance").count() == 1
    for typed, status in (
        ({}, 422),
        ({"give": "x"}, 404),
        ({"give": ["x", "y"]}, 404),  # not "more than once"
        ({"give": f"{first}:0"}, 404),
        (sent, 409),
        ({"give": [*sent["give"][:2], sent["give"][0]]}, 422),
    ):
        assert wang.post(page, typed).status_code == status
    assert hu.post(page, sent).status_code == 403
    before = query_count(wang, page)
    assert wang.post(page, {"give": sent["give"][:2]}).status_code == 302
    given = Occupancy.objects.filter(source="assistance").values_list("reservation_id", "calendar__assistant")
    assert sorted(given) == sorted(expected)
    assert Notice.objects.filter(event="assist.given", user=cast.users["hu"]).count() == 1
    # Another page of the list was open, and proposes somebody who has been given something else: what is proposed now is shown.
    Occupancy.objects.filter(source="assistance", reservation=first).delete()
    stale = wang.post(page, {"give": f"{first}:{rows['hu'].pk}"})
    text = stale.content.decode()
    assert stale.status_code == 409 and Reservation.objects.get(pk=first).reference in text
    assert "Hu has got something else then since the list was shown" in text and f'value="{first}:{rows["ma"].pk}"' in text
    assert not Occupancy.objects.filter(source="assistance", reservation=first).exists()
    assert wang.post(page, {"give": f"{first}:{rows['ma'].pk}"}).status_code == 302
    # Nobody can any more where all are taken; and the page costs the same however many there are.
    Occupancy.objects.filter(source="assistance").delete()
    for name in ("hu", "ma"):
        assistants.add_absence(cast.actor("wang"), rows[name].pk, slot(8, 13, FAR), "", cast.now)
    assert wang.get(page).content.decode().count("nobody can then") == 3
    assert query_count(wang, page) == before
    # Those nobody can do keep none behind them from being reached and given.
    last = booked(14, 15)
    Occupancy.objects.filter(source="assistance").delete()
    monkeypatch.setattr(views, "PER_PAGE", 2)
    assert "give" not in re.findall(r'name="(\w+)"', wang.get(page).content.decode())
    second_page = f"{page}?page=2"
    shown = wang.get(second_page).content.decode()
    (pair,) = re.findall(r'name="give" value="([\d:]+)"', shown)
    assert pair.startswith(f"{last}:") and f'action="{second_page}"' in shown and 'aria-current="page"' in shown
    given = wang.post(second_page, {"give": pair})
    assert (given.status_code, given["Location"]) == (302, second_page)
    assert Occupancy.objects.get(source="assistance").reservation_id == last
