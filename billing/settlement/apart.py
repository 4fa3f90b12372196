"""Making a PDF in a process of its own, with an end to its time and memory: a bad document takes nothing else down.

The process is forked from a server that has WeasyPrint loaded and runs no threads (``forkserver``), which costs some ten milliseconds.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

#: Events of Python's audit hooks (PEP 578) that making a document has no use for.
_NEVER = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")
_WARM = ["weasyprint", "billing.settlement.typeset", "billing.settlement.apart", "billing.settlement.warm"]


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` of wall time (and of processor time) and bytes of address space."""

    seconds: int
    memory_bytes: int


class TooSlow(Exception):
    """The document was not ready in time; its process was ended."""


class Crashed(Exception):
    """The process ended without a document: out of memory, or a fault in the renderer. Says which."""


def html_to_pdf_apart(html: str, font_folder: Path, identifier: bytes, limits: Limits) -> bytes:
    """As ``typeset.html_to_pdf``, in a process of its own. Raises TooSlow, Crashed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_WARM)
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="statement-") as scratch:
        arguments = (sender, html, str(font_folder), identifier, limits, scratch, os.getpid())
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        sender.close()
        try:
            return _answer(receiver, limits)
        finally:
            process.kill()
            process.join()
            receiver.close()


def _answer(receiver: Connection, limits: Limits) -> bytes:
    if not receiver.poll(limits.seconds):
        raise TooSlow(f"not ready after {limits.seconds} s")
    try:
        told, body = receiver.recv()
    except EOFError:
        raise Crashed("the process ended without an answer") from None
    if told != "pdf":
        raise Crashed(body)
    pdf: bytes = body
    return pdf


def _work(
    sender: Connection, html: str, font_folder: str, identifier: bytes, limits: Limits, scratch: str, owner_pid: int
) -> None:
    """Runs in the child. A signal to the whole group lets it finish within the worker's grace; without its owner it ends itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_without, args=(owner_pid,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tempfile.tempdir = scratch
    sys.addaudithook(_refuse_network)
    gc.disable()  # a quarter of the time, in a process that ends with its document
    try:
        from billing.settlement.typeset import html_to_pdf  # loaded by the server already; nobody else needs WeasyPrint

        pdf = html_to_pdf(html, Path(font_folder), identifier)
    except MemoryError:
        sender.send(("fault", "out of memory"))
    except Exception as error:
        sender.send(("fault", f"{type(error).__name__}: {error}"[:500]))
    else:
        sender.send(("pdf", pdf))
    sender.close()


def _refuse_network(event: str, _arguments: tuple[object, ...]) -> None:
    """No socket and no other program, whatever a document or a library would like: the fetcher refuses what a document names, this all
    else. Raises PermissionError."""
    if event.startswith(_NEVER):
        raise PermissionError(f"a document has no network and starts no program ({event})")


def _end_without(owner_pid: int) -> None:
    """End this process at most a second after the one that asked for the document is gone."""
    while True:
        time.sleep(1)
        try:
            os.kill(owner_pid, 0)
        except ProcessLookupError:
            os._exit(1)
