"""A registry file does not retire what is booked still."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict
from config.kernel.messages import reason_sentence
from instruments.models import Instrument
from instruments.rules.registry_map import parse_map
from instruments.services.registry_import import ImportRequest, import_registry

PLAN = parse_map({"fields": {"inner_id": {"column": "no"}, "name": {"column": "name"}, "status": {"column": "state"}}})


@pytest.fixture
def booked(cast, slot):
    Instrument.objects.filter(pk=cast.xrd.pk).update(inner_id="X1")
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 12), "assisted")
    return reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id


def take(cast, state="retired", **options):
    text = f"no,name,state\nX1,{cast.xrd.name},{state}\nX2,New one,normal\n"
    request = ImportRequest(text.encode(), "list.csv", PLAN, cast.lab.pk, **options)
    return import_registry(cast.actor("wang"), request, cast.now)


def status(cast):
    return Instrument.objects.values_list("status", flat=True).get(pk=cast.xrd.pk)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_row_says_what_how_many_and_what_to_do_and_nothing_is_written(cast, booked, dry_run):
    report = take(cast, dry_run=dry_run)
    (row,) = [each for each in report.rows if each.fate == "refused"]
    (reason,) = row.reasons
    assert (row.line, reason.code, reason.field) == (2, "import.booked_ahead", "status")
    assert reason.params == {"name": cast.xrd.name, "count": 1}
    with override("en"):
        assert f"{cast.xrd.name} has 1 bookings or requests ahead" in reason_sentence(reason)
    assert not report.written and status(cast) == "normal" and not Instrument.objects.filter(inner_id="X2").exists()


def test_once_nothing_lies_ahead_the_same_file_retires_it(cast, booked):
    transitions.cancel(cast.actor("wang"), booked, cast.now, "It goes.")
    assert take(cast).written and status(cast) == "retired"
    assert Instrument.objects.filter(inner_id="X2").exists()


def test_another_state_and_a_retired_one_that_stays_so_are_taken(cast, booked):
    assert take(cast, "under_repair").written and status(cast) == "under_repair"
    Instrument.objects.filter(pk=cast.xrd.pk).update(status="retired")
    assert take(cast).written


def test_what_was_booked_after_the_preview_is_seen(cast, booked, slot):
    transitions.cancel(cast.actor("wang"), booked, cast.now, "It goes.")
    seen = take(cast, dry_run=True)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(13, 14), "assisted")
    reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k2")
    with pytest.raises(Conflict):
        take(cast, expected_digest=seen.digest)
    assert status(cast) == "normal"
