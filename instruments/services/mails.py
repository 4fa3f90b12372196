"""News about people, organisations and instruments, told in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, override

from config.kernel.access import Role
from config.kernel.date_wording import date_words
from instruments.models import (
    Instrument,
    InstrumentChange,
    InstrumentProblem,
    Invitation,
    JoinRequest,
    Organisation,
    ProblemState,
    Resource,
    ResourceChange,
    User,
    VerificationRequest,
)
from instruments.services.notices import News, holders, mail_to, person, settle, tell
from instruments.wording import role_name


def invitation(row: Invitation, token: str, inviter: str, invitee: User | None, now: datetime) -> None:
    """To the invited address; in the inviter's language when the address is nobody's yet."""
    with override(invitee.language if invitee else get_language()):
        subject = gettext("Invitation to %(organisation)s") % {"organisation": row.organisation.name}
        text = gettext(
            "%(inviter)s invites you to work for %(organisation)s as %(role)s.\n\n"
            "Accept here, logged in with this e-mail address (sign up first if you are new):\n%(link)s\n\n"
            "The link works once, until %(expires)s. If you do not know why you got this, ignore it."
        ) % {
            "inviter": inviter,
            "organisation": row.organisation.name,
            "role": role_name(row.role),
            "link": settings.PUBLIC_URL + reverse("invitation_accept", args=[token]),
            "expires": date_words(localtime(row.expires_at).date()),
        }
    mail_to(row.email, "organisation.invitation", subject, text, now)


def join_requested(request: JoinRequest, administrators: Iterable[User], now: datetime) -> None:
    """To those who decide."""
    params = {
        "person": str(request.user),
        "email": request.user.email,
        "organisation": request.organisation.name,
        "organisation_en": request.organisation.name_en,
        "note": request.note,
    }
    path = reverse("organisation_detail", args=[request.organisation_id])
    tell(News("organisation.join_requested", params, path, request), person(*(one.pk for one in administrators)), now)


def join_decided(request: JoinRequest, organisation: Organisation, now: datetime) -> None:
    """To the person who asked."""
    settle(request, ["organisation.join_requested"], now)
    event = "organisation.join_accepted" if request.accepted else "organisation.join_declined"
    news = News(event, _organisation(organisation), reverse("organisation_list"), request)
    tell(news, person(request.user_id), now)


def verification_decided(request: VerificationRequest, organisation: Organisation, now: datetime) -> None:
    """To the person who handed the licence in."""
    event = "organisation.verified" if request.accepted else "organisation.not_verified"
    params = _organisation(organisation) | {"reason": request.reason}
    path = reverse("organisation_detail", args=[organisation.pk])
    tell(News(event, params, path, organisation), person(request.submitted_by_id), now)


def change_submitted(change: InstrumentChange, now: datetime) -> None:
    """To the operators: somebody waits for a look at an instrument."""
    params = _instrument(change.instrument) | _organisation(change.instrument.organisation)
    path = reverse("review_detail", args=[change.pk])
    tell(News("registry.change_submitted", params, path, change), holders(Role.OPERATOR), now)


def change_decided(change: InstrumentChange, now: datetime) -> None:
    """To the person who handed the change in."""
    event = "registry.change_accepted" if change.state == "accepted" else "registry.change_refused"
    params = _instrument(change.instrument) | {"reason": change.reason}
    path = reverse("review_detail", args=[change.pk])
    tell(News(event, params, path, change), person(change.submitted_by_id), now)


def resource_change_submitted(change: ResourceChange, now: datetime) -> None:
    """To the operators: somebody waits for a look at a test item, a data set and so on."""
    params = _shared(change.resource) | _organisation(change.resource.organisation)
    path = reverse("resource_review", args=[change.pk])
    tell(News("registry.change_submitted", params, path, change), holders(Role.OPERATOR), now)


def resource_change_decided(change: ResourceChange, now: datetime) -> None:
    """To the person who handed the change in."""
    event = "registry.change_accepted" if change.state == "accepted" else "registry.change_refused"
    params = _shared(change.resource) | {"reason": change.reason}
    path = reverse("resource_review", args=[change.pk])
    tell(News(event, params, path, change), person(change.submitted_by_id), now)


def problem_reported(problem: InstrumentProblem, now: datetime) -> None:
    """To the lab's managers."""
    lab = problem.instrument.organisation_id
    params = _instrument(problem.instrument) | {"text": problem.text}
    news = News("registry.problem_reported", params, reverse("problem_list"), problem, lab)
    tell(news, holders(Role.LAB_MANAGER, lab), now)


def problem_handled(problem: InstrumentProblem, now: datetime) -> None:
    """To the person who reported it."""
    settle(problem, ["registry.problem_reported"], now)
    event = "registry.problem_solved" if problem.state == ProblemState.SOLVED else "registry.problem_seen"
    params = _instrument(problem.instrument) | {"answer": problem.answer}
    path = reverse("instrument_detail", args=[problem.instrument_id])
    news = News(event, params, path, problem, problem.instrument.organisation_id)
    tell(news, person(problem.reported_by_id), now)


def _instrument(one: Instrument) -> dict[str, str]:
    return {"instrument": one.name, "instrument_en": one.name_en}


def _shared(one: Resource) -> dict[str, str]:
    """As ``_instrument``: the sentences only name what it is about."""
    return {"instrument": one.name, "instrument_en": one.name_en}


def _organisation(one: Organisation) -> dict[str, str]:
    return {"organisation": one.name, "organisation_en": one.name_en}
