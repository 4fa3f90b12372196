"""What offices see rarely, on the stage: a purchase with its VAT invoice, money that came too much and goes back with a payment list, an
objection that was answered before the claims were paid."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from config.demo.programmes import lasting

PURCHASE = "DEMO-STAGE-PURCHASE"
BOUGHT = "Bought centrifuge"
TOO_MUCH_FEN = 50_00


def build(now: datetime) -> None:
    """By the people of the demo's office."""
    _purchase(now)
    _too_much(now)


def _purchase(now: datetime) -> None:
    """The office buys hours of one instrument of the personas' lab, has the statement of last month and asks for its invoice."""
    from billing.invoices.services import asking
    from billing.invoices.services.asking import Wanted
    from billing.settlement.services import statements
    from billing.subsidy.models import ProgrammeVersion
    from instruments.models import Organisation
    from tests.browser.stage import add_instrument, closed_session, months_ago, persona

    finance = persona("finance@demo.jishi.example")
    instrument = add_instrument(BOUGHT, now, step=60)
    version = _publish_purchase(instrument.pk, now - timedelta(days=70))
    for day in (9, 11, 16):
        closed_session(instrument.pk, months_ago(now, 1), day, now)
    made = statements.issue(finance, version, instrument.organisation_id, months_ago(now, 1), now, mode="paid_beside")
    office = Organisation.objects.get(pk=ProgrammeVersion.objects.get(pk=version).programme.issuer_id)
    code = office.identifiers.get(scheme="uscc").value
    asking.ask_sold(finance, made.pk, Wanted(office.name, code, "ordinary", "caiwu@office.example", "十月购买服务"), now)


def _publish_purchase(instrument_id: int, now: datetime) -> int:
    """DEMO-QH-B for this instrument alone, so that no other page's figures change."""
    from billing.subsidy import services
    from tests.browser.stage import persona

    path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / "DEMO-QH-B.json"
    document: dict[str, Any] = lasting(json.loads(path.read_text(encoding="utf-8")), (now + timedelta(hours=8)).date())
    only = {"fact": "instrument.id", "is": str(instrument_id)}
    gate = {"type": "condition", "clause": "2", "when": only, "says": {"zh": "只购买这一台", "en": "This one alone is bought"}}
    document |= {"code": PURCHASE, "examples": [], "adjustments": [], "gates": [*document["gates"], gate]}
    officer, second = persona("officer@demo.jishi.example"), persona("officer-2@demo.jishi.example")
    version = services.draft_version(officer, document, now, issuer_id=min(officer.organisations()))
    services.publish_version(second, version, now)
    return int(version.pk)


def _too_much(now: datetime) -> None:
    """The personas' lab sent more for a claw-back than it owed. What is its own goes back with the list by which its next claim is paid."""
    from billing.claims.services import clawbacks, paying, repaying
    from billing.claims.services.repaying import Money
    from billing.models import ClaimLine
    from tests.browser.stage import persona

    officer, finance = persona("officer@demo.jishi.example"), persona("finance@demo.jishi.example")
    own = persona("lab-finance@demo.jishi.example").organisations()
    line = ClaimLine.objects.filter(kind="award", standing="included", claim__state="paid", claim__payee__in=own).latest("pk")
    notice = clawbacks.dispute(officer, line.claim_id, line.position, line.amount_fen // 4, "机时重复登记", now)
    money = Money(
        notice.total_fen + TOO_MUCH_FEN, (now + timedelta(hours=8)).date(), notice.payee.name, f"退回 {notice.reference}"
    )
    made = repaying.record(finance, notice.pk, money, now)
    repaying.confirm(persona("finance-2@demo.jishi.example"), made.pk, now)
    batch = _next_batch(notice.programme_id, notice.payee_id, now)
    paying.make(finance, batch, now, surplus_fen=TOO_MUCH_FEN)


def _next_batch(programme_id: int, payee_id: int, now: datetime) -> int:
    """What the payee can claim of the months before those of the demo's batches, approved after its days in public; the batch's id."""
    from billing.claims.services import batches, handing_in, publishing, reviewing
    from billing.claims.services.batches import BatchInput
    from billing.models import Claim, Publicity
    from tests.browser.stage import months_ago, persona

    officer, second = persona("officer@demo.jishi.example"), persona("officer-2@demo.jishi.example")
    opened, closed, over = now - timedelta(days=24), now - timedelta(days=12), now - timedelta(days=1)
    until = months_ago(now, 2) - timedelta(days=1)
    days = (months_ago(now, 5), until, opened.date(), (closed - timedelta(days=2)).date())
    batch = batches.open_batch(officer, BatchInput(programme_id, "deducted_now", *days, until.year), opened)
    batches.gather(officer, batch.pk, opened)
    claim = Claim.objects.get(batch=batch, payee=payee_id)
    handing_in.submit(persona("lab-finance@demo.jishi.example"), claim.pk, opened)
    batches.close(officer, batch.pk, closed)
    reviewing.pass_clean(officer, batch.pk, closed)
    shown: Publicity = publishing.publicise(officer, batch.pk, closed)
    said = publishing.object_to(shown.pk, claim.pk, "王女士", "0971-0000001", "十月的机时是否已由其他项目支付？", closed)
    publishing.answer(officer, said.pk, False, "已核对其他项目的支付记录，没有重复。", closed + timedelta(days=1))
    publishing.end_due(over)
    reviewing.approve_all(second, batch.pk, over)
    return int(batch.pk)
