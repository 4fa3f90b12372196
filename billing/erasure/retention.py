"""What is due to be erased by the schedule, erasing it, and erasing somebody who has no account. Logged in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pgtrigger
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.claims.models import Objection
from billing.erasure.rules.schedule import (
    GONE,
    GONE_ADDRESS,
    GONE_FILE,
    INVITATIONS,
    JOIN_NOTES,
    LICENCES,
    OBJECTIONS,
    SCHEDULE,
    How,
    Keeping,
)
from billing.erasure.services import reason_of
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, files, transactions
from instruments.models import Invitation, JoinRequest, OrganisationStatus, User, VerificationRequest


@dataclass(frozen=True, slots=True)
class Due:
    """``count``: how many rows are due now; None where the schedule counts none."""

    keeping: Keeping
    count: int | None


def _rows(now: datetime) -> Mapping[str, tuple[QuerySet[Any], dict[str, str]]]:
    """What is due of each part of the schedule that is text, and what is written in its place."""
    objections = Objection.objects.filter(answered_at__lt=OBJECTIONS.over_before(now)).exclude(name=GONE, contact=GONE)
    before = INVITATIONS.over_before(now)
    ended = Q(accepted_at__lt=before) | Q(withdrawn_at__lt=before) | Q(expires_at__lt=before)
    invitations = Invitation.objects.filter(ended).exclude(email=GONE_ADDRESS)
    notes = JoinRequest.objects.filter(decided_at__lt=JOIN_NOTES.over_before(now)).exclude(note="")
    return {
        OBJECTIONS.code: (objections, {"name": GONE, "contact": GONE}),
        INVITATIONS.code: (invitations, {"email": GONE_ADDRESS}),
        JOIN_NOTES.code: (notes, {"note": ""}),
    }


def _licences(now: datetime) -> QuerySet[VerificationRequest]:
    """The requests whose scan is due: decided long enough ago, and not the last that was accepted of a verified organisation."""
    later = VerificationRequest.objects.filter(organisation=OuterRef("organisation"), accepted=True, pk__gt=OuterRef("pk"))
    stands = Q(accepted=True, organisation__status=OrganisationStatus.VERIFIED) & ~Exists(later)
    decided = VerificationRequest.objects.filter(decided_at__lt=LICENCES.over_before(now))
    return decided.exclude(stands).exclude(licence__file_name=GONE_FILE)


def _erase_licences(actor: Actor, now: datetime) -> int:
    """A file that says so takes the place of each scan, and the scan is deleted; how many."""
    rows = list(_licences(now).select_related("licence").order_by("pk"))
    for row in rows:
        scan, name = row.licence, {"file_name": GONE_FILE, "media_type": "text/plain"}
        row.licence = files.store(GONE.encode(), **name, user_id=actor.user_id, now=now)
        row.save(update_fields=["licence"])
        files.discard(scan)
    return len(rows)


def due(actor: Actor, now: datetime) -> list[Due]:
    """The whole schedule with what is due of it. Raises Forbidden."""
    actor.require(Role.OPERATOR)
    rows: dict[str, QuerySet[Any]] = {code: found for code, (found, _gone) in _rows(now).items()}
    rows[LICENCES.code] = _licences(now)
    return [Due(each, rows[each.code].count() if each.how is How.MASKED else None) for each in SCHEDULE]


def erase_due(actor: Actor, now: datetime) -> dict[str, int]:
    """Erase what is due; how many rows of each part. Safe to repeat. Raises Forbidden."""
    actor.require(Role.OPERATOR)

    def work() -> dict[str, int]:
        with pgtrigger.ignore():  # frozen rows stay; only what names somebody in them is replaced
            done = {code: rows.update(**gone) for code, (rows, gone) in _rows(now).items()}
            done[LICENCES.code] = _erase_licences(actor, now)
        if any(done.values()):
            audit.record(actor, "retention.erase", _me(actor), now, after=done)
        return done

    return transactions.run(work)


def erase_objector(actor: Actor, contact: str, reason: str, now: datetime) -> int:
    """Erase name and contact of who objected to claims and has no account, by the contact that was given; how many objections.

    Raises Forbidden, NotFound, Refusal ``person.reason`` / ``person.objection_open``.
    """
    actor.require(Role.OPERATOR)
    text, wanted = reason_of(reason), contact.replace("\x00", "").strip()

    def work() -> int:
        rows = Objection.objects.filter(contact__iexact=wanted) if wanted and wanted != GONE else Objection.objects.none()
        if not rows.exists():
            raise NotFound.of("access.not_found", model="objection")
        if rows.filter(answered_at__isnull=True).exists():
            raise Refusal.of("person.objection_open", field="contact")
        with pgtrigger.ignore():
            count = rows.update(name=GONE, contact=GONE)
        audit.record(actor, "person.erase_objector", _me(actor), now, after={"objections": count}, reason=text)
        return count

    return transactions.run(work)


def _me(actor: Actor) -> User:
    return User.objects.get(pk=actor.person_id)
