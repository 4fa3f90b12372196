"""Each mistake in a process of its own that is forked when all tests are collected: the function's code is exchanged, and the tests that
come past it run, the quickest first, until one fails."""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from tests import examples
from tests.mutation.sites import Site

#: A mistake is given up on (it survives) when the tests that come past it took as long when nothing was wrong, in seconds.
LONGEST = 8.0
#: A mistake that makes the tests so much slower than they were never ends: it is found.
SLOWER, GRACE = 10, 5.0
EXAMPLES = 60
MEMORY = 2 << 30
#: How a trial ends. Only a test that fails, or that never ends, finds a mistake; whatever else ends a trial is a fault of this tool.
SURVIVED, UNTRIED, FOUND = 0, 3, 10
DATABASE = ("db", "transactional_db", "django_db_setup", "live_server")

Key = tuple[str, str]
"""A function: its file and its qualified name."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What a test came past when nothing was wrong, and how long it took (s)."""

    item: int
    seconds: float
    functions: frozenset[Key]


class Trials:
    """A pytest plugin that runs trials instead of tests. ``verdicts``: for each mistake whether a test found it, None where no test
    comes past it; ``untried``: those that could not be tried to the end, which nobody has found."""

    def __init__(self, root: Path, files: Sequence[Path], sites: Sequence[Site], tell: Callable[[str], object]) -> None:
        self.root, self.sites, self.tell = root, sites, tell
        self.files = {str(path): path.relative_to(root).as_posix() for path in files}
        self.verdicts: dict[Site, bool | None] = {}
        self.failed: list[str] = []
        self.untried: list[Site] = []
        self.tests = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        quick = hypothesis.settings(
            derandomize=True, database=None, deadline=None, report_multiple_bugs=False, max_examples=EXAMPLES,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate], suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        hypothesis.settings.register_profile("mutation", quick)
        hypothesis.settings.load_profile("mutation")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only what needs no database."""
        items[:] = [each for each in items if _is_pure(each)]
        examples.limit(items, lambda number: min(EXAMPLES, number))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        self.tests = len(items)
        passed = _in_a_fork(lambda: self._passed(items))
        self.failed = [items[place].nodeid for place, each in enumerate(passed) if each is None]
        if self.failed:
            return True
        tests = _by_function([each for each in passed if each is not None])
        functions = _functions(self.files)
        began = time.monotonic()
        for number, site in enumerate(self.sites):
            verdict = self.verdicts[site] = self._verdict(site, items, tests.get((site.path, site.function), ()), functions)
            if not verdict:
                self.tell(f"{'nobody looks' if verdict is None else 'survived'}: line {site.line}, {site.name}")
            if number % 100 == 99:
                self.tell(f"{number + 1} of {len(self.sites)} tried, {time.monotonic() - began:.0f} s")
        return True

    def _passed(self, items: Sequence[pytest.Item]) -> list[Passed | None]:
        """Run every test as it is; None for one that fails."""
        results: list[Passed | None] = []
        for place, item in enumerate(items):
            seen: set[Key] = set()
            began = time.process_time()
            sys.settrace(_watching(self.files, seen))
            try:
                fine = _passes(item, items[place + 1] if place + 1 < len(items) else None)
            finally:
                sys.settrace(None)
            results.append(Passed(place, time.process_time() - began, frozenset(seen)) if fine else None)
        return results

    def _verdict(
        self, site: Site, items: Sequence[pytest.Item], tests: Sequence[Passed], functions: Mapping[Key, Sequence[FunctionType]]
    ) -> bool | None:
        living = functions.get((site.path, site.function), ())
        whole = next((each.__code__ for each in living if each.__code__.co_qualname == site.function), None)
        if whole is None or not tests:
            return None
        codes = _exchange(whole, site.code(self.root))
        exchanged = [(each, codes[each.__code__]) for each in living if each.__code__ in codes]
        exchanged = [(each, code) for each, code in exchanged if each.__code__.co_freevars == code.co_freevars]
        chosen = _within(LONGEST, tests)
        limit = GRACE + SLOWER * sum(each.seconds for each in chosen)
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(_tried(exchanged, [items[each.item] for each in chosen], limit))
            finally:
                os._exit(UNTRIED)
        ended = ending(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        if ended == UNTRIED:
            self.tell(f"could not be tried: line {site.line}, {site.name}")
            self.untried.append(site)
        return ended == FOUND


def ending(exit_code: int) -> int:
    """What the exit code of a trial's process says: ended by the clock of the processor a mistake is found too, because a test never came
    to its end; any other signal or code is no verdict of a test."""
    if exit_code == -signal.SIGXCPU:
        return FOUND
    return exit_code if exit_code in (FOUND, SURVIVED) else UNTRIED


def _is_pure(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    return not marks & {"django_db", "proof", "browser", "concurrency"} and not set(DATABASE) & set(
        getattr(item, "fixturenames", ())
    )


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return all(report.passed for report in runtestprotocol(item, log=False, nextitem=following))


def _tried(exchanged: Sequence[tuple[FunctionType, CodeType]], items: Sequence[pytest.Item], limit: float) -> int:
    """In the fork: whether a test finds the changed functions. Whoever never ends is ended by the clock of the processor."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for function, code in exchanged:
        function.__code__ = code
    following = [*items[1:], None]
    return FOUND if any(not _passes(item, after) for item, after in zip(items, following, strict=True)) else SURVIVED


def _watching(files: Mapping[str, str], seen: set[Key]) -> Callable[[FrameType, str, Any], None]:
    """Notes every function that is entered; with None for an answer its lines are not traced."""

    def watch(frame: FrameType, _event: str, _argument: Any) -> None:
        path = files.get(frame.f_code.co_filename)
        if path is not None:
            seen.add((path, frame.f_code.co_qualname.split(".<locals>")[0]))

    return watch


def _functions(files: Mapping[str, str]) -> dict[Key, list[FunctionType]]:
    """The functions of these files that live in this process, whoever holds them; those that one made go with it."""
    found: dict[Key, list[FunctionType]] = {}
    gc.unfreeze()  # what the tests froze would not be found
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            key = files[each.__code__.co_filename], each.__code__.co_qualname.split(".<locals>")[0]
            found.setdefault(key, []).append(each)
    return found


def _exchange(whole: CodeType, mistaken: CodeType) -> dict[CodeType, CodeType]:
    """What takes the place of a function's code and of the functions that it made; of itself alone where one of them is gone."""
    old, new = list(_codes(whole)), list(_codes(mistaken))
    return dict(zip(old, new, strict=True)) if len(old) == len(new) else {whole: mistaken}


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of everything in it, always in the same order."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _by_function(passed: Sequence[Passed]) -> dict[Key, list[Passed]]:
    tests: dict[Key, list[Passed]] = {}
    for each in sorted(passed, key=lambda one: (one.seconds, one.item)):
        for function in each.functions:
            tests.setdefault(function, []).append(each)
    return tests


def _within(seconds: float, tests: Sequence[Passed]) -> list[Passed]:
    """The quickest tests that take so long together."""
    chosen, spent = [], 0.0
    for each in tests:
        spent += each.seconds
        if chosen and spent > seconds:
            break
        chosen.append(each)
    return chosen


def _in_a_fork(work: Callable[[], Any]) -> Any:
    """What ``work`` returns, without anything that it leaves behind in this process (results that functions remember, above all)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as out:
            pickle.dump(work(), out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as incoming:
        found = incoming.read()
    os.waitpid(pid, 0)
    return pickle.loads(found)
