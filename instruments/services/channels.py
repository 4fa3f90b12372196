"""Ways to reach a person outside the platform besides e-mail: text messages, work accounts of WeChat, whatever an installation has.

The platform knows none by itself. An installation names adapters in ``JISHI_CHANNELS`` (``docs/telling-people.md``):

    JISHI_CHANNELS=sms=our_adapters.ShortMessages,wechat_work=our_adapters.WorkAccount

Each is a class (or function) that is called with the channel's name and gives an object with what ``Channel`` asks for.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. ``id`` stays the same in every attempt: hand it to a provider that takes an idempotency key.

    ``title`` is one line, ``text`` some lines, ``url`` where to look; all in ``language`` (zh-hans or en).
    """

    id: str
    to: str
    language: str
    title: str
    text: str
    url: str


class Undeliverable(Exception):
    """It will never arrive, so that trying again is of no use: the address does not exist, the provider refuses it."""


class Channel(Protocol):
    """What an adapter does. It is called from jobs, outside any transaction, by several workers at a time."""

    label: Promise | str
    """What people choose in their settings, for example "Text message"."""
    address_label: Promise | str
    """What they type there, for example "Mobile number"."""

    def checked(self, address: str) -> str:
        """The address in its normal form. Raises Refusal on field ``address`` for one that cannot be."""

    def send(self, message: Message) -> None:
        """Hand it over.

        Raises Undeliverable when it never will arrive; after any other exception it is tried again, for about a day. Give no more of the
        message away in exceptions than may stand in the log.
        """


class FileSink:
    """Writes to ``JISHI_HOME/channels/<name>.jsonl`` instead of sending: for tests and the demo."""

    label: Promise | str = _("Text message (written to a file)")
    address_label: Promise | str = _("Mobile number")

    def __init__(self, name: str) -> None:
        self.path = Path(settings.HOME) / "channels" / f"{name}.jsonl"

    def checked(self, address: str) -> str:
        number = re.sub(r"[\s()-]", "", address)
        if not re.fullmatch(r"\+?[0-9]{6,15}", number):
            raise Refusal.of("channel.address_unreadable", "address")
        return number

    def send(self, message: Message) -> None:
        self.path.parent.mkdir(mode=0o750, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")


def channels() -> dict[str, Channel]:
    """The installation's channels by name, besides e-mail."""
    return {name: _made(name, path) for name, path in settings.NOTICE_CHANNELS.items()}


@cache
def _made(name: str, path: str) -> Channel:
    channel: Channel = import_string(path)(name)
    return channel
