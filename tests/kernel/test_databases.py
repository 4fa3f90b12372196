"""The databases of the tests themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests import databases

LEFT = "jishi_left_by_a_test"


@pytest.fixture
def left(django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database as a test process has one, with a beginning of its own: others run beside this test."""
    monkeypatch.setattr(databases, "OF_A_PROCESS", (LEFT,))
    with django_db_blocker.unblock():
        host = databases.own_host()
        databases.create(host, LEFT + "_1")
        yield host
        databases.drop_all(host, LEFT)


@pytest.mark.parametrize(("own", "swept", "kept"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_what_a_process_leaves_is_dropped_by_itself_or_on_a_server_of_the_tests_by_the_steps(
    left: str, monkeypatch: pytest.MonkeyPatch, own: bool, swept: bool, kept: int
) -> None:
    monkeypatch.setattr(databases, "is_only_for_tests", lambda: own)
    monkeypatch.setenv("JISHI_SWEPT", "later") if swept else monkeypatch.delenv("JISHI_SWEPT", raising=False)
    databases.leave(left, databases.names(left, LEFT))
    assert len(databases.names(left, LEFT)) == kept
    databases.sweep(left)
    assert databases.names(left, LEFT) == []


def test_on_a_server_that_others_use_nothing_is_swept(left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "is_only_for_tests", lambda: False)
    databases.sweep(left)
    assert len(databases.names(left, LEFT)) == 1
