"""Where what is shared stands, as programmes look at it: its division, and the policy zones of its owner that it lies in."""

from __future__ import annotations

from collections.abc import Iterable

from billing.subsidy.rules.facts import NO_PROFILE, Party, Profile
from instruments.rules.regions import division_prefix


def place_of(region_code: str, owner_region: str, owner_zones: Iterable[str], profile: Profile = NO_PROFILE) -> Party:
    """The place of an instrument or a test in the division ``region_code`` (empty: nobody said). It shares its owner's zones, unless it
    stands outside the division of its owner."""
    beside = not region_code or region_code.startswith(division_prefix(owner_region))
    return Party(region_code=region_code or None, policy_zones=frozenset(owner_zones) if beside else frozenset(), profile=profile)
