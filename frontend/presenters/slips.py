"""An internal slip as people read it: what was used, hours times rate, and what paid it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import wording
from billing.pricing import services as pricing
from billing.settlement.slip_models import InternalSlip
from frontend.presenters.price_lines import Line, line_words
from frontend.templatetags.jishi import bilingual, yuan


@dataclass(frozen=True, slots=True)
class SlipView:
    """The frozen content; ``owner`` and ``instrument`` in the reader's language, times in ``zone``."""

    slip: InternalSlip
    owner: str
    instrument: str
    group: str
    card_number: str
    card_title: str
    person: str
    research_project: str
    reference: str
    zone: str
    starts_at: datetime | None
    ends_at: datetime | None
    lines: tuple[Line, ...]
    cause_word: wording.Word = ""
    """What it is for where it is not for use."""


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    name_en: str


def slip_view(slip: InternalSlip) -> SlipView:
    """``slip`` comes with its charge, if it is of one."""
    said = slip.content
    card = said["card"] or {"number": "", "title": ""}
    version_id = slip.charge.price_version_id if slip.charge else None
    bands = {band.code: band.name for band in pricing.schedule(version_id).bands} if version_id is not None else {}
    return SlipView(
        slip=slip,
        owner=bilingual(_Named(**said["owner"])),
        instrument=bilingual(_Named(**said["instrument"])),
        group=said["group"],
        card_number=card["number"],
        card_title=card["title"],
        person=said["person"],
        research_project=said["research_project"],
        reference=said["reference"],
        zone=said["zone"],
        starts_at=_moment(said["starts_at"]),
        ends_at=_moment(said["ends_at"]),
        lines=tuple(_line(line, bands) for line in said["lines"]),
        cause_word=wording.slip_cause(said),
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _line(line: dict[str, Any], bands: Any) -> Line:
    if line["kind"] == "samples":
        per_unit = "" if line["words"] else f"{yuan(line['rate_fen'])} / {wording.unit_word(line['unit'])}"
        return Line(line["words"], str(line["quantity"]), per_unit, line["amount_fen"])
    return line_words(line, bands)
