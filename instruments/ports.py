"""What the registry asks of the floors above, and tells them. They register at start-up.

A listener is called inside the transaction of the change that it wants to hear of. The prices of test items are billing's (they are
versioned and feed the engine); the registry sets them with an import, and without an implementation nothing starts. What the
catalogue wants to know is in ``catalogue_ports``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from config.kernel.access import Actor
from config.kernel.errors import Reason

if TYPE_CHECKING:
    from instruments.models import InstrumentProblem


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What one ``unit`` of a test item costs, in fen; None is a price on request."""

    amount_fen: int | None
    unit: str


class SamplePricePort(Protocol):
    """Prices of test items, by the id of their resource."""

    def set_list_prices(
        self, actor: Actor, prices: Mapping[int, ListPrice], on: date, now: datetime
    ) -> Mapping[int, ListPrice | None]:
        """Publish the prices that differ from those in force; returns what those were (None: there was none)."""

    def list_prices(self, resource_ids: Sequence[int], on: date) -> Mapping[int, ListPrice]:
        """The prices for everybody on a local day, in one query; items without any are left out."""


_sample_prices: list[SamplePricePort] = []


def register_sample_prices(port: SamplePricePort) -> None:
    """Called once by billing's AppConfig."""
    _sample_prices[:] = [port]


def sample_prices() -> SamplePricePort:
    """The registered port. Raises RuntimeError when billing is missing."""
    if not _sample_prices:
        raise RuntimeError("no implementation of instruments.ports.SamplePricePort is registered")
    return _sample_prices[0]


#: Hears, in the transaction of the change, that a group (its id) has another leader.
LeaderListener = Callable[[int, datetime], None]
_leader_listeners: list[LeaderListener] = []


def register_leader_listener(listener: LeaderListener) -> None:
    """Called once by booking's AppConfig."""
    _leader_listeners[:] = [listener]


def leader_changed(group_id: int, now: datetime) -> None:
    """Tell whoever listens that somebody else leads the group."""
    for listener in _leader_listeners:
        listener(group_id, now)


#: Hears, in the transaction of the answer, that the lab answered a reported problem.
ProblemListener = Callable[["InstrumentProblem", datetime], None]
_problem_listeners: list[ProblemListener] = []


def register_problem_listener(listener: ProblemListener) -> None:
    """Called once by booking's AppConfig."""
    _problem_listeners[:] = [listener]


def problem_answered(problem: InstrumentProblem, now: datetime) -> None:
    """Tell whoever listens that the lab has seen or solved it."""
    for listener in _problem_listeners:
        listener(problem, now)


@dataclass(frozen=True, slots=True)
class UseFacts:
    """An instrument's price in words (Chinese) and its use in a year: hours in all and for others, income from others in fen.

    Hours and income are None when nothing was counted.
    """

    fee_text: str = ""
    run_hours: Decimal | None = None
    service_hours: Decimal | None = None
    service_income_fen: int | None = None


class UsePort(Protocol):
    """Reads for many instruments at once, in a fixed number of queries."""

    def facts_of(self, instrument_ids: Sequence[int], on: date, year: int) -> Mapping[int, UseFacts]:
        """The price in force on the local day ``on`` and the use agreed in the calendar year; ids without any are left out."""


_use: list[UsePort] = []


def register_use(port: UsePort) -> None:
    """Called once by billing's AppConfig."""
    _use[:] = [port]


def use() -> UsePort:
    """The registered port. Raises RuntimeError when billing is missing."""
    if not _use:
        raise RuntimeError("no implementation of instruments.ports.UsePort is registered")
    return _use[0]


#: Is asked, in the transaction of the change and before it is written, about instruments (their ids) that are to be retired; answers why
#: those cannot be yet that cannot.
RetirementGuard = Callable[[Collection[int], datetime], Mapping[int, Reason]]
_retirement_guards: list[RetirementGuard] = []


def register_retirement_guard(guard: RetirementGuard) -> None:
    """Called once by booking's AppConfig."""
    _retirement_guards[:] = [guard]


def against_retirement(instrument_ids: Collection[int], now: datetime) -> dict[int, Reason]:
    """Why those of the instruments cannot be retired that cannot be, by id; none is asked about where there are none."""
    found: dict[int, Reason] = {}
    for guard in _retirement_guards if instrument_ids else ():
        found |= guard(instrument_ids, now)
    return found


CalendarListener = Callable[[Sequence[int]], None]

_calendar_listeners: list[CalendarListener] = []


def register_calendar_listener(listener: CalendarListener) -> None:
    """``listener`` is called with the ids of calendars whose opening rules changed; registering it twice calls it once."""
    if listener not in _calendar_listeners:
        _calendar_listeners.append(listener)


def calendar_changed(calendar_ids: Sequence[int]) -> None:
    """Tell every listener that the stored opening rules of these calendars (or their zone) are different now.

    Called by ``services.schedule_store`` once for each group of changes, after the last of them, in the same transaction
    and with the calendars locked.
    """
    if calendar_ids:
        for listener in _calendar_listeners:
            listener(calendar_ids)


InstrumentListener = Callable[[Sequence[int]], object]

_instrument_listeners: list[InstrumentListener] = []


def register_instrument_listener(listener: InstrumentListener) -> None:
    """``listener`` is called with the ids of instruments that are new or changed; registering it twice calls it once."""
    if listener not in _instrument_listeners:
        _instrument_listeners.append(listener)


def instruments_changed(instrument_ids: Sequence[int]) -> None:
    """Tell every listener, in the transaction of the change and before the catalogue shows it."""
    if instrument_ids:
        for listener in _instrument_listeners:
            listener(instrument_ids)
