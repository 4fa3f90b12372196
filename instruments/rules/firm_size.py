"""A firm's size class by the standard for small and medium firms of 2011 (MIIT joint document 2011 no. 300, section 4), with the sectors
as the statistical standard of 2017 draws them over GB/T 4754-2017.

Each sector looks at its own figures: of staff, yearly revenue and total assets one or two. A class is reached where all of them reach it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SizeClass(StrEnum):
    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Sector(StrEnum):
    """The sixteen sectors in the order of the standard."""

    AGRICULTURE = "agriculture"
    INDUSTRY = "industry"
    CONSTRUCTION = "construction"
    WHOLESALE = "wholesale"
    RETAIL = "retail"
    TRANSPORT = "transport"
    STORAGE = "storage"
    POST = "post"
    LODGING = "lodging"
    CATERING = "catering"
    INFORMATION = "information"
    SOFTWARE = "software"
    REAL_ESTATE = "real_estate"
    PROPERTY = "property"
    BUSINESS_SERVICES = "business_services"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Figures:
    """Staff, yearly revenue and total assets (fen), None where not known; of a threshold: None where the sector does not look at it."""

    staff: int | None = None
    revenue_fen: int | None = None
    assets_fen: int | None = None

    def __post_init__(self) -> None:
        if any(value is not None and value < 0 for value in (self.staff, self.revenue_fen, self.assets_fen)):
            raise ValueError("staff, revenue and assets are not negative")

    def lacking(self, least: Figures) -> tuple[str, ...]:
        """The figures that ``least`` looks at and that are not known here."""
        return tuple(name for name in FIGURES if getattr(least, name) is not None and getattr(self, name) is None)

    def reach(self, least: Figures) -> bool:
        """Whether everything that ``least`` looks at is reached; all of it is known."""
        return all(getattr(self, name) >= getattr(least, name) for name in FIGURES if getattr(least, name) is not None)


FIGURES = ("staff", "revenue_fen", "assets_fen")
Thresholds = Mapping[SizeClass, Figures]
"""The least figures of every class above micro, from the largest down."""
_WAN_FEN = 10_000 * 100


def _above(large: Figures, medium: Figures, small: Figures) -> Thresholds:
    return {SizeClass.LARGE: large, SizeClass.MEDIUM: medium, SizeClass.SMALL: small}


def _least(staff: int | None = None, revenue: int | None = None, assets: int | None = None) -> Figures:
    """A threshold; amounts in ten thousand yuan (万元), as the standard writes them."""
    return Figures(staff, None if revenue is None else revenue * _WAN_FEN, None if assets is None else assets * _WAN_FEN)


_LODGING = _above(_least(300, 10_000), _least(100, 2_000), _least(10, 100))
STANDARD: Mapping[Sector, Thresholds] = {
    Sector.AGRICULTURE: _above(_least(revenue=20_000), _least(revenue=500), _least(revenue=50)),
    Sector.INDUSTRY: _above(_least(1_000, 40_000), _least(300, 2_000), _least(20, 300)),
    Sector.CONSTRUCTION: _above(
        _least(revenue=80_000, assets=80_000), _least(revenue=6_000, assets=5_000), _least(revenue=300, assets=300)
    ),
    Sector.WHOLESALE: _above(_least(200, 40_000), _least(20, 5_000), _least(5, 1_000)),
    Sector.RETAIL: _above(_least(300, 20_000), _least(50, 500), _least(10, 100)),
    Sector.TRANSPORT: _above(_least(1_000, 30_000), _least(300, 3_000), _least(20, 200)),
    Sector.STORAGE: _above(_least(200, 30_000), _least(100, 1_000), _least(20, 100)),
    Sector.POST: _above(_least(1_000, 30_000), _least(300, 2_000), _least(20, 100)),
    Sector.LODGING: _LODGING,
    Sector.CATERING: _LODGING,
    Sector.INFORMATION: _above(_least(2_000, 100_000), _least(100, 1_000), _least(10, 100)),
    Sector.SOFTWARE: _above(_least(300, 10_000), _least(100, 1_000), _least(10, 50)),
    Sector.REAL_ESTATE: _above(
        _least(revenue=200_000, assets=10_000), _least(revenue=1_000, assets=5_000), _least(revenue=100, assets=2_000)
    ),
    Sector.PROPERTY: _above(_least(1_000, 5_000), _least(300, 1_000), _least(100, 500)),
    Sector.BUSINESS_SERVICES: _above(_least(300, assets=120_000), _least(100, assets=8_000), _least(10, assets=100)),
    Sector.OTHER: _above(_least(300), _least(100), _least(10)),
}
_CODE = re.compile(r"([A-T]?)((?:[0-9]{2,4})?)")
#: Groups of GB/T 4754-2017 that are elsewhere than their division: handling of goods is transport, of real estate only development and
#: the management of property have figures of their own.
_GROUPS = {
    "591": Sector.TRANSPORT,
    "702": Sector.PROPERTY,
    "703": Sector.OTHER,
    "704": Sector.OTHER,
    "709": Sector.OTHER,
}
#: The last division of each sector, in their order. Railways (53) are no transport in the standard; they, finance, education, health and
#: public bodies have no figures in it and go by those of what is not listed.
_DIVISIONS = (
    (5, Sector.AGRICULTURE),
    (46, Sector.INDUSTRY),
    (50, Sector.CONSTRUCTION),
    (51, Sector.WHOLESALE),
    (52, Sector.RETAIL),
    (53, Sector.OTHER),
    (58, Sector.TRANSPORT),
    (59, Sector.STORAGE),
    (60, Sector.POST),
    (61, Sector.LODGING),
    (62, Sector.CATERING),
    (64, Sector.INFORMATION),
    (65, Sector.SOFTWARE),
    (69, Sector.OTHER),
    (70, Sector.REAL_ESTATE),
    (72, Sector.BUSINESS_SERVICES),
    (97, Sector.OTHER),
)
#: Sections that are one sector as a whole; of the others (F, G, H, I, K) the letter alone does not say which.
_SECTIONS = dict.fromkeys("BCD", Sector.INDUSTRY) | dict.fromkeys("JMNOPQRST", Sector.OTHER)
_SECTIONS |= {"A": Sector.AGRICULTURE, "E": Sector.CONSTRUCTION, "L": Sector.BUSINESS_SERVICES}


def sector_of(industry_code: str | None) -> Sector | None:
    """The sector of a code of GB/T 4754 (a letter, two to four digits, or both); None where it does not say which, or there is none."""
    found = _CODE.fullmatch(industry_code or "")
    if found is None:
        return None
    letter, digits = found.groups()
    if not digits:
        return _SECTIONS.get(letter)
    division = int(digits[:2])
    return _GROUPS.get(digits[:3]) or next((sector for last, sector in _DIVISIONS if 0 < division <= last), None)


@dataclass(frozen=True, slots=True)
class Sizing:
    """How the size of a firm was found. ``known``: the declared industry names the sector; otherwise it is taken for industry.

    ``size`` is None where a figure that the sector looks at is not known; ``lacking`` names those. ``reached`` is the threshold of the
    class, ``missed`` that of the next larger one; None below the lowest and above the highest.
    """

    sector: Sector
    known: bool
    figures: Figures
    size: SizeClass | None = None
    reached: Figures | None = None
    missed: tuple[SizeClass, Figures] | None = None
    lacking: tuple[str, ...] = ()

    @property
    def looked_at(self) -> Figures:
        """Of the firm's figures those that the sector looks at."""
        least = STANDARD[self.sector][SizeClass.SMALL]
        return Figures(*(getattr(self.figures, name) if getattr(least, name) is not None else None for name in FIGURES))


def sizing(industry_code: str | None, figures: Figures) -> Sizing:
    """The largest class of which every threshold is reached: one that fails drops a firm to the class below."""
    named = sector_of(industry_code)
    sector = named or Sector.INDUSTRY
    thresholds = STANDARD[sector]
    lacking = figures.lacking(thresholds[SizeClass.SMALL])
    if lacking:
        return Sizing(sector, named is not None, figures, lacking=lacking)
    missed = None
    for size, least in thresholds.items():
        if figures.reach(least):
            return Sizing(sector, named is not None, figures, size, least, missed)
        missed = size, least
    return Sizing(sector, named is not None, figures, SizeClass.MICRO, None, missed)


def size_class(
    industry_code: str | None, staff: int | None, revenue_fen: int | None, assets_fen: int | None = None
) -> str | None:
    """The class alone; None where a figure that the sector looks at is not known."""
    found = sizing(industry_code, Figures(staff, revenue_fen, assets_fen)).size
    return None if found is None else found.value
