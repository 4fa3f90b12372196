"""The catalogue is what the rows say, after every write; and what is not is found."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.pricing.services import publish_price
from booking.models import InstrumentPolicy
from config.kernel.access import Actor, Grant, Role
from instruments.models import CatalogueEntry, CatalogueTechnique, Instrument, User
from instruments.services import catalogue, registry
from instruments.services.organisation_facts import facts_of
from instruments.services.organisations import update_profile
from instruments.services.verification import set_suspension
from tests.conftest import PRICE
from tests.instruments.registry.conftest import OPERATOR, Take
from tests.instruments.search.conftest import Stock, entry_of

pytestmark = pytest.mark.django_db


def right() -> bool:
    return list(catalogue.differences()) == []


def test_an_entry_shows_what_the_row_and_its_owner_say(stock: Stock) -> None:
    entry = entry_of(stock.xrd)
    assert (entry.kind, entry.class_code, entry.region_code, entry.public) == ("instrument", "0103", "632801", True)
    assert entry.technique_codes == ["PaNET01216"]  # told by name and technique
    assert {"t:PaNET01216", "t:PaNET01022", "r:630000", "r:632800", "m:assisted", "n:no"} <= set(entry.facets)
    assert (entry.bookable, entry.price_from_fen, entry.approval_needed, entry.subsidy_eligible) == (False, None, True, False)
    item = entry_of(stock.item)
    assert (item.kind, item.behind, item.service_modes, item.region_code) == (
        "test_item",
        [stock.icp.pk],
        ["commissioned"],
        "630104",
    )
    assert right()


def test_every_writer_of_the_registry_keeps_it(stock: Stock, now: datetime) -> None:
    later = now + timedelta(days=1)
    registry.update_instrument(OPERATOR, stock.xrd.pk, {"name": "Powder diffractometer", "status": "under_repair"}, later)
    assert (entry_of(stock.xrd).name, entry_of(stock.xrd).status) == ("Powder diffractometer", "under_repair")
    registry.set_weekly_hours(OPERATOR, stock.icp.pk, [registry.WeeklyWindow(0, time(9), time(17))], date(2026, 11, 23), later)
    assert entry_of(stock.icp).bookable
    registry.set_published(OPERATOR, stock.furnace.pk, False, later)
    assert (entry_of(stock.furnace).public, entry_of(stock.furnace).public_at) == (False, None)
    assert right()


def test_a_shared_calendar_opens_all_that_share_it(stock: Stock, now: datetime) -> None:
    site = stock.icp.site_id
    twin = registry.create_instrument(OPERATOR, site, registry.InstrumentFields("Twin"), now, calendar_id=stock.icp.calendar_id)
    registry.set_weekly_hours(OPERATOR, stock.icp.pk, [registry.WeeklyWindow(0, time(9), time(17))], date(2026, 11, 23), now)
    assert entry_of(twin).bookable


def test_an_import_writes_entries_and_a_second_one_none(take: Take, now: datetime) -> None:
    table = "name,class_code\nLaser,0103\nLathe,12\n"
    take(table)
    assert set(CatalogueEntry.objects.values_list("name", flat=True)) == {"Laser", "Lathe"}
    assert right()
    take(table)
    assert catalogue.rebuild(now) == 0


def test_owners_change_all_their_entries(stock: Stock, now: datetime) -> None:
    manager = Actor(grants=(Grant(stock.lab.pk, Role.LAB_MANAGER),))
    facts = facts_of(stock.lab)
    update_profile(
        manager,
        stock.lab.pk,
        type(facts)(
            **{
                **{f: getattr(facts, f) for f in facts.__dataclass_fields__},
                "name": "Plateau Institute",
                "policy_zones": ("hi-tech",),
            }
        ),
        now,
    )
    assert entry_of(stock.icp).zones == ["hi-tech"]
    assert right()
    chief = User.objects.create(email="chief@example.org", full_name="Chief", password="!")
    operator = Actor(user_id=chief.pk, grants=(Grant(0, Role.OPERATOR),))
    set_suspension(operator, stock.lab.pk, True, "fraud", now)
    assert not entry_of(stock.icp).public
    assert not entry_of(stock.item).public
    assert right()


def test_a_price_and_a_booking_policy_stand_in_the_entry(stock: Stock, now: datetime) -> None:
    manager = Actor(grants=(Grant(stock.lab.pk, Role.LAB_MANAGER),))
    peak = {"code": "night", "weekdays": [1], "from": "20:00", "to": "23:00", "ratio": "0.5"}
    publish_price(manager, stock.icp, {**PRICE, "bands": [peak]}, date(2026, 11, 23), now, date(2026, 11, 23))
    entry = entry_of(stock.icp)
    assert (entry.price_from_fen, entry.price_unit) == (150_00, "hour")  # academic 300, half at night; inside is not public
    assert "p:to300" in entry.facets
    InstrumentPolicy.objects.create(instrument=stock.icp, approval_required=False)
    catalogue.refresh_instruments([stock.icp.pk], now)
    assert not entry_of(stock.icp).approval_needed
    assert right()


def test_a_price_of_the_future_counts_when_its_day_comes(stock: Stock, now: datetime) -> None:
    manager = Actor(grants=(Grant(stock.lab.pk, Role.LAB_MANAGER),))
    publish_price(manager, stock.icp, PRICE, date(2026, 12, 1), now, date(2026, 11, 23))
    assert entry_of(stock.icp).price_from_fen is None
    assert right()
    assert catalogue.rebuild(datetime.fromisoformat("2026-11-30T16:05:00+00:00")) == 1
    assert entry_of(stock.icp).price_from_fen == 300_00
    assert right()


def test_a_price_that_was_published_within_a_millisecond_is_known_at_that_very_instant(stock: Stock, now: datetime) -> None:
    manager = Actor(grants=(Grant(stock.lab.pk, Role.LAB_MANAGER),))
    exactly = now + timedelta(microseconds=987_654)
    publish_price(manager, stock.icp, PRICE, date(2026, 11, 23), exactly, date(2026, 11, 23))
    assert (entry_of(stock.icp).price_from_fen, entry_of(stock.icp).updated_at) == (300_00, exactly)
    assert right()


def test_instruments_are_found_by_what_is_measured_with_them_and_no_longer_when_that_ends(stock: Stock, now: datetime) -> None:
    assert "@li" in str(CatalogueEntry.objects.values_list("search", flat=True).get(instrument=stock.icp))
    stock.item.test_item.instruments.set([stock.furnace])
    catalogue.refresh_resources([stock.item.pk], now)
    assert "@li" not in str(CatalogueEntry.objects.values_list("search", flat=True).get(instrument=stock.icp))
    assert "@li" in str(CatalogueEntry.objects.values_list("search", flat=True).get(instrument=stock.furnace))
    assert right()


def test_a_batch_costs_the_same_statements_however_many(stock: Stock, now: datetime) -> None:
    def statements(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            catalogue.refresh_instruments(ids, now)
        return len([one for one in captured if "SAVEPOINT" not in one["sql"]])

    few = statements([stock.icp.pk])
    assert statements(list(Instrument.objects.values_list("pk", flat=True))) == few <= 6


def test_nothing_is_written_when_nothing_differs(stock: Stock, now: datetime) -> None:
    later = now + timedelta(days=3)
    assert catalogue.rebuild(later) == 0
    assert entry_of(stock.icp).updated_at == now


def test_an_entry_is_found_by_its_techniques_as_long_as_everybody_may_see_it_and_the_database_keeps_that(stock: Stock) -> None:
    def found() -> set[str]:
        return set(CatalogueTechnique.objects.filter(instrument_id=stock.icp.pk).values_list("technique", flat=True))

    entry = CatalogueEntry.objects.filter(instrument=stock.icp)
    known = found()
    assert "jishi:icp-ms" in known
    entry.update(public=False)
    assert found() == set()
    entry.update(public=True, facets=["t:jishi:sem", "k:instrument"])
    assert found() == {"jishi:sem"}
    with pgtrigger.ignore("instruments.CatalogueEntry:techniques_follow_entries"):
        entry.update(facets=["t:jishi:tem"])
    assert found() == {"jishi:sem"}  # without the trigger nobody follows
    entry.delete()
    assert found() == set()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("UPDATE instruments_catalogueentry SET price_from_fen = 1", "price_from_fen"),
        ("UPDATE instruments_catalogueentry SET facets = '{}'", "facets"),
        ("UPDATE instruments_instrument SET name = 'Behind its back'", "name"),
        ("UPDATE instruments_catalogueentry SET search = NULL", "search"),
        ("DELETE FROM instruments_catalogueentry", "not in the catalogue"),
        ("DELETE FROM instruments_cataloguetechnique", "not found by its techniques"),
        ("UPDATE instruments_cataloguetechnique SET region_code = '110105'", "not found by its techniques"),
    ],
)
def test_what_is_not_right_is_found_and_a_rebuild_mends_it(stock: Stock, now: datetime, broken: str, told: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(broken)
    assert told in " ".join(catalogue.differences())
    catalogue.rebuild(now)
    assert right()


def test_a_deleted_resource_is_gone(stock: Stock) -> None:
    stock.item.test_item.delete()
    stock.item.delete()
    assert not CatalogueEntry.objects.filter(kind="test_item").exists()


def test_ids_that_are_nobodys_are_ignored(stock: Stock, now: datetime) -> None:
    assert catalogue.refresh_instruments([10**9], now) == catalogue.refresh_resources([10**9], now) == 0
