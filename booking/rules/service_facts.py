"""What the national record of a service asks of who is served: what it was for, and who pays the project.

Both are asked for once, with good defaults; what nobody said is derived when the record is written. Source of the codes: the national
network's field definitions (service record, type 6); the list of fund sources is data (``data/fund_sources.json``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from booking.rules.answers import answers_text, known_answers, read_answers
from config.kernel.errors import Reason
from instruments.rules.service_kinds import PUBLIC_KINDS, TESTING

_FILE = Path(__file__).parent / "data" / "fund_sources.json"
OTHER_SOURCE, NO_SOURCE = "16", "17"


class Direction(StrEnum):
    """What a service is for."""

    RESEARCH = "research"
    DEVELOPMENT = "development"
    TEACHING = "teaching"
    OTHER = "other"


DIRECTION_CODES: Mapping[Direction, str] = {
    Direction.RESEARCH: "135",
    Direction.DEVELOPMENT: "136",
    Direction.TEACHING: "137",
    Direction.OTHER: "138",
}
_FIRM = "firm"
#: What a service is where nobody said anything.
ORDINARY_KINDS = ("instrument_use", TESTING)
_CODE = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)
_RATE = re.compile(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?", re.ASCII)


class Said(NamedTuple):
    """What whoever books says to the programmes that ask: the kind of the service (empty: an ordinary one), the way of settlement and the
    rate that are chosen (empty: none), and the answers to their questions (``answers``; empty: none)."""

    service_kind: str = ""
    settlement: str = ""
    rate: str = ""
    answers: str = ""


UNSAID = Said()


@dataclass(frozen=True, slots=True)
class FundSource:
    """One of the record's fund sources, with its name in both languages."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What a customer says of a service: empty texts are nothing said."""

    purpose: str = ""
    research_project: str = ""
    service_direction: str = ""
    fund_source: str = ""
    service_kind: str = ""
    settlement: str = ""
    rate: str = ""
    answers: str = ""

    @property
    def said(self) -> Said:
        """What of it only programmes ask."""
        return Said(self.service_kind, self.settlement, self.rate, self.answers)

    def document(self) -> dict[str, str]:
        """By name."""
        return asdict(self)

    def changed(self, after: ServiceFacts) -> tuple[str, ...]:
        """The names of what is another afterwards."""
        then = after.document()
        return tuple(name for name, text in self.document().items() if text != then[name])

    def decides_otherwise(self, after: ServiceFacts, customer_kind: str) -> tuple[str, ...]:
        """What of it is another afterwards for a programme: a direction that is only written down is the one that was derived."""
        same_direction = direction_of(self.service_direction, customer_kind) is direction_of(
            after.service_direction, customer_kind
        )
        names = {"research_project", *Said._fields} | (set() if same_direction else {"service_direction"})
        return tuple(name for name in self.changed(after) if name in names)


@cache
def fund_sources() -> tuple[FundSource, ...]:
    """The list, in its order."""
    return tuple(FundSource(**row) for row in json.loads(_FILE.read_text(encoding="utf-8")))


def service_faults(direction: str, fund_source: str) -> list[Reason]:
    """What is wrong with what somebody said; empty texts are nothing said."""
    faults = []
    if direction and direction not in list(Direction):
        faults.append(Reason("service.direction_unknown", {"known": [each.value for each in Direction]}, "service_direction"))
    if fund_source and fund_source not in {each.code for each in fund_sources()}:
        faults.append(Reason("service.fund_source_unknown", {"known": [each.code for each in fund_sources()]}, "fund_source"))
    return faults


def said_faults(said: Said) -> list[Reason]:
    """What is wrong with it whatever programmes there are; whether one offers it is theirs to say."""
    faults = []
    if said.service_kind and said.service_kind not in (*ORDINARY_KINDS, *PUBLIC_KINDS):
        faults.append(Reason("service.kind_unknown", {"known": [*ORDINARY_KINDS, *PUBLIC_KINDS]}, "service_kind"))
    if said.settlement and not _CODE.fullmatch(said.settlement):
        faults.append(Reason("service.settlement_unreadable", {}, "settlement"))
    if said.rate and not _RATE.fullmatch(said.rate):
        faults.append(Reason("service.rate_unreadable", {}, "rate"))
    try:
        read_answers(said.answers)
    except ValueError:
        faults.append(Reason("service.answers_unreadable", {}, "answers"))
    return faults


def kept(said: Said) -> Said:
    """As it is kept: an ordinary service is nothing said, a rate has no more digits than it needs, and answers stand in one order."""
    kind = "" if said.service_kind in ORDINARY_KINDS else said.service_kind
    rate = said.rate.rstrip("0").rstrip(".") if "." in said.rate else said.rate
    return Said(kind, said.settlement, rate, answers_text(known_answers(said.answers)))


def said_of_test(marked: str, said: Said) -> Said:
    """What is said of a test, as it is kept; the kind that its lab has ``marked`` stands."""
    found = kept(said)
    return found._replace(service_kind=marked or found.service_kind)


def direction_of(said: str, customer_kind: str) -> Direction:
    """What was said, or else development for firms and research for all others."""
    if said:
        return Direction(said)
    return Direction.DEVELOPMENT if customer_kind == _FIRM else Direction.RESEARCH


def fund_source_of(said: str, research_project: str) -> str:
    """The code that was said, or else none without a project and another source with one."""
    return said or (OTHER_SOURCE if research_project else NO_SOURCE)
