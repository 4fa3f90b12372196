"""One line of a month as it is looked at before anything is written: what it costs, and what was used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from config.kernel.time_range import TimeRange

Thing = Literal["charge", "fee", "award"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that something was used: the words of a late entry, or the SHA-256 of a file (``mark``), and what it is of (``of``). The
    report of a job shows all that was charged of it, the scan of a sheet all that is under it."""

    mark: str
    of: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Use:
    """The use behind a line: a session on an instrument, or a sample job. Instants are UTC.

    ``of``: which session or job (several awards may be of one). ``starts_at``/``ends_at``: measured; ``billed_minutes`` is what is charged.
    ``most_minutes``: the longest time that may be booked. ``open``: whether the instrument was open all that time (None: not known).
    ``related``: customer and provider belong together. A job has no ``instrument_id`` and takes no time of it or of a person, but
    ``billed_samples`` that are charged and ``tested_samples`` that were tested.
    """

    of: tuple[str, int]
    instrument_id: int | None
    person_id: int
    starts_at: datetime
    ends_at: datetime
    billed_minutes: int = 0
    most_minutes: int = 0
    billed_samples: int = 0
    tested_samples: int = 0
    proofs: tuple[Proof, ...] = ()
    open: bool | None = None
    related: bool = False

    @property
    def span(self) -> TimeRange:
        return TimeRange(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Line:
    """``party_id`` pays (or is paid); ``version_id`` and ``mode`` are the programme version and the way of settlement of a statement's line
    (None and "" of a bill's). Amounts in fen: ``claims_fen`` is what
    programmes give in all, ``amount_fen`` what the line adds to its document. ``awards`` are what they give now and later, by what the
    single awards say; with ``deducted_fen`` and ``refunded_fen``, which the charge says, they must agree. ``service_on``: the local day
    on which the use ended."""

    thing: Thing
    thing_id: int
    party_id: int
    version_id: int | None
    at: datetime
    service_on: date
    gross_fen: int
    deducted_fen: int
    relieved_fen: int
    refunded_fen: int
    claims_fen: int
    amount_fen: int
    mode: str = ""
    awards: tuple[int, int] = (0, 0)
    use: Use | None = None
    odd: tuple[str, ...] = field(default=())

    @property
    def key(self) -> tuple[str, int]:
        return (self.thing, self.thing_id)


@dataclass(frozen=True, slots=True)
class Sums:
    """What lines come to, in fen."""

    lines: int = 0
    gross_fen: int = 0
    deducted_fen: int = 0
    relieved_fen: int = 0
    refunded_fen: int = 0
    claims_fen: int = 0
    total_fen: int = 0

    @property
    def final_fen(self) -> int:
        """What the customers bear in the end."""
        return self.total_fen - self.refunded_fen
