"""The start-up check sees when a guard of the database is missing, changed or switched off."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.db import connection

from booking import ports
from config import checks, readiness
from config.kernel.installed_guards import expected_count, missing_guards

pytestmark = pytest.mark.django_db


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_migrated_database_has_every_guard() -> None:
    assert missing_guards() == []
    assert expected_count() > 50


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap",
            "constraint occupancy_no_overlap on booking_occupancy is missing",
        ),
        (
            "ALTER TABLE billing_programmeversion DROP CONSTRAINT programme_version_no_overlap",
            "constraint programme_version_no_overlap on billing_programmeversion is missing",
        ),
        (
            "ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent,"
            " ADD CONSTRAINT account_never_overspent CHECK (granted_fen >= held_fen) NOT VALID",
            "constraint account_never_overspent on billing_account is not validated or not enforced",
        ),
        ("DROP INDEX transfer_hold_ends_once", "constraint transfer_hold_ends_once on billing_transfer is missing"),
        (
            "ALTER TABLE kernel_auditentry DISABLE TRIGGER USER",
            "trigger audit_append_only on kernel_auditentry is disabled",
        ),
        (
            "ALTER TABLE billing_award DISABLE TRIGGER ALL",
            "foreign keys of billing_award are not enforced",
        ),
    ],
)
def test_a_lost_guard_is_named(statement: str, sentence: str) -> None:
    execute(statement)
    assert sentence in missing_guards()


def test_a_dropped_and_a_changed_trigger_are_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_charge_append_only%'")
        (name,) = cursor.fetchone()
    execute(f"COMMENT ON TRIGGER {name} ON billing_charge IS 'another'")
    assert "trigger charge_append_only on billing_charge is not the one the code describes" in missing_guards()
    execute(f"DROP TRIGGER {name} ON billing_charge")
    assert "trigger charge_append_only on billing_charge is missing" in missing_guards()


def test_the_check_of_the_database_reports_an_error_per_guard() -> None:
    execute("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    found = [message for message in run_checks(databases=["default"]) if message.id == "jishi.E001"]
    assert len(found) == 1
    assert "occupancy_no_overlap" in found[0].msg


def test_without_a_money_port_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.money_follows_reservations() == []
    monkeypatch.setattr(ports, "_registered", [])
    assert [message.id for message in checks.money_follows_reservations()] == ["jishi.E002"]


def test_without_the_built_front_end_nothing_starts(settings: object, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.BASE_DIR", tmp_path)
    assert [message.id for message in checks.served_parts_present()] == ["jishi.E003", "jishi.E004"]


def test_a_serving_process_refuses_with_the_reason(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(readiness, "connections", _KeepConnections())
    monkeypatch.setattr(ports, "_registered", [])
    with pytest.raises(SystemExit) as ended:
        readiness.refuse_unless_ready()
    assert ended.value.code == 3
    assert "Refusing to start: jishi.E002" in capsys.readouterr().err


class _KeepConnections:
    """The test's transaction must survive."""

    def close_all(self) -> None:
        """Nothing is closed."""
