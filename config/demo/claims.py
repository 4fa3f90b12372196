"""Claims for public money in every part of their way: paid and failed, public with an objection, and a batch that takes claims."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing.claims.models import Claim, ClaimBatch, PaymentList
from billing.claims.rules.sampling import Method, Plan
from billing.claims.services import batches, deputies, handing_in, paying, publishing, rechecking, reviewing
from billing.claims.services.batches import BatchInput
from billing.claims.services.deputies import Named
from billing.claims.services.paying import Outcome
from billing.claims.services.rechecking import DrawInput, Found
from billing.settlement.rules.period import first_day, last_day, previous_month
from billing.subsidy.models import Programme
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role

#: So many payees of a batch hand in; what the others can claim waits for the next one.
_HAND_IN = 3


def claim(people: People, today: date, now: datetime) -> dict[str, int]:
    """What labs redeemed of the month before the last and may redeem of the last, and what firms are refunded; counts."""
    month = previous_month(first_day(today))
    before = previous_month(month)
    said = words("claims")
    redeemed = _batch(people, "DEMO-QH-V", "deducted_now", before, now - timedelta(days=25), now - timedelta(days=11))
    _pay(people, redeemed, said, now)
    _look_again(people, today, said, now)
    shown = _batch(people, "DEMO-QH-A", "refunded_later", before, now - timedelta(days=14), now - timedelta(days=1))
    _show(people, shown, said, now)
    _batch(people, "DEMO-QH-V", "deducted_now", month, now, None)
    officer, second = people.actor(people.office, Role.PROGRAMME_OFFICER), people.actors[people.office.pk, "second_officer"]
    deputies.name(second, Named(people.office.pk, officer.person_id, today, today + timedelta(days=13), said["away"]), now)
    return {"claims": Claim.objects.count()}


def _batch(people: People, code: str, mode: str, month: date, opened: datetime, closed: datetime | None) -> ClaimBatch:
    """A batch of a month with its claims; one that is closed has those that were handed in and passed the review."""
    officer = people.actor(people.office, Role.PROGRAMME_OFFICER)
    closes = (closed - timedelta(days=1) if closed else opened + timedelta(days=14)).date()
    given = BatchInput(Programme.objects.get(code=code).pk, mode, month, last_day(month), opened.date(), closes, month.year)
    batch = batches.open_batch(officer, given, opened)
    batches.gather(officer, batch.pk, opened)
    for one in Claim.objects.filter(batch=batch).order_by("pk")[:_HAND_IN] if closed else ():
        handing_in.submit(_claimant(people, one), one.pk, opened)
    if closed:
        batches.close(officer, batch.pk, closed)
        reviewing.pass_clean(officer, batch.pk, closed)
    return batch


def _claimant(people: People, one: Claim) -> Actor:
    roles = (Role.OWNER_FINANCE, Role.FIRM_ADMIN)
    return next(people.actors[one.payee_id, role] for role in roles if (one.payee_id, role) in people.actors)


def _pay(people: People, batch: ClaimBatch, said: dict[str, str], now: datetime) -> None:
    """Approved after a week in public, and paid but for one that the bank returned."""
    officer, second = people.actor(people.office, Role.PROGRAMME_OFFICER), people.actors[people.office.pk, "second_officer"]
    finance = people.actor(people.office, Role.FINANCE)
    publishing.publicise(officer, batch.pk, now - timedelta(days=11))
    publishing.end_due(now - timedelta(days=3))
    reviewing.approve_all(second, batch.pk, now - timedelta(days=3))
    for made in paying.make(finance, batch.pk, now - timedelta(days=2)):
        paying.sign(officer, made.pk, now - timedelta(days=2))
        paying.sign(second, made.pk, now - timedelta(days=2))
        _record(finance, made, said, now)


def _record(finance: Actor, made: PaymentList, said: dict[str, str], now: datetime) -> None:
    """What became of the first two lines of a list."""
    for place, line in enumerate(made.lines.order_by("position")):
        outcome = Outcome(line.amount_fen, (now - timedelta(days=1)).date(), f"{line.pk:08d}")
        if place == 1:
            outcome = Outcome(0, (now - timedelta(days=1)).date(), "", said["returned"])
        if place < 2:
            paying.record(finance, line.pk, outcome, now)


def _look_again(people: People, today: date, said: dict[str, str], now: datetime) -> None:
    """What was paid in the last days is drawn for the re-check; one claim of it differs."""
    inspector = people.actor(people.office, Role.INSPECTOR)
    plan = Plan(Method.AMOUNT, "6-2-5-3", size=2)
    drawn = rechecking.draw(inspector, DrawInput(today - timedelta(days=6), today, plan), now)
    item = drawn.items.order_by("position")[0]
    rechecking.record(inspector, item.pk, Found("difference", min(item.amount_fen, 100_00), said["differs"]), now)


def _show(people: People, batch: ClaimBatch, said: dict[str, str], now: datetime) -> None:
    """Public, and somebody says something; a claim is sent back before."""
    officer = people.actor(people.office, Role.PROGRAMME_OFFICER)
    claims = list(Claim.objects.filter(batch=batch, state="passed").order_by("pk"))
    if len(claims) > 1:
        reviewing.send_back(officer, claims[0].pk, said["to_complete"], now)
    shown = publishing.publicise(officer, batch.pk, now)
    publishing.object_to(shown.pk, claims[-1].pk, said["name"], said["contact"], said["objection"], now)
