"""Background work of billing; everything here is safe to repeat."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from billing.settlement.services import rendering, statements


@app.task(name=statements.TASK, queue=statements.QUEUE, retry=RetryStrategy(max_attempts=4, exponential_wait=6))
def render_statement(statement_id: int) -> None:
    """Make the PDF and the XLSX of an issued statement; nothing when they are there."""
    rendering.render(statement_id, timezone.now())
