"""Starting a process: some three thousand modules are loaded, and nothing of them is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Inside, modules are loaded and no garbage is looked for, which would be a third of the time. What is there at the end stays: it is
    not looked through again, and processes that are forked share its memory."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
