"""Who of the office may do what, and the small things that every service of claims needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from billing.bills.services.issuing import local_day
from billing.claims.deputy_models import Deputy
from billing.claims.models import Claim, ClaimBatch
from billing.claims.rules.numbers import Series, number_at, series_key
from billing.claims.rules.review import Level, ReviewStep, review_of
from billing.settlement.services.numbering import next_place
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Forbidden, Refusal
from instruments.models import Membership, OrganisationIdentifier

REASON_LENGTH = 500
OFFICE = (Role.PROGRAMME_OFFICER, Role.FINANCE)
CLAIMANTS = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)


@dataclass(frozen=True, slots=True)
class Right:
    """That somebody may act at an office: in their own right, or standing in for ``behalf_id``."""

    behalf_id: int | None = None

    def people(self, actor: Actor) -> frozenset[int]:
        """Whoever acts by it, and for whom: of three people they are one."""
        return frozenset(pk for pk in (actor.user_id, self.behalf_id) if pk is not None)


def right_of(actor: Actor, office_id: int | None, roles: Sequence[Role], now: datetime) -> Right | None:
    """The one place that says who acts at an office (None: the programme names none, and any office's people do): whoever has one of
    ``roles`` there, and who stands in for such a person today. None: may not."""
    if office_id is None:
        return Right() if actor.has(*roles) else None
    if office_id in actor.organisations(*roles):
        return Right()
    principal_id = _principal_of(actor, office_id, roles, now)
    return Right(principal_id) if principal_id is not None else None


def works_at(actor: Actor, office_id: int | None) -> bool:
    """Whether somebody works in a role of the office (None: any office's people) that reviews and pays."""
    return actor.has(*OFFICE) if office_id is None else office_id in actor.organisations(*OFFICE)


def _principal_of(actor: Actor, office_id: int, roles: Sequence[Role], now: datetime) -> int | None:
    """For whom the actor stands in, of the people who have one of ``roles`` at an office; the first of several. Who stands in still works
    there in a role of the office."""
    if office_id not in actor.organisations(*OFFICE):
        return None
    rows = standing_in([office_id], roles, now).filter(deputy_id=actor.user_id)
    return rows.order_by("pk").values_list("principal_id", flat=True).first()


def standing_in(offices: Collection[int], roles: Sequence[Role], now: datetime) -> QuerySet[Deputy]:
    """Who stands in today at some offices for people who have one of ``roles`` there. Who stands in still works there in a role of the
    office."""
    today, work_there = local_day(now), Membership.objects.filter(organisation=OuterRef("office"))
    has_role = work_there.filter(user=OuterRef("principal"), role__in=[str(role) for role in roles])
    works = work_there.filter(user=OuterRef("deputy"), role__in=[str(role) for role in OFFICE])
    rows = Deputy.objects.filter(Exists(has_role), Exists(works), office__in=offices, principal__is_active=True)
    return rows.filter(from_on__lte=today, until_on__gte=today, ended_at__isnull=True)


def require_office(actor: Actor, batch: ClaimBatch, now: datetime, *roles: Role) -> Right:
    """Raise Forbidden unless the actor may act in one of ``roles`` at the office that issues the programme."""
    right = right_of(actor, batch.programme.issuer_id, roles, now)
    if right is None:
        raise Forbidden.of("access.role_needed", roles=[str(role) for role in roles])
    return right


def reviewer_roles(step: ReviewStep) -> tuple[Role, ...]:
    """Who looks at a step: the step ``payment`` is finance's, every other an officer's."""
    return (Role.FINANCE if step.level is Level.PAYMENT else Role.PROGRAMME_OFFICER,)


def reviewer_right(actor: Actor, claim: Claim, now: datetime) -> Right | None:
    """By what right the actor looks at a claim: at the office of its step, in the role of the step. None: may not."""
    steps = review_of(claim.batch.programme_version.document).steps
    step = steps[min(claim.step, len(steps) - 1)]
    roles = reviewer_roles(step)
    if not step.office_code:
        return right_of(actor, claim.batch.programme.issuer_id, roles, now)
    own = OrganisationIdentifier.objects.filter(organisation_id__in=actor.organisations(*OFFICE), value=step.office_code)
    rights = (right_of(actor, office_id, roles, now) for office_id in own.values_list("organisation_id", flat=True))
    return next((right for right in rights if right is not None), None)


def require_reviewer(actor: Actor, claim: Claim, now: datetime) -> Right:
    """Raise Forbidden unless the actor may look at a claim at its step."""
    right = reviewer_right(actor, claim, now)
    if right is None:
        raise Forbidden.of("claims.other_office", number=claim.number)
    return right


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
