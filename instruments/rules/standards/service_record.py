"""The national network's record of a service (type 6): one for each session that was agreed and each sample job that was closed.

Keys, headings and words are data (``data/service_record.json``), after the network's field definitions. What accounts do not keep (a phone
number) has no column.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent.parent / "data" / "service_record.json"
CONTENT_LENGTH, NAME_LENGTH = 200, 45
SAMPLES = "samples"
_TENTH = Decimal("0.1")
_FEN = Decimal(100)


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What a record is made of. ``way`` is a service mode, or ``samples``; ``amount_fen`` None: it cost nothing. Times are those on the
    wall at the place; ``minutes`` of a session, ``samples`` of a job. ``fund_source`` is a name (Chinese). ``stars``: 1 to 5, 0 without."""

    owner_code: str
    instrument_number: str
    reference: str
    amount_fen: int | None
    starts: datetime
    ends: datetime
    minutes: int
    samples: int
    content: str
    way: str
    research_project: str
    fund_source: str
    person: str
    email: str
    customer: str
    stars: int
    inside: bool
    direction: str
    signed: bool


def columns() -> tuple[tuple[str, str], ...]:
    """Key and Chinese heading of each column, in order."""
    return tuple((key, heading) for key, heading in _data()["columns"])


def service_record(facts: ServiceFacts) -> dict[str, str]:
    """The record by key, in its order."""
    words = _data()
    amount = Decimal(facts.amount_fen or 0) / _FEN
    hours = (Decimal(facts.minutes) / 60).quantize(_TENTH)
    found = {
        "insCode": facts.owner_code,
        "innerId": facts.instrument_number,
        "recordInnerId": facts.reference,
        "amounts": f"{amount:.2f}",
        "serviceTime": f"{facts.starts:%Y-%m-%d %H}",
        "endTime": f"{facts.ends:%Y-%m-%d %H}",
        "serviceAmount": str(facts.samples) if facts.way == SAMPLES else str(hours),
        "serviceContent": (facts.content or words["use"])[:CONTENT_LENGTH],
        "serviceWay": words["ways"].get(facts.way, words["ways"][""]),
        "subjectName": (facts.research_project or words["none"])[:NAME_LENGTH],
        "subjectIncome": facts.fund_source,
        "applicant": facts.person,
        "applicatEmail": facts.email,
        "applicatUnit": facts.customer,
        "comment": words["comments"].get(str(facts.stars), ""),
        "serviceType": words["users"]["inside" if facts.inside else "outside"],
        "serviceDirection": words["directions"][facts.direction],
        "addressType": words["inside_unit"],
        "signAgreement": words["yes"] if facts.signed else words["no"],
    }
    return {key: found[key] for key, _heading in columns()}


@cache
def _data() -> Any:
    return json.loads(_FILE.read_text(encoding="utf-8"))
