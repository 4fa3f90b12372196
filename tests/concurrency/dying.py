"""A step done by a process of its own that is killed -9 in the middle of it, at a moment that can be chosen.

The moments of a step are those before each of its SQL statements and around each of its commits: the last one lies after everything is
committed and before anybody is told. The process is a fork, so that killing one costs no start of Python.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connection, connections
from django.db.backends.signals import connection_created


class _Moments:
    """Counts them on every connection of this process, and kills it at one."""

    def __init__(self, last: int) -> None:
        self.count, self.last = 0, last

    def one(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def on(self, connection: Any, **_more: Any) -> None:
        commit = connection._commit

        def counted_commit() -> Any:
            self.one()
            done = commit()
            self.one()
            return done

        def counted(execute: Callable[..., Any], *call: Any) -> Any:
            self.one()
            return execute(*call)

        connection._commit = counted_commit
        connection.execute_wrappers.append(counted)


def moments_of(act: Callable[[], object]) -> int:
    """How many moments ``act`` has, done to its end by a process of its own. Raises RuntimeError with what went wrong there."""
    said = _in_a_fork(act, 0)
    if said is None:
        raise RuntimeError("the process was killed by somebody else")
    return said


def killed_at(moment: int, act: Callable[[], object]) -> bool:
    """Do ``act`` in a process that is killed at that moment; whether it was (else ``act`` was over before)."""
    return _in_a_fork(act, moment) is None


def _in_a_fork(act: Callable[[], object], last: int) -> int | None:
    """The number of moments that passed; None when the process was killed."""
    connections.close_all()
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        _do(act, last, say)
    os.close(say)
    with os.fdopen(hear) as pipe:
        said = pipe.read()
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None
    if not said.isdigit():
        raise RuntimeError(said)
    return int(said)


def _do(act: Callable[[], object], last: int, say: int) -> None:
    """The child's whole life."""
    try:
        moments = _Moments(last)
        connection_created.connect(moments.on, weak=False)
        connection.execute_wrappers.clear()
        act()
        os.write(say, str(moments.count).encode())
    except BaseException:
        os.write(say, traceback.format_exc().encode())
    finally:
        os._exit(0)
