"""Reads about drafts of programmes that pages and API share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from billing.subsidy import ending
from billing.subsidy import services as subsidy
from billing.subsidy.draft_models import DraftState, DraftStep, ProgrammeDraft
from billing.subsidy.drafts import code_of
from billing.subsidy.ending import Beside
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.programme import read_programme
from billing.subsidy.services import EarlierPool
from config.kernel.access import Actor, Role, get_visible, visible_to

_WITH_PEOPLE = ("author", "changed_by", "submitted_by", "based_on__programme", "version__programme")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the actor may do with a draft now."""

    write: bool
    submit: bool
    take_back: bool
    decide: bool
    """Approve it or send it back."""
    own: bool
    """It waits, and the actor wrote in it: somebody else has to look."""


@dataclass(frozen=True, slots=True)
class PoolBeside:
    """A pool of a draft and that of an earlier version of the same year. ``goes_on``: it is the same money."""

    earlier: EarlierPool
    goes_on: bool


def drafts_visible(actor: Actor) -> QuerySet[ProgrammeDraft]:
    """Drafts of the actor's office, those that wait or are written first, the newest change first."""
    rows = visible_to(ProgrammeDraft.objects.select_related(*_WITH_PEOPLE), actor)
    return rows.order_by("-changed_at", "-pk")


def draft_for(actor: Actor, pk: int) -> ProgrammeDraft:
    """One draft. Raises NotFound."""
    return get_visible(ProgrammeDraft.objects.select_related(*_WITH_PEOPLE), actor, pk=pk)


def steps_of(actor: Actor, draft: ProgrammeDraft) -> list[DraftStep]:
    """What happened to a draft, in order."""
    return list(visible_to(DraftStep.objects.filter(draft=draft), actor).select_related("by").order_by("pk"))


def pools_beside(draft: ProgrammeDraft) -> list[PoolBeside]:
    """The pools of a handed-in draft beside those of an earlier version of the same year: the same money, or new money."""
    programme = Programme.objects.filter(code=draft.document.get("code", "")).first()
    if programme is None or draft.state != DraftState.SUBMITTED:
        return []
    compiled = read_programme(draft.document)
    own = {cap.id: cap for cap in subsidy.pools(compiled)}
    return [PoolBeside(each, bool(own[each.cap_id].pool_of)) for each in subsidy.earlier_pools(programme.pk, compiled)]


def beside_published(draft: ProgrammeDraft, now: datetime) -> Beside:
    """What publishing a draft would do to the published versions of its programme now: which one ends for it and on which day, or why
    that cannot be. For a draft that is written or waits, and whose document has no fault."""
    programme = Programme.objects.filter(code=code_of(draft.document)).first()
    if programme is None or draft.text or draft.state not in (DraftState.DRAFT, DraftState.SUBMITTED):
        return Beside(None, ())
    return ending.beside(programme.pk, subsidy.days_of(draft.document), ending.today_of(now))


def standing(actor: Actor, draft: ProgrammeDraft) -> Standing:
    """Who may do what; the services and the database ask again."""
    officer = draft.office_id in actor.organisations(Role.PROGRAMME_OFFICER)
    wrote = draft.writers.filter(person_id=actor.user_id).exists()
    waits, writes = draft.state == DraftState.SUBMITTED, draft.state == DraftState.DRAFT
    return Standing(
        write=officer and writes,
        submit=officer and writes and not draft.text,
        take_back=officer and waits and draft.submitted_by_id == actor.user_id,
        decide=officer and waits and not wrote,
        own=officer and waits and wrote,
    )


def beside(actor: Actor, draft: ProgrammeDraft, on: date) -> ProgrammeVersion | None:
    """The version that a draft is held against: the one of its programme in force on a day, else the latest published one."""
    rows = visible_to(ProgrammeVersion.objects.filter(programme__code=code_of(draft.document)), actor)
    published = rows.filter(published_at__isnull=False).select_related("programme")
    current = published.filter(valid__contains=on).first()
    return current or published.order_by("-valid").first()


def startable_versions(actor: Actor) -> QuerySet[ProgrammeVersion]:
    """Versions with which a draft may begin, the latest of each programme first."""
    rows = visible_to(ProgrammeVersion.objects.filter(published_at__isnull=False), actor)
    return rows.select_related("programme").defer("document").order_by("programme__code", "-valid")
