"""A large facility becomes a plain instrument again: what goes is said before it, and the history keeps what its sheet held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import FacilityRecord, Instrument
from instruments.rules.facility_values import FACILITY_FIELDS, empty_facility
from instruments.services import catalogue
from instruments.services.instrument_changes import managed_instrument, require_manager
from instruments.services.instrument_details import as_audited, touch


@dataclass(frozen=True, slots=True)
class Ending:
    """What becoming a plain instrument would take off it: ``held`` are the fields of its sheet that say something, by name."""

    instrument: Instrument
    held: dict[str, Any]


def ending(actor: Actor, instrument_id: int) -> Ending:
    """What would go. Raises NotFound, Forbidden, Refusal ``facility.none``."""
    rows = Instrument.objects.select_related("organisation", "site", "facility")
    instrument = get_visible(rows, actor, pk=instrument_id)
    require_manager(actor, instrument.organisation_id)
    return Ending(instrument, _held(getattr(instrument, "facility", None)))


@whole
def end(actor: Actor, instrument_id: int, seen: datetime, now: datetime) -> Instrument:
    """Take the sheet off: bookings, prices and its own fields stay. ``seen`` is the ``updated_at`` that was looked at.

    Raises NotFound, Forbidden, Refusal ``facility.none``, Conflict ``facility.changed_meanwhile``.
    """
    instrument = managed_instrument(actor, instrument_id)
    record = FacilityRecord.objects.filter(instrument=instrument).first()
    held = _held(record)
    if seen != instrument.updated_at:
        raise Conflict.of("facility.changed_meanwhile", "seen")
    FacilityRecord.objects.filter(instrument=instrument).delete()
    touch(instrument, now)
    catalogue.refresh_instruments([instrument.pk], now)
    before = as_audited(held, "facility")
    audit.record(actor, "instrument.facility_end", instrument, now, before=before, after=dict.fromkeys(before, ""))
    return instrument


def _held(record: FacilityRecord | None) -> dict[str, Any]:
    if record is None:
        raise Refusal.of("facility.none", "instrument")
    empty = empty_facility()
    return {name: getattr(record, name) for name in FACILITY_FIELDS if getattr(record, name) != empty[name]}
