"""Add-ons chosen for a series and for several instruments: the same for each time, each instrument its own, seen for each and for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.pricing.models import PriceVersion
from billing.settlement import series_figures, together_figures
from billing.settlement.extra_models import SessionExtra
from billing.settlement.series_figures import expected_of
from booking.models import Reservation
from booking.ports import Addons
from booking.rules.series import SeriesRule
from booking.services import series, together
from booking.services.series import Wish
from booking.services.together import Bundle, Place
from config.kernel.errors import Conflict
from tests.billing.settlement.test_chosen_addons import publish_with_addons, violations
from tests.concurrency.world import add_instrument
from tests.conftest import PRICE, Cast, slot_of


@pytest.fixture
def priced(cast: Cast, programmes: dict[str, Any]) -> Cast:
    publish_with_addons(cast)
    return cast


def wish(cast: Cast, *addons: tuple[str, int], count: int = 3) -> Wish:
    rule = SeriesRule(datetime(2026, 11, 25, 9), datetime(2026, 11, 25, 12), count=count)
    return Wish(cast.xrd.pk, cast.firm.pk, rule, "self_operated", addons=addons)


def report_of(cast: Cast, wished: Wish) -> series_figures.PricedReport:
    return series_figures.report(cast.actor("lin"), wished, cast.now)


def chosen_rows() -> list[tuple[str, int, str]]:
    return list(SessionExtra.objects.order_by("reservation_id").values_list("addon", "quantity", "state"))


def test_every_time_of_a_series_has_the_same_choice_and_its_own_sum(priced: Cast) -> None:
    wished = wish(priced, ("cell", 2))
    report = report_of(priced, wished)
    assert [row.beside.amount_fen for row in report.rows] == [30_00] * 3 and report.addons_fen == 90_00
    assert report.offered == {"cell": ("样品池", 15_00, "Sample cell")} and report.is_possible
    assert report.together == report_of(priced, wish(priced)).together, "the figures are those of the time"
    series.ask(priced.actor("lin"), wished, report.picks(), priced.now, idempotency_key="s")
    assert chosen_rows() == [("cell", 2, "agreed")] * 3 and violations() == {}


def test_a_time_whose_price_has_no_such_add_on_cannot_be_had_so_and_the_others_can(priced: Cast) -> None:
    PriceVersion.objects.create(instrument=priced.xrd, effective_from=date(2026, 12, 9), document=PRICE, published_at=priced.now)
    wished = wish(priced, ("cell", 2))
    report = report_of(priced, wished)
    assert [row.is_possible for row in report.rows] == [True, True, False]
    assert [reason.code for reason in report.rows[2].beside.faults] == ["extras.addon_unknown"] and report.faults == ()
    assert report.addons_fen == 60_00 and not report.is_possible
    everything = [replace(report.picks()[0], ordinal=row.row.occurrence.ordinal, during=row.row.during) for row in report.rows]
    with pytest.raises(Conflict) as refused:
        series.ask(priced.actor("lin"), wished, everything, priced.now, idempotency_key="all")
    assert [reason.code for reason in refused.value.reasons] == ["series.not_all", "extras.addon_unknown"]
    assert not Reservation.objects.exists()
    series.ask(priced.actor("lin"), wished, report.picks(), priced.now, idempotency_key="two")
    assert chosen_rows() == [("cell", 2, "agreed")] * 2


def test_a_choice_that_is_wrong_everywhere_is_said_once(priced: Cast) -> None:
    report = report_of(priced, wish(priced, ("tube", 1), ("cell", 0)))
    assert [reason.code for reason in report.faults] == ["extras.addon_unknown", "extras.quantity_range"]
    assert all(row.beside.faults == () for row in report.rows) and not report.is_possible


def test_another_sum_than_was_seen_undoes_the_whole_series(priced: Cast) -> None:
    wished = wish(priced, ("cell", 2))
    first, *others = report_of(priced, wished).picks()
    with pytest.raises(Conflict) as refused:
        picks = [first, *(replace(one, addons_fen=29_00) for one in others)]
        series.ask(priced.actor("lin"), wished, picks, priced.now, idempotency_key="s")
    assert [reason.code for reason in refused.value.reasons] == ["series.not_all", "extras.chosen_differ"]
    assert not SessionExtra.objects.exists() and not Reservation.objects.exists()


def bundle(cast: Cast, *places: tuple[int, int, int, tuple[tuple[str, int], ...]]) -> Bundle:
    asked = [Place(pk, slot_of(first, last), "self_operated", addons=Addons(chosen)) for pk, first, last, chosen in places]
    return Bundle(cast.firm.pk, tuple(asked))


def seen(cast: Cast, asked: Bundle) -> Bundle:
    report = together_figures.report(cast.actor("lin"), asked, cast.now)
    places = [
        replace(
            one.row.place,
            expected=expected_of(one.figures),
            addons=replace(one.row.place.addons, seen_fen=one.beside.amount_fen),
        )
        for one in report.rows
    ]
    return replace(asked, places=tuple(places))


def test_each_of_several_instruments_has_its_own_choice(priced: Cast) -> None:
    sem = add_instrument(priced, "Electron microscope")
    asked = bundle(priced, (priced.xrd.pk, 9, 11, (("cell", 3),)), (sem.pk, 11, 12, ()))
    report = together_figures.report(priced.actor("lin"), asked, priced.now)
    assert [(sorted(one.beside.offered), one.beside.amount_fen) for one in report.rows] == [(["cell"], 45_00), ([], 0)]
    assert report.addons_fen == 45_00 and report.is_possible
    made = together.ask(priced.actor("lin"), seen(priced, asked), priced.now, idempotency_key="b")
    assert [(row.reservation_id, row.quantity) for row in SessionExtra.objects.all()] == [(made.reservations[0][0], 3)]
    assert violations() == {}


def test_what_one_of_several_instruments_does_not_offer_books_none_of_them(priced: Cast) -> None:
    sem = add_instrument(priced, "Electron microscope")
    asked = bundle(priced, (priced.xrd.pk, 9, 11, ()), (sem.pk, 11, 12, (("cell", 1),)))
    report = together_figures.report(priced.actor("lin"), asked, priced.now)
    assert [one.is_possible for one in report.rows] == [True, False] and not report.is_possible
    with pytest.raises(Conflict) as refused:
        together.ask(priced.actor("lin"), asked, priced.now, idempotency_key="b")
    assert [reason.code for reason in refused.value.reasons] == ["together.not_all", "extras.addon_unknown"]
    assert not Reservation.objects.exists()


def test_the_same_call_with_another_choice_is_another_call(priced: Cast) -> None:
    wished = wish(priced, ("cell", 2), count=1)
    picks = report_of(priced, wished).picks()
    first = series.ask(priced.actor("lin"), wished, picks, priced.now, idempotency_key="s")
    assert series.ask(priced.actor("lin"), wished, picks, priced.now + timedelta(seconds=1), idempotency_key="s").replayed
    with pytest.raises(Exception, match="other_payload"):
        series.ask(priced.actor("lin"), wish(priced, ("cell", 3), count=1), picks, priced.now, idempotency_key="s")
    assert first.series_id
