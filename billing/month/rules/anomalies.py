"""What of a month's use an accountant looks at twice. Nothing here refuses: each code is a reason to look.

Source: the checks that provinces ask of lists of shared use before they pay (design, domain.md 4.4): the same instrument twice at once,
use while it was closed, charged without use, customers that belong to the provider, lengths that hug a limit, one proof for two
sessions, one person in several places.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from billing.month.rules.lines import Line, Use


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


def found(lines: Sequence[Line]) -> dict[tuple[str, int], tuple[str, ...]]:
    """The codes of each line that has some, by its key, in the order of ``Odd``. O(n log n) in the number of lines."""
    used = [(line.key, line.party_id, line.use) for line in lines if line.use is not None]
    codes: dict[tuple[str, int], set[Odd]] = defaultdict(set)
    for key in _together(used, lambda use: use.instrument_id):
        codes[key].add(Odd.OVERLAP)
    for key in _together(used, lambda use: use.person_id):
        if Odd.OVERLAP not in codes[key]:
            codes[key].add(Odd.AT_ONCE)
    for key in _same_evidence(used):
        codes[key].add(Odd.SAME_EVIDENCE)
    for key in _hugging(used):
        codes[key].add(Odd.HUGGING)
    for key, _party, use in used:
        if use.open is False:
            codes[key].add(Odd.CLOSED)
        if use.related:
            codes[key].add(Odd.RELATED)
        if use.billed_minutes and (use.ends_at - use.starts_at).total_seconds() < _SECONDS:
            codes[key].add(Odd.ZERO_USE)
    return {key: tuple(code.value for code in Odd if code in each) for key, each in codes.items() if each}


Used = tuple[tuple[str, int], int, Use]


def _together(used: Iterable[Used], of: Callable[[Use], int]) -> set[tuple[str, int]]:
    """Those of which two use the same thing (or person) at one time, both of them."""
    by: dict[int, list[tuple[datetime, datetime, tuple[str, int]]]] = defaultdict(list)
    for key, _party, use in used:
        if use.ends_at > use.starts_at:
            by[of(use)].append((use.starts_at, use.ends_at, key))
    keys: set[tuple[str, int]] = set()
    for spans in by.values():
        spans.sort()
        longest = spans[0]
        for span in spans[1:]:
            if span[0] < longest[1]:
                keys |= {span[2], longest[2]}
            if span[1] > longest[1]:
                longest = span
    return keys


def _same_evidence(used: Iterable[Used]) -> set[tuple[str, int]]:
    by: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for key, _party, use in used:
        words = " ".join(use.evidence.split()).casefold()
        if words:
            by[words].append(key)
    return {key for keys in by.values() if len(keys) > 1 for key in keys}


def _hugging(used: Iterable[Used]) -> set[tuple[str, int]]:
    """Sessions as long as may be booked, or just below, where a payer has several and they are half of all it has."""
    count: Counter[int] = Counter()
    near: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for key, party, use in used:
        count[party] += 1
        if use.most_minutes and HUGGING_PERCENT * use.most_minutes <= 100 * use.billed_minutes <= 100 * use.most_minutes:
            near[party].append(key)
    return {key for party, keys in near.items() if len(keys) >= HUGGING_FROM and 2 * len(keys) >= count[party] for key in keys}
