"""What a later version of a programme asks of whoever has booked already.

A programme that goes by the day of the invoice, of the claim or of the approval may come to count by another version than the one that was
quoted (``basis_day``, ``Pins.approved_on``). What that one asks can be answered until then; what was decided by an answer stays (ADR 63).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg.types.range import DateRange

from billing.settlement.models import Quote
from billing.settlement.offered import Asked, asked_by
from billing.settlement.services.assessing import unfit_reasons
from billing.subsidy import services as subsidy
from billing.subsidy.ending import today_of
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules import questions
from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.codec import candidates_of
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.parts.validity import APPROVAL, BILLED
from billing.subsidy.rules.programme import Programme
from billing.subsidy.services import InForce
from booking.rules.answers import known_answers
from config.kernel.errors import Refusal

_SOON = timedelta(days=92)
"""How long after the day that is expected a bill or a claim may well come: what begins later is not told yet."""


class Coming(NamedTuple):
    """A version that may come to count: of which programme, the date that decides it, and from when on it holds. ``asked``: what it asks
    that nothing was decided by so far."""

    programme: Programme
    basis: str
    from_on: date
    asked: tuple[Asked, ...]

    def unanswered(self, answers: str) -> list[Asked]:
        """What of it has no answer that fits."""
        said = known_answers(answers)
        return [each for each in self.asked if each.question.value(said.get(each.question.fact, "")) is None]


def coming(quote: Quote | None, now: datetime) -> tuple[Coming, ...]:
    """The later versions of a quote's programmes that ask something, in the order of their codes and days; one query, and none where no
    programme goes by such a date."""
    pinned = {version.programme_id: (version, candidate) for version, candidate in _open(quote)} if quote is not None else {}
    if quote is None or not pinned:
        return ()
    answered = set(_answered(quote))
    today = today_of(now)
    found = []
    for row in _published(pinned, today):
        before, candidate = pinned[row.programme_id]
        earliest = max(today, candidate.programme.validity.basis_on(candidate.facts) or today)
        if row.pk == before.version_id or row.last_on < earliest or row.valid.lower > earliest + _SOON:
            continue
        programme = subsidy.in_force(row.pk).programme
        from_on = max(row.valid.lower, earliest)
        facts = _counting_on(candidate, from_on)
        asked = tuple(each for each in asked_by([(programme, facts)]) if each.question.fact not in answered)
        if asked:
            found.append(Coming(programme, candidate.programme.validity.date_basis, from_on, asked))
    return tuple(found)


def asked_once(found: Iterable[Coming]) -> tuple[Asked, ...]:
    """The questions of several versions, each fact once, as the first of them asks it."""
    asked: dict[str, Asked] = {}
    for each in (one for version in found for one in version.asked):
        asked.setdefault(each.question.fact, each)
    return tuple(asked.values())


def require_fit(quote: Quote, found: Sequence[Coming], answers: str) -> None:
    """Raises Refusal ``subsidy.answer_unfit.*`` for an answer that fits no question of its fact, where only later versions ask for it."""
    now_asked = {question.fact for programme in _programmes(quote) for question in programme.asks}
    Refusal.raise_any(
        unfit_reasons([each.question for each in asked_once(found) if each.question.fact not in now_asked], answers)
    )


def what_stays(decides: Sequence[str], before: str, after: str, found: Sequence[Coming]) -> list[str]:
    """Of what is to be another where money is held, the names of what stays: all but answers that only later versions ask for."""
    texts = known_answers(before), known_answers(after)
    changed = {fact for fact in texts[0].keys() | texts[1].keys() if texts[0].get(fact) != texts[1].get(fact)}
    is_later = changed <= {each.question.fact for each in asked_once(found)}
    return [name for name in decides if name != "answers" or not is_later]


def _open(quote: Quote) -> Iterator[tuple[InForce, Candidate]]:
    """The programmes of a quote that may come to count by another version: of what is held those that gave something and go by what is
    billed, of what is not also those that go by the approval."""
    versions = [subsidy.in_force(each["programme"]["programme_version"]) for each in quote.inputs["candidates"]]
    by = BILLED if quote.held_at is not None else (*BILLED, APPROVAL)
    if not any(version.programme.validity.date_basis in by for version in versions):
        return
    candidates = candidates_of([version.programme for version in versions], quote.inputs["candidates"])
    for version, candidate, outcome in zip(versions, candidates, quote.result["outcomes"], strict=True):
        gave = outcome["outcome"] == "award" and outcome["total_fen"] > 0
        if version.programme.validity.date_basis in by and (gave or quote.held_at is None):
            yield version, candidate


def _counting_on(candidate: Candidate, on: date) -> Facts:
    service = candidate.facts.service
    if candidate.programme.validity.date_basis == APPROVAL:
        return replace(candidate.facts, service=replace(service, approval_on=on))
    return replace(candidate.facts, service=replace(service, invoice_on=on, claim_on=on))


def _published(programme_ids: Iterable[int], today: date) -> Iterable[ProgrammeVersion]:
    rows = ProgrammeVersion.objects.filter(published_at__isnull=False, valid__overlap=DateRange(today, None))
    return rows.filter(programme_id__in=list(programme_ids)).order_by("programme__code", "valid").defer("document")


def _answered(quote: Quote) -> Iterator[str]:
    """The facts that a programme of a quote was told by an answer."""
    for programme, each in zip(_programmes(quote), quote.inputs["candidates"], strict=True):
        yield from (question.fact for question, _text in questions.answered(programme.asks, each["facts"]))


def _programmes(quote: Quote) -> list[Programme]:
    return [subsidy.in_force(each["programme"]["programme_version"]).programme for each in quote.inputs["candidates"]]
