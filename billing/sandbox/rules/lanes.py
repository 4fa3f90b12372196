"""Several simulations over the same sessions: here, or in a process of their own, where another core works on them.

A process knows no database: it is given facts and sessions, and asked for its state. It ends when its door closes, also when whoever
started it was killed.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from typing import Any, Protocol

from billing.sandbox.rules.purses import Vouchers
from billing.sandbox.rules.rows import Income, Row
from billing.sandbox.rules.simulation import Known, Simulation

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """A simulation to be run: its name, document, budget, the state it goes on from, the vouchers of its programme, the last days of
    its windows for claims, and where a row says what programmes before it gave, and what its customer
    spent."""

    name: str
    document: Json
    budget_fen: int | None
    full: bool
    state: Json | None = None
    vouchers: Vouchers | None = None
    ends: Sequence[date] = ()
    given_at: int = 0
    spent_at: int = 0

    def begin(self) -> Simulation:
        return Simulation(
            self.document,
            self.budget_fen,
            full=self.full,
            state=self.state,
            vouchers=self.vouchers,
            ends=self.ends,
            given_at=self.given_at,
            spent_at=self.spent_at,
        )


class Lane(Protocol):
    """Takes services in and says the state of its simulations by name. ``remind``: services that were taken in before somebody stopped, and
    of which awards wait still. ``ended``: the states after all services."""

    def feed(
        self, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income] = ()
    ) -> None: ...
    def remind(
        self, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income] = ()
    ) -> None: ...
    def states(self) -> dict[str, Any]: ...
    def ended(self) -> dict[str, Any]: ...
    def close(self) -> None: ...


class Here:
    """In this process."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self._known = Known()
        self._running = {order.name: order.begin() for order in orders}

    def feed(self, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income] = ()) -> None:
        self._known.add(facts, services, incomes)
        for simulation in self._running.values():
            simulation.feed(rows, self._known)
        kept = self._known.kept
        kept.forget(kept.count - max(simulation.rows_waiting for simulation in self._running.values()))

    def remind(
        self, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income] = ()
    ) -> None:
        self._known.add(facts, services, incomes)
        self._known.kept.take(rows)

    def states(self) -> dict[str, Any]:
        return {name: simulation.state() for name, simulation in self._running.items()}

    def ended(self) -> dict[str, Any]:
        for simulation in self._running.values():
            simulation.end(self._known)
        return self.states()

    def close(self) -> None:
        """Nothing is left behind."""


class Beside:
    """In a process of its own; it takes one piece while the next is read. Raises EOFError when the process died."""

    def __init__(self, orders: Sequence[Order]) -> None:
        context = multiprocessing.get_context("spawn")
        self._door, inner = context.Pipe()
        self._process = context.Process(target=_serve, args=(inner, list(orders)), daemon=True)
        self._process.start()
        inner.close()
        self._waiting = 0

    def feed(self, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income] = ()) -> None:
        self._send("feed", facts, services, rows, incomes)

    def remind(
        self, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income] = ()
    ) -> None:
        self._send("remind", facts, services, rows, incomes)

    def states(self) -> dict[str, Any]:
        return self._asked("states")

    def ended(self) -> dict[str, Any]:
        return self._asked("ended")

    def close(self) -> None:
        self._door.close()
        self._process.terminate()
        self._process.join(5)

    def _send(
        self, what: str, facts: Sequence[Json], services: Sequence[Json], rows: Sequence[Row], incomes: Sequence[Income]
    ) -> None:
        while self._waiting > 1:
            self._answer()
        self._door.send((what, list(facts), list(services), [tuple(row) for row in rows], list(incomes)))
        self._waiting += 1

    def _asked(self, what: str) -> dict[str, Any]:
        while self._waiting:
            self._answer()
        self._door.send((what,))
        return dict(self._door.recv())

    def _answer(self) -> None:
        self._door.recv()
        self._waiting -= 1


def _serve(door: Connection, orders: list[Order]) -> None:
    """The other process: a piece in, a word back; or it is asked for the states."""
    gc.disable()  # what a simulation remembers refers to nothing in a circle, and is much to look through again and again
    lane = Here(orders)
    try:
        while True:
            what, *piece = door.recv()
            if not piece:
                door.send(lane.ended() if what == "ended" else lane.states())
                continue
            facts, services, rows, incomes = piece
            take = lane.feed if what == "feed" else lane.remind
            take(facts, services, [Row(*row) for row in rows], incomes)
            door.send(len(rows))
    except EOFError:
        return
