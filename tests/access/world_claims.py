"""Claims on both sides of the world, each on a payment list: the cast's lab redeems what a voucher programme deducted, Lianhe is
refunded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pgtrigger

from billing.bills.services.issuing import local_day
from billing.claims.deputy_models import Deputy
from billing.claims.models import Claim, Clawback, Publicity
from billing.claims.recheck_models import RecheckAnswer, RecheckItem, RecheckSample
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.sampling import Settled, fingerprint
from billing.claims.services import (
    batches,
    clawbacks,
    deputies,
    handing_in,
    paying,
    publishing,
    rechecking,
    repaying,
    reviewing,
    surplus,
)
from billing.claims.services.batches import BatchInput
from billing.claims.services.deputies import Named
from billing.claims.services.handing_in import Evidence
from billing.claims.services.paying import Outcome
from billing.claims.services.rechecking import Found
from billing.claims.services.repaying import Money
from billing.claims.services.surplus import Transfer
from tests.handed_out import give

HANDED_IN = datetime(2026, 11, 21, 2, tzinfo=UTC)
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 20), date(2026, 11, 22), 2026)


def build(world: Any, now: datetime, marks: tuple[str, str]) -> None:
    """A batch of each side with one claim, which goes through to a list of which nothing is recorded yet but on the first of two lists."""
    cast, found = world.cast, {}
    sides = (
        ("DEMO-QH-V", "deducted_now", "li", cast.lab, marks[0]),
        ("DEMO-QH-A", "refunded_later", "he", cast.other_firm, marks[1]),
    )
    for code, mode, who, payee, mark in sides:
        if not payee.bank_account_number:
            payee.bank_account_number = "6222 1"
            payee.save()
        given = BatchInput(world.versions[code].programme_id, mode, *OCTOBER)
        batch = batches.open_batch(cast.actor("chen"), given, HANDED_IN)
        batches.gather(cast.actor("chen"), batch.pk, HANDED_IN)
        claim = Claim.objects.get(batch=batch, payee=payee)
        evidence = handing_in.add_evidence(cast.actor(who), claim.pk, Evidence("report", b"%PDF-1.4 x", mark), HANDED_IN)
        form = handing_in.submit(cast.actor(who), claim.pk, HANDED_IN)
        made = {"claim": claim.pk, "claim_evidence": evidence.pk, "claim_form": form.pk, "claim_batch": batch.pk}
        made |= _paid(cast, batch.pk, claim.pk, now)
        give(form, f"%PDF-1.4 {mark}".encode(), now, "pdf", "xlsx", name="c.pdf")
        for kind, value in made.items():
            found.setdefault(kind, []).append(value)
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}
    world.objects["deputy"] = _deputies(world, now)
    samples = [_sample(cast, pk, place, now) for place, pk in enumerate(found["claim"], start=1)]
    world.objects["recheck_sample"], world.objects["recheck_item"] = zip(*samples, strict=True)


def _deputies(world: Any, now: datetime) -> tuple[int, int]:
    """Qian stands in for Chen at the office; elsewhere somebody for somebody else."""
    cast, today = world.cast, now.date()
    named = Named(cast.office.pk, cast.users["qian"].pk, today, today + timedelta(days=3), "away")
    people = {"principal": cast.users["bo"], "deputy": cast.users["he"]}
    days = {"from_on": today, "until_on": today, "reason": "away", "named_at": now}
    other = Deputy.objects.create(office=world.other_lab, **people, **days)
    return deputies.name(cast.actor("chen"), named, now).pk, other.pk


def _sample(cast: Any, claim_id: int, place: int, now: datetime) -> tuple[int, int]:
    """A sample of one claim, as if it had been paid, with what was found: its id and that of the claim in it."""
    fen = Claim.objects.get(pk=claim_id).total_fen
    claims, plan = [Settled(claim_id, fen)], {"method": "random", "seed": "s", "size": 1}
    sums = {"claim_count": 1, "claim_fen": fen, "drawn_count": 1, "drawn_fen": fen, "population": [[claim_id, fen]]}
    sample = RecheckSample.objects.create(
        number=f"CY-2026-00000{place}",
        from_on=now.date(),
        until_on=now.date(),
        population_sha256=fingerprint(claims),
        drawn_by=cast.users["wu"],
        drawn_at=now,
        **plan,
        **sums,
    )
    item = RecheckItem.objects.create(sample=sample, position=1, claim_id=claim_id, amount_fen=fen)
    found = rechecking.record(cast.actor("wu"), item.pk, Found("difference", 1, "a fen too much"), now)
    answer = {"taken_fen": 0, "reason": "not worth it", "answered_by": cast.users["chen"], "answered_at": now}
    RecheckAnswer.objects.create(finding=found, **answer)
    return sample.pk, item.pk


def _paid(cast: Any, batch_id: int, claim_id: int, now: datetime) -> dict[str, int]:
    later = now + timedelta(days=9)
    batches.close(cast.actor("chen"), batch_id, now)
    reviewing.pass_on(cast.actor("chen"), claim_id, now)
    public = publishing.publicise(cast.actor("chen"), batch_id, now)
    _name_without_mark(public)
    said = publishing.object_to(public.pk, claim_id, "x", "y", "z", now)
    publishing.answer(cast.actor("chen"), said.pk, False, "no", now)
    publishing.end_due(later)
    reviewing.approve(cast.actor("sun"), claim_id, later)
    lists = []
    for paid in (0, None):
        for made in paying.make(cast.actor("qian"), batch_id, later):
            paying.sign(cast.actor("chen"), made.pk, later)
            paying.sign(cast.actor("sun"), made.pk, later)
            if paid is not None:
                paying.record(cast.actor("qian"), made.lines.get().pk, Outcome(paid, later.date(), "", "returned"), later)
            lists.append(made)
    return {"publicity": public.pk, "objection": said.pk, "payout_list": lists[-1].pk, "payout_line": lists[-1].lines.get().pk}


def _name_without_mark(public: Publicity) -> None:
    """A firm's name is what everybody may read of it; its mark shall show that nothing else is."""
    for claim in public.content["claims"]:
        claim["payee"] = claim["payee"].split(" ")[0]
    with pgtrigger.ignore("billing.Publicity:publicity_frozen"):
        public.save(update_fields=["content"])


def credited(world: Any, now: datetime) -> None:
    """What credit notes took back since then is clawed back, of one payee on each side, and a fen of it came back."""
    clawbacks.raise_due(None, now)
    ours, theirs = (Clawback.objects.get(payee=payee).pk for payee in (world.cast.lab, world.cast.other_firm))
    world.objects["clawback"] = (ours, theirs)
    money, qian = Money(1, local_day(now), "x", "y"), world.cast.actor("qian")
    over = Money(2**40, local_day(now), "x", "y")
    ids = [[repaying.record(qian, notice, money, now).pk for notice in (ours, theirs)] for money in (money, over)]
    world.objects["repayment"] = (ids[0][0], ids[0][1])
    with pgtrigger.ignore("billing.Repayment:repayment_frozen"):  # as if somebody else had: Qian may confirm them
        Repayment.objects.update(recorded_by=world.cast.users["zhou"])
    for pk in ids[1]:
        repaying.confirm(qian, pk, now)
    transfer = Transfer(1, local_day(now), "y")
    sent = [surplus.send_back(qian, pk, transfer, now).pk for pk in ids[1]]
    world.objects["surplus_refund"] = (sent[0], sent[1])
    with pgtrigger.ignore("billing.SurplusRefund:surplus_refund_frozen"):
        SurplusRefund.objects.update(recorded_by=world.cast.users["zhou"])
