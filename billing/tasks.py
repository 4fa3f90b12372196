"""Background work of billing; everything here is safe to repeat."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from billing.bills.services import documents as bill_documents
from billing.bills.services import proposing as bill_proposals
from billing.claims.services import clawbacks, publishing, too_late, waiting_findings, waiting_lists
from billing.claims.services import documents as claim_documents
from billing.claims.services import waiting as claims_waiting
from billing.dunning.services import reminding
from billing.ledger import life, seals
from billing.month.services import exporting, releasing
from billing.ordering.services import documents, quotations
from billing.papers import checks
from billing.payments.provider import configured
from billing.payments.services import checkouts, inbox, reconciling, refunding
from billing.receipts.services import issuing as receipts
from billing.sandbox.services import running
from billing.settlement.services import proposing as statement_proposals
from billing.settlement.services import rendering, statements
from config.kernel.errors import Busy
from config.kernel.services.heartbeat import beat

_TRIES = 4


@app.task(name=statements.TASK, queue=statements.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_statement(statement_id: int) -> None:
    """Make the PDF and the XLSX of an issued statement; nothing when they are there."""
    rendering.render(statement_id, timezone.now())


@app.task(name=documents.TASK, queue=documents.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_order_document(kind: str, document_id: int) -> None:
    """Make the PDF of a quotation or a commission sheet; nothing when it is there."""
    documents.render(kind, document_id, timezone.now())


@app.task(name=running.TASK, queue=running.QUEUE, retry=RetryStrategy(max_attempts=_TRIES, exponential_wait=4), pass_context=True)
def sandbox_run(context: JobContext, run_id: int) -> None:
    """Try a programme on past services, from where the work stopped; nothing when it is done. The last attempt that fails says so."""
    try:
        running.work(run_id, timezone.now())
    except Exception:
        if context.job is not None and context.job.attempts + 1 >= _TRIES:
            running.give_up(run_id, timezone.now())
        raise


@app.task(name=bill_documents.TASK, queue=bill_documents.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_bill(kind: str, document_id: int) -> None:
    """Make the PDF and the XLSX of a bill or a credit note; nothing when they are there."""
    bill_documents.render(kind, document_id, timezone.now())


@app.task(name=claim_documents.TASK, queue=claim_documents.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_claim_paper(kind: str, document_id: int) -> None:
    """Make the PDF and the XLSX of a redemption form, a payment list or a claw-back notice; nothing when they are there."""
    claim_documents.render(kind, document_id, timezone.now())


@app.periodic(cron="25 * * * *")
@app.task(name="billing.tend_claims", queueing_lock="billing.tend_claims")
def tend_claims(timestamp: int) -> None:
    """Find publicities over, raise what has to come back of claims that were handed in, and give back what can be claimed on no day any
    more."""
    now = timezone.now()
    ended, raised = publishing.end_due(now), clawbacks.raise_due(None, now)
    beat("billing.tend_claims", now, ended=ended, raised=raised, given_back=too_late.give_back_late(now))


@app.periodic(cron="*/5 * * * *")
@app.task(name="billing.tell_offices", queueing_lock="billing.tell_offices")
def tell_offices(timestamp: int) -> None:
    """Tell the people of the offices which claims, payment lists and findings wait for them."""
    now = timezone.now()
    told = claims_waiting.tell_due(now) + waiting_lists.tell_due(now) + waiting_findings.tell_due(now)
    beat("billing.tell_offices", now, told=told)


@app.periodic(cron="*/5 * * * *")
@app.task(name="billing.tend_proposals", queueing_lock="billing.tend_proposals")
def tend_proposals(timestamp: int) -> None:
    """Close proposed bills and statements of which nothing is left to issue."""
    now = timezone.now()
    closed = bill_proposals.close_overtaken(now) + statement_proposals.close_overtaken(now)
    beat("billing.tend_proposals", now, closed=closed)


@app.task(name=releasing.TASK, queue=releasing.QUEUE, retry=RetryStrategy(max_attempts=_TRIES, exponential_wait=4))
def issue_month(run_id: int) -> None:
    """Issue the drafts of a released run, from where the work stopped; nothing when it is done."""
    releasing.work(run_id, timezone.now())


@app.task(
    name=exporting.TASK, queue=exporting.QUEUE, retry=RetryStrategy(max_attempts=_TRIES, exponential_wait=4), pass_context=True
)
def export_month(context: JobContext, export_id: int) -> None:
    """Make the archive of a month's documents, from where the work stopped. The last attempt that fails says so."""
    try:
        exporting.work(export_id, timezone.now())
    except Exception:
        if context.job is not None and context.job.attempts + 1 >= _TRIES:
            exporting.give_up(export_id, timezone.now())
        raise


@app.periodic(cron="50 * * * *")
@app.task(name="billing.expire_exports", queueing_lock="billing.expire_exports")
def expire_exports(timestamp: int) -> None:
    """Forget archives whose link has expired."""
    now = timezone.now()
    beat("billing.expire_exports", now, expired=exporting.expire_due(now))


@app.task(name=receipts.TASK, queue=receipts.QUEUE, retry=RetryStrategy(max_attempts=_TRIES, exponential_wait=6))
def render_receipt(kind: str, document_id: int) -> None:
    """Make the PDF and the XLSX of a receipt or a statement of account; nothing when they are there."""
    receipts.render(kind, document_id, timezone.now())


@app.task(name=checks.TASK, queue="documents", retry=RetryStrategy(max_attempts=_TRIES, exponential_wait=4))
def check_books(check_id: int) -> None:
    """Look at every seal, paper and stored file; nothing when that was done."""
    checks.work(check_id, timezone.now())


@app.task(name=inbox.TASK, queue=inbox.QUEUE, retry=RetryStrategy(max_attempts=inbox.MOST_TRIES, exponential_wait=inbox.WAIT))
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
    """Look again at attempts and refunds whose news may have been lost, and queue events that lost their job."""
    now, provider = timezone.now(), configured()
    looked = checkouts.look_at_all(provider, now) if provider is not None else 0
    asked = refunding.ask_all(now) if provider is not None else refunding.close_abandoned(now)
    beat("billing.tend_payments", now, looked=looked, asked=asked, queued=inbox.requeue_stale(now))


@app.periodic(cron="40 18 * * *")
@app.task(name="billing.reconcile_payments", queueing_lock="billing.reconcile_payments")
def reconcile_payments(timestamp: int) -> None:
    """Every night hold the provider's last week against our books; what stays different is counted on the health page."""
    now, provider = timezone.now(), configured()
    found = reconciling.reconcile(provider, now, days=7, apply=True) if provider is not None else []
    beat("billing.reconcile_payments", now, differences=sum(not each.applied for each in found))


@app.periodic(cron="20 1 * * *")
@app.task(name="billing.remind_of_bills", queueing_lock="billing.remind_of_bills")
def remind_of_bills(timestamp: int) -> None:
    """Every morning take the step of the day for each unpaid bill."""
    now = timezone.now()
    beat("billing.remind_of_bills", now, reminders=reminding.remind_due(now))


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
