"""The keys with which devices and campus systems speak to us."""

from __future__ import annotations

import secrets
from datetime import datetime

from booking.models import DeviceKey
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.tokens import digest
from config.kernel.services.transactions import whole
from instruments.models import Instrument
from instruments.rules.names import clean_name

PREFIX = "jishi_dev_"
MOST_IN_USE = 200


@whole
def issue(actor: Actor, organisation_id: int, instrument_id: int | None, name: str, now: datetime) -> tuple[DeviceKey, str]:
    """A new key for one instrument, or (``instrument_id`` None) for all of the organisation's; it is shown this once.

    Raises Forbidden, NotFound (instrument), Refusal ``device.other_owner`` (``instrument``), ``device.too_many_keys``, ``name.*``.
    """
    actor.require_in(organisation_id, Role.LAB_MANAGER)
    clean = clean_name(name, 100, "name")
    if instrument_id is not None:
        instrument = get_visible(Instrument.objects.all(), actor, pk=instrument_id)
        if instrument.organisation_id != organisation_id:
            raise Refusal.of("device.other_owner", "instrument")
    if DeviceKey.objects.filter(organisation_id=organisation_id, revoked_at__isnull=True).count() >= MOST_IN_USE:
        raise Refusal.of("device.too_many_keys", maximum=MOST_IN_USE)
    key = PREFIX + secrets.token_urlsafe(32)
    made = DeviceKey.objects.create(
        organisation_id=organisation_id,
        instrument_id=instrument_id,
        name=clean,
        key_sha256=digest(key),
        created_by_id=actor.person_id,
        created_at=now,
    )
    audit.record(actor, "device_key.issue", made, now, after={"name": clean, "instrument": instrument_id})
    return made, key


@whole
def revoke(actor: Actor, key_id: int, now: datetime) -> DeviceKey:
    """Make a key useless at once; a revoked one stays as it is. Raises NotFound, Forbidden."""
    found = get_visible(DeviceKey.objects.select_for_update(of=("self",), no_key=True), actor, pk=key_id)
    actor.require_in(found.organisation_id, Role.LAB_MANAGER)
    if found.revoked_at is None:
        found.revoked_at = now
        found.save(update_fields=["revoked_at"])
        audit.record(actor, "device_key.revoke", found, now)
    return found


def by_key(key: str) -> DeviceKey | None:
    """The key that is in use, found by its digest; none when it is unknown or revoked."""
    return DeviceKey.objects.filter(key_sha256=digest(key), revoked_at__isnull=True).first()
