"""Stopping a published version without a successor: an officer of its office proposes a last day, a second one confirms it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from billing.subsidy import end_notices as notices
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.ending import shorten, today_of
from billing.subsidy.models import Programme, ProgrammeVersion
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import constraint_name, whole

REASON_LENGTH = 500
READERS = (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR)
_WITH = ("version__programme", "successor", "asked_by", "decided_by")


@whole
def ask(actor: Actor, version_id: int, last_on: date, reason: str, now: datetime) -> VersionEnd:
    """Propose that a published version ends on ``last_on``; nothing ends until a second officer confirms it.

    Raises NotFound, Forbidden, Refusal ``programme.stop_day`` / ``programme.stop_too_late`` (``last_on``), ``programme.stop_reason`` /
    ``programme.stop_reason_long`` (``reason``), Conflict ``programme.stop_waits``.
    """
    version = version_for(actor, version_id)
    refuse_day(version, last_on, today_of(now))
    row = VersionEnd(
        version=version,
        last_before=version.last_on,
        last_on=last_on,
        reason=_words(reason),
        asked_by_id=actor.person_id,
        asked_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if constraint_name(error) != "version_end_one_waits":
            raise
        raise Conflict.of("programme.stop_waits") from error
    audit.record(actor, "programme.ask_end", version, now, after={"last_on": last_on.isoformat()}, reason=row.reason)
    notices.tell_asked(row, actor.name, now)
    return row


@whole
def confirm(actor: Actor, end_id: int, now: datetime) -> VersionEnd:
    """A second officer says yes: from the day after nothing is promised under the version any more.

    Raises NotFound, Forbidden, Refusal ``programme.own_stop``, Conflict ``programme.stop_decided``, and as ``ask`` where the day is over or
    the version ends earlier by now.
    """
    row = _locked(actor, end_id)
    if row.asked_by_id == actor.person_id:
        raise Refusal.of("programme.own_stop")
    # As publishing does: who publishes a version of the programme meanwhile is done, or waits and finds this one ended.
    Programme.objects.select_for_update(no_key=True).get(pk=row.version.programme_id)
    row.version = (
        ProgrammeVersion.objects.select_related("programme").select_for_update(no_key=True, of=("self",)).get(pk=row.version_id)
    )
    refuse_day(row.version, row.last_on, today_of(now))
    if row.version.last_on != row.last_before:
        raise Conflict.of("programme.stop_overtaken", last_on=row.version.last_on.isoformat())
    _decide(row, VersionEnd.State.SET, actor, "", now)
    shorten(actor, row, now)
    notices.tell_decided(row, actor.name, now)
    return row


@whole
def refuse(actor: Actor, end_id: int, reason: str, now: datetime) -> VersionEnd:
    """It goes on; whoever proposed the end may take it back so. Raises NotFound, Forbidden, Refusal ``programme.stop_reason``, Conflict
    ``programme.stop_decided``."""
    row, why = _locked(actor, end_id), _words(reason)
    _decide(row, VersionEnd.State.REFUSED, actor, why, now)
    audit.record(actor, "programme.refuse_end", row.version, now, after={"last_on": row.last_on.isoformat()}, reason=why)
    notices.tell_decided(row, actor.name, now)
    return row


def may_still_end(version: ProgrammeVersion, today: date) -> bool:
    """Whether there is a day left on which it could end earlier."""
    return version.last_on > max(today, version.valid.lower)


def refuse_day(version: ProgrammeVersion, last_on: date, today: date) -> None:
    """Raises Refusal for a day on which a version cannot end: one that is over, before its first, or not before the day on which it ends
    anyway."""
    earliest = max(today, version.valid.lower)
    if not may_still_end(version, today):
        raise Refusal.of("programme.stop_too_late", "last_on", last_on=version.last_on.isoformat())
    if not earliest <= last_on < version.last_on:
        until = (version.last_on - timedelta(days=1)).isoformat()
        raise Refusal.of("programme.stop_day", "last_on", earliest_on=earliest.isoformat(), latest_on=until)


def ends_visible(actor: Actor) -> QuerySet[VersionEnd]:
    """What ended versions or was proposed to, the latest first. Raises Forbidden."""
    actor.require(*READERS)
    return visible_to(VersionEnd.objects.select_related(*_WITH), actor).order_by("-pk")


def end_for_reading(actor: Actor, pk: int) -> VersionEnd:
    """One of them, decided or not. Raises Forbidden, NotFound."""
    actor.require(*READERS)
    return get_visible(VersionEnd.objects.select_related(*_WITH), actor, pk=pk)


def end_for_deciding(actor: Actor, pk: int) -> VersionEnd:
    """One of them, for an officer of the programme's office. Raises Forbidden, NotFound."""
    actor.require(Role.PROGRAMME_OFFICER)
    found = get_visible(VersionEnd.objects.select_related(*_WITH), actor, pk=pk)
    _require(actor, found.version)
    return found


def ends_of(actor: Actor, version: ProgrammeVersion) -> list[VersionEnd]:
    """What of a version's end the actor may see, the latest first: the public what counts, officials what was proposed as well."""
    return list(visible_to(VersionEnd.objects.filter(version=version), actor).select_related(*_WITH).order_by("-pk"))


def end_that_counts(rows: Iterable[VersionEnd]) -> VersionEnd | None:
    """Of the ends of a version the one that was set last."""
    return next((each for each in rows if each.state == VersionEnd.State.SET), None)


def version_for(actor: Actor, pk: int) -> ProgrammeVersion:
    """A published version that the actor may have ended. Raises NotFound, Forbidden."""
    actor.require(Role.PROGRAMME_OFFICER)
    rows = ProgrammeVersion.objects.filter(published_at__isnull=False).select_related("programme")
    version = get_visible(rows, actor, pk=pk)
    _require(actor, version)
    return version


def may_end(actor: Actor, version: ProgrammeVersion) -> bool:
    """Whether the actor is an officer of the office whose programme it is; of any office where the programme names none."""
    own = actor.organisations(Role.PROGRAMME_OFFICER)
    return bool(own) and version.programme.issuer_id in (None, *own)


def _require(actor: Actor, version: ProgrammeVersion) -> None:
    if version.programme.issuer_id is not None:
        actor.require_in(version.programme.issuer_id, Role.PROGRAMME_OFFICER)


def _locked(actor: Actor, end_id: int) -> VersionEnd:
    actor.require(Role.PROGRAMME_OFFICER)
    rows = VersionEnd.objects.select_for_update(of=("self",)).select_related("version__programme", "asked_by")
    row = get_visible(rows, actor, pk=end_id)
    _require(actor, row.version)
    if row.state != VersionEnd.State.ASKED:
        raise Conflict.of("programme.stop_decided")
    return row


def _decide(row: VersionEnd, state: VersionEnd.State, actor: Actor, answer: str, now: datetime) -> None:
    row.state, row.decided_by_id, row.decided_at, row.answer = state, actor.person_id, now, answer
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])


def _words(reason: str) -> str:
    why = " ".join(reason.replace("\x00", "").split())
    if not why:
        raise Refusal.of("programme.stop_reason", "reason")
    if len(why) > REASON_LENGTH:
        raise Refusal.of("programme.stop_reason_long", "reason", most=REASON_LENGTH)
    return why
