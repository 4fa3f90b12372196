"""What waits for whom at the offices: claims by batch and next step, and payment lists. Pages, API and notices read the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce

from billing.bills.services.issuing import local_day
from billing.claims.models import Claim, ClaimBatch, ClaimStep, Objection, PaymentLine, PaymentList
from billing.claims.rules.review import Review, review_of
from billing.claims.rules.waiting import STATES, WAITING, Work, apart, due_on
from billing.claims.services.office import OFFICE, Right, reviewer_roles, right_of
from billing.claims.signing import Signers
from billing.subsidy.models import ProgrammeVersion
from config.kernel.access import Actor, Role, visible_to
from instruments.models import OrganisationIdentifier

#: Batch, work and step.
Key = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Claims of a batch that wait for the same: how many, over how much that waits (fen), and since when the first of them does. ``step``
    (from 0) is the step of the chain where they wait for a review, else 0."""

    batch: ClaimBatch
    review: Review
    work: Work
    step: int
    claims: int
    total_fen: int
    since: datetime

    @property
    def roles(self) -> Sequence[Role]:
        """Who does it at the office."""
        if self.work is Work.REVIEW:
            return reviewer_roles(self.review.steps[self.place])
        return (Role.FINANCE,) if self.work is Work.LIST else OFFICE

    @property
    def place(self) -> int:
        """The step of the chain, where a claim that was sent back after the last one comes back to the last."""
        return min(self.step, len(self.review.steps) - 1)

    @property
    def office_code(self) -> str:
        """The unified social credit code of the office that looks, empty where it is the programme's own."""
        return self.review.steps[self.place].office_code if self.work is Work.REVIEW else ""

    @property
    def due_on(self) -> date | None:
        """The last (local) day on which the first of them is in time."""
        return due_on(self.work, self.review, self.step, local_day(self.since))

    @property
    def key(self) -> Key:
        return (self.batch.pk, self.work.value, self.step)

    def is_overdue(self, now: datetime) -> bool:
        return self.due_on is not None and self.due_on < local_day(now)


def with_work(rows: QuerySet[Claim], now: datetime) -> QuerySet[Any]:
    """Those of some claims that wait for an office, with what for (``work``), at which step (``at``), since when (``waits_since``) and over
    how much (``waits_fen``: of what is to be listed, what stands on no list and is not paid)."""
    held = PaymentLine.objects.filter(claim_id=OuterRef("pk"), payment_list__cancelled_at__isnull=True).order_by()
    sums = held.values("claim_id").annotate(fen=Sum(Coalesce("payout__paid_fen", "amount_fen"))).values("fen")
    held_fen = Coalesce(Subquery(sums), 0, output_field=BigIntegerField())
    objected = Exists(Objection.objects.filter(claim_id=OuterRef("pk"), answered_at__isnull=True))
    conditions: dict[Work, Q] = {
        Work.CLOSE: Q(batch__closed_at__isnull=True, batch__closes_on__lt=local_day(now)),
        Work.APPROVE: Q(~objected, publicity__closed_at__isnull=False),
        Work.LIST: Q(total_fen__gt=F("held_fen")),
    }
    cases = [When(conditions.get(work, Q()) & Q(state__in=states), then=Value(work.value)) for work, states in STATES.items()]
    step = Case(When(state__in=STATES[Work.REVIEW], then=F("step")), default=Value(0), output_field=IntegerField())
    begun = Case(When(state__in=STATES[Work.APPROVE], then=F("publicity__closed_at")), default=F("since"))
    fen = Case(
        When(state__in=STATES[Work.LIST], then=F("total_fen") - F("held_fen")),
        default=F("total_fen"),
        output_field=BigIntegerField(),
    )
    found = rows.filter(state__in=sorted(WAITING)).annotate(held_fen=held_fen)
    found = found.annotate(work=Case(*cases, output_field=CharField()), at=step, waits_since=begun, waits_fen=fen)
    return found.filter(work__isnull=False)


def waiting(rows: QuerySet[Any]) -> list[Waiting]:
    """Claims (``with_work``) by batch, work and step; two queries."""
    grouped = rows.order_by("batch_id", "work", "at").values_list("batch_id", "work", "at")
    found = list(grouped.annotate(Count("pk"), Sum("waits_fen"), Min("waits_since")))
    batches = ClaimBatch.objects.filter(pk__in={row[0] for row in found}).select_related("programme")
    said = KeyTransform("review", "programme_version__document")
    by_id = {batch.pk: batch for batch in batches.annotate(said=said)}
    reviews = {pk: review_of({"review": batch.said}) for pk, batch in by_id.items()}
    return [Waiting(by_id[pk], reviews[pk], Work(work), step, count, fen, since) for pk, work, step, count, fen, since in found]


def free_for(rows: QuerySet[Any], people: Collection[int]) -> QuerySet[Any]:
    """Those of some claims (``with_work``) in which none of these had a part that keeps them from what is next."""
    kept = Q()
    for work in (Work.REVIEW, Work.APPROVE):
        steps = ClaimStep.objects.filter(claim_id=OuterRef("pk"), event__in=sorted(apart(work)))
        own = Q(actor__in=people) | Q(behalf__in=people)
        kept |= Q(Exists(steps.filter(own)), work=work.value)
    return rows.exclude(kept)


def parts_in(rows: QuerySet[Any], people: Collection[int]) -> dict[Key, list[frozenset[int]]]:
    """Of those of some claims (``with_work``) that wait for a look or for approval: which of these people had a part that keeps them from
    it, in one claim or another (each set once), by batch, work and step. Two queries, however many batches and people."""
    found: dict[Key, list[frozenset[int]]] = {}
    for work in (Work.REVIEW, Work.APPROVE):
        steps = ClaimStep.objects.filter(claim_id=OuterRef("pk"), event__in=sorted(apart(work))).order_by()
        sets = {
            f"of_{name}s": ArraySubquery(steps.filter(**{f"{name}__in": people}).order_by(name).values(name).distinct())
            for name in ("actor", "behalf")
        }
        grouped = rows.filter(work=work.value).annotate(**sets).order_by().values_list("batch_id", "at", *sets).distinct()
        for batch_id, step, actors, behalfs in grouped:
            found.setdefault((batch_id, work.value, step), []).append(frozenset(actors) | frozenset(behalfs))
    return found


def mine(actor: Actor, now: datetime) -> list[Waiting]:
    """What waits for the actor, who does it at an office in their own right or stands in; a constant number of queries."""
    if not actor.has(*OFFICE):
        return []
    rights = _Rights(actor, now)
    rows = with_work(visible_to(Claim.objects.all(), actor).filter(rights.reach()), now)
    found: list[Waiting] = []
    known = {each.key: right for each in waiting(rows) if (right := rights.to(each)) is not None}
    for right in sorted(set(known.values()), key=lambda each: each.behalf_id or 0):
        found += [each for each in waiting(free_for(rows, right.people(actor))) if known.get(each.key) == right]
    return sorted(found, key=lambda each: (each.since, each.key))


class _Rights:
    """By what right an actor does what waits, asked once for each office and role."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self.actor, self.now = actor, now
        self._known: dict[tuple[int | None, tuple[Role, ...]], Right | None] = {}
        self._own = actor.organisations(*OFFICE)
        self._of_code = offices_by_code(OrganisationIdentifier.objects.filter(organisation_id__in=self._own))

    def reach(self) -> Q:
        """Claims for which anything can be done at the actor's offices: of a programme that they issue or that names no office, or whose
        chain names one of them. What waits elsewhere, in a whole country, is not even read."""
        named = Q(pk__in=())
        for code in self._of_code:
            named |= Q(document__review__steps__contains=[{"office_code": code}])
        versions = ProgrammeVersion.objects.filter(named)
        issued = Q(batch__programme__issuer__in=self._own) | Q(batch__programme__issuer__isnull=True)
        return issued | Q(batch__programme_version__in=versions.values("pk"))

    def to(self, each: Waiting) -> Right | None:
        offices = self._of_code.get(each.office_code, []) if each.office_code else [each.batch.programme.issuer_id]
        return next((right for office in offices if (right := self._at(office, each.roles)) is not None), None)

    def _at(self, office_id: int | None, roles: Sequence[Role]) -> Right | None:
        key = (office_id, tuple(roles))
        if key not in self._known:
            self._known[key] = right_of(self.actor, office_id, roles, self.now)
        return self._known[key]


def offices_by_code(rows: QuerySet[OrganisationIdentifier]) -> dict[str, list[int]]:
    """Unified social credit code (or whatever number an organisation goes by) -> organisations, of some numbers. One query."""
    found: dict[str, list[int]] = {}
    for value, organisation_id in rows.order_by("organisation_id").values_list("value", "organisation_id"):
        found.setdefault(value, []).append(organisation_id)
    return found


@dataclass(frozen=True, slots=True)
class Lists:
    """Payment lists that wait for somebody: for a signature, and for what the treasury paid to be written down."""

    to_sign: list[PaymentList]
    to_record: list[PaymentList]


def my_lists(actor: Actor, now: datetime) -> Lists:
    """Payment lists that wait for the actor, the oldest first; two queries, and one for each office where they may stand in."""
    if not actor.has(*OFFICE):
        return Lists([], [])
    rows = visible_to(PaymentList.objects.all(), actor).defer("content")
    rows = rows.select_related("batch__programme").order_by("pk")
    rights: dict[tuple[int | None, tuple[Role, ...]], Right | None] = {}

    def right(row: PaymentList, *roles: Role) -> Right | None:
        key = (row.batch.programme.issuer_id, roles)
        if key not in rights:
            rights[key] = right_of(actor, key[0], roles, now)
        return rights[key]

    open_lists = list(rows.filter(lists_open()))
    approved = [row for row in open_lists if row.approved_by_id is not None]
    people = {
        row.pk: by.people(actor) for row in open_lists if row.next_part is not None and (by := right(row, *OFFICE)) is not None
    }
    signers = Signers(open_lists, {pk for each in people.values() for pk in each})
    to_sign = [row for row in open_lists if row.pk in people and signers.is_free(row, *people[row.pk])]
    return Lists(to_sign, [row for row in approved if right(row, Role.FINANCE) is not None])


def lists_open() -> Q:
    """Payment lists that wait for somebody: not cancelled, and not signed by all or with a line of which nothing is recorded."""
    unrecorded = Exists(PaymentLine.objects.filter(payment_list=OuterRef("pk"), payout__isnull=True))
    return Q(Q(approved_by__isnull=True) | Q(unrecorded), cancelled_at__isnull=True)
