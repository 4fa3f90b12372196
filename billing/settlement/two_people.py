"""From which amount on one person issues nothing alone, how proposals wait for another one, and that what is issued is what was looked at:
for bills and statements alike.

The amount is of all that the same person issued to, or proposed for, the same side in the last days and nobody else looked at: otherwise
two halves would go where the whole does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Model, Q, QuerySet, Sum

from billing.settlement.proposal_models import Proposal, ProposalState
from billing.settlement.rules.lines_digest import Expected
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import constraint_name

P = TypeVar("P", bound=Proposal)


#: How the codes of what is said begin, by kind of document.
CODES = {"bill": "bill.", "statement": "statement.", "write_off": "write_off."}
REASON_LENGTH = 500
#: What nobody else looked at of documents: issued without a proposal, and of drafts of a month by who made them.
UNSEEN = Q(proposal__isnull=True) & (Q(draft__isnull=True) | Q(issued_by=F("draft__run__made_by")))


@dataclass(frozen=True, slots=True)
class Hands:
    """Whose names a document bears: who made it, and who looked at it after that and released it (empty: nobody else did)."""

    maker: str
    reviewer: str = ""


def made(actor: Actor, made_by: AbstractBaseUser | None) -> Hands:
    """The hands of what is only looked at: whoever issues it has not released it yet. ``made_by``: who proposed it or made its run
    (None: the actor)."""
    return Hands(actor.name if made_by is None else str(made_by))


def released(actor: Actor, made_by: AbstractBaseUser | None) -> Hands:
    """The hands of what the actor issues."""
    if made_by is None or made_by.pk == actor.user_id:
        return Hands(actor.name)
    return Hands(str(made_by), actor.name)


def alone_fen(
    side: str,
    issued: QuerySet[Model],
    proposed: QuerySet[P],
    person_id: int,
    now: datetime,
    *,
    open_of: Callable[[Sequence[P]], Collection[int]],
) -> dict[int, int]:
    """How much of some documents and proposals the person issued or proposed in the last days without anybody else (fen), by the ``side``
    to which it goes (the name of a field). Proposals count of which ``open_of`` says that something is on no document yet: what went out
    another way is counted there. Two queries, and what ``open_of`` takes."""
    since = now - timedelta(days=settings.SECOND_PERSON_DAYS)
    rows = issued.filter(UNSEEN, issued_by=person_id, issued_at__gt=since)
    waits = list(proposed.filter(state=ProposalState.WAITING, proposed_by=person_id, proposed_at__gt=since))
    left = open_of(waits)
    found: Counter[int] = Counter(dict(rows.order_by().values_list(side).annotate(fen=Sum("total_fen"))))
    for each in waits:
        if each.pk in left:
            found[getattr(each, f"{side}_id")] += each.total_fen
    return dict(found)


def needs_second(total_fen: int, before_fen: int) -> bool:
    """Whether somebody else has to issue what comes to so much, after so much that nobody else looked at."""
    return bool(total_fen + before_fen >= settings.SECOND_PERSON_FROM_FEN)


def refuse_alone(kind: str, total_fen: int, before_fen: int) -> None:
    """Raise Refusal ``<kind>.second_person``, or ``<kind>.second_person_together`` where it is so with what came before."""
    if not needs_second(total_fen, before_fen):
        return
    from_fen = settings.SECOND_PERSON_FROM_FEN
    if total_fen >= from_fen:
        raise Refusal.of(CODES[kind] + "second_person", from_fen=from_fen)
    told = {"before_fen": before_fen, "days": settings.SECOND_PERSON_DAYS, "from_fen": from_fen}
    raise Refusal(Reason(CODES[kind] + "second_person_together", told))


def refuse_surprise(kind: str, real: Expected, expected: Expected | None) -> None:
    """Raise Conflict ``<kind>.figures_differ`` / ``<kind>.lines_differ`` where it would not be what was looked at, if that is known."""
    surprise = expected.surprise(real) if expected is not None else ""
    if surprise == "figures":
        raise Conflict(Reason(CODES[kind] + "figures_differ", {"lines": real.line_count, "total_fen": real.total_fen}))
    if surprise:
        raise Conflict.of(CODES[kind] + "lines_differ")


def checked_reason(reason: str, missing: str, too_long: str) -> str:
    """A reason that somebody else reads. Raises Refusal of these codes."""
    text = reason.replace("\x00", "").strip()
    if not text:
        raise Refusal.of(missing, field="reason")
    if len(text) > REASON_LENGTH:
        raise Refusal.of(too_long, field="reason", max_length=REASON_LENGTH)
    return text


def one_by_one(kind: str, *sides: int) -> None:
    """Have whoever issues to the same side alone wait for this transaction: what ``alone_fen`` says holds until its end."""
    with connection.cursor() as cursor:
        name = ":".join(["alone", kind, *map(str, sides)])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def keep(row: P, kind: str) -> P:
    """Write a new proposal. Raises Conflict ``<kind>.proposed_already`` where one waits for the same."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if constraint_name(error) != f"{kind}_proposal_one_waits":
            raise
        raise Conflict.of(CODES[kind] + "proposed_already") from error
    return row


def locked(rows: QuerySet[P], pk: int, kind: str) -> P:
    """A proposal that waits, locked and read again. Raises Conflict ``<kind>.proposal_decided``."""
    row = rows.select_for_update(no_key=True, of=("self",)).get(pk=pk)
    if row.state != ProposalState.WAITING:
        raise Conflict.of(CODES[kind] + "proposal_decided")
    return row


def overtake(
    actor: Actor,
    rows: QuerySet[P],
    kind: str,
    now: datetime,
    *,
    open_of: Callable[[Sequence[P]], Collection[int]],
    tell: Callable[[P, datetime], None],
) -> int:
    """Close those of some proposals that wait and of which nothing can be issued any more, so that they are in the way of no other;
    ``tell`` says so. Returns how many. Call it in a transaction; safe to repeat."""
    waiting = list(rows.filter(state=ProposalState.WAITING).select_for_update(no_key=True, of=("self",)).order_by("pk"))
    left = open_of(waiting)
    over = [row for row in waiting if row.pk not in left]
    for row in over:
        row.state, row.decided_at = ProposalState.OVERTAKEN, now
        row.save(update_fields=["state", "decided_at"])
        states = {"state": "waiting"}, {"state": row.state.value}
        audit.record(actor, f"{kind}.overtake_proposal", row, now, before=states[0], after=states[1])
        tell(row, now)
    return len(over)


def refuse_own(actor: Actor, row: Proposal, kind: str) -> None:
    """Raise Refusal ``<kind>.own_proposal`` where whoever proposed it would issue it."""
    if row.proposed_by_id == actor.user_id:
        raise Refusal.of(CODES[kind] + "own_proposal")


def declined(actor: Actor, row: Proposal, reason: str) -> tuple[ProposalState, str]:
    """What becomes of a proposal that is not issued, and the reason, which may be left out of one's own. Raises Refusal
    ``proposal.reason_missing`` / ``proposal.reason_too_long``."""
    own = row.proposed_by_id == actor.user_id
    given = reason.strip() or not own
    text = checked_reason(reason, "proposal.reason_missing", "proposal.reason_too_long") if given else ""
    return (ProposalState.WITHDRAWN if own else ProposalState.SENT_BACK), text


def decide(
    actor: Actor, row: P, state: ProposalState, now: datetime, kind: str, *, issued: Model | None = None, reason: str = ""
) -> P:
    """Write what was decided about a locked proposal; ``issued``: the document."""
    row.state, row.decided_by_id, row.decided_at, row.reason = state, actor.person_id, now, reason
    setattr(row, kind, issued)
    row.save(update_fields=["state", "decided_by", "decided_at", "reason", kind])
    after = {"state": state.value, kind: str(issued) if issued is not None else ""}
    audit.record(actor, f"{kind}.decide_proposal", row, now, before={"state": "waiting"}, after=after, reason=reason)
    return row
