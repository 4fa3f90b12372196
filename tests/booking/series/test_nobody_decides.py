"""A series, or several instruments, that the only manager of a lab asks for: the report says what asking for them would be refused for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.settlement import series_figures, together_figures
from billing.settlement.series_figures import expected_of
from booking.models import Reservation
from booking.rules.series import Scope
from booking.services import policies, series, series_changes, together, transitions
from booking.services.policies import Scope as Rules
from booking.services.series import Pick
from booking.services.series_changes import Seen, SeriesChange, Step
from booking.services.together import Bundle, Place
from config.kernel.errors import Conflict
from instruments.models import Notice
from tests.concurrency.world import add_instrument
from tests.heads import with_head

NOBODY = ["booking.nobody_decides"]


@pytest.fixture
def wang(cast):
    """The only manager of the lab, whose institution has no administrator."""
    return cast.actor("wang")


@pytest.fixture
def own(cast, wish):
    return replace(wish(), organisation_id=cast.lab.pk)


@pytest.fixture
def bundle(cast, slot):
    sem = add_instrument(cast, "Electron microscope")
    places = (Place(cast.xrd.pk, slot(9, 11), "self_operated"), Place(sem.pk, slot(11, 12), "self_operated"))
    return Bundle(cast.lab.pk, places)


def codes(rows) -> list[list[str]]:
    return [[reason.code for reason in one.row.verdict.reasons] for one in rows]


def test_every_time_of_a_series_says_it_as_asking_does(cast, wang, own, programmes):
    shown = series_figures.report(wang, own, cast.now)
    assert codes(shown.rows) == [NOBODY] * 3 and not shown.is_possible and not shown.report.wanted
    assert not any(one.row.verdict.lab_may or one.row.verdict.instead for one in shown.rows)
    picks = [Pick(one.row.occurrence.ordinal, one.row.during, expected_of(one.figures)) for one in shown.rows]
    with pytest.raises(Conflict) as refused:
        series.ask(wang, own, picks, cast.now, idempotency_key="k")
    assert [one.code for one in refused.value.reasons] == ["series.not_all", *NOBODY]
    assert not Reservation.objects.exists()


def test_it_can_be_had_where_somebody_decides_or_nobody_has_to(cast, wang, own, wish, programmes):
    assert series_figures.report(cast.actor("lin"), wish(), cast.now).is_possible
    policies.say(wang, Rules(cast.lab.pk), {"approval_required": False}, cast.now)
    assert series_figures.report(wang, own, cast.now).is_possible
    policies.say(wang, Rules(cast.lab.pk), {"approval_required": True, "auto_approval": {"who": "anybody"}}, cast.now)
    assert codes(series_figures.report(wang, own, cast.now).rows) == [NOBODY] * 3, "the lab looks at series itself"
    with_head(cast)
    shown = series_figures.report(wang, own, cast.now)
    assert shown.is_possible
    assert series.ask(wang, own, shown.picks(), cast.now, idempotency_key="k").state == "requested"


def test_of_several_instruments_those_say_it_that_somebody_would_have_to_approve(cast, wang, bundle, programmes):
    sem_id = bundle.places[1].instrument_id
    policies.say(wang, Rules(cast.lab.pk, instrument_id=cast.xrd.pk), {"approval_required": True}, cast.now)
    policies.say(wang, Rules(cast.lab.pk, instrument_id=sem_id), {"approval_required": False}, cast.now)
    shown = together_figures.report(wang, bundle, cast.now)
    assert codes(shown.rows) == [NOBODY, []] and not shown.is_possible
    seen = [replace(one.row.place, expected=expected_of(one.figures)) for one in shown.rows]
    with pytest.raises(Conflict) as refused:
        together.ask(wang, replace(bundle, places=tuple(seen)), cast.now, idempotency_key="k")
    assert [one.code for one in refused.value.reasons] == ["together.not_all", *NOBODY]
    with_head(cast)
    assert together_figures.report(wang, bundle, cast.now).is_possible


def test_more_times_or_instruments_ask_no_more(cast, wang, own, bundle, slot, programmes):
    def queries(look) -> int:
        with CaptureQueriesContext(connection) as captured:
            look()
        return len([each for each in captured if "instruments_membership" in each["sql"]])

    daily = replace(own, rule=replace(own.rule, frequency="daily", count=40))
    few = queries(lambda: series_figures.report(wang, own, cast.now))
    assert few and queries(lambda: series_figures.report(wang, daily, cast.now)) == few
    more = replace(bundle, places=(*bundle.places, Place(add_instrument(cast, "Third").pk, slot(13, 14), "self_operated")))
    assert queries(lambda: together_figures.report(wang, bundle, cast.now)) == few
    assert queries(lambda: together_figures.report(wang, more, cast.now)) == few
    lin, others = cast.actor("lin"), replace(bundle, organisation_id=cast.firm.pk)
    assert queries(lambda: together_figures.report(lin, others, cast.now)) == 0


def test_who_decides_hears_that_the_manager_wants_a_series_at_another_time(cast, wang, own, programmes):
    head = with_head(cast)
    made = series.ask(wang, own, series_figures.report(wang, own, cast.now).picks(), cast.now, idempotency_key="k")
    for pk in made.reservation_ids:
        transitions.approve(cast.actor("yu"), pk, cast.now)
    starts = own.rule.starts + timedelta(hours=3)
    change = SeriesChange(made.series_id, Step.MOVE, Scope.ALL, 1, starts, starts + timedelta(hours=3))
    rows = series_figures.report_change(wang, change, cast.now)
    seen = {one.reservation.ordinal: Seen(one.outcome, one.expected) for one in rows}
    assert series_changes.change(wang, change, seen, cast.now, idempotency_key="m").counts == {"asked": 3}
    assert Notice.objects.filter(event="series.lab.move_asked", user=head).count() == 1
