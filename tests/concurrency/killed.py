"""What must come out of a step whose process dies in it: nothing, or all of it once, and all of it once when it is taken again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from config.kernel.errors import Refusal
from tests.concurrency.dying import killed_at, moments_of
from tests.concurrency.effects import counted, since

KILLS, MANY = 5, 50
Act = Callable[[], object]


@dataclass(frozen=True)
class Whole:
    """A step that was done to its end: how many moments it has, and what it leaves."""

    moments: int
    effect: dict[str, int]


def measured(act: Act) -> Whole:
    """Do it to its end, in a process of its own."""
    before = counted()
    moments = moments_of(act)
    effect = since(before)
    assert effect, "a step without an effect proves nothing"
    return Whole(moments, effect)


def chosen(moments: int, kills: int) -> list[int]:
    """After the last commit, before it, and as many more as are asked for, evenly from the first on; again from there where there are
    fewer moments."""
    more = kills - 2
    spread = [1 + round(place * (moments - 3) / max(1, more - 1)) for place in range(more)] if more < moments - 2 else []
    return [moments, moments - 1, *(spread or [1 + place % (moments - 2) for place in range(more)])]


def dies_and_happens_once(
    act: Act, moment: int, whole: Whole, *, over: Collection[str] = (), parts: bool = False, asked: Collection[str] = ()
) -> None:
    """``act``, as the one that was measured, in a process that dies at that moment, and then again. ``over``: what may be said to who takes
    it again after all; ``parts``: it is several transactions, of which some may be done; ``asked``: what is left by whoever asks for it,
    also where nothing is to be done any more."""
    where = f"killed at {moment} of {whole.moments}"
    before = counted()
    assert killed_at(moment, act), f"{where}: it was over before"
    left = since(before)
    assert parts or left in ({}, whole.effect), where
    assert moment < whole.moments or left == whole.effect, f"{where}: what was committed is lost"
    try:
        act()
    except Refusal as refused:
        said = {reason.code for reason in refused.reasons}
        assert said <= set(over), f"{where}: {sorted(said)}"
    done = since(before)
    differs = {kind for kind, _count in done.items() ^ whole.effect.items()}
    assert differs <= set(asked), f"{where}: {sorted(differs)}"
