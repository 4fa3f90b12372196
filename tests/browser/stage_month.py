"""A month of finance on the stage: drafts of what the personas' lab has not billed for last month, and an export that somebody stopped."""

from __future__ import annotations

from datetime import datetime


def build(now: datetime) -> None:
    """By the lab's finance, for the last month that is over."""
    from billing.month.services import exporting, running
    from billing.month.services.running import RunRequest
    from billing.settlement.rules.series import Series
    from tests.browser.stage import months_ago, persona

    finance = persona("lab-finance@demo.jishi.example")
    series, month = Series(min(finance.organisations())), months_ago(now, 1)
    running.make(finance, RunRequest(series, month), now)
    export = exporting.start(finance, series, month, now)
    exporting.cancel(finance, export.pk, now)
