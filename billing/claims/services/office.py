"""Who of the office may do what, and the small things that every service of claims needs."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from billing.bills.services.issuing import local_day
from billing.claims.models import Claim, ClaimBatch
from billing.claims.rules.numbers import Series, number_at, series_key
from billing.claims.rules.review import Level, review_of
from billing.settlement.services.numbering import next_place
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Forbidden, Refusal
from instruments.models import OrganisationIdentifier

REASON_LENGTH = 500
OFFICE = (Role.PROGRAMME_OFFICER, Role.FINANCE)
CLAIMANTS = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)


def require_office(actor: Actor, batch: ClaimBatch, *roles: Role) -> None:
    """Raise Forbidden unless the actor has one of ``roles`` at the office that issues the programme (at any, where it names none)."""
    issuer_id = batch.programme.issuer_id
    if issuer_id is None:
        actor.require(*roles)
    else:
        actor.require_in(issuer_id, *roles)


def may_review(actor: Actor, claim: Claim) -> bool:
    """Whether the actor works at the office that looks at a claim at its step, and in the role of the step."""
    steps = review_of(claim.batch.programme_version.document).steps
    step = steps[min(claim.step, len(steps) - 1)]
    role = Role.FINANCE if step.level is Level.PAYMENT else Role.PROGRAMME_OFFICER
    if step.office_code:
        own = OrganisationIdentifier.objects.filter(organisation_id__in=actor.organisations(role), value=step.office_code)
        return own.exists()
    issuer_id = claim.batch.programme.issuer_id
    return actor.has(role) if issuer_id is None else issuer_id in actor.organisations(role)


def require_reviewer(actor: Actor, claim: Claim) -> None:
    """Raise Forbidden unless the actor may look at a claim at its step."""
    if not may_review(actor, claim):
        raise Forbidden.of("claims.other_office", number=claim.number)


def locked_batch(actor: Actor, batch_id: int) -> ClaimBatch:
    """A batch that the actor sees, locked and read again. Raises NotFound."""
    found = get_visible(ClaimBatch.objects.all(), actor, pk=batch_id)
    rows = ClaimBatch.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("programme", "programme_version").get(pk=found.pk)


def next_number(series: Series, now: datetime) -> str:
    """The next number of this (local) year's series, in the transaction of what bears it."""
    year = local_day(now).year
    return number_at(series, year, next_place(series_key(series, year)))


def checked_text(text: str, field: str = "reason", most: int = REASON_LENGTH) -> str:
    """A text that somebody else reads. Raises Refusal ``claims.text_missing`` / ``claims.text_too_long``."""
    clean = plain_text(text)
    if not clean:
        raise Refusal.of("claims.text_missing", field=field)
    if len(clean) > most:
        raise Refusal.of("claims.text_too_long", field=field, max_length=most)
    return clean


def plain_text(text: str, most: int | None = None) -> str:
    """A text as the database takes it, cut at ``most`` characters."""
    return text.replace("\x00", "").strip()[:most]


def look_now() -> None:
    """Let the guards that look at the end of the transaction look here, so that what is wrong undoes only what was just tried."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
