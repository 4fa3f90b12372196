"""Programmes that tests put in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.subsidy import services
from billing.subsidy.models import ProgrammeVersion
from config.kernel.access import Actor


def put_in_force(author: Actor, approver: Actor, document: Mapping[str, Any], now: datetime) -> ProgrammeVersion:
    """A document of one officer, published by another."""
    version = services.draft_version(author, document, now)
    services.publish_version(approver, version, now)
    return version
