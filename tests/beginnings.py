"""What a test finds in its database: nothing, or what a fixture would write there the same for hundreds of tests.

Such rows are written once for each test process, into a database of their own that is a copy of the migrated one, and the objects
that stand for them are handed out as they were then. A test says by the fixture that it asks for where it begins; the tests are sorted
by that, so that a process changes its database a few times in all.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from django.db import connections

from tests import databases

NOTHING = ""


class Beginnings:
    """``steps``: what is written, by the name of the fixture that stands for it, each step on top of those before it.

    A step gets what the step before it left, or None, and returns what may be pickled.
    """

    def __init__(self, steps: dict[str, Callable[[Any], Any]]) -> None:
        self._steps = steps
        self._names: dict[str, str] = {}
        self._left: dict[str, bytes] = {}
        self._wanted = self._current = NOTHING
        self._blocker: Any = None

    def of(self, fixtures: list[str]) -> str:
        """Where a test with these fixtures begins: the last step that it asks for."""
        return next((step for step in reversed(self._steps) if step in fixtures), NOTHING)

    def place(self, beginning: str) -> int:
        """In which order the tests of the beginnings come."""
        return [NOTHING, *self._steps].index(beginning)

    def want(self, beginning: str) -> None:
        """The next test begins there; until there is a database this is only remembered."""
        self._wanted = beginning
        if self._blocker is not None and beginning != self._current:
            self._enter(beginning)

    def open(self, blocker: Any) -> None:
        """From now on the default database of this process, which has no rows, is followed by the others."""
        self._blocker = blocker
        self._names = {NOTHING: str(connections["default"].settings_dict["NAME"])}
        self.want(self._wanted)

    def close(self) -> None:
        """Drop the other databases and be in the first again."""
        self._enter(NOTHING)
        with self._blocker.unblock():
            for name in self._names.values():
                if name != self._names[NOTHING]:
                    databases.drop(databases.own_host(), name)
        self._blocker = None

    def left_by(self, step: str) -> Any:
        """What the step returned, anew for each that asks."""
        if self._current == NOTHING or self.place(step) > self.place(self._current):
            raise LookupError(f"this test does not begin with {step!r}: name the fixture among its arguments or its fixtures'")
        return pickle.loads(self._left[step])

    def _enter(self, beginning: str) -> None:
        with self._blocker.unblock():
            if beginning not in self._names:
                self._make(beginning)
            self._use(self._names[beginning])
        self._current = beginning

    def _make(self, step: str) -> None:
        place = self.place(step)
        before = [NOTHING, *self._steps][place - 1]
        if before not in self._names:
            self._make(before)
        self._use(self._names[before])  # nobody may be connected to what is copied
        name = f"{self._names[NOTHING]}_{place}"
        databases.drop(databases.own_host(), name)
        databases.create(databases.own_host(), name, self._names[before])
        self._use(name)
        self._names[step] = name
        self._left[step] = pickle.dumps(self._steps[step](pickle.loads(self._left[before]) if before else None))
        connections["default"].close()

    @staticmethod
    def _use(name: str) -> None:
        connection = connections["default"]
        connection.close()
        connection.settings_dict["NAME"] = name
        databases.forget_versions()
