"""Publicity: showing claims to everybody for the programme's days, hearing objections, answering them, and finding the period over."""

from __future__ import annotations

from datetime import datetime, timedelta

from billing.bills.services.issuing import local_day
from billing.claims.models import Claim, Objection, Publicity
from billing.claims.notices import OBJECTION, tell_objection
from billing.claims.rules import content as papers
from billing.claims.rules.review import review_of
from billing.claims.rules.states import ClaimEvent, ClaimState
from billing.claims.services.moving import move
from billing.claims.services.office import OFFICE, checked_text, locked_batch, require_office
from billing.claims.services.papers import batch_paper, payee_paper
from billing.claims.services.proving import prove
from billing.ledger.rules.documents import sha256_of
from config.kernel.access import NOBODY, Actor, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.services.settling import settle

#: Objections to one claim that nobody has answered yet: more would only bury the first ones.
MOST_OPEN = 50
TEXT_LENGTH = 2000


def publicise(actor: Actor, batch_id: int, now: datetime) -> Publicity:
    """Show every claim of a batch that passed the review, from today on for the programme's days.

    Raises NotFound, Forbidden, Refusal ``claims.nothing_passed`` / ``claims.inconsistent``.
    """

    def work() -> Publicity:
        batch = locked_batch(actor, batch_id)
        right = require_office(actor, batch, now, *OFFICE)
        rows = Claim.objects.select_for_update(no_key=True, of=("self",)).filter(batch=batch, state=ClaimState.PASSED)
        claims = list(rows.select_related("payee", "batch__programme", "batch__programme_version").order_by("pk"))
        if not claims:
            raise Refusal.of("claims.nothing_passed")
        prove(claims)
        days = review_of(batch.programme_version.document).publicity_days
        from_on = local_day(now)
        until_on = from_on + timedelta(days=max(days - 1, 0))
        shown = [(claim.pk, claim.number, payee_paper(claim.payee, "", bank=False), claim.total_fen) for claim in claims]
        content = papers.publicity(batch_paper(batch), shown, from_on, until_on)
        written = Publicity.objects.create(
            batch=batch,
            from_on=from_on,
            until_on=until_on,
            content=content,
            content_sha256=sha256_of(content),
            published_by_id=actor.person_id,
            published_at=now,
            closed_at=now if days == 0 else None,
        )
        for claim in claims:
            Claim.objects.filter(pk=claim.pk).update(publicity=written)
            claim.publicity = written
            move(actor, claim, ClaimEvent.PUBLICISE, now, behalf_id=right.behalf_id)
        after = {"batch": batch.number, "claims": len(claims), "until_on": until_on.isoformat()}
        audit.record(actor, "claim_batch.publicise", written, now, after=after)
        return written

    return transactions.run(work)


def object_to(publicity_id: int, claim_id: int, name: str, contact: str, text: str, now: datetime) -> Objection:
    """Write down what anybody says against a claim that is public, while it is; the office is told.

    Raises NotFound, Refusal ``claims.text_*`` / ``claims.publicity_over`` / ``claims.too_many_objections``.
    """
    given = {
        "name": checked_text(name, "name", 100),
        "contact": checked_text(contact, "contact", 200),
        "text": checked_text(text, "text", TEXT_LENGTH),
    }

    def work() -> Objection:
        rows = Claim.objects.select_for_update(no_key=True, of=("self",)).filter(pk=claim_id, publicity_id=publicity_id)
        claim = rows.select_related("publicity", "batch__programme").first()
        if claim is None or claim.publicity is None:
            raise NotFound.of("access.not_found", model="claim")
        if claim.publicity.closed_at is not None or claim.state != ClaimState.PUBLICISED:
            raise Refusal.of("claims.publicity_over", field="claim")
        if Objection.objects.filter(claim=claim, answered_at__isnull=True).count() >= MOST_OPEN:
            raise Refusal.of("claims.too_many_objections", field="claim")
        written = Objection.objects.create(publicity_id=publicity_id, claim=claim, at=now, **given)
        audit.record(NOBODY, "claim.objection", claim, now, after={"objection": written.pk})
        tell_objection(written, now)
        return written

    return transactions.run(work)


def answer(actor: Actor, objection_id: int, upheld: bool, text: str, now: datetime) -> Objection:
    """Answer an objection, once. One that is upheld sends the claim back with the answer; then its payee completes it.

    Raises NotFound, Forbidden, Conflict ``claims.answered_already``, Refusal ``claims.text_*``.
    """
    said = checked_text(text, "answer", TEXT_LENGTH)

    def work() -> Objection:
        found = get_visible(Objection.objects.all(), actor, pk=objection_id)
        claim_rows = Claim.objects.select_for_update(no_key=True, of=("self",))
        claim = claim_rows.select_related("batch__programme", "batch__programme_version", "payee").get(pk=found.claim_id)
        right = require_office(actor, claim.batch, now, *OFFICE)
        changes = {"upheld": upheld, "answer": said, "answered_by_id": actor.person_id, "answered_at": now}
        if Objection.objects.filter(pk=found.pk, answered_at__isnull=True).update(**changes) != 1:
            raise Conflict.of("claims.answered_already")
        if not Objection.objects.filter(claim=claim, answered_at__isnull=True).exists():
            settle(claim, [OBJECTION], now)
        if upheld and claim.state == ClaimState.PUBLICISED:
            move(actor, claim, ClaimEvent.SEND_BACK, now, said[:500], behalf_id=right.behalf_id)
        audit.record(actor, "claim.answer", claim, now, after={"objection": found.pk, "upheld": upheld}, reason=said[:500])
        found.refresh_from_db()
        return found

    return transactions.run(work)


def end_due(now: datetime) -> int:
    """Find the publicities over whose last day is; returns how many. Safe to repeat."""
    due = Publicity.objects.filter(closed_at__isnull=True, until_on__lt=local_day(now))
    return due.update(closed_at=now)
