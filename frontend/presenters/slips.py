"""An internal slip as people read it: what was used, hours times rate, and what paid it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing import wording
from billing.pricing import services as pricing
from billing.settlement.slip_models import InternalSlip
from frontend.presenters.quote import Line, line_words
from frontend.templatetags.jishi import bilingual


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
    bands = {band.code: band.name for band in pricing.schedule(slip.charge.price_version_id).bands} if slip.charge else {}
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
        lines=tuple(line_words(line, bands) for line in said["lines"]),
        cause_word=wording.slip_cause(said),
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
