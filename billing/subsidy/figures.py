"""The administrator's figure of a limit: asked for by one person, set by another, before the year or during it.

A figure counts for the account of a pool, and for those of everybody whom a cap counts (each firm's year), the ones that are there and the
ones that are opened later. None falls below what is held and posted: a pool is refused such a figure, and of many accounts those that have
used more keep what they used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from billing.ledger import services as ledger
from billing.ledger.life import KEEPERS, REASON_LENGTH
from billing.ledger.models import Account, AccountState
from billing.ledger.services import Source
from billing.subsidy import notices
from billing.subsidy.figure_models import SOURCE, CapFigure
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.figures import settable, years_of
from billing.subsidy.rules.parts.caps import Cap, CapPer
from billing.subsidy.services import in_force, pool_spec
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

READERS = (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR)
Key = tuple[str, int | None]
"""A cap's id and the year of a yearly one."""


@dataclass(slots=True)
class Figures:
    """What is set, read once for each programme that is asked for."""

    _of: dict[int, Mapping[Key, int]] = field(default_factory=dict)

    def limit_of(self, programme_id: int, cap_id: str, year: int | None) -> int | None:
        """The figure of a cap (fen), None where nobody has set one."""
        if programme_id not in self._of:
            self._of[programme_id] = set_for(programme_id)
        return self._of[programme_id].get((cap_id, year))


def set_for(programme_id: int) -> dict[Key, int]:
    """The figures that were set last for a programme's caps; one query. A pool's account says what counts now."""
    rows = CapFigure.objects.filter(version__programme_id=programme_id, state=CapFigure.State.SET).order_by("decided_at", "pk")
    return {(cap_id, year): limit for cap_id, year, limit in rows.values_list("cap_id", "year", "limit_fen")}


def opening_limit(programme_id: int, cap_id: str, year: int | None, default_fen: int | None) -> Callable[[], int | None]:
    """What an account of a cap is opened with at that moment: who sets a figure meanwhile waits for it, and then finds the account."""
    return partial(_opening_limit, programme_id, cap_id, year, default_fen)


def _opening_limit(programme_id: int, cap_id: str, year: int | None, default_fen: int | None) -> int | None:
    list(Programme.objects.raw("SELECT id FROM billing_programme WHERE id = %s FOR SHARE", [programme_id]))
    return set_for(programme_id).get((cap_id, year), default_fen)


def as_of(code: str, year: int) -> dict[str, int]:
    """The figures of a programme in a year by cap id, for what is worked out without accounts."""
    return {cap_id: limit for (cap_id, of), limit in _set_under(code).items() if of in (None, year)}


def latest(code: str) -> dict[str, int]:
    """By cap id the figure of the last year that one was set for, for what is tried on another year's services."""
    ordered = sorted(_set_under(code).items(), key=lambda each: each[0][1] or 0)
    return {cap_id: limit for (cap_id, _year), limit in ordered}


def _set_under(code: str) -> dict[Key, int]:
    programme_id = Programme.objects.filter(code=code).values_list("pk", flat=True).first()
    return {} if programme_id is None else set_for(programme_id)


@whole
def ask(actor: Actor, version_id: int, cap_id: str, year: int | None, limit_fen: int, reason: str, now: datetime) -> CapFigure:
    """Ask for a figure; it counts once somebody else sets it.

    Raises NotFound, Forbidden, Refusal ``figure.no_such_cap`` (``cap``), ``figure.year`` (``year``), ``figure.amount`` (``amount_yuan``),
    ``figure.below_used``, ``ledger.reason_needed``, ``ledger.reason_too_long`` (``reason``), Conflict ``figure.waits_already`` (``cap``).
    """
    actor.require(*KEEPERS)
    version = _version(actor, version_id)
    cap = cap_of(version, cap_id)
    if year not in years_of(in_force(version.pk).programme, cap):
        raise Refusal.of("figure.year", field="year")
    if limit_fen < 0:
        raise Refusal.of("figure.amount", field="amount_yuan")
    why = _words(reason)
    if cap.per is CapPer.POOL:
        for account in ledger.known([pool_spec(version, cap).key]).values():
            _refuse_below(account, limit_fen)
    # Who asks at the same moment waits here, and then finds this one.
    Programme.objects.select_for_update(no_key=True).get(pk=version.programme_id)
    open_ = waiting(version, cap, year)
    if open_ is not None:
        raise Conflict(waits_already(open_))
    asked = CapFigure.objects.create(
        version=version,
        cap_id=cap_id,
        year=year,
        counts_for=counts_for(version, cap, year),
        limit_fen=limit_fen,
        reason=why,
        asked_by_id=actor.person_id,
        asked_at=now,
    )
    audit.record(actor, "figure.ask", version, now, after={"cap": cap_id, "year": year, "limit_fen": limit_fen}, reason=why)
    notices.tell_asked(asked, cap, now)
    return asked


def counts_for(version: ProgrammeVersion, cap: Cap, year: int | None) -> str:
    """Which figure it is: versions share a cap's, by year where it is yearly; a pool has its own, and goes on with it."""
    if cap.per is CapPer.POOL:
        return pool_spec(version, cap).key
    return f"{version.programme.code}:{cap.id}:{year or ''}"


def waiting(version: ProgrammeVersion, cap: Cap, year: int | None) -> CapFigure | None:
    """What was asked for this figure and nobody has answered."""
    rows = CapFigure.objects.filter(counts_for=counts_for(version, cap, year), state=CapFigure.State.ASKED)
    return rows.select_related("asked_by").first()


def waits_already(open_: CapFigure) -> Reason:
    """Why another one cannot be asked for, and which one is open."""
    asked_on = timezone.localdate(open_.asked_at).isoformat()
    asked = {"figure": open_.pk, "limit_fen": open_.limit_fen, "asked_by": str(open_.asked_by), "asked_on": asked_on}
    return Reason("figure.waits_already", asked, "cap")


@whole
def confirm(actor: Actor, figure_id: int, now: datetime) -> CapFigure:
    """Somebody else says yes: it counts from now on.

    Raises NotFound, Forbidden, Refusal ``ledger.second_person``, ``ledger.top_up_decided``, ``figure.below_used``.
    """
    asked = _locked(actor, figure_id)
    if asked.asked_by_id == actor.person_id:
        raise Refusal.of("ledger.second_person")
    version = ProgrammeVersion.objects.select_related("programme").get(pk=asked.version_id)
    cap = cap_of(version, asked.cap_id)
    # Before the accounts: who opens one of them meanwhile is done, or waits and opens it with this figure.
    Programme.objects.select_for_update(no_key=True).get(pk=version.programme_id)
    _decide(asked, CapFigure.State.SET, actor, "", now)
    source = Source(SOURCE, asked.pk, "limit", version.pk, actor.person_id)
    for account in ledger.lock(_accounts(version, cap, asked.year, now)).values():
        if cap.per is CapPer.POOL:
            _refuse_below(account, asked.limit_fen)
        if account.state != AccountState.CLOSED:
            ledger.set_limit(account, max(asked.limit_fen, account.held_fen + account.posted_fen), source, now)
    after = {"cap": asked.cap_id, "year": asked.year, "limit_fen": asked.limit_fen}
    audit.record(actor, "figure.set", version, now, after=after, reason=asked.reason)
    notices.tell_decided(asked, cap, now)
    return asked


@whole
def refuse(actor: Actor, figure_id: int, reason: str, now: datetime) -> CapFigure:
    """Do not set it; whoever asked may take it back so. Raises as ``confirm``, Refusal ``ledger.reason_needed``."""
    asked, why = _locked(actor, figure_id), _words(reason)
    _decide(asked, CapFigure.State.REFUSED, actor, why, now)
    audit.record(actor, "figure.refuse", asked.version, now, after={"figure": asked.pk}, reason=why)
    notices.tell_decided(asked, cap_named(asked.version, asked.cap_id), now)
    return asked


def _accounts(version: ProgrammeVersion, cap: Cap, year: int | None, now: datetime) -> list[Account]:
    """The accounts that the figure counts for and that are there."""
    if cap.per is CapPer.POOL:
        spec = pool_spec(version, cap)
        return list(ledger.open_accounts([spec], now).values())
    prefix = f"{cap.per.value}:{version.programme.code}:{cap.id}:"
    rows = Account.objects.filter(programme_id=version.programme_id, kind=cap.per.value, key__startswith=prefix)
    return list(rows if year is None else rows.filter(key__endswith=f":{year}"))


def _refuse_below(account: Account, limit_fen: int) -> None:
    used = account.held_fen + account.posted_fen
    if limit_fen < used:
        raise Refusal.of("figure.below_used", field="amount_yuan", used_fen=used)


def figures_of(actor: Actor, version: ProgrammeVersion) -> QuerySet[CapFigure]:
    """What was asked for and set under a version's programme, the latest first. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(CapFigure.objects.filter(version__programme_id=version.programme_id), actor)
    return rows.select_related("version", "asked_by", "decided_by").order_by("-pk")


def figure_for(actor: Actor, pk: int) -> CapFigure:
    """One of them, decided or not. Raises Forbidden, NotFound."""
    actor.require(*READERS)
    rows = CapFigure.objects.select_related("version__programme", "asked_by", "decided_by")
    return get_visible(rows, actor, pk=pk)


def version_for(actor: Actor, pk: int) -> ProgrammeVersion:
    """A published version whose figures may be set. Raises Forbidden, NotFound."""
    actor.require(*KEEPERS)
    return _version(actor, pk)


def cap_named(version: ProgrammeVersion, cap_id: str) -> Cap:
    """A cap of a published version by its id."""
    return next(cap for cap in in_force(version.pk).programme.caps if cap.id == cap_id)


def cap_of(version: ProgrammeVersion, cap_id: str) -> Cap:
    """A cap of a version whose figure may be set. Raises Refusal ``figure.no_such_cap``."""
    found = next((cap for cap in settable(in_force(version.pk).programme) if cap.id == cap_id), None)
    if found is None:
        raise Refusal.of("figure.no_such_cap", field="cap", cap=cap_id)
    return found


def _version(actor: Actor, pk: int) -> ProgrammeVersion:
    rows = ProgrammeVersion.objects.filter(published_at__isnull=False).select_related("programme")
    return get_visible(rows, actor, pk=pk)


def _locked(actor: Actor, figure_id: int) -> CapFigure:
    actor.require(*KEEPERS)
    asked = get_visible(
        CapFigure.objects.select_for_update(of=("self",)).select_related("version__programme"), actor, pk=figure_id
    )
    if asked.state != CapFigure.State.ASKED:
        raise Refusal.of("ledger.top_up_decided")
    return asked


def _decide(asked: CapFigure, state: CapFigure.State, actor: Actor, answer: str, now: datetime) -> None:
    asked.state, asked.decided_by_id, asked.decided_at, asked.answer = state, actor.person_id, now, answer
    asked.save(update_fields=["state", "decided_by", "decided_at", "answer"])


def _words(reason: str) -> str:
    why = reason.strip()
    if not why:
        raise Refusal.of("ledger.reason_needed", field="reason")
    if len(why) > REASON_LENGTH:
        raise Refusal.of("ledger.reason_too_long", field="reason", maximum=REASON_LENGTH)
    return why
