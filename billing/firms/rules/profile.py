"""What is known of an organisation on a day, from its verified declarations, as the facts of a subsidy.

Where nothing was declared the columns of the organisation's profile stand in (they were verified with the licence).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from billing.firms.rules.declarations import CERTIFIED
from billing.firms.rules.group import Tie, controller_of, group_of
from billing.subsidy.rules.facts import Label, Listing, Party, Profile
from instruments.rules.firm_size import Figures as SizeFigures
from instruments.rules.firm_size import Sizing, sizing

OWN_LIST = "platform"
"""The list that the platform keeps itself."""
_FIGURES = ("staff", "revenue_fen", "assets_fen", "net_assets_fen", "capital_fen")


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted declaration. ``order`` rises with the time it was declared."""

    firm_key: str
    kind: str
    valid_from: date
    valid_to: date | None
    content: Mapping[str, Any]
    party_key: str
    order: int

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    @property
    def tie(self) -> Tie:
        return Tie(self.firm_key, self.party_key, self.valid_from, self.valid_to, self.order)


@dataclass(frozen=True, slots=True)
class Base:
    """The columns of an organisation: what stands in for what was not declared. ``kind`` in the words of the facts schema."""

    key: str
    kind: str
    region_code: str
    policy_zones: frozenset[str]
    verified: bool
    staff: int | None
    revenue_fen: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a year; amounts in fen."""

    year: int
    staff: int | None = None
    revenue_fen: int | None = None
    assets_fen: int | None = None
    net_assets_fen: int | None = None
    capital_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything loaded about a few organisations: their columns, their groups' declarations; by key the lists
    against them and those of partners."""

    bases: Mapping[str, Base]
    entries: tuple[Entry, ...]
    listings: Mapping[str, tuple[Listing, ...]]
    partners: Mapping[str, tuple[Listing, ...]]

    def of(self, key: str, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.firm_key == key and entry.kind == kind]

    def lists_of(self, key: str, on: date) -> frozenset[str]:
        """The partner regions that list somebody as a provider on a day, as ``partner:310000``."""
        return frozenset(f"partner:{each.list}" for each in self.partners.get(key, ()) if each.holds(on))

    @property
    def control(self) -> list[Tie]:
        return [entry.tie for entry in self.entries if entry.kind == "controller"]


def figures_by_year(entries: Iterable[Entry]) -> dict[int, Figures]:
    """Of each year the figures declared last; a figure that a later declaration leaves open keeps the earlier value."""
    years: dict[int, Figures] = {}
    for entry in sorted((each for each in entries if each.kind == "figures"), key=lambda each: each.order):
        year = int(entry.content["year"])
        given = {name: entry.content[name] for name in _FIGURES if entry.content.get(name) is not None}
        years[year] = replace(years.get(year, Figures(year)), **given)
    return years


def latest(years: Mapping[int, Figures], on: date) -> Figures | None:
    """The figures of the last full year before ``on`` that is known."""
    before = [year for year in years if year < on.year]
    return years[max(before)] if before else None


def place_on(entries: Iterable[Entry], on: date, saying: str = "region_code") -> Entry | None:
    """Where it is registered on a day: the latest of the declarations that hold and say something of ``saying``."""
    held = [entry for entry in entries if entry.kind == "place" and entry.holds(on) and entry.content.get(saying)]
    return max(held, key=lambda entry: (entry.valid_from, entry.order), default=None)


def said_at_place(entries: Iterable[Entry], on: date, name: str) -> str | None:
    """What the registration says beside the place (``founded_on``, ``industry_code``) on a day; None where no declaration says it."""
    found = place_on(entries, on, name)
    return None if found is None else str(found.content[name])


def party(known: Known, key: str, provider_key: str | None, on: date) -> Party:
    """The facts of ``key`` as an applicant on a day (local, of the service); ``provider_key`` is who serves it."""
    base = known.bases[key]
    own = [entry for entry in known.entries if entry.firm_key == key]
    years = figures_by_year(own)
    last = latest(years, on) or Figures(on.year - 1, base.staff, base.revenue_fen)
    place = place_on(own, on)
    before = years.get(last.year - 1)
    founded = said_at_place(own, on, "founded_on")
    group_staff, group_revenue, group_assets = _group_figures(known, key, last, on)
    profile = Profile(
        id=key,
        staff=last.staff,
        annual_revenue=last.revenue_fen,
        previous_annual_revenue=before.revenue_fen if before else None,
        total_assets=last.assets_fen,
        net_assets=last.net_assets_fen,
        registered_capital=last.capital_fen,
        incorporated={"firm": True, "team": False}.get(base.kind),
        founded_on=date.fromisoformat(founded) if founded else None,
        industry_code=said_at_place(own, on, "industry_code"),
        controller=controller(known, key, on),
        lists=known.lists_of(key, on),
        **standing(known, key, provider_key, on)._asdict(),
        group_staff=group_staff,
        group_annual_revenue=group_revenue,
        group_total_assets=group_assets,
    )
    size = sizing_of(profile).size
    return Party(
        kind=base.kind,
        size=None if size is None else size.value,
        region_code=(place.content["region_code"] if place else base.region_code) or None,
        policy_zones=frozenset(place.content["policy_zones"]) if place else base.policy_zones,
        verified=base.verified,
        profile=profile,
    )


def sizing_of(profile: Profile) -> Sizing:
    """How the size of an applicant with these facts is found."""
    return sizing(profile.industry_code, SizeFigures(profile.staff, profile.annual_revenue, profile.total_assets))


def controller(known: Known, key: str, on: date) -> str | None:
    """Who controls ``key`` in the end on a day; None where nobody does."""
    head = controller_of(known.control, key, on)
    return head if head != key else None


class Standing(NamedTuple):
    """What of an applicant's profile may be lost between a promise and its payment, by the names of the profile."""

    related_to_provider: bool | None
    labels: tuple[Label, ...]
    credit_listings: tuple[Listing, ...]
    violations: tuple[Listing, ...] = ()


def standing(known: Known, key: str, provider_key: str | None, on: date) -> Standing:
    """``party``, of that only what may be lost."""
    return Standing(
        related(known, key, provider_key, on) if provider_key else None,
        labels_of(known, key),
        known.listings.get(key, ()),
        own_violations(known.listings.get(key, ())),
    )


class ProviderStanding(NamedTuple):
    """What of a provider's profile may be lost between a promise and its payment, by the names of the profile."""

    certified: bool
    labels: tuple[Label, ...]
    credit_listings: tuple[Listing, ...]
    violations: tuple[Listing, ...]


def provider_standing(known: Known, key: str, on: date) -> ProviderStanding:
    """Of a provider with the key; certified on a day."""
    held, listings = labels_of(known, key), known.listings.get(key, ())
    return ProviderStanding(is_certified(held, on), held, listings, own_violations(listings))


def own_violations(listings: Iterable[Listing]) -> tuple[Listing, ...]:
    """Of somebody's entries those of the platform's own list: violations of its rules."""
    return tuple(each for each in listings if each.list == OWN_LIST)


def is_certified(labels: Iterable[Label], on: date) -> bool:
    """Whether a provider with these labels is certified on a day."""
    return any(each.label == CERTIFIED and each.holds(on) for each in labels)


def labels_of(known: Known, key: str) -> tuple[Label, ...]:
    """Every label of ``key`` with its days, as ``labels``."""
    return labels([entry for entry in known.entries if entry.firm_key == key])


def labels(own: Sequence[Entry]) -> tuple[Label, ...]:
    """Every label with its days; of the same label, level and number the one declared last."""
    found: dict[tuple[str, str, str], Label] = {}
    for entry in sorted((each for each in own if each.kind == "label"), key=lambda each: each.order):
        content = entry.content
        name = (content["label"], content["level"], content["number"])
        found[name] = Label(*name, entry.valid_from, entry.valid_to)
    return tuple(found.values())


def related(known: Known, key: str, other: str, on: date) -> bool:
    """Whether both are under the same actual controller, one above the other, or tied by a declaration of either."""
    ties = known.control
    if controller_of(ties, key, on) == controller_of(ties, other, on):
        return True
    pair = {key, other}
    return any(
        entry.kind == "affiliate" and entry.holds(on) and {entry.firm_key, entry.party_key} == pair for entry in known.entries
    )


def _group_figures(known: Known, key: str, last: Figures, on: date) -> tuple[int | None, int | None, int | None]:
    """Staff, revenue and assets over the group in the last full year; a sum of which a part is not known is not known."""
    members = group_of(known.control, key, on)
    parts = [last]
    for member in sorted(members - {key}):
        if member.startswith("person:"):
            continue
        base = known.bases.get(member)
        own = latest(figures_by_year(each for each in known.entries if each.firm_key == member), on)
        parts.append(own or Figures(last.year, base.staff if base else None, base.revenue_fen if base else None))
    staff, revenue = _sum([part.staff for part in parts]), _sum([part.revenue_fen for part in parts])
    return staff, revenue, _sum([part.assets_fen for part in parts])


def _sum(parts: Sequence[int | None]) -> int | None:
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)
