"""The days of an invoice, of a claim and of its payment as they really come, held against what a programme asks of them.

While a service is promised and charged nobody knows them, and its award stands on condition (ADR 49). Here they are judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.parts.validity import AWAITABLE, Lifetime, Window
from billing.subsidy.rules.programme import Programme

CLAIM, INVOICE, PAYMENT = "claim", "invoice", "payment"
_CLAIM_FACT = "service.claim_on"


class Missed(NamedTuple):
    """A day that is not as the programme asks. ``windows``: those it had to lie in (empty for a time after another date, whose end is
    ``last_on``); ``coming``: the first and the last day of the next one, where waiting helps."""

    fact: str
    on: date
    windows: tuple[str, ...] = ()
    last_on: date | None = None
    coming: tuple[date, date] | None = None


def as_of(facts: Facts, known: Mapping[str, date]) -> Facts:
    """The facts of a charge with the days that have come since, by ``CLAIM``, ``INVOICE`` and ``PAYMENT``; the others are awaited."""
    service = facts.service
    paper = replace(
        service.paper,
        awaited=frozenset(AWAITABLE.values()) - known.keys(),
        payment_on=known.get(PAYMENT, service.paper.payment_on),
    )
    invoice_on, claim_on = known.get(INVOICE, service.invoice_on), known.get(CLAIM, service.claim_on)
    return replace(facts, service=replace(service, paper=paper, invoice_on=invoice_on, claim_on=claim_on))


def missed(programme: Programme, facts: Facts, looked_at: frozenset[str]) -> Iterator[Missed]:
    """What the days of ``facts`` (as of ``as_of``) do not meet, of the windows that name one of ``looked_at``."""
    for window in programme.windows:
        found = window.check(facts)
        if isinstance(found, Unmet) and looked_at & _names(window):
            on = date.fromisoformat(found.params["on"])
            if isinstance(window, Window):
                coming = window.next_from(on) if AWAITABLE.get(window.date.path) != INVOICE else None
                yield Missed(window.date.path, on, tuple(found.params["windows"]), coming=coming)
            else:
                yield Missed(window.date.path, on, last_on=date.fromisoformat(found.params["last_day"]))


def is_over(programme: Programme, facts: Facts, today: date) -> bool:
    """Whether it can be claimed on no day from ``today`` on. ``facts``: as of ``as_of``, the claim awaited."""
    return any(window.date.path == _CLAIM_FACT and window.is_over(facts, today) for window in programme.windows)


def takes_claims(programme: Programme, first: date, last: date) -> Window | None:
    """The window of claims that some day from ``first`` to ``last`` lies outside of; None where all of them are in time."""
    for window in programme.windows:
        if not isinstance(window, Window) or window.date.path != _CLAIM_FACT:
            continue
        day = first
        while day <= last:
            coming = window.next_from(day)
            if coming is None or coming[0] > day:
                return window
            if coming[1] >= last:
                break
            day = coming[1] + timedelta(days=1)
    return None


def _names(window: Window | Lifetime) -> set[str]:
    days = (window.date, window.since) if isinstance(window, Lifetime) else (window.date,)
    return {AWAITABLE[day.path] for day in days if day.path in AWAITABLE}
