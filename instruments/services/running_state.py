"""The running state of an instrument follows what its lab does elsewhere: who may say so has been asked there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from config.kernel.access import Actor
from config.kernel.services import audit
from instruments.models import Instrument, InstrumentStatus
from instruments.services import catalogue


def follow(
    instrument_id: int, status: InstrumentStatus, actor: Actor, now: datetime, reason: str, *, only_from: Collection[str]
) -> str:
    """Set the running state where it is one of ``only_from``; returns what it was, or "" where it stays. Part of the caller's
    transaction."""
    instrument = Instrument.objects.select_for_update(of=("self",), no_key=True).get(pk=instrument_id)
    before = instrument.status
    if before not in only_from or before == status:
        return ""
    instrument.status, instrument.updated_at = status, now
    instrument.save(update_fields=["status", "updated_at"])
    catalogue.refresh_instruments([instrument.pk], now)
    audit.record(
        actor, "instrument.update", instrument, now, before={"status": before}, after={"status": str(status)}, reason=reason
    )
    return before
