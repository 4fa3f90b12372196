"""One thing that fails does not keep the others waiting, and what it began is undone."""

from __future__ import annotations

import logging

import pytest

from config.kernel.models import Heartbeat
from config.kernel.services.parking import each_parked


@pytest.mark.django_db
def test_what_fails_is_undone_logged_and_passed_over(caplog):
    def act(name: str) -> bool:
        Heartbeat.objects.create(name=name, at="2026-11-23T00:00:00Z")
        if name == "two":
            raise RuntimeError("broken")
        return name != "three"

    with caplog.at_level(logging.ERROR):
        assert each_parked(["one", "two", "three", "four"], act, "beat") == 2
    assert sorted(Heartbeat.objects.values_list("name", flat=True)) == ["four", "one", "three"]
    assert [record.getMessage() for record in caplog.records] == ["beat two is parked: it could not be handled"]
