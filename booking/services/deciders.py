"""Who decides about a request: the lab's managers, but never who asked. Where its own people ask and no other manager is left, the
administrators of the institution do; without any of them it is not asked for at all, since it could only lapse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from booking.models import Reservation
from booking.services.context import BookingContext
from config.kernel.access import Actor, Role
from config.kernel.errors import Reason, Refusal
from instruments.models import Membership, Organisation, OrganisationKind, User


@dataclass(frozen=True, slots=True)
class Deciders:
    """``managers`` decide; where there are none, ``heads``."""

    managers: tuple[User, ...]
    heads: tuple[User, ...]

    @property
    def names(self) -> list[str]:
        return [str(one) for one in self.managers or self.heads]

    @property
    def nobody(self) -> bool:
        return not self.managers and not self.heads


_HEADS = """
SELECT h.user_id FROM instruments_membership h
 WHERE h.organisation_id = %s AND h.role = %s
   AND NOT EXISTS (SELECT FROM instruments_membership m JOIN instruments_user u ON u.id = m.user_id
                    WHERE m.organisation_id = h.organisation_id AND m.role = %s AND u.is_active AND u.id <> ALL(%s::bigint[]))
"""


def of_own(actors: Collection[Actor], owner_id: int, customer_id: int) -> Deciders | None:
    """Who would decide about what these ask for (one in the name of another) of the lab that one of them manages; None: they manage it
    not, so that its managers decide as about anybody's."""
    if not any(owner_id in actor.organisations(Role.LAB_MANAGER) for actor in actors):
        return None
    return _deciders(owner_id, customer_id, [actor.user_id for actor in actors if actor.user_id is not None])


def of_request(reservation: Reservation) -> Deciders:
    """``reservation`` comes with its instrument."""
    return _deciders(reservation.instrument.organisation_id, reservation.organisation_id, _asked_by(reservation))


def require_somebody(found: Deciders | None) -> None:
    """Raises Refusal ``booking.nobody_decides`` where a request could only lapse."""
    Refusal.raise_any(reasons_against(found))


def reasons_against(found: Deciders | None) -> list[Reason]:
    """As ``require_somebody``, to be shown."""
    return [Reason("booking.nobody_decides", {}, "organisation")] if found is not None and found.nobody else []


def reasons_of_each(actor: Actor, contexts: Collection[BookingContext], customer_id: int) -> dict[int, list[Reason]]:
    """As ``reasons_against`` by instrument, for what is asked for as one of several: where a lab approves requests it looks at all of
    those itself. Two queries at most for each lab that the actor manages, none for others."""
    looked_at = [one.instrument for one in contexts if one.policy.approval_required]
    of_lab = {lab: reasons_against(of_own([actor], lab, customer_id)) for lab in {one.organisation_id for one in looked_at}}
    return {one.pk: of_lab[one.organisation_id] for one in looked_at}


def decides(reservation: Reservation, actor: Actor) -> bool:
    """Whether the actor is of those who decide about it; that nobody does about their own is asked by itself."""
    owner_id = reservation.instrument.organisation_id
    if owner_id in actor.organisations(Role.LAB_MANAGER):
        return True
    if owner_id not in actor.organisations(Role.FIRM_ADMIN) or reservation.organisation_id != owner_id:
        return False
    return not _others(owner_id, Role.LAB_MANAGER, _asked_by(reservation)).exists()


def require(reservation: Reservation, actor: Actor) -> None:
    """Raises Forbidden where ``decides`` says no."""
    if not decides(reservation, actor):
        actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER)


def decided_by(actor: Actor) -> Q:
    """The reservations about which the actor decides while they are asked for."""
    managed = Q(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    headed = actor.organisations(Role.FIRM_ADMIN)
    if not headed:
        return managed
    others = Membership.objects.filter(
        organisation=OuterRef("instrument__organisation_id"), role=Role.LAB_MANAGER, user__is_active=True
    )
    booked_by = Coalesce(OuterRef("booked_by_id"), Value(0))
    others = others.exclude(user_id=OuterRef("requested_by_id")).exclude(user_id=booked_by)
    in_house = Q(instrument__organisation_id__in=headed, organisation_id=F("instrument__organisation_id"))
    return managed | (in_house & Q(~Exists(others)))


def told_heads(reservation: Reservation) -> Q:
    """Who is told of a request because no manager but who asked is left; nobody elsewhere."""
    owner_id = reservation.instrument.organisation_id
    if reservation.organisation_id != owner_id:
        return Q(pk__in=[])
    values = [owner_id, Role.FIRM_ADMIN, Role.LAB_MANAGER, _asked_by(reservation)]
    return Q(pk__in=RawSQL(_HEADS, values)) & ~Q(pk__in=_asked_by(reservation))  # noqa: S611  (constants only; values are bound)


def has_inbox(actor: Actor) -> bool:
    """Whether requests can wait for the actor: a manager's, or an administrator's of an institution that has instruments."""
    if actor.has(Role.LAB_MANAGER):
        return True
    headed = actor.organisations(Role.FIRM_ADMIN)
    return bool(headed) and Organisation.objects.filter(pk__in=headed, kind=OrganisationKind.OWNER).exists()


def require_inbox(actor: Actor) -> None:
    """Raises Forbidden where ``has_inbox`` says no."""
    if not has_inbox(actor):
        actor.require(Role.LAB_MANAGER)


def _asked_by(reservation: Reservation) -> list[int]:
    return [pk for pk in (reservation.requested_by_id, reservation.booked_by_id) if pk is not None]


def _deciders(owner_id: int, customer_id: int, asked_by: Collection[int]) -> Deciders:
    managers = tuple(_others(owner_id, Role.LAB_MANAGER, asked_by))
    looks = not managers and customer_id == owner_id
    return Deciders(managers, tuple(_others(owner_id, Role.FIRM_ADMIN, asked_by)) if looks else ())


def _others(owner_id: int, role: Role, asked_by: Collection[int]) -> QuerySet[User]:
    """Who has the role there, may log in, and did not ask for it; by name."""
    held = Membership.objects.filter(organisation_id=owner_id, role=role)
    return User.objects.filter(pk__in=held.values("user_id"), is_active=True).exclude(pk__in=asked_by).order_by("full_name", "pk")
