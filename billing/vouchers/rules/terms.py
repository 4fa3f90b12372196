"""What an announcement may say, how long a voucher holds, and its number among all platforms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.subsidy.rules.facts import Facts, Party, Service
from billing.subsidy.rules.outcome import Unmet
from billing.subsidy.rules.programme import Programme
from billing.vouchers.rules.backing import is_issued
from config.kernel.errors import Reason
from instruments.rules.regions import division_prefix

TITLE_LENGTH, NOTICE_LENGTH, MOST_AREAS, ZONE_LENGTH = 200, 4000, 50, 50
MOST_FEN = 10**15
MOST_LIFE_DAYS = 3660
_PREFIX = re.compile(r"[1-9][0-9]([0-9]{2}){0,2}")


@dataclass(frozen=True, slots=True)
class Area:
    """A share of the quota: of a policy zone, of a division by the first digits of its code, or (both empty) of everywhere."""

    zone: str
    code_prefix: str
    amount_fen: int

    def takes(self, region_code: str | None, zones: frozenset[str]) -> bool:
        """Whether somebody registered there may apply to it."""
        if self.zone:
            return self.zone in zones
        return (region_code or "").startswith(self.prefix)

    @property
    def prefix(self) -> str:
        """What the codes of all divisions in it begin with, also where somebody wrote 630100 for all of Xining."""
        return division_prefix(self.code_prefix)


@dataclass(frozen=True, slots=True)
class Terms:
    """An announcement. Amounts in fen; days local and included."""

    cap_id: str
    title: str
    title_en: str
    notice: str
    opens_on: date
    closes_on: date
    face_fen: int | None
    most_fen: int
    life_days: int
    last_on: date
    areas: tuple[Area, ...]


def term_faults(terms: Terms, programme: Programme) -> list[Reason]:
    """Everything that is wrong with ``terms``, each at its field."""
    faults = []
    caps = [cap.id for cap in programme.caps if is_issued(cap)]
    if terms.cap_id not in caps:
        faults.append(Reason("voucher.cap_not_issued", {"known": caps}, "cap_id"))
    if not 1 <= len(terms.title.strip()) <= TITLE_LENGTH:
        faults.append(Reason("partner.text_needed", {"maximum": TITLE_LENGTH}, "title"))
    if len(terms.notice) > NOTICE_LENGTH:
        faults.append(Reason("voucher.notice_too_long", {"maximum": NOTICE_LENGTH}, "notice"))
    if terms.closes_on < terms.opens_on:
        faults.append(Reason("firm.days_in_order", {}, "closes_on"))
    if terms.last_on < terms.opens_on:
        faults.append(Reason("firm.days_in_order", {}, "last_on"))
    if not 1 <= terms.life_days <= MOST_LIFE_DAYS:
        faults.append(Reason("voucher.life_range", {"maximum": MOST_LIFE_DAYS}, "life_days"))
    if not 0 < terms.most_fen <= MOST_FEN:
        faults.append(Reason("voucher.amount_range", {}, "most_fen"))
    return faults + _area_faults(terms.areas)


def _area_faults(areas: Sequence[Area]) -> list[Reason]:
    faults = []
    if not 1 <= len(areas) <= MOST_AREAS:
        faults.append(Reason("voucher.areas_needed", {"maximum": MOST_AREAS}, "areas"))
    if len({(area.zone, area.prefix) for area in areas}) != len(areas):
        faults.append(Reason("voucher.area_twice", {}, "areas"))
    for area in areas:
        both, bad_prefix = area.zone and area.code_prefix, area.code_prefix and not _PREFIX.fullmatch(area.code_prefix)
        if both or bad_prefix or len(area.zone) > ZONE_LENGTH:
            faults.append(Reason("voucher.area_invalid", {"text": (area.zone or area.code_prefix)[:ZONE_LENGTH]}, "areas"))
        if not 0 < area.amount_fen <= MOST_FEN:
            faults.append(Reason("voucher.amount_range", {}, "areas"))
    return faults


def last_day(issued_on: date, life_days: int, hard_end: date) -> date:
    """The last day of a voucher: ``life_days`` days with the day of issue, and never beyond ``hard_end``."""
    return min(issued_on + timedelta(days=life_days - 1), hard_end)


def voucher_number(platform_id: str, programme: str, year: int, place: int) -> str:
    """For example ``CN-630000/<code>/2026/000001``."""
    return f"{platform_id}/{programme}/{year}/{place:06d}"


def unmet_by(programme: Programme, applicant: Party, on: date) -> list[Unmet]:
    """Conditions of the programme that the applicant itself does not meet on a day; what depends on a service is left open."""
    service = Service(service_on=on, invoice_on=on, claim_on=on, approval_on=on)
    facts = Facts(applicant=applicant, service=programme.awaiting(service))
    found = [condition.check(facts) for condition in programme.conditions]
    return [each for each in found if isinstance(each, Unmet) and _is_the_applicants(each)]


def _is_the_applicants(unmet: Unmet) -> bool:
    if unmet.code == "subsidy.unmet.fact_missing":
        return str(unmet.params["fact"]).startswith("applicant.")
    if unmet.code == "subsidy.unmet.alternatives":
        return False
    return unmet.params.get("subject", "applicant") == "applicant" and not unmet.code.startswith("subsidy.unmet.service")
