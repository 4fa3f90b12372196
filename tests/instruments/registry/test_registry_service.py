"""Keeping an instrument: who may, what is refused, what is written down."""

from __future__ import annotations

from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from config.kernel.access import NOBODY, Actor, Grant, Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from config.kernel.services import files
from instruments.models import Instrument, Organisation, Site
from instruments.queries import calendar_of, hours_on, instrument_for
from instruments.rules.opening import CalendarRules
from instruments.services import opening_hours, registry, schedule_store
from instruments.services.registry import InstrumentFields, SiteFields, WeeklyWindow
from tests.instruments.registry.conftest import make_owner

pytestmark = pytest.mark.django_db
wall = datetime.fromisoformat


@pytest.fixture
def site(manager: Actor, owner: Organisation, now: datetime) -> Site:
    return registry.create_site(manager, owner.pk, SiteFields("Xining"), now)


@pytest.fixture
def sem(manager: Actor, site: Site, now: datetime) -> Instrument:
    return registry.create_instrument(manager, site.pk, InstrumentFields("SEM", class_code="010101"), now)


@pytest.fixture
def foreign_manager(now: datetime) -> Actor:
    return Actor(name="He", grants=(Grant(make_owner("Another Institute", now).pk, Role.LAB_MANAGER),))


def codes(refusal: Refusal) -> list[tuple[str, str]]:
    return [(reason.field, reason.code) for reason in refusal.reasons]


def test_a_new_instrument_has_a_calendar_of_its_own_and_an_audit_entry(sem: Instrument) -> None:
    assert schedule_store.rules_by_calendar([sem.calendar_id]) == {sem.calendar_id: CalendarRules()}
    entry = AuditEntry.objects.get(action="instrument.create")
    assert (entry.object_id, entry.after["name"], entry.actor_name) == (str(sem.pk), "SEM", "Wang")


def test_every_reason_is_told_at_once_and_nothing_is_written(manager: Actor, site: Site, now: datetime) -> None:
    fields = InstrumentFields("", class_code="77", original_value_fen=-1, contact_email="x", status="?", service_modes=("?",))
    with pytest.raises(Refusal) as refused:
        registry.create_instrument(manager, site.pk, fields, now)
    assert codes(refused.value) == [
        ("name", "name.empty"),
        ("original_value_fen", "instrument.value_negative"),
        ("service_modes", "instrument.service_mode_unknown"),
        ("status", "instrument.status_unknown"),
        ("contact_email", "instrument.email_invalid"),
        ("class_code", "instrument.class_code_unknown"),
    ]
    assert not Instrument.objects.exists()


def test_only_the_owners_lab_managers_and_the_operator_change_it(
    sem: Instrument, foreign_manager: Actor, owner: Organisation, now: datetime
) -> None:
    researcher = Actor(grants=(Grant(owner.pk, Role.RESEARCHER),))
    for actor in (NOBODY, researcher, foreign_manager):
        with pytest.raises(Forbidden):
            registry.update_instrument(actor, sem.pk, {"name": "Mine"}, now)
        with pytest.raises(Forbidden):
            registry.set_weekly_hours(actor, sem.pk, [], date(2026, 11, 23), now)
    Instrument.objects.update(published=False)
    with pytest.raises(NotFound):
        registry.update_instrument(foreign_manager, sem.pk, {"name": "Mine"}, now)


def test_a_change_writes_before_and_after_and_no_change_writes_nothing(manager: Actor, sem: Instrument, now: datetime) -> None:
    registry.update_instrument(manager, sem.pk, {"name": "SEM two", "model": "S4800"}, now, "new label")
    entry = AuditEntry.objects.get(action="instrument.update")
    assert (entry.before, entry.after, entry.reason) == (
        {"name": "SEM", "model": ""},
        {"name": "SEM two", "model": "S4800"},
        "new label",
    )
    registry.update_instrument(manager, sem.pk, {"name": "SEM two"}, now)
    assert AuditEntry.objects.filter(action="instrument.update").count() == 1


def test_an_instrument_moves_only_among_its_owners_places(
    manager: Actor, foreign_manager: Actor, sem: Instrument, now: datetime
) -> None:
    other = next(iter(foreign_manager.organisations()))
    foreign = registry.create_site(foreign_manager, other, SiteFields("Elsewhere"), now)
    with pytest.raises(Refusal) as refused:
        registry.update_instrument(manager, sem.pk, {"site_id": foreign.pk}, now)
    assert codes(refused.value) == [("site_id", "instrument.site_unknown")]
    moved = registry.update_instrument(manager, sem.pk, {}, now, new_place="North campus")
    assert moved.site.name == "North campus"


def test_status_and_publication_are_changes_like_others(manager: Actor, sem: Instrument, now: datetime) -> None:
    registry.set_status(manager, sem.pk, "under_repair", now, "lens broken")
    registry.set_published(manager, sem.pk, False, now)
    with pytest.raises(NotFound):
        instrument_for(NOBODY, sem.pk)
    assert instrument_for(manager, sem.pk).status == "under_repair"
    with pytest.raises(Refusal):
        registry.set_status(manager, sem.pk, "melted", now)


def picture(width: int = 40, height: int = 30, kind: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind, **options)
    return out.getvalue()


def test_a_photo_is_drawn_anew_small_and_without_metadata(
    manager: Actor, sem: Instrument, now: datetime, settings: Any, tmp_path: Any
) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    }
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    photographed = registry.set_photo(manager, sem.pk, picture(4000, 2000, exif=exif.tobytes()), now)
    assert photographed.photo is not None
    content = files.read(photographed.photo)
    with Image.open(BytesIO(content)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("WEBP", (1600, 800), {})
    assert b"secret place" not in content


@pytest.mark.parametrize(
    "content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a....", b"%PDF-1.7", picture()[:60]]
)
def test_what_is_not_a_picture_is_refused(manager: Actor, sem: Instrument, now: datetime, content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        registry.set_photo(manager, sem.pk, content, now)
    assert refused.value.reasons[0].code.startswith("upload.")


# --- Opening hours ----------------------------------------------------------------------------------------------------
def windows(*spans: tuple[int, str, str]) -> list[WeeklyWindow]:
    return [WeeklyWindow(weekday, time.fromisoformat(opens), time.fromisoformat(closes)) for weekday, opens, closes in spans]


WEEK = windows((0, "09:00", "12:00"), (0, "13:00", "17:00"), (1, "09:00", "12:00"), (4, "22:00", "06:00"), (6, "00:00", "00:00"))


def test_a_week_comes_back_as_it_was_set(manager: Actor, sem: Instrument, now: datetime) -> None:
    registry.set_weekly_hours(manager, sem.pk, WEEK, date(2026, 11, 25), now)
    assert hours_on(calendar_of(sem), date(2026, 11, 25)) == WEEK
    assert AuditEntry.objects.get(action="instrument.hours").after["windows"][0] == [0, "09:00", "12:00"]


def test_a_new_week_ends_the_old_one_and_keeps_its_past(manager: Actor, sem: Instrument, now: datetime) -> None:
    registry.set_weekly_hours(manager, sem.pk, WEEK, date(2026, 11, 2), now)
    registry.set_weekly_hours(manager, sem.pk, windows((2, "10:00", "11:00")), date(2026, 11, 23), now)
    stored = calendar_of(sem)
    assert hours_on(stored, date(2026, 11, 16)) == WEEK
    assert hours_on(stored, date(2026, 11, 23)) == windows((2, "10:00", "11:00"))
    registry.set_weekly_hours(manager, sem.pk, [], date(2026, 11, 23), now)
    assert hours_on(calendar_of(sem), date(2026, 11, 23)) == []


@pytest.mark.parametrize(
    "overlapping",
    [
        windows((0, "09:00", "12:00"), (0, "11:00", "13:00")),
        windows((0, "22:00", "02:00"), (1, "01:00", "03:00")),
        windows((6, "22:00", "02:00"), (0, "01:00", "03:00")),
    ],
)
def test_windows_must_not_overlap_over_midnight_or_the_week_either(
    manager: Actor, sem: Instrument, now: datetime, overlapping: list[WeeklyWindow]
) -> None:
    with pytest.raises(Refusal) as refused:
        registry.set_weekly_hours(manager, sem.pk, overlapping, date(2026, 11, 23), now)
    assert refused.value.reasons[0].code == "calendar.windows_overlap"
    assert calendar_of(sem) == ()


@pytest.mark.parametrize("first_day", [date.min, date.max, date(1969, 12, 31), date(2200, 1, 1)])
def test_a_week_starts_in_a_year_that_calendars_hold(manager: Actor, sem: Instrument, now: datetime, first_day: date) -> None:
    registry.set_weekly_hours(manager, sem.pk, WEEK, date(2026, 11, 2), now)
    with pytest.raises(Refusal) as refused:
        registry.set_weekly_hours(manager, sem.pk, windows((2, "10:00", "11:00")), first_day, now)
    assert codes(refused.value) == [("valid_from", "calendar.year_out_of_range")]
    assert hours_on(calendar_of(sem), date(2026, 11, 16)) == WEEK


def test_a_closure_is_added_and_taken_back(manager: Actor, sem: Instrument, now: datetime) -> None:
    entry = registry.close_between(manager, sem.pk, wall("2026-12-01T09:00"), wall("2026-12-02T18:00"), "Annual service", now)
    assert [(one.id, one.reason) for one in calendar_of(sem)] == [(entry, "Annual service")]
    opening_hours.remove_entry(manager, sem.pk, entry, now)
    assert calendar_of(sem) == ()
    with pytest.raises(NotFound):
        opening_hours.remove_entry(manager, sem.pk, entry, now)
    with pytest.raises(Refusal) as refused:
        registry.close_between(manager, sem.pk, wall("2026-12-02T09:00"), wall("2026-12-01T18:00"), "", now)
    assert codes(refused.value) == [("ends_local", "calendar.end_before_start")]
