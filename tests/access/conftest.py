"""A world that is built once for all tests here; what a test changes in it is rolled back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.kernel.api.throttling import FeedThrottle, PaperThrottle, PerActorThrottle
from instruments.rules.ics_reading import read_ics
from instruments.services import ics_reader
from tests.access.world import World, build_world
from tests.conftest import NOW


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: NOW)
        patch.setattr(PerActorThrottle, "THROTTLE_RATES", {"actor": "1000000/min"})
        patch.setattr(PaperThrottle, "THROTTLE_RATES", {"paper": "1000000/min"})
        patch.setattr(FeedThrottle, "THROTTLE_RATES", {"feed": "1000000/min"})
        patch.setattr(ics_reader, "read", read_ics)  # in this process: dozens of requests read the same small file
        logging.disable(logging.CRITICAL)
        built = build_world()
        # What the database looks at in the end it looks at now; else it would do so again at the end of each test.
        connection.check_constraints()
        yield built
        logging.disable(logging.NOTSET)
        transaction.set_rollback(True)
