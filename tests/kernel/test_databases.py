"""The databases of the tests themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests import databases


@pytest.fixture
def left(django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database as a test process has one, with a beginning of its own: others run beside this test."""
    monkeypatch.setattr(databases, "OF_A_PROCESS", ("jishi_left_by_a_test",))
    with django_db_blocker.unblock():
        host = databases.own_host()
        databases.create(host, "jishi_left_by_a_test_1")
        yield host
        databases.drop_all(host, "jishi_left_by_a_test")


@pytest.mark.parametrize("later", [True, False])
def test_what_a_process_leaves_is_dropped_by_itself_or_by_the_steps(
    left: str, monkeypatch: pytest.MonkeyPatch, later: bool
) -> None:
    monkeypatch.setenv("JISHI_SWEPT", "later") if later else monkeypatch.delenv("JISHI_SWEPT", raising=False)
    databases.leave(left, databases.names(left, "jishi_left_by_a_test"))
    assert len(databases.names(left, "jishi_left_by_a_test")) == later
    databases.sweep(left)
    assert databases.names(left, "jishi_left_by_a_test") == []
