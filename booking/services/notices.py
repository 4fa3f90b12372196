"""Telling people and institutions about a reservation, in the transaction of the change (see ``instruments.services.notices``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse

from booking.models import Reservation, ReservationChange, ReservationSeries
from booking.rules.changes import ChangeState
from booking.rules.states import ReservationState
from booking.services import assisting, deciders, deputies
from config.kernel.access import Role
from config.kernel.services.silence import is_silent, silence
from instruments.models import Instrument
from instruments.services.notices import News, holders, person, settle, tell

__all__ = ["defer", "silence"]
_TO_BOTH = {
    "cancelled": "lab.reservation_cancelled",
    "moved": "lab.reservation_moved",
    "change_withdrawn": "lab.reservation_change_withdrawn",
    "agree_soon": "lab.agree_soon",
    "fee_fell_away": "lab.fee_fell_away",
}
"""Told to the customer and, under a code of its own, to the lab's managers."""
_TO_ASSISTANT = frozenset({"approved", "moved", "cancelled", "extended", "no_show"})
"""Told to whoever assists in the session too, as ``assist.*``, also where many are told of together: it is their day."""
SERIES_REQUESTED = "series.requested"
SERIES_MOVE_ASKED = ("series.move_asked", "series.lab.move_asked")
_ANSWERED = ("reservation.requested", "reservation.entered_for_you", "reservation.figures_changed", "lab.request_overdue")
_PROPOSED = ("reservation.change_proposed_to_lab", "reservation.change_proposed_to_customer")
_GAP = ("licence.gap",)
_LEADER = ("reservation.leader_asked",)
SOON_TO_CUSTOMER, SOON_TO_LAB = "reservation.agree_soon", "lab.agree_soon"
_SOON = (SOON_TO_CUSTOMER, SOON_TO_LAB)
_ASKED_FOR_YES = ("reservation.completed", "reservation.times_corrected")
_USE_ASKS_CUSTOMER = (*_ASKED_FOR_YES, "reservation.adjustment_refused", SOON_TO_CUSTOMER)
_USE_ASKS_LAB = ("reservation.adjustment_asked_to_lab", "reservation.disputed_to_lab", "lab.use_overdue", SOON_TO_LAB)
EXTRA_PROPOSED = "reservation.extra_proposed"
_USE = (*_USE_ASKS_CUSTOMER, *_USE_ASKS_LAB, EXTRA_PROPOSED)
_SETTLES = {
    "charged": _USE,
    "adjustment_asked_to_lab": (*_ASKED_FOR_YES, *_SOON),
    "adjustment_refused": ("reservation.adjustment_asked_to_lab", "lab.use_overdue"),
    "disputed_to_lab": (*_ASKED_FOR_YES, "reservation.adjustment_refused", *_SOON),
    "approved": (*_ANSWERED, *_PROPOSED, *_LEADER),
    "leader_declined": (*_ANSWERED, *_PROPOSED, *_GAP, *_LEADER),
    **dict.fromkeys(("rejected", "cancelled", "expired", "no_show"), (*_ANSWERED, *_PROPOSED, *_GAP, *_LEADER)),
    "completed": _GAP,
    "customer_agreed": _USE_ASKS_CUSTOMER,
    "lab_agreed": _USE_ASKS_LAB,
    **dict.fromkeys(("moved", "change_withdrawn"), _PROPOSED),
    **{f"change_{end}_to_{side}": _PROPOSED for end in ("refuse", "lapse") for side in ("lab", "customer")},
}
"""What nobody has to look at any more once this has happened."""


def settle_answered(reservation: Reservation, customer: bool, lab: bool, now: datetime) -> None:
    """A side has said yes to the use: nothing that it was asked about it needs it any more."""
    for side, said in (("customer_agreed", customer), ("lab_agreed", lab)):
        if said:
            settle(reservation, _SETTLES[side], now)


_together: ContextVar[bool] = ContextVar("together", default=False)


@contextmanager
def told_together() -> Iterator[None]:
    """Within it people are not told of each reservation by itself: who does something with many tells them once (``tell_of_series``).
    Webhooks hear of each all the same."""
    token = _together.set(True)
    try:
        yield
    finally:
        _together.reset(token)


def is_told_together() -> bool:
    """Whether somebody tells of many reservations at once, so that nobody is told of one."""
    return _together.get()


def defer(reservation: Reservation, event: str, now: datetime, not_to: Collection[str] = (), **more: Any) -> None:
    """Tell of ``event``: the last part of a code ``reservation.*`` in ``booking.notice_wording``. ``requested`` and what ends in
    ``_to_lab`` is for the lab, a few events are for both sides, the others for the customer. ``not_to``: whole codes whose readers know
    already. ``more`` are further parameters of its sentences, such as ``reason``.
    """
    if event in _SETTLES:
        settle(reservation, _SETTLES[event], now)
        _settle_series(reservation, now)
    if is_silent():
        return
    lab = reservation.instrument.organisation_id
    code, managers = f"reservation.{event}", told_managers(lab, now)
    for_lab = event == "requested" or event.endswith("_to_lab")
    if event in ("requested", "change_proposed_to_lab"):
        managers |= deciders.told_heads(reservation)
    told: dict[str, Q] = {code: managers if for_lab else _customers(reservation, event)}
    if event in _TO_BOTH:
        told[_TO_BOTH[event]] = managers
    heard = dict.fromkeys({lab, reservation.organisation_id}, hear(reservation, event))
    params = params_of(reservation) | more
    path = reverse("reservation_detail", kwargs={"pk": reservation.pk})
    told |= dict.fromkeys(set(told) if is_told_together() else set(not_to) & set(told), Q(pk__in=[]))
    assists = assisting.person_told(reservation) if event in _TO_ASSISTANT else None
    if assists is not None:
        told[f"assist.{event}"] = person(assists)
    for name, people in told.items():
        page = reverse("assisting") if name.startswith("assist.") else path
        tell(News(name, params, page, reservation, lab, webhooks=heard if name == code else {}), people, now)


def relieve(reservation: Reservation, person_id: int | None, now: datetime) -> None:
    """Tell somebody who had been told that they assist (None: nobody) that it is another's now, or nobody's."""
    if person_id is not None and assisting.person_told(reservation) != person_id:
        tell_assistant(reservation, "relieved", person_id, now)


def tell_of_another(reservation: Reservation, told_id: int | None, now: datetime) -> None:
    """Where another person assists than the one who had been told (``told_id``, None: nobody), tell both."""
    relieve(reservation, told_id, now)
    person_id = assisting.person_told(reservation)
    if person_id not in (None, told_id):
        tell_assistant(reservation, "given", person_id, now)


def tell_assistant(reservation: Reservation, event: str, person_id: int, now: datetime) -> None:
    """Tell one who assists, or did, of what the lab arranged; a code ``assist.*`` in ``booking.assisting_notices``."""
    news = News(
        f"assist.{event}", params_of(reservation), reverse("assisting"), reservation, reservation.instrument.organisation_id
    )
    tell(news, person(person_id), now)


def _customers(reservation: Reservation, event: str) -> Q:
    """Whose booking it is, and the colleague who booked it in that name, who knows of that already."""
    return person(reservation.requested_by_id, None if event == "booked_for_you" else reservation.booked_by_id)


def told_managers(lab_id: int, now: datetime) -> Q:
    """The managers of a lab but for those who are away and want to hear nothing."""
    return holders(Role.LAB_MANAGER, lab_id) & ~deputies.not_told(lab_id, now)


def _settle_series(reservation: Reservation, now: datetime) -> None:
    """Once none of a series waits for an answer any more, nobody has to look at it."""
    series_id = reservation.series_id
    if series_id is None:
        return
    series = ReservationSeries(pk=series_id)
    waiting = Reservation.objects.filter(series_id=series_id, state=ReservationState.REQUESTED)
    if not waiting.exclude(pk=reservation.pk).exists():
        settle(series, [SERIES_REQUESTED], now)
    proposals = ReservationChange.objects.filter(reservation__series_id=series_id, state=ChangeState.OPEN)
    if not proposals.exclude(reservation_id=reservation.pk).exists():
        settle(series, SERIES_MOVE_ASKED, now)


def tell_of_series(
    series: ReservationSeries,
    done: Sequence[Reservation],
    events: Mapping[str, Q],
    now: datetime,
    reason: str = "",
    fee_fen: int = 0,
) -> None:
    """Tell once of what was done with some of a series' reservations (at least one, each with instrument and customer): code of the
    event -> who hears it. ``fee_fen``: what was charged for all of them together."""
    if is_silent():
        return
    first, last = min(done, key=lambda one: one.starts_at), max(done, key=lambda one: one.ends_at)
    params = params_of(first) | {"count": len(done), "ends_at": params_of(last)["ends_at"], "reason": reason}
    params |= {"fee_fen": fee_fen or None}
    path = reverse("series_detail", kwargs={"pk": series.pk})
    for code, people in events.items():
        tell(News(code, params, path, series, first.instrument.organisation_id), people, now)


def params_of(reservation: Reservation) -> dict[str, Any]:
    """What every sentence about a reservation may name. Instants show the clock of the instrument's site."""
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    return {
        "instrument": reservation.instrument.name,
        "instrument_en": reservation.instrument.name_en,
        "reference": reservation.reference,
        "organisation": reservation.organisation.name,
        "organisation_en": reservation.organisation.name_en,
        "starts_at": reservation.starts_at.astimezone(zone).isoformat(),
        "ends_at": reservation.ends_at.astimezone(zone).isoformat(),
        "zone": zone.key,
    }


def named(name: str, instrument: Instrument) -> dict[str, str]:
    """The parameter ``name`` of a sentence, in both languages."""
    return {name: instrument.name, f"{name}_en": instrument.name_en}


def hear(reservation: Reservation, event: str) -> dict[str, Any]:
    """What webhooks hear of a reservation: nothing that one of its two sides may not see, and no person."""
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    instrument, customer = reservation.instrument, reservation.organisation
    return {
        "reservation": reservation.pk,
        "reference": reservation.reference,
        "happened": event,
        "state": str(reservation.state),
        "instrument": {"id": instrument.pk, "name": instrument.name},
        "customer": {"id": customer.pk, "name": customer.name},
        "starts_at": reservation.starts_at.astimezone(zone).isoformat(),
        "ends_at": reservation.ends_at.astimezone(zone).isoformat(),
        "time_zone": zone.key,
    }
