"""What of a month's use an accountant looks at twice. Nothing here refuses: each code is a reason to look.

Source: the checks that provinces ask of lists of shared use before they pay (design, domain.md 4.4): the same instrument twice at once,
use while it was closed, charged without use, customers that belong to the provider, lengths that hug a limit, one proof for two
uses, one person in several places.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from billing.month.rules.lines import Line, Proof, Use


class Odd(StrEnum):
    """Why a line is looked at twice."""

    OVERLAP = "overlap"
    CLOSED = "closed"
    ZERO_USE = "zero_use"
    RELATED = "related"
    HUGGING = "hugging"
    SAME_EVIDENCE = "same_evidence"
    AT_ONCE = "at_once"


#: So many sessions of one payer, and at least half of them, hug the longest length before it is said of them.
HUGGING_FROM = 3
#: A length hugs the limit from so many per cent of it on.
HUGGING_PERCENT = 95
_SECONDS = 60


def found(lines: Sequence[Line], beside: Sequence[Use] = (), elsewhere: Iterable[Proof] = ()) -> dict[Key, tuple[str, ...]]:
    """The codes of each line that has some, by its key, in the order of ``Odd``. O(n log n) in the number of lines.

    ``beside``: what stands on documents already that were issued before; ``elsewhere``: what else is shown by the same files.
    """
    used = [(line.key, line.party_id, line.use) for line in lines if line.use is not None]
    every = [*((key, use) for key, _party, use in used), *((None, use) for use in beside)]
    codes: dict[Key, set[Odd]] = defaultdict(set)
    for key in _together(every, lambda use: use.instrument_id):
        codes[key].add(Odd.OVERLAP)
    for key in _together(every, lambda use: use.person_id):
        if Odd.OVERLAP not in codes[key]:
            codes[key].add(Odd.AT_ONCE)
    for key in _same_evidence(every, elsewhere):
        codes[key].add(Odd.SAME_EVIDENCE)
    for key in _hugging(used):
        codes[key].add(Odd.HUGGING)
    for key, _party, use in used:
        if use.open is False:
            codes[key].add(Odd.CLOSED)
        if use.related:
            codes[key].add(Odd.RELATED)
        if _unused(use):
            codes[key].add(Odd.ZERO_USE)
    return {key: tuple(code.value for code in Odd if code in each) for key, each in codes.items() if each}


Key = tuple[str, int]
#: A line of the run by its key, or (None) something that stands on a document already.
Placed = tuple[Key | None, Use]


def _unused(use: Use) -> bool:
    """Charged for time that nobody used, or for samples that nobody tested."""
    if use.instrument_id is None:
        return use.tested_samples < max(use.billed_samples, 1)
    return bool(use.billed_minutes) and (use.ends_at - use.starts_at).total_seconds() < _SECONDS


def _together(every: Iterable[Placed], of: Callable[[Use], int | None]) -> set[Key]:
    """The lines of which two use the same thing (or person) at one time, both of them. Several lines of one use are no two."""
    by: dict[int, dict[tuple[str, int], tuple[datetime, datetime, list[Key]]]] = defaultdict(dict)
    for key, use in every:
        thing = of(use)
        if thing is not None and use.ends_at > use.starts_at:
            _starts, _ends, keys = by[thing].setdefault(use.of, (use.starts_at, use.ends_at, []))
            keys += [key] if key is not None else []
    found: set[Key] = set()
    for uses in by.values():
        spans = sorted(uses.values())
        longest = spans[0]
        for span in spans[1:]:
            if span[0] < longest[1]:
                found.update(span[2], longest[2])
            if span[1] > longest[1]:
                longest = span
    return found


def _same_evidence(every: Iterable[Placed], elsewhere: Iterable[Proof]) -> set[Key]:
    """The lines with a proof that is one of something else, too."""
    of: dict[str, set[tuple[str, int]]] = defaultdict(set)
    by: dict[str, list[Key]] = defaultdict(list)
    for key, use in every:
        for proof in use.proofs:
            of[proof.mark].add(proof.of)
            by[proof.mark] += [key] if key is not None else []
    for proof in elsewhere:
        of[proof.mark].add(proof.of)
    return {key for mark, keys in by.items() if len(of[mark]) > 1 for key in keys}


def _hugging(used: Iterable[tuple[Key, int, Use]]) -> set[Key]:
    """Sessions as long as may be booked, or just below, where a payer has several and they are half of all it has."""
    count: Counter[int] = Counter()
    near: dict[int, list[Key]] = defaultdict(list)
    for key, party, use in used:
        count[party] += use.instrument_id is not None
        if use.most_minutes and HUGGING_PERCENT * use.most_minutes <= 100 * use.billed_minutes <= 100 * use.most_minutes:
            near[party].append(key)
    return {key for party, keys in near.items() if len(keys) >= HUGGING_FROM and 2 * len(keys) >= count[party] for key in keys}
