"""Statements issued by hand by two people: one proposes what they looked at, another one issues it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from billing.settlement import two_people
from billing.settlement.models import Statement
from billing.settlement.notices import tell_decided, tell_proposed
from billing.settlement.proposal_models import ProposalState, StatementProposal
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.rules.period import first_day
from billing.settlement.services import statements
from config.kernel.access import NOBODY, Actor, Role, get_visible
from config.kernel.errors import NotFound
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.parking import each_parked

PROPOSE_ROUTE, KIND = "statement.propose", "statement"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which statement: version, payee, any day of its month, and the way of settlement (may be left out where there is one)."""

    programme_version_id: int
    payee_id: int
    period_on: date
    mode: str = ""


def needs_second(actor: Actor, payee_id: int, total_fen: int, now: datetime) -> bool:
    """Whether somebody else than the actor has to issue a statement that comes to so much, after what the actor issued alone."""
    return two_people.needs_second(total_fen, statements.before_fen(actor.person_id, payee_id, now))


def propose(actor: Actor, asked: Asked, now: datetime, *, expected: Expected | None = None) -> StatementProposal:
    """Keep what a statement would come to, and of which lines, for another person to issue; nothing is issued.

    Raises what ``statements.look`` raises, Conflict ``statement.proposed_already``.
    """

    def work() -> StatementProposal:
        whose = (asked.programme_version_id, asked.payee_id, asked.period_on)
        content, seen = statements.look(actor, *whose, now, expected=expected, mode=asked.mode)
        row = StatementProposal(
            programme_version_id=asked.programme_version_id,
            payee_id=asked.payee_id,
            period_on=first_day(asked.period_on),
            mode=content["programme"]["mode"],
            line_count=seen.line_count,
            total_fen=seen.total_fen,
            lines_sha256=seen.lines_sha256,
            proposed_by_id=actor.person_id,
            proposed_at=now,
        )
        same = {name: getattr(row, name) for name in ("programme_version_id", "payee_id", "period_on", "mode")}
        _overtake(actor, StatementProposal.objects.filter(**same), now)
        written = two_people.keep(row, KIND)
        after = {"payee": asked.payee_id, "total_fen": written.total_fen, "lines": written.line_count}
        audit.record(actor, "statement.propose", written, now, after=after)
        tell_proposed(written, now)
        return written

    return transactions.run(work)


def propose_once(actor: Actor, asked: Asked, now: datetime, *, idempotency_key: str, expected: Expected | None = None) -> int:
    """As ``propose``, at most once for a key: the proposal's id. Raises Refusal ``idempotency.*`` besides."""
    payload = statements.payload_of(asked.programme_version_id, asked.payee_id, asked.period_on, expected, asked.mode)

    def effect() -> dict[str, Any]:
        return {"id": propose(actor, asked, now, expected=expected).pk}

    result, _replayed = transactions.run(lambda: idempotency.once(actor, PROPOSE_ROUTE, idempotency_key, payload, now, effect))
    return int(result["id"])


def issue(actor: Actor, proposal_id: int, now: datetime) -> Statement:
    """Issue what another person proposed, if it is still the same lines over as much.

    Raises NotFound, Forbidden, Refusal ``statement.own_proposal``, Conflict ``statement.proposal_decided``, and what
    ``statements.issue`` raises (``statement.figures_differ`` or ``statement.lines_differ`` where the lines are others by now).
    """

    def work() -> Statement:
        row = _locked(actor, proposal_id)
        two_people.refuse_own(actor, row, KIND)
        whose = (row.programme_version_id, row.payee_id, row.period_on)
        issued = statements.issue(actor, *whose, now, expected=row.seen, mode=row.mode, made_by=row.proposed_by)
        _decide(actor, row, ProposalState.ISSUED, now, issued=issued)
        return issued

    return transactions.run(work)


def decline(actor: Actor, proposal_id: int, reason: str, now: datetime) -> StatementProposal:
    """Send a proposal back with a reason, or withdraw one's own (then the reason may be left out). Raises NotFound, Forbidden, Refusal
    ``proposal.reason_*``, Conflict ``statement.proposal_decided``."""

    def work() -> StatementProposal:
        row = _locked(actor, proposal_id)
        state, text = two_people.declined(actor, row, reason)
        return _decide(actor, row, state, now, reason=text)

    return transactions.run(work)


def close_overtaken(now: datetime) -> int:
    """Close every proposal of which nothing can be put on a statement any more; returns how many. Safe to repeat."""
    waiting = StatementProposal.objects.filter(state=ProposalState.WAITING).select_related("programme_version__programme")
    rows = list(waiting.order_by("pk"))
    left = statements.open_of(rows)
    over = [row.pk for row in rows if row.pk not in left]
    return each_parked(over, lambda pk: _overtake(NOBODY, StatementProposal.objects.filter(pk=pk), now), "proposed statement")


def decides(actor: Actor, proposal: StatementProposal) -> bool:
    """Whether it waits, at the actor's office."""
    return proposal.state == ProposalState.WAITING and statements.issues_for(
        actor, proposal.programme_version.programme.issuer_id
    )


def _overtake(actor: Actor, rows: QuerySet[StatementProposal], now: datetime) -> int:
    rows = rows.select_related("programme_version__programme", "payee", "proposed_by")
    return two_people.overtake(actor, rows, KIND, now, open_of=statements.open_of, tell=tell_decided)


def _locked(actor: Actor, proposal_id: int) -> StatementProposal:
    actor.require(Role.FINANCE)
    rows = StatementProposal.objects.select_related("programme_version__programme", "payee", "proposed_by")
    found = get_visible(rows, actor, pk=proposal_id)
    if not statements.issues_for(actor, found.programme_version.programme.issuer_id):
        raise NotFound.of("access.not_found", model="statementproposal")
    return two_people.locked(rows, found.pk, KIND)


def _decide(
    actor: Actor,
    row: StatementProposal,
    state: ProposalState,
    now: datetime,
    *,
    issued: Statement | None = None,
    reason: str = "",
) -> StatementProposal:
    two_people.decide(actor, row, state, now, KIND, issued=issued, reason=reason)
    tell_decided(row, now)
    return row
