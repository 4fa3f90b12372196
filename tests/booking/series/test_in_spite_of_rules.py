"""The lab's managers ask for a series, or for several instruments, in spite of the rules of their lab: one reason for all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.settlement import series_figures, together_figures
from booking.models import Reservation
from booking.services import policies, series, together
from booking.services.policies import Scope
from booking.services.together import Bundle, Place
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden
from config.kernel.models import AuditEntry
from instruments.models import Instrument, Membership, Organisation
from instruments.services import catalogue
from tests.concurrency.world import add_instrument
from tests.heads import with_head

WHY = "Beam time was lost"


@pytest.fixture
def wang(cast):
    """The lab's manager, whose lab lets nobody book longer than two hours."""
    actor = cast.actor("wang")
    policies.say(actor, Scope(cast.lab.pk), {"max_minutes": 120}, cast.now)
    return actor


@pytest.fixture
def own(cast, wish):
    return replace(wish(), organisation_id=cast.lab.pk)


def told(reservation_ids) -> list[tuple[str, list[str] | None]]:
    """What the history of each says of its request, as the audit does."""
    found = []
    for one in Reservation.objects.filter(pk__in=reservation_ids).order_by("pk"):
        step = one.transitions.get(action="request")
        audited = AuditEntry.objects.get(action="reservation.request", object_id=str(one.pk))
        assert (audited.reason, audited.after.get("passed_over")) == (step.reason, step.passed_over)
        found.append((step.reason, step.passed_over))
    return found


def test_every_time_of_a_series_is_booked_with_the_reason_and_says_what_was_passed_over(cast, wang, own, programmes):
    with_head(cast)
    assert not series_figures.report(wang, own, cast.now).is_possible
    shown = series_figures.report(wang, replace(own, override_reason=WHY), cast.now)
    verdicts = [one.row.verdict for one in shown.rows]
    assert shown.is_possible and [[each.code for each in one.passed_over] for one in verdicts] == [["booking.too_long"]] * 3
    with pytest.raises(Conflict):
        series.ask(wang, own, shown.picks(), cast.now, idempotency_key="without")
    made = series.ask(wang, replace(own, override_reason=f" {WHY} "), shown.picks(), cast.now, idempotency_key="k1")
    assert told(made.reservation_ids) == [(WHY, ["booking.too_long"])] * 3


def test_a_closed_or_taken_time_of_a_series_stays_so(cast, wang, own, slot, programmes):
    with_head(cast)
    night = replace(own, rule=replace(own.rule, starts=own.rule.starts.replace(hour=21), ends=own.rule.ends.replace(hour=23)))
    rows = series_figures.report(wang, replace(night, override_reason=WHY), cast.now).rows
    assert [[one.code for one in row.row.verdict.reasons] for row in rows] == [["booking.outside_opening_hours"]] * 3


def test_others_than_the_labs_managers_pass_over_nothing(cast, wang, wish, programmes):
    lin, asked = cast.actor("lin"), replace(wish(hours=2), override_reason=WHY)
    with pytest.raises(Forbidden):
        series_figures.report(lin, asked, cast.now)
    picks = series_figures.report(lin, wish(hours=2), cast.now).picks()
    with pytest.raises(Forbidden):
        series.ask(lin, asked, picks, cast.now, idempotency_key="k1")
    assert not Reservation.objects.exists()


def test_one_reason_passes_over_the_rules_of_ones_own_lab_alone(cast, wang, slot, programmes):
    with_head(cast)
    sem = add_instrument(cast, "Electron microscope")
    places = (Place(cast.xrd.pk, slot(9, 12), "self_operated"), Place(sem.pk, slot(12, 15), "self_operated"))
    bundle = Bundle(cast.lab.pk, places, override_reason=WHY)
    assert not together_figures.report(wang, replace(bundle, override_reason=""), cast.now).is_possible
    assert together_figures.report(wang, bundle, cast.now).is_possible
    other = Organisation.objects.create(
        kind="owner", name="Zangbo Institute", status="verified", verified_at=cast.now, name_key="zangbo", created_at=cast.now
    )
    Membership.objects.create(user=cast.users["sun"], organisation=other, role=Role.LAB_MANAGER, created_at=cast.now)
    Instrument.objects.filter(pk=sem.pk).update(organisation=other)
    catalogue.refresh_instruments([sem.pk], cast.now)
    policies.say(cast.actor("sun"), Scope(other.pk), {"max_minutes": 120}, cast.now)
    first, second = together_figures.report(wang, bundle, cast.now).rows
    assert first.is_possible and [one.code for one in second.row.verdict.reasons] == ["booking.too_long"]
    with pytest.raises(Conflict):
        together.ask(wang, bundle, cast.now, idempotency_key="k1")
    short = replace(bundle, places=(places[0], replace(places[1], during=slot(12, 14))))
    made = together.ask(wang, short, cast.now, idempotency_key="k2")
    assert told([pk for pk, _state in made.reservations]) == [(WHY, ["booking.too_long"]), ("", None)]
    with pytest.raises(Forbidden):
        together_figures.report(cast.actor("lin"), replace(short, organisation_id=cast.firm.pk), cast.now)
