"""A bad setting stops the start with a sentence that names the variable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from config import env

from .conftest import Installation

PRODUCTION = {
    "JISHI_MODE": "production",
    "JISHI_SECRET_KEY": "Zk3vT9qLw2xN8rJb5yHc7sDf1gPm4aUe6iOo0-_QWERTYasdfgh",
    "JISHI_HOSTS": "jishi.example.cn",
    "JISHI_PUBLIC_URL": "https://jishi.example.cn",
    "JISHI_SMTP_HOST": "smtp.example.cn",
    "JISHI_TRUSTED_PROXIES": "1",
    "DATABASE_URL": "postgresql://jishi:secret@127.0.0.1:1/jishi",
}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("perhaps", lambda name: env.boolean(name, False)),
        ("ten", lambda name: env.integer(name, 1, 0, 5)),
        ("6", lambda name: env.integer(name, 1, 0, 5)),
        ("-1", lambda name: env.integer(name, 1, 0, 5)),
        ("staging", lambda name: env.choice(name, "demo", frozenset({"demo", "production"}))),
        ("", lambda name: env.text(name)),
        ("short", env.secret),
        ("x" * 80, env.secret),
        ("demo-only-" + "abcdefghijklmnopqrstuvwxyz" * 2, env.secret),
        ("", lambda name: env.hosts(name, None)),
        ("*", lambda name: env.hosts(name, None)),
        ("https://jishi.example.cn", lambda name: env.hosts(name, None)),
        ("jishi.example.cn", lambda name: env.web_address(name, None, tls=True)),
        ("http://jishi.example.cn", lambda name: env.web_address(name, None, tls=True)),
        ("https://jishi.example.cn/path", lambda name: env.web_address(name, None, tls=True)),
        ("https://lab.example", env.destinations),
        ("lab.example:0", env.destinations),
        ("lab.example:99999", env.destinations),
        ("lab.example/path", env.destinations),
        ("*", env.destinations),
        ("hooks.example", lambda name: env.receivers(name, plain=True)),
        ("https://hooks.example/path", lambda name: env.receivers(name, plain=True)),
        ("https://hooks.example:99999", lambda name: env.receivers(name, plain=True)),
        ("https://me@hooks.example", lambda name: env.receivers(name, plain=True)),
        ("ftp://hooks.example", lambda name: env.receivers(name, plain=True)),
        ("https://*", lambda name: env.receivers(name, plain=True)),
        ("http://hooks.example", lambda name: env.receivers(name, plain=False)),
        ("many", lambda name: env.rate(name, "600/min", r"\d+/min")),
    ],
)
def test_a_bad_value_names_its_variable(value: str, read: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JISHI_SOMETHING", value)
    with pytest.raises(ImproperlyConfigured, match="JISHI_SOMETHING"):
        read("JISHI_SOMETHING")


def test_good_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", " On ")
    assert env.boolean("A", False) is True
    monkeypatch.setenv("A", "5")
    assert env.integer("A", 1, 0, 5) == 5
    monkeypatch.setenv("A", "a.example.cn, b.example.cn")
    assert env.hosts("A", None) == ["a.example.cn", "b.example.cn"]
    monkeypatch.setenv("A", "Lab.example, 10.2.0.7:8443,[fd00::7]:443")
    assert env.destinations("A") == {("lab.example", 80), ("lab.example", 443), ("10.2.0.7", 8443), ("fd00::7", 443)}
    monkeypatch.setenv("A", "")
    assert env.destinations("A") == frozenset()
    assert env.receivers("A", plain=False) == frozenset()
    monkeypatch.setenv("A", "https://Hooks.example, https://10.2.0.7:8443,https://[fd00::7]")
    both = {("https", "hooks.example", 443), ("https", "10.2.0.7", 8443), ("https", "fd00::7", 443)}
    assert env.receivers("A", plain=False) == both
    monkeypatch.setenv("A", "http://127.0.0.1:8099")
    assert env.receivers("A", plain=True) == {("http", "127.0.0.1", 8099)}
    monkeypatch.setenv("A", "https://a.example.cn:8443/")
    assert env.web_address("A", None, tls=True) == "https://a.example.cn:8443"


@pytest.mark.parametrize("written", ["[fd00::7]", "[FD00:0::7]", "[fd00:0000:0000:0000:0000:0000:0000:0007]", "[fd00::0.0.0.7]"])
def test_an_address_of_version_6_is_the_same_however_it_is_written(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", f"{written}:8443")
    assert env.destinations("A") == {("fd00::7", 8443)}
    monkeypatch.setenv("A", f"https://{written},http://{written}:8080")
    assert env.receivers("A", plain=True) == {("https", "fd00::7", 443), ("http", "fd00::7", 8080)}


def test_a_database_address_is_read_whole() -> None:
    read = env.database("postgresql://jishi:p%40ss@db.example.cn:5433/province?sslmode=verify-full")
    assert (read["HOST"], read["PORT"], read["NAME"]) == ("db.example.cn", "5433", "province")
    assert (read["USER"], read["PASSWORD"]) == ("jishi", "p@ss")
    assert read["OPTIONS"] == {"sslmode": "verify-full"}


@pytest.mark.parametrize(
    "url",
    ["mysql://a@b/c", "postgresql://a@b", "postgresql://a@b:port/c", "postgresql://a@b/c?application_name=x", "nonsense"],
)
def test_a_bad_database_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.database(url)


def test_home_must_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JISHI_HOME", str(tmp_path / "file"))
    with pytest.raises(ImproperlyConfigured, match="JISHI_HOME"):
        env.home(tmp_path)


def test_without_a_home_root_gets_a_folder_per_checkout_and_others_get_var(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JISHI_HOME", raising=False)
    monkeypatch.setattr(env.os, "geteuid", lambda: 0)
    assert env.home(Path("/srv/jishi")) == Path("/var/lib/jishi/srv-jishi")
    monkeypatch.setattr(env.os, "geteuid", lambda: 1000)
    assert env.home(Path("/srv/jishi")) == Path("/srv/jishi/var")


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("JISHI_SECRET_KEY", ""),
        ("JISHI_SECRET_KEY", "short"),
        ("JISHI_HOSTS", ""),
        ("JISHI_PUBLIC_URL", "http://jishi.example.cn"),
        ("JISHI_SMTP_HOST", ""),
        ("DATABASE_URL", ""),
        ("JISHI_LOCK_TIMEOUT_MS", "soon"),
    ],
)
def test_production_does_not_start_without_what_it_needs(changed: str, value: str, installation: Installation) -> None:
    done = installation.manage("check", **{**PRODUCTION, changed: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"Jishi cannot start: {changed} must")
    assert "Traceback" not in done.stderr


def test_the_deployment_check_has_nothing_to_say_in_production(installation: Installation) -> None:
    static = installation.home / "static"
    static.mkdir()
    (static / "app.css").write_text("")
    done = installation.manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_uncollected_static_files_stop_production(settings: Any, tmp_path: Path) -> None:
    """Where they are collected the check of a whole installation, above, has nothing to say."""
    settings.PRODUCTION, settings.STATIC_ROOT = True, tmp_path
    with pytest.raises(CommandError, match=r"jishi\.E006"):
        call_command("check", "--deploy", "--tag", "jishi")


def test_an_unreachable_database_is_said_in_a_sentence(installation: Installation) -> None:
    done = installation.manage("migrate", DATABASE_URL="postgresql://jishi@127.0.0.1:1/jishi")
    assert done.returncode == 1
    assert done.stderr.startswith("Jishi cannot reach its database")


STRIPE = {
    "key": "sk_test_" + "a" * 24,
    "webhook_secrets": ["whsec_" + "b" * 32],
    "account": "acct_12345",
    "payee": "91630100MA00000151",
    "api_base": "",
}


def test_payments_online_are_off_without_a_key() -> None:
    assert env.stripe(key="", webhook_secrets=[], account="", payee="", api_base="") is None


def test_with_every_setting_they_are_on_in_the_mode_of_the_key() -> None:
    assert env.stripe(**STRIPE)["live"] is False
    assert env.stripe(**STRIPE | {"key": "rk_live_" + "a" * 24})["live"] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", ""),
        ("key", "pk_test_" + "a" * 24),
        ("webhook_secrets", []),
        ("webhook_secrets", ["x"]),
        ("webhook_secrets", ["whsec_" + "b" * 32] * 3),
        ("account", ""),
        ("payee", "123"),
        ("api_base", "http://stripe.example"),
    ],
)
def test_half_of_the_settings_of_payments_online_stops_the_start(name: str, value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="JISHI_STRIPE_"):
        env.stripe(**STRIPE | {name: value})
