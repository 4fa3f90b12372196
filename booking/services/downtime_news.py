"""Telling the two sides that an instrument is out of service, and that it works again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from booking.models import Downtime, Reservation, SampleJob
from booking.rules.downtime import DowntimeKind, begins_before
from booking.rules.samples import NOTE_LENGTH
from booking.services import notices
from booking.services.changes import REASON_LENGTH
from config.kernel.access import Role
from config.kernel.messages import local_time
from instruments.models import Instrument
from instruments.services.notices import News, holders, tell

Elsewhere = tuple[int, datetime] | None


def begun(downtime: Downtime, hit: int, now: datetime) -> None:
    """To the lab's managers."""
    _tell_lab("lab.out_of_service", downtime, now, count=hit)


def over(downtime: Downtime, waiting: Iterable[Reservation], now: datetime) -> None:
    """To the lab's managers, and to those whose place in it still lies ahead."""
    _tell_lab("lab.in_service_again", downtime, now)
    free_again(waiting, now)


def free_again(waiting: Iterable[Reservation], now: datetime) -> None:
    """To customers who were told that they wait: it works by their time."""
    for reservation in waiting:
        notices.defer(reservation, "works_again", now)


def waits(reservation: Reservation, downtime: Downtime, now: datetime, elsewhere: Elsewhere = None) -> None:
    """To the customer: the place is kept, and what happens if it does not work by then; who may begin before planned work does hears
    when that begins."""
    reason = own_words(reservation, downtime, elsewhere)
    if begins_before(reservation.starts_at, downtime.starts_at, DowntimeKind(downtime.kind)):
        work_at = downtime.starts_at.astimezone(_zone(downtime)).isoformat()
        notices.defer(reservation, "meets_work", now, work_at=work_at, until_at=_local(downtime), reason=reason)
    else:
        notices.defer(reservation, "waits_for_repair", now, until_at=_local(downtime), reason=reason)


def reason_for_job(job: SampleJob, downtime: Downtime) -> str:
    """Why the result of a sample job comes later, with the lab's own words, in the language of who asked for it."""
    language = job.requested_by.language or ""
    with translation.override(language or None):
        named = {"instrument": _name(downtime), "until": local_time(downtime.ends_at, _zone(downtime))}
        text = _("%(instrument)s is out of service until %(until)s.") % named
    words = downtime.words_en if language.startswith("en") and downtime.words_en else downtime.words
    return " ".join(part for part in (text, words) if part)[:NOTE_LENGTH]


def reason_for(reservation: Reservation, downtime: Downtime, elsewhere: Elsewhere = None) -> str:
    """Why, with the lab's own words, in the language of who asked for the reservation."""
    with translation.override(reservation.requested_by.language or None):
        until = {"until": local_time(downtime.ends_at, _zone(downtime))}
        if reservation.instrument_id != downtime.instrument_id:  # it was to move there
            text = _("%(instrument)s is out of service until %(until)s.") % {"instrument": _name(downtime), **until}
        elif downtime.kind == DowntimeKind.BREAKDOWN:
            text = _("The instrument is broken, probably until %(until)s.") % until
        else:
            text = _("The instrument is being worked on until %(until)s.") % until
    return " ".join(part for part in (text, own_words(reservation, downtime, elsewhere)) if part)[:REASON_LENGTH]


def own_words(reservation: Reservation, downtime: Downtime, elsewhere: Elsewhere = None) -> str:
    """What the lab adds, and an equal instrument that it names, in the language of who asked for the reservation."""
    language = reservation.requested_by.language or ""
    english = language.startswith("en")
    parts = [downtime.words_en if english and downtime.words_en else downtime.words]
    other = Instrument.objects.select_related("site").filter(pk=elsewhere[0], published=True).first() if elsewhere else None
    if elsewhere and other is not None:
        with translation.override(language or None):
            named = {
                "instrument": other.name_en if english and other.name_en else other.name,
                "starts": local_time(elsewhere[1], ZoneInfo(other.site.time_zone)),
            }
            parts.append(_("Another one is free: %(instrument)s, from %(starts)s.") % named)
    return " ".join(part for part in parts if part)


def _tell_lab(event: str, downtime: Downtime, now: datetime, **more: Any) -> None:
    instrument = downtime.instrument
    params = {"instrument": instrument.name, "instrument_en": instrument.name_en, "until_at": _local(downtime), **more}
    path = reverse("downtime_detail", args=[downtime.pk])
    lab = instrument.organisation_id
    tell(News(event, params, path, downtime, lab), holders(Role.LAB_MANAGER, lab), now)


def _local(downtime: Downtime) -> str:
    return downtime.ends_at.astimezone(_zone(downtime)).isoformat()


def _name(downtime: Downtime) -> str:
    """In the language that is spoken now."""
    instrument = downtime.instrument
    english = (translation.get_language() or "").startswith("en")
    return instrument.name_en if english and instrument.name_en else instrument.name


def _zone(downtime: Downtime) -> ZoneInfo:
    return ZoneInfo(downtime.instrument.site.time_zone)
