"""An owner to import for, and shorthand for an import."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from config.kernel.access import Actor, Grant, Role
from instruments.models import Organisation
from instruments.rules.registry_map import builtin_map, parse_map
from instruments.services.registry_import import ImportReport, ImportRequest, import_registry

OPERATOR = Actor(name="shell", grants=(Grant(0, Role.OPERATOR),))


def make_owner(name: str, now: datetime, **fields: Any) -> Organisation:
    return Organisation.objects.create(
        **{"kind": "owner", "name": name, "name_key": name.casefold(), "status": "verified", "created_at": now}
        | {"verified_at": now}
        | fields
    )


@pytest.fixture
def owner(db: None, now: datetime) -> Organisation:
    return make_owner("Kunlun Institute", now)


@pytest.fixture
def manager(owner: Organisation) -> Actor:
    return Actor(name="Wang", grants=(Grant(owner.pk, Role.LAB_MANAGER),))


Take = Callable[..., ImportReport]


@pytest.fixture
def take(owner: Organisation, now: datetime) -> Take:
    """``take("name\\nSEM\\n")`` imports a text for the owner by the built-in map."""

    def run(text: str | bytes, document: dict[str, Any] | None = None, **options: Any) -> ImportReport:
        content = text if isinstance(text, bytes) else text.encode()
        plan = builtin_map("csv") if document is None else parse_map(document)
        options.setdefault("owner_id", owner.pk)
        actor = options.pop("actor", OPERATOR)
        return import_registry(actor, ImportRequest(content, "list.csv", plan, **options), now)

    return run
