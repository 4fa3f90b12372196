"""Booking in a colleague's name: who has agreed to it, until when, and taking that back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from booking.models import BookingConsent, Reservation
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Membership, User
from instruments.queries import actor_for
from instruments.services.notices import News, person, tell
from instruments.services.organisations import lock_organisation

LONGEST_DAYS = 366
PATH = "/colleagues/"


@whole
def give(actor: Actor, organisation_id: int, taker_id: int, until_on: date, now: datetime) -> BookingConsent:
    """Let a colleague book in the actor's name until the end of a day; one that is open already gets the new day. Both are told.

    Raises Forbidden ``booking.not_for_this_organisation``, Refusal ``consent.not_a_colleague`` (``taker``), ``consent.days``
    (``until_on``).
    """
    if organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_for_this_organisation", field="organisation")
    today = local_today(now)
    if not today <= until_on <= today + timedelta(days=LONGEST_DAYS):
        raise Refusal.of("consent.days", "until_on", days=LONGEST_DAYS)
    lock_organisation(organisation_id)
    if not colleagues(actor, [organisation_id]).filter(user_id=taker_id).exists():
        raise Refusal.of("consent.not_a_colleague", "taker")
    row, made = BookingConsent.objects.select_for_update(no_key=True).get_or_create(
        organisation_id=organisation_id,
        giver_id=actor.person_id,
        taker_id=taker_id,
        ended_at=None,
        defaults={"until_on": until_on, "given_at": now},
    )
    before = {} if made else {"until_on": row.until_on.isoformat()}
    if not made:
        row.until_on = until_on
        row.save(update_fields=["until_on"])
    audit.record(actor, "consent.give", row, now, before=before, after={"taker": taker_id, "until_on": until_on.isoformat()})
    _tell(row, "consent.given", now)
    return row


@whole
def end(actor: Actor, consent_id: int, now: datetime) -> BookingConsent:
    """Take it back, or want it no longer; nothing more can be booked under it. Both are told.

    Raises NotFound, Refusal ``consent.ended``.
    """
    row = get_visible(BookingConsent.objects.select_for_update(of=("self",), no_key=True), actor, pk=consent_id)
    if row.ended_at is not None:
        raise Refusal.of("consent.ended")
    row.ended_at, row.ended_by_id = now, actor.person_id
    row.save(update_fields=["ended_at", "ended_by"])
    audit.record(actor, "consent.end", row, now, before={"until_on": row.until_on.isoformat()}, after={"ended": True})
    _tell(row, "consent.ended", now)
    return row


def in_the_name_of(actor: Actor, organisation_id: int, person_id: int | None, now: datetime, *, lock: bool = True) -> Actor:
    """Whose rules count for a booking of the actor's for ``person_id`` (None: their own); the consent is locked until the transaction
    ends, so that taking it back waits or is seen. Without ``lock`` it is only looked at.

    Raises Refusal ``consent.missing`` (``for_person``) where nobody has agreed, or may not book there any more.
    """
    if person_id is None or person_id == actor.user_id:
        return actor
    rows = open_ones(now).filter(organisation_id=organisation_id, giver_id=person_id, taker_id=actor.user_id)
    consent = (rows.select_for_update(of=("self",), no_key=True) if lock else rows).first()
    giver = User.objects.filter(pk=person_id, is_active=True).first() if consent is not None else None
    colleague = actor_for(giver) if giver is not None else None
    if colleague is None or organisation_id not in colleague.organisations(*BOOKING_ROLES):
        raise Refusal.of("consent.missing", "for_person")
    return colleague


def acts_for(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> bool:
    """Whether the actor may still spend on the reservation for its person: only who booked it in a colleague's name, and does not
    administer the customer, needs a consent that is open. ``lock``: it stays so until the transaction ends."""
    booked_it = reservation.booked_by_id is not None and reservation.booked_by_id == actor.user_id
    if not booked_it or reservation.organisation_id in actor.organisations(Role.FIRM_ADMIN):
        return True
    rows = open_ones(now).filter(
        organisation_id=reservation.organisation_id, giver_id=reservation.requested_by_id, taker_id=actor.person_id
    )
    return (rows.select_for_update(of=("self",), no_key=True) if lock else rows).first() is not None


def require_open(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = True) -> None:
    """Part of the caller's transaction. Raises Refusal ``consent.over`` where ``acts_for`` says no."""
    if not acts_for(reservation, actor, now, lock=lock):
        raise Refusal.of("consent.over", person=str(reservation.requested_by))


def open_ones(now: datetime) -> QuerySet[BookingConsent]:
    """Those under which something can be booked on the day of ``now``."""
    return BookingConsent.objects.filter(ended_at__isnull=True, until_on__gte=local_today(now))


def colleagues(actor: Actor, organisation_ids: Iterable[int]) -> QuerySet[Membership]:
    """Who else may book for these organisations of the actor's."""
    roles = [role.value for role in BOOKING_ROLES]
    rows = Membership.objects.filter(organisation_id__in=organisation_ids, role__in=roles, user__is_active=True)
    return rows.exclude(user=actor.person_id)


def local_today(now: datetime) -> date:
    """The day in the platform's zone, in which consents end."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _tell(row: BookingConsent, event: str, now: datetime) -> None:
    params = {"giver": str(row.giver), "taker": str(row.taker), "until_on": row.until_on.isoformat()}
    tell(News(event, params, PATH, row), person(row.giver_id, row.taker_id), now)
