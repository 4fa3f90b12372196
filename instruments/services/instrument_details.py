"""The customs record of an instrument and the sources of its purchase money: facts for reports, which apply at once; and what makes it a
large facility, whose public part the operator may look at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import CustomsRecord, FacilityRecord, Instrument, InstrumentFunding
from instruments.rules.details_values import CUSTOMS_FIELDS, clean_customs, clean_fundings
from instruments.rules.facility_values import IS_FACILITY, clean_facility, shows
from instruments.services import catalogue
from instruments.services.instrument_changes import managed_instrument, refuse_unreviewed


@whole
def set_customs(actor: Actor, instrument_id: int, given: Mapping[str, Any], now: datetime) -> CustomsRecord | None:
    """Write the named fields of the customs record; one that holds nothing is not kept.

    Raises NotFound, Forbidden, Refusal ``instrument.customs_code_invalid``, ``instrument.date_out_of_range``, ``name.*``.
    """
    instrument = managed_instrument(actor, instrument_id)
    cleaned = clean_customs(given)
    Refusal.raise_any(cleaned.reasons)
    record = CustomsRecord.objects.filter(instrument=instrument).first() or CustomsRecord(instrument=instrument)
    before = {name: getattr(record, name) for name, value in cleaned.values.items() if getattr(record, name) != value}
    if not before:
        return record if record.pk else None
    for name in before:
        setattr(record, name, cleaned.values[name])
    is_empty = all(getattr(record, name) in ("", None) for name in CUSTOMS_FIELDS)
    if not is_empty:
        record.save()
    elif record.pk:
        record.delete()
    after = {name: cleaned.values[name] for name in before}
    touch(instrument, now)
    was, becomes = as_audited(before, "customs"), as_audited(after, "customs")
    audit.record(actor, "instrument.customs", instrument, now, before=was, after=becomes)
    return None if is_empty else record


@whole
def set_fundings(actor: Actor, instrument_id: int, given: Iterable[tuple[str, int | None]], now: datetime) -> None:
    """Write whose money bought it: pairs of source and amount in fen, None when only the source is known.

    Raises NotFound, Forbidden, Refusal as ``details_values.clean_fundings``.
    """
    instrument = managed_instrument(actor, instrument_id)
    wanted = dict(clean_fundings(given))
    before = dict(InstrumentFunding.objects.filter(instrument=instrument).values_list("source", "amount_fen"))
    if wanted == before:
        return
    InstrumentFunding.objects.filter(instrument=instrument).delete()
    InstrumentFunding.objects.bulk_create(
        [InstrumentFunding(instrument=instrument, source=source, amount_fen=amount) for source, amount in wanted.items()]
    )
    touch(instrument, now)
    audit.record(actor, "instrument.funding", instrument, now, before={"funding": before}, after={"funding": wanted})


@whole
def set_facility(actor: Actor, instrument_id: int, given: Mapping[str, Any], now: datetime) -> FacilityRecord:
    """Write the named fields of the record of a large facility; an instrument without one becomes a facility by it.

    Raises NotFound, Forbidden, Refusal as ``facility_values.clean_facility``, and ``instrument.review_needed`` for what everybody would
    see of a published instrument where the operator looks first.
    """
    instrument = managed_instrument(actor, instrument_id)
    cleaned = clean_facility(given)
    Refusal.raise_any(cleaned.reasons)
    record = FacilityRecord.objects.filter(instrument=instrument).first()
    is_new = record is None
    record = record or FacilityRecord(instrument=instrument)
    before = {name: getattr(record, name) for name, value in cleaned.values.items() if getattr(record, name) != value}
    if not before and not is_new:
        return record
    if shows(before, is_new=is_new):
        refuse_unreviewed(actor, instrument, {IS_FACILITY: True})
    for name in before:
        setattr(record, name, cleaned.values[name])
    record.save()
    after = {name: cleaned.values[name] for name in before}
    touch(instrument, now)
    was, becomes = as_audited(before, "facility"), as_audited(after, "facility")
    audit.record(actor, "instrument.facility", instrument, now, before=was, after=becomes)
    if is_new:
        catalogue.refresh_instruments([instrument.pk], now)
    return record


def touch(instrument: Instrument, now: datetime) -> None:
    """A change beside the instrument's own row is a new revision of it."""
    instrument.updated_at = now
    instrument.save(update_fields=["updated_at"])


def as_audited(values: Mapping[str, Any], about: str) -> dict[str, Any]:
    """Values of the customs record or of a facility, as the audit trail keeps them: their names begin with ``about``."""
    return {f"{about}_{name}": value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
