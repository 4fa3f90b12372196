"""An owner to keep resources for, and shorthand for imports and requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from config.kernel.access import Actor, Grant, Role
from instruments.models import Organisation
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest
from tests.frontend.acting import as_, clock
from tests.instruments.registry.conftest import make_owner

__all__ = ["OPERATOR", "as_", "clock", "manager", "owner", "taken_in"]

OPERATOR = Actor(name="shell", grants=(Grant(0, Role.OPERATOR),))


@pytest.fixture
def owner(db: None, now: datetime) -> Organisation:
    return make_owner("Kunlun Institute", now)


@pytest.fixture
def manager(owner: Organisation) -> Actor:
    return Actor(name="Wang", grants=(Grant(owner.pk, Role.LAB_MANAGER),))


def taken_in(
    importer: Callable[..., ImportReport], content: bytes | str, owner: Organisation, now: datetime, **options: Any
) -> ImportReport:
    """Import a file for an owner."""
    raw = content if isinstance(content, bytes) else content.encode()
    return importer(options.pop("actor", OPERATOR), ResourceImportRequest(raw, "list.csv", owner.pk, **options), now)
