"""The history of an instrument and of other resources: everything that can be written there has words, and hours are sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.services import assistants
from config.kernel.models import AuditEntry
from frontend.presenters.history import INSTRUMENT_ACTIONS, RESOURCE_ACTIONS, Names, instrument_rows
from instruments.rules.audience import Audience
from instruments.rules.entries import HolidayRule
from instruments.rules.instrument_review import Action
from instruments.rules.recurrence import Recurrence
from instruments.services import opening_hours, resources
from instruments.services.opening_hours import AudienceHours, OnceOrAgain, SeasonHours
from instruments.services.weekly_hours import WeeklyWindow
from tests.frontend.acting import words

APPS = ("config", "instruments", "booking", "billing", "frontend")
MONDAY = WeeklyWindow(0, time(9), time(17))


# --- What can be written ----------------------------------------------------------------------------------------------
def sources() -> Iterator[ast.Module]:
    for app in APPS:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text(encoding="utf-8"))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))


def is_trail(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("record", "record_many")
        and ast.unparse(call.func.value) == "audit"
    )


def texts(node: ast.expr) -> set[str]:
    """What an action can be, where it is said right there."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return set()


def given(module: ast.Module, function: ast.FunctionDef, name: str) -> set[str]:
    """What callers in the same module give for a parameter."""
    place = [one.arg for one in function.args.args].index(name)
    found: set[str] = set()
    for call in ast.walk(module):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == function.name:
            keyword = next((one.value for one in call.keywords if one.arg == name), None)
            said = texts(keyword or call.args[place])
            assert said, f"{ast.unparse(call)} does not say which action it is"
            found |= said
    return found


def written_against(variable: str, model: str) -> set[str]:
    """Every action that the code can write against a row of a model: its variable is called so everywhere."""
    found: set[str] = set()
    for module in sources():
        for function in functions(module):
            typed = {one.arg for one in function.args.args if one.annotation is not None and ast.unparse(one.annotation) == model}
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and is_trail(call):
                    action, target = call.args[1], ast.unparse(call.args[2])
                    if target in {variable, model, *typed}:
                        said = texts(action) or given(module, function, ast.unparse(action))
                        assert said
                        found |= said
    return found


def steps(about: str) -> set[str]:
    """What ``ChangeReviews`` writes, whose action is made of the step."""
    return {f"{about}_change.{step.value}" for step in Action}


def test_every_action_that_can_be_written_against_an_instrument_has_words() -> None:
    found = written_against("instrument", "Instrument")
    assert {"instrument.season", "instrument.share_calendar", "instrument.image_add", "assistant.unname"} <= found
    assert found | steps("instrument") == set(INSTRUMENT_ACTIONS)


def test_every_action_that_can_be_written_against_another_resource_has_words() -> None:
    found = written_against("resource", "Resource")
    assert found | steps("resource") == set(RESOURCE_ACTIONS)


def test_a_step_that_is_made_up_is_the_only_action_that_is_not_said_in_its_call() -> None:
    made_up = {
        ast.unparse(call.args[2])
        for module in sources()
        for call in ast.walk(module)
        if isinstance(call, ast.Call) and is_trail(call) and "_change." in ast.unparse(call.args[1])
    }
    assert made_up == {"self.thing(change)"}


# --- How it is told ---------------------------------------------------------------------------------------------------
@pytest.fixture
def history(as_: Any, cast: Any) -> Any:
    """What the history of the instrument says, the newest first."""

    def read(who: str = "wang") -> str:
        page = words(as_(who).get(reverse("instrument_history", args=[cast.xrd.pk])))
        return page[page.index("Nothing of it can be changed.") : page.index("You can switch")]

    return read


@pytest.mark.django_db
def test_each_action_is_told_by_its_words_and_none_by_its_code(cast: Any, history: Any, now: datetime) -> None:
    plain = [action for action in INSTRUMENT_ACTIONS if action not in ("instrument.holidays", "instrument.occurrence")]
    for action in plain:
        AuditEntry.objects.create(at=now, action=action, object_type="instruments.instrument", object_id=str(cast.xrd.pk))
    rows = instrument_rows(AuditEntry.objects.filter(object_id=str(cast.xrd.pk)), Names())  # longer than a page
    page = history() + " ".join(str(row.action) for row in rows)
    for action in plain:
        assert str(INSTRUMENT_ACTIONS[action]) in page
    assert not re.search(r"\b(instrument|instrument_change|assistant)\.[a-z_]+", page)


@pytest.mark.django_db
def test_hours_are_told_in_sentences_with_what_was_before(cast: Any, history: Any) -> None:
    wang, xrd, now = cast.actor("wang"), cast.xrd.pk, cast.now
    first = date(2026, 12, 7)
    opening_hours.set_weekly_hours(wang, xrd, [MONDAY], first, now)
    page = history()
    assert "Opening hours changed" in page and "Mon–Sun 08:00–20:00 Mon 09:00–17:00" in page and "Mon 7 Dec 2026" in page
    opening_hours.set_weekly_hours(wang, xrd, [], first, now)
    assert "No weekly hours" in history()

    season = SeasonHours("Winter", date(2026, 12, 20), date(2027, 1, 20), [WeeklyWindow(2, time(10), time(12))], important=True)
    (entry,) = opening_hours.set_season(wang, xrd, season, now)
    page = history()
    assert "Hours of a season changed" in page
    assert "Winter: Sun 20 Dec 2026 to Wed 20 Jan 2027; Wed 10:00–12:00 (Wins over other seasons)" in page
    opening_hours.remove_entry(wang, xrd, entry, now)
    assert "Closure or other hours taken back" in history()
    opening_hours.bring_back(wang, xrd, entry, now)
    assert "Closure or other hours brought back" in history()

    firms = AudienceHours([Audience.FIRM], False, [4], time(9), time(12), first, reason="Teaching")
    opening_hours.set_audience_hours(wang, xrd, firms, now)
    assert "Hours for some customers changed" in (page := history())
    assert "Closed for firms: Fri 09:00–12:00 (Teaching)" in page

    once = OnceOrAgain(datetime(2026, 12, 26, 9), datetime(2026, 12, 26, 12))
    opening_hours.open_once(wang, xrd, once, now)
    assert "Opened exceptionally" in (page := history())
    assert "Open exceptionally: Sat 26 Dec 2026, 09:00–12:00" in page

    opening_hours.set_holidays(wang, xrd, HolidayRule(closed=True, makeup_weekday=0), now)
    page = history()
    assert "Rule for statutory holidays changed" in page
    assert "Closed on statutory holidays." in page
    opening_hours.set_holidays(wang, xrd, HolidayRule(), now)
    assert "Statutory holidays and make-up workdays change nothing." in history()


@pytest.mark.django_db
def test_a_single_time_of_repeated_hours_says_what_it_is_of_and_what_became_of_it(cast: Any, history: Any) -> None:
    wang, xrd, now = cast.actor("wang"), cast.xrd.pk, cast.now
    weekly = OnceOrAgain(datetime(2026, 12, 7, 9), datetime(2026, 12, 7, 10), "Cleaning", Recurrence("weekly", weekdays=(0,)))
    entry = opening_hours.close(wang, xrd, weekly, now)
    day = date(2026, 12, 14)
    opening_hours.cancel_occurrence(wang, xrd, entry, day, now)
    page = history()
    assert "A single time of repeated hours changed" in page
    assert "Closed: 09:00–10:00; every week on Mon (Cleaning)" in page
    assert "That of Mon 14 Dec 2026 does not take place." in page
    opening_hours.restore_occurrence(wang, xrd, entry, day, now)
    assert "That of Mon 14 Dec 2026 takes place as usual again." in history()
    opening_hours.move_occurrence(wang, xrd, entry, day, datetime(2026, 12, 15, 9), datetime(2026, 12, 15, 10), now)
    assert "That of Mon 14 Dec 2026 takes place at another time: Tue 15 Dec 2026, 09:00–10:00." in history()


@pytest.mark.django_db
def test_closures_of_a_file_are_counted_and_who_assists_is_named(cast: Any, history: Any) -> None:
    AuditEntry.objects.create(
        at=cast.now,
        action="instrument.closures_imported",
        object_type="instruments.instrument",
        object_id=str(cast.xrd.pk),
        after={"file": "x", "import": 1, "new": 12, "changed": 1, "taken_back": 2},
    )
    page = history()
    assert "12 closures added" in page and "1 closure changed" in page and "2 closures taken back" in page
    named = assistants.name(cast.actor("wang"), cast.xrd.pk, cast.users["wang"].pk, cast.now)
    assert "Somebody named who assists" in (page := history()) and str(cast.users["wang"]) in page
    assistants.unname(cast.actor("wang"), cast.xrd.pk, named.assistant_id, cast.now)
    assert "Somebody assists no more" in history()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "core", "part", "changed", "said"),
    [
        ("dataset", {"name": "Brines"}, {}, ({"description": "Of all salt lakes"}, {}), "Of all salt lakes"),
        ("literature", {"name": "Salts"}, {}, ({"description": "Of all salt lakes"}, {}), "Of all salt lakes"),
        ("test_item", {"name": "Li in brine"}, {}, ({}, {"matrix": "brine water"}), "brine water"),
        (
            "germplasm",
            {},
            {"standard": "mcpd", "descriptors": {"ACCENUMB": "QH1", "INSTCODE": "CHN001", "GENUS": "Hordeum"}},
            ({}, {"descriptors": {"ACCENUMB": "QH1", "INSTCODE": "CHN001", "GENUS": "Triticum"}}),
            "Triticum",
        ),
    ],
)
def test_every_kind_of_resource_has_its_history_for_those_who_keep_it(
    cast: Any, as_: Any, kind: str, core: dict[str, Any], part: dict[str, Any], changed: tuple[Any, Any], said: str
) -> None:
    wang = cast.actor("wang")
    made = resources.create_resource(wang, cast.lab.pk, kind, {**core, "published": True}, part, cast.now)
    resources.update_resource(wang, made.pk, *changed, cast.now, "as asked")
    address = reverse("resource_history", args=[made.pk])
    page = words(as_("wang").get(address))
    assert page.index("Changed") < page.index("Added")
    assert said in page and "Reason: as asked" in page
    assert address in as_("wang").get(reverse("resource_detail", args=[made.pk])).content.decode()
    assert address not in as_("lin").get(reverse("resource_detail", args=[made.pk])).content.decode()
    assert as_("lin").get(address).status_code == 403
    assert as_("wu").get(address).status_code == 200  # the inspector


@pytest.mark.django_db
def test_the_instruments_behind_a_resource_are_named_in_its_history(cast: Any, as_: Any) -> None:
    wang = cast.actor("wang")
    made = resources.create_resource(
        wang, cast.lab.pk, "dataset", {"name": "Patterns"}, {"instrument_ids": [cast.xrd.pk]}, cast.now
    )
    assert cast.xrd.name in words(as_("wang").get(reverse("resource_history", args=[made.pk])))


@pytest.mark.django_db
def test_a_history_takes_the_same_queries_however_long_it_is(cast: Any, as_: Any) -> None:
    wang, client = cast.actor("wang"), as_("wang")
    address = reverse("instrument_history", args=[cast.xrd.pk])

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    named = assistants.name(wang, cast.xrd.pk, cast.users["wang"].pk, cast.now)
    asked()
    before = asked()
    assistants.unname(wang, cast.xrd.pk, named.assistant_id, cast.now)
    for day in (7, 8, 9):
        opening_hours.close(wang, cast.xrd.pk, OnceOrAgain(datetime(2026, 12, day, 9), datetime(2026, 12, day, 10)), cast.now)
    assert asked() <= before
