"""Background work of billing; everything here is safe to repeat."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from billing.ledger import life, seals
from billing.ordering.services import documents, quotations
from billing.settlement.services import rendering, statements
from config.kernel.errors import Busy
from config.kernel.services.heartbeat import beat


@app.task(name=statements.TASK, queue=statements.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_statement(statement_id: int) -> None:
    """Make the PDF and the XLSX of an issued statement; nothing when they are there."""
    rendering.render(statement_id, timezone.now())


@app.task(name=documents.TASK, queue=documents.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_order_document(kind: str, document_id: int) -> None:
    """Make the PDF of a quotation or a commission sheet; nothing when it is there."""
    documents.render(kind, document_id, timezone.now())


@app.periodic(cron="5 * * * *")
@app.task(name="billing.expire_quotations", queueing_lock="billing.expire_quotations")
def expire_quotations(timestamp: int) -> None:
    """Let quotations lapse whose last day is over."""
    now = timezone.now()
    beat("billing.expire_quotations", now, expired=quotations.expire_due(now))


@app.periodic(cron="35 * * * *")
@app.task(name="billing.lapse_accounts", queueing_lock="billing.lapse_accounts")
def lapse_accounts(timestamp: int) -> None:
    """Give back what is left of vouchers, quotas and budgets whose last day is over."""
    now = timezone.now()
    beat("billing.lapse_accounts", now, lapsed=life.lapse_due(timezone.localdate(now), now))


@app.periodic(cron="*/10 * * * *")
@app.task(name="billing.seal_ledger", queueing_lock="billing.seal_ledger")
def seal_ledger(timestamp: int) -> None:
    """Seal what moved since the last time into the chain."""
    now = timezone.now()
    try:
        sealed = seals.seal_due(now)
    except Busy:
        return  # somebody writes much at once: the next run seals it
    beat("billing.seal_ledger", now, sealed=sealed)
