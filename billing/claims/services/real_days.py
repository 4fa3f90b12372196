"""The windows of claims, invoices and payments judged by the days that really came: when a batch is opened, a claim is handed in, and a
payment list is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from billing.claims import invoices
from billing.claims.models import ClaimLine
from billing.claims.rules import real_days
from billing.claims.rules.real_days import CLAIM, INVOICE, PAYMENT, Missed
from billing.claims.rules.totals import LineKind, Standing
from billing.settlement.models import Award
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.facts import Facts, frozen_facts
from billing.subsidy.rules.programme import Programme
from config.kernel.errors import Reason, Refusal

_AT_HAND = frozenset({CLAIM, INVOICE})


class Late(NamedTuple):
    """A line whose days are not as its programme asks."""

    line: ClaimLine
    missed: Missed


def late(lines: Iterable[ClaimLine], on: date, known: invoices.Behind | None = None) -> list[Late]:
    """The lines (with award, charge and version) of a claim handed in on ``on`` whose day, or whose invoice's, is not in time. ``known``:
    what is known of their invoices, otherwise at most two queries, and none under programmes that have no such windows."""
    own = _asked(lines)
    if not own:
        return []
    known = known or invoices.behind(own)
    found = []
    for line in own:
        programme = programme_of(line.award)
        days = days_known(known.day_of(line)) | {CLAIM: on}
        facts = real_days.as_of(facts_of(line.award), days)
        found += [Late(line, each) for each in real_days.missed(programme, facts, _AT_HAND)]
    return found


def unsure(line: ClaimLine, on: date, known: invoices.Behind) -> bool:
    """Whether the days of a line are not in time, or not known although its programme asks for the invoice's."""
    if line.kind != LineKind.AWARD or not programme_of(line.award).awaits & _AT_HAND:
        return False
    nameless = INVOICE in programme_of(line.award).awaits and known.day_of(line) is None
    return nameless or bool(late([line], on, known))


def refuse_late(lines: Sequence[ClaimLine], on: date) -> None:
    """Raise Refusal ``claims.outside_window`` (with the next one) / ``claims.outside_days`` / ``claims.deadline_over``, one for all lines
    of which it says the same."""
    told: dict[Missed, list[int]] = {}
    for each in late(lines, on):
        told.setdefault(each.missed, []).append(each.line.position)
    Refusal.raise_any([_reason(missed, positions) for missed, positions in told.items()])


def _reason(missed: Missed, positions: list[int]) -> Reason:
    params: dict[str, Any] = {"claim_lines": positions, "claim_fact": missed.fact, "real_on": missed.on.isoformat()}
    if missed.last_on is not None:
        return Reason("claims.deadline_over", params | {"last_on": missed.last_on.isoformat()})
    params["claim_windows"] = list(missed.windows)
    if missed.coming is None:
        return Reason("claims.outside_days", params)
    return Reason("claims.outside_window", params | _coming(missed.coming))


def refuse_batch(version: ProgrammeVersion, opens_on: date, closes_on: date) -> None:
    """Raise Refusal ``claims.batch_outside_window`` where claims could be handed in on a day on which the document takes none."""
    window = real_days.takes_claims(subsidy.in_force(version.pk).programme, opens_on, closes_on)
    if window is None:
        return
    params = {"claim_windows": [f"{first} – {last}" for first, last in window.windows]}
    coming = window.next_from(opens_on)
    if coming is None:
        raise Refusal.of("claims.batch_outside_days", field="opens_on", **params)
    raise Refusal(Reason("claims.batch_outside_window", params | _coming(coming), "opens_on"))


def _coming(days: tuple[date, date]) -> dict[str, str]:
    return {"from_on": days[0].isoformat(), "until_on": days[1].isoformat()}


def unpayable(lines: Iterable[ClaimLine], today: date, handed_in: Mapping[int, date]) -> dict[int, Missed]:
    """Claim id -> why the treasury cannot pay it on a local day: a window of payments that the day lies outside of. ``handed_in``: by claim
    id the day of the claim."""
    own = [line for line in _asked(lines) if PAYMENT in programme_of(line.award).awaits]
    known = invoices.behind(own)
    found: dict[int, Missed] = {}
    for line in own:
        days = days_known(known.day_of(line)) | {PAYMENT: today}
        if line.claim_id in handed_in:
            days[CLAIM] = handed_in[line.claim_id]
        facts = real_days.as_of(facts_of(line.award), days)
        for missed in real_days.missed(programme_of(line.award), facts, frozenset({PAYMENT})):
            found.setdefault(line.claim_id, missed)
    return found


def _asked(lines: Iterable[ClaimLine]) -> list[ClaimLine]:
    """Award lines that count, of programmes with windows for days that come after the service."""
    counting = (line for line in lines if line.kind == LineKind.AWARD and line.standing == Standing.INCLUDED)
    return [line for line in counting if programme_of(line.award).awaits]


def days_known(invoice_on: date | None) -> dict[str, date]:
    """The day of an invoice as far as it is known."""
    return {} if invoice_on is None else {INVOICE: invoice_on}


def programme_of(award: Award) -> Programme:
    """The programme that an award was given under."""
    return subsidy.in_force(award.programme_version_id).programme


def facts_of(award: Award) -> Facts:
    """What the charge's programme went by, as it was frozen."""
    candidates = award.charge.inputs["candidates"]
    own = next(each for each in candidates if each["programme"]["programme_version"] == award.programme_version_id)
    return frozen_facts(own["facts"])
