"""How a file is to be read where it does not say so itself: its encoding, the zone of its times, values for columns that it lacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.kernel.errors import Reason, Refusal
from instruments.rules.registry_map import is_encoding, time_zone

#: The encodings that can be chosen, as Python names them; what a file is found to have besides is shown too.
ENCODINGS = ("utf-8", "gb18030", "big5", "cp932", "euc_kr", "cp1252", "cp1250", "mac_roman", "utf-16")
ENCODING, TIME_ZONE = "encoding", "time_zone"
_VALUE_LENGTH = 300
_READING = "reading"


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """Empty texts: found out. ``constants`` are values by field for rows whose cell is empty or whose column the file lacks."""

    encoding: str = ""
    time_zone: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What is kept of them: only what was chosen."""
        said = {ENCODING: self.encoding, TIME_ZONE: self.time_zone, "constants": dict(self.constants)}
        return {name: value for name, value in said.items() if value}


AS_IT_COMES = ReadingOptions()


def options_from(document: Mapping[str, Any]) -> ReadingOptions:
    """The opposite of ``as_json``."""
    return ReadingOptions(document.get(ENCODING, ""), document.get(TIME_ZONE, ""), dict(document.get("constants", {})))


def saved_document(document: Mapping[str, Any], options: ReadingOptions) -> dict[str, Any]:
    """A mapping as it is saved: with the encoding and the zone that were chosen, which the next file of its kind will have too. Values
    for all rows are this file's own."""
    kept = ReadingOptions(options.encoding, options.time_zone).as_json()
    return {**document, _READING: kept} if kept else dict(document)


def saved_parts(saved: Mapping[str, Any]) -> tuple[dict[str, Any], ReadingOptions]:
    """The mapping alone and how its files are read: the opposite of ``saved_document``."""
    return {name: value for name, value in saved.items() if name != _READING}, options_from(saved.get(_READING, {}))


def checked(options: ReadingOptions, takes: Collection[str], constants: Collection[str]) -> ReadingOptions:
    """The options when a kind of import ``takes`` them and may have ``constants`` for these fields.

    Raises Refusal ``import.encoding_unknown``, ``import.time_zone_unknown``, ``import.constant_unknown``, ``import.option_not_here``.
    """
    reasons = [
        Reason("import.option_not_here", {}, name)
        for name in (ENCODING, TIME_ZONE)
        if getattr(options, name) and name not in takes
    ]
    if options.encoding and not is_encoding(options.encoding):
        reasons.append(Reason("import.encoding_unknown", {"name": options.encoding[:40]}, ENCODING))
    for name, value in options.constants.items():
        if name not in constants:
            reasons.append(Reason("import.constant_unknown", {"text": name[:60], "known": sorted(constants)}, "constants"))
        elif len(value) > _VALUE_LENGTH:
            reasons.append(Reason("name.too_long", {"max_length": _VALUE_LENGTH, "length": len(value)}, "constants"))
    Refusal.raise_any(reasons)
    time_zone(options.time_zone)
    return options
