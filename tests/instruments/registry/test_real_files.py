"""The real registries of the shared data folder, as people would import them. Times are printed, not asserted."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from django.conf import settings

from config.kernel.time_range import TimeRange
from instruments.models import CalendarEntry, Instrument, Organisation, Site
from instruments.queries import opening_for
from instruments.rules.registry_map import ImportMap, builtin_map, parse_map
from instruments.services import schedule_store
from instruments.services.registry_import import ImportReport, ImportRequest, import_registry
from tests.instruments.registry.conftest import OPERATOR, make_owner

pytestmark = pytest.mark.django_db


def timed(name: str, request: ImportRequest, now: datetime) -> ImportReport:
    started = perf_counter()
    report = import_registry(OPERATOR, request, now)
    print(f"{name}: {len(report.rows)} rows in {perf_counter() - started:.1f} s")
    return report


def test_the_st_andrews_list_is_taken_in_whole_and_only_once(shared_data: Path, now: datetime) -> None:
    owner = make_owner("University of St Andrews", now)
    content = (shared_data / "registries" / "uk-st-andrews-equipment.uniquip.csv").read_bytes()
    request = ImportRequest(content, "uniquip.csv", builtin_map("uniquip"), owner_id=owner.pk, zone_name="Europe/London")
    report = timed("St Andrews", request, now)
    assert (report.encoding, report.sureness, report.odd_bytes) == ("mac_roman", "guess", 10)
    assert report.counts == {"created": 623, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}
    assert Instrument.objects.filter(organisation=owner).count() == 623
    assert set(Site.objects.filter(organisation=owner).values_list("time_zone", flat=True)) == {"Europe/London"}
    assert Instrument.objects.filter(contact_email="gsd@st-andrews.ac.uk").count() == 10
    assert Instrument.objects.filter(organisation=owner, import_key__endswith=":2").count() == 26
    listed = list(csv.DictReader(io.StringIO(content.decode("mac_roman"))))
    for name in ("Location", "Service Level"):
        kept = [one.attributes.get(name, "") for one in Instrument.objects.order_by("pk")]
        assert kept == [row[name].strip() for row in listed]
    before = list(Instrument.objects.order_by("pk").values_list("pk", "updated_at"))
    again = timed("St Andrews again", request, now)
    assert again.counts["unchanged"] == 623
    assert list(Instrument.objects.order_by("pk").values_list("pk", "updated_at")) == before


@pytest.mark.proof
def test_the_japanese_list_is_taken_in_with_the_fate_of_every_repeated_number(shared_data: Path, now: datetime) -> None:
    content = (shared_data / "registries" / "jp-shared-equipment-kikidoko.csv").read_bytes()
    document = json.loads((settings.BASE_DIR / "docs" / "import-maps" / "jp-kikidoko.json").read_text())
    request = ImportRequest(content, "kikidoko.csv", parse_map(document))
    report = timed("Japan", request, now)
    assert report.counts == {"created": 10_085, "updated": 0, "unchanged": 0, "repeated": 513, "refused": 0}
    repeated = [row for row in report.rows if row.fate == "repeated"]
    assert all(row.reasons[0].params["counting_line"] < row.line and row.instrument_id for row in repeated)
    assert {row.reasons[0].code for row in repeated} == {"import.repeated_same", "import.repeated_differs"}
    assert sum(1 for row in report.rows if row.notes) == 5
    owners = Organisation.objects.filter(kind="owner", identifiers=None)
    assert (len(report.organisations_created), owners.count()) == (81, 81)
    again = timed("Japan again", request, now)
    assert again.counts["unchanged"] == 10_085
    assert Instrument.objects.count() == 10_085


def shipped_map(name: str) -> ImportMap:
    return parse_map(json.loads((settings.BASE_DIR / "docs" / "import-maps" / name).read_text(encoding="utf-8")))


def test_the_emsl_list_brings_states_and_opening_hours_and_only_once(shared_data: Path, now: datetime) -> None:
    content = (shared_data / "registries" / "us-emsl-instruments.csv").read_bytes()
    request = ImportRequest(content, "emsl.csv", shipped_map("us-emsl.json"))
    report = timed("EMSL", request, now)
    assert report.counts == {"created": 149, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}
    assert len({row.line for row in report.rows}) == 149
    counted = Counter(Instrument.objects.values_list("status", flat=True))
    assert counted == {"normal": 56, "retired": 93}
    hours = schedule_store.stored_entries_by_calendar(Instrument.objects.values_list("calendar_id", flat=True))
    lengths = Counter(
        (one.entry.ends_local - one.entry.starts_local).total_seconds() / 3600 for stored in hours.values() for one in stored
    )
    assert lengths == {10: 101, 24: 42}
    sample = Instrument.objects.get(inner_id="1010")
    window = TimeRange(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 8, tzinfo=UTC))
    assert opening_for(OPERATOR, sample.pk, window) == [window]
    before = list(CalendarEntry.objects.order_by("pk").values_list("pk", "event__start", "event__end_recurring_period"))
    again = timed("EMSL again", request, now + timedelta(days=30))
    assert again.counts["unchanged"] == 149
    assert list(CalendarEntry.objects.order_by("pk").values_list("pk", "event__start", "event__end_recurring_period")) == before


def test_changed_hours_in_a_list_hold_from_the_day_of_its_import(now: datetime) -> None:
    text = "eus_instrument_id,eus_display_name,eus_instrument_name,eus_available_hours,local_category_name,local_instrument_name,"
    text += "eus_active_sw\n7,,MS,%s,,,1\n"
    for hours, day in (("10", now), ("24", now + timedelta(days=7)), ("", now + timedelta(days=14))):
        report = import_registry(OPERATOR, ImportRequest((text % hours).encode(), "e.csv", shipped_map("us-emsl.json")), day)
        assert report.written
    changed = {reason.field: reason.params for reason in report.rows[0].reasons}
    assert changed["hours"]["was"].startswith("1 00:00-00:00")
    found = opening_for(OPERATOR, Instrument.objects.get().pk, TimeRange(now - timedelta(days=3), now + timedelta(days=30)))
    whole_days = [(one.ends_at - one.starts_at).total_seconds() / 3600 for one in found]
    assert len([hours for hours in whole_days if hours == 10]) == 7
    assert max(one.ends_at for one in found) <= now + timedelta(days=14)
    refused = import_registry(OPERATOR, ImportRequest((text % "9").encode(), "e.csv", shipped_map("us-emsl.json")), now)
    assert [reason.code for reason in refused.rows[0].reasons] == ["import.value_unknown"]


def test_the_pnnl_list_brings_states_and_only_once(shared_data: Path, now: datetime) -> None:
    content = (shared_data / "registries" / "us-pnnl-dms-instruments.csv").read_bytes()
    request = ImportRequest(content, "pnnl.csv", shipped_map("us-pnnl.json"))
    report = timed("PNNL", request, now)
    assert report.counts == {"created": 263, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}
    counted = Counter(Instrument.objects.values_list("status", flat=True))
    assert counted == {"normal": 132, "retired": 120, "under_repair": 11}
    assert timed("PNNL again", request, now).counts["unchanged"] == 263
