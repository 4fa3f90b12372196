"""Questions to labs as rows for people: what each is about, how long it waits, what it may become."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from booking.models import Enquiry
from booking.queries import enquiries as queries
from frontend.templatetags.jishi import bilingual
from instruments.rules.answer_time import MINUTES_A_DAY, Waiting


@dataclass(frozen=True, slots=True)
class About:
    """What a question is about. ``url`` is empty where there is no page for the reader."""

    name: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class EnquiryRow:
    """One thread of a list. ``age`` is told in working time."""

    enquiry: Enquiry
    about: About
    waiting: Waiting | None
    age: str


def about(enquiry: Enquiry) -> About:
    """What a question is about."""
    if enquiry.instrument is not None:
        return About(bilingual(enquiry.instrument), "microscope", reverse("instrument_detail", args=[enquiry.instrument_id]))
    if enquiry.resource is not None:
        return About(bilingual(enquiry.resource), "flask", reverse("resource_detail", args=[enquiry.resource_id]))
    if enquiry.resource_request is not None:
        name = bilingual(enquiry.resource_request.resource)
        return About(name, "send", reverse("resource_request_detail", args=[enquiry.resource_request_id]))
    if enquiry.reservation is not None:
        row = enquiry.reservation
        return of_both(row.instrument, row.reference, "calendar-event", "reservation_detail", row.pk)
    if enquiry.sample_job is not None:
        return of_both(enquiry.sample_job.resource, enquiry.sample_job.reference, "flask", "sample_job", enquiry.sample_job.pk)
    return About(_("An unmet need"), "zoom-question", "")


def rows(enquiries: Iterable[Enquiry], now: datetime) -> list[EnquiryRow]:
    """The rows of a list."""
    listed = list(enquiries)
    waiting = queries.waiting_of(listed, now)
    return [
        EnquiryRow(each, about(each), found, working_time(found.age_minutes) if found else "")
        for each, found in ((each, waiting.get(each.pk)) for each in listed)
    ]


def working_time(minutes: int) -> str:
    """Minutes of working days in days and hours; less than an hour is told as such."""
    days, rest = divmod(minutes, MINUTES_A_DAY)
    hours = rest // 60
    parts = []
    if days:
        parts.append(ngettext("%(count)s working day", "%(count)s working days", days) % {"count": days})
    if hours:
        parts.append(ngettext("%(count)s h", "%(count)s h", hours) % {"count": hours})
    return " ".join(parts) or _("less than an hour")


def promise_words(workdays: int) -> str:
    """Within what a lab answers."""
    return ngettext("within %(count)s working day", "within %(count)s working days", workdays) % {"count": workdays}


def of_both(row: object, reference: str, icon: str, url_name: str, pk: int) -> About:
    """A booking or a sample job, known to both sides by its reference."""
    return About(f"{reference} · {bilingual(row)}", icon, reverse(url_name, args=[pk]))


def thing(row: object, icon: str, url_name: str, pk: int) -> About:
    """What somebody is about to ask about."""
    return About(bilingual(row), icon, reverse(url_name, args=[pk]))
