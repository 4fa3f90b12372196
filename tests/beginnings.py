"""What a test finds in its database: nothing, or what a fixture would write there the same for hundreds of tests.

Such rows are written once for each test process, into a database of their own that is a copy of the migrated one, and the objects
that stand for them are handed out as they were then. A test says by the fixture that it asks for where it begins; the tests are sorted
by that, so that a process changes its database a few times in all.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from tests import databases

Left = dict[str, Any]
"""What each step left behind, by its name."""


@dataclass(frozen=True)
class Step:
    """``make`` gets what the steps before it left, and returns what may be pickled."""

    name: str
    before: Step | None
    make: Callable[[Left], Any]


class Beginnings:
    """The steps by the name of the fixture that stands for each, and the databases in which they have been made."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._databases: dict[Step | None, str] = {}
        self._left: dict[Step | None, bytes] = {None: pickle.dumps({})}
        self._wanted: Step | None = None
        self._current: Step | None = None
        self._blocker: Any = None

    def add(self, name: str, before: Step | None, make: Callable[[Left], Any]) -> Step:
        """A step on top of another one. ``name``: of a fixture that does nothing else."""
        self._steps[name] = Step(name, before, make)
        return self._steps[name]

    def of(self, fixtures: Sequence[str]) -> Step | None:
        """Where a test with these fixtures begins: the last step that it asks for."""
        return next((step for name, step in reversed(self._steps.items()) if name in fixtures), None)

    def place(self, beginning: Step | None) -> int:
        """In which order the tests of the beginnings come."""
        return 1 + list(self._steps).index(beginning.name) if beginning else 0

    def want(self, beginning: Step | None) -> None:
        """The next test begins there; until there is a database this is only remembered."""
        self._wanted = beginning
        if self._blocker is not None and beginning != self._current:
            self._enter(beginning)

    def open(self, blocker: Any) -> None:
        """From now on the default database of this process, which has no rows, is followed by the others."""
        self._blocker = blocker
        self._databases = {None: str(connections["default"].settings_dict["NAME"])}
        self.want(self._wanted)

    def close(self) -> None:
        """Drop the other databases and be in the first again."""
        self._enter(None)
        with self._blocker.unblock():
            databases.leave(databases.own_host(), [name for step, name in self._databases.items() if step is not None])
        self._blocker = None

    def left_by(self, name: str) -> Any:
        """What the step returned, anew for each that asks."""
        left: Left = pickle.loads(self._left[self._current])
        if name not in left:
            raise LookupError(f"this test does not begin with {name}: ask for the fixture among the arguments")
        return left[name]

    def _enter(self, beginning: Step | None) -> None:
        if connections["default"].in_atomic_block:
            raise RuntimeError("a fixture of a wider scope is open in this database: move the test out of its reach")
        with self._blocker.unblock():
            if beginning is not None and beginning not in self._databases:
                self._make(beginning)
            self._use(self._databases[beginning])
        self._current = beginning

    def _make(self, step: Step) -> None:
        if step.before is not None and step.before not in self._databases:
            self._make(step.before)
        template = self._databases[step.before]
        self._use(template)
        connections["default"].close()  # nobody may be connected to what is copied
        name, host = f"{self._databases[None]}_{self.place(step)}", databases.own_host()
        databases.drop(host, name)
        databases.create(host, name, template)
        self._use(name)
        left: Left = pickle.loads(self._left[step.before])
        left[step.name] = step.make(left)
        self._databases[step], self._left[step] = name, pickle.dumps(left)

    @staticmethod
    def _use(name: str) -> None:
        connection = connections["default"]
        connection.close()
        connection.settings_dict["NAME"] = name
        databases.forget_versions()


BEGINNINGS = Beginnings()
