"""From the lines of a month to its drafts: one for each payer (or payee and programme version), or the reason why it is parked.

Source: money.md rules 8 (identities), 22 (park, do not guess; safety bound), 23 (dry run, difference, hash).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from billing.month.rules.lines import Line, Sums

#: Who is paid (or pays), under which programme version, in which way of settlement: a statement holds money of one kind.
PartyKey = tuple[int, int | None, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a draft is parked: a code with the values of its sentence."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "params": dict(self.params)}


@dataclass(frozen=True, slots=True)
class Drafted:
    """One draft. ``fault``: it is parked for that. ``odd`` counts the codes of its lines."""

    party_id: int
    version_id: int | None
    mode: str
    lines: tuple[Line, ...]
    sums: Sums
    prior_count: int
    odd: Mapping[str, int]
    odd_count: int
    fault: Fault | None = None

    @property
    def key(self) -> PartyKey:
        return (self.party_id, self.version_id, self.mode)


@dataclass(frozen=True, slots=True)
class Bounds:
    """``most_lines``: the safety bound of a draft. ``first_on``: the first day of the month. ``suspended``: who gets no document."""

    most_lines: int
    first_on: date
    suspended: frozenset[int] = frozenset()


def sums_of(lines: Iterable[Line]) -> Sums:
    """What lines come to."""
    count = gross = deducted = relieved = refunded = claims = total = 0
    for line in lines:
        count += 1
        gross += line.gross_fen
        deducted += line.deducted_fen
        relieved += line.relieved_fen
        refunded += line.refunded_fen
        claims += line.claims_fen
        total += line.amount_fen
    return Sums(count, gross, deducted, relieved, refunded, claims, total)


def drafts_of(lines: Sequence[Line], bounds: Bounds) -> list[Drafted]:
    """The drafts, the largest first; the lines of each in the order in which they were charged."""
    by: dict[PartyKey, list[Line]] = {}
    for line in lines:
        by.setdefault((line.party_id, line.version_id, line.mode), []).append(line)
    drafts = [_draft(key, tuple(sorted(each, key=lambda line: (line.at, line.key))), bounds) for key, each in by.items()]
    return sorted(drafts, key=lambda draft: (-draft.sums.total_fen, *_place(draft.key)))


def _place(key: PartyKey) -> tuple[int, int, str]:
    return (key[0], key[1] or 0, key[2])


def _draft(key: PartyKey, lines: tuple[Line, ...], bounds: Bounds) -> Drafted:
    odd: Counter[str] = Counter(code for line in lines for code in line.odd)
    return Drafted(
        *key,
        lines=lines,
        sums=sums_of(lines),
        prior_count=sum(line.service_on < bounds.first_on for line in lines),
        odd=dict(sorted(odd.items())),
        odd_count=sum(bool(line.odd) for line in lines),
        fault=fault_of(key[0], lines, bounds),
    )


def fault_of(party_id: int, lines: Sequence[Line], bounds: Bounds) -> Fault | None:
    """The first reason why nothing may be issued from these lines; None: there is none."""
    if party_id in bounds.suspended:
        return Fault("month.party_suspended")
    if len(lines) > bounds.most_lines:
        return Fault("bill.too_long", {"lines": len(lines), "most": bounds.most_lines})
    for line in lines:
        if not adds_up(line):
            return Fault("month.does_not_add_up", {"what": f"{line.thing} {line.thing_id}"})
    return None


def adds_up(line: Line) -> bool:
    """The identities of one line: payable = gross - deducted - fallen away, and what programmes give is what its awards say."""
    if line.thing == "award":
        return 0 < line.amount_fen <= line.gross_fen and line.amount_fen == line.claims_fen
    deducted, refunded = line.awards
    return (
        line.amount_fen == line.gross_fen - line.deducted_fen - line.relieved_fen
        and line.amount_fen > 0
        and (deducted, refunded) == (line.deducted_fen, line.refunded_fen)
        and line.claims_fen == deducted + refunded
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """One equation of money.md rule 8 over a whole run: what stands on both sides, in fen."""

    code: str
    left_fen: int
    right_fen: int

    @property
    def holds(self) -> bool:
        return self.left_fen == self.right_fen


def identities(sums: Sums, *, bills: bool) -> tuple[Identity, ...]:
    """The equations of the footer: what is paid now, what is borne in the end, and what programmes give. Statements say only the last."""
    if not bills:
        return (Identity("awarded", sums.total_fen, sums.claims_fen),)
    return (
        Identity("payable", sums.total_fen, sums.gross_fen - sums.deducted_fen - sums.relieved_fen),
        Identity("final", sums.final_fen, sums.gross_fen - sums.relieved_fen - sums.claims_fen),
        Identity("claims", sums.claims_fen, sums.deducted_fen + sums.refunded_fen),
    )


def fingerprint(drafts: Iterable[Drafted], filters: Mapping[str, Any]) -> str:
    """SHA-256 over what was asked for, and who would get which lines for how much."""
    content = {
        "filters": filters,
        "drafts": [
            [*draft.key, [[*line.key, line.amount_fen] for line in draft.lines], draft.fault.as_json() if draft.fault else None]
            for draft in sorted(drafts, key=lambda each: _place(each.key))
        ],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Figures:
    """What a draft of the last run came to."""

    party_id: int
    version_id: int | None
    mode: str
    lines: int
    total_fen: int
    parked: bool

    @property
    def key(self) -> PartyKey:
        return (self.party_id, self.version_id, self.mode)


@dataclass(frozen=True, slots=True)
class Change:
    """How one party differs from the last run; None: it was not, or is not any more, in it."""

    party_id: int
    version_id: int | None
    mode: str
    before: Figures | None
    after: Figures | None

    @property
    def difference_fen(self) -> int:
        return (self.after.total_fen if self.after else 0) - (self.before.total_fen if self.before else 0)


def figures_of(draft: Drafted) -> Figures:
    """The figures of a draft that is not written yet."""
    return Figures(*draft.key, draft.sums.lines, draft.sums.total_fen, draft.fault is not None)


def differences(before: Iterable[Figures], after: Iterable[Figures]) -> list[Change]:
    """Who differs from the last run, the largest difference first."""
    old, new = ({each.key: each for each in figures} for figures in (before, after))
    changes = [Change(*key, old.get(key), new.get(key)) for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    return sorted(changes, key=lambda each: (-abs(each.difference_fen), *_place((each.party_id, each.version_id, each.mode))))
