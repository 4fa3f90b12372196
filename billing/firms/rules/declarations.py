"""What a declaration of each kind holds, in normal form, and what is wrong with one that was typed.

Content (JSON): ``figures`` year, staff, revenue_fen, assets_fen, net_assets_fen, capital_fen; ``place`` region_code, policy_zones, and
where they were said founded_on (ISO day) and industry_code (GB/T 4754); ``label`` label, level, number; ``controller`` party_kind
(organisation, person), name, and uscc or mark; ``affiliate`` tie, name, uscc.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.firms.rules.keys import PERSON_MARK, person_key
from billing.subsidy.rules.labels import CERTIFIED as CERTIFIED
from billing.subsidy.rules.labels import LABELS as LABELS
from billing.subsidy.rules.labels import LABELS_OF as LABELS_OF
from config.kernel.errors import Reason, Refusal
from instruments.rules.identifiers import Scheme, identify
from instruments.rules.names import clean_name

DECLARES: Mapping[str, tuple[str, ...]] = {
    "firm": ("figures", "place", "label", "controller", "affiliate"),
    "team": ("figures", "place", "label", "controller", "affiliate"),
    "owner": ("label", "controller"),
}
"""The kinds of declaration by kind of organisation: of an owner what programmes look at of a provider; its place is in its profile."""
LEVELS = ("national", "provincial", "city", "county")
TIES = ("owner", "subordinate", "co_built", "shareholding")
FIRST_YEAR = 1949
MOST_STAFF = 10_000_000
MOST_FEN = 10**17
NAME_LENGTH, NUMBER_LENGTH, MOST_ZONES = 200, 60, 20
INDUSTRY = r"[A-T]([0-9]{2,4})?|[0-9]{2,4}"
"""A code of GB/T 4754: a section, a division or group, or both."""
_REGION = re.compile(r"[1-9][0-9]{5}")
_AMOUNTS = ("revenue_fen", "assets_fen", "net_assets_fen", "capital_fen")


@dataclass(frozen=True, slots=True)
class Declared:
    """A checked declaration. ``party_key`` is empty for what names nobody."""

    content: dict[str, Any]
    valid_from: date
    valid_to: date | None
    party_key: str = ""


def checked(kind: str, given: Mapping[str, Any], today: date) -> Declared:
    """``given`` in normal form. Raises Refusal with every reason, each naming its field: ``firm.kind_unknown``, ``firm.year_range``,
    ``firm.figures_empty``, ``firm.figure_range``, ``firm.net_above_total``, ``firm.region_unknown``, ``firm.zones_many``,
    ``firm.founded_later``, ``firm.industry_unknown``, ``firm.label_unknown``, ``firm.level_unknown``, ``firm.day_needed``,
    ``firm.days_in_order``, ``firm.tie_unknown``, ``firm.party_kind_unknown``, ``firm.mark_invalid``, ``name.*``, ``identifier.invalid``."""
    make = _MAKERS.get(kind)
    if make is None:
        raise Refusal.of("firm.kind_unknown", field="kind", known=sorted(_MAKERS))
    gather = _Gather(given)
    declared = make(gather, today)
    Refusal.raise_any(gather.reasons)
    return declared


class _Gather:
    """Takes field by field and keeps every reason."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.reasons: list[Reason] = []

    def wrong(self, code: str, name: str, **params: Any) -> None:
        self.reasons.append(Reason(code, params, name))

    def name(self, field: str, length: int, *, needed: bool = True) -> str:
        text = str(self.given.get(field) or "")
        if not needed and not text.strip():
            return ""
        try:
            return clean_name(text, length, field)
        except Refusal as refusal:
            self.reasons.extend(refusal.reasons)
            return ""

    def uscc(self) -> str:
        try:
            return identify(Scheme.USCC, str(self.given.get("uscc") or "")).value
        except Refusal:
            self.wrong("identifier.invalid", "uscc", scheme="uscc")
            return ""

    def choice(self, field: str, known: tuple[str, ...], code: str) -> str:
        value = str(self.given.get(field) or "")
        if value not in known:
            self.wrong(code, field, known=list(known))
        return value

    def days(self, today: date) -> tuple[date, date | None]:
        since, until = self.given.get("valid_from"), self.given.get("valid_to")
        if since is None:
            self.wrong("firm.day_needed", "valid_from")
            since = today
        if until is not None and until < since:
            self.wrong("firm.days_in_order", "valid_to")
        return since, until


def _figures(gather: _Gather, today: date) -> Declared:
    year = gather.given.get("year")
    if not isinstance(year, int) or not FIRST_YEAR <= year < today.year:
        gather.wrong("firm.year_range", "year", first=FIRST_YEAR, last=today.year - 1)
        year = FIRST_YEAR
    content: dict[str, Any] = {"year": year}
    for name in ("staff", *_AMOUNTS):
        value = gather.given.get(name)
        if value is not None and not 0 <= value <= (MOST_STAFF if name == "staff" else MOST_FEN):
            gather.wrong("firm.figure_range", name)
        content[name] = value
    total, net = content["assets_fen"], content["net_assets_fen"]
    if total is not None and net is not None and net > total:
        gather.wrong("firm.net_above_total", "net_assets_fen")
    if all(content[name] is None for name in ("staff", *_AMOUNTS)):
        gather.wrong("firm.figures_empty", "staff")
    return Declared(content, date(year, 1, 1), date(year, 12, 31))


def _place(gather: _Gather, today: date) -> Declared:
    code = str(gather.given.get("region_code") or "").strip()
    if not _REGION.fullmatch(code):
        gather.wrong("firm.region_unknown", "region_code")
    zones = sorted({str(zone).strip() for zone in gather.given.get("policy_zones") or () if str(zone).strip()})
    if len(zones) > MOST_ZONES or any(len(zone) > NAME_LENGTH for zone in zones):
        gather.wrong("firm.zones_many", "policy_zones", maximum=MOST_ZONES)
    content: dict[str, Any] = {"region_code": code, "policy_zones": zones}
    founded, industry = gather.given.get("founded_on"), str(gather.given.get("industry_code") or "").strip().upper()
    if founded is not None:
        content["founded_on"] = founded.isoformat()
        if founded > today:
            gather.wrong("firm.founded_later", "founded_on")
    if industry:
        content["industry_code"] = industry
        if not re.fullmatch(INDUSTRY, industry):
            gather.wrong("firm.industry_unknown", "industry_code")
    return Declared(content, *gather.days(today))


def _label(gather: _Gather, today: date) -> Declared:
    content = {
        "label": gather.choice("label", LABELS, "firm.label_unknown"),
        "level": gather.choice("level", LEVELS, "firm.level_unknown"),
        "number": gather.name("number", NUMBER_LENGTH),
    }
    return Declared(content, *gather.days(today))


def _controller(gather: _Gather, today: date) -> Declared:
    party = str(gather.given.get("party_kind") or "")
    name = gather.name("name", NAME_LENGTH)
    if party == "organisation":
        code = gather.uscc()
        return Declared({"party_kind": party, "name": name, "uscc": code}, *gather.days(today), f"uscc:{code}")
    if party != "person":
        gather.wrong("firm.party_kind_unknown", "party_kind")
    mark = str(gather.given.get("mark") or "").strip().upper()
    if not PERSON_MARK.fullmatch(mark):
        gather.wrong("firm.mark_invalid", "mark")
    return Declared({"party_kind": party, "name": name, "mark": mark}, *gather.days(today), person_key(name, mark))


def _affiliate(gather: _Gather, today: date) -> Declared:
    content = {
        "tie": gather.choice("tie", TIES, "firm.tie_unknown"),
        "name": gather.name("name", NAME_LENGTH),
        "uscc": gather.uscc(),
    }
    return Declared(content, *gather.days(today), f"uscc:{content['uscc']}")


FIELDS: Mapping[str, tuple[str, ...]] = {
    "figures": ("year", "staff", *_AMOUNTS),
    "place": ("region_code", "policy_zones", "founded_on", "industry_code", "valid_from", "valid_to"),
    "label": ("label", "level", "number", "valid_from", "valid_to"),
    "controller": ("party_kind", "name", "uscc", "mark", "valid_from", "valid_to"),
    "affiliate": ("tie", "name", "uscc", "valid_from", "valid_to"),
}
"""What is typed for each kind."""
_MAKERS = {"figures": _figures, "place": _place, "label": _label, "controller": _controller, "affiliate": _affiliate}
