"""A real mail server on a port of its own, which keeps what it is given and may be told to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Sink:
    """``taken``: the messages that were accepted. ``answers``: what it says to the next ones, "250 OK" when there are none left;
    ``before``: called when an address is named, before the message; ``after``: with each message once it is kept, before the answer.
    ``refused``: mailboxes that do not exist."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answers: list[str] = []
        self.before: Callable[[], None] | None = None
        self.after: Callable[[EmailMessage], None] | None = None
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        if self.before is not None:
            self.before()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.taken.append(message)  # type: ignore[arg-type]
            if self.after is not None:
                self.after(message)  # type: ignore[arg-type]
        return answer


class _OnAnyPort(Controller):
    """The library asks the port that it was given whether it is ready; with 0 it has to be told the one it got."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@contextmanager
def serving() -> Iterator[tuple[Sink, int]]:
    """The sink and its port on 127.0.0.1."""
    sink = Sink()
    controller = _OnAnyPort(sink, hostname="127.0.0.1", port=0, ready_timeout=20)
    controller.start()
    try:
        yield sink, controller.port
    finally:
        controller.stop()
