"""Tiers of a year go on from session to session: what stood before counts from the promise on, and what is given up counts no more."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.ledger.services import Source
from billing.settlement import counted, series_figures
from billing.settlement.counted import Settled
from billing.settlement.counted_models import Counted
from billing.settlement.models import Award, Charge, Quote
from billing.settlement.services import moving, quotes
from billing.settlement.services.replaying import replay_charges
from billing.subsidy import services
from billing.subsidy.rules.facts import Before
from billing.subsidy.rules.outcome import Award as AwardOutcome
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.invariants import check
from config.kernel.time_range import TimeRange
from instruments.models import Organisation
from tests.agreeing import check_out_agreed
from tests.conftest import Cast, programme_document, slot_of

HOURS_3 = [{"up_to": 3, "amount": "120"}, {"amount": "60"}]
"""120 yuan for each of the first three hours of an instrument's year, 60 after them."""


def tiered(code: str = "DEMO-QH-TIERS", **changes: Any) -> dict[str, Any]:
    document = programme_document("DEMO-QH-B") | {"code": code, "examples": [], "adjustments": []} | changes
    if "rate" not in changes:
        document["rate"] = document["rate"] | {"tiers": HOURS_3}
    return document


def publish(cast: Cast, document: dict[str, Any]) -> None:
    version = services.draft_version(cast.actor("chen"), document, cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)


def ask(cast: Cast, during: TimeRange) -> int:
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", "lithium salts")
    return reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=f"{during.starts_at:%d%H%M}").reservation_id


def approved(cast: Cast, during: TimeRange) -> int:
    pk = ask(cast, during)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    return pk


def quoted(cast: Cast, during: TimeRange) -> int:
    """What the programme would give now, in fen."""
    return beside(quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, during, cast.now, "", "").assessment)


def beside(assessment: Any) -> int:
    return sum(one.total_fen for one in assessment.outcomes if isinstance(one, AwardOutcome))


def promised(pk: int) -> int:
    """What was promised when the money was held last."""
    result = Quote.objects.filter(reservation_id=pk, held_at__isnull=False).latest("revision").result
    return sum(one["total_fen"] for one in result["outcomes"] if one["outcome"] == "award")


def used(cast: Cast, pk: int, during: TimeRange) -> None:
    transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    check_out_agreed(cast.actor("wang"), pk, during.ends_at)


def standing() -> list[tuple[int, int, int]]:
    rows = Counted.objects.filter(ended_at=None).order_by("source_id")
    return list(rows.values_list("source_id", "minutes", "subsidised_fen"))


def test_each_session_goes_on_where_the_ones_before_it_ended(cast: Cast) -> None:
    publish(cast, tiered())
    waiting = ask(cast, slot_of(9, 11, 1))  # it holds nothing: nobody goes on from it
    first, second = approved(cast, slot_of(9, 11)), approved(cast, slot_of(11, 13))
    assert (promised(first), promised(second)) == (240_00, 120_00 + 60_00)
    assert quoted(cast, slot_of(13, 14)) == 60_00

    # Whoever asked while nothing stood is promised what is left of the first tier when it is approved: nothing.
    transitions.approve(cast.actor("wang"), waiting, cast.now)
    assert promised(waiting) == 120_00
    assert standing() == [(waiting, 120, 120_00), (first, 120, 240_00), (second, 120, 180_00)]


def test_what_is_given_up_counts_no_more_and_what_is_used_counts_as_used(cast: Cast) -> None:
    publish(cast, tiered())
    first, second = approved(cast, slot_of(9, 11)), approved(cast, slot_of(11, 13))
    transitions.cancel(cast.actor("lin"), first, cast.now, "not needed")
    assert quoted(cast, slot_of(14, 16)) == 120_00 + 60_00  # two hours of the second stand

    # It is charged at the place that it had when its money was held, and counts from now on with what is charged.
    before = Counted.objects.get(source_id=second)
    used(cast, second, slot_of(11, 13))
    assert Award.objects.get(charge__reservation_id=second).total_fen == 120_00 + 60_00
    assert standing() == [(second, 120, 180_00)]
    after = Counted.objects.get(source_id=second, ended_at=None)
    assert after.pk != before.pk and (after.subject, after.fee_fen) == (before.subject, before.fee_fen)
    assert quoted(cast, slot_of(14, 16)) == 120_00 + 60_00
    (replayed,) = replay_charges()
    assert (replayed.differences, replayed.problem) == ((), "")
    looked_at, wrong = check("counted.")
    assert (looked_at, wrong) == (1, {})


def test_of_less_use_less_counts_and_of_none_that_is_paid_nothing(cast: Cast) -> None:
    publish(cast, tiered())
    first, second = approved(cast, slot_of(9, 11)), approved(cast, slot_of(11, 13))
    kept = {row.source_id: row for row in Counted.objects.all()}
    (version,) = {row.programme_version_id for row in kept.values()}
    less = {version: Before(fee=50_00, subsidised=120_00, minutes=60, samples=0, awards=1)}
    sources = {pk: Source("reservation", pk, "agree") for pk in (first, second)}
    with CaptureQueriesContext(connection) as statements:
        counted.settle([Settled(sources[first], [version], less), Settled(sources[second], [version], {})], cast.now)
    assert standing() == [(first, 60, 120_00)]
    assert len(statements) == 3
    assert Counted.objects.get(source_id=first, ended_at=None).subject == kept[first].subject


THREE_TIMES: dict[str, Any] = {
    "gates": [
        {
            "type": "condition",
            "clause": "4",
            "when": {"fact": "before.awards", "at_most": 2},
            "says": {"zh": "最多三次", "en": "At most three times"},
        }
    ],
    "rate": {"type": "per_unit", "clause": "4", "amount": "10"},
    "validity": {"first_day": "2026-01-01", "last_day": "2028-12-31", "clause": "1"},
}
EVER = {"id": "ever", "per": "unit_total", "clause": "4", "when_short": "partial"}


@pytest.mark.parametrize("limit", [{"configured": True, "default": "100000"}, "100000"])
def test_three_times_over_all_years_are_counted_under_the_total_of_the_applicant(cast: Cast, limit: Any) -> None:
    publish(cast, tiered(caps=[EVER | {"limit": limit}], **THREE_TIMES))
    times = [slot_of(9, 10), slot_of(10, 11), slot_of(9, 10, 35)]  # the third is in January
    asked = [approved(cast, during) for during in times]
    assert [promised(pk) for pk in asked] == [10_00, 10_00, 10_00]
    assert {row.subject for row in Counted.objects.all()} == {f"unit_total:DEMO-QH-TIERS:ever:{cast.firm.pk}"}
    assert quoted(cast, slot_of(13, 14)) == quoted(cast, slot_of(9, 10, 36)) == 0
    transitions.cancel(cast.actor("lin"), asked[0], cast.now, "not needed")
    assert quoted(cast, slot_of(9, 10, 36)) == 10_00


def test_its_own_promise_is_none_that_came_before_it(cast: Cast) -> None:
    publish(cast, tiered())
    pk = approved(cast, slot_of(9, 12))
    moved = moving.preview(cast.actor("lin"), pk, slot_of(9, 12, 1), cast.now).assessment
    assert beside(moved) == promised(pk) == 360_00


def test_whoever_plays_bookings_through_counts_them_in_memory(cast: Cast) -> None:
    publish(cast, tiered())
    found = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot_of(9, 11), cast.now, "", "")
    earlier = found.prepared.earlier
    series_figures.hold_in_memory(found.prepared, found.assessment, {})
    (subject,) = earlier.counts
    assert earlier.counts[subject] == Before(found.assessment.gross_fen, 120, 0, 1, 240_00)


def test_a_programme_that_does_not_look_before_counts_nothing(cast: Cast) -> None:
    publish(cast, tiered(rate={name: value for name, value in tiered()["rate"].items() if name != "continues"}))
    first, second = approved(cast, slot_of(9, 11)), approved(cast, slot_of(11, 13))
    assert (promised(first), promised(second)) == (240_00, 240_00)
    assert not Counted.objects.exists()


def test_without_a_yearly_cap_nobody_says_whose_year_it_is_and_nothing_is_counted(cast: Cast) -> None:
    publish(cast, tiered(caps=[]))
    first, second = approved(cast, slot_of(9, 11)), approved(cast, slot_of(11, 13))
    assert (promised(first), promised(second)) == (240_00, 240_00)
    assert not Counted.objects.exists()


def test_the_shipped_programme_is_paid_by_the_year_of_the_instrument(cast: Cast) -> None:
    Organisation.objects.filter(pk=cast.lab.pk).update(quality_grade="")  # good is assumed
    publish(cast, programme_document("DEMO-QH-B") | {"examples": []})
    approved(cast, slot_of(9, 11))
    counts = counted.known(Counted.objects.values_list("subject", flat=True))
    (subject,) = counts
    assert subject == f"instrument_year:DEMO-QH-B:instrument-year:{cast.xrd.pk}:2026"
    assert (counts[subject].minutes, counts[subject].awards) == (120, 1)
    kept = Counted.objects.get()
    Counted.objects.create(
        subject=subject,
        programme_version_id=kept.programme_version_id,
        source_type="reservation",
        source_id=0,
        fee_fen=0,
        subsidised_fen=0,
        minutes=298 * 60,
        samples=0,
        counted_at=kept.counted_at,
    )
    assert quoted(cast, slot_of(12, 14)) == 180_00  # 300 hours were used: 90 yuan for each after them


def test_the_database_counts_a_service_once_and_keeps_what_was_counted(cast: Cast) -> None:
    publish(cast, tiered())
    pk = approved(cast, slot_of(9, 11))
    mark = Counted.objects.get()
    fields = {name: getattr(mark, name) for name in ("subject", "programme_version_id", "counted_at", "source_type", "source_id")}
    with pytest.raises(IntegrityError, match="counted_once"), transaction.atomic():
        Counted.objects.create(**fields, fee_fen=0, subsidised_fen=0, minutes=1, samples=0)
    for change in ({"minutes": 0}, {"subject": "other"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Counted.objects.filter(pk=mark.pk).update(**change)
    for statement in ("TRUNCATE billing_counted CASCADE", "DELETE FROM billing_counted"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    transitions.cancel(cast.actor("lin"), pk, cast.now, "not needed")
    with pytest.raises(DatabaseError), transaction.atomic():
        Counted.objects.filter(pk=mark.pk).update(ended_at=None)
    with pgtrigger.ignore("billing.Counted:counted_ends_once"):
        Counted.objects.filter(pk=mark.pk).update(ended_at=None)  # the control
    assert Charge.objects.count() == 0
