"""The small named cast that tests share: who they are, what they own, and what they may do."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings

from config.kernel.time_range import TimeRange
from instruments.queries import codes
from tests import examples, seeds
from tests.beginnings import BEGINNINGS

# While the tests' modules are loaded nothing is garbage (``pytest_collection_finish``).
gc.disable()

# The same tests of the same code try the same examples: what another change did not touch cannot fail beside it. 'make proof' tries more
# and others.
# How long an example takes to draw depends on what else the machine does, and fails no test.
_ANY_PACE = (hypothesis.HealthCheck.too_slow,)
hypothesis.settings.register_profile("repeated", derandomize=True, max_examples=60, suppress_health_check=_ANY_PACE)
hypothesis.settings.register_profile("exploring", derandomize=False, print_blob=True, suppress_health_check=_ANY_PACE)
hypothesis.settings.load_profile("repeated")

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 09:00 in Shanghai


def data_dir() -> Path:
    """The shared data folder, which is not part of the project."""
    return Path(os.environ.get("JISHI_DATA_DIR", settings.BASE_DIR.parent / "shared" / "data"))


STEPS = {"concurrency": "tests/concurrency/", "browser": "tests/browser/"}
"""The folders that the steps of ``make test`` look into for what is marked so."""
LONG = ("tests/config/", "tests/scenarios/")


def pytest_configure() -> None:
    """Before other processes are started, which inherit it."""
    seeds.choose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """By which seed the state machines took their steps, where some ran."""
    reports = [one for many in terminalreporter.stats.values() for one in many if isinstance(one, pytest.TestReport)]
    if any("tests/scenarios/test_any" in one.nodeid for one in reports):
        terminalreporter.write_line(seeds.words())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Installations that are started and restored, and weeks that are lived through, come first: at the end the other processes would wait
    for them."""
    for item in items:
        for mark, folder in STEPS.items():
            if item.get_closest_marker(mark) and folder not in item.path.as_posix():
                raise pytest.UsageError(f"{item.nodeid} is marked {mark}: no step would run it outside {folder}")
    if hypothesis.settings.get_current_profile_name() == "repeated":
        examples.limit([item for item in items if not item.get_closest_marker("proof")], examples.for_every_day)
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Thousands of tests are many objects, which stay; they are not looked through for garbage again and again."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


def _turn(item: pytest.Item) -> tuple[bool, int]:
    fixtures = getattr(item, "fixturenames", [])
    return not any(folder in item.path.as_posix() for folder in LONG), BEGINNINGS.place(BEGINNINGS.of(fixtures))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the fixtures of a test the connection is to the database that it begins with."""
    BEGINNINGS.want(BEGINNINGS.of(getattr(item, "fixturenames", [])))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """The database of a test process is a copy of the migrated one."""
    from django.db import connections

    from tests import databases

    with django_db_blocker.unblock():
        connections["default"].settings_dict["TEST"]["TEMPLATE"] = databases.migrated(databases.own_host())


_TABLES_LEFT_ALONE = """
SELECT format('ALTER TABLE %I SET (autovacuum_enabled = off)', relname) FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Nothing is vacuumed behind the tests: what they roll back would be counted as a table without rows, and the next test that fills
    it would get the plans of an empty one."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(_TABLES_LEFT_ALONE)
        cursor.execute(";".join(statement for (statement,) in cursor.fetchall()))
    BEGINNINGS.open(django_db_blocker)
    yield
    BEGINNINGS.close()


@pytest.fixture(scope="session", autouse=True)
def static_files_on_demand() -> None:
    """Every test client builds the middleware anew; a look at each static file every time would be most of a request."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session", autouse=True)
def no_test_spans_the_minute_of_the_codes() -> None:
    """Lists of codes are kept for a minute of the machine's clock; its end within a test would be a query more for some page."""
    codes.KEPT_SECONDS = float("inf")


@pytest.fixture(autouse=True)
def no_codes_of_the_test_before() -> None:
    """What a test loads goes with its transaction, but not from the memory of the process."""
    codes.forget()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def shared_data() -> Path:
    folder = data_dir()
    if not folder.is_dir():
        pytest.skip(f"the shared data folder {folder} is absent")
    return folder


PRICE = {
    "format": 1,
    "currency": "CNY",
    "rates": {"inside": "200", "academic": "300", "firm_sme": "400", "firm_large": "500", "team": "400"},
    "bands": [],
    "minimum": {"minutes": 30, "amount": "0"},
    "rounding": {"step": "fen", "mode": "half_up"},
}


@dataclass
class Cast:
    """Lin Xia (researcher) and Zhao Min (administrator) of Gaoyuan Lithium; Wang manages the Kunlun lab and Li accounts for it;
    officer Chen drafts and officer Sun publishes programmes; finance Qian; inspector Wu; operator Zhou. A second firm (Lianhe)
    with researcher He is foreign to all of them."""

    now: datetime
    firm: Any
    other_firm: Any
    lab: Any
    office: Any
    site: Any
    xrd: Any
    users: dict[str, Any]

    def actor(self, name: str) -> Any:
        from instruments.queries import actor_for

        return actor_for(self.users[name])


def build_cast(now: datetime = NOW) -> Cast:
    """Write the cast to the database."""
    from billing.pricing.models import PriceVersion
    from config.kernel.access import Role
    from instruments.models import Instrument, Membership, Organisation, Site, User
    from instruments.rules.opening import CalendarEntry, EntryKind
    from instruments.rules.recurrence import Recurrence
    from instruments.services import catalogue, schedule_store

    def organisation(kind: str, name: str, **fields: Any) -> Any:
        defaults = {"status": "verified", "verified_at": now, "region_code": "630104", "name_key": name, "created_at": now}
        return Organisation.objects.create(kind=kind, name=name, **(defaults | fields))

    firm = organisation("firm", "Gaoyuan Lithium", staff_count=18, annual_revenue_fen=2_000_000_00)
    other_firm = organisation("firm", "Lianhe Materials", staff_count=400, annual_revenue_fen=90_000_000_00)
    lab = organisation("owner", "Kunlun Institute", owner_class="public_welfare_2", quality_grade="A")
    office = organisation("government", "Demo Science Office")
    users: dict[str, Any] = {}

    def person(name: str, org: Any, *roles: Role) -> None:
        users[name] = User.objects.create(email=f"{name}@example.org", full_name=name.title(), password="!", language="en")
        for role in roles:
            Membership.objects.create(user=users[name], organisation=org, role=role, created_at=now)

    person("lin", firm, Role.RESEARCHER)
    person("zhao", firm, Role.FIRM_ADMIN)
    person("he", other_firm, Role.RESEARCHER, Role.FIRM_ADMIN)
    person("wang", lab, Role.LAB_MANAGER)
    person("li", lab, Role.OWNER_FINANCE)
    person("chen", office, Role.PROGRAMME_OFFICER)
    person("sun", office, Role.PROGRAMME_OFFICER)
    person("qian", office, Role.FINANCE)
    person("wu", office, Role.INSPECTOR)
    person("zhou", office, Role.OPERATOR)
    site = Site.objects.create(organisation=lab, name="Xining", time_zone="Asia/Shanghai", region_code="630104")
    calendar_id = schedule_store.create_calendar("XRD")
    weekly = Recurrence(frequency="weekly", interval=1, weekdays=(0, 1, 2, 3, 4, 5, 6), until=None, count=None)
    start = datetime(2025, 1, 6, 8, 0)
    entry = CalendarEntry(EntryKind.OPENING, start, start.replace(hour=20), weekly)
    schedule_store.add_entry(calendar_id, site.time_zone, entry)
    xrd = Instrument.objects.create(
        organisation=lab,
        site=site,
        calendar_id=calendar_id,
        name="X-ray diffractometer",
        class_code="010301",
        service_modes=["self_operated", "assisted"],
        created_at=now,
        updated_at=now,
    )
    PriceVersion.objects.create(instrument=xrd, effective_from=date(2025, 1, 1), document=PRICE, published_at=now)
    catalogue.refresh_instruments([xrd.pk], now)
    return Cast(now, firm, other_firm, lab, office, site, xrd, users)


@pytest.fixture
def begins_with_cast() -> None:
    """The database begins with the cast."""


@pytest.fixture
def cast(begins_with_cast: None, db: None) -> Cast:
    return BEGINNINGS.left_by("begins_with_cast")


def programme_document(code: str) -> dict[str, Any]:
    """A shipped programme document."""
    path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / f"{code}.json"
    return json.loads(path.read_text())


def voucher_document(code: str = "DEMO-QH-VC") -> dict[str, Any]:
    """DEMO-QH-V (40 % deducted at once) for everybody of the province, limited by what a voucher is worth and nothing else."""
    document = programme_document("DEMO-QH-V") | {"code": code, "examples": [], "open_points": []}
    document.pop("exclusive")
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    limit = {"configured": True, "when_unset": "no_limit"}
    clause = document["caps"][0]["clause"]
    document["caps"] = [{"id": "voucher", "per": "voucher", "limit": limit, "when_short": "partial", "clause": clause}]
    return document


def publish_programmes(cast: Cast) -> dict[str, Any]:
    """Both DEMO programmes, drafted by officer Chen and published by officer Sun."""
    from billing.subsidy import services

    versions = {}
    for code in ("DEMO-QH-A", "DEMO-QH-V"):
        version = services.draft_version(cast.actor("chen"), programme_document(code), cast.now)
        services.publish_version(cast.actor("sun"), version, cast.now)
        versions[code] = version
    return versions


@pytest.fixture
def begins_with_programmes() -> None:
    """The database begins with the cast and the programmes."""


@pytest.fixture
def programmes(begins_with_programmes: None, cast: Cast) -> dict[str, Any]:
    return BEGINNINGS.left_by("begins_with_programmes")


WITH_CAST = BEGINNINGS.add("begins_with_cast", None, lambda left: build_cast())
WITH_PROGRAMMES = BEGINNINGS.add("begins_with_programmes", WITH_CAST, lambda left: publish_programmes(left["begins_with_cast"]))


def slot_of(first_hour: float, last_hour: float, day: int = 0) -> TimeRange:
    """On the day after tomorrow: ``slot_of(10, 12)`` is 10:00 to 12:00 in Shanghai."""
    midnight = datetime(2026, 11, 24, 16, 0, tzinfo=UTC) + timedelta(days=day)
    return TimeRange(midnight + timedelta(hours=first_hour), midnight + timedelta(hours=last_hour))


@pytest.fixture
def slot() -> Callable[..., TimeRange]:
    return slot_of
