"""The kinds of news there are. Each app registers its own at start-up, as it does with its refusals.

Sentences name parameters as ``%(instrument)s``; instants (parameters that end in ``_at``, ISO texts with an offset) are shown as a
clock there shows them. A line whose parameters are all empty is left out. A name
may come with its English form: ``instrument_en`` beside ``instrument``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language

from config.kernel.messages import Sentence, filled

Params = Mapping[str, Any]
_NAMED = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads, in the active language: one line of title, lines of text; ``mail_lines`` stand in mails instead of those."""

    title: str
    lines: tuple[str, ...] = ()
    mail_lines: tuple[str, ...] = ()

    @property
    def in_mail(self) -> tuple[str, ...]:
        return self.mail_lines or self.lines


@dataclass(frozen=True, slots=True)
class Calendar:
    """A file for the reader's calendar program. ``method`` is REQUEST or CANCEL, of several events PUBLISH."""

    content: bytes
    method: str


@dataclass(frozen=True, slots=True)
class Group:
    """Events that a person switches on and off together. ``channels``: where they go unless the person chose otherwise; ``hidden``: there
    is nothing to choose, because such mails are asked for one by one. ``place``: small numbers come first."""

    name: Promise | str
    hint: Promise | str = ""
    channels: tuple[str, ...] = ("email",)
    hidden: bool = False
    place: int = 50


@dataclass(frozen=True, slots=True)
class Event:
    """``needs_action``: somebody waits for the reader, until it is settled. ``is_urgent``: nobody waits, but it is of no use later; like
    what somebody waits for, it goes into no digest. ``is_gathered``: it waits for the reader, but by the day and not by the hour, and goes
    into a digest all the same. ``public``: webhooks may ask for it; ``only_public``: no person is told of it. ``compose`` makes the words
    where sentences with parameters are not enough; ``calendar`` the file for calendar programs from (object id, address of the reader), as
    the object is when the mail goes."""

    group: str
    title: Sentence
    lines: tuple[Sentence, ...] = ()
    icon: str = "bell"
    needs_action: bool = False
    is_urgent: bool = False
    is_gathered: bool = False
    public: bool = False
    only_public: bool = False
    name: Sentence = ""
    compose: Callable[[Params], Words] | None = None
    calendar: Callable[[int, str], Calendar | None] | None = None


_groups: dict[str, Group] = {}
_events: dict[str, Event] = {}


def register_groups(groups: Mapping[str, Group]) -> None:
    """Add groups by code; once, at start-up."""
    _refuse_double(groups, _groups)
    _groups.update(groups)


def register_events(events: Mapping[str, Event]) -> None:
    """Add events by dotted code; once, at start-up, after their groups."""
    _refuse_double(events, _events)
    unknown = sorted({event.group for event in events.values()} - set(_groups))
    if unknown:
        raise RuntimeError(f"events of unknown groups: {unknown}")
    _events.update(events)


def _refuse_double(new: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    double = sorted(set(new) & set(known))
    if double:
        raise RuntimeError(f"registered twice: {double}")


def groups() -> dict[str, Group]:
    """All groups by code, in their order."""
    return dict(sorted(_groups.items(), key=lambda one: one[1].place))


def events() -> dict[str, Event]:
    """All events by code."""
    return dict(_events)


def event_of(code: str) -> Event:
    """Raises LookupError for a code that nobody registered: a fault of the code that tells."""
    return _events[code]


def goes_at_once(code: str) -> bool:
    """Whether a digest would be too late for it."""
    event = _events.get(code)
    return event is not None and (event.is_urgent or (event.needs_action and not event.is_gathered))


def public_events() -> dict[str, Event]:
    """Those that webhooks may ask for."""
    return {code: event for code, event in sorted(_events.items()) if event.public}


def event_name(code: str) -> str:
    """What an event is called where there is none to tell of: on the pages of preferences, logs, webhooks."""
    event = _events.get(code)
    return code if event is None else str(event.name) or code


def words_of(code: str, params: Params) -> Words:
    """What is read, in the active language. An event that is known no more is called by its code."""
    event = _events.get(code)
    if event is None:
        return Words(code)
    params = _in_language(params)
    if event.compose is not None:
        words = event.compose(params)
        return replace(words, title=one_line(words.title))
    lines = tuple(filled(line, params) for line in event.lines if _says_something(str(line), params))
    return Words(one_line(filled(event.title, params)), lines)


def one_line(text: str) -> str:
    """The text without line ends and other control characters: what may stand in a header."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _in_language(params: Params) -> Params:
    """For readers of English ``instrument_en`` stands for ``instrument`` where it is filled, and so on."""
    if not (get_language() or "").startswith("en"):
        return params
    return {name: params.get(f"{name}_en") or value for name, value in params.items()}


def _says_something(line: str, params: Params) -> bool:
    named = _NAMED.findall(line)
    return not named or any(params.get(name) not in (None, "", []) for name in named)
