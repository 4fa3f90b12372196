"""Mails about people and organisations, queued in the transaction of the change, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, gettext, override

from config.kernel.access import Role
from config.kernel.tasks import send_mail
from instruments.models import (
    InstrumentChange,
    InstrumentProblem,
    Invitation,
    JoinRequest,
    Organisation,
    ProblemState,
    User,
    VerificationRequest,
)
from instruments.wording import role_name


def invitation(row: Invitation, token: str, inviter: str, invitee: User | None) -> None:
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
            "link": _link("invitation_accept", token),
            "expires": f"{row.expires_at:%Y-%m-%d}",
        }
    _send(subject, text, row.email)


def join_requested(request: JoinRequest, administrators: Iterable[User]) -> None:
    """To those who decide."""
    organisation = request.organisation
    for administrator in administrators:
        with override(administrator.language):
            subject = gettext("%(person)s asks to join %(organisation)s") % {
                "person": str(request.user),
                "organisation": organisation.name,
            }
            text = gettext("%(person)s (%(email)s) asks to join %(organisation)s.\n\n%(note)s\n\nDecide here: %(link)s") % {
                "person": str(request.user),
                "email": request.user.email,
                "organisation": organisation.name,
                "note": request.note,
                "link": _link("organisation_detail", organisation.pk),
            }
        _send(subject, text, administrator.email)


def join_decided(request: JoinRequest, organisation: Organisation) -> None:
    """To the person who asked."""
    with override(request.user.language):
        values = {"organisation": organisation.name, "link": _link("organisation_list")}
        if request.accepted:
            subject = gettext("You are now in %(organisation)s") % values
            text = gettext("Your request to join %(organisation)s was accepted.\n\n%(link)s") % values
        else:
            subject = gettext("Your request to join %(organisation)s was declined") % values
            text = gettext("Your request to join %(organisation)s was declined. Ask its administrator why.\n\n%(link)s") % values
    _send(subject, text, request.user.email)


def verification_decided(request: VerificationRequest, organisation: Organisation) -> None:
    """To the person who handed the licence in."""
    person = request.submitted_by
    with override(person.language):
        values = {
            "organisation": organisation.name,
            "reason": request.reason,
            "link": _link("organisation_detail", organisation.pk),
        }
        if request.accepted:
            subject = gettext("%(organisation)s is verified") % values
            text = gettext("%(organisation)s is verified. Subsidies can be granted from now on.\n\n%(link)s") % values
        else:
            subject = gettext("%(organisation)s could not be verified") % values
            text = (
                gettext("%(organisation)s could not be verified: %(reason)s\n\nMend it and hand it in again: %(link)s") % values
            )
    _send(subject, text, person.email)


def change_submitted(change: InstrumentChange) -> None:
    """To the operators: somebody waits for a look at an instrument."""
    for operator in _people(Role.OPERATOR):
        with override(operator.language):
            values = {
                "instrument": change.instrument.name,
                "organisation": change.instrument.organisation.name,
                "link": _link("review_detail", change.pk),
            }
            subject = gettext("To review: %(instrument)s of %(organisation)s") % values
            text = gettext("%(organisation)s wants to change or publish %(instrument)s.\n\nLook at it here: %(link)s") % values
        _send(subject, text, operator.email)


def change_decided(change: InstrumentChange) -> None:
    """To the person who handed the change in."""
    person = change.submitted_by
    if person is None:
        return
    with override(person.language):
        values = {"instrument": change.instrument.name, "reason": change.reason, "link": _link("review_detail", change.pk)}
        if change.state == "accepted":
            subject = gettext("%(instrument)s: your change is published") % values
            text = gettext("Your change of %(instrument)s is published.\n\n%(link)s") % values
        else:
            subject = gettext("%(instrument)s: your change was refused") % values
            text = gettext("Your change of %(instrument)s was refused: %(reason)s\n\nTake it up again here: %(link)s") % values
    _send(subject, text, person.email)


def problem_reported(problem: InstrumentProblem) -> None:
    """To the lab's managers."""
    for manager in _people(Role.LAB_MANAGER, problem.instrument.organisation_id):
        with override(manager.language):
            values = {"instrument": problem.instrument.name, "text": problem.text, "link": _link("problem_list")}
            subject = gettext("Problem with %(instrument)s") % values
            text = gettext("Somebody reports a problem with %(instrument)s:\n\n%(text)s\n\nAnswer here: %(link)s") % values
        _send(subject, text, manager.email)


def problem_handled(problem: InstrumentProblem) -> None:
    """To the person who reported it."""
    person = problem.reported_by
    with override(person.language):
        values = {
            "instrument": problem.instrument.name,
            "answer": problem.answer or gettext("The lab wrote no answer."),
            "link": _link("instrument_detail", problem.instrument_id),
        }
        if problem.state == ProblemState.SOLVED:
            subject = gettext("%(instrument)s: the problem you reported is solved") % values
        else:
            subject = gettext("%(instrument)s: the lab has seen the problem you reported") % values
        text = gettext("%(answer)s\n\n%(link)s") % values
    _send(subject, text, person.email)


def _people(role: Role, organisation_id: int | None = None) -> list[User]:
    """Who has a role (in one organisation), each once."""
    rows = User.objects.filter(is_active=True, memberships__role=role)
    if organisation_id is not None:
        rows = rows.filter(memberships__organisation_id=organisation_id, memberships__role=role)
    return list(rows.distinct().order_by("pk"))


def _link(name: str, *args: object) -> str:
    return settings.PUBLIC_URL + reverse(name, args=args)


def _send(subject: str, text: str, address: str) -> None:
    send_mail.defer(subject=" ".join(subject.split()), text=text, to=[address])
