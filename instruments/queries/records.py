"""What an instrument's page shows besides its own row, what is proposed about it and other resources, what was done, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden
from config.kernel.models import AuditEntry
from instruments.models import (
    ChangeState,
    CustomsRecord,
    FacilityRecord,
    Instrument,
    InstrumentChange,
    InstrumentDocument,
    InstrumentFunding,
    InstrumentImage,
    InstrumentProblem,
    ProblemState,
    Resource,
    ResourceChange,
)
from instruments.services.instrument_changes import manages, needs_review

OPEN_CHANGES = (ChangeState.DRAFT, ChangeState.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Attached:
    """Pictures in their order and documents by title."""

    images: list[InstrumentImage]
    documents: list[InstrumentDocument]


@dataclass(frozen=True, slots=True)
class Details:
    """What reports ask for: sources of money, and the customs record if there is one."""

    fundings: list[InstrumentFunding]
    customs: CustomsRecord | None


def attached_to(actor: Actor, instrument: Instrument) -> Attached:
    """What hangs on an instrument that the actor was given: two queries."""
    images = visible_to(InstrumentImage.objects.all(), actor).filter(instrument=instrument, removed_at=None)
    documents = visible_to(InstrumentDocument.objects.all(), actor).filter(instrument=instrument, removed_at=None)
    return Attached(
        list(images.select_related("file").order_by("position")),
        list(documents.select_related("file").order_by("title", "pk")),
    )


def details_of(actor: Actor, instrument: Instrument) -> Details:
    """Funding and customs of an instrument that the actor was given: two queries."""
    fundings = visible_to(InstrumentFunding.objects.all(), actor).filter(instrument=instrument)
    return Details(list(fundings.order_by("pk")), _customs_of(actor, instrument))


def facility_of(instrument: Instrument) -> FacilityRecord | None:
    """What makes an instrument a large facility, for whoever was given it: it is as public as the instrument; None when it is none."""
    return getattr(instrument, "facility", None)


def core_instruments_of(actor: Actor, instrument: Instrument) -> list[Instrument]:
    """The instruments of its owner that say that they belong to this facility, by name; at most a hundred."""
    known = [text for text in (instrument.inner_id, instrument.name) if text]
    rows = visible_to(Instrument.objects.filter(organisation=instrument.organisation_id, affiliation="facility"), actor)
    return list(rows.filter(affiliation_name__in=known).exclude(pk=instrument.pk).order_by("name_pinyin", "pk")[:100])


def _customs_of(actor: Actor, instrument: Instrument) -> CustomsRecord | None:
    return visible_to(CustomsRecord.objects.all(), actor).filter(instrument=instrument).first()


def picture_for(actor: Actor, instrument_id: int, version: str) -> InstrumentImage | None:
    """The further picture of an instrument whose content begins with this fingerprint."""
    rows = visible_to(InstrumentImage.objects.select_related("file"), actor)
    return rows.filter(instrument_id=instrument_id, removed_at=None, file__sha256__startswith=version).first()


def document_for(actor: Actor, instrument_id: int, document_id: int) -> InstrumentDocument:
    """A document that is shown. Raises NotFound."""
    rows = InstrumentDocument.objects.select_related("file")
    return get_visible(rows, actor, pk=document_id, instrument_id=instrument_id, removed_at=None)


def customs_unclear(actor: Actor, instrument: Instrument) -> bool:
    """Whether it stands under customs supervision and nobody wrote down that customs allows sharing."""
    if not instrument.customs_supervised:
        return False
    customs = _customs_of(actor, instrument)
    return customs is None or customs.may_share is not True


# --- Proposed changes -------------------------------------------------------------------------------------------------
def review_queue(actor: Actor) -> QuerySet[InstrumentChange]:
    """What waits for the operator, the oldest first. Raises Forbidden."""
    actor.require(Role.OPERATOR)
    rows = visible_to(InstrumentChange.objects.filter(state=ChangeState.SUBMITTED), actor)
    return rows.select_related("instrument__organisation", "submitted_by").order_by("submitted_at", "pk")


def own_changes(actor: Actor) -> QuerySet[InstrumentChange]:
    """The changes of the actor's instruments, open ones first, then the newest."""
    rows = visible_to(InstrumentChange.objects.all(), actor)
    rows = rows.filter(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return rows.select_related("instrument__organisation", "submitted_by").order_by("-created_at", "-pk")


def change_for(actor: Actor, change_id: int) -> InstrumentChange:
    """One change with its instrument and people. Raises NotFound."""
    people = ("submitted_by", "decided_by", "created_by")
    rows = InstrumentChange.objects.select_related("instrument__organisation", "instrument__site", *people)
    return get_visible(rows, actor, pk=change_id)


def resource_review_queue(actor: Actor) -> QuerySet[ResourceChange]:
    """As ``review_queue``, of test items, germplasm, data sets and literature."""
    actor.require(Role.OPERATOR)
    rows = visible_to(ResourceChange.objects.filter(state=ChangeState.SUBMITTED), actor)
    return rows.select_related("resource__organisation", "submitted_by").order_by("submitted_at", "pk")


def own_resource_changes(actor: Actor) -> QuerySet[ResourceChange]:
    """As ``own_changes``, of test items, germplasm, data sets and literature."""
    rows = visible_to(ResourceChange.objects.all(), actor)
    rows = rows.filter(resource__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return rows.select_related("resource__organisation", "submitted_by").order_by("-created_at", "-pk")


def resource_change_for(actor: Actor, change_id: int) -> ResourceChange:
    """One change with its resource and people. Raises NotFound."""
    rows = ResourceChange.objects.select_related("resource__organisation", "submitted_by", "decided_by")
    return get_visible(rows, actor, pk=change_id)


def last_resource_change(actor: Actor, resource: Resource) -> ResourceChange | None:
    """The change that waits, or the last one when it was refused and nothing was saved since; for those who keep the resource."""
    newest = visible_to(ResourceChange.objects.all(), actor).filter(resource=resource).order_by("-pk").first()
    if newest is None or newest.state in OPEN_CHANGES:
        return newest
    refused_at = newest.decided_at if newest.state == ChangeState.REFUSED else None
    return newest if refused_at is not None and resource.updated_at <= refused_at else None


def open_change_of(actor: Actor, instrument: Instrument) -> InstrumentChange | None:
    """The draft or submitted change of an instrument, or the last one when it was refused; for those who keep it."""
    rows = visible_to(InstrumentChange.objects.all(), actor).filter(instrument=instrument)
    newest = rows.order_by("-pk").first()
    return newest if newest is not None and newest.state in (*OPEN_CHANGES, ChangeState.REFUSED) else None


def waits_for_review(actor: Actor, kept: Instrument | Resource) -> bool:
    """Whether the actor's changes of it are looked at first."""
    return needs_review(actor, kept.organisation)


# --- History ----------------------------------------------------------------------------------------------------------
def may_read_history(actor: Actor, kept: Instrument | Resource) -> bool:
    return manages(actor, kept.organisation_id) or actor.has(Role.INSPECTOR)


def history_of(actor: Actor, kept: Instrument | Resource) -> QuerySet[AuditEntry]:
    """What was done to an instrument or another resource, the newest first. Raises Forbidden."""
    if not may_read_history(actor, kept):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value, Role.INSPECTOR.value])
    rows = visible_to(AuditEntry.objects.all(), actor)
    return rows.filter(object_type=kept._meta.label_lower, object_id=str(kept.pk)).order_by("-at", "-pk")


def instrument_names(actor: Actor, ids: Iterable[int]) -> dict[str, str]:
    """The names of those instruments that the actor may see, by their ids as text: one query."""
    rows = visible_to(Instrument.objects.filter(pk__in=list(ids)), actor)
    return {str(pk): name for pk, name in rows.values_list("pk", "name")}


# --- Problems ---------------------------------------------------------------------------------------------------------
def problems_of_lab(actor: Actor) -> QuerySet[InstrumentProblem]:
    """What people reported about the actor's instruments (the operator: all), the newest first. Raises Forbidden."""
    actor.require(Role.LAB_MANAGER, Role.OPERATOR)
    rows = visible_to(InstrumentProblem.objects.all(), actor)
    if not actor.has(Role.OPERATOR):
        rows = rows.filter(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    shown = rows.select_related("instrument__organisation", "photo", "reported_by", "handled_by")
    return shown.order_by("-reported_at", "-pk")


def known_problems(actor: Actor, instrument: Instrument) -> list[InstrumentProblem]:
    """What the actor may see of the unsolved problems of an instrument: one's own reports, or all of one's lab's."""
    if actor.is_anonymous:
        return []
    rows = visible_to(InstrumentProblem.objects.exclude(state=ProblemState.SOLVED), actor).filter(instrument=instrument)
    return list(rows.select_related("reported_by").order_by("-reported_at", "-pk"))


# --- For search engines -----------------------------------------------------------------------------------------------
def public_count(actor: Actor) -> int:
    """How many instruments the actor may see."""
    return visible_to(Instrument.objects.all(), actor).count()


def public_pages(actor: Actor, first: int, count: int) -> list[tuple[int, datetime]]:
    """Ids of instruments that the actor may see and when they changed, from place ``first`` on."""
    rows = visible_to(Instrument.objects.all(), actor).order_by("pk").values_list("pk", "updated_at")
    return list(rows[max(first, 0) : max(first, 0) + count])
