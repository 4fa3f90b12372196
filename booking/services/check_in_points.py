"""The codes at the instruments, what has to be confirmed there, and the short-lived proof that somebody has just read one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core import signing

from booking.models import CheckInPoint, Reservation
from booking.services import acting
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument, ServiceMode
from instruments.rules.registry_values import clean_text

TICK_LENGTH = 200
MOST_TICKS = 12
GOOD_FOR = timedelta(minutes=15)
"""How long a page may be used after its code was read at the instrument."""
_SALT = "booking.check-in"


@whole
def ensure(actor: Actor, instrument_id: int, now: datetime) -> CheckInPoint:
    """The instrument's point, made when there is none. Raises NotFound, Forbidden."""
    instrument = _managed(actor, instrument_id)
    point, made = CheckInPoint.objects.get_or_create(
        instrument=instrument, defaults={"code": _new_code(), "changed_at": now, "changed_by_id": actor.user_id}
    )
    if made:
        audit.record(actor, "check_in_point.make", point, now)
    return point


@whole
def renew(actor: Actor, instrument_id: int, now: datetime) -> CheckInPoint:
    """Another code; labels with the old one lead nowhere from now on. Raises NotFound, Forbidden."""
    point = ensure(actor, instrument_id, now)
    point.code, point.changed_at, point.changed_by_id = _new_code(), now, actor.user_id
    point.save(update_fields=["code", "changed_at", "changed_by"])
    audit.record(actor, "check_in_point.renew", point, now)
    return point


@whole
def set_ticks(actor: Actor, instrument_id: int, ticks: Sequence[str], now: datetime) -> CheckInPoint:
    """What must be confirmed before a start, one short sentence each; empty ones are dropped.

    Raises NotFound, Forbidden, Refusal ``check_in.too_many_ticks`` / ``name.*`` (``ticks``).
    """
    point = ensure(actor, instrument_id, now)
    clean = [words for words in (clean_text(one, TICK_LENGTH, "ticks") for one in ticks) if words]
    if len(clean) > MOST_TICKS:
        raise Refusal.of("check_in.too_many_ticks", "ticks", maximum=MOST_TICKS)
    before, point.ticks = point.ticks, clean
    point.changed_at, point.changed_by_id = now, actor.user_id
    point.save(update_fields=["ticks", "changed_at", "changed_by"])
    audit.record(actor, "check_in_point.ticks", point, now, before={"ticks": before}, after={"ticks": clean})
    return point


def ticks_of(instrument_id: int) -> list[str]:
    """What has to be confirmed at an instrument; nothing when the lab set nothing."""
    return list(CheckInPoint.objects.filter(instrument_id=instrument_id).values_list("ticks", flat=True).first() or [])


def read_code(actor: Actor, code: str, now: datetime) -> str:
    """What the person who has just read a code carries to the page: signed, for this person and instrument, for 15 minutes.

    Raises Forbidden ``access.login_needed``, NotFound for an unknown code.
    """
    instrument_id = CheckInPoint.objects.filter(code=code).values_list("instrument_id", flat=True).first()
    if instrument_id is None:
        raise NotFound.of("check_in.code_unknown")
    proof = {"instrument": instrument_id, "user": actor.person_id, "until": int((now + GOOD_FOR).timestamp())}
    return signing.dumps(proof, salt=_SALT, compress=False)


def instrument_of(actor: Actor, proof: str, now: datetime) -> Instrument:
    """The instrument in front of which the person stands.

    Raises Refusal ``check_in.scan_again`` (``proof``) when the proof is too old, of somebody else or not ours, NotFound.
    """
    try:
        read = signing.loads(proof, salt=_SALT)
    except signing.BadSignature:
        raise Refusal.of("check_in.scan_again", "proof") from None
    if read["user"] != actor.user_id or now.timestamp() >= read["until"]:
        raise Refusal.of("check_in.scan_again", "proof")
    rows = Instrument.objects.select_related("site", "organisation", "policy")
    return get_visible(rows, actor, pk=read["instrument"])


def stands_at(actor: Actor, reservation_id: int, proof: str, now: datetime) -> int | None:
    """The instrument at which who starts a session stands, by the ``proof``; None where nobody does: it is operated from elsewhere.

    Raises as ``acting.require_acting`` and ``instrument_of``, NotFound.
    """
    reservation = get_visible(Reservation.objects.all(), actor, pk=reservation_id)
    acting.require_acting(reservation, actor, now)
    if not proof and reservation.service_mode == ServiceMode.REMOTE:
        return None
    return instrument_of(actor, proof, now).pk


def require_at(reservation_id: int, instrument_id: int) -> None:
    """Who stands at one instrument does nothing about another. Raises NotFound."""
    if not Reservation.objects.filter(pk=reservation_id, instrument_id=instrument_id).exists():
        raise NotFound.of("access.not_found", model="reservation")


def _managed(actor: Actor, instrument_id: int) -> Instrument:
    instrument = get_visible(Instrument.objects.all(), actor, pk=instrument_id)
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
    return instrument


def _new_code() -> str:
    return secrets.token_urlsafe(12)
