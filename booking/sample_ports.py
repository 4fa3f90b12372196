"""What a sample job asks of money; the counterpart of ``booking.ports`` for what has no time. Billing implements and registers it.

Every call is part of the transaction of the step itself, behind the job's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from booking.models import SampleExtra, SampleJob
from booking.ports import ExpectedFigures, FiguresChanged
from config.kernel.access import Actor


@dataclass(frozen=True, slots=True)
class AgreedPrice:
    """What both sides agreed for one ``unit`` of a test, in fen, in place of the lab's list; the number of the order where it was agreed,
    and since when that is in force (None: not yet)."""

    unit: str
    amount_fen: int
    contract_number: str = ""
    in_force_at: datetime | None = None


class SampleOrder(Protocol):
    """An order of both sides under which samples are sent at once; ``key`` is its id, so that a repeated call is known."""

    @property
    def key(self) -> int: ...

    def price_of(self, job: SampleJob, actor: Actor) -> AgreedPrice:
        """What it says a job costs that is being asked for. Raises NotFound, Refusal where it does not take the job."""

    def keep(self, job: SampleJob, actor: Actor, now: datetime) -> None:
        """The job belongs to it."""


class SampleMoneyPort(Protocol):
    """What happens to money when a sample job goes on. Each may raise a kernel Refusal, which undoes the whole."""

    def on_ask(
        self, job: SampleJob, actor: Actor, expected: ExpectedFigures, now: datetime, agreed: AgreedPrice | None = None
    ) -> None:
        """Pin the quote that the customer saw, under the lab's list or what was ``agreed``."""

    def on_accept(self, job: SampleJob, actor: Actor, expected: ExpectedFigures, now: datetime) -> FiguresChanged | None:
        """Hold the subsidies, or say that the figures changed (then nothing is accepted). ``expected`` is what the lab looked at."""

    def payable_now_fen(self, job: SampleJob) -> int:
        """What the customer accepted to pay now, in fen, without charges beyond the price."""

    def on_extra(self, job: SampleJob, extra_fen: int, actor: Actor, now: datetime) -> None:
        """``extra_fen`` is agreed beyond the price: a fund card keeps it too."""

    def is_ordered(self, extra: SampleExtra) -> bool:
        """Whether a signed order says the charge, so that the lab takes it back though it is agreed."""

    def is_under_order(self, job: SampleJob) -> bool:
        """Whether an order of both sides prices the job, and has room for others where it is refused."""

    def quality_counts(self, job: SampleJob) -> bool:
        """Whether money that is held for the job depends on the quality grade of its service."""

    def on_release(self, job: SampleJob, actor: Actor, reason: str, now: datetime) -> None:
        """Void what is held: the job was refused or cancelled, no sample of it could be tested, or the lab's answer is taken back; then
        what pays keeps the price again."""

    def on_close(self, job: SampleJob, tested: int, extras: Sequence[SampleExtra], actor: Actor, now: datetime) -> None:
        """Make the charge for the ``tested`` samples and the agreed ``extras`` under a confirmed quality grade, post what is due, void
        the rest."""


_registered: list[SampleMoneyPort] = []


def register_sample_money(port: SampleMoneyPort) -> None:
    """Called once by billing's AppConfig."""
    _registered[:] = [port]


def sample_money() -> SampleMoneyPort:
    """The registered port. Raises RuntimeError when billing is missing: a job without money is never silent."""
    if not _registered:
        raise RuntimeError("no implementation of booking.sample_ports.SampleMoneyPort is registered")
    return _registered[0]
