"""An iCalendar file as text lines: unfolded, cut into its events, with limits that no file of people comes near.

Only what says when something takes place is kept of an event, so that descriptions, alarms and attachments cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.kernel.errors import Refusal

MAX_BYTES = 2 * 1024 * 1024
MAX_LINES = 120_000
MAX_EVENTS = 2_000
MAX_DEPTH = 6
MAX_KEPT_LENGTH = 8_000
MAX_KEPT_LINES = 120
MAX_ZONES = 40
_KEPT = frozenset(
    {
        "UID",
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RDATE",
        "EXDATE",
        "RECURRENCE-ID",
        "SUMMARY",
        "STATUS",
        "TRANSP",
        "SEQUENCE",
    }
)
_TEXT = frozenset({"SUMMARY", "UID"})


@dataclass(frozen=True, slots=True)
class EventText:
    """One VEVENT as it stands in the file: its first line (from 1) and what is kept of it. ``fault`` is why it cannot be read."""

    line: int
    kept: tuple[str, ...]
    fault: str = ""

    @property
    def text(self) -> str:
        return "\r\n".join(("BEGIN:VEVENT", *self.kept, "END:VEVENT"))

    def names(self, *properties: str) -> bool:
        """Whether it has one of the properties."""
        return any(_name(line) in properties for line in self.kept)


@dataclass(frozen=True, slots=True)
class CalendarText:
    """A whole file. ``zones`` are its own time zone definitions by name, ``zone_name`` what it says of itself (X-WR-TIMEZONE)."""

    title: str
    zone_name: str
    zones: dict[str, str]
    events: tuple[EventText, ...]


def cut(content: bytes) -> CalendarText:
    """The events of a file.

    Raises Refusal on field ``file``: ``ics.empty``, ``ics.too_big``, ``ics.encoding``, ``ics.not_a_calendar``, ``ics.too_long``,
    ``ics.too_deep``, ``ics.too_many_events``.
    """
    if not content.strip():
        raise Refusal.of("ics.empty", "file")
    if len(content) > MAX_BYTES:
        raise Refusal.of("ics.too_big", "file", megabytes=MAX_BYTES // 1024**2)
    reader = _Reader()
    for number, line in _unfolded(_decoded(content)):
        reader.take(number, line)
    return reader.result()


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal.of("ics.encoding", "file")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Each logical line with the number of its first line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise Refusal.of("ics.too_long", "file", lines=MAX_LINES)
    begun, parts = 1, [""]
    for number, line in enumerate(lines, start=1):
        if line[:1] in (" ", "\t"):
            parts.append(line[1:])
            continue
        yield begun, "".join(parts)
        begun, parts = number, [line]
    yield begun, "".join(parts)


def _name(line: str) -> str:
    return line.partition(":")[0].partition(";")[0].strip().upper()


def _value(line: str) -> str:
    return line.partition(":")[2].strip()


class _Reader:
    """Follows BEGIN and END; an event that its file never ends is a fault of that event."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.calendars = 0
        self.title = self.zone_name = ""
        self.zones: dict[str, str] = {}
        self.events: list[EventText] = []
        self.begun = 0
        self.kept: list[str] = []
        self.fault = ""
        self.zone_lines: list[str] = []

    def take(self, number: int, line: str) -> None:
        name = _name(line)
        if name == "BEGIN":
            self._begin(number, _value(line).upper())
        elif name == "END":
            self._end(_value(line).upper())
        elif self.stack[-1:] == ["VEVENT"]:
            self._keep(name, line)
        elif "VTIMEZONE" in self.stack:
            self.zone_lines.append(line)
        elif self.stack == ["VCALENDAR"] and name in {"X-WR-CALNAME", "NAME"}:
            self.title = self.title or _value(line)[:200]
        elif self.stack == ["VCALENDAR"] and name == "X-WR-TIMEZONE":
            self.zone_name = _value(line)[:100]

    def _begin(self, number: int, kind: str) -> None:
        if "VEVENT" in self.stack and kind in {"VEVENT", "VCALENDAR"}:
            self._event_ends("ics.not_ended")
            del self.stack[self.stack.index("VEVENT") :]
        if len(self.stack) >= MAX_DEPTH:
            raise Refusal.of("ics.too_deep", "file", line=number)
        self.stack.append(kind)
        if kind == "VCALENDAR":
            self.calendars += 1
        elif kind == "VEVENT":
            self.begun, self.kept, self.fault = number, [], ""
        elif kind == "VTIMEZONE":
            self.zone_lines = []
        if "VTIMEZONE" in self.stack:
            self.zone_lines.append(f"BEGIN:{kind}")

    def _end(self, kind: str) -> None:
        if kind not in self.stack:
            return
        if "VTIMEZONE" in self.stack:
            self.zone_lines.append(f"END:{kind}")
        while self.stack.pop() != kind:
            pass
        if kind == "VEVENT":
            self._event_ends(self.fault)
        elif kind == "VTIMEZONE":
            self._zone_ends()

    def _keep(self, name: str, line: str) -> None:
        if name not in _KEPT:
            return
        if name in _TEXT:
            line = line[:1000].rstrip("\\")
        if len(line) > MAX_KEPT_LENGTH or len(self.kept) >= MAX_KEPT_LINES:
            self.fault = "ics.event_too_long"
            return
        self.kept.append("".join(char for char in line if char.isprintable()))

    def _event_ends(self, fault: str) -> None:
        if len(self.events) >= MAX_EVENTS:
            raise Refusal.of("ics.too_many_events", "file", maximum=MAX_EVENTS)
        self.events.append(EventText(self.begun, tuple(self.kept), fault))

    def _zone_ends(self) -> None:
        """A definition that repeats other than once a year is not used: its zone is then unknown."""
        rules = [line for line in self.zone_lines if _name(line) == "RRULE"]
        plain = all("FREQ=YEARLY" in rule.upper() and len(rule) < 200 for rule in rules)
        names = [_value(line) for line in self.zone_lines if _name(line) == "TZID"]
        if names and plain and len(self.zones) < MAX_ZONES and len(self.zone_lines) < 200:
            self.zones[names[0]] = "\r\n".join(line[:200] for line in self.zone_lines)

    def result(self) -> CalendarText:
        if not self.calendars:
            raise Refusal.of("ics.not_a_calendar", "file")
        if "VEVENT" in self.stack:
            self._event_ends("ics.not_ended")
        return CalendarText(self.title, self.zone_name, self.zones, tuple(self.events))
