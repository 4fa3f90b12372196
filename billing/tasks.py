"""Background work of billing; everything here is safe to repeat."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from billing.bills.services import documents as bill_documents
from billing.ordering.services import documents, quotations
from billing.payments.provider import configured
from billing.payments.services import checkouts, inbox, reconciling, refunding
from billing.settlement.services import rendering, statements
from config.kernel.services.heartbeat import beat


@app.task(name=statements.TASK, queue=statements.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_statement(statement_id: int) -> None:
    """Make the PDF and the XLSX of an issued statement; nothing when they are there."""
    rendering.render(statement_id, timezone.now())


@app.task(name=documents.TASK, queue=documents.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_order_document(kind: str, document_id: int) -> None:
    """Make the PDF of a quotation or a commission sheet; nothing when it is there."""
    documents.render(kind, document_id, timezone.now())


@app.task(name=bill_documents.TASK, queue=bill_documents.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_bill(kind: str, document_id: int) -> None:
    """Make the PDF and the XLSX of a bill or a credit note; nothing when they are there."""
    bill_documents.render(kind, document_id, timezone.now())


@app.task(name=inbox.TASK, queue=inbox.QUEUE, retry=RetryStrategy(max_attempts=inbox.MOST_TRIES, exponential_wait=4))
def handle_provider_event(event_id: int) -> None:
    """Ask a payment provider for the object of an event and apply what it is now."""
    inbox.handle(event_id, timezone.now())


@app.task(name=refunding.TASK, queue=refunding.QUEUE, retry=RetryStrategy(max_attempts=10, exponential_wait=4))
def ask_for_refund(request_id: int) -> None:
    """Ask a payment provider to send money back."""
    refunding.ask(request_id, timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="billing.tend_payments", queueing_lock="billing.tend_payments")
def tend_payments(timestamp: int) -> None:
    """Look again at attempts whose news may have been lost, and queue events that lost their job."""
    now, provider = timezone.now(), configured()
    looked = checkouts.look_at_all(provider, now) if provider is not None else 0
    beat("billing.tend_payments", now, looked=looked, queued=inbox.requeue_stale(now))


@app.periodic(cron="40 18 * * *")
@app.task(name="billing.reconcile_payments", queueing_lock="billing.reconcile_payments")
def reconcile_payments(timestamp: int) -> None:
    """Every night hold the provider's last week against our books; what stays different is counted on the health page."""
    now, provider = timezone.now(), configured()
    found = reconciling.reconcile(provider, now, days=7, apply=True) if provider is not None else []
    beat("billing.reconcile_payments", now, differences=sum(not each.applied for each in found))


@app.periodic(cron="5 * * * *")
@app.task(name="billing.expire_quotations", queueing_lock="billing.expire_quotations")
def expire_quotations(timestamp: int) -> None:
    """Let quotations lapse whose last day is over."""
    now = timezone.now()
    beat("billing.expire_quotations", now, expired=quotations.expire_due(now))
